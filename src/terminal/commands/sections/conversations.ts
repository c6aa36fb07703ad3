/** Talking to one member alone, and in conversations beside the room. */
import {
  inviteTo,
  makeConversation,
  maybeConversation,
  message,
  nothing,
  renameConversation,
  seatOf,
} from '../arguments.ts';
import { type Command, commands } from '../command.ts';

export const CONVERSATIONS: readonly Command[] = commands('Conversations', 'everyone', [
  {
    name: 'msg',
    usage: 'NICK TEXT',
    summary: 'say something to one member alone',
    details: 'Sealed for the two of you. In a kept room it waits for someone who is away.',
    completes: ['nick', 'text'],
    parse: message,
  },
  {
    name: 'reply',
    aliases: ['r'],
    usage: 'TEXT',
    summary: 'answer whoever wrote to you alone last',
    completes: ['text'],
    parse: (_, text) => (text === '' ? null : { name: 'reply', text }),
  },
  {
    name: 'new',
    usage: 'NAME [NICK...]',
    summary: 'make a conversation, and talk in it',
    details:
      'Those named are in it at once, and told; nobody else in the room learns its name or what is said. The machine that relays knows who is in it.',
    completes: [null, 'text'],
    parse: makeConversation,
  },
  {
    name: 'join',
    usage: '[NAME|@NICK|room]',
    summary: 'let what you type go to a conversation, to one member, or to the room again',
    completes: ['conversation'],
    parse: maybeConversation('join'),
  },
  {
    name: 'conversations',
    aliases: ['convs'],
    summary: 'show your conversations, who is in them, and what is unread',
    parse: nothing({ name: 'conversations' }),
  },
  {
    name: 'invite-to',
    usage: 'NAME NICK...',
    summary: 'add members of the room to a conversation',
    details:
      'For its creator and its moderators. They read from there on; someone who is away is told on return.',
    completes: ['conversation', 'text'],
    parse: inviteTo,
  },
  {
    name: 'part',
    usage: '[NAME]',
    summary: 'leave a conversation for good',
    details: 'What is said from then on is sealed without you. If its creator leaves, its moderators go on.',
    completes: ['conversation'],
    parse: maybeConversation('part'),
  },
  {
    name: 'remove-from',
    usage: 'NAME NICK',
    summary: 'remove someone from a conversation',
    details: 'For its creator and its moderators.',
    completes: ['conversation', 'nick'],
    parse: seatOf('remove-from'),
  },
  {
    name: 'op-in',
    usage: 'NAME NICK',
    summary: 'make someone a moderator of your conversation',
    completes: ['conversation', 'nick'],
    parse: seatOf('op-in'),
  },
  {
    name: 'deop-in',
    usage: 'NAME NICK',
    summary: 'make a moderator of your conversation a plain member',
    completes: ['conversation', 'nick'],
    parse: seatOf('deop-in'),
  },
  {
    name: 'hand-over',
    usage: 'NAME NICK',
    summary: 'give a conversation that you made to someone else; you stay its moderator',
    completes: ['conversation', 'nick'],
    parse: seatOf('hand-over'),
  },
  {
    name: 'rename',
    usage: 'NAME NEW',
    summary: 'give a conversation another name',
    details: 'For its creator and its moderators. In it, /topic TEXT sets its topic.',
    completes: ['conversation'],
    parse: renameConversation,
  },
]);

/** What is said in the room, and coming and going. */
import { fix, nothing, oneNick, react, remove, reply } from '../arguments.ts';
import { type Command, commands } from '../command.ts';

export const TALKING: readonly Command[] = commands('Talking', 'everyone', [
  {
    name: 'help',
    usage: '[COMMAND]',
    summary: 'list the commands, or explain one',
    completes: ['command'],
    parse: ([topic, ...rest]) =>
      rest.length > 0 ? null : { name: 'help', topic: topic?.replace(/^\//, '').toLowerCase() ?? null },
  },
  {
    name: 'quit',
    aliases: ['exit'],
    summary: 'leave the room',
    details:
      'For the host it ends the room for everyone. With --plain so does Ctrl-D, which ends the input. ' +
      'In a saved room your place is kept: /leave gives it up.',
    parse: nothing({ name: 'quit' }),
  },
  {
    name: 'leave',
    summary: 'leave the room for good',
    details:
      'Everyone is shown it, and a saved room is saved no more. Where nothing is saved, /quit does the same.',
    parse: nothing({ name: 'leave' }),
  },
  {
    name: 'me',
    usage: 'ACTION',
    summary: 'say what you do: "* ann waves"',
    completes: ['text'],
    parse: (_, text) => (text === '' ? null : { name: 'me', text }),
  },
  {
    name: 're',
    usage: 'ID TEXT',
    summary: 'answer an earlier message',
    details: '/ids on shows the numbers of messages. With --json ID is the id of the message.',
    completes: [[], 'text'],
    parse: reply,
  },
  {
    name: 'fix',
    usage: '[#ID] TEXT',
    summary: 'change what you have said: the latest, or the message of that number',
    details:
      'Everyone is shown that it was changed; screens that have shown the old text keep it. /ids on shows the numbers of messages.',
    completes: ['text'],
    parse: fix,
  },
  {
    name: 'delete',
    usage: '[ID]',
    summary: 'take back what you have said: the latest, or the message of that number',
    details:
      'Everyone is shown it. What others have read, their screens and programs may keep. /ids on shows the numbers of messages.',
    parse: remove,
  },
  {
    name: 'react',
    usage: '[ID] EMOJI',
    summary: 'put a sign under the latest message of someone else, or the one of that number',
    details:
      'One emoji or one letter; +1, -1, <3, :) and :( stand for theirs, and off takes yours back. /ids on shows the numbers of messages.',
    parse: react,
  },
  {
    name: 'nick',
    usage: 'NEW',
    summary: 'take another nickname',
    details: 'Everyone is shown the change, and your key stays the same.',
    parse: oneNick((nick) => ({ name: 'nick', nick })),
  },
  {
    name: 'away',
    summary: 'let others see that you are not at the keyboard',
    details:
      'It takes no text, because the machine that relays could read one. Saying something ends it, as /back does.',
    parse: nothing({ name: 'away' }),
  },
  { name: 'back', summary: 'let others see that you are there again', parse: nothing({ name: 'back' }) },
  {
    name: 'register',
    summary: 'keep your nickname behind a password',
    details:
      'In a room that is kept. The password makes you the same member on another device, with a fresh invitation; everyone is shown that your key has changed. Given again, it changes the password.',
    parse: nothing({ name: 'register' }),
  },
  {
    name: 'edit',
    usage: '[TEXT]',
    summary: 'write the message in your editor',
    details:
      'Opens $VISUAL or $EDITOR; what you save there is sent when you press Enter. Ctrl-X Ctrl-E takes along what you have typed.',
    completes: ['text'],
    parse: (_, text) => ({ name: 'edit', text }),
  },
]);

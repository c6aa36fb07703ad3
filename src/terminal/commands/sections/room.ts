/** Who is in the room, whether they are who they seem, and what holds in it. */
import { LIMITS } from '../../../protocol/limits.ts';
import { nothing, ON_OFF, oneNick, policy, proof, shownOrSet, verify } from '../arguments.ts';
import { type Command, commands } from '../command.ts';

export const ROOM: readonly Command[] = commands('The room', 'everyone', [
  {
    name: 'names',
    aliases: ['who'],
    summary: 'show who is here, away or offline',
    parse: nothing({ name: 'names' }),
  },
  {
    name: 'whois',
    usage: 'NICK',
    summary: "show a member's role, where they are, and their key: what it signs with, its fingerprint",
    completes: ['nick'],
    parse: oneNick((nick) => ({ name: 'whois', nick })),
  },
  {
    name: 'verify',
    usage: '[NICK [yes|no]]',
    summary: 'show digits to compare with someone, then mark their key; alone it shows who is marked',
    details:
      'Both of you see the same sixty digits if nobody stands between you. Compare them by voice or in person, then give yes; no takes the mark back. If a marked member has another key, nothing you say where they read it is sent until you have decided about it.',
    completes: ['nick', ['yes', 'no']],
    parse: verify,
  },
  {
    name: 'trust',
    usage: 'NICK',
    summary: 'accept a changed key without comparing, and send what waited for it',
    completes: ['nick'],
    parse: oneNick((nick) => ({ name: 'trust', nick })),
  },
  {
    name: 'topic',
    usage: '[TEXT|off]',
    summary: 'show the topic; moderators set it, off takes it away',
    details: 'The machine that relays can read the topic, as it can the name of the room.',
    completes: ['text'],
    parse: shownOrSet('topic'),
  },
  {
    name: 'motd',
    usage: '[TEXT|off]',
    summary: 'show the message of the day; the host sets it, off takes it away',
    details: 'Everyone sees it on joining. The machine that relays can read it.',
    completes: ['text'],
    parse: shownOrSet('motd'),
  },
  {
    name: 'policy',
    usage: '[stay DURATION|off | edits on|off | receipts on|off]',
    summary: 'show what becomes of messages; the host sets it',
    details:
      '/policy stay 7d lets messages disappear after a week (30s to 30d), edits off lets nobody change what was said, receipts off tells nobody what was read. What a terminal has shown stays in its scrollback, and what somebody copied is theirs.',
    completes: [
      ['stay', 'edits', 'receipts'],
      { kind: ['off', '1h', '1d', '7d'], acts: ['stay'] },
      { kind: Object.keys(ON_OFF), acts: ['edits', 'receipts'] },
    ],
    parse: policy,
  },
  {
    name: 'room',
    summary: "show the room's name, rules, and what to compare by voice",
    details:
      'The twelve digits are of all that you have seen: two people who read the same entries have the same. The sixteen words, or the forty digits, are of the list of members and its owner: all compare them at once.',
    parse: nothing({ name: 'room' }),
  },
  {
    name: 'security',
    summary: 'show what protects this room, and what does not',
    parse: nothing({ name: 'security' }),
  },
  {
    name: 'proof',
    usage: 'ID [FILE]',
    summary: 'write a file that proves to others who said a message',
    details: `ID is the beginning of the message's id, at least four characters; the latest ${LIMITS.provableMessages} messages shown can be proved. "securechat check FILE" reads it on any machine. Besides the text it holds the member list of then, with fingerprints.`,
    completes: [[], 'path'],
    parse: proof,
  },
  {
    name: 'fork',
    usage: 'ack',
    summary: 'accept, after an alarm, that members were shown different histories',
    completes: [['ack']],
    parse: ([act, ...rest]) => (act === 'ack' && rest.length === 0 ? { name: 'fork', act } : null),
  },
]);

/** What a proof shows and what it does not, in plain words. */
import { cleanText } from '../../protocol/clean-text.ts';
import type { ProofEvent, ProvedEvent } from '../json-lines.ts';
import { cleanNick, type RenderView } from './entry.ts';
import { shownFingerprint } from './ready-panel.ts';
import { wrapLine } from './wrap.ts';

const INDENT = '  ';
/** Before each line of what was said: none of them can look like a word of the program. */
const BAR = '  | ';

/** e.g. `RSA-PSS, 3072 bits` */
const SIGNS: Readonly<Record<string, string>> = { rsa: 'RSA-PSS', dsa: 'DSA' };

const ROLES: Readonly<Record<string, string>> = { owner: 'the host', moderator: 'a moderator' };

/** What the sender did; their words follow. */
const DEEDS: Readonly<Record<string, string>> = {
  text: 'said this',
  emote: 'said this of what they do (/me)',
  edit: 'put this in the place of an earlier message of theirs',
  delete: 'took an earlier message of theirs back',
  reaction: 'reacted with this to a message',
};

/** Before the name of the room. What was said beside it was not said to everyone there. */
const PLACES: Readonly<Record<ProvedEvent['where'], string>> = {
  room: 'in the room',
  direct: 'in a conversation of two members, beside the room',
  group: 'in a conversation of some members, beside the room',
};

const NOT_PROVED: readonly string[] = [
  'when it was said, or that its sender was still a member then: only which member list they quoted.',
  'that it reached the room, that anyone could open it, or who has read it.',
  'what was said before it and after it, and whether it was taken back.',
  'that a fingerprint or a nickname belongs to a certain person, or that this is a room you know: anybody can make keys, and with them a room and its list.',
];

/** The signatures hold. */
const OTHER_KEYS = 'What it shows, it shows of other keys than those that you know.';

export function proofLines(event: ProofEvent, view: RenderView): readonly string[] {
  const { columns, palette } = view;
  const folded = (text: string, head = ''): readonly string[] =>
    wrapLine(cleanText(text), columns - head.length).map((row) => head + row);
  const listed = (text: string): readonly string[] =>
    wrapLine(cleanText(text), columns - INDENT.length - 2).map(
      (row, index) => `${INDENT}${index === 0 ? '- ' : '  '}${row}`,
    );
  if (!event.proved) {
    return [
      palette.alarm('NOT PROVED'),
      ...folded(`The check "${event.check}" failed: ${event.reason}.`),
      ...folded(event.check.startsWith('other-') ? OTHER_KEYS : 'Nothing in this file is to be believed.'),
    ];
  }
  const { from, room } = event;
  const nick = cleanNick(from.nick);
  const name = cleanText(room.name);
  const said = cleanText(event.text, { multiline: true }).split('\n');
  const about = event.about === undefined ? '' : `, about message ${event.about}`;
  return [
    palette.good('PROVED'),
    ...folded('The holder of the key with the fingerprint'),
    ...folded(shownFingerprint(from.fingerprint), INDENT),
    ...folded(`${DEEDS[event.kind] ?? 'signed this'} ${PLACES[event.where]} "${name}"${about}:`),
    ...said.flatMap((line) => wrapLine(line, columns - BAR.length).map((row) => palette.dim(BAR) + row)),
    ...folded(
      `It is called ${nick} on member list ${event.epoch} of that room, which names ${memberText(event)} and is signed by the owner with the fingerprint`,
    ),
    ...folded(shownFingerprint(event.ownerFingerprint), INDENT),
    ...folded(
      `Message ${event.id}, signed with ${SIGNS[from.algorithm] ?? from.algorithm}, ${from.bits} bits.`,
    ),
    '',
    ...folded(comparedText(event)),
    '',
    ...folded('Not proved:'),
    ...NOT_PROVED.flatMap(listed),
  ];
}

function memberText({ members, from }: ProvedEvent): string {
  const role = ROLES[from.role];
  const among = members === 1 ? '1 member' : `${members} members`;
  return role === undefined ? among : `${among} (this one is ${role})`;
}

function comparedText({ compared }: ProvedEvent): string {
  const [owner, signer] = [compared.includes('owner'), compared.includes('signer')];
  if (owner && signer) return "Owner's and signer's fingerprint are those that you gave.";
  if (owner) return "The owner's fingerprint is the one that you gave. Compare the signer's another way.";
  if (signer)
    return "The signer's fingerprint is the one that you gave. Compare the owner's another way: the nickname is the owner's word.";
  return 'Compare both fingerprints with what you know from elsewhere (--owner, --signer): until then this shows no more than that somebody has these keys.';
}

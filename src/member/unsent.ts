/** What a person is told about messages of theirs that did not go out, or not yet. */
import { cleanText } from '../protocol/clean-text.ts';
import { type Content, isByItself } from '../protocol/content.ts';
import { event, type SessionEffect } from './events.ts';
import type { Said } from './outbox.ts';

/** A message as its person said it. */
type Message = Pick<Said, 'content' | 'ref'>;

/** Characters of a message that a notice about it repeats. */
const QUOTED_CHARACTERS = 40;

/** Said a while ago and without a place yet: one word about all of it. */
export function notPlacedYet([first, ...others]: readonly Message[]): SessionEffect[] {
  if (first === undefined) return [];
  const text = `Not placed yet: ${quoted(first.content, others.length)}`;
  return [event({ kind: 'notice', level: 'warning', code: 'not-placed', text })];
}

/**
 * Will not be sent, because its sender was muted meanwhile.
 * @param isMuted what the owner's signature says by now; without it, that is the host's word alone
 */
export function mutedMeanwhile(unsent: readonly Message[], isMuted: boolean): SessionEffect[] {
  const why = isMuted ? 'You are muted.' : 'The host says that you were muted, and the member list does not.';
  return notSent(unsent, 'muted', why);
}

/** Will not be sent, because its sender is not in that conversation, or nobody else is. */
export function conversationOver(unsent: readonly Message[]): SessionEffect[] {
  return notSent(unsent, 'unsaid', 'That conversation is over for you.');
}

/** @param why a sentence */
function notSent(unsent: readonly Message[], code: string, why: string): SessionEffect[] {
  const own = unsent.filter(({ content }) => !isByItself(content.kind));
  const [first, ...others] = own;
  if (first === undefined) return [];
  const text = `${why} Not sent: ${quoted(first.content, others.length)}`;
  const refs = own.flatMap(({ ref }) => ref ?? []);
  return [event({ kind: 'notice', level: 'warning', code, text, ...(refs.length > 0 && { refs }) })];
}

/** Waits until the person has decided about a changed key. */
export function heldForTrust(nicks: readonly string[]): SessionEffect {
  const [nick = ''] = nicks;
  const text = `What you say waits unsent, because of the changed key of ${nicks.join(', ')}. It goes out once you have decided: /verify ${nick} or /trust ${nick}.`;
  return event({ kind: 'notice', level: 'warning', code: 'held-for-trust', text });
}

/** Held by slow mode, and goes out by itself. */
export function heldBySlowMode(slowed: { readonly said: Message; readonly inMs: number }): SessionEffect {
  const inSeconds = Math.ceil(slowed.inMs / 1_000);
  const text = `Slow mode: ${quoted(slowed.said.content, 0)} goes out in ${inSeconds} s.`;
  return event({ kind: 'notice', level: 'info', code: 'slow-mode', text });
}

function quoted({ kind, text }: Content, others: number): string {
  const more = others === 0 ? '' : ` and ${others} more`;
  if (text === '') return `${kind === 'delete' ? 'a message deleted' : 'a reaction taken back'}${more}`;
  return `"${cleanText(text, { maxCodePoints: QUOTED_CHARACTERS })}"${more}`;
}

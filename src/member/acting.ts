/** What a member is told before they ask the owner for something, and what became of it. */
import type { RosterMember } from '../crypto/roster.ts';
import { type ActRequest, mayAct } from '../protocol/acts.ts';
import { utf8 } from '../protocol/bytes.ts';
import { InputError } from '../protocol/errors.ts';
import { LIMITS } from '../protocol/limits.ts';
import { checkNickname } from '../protocol/nickname.ts';
import type { ActOutcome } from '../protocol/reasons.ts';
import type { ActAnswer } from '../protocol/session-frames.ts';
import type { SessionEvent } from './events.ts';

/**
 * @param target whom it is about; `null` where it names nobody
 * @throws InputError `not-allowed`, `nick-shape`, `nick-reserved`, `text-too-long` or `bad-setting`: an honest host
 *   would refuse it, or close the connection.
 */
export function checkRequest(request: ActRequest, self: RosterMember, target: RosterMember | null): void {
  if (!mayAct(self.role, request.kind, target?.role ?? null))
    throw new InputError('not-allowed', whyNot(self, target));
  if (request.kind === 'rename') checkNickname(request.nick, self.role === 'owner');
  if (request.kind === 'topic' && utf8.encode(request.text).length > LIMITS.topicBytes)
    throw new InputError('text-too-long', `A topic is at most ${LIMITS.topicBytes} bytes of UTF-8.`);
  const isTimed = request.kind === 'ban' || request.kind === 'mute';
  if (isTimed && request.seconds * 1_000 > LIMITS.sanctionMsMost)
    throw new InputError('bad-setting', 'That is too long. Without a time it lasts until it is taken back.');
  if (request.kind === 'slow' && request.seconds > LIMITS.slowSecondsMost)
    throw new InputError('bad-setting', `Slow mode is at most ${LIMITS.slowSecondsMost} seconds.`);
}

function whyNot(self: RosterMember, target: RosterMember | null): string {
  if (target?.role === 'owner') return `${target.nick} is the host: nobody does that to them.`;
  if (self.role === 'moderator' && target?.role === 'moderator')
    return `${target.nick} is a moderator, as you are. Only the host may do that to them.`;
  return 'Only moderators and the host may do that.';
}

const SENTENCES: Readonly<Record<Exclude<ActOutcome, 'done'>, string>> = {
  'not-allowed': 'The host says that you may not do that.',
  'no-such-member': 'They are not in the room any more.',
  'nick-taken': 'Someone here has that nickname, or one that looks like it. Choose another.',
  'nick-refused': 'That nickname cannot be had. Choose another.',
  'too-fast': 'That was too much at once. Try again in a moment.',
  stale: 'The room changed meanwhile, and nothing came of it. Try again if you still want it.',
  'no-change': 'It is like that already.',
};

export function actAnswered({ kind, outcome }: ActAnswer): SessionEvent {
  if (outcome !== 'done')
    return { kind: 'notice', level: 'warning', code: 'act-refused', text: SENTENCES[outcome] };
  const text = kind === 'unban' ? 'The ban is lifted.' : 'Done.';
  return { kind: 'notice', level: 'info', code: 'act-done', text };
}

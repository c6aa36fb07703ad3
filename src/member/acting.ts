/** What a member asks the owner for: what they are told before, when it is sent, and what became of it. */
import { signAct } from '../crypto/acts.ts';
import type { Roster, RosterMember } from '../crypto/roster.ts';
import type { SigningKey } from '../crypto/signature.ts';
import { type ActKind, type ActRequest, isSaid, mayAct } from '../protocol/acts.ts';
import { InputError } from '../protocol/errors.ts';
import { idKey, type RoomId } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import { checkNickname } from '../protocol/nickname.ts';
import type { ActOutcome } from '../protocol/reasons.ts';
import { settingsProblem } from '../protocol/room-settings.ts';
import { type ActAnswer, ActFrame, LeaveFrame, SESSION_FRAME } from '../protocol/session-frames.ts';
import { Leave } from '../protocol/signed-objects.ts';
import { FEATURE, PROTOCOL_VERSION } from '../protocol/version.ts';
import { event, type SessionEffect, type SessionEvent, send } from './events.ts';

/** Acts asked for before the log is read to its end: a program may ask at once. */
const ACTS_HELD_MOST = 16;

/** Acts asked for before they could be sent, in order. */
export class HeldActs {
  readonly #held: ActRequest[] = [];

  /** @returns whether there was room for one more */
  hold(request: ActRequest): boolean {
    if (this.#held.length >= ACTS_HELD_MOST) return false;
    this.#held.push(request);
    return true;
  }

  /** Sends them. Who asked waits for no answer any more: what cannot be sent is told by a notice. */
  release(act: (request: ActRequest) => SessionEffect[]): SessionEffect[] {
    return this.#held.splice(0).flatMap((request) => {
      try {
        return act(request);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        return [event({ kind: 'notice', level: 'warning', code: 'act-refused', text: error.message })];
      }
    });
  }
}

/** @throws InputError when the host knows nothing of it, or this member may not: see `checkRequest`. */
export function askOwner(
  request: ActRequest,
  self: RosterMember,
  asking: { readonly identity: SigningKey; readonly roster: Roster; readonly features: ReadonlySet<number> },
): SessionEffect {
  const { identity, roster, features } = asking;
  if (!features.has(FEATURE.moderation))
    throw new InputError('not-supported', 'This host runs an older securechat that does not know this.');
  const target = 'member' in request ? roster.member(idKey(request.member)) : null;
  if (target === undefined) throw new InputError('no-such-member', 'They are not in the room any more.');
  checkRequest(request, self, target);
  return send(SESSION_FRAME.act, ActFrame.encode({ act: signAct(identity, roster, request) }));
}

/** Going for good is asked of the owner as well: signed, so that no host can say it of anyone. */
export function askToLeave(identity: SigningKey, roomId: RoomId, epoch: number): SessionEffect {
  const { memberId } = identity;
  const bytes = Leave.encode({ version: PROTOCOL_VERSION, roomId, memberId, epoch });
  const leave = { bytes, signature: identity.sign('sc1/leave', bytes) };
  return send(SESSION_FRAME.leave, LeaveFrame.encode({ leave }));
}

/**
 * @param target whom it is about; `null` where it names nobody
 * @throws InputError `not-allowed`, `muted`, `nick-shape`, `nick-reserved`, `text-too-long` or `bad-setting`: an honest
 *   host would refuse it, or close the connection.
 */
function checkRequest(request: ActRequest, self: RosterMember, target: RosterMember | null): void {
  if (!mayAct(self.role, request.kind, target?.role ?? null))
    throw new InputError('not-allowed', whyNot(self, target));
  if (self.muted && isSaid(request.kind))
    throw new InputError('muted', 'You are muted: your nickname stays as it is, and so does the topic.');
  if (request.kind === 'rename') checkNickname(request.nick, self.role === 'owner');
  if (request.kind === 'unban' && request.nick.length > LIMITS.nicknameCharactersMost)
    throw new InputError('nick-shape', 'No nickname is that long.');
  const isTimed = request.kind === 'ban' || request.kind === 'mute';
  if (isTimed && request.seconds * 1_000 > LIMITS.sanctionMsMost)
    throw new InputError('bad-setting', 'That is too long. Without a time it lasts until it is taken back.');
  const problem = settingsProblem({
    ...(request.kind === 'topic' && { topic: request.text }),
    ...(request.kind === 'slow' && { slowSeconds: request.seconds }),
  });
  if (problem !== null) throw problem;
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

const ALREADY: Readonly<Partial<Record<ActKind, string>>> = {
  lock: 'The room is locked already.',
  unlock: 'The room is not locked.',
  unmute: 'They are not muted.',
  unban: 'Nobody of that nickname is banned.',
  topic: 'That is the topic already.',
  slow: 'Slow mode is like that already.',
  rename: 'That is your nickname already.',
};

function refusalText(kind: ActKind, outcome: Exclude<ActOutcome, 'done'>): string {
  return (outcome === 'no-change' ? ALREADY[kind] : undefined) ?? SENTENCES[outcome];
}

export function actAnswered({ kind, outcome }: ActAnswer): SessionEvent {
  if (outcome !== 'done')
    return { kind: 'notice', level: 'warning', code: 'act-refused', text: refusalText(kind, outcome) };
  const text = kind === 'unban' ? 'The ban is lifted.' : 'They stay muted, from now on for that long.';
  return { kind: 'notice', level: 'info', code: 'act-done', text };
}

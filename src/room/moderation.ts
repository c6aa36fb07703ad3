/**
 * Changes to members and to how the room is: the owner's own, and those that members ask for by a signed act. Who may do
 * what is decided here once; every member checks it again in what the owner then signs.
 * @see docs/protocol.md#acts
 */
import { checkAct, readAct, targetRole } from '../crypto/acts.ts';
import { type Roster, type RosterMember, sameSettings } from '../crypto/roster.ts';
import { type Act, isSaid, mayAct } from '../protocol/acts.ts';
import type { Signed } from '../protocol/codec.ts';
import { ProtocolError, SecurityError, unreachable } from '../protocol/errors.ts';
import { type IdKey, idKey, type RoomId } from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import type { ActOutcome } from '../protocol/reasons.ts';
import { settingsProblem } from '../protocol/room-settings.ts';
import type { RoomSettings } from '../protocol/signed-objects.ts';
import type { RoomEffect } from './effects.ts';
import type { Cause, EntryPart } from './operation-batch.ts';
import type { Owner } from './owner.ts';
import type { Resident } from './resident.ts';

export interface ModerationContext {
  readonly roomId: RoomId;
  readonly roster: Roster;
  readonly owner: Owner;
  readonly limits: Limits;
  /** Why this member may not be called so. */
  readonly nickRefusal: (
    nick: string,
    member: RosterMember,
    moment: Moment,
  ) => 'nick-taken' | 'nick-refused' | null;
  readonly kick: (member: IdKey, cause: Cause, moment: Moment) => RoomEffect[];
  /** `forMs` of `null`: until it is taken back. */
  readonly ban: (member: IdKey, forMs: number | null, cause: Cause, moment: Moment) => RoomEffect[];
  /** @returns false when nobody of that nickname is banned. */
  readonly unban: (nick: string) => boolean;
}

/** An outcome of `null`: taken, and the operation in the log is the answer. */
interface Acted {
  readonly outcome: ActOutcome | null;
  readonly effects: readonly RoomEffect[];
}

const TAKEN: Acted = { outcome: null, effects: [] };

function refused(outcome: ActOutcome): Acted {
  return { outcome, effects: [] };
}

export class Moderation {
  readonly #context: ModerationContext;
  readonly #mutedUntilMs: Map<IdKey, number>;
  #hasChanged = false;

  /** @param mutedUntilMs from before the room was opened again */
  constructor(context: ModerationContext, mutedUntilMs: readonly (readonly [IdKey, number])[] = []) {
    this.#context = context;
    this.#mutedUntilMs = new Map(mutedUntilMs);
  }

  get hasChanged(): boolean {
    return this.#hasChanged;
  }

  /** How long each timed mute lasts, where that is not as it was when this was last asked. */
  takeChanged(): readonly (readonly [IdKey, number])[] | null {
    if (!this.#hasChanged) return null;
    this.#hasChanged = false;
    return [...this.#mutedUntilMs];
  }

  /**
   * A member asks for something.
   * @throws ProtocolError for what no honest client sends: the connection closes.
   */
  act(signed: Signed, actor: Resident, moment: Moment): Acted {
    const { limits, owner, roster } = this.#context;
    const perMinute = limits.actsPerMemberPerMinute;
    const rate = { perSecond: perMinute / 60, burst: perMinute };
    if (actor.acts.take(1, rate, moment.nowMs) > 0) return refused('too-fast');
    const read = readAct(signed);
    this.#check(signed, actor);
    const more = read.act.kind === 'rename' ? limits.actsPerRename - 1 : 0;
    if (more > 0 && actor.acts.take(more, rate, moment.nowMs) > 0) return refused('too-fast');
    if (owner.causesWaiting.length >= limits.actsWaiting) return refused('too-fast');
    const verdict = roster.actVerdict(read);
    if (verdict === 'forked')
      throw new ProtocolError('bad-epoch', 'an act for an epoch this room does not have');
    if (verdict === 'stale') return refused('stale');
    const isKnown = verdict === 'used' || owner.causesWaiting.some(({ name }) => name === read.name);
    // Said before in the very same words, and meanwhile perhaps no longer so.
    if (isKnown) return refused('stale');
    const { act } = read;
    const target = roster.member(idKey(act.target));
    const role = targetRole(act, target);
    if (role !== null && (target === undefined || owner.isRemoving(target.key))) {
      // Who may not do it to anyone is not told who is here.
      return refused(mayAct(actor.member.role, act.kind, 'member') ? 'no-such-member' : 'not-allowed');
    }
    if (!mayAct(actor.member.role, act.kind, role)) return refused('not-allowed');
    if (isSaid(act.kind) && owner.entryAhead(actor.member).muted) return refused('not-allowed');
    return this.#carryOut({ ...read, signed: copyOf(signed) }, actor, target, moment);
  }

  /** @param forMs `null`: until it is taken back */
  mute(member: IdKey, forMs: number | null, nowMs: number, cause: Cause | null = null): void {
    this.#setEnd(member, forMs, nowMs);
    this.#change(member, { muted: true }, cause);
  }

  #setEnd(member: IdKey, forMs: number | null, nowMs: number): void {
    if (forMs === null) return this.#forget(member);
    this.#mutedUntilMs.set(member, nowMs + forMs);
    this.#hasChanged = true;
  }

  #forget(member: IdKey): void {
    if (this.#mutedUntilMs.delete(member)) this.#hasChanged = true;
  }

  unmute(member: IdKey, cause: Cause | null = null): void {
    // An act may come to nothing yet: then the end that was set still holds.
    if (cause === null) this.#forget(member);
    this.#change(member, { muted: false }, cause);
  }

  setRole(member: IdKey, role: 'member' | 'moderator'): void {
    this.#change(member, { role }, null);
  }

  /** @throws InputError `text-too-long` or `bad-setting` when a text or number is beyond its limit */
  configure(part: Partial<RoomSettings>): void {
    const problem = settingsProblem(part, this.#context.limits);
    if (problem !== null) throw problem;
    this.#context.owner.configure(part);
  }

  /** Time passes: whoever has been silent for as long as was said speaks again. */
  tick(nowMs: number): void {
    for (const [member, untilMs] of this.#mutedUntilMs) if (nowMs >= untilMs) this.unmute(member);
  }

  /** Someone goes on under another key: what silences them does so for as long as was said. */
  succeeded(before: IdKey, after: IdKey): void {
    const untilMs = this.#mutedUntilMs.get(before);
    if (untilMs !== undefined) this.#mutedUntilMs.set(after, untilMs);
  }

  /** Someone is no longer here. */
  gone(member: IdKey): void {
    this.#forget(member);
  }

  /** No act asks for what is so, or about to be. The owner's entry stays as it is but for the nickname. */
  #change(key: IdKey, part: EntryPart, cause: Cause | null): void {
    const { roster, owner } = this.#context;
    const member = roster.member(key);
    if (member === undefined || (member.role === 'owner' && part.nick === undefined)) return;
    const ahead = owner.entryAhead(member);
    const changes = { ...ahead, ...part };
    const isSame =
      changes.nick === ahead.nick && changes.role === ahead.role && changes.muted === ahead.muted;
    // The owner's own word does not rely on what others wait for.
    if (cause === null || !isSame) owner.change(key, part, cause);
  }

  #check(signed: Signed, { member, verifyKey }: Resident): void {
    try {
      checkAct(signed, readAct(signed), member, this.#context.roomId, verifyKey);
    } catch (error) {
      if (error instanceof SecurityError)
        throw new ProtocolError('bad-signature', "an ACT that is not the sender's own");
      throw error;
    }
  }

  #carryOut(cause: Cause, actor: Resident, target: RosterMember | undefined, moment: Moment): Acted {
    const { act } = cause;
    const { owner, roster } = this.#context;
    switch (act.kind) {
      case 'rename':
        return this.#rename(actor.member, cause, moment);
      case 'kick':
      case 'ban':
      case 'mute':
      case 'unmute':
        return target === undefined ? refused('no-such-member') : this.#upon(target, cause, moment);
      case 'unban':
        if (!this.#context.unban(act.text)) return refused('no-change');
        // Nothing in the log shows it: the host is told by whom.
        return { outcome: 'done', effects: [unbanned(act.text, actor.member)] };
      case 'topic':
      case 'slow':
      case 'lock':
      case 'unlock': {
        const part = settingsPart(act, act.kind);
        if (settingsProblem(part, this.#context.limits) !== null)
          throw new ProtocolError('bad-settings', 'a setting that is beyond its limit');
        const ahead = owner.settingsAhead(roster);
        if (sameSettings(ahead, { ...ahead, ...part })) return refused('no-change');
        owner.configure(part, cause);
        return TAKEN;
      }
      default:
        return unreachable(act.kind);
    }
  }

  #upon(target: RosterMember, cause: Cause, moment: Moment): Acted {
    const { act } = cause;
    const { owner, limits } = this.#context;
    const forMs = act.seconds === 0 ? null : Math.min(act.seconds * 1_000, limits.sanctionMsMost);
    switch (act.kind) {
      case 'kick':
        return { outcome: null, effects: this.#context.kick(target.key, cause, moment) };
      case 'ban':
        return { outcome: null, effects: this.#context.ban(target.key, forMs, cause, moment) };
      case 'mute':
        // Another length changes nothing that the log shows; whoever asked first is named for the rest.
        if (owner.entryAhead(target).muted) {
          this.#setEnd(target.key, forMs, moment.nowMs);
          return refused('done');
        }
        this.mute(target.key, forMs, moment.nowMs, cause);
        return TAKEN;
      case 'unmute':
        if (!owner.entryAhead(target).muted) return refused('no-change');
        this.unmute(target.key, cause);
        return TAKEN;
      default:
        return refused('not-allowed');
    }
  }

  #rename(member: RosterMember, cause: Cause, moment: Moment): Acted {
    const { owner } = this.#context;
    const nick = cause.act.text;
    // One at a time: the name asked for is kept free for them until it is signed.
    if (owner.entryAhead(member).nick !== member.nick) return refused('too-fast');
    if (nick === member.nick) return refused('no-change');
    const refusal = this.#context.nickRefusal(nick, member, moment);
    if (refusal !== null) return refused(refusal);
    this.#change(member.key, { nick }, cause);
    return TAKEN;
  }
}

function unbanned(nick: string, by: RosterMember): RoomEffect {
  return { kind: 'notice', notice: { kind: 'unbanned', nick, by } };
}

function settingsPart(act: Act, kind: 'topic' | 'slow' | 'lock' | 'unlock'): Partial<RoomSettings> {
  if (kind === 'topic') return { topic: act.text };
  if (kind === 'slow') return { slowSeconds: act.seconds };
  return { locked: kind === 'lock' };
}

/** The frame it came in may be part of a larger read. */
function copyOf(signed: Signed): Signed {
  return { bytes: signed.bytes.slice(), signature: signed.signature.slice() };
}

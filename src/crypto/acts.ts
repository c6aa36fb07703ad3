/**
 * Acts as signed objects, and whether the acts in a roster operation account for what it changes. Host and members run
 * this same code.
 * @see docs/protocol.md#acts
 */
import { type Act, type ActRequest, actFields, isInForm, mayAct, SignedAct } from '../protocol/acts.ts';
import { bytesEqual } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { SecurityError, unreachable } from '../protocol/errors.ts';
import { type Hash, type IdKey, idKey, NOBODY, type RoomId } from '../protocol/identifiers.ts';
import type { RoomSettings } from '../protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import { sha256 } from './hash.ts';
import { type Attributed, type Changeable, differences, type RosterMember } from './roster-change.ts';
import { importVerifyKey, type SigningKey, type VerifyKey } from './signature.ts';

/** An act whose signature holds, with a name for it: each is used once. */
export interface CheckedAct {
  readonly act: Act;
  readonly name: IdKey;
}

export function signAct(
  key: SigningKey,
  at: { readonly roomId: RoomId; readonly epoch: number; readonly hash: Hash },
  request: ActRequest,
): Signed {
  const bytes = SignedAct.encode({
    version: PROTOCOL_VERSION,
    roomId: at.roomId,
    memberId: key.memberId,
    epoch: at.epoch,
    rosterHash: at.hash,
    ...actFields(request),
    algorithm: key.algorithm,
    identityKey: key.spki,
  });
  return { bytes, signature: key.sign('sc1/moderate', bytes) };
}

/** @returns what the owner is asked for, and by whom: not checked yet. @throws ProtocolError when malformed. */
export function readAct(signed: Signed): CheckedAct {
  return { act: SignedAct.decode(signed.bytes), name: idKey(sha256(signed.bytes)) };
}

/**
 * @param verifyKey the actor's key where it is held already
 * @returns the actor's key
 * @throws SecurityError `forged-act` unless this member signed it for this room, in its one form
 */
export function checkAct(
  signed: Signed,
  { act }: CheckedAct,
  actor: Pick<RosterMember, 'identity' | 'algorithm' | 'memberId' | 'nick'>,
  roomId: RoomId,
  verifyKey: VerifyKey = keyIn(act, actor),
): VerifyKey {
  const fits =
    act.version === PROTOCOL_VERSION &&
    isInForm(act) &&
    act.algorithm === actor.algorithm &&
    bytesEqual(act.roomId, roomId) &&
    bytesEqual(act.memberId, actor.memberId) &&
    bytesEqual(act.identityKey, verifyKey.spki) &&
    bytesEqual(verifyKey.idFingerprint, actor.identity) &&
    verifyKey.verify('sc1/moderate', signed.bytes, signed.signature);
  if (!fits) throw notSigned(actor.nick);
  return verifyKey;
}

/** The key that an act brings along: one that nobody may have is not its actor's. */
function keyIn(act: Act, { algorithm, nick }: Pick<RosterMember, 'algorithm' | 'nick'>): VerifyKey {
  try {
    return importVerifyKey(act.identityKey, algorithm);
  } catch (error) {
    if (error instanceof SecurityError) throw notSigned(nick);
    throw error;
  }
}

function notSigned(nick: string): SecurityError {
  return forged(`${nick} did not sign what the owner did in their name`);
}

/** The target's role, as `mayAct` wants it. */
export function targetRole(act: Act, target: RosterMember | undefined): RosterMember['role'] | null {
  return bytesEqual(act.target, NOBODY) ? null : (target?.role ?? 'owner');
}

/** An act in an operation, its signature checked; actor and target as they were before it. */
export interface PlacedAct extends CheckedAct {
  readonly actor: RosterMember;
  readonly target: RosterMember | undefined;
}

/** An operation's changes before it is known who asked for them. */
export interface Changes {
  readonly changed: readonly { readonly before: RosterMember; readonly after: RosterMember }[];
  readonly removed: readonly Omit<Attributed['removed'][number], 'by'>[];
  readonly settings: { readonly before: RoomSettings; readonly after: RoomSettings } | null;
}

/**
 * Finds for each act the one change that it asked for. An entry, or the settings, that an act accounts for differ in
 * nothing else, so that nobody is named for what they did not ask. A nickname changes by its member's act alone.
 * @throws SecurityError `forged-act`
 */
export function attribute(changes: Changes, acts: readonly PlacedAct[]): Attributed {
  const entries = new Map<IdKey, RosterMember>();
  const removals = new Map<IdKey, RosterMember>();
  let settings: RosterMember | null = null;
  for (const { act, actor, target } of acts) {
    const key = idKey(act.kind === 'rename' ? act.memberId : act.target);
    if (!mayAct(actor.role, act.kind, targetRole(act, target)) || !accountsFor(act, key, changes)) {
      throw forged(`${actor.nick} did not ask for, or may not do, what the owner did in their name`);
    }
    const place = act.kind === 'kick' || act.kind === 'ban' ? removals : entries;
    const isOfRoom = key === NOBODY_KEY;
    if (isOfRoom ? settings !== null : place.has(key)) throw forged('two acts account for one change');
    if (isOfRoom) settings = actor;
    else place.set(key, actor);
  }
  for (const { before, after } of changes.changed) {
    if (before.nick !== after.nick && !entries.has(after.key))
      throw forged(`${before.nick} did not ask for another nickname`);
  }
  return {
    changed: changes.changed.map((each) => ({ ...each, by: entries.get(each.after.key) ?? null })),
    removed: changes.removed.map((each) => ({ ...each, by: removals.get(each.member.key) ?? null })),
    settings: changes.settings && { ...changes.settings, by: settings },
  };
}

const NOBODY_KEY = idKey(NOBODY);

function accountsFor(act: Act, key: IdKey, { changed, removed, settings }: Changes): boolean {
  const entry = changed.find(({ after }) => after.key === key);
  switch (act.kind) {
    case 'rename':
      return entry !== undefined && onlyDiffers(entry, 'nick') && entry.after.nick === act.text;
    case 'mute':
    case 'unmute':
      return (
        entry !== undefined && onlyDiffers(entry, 'muted') && entry.after.muted === (act.kind === 'mute')
      );
    case 'kick':
      return removed.some(({ member, reason }) => member.key === key && reason === 'removed');
    case 'ban':
      return removed.some(({ member, reason }) => member.key === key && reason === 'banned');
    case 'topic':
      return settings !== null && onlyDiffers(settings, 'topic') && settings.after.topic === act.text;
    case 'slow':
      return (
        settings !== null &&
        onlyDiffers(settings, 'slowSeconds') &&
        settings.after.slowSeconds === act.seconds
      );
    case 'lock':
    case 'unlock':
      return (
        settings !== null &&
        onlyDiffers(settings, 'locked') &&
        settings.after.locked === (act.kind === 'lock')
      );
    case 'unban':
      // Changes nothing that the log shows.
      return false;
    default:
      return unreachable(act.kind);
  }
}

/** Whether two entries, or two settings, differ in this and nothing else. */
function onlyDiffers(
  { before, after }: { readonly before: Changeable; readonly after: Changeable },
  name: keyof Changeable,
): boolean {
  const [first, ...others] = differences(before, after);
  return first === name && others.length === 0;
}

function forged(text: string): SecurityError {
  return new SecurityError('forged-act', text);
}

/**
 * The roster: a list of members that only the owner's signed operations change. Host and members run this same code,
 * so a list that one of them would refuse, all refuse.
 * @see docs/protocol.md#roster
 */
import { type Bytes, bytesEqual, compareBytes, concatBytes, utf8 } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { ProtocolError, SecurityError } from '../protocol/errors.ts';
import {
  type Hash,
  ID_BYTES,
  type IdKey,
  idKey,
  type MemberId,
  memberId,
  type RoomId,
  ZERO_HASH,
} from '../protocol/identifiers.ts';
import type { Removal } from '../protocol/reasons.ts';
import { PLAIN_ROOM, settingsProblem } from '../protocol/room-settings.ts';
import { RoomSettings, RosterEntry, RosterOperation } from '../protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import { attribute, type Changes, type CheckedAct, checkAct, type PlacedAct, readAct } from './acts.ts';
import { sha256 } from './hash.ts';
import { type RosterChange, type RosterMember, successions } from './roster-change.ts';
import type { VerifyKey } from './signature.ts';

const LIST_LABEL = utf8.encode('sc1/list');
const OPERATION_LABEL = utf8.encode('sc1/operation');

/** Operation hashes kept for judging what a message quotes; an epoch older than these counts as stale. */
const EPOCHS_KEPT = 4_096;

/**
 * An act that quotes an operation from longer ago is stale: 16 s at the most operations a second. Those that were used
 * are remembered for as long.
 */
const ACT_EPOCHS = 64;

export type { RosterChange, RosterMember };

/** The list right after one operation. Never changes once made. */
export interface RosterSnapshot {
  readonly epoch: number;
  /** Sorted by identity. */
  readonly members: readonly RosterMember[];
}

interface RosterChanges {
  readonly puts: readonly RosterEntry[];
  readonly removes: readonly { readonly memberId: MemberId; readonly reason: Removal }[];
}

/** What the owner signs next. */
export interface NextOperation extends RosterChanges {
  readonly atMs: number;
  readonly roomName: string;
  readonly settings: RoomSettings;
  /** Acts of members that led to changes in it. */
  readonly causes: readonly Signed[];
}

/** Operation hashes that outlive the program: more than lie between a message's sealing and its place. */
export const EPOCHS_SAVED = 1_024;

/** A roster as it is kept beyond the life of a program: what judges messages and acts, beside the list. */
export interface SavedRoster {
  readonly operation: Signed;
  readonly entries: readonly RosterEntry[];
  /** Of the latest operations, the present one last. */
  readonly hashes: readonly Hash[];
  readonly lastRemovalEpoch: number;
  readonly adoptedEpoch: number;
  readonly usedActs: readonly { readonly name: IdKey; readonly epoch: number }[];
}

/**
 * How an epoch that a message quotes stands to this roster. `before`: earlier than what this side has seen; someone who
 * joined meanwhile cannot judge it, nor open what was sealed for it.
 */
export type EpochVerdict = 'good' | 'stale' | 'ahead' | 'forked' | 'before';

export function operationHash(bytes: Bytes): Hash {
  return sha256(OPERATION_LABEL, bytes);
}

export function rosterMember(entry: RosterEntry): RosterMember {
  const id = memberId(entry.identity.slice(0, ID_BYTES.member));
  return {
    identity: entry.identity.slice() as Hash,
    nick: entry.nick,
    role: entry.role,
    algorithm: entry.algorithm,
    muted: entry.muted,
    memberId: id,
    key: idKey(id),
    encoded: RosterEntry.encode(entry),
  };
}

/** What an operation proves of the list it leads to. */
export function listHash(members: readonly Pick<RosterMember, 'encoded'>[]): Hash {
  return sha256(LIST_LABEL, concatBytes(...members.map((member) => member.encoded)));
}

interface Changed extends Omit<Changes, 'settings'> {
  readonly list: readonly RosterMember[];
  readonly added: readonly RosterMember[];
}

/** One pass over the list, whatever its length: a rush of joins must not sort thousands of members each time. */
function changedList(
  list: readonly RosterMember[],
  byKey: ReadonlyMap<IdKey, RosterMember>,
  changes: RosterChanges,
): Changed {
  const gone = new Set<IdKey>();
  const removed: Changes['removed'][number][] = [];
  for (const { memberId: id, reason } of changes.removes) {
    const member = byKey.get(idKey(id));
    if (member === undefined || gone.has(member.key)) {
      throw new SecurityError('roster-list', 'the roster removes someone it does not list');
    }
    gone.add(member.key);
    removed.push({ member, reason });
  }
  const puts = changes.puts
    .map(rosterMember)
    .sort((left, right) => compareBytes(left.identity, right.identity));
  const added: RosterMember[] = [];
  const changed: Changes['changed'][number][] = [];
  const put = new Set<IdKey>();
  for (const after of puts) {
    const before = byKey.get(after.key);
    if (put.has(after.key) || gone.has(after.key) || (before !== undefined && !mayFollow(before, after))) {
      throw new SecurityError('roster-list', 'two entries for one member id, or one that nobody may have');
    }
    put.add(after.key);
    if (before === undefined) added.push(after);
    else changed.push({ before, after });
  }
  if (!areSuccessions(removed, added)) {
    throw new SecurityError('roster-list', 'a key is replaced, and not by one that takes its very place');
  }
  const merged: RosterMember[] = [];
  let next = 0;
  for (const member of list) {
    for (let candidate = puts[next]; candidate !== undefined; candidate = puts[next]) {
      if (compareBytes(candidate.identity, member.identity) > 0) break;
      merged.push(candidate);
      next += 1;
    }
    if (!gone.has(member.key) && !put.has(member.key)) merged.push(member);
  }
  merged.push(...puts.slice(next));
  return { list: merged, added, changed, removed };
}

/** An entry never becomes another key's, nor the owner's, and the owner's stays one and is never silenced. */
function mayFollow(before: RosterMember, after: RosterMember): boolean {
  return (
    bytesEqual(before.identity, after.identity) &&
    before.algorithm === after.algorithm &&
    (before.role === 'owner') === (after.role === 'owner') &&
    !(after.role === 'owner' && after.muted)
  );
}

/** Whoever goes on under another key has exactly one new entry, the same but for the key. The owner has but one key. */
function areSuccessions(
  removed: readonly Changes['removed'][number][],
  added: readonly RosterMember[],
): boolean {
  const replaced = removed.filter(({ reason }) => reason === 'replaced');
  const found = successions({ added, removed });
  return (
    found.length === replaced.length &&
    new Set(found.map(({ after }) => after.key)).size === found.length &&
    found.every(({ before }) => before.role !== 'owner')
  );
}

export function sameSettings(left: RoomSettings, right: RoomSettings): boolean {
  return bytesEqual(RoomSettings.encode(left), RoomSettings.encode(right));
}

export class Roster {
  readonly roomId: RoomId;
  #epoch = 0;
  #operation: Signed | null = null;
  #hash: Hash = ZERO_HASH;
  #roomName = '';
  #settings: RoomSettings = PLAIN_ROOM;
  #lastRemovalEpoch = 0;
  #adoptedEpoch = 0;
  #list: readonly RosterMember[] = [];
  #byKey = new Map<IdKey, RosterMember>();
  readonly #hashes = new Map<number, Hash>();
  /** Acts of late, and the epoch that each quoted. */
  readonly #usedActs = new Map<IdKey, number>();
  /** Keys of members here who have acted: to read a DSA key takes longer than to check five signatures. */
  readonly #actorKeys = new Map<IdKey, VerifyKey>();

  constructor(roomId: RoomId) {
    this.roomId = roomId;
  }

  /**
   * Goes on where another program has stopped.
   * @throws SecurityError as `adopt`
   */
  static restore(roomId: RoomId, owner: VerifyKey, saved: SavedRoster): Roster {
    const roster = new Roster(roomId);
    roster.adopt(saved.operation, owner, saved.entries);
    const first = roster.#epoch - saved.hashes.length + 1;
    for (const [place, known] of saved.hashes.entries()) roster.#hashes.set(first + place, known);
    roster.#lastRemovalEpoch = saved.lastRemovalEpoch;
    roster.#adoptedEpoch = Math.max(saved.adoptedEpoch, Math.min(first, roster.#epoch));
    for (const { name, epoch } of saved.usedActs) roster.#usedActs.set(name, epoch);
    return roster;
  }

  /** @returns `null` before the first operation */
  save(): SavedRoster | null {
    if (this.#operation === null) return null;
    const hashes: Hash[] = [];
    for (let epoch = this.#epoch; hashes.length < EPOCHS_SAVED; epoch -= 1) {
      const known = this.#hashes.get(epoch);
      if (known === undefined) break;
      hashes.unshift(known);
    }
    return {
      operation: this.#operation,
      entries: this.#list,
      hashes,
      lastRemovalEpoch: this.#lastRemovalEpoch,
      adoptedEpoch: this.#adoptedEpoch,
      usedActs: this.usedActs,
    };
  }

  /** Acts of late, by their names. */
  get usedActs(): SavedRoster['usedActs'] {
    return [...this.#usedActs].map(([name, epoch]) => ({ name, epoch }));
  }

  get epoch(): number {
    return this.#epoch;
  }
  /** The latest one; `null` before the first. */
  get operation(): Signed | null {
    return this.#operation;
  }
  /** The hash of the latest operation, which messages quote beside the epoch. */
  get hash(): Hash {
    return this.#hash;
  }
  get roomName(): string {
    return this.#roomName;
  }
  get settings(): RoomSettings {
    return this.#settings;
  }
  /** The epoch of the latest operation that removed someone: chains begun before it are spent. */
  get lastRemovalEpoch(): number {
    return this.#lastRemovalEpoch;
  }
  get size(): number {
    return this.#list.length;
  }
  /** Sorted by identity. */
  get members(): readonly RosterMember[] {
    return this.#list;
  }

  member(key: IdKey): RosterMember | undefined {
    return this.#byKey.get(key);
  }

  snapshot(): RosterSnapshot {
    return { epoch: this.#epoch, members: this.#list };
  }

  /** The bytes of the next operation, for the owner to sign. */
  prepare(next: NextOperation): Bytes {
    return RosterOperation.encode({
      version: PROTOCOL_VERSION,
      roomId: this.roomId,
      epoch: this.#epoch + 1,
      previous: this.#hash,
      listHash: listHash(changedList(this.#list, this.#byKey, next).list),
      atMs: next.atMs,
      roomName: next.roomName,
      settings: next.settings,
      removes: [...next.removes],
      puts: [...next.puts],
      causes: [...next.causes],
    });
  }

  /**
   * Takes in the operation that follows the current one.
   * @throws SecurityError `roster-signature`, `roster-order`, `roster-list` or `forged-act`; the roster is then unchanged.
   */
  apply(signed: Signed, owner: VerifyKey): RosterChange {
    const operation = this.#checked(signed, owner);
    if (operation.epoch !== this.#epoch + 1 || !bytesEqual(operation.previous, this.#hash)) {
      throw new SecurityError(
        'roster-order',
        `roster operation ${operation.epoch} does not follow ${this.#epoch}`,
      );
    }
    const { list, added, changed, removed } = changedList(this.#list, this.#byKey, operation);
    const [before, after] = [this.#settings, { ...operation.settings }];
    const settings = sameSettings(before, after) ? null : { before, after };
    const acts = this.#causes(operation.causes);
    const attributed = attribute({ changed, removed, settings }, acts);
    this.#take(signed, operation, list);
    for (const { act, name } of acts) this.#usedActs.set(name, act.epoch);
    for (const [name, epoch] of this.#usedActs)
      if (operation.epoch - epoch > ACT_EPOCHS) this.#usedActs.delete(name);
    for (const { member } of removed) this.#actorKeys.delete(member.key);
    if (removed.length > 0) this.#lastRemovalEpoch = operation.epoch;
    return { epoch: operation.epoch, atMs: operation.atMs, added, ...attributed };
  }

  /**
   * Starts from a list that was pulled in pages and the operation that proves it.
   * @throws SecurityError as `apply`.
   */
  adopt(signed: Signed, owner: VerifyKey, entries: readonly RosterEntry[]): void {
    const operation = this.#checked(signed, owner);
    if (operation.epoch <= this.#epoch) {
      throw new SecurityError(
        'roster-order',
        `roster epoch ${operation.epoch} is not newer than ${this.#epoch}`,
      );
    }
    this.#hashes.clear();
    this.#take(signed, operation, entries.map(rosterMember));
    this.#adoptedEpoch = operation.epoch;
  }

  /** Judges the epoch and operation hash that a message quotes. */
  verdict(epoch: number, quoted: Hash): EpochVerdict {
    if (epoch > this.#epoch) return 'ahead';
    if (epoch < this.#adoptedEpoch) return 'before';
    const known = this.#hashes.get(epoch);
    if (known !== undefined && !bytesEqual(known, quoted)) return 'forked';
    return known === undefined || epoch < this.#lastRemovalEpoch ? 'stale' : 'good';
  }

  /**
   * Whether the next operation may have this act as a cause, by when it was signed. An epoch from before this side came
   * in is taken as it is: its hash is not known here.
   */
  actVerdict({ act, name }: CheckedAct): 'good' | 'stale' | 'used' | 'forked' {
    if (this.#usedActs.has(name)) return 'used';
    if (this.#epoch - act.epoch >= ACT_EPOCHS) return 'stale';
    const known = this.#hashes.get(act.epoch);
    if (known === undefined) return act.epoch < this.#adoptedEpoch ? 'good' : 'forked';
    return bytesEqual(known, act.rosterHash) ? 'good' : 'forked';
  }

  /** @throws SecurityError `forged-act` unless each is a fresh one of someone on the list, signed by them. */
  #causes(causes: readonly Signed[]): readonly PlacedAct[] {
    const names = new Set<IdKey>();
    return causes.map((signed) => {
      const read = readAct(signed);
      const actor = this.#byKey.get(idKey(read.act.memberId));
      if (actor === undefined || names.has(read.name) || this.actVerdict(read) !== 'good') {
        throw new SecurityError('forged-act', 'an act that was used before, is old or of nobody here');
      }
      names.add(read.name);
      const key = checkAct(signed, read, actor, this.roomId, this.#actorKeys.get(actor.key));
      this.#actorKeys.set(actor.key, key);
      return { ...read, actor, target: this.#byKey.get(idKey(read.act.target)) };
    });
  }

  #checked(signed: Signed, owner: VerifyKey): RosterOperation {
    if (!owner.verify('sc1/roster', signed.bytes, signed.signature)) {
      throw new SecurityError(
        'roster-signature',
        'a roster operation is not signed by the owner of this room',
      );
    }
    const operation = RosterOperation.decode(signed.bytes);
    if (operation.version !== PROTOCOL_VERSION) {
      throw new ProtocolError('version', `roster operation of version ${operation.version}`);
    }
    if (!bytesEqual(operation.roomId, this.roomId)) {
      throw new SecurityError('roster-order', 'a roster operation of another room');
    }
    checkSettings(operation.settings);
    return operation;
  }

  #take(signed: Signed, operation: RosterOperation, list: readonly RosterMember[]): void {
    if (!bytesEqual(listHash(list), operation.listHash)) {
      throw new SecurityError('roster-list', 'the member list is not the one the owner signed');
    }
    this.#list = list;
    this.#byKey = new Map(list.map((member) => [member.key, member]));
    this.#epoch = operation.epoch;
    this.#operation = { bytes: signed.bytes.slice(), signature: signed.signature.slice() };
    this.#hash = operationHash(signed.bytes);
    this.#roomName = operation.roomName;
    this.#settings = { ...operation.settings };
    this.#hashes.set(operation.epoch, this.#hash);
    this.#hashes.delete(operation.epoch - EPOCHS_KEPT);
  }
}

/** @throws SecurityError `roster-list` when a text or number is beyond what an honest owner signs. */
function checkSettings(settings: RoomSettings): void {
  if (settingsProblem(settings) !== null)
    throw new SecurityError('roster-list', 'settings of the room that are beyond their limits');
}

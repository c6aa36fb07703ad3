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
import { RosterEntry, RosterOperation } from '../protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import { sha256 } from './hash.ts';
import type { VerifyKey } from './signature.ts';

const LIST_LABEL = utf8.encode('sc1/list');
const OPERATION_LABEL = utf8.encode('sc1/operation');

/** Operation hashes kept for judging what a message quotes; an epoch older than these counts as stale. */
const EPOCHS_KEPT = 4_096;

export interface RosterMember extends RosterEntry {
  readonly memberId: MemberId;
  readonly key: IdKey;
  /** The entry as the list hash covers it. */
  readonly encoded: Bytes;
}

/** What one operation did, for showing: no setting hides it. */
export interface RosterChange {
  readonly epoch: number;
  readonly atMs: number;
  readonly added: readonly RosterMember[];
  readonly changed: readonly { readonly before: RosterMember; readonly after: RosterMember }[];
  readonly removed: readonly { readonly member: RosterMember; readonly reason: Removal }[];
}

/** The list right after one operation. Never changes once made. */
export interface RosterSnapshot {
  readonly epoch: number;
  /** Sorted by identity. */
  readonly members: readonly RosterMember[];
}

export interface RosterChanges {
  readonly puts: readonly RosterEntry[];
  readonly removes: readonly { readonly memberId: MemberId; readonly reason: Removal }[];
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
    memberId: id,
    key: idKey(id),
    encoded: RosterEntry.encode(entry),
  };
}

function listHash(members: readonly RosterMember[]): Hash {
  return sha256(LIST_LABEL, concatBytes(...members.map((member) => member.encoded)));
}

interface Changed {
  readonly list: readonly RosterMember[];
  readonly change: Omit<RosterChange, 'epoch' | 'atMs'>;
}

/** One pass over the list, whatever its length: a rush of joins must not sort thousands of members each time. */
function changedList(
  list: readonly RosterMember[],
  byKey: ReadonlyMap<IdKey, RosterMember>,
  changes: RosterChanges,
): Changed {
  const gone = new Set<IdKey>();
  const removed: RosterChange['removed'][number][] = [];
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
  const changed: RosterChange['changed'][number][] = [];
  const put = new Set<IdKey>();
  for (const after of puts) {
    const before = gone.has(after.key) ? undefined : byKey.get(after.key);
    if (put.has(after.key) || (before !== undefined && !bytesEqual(before.identity, after.identity))) {
      throw new SecurityError('roster-list', 'two members with one member id');
    }
    put.add(after.key);
    if (before === undefined) added.push(after);
    else changed.push({ before, after });
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
  return { list: merged, change: { added, changed, removed } };
}

export class Roster {
  readonly roomId: RoomId;
  #epoch = 0;
  #hash: Hash = ZERO_HASH;
  #roomName = '';
  #lastRemovalEpoch = 0;
  #adoptedEpoch = 0;
  #list: readonly RosterMember[] = [];
  #byKey = new Map<IdKey, RosterMember>();
  readonly #hashes = new Map<number, Hash>();

  constructor(roomId: RoomId) {
    this.roomId = roomId;
  }

  get epoch(): number {
    return this.#epoch;
  }
  /** The hash of the latest operation, which messages quote beside the epoch. */
  get hash(): Hash {
    return this.#hash;
  }
  get roomName(): string {
    return this.#roomName;
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
  prepare(changes: RosterChanges & { readonly atMs: number; readonly roomName: string }): Bytes {
    return RosterOperation.encode({
      version: PROTOCOL_VERSION,
      roomId: this.roomId,
      epoch: this.#epoch + 1,
      previous: this.#hash,
      listHash: listHash(changedList(this.#list, this.#byKey, changes).list),
      atMs: changes.atMs,
      roomName: changes.roomName,
      removes: [...changes.removes],
      puts: [...changes.puts],
    });
  }

  /**
   * Takes in the operation that follows the current one.
   * @throws SecurityError `roster-signature`, `roster-order` or `roster-list`; the roster is then unchanged.
   */
  apply(signed: Signed, owner: VerifyKey): RosterChange {
    const operation = this.#checked(signed, owner);
    if (operation.epoch !== this.#epoch + 1 || !bytesEqual(operation.previous, this.#hash)) {
      throw new SecurityError(
        'roster-order',
        `roster operation ${operation.epoch} does not follow ${this.#epoch}`,
      );
    }
    const { list, change } = changedList(this.#list, this.#byKey, operation);
    this.#take(signed, operation, list);
    if (change.removed.length > 0) this.#lastRemovalEpoch = operation.epoch;
    return { epoch: operation.epoch, atMs: operation.atMs, ...change };
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
    return operation;
  }

  #take(signed: Signed, operation: RosterOperation, list: readonly RosterMember[]): void {
    if (!bytesEqual(listHash(list), operation.listHash)) {
      throw new SecurityError('roster-list', 'the member list is not the one the owner signed');
    }
    this.#list = list;
    this.#byKey = new Map(list.map((member) => [member.key, member]));
    this.#epoch = operation.epoch;
    this.#hash = operationHash(signed.bytes);
    this.#roomName = operation.roomName;
    this.#hashes.set(operation.epoch, this.#hash);
    this.#hashes.delete(operation.epoch - EPOCHS_KEPT);
  }
}

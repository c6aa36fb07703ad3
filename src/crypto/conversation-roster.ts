/**
 * Who is in a conversation beside the room: a list that its members' own signed operations change, and that the room's
 * removals shorten. Host and members run this same code, so an operation that one of them would refuse, all refuse.
 *
 * The conversation of two has no operations: its list follows from its id.
 * @see docs/protocol.md#conversations
 */
import { type Bytes, bytesEqual, utf8 } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { SecurityError } from '../protocol/errors.ts';
import {
  type ConversationId,
  conversationId,
  type Hash,
  ID_BYTES,
  type IdKey,
  idKey,
  type MemberId,
  memberId,
  type RoomId,
  ZERO_HASH,
} from '../protocol/identifiers.ts';
import { ConversationOperation, type Role, RosterOperation, SEATS_MOST } from '../protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import { sha256 } from './hash.ts';
import { type EpochVerdict, operationHash } from './roster.ts';
import { importVerifyKey, type SigningKey, type VerifyKey } from './signature.ts';

const OPERATION_LABEL = utf8.encode('sc1/conv-operation');
const ABOUT_LABEL = utf8.encode('sc1/about');
const DIRECT_LABEL = utf8.encode('sc1/dm');
/** Set in the first byte of every conversation's id but those of two: nobody takes the place of one of those. */
const MADE_BIT = 0x80;
/** Operation hashes kept for judging what a message quotes. */
export const CONVERSATION_EPOCHS_KEPT = 1_024;
/** Operations after the latest whole one: past it only its creator changes who is in it, by the next whole one. */
const CHANGES_MOST = 256;

/** The latest whole one, so many changes, and whoever leaves after them. */
export const OPERATIONS_MOST = 1 + CHANGES_MOST + SEATS_MOST;

/** A place in a conversation; its `owner` made it, or has it from whoever did. */
export interface Seat {
  readonly memberId: MemberId;
  readonly key: IdKey;
  readonly role: Role;
}

export interface ConversationChange {
  readonly epoch: number;
  /** `null`: a removal from the room. */
  readonly by: MemberId | null;
  readonly added: readonly Seat[];
  readonly changed: readonly Seat[];
  readonly removed: readonly Seat[];
  /** Name or topic are others from here on. */
  readonly isRenamed: boolean;
}

/** What someone asks for: an operation says what is different. */
export interface ConversationRequest {
  readonly puts: readonly Pick<Seat, 'memberId' | 'role'>[];
  readonly removes: readonly MemberId[];
  /** `null`: as it is. */
  readonly about: Hash | null;
}

/** An operation, as entries of the log are. */
export interface PlacedChange {
  readonly kind: 'roster' | 'conversation';
  readonly operation: Signed;
}

/** A list as it is kept beyond the life of a program. */
export interface SavedSeats {
  /** The latest whole one and all after it; of the conversation of two, the latest removal. */
  readonly operations: readonly PlacedChange[];
  readonly epoch: number;
  /** Of the latest epochs, the present one last. */
  readonly hashes: readonly Hash[];
  readonly lastRemovalEpoch: number;
  readonly adoptedEpoch: number;
}

/** The same for both, and for everyone who knows both of them. */
export function directConversation(roomId: RoomId, one: MemberId, other: MemberId): ConversationId {
  const [smaller, larger] = idKey(one) < idKey(other) ? [one, other] : [other, one];
  const id = sha256(DIRECT_LABEL, roomId, smaller, larger).slice(0, ID_BYTES.conversation);
  id[0] = (id[0] ?? 0) & ~MADE_BIT;
  return conversationId(id);
}

/** @param random 16 bytes */
export function newConversationId(random: Bytes): ConversationId {
  const id = random.slice();
  id[0] = (id[0] ?? 0) | MADE_BIT;
  return conversationId(id);
}

export function isMadeConversation(id: ConversationId): boolean {
  return ((id[0] ?? 0) & MADE_BIT) !== 0;
}

/** What an operation commits to of name and topic. @param salt 16 random bytes */
export function aboutCommitment(conversation: ConversationId, salt: Bytes, text: string): Hash {
  return sha256(ABOUT_LABEL, conversation, salt, utf8.encode(text));
}

export class ConversationRoster {
  readonly roomId: RoomId;
  readonly id: ConversationId;
  /** Of the conversation of two: both. */
  readonly direct: readonly [MemberId, MemberId] | null;
  #epoch = 0;
  #hash: Hash = ZERO_HASH;
  #about: Hash = ZERO_HASH;
  #seats = new Map<IdKey, Seat>();
  #operations: PlacedChange[] = [];
  #lastRemovalEpoch = 0;
  #adoptedEpoch = 0;
  #newsEpoch = 0;
  #newsBy: IdKey | null = null;
  readonly #hashes = new Map<number, Hash>();

  private constructor(roomId: RoomId, id: ConversationId, direct: readonly [MemberId, MemberId] | null) {
    this.roomId = roomId;
    this.id = id;
    this.direct = direct;
    this.#hashes.set(0, ZERO_HASH);
    for (const each of direct ?? []) this.#seat(each, 'member');
  }

  static direct(roomId: RoomId, one: MemberId, other: MemberId): ConversationRoster {
    return new ConversationRoster(roomId, directConversation(roomId, one, other), [one, other]);
  }

  /** Nobody is in it before its first operation. @param id as `newConversationId` makes it */
  static made(roomId: RoomId, id: ConversationId): ConversationRoster {
    return new ConversationRoster(roomId, id, null);
  }

  get epoch(): number {
    return this.#epoch;
  }
  get hash(): Hash {
    return this.#hash;
  }
  /** Commits to name and topic; zeros for the conversation of two. */
  get about(): Hash {
    return this.#about;
  }
  get lastRemovalEpoch(): number {
    return this.#lastRemovalEpoch;
  }
  /** Since then there is someone who has not been told what it is about, as far as that can be known; 0: nobody. */
  get newsEpoch(): number {
    return this.#newsEpoch;
  }
  /** Who owes them that. */
  get newsBy(): IdKey | null {
    return this.#newsBy;
  }
  get seats(): ReadonlyMap<IdKey, Seat> {
    return this.#seats;
  }
  get operations(): readonly PlacedChange[] {
    return this.#operations;
  }
  /** `null` once they are gone: then nobody has the whole of it in hand. */
  get owner(): Seat | null {
    for (const seat of this.#seats.values()) if (seat.role === 'owner') return seat;
    return null;
  }

  /** Judges the epoch and hash that a message quotes. */
  verdict(epoch: number, quoted: Hash): EpochVerdict {
    if (epoch > this.#epoch) return 'ahead';
    if (epoch < this.#adoptedEpoch) return 'before';
    const known = this.#hashes.get(epoch);
    if (known !== undefined && !bytesEqual(known, quoted)) return 'forked';
    return known === undefined || epoch < this.#lastRemovalEpoch ? 'stale' : 'good';
  }

  /** The next operation, as this member would sign it. Whether they may is `apply`'s to say. */
  sign(key: SigningKey, request: ConversationRequest): Signed {
    const { puts, removes, about } = request;
    const isWhole = this.#epoch === 0 || this.#seats.get(idKey(key.memberId))?.role === 'owner';
    const isLeaving = removes.length === 1 && removes.some((each) => bytesEqual(each, key.memberId));
    // Who takes it over cannot be shown by a list that somebody else has signed: whoever comes later reads both.
    const isHandedOver = puts.some(
      ({ memberId: id, role }) => role === 'owner' && !bytesEqual(id, key.memberId),
    );
    const whole = isWhole && !isLeaving && !isHandedOver;
    const bytes = ConversationOperation.encode({
      version: PROTOCOL_VERSION,
      roomId: this.roomId,
      conversation: this.id,
      epoch: this.#epoch + 1,
      previous: this.#hash,
      whole,
      about: about ?? this.#about,
      puts: whole ? this.#after(puts, removes) : [...puts],
      removes: whole ? [] : [...removes],
      memberId: key.memberId,
      algorithm: key.algorithm,
      identityKey: key.spki,
    });
    return { bytes, signature: key.sign('sc1/conv', bytes) };
  }

  #after(
    puts: ConversationRequest['puts'],
    removes: readonly MemberId[],
  ): { memberId: MemberId; role: Role }[] {
    const after = new Map<IdKey, { memberId: MemberId; role: Role }>();
    for (const [key, { memberId: id, role }] of this.#seats) after.set(key, { memberId: id, role });
    for (const each of puts) after.set(idKey(each.memberId), { ...each });
    for (const each of removes) after.delete(idKey(each));
    return [...after.values()];
  }

  /**
   * Takes in the operation that follows the current one.
   * @param signer the key of whoever signed it, where it is held already
   * @throws SecurityError `conversation-forged`, `conversation-order` or `conversation-refused`; nothing is changed then
   */
  apply(signed: Signed, signer?: VerifyKey): ConversationChange {
    const operation = this.#checked(signed, signer);
    if (operation.epoch !== this.#epoch + 1 || !bytesEqual(operation.previous, this.#hash))
      throw new SecurityError('conversation-order', 'an operation that does not follow the one before');
    const puts = operation.puts.map(seatOf);
    const after = operation.whole ? new Map<IdKey, Seat>() : new Map(this.#seats);
    for (const seat of puts) after.set(seat.key, seat);
    for (const each of operation.removes) after.delete(idKey(each));
    this.#checkAllowed(operation, after);
    const change = this.#difference(operation, after);
    this.#take(signed, operation, after);
    if (change.added.length > 0 || change.isRenamed) this.#isNews(operation.memberId);
    if (change.removed.length > 0) this.#lastRemovalEpoch = this.#epoch;
    return change;
  }

  /**
   * The room has lost someone.
   * @param signed the room's operation, its signature checked
   * @returns `null` where nobody of them is in here
   */
  roomChanged(signed: Signed): ConversationChange | null {
    const { removes } = RosterOperation.decode(signed.bytes);
    const removed = removes.flatMap(({ memberId: id }) => this.#seats.get(idKey(id)) ?? []);
    if (removed.length === 0) return null;
    // In the conversation of two both have their place, in the room or not.
    if (this.direct === null) for (const { key } of removed) this.#seats.delete(key);
    this.#advance(this.#epoch + 1, operationHash(signed.bytes));
    this.#lastRemovalEpoch = this.#epoch;
    this.#keep({ kind: 'roster', operation: signed });
    return { epoch: this.#epoch, by: null, added: [], changed: [], removed, isRenamed: false };
  }

  /**
   * Starts from what someone who comes in is told.
   * @param checkRoom throws where an operation of the room is not its owner's
   * @throws SecurityError as `apply`
   */
  adopt(operations: readonly PlacedChange[], epoch: number, checkRoom: (signed: Signed) => void): void {
    const [first, ...others] = operations;
    if (first?.kind === 'roster') checkRoom(first.operation);
    if (this.direct !== null) {
      if (others.length > 0 || (first === undefined) !== (epoch === 0) || first?.kind === 'conversation')
        throw new SecurityError('conversation-order', 'the conversation of two has no operations');
      this.#hashes.clear();
      this.#advance(epoch, first === undefined ? ZERO_HASH : operationHash(first.operation.bytes));
      this.#lastRemovalEpoch = epoch;
      if (first !== undefined) this.#keep(first);
    } else {
      this.#adoptWhole(first);
      for (const { kind, operation } of others) {
        if (kind === 'conversation') this.apply(operation);
        else {
          checkRoom(operation);
          this.roomChanged(operation);
        }
      }
      if (this.#epoch !== epoch)
        throw new SecurityError('conversation-order', 'the list of a conversation is not whole');
    }
    this.#adoptedEpoch = this.#epoch;
  }

  #adoptWhole(first: PlacedChange | undefined): void {
    if (first?.kind !== 'conversation')
      throw new SecurityError('conversation-order', 'the list of a conversation has no beginning');
    const operation = this.#checked(first.operation);
    const after = new Map(operation.puts.map(seatOf).map((seat) => [seat.key, seat] as const));
    if (!operation.whole || after.get(idKey(operation.memberId))?.role !== 'owner')
      throw refused('a list of a conversation that is not its owner’s');
    checkSeats(operation, after);
    this.#hashes.clear();
    this.#take(first.operation, operation, after);
    this.#isNews(operation.memberId);
  }

  save(): SavedSeats {
    const hashes: Hash[] = [];
    for (let epoch = this.#epoch; hashes.length < CONVERSATION_EPOCHS_KEPT; epoch -= 1) {
      const known = this.#hashes.get(epoch);
      if (known === undefined) break;
      hashes.unshift(known);
    }
    return {
      operations: this.#operations,
      epoch: this.#epoch,
      hashes,
      lastRemovalEpoch: this.#lastRemovalEpoch,
      adoptedEpoch: this.#adoptedEpoch,
    };
  }

  /** Goes on where another program has stopped. @throws SecurityError as `apply` */
  restore(saved: SavedSeats): void {
    this.adopt(saved.operations, saved.epoch, () => {});
    saved.hashes.forEach((known, place) => {
      this.#hashes.set(saved.epoch - saved.hashes.length + 1 + place, known);
    });
    this.#lastRemovalEpoch = saved.lastRemovalEpoch;
    this.#adoptedEpoch = saved.adoptedEpoch;
  }

  #checked(signed: Signed, signer?: VerifyKey): ConversationOperation {
    const operation = ConversationOperation.decode(signed.bytes);
    const key = signer ?? importVerifyKey(operation.identityKey, operation.algorithm);
    const holds =
      operation.version === PROTOCOL_VERSION &&
      this.direct === null &&
      bytesEqual(operation.roomId, this.roomId) &&
      bytesEqual(operation.conversation, this.id) &&
      operation.algorithm === key.algorithm &&
      bytesEqual(operation.identityKey, key.spki) &&
      bytesEqual(operation.memberId, key.memberId) &&
      key.verify('sc1/conv', signed.bytes, signed.signature);
    if (!holds)
      throw new SecurityError(
        'conversation-forged',
        'an operation that the member it names did not sign for this conversation',
      );
    return operation;
  }

  #checkAllowed(operation: ConversationOperation, after: ReadonlyMap<IdKey, Seat>): void {
    const actor = idKey(operation.memberId);
    checkSeats(operation, after);
    if (this.#epoch === 0) {
      if (!operation.whole || after.get(actor)?.role !== 'owner')
        throw refused('a conversation begins with its creator’s list');
      return;
    }
    const before = this.#seats.get(actor);
    if (before === undefined) throw refused('an operation of someone who is not in the conversation');
    const [removed] = operation.removes;
    const isLeaving =
      removed !== undefined &&
      operation.removes.length === 1 &&
      bytesEqual(removed, operation.memberId) &&
      operation.puts.length === 0 &&
      bytesEqual(operation.about, this.#about);
    if (isLeaving && !operation.whole) return;
    if (operation.whole) {
      if (before.role !== 'owner' || after.get(actor)?.role !== 'owner')
        throw refused('a whole list that is not its owner’s');
      return;
    }
    if (this.#operations.length > CHANGES_MOST)
      throw refused('too many changes since its owner’s latest list');
    const mayChange =
      before.role === 'owner' ||
      (before.role === 'moderator' &&
        operation.removes.every((each) => this.#seats.get(idKey(each))?.role === 'member') &&
        operation.puts.every(({ memberId: id, role }) => role === 'member' && !this.#seats.has(idKey(id))));
    if (!mayChange) throw refused('a change that whoever signed it may not make');
  }

  #difference(operation: ConversationOperation, after: ReadonlyMap<IdKey, Seat>): ConversationChange {
    const added: Seat[] = [];
    const changed: Seat[] = [];
    for (const [key, seat] of after) {
      const before = this.#seats.get(key);
      if (before === undefined) added.push(seat);
      else if (before.role !== seat.role) changed.push(seat);
    }
    const removed = [...this.#seats.values()].filter(({ key }) => !after.has(key));
    const isRenamed = !bytesEqual(operation.about, this.#about);
    if (added.length + changed.length + removed.length === 0 && !isRenamed)
      throw refused('an operation that changes nothing');
    const by = memberId(operation.memberId.slice());
    return { epoch: operation.epoch, by, added, changed, removed, isRenamed };
  }

  #take(signed: Signed, operation: ConversationOperation, after: ReadonlyMap<IdKey, Seat>): void {
    this.#seats = new Map(after);
    this.#about = operation.about.slice() as Hash;
    if (operation.whole) this.#operations = [];
    this.#keep({ kind: 'conversation', operation: signed });
    this.#advance(operation.epoch, sha256(OPERATION_LABEL, signed.bytes));
  }

  #advance(epoch: number, hash: Hash): void {
    this.#epoch = epoch;
    this.#hash = hash;
    this.#hashes.set(epoch, hash);
    this.#hashes.delete(epoch - CONVERSATION_EPOCHS_KEPT);
  }

  #keep({ kind, operation: { bytes, signature } }: PlacedChange): void {
    if (this.direct !== null) this.#operations = [];
    this.#operations.push({ kind, operation: { bytes: bytes.slice(), signature: signature.slice() } });
  }

  #isNews(by: MemberId): void {
    this.#newsEpoch = this.#epoch;
    this.#newsBy = idKey(by);
  }

  #seat(id: MemberId, role: Role): void {
    const seat = seatOf({ memberId: id, role });
    this.#seats.set(seat.key, seat);
  }
}

function seatOf({ memberId: id, role }: { readonly memberId: MemberId; readonly role: Role }): Seat {
  return { memberId: memberId(id.slice()), key: idKey(id), role };
}

/** Whoever names one member twice, or two owners, would be read in more than one way. */
function checkSeats(operation: ConversationOperation, after: ReadonlyMap<IdKey, Seat>): void {
  const named = [...operation.puts.map((each) => each.memberId), ...operation.removes];
  if (new Set(named.map(idKey)).size !== named.length) throw refused('an operation that names someone twice');
  const owners = [...after.values()].filter(({ role }) => role === 'owner').length;
  if (owners > 1 || (operation.whole && (owners === 0 || operation.removes.length > 0)))
    throw refused('a list without one owner');
  if (after.size > SEATS_MOST) throw refused('more members than a conversation may have');
}

function refused(text: string): SecurityError {
  return new SecurityError('conversation-refused', text);
}

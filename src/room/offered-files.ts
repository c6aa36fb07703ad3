/**
 * The files that members serve: whose they are, whether their owners still tell of them, which wait at the host, and what owners
 * are told of who has them. What passes of them is `passes.ts`'s.
 * @see docs/protocol.md#files
 */
import type { Bytes } from '../protocol/bytes.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { FileProgress, type OfferFile, type TakerState } from '../protocol/file-frames.ts';
import { encodeFrame } from '../protocol/framing.ts';
import { type IdKey, idKey } from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import { SESSION_FRAME } from '../protocol/session-frames.ts';
import { type DepositStart, Deposits } from './deposits.ts';
import type { RoomEffect } from './effects.ts';
import type { Resident } from './resident.ts';
import type { DepositNews, RoomStore } from './store.ts';

/** What is asked of a resident here. */
export type Served = Pick<Resident, 'connection' | 'member'>;

type Offer = ReturnType<typeof OfferFile.decode>;

/** Whether its owner has said that they serve it. */
type Told =
  /** In this session. */
  | 'now'
  /** In an earlier one: they may say so again. */
  | 'before'
  /** It is known of only because it waits here. */
  | 'no';

export interface Offered {
  readonly key: IdKey;
  readonly fileId: Bytes;
  readonly owner: IdKey;
  readonly bytes: number;
  told: Told;
}

export interface OfferedFilesContext {
  readonly residents: ReadonlyMap<IdKey, Served>;
  readonly limits: Limits;
  /** Where files may wait for members. */
  readonly keeping?: DepositStart & {
    readonly store: Pick<RoomStore, 'kept' | 'saveDeposit' | 'forgetDeposit'>;
    /** How long the room holds what is said in it. */
    readonly heldMs: () => number;
  };
}

/**
 * A client stays within what a member may serve, and what it knows of what waits here may differ from what is known here for a
 * moment: a line is closed only for so many times as much.
 */
const FLOOD_FACTOR = 2;
/** Without end: not before its owner tells of it again. */
const NOT_AGAIN = Number.POSITIVE_INFINITY;

export class OfferedFiles {
  readonly #context: OfferedFilesContext;
  readonly #files = new Map<IdKey, Offered>();
  readonly #deposits: Deposits | null;
  /** Whose session has begun of late, and when. */
  readonly #returnedAtMs = new Map<IdKey, number>();

  constructor(context: OfferedFilesContext) {
    this.#context = context;
    const { keeping, limits, residents } = context;
    this.#deposits =
      keeping === undefined
        ? null
        : new Deposits({ ...keeping, limits, isMember: (member) => residents.has(member) });
  }

  /** The room is open again, and its members are known. */
  restore(): void {
    for (const { fileId, owner, bytes } of this.#deposits?.restore() ?? []) {
      const key = idKey(fileId);
      this.#files.set(key, { key, fileId, owner, bytes, told: 'no' });
    }
  }

  get(file: IdKey): Offered | undefined {
    return this.#files.get(file);
  }

  /** All of it waits at the host. */
  isStored(file: IdKey): boolean {
    return this.#deposits?.isStored(file) === true;
  }

  /** @throws ProtocolError `flood` for more than a client that stays within its limit can ever serve */
  check(member: IdKey, { fileId, bytes }: Offer): void {
    const { offersPerMember, fileBytesMost } = this.#context.limits;
    if (!this.#files.has(idKey(fileId)) && this.#countOf(member) >= FLOOD_FACTOR * offersPerMember)
      throw new ProtocolError('flood', 'more files than a member may serve');
    if (bytes > fileBytesMost) throw new ProtocolError('malformed', 'a file larger than there may be');
  }

  #countOf(member: IdKey): number {
    // What waits since an earlier run is bounded by the quota: its owner's program may know nothing of it.
    // What waits at the host has a limit of its own, and may do so for days.
    const counts = ({ owner, told, key }: Offered): boolean =>
      owner === member && told === 'now' && !this.isStored(key);
    return [...this.#files.values()].filter(counts).length;
  }

  /** @returns what its owner has not been told of it */
  offer(owner: IdKey, { fileId, bytes, keepFor }: Offer): RoomEffect[] {
    const key = idKey(fileId);
    const file = this.#files.get(key) ?? { key, fileId: fileId.slice(), owner, bytes, told: 'now' };
    file.told = 'now';
    this.#files.set(key, file);
    const news = this.#deposits?.tell(key) ?? [];
    const settled = new Set(news.map(([who]) => who));
    const wanted = keepFor.map(idKey).filter((who) => !settled.has(who));
    const unkept = this.#deposits?.want(file, wanted) ?? [];
    return [
      ...news.flatMap(([who, each]) => this.#tellNews(file, who, each)),
      ...unkept.flatMap((who) => this.tell(file, who, 'unkept', 0)),
    ];
  }

  #tellNews(file: Offered, member: IdKey, news: DepositNews): RoomEffect[] {
    if (news === 'awaited') return this.tell(file, member, 'kept', 0);
    return this.tell(file, member, news, news === 'done' ? file.bytes : 0);
  }

  /** The owner, of how far somebody has it. */
  tell({ owner, fileId }: Offered, member: IdKey, state: TakerState, doneBytes: number): RoomEffect[] {
    const to = this.#context.residents.get(owner)?.connection ?? null;
    const taker = this.#context.residents.get(member);
    if (to === null || taker === undefined) return [];
    const { memberId } = taker.member;
    const body = FileProgress.encode({ fileId, memberId, state, doneBytes });
    return [{ kind: 'send', to, frame: encodeFrame(SESSION_FRAME.fileProgress, body) }];
  }

  /** It is not served any more. */
  forget(file: IdKey): RoomEffect[] {
    this.#files.delete(file);
    return this.#deposits?.forget(file) === 'drop' ? [{ kind: 'drop', file }] : [];
  }

  ownedBy(member: IdKey): readonly Offered[] {
    return [...this.#files.values()].filter(({ owner }) => owner === member);
  }

  /** A member's session begins: programs tell again what they serve, and what they do not tell of is nobody's. */
  returned(member: IdKey, nowMs: number): void {
    for (const file of this.ownedBy(member)) if (file.told === 'now') file.told = 'before';
    this.#returnedAtMs.set(member, nowMs);
  }

  /** @returns those of which owners have not told again, although they are back for long enough */
  untold(nowMs: number): readonly Offered[] {
    return [...this.#returnedAtMs].flatMap(([member, atMs]) => {
      if (nowMs - atMs < this.#context.limits.transferAnswerMs) return [];
      this.#returnedAtMs.delete(member);
      // Away again: they tell of it when they are back.
      if (this.#context.residents.get(member)?.connection == null) return [];
      const untold = this.ownedBy(member).filter(({ told }) => told !== 'now');
      for (const file of untold) file.told = 'no';
      return untold.filter(({ key }) => this.#deposits?.has(key) !== true);
    });
  }

  /** What was known of only because it waited here. */
  #forgetUntold(): void {
    for (const { key, told } of this.#files.values())
      if (told === 'no' && this.#deposits?.has(key) !== true) this.#files.delete(key);
  }

  /** Those that are to come now, to wait here. Of those for which there is no room their owners are told. */
  due(nowMs: number): { readonly due: readonly Offered[]; readonly effects: RoomEffect[] } {
    // Whoever may not speak leaves nothing here either.
    const canBring = (owner: IdKey): boolean => {
      const resident = this.#context.residents.get(owner);
      return resident?.connection != null && !resident.member.muted;
    };
    const { due = [], unkept = [] } = this.#deposits?.due(nowMs, canBring) ?? {};
    const known = (keys: readonly IdKey[]): readonly Offered[] =>
      keys.flatMap((key) => this.#files.get(key) ?? []);
    return { due: known(due), effects: known(unkept).flatMap((file) => this.#tellUnkept(file)) };
  }

  #tellUnkept(file: Offered): RoomEffect[] {
    const awaited = this.#deposits?.awaited(file.key) ?? [];
    return awaited.flatMap((member) => this.tell(file, member, 'unkept', 0));
  }

  /** The disk does not take it: it is not asked for again before its owner, who is told, tells of it again. */
  refused(file: Offered): RoomEffect[] {
    this.#deposits?.interrupted(file.key, NOT_AGAIN);
    return this.#tellUnkept(file);
  }

  /** All of it is on the disk: its owner is told for whom. */
  stored(file: Offered, nowMs: number): RoomEffect[] {
    const waiting = this.#deposits?.stored(file.key, nowMs) ?? [];
    return waiting.flatMap((member) => this.tell(file, member, 'kept', 0));
  }

  /** It did not get through. @returns whether it was to wait here still */
  interrupted(file: IdKey, retryAtMs: number): boolean {
    this.#deposits?.interrupted(file, retryAtMs);
    return this.#deposits?.has(file) === true;
  }

  /**
   * What somebody read of it is not there any more.
   * @returns `null` where it waits still: what has gone anyway, or comes again, is not lost with that
   */
  lost(file: IdKey): RoomEffect[] | null {
    if (!this.isStored(file)) return null;
    const told = this.#letGo(file);
    this.#deposits?.forget(file);
    this.#forgetUntold();
    return told;
  }

  /** Its owner, whose file counts again, is told of each who does not get it from here any more. */
  #letGo(key: IdKey): RoomEffect[] {
    const file = this.#files.get(key);
    const awaited = file === undefined ? [] : (this.#deposits?.awaited(key) ?? []);
    return awaited.flatMap((member) => (file === undefined ? [] : this.tell(file, member, 'stopped', 0)));
  }

  /** Somebody has it, or does not want it. @returns whether it waits no longer */
  settle({ key, owner }: Offered, member: IdKey, how: 'done' | 'declined'): boolean {
    const isTold = this.#context.residents.get(owner)?.connection != null;
    if (this.#deposits?.settle(key, member, how, isTold) !== 'drop') return false;
    this.#forgetUntold();
    return true;
  }

  /** @returns those of others that wait no longer */
  memberGone(member: IdKey): readonly IdKey[] {
    this.#returnedAtMs.delete(member);
    const dropped = this.#deposits?.memberGone(member) ?? [];
    this.#forgetUntold();
    return dropped;
  }

  /** Those that wait no longer, because they have for too long; of these, those of which there was something. */
  expire(nowMs: number): { readonly dropped: readonly IdKey[]; readonly effects: RoomEffect[] } {
    const { keeping } = this.#context;
    if (this.#deposits === null || keeping === undefined) return { dropped: [], effects: [] };
    const deposits = this.#deposits;
    const old = deposits.old(nowMs - keeping.heldMs());
    const effects = old.flatMap((key) => this.#letGo(key));
    const dropped = old.filter((key) => deposits.forget(key) === 'drop');
    if (old.length > 0) this.#forgetUntold();
    return { dropped, effects };
  }
}

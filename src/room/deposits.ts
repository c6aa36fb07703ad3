/**
 * Files that wait at the host for members who are away: whose, for whom, how much of the quota each takes, and how long they
 * stay. It knows no byte of them; where they lie is the shell's, and how they come and go is `passes.ts`'s.
 * @see docs/architecture.md#kept-rooms
 */
import type { Bytes } from '../protocol/bytes.ts';
import { sealedBytes } from '../protocol/file-stream.ts';
import { type IdKey, idKey } from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import type { DepositNews, KeptDeposit, RoomStore } from './store.ts';

/** What a room that can have files wait beside it is told of that. */
export interface DepositStart {
  /** Those of which all is there. */
  readonly there: ReadonlySet<IdKey>;
}

export interface DepositsContext {
  readonly limits: Limits;
  readonly store: Pick<RoomStore, 'kept' | 'saveDeposit' | 'forgetDeposit'>;
  readonly there: ReadonlySet<IdKey>;
  readonly isMember: (member: IdKey) => boolean;
}

type Stage =
  /** It is to be asked for. */
  | 'wanted'
  /** A pass brings it, or is to bring it. */
  | 'coming'
  | 'stored'
  /** Nothing of it is there, nor is to be. */
  | 'over';

interface Deposit {
  readonly fileId: Bytes;
  readonly owner: IdKey;
  /** Of plaintext. */
  readonly bytes: number;
  readonly members: Map<IdKey, DepositNews>;
  stage: Stage;
  /** It stands in the store. */
  isKept: boolean;
  cameAtMs: number;
  nextTryMs: number;
  /** Its owner has been told that there is no room for it. */
  isToldUnkept: boolean;
}

/** Whether what is there of a file has to go. */
type Outcome = 'stays' | 'drop';

export class Deposits {
  readonly #context: DepositsContext;
  readonly #deposits = new Map<IdKey, Deposit>();

  constructor(context: DepositsContext) {
    this.#context = context;
  }

  /**
   * What waited when the room was last open, less what is lost and whoever is gone.
   * @returns what its owners told of then
   */
  restore(): readonly Pick<Deposit, 'fileId' | 'owner' | 'bytes'>[] {
    for (const kept of this.#context.store.kept?.deposits ?? []) this.#restore(kept);
    return [...this.#deposits.values()];
  }

  #restore({ fileId, owner, bytes, cameAtMs, members }: KeptDeposit): void {
    const { store, there, isMember } = this.#context;
    const key = idKey(fileId);
    const left = new Map(members.filter(([member]) => isMember(member)));
    const awaits = [...left.values()].includes('awaited');
    if (!isMember(owner) || left.size === 0 || (awaits && !there.has(key))) return store.forgetDeposit(key);
    const stage = awaits ? 'stored' : 'over';
    const deposit = { fileId: fileId.slice(), owner, bytes, members: left, stage, isKept: true } as const;
    this.#deposits.set(key, { ...deposit, cameAtMs, nextTryMs: 0, isToldUnkept: false });
  }

  has(file: IdKey): boolean {
    return this.#deposits.has(file);
  }

  isStored(file: IdKey): boolean {
    return this.#deposits.get(file)?.stage === 'stored';
  }

  /**
   * Its owner wants it to wait for those. Nobody: as before.
   * @returns those for whom there is no room, whatever goes
   */
  want(
    { fileId, owner, bytes }: Pick<Deposit, 'fileId' | 'owner' | 'bytes'>,
    members: readonly IdKey[],
  ): readonly IdKey[] {
    const key = idKey(fileId);
    const known = this.#deposits.get(key);
    const fitting = members.filter((member) => member !== owner && this.#context.isMember(member));
    if (fitting.length === 0) return [];
    if (known === undefined && this.#deposits.size >= this.#most) return fitting;
    const deposit = known ?? {
      ...{ fileId, owner, bytes, members: new Map<IdKey, DepositNews>(), stage: 'over' as Stage },
      ...{ isKept: false, cameAtMs: 0, nextTryMs: 0, isToldUnkept: false },
    };
    this.#deposits.set(key, deposit);
    for (const member of fitting) deposit.members.set(member, 'awaited');
    if (deposit.stage === 'over') deposit.stage = 'wanted';
    // Whatever kept it from coming may be over.
    deposit.nextTryMs = 0;
    deposit.isToldUnkept = false;
    this.#save(deposit);
    return [];
  }

  /**
   * Those that are to come now, for which there is room: they are taken to come from here on. Of those for which there is none
   * their owners hear once.
   * @param canBring whoever has a line, and may
   */
  due(
    nowMs: number,
    canBring: (owner: IdKey) => boolean,
  ): { readonly due: readonly IdKey[]; readonly unkept: readonly IdKey[] } {
    const { depositRetryMs } = this.#context.limits;
    const due: IdKey[] = [];
    const unkept: IdKey[] = [];
    for (const [key, deposit] of this.#deposits) {
      if (deposit.stage !== 'wanted' || nowMs < deposit.nextTryMs || !canBring(deposit.owner)) continue;
      if (this.#fits(deposit)) {
        deposit.stage = 'coming';
        due.push(key);
        continue;
      }
      deposit.nextTryMs = nowMs + depositRetryMs;
      if (!deposit.isToldUnkept) unkept.push(key);
      deposit.isToldUnkept = true;
    }
    return { due, unkept };
  }

  /** As many as there may be, if all were small: no more are remembered to be wanted. */
  get #most(): number {
    const { depositBytesTotal, depositBytesLeast } = this.#context.limits;
    return Math.floor(depositBytesTotal / depositBytesLeast);
  }

  #fits({ owner, bytes }: Deposit): boolean {
    const { depositBytesTotal, depositBytesPerMember } = this.#context.limits;
    let all = this.#cost(bytes);
    let own = all;
    for (const other of this.#deposits.values()) {
      if (other.stage !== 'coming' && other.stage !== 'stored') continue;
      const cost = this.#cost(other.bytes);
      all += cost;
      if (other.owner === owner) own += cost;
    }
    return all <= depositBytesTotal && own <= depositBytesPerMember;
  }

  #cost(bytes: number): number {
    return Math.max(this.#context.limits.depositBytesLeast, sealedBytes(bytes, 0));
  }

  /** All of it is on the disk. @returns for whom it waits */
  stored(file: IdKey, nowMs: number): readonly IdKey[] {
    const deposit = this.#deposits.get(file);
    if (deposit?.stage !== 'coming') return [];
    Object.assign(deposit, { stage: 'stored', cameAtMs: nowMs });
    this.#save(deposit);
    return awaited(deposit);
  }

  /** For whom it is to wait, or does. */
  awaited(file: IdKey): readonly IdKey[] {
    const deposit = this.#deposits.get(file);
    return deposit === undefined ? [] : awaited(deposit);
  }

  /** It did not get through. `retryAtMs`: then it is asked for again; without end: not before its owner tells of it again. */
  interrupted(file: IdKey, retryAtMs: number): void {
    const deposit = this.#deposits.get(file);
    if (deposit?.stage === 'coming') Object.assign(deposit, { stage: 'wanted', nextTryMs: retryAtMs });
  }

  /** Somebody has it, or does not want it. @param isTold its owner hears of that now */
  settle(file: IdKey, member: IdKey, news: 'done' | 'declined', isTold: boolean): Outcome {
    const deposit = this.#deposits.get(file);
    if (deposit?.members.get(member) !== 'awaited') return 'stays';
    if (isTold || !deposit.isKept) deposit.members.delete(member);
    else deposit.members.set(member, news);
    return this.#afterwards(deposit);
  }

  /** What its owner has not been told, or asks again: told from here on. */
  tell(file: IdKey): readonly (readonly [member: IdKey, news: DepositNews])[] {
    const deposit = this.#deposits.get(file);
    if (deposit === undefined) return [];
    const news = [...deposit.members].filter(([, each]) => each !== 'awaited' || deposit.stage === 'stored');
    for (const [member, each] of news) if (each !== 'awaited') deposit.members.delete(member);
    if (news.some(([, each]) => each !== 'awaited')) this.#afterwards(deposit);
    return news;
  }

  /** @returns the files of others that nobody is awaited for any more, and that have to go */
  memberGone(member: IdKey): readonly IdKey[] {
    return [...this.#deposits].flatMap(([key, deposit]) => {
      if (!deposit.members.delete(member)) return [];
      return this.#afterwards(deposit) === 'drop' ? [key] : [];
    });
  }

  /** Those that have to go because they are from before that. */
  old(oldestMs: number): readonly IdKey[] {
    const old = [...this.#deposits].filter(([, { isKept, cameAtMs }]) => isKept && cameAtMs < oldestMs);
    return old.map(([key]) => key);
  }

  /** Withdrawn, lost or too old. */
  forget(file: IdKey): Outcome {
    const deposit = this.#deposits.get(file);
    if (deposit === undefined) return 'stays';
    this.#deposits.delete(file);
    if (deposit.isKept) this.#context.store.forgetDeposit(file);
    return hasBytes(deposit) ? 'drop' : 'stays';
  }

  /** Of one member less is to be waited for. */
  #afterwards(deposit: Deposit): Outcome {
    const key = idKey(deposit.fileId);
    if (deposit.members.size === 0) return this.forget(key);
    const had = hasBytes(deposit);
    if (awaited(deposit).length === 0) deposit.stage = 'over';
    this.#save(deposit);
    return had && !hasBytes(deposit) ? 'drop' : 'stays';
  }

  /** Before all of it is there a deposit is nothing to come back to: its owner tells of it again. */
  #save(deposit: Deposit): void {
    if (deposit.stage !== 'stored' && !deposit.isKept) return;
    deposit.isKept = true;
    const { fileId, owner, bytes, cameAtMs, members } = deposit;
    this.#context.store.saveDeposit({ fileId, owner, bytes, cameAtMs, members: [...members] });
  }
}

function awaited({ members }: Deposit): readonly IdKey[] {
  return [...members].filter(([, news]) => news === 'awaited').map(([member]) => member);
}

function hasBytes({ stage }: Deposit): boolean {
  return stage === 'coming' || stage === 'stored';
}

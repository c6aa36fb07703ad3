/**
 * Nothing is told before what it rests on is on the disk: effects of a kept room wait for the commit of what led to them.
 * All that happens within one turn of the event loop is one commit, and where commits take long they come less often, so
 * that others' messages gather meanwhile and a slow disk leaves time for what needs none of it.
 * @see docs/architecture.md#kept-rooms
 */
import type { RoomEffect } from '../room/effects.ts';
import type { Room } from '../room/room.ts';
import { StorageError, storageError } from '../storage/errors.ts';
import type { InvitationTexts, SqliteStore } from '../storage/sqlite-store.ts';

interface Parts {
  readonly store: SqliteStore;
  readonly room: Pick<Room, 'isUnsaved' | 'save'>;
  readonly carryOut: (effects: readonly RoomEffect[]) => void;
  /** Told once: from then on nothing is carried out. */
  readonly onFailure: (error: StorageError) => void;
}

/**
 * Of the time that a commit took, where more than one thing had waited for it. Who talks alone waits for nobody: their next
 * message comes when they have seen this one.
 */
const PAUSE_PER_COMMIT = 1;

export class Writing {
  readonly #parts: Parts;
  /** What this turn, and those that wait for the disk, have led to. */
  #held: RoomEffect[] = [];
  /** How many things have happened since the last commit. */
  #gathered = 0;
  #timer: NodeJS.Timeout | NodeJS.Immediate | null = null;
  /** The next commit comes no sooner. */
  #notBeforeMs = 0;
  #isOver = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Carries these out once what led to them is on the disk: at once where nothing has changed. */
  hold(effects: readonly RoomEffect[]): void {
    if (this.#isOver || effects.length === 0) return;
    const { store, room, carryOut } = this.#parts;
    if (this.#held.length === 0 && !store.isDirty && !room.isUnsaved) return carryOut(effects);
    this.#held.push(...effects);
    this.#gathered += 1;
    if (this.#timer === null) this.#schedule();
  }

  /** Writes down all there is, and carries out what waited for it. */
  commit(): void {
    if (this.#isOver) return;
    const { store, room, carryOut, onFailure } = this.#parts;
    const startMs = performance.now();
    try {
      room.save();
      store.commit();
    } catch (error) {
      const known = storageError(store.path, error);
      if (!(known instanceof StorageError)) throw error;
      return onFailure(known);
    } finally {
      this.#timer = null;
    }
    const endMs = performance.now();
    this.#notBeforeMs = this.#gathered > 1 ? endMs + (endMs - startMs) * PAUSE_PER_COMMIT : 0;
    this.#gathered = 0;
    carryOut(this.#held.splice(0));
  }

  describeInvitation(id: Uint8Array, texts: InvitationTexts): void {
    this.#parts.room.save();
    this.#parts.store.describeInvitation(id, texts);
    this.commit();
  }

  purge(): void {
    if (!this.#isOver) this.#parts.store.purge();
  }

  /** The room is closed: the last word is written down and carried out. */
  finish(): void {
    this.commit();
    this.purge();
    this.abandon();
  }

  /** Nothing more is written or carried out. */
  abandon(): void {
    this.#isOver = true;
    this.#held = [];
  }

  #schedule(): void {
    const waitMs = this.#notBeforeMs - performance.now();
    const due = (): void => {
      // Written down meanwhile, by a tick or the end; another may be due since.
      if (this.#timer !== timer) return;
      if (performance.now() < this.#notBeforeMs) this.#schedule();
      else this.commit();
    };
    const timer = waitMs < 1 ? setImmediate(due) : setTimeout(due, waitMs);
    this.#timer = timer;
  }
}

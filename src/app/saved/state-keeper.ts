/**
 * When a saved room is written: soon after something has changed, never twice at a time, and at the end. What cannot be
 * written is told once, acknowledges nothing, and is tried again.
 */
import type { Save, SaveMark, Session } from '../../member/session.ts';
import { LIMITS } from '../../protocol/limits.ts';
import { fileProblem } from '../file-problem.ts';
import type { SavedPlace } from './saved-place.ts';

/** After a save that failed. */
const AGAIN_MS = 5_000;
/** A slow disk, or a large room, is not kept busy all the time: of so many parts, one is for saving. */
const SHARE = 10;

export interface StateKeeperOptions {
  readonly place: Pick<SavedPlace, 'save'>;
  readonly onSaved: (mark: SaveMark) => void;
  /** Once, until it works again. */
  readonly onProblem: (text: string) => void;
}

/** A session as of one moment. */
interface Taken {
  readonly revision: number;
  readonly save: Save;
  readonly nick: string;
}

export class StateKeeper {
  readonly #options: StateKeeperOptions;
  #revision = 0;
  #index = 0;
  #notBeforeMs = 0;
  #saving: Promise<void> | null = null;
  #failed = false;

  constructor(options: StateKeeperOptions) {
    this.#options = options;
  }

  /** Something is being written. */
  get busy(): boolean {
    return this.#saving !== null;
  }

  /** Saves if it is time: a few times a second. */
  tick(session: Session, nowMs: number): void {
    if (this.busy || session.revision === this.#revision) return;
    const isMuch = session.entries - this.#index >= LIMITS.ackEntries && !this.#failed;
    if (nowMs < this.#notBeforeMs && !isMuch) return;
    void this.#begin(session);
  }

  /** Saves at once. @returns when it is on the disk, or cannot be written */
  async now(session: Session): Promise<void> {
    await this.idle();
    if (session.revision !== this.#revision) await this.#begin(session);
  }

  #begin(session: Session): Promise<void> {
    const saving = this.#save(session).finally(() => {
      this.#saving = null;
    });
    this.#saving = saving;
    return saving;
  }

  /** Once nothing is being written any more. */
  async idle(): Promise<void> {
    await this.#saving;
  }

  /** Saves once more, whatever was saved before: as of now, however long that takes. */
  async last(session: Session): Promise<void> {
    // Taken now: the session may be erased as soon as this returns.
    const last = this.#take(session);
    await this.idle();
    if (last !== null) await this.#write(last).catch((error: unknown) => this.#problem(error));
  }

  async #save(session: Session): Promise<void> {
    const taken = this.#take(session);
    if (taken === null) return;
    const beganMs = Date.now();
    try {
      await this.#write(taken);
      this.#failed = false;
      this.#revision = taken.revision;
      this.#index = taken.save.mark.entries;
      this.#notBeforeMs = Math.max(beganMs + LIMITS.ackMs, Date.now() + SHARE * (Date.now() - beganMs));
      this.#options.onSaved(taken.save.mark);
    } catch (error) {
      this.#notBeforeMs = Date.now() + AGAIN_MS;
      this.#problem(error);
    }
  }

  #take(session: Session): Taken | null {
    const { revision } = session;
    const save = session.save();
    return save === null ? null : { revision, save, nick: session.self?.nick ?? '' };
  }

  #write({ save, nick }: Taken): Promise<void> {
    return this.#options.place.save(save.state, nick);
  }

  #problem(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#options.onProblem(
      `This room cannot be saved: ${fileProblem(error)}. It is tried again; until then the host keeps what is said for you.`,
    );
  }
}

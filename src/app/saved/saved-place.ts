/** One saved room while this program has it: written again and again, and given up when its member leaves for good. */
import type { SigningKey } from '../../crypto/signature.ts';
import type { SavedState } from '../../member/saved-state.ts';
import type { FileLock } from '../../storage/file-lock.ts';
import { removeFile, replaceFile } from '../atomic-file.ts';
import { type SavedDoor, type SavedHead, sealRoom } from './saved-file.ts';

export interface SavedPlaceStart {
  readonly name: string;
  readonly path: string;
  readonly lock: Pick<FileLock, 'release'>;
  readonly identity: SigningKey;
  readonly door: SavedDoor;
  readonly head: Pick<SavedHead, 'roomId' | 'roomName' | 'identity'>;
}

export class SavedPlace {
  readonly #start: SavedPlaceStart;

  constructor(start: SavedPlaceStart) {
    this.#start = start;
  }

  get name(): string {
    return this.#start.name;
  }
  get path(): string {
    return this.#start.path;
  }
  /** The room ends with its host. */
  get endsWithHost(): boolean {
    return this.#start.door.keeps === 'nothing';
  }

  /** Overwrites the secrets in `state`. @throws when the disk does not take it: what was saved before is as it was */
  async save(state: SavedState, nick: string): Promise<void> {
    const { identity, door, head, path } = this.#start;
    const known = { ...head, nick, lastSeenMs: Date.now() };
    await replaceFile(path, sealRoom(identity, known, { door, state }));
  }

  /** Nothing of it is left. */
  async forget(): Promise<void> {
    await removeFile(this.#start.path).catch(() => {});
    this.release();
  }

  /** Another program may have it now. */
  release(): void {
    this.#start.lock.release();
  }
}

/** The rooms that are saved on this machine, each as a file in one folder, and which name belongs to which. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SigningKey } from '../../crypto/signature.ts';
import { type Bytes, bytesEqual } from '../../protocol/bytes.ts';
import { InputError } from '../../protocol/errors.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import { nearestWord } from '../../protocol/nearest-word.ts';
import { type FileLock, takeLock } from '../../storage/file-lock.ts';
import { fileProblem } from '../file-problem.ts';
import { makeFolder } from '../private-file.ts';
import { openRoom, readHead, readSavedFile, type SavedContent, type SavedHead } from './saved-file.ts';
import { savedNameOf } from './saved-name.ts';

const ENDING = '.room';

export interface SavedEntry {
  readonly name: string;
  readonly head: SavedHead;
}

export class SavedRooms {
  readonly #folder: string;

  /** @param dataFolder the program's own */
  constructor(dataFolder: string) {
    this.#folder = join(dataFolder, 'saved');
  }

  /** Those seen last come first. What is no saved room, or of another version, is not among them. */
  async list(): Promise<readonly SavedEntry[]> {
    const entries = await Promise.all(
      (await this.#names()).map(async (name) => {
        try {
          return [{ name, head: await this.head(name) }];
        } catch (error) {
          if (error instanceof InputError) return [];
          throw error;
        }
      }),
    );
    return entries.flat().sort((left, right) => right.head.lastSeenMs - left.head.lastSeenMs);
  }

  /** @throws InputError when there is none of that name, or its file cannot be used */
  async head(name: string): Promise<SavedHead> {
    const file = await this.#read(name);
    return this.#about(name, () => readHead(file));
  }

  /** @throws InputError as `head`, or when this identity does not open it */
  async open(name: string, identity: SigningKey): Promise<SavedContent> {
    const file = await this.#read(name);
    return this.#about(name, () => openRoom(identity, file));
  }

  path(name: string): string {
    return join(this.#folder, name + ENDING);
  }

  /**
   * @returns `null` while another program has this room
   * @throws InputError when the folder cannot be written
   */
  async lock(name: string): Promise<FileLock | null> {
    try {
      await makeFolder(this.#folder);
      return takeLock(join(this.#folder, `${name}.lock`));
    } catch (error) {
      throw new InputError('file', `Cannot save rooms in ${this.#folder}: ${fileProblem(error)}.`);
    }
  }

  /** A name for a room: the one it has, or one that no other room has. */
  async nameFor(roomName: string, roomId: RoomId): Promise<string> {
    const rooms = await this.list();
    const known = rooms.find(({ head }) => bytesEqual(head.roomId, roomId));
    if (known !== undefined) return known.name;
    const taken = new Set(await this.#names());
    const wanted = savedNameOf(roomName);
    for (let number = 1; ; number += 1) {
      const name = number === 1 ? wanted : `${wanted}-${number}`;
      if (!taken.has(name)) return name;
    }
  }

  /** @throws InputError when another room has this name */
  async checkName(name: string, roomId: RoomId): Promise<void> {
    if (!(await this.#names()).includes(name)) return;
    const { roomId: held, roomName } = await this.head(name);
    if (bytesEqual(held, roomId)) return;
    throw new InputError('saved-name', `@${name} is another room: ${roomName}. Choose another name.`);
  }

  async #names(): Promise<readonly string[]> {
    const files = await readdir(this.#folder).catch(() => []);
    return files.filter((file) => file.endsWith(ENDING)).map((file) => file.slice(0, -ENDING.length));
  }

  async #read(name: string): Promise<Bytes> {
    const file = await readSavedFile(this.path(name)).catch(() => undefined);
    if (file === undefined) throw await this.#unknown(name);
    return this.#about(name, () => {
      if (file === null) throw new InputError('saved-room', 'is no saved room');
      return file;
    });
  }

  async #unknown(name: string): Promise<InputError> {
    const names = (await this.list()).map((entry) => entry.name);
    if (names.length === 0)
      return new InputError(
        'no-such-room',
        `There is no saved room @${name}, nor any other. Join with an invitation: securechat c --save --identity FILE`,
      );
    const nearest = nearestWord(name, names);
    const hint = nearest === null ? '' : ` Did you mean @${nearest}?`;
    const list = names.map((each) => `@${each}`).join(', ');
    return new InputError('no-such-room', `There is no saved room @${name}.${hint} Saved are: ${list}.`);
  }

  #about<T>(name: string, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof InputError) || error.code !== 'saved-room') throw error;
      const todo = 'Put a copy of it back, or remove it and join with an invitation.';
      throw new InputError(error.code, `${this.path(name)} ${error.message}. ${todo}`);
    }
  }
}

/**
 * Where kept rooms lie: one folder that only this account can enter, a file and a lock for each room, by its name.
 */
import { existsSync } from 'node:fs';
import { access, constants, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../protocol/errors.ts';
import { nearestWord } from '../../protocol/nearest-word.ts';
import { cannotMake } from '../../storage/errors.ts';
import { depositFolder } from '../deposits/deposit-folder.ts';
import { fileProblem } from '../file-problem.ts';
import { makeFolder } from '../private-file.ts';
import { canNameFile, shortNameOf } from '../short-name.ts';

/** A kept room's files. */
export interface RoomPlace {
  readonly name: string;
  readonly folder: string;
  /** The database. SQLite puts two more beside it while it is open. */
  readonly file: string;
  readonly lock: string;
  /** The folder of what waits for members as files; there is none before anything does. */
  readonly files: string;
}

const SUFFIX = '.room';
/** What every file system takes, and a shell without quotes. */
const NAME = /^[a-z0-9][a-z0-9_-]{0,39}$/;
const CHARACTERS_MOST = 40;

/** @throws InputError `room-name` for what is no name of a room's files */
export function checkRoomName(name: string): string {
  if (NAME.test(name) && canNameFile(name)) return name;
  throw new InputError(
    'room-name',
    `A kept room's name is 1 to ${CHARACTERS_MOST} of a-z, 0-9, _ and -, and begins with a letter or number.`,
  );
}

/** @returns a name made of what a room is called: `Our Kitchen` is kept as `our-kitchen` */
export function nameFor(roomName: string): string {
  return shortNameOf(roomName, CHARACTERS_MOST);
}

export class RoomFolder {
  readonly path: string;

  /** @param dataFolder the program's own; `null` for an account without a home */
  constructor(dataFolder: string | null) {
    if (dataFolder === null)
      throw new InputError(
        'no-home',
        'This account has no home folder to keep a room in. Set HOME and try again.',
      );
    this.path = join(dataFolder, 'rooms');
  }

  /** @throws InputError `room-name` */
  place(name: string): RoomPlace {
    checkRoomName(name);
    return {
      name,
      folder: this.path,
      file: join(this.path, `${name}${SUFFIX}`),
      lock: join(this.path, `${name}.lock`),
      files: depositFolder(join(this.path, `${name}${SUFFIX}`)),
    };
  }

  /** Makes the folder where there is none. @throws StorageError or InputError when it cannot be made or written to */
  async make(): Promise<void> {
    try {
      await makeFolder(this.path);
      await access(this.path, constants.W_OK);
    } catch (error) {
      const known = cannotMake(this.path, error);
      if (known.code !== 'room-file') throw known;
      throw new InputError('file', `Cannot keep rooms in ${this.path}: ${fileProblem(error)}.`);
    }
  }

  /** Whatever belongs to the room of that name: names have no full stop. The lock is the last of them. */
  async filesOf(name: string): Promise<readonly string[]> {
    const files = await readdir(this.path);
    const own = files.filter((file) => file.startsWith(`${name}.`)).map((file) => join(this.path, file));
    const { lock } = this.place(name);
    return [...own.filter((file) => file !== lock), lock];
  }

  /** By name. */
  async all(): Promise<readonly RoomPlace[]> {
    const files = await readdir(this.path).catch(() => []);
    const names = files.filter((file) => file.endsWith(SUFFIX)).map((file) => file.slice(0, -SUFFIX.length));
    return names
      .filter((name) => NAME.test(name))
      .sort()
      .map((name) => this.place(name));
  }

  /** @throws InputError `room-name` for what is no name, `room-taken` for one that a room has */
  async checkFree(name: string): Promise<void> {
    if (!existsSync(this.place(name).file)) return;
    throw new InputError(
      'room-taken',
      `A room is kept as ${name} already. Choose another name, or give that room one first: securechat rooms rename ${name} NEW.`,
    );
  }

  /** @throws InputError `no-such-room` that names the nearest one */
  async find(name: string): Promise<RoomPlace> {
    const all = await this.all();
    const found = all.find((place) => place.name === name);
    if (found !== undefined) return found;
    const nearest = nearestWord(
      name,
      all.map((place) => place.name),
    );
    const hint = nearest === null ? 'securechat rooms shows them.' : `Did you mean ${nearest}?`;
    throw new InputError('no-such-room', `No room of the name ${name} is kept here. ${hint}`);
  }
}

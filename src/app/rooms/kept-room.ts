/**
 * A room on disk, made or opened again. Its owner's key stands in it as an identity file does, under a passphrase where the
 * owner wants one; what else must stay secret is sealed under a key that this one leads to.
 */
import { pinOfCertificate } from '../../crypto/certificate.ts';
import { formatIdentity, parseIdentity } from '../../crypto/identity-file.ts';
import { startHead } from '../../crypto/log-hash.ts';
import { openRoomSecrets, sealRoomSecrets } from '../../crypto/room-secrets.ts';
import { importSigningKey, ownerFingerprint, type SigningKey } from '../../crypto/signature.ts';
import { InputError } from '../../protocol/errors.ts';
import { type RoomId, roomId } from '../../protocol/identifiers.ts';
import type { Limits } from '../../protocol/limits.ts';
import { damaged, StorageError } from '../../storage/errors.ts';
import { type FileLock, takeLock } from '../../storage/file-lock.ts';
import { Meta } from '../../storage/meta.ts';
import { createDatabase, openDatabase } from '../../storage/room-database.ts';
import { SqliteStore } from '../../storage/sqlite-store.ts';
import { fileProblem } from '../file-problem.ts';
import { type IdentityFront, unlockSealed } from '../identity.ts';
import { systemMoment } from '../moment.ts';
import type { SecretSource } from '../options.ts';
import type { RoomPlace } from './room-folder.ts';
import type { RoomKeys } from './room-keys.ts';

/** A room's file, open and locked; nobody else has it. */
export interface KeptRoom {
  readonly store: SqliteStore;
  readonly keys: RoomKeys;
  readonly roomName: string;
  readonly question: string;
  /** The host's own, where no file of its own keeps it. */
  readonly identity: SigningKey | null;
  close(): void;
}

const SECRETS_VERSION = 1;

/** @throws InputError `room-open` when another program has it; StorageError when nobody can */
export function lockRoom(place: RoomPlace): FileLock {
  const taken = tryLockRoom(place);
  if (taken !== null) return taken;
  throw new InputError(
    'room-open',
    `The room ${place.name} is open in another program already. End that one first.`,
  );
}

/** @returns `null` while another program has it @throws StorageError when nobody can */
export function tryLockRoom({ name, lock }: RoomPlace): FileLock | null {
  try {
    return takeLock(lock);
  } catch (error) {
    // Says what to do already.
    if (error instanceof StorageError && error.code !== 'room-file') throw error;
    const todo = 'Make its folder writable for yourself, or remove that file.';
    const text = `The room ${name} cannot be locked by ${lock}: ${fileProblem(error)}. ${todo}`;
    throw new StorageError('room-file', text, { cause: error });
  }
}

/**
 * Nothing of it is on the disk before the store's first commit.
 * @param passphrase empty: none
 */
export async function createKeptRoom(
  { file }: RoomPlace,
  room: {
    readonly keys: RoomKeys;
    readonly roomName: string;
    readonly question: string;
    readonly identity: SigningKey | null;
    readonly passphrase: string;
  },
  lock: FileLock,
  limits: Limits,
): Promise<KeptRoom> {
  const { keys, roomName, question, identity } = room;
  const owner = await formatIdentity(keys.ownerKey, room.passphrase);
  const store = storeOf(file, createDatabase(file), keys.roomId, limits);
  store.meta.setBytes('room-id', keys.roomId);
  store.meta.setText('room-name', roomName);
  store.meta.setText('owner', owner);
  store.meta.setBytes('owner-fingerprint', ownerFingerprint(keys.ownerKey.spki));
  store.meta.setNumber('opened-at-ms', systemMoment().nowMs);
  const kept = { store, keys, roomName, question, identity, close: closer(store, lock) };
  writeSecrets(kept);
  return kept;
}

/**
 * @throws StorageError when the file cannot be used
 * @throws InputError when the passphrase does not open it, or it holds no room
 */
export async function openKeptRoom(
  { file, name }: RoomPlace,
  { passphrase, front }: { readonly passphrase: SecretSource | null; readonly front: IdentityFront },
  lock: FileLock,
  limits: Limits,
): Promise<KeptRoom> {
  const database = openDatabase(file, 'host');
  const meta = new Meta(database);
  const [id, owner, secrets] = [meta.bytes('room-id'), meta.text('owner'), meta.bytes('secrets')];
  if (id === null || owner === null || secrets === null) {
    database.close();
    throw new StorageError(
      'room-file',
      `${file} was never finished. Remove it: securechat rooms delete ${name}`,
    );
  }
  const store = storeOf(file, database, roomId(id), limits);
  try {
    const ownerKey = await unlockSealed(
      parseIdentity(owner),
      { path: `the room ${name}`, passphrase },
      front,
    );
    const opened = openRoomSecrets(ownerKey, secrets);
    if (opened === null || opened.version !== SECRETS_VERSION || store.kept === null) throw damaged(file);
    const { keyPem, certPem, setup, record, identity } = opened;
    store.meta.setNumber('opened-at-ms', systemMoment().nowMs);
    const tlsPin = pinOfCertificate(Buffer.from(certPem));
    return {
      store,
      keys: { roomId: roomId(id), ownerKey, keyPem, certPem, tlsPin, setup, record },
      roomName: meta.text('room-name') ?? '',
      question: meta.text('question') ?? '',
      identity: identity.length === 0 ? null : importSigningKey(identity),
      close: closer(store, lock),
    };
  } catch (error) {
    store.close();
    throw error;
  }
}

/** Another question, another answer, or another identity of the host's from now on. */
export function writeSecrets({ store, keys, question, identity }: Omit<KeptRoom, 'close'>): void {
  const { keyPem, certPem, setup, record } = keys;
  const pkcs8 = identity?.exportPrivate() ?? new Uint8Array();
  const secrets = { version: SECRETS_VERSION, keyPem, certPem, setup, record, identity: pkcs8 };
  store.meta.setText('question', question);
  store.meta.setBytes('secrets', sealRoomSecrets(keys.ownerKey, secrets));
  pkcs8.fill(0);
}

function storeOf(
  path: string,
  database: ConstructorParameters<typeof SqliteStore>[0],
  id: RoomId,
  limits: Limits,
): SqliteStore {
  return new SqliteStore(database, {
    ...{ path, limits },
    startHead: (conversation) => startHead(id, conversation),
  });
}

function closer(store: SqliteStore, lock: FileLock): () => void {
  return () => {
    store.close();
    lock.release();
  };
}

/**
 * A saved room as one file: a head in plain, so that rooms can be listed without a passphrase, and the state sealed for
 * the identity that the head names.
 * @see docs/protocol.md#saved-rooms
 */
import { readFile, stat } from 'node:fs/promises';
import type { Address } from '../../crypto/invitation.ts';
import { SEAL_NONCE_BYTES, SEAL_SALT_BYTES } from '../../crypto/key-seal.ts';
import type { SigningKey } from '../../crypto/signature.ts';
import { openState, sealState } from '../../crypto/state-seal.ts';
import {
  decodeSavedState,
  encodeSavedState,
  eraseSavedState,
  type SavedState,
} from '../../member/saved-state.ts';
import { KEEPS, type Question } from '../../protocol/admission-frames.ts';
import { type Bytes, bytesEqual, utf8 } from '../../protocol/bytes.ts';
import { codec, type Decoded, field } from '../../protocol/codec.ts';
import { InputError, ProtocolError } from '../../protocol/errors.ts';
import { type Hash, hash } from '../../protocol/identifiers.ts';
import { LIMITS } from '../../protocol/limits.ts';

const MAGIC = utf8.encode('securechat room\n');
const VERSION = 1;
/** Several times what a room of 4,096 members takes. */
const BYTES_MOST = 64 * 1_024 * 1_024;

const head = field.struct({
  magic: field.fixed(MAGIC.length),
  version: field.u8,
  roomId: field.roomId,
  roomName: field.shortText,
  nick: field.shortText,
  /** Where the identity lies. */
  identity: field.text,
  lastSeenMs: field.timeMs,
});

const Head = codec('head of a saved room', head);

/** What anyone who may read the file sees. */
export type SavedHead = Omit<Decoded<typeof Head>, 'magic' | 'version'>;

const SavedFile = codec(
  'saved room',
  field.struct({
    head,
    salt: field.fixed(SEAL_SALT_BYTES),
    nonce: field.fixed(SEAL_NONCE_BYTES),
    sealed: field.rest,
  }),
);

const SealedContent = codec(
  'sealed content',
  field.struct({
    addresses: field.list(
      field.u8,
      LIMITS.addressesPerInvitation,
      field.struct({ host: field.shortText, port: field.u16 }),
    ),
    tlsPin: field.hash,
    keeps: field.oneOf(KEEPS),
    state: field.rest,
  }),
);

/** Where the host is reached, and by what it is known. */
export interface SavedDoor {
  readonly addresses: readonly Address[];
  readonly tlsPin: Hash;
  /** What the room keeps on the host's disk: without anything, it ends with its host. */
  readonly keeps: Question['keeps'];
}

export interface SavedContent {
  readonly door: SavedDoor;
  readonly state: SavedState;
}

/** Overwrites the secrets in `state`. */
export function sealRoom(identity: SigningKey, known: SavedHead, { door, state }: SavedContent): Bytes {
  const encoded = encodeSavedState(state);
  eraseSavedState(state);
  const plaintext = SealedContent.encode({ ...door, addresses: [...door.addresses], state: encoded });
  encoded.fill(0);
  const plain = { magic: MAGIC, version: VERSION, ...known };
  const place = { identity, roomId: known.roomId, head: Head.encode(plain) };
  const sealed = sealState(place, plaintext);
  plaintext.fill(0);
  return SavedFile.encode({ head: plain, ...sealed });
}

/**
 * @returns `null` for what is larger, or no file: a pipe would never open, and a device never end
 * @throws when it is not there or cannot be read
 */
export async function readSavedFile(path: string): Promise<Bytes | null> {
  const stats = await stat(path);
  return stats.isFile() && stats.size <= BYTES_MOST ? readFile(path) : null;
}

/** @throws InputError `saved-room` when it is no saved room, or of another version; the message goes on from its name */
export function readHead(file: Bytes): SavedHead {
  return parse(file).head;
}

/** @throws InputError `saved-room` when this identity does not open it, or it was changed */
export function openRoom(identity: SigningKey, file: Bytes): SavedContent {
  const { head: known, salt, nonce, sealed } = parse(file);
  const plain = Head.encode({ magic: MAGIC, version: VERSION, ...known });
  const plaintext = openState({ identity, roomId: known.roomId, head: plain }, { salt, nonce, sealed });
  if (plaintext === null)
    throw new InputError('saved-room', 'does not open: it belongs to another identity, or has been changed');
  try {
    const { addresses, tlsPin, keeps, state } = SealedContent.decode(plaintext);
    const door = { addresses, tlsPin: hash(tlsPin.slice()), keeps };
    return { door, state: decodeSavedState(state) };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw otherVersion();
  } finally {
    plaintext.fill(0);
  }
}

function parse(file: Bytes): Omit<Decoded<typeof SavedFile>, 'head'> & { readonly head: SavedHead } {
  if (!bytesEqual(file.subarray(0, MAGIC.length), MAGIC))
    throw new InputError('saved-room', 'is no saved room');
  if (file[MAGIC.length] !== VERSION) throw otherVersion();
  try {
    const { head: whole, ...rest } = SavedFile.decode(file);
    const { magic, version, ...known } = whole;
    return { head: known, ...rest };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new InputError('saved-room', 'is damaged');
  }
}

function otherVersion(): InputError {
  return new InputError('saved-room', 'was written by another version of securechat');
}

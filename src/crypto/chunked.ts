/**
 * A stream of any length, sealed in chunks: Cobblestone-256 of C2SP (AES-256-GCM, SHA-512, chunks of 16 KiB). Each chunk is
 * opened by itself, so nothing waits for the end; each is bound to its number, and the last is the only short one, so nothing is
 * dropped, doubled, reordered or added unnoticed.
 *
 * Both ends may begin at any chunk. A sealer that begins again needs a new salt: it might seal something else under the same number.
 * @see docs/protocol.md#files
 * @see https://c2sp.org/chunked-encryption
 */
import {
  type CipherGCM,
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
} from 'node:crypto';
import { type Bytes, concatBytes, utf8 } from '../protocol/bytes.ts';
import { ProtocolError } from '../protocol/errors.ts';
import {
  CHUNK_BYTES,
  CHUNKS_MOST,
  COMMITMENT_BYTES,
  checkChunk,
  chunkCount,
  STREAM_HEADER_BYTES,
  STREAM_SALT_BYTES,
  TAG_BYTES,
} from '../protocol/file-stream.ts';
import { secretsEqual } from './constant-time.ts';
import { AES_KEY_BYTES, GCM_NONCE_BYTES } from './primitives.ts';

const DOMAIN = utf8.encode('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM');
const GCM = { authTagLength: TAG_BYTES } as const;

interface StreamKeys {
  readonly key: KeyObject;
  readonly baseNonce: Bytes;
  readonly commitment: Bytes;
}

/** What one pass seals or opens with. */
function deriveKeys(inputKey: Bytes, salt: Bytes, context: Bytes): StreamKeys {
  if (salt.length !== STREAM_SALT_BYTES) throw new RangeError('a salt is 24 bytes');
  const info = concatBytes(DOMAIN, Uint8Array.of(0), salt, context);
  const derived = expand(inputKey, info, AES_KEY_BYTES + GCM_NONCE_BYTES + COMMITMENT_BYTES);
  const commitmentAt = AES_KEY_BYTES + GCM_NONCE_BYTES;
  const keys = {
    key: createSecretKey(derived.subarray(0, AES_KEY_BYTES)),
    baseNonce: derived.slice(AES_KEY_BYTES, commitmentAt),
    commitment: derived.slice(commitmentAt),
  };
  derived.fill(0);
  return keys;
}

/** HKDF-Expand with SHA-512 (RFC 5869, 2.3). Node has it together with HKDF-Extract only, which the format leaves out. */
function expand(key: Bytes, info: Bytes, lengthBytes: number): Bytes {
  const blocks: Bytes[] = [];
  let block: Bytes = new Uint8Array();
  for (let number = 1, length = 0; length < lengthBytes; number += 1) {
    block = createHmac('sha512', key).update(block).update(info).update(Uint8Array.of(number)).digest();
    blocks.push(block);
    length += block.length;
  }
  const whole = concatBytes(...blocks);
  const expanded = whole.slice(0, lengthBytes);
  for (const each of [...blocks, whole]) each.fill(0);
  return expanded;
}

/** The base nonce XOR the chunk's number, big-endian. Written into `nonce`, which every chunk uses again. */
function setNonce(nonce: Bytes, baseNonce: Bytes, chunk: number): void {
  nonce.set(baseNonce);
  const view = new DataView(nonce.buffer, nonce.byteOffset, nonce.length);
  const at = GCM_NONCE_BYTES - 4;
  view.setUint32(at, view.getUint32(at) ^ chunk);
}

function checkKey(key: Bytes): void {
  if (key.length !== AES_KEY_BYTES) throw new RangeError('the key of a stream is 32 bytes');
}

export interface SealerStart {
  /** 32 bytes. */
  readonly key: Bytes;
  /** What the stream is part of: under another context it does not open. */
  readonly context: Bytes;
  /** 24 random bytes, never used before under this key. */
  readonly salt: Bytes;
  /** The number of the chunk that the first bytes are. */
  readonly fromChunk: number;
}

/** Seals one pass over a stream. Misuse is a RangeError. */
export class ChunkSealer {
  /** Goes first. */
  readonly header: Bytes;
  readonly #keys: StreamKeys;
  readonly #nonce: Bytes = new Uint8Array(GCM_NONCE_BYTES);
  #chunk: number;
  #ended = false;

  constructor({ key, context, salt, fromChunk }: SealerStart) {
    checkKey(key);
    this.#chunk = checkChunk(fromChunk, CHUNKS_MOST);
    this.#keys = deriveKeys(key, salt, context);
    this.header = concatBytes(salt, this.#keys.commitment);
  }

  /**
   * @param plain whole chunks, any number of them; not the last chunk of the stream, however long
   * @returns what to write, in order. The pieces are not joined: a socket that is corked takes them in one write.
   */
  seal(plain: Bytes): Bytes[] {
    if (plain.length % CHUNK_BYTES !== 0) throw new RangeError('only the last chunk may be short');
    const pieces: Bytes[] = [];
    for (let at = 0; at < plain.length; at += CHUNK_BYTES)
      this.#sealOne(plain.subarray(at, at + CHUNK_BYTES), pieces);
    return pieces;
  }

  /** @param plain what is left, less than a chunk, and nothing where the stream ends with a whole one */
  last(plain: Bytes): Bytes[] {
    if (plain.length >= CHUNK_BYTES) throw new RangeError('the last chunk is shorter than the others');
    const pieces: Bytes[] = [];
    this.#sealOne(plain, pieces);
    this.#ended = true;
    return pieces;
  }

  #sealOne(plain: Bytes, pieces: Bytes[]): void {
    if (this.#ended) throw new RangeError('the stream has ended');
    if (this.#chunk >= CHUNKS_MOST) throw new RangeError('the stream is too long');
    setNonce(this.#nonce, this.#keys.baseNonce, this.#chunk);
    this.#chunk += 1;
    const cipher: CipherGCM = createCipheriv('aes-256-gcm', this.#keys.key, this.#nonce, GCM);
    if (plain.length > 0) pieces.push(cipher.update(plain));
    cipher.final();
    pieces.push(cipher.getAuthTag());
  }
}

export interface OpenerStart {
  /** 32 bytes. */
  readonly key: Bytes;
  readonly context: Bytes;
  /** The number of the first chunk that comes. */
  readonly fromChunk: number;
  /** Of plaintext, in the whole stream: it says where the last chunk is and how long. */
  readonly bytes: number;
}

/** Opens one pass over a stream. Whatever is wrong with it is a ProtocolError, the first time and ever after. */
export class ChunkOpener {
  readonly #start: OpenerStart;
  readonly #lastChunk: number;
  readonly #header: Bytes = new Uint8Array(STREAM_HEADER_BYTES);
  readonly #nonce: Bytes = new Uint8Array(GCM_NONCE_BYTES);
  #headerBytes = 0;
  #keys: StreamKeys | null = null;
  #chunk: number;
  /** A chunk that came in several pieces is put together here: copying it costs less than deciphering it in parts. */
  readonly #sealed: Bytes = new Uint8Array(CHUNK_BYTES + TAG_BYTES);
  #sealedBytes = 0;
  #failure: ProtocolError | null = null;

  constructor(start: OpenerStart) {
    checkKey(start.key);
    const chunks = chunkCount(start.bytes);
    this.#start = start;
    this.#lastChunk = chunks - 1;
    this.#chunk = checkChunk(start.fromChunk, chunks);
  }

  /** The last chunk has been opened, and nothing came after it. */
  get done(): boolean {
    return this.#failure === null && this.#chunk > this.#lastChunk;
  }

  /**
   * @param piece the next bytes of the sealed stream, however they were cut
   * @returns what they have completed, authenticated and in order
   * @throws ProtocolError `bad-commitment` for another key or context, `bad-chunk` for one that was not sealed as this number and
   *   length, `too-much` for bytes after the end. What else the same piece held is not given out.
   */
  push(piece: Bytes): Bytes[] {
    if (this.#failure !== null) throw this.#failure;
    try {
      return this.#take(piece);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#failure = error;
      throw error;
    }
  }

  /** No more will come. @throws ProtocolError `truncated` unless all of it was there, or as `push` did */
  end(): void {
    if (this.done) return;
    this.#failure ??= new ProtocolError('truncated', 'a stream ended before its last chunk');
    throw this.#failure;
  }

  #take(piece: Bytes): Bytes[] {
    const opened: Bytes[] = [];
    let rest = this.#takeHeader(piece);
    while (rest.length > 0) {
      if (this.#keys === null) throw new Error('unreachable: bytes beyond a header without keys');
      if (this.#chunk > this.#lastChunk) throw new ProtocolError('too-much', 'bytes after the last chunk');
      const plainLength = this.#chunk === this.#lastChunk ? this.#start.bytes % CHUNK_BYTES : CHUNK_BYTES;
      const part = rest.subarray(0, plainLength + TAG_BYTES - this.#sealedBytes);
      rest = rest.subarray(part.length);
      const sealed = this.#whole(part, plainLength + TAG_BYTES);
      if (sealed === null) break;
      const plain = this.#open(this.#keys, sealed, plainLength);
      if (plain.length > 0) opened.push(plain);
      this.#chunk += 1;
    }
    return opened;
  }

  /** @returns the sealed chunk, once its last part is there: where it lies, or where its parts have been put together */
  #whole(part: Bytes, length: number): Bytes | null {
    if (part.length === length) return part;
    this.#sealed.set(part, this.#sealedBytes);
    this.#sealedBytes += part.length;
    if (this.#sealedBytes < length) return null;
    this.#sealedBytes = 0;
    return this.#sealed.subarray(0, length);
  }

  #takeHeader(piece: Bytes): Bytes {
    if (this.#keys !== null) return piece;
    const part = piece.subarray(0, STREAM_HEADER_BYTES - this.#headerBytes);
    this.#header.set(part, this.#headerBytes);
    this.#headerBytes += part.length;
    if (this.#headerBytes < STREAM_HEADER_BYTES) return piece.subarray(part.length);
    const { key, context } = this.#start;
    const keys = deriveKeys(key, this.#header.subarray(0, STREAM_SALT_BYTES), context);
    if (!secretsEqual(keys.commitment, this.#header.subarray(STREAM_SALT_BYTES)))
      throw new ProtocolError('bad-commitment', 'a stream is not sealed under this key and context');
    this.#keys = keys;
    return piece.subarray(part.length);
  }

  #open({ key, baseNonce }: StreamKeys, sealed: Bytes, plainLength: number): Bytes {
    setNonce(this.#nonce, baseNonce, this.#chunk);
    const decipher = createDecipheriv('aes-256-gcm', key, this.#nonce, GCM);
    const plain = decipher.update(sealed.subarray(0, plainLength));
    try {
      decipher.setAuthTag(sealed.subarray(plainLength));
      decipher.final();
    } catch (cause) {
      throw new ProtocolError('bad-chunk', `chunk ${this.#chunk} of a stream is not what was sealed`, {
        cause,
      });
    }
    return plain;
  }
}

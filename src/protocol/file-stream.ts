/**
 * The lengths of a file as it travels: chunked encryption, from any chunk on. Only arithmetic: the host counts as well.
 * @see docs/protocol.md#files
 */

/** Of plaintext in every chunk but the last, which is always shorter. */
export const CHUNK_BYTES = 16_384;
export const TAG_BYTES = 16;
/** Before the first chunk of every pass: a salt and a commitment to key and context. */
export const STREAM_SALT_BYTES = 24;
export const COMMITMENT_BYTES = 32;
export const STREAM_HEADER_BYTES: number = STREAM_SALT_BYTES + COMMITMENT_BYTES;

/** The numbers of chunks: what the last four bytes of a nonce can tell apart. */
export const CHUNKS_MOST: number = 2 ** 32;

/**
 * @param bytes of plaintext
 * @returns how many chunks it has; there is always a last one, which may be empty
 * @throws RangeError for what no stream can have
 */
export function chunkCount(bytes: number): number {
  const count = Math.floor(bytes / CHUNK_BYTES) + 1;
  if (!Number.isSafeInteger(bytes) || bytes < 0 || count > CHUNKS_MOST)
    throw new RangeError(`no stream is ${bytes} bytes long`);
  return count;
}

/** @throws RangeError for a chunk that there is not among so many */
export function checkChunk(chunk: number, chunks: number): number {
  if (!Number.isSafeInteger(chunk) || chunk < 0 || chunk >= chunks)
    throw new RangeError(`there is no chunk ${chunk}`);
  return chunk;
}

/** @returns the length of the header and all sealed chunks from `fromChunk` on, for a stream of `bytes` of plaintext */
export function sealedBytes(bytes: number, fromChunk: number): number {
  const chunks = chunkCount(bytes) - checkChunk(fromChunk, chunkCount(bytes));
  return STREAM_HEADER_BYTES + bytes - fromChunk * CHUNK_BYTES + chunks * TAG_BYTES;
}

/** @param streamBytes of a pass that began at `fromChunk` @returns how much of the plaintext is in whole chunks up to there */
export function plainBytes(streamBytes: number, fromChunk: number, bytes: number): number {
  const chunks = Math.floor(Math.max(0, streamBytes - STREAM_HEADER_BYTES) / (CHUNK_BYTES + TAG_BYTES));
  return Math.min(bytes, (fromChunk + chunks) * CHUNK_BYTES);
}

/** @param streamBytes a place in the stream of a pass that began at `fromChunk` @returns where it stands in that from chunk 0 */
export function placeInWhole(streamBytes: number, fromChunk: number): number {
  return streamBytes < STREAM_HEADER_BYTES
    ? streamBytes
    : streamBytes + fromChunk * (CHUNK_BYTES + TAG_BYTES);
}

/** @returns as much of a pass as whole chunks fill, of which a sender can send no part */
export function wholeChunks(streamBytes: number): number {
  const sealed = CHUNK_BYTES + TAG_BYTES;
  return STREAM_HEADER_BYTES + Math.max(0, Math.floor((streamBytes - STREAM_HEADER_BYTES) / sealed)) * sealed;
}

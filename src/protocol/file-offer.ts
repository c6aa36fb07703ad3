/**
 * What is offered: a file, or a folder as a manifest and the contents of its files, one after the other. An offer is the
 * reference of a content of kind `file`; its text is the name.
 * @see docs/protocol.md#files
 */
import type { Bytes } from './bytes.ts';
import { codec, type Decoded, field } from './codec.ts';
import { ProtocolError } from './errors.ts';
import { LIMITS } from './limits.ts';

export const FILE_ID_BYTES = 16;
export const FILE_KEY_BYTES = 32;

export const fileOffer = field.struct({
  fileId: field.fixed(FILE_ID_BYTES),
  /** Input key of the chunked encryption. */
  key: field.fixed(FILE_KEY_BYTES),
  /** SHA-256 of the file; of a folder, of its manifest. */
  hash: field.hash,
  /** Of what is carried: the file, or manifest and contents. */
  bytes: field.u64,
  /** 0 for a single file. */
  manifestBytes: field.u32,
  /** In the folder. */
  files: field.u32,
});
export const FileOffer = codec('file offer', fileOffer);
export type FileOffer = Decoded<typeof FileOffer>;

export function isFolder({ manifestBytes }: Pick<FileOffer, 'manifestBytes'>): boolean {
  return manifestBytes > 0;
}

/** @throws ProtocolError `malformed`, also for an offer that contradicts itself */
export function decodeOffer(reference: Bytes): FileOffer {
  const offer = FileOffer.decode(reference.slice());
  const { bytes, manifestBytes, files } = offer;
  if (bytes > LIMITS.fileBytesMost || manifestBytes > bytes || (manifestBytes === 0 && files > 0))
    throw new ProtocolError('malformed', 'malformed file offer');
  return offer;
}

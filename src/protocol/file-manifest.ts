/**
 * The list of a folder's files, which goes before their contents: an offer of a folder names its hash.
 * @see docs/protocol.md#files
 */
import type { Bytes } from './bytes.ts';
import { codec, type Decoded, field } from './codec.ts';
import { ProtocolError } from './errors.ts';
import { isRooted, nameKey, safeRelativePath } from './file-name.ts';
import type { FileOffer } from './file-offer.ts';
import { type Hash, hash } from './identifiers.ts';
import { LIMITS } from './limits.ts';

const FileManifest = codec(
  'manifest',
  field.list(
    field.u32,
    LIMITS.folderFilesMost,
    field.struct({
      /** From the folder on, with `/` between names. */
      path: field.text,
      bytes: field.u64,
      /** SHA-256 of the content. */
      hash: field.hash,
      /** Told only: what others send is never made executable. */
      executable: field.bool,
    }),
  ),
);

export type ManifestFile = Decoded<typeof FileManifest>[number];

/** A file as it is going to lie in the folder here. */
export interface FolderFile {
  /** Safe names of folders, and of the file. */
  readonly segments: readonly string[];
  readonly bytes: number;
  readonly hash: Hash;
}

export function encodeManifest(files: readonly ManifestFile[]): Bytes {
  return FileManifest.encode([...files]);
}

/**
 * @param bytes as they came, their hash compared with the offer's
 * @returns the files in the order of their contents
 * @throws ProtocolError `malformed`, `bad-manifest` when it is not what the offer says, or has a path that nobody may take
 */
export function decodeManifest(
  bytes: Bytes,
  offer: Pick<FileOffer, 'bytes' | 'manifestBytes' | 'files'>,
): readonly FolderFile[] {
  if (bytes.length !== offer.manifestBytes || bytes.length > LIMITS.manifestBytes)
    throw new ProtocolError('bad-manifest', 'a manifest is not as long as its offer says');
  const files = FileManifest.decode(bytes);
  if (files.length !== offer.files)
    throw new ProtocolError('bad-manifest', 'a manifest lists another number of files than its offer says');
  let contentBytes = 0;
  for (const file of files) contentBytes += file.bytes;
  if (contentBytes !== offer.bytes - offer.manifestBytes)
    throw new ProtocolError('bad-manifest', 'the files of a manifest are not as long as its offer says');
  const problem = pathProblem(files.map(({ path }) => path));
  if (problem !== null)
    throw new ProtocolError('bad-manifest', `a manifest has a path that cannot be taken: ${problem.kind}`);
  return files.map((file) => ({
    segments: safeRelativePath(file.path) ?? [],
    bytes: file.bytes,
    hash: hash(file.hash.slice()),
  }));
}

export interface PathProblem {
  /** It leads elsewhere on some system; is too long or too deep; two paths are one somewhere; one is a file and a folder. */
  readonly kind: 'rooted' | 'unusable' | 'same' | 'file-and-folder';
  readonly path: string;
}

/** @returns the first of a folder's paths that whoever takes the folder would refuse; `null`: all are taken */
export function pathProblem(paths: readonly string[]): PathProblem | null {
  const known = new Map<string, 'file' | 'folder'>();
  for (const path of paths) {
    const segments = safeRelativePath(path);
    if (segments === null) return { kind: isRooted(path) ? 'rooted' : 'unusable', path };
    let key = '';
    for (const [place, segment] of segments.entries()) {
      key += `/${nameKey(segment)}`;
      const is = place === segments.length - 1 ? 'file' : 'folder';
      const was = known.get(key);
      if (was === undefined) known.set(key, is);
      else if (was !== is) return { kind: 'file-and-folder', path };
      else if (is === 'file') return { kind: 'same', path };
    }
  }
  return null;
}

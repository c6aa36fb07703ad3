/** Files on a real disk, for tests of what is sent and taken. */
import { lstatSync, mkdtempDisposableSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../../src/crypto/hash.ts';
import { type Bytes, concatBytes } from '../../src/protocol/bytes.ts';
import { encodeManifest } from '../../src/protocol/file-manifest.ts';
import { FILE_ID_BYTES, FILE_KEY_BYTES, type FileOffer } from '../../src/protocol/file-offer.ts';

const SECRETS = {
  fileId: new Uint8Array(FILE_ID_BYTES).fill(1),
  key: new Uint8Array(FILE_KEY_BYTES).fill(2),
} as const;

export interface TestFolder extends Disposable {
  readonly path: string;
  join(name: string): string;
}

/** Gone at the end of the block. */
export function folderFor(): TestFolder {
  const folder = mkdtempDisposableSync(join(tmpdir(), 'securechat-files-'));
  return {
    path: folder.path,
    join: (name) => join(folder.path, name),
    [Symbol.dispose]: () => folder.remove(),
  };
}

/** So many bytes, in which no two parts are alike; or those of a text. */
export function content(of: number | string | Bytes): Bytes {
  if (typeof of === 'string') return new Uint8Array(Buffer.from(of));
  if (typeof of !== 'number') return of;
  const words = new Uint32Array(Math.ceil(of / 4));
  for (let at = 0; at < words.length; at += 1) words[at] = Math.imul(at + 1, 0x9e3779b1);
  return new Uint8Array(words.buffer, 0, of);
}

/** What `assert.rejects` compares with: a sentence for a person. */
export function inputError(code: string, message: string | RegExp) {
  return { name: 'InputError', code, message };
}

/** Offers this content as one file. */
export function fileOffer(plain: Bytes): FileOffer {
  return { ...SECRETS, hash: sha256(plain), bytes: plain.length, manifestBytes: 0, files: 0 };
}

export interface OfferedFolder {
  readonly offer: FileOffer;
  /** Manifest and contents. */
  readonly stream: Bytes;
}

/** @param files by their paths; in this order */
export function offeredFolder(files: Readonly<Record<string, Bytes | string>>): OfferedFolder {
  const contents = Object.entries(files).map(([path, data]) => ({ path, data: content(data) }));
  const manifest = encodeManifest(
    contents.map(({ path, data }) => ({ path, bytes: data.length, hash: sha256(data), executable: true })),
  );
  const stream = concatBytes(manifest, ...contents.map(({ data }) => data));
  const counts = { bytes: stream.length, manifestBytes: manifest.length, files: contents.length };
  return { offer: { ...SECRETS, hash: sha256(manifest), ...counts }, stream };
}

/** Everything below a folder: content of files, `null` for folders, `->` where links lead. */
export function tree(folder: string): Readonly<Record<string, string | null>> {
  const found: Record<string, string | null> = {};
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(folder, name);
    const stats = lstatSync(path);
    if (stats.isSymbolicLink()) found[name] = `-> ${readlinkSync(path)}`;
    else found[name] = stats.isFile() ? readFileSync(path, 'latin1') : null;
  }
  return found;
}

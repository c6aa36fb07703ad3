/** What is taken lands where it may, whole or not at all, and is gone on with after any interruption. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Download } from '../../../src/app/files/download.ts';
import { ChunkOpener, ChunkSealer } from '../../../src/crypto/chunked.ts';
import { type Bytes, bytesEqual, concatBytes, toHex } from '../../../src/protocol/bytes.ts';
import { partialName } from '../../../src/protocol/file-name.ts';
import type { FileOffer } from '../../../src/protocol/file-offer.ts';
import {
  CHUNK_BYTES,
  STREAM_HEADER_BYTES,
  STREAM_SALT_BYTES,
  TAG_BYTES,
} from '../../../src/protocol/file-stream.ts';
import { LIMITS } from '../../../src/protocol/limits.ts';
import { content, fileOffer, folderFor, inputError, offeredFolder, tree } from '../../helpers/files.ts';
import { NAUGHTY } from '../../helpers/naughty-strings.ts';
import { vectors } from '../../helpers/vectors.ts';

const MIB = 1_024 * 1_024;

/** Writes the rest of the stream from where the download stands, in pieces as they come from a line. */
async function writeRest(
  download: Download,
  stream: Bytes,
  piece = 9_000,
  upTo = stream.length,
): Promise<void> {
  for (let at = download.resumeChunk * CHUNK_BYTES; at < upTo; at += 4 * piece) {
    const pieces = [0, 1, 2, 3].map((n) =>
      stream.subarray(at + n * piece, Math.min(upTo, at + (n + 1) * piece)),
    );
    await download.write(pieces.filter(({ length }) => length > 0));
  }
}

async function take(folder: string, name: string, offer: FileOffer, stream: Bytes): Promise<string> {
  const download = await Download.open({ folder, name, offer });
  await writeRest(download, stream);
  return (await download.finish()).path;
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

function partOf(name: string, { hash }: FileOffer): string {
  return partialName(name, toHex(hash));
}

describe('a file', () => {
  test('takes its name when all of it is there, for this account alone', async () => {
    using folder = folderFor();
    const plain = content(MIB + 5);
    const offer = fileOffer(plain);
    const downloads = folder.join('deep/downloads');
    const download = await Download.open({ folder: downloads, name: 'photo.jpg', offer });
    assert.equal(download.path, join(downloads, 'photo.jpg'));
    assert.equal(download.resumeChunk, 0);
    await writeRest(download, plain);
    assert.deepEqual(readdirSync(downloads).sort(), [
      partOf('photo.jpg', offer),
      `${partOf('photo.jpg', offer)}.lock`,
    ]);
    assert.equal(modeOf(join(downloads, partOf('photo.jpg', offer))), 0o600);
    assert.deepEqual(await download.finish(), { path: download.path });
    assert.deepEqual(readdirSync(downloads), ['photo.jpg']);
    assert.ok(bytesEqual(readFileSync(download.path), plain));
    assert.deepEqual(
      [modeOf(downloads), modeOf(download.path), statSync(download.path).nlink],
      [0o700, 0o600, 1],
    );
    await download.leave();
    await download.discard();
    assert.ok(existsSync(download.path), 'what is finished stays');
  });

  test('may be empty, or end with a whole chunk', async () => {
    using folder = folderFor();
    for (const bytes of [0, 1, CHUNK_BYTES, 16 * CHUNK_BYTES, 17 * CHUNK_BYTES]) {
      const plain = content(bytes);
      const path = await take(folder.path, `f${bytes}`, fileOffer(plain), plain);
      assert.ok(bytesEqual(readFileSync(path), plain));
    }
  });

  test('is taken in whatever pieces it comes', async () => {
    using folder = folderFor();
    const plain = content(700_000);
    const lengths = fc.array(fc.oneof(fc.integer({ min: 0, max: 100 }), fc.nat(600_000)), { maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(lengths, async (cut) => {
        const download = await Download.open({ folder: folder.path, name: 'x', offer: fileOffer(plain) });
        let at = 0;
        for (const length of [...cut, plain.length]) {
          const piece = plain.subarray(at, at + length);
          at += piece.length;
          await download.write([piece.subarray(0, length / 3), piece.subarray(length / 3)]);
        }
        const { path } = await download.finish();
        assert.ok(bytesEqual(readFileSync(path), plain));
        rmSync(path);
      }),
      { numRuns: 30 },
    );
  });

  test('of which nothing has come leaves nothing', async () => {
    using folder = folderFor();
    for (const offer of [fileOffer(content(500_000)), fileOffer(content(0)), FOLDER]) {
      const download = await Download.open({ folder: folder.path, name: 'x', offer });
      assert.equal(Object.keys(tree(folder.path)).length, 2, 'it, and its lock');
      await download.leave();
      assert.deepEqual(tree(folder.path), {});
    }
  });

  test('that is given up is gone, and one that is left stays as far as it came', async () => {
    using folder = folderFor();
    const plain = content(500_000);
    const start = { folder: folder.path, name: 'x', offer: fileOffer(plain) };
    const first = await Download.open(start);
    void first.write([plain.subarray(0, 300_001)]);
    await first.leave();
    assert.deepEqual(tree(folder.path), {
      [partOf('x', start.offer)]: Buffer.from(plain.subarray(0, 300_001)).toString('latin1'),
    });
    await assert.rejects(first.write([]), RangeError);
    await assert.rejects(first.finish(), RangeError);
    const second = await Download.open(start);
    assert.equal(second.resumeChunk, Math.floor(300_001 / CHUNK_BYTES));
    void second.write([plain.subarray(0, 400_000)]);
    await Promise.all([second.discard(), second.discard(), second.leave()]);
    assert.deepEqual(tree(folder.path), {});
  });

  test('is taken by one program at a time', async () => {
    using folder = folderFor();
    const plain = content(5);
    const start = { folder: folder.path, name: 'x.txt', offer: fileOffer(plain) };
    const first = await Download.open(start);
    await assert.rejects(
      Download.open(start),
      inputError(
        'file-busy',
        'Another program is taking "x.txt" into this folder. Wait for it, or accept the file into another folder.',
      ),
    );
    await writeRest(first, plain);
    await first.finish();
    const again = await Download.open(start);
    await again.discard();
    assert.deepEqual(tree(folder.path), { 'x.txt': Buffer.from(plain).toString('latin1') });
  });
});

describe('P41 a file is gone on with', () => {
  test('from any length, to the same file', async () => {
    using folder = folderFor();
    const plain = content(5 * CHUNK_BYTES + 77);
    const offer = fileOffer(plain);
    const part = folder.join(partOf('x', offer));
    const near = fc
      .tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: -2, max: 2 }))
      .map(([chunks, beside]) => Math.min(plain.length, Math.max(0, chunks * CHUNK_BYTES + beside)));
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(near, fc.nat(plain.length)),
        fc.integer({ min: 1, max: 40_000 }),
        async (length, piece) => {
          writeFileSync(part, plain.subarray(0, length), { mode: 0o644 });
          const download = await Download.open({ folder: folder.path, name: 'x', offer });
          assert.equal(download.resumeChunk, Math.floor(length / CHUNK_BYTES));
          await writeRest(download, plain, piece);
          const { path } = await download.finish();
          assert.ok(bytesEqual(readFileSync(path), plain));
          assert.equal(modeOf(path), 0o600);
          rmSync(path);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('but not with what is longer than the whole', async () => {
    using folder = folderFor();
    const plain = content(100_000);
    const offer = fileOffer(plain);
    writeFileSync(folder.join(partOf('x', offer)), content(100_001));
    const download = await Download.open({ folder: folder.path, name: 'x', offer });
    assert.equal(download.resumeChunk, 0);
    await writeRest(download, plain);
    await download.finish();
  });

  test('while what is there is hashed it can be given up', async () => {
    using folder = folderFor();
    const offer = fileOffer(content(5 * MIB));
    writeFileSync(folder.join(partOf('x', offer)), content(4 * MIB));
    const signal = AbortSignal.abort(new Error('stop'));
    await assert.rejects(Download.open({ folder: folder.path, name: 'x', offer, signal }), {
      message: 'stop',
    });
    assert.deepEqual(readdirSync(folder.path), [partOf('x', offer)]);
  });
});

const FILES = {
  'a.txt': 'first',
  empty: '',
  'inner/big': content(3 * CHUNK_BYTES + 11),
  'inner/deep/also empty': '',
  'inner/deep/x': content(50_000),
  z: 'last',
} as const;
const { offer: FOLDER, stream: STREAM } = offeredFolder(FILES);

function checkFolder(path: string): void {
  const found = Object.entries(tree(path)).filter(([, data]) => data !== null);
  const expected = Object.entries(FILES).map(([name, data]) => [
    name,
    Buffer.from(content(data)).toString('latin1'),
  ]);
  assert.deepEqual(Object.fromEntries(found), Object.fromEntries(expected));
}

describe('a folder', () => {
  test('takes its name when all of it is there, for this account alone, with nothing to be run', async () => {
    using folder = folderFor();
    const download = await Download.open({ folder: folder.path, name: 'things', offer: FOLDER });
    await writeRest(download, STREAM);
    assert.deepEqual(readdirSync(folder.path).sort(), [
      partOf('things', FOLDER),
      `${partOf('things', FOLDER)}.lock`,
    ]);
    assert.deepEqual(await download.finish(), { path: folder.join('things') });
    assert.deepEqual(readdirSync(folder.path), ['things']);
    checkFolder(folder.join('things'));
    for (const name of readdirSync(folder.join('things'), { recursive: true, encoding: 'utf8' })) {
      const path = folder.join(`things/${name}`);
      assert.equal(modeOf(path), statSync(path).isDirectory() ? 0o700 : 0o600);
    }
  });

  test('may be empty, or hold empty files only', async () => {
    using folder = folderFor();
    const none = offeredFolder({});
    assert.deepEqual(tree(await take(folder.path, 'none', none.offer, none.stream)), {});
    const hollow = offeredFolder({ a: '', 'b/c': '' });
    assert.deepEqual(tree(await take(folder.path, 'hollow', hollow.offer, hollow.stream)), {
      a: '',
      b: null,
      'b/c': '',
    });
  });

  test('P41 is gone on with from any place, to the same folder', async () => {
    using folder = folderFor();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(STREAM.length), { maxLength: 4 }), async (stops) => {
        for (const stop of stops) {
          const download = await Download.open({ folder: folder.path, name: 'x', offer: FOLDER });
          await writeRest(download, STREAM, 5_000, stop);
          await download.leave();
        }
        const path = await take(folder.path, 'x', FOLDER, STREAM);
        checkFolder(path);
        rmSync(path, { recursive: true });
      }),
      { numRuns: 15 },
    );
  });

  test('P41 begins where it stopped, within a file as well', async () => {
    using folder = folderFor();
    const start = { folder: folder.path, name: 'x', offer: FOLDER };
    const first = await Download.open(start);
    const stop = FOLDER.manifestBytes + 5 + 2 * CHUNK_BYTES + 99;
    await writeRest(first, STREAM, 5_000, stop);
    await first.leave();
    const part = folder.join(partOf('x', FOLDER));
    const second = await Download.open(start);
    assert.equal(second.resumeChunk, Math.floor(stop / CHUNK_BYTES));
    await writeRest(second, STREAM);
    await second.leave();
    // All there, and not named: killed just before.
    const third = await Download.open(start);
    assert.equal(third.resumeChunk, Math.floor(STREAM.length / CHUNK_BYTES));
    await third.leave();
    // A file that was spoiled on the disk is taken once more, and so is what follows.
    writeFileSync(join(part, 'inner/big'), content(3 * CHUNK_BYTES + 11).fill(0));
    const fourth = await Download.open(start);
    assert.equal(fourth.resumeChunk, Math.floor((FOLDER.manifestBytes + 5) / CHUNK_BYTES));
    await writeRest(fourth, STREAM);
    checkFolder((await fourth.finish()).path);
  });

  test('whose manifest is not there, or another, begins anew and keeps nothing of before', async () => {
    using folder = folderFor();
    const part = folder.join(partOf('x', FOLDER));
    for (const spoil of [
      () => rmSync(join(part, '.manifest')),
      () => writeFileSync(join(part, '.manifest'), content(FOLDER.manifestBytes)),
      () => truncateSync(join(part, '.manifest'), 10),
    ]) {
      const first = await Download.open({ folder: folder.path, name: 'x', offer: FOLDER });
      await writeRest(first, STREAM, 5_000, 70_000);
      await first.leave();
      writeFileSync(join(part, 'stranger'), 'x');
      spoil();
      const second = await Download.open({ folder: folder.path, name: 'x', offer: FOLDER });
      assert.equal(second.resumeChunk, 0);
      await writeRest(second, STREAM);
      const { path } = await second.finish();
      checkFolder(path);
      rmSync(path, { recursive: true });
    }
  });
});

const MISMATCH =
  /^".+" came whole, and is not what was offered\. It was removed\. Accept it again, or ask for it to be sent anew\.$/;

describe('P39 what is not what was offered is never moved into place', () => {
  async function refused(offer: FileOffer, stream: Bytes): Promise<void> {
    using folder = folderFor();
    const download = await Download.open({ folder: folder.path, name: 'x', offer });
    const taking = async (): Promise<unknown> => {
      await writeRest(download, stream);
      return download.finish();
    };
    await assert.rejects(taking, inputError('hash-mismatch', MISMATCH));
    assert.deepEqual(tree(folder.path), {}, 'nothing is left');
    await assert.rejects(download.finish(), inputError('hash-mismatch', MISMATCH));
    await assert.rejects(download.write([content(5)]), inputError('hash-mismatch', MISMATCH));
    await download.leave();
  }

  const plain = content(4 * CHUNK_BYTES);
  const chunk = (n: number): Bytes => plain.subarray(n * CHUNK_BYTES, (n + 1) * CHUNK_BYTES);
  const flipped = (stream: Bytes, at: number): Bytes => {
    const changed = stream.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    return changed;
  };

  test('one bit of a file', () => refused(fileOffer(plain), flipped(plain, 40_000)));
  test('parts in another order', () =>
    refused(fileOffer(plain), concatBytes(chunk(0), chunk(2), chunk(1), chunk(3))));
  test('one bit of a manifest', () => refused(FOLDER, flipped(STREAM, 10)));
  test('one bit of the first file of a folder, and of the last', async () => {
    await refused(FOLDER, flipped(STREAM, FOLDER.manifestBytes));
    await refused(FOLDER, flipped(STREAM, STREAM.length - 1));
  });
  test('files of a folder that are something else on the disk meanwhile', () =>
    refused(offeredFolder({ a: 'one', b: 'two' }).offer, offeredFolder({ a: 'one', b: 'owt' }).stream));

  test('less than all, and more', async () => {
    using folder = folderFor();
    for (const [offer, stream] of [
      [fileOffer(plain), plain],
      [FOLDER, STREAM],
    ] as const) {
      const short = await Download.open({ folder: folder.path, name: 'x', offer });
      await writeRest(short, stream, 5_000, stream.length - 1);
      await assert.rejects(short.finish(), RangeError);
      await short.discard();
      const long = await Download.open({ folder: folder.path, name: 'x', offer });
      const taking = async (): Promise<unknown> => {
        await long.write([stream, content(1)]);
        return long.finish();
      };
      await assert.rejects(taking, RangeError);
      await long.discard();
    }
    assert.deepEqual(tree(folder.path), {});
  });

  test('a partial file that somebody has changed', async () => {
    using folder = folderFor();
    const offer = fileOffer(plain);
    writeFileSync(folder.join(partOf('x', offer)), flipped(plain.subarray(0, 40_000), 5));
    const download = await Download.open({ folder: folder.path, name: 'x', offer });
    await writeRest(download, plain);
    await assert.rejects(download.finish(), inputError('hash-mismatch', MISMATCH));
    assert.deepEqual(tree(folder.path), {});
  });

  const offer = fileOffer(plain);
  const context = content('here');
  const sealer = new ChunkSealer({
    key: offer.key,
    context,
    salt: new Uint8Array(STREAM_SALT_BYTES),
    fromChunk: 0,
  });
  const sealed = concatBytes(sealer.header, ...sealer.seal(plain), ...sealer.last(new Uint8Array()));
  const sealedChunk = (n: number): Bytes => {
    const length = CHUNK_BYTES + TAG_BYTES;
    return sealed.subarray(STREAM_HEADER_BYTES + n * length, STREAM_HEADER_BYTES + (n + 1) * length);
  };
  const header = sealed.subarray(0, STREAM_HEADER_BYTES);
  const streams: Readonly<Record<string, readonly [string, Bytes, Partial<FileOffer>?]>> = {
    truncated: ['truncated', sealed.subarray(0, -1)],
    'truncated by a chunk': ['truncated', sealed.subarray(0, -TAG_BYTES)],
    reordered: [
      'bad-chunk',
      concatBytes(header, sealedChunk(1), sealedChunk(0), sealedChunk(2), sealedChunk(3), sealedChunk(4)),
    ],
    extended: ['too-much', concatBytes(sealed, sealedChunk(4))],
    'under another key': ['bad-commitment', sealed, { key: new Uint8Array(32) }],
  };
  for (const [name, [code, stream, other]] of Object.entries(streams)) {
    test(`a stream ${name}, as it comes from a line`, async () => {
      using folder = folderFor();
      const download = await Download.open({ folder: folder.path, name: 'x', offer });
      const { key, bytes } = { ...offer, ...other };
      const opener = new ChunkOpener({ key, context, fromChunk: download.resumeChunk, bytes });
      const taking = async (): Promise<void> => {
        for (let at = 0; at < stream.length; at += 16_000)
          await download.write(opener.push(stream.subarray(at, at + 16_000)));
        opener.end();
        await download.finish();
      };
      await assert.rejects(taking, { name: 'ProtocolError', code });
      await download.leave();
      for (const left of readdirSync(folder.path)) {
        assert.equal(left, partOf('x', offer));
        const there = readFileSync(folder.join(left));
        assert.ok(bytesEqual(there, plain.subarray(0, there.length)), 'what is there of it is right');
      }
    });
  }
});

describe('P40 nothing that is there is written over', () => {
  test('a name that is taken gets a number, for files and folders', async () => {
    using folder = folderFor();
    const plain = content(9);
    writeFileSync(folder.join('photo.jpg'), 'mine');
    symlinkSync('nowhere', folder.join('photo (2).jpg'));
    mkdirSync(folder.join('photo (3).jpg'));
    assert.equal(await take(folder.path, 'photo.jpg', fileOffer(plain), plain), folder.join('photo (4).jpg'));
    assert.equal(await take(folder.path, 'photo.jpg', fileOffer(plain), plain), folder.join('photo (5).jpg'));
    mkdirSync(folder.join('v1.2'));
    writeFileSync(folder.join('v1.2 (2)'), 'mine');
    symlinkSync('v1.2', folder.join('v1.2 (3)'));
    assert.equal(await take(folder.path, 'v1.2', FOLDER, STREAM), folder.join('v1.2 (4)'));
    assert.deepEqual(
      Object.entries(tree(folder.path)).filter(([name]) => !name.startsWith('v1.2 (4)/')),
      Object.entries({
        'photo (2).jpg': '-> nowhere',
        'photo (3).jpg': null,
        'photo (4).jpg': Buffer.from(plain).toString('latin1'),
        'photo (5).jpg': Buffer.from(plain).toString('latin1'),
        'photo.jpg': 'mine',
        'v1.2': null,
        'v1.2 (2)': 'mine',
        'v1.2 (3)': '-> v1.2',
        'v1.2 (4)': null,
      }),
    );
  });

  test('several that end at once each get a name', async () => {
    using folder = folderFor();
    const plains = Array.from({ length: 12 }, (_, n) => content(`file ${n}`));
    const paths = await Promise.all(
      plains.map((plain) => take(folder.path, 'x.txt', fileOffer(plain), plain)),
    );
    assert.equal(new Set(paths).size, plains.length);
    paths.forEach((path, n) => {
      assert.equal(readFileSync(path, 'utf8'), `file ${n}`);
    });
  });

  test('naughty names stay in the folder', async () => {
    using folder = folderFor();
    writeFileSync(folder.join('outside'), 'mine');
    mkdirSync(folder.join('downloads'));
    const plain = content(3);
    const list = vectors('blns/blns.json') ?? [];
    assert.ok(Array.isArray(list));
    const names = [...NAUGHTY, ...list, '../outside', '/etc/passwd', '..', '', '.', 'C:\\x', '\0'].filter(
      (_, place) => place % 5 === 0 || place >= NAUGHTY.length + list.length,
    );
    for (const name of names) await take(folder.join('downloads'), String(name), fileOffer(plain), plain);
    assert.equal(readdirSync(folder.join('downloads')).length, names.length);
    assert.deepEqual(readdirSync(folder.path).sort(), ['downloads', 'outside']);
    assert.equal(readFileSync(folder.join('outside'), 'utf8'), 'mine');
  });

  for (const path of ['../outside', '/tmp/outside', 'a/../../outside', 'a//b', '..'])
    test(`a manifest with the path ${path}`, async () => {
      using folder = folderFor();
      const { offer, stream } = offeredFolder({ 'good file': 'x', [path]: 'y' });
      const download = await Download.open({ folder: folder.join('downloads'), name: 'x', offer });
      await assert.rejects(
        writeRest(download, stream).then(() => download.finish()),
        inputError(
          'bad-manifest',
          /^"x" cannot be taken: its list of files is not what was offered, or holds names that would meet\./,
        ),
      );
      assert.deepEqual(tree(folder.path), { downloads: null });
    });

  test('more files than there may be are refused before anything is made', async () => {
    using folder = folderFor();
    for (const change of [{ manifestBytes: LIMITS.manifestBytes + 1 }, { files: LIMITS.folderFilesMost + 1 }])
      await assert.rejects(
        Download.open({
          folder: folder.join('d'),
          name: 'x',
          offer: { ...FOLDER, bytes: 2 ** 30, ...change },
        }),
        inputError(
          'too-many-files',
          '"x" holds more files than are taken at once. Ask for it as one file, or in parts.',
        ),
      );
    assert.deepEqual(tree(folder.path), {});
  });
});

const TAKEN =
  /^".+" is a link, or somebody else's: nothing is written to it\. Remove it, and accept the file again\.$/;

describe('P40 nothing is written through a link', () => {
  const plain = content(100_000);
  const offer = fileOffer(plain);

  /** @param lay puts something where a part of the download goes; `victim` is to stay as it is */
  async function refused(what: FileOffer, lay: (part: string, victim: string) => void): Promise<void> {
    using folder = folderFor();
    mkdirSync(folder.join('downloads'));
    writeFileSync(folder.join('victim'), 'mine');
    lay(folder.join(`downloads/${partOf('x', what)}`), folder.join('victim'));
    const before = tree(folder.path);
    const start = { folder: folder.join('downloads'), name: 'x', offer: what };
    await assert.rejects(Download.open(start), inputError('partial-taken', TAKEN));
    assert.deepEqual(tree(folder.path), before);
  }

  for (const [what, it] of [
    ['file', offer],
    ['folder', FOLDER],
  ] as const) {
    test(`in place of the partial ${what}`, () => refused(it, (part, victim) => symlinkSync(victim, part)));
    test(`to nothing, in place of the partial ${what}`, () =>
      refused(it, (part, victim) => symlinkSync(`${victim}.new`, part)));
    test(`in place of the lock of a partial ${what}`, () =>
      refused(it, (part, victim) => symlinkSync(`${victim}.new`, `${part}.lock`)));
    test(`nor is it a pipe in place of the partial ${what}`, async () => {
      using folder = folderFor();
      execFileSync('mkfifo', [folder.join(partOf('x', it))]);
      const start = { folder: folder.path, name: 'x', offer: it };
      await assert.rejects(Download.open(start), inputError('partial-taken', TAKEN));
    });
  }
  test('nor is what is no lock taken for one', () =>
    refused(offer, (part) => writeFileSync(`${part}.lock`, 'nothing that SQLite knows'.repeat(50))));
  test('nor is it a folder in place of a partial file', () => refused(offer, (part) => mkdirSync(part)));
  test('nor is it a file in place of a partial folder', () =>
    refused(FOLDER, (part) => writeFileSync(part, 'x')));

  test('a file with another name keeps it, and what it holds', async () => {
    using folder = folderFor();
    writeFileSync(folder.join('victim'), 'mine');
    linkSync(folder.join('victim'), folder.join(partOf('x', offer)));
    assert.equal(await take(folder.path, 'x', offer, plain), folder.join('x'));
    assert.equal(readFileSync(folder.join('victim'), 'utf8'), 'mine');
    assert.deepEqual(readdirSync(folder.path).sort(), ['victim', 'x']);
  });

  test('in a partial folder', async () => {
    for (const name of ['inner', 'inner/big', 'z']) {
      using folder = folderFor();
      mkdirSync(folder.join('victims'));
      writeFileSync(folder.join('victims/big'), 'mine');
      const start = { folder: folder.join('downloads'), name: 'x', offer: FOLDER };
      const first = await Download.open(start);
      await writeRest(first, STREAM, 5_000, FOLDER.manifestBytes);
      await first.leave();
      const path = folder.join(`downloads/${partOf('x', FOLDER)}/${name}`);
      rmSync(path, { recursive: true, force: true });
      mkdirSync(join(path, '..'), { recursive: true });
      symlinkSync(folder.join(name === 'inner' ? 'victims' : 'victims/big'), path);
      const taking = async (): Promise<void> => {
        const second = await Download.open(start);
        await writeRest(second, STREAM);
        await second.finish().finally(() => second.leave());
      };
      await assert.rejects(taking, inputError('partial-taken', TAKEN), name);
      assert.deepEqual(tree(folder.join('victims')), { big: 'mine' });
      assert.ok(lstatSync(path).isSymbolicLink());
    }
  });

  test('a downloads folder may be a link: this account has chosen it', async () => {
    using folder = folderFor();
    mkdirSync(folder.join('real'));
    symlinkSync('real', folder.join('downloads'));
    await take(folder.join('downloads'), 'x', offer, plain);
    assert.deepEqual(readdirSync(folder.join('real')), ['x']);
  });
});

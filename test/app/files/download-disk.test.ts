/** Disks that do not take what comes, programs that are killed, and what is left lying about. */
import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  promises,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { Readable } from 'node:stream';
import { describe, mock, test } from 'node:test';
import { Download } from '../../../src/app/files/download.ts';
import { cannotTake } from '../../../src/app/files/file-sentences.ts';
import { removeStale, staleParts } from '../../../src/app/files/stale-parts.ts';
import { type Bytes, bytesEqual, toHex } from '../../../src/protocol/bytes.ts';
import { partialName } from '../../../src/protocol/file-name.ts';
import type { FileOffer } from '../../../src/protocol/file-offer.ts';
import { CHUNK_BYTES } from '../../../src/protocol/file-stream.ts';
import { content, fileOffer, folderFor, inputError, offeredFolder, tree } from '../../helpers/files.ts';
import { available } from '../../helpers/tools.ts';

const MIB = 1_024 * 1_024;
const DOWNLOAD_URL = import.meta.resolve('../../../src/app/files/download.ts');
const HELPERS_URL = import.meta.resolve('../../helpers/files.ts');

async function takeRest(download: Download, stream: Bytes): Promise<string> {
  for (let at = download.resumeChunk * CHUNK_BYTES; at < stream.length; at += 100_000)
    await download.write([stream.subarray(at, at + 100_000)]);
  return (await download.finish()).path;
}

function partOf(name: string, { hash }: FileOffer): string {
  return partialName(name, toHex(hash));
}

/** A program that runs `body` with `folder`, `Download` and the helpers of files. */
function script(body: string): string {
  return `
    const { Download } = await import(${JSON.stringify(DOWNLOAD_URL)});
    const { content, fileOffer, offeredFolder } = await import(${JSON.stringify(HELPERS_URL)});
    const [folder, number] = process.argv.slice(1);
    const say = ({ code, message }) => console.log(code, message);
    ${body}`;
}

function ran(body: string, words: readonly string[], shell?: string): string {
  const args = ['--input-type=module', '-e', script(body), ...words];
  const { stdout, stderr } =
    shell === undefined
      ? spawnSync(process.execPath, args, { encoding: 'utf8' })
      : spawnSync('sh', ['-c', `${shell}; exec "$0" "$@"`, process.execPath, ...args], { encoding: 'utf8' });
  return stdout + stderr;
}

function runs(body: string, words: readonly string[]): ChildProcessByStdio<null, Readable, null> {
  return spawn(process.execPath, ['--input-type=module', '-e', script(body), ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function exitOf(child: ReturnType<typeof runs>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once('exit', () => resolve());
  await promise;
}

describe('P41 a program that is killed', () => {
  const body = (stream: string): string => `
    const { offer, stream } = ${stream};
    const download = await Download.open({ folder, name: 'x', offer });
    console.log('chunk', download.resumeChunk);
    const upTo = Number(number);
    for (let at = download.resumeChunk * 16384; at < upTo; at += 65536)
      await download.write([stream.subarray(at, Math.min(upTo, at + 65536))]);
    console.log('written');
    setInterval(() => {}, 1000);`;
  for (const [what, made, text] of [
    [
      'file',
      { offer: fileOffer(content(3 * MIB)), stream: content(3 * MIB) },
      '{ offer: fileOffer(content(3145728)), stream: content(3145728) }',
    ],
    [
      'folder',
      offeredFolder({ a: content(MIB), 'b/c': content(2 * MIB) }),
      'offeredFolder({ a: content(1048576), "b/c": content(2097152) })',
    ],
  ] as const)
    test(`leaves of a ${what} what the next one goes on with, and locks nobody out`, async () => {
      using folder = folderFor();
      const { offer, stream } = made;
      let lastChunk = -1;
      for (const upTo of [700_000, 1_500_000, 2_900_000]) {
        const child = runs(body(text), [folder.path, String(upTo)]);
        let said = '';
        for await (const data of child.stdout) {
          said += data;
          if (said.includes('written')) break;
        }
        child.kill('SIGKILL');
        await exitOf(child);
        const chunk = Number(/chunk (\d+)/.exec(said)?.[1]);
        assert.ok(chunk > lastChunk, said);
        lastChunk = chunk;
        assert.ok(
          existsSync(folder.join(`${partOf('x', offer)}.lock`)),
          'it had no time to put anything away',
        );
      }
      const download = await Download.open({ folder: folder.path, name: 'x', offer });
      // At most one write has not been made.
      assert.ok(download.resumeChunk >= Math.floor((2_900_000 - 256 * 1_024) / CHUNK_BYTES));
      const path = await takeRest(download, stream);
      assert.deepEqual(readdirSync(folder.path), ['x']);
      if (what === 'file') assert.ok(bytesEqual(readFileSync(path), stream));
      else assert.ok(bytesEqual(readFileSync(`${path}/b/c`), content(2 * MIB)));
    });
});

const plain = content(2 * MIB);
const offer = fileOffer(plain);

if (available(['unshare', '-m', 'true'], 'a disk that is full, and one that can only be read')) {
  describe('a small disk', () => {
    function mount(...words: readonly string[]): void {
      assert.equal(spawnSync('mount', words).status, 0);
    }

    function smallDisk(): ReturnType<typeof folderFor> {
      const folder = folderFor();
      mkdirSync(folder.join('disk'));
      mount('-t', 'tmpfs', '-o', 'size=4m,mode=700', 'none', folder.join('disk'));
      return {
        ...folder,
        [Symbol.dispose]() {
          spawnSync('umount', ['-l', folder.join('disk')]);
          folder[Symbol.dispose]();
        },
      };
    }

    test('without room for it all is told before anything is taken', async () => {
      using folder = smallDisk();
      const large = { ...offer, bytes: 5 * MIB };
      await assert.rejects(
        Download.open({ folder: folder.join('disk'), name: 'x', offer: large }),
        inputError(
          'disk-full',
          /^There is no room for "x" in ".+disk"\. What is there of it stays\. Free 5 MiB, and accept it again\.$/,
        ),
      );
      assert.deepEqual(tree(folder.join('disk')), {});
    });

    for (const [what, it, stream] of [
      ['file', offer, plain],
      ['folder', ...(({ offer, stream }) => [offer, stream] as const)(offeredFolder({ 'a/b': plain }))],
    ] as const)
      test(`that fills up meanwhile keeps what is there of a ${what}, which goes on once there is room`, async () => {
        using folder = smallDisk();
        const start = { folder: folder.join('disk'), name: 'x', offer: it };
        const download = await Download.open(start);
        writeFileSync(folder.join('disk/other'), content(3 * MIB));
        const full = inputError(
          'disk-full',
          /^There is no room for "x" in ".+disk"\. What is there of it stays\. Free 1[.\d]* MiB,/,
        );
        await assert.rejects(takeRest(download, stream), full);
        await assert.rejects(download.write([stream.subarray(0, 5)]), full);
        await download.leave();
        rmSync(folder.join('disk/other'));
        const again = await Download.open(start);
        assert.ok(again.resumeChunk > 40, `${again.resumeChunk}`);
        await takeRest(again, stream);
        assert.deepEqual(readdirSync(folder.join('disk')), ['x']);
      });

    test('that can only be read is told as that', async () => {
      using folder = smallDisk();
      mount('-o', 'remount,ro', folder.join('disk'));
      const sentence = /^The disk of ".+" can only be read\. Accept "x" into a folder on another disk\.$/;
      for (const path of ['disk', 'disk/new'])
        await assert.rejects(
          Download.open({ folder: folder.join(path), name: 'x', offer }),
          inputError('read-only', sentence),
        );
    });
  });
}

describe('what a disk does not take', () => {
  test('a file larger than it knows', () => {
    using folder = folderFor();
    // The limit is of the shell, in blocks of 512 bytes or of 1,024.
    const body = `
      process.on('SIGXFSZ', () => {});
      const plain = content(3145728);
      const download = await Download.open({ folder, name: 'x', offer: fileOffer(plain) });
      await download.write([plain]).catch(say);
      await download.leave();`;
    assert.match(
      ran(body, [folder.path], 'ulimit -f 2000'),
      /^file-too-large The disk of ".+" takes no file as large as "x"\. Accept it into a folder on another disk\.\n$/,
    );
    assert.deepEqual(readdirSync(folder.path), [partOf('x', fileOffer(content(3 * MIB)))]);
  });

  test('what this account may not write to', () => {
    using folder = folderFor();
    mkdirSync(folder.join('locked'), { mode: 0o555 });
    chmodSync(folder.path, 0o755);
    // Root may write anywhere: the test becomes somebody else.
    const body = `
      if (process.getuid() === 0) process.setuid(65534);
      for (const path of [folder, folder + '/new'])
        await Download.open({ folder: path, name: 'x', offer: fileOffer(content(5)) }).catch(say);`;
    const sentence =
      'not-allowed You are not allowed to write to ".+locked(?:/new)?"\\. Accept "x" into another folder, or make this one writable for yourself\\.\n';
    assert.match(ran(body, [folder.join('locked')]), new RegExp(`^${sentence}${sentence}$`));
  });

  test('a partial file of another account', (t) => {
    if (process.getuid?.() !== 0) return t.diagnostic('only root can give files away');
    using folder = folderFor();
    chmodSync(folder.path, 0o777);
    writeFileSync(folder.join(partOf('x', offer)), 'mine', { mode: 0o666 });
    chmodSync(folder.join(partOf('x', offer)), 0o666);
    const body = `
      process.setuid(65534);
      await Download.open({ folder, name: 'x', offer: fileOffer(content(2097152)) }).catch(say);`;
    assert.match(ran(body, [folder.path]), /^partial-taken ".+" is a link, or somebody else's/);
    assert.deepEqual(tree(folder.path), { [partOf('x', offer)]: 'mine' });
    return undefined;
  });

  test('a path that is too long, and a folder that is none', async () => {
    using folder = folderFor();
    writeFileSync(folder.join('file'), 'mine');
    symlinkSync('nowhere', folder.join('dangling'));
    for (const [path, code, sentence] of [
      [
        'n'.repeat(300),
        'name-too-long',
        /^The path to "x" in ".+" is too long for that disk\. Accept it into a folder with a shorter path\.$/,
      ],
      ['file', 'not-a-folder', /^".+file" is not a folder\. Accept "x" into another one\.$/],
      ['file/inner', 'not-a-folder', /^".+inner" is not a folder\./],
      [
        'dangling',
        'file',
        /^Cannot write "x" to ".+": there is no such file or folder\. Accept it again once that is put right\.$/,
      ],
    ] as const)
      await assert.rejects(
        Download.open({ folder: folder.join(path), name: 'x', offer }),
        inputError(code, sentence),
      );
    assert.equal(readFileSync(folder.join('file'), 'utf8'), 'mine');
  });

  describe('that fails at what it was thought to have taken', () => {
    const large = content(33 * MIB);
    const broken = Object.assign(new Error('EIO: i/o error, fdatasync'), {
      code: 'EIO',
      syscall: 'fdatasync',
    });

    /** The system tells of it once: whatever is synced afterwards seems to be on the disk. */
    async function onBroken(folder: string, step: () => Promise<void>): Promise<void> {
      const probe = await promises.open(folder);
      const syncing = mock.method(Object.getPrototypeOf(probe), 'datasync', () => Promise.reject(broken));
      try {
        await step();
        assert.equal(syncing.mock.callCount(), 1);
      } finally {
        syncing.mock.restore();
        await probe.close();
      }
      assert.deepEqual(readdirSync(folder), []);
    }

    test('gives a file no name, and nothing of it is gone on with', async () => {
      using folder = folderFor();
      await onBroken(folder.path, async () => {
        const download = await Download.open({ folder: folder.path, name: 'x', offer: fileOffer(large) });
        await assert.rejects(takeRest(download, large), inputError('file', /^Cannot write "x" to /));
        await download.leave();
      });
    });

    test('nor where its line is lost before anybody looks', async () => {
      using folder = folderFor();
      await onBroken(folder.path, async () => {
        const more = { ...fileOffer(large), bytes: large.length + 1 };
        const download = await Download.open({ folder: folder.path, name: 'x', offer: more });
        await download.write([large]);
        await download.leave();
      });
    });

    test('nor a folder', async () => {
      using folder = folderFor();
      const { offer: inFolder, stream } = offeredFolder({ 'a.bin': large });
      await onBroken(folder.path, async () => {
        const download = await Download.open({ folder: folder.path, name: 'f', offer: inFolder });
        await assert.rejects(takeRest(download, stream), inputError('file', /^Cannot write "f" to /));
        await download.leave();
      });
    });
  });

  test('a share that is used up', () => {
    const error = Object.assign(new Error('EDQUOT'), { code: 'EDQUOT', syscall: 'write' });
    const told = cannotTake({ name: 'x', folder: '/d', leftBytes: 2 * MIB }, error);
    assert.ok(told instanceof Error);
    assert.equal(
      told.message,
      'Your share of the disk is full: "x" does not fit in "/d". What is there of it stays. Free 2 MiB, and accept it again.',
    );
  });
});

test('P40 where files have one name only, an empty file keeps it until the whole has it', async () => {
  using folder = folderFor();
  const denied = Object.assign(new Error('EPERM'), { code: 'EPERM', syscall: 'link' });
  const linking = mock.method(promises, 'link', () => Promise.reject(denied));
  syncBuiltinESMExports();
  try {
    writeFileSync(folder.join('x'), 'mine');
    symlinkSync('nowhere', folder.join('x (2)'));
    const path = await takeRest(await Download.open({ folder: folder.path, name: 'x', offer }), plain);
    assert.equal(path, folder.join('x (3)'));
    assert.ok(linking.mock.callCount() > 0);
  } finally {
    linking.mock.restore();
    syncBuiltinESMExports();
  }
  assert.ok(bytesEqual(readFileSync(folder.join('x (3)')), plain));
  assert.deepEqual(readdirSync(folder.path).sort(), ['x', 'x (2)', 'x (3)']);
  assert.equal(readFileSync(folder.join('x'), 'utf8'), 'mine');
});

describe('partial files that nobody goes on with', () => {
  const DAY_MS = 24 * 60 * 60_000;
  const old = new Date(Date.now() - 8 * DAY_MS);

  function names(parts: readonly { readonly path: string }[]): readonly string[] {
    return parts.map(({ path }) => path.slice(path.lastIndexOf('/') + 1));
  }

  test('are found by their names and age, and removed', async () => {
    using folder = folderFor();
    const part = (name: string): string => folder.join(`${name}.0123456789ab.part`);
    writeFileSync(part('old'), 'x');
    writeFileSync(part('young'), 'x');
    mkdirSync(`${part('folder')}/inner`, { recursive: true });
    writeFileSync(`${part('folder')}/inner/file`, 'x');
    mkdirSync(part('growing'));
    writeFileSync(`${part('growing')}/file`, 'x');
    writeFileSync(`${part('alone')}.lock`, '');
    writeFileSync(folder.join('precious'), 'x');
    symlinkSync('precious', part('link'));
    for (const path of [
      ...[part('old'), `${part('folder')}/inner/file`, `${part('folder')}/inner`, part('folder')],
      ...[part('growing'), `${part('alone')}.lock`, folder.join('precious')],
    ])
      utimesSync(path, old, old);
    const stale = await staleParts(folder.path, 7 * DAY_MS);
    assert.deepEqual(
      names(stale),
      ['alone', 'folder', 'old'].map((name) => `${name}.0123456789ab.part`),
    );
    for (const each of stale) assert.ok(await removeStale(each));
    assert.deepEqual(readdirSync(folder.path).sort(), [
      ...['growing.0123456789ab.part', 'link.0123456789ab.part', 'precious', 'young.0123456789ab.part'],
    ]);
    assert.deepEqual(await staleParts(folder.join('none'), 0), []);
  });

  test('stay when somebody has begun to go on with them', async () => {
    using folder = folderFor();
    const path = folder.join(partOf('x', offer));
    writeFileSync(path, plain.subarray(0, 40_000));
    utimesSync(path, old, old);
    const [stale] = await staleParts(folder.path, 7 * DAY_MS);
    assert.ok(stale !== undefined);
    const download = await Download.open({ folder: folder.path, name: 'x', offer });
    assert.equal(await removeStale(stale), false, 'in use');
    await download.write([plain.subarray(download.resumeChunk * CHUNK_BYTES)]);
    await download.leave();
    assert.equal(await removeStale(stale), false, 'written since');
    assert.deepEqual(readdirSync(folder.path), [partOf('x', offer)]);
    truncateSync(path, 0);
  });
});

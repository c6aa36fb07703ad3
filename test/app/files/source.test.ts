/** What is sent is what was hashed, or a sentence says why not. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { checkSource, openSource, type Source, type SourceOptions } from '../../../src/app/files/source.ts';
import { sha256 } from '../../../src/crypto/hash.ts';
import { type Bytes, bytesEqual, concatBytes } from '../../../src/protocol/bytes.ts';
import { decodeManifest } from '../../../src/protocol/file-manifest.ts';
import { LIMITS } from '../../../src/protocol/limits.ts';
import { content, folderFor, inputError } from '../../helpers/files.ts';

const MIB = 1_024 * 1_024;
const AMPLE: SourceOptions = { maxBytes: 100 * MIB };

async function readAll(source: Source, step = 100_000): Promise<Bytes> {
  const pieces: Bytes[] = [];
  for (let at = 0; at < source.bytes; at += step) pieces.push(await source.read(at, step));
  await source.close();
  return concatBytes(...pieces);
}

function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}

describe('a file', () => {
  test('is read as it is, from any place on', async () => {
    using folder = folderFor();
    const plain = content(3 * MIB + 17);
    writeFileSync(folder.join('photo.jpg'), plain);
    const told: number[][] = [];
    const source = await openSource(folder.join('photo.jpg'), {
      ...AMPLE,
      onProgress: (...numbers) => told.push(numbers),
    });
    assert.equal(source.name, 'photo.jpg');
    assert.deepEqual([source.bytes, source.files, source.manifestBytes], [plain.length, 0, 0]);
    assert.deepEqual(source.hash, sha256(plain));
    assert.deepEqual(told.at(-1), [plain.length, plain.length]);
    assert.ok(told.length >= 4, 'a mebibyte at a time');
    assert.ok(bytesEqual(await source.read(MIB + 1, 70_000), plain.subarray(MIB + 1, MIB + 70_001)));
    assert.equal((await source.read(plain.length, 5)).length, 0);
    await assert.rejects(source.read(plain.length + 1, 5), RangeError);
    assert.ok(bytesEqual(await readAll(source), plain));
  });

  test('may be empty', async () => {
    using folder = folderFor();
    writeFileSync(folder.join('empty'), '');
    const source = await openSource(folder.join('empty'), AMPLE);
    assert.deepEqual([source.bytes, source.hash], [0, sha256()]);
    assert.equal((await source.read(0, 10)).length, 0);
  });

  test('may be named by a link, and keeps the name that was typed', async () => {
    using folder = folderFor();
    writeFileSync(folder.join('real.txt'), 'text');
    symlinkSync('real.txt', folder.join('link.txt'));
    const source = await openSource(folder.join('link.txt'), AMPLE);
    assert.equal(source.name, 'link.txt');
    assert.deepEqual(await readAll(source), content('text'));
  });

  test('is read by one at a time, whoever asks meanwhile', async () => {
    using folder = folderFor();
    const plain = content(MIB);
    writeFileSync(folder.join('x'), plain);
    const source = await openSource(folder.join('x'), AMPLE);
    const starts = [700_000, 0, 300_001];
    const pieces = await Promise.all(starts.map((at) => source.read(at, 1_000)));
    starts.forEach((at, place) => {
      assert.ok(bytesEqual(pieces[place] ?? new Uint8Array(), plain.subarray(at, at + 1_000)));
    });
    await source.close();
  });

  test('is given up when that is asked for', async () => {
    using folder = folderFor();
    writeFileSync(folder.join('x'), content(4 * MIB));
    const stop = new AbortController();
    const opening = openSource(folder.join('x'), {
      ...AMPLE,
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('stop')),
    });
    await assert.rejects(opening, { message: 'stop' });
  });
});

describe('what cannot be sent', () => {
  test('no name', async () => {
    await assert.rejects(
      openSource('', AMPLE),
      inputError('file-name', /^Name the file or folder to send\.$/),
    );
    await assert.rejects(
      openSource('/', AMPLE),
      inputError('file-name', /is a whole disk\. Name a folder on it\.$/),
    );
  });

  test('nothing there', async () => {
    using folder = folderFor();
    await assert.rejects(
      openSource(folder.join('none'), AMPLE),
      inputError(
        'file',
        /^Cannot send ".*none": there is no such file or folder\. Send it again once that is put right\.$/,
      ),
    );
    symlinkSync('circle', folder.join('circle'));
    await assert.rejects(
      openSource(folder.join('circle'), AMPLE),
      inputError('file', /: its links lead in a circle\./),
    );
  });

  test('a name that is no text, alone or in a folder', async () => {
    using folder = folderFor();
    const name = Buffer.concat([Buffer.from(folder.join('caf')), Buffer.from([0xe9])]);
    writeFileSync(name, 'text');
    const sentence = (named: string): RegExp =>
      new RegExp(
        `^Cannot send ".*${named}": it is not there, or its name is not valid UTF-8\\. Rename it, and send it again\\.$`,
      );
    await assert.rejects(
      openSource(folder.join('caf\ufffd'), AMPLE),
      inputError('file-name', sentence('caf\ufffd')),
    );
    await assert.rejects(
      checkSource(folder.join('caf\ufffd'), 100),
      inputError('file-name', sentence('caf\ufffd')),
    );
    await assert.rejects(openSource(folder.path, AMPLE), inputError('file-name', sentence('/caf\ufffd')));
    rmSync(name);
    mkdirSync(Buffer.concat([name, Buffer.from('/inner')]), { recursive: true });
    await assert.rejects(openSource(folder.path, AMPLE), inputError('file-name', sentence('/caf\ufffd')));
    // Somebody may well have called it so.
    rmSync(name, { recursive: true });
    writeFileSync(folder.join('caf\ufffd'), 'text');
    const source = await openSource(folder.join('caf\ufffd'), AMPLE);
    await source.close();
  });

  test('a pipe or a device, without waiting for its other end', async () => {
    using folder = folderFor();
    execFileSync('mkfifo', [folder.join('pipe')]);
    symlinkSync('pipe', folder.join('link'));
    for (const path of [folder.join('pipe'), folder.join('link'), '/dev/zero'])
      await assert.rejects(
        openSource(path, AMPLE),
        inputError('not-a-file', /is a pipe, a socket or a device\. Only files and folders can be sent\.$/),
      );
  });

  test('more than the setting allows, and more than anything may be', async () => {
    using folder = folderFor();
    writeFileSync(folder.join('film.mkv'), '');
    truncateSync(folder.join('film.mkv'), 150 * MIB);
    await assert.rejects(
      openSource(folder.join('film.mkv'), AMPLE),
      inputError(
        'too-large',
        '"film.mkv" has 150 MiB, and 100 MiB may be sent. To send more, begin with a larger --max-file, up to 64 GiB.',
      ),
    );
    truncateSync(folder.join('film.mkv'), 100 * MIB + 1);
    await assert.rejects(
      openSource(folder.join('film.mkv'), AMPLE),
      inputError('too-large', /^"film.mkv" has 104,857,601 bytes, and 104,857,600 bytes may be sent\./),
    );
    truncateSync(folder.join('film.mkv'), LIMITS.fileBytesMost + 1);
    await assert.rejects(
      openSource(folder.join('film.mkv'), { maxBytes: Number.MAX_SAFE_INTEGER }),
      inputError('too-large', /Nothing larger can be sent: send it in parts\.$/),
    );
  });

  test('what has no size of its own', async () => {
    await assert.rejects(
      openSource('/proc/self/status', AMPLE),
      inputError(
        'file-changed',
        '"status" changes while it is read. Send it again when nothing writes to it.',
      ),
    );
  });

  test('what this account may not read', () => {
    using folder = folderFor();
    writeFileSync(folder.join('secret'), 'x', { mode: 0o600 });
    mkdirSync(folder.join('folder/inner'), { recursive: true });
    writeFileSync(folder.join('folder/inner/secret'), 'x');
    chmodSync(folder.path, 0o755);
    chmodSync(folder.join('folder/inner'), 0o700);
    if (process.getuid?.() === 0)
      for (const path of ['secret', 'folder/inner']) chownSync(folder.join(path), 1, 1);
    else for (const path of ['secret', 'folder/inner']) chmodSync(folder.join(path), 0);
    // Root may read everything: the test becomes somebody else.
    const script = `
      const { openSource } = await import(${JSON.stringify(import.meta.resolve('../../../src/app/files/source.ts'))});
      if (process.getuid() === 0) process.setuid(65534);
      for (const path of process.argv.slice(1))
        await openSource(path, { maxBytes: 1e9 }).catch((error) => console.log(error.code, error.message));`;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', script, folder.join('secret'), folder.join('folder')],
      { encoding: 'utf8' },
    );
    const lines = stdout.trim().split('\n');
    assert.equal(lines.length, 2, stderr);
    assert.match(lines[0] ?? '', /^file Cannot send ".*secret": you are not allowed to\./);
    assert.match(lines[1] ?? '', /^file Cannot send ".*folder\/inner": you are not allowed to\./);
  });
});

test('that something can be sent is seen without reading it', async () => {
  using folder = folderFor();
  writeFileSync(folder.join('film.mkv'), '');
  truncateSync(folder.join('film.mkv'), 150 * MIB);
  await checkSource(folder.join('film.mkv'), 200 * MIB);
  await checkSource(folder.path, 1);
  await assert.rejects(checkSource(folder.join('film.mkv'), 100 * MIB), { code: 'too-large' });
  await assert.rejects(checkSource(folder.join('none'), MIB), inputError('file', /no such file or folder/));
  await assert.rejects(checkSource('/dev/zero', MIB), { code: 'not-a-file' });
});

describe('a folder', () => {
  function fill(path: string, files: Readonly<Record<string, Bytes | string>>): void {
    for (const [name, data] of Object.entries(files)) {
      mkdirSync(join(path, name, '..'), { recursive: true });
      writeFileSync(join(path, name), data);
    }
  }

  test('is its manifest and the contents of its files, in one order', async () => {
    using folder = folderFor();
    const files = {
      'b.txt': 'bee',
      'a/z': content(70_000),
      'a/empty': '',
      'a.txt': 'a',
      'c/d/e': content(17),
    };
    fill(folder.join('things'), files);
    mkdirSync(folder.join('things/no files'));
    chmodSync(folder.join('things/b.txt'), 0o755);
    const source = await openSource(`${folder.join('things')}/`, AMPLE);
    assert.equal(source.name, 'things');
    const whole = await readAll(source, 1_000);
    const manifest = whole.subarray(0, source.manifestBytes);
    assert.deepEqual(source.hash, sha256(manifest));
    const listed = decodeManifest(manifest, source);
    assert.deepEqual(
      listed.map(({ segments }) => segments.join('/')),
      ['a.txt', 'a/empty', 'a/z', 'b.txt', 'c/d/e'],
    );
    let at = source.manifestBytes;
    for (const { segments, bytes, hash } of listed) {
      const data = files[segments.join('/') as keyof typeof files];
      assert.deepEqual(whole.slice(at, at + bytes), content(data));
      assert.deepEqual(hash, sha256(content(data)));
      at += bytes;
    }
    assert.equal(at, source.bytes);
    assert.equal(source.leftOut, 0);
    const again = await openSource(folder.join('things'), AMPLE);
    assert.deepEqual(again.hash, source.hash, 'the same each time');
  });

  test('is read from any place on, with one file open at the most', async () => {
    using folder = folderFor();
    fill(
      folder.join('f'),
      Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`${n}`, content(n * 37)])),
    );
    const source = await openSource(folder.join('f'), AMPLE);
    const before = openFiles();
    const whole = await source.read(0, source.bytes);
    assert.ok(openFiles() <= before + 1);
    const place = fc.nat(source.bytes);
    await fc.assert(
      fc.asyncProperty(place, fc.nat(9_000), async (at, length) => {
        assert.ok(bytesEqual(await source.read(at, length), whole.subarray(at, at + length)));
      }),
    );
    await source.close();
    assert.equal(openFiles(), before);
  });

  test('may be empty', async () => {
    using folder = folderFor();
    mkdirSync(folder.join('none'));
    const source = await openSource(folder.join('none'), AMPLE);
    assert.equal(source.files, 0);
    assert.ok(source.manifestBytes > 0 && source.manifestBytes === source.bytes);
    assert.deepEqual(decodeManifest(await readAll(source), source), []);
  });

  test('goes without links, pipes and sockets, and says how many', async () => {
    using folder = folderFor();
    fill(folder.path, { 'outside/secret': 'x', 'f/in': 'y' });
    symlinkSync('../outside', folder.join('f/folder-link'));
    symlinkSync('../outside/secret', folder.join('f/file-link'));
    symlinkSync('nowhere', folder.join('f/dead-link'));
    execFileSync('mkfifo', [folder.join('f/pipe')]);
    const source = await openSource(folder.join('f'), AMPLE);
    assert.deepEqual([source.files, source.leftOut], [1, 4]);
    await source.close();
  });

  test('that is too large in all is refused before anything is hashed', async () => {
    using folder = folderFor();
    fill(folder.join('f'), { a: content(600), b: content(600) });
    const told: number[] = [];
    const onProgress = (bytes: number): void => void told.push(bytes);
    const tooLarge = inputError('too-large', /^"f" has 1.17 KiB, and 1,?000 bytes may be sent\./);
    await assert.rejects(openSource(folder.join('f'), { maxBytes: 1_000, onProgress }), tooLarge);
    assert.deepEqual(told, []);
    // The manifest counts as well.
    await assert.rejects(
      openSource(folder.join('f'), { maxBytes: 1_250 }),
      inputError('too-large', /^"f" has 1.2/),
    );
  });

  test('has a bounded number of files, and depth', async () => {
    using folder = folderFor();
    mkdirSync(folder.join('many'));
    writeFileSync(folder.join('many/0'), '');
    for (let n = 1; n <= LIMITS.folderFilesMost; n += 1)
      linkSync(folder.join('many/0'), folder.join(`many/l${n}`));
    await assert.rejects(
      openSource(folder.join('many'), AMPLE),
      inputError(
        'too-many-files',
        '"many" holds more than 10,000 files or folders. Pack it into one file, or send parts of it.',
      ),
    );
    const deep = Array.from({ length: LIMITS.folderDepthMost }, () => 'd').join('/');
    mkdirSync(folder.join(`deep/${deep}`), { recursive: true });
    await assert.rejects(
      openSource(folder.join('deep'), AMPLE),
      inputError(
        'file-name',
        /^"deep\/d.*" lies too deep, or its path is too long to be sent\. Send the folder that it is in\.$/,
      ),
    );
  });

  for (const [name, files] of [
    ['c:d', { ok: '', 'c:d': '' }],
    ['x:', { 'x:/inner/file': '' }],
    ['\\\\host', { '\\\\host': '' }],
  ] as const)
    test(`in which ${name} would be a place on a disk to Windows says which to rename`, async () => {
      using folder = folderFor();
      fill(folder.join('f'), files);
      await assert.rejects(
        openSource(folder.join('f'), AMPLE),
        inputError(
          'file-name',
          `"f/${name}" cannot be sent: to Windows, a name that begins like this is a place on a disk. Rename it, and send the folder again.`,
        ),
      );
    });

  test('in which two files would be one elsewhere is refused', async () => {
    using folder = folderFor();
    fill(folder.join('f'), { README: '1', readme: '2' });
    await assert.rejects(
      openSource(folder.join('f'), AMPLE),
      inputError(
        'file-name',
        /^"f\/readme" and another one would have the same name on some systems\. Rename one/,
      ),
    );
  });
});

/** Always at the same time, so that two of them differ by nothing but being two. */
function writeOld(path: string): void {
  writeFileSync(path, content(200_000));
  utimesSync(path, 1, 1);
}

/** Each is done to such a file after it was hashed. */
const CHANGES: Readonly<Record<string, (path: string) => void>> = {
  'written to': (path) => writeFileSync(path, content(200_000).fill(1)),
  shorter: (path) => truncateSync(path, 199_999),
  longer: (path) => truncateSync(path, 200_001),
  touched: (path) => utimesSync(path, 2, 2),
  'another file of its name': (path) => {
    renameSync(path, `${path}.old`);
    writeOld(path);
  },
};

describe('what has changed since it was offered is not sent', () => {
  const sentence =
    /^"[\w/]+" has changed since it was offered, and is not sent any more\. Send it again as it is now\.$/;
  for (const [name, change] of Object.entries(CHANGES)) {
    test(`a file ${name}, before it is read`, async () => {
      using folder = folderFor();
      writeOld(folder.join('x'));
      const source = await openSource(folder.join('x'), AMPLE);
      change(folder.join('x'));
      await assert.rejects(source.read(0, 1_000), inputError('file-changed', sentence));
      await source.close();
    });
    if (name === 'another file of its name') continue;
    test(`a file in a folder ${name}, while it is read`, async () => {
      using folder = folderFor();
      mkdirSync(folder.join('f'));
      writeOld(folder.join('f/x'));
      const source = await openSource(folder.join('f'), AMPLE);
      await source.read(0, 100_000);
      change(folder.join('f/x'));
      await assert.rejects(source.read(100_000, 200_000), inputError('file-changed', sentence));
      await source.close();
    });
  }

  test('nor what is gone, or has become a link', async () => {
    using folder = folderFor();
    mkdirSync(folder.join('f'));
    writeFileSync(folder.join('x'), 'text');
    writeFileSync(folder.join('f/x'), 'text');
    const [file, inner] = [
      await openSource(folder.join('x'), AMPLE),
      await openSource(folder.join('f'), AMPLE),
    ];
    rmSync(folder.join('x'));
    const gone =
      /^"[\w/]+" is no longer where it was when it was offered\. Put it back, or send it again from where it is\.$/;
    await assert.rejects(file.read(0, 4), inputError('file-gone', gone));
    renameSync(folder.join('f/x'), folder.join('elsewhere'));
    symlinkSync('../elsewhere', folder.join('f/x'));
    await assert.rejects(inner.read(0, 1_000), inputError('file-gone', gone));
    writeFileSync(folder.join('x'), 'text');
    await assert.rejects(file.read(0, 4), inputError('file-changed', /./), 'another file is not the same');
    await Promise.all([file.close(), inner.close()]);
  });
});

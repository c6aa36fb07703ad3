/** What a folder's list of files must be before anything of it is written. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Bytes, concatBytes, u32 } from '../../src/protocol/bytes.ts';
import { ProtocolError } from '../../src/protocol/errors.ts';
import { decodeManifest, encodeManifest, pathProblem } from '../../src/protocol/file-manifest.ts';
import { hash } from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';

const someHash = hash(new Uint8Array(32).fill(7));

function file(path: string, bytes = 0) {
  return { path, bytes, hash: someHash, executable: false };
}

function offered(manifest: Bytes, files: number, contentBytes: number) {
  return { bytes: manifest.length + contentBytes, manifestBytes: manifest.length, files };
}

test('what is listed comes back, with safe names', () => {
  const manifest = encodeManifest([file('a/con.txt', 5), { ...file('b', 2 ** 35), executable: true }]);
  assert.deepEqual(decodeManifest(manifest, offered(manifest, 2, 5 + 2 ** 35)), [
    { segments: ['a', '_con.txt'], bytes: 5, hash: someHash },
    { segments: ['b'], bytes: 2 ** 35, hash: someHash },
  ]);
});

test('a folder may be empty, or as full as it may be', () => {
  const none = encodeManifest([]);
  assert.deepEqual(decodeManifest(none, offered(none, 0, 0)), []);
  const paths = Array.from(
    { length: LIMITS.folderFilesMost },
    (_, at) => `d${at % 50}/${'x'.repeat(300)}${at}`,
  );
  const full = encodeManifest(paths.map((path) => file(path, 1)));
  assert.ok(full.length <= LIMITS.manifestBytes);
  // Names are cut to 200 bytes, and would be one.
  assert.throws(() => decodeManifest(full, offered(full, paths.length, paths.length)), {
    code: 'bad-manifest',
  });
  const short = encodeManifest(paths.map((path) => file(path.replace('x'.repeat(300), 'x'), 1)));
  assert.equal(decodeManifest(short, offered(short, paths.length, paths.length)).length, paths.length);
});

describe('P39 a manifest that is not what was offered is refused', () => {
  const manifest = encodeManifest([file('a', 5), file('b', 6)]);
  const right = offered(manifest, 2, 11);
  const refused = (bytes: Bytes, offer: object, code: string) =>
    assert.throws(() => decodeManifest(bytes, { ...right, ...offer }), { name: 'ProtocolError', code });
  test('another number of files', () => {
    refused(manifest, { files: 1 }, 'bad-manifest');
    refused(manifest, { files: 3 }, 'bad-manifest');
  });
  test('other sizes', () => {
    refused(manifest, { bytes: right.bytes - 1 }, 'bad-manifest');
    refused(manifest, { bytes: right.bytes + 1 }, 'bad-manifest');
  });
  test('another length', () => {
    refused(manifest, { manifestBytes: manifest.length + 1 }, 'bad-manifest');
    refused(manifest.subarray(1), {}, 'bad-manifest');
    const longer = concatBytes(manifest, Uint8Array.of(0));
    refused(longer, offered(longer, 2, 11), 'malformed');
    const tooLong = new Uint8Array(LIMITS.manifestBytes + 1);
    refused(tooLong, offered(tooLong, 0, 0), 'bad-manifest');
  });
  test('more files than there may be, before any is read', () => {
    const count = concatBytes(u32(LIMITS.folderFilesMost + 1), new Uint8Array(60));
    refused(count, offered(count, LIMITS.folderFilesMost + 1, 0), 'malformed');
  });
});

describe('P40 paths that nobody may take', () => {
  for (const [kind, ...paths] of [
    ['unusable', 'a', '../b'],
    ['rooted', '/etc/passwd'],
    ['rooted', 'a', 'c:d/e'],
    ['unusable', 'a/'],
    ['same', 'a', 'b', 'a'],
    ['same', 'README', 'readme'],
    ['same', 'd/caf\u00e9', 'D/cafe\u0301'],
    ['same', 'x.', 'x'],
    ['same', 'con', '_con'],
    ['file-and-folder', 'a', 'a/b'],
    ['file-and-folder', 'a/b', 'A'],
    ['file-and-folder', 'a/b/c', 'a/B'],
  ] as const)
    test(`${kind}: ${paths.join(' ')}`, () => {
      assert.deepEqual(pathProblem(paths), { kind, path: paths.at(-1) });
      const manifest = encodeManifest(paths.map((path) => file(path)));
      const decode = () => decodeManifest(manifest, offered(manifest, paths.length, 0));
      assert.throws(decode, { name: 'ProtocolError', code: 'bad-manifest' });
    });
  test('the same name in two folders is two names', () => {
    assert.equal(pathProblem(['a/x', 'b/x', 'x', 'a/y', '.env', 'env']), null);
  });
});

test('P43 whatever bytes come, they are a manifest or a ProtocolError', () => {
  const manifest = encodeManifest([file('a/b', 5), file('c', 6)]);
  fc.assert(
    fc.property(fc.nat(manifest.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const changed = manifest.slice();
      changed[at] = (changed[at] ?? 0) ^ flip;
      try {
        decodeManifest(changed, offered(manifest, 2, 11));
      } catch (error) {
        assert.ok(error instanceof ProtocolError);
      }
    }),
    { numRuns: 500 },
  );
});

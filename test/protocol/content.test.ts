import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentCommitment, encodeContent, openContent } from '../../src/crypto/content.ts';
import { CONTENT_KIND, idReference, referenceId, said } from '../../src/protocol/content.ts';

const SALT = new Uint8Array(16).fill(7);
const HELLO = encodeContent(said('text', 'hello'), SALT);
const KIND_AT = SALT.length;

function open(body: Uint8Array): ReturnType<typeof openContent> {
  return openContent(body, contentCommitment(body));
}

function withKind(kind: number): Uint8Array {
  const body = HELLO.slice();
  body[KIND_AT] = kind;
  return body;
}

test('a kind of a newer program is read as one, whatever its number; its layout is strict all the same', () => {
  const known: ReadonlySet<number> = new Set(Object.values(CONTENT_KIND));
  for (let kind = 0; kind < 256; kind += 1)
    if (!known.has(kind)) assert.deepEqual(open(withKind(kind))?.kind, 'unknown', `${kind}`);
  const newer = withKind(200);
  assert.equal(open(Uint8Array.of(...newer, 0)), null);
  assert.equal(open(newer.subarray(0, -1)), null);
  assert.equal(open(encodeContent(said('text', 'x'.repeat(16_001)), SALT)), null);
});

test('what the header does not commit to is not opened', () => {
  assert.deepEqual(open(HELLO), said('text', 'hello'));
  assert.equal(openContent(HELLO, contentCommitment(encodeContent(said('text', 'hallo'), SALT))), null);
  const salted = encodeContent(said('text', 'hello'), new Uint8Array(16));
  assert.equal(openContent(salted, contentCommitment(HELLO)), null);
});

test('a reference of nine bytes names a message, and no other does', () => {
  assert.equal(referenceId(new Uint8Array(9)), 'AAAAAAAAAAAA');
  for (const length of [0, 8, 10, 16]) assert.equal(referenceId(new Uint8Array(length)), null);
  assert.deepEqual(idReference('AAAAAAAAAAAA'), new Uint8Array(9));
  for (const id of ['', '7', 'AAAAAAAAAAA', 'AAAAAAAAAAA=', 'AAAAAAAAAAAAA', 'AAAA AAAAAAA'])
    assert.equal(idReference(id), null, id);
});

/** A proof holds where all of it is as it was signed, and otherwise names what does not. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { checkProof } from '../../src/crypto/proof.ts';
import type { SigningKey } from '../../src/crypto/signature.ts';
import { type Bytes, toHex } from '../../src/protocol/bytes.ts';
import { said } from '../../src/protocol/content.ts';
import { InputError, SecurityError } from '../../src/protocol/errors.ts';
import { formatFingerprint } from '../../src/protocol/fingerprint.ts';
import { conversationId, hash, roomId } from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { Proof } from '../../src/protocol/proof.ts';
import { formatProof, parseProof } from '../../src/protocol/proof-text.ts';
import { dsaIdentity, roomOwnerKey, rsaIdentity } from '../helpers/keys.ts';
import { entryFor, HAND_ROOM, makeProof } from '../helpers/proof.ts';

/** The name of the check that fails; `proved` where none does. */
function verdict(proof: Proof | Bytes): string {
  try {
    checkProof(proof instanceof Uint8Array ? proof : Proof.encode(proof));
    return 'proved';
  } catch (error) {
    if (error instanceof SecurityError || error instanceof InputError) return error.code;
    throw error;
  }
}

/** Where each field of a proof lies in its bytes, with the length before it. */
function regions(proof: Proof): ReadonlyMap<string, readonly [from: number, to: number]> {
  const { header, signature, content, identityKey, ownerKey, operation, members } = proof;
  const lengths: readonly (readonly [string, number])[] = [
    ['version', 1],
    ['header', 2 + header.length],
    ['ciphertextHash', 32],
    ['signature', 2 + signature.length],
    ['content', 2 + content.length],
    ['algorithm', 1],
    ['identityKey', 2 + identityKey.length],
    ['ownerKey', 2 + ownerKey.length],
    ['operation', 2 + operation.bytes.length],
    ['owner signature', 2 + operation.signature.length],
    ['members', 2 + members.reduce((sum, { nick }) => sum + 36 + nick.length, 0)],
  ];
  let at = 0;
  const found = new Map<string, readonly [number, number]>();
  for (const [name, length] of lengths) {
    found.set(name, [at, at + length]);
    at += length;
  }
  assert.equal(at, Proof.encode(proof).length);
  return found;
}

/** What may be named for a change in each; `form` where its length or a number in it is changed. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  version: ['proof-version'],
  header: ['form', 'room', 'quoted-list', 'signer', 'signature'],
  ciphertextHash: ['signature'],
  signature: ['form', 'signature'],
  content: ['form', 'content'],
  algorithm: ['form', 'signer-key'],
  identityKey: ['form', 'signer-key', 'signer'],
  ownerKey: ['form', 'owner-key', 'owner-signature'],
  operation: ['form', 'owner-signature'],
  'owner signature': ['form', 'owner-signature'],
  members: ['form', 'list'],
};

async function honest(signer: SigningKey): Promise<Proof> {
  return makeProof({ owner: await roomOwnerKey(), signer });
}

describe('a proof', () => {
  test('P60 holds for an RSA and for a DSA signer, and says what it proves', async () => {
    const owner = await roomOwnerKey();
    for (const signer of [await rsaIdentity(0), await dsaIdentity(0)]) {
      const proved = checkProof(Proof.encode(await honest(signer)));
      assert.deepEqual(
        { ...proved, signer: proved.signer.nick, content: proved.content.text, ownerFingerprint: '' },
        {
          roomId: HAND_ROOM,
          roomName: 'Küche',
          ownerFingerprint: '',
          conversation: conversationId(new Uint8Array(16)),
          epoch: 7,
          signer: 'ann',
          signerBits: 3_072,
          memberCount: 1,
          messageId: proved.messageId,
          content: 'hello',
        },
      );
      assert.match(proved.messageId, /^[\w-]{12}$/);
      assert.deepEqual(proved.signer.identity, signer.idFingerprint);
      assert.equal(verdict(makeProof({ owner: await rsaIdentity(1), signer })), 'proved', 'by its own owner');
      assert.notDeepEqual(proved.ownerFingerprint, (await rsaIdentity(1)).idFingerprint);
      assert.notDeepEqual(proved.ownerFingerprint, owner.idFingerprint, 'owners have a name of their own');
    }
  });

  test('P60 fails for every byte that is changed, and names what does not hold', async () => {
    const proof = await honest(await rsaIdentity(0));
    const bytes = Proof.encode(proof);
    const named = new Map<string, Set<string>>();
    for (const [name, [from, to]] of regions(proof)) {
      const codes = new Set<string>();
      for (let at = from; at < to; at += 1) {
        const changed = bytes.slice();
        changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
        const code = verdict(changed);
        assert.ok(NAMED[name]?.includes(code), `${name}, byte ${at - from}: ${code}`);
        codes.add(code);
      }
      named.set(name, codes);
    }
    for (const [name, codes] of named) {
      // A modulus that is changed is mostly a modulus still: of another key.
      const rare = ['signer-key', 'owner-key', 'form'];
      for (const code of NAMED[name] ?? [])
        assert.ok(codes.has(code) || rare.includes(code), `nothing in ${name} led to ${code}`);
    }
  });

  test('P60 fails for any bytes changed, left out or added, whoever signed', async () => {
    const proofs = [await honest(await rsaIdentity(0)), await honest(await dsaIdentity(0))];
    const places = fc.array(fc.tuple(fc.nat({ max: 100_000 }), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(fc.nat({ max: 1 }), places, (which, changes) => {
        const proof = proofs[which];
        assert.ok(proof);
        const bytes = Proof.encode(proof);
        const changed = bytes.slice();
        for (const [at, by] of changes) {
          const place = at % bytes.length;
          changed[place] = (changed[place] ?? 0) ^ by;
        }
        if (toHex(changed) !== toHex(bytes)) assert.notEqual(verdict(changed), 'proved');
        assert.equal(verdict(bytes.slice(0, (changes[0]?.[0] ?? 0) % bytes.length)), 'form');
        assert.equal(verdict(new Uint8Array([...bytes, changes[0]?.[1] ?? 0])), 'form');
      }),
      { numRuns: 300, seed: 60 },
    );
  });

  test('P60 takes no part of another', async () => {
    const owner = await roomOwnerKey();
    const [ann, bob] = [await rsaIdentity(0), await dsaIdentity(0)];
    const proof = makeProof({ owner, signer: ann });
    const other = makeProof({ owner, signer: ann, content: said('text', 'goodbye') });
    const bobs = makeProof({ owner, signer: bob, nick: 'bob' });
    assert.equal(verdict({ ...proof, content: other.content }), 'content');
    assert.equal(verdict({ ...proof, header: other.header, content: other.content }), 'signature');
    assert.equal(verdict({ ...proof, signature: other.signature }), 'signature');
    assert.equal(verdict({ ...proof, identityKey: bobs.identityKey, algorithm: 'dsa' }), 'signer');
    assert.equal(verdict({ ...proof, identityKey: bobs.identityKey }), 'signer-key');
    assert.equal(verdict({ ...proof, operation: bobs.operation }), 'list');
    assert.equal(verdict({ ...proof, operation: bobs.operation, members: bobs.members }), 'quoted-list');
    const { operation } = makeProof({ owner: await rsaIdentity(1), signer: ann });
    assert.equal(verdict({ ...proof, operation }), 'owner-signature');
    assert.equal(verdict({ ...proof, ownerKey: bobs.identityKey }), 'owner-key', 'owners sign with RSA');
    // What is signed for another purpose is worth nothing here.
    const wrong = { ...proof.operation, signature: owner.sign('sc1/era', proof.operation.bytes) };
    assert.equal(verdict({ ...proof, operation: wrong }), 'owner-signature');
  });

  test('P60 needs the signer on the list that the message quotes, in the room it was said in', async () => {
    const owner = await roomOwnerKey();
    const [ann, bob] = [await rsaIdentity(0), await dsaIdentity(0)];
    const made = (more: Partial<Parameters<typeof makeProof>[0]>) =>
      verdict(makeProof({ owner, signer: ann, ...more }));
    assert.equal(made({ members: [entryFor(bob, 'ann')] }), 'member');
    assert.equal(made({ members: [{ ...entryFor(ann, 'ann'), algorithm: 'dsa' }] }), 'member');
    assert.equal(made({ members: [entryFor(bob, 'bob'), entryFor(ann, 'ann')] }), 'proved');
    assert.equal(made({ header: { roomId: roomId(new Uint8Array(16).fill(9)) } }), 'room');
    assert.equal(made({ header: { epoch: 8 } }), 'quoted-list');
    assert.equal(made({ header: { rosterHash: hash(new Uint8Array(32)) } }), 'quoted-list');
    assert.equal(made({ header: { memberId: bob.memberId } }), 'signer');
    assert.equal(made({ header: { version: 2 } }), 'form');
    assert.equal(made({ header: { content: hash(new Uint8Array(32)) } }), 'content');
    assert.equal(made({ content: said('text', 'x'.repeat(LIMITS.textBytes)) }), 'proved');
    assert.equal(made({ content: said('text', 'x'.repeat(LIMITS.textBytes + 1)) }), 'unreadable');
  });

  test('one of a later program is told apart', async () => {
    const bytes = Proof.encode(await honest(await dsaIdentity(0)));
    bytes[0] = 2;
    assert.throws(() => checkProof(bytes), { name: 'InputError', code: 'proof-version' });
    assert.equal(verdict(new Uint8Array()), 'form');
  });
});

describe('the text of a proof', () => {
  test('is the same bytes again, whatever a mail program has made of it', () => {
    const line = fc.constantFrom('', '> ', '>> > ', '  ');
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 400 }),
        line,
        fc.boolean(),
        (bytes, quote, isWindows) => {
          const text = formatProof(bytes);
          assert.ok(text.split('\n').every((row) => row.length <= 64));
          assert.deepEqual(parseProof(text), bytes);
          const rows = ['Hello,', '', ...text.split('\n').map((row) => quote + row), '-- ', 'ann'];
          assert.deepEqual(parseProof(rows.join(isWindows ? '\r\n' : '\n')), bytes);
        },
      ),
      { numRuns: 300, seed: 61 },
    );
  });

  test('is refused where it is none, and fails where it was changed', () => {
    const text = formatProof(new Uint8Array(100).fill(7));
    const thrown = (changed: string): string => {
      try {
        parseProof(changed);
        return 'read';
      } catch (error) {
        if (error instanceof SecurityError || error instanceof InputError) return error.code;
        throw error;
      }
    };
    assert.equal(thrown(''), 'proof-file');
    assert.equal(thrown('securechat identity v1 check=x\n'), 'proof-file');
    assert.equal(thrown(text + text), 'proof-file');
    assert.equal(thrown('x'.repeat(LIMITS.proofFileBytes + 1)), 'proof-file');
    assert.equal(thrown(text.replace(/-----END.*\n/, '')), 'form');
    assert.equal(thrown(text.replace(/\nBw/, '\nB!')), 'form');
    assert.equal(thrown(text.replace(/\n-----END/, '*\n-----END')), 'form');
    assert.equal(thrown(text.replace(/=*\n-----END/, 'A\n-----END')), 'form');
  });

  test('the largest proof there can be is within the limit', async () => {
    const proof = await honest(await rsaIdentity(0));
    const member = { ...proof.members[0], nick: 'x'.repeat(LIMITS.nicknameCharactersMost) };
    const largest = Proof.encode({
      ...proof,
      signature: new Uint8Array(512),
      content: new Uint8Array(16 + 1 + 1 + 255 + 2 + LIMITS.textBytes),
      identityKey: new Uint8Array(550),
      ownerKey: new Uint8Array(550),
      operation: { bytes: new Uint8Array(0xffff), signature: new Uint8Array(512) },
      members: Array.from({ length: LIMITS.membersMost }, () => member as Proof['members'][number]),
    });
    assert.ok(formatProof(largest).length < LIMITS.proofFileBytes);
  });
});

describe('proofs of before', () => {
  // Made once: a change of the format that nobody meant, or that lets old proofs go, is noticed here.
  for (const [algorithm, fingerprint, id] of [
    ['rsa', '70df 753d 6fdf 9f2f 3c5f 762b 322c bfc5', 'yCQANYAFNMxj'],
    ['dsa', 'ce0b ad56 277e e300 fdcb 65aa 4293 d6d5', 'fwBbB4PpUOCj'],
  ] as const) {
    test(algorithm, () => {
      const path = fileURLToPath(new URL(`../golden/proof-${algorithm}.txt`, import.meta.url));
      const text = readFileSync(path, 'utf8');
      const bytes = parseProof(text);
      const proved = checkProof(bytes);
      assert.deepEqual(
        [proved.signer.nick, proved.signer.algorithm, proved.content.text, proved.roomName, proved.messageId],
        ['ann', algorithm, 'See you at four.\nBring tea.', 'Küche', id],
      );
      assert.equal(formatFingerprint(proved.signer.identity), fingerprint);
      assert.equal(formatProof(Proof.encode(Proof.decode(bytes))), text);
    });
  }
});

/** What a file proves, held against what the checker knows already. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { proofVerdict } from '../../src/app/check-command.ts';
import { directConversation, newConversationId } from '../../src/crypto/conversation-roster.ts';
import { parseFingerprint } from '../../src/protocol/fingerprint.ts';
import { ROOM_CONVERSATION } from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { Proof } from '../../src/protocol/proof.ts';
import { formatProof } from '../../src/protocol/proof-text.ts';
import { dsaIdentity, roomOwnerKey } from '../helpers/keys.ts';
import { HAND_ROOM, makeProof } from '../helpers/proof.ts';

const GOLDEN = fileURLToPath(new URL('../golden/proof-dsa.txt', import.meta.url));
const TEXT = readFileSync(GOLDEN, 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'securechat-check-'));
after(() => rmSync(folder, { recursive: true }));

const NOTHING = { owner: null, signer: null };

function fileOf(text: string): string {
  const file = join(folder, 'proof.txt');
  writeFileSync(file, text);
  return file;
}

/** The check that failed, or `proved`. */
async function outcome(
  text: string,
  known: Partial<Parameters<typeof proofVerdict>[0]> = {},
): Promise<string> {
  const verdict = await proofVerdict({ file: fileOf(text), ...NOTHING, ...known });
  return verdict.proved ? ['proved', ...verdict.compared].join(' ') : verdict.check;
}

test('fingerprints that are known are compared, in either form', async () => {
  const verdict = await proofVerdict({ file: GOLDEN, ...NOTHING });
  assert.ok(verdict.proved);
  const signer = parseFingerprint(verdict.from.fingerprint);
  const owner = parseFingerprint(verdict.ownerFingerprint);
  assert.equal(await outcome(TEXT), 'proved');
  for (const length of [16, 32]) {
    const known = { owner: owner.slice(0, length), signer: signer.slice(0, length) };
    assert.equal(await outcome(TEXT, known), 'proved owner signer');
    assert.equal(await outcome(TEXT, { signer: known.owner }), 'other-signer');
    assert.equal(await outcome(TEXT, { owner: known.signer, signer: known.signer }), 'other-owner');
  }
});

test('what was damaged on its way fails, and what is no proof is told as that', async () => {
  assert.equal(await outcome(TEXT.replaceAll('\n', '\r\n')), 'proved');
  assert.equal(await outcome(TEXT.replace(/(\n[^-].{30})./, '$1?')), 'form');
  assert.equal(await outcome(TEXT.slice(0, 900)), 'form');
  const refused = (text: string, message: RegExp): Promise<void> =>
    assert.rejects(outcome(text), { name: 'InputError', code: 'proof-file', message });
  await refused('Dear Ann', /proof\.txt is no proof; \/proof in a room writes one\.$/);
  await refused(`${TEXT}${TEXT}`, /holds several proofs/);
  await refused('x'.repeat(LIMITS.proofFileBytes + 1), /too large/);
  // Version 2, as a later program may write it.
  const later = TEXT.replace(/(PROOF-----\n)AQ/, '$1Ag');
  assert.notEqual(later, TEXT);
  await assert.rejects(outcome(later), { code: 'proof-version', message: /a newer securechat can check it/ });
  for (const file of [join(folder, 'none.txt'), folder])
    await assert.rejects(proofVerdict({ file, ...NOTHING }), {
      code: 'file',
      message: /^Cannot read .*: \w/,
    });
});

test('only a file is read: a pipe that nobody writes to, or a device, is refused at once', {
  timeout: 20_000,
}, async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  for (const file of [pipe, '/dev/zero', '/dev/null'])
    await assert.rejects(proofVerdict({ file, ...NOTHING }), {
      name: 'InputError',
      code: 'file',
      message: `Cannot read ${file}: it is a pipe or a device, not a file.`,
    });
});

test('where it was said is told: in the room, to one other, or in a conversation that somebody made', async () => {
  const [owner, signer, other] = [await roomOwnerKey(), await dsaIdentity(0), await dsaIdentity(1)];
  for (const [where, conversation] of [
    ['room', ROOM_CONVERSATION],
    ['direct', directConversation(HAND_ROOM, signer.memberId, other.memberId)],
    ['group', newConversationId(new Uint8Array(16))],
  ] as const) {
    const proof = makeProof({ owner, signer, header: { conversation } });
    const verdict = await proofVerdict({ file: fileOf(formatProof(Proof.encode(proof))), ...NOTHING });
    assert.equal(verdict.proved && verdict.where, where);
  }
});

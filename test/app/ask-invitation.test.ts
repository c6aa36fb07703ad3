/** Where an invitation comes from, and in how many pieces. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { askInvitation } from '../../src/app/ask-invitation.ts';
import { GaveUpError } from '../../src/app/front/front.ts';
import { mintInvitation } from '../../src/crypto/invitation.ts';
import { hash, invitationId, roomId } from '../../src/protocol/identifiers.ts';

const { text: TEXT } = await mintInvitation(
  {
    roomId: roomId(randomBytes(16)),
    ownerFingerprint: hash(randomBytes(32)),
    tlsPin: hash(randomBytes(32)),
    invitationId: invitationId(randomBytes(8)),
    ttlSeconds: 86_400,
    uses: 16,
    addresses: [{ host: '192.168.178.123', port: 8_888 }],
  },
  randomBytes(32),
);
const PIECES = TEXT.match(/.{1,70}/g) ?? [];

/** A front that has these lines and then ends. */
function lines(given: readonly string[]) {
  const left = [...given];
  const asked: string[] = [];
  const next = async (): Promise<string> => {
    const line = left.shift();
    if (line === undefined) throw new GaveUpError('ended');
    return line;
  };
  return {
    left,
    asked,
    front: {
      readLine: next,
      ask({ message, problem, secret }: { message: string; problem?: string; secret: boolean }) {
        assert.ok(secret);
        asked.push(problem === undefined ? message : `${problem} ${message}`);
        return next();
      },
    },
  };
}

test('pasted line by line it is put together, and what is wrong is told until then', async () => {
  const { front, asked, left } = lines(['Come in!', ...PIECES, 'see you']);
  const { invitation } = await askInvitation(null, front);
  assert.equal(invitation.uses, 16);
  assert.deepEqual(left, ['see you']);
  assert.equal(asked.length, 1 + PIECES.length);
  assert.match(asked[1] ?? '', /^This is not an invitation\. .* Paste the invitation\.$/);
  assert.match(asked[2] ?? '', /^This invitation was damaged .* Paste the invitation\.$/);
});

test('a broken paste does not spoil the next one', async () => {
  const { front, asked } = lines(['hello', TEXT.slice(0, -1), '', TEXT]);
  await askInvitation(null, front);
  assert.equal(asked.length, 4);
  const version = lines([TEXT.replace(/^sc1/, 'sc2'), TEXT]);
  await askInvitation(null, version.front);
});

test('redirected, it is read as far as it goes, with whatever stands around it', async () => {
  const mail = ['Hi Ann,', '', 'here it is:', ...PIECES.map((piece) => `> ${piece}`)];
  const { front, left } = lines([...mail, 'the answer']);
  await askInvitation({ kind: 'standardInput' }, front, false);
  assert.deepEqual(left, ['the answer']);
});

test('redirected and not there, or not whole, it is an error that says which', async () => {
  const read = (given: readonly string[]) =>
    askInvitation({ kind: 'standardInput' }, lines(given).front, false);
  await assert.rejects(read([]), GaveUpError);
  await assert.rejects(read(['hello', 'there']), { code: 'invitation-not' });
  await assert.rejects(read(PIECES.slice(1)), { code: 'invitation-damaged' });
  await assert.rejects(read(Array.from({ length: 1_000 }, () => 'spam')), { code: 'invitation-not' });
});

test('typed where it would be redirected, one line is all there is', async () => {
  const { front, left } = lines(['hello', TEXT]);
  await assert.rejects(askInvitation({ kind: 'standardInput' }, front, true), { code: 'invitation-not' });
  assert.deepEqual(left, [TEXT]);
});

test('given as a text it is read or refused', async () => {
  const { front, asked } = lines([]);
  await askInvitation({ kind: 'text', text: TEXT }, front);
  await assert.rejects(askInvitation({ kind: 'text', text: 'x' }, front), { code: 'invitation-not' });
  assert.deepEqual(asked, []);
});

/** Files that wait at the host of a kept room for members who are away: real lines, a real disk, and a host that ends. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { depositFolder } from '../../../src/app/deposits/deposit-folder.ts';
import { LineEndedError } from '../../../src/app/files/line.ts';
import { serveFile } from '../../../src/app/files/serve-file.ts';
import { takeFile } from '../../../src/app/files/take-file.ts';
import { sha256 } from '../../../src/crypto/hash.ts';
import type { SessionEvent } from '../../../src/member/events.ts';
import { type Bytes, bytesEqual, toHex } from '../../../src/protocol/bytes.ts';
import type { FileOffer } from '../../../src/protocol/file-offer.ts';
import { CHUNK_BYTES, sealedBytes } from '../../../src/protocol/file-stream.ts';
import type { MemberId } from '../../../src/protocol/identifiers.ts';
import type { Limits } from '../../../src/protocol/limits.ts';
import { type HostedMember, HostedRoom } from '../../helpers/hosted-room.ts';
import { newPath } from '../../helpers/room-file.ts';

const random = (length: number): Bytes => new Uint8Array(randomBytes(length));

interface Sent {
  readonly offer: FileOffer;
  readonly content: Bytes;
}

function fileOf(bytes: number): Sent {
  const content = random(bytes);
  const [fileId, key] = [random(16), random(32)];
  const offer = { fileId, key, hash: sha256(content), bytes, manifestBytes: 0, files: 0 };
  return { offer, content };
}

async function opened(context: TestContext, limits: Partial<Limits> = {}) {
  const path = newPath();
  const logged: string[] = [];
  const log = { error: note, warn: note, info() {}, debug() {} };
  function note(about: string, text: string): void {
    logged.push(`${about}: ${text}`);
  }
  const room = await HostedRoom.open(limits, path, log);
  context.after(() => room.close());
  const folder = depositFolder(path);
  const waiting = (): readonly string[] => {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  };
  const [ann, bob] = [await room.join('ann'), await room.join('bob')];
  return { room, folder, waiting, logged, ann, bob };
}

/** Ann serves it whenever she is asked to, and says for whom it is to wait. @returns how often she was asked */
function serves(
  room: HostedRoom,
  by: HostedMember,
  { offer, content }: Sent,
  keepFor: readonly MemberId[],
  read = async (position: number, length: number): Promise<Bytes> =>
    content.subarray(position, position + length),
): { asked: number } {
  const served = { asked: 0 };
  by.onEvent = (event) => {
    if (event.kind !== 'file-wanted' || !bytesEqual(event.fileId, offer.fileId)) return;
    served.asked += 1;
    const { pass, fromChunk } = event;
    serveFile({
      ...{ roomId: room.host.roomId, offer, pass, fromChunk, source: { read }, randomBytes: random },
      signal: new AbortController().signal,
      openLine: (stop) => by.membership.openLine(stop),
      // How the line ends is told by what comes of it.
    }).catch(() => {});
  };
  by.membership.tellOfFile('offer', offer.fileId, offer.bytes, keepFor);
  return served;
}

async function takes(room: HostedRoom, by: HostedMember, { offer }: Sent, resumeChunk = 0): Promise<Buffer> {
  const came: Bytes[] = [];
  await takeFile({
    ...{ roomId: room.host.roomId, offer, signal: new AbortController().signal },
    sink: {
      resumeChunk,
      write: async (pieces) => {
        came.push(...pieces.map((piece) => new Uint8Array(piece)));
      },
    },
    openLine: (stop) => by.membership.openLine(stop),
    onProgress() {},
    finish: async () => {},
  });
  return Buffer.concat(came);
}

function sum(bytes: Bytes): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const isProgress =
  (state: string) =>
  (event: SessionEvent): boolean =>
    event.kind === 'file-progress' && event.state === state;

function idOf(member: HostedMember): MemberId {
  const self = member.membership.session?.self;
  assert.ok(self);
  return self.memberId;
}

/** Until the host has done what nobody is told of. */
async function until(fits: () => boolean): Promise<void> {
  while (!fits()) await new Promise((resolve) => setImmediate(resolve));
}

test('a file waits for a member who is away, is there after its sender has gone and the host began anew, and goes then', async (context) => {
  const { room, folder, waiting, ann, bob } = await opened(context);
  const file = fileOf(7_000_000);
  const [bobsId, name] = [idOf(bob), toHex(file.offer.fileId)];
  bob.goAway();
  const served = serves(room, ann, file, [bobsId]);
  await ann.until(isProgress('kept'));
  assert.equal(served.asked, 1);
  assert.deepEqual(waiting(), [name]);
  const { mode, size } = statSync(`${folder}/${name}`);
  assert.deepEqual([mode & 0o777, size], [0o600, sealedBytes(7_000_000, 0)]);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  // As it came, and nothing of what is in it.
  assert.equal(readFileSync(`${folder}/${name}`).includes(file.content.subarray(0, 64)), false);

  ann.goAway();
  await room.reopen();
  assert.deepEqual(waiting(), [name]);
  await bob.comeBack();
  const middle = await takes(room, bob, file, 300).catch((error: unknown) => assert.fail(String(error)));
  assert.equal(sum(middle), sum(file.content.subarray(300 * CHUNK_BYTES)));
  await until(() => waiting().length === 0);
  await assert.rejects(takes(room, bob, file), (error) => error instanceof LineEndedError);

  // Its owner is told when they are back.
  await ann.comeBack();
  ann.membership.tellOfFile('offer', file.offer.fileId, file.offer.bytes);
  await ann.until(isProgress('done'));
  assert.equal(served.asked, 1);
});

test('it is whole from chunk 0 and for two at a time, and small ones and empty ones are as well', async (context) => {
  const { room, waiting, ann, bob } = await opened(context);
  const carl = await room.join('carl');
  const ids = [idOf(bob), idOf(carl)];
  for (const bytes of [0, 1, CHUNK_BYTES, 5_000_000]) {
    const file = fileOf(bytes);
    serves(room, ann, file, ids);
    await ann.until((event) => isProgress('kept')(event) && hasFile(event, file));
    const both = await Promise.all([takes(room, bob, file), takes(room, carl, file)]);
    for (const came of both) assert.equal(sum(came), sum(file.content));
    await until(() => waiting().length === 0);
  }
});

test('it is withdrawn after the host began anew, and what is too large for the room is not kept', async (context) => {
  const { room, waiting, ann, bob } = await opened(context, { depositBytesPerMember: 1_000_000 });
  const [large, small] = [fileOf(1_000_000), fileOf(500_000)];
  const ids = [idOf(bob)];
  bob.goAway();
  const asked = serves(room, ann, large, ids);
  serves(room, ann, small, ids);
  await ann.until(isProgress('kept'));
  await ann.until(isProgress('unkept'));
  assert.deepEqual(waiting(), [toHex(small.offer.fileId)]);
  assert.equal(asked.asked, 0);
  ann.goAway();
  await room.reopen();
  await ann.comeBack();
  ann.membership.tellOfFile('withdraw', small.offer.fileId, 0);
  await until(() => waiting().length === 0);
  // Nobody knows of it when the room is open again.
  ann.goAway();
  await room.reopen();
  await bob.comeBack();
  await assert.rejects(takes(room, bob, small), { reason: 'unknown' });
});

test('it goes when it has waited for as long as the room holds what is said', async (context) => {
  const { room, waiting, ann, bob } = await opened(context, { backlogMs: 1 });
  const file = fileOf(100_000);
  serves(room, ann, file, [idOf(bob)]);
  await ann.until(isProgress('kept'));
  await until(() => waiting().length === 0);
  // Its owner, who is here, serves it still.
  assert.equal(sum(await takes(room, bob, file)), sum(file.content));
});

test('a disk that fails costs the deposit, not the room: whoever is here takes it from its owner', async (context) => {
  const { room, folder, logged, ann, bob } = await opened(context);
  const carl = await room.join('carl');
  // Where its folder is to be lies a file.
  writeFileSync(folder, '');
  const file = fileOf(4_000_000);
  const id = idOf(bob);
  bob.goAway();
  serves(room, ann, file, [id]);
  await until(() => logged.length > 0);
  assert.match(logged.join('\n'), /^files: A file that waits for members could not be kept: /);
  await ann.until(isProgress('unkept'));
  assert.equal(sum(await takes(room, carl, file)), sum(file.content));
  assert.equal(ann.events.some(isProgress('kept')), false);
});

test('what would fill the disk is not kept: the room itself is written there', async (context) => {
  const { room, waiting, logged, ann, bob } = await opened(context, { depositSpareBytes: 2 ** 52 });
  const file = fileOf(1_000_000);
  serves(room, ann, file, [idOf(bob)]);
  await until(() => logged.length > 0);
  assert.match(logged.join('\n'), /could not be kept: the disk is nearly full\.$/);
  assert.deepEqual(waiting(), []);
  assert.equal(sum(await takes(room, bob, file)), sum(file.content));
});

test('a host that ends in the middle of it leaves nothing, and what a crash has left goes when it opens the room', async (context) => {
  const { room, folder, waiting, ann, bob } = await opened(context);
  const file = fileOf(8_000_000);
  const id = idOf(bob);
  bob.goAway();
  const stuck = Promise.withResolvers<void>();
  serves(room, ann, file, [id], async (position, length) => {
    if (position > 5_000_000) await stuck.promise;
    return file.content.subarray(position, position + length);
  });
  const part = `${toHex(file.offer.fileId)}.part`;
  await until(() => waiting().includes(part));
  ann.goAway();
  const crashed = ['a'.repeat(32), `${'b'.repeat(32)}.part`];
  await room.reopen(() => {
    assert.deepEqual(waiting(), []);
    for (const name of [...crashed, 'letter.txt']) writeFileSync(`${folder}/${name}`, 'of nobody');
  });
  stuck.resolve();
  // Nothing that the program has not put there.
  assert.deepEqual(waiting(), ['letter.txt']);
  await bob.comeBack();
  await assert.rejects(takes(room, bob, file), { reason: 'unknown' });
});

test('what has become shorter on the disk is not served, at opening or later', async (context) => {
  const { room, folder, waiting, ann, bob } = await opened(context);
  const [first, second] = [fileOf(3_000_000), fileOf(3_000_000)];
  const id = idOf(bob);
  bob.goAway();
  for (const file of [first, second]) {
    serves(room, ann, file, [id]);
    await ann.until((event) => isProgress('kept')(event) && hasFile(event, file));
  }
  ann.goAway();
  const pathOf = ({ offer }: Sent): string => `${folder}/${toHex(offer.fileId)}`;
  await room.reopen(() => truncateSync(pathOf(first), 1_000_000));
  assert.deepEqual(waiting(), [toHex(second.offer.fileId)]);
  truncateSync(pathOf(second), 1_000_000);
  await bob.comeBack();
  await assert.rejects(takes(room, bob, first), { reason: 'unknown' });
  await assert.rejects(takes(room, bob, second), { reason: 'lost' });
  await assert.rejects(takes(room, bob, second), { reason: 'unknown' });
});

function hasFile(event: SessionEvent, { offer }: Sent): boolean {
  return event.kind === 'file-progress' && bytesEqual(event.fileId, offer.fileId);
}

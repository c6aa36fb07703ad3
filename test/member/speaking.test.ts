/** What a member does about the host's answers to what it sends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeFrame, frameBody, frameType } from '../../src/protocol/framing.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { Deferred, Post, SESSION_FRAME, Wraps } from '../../src/protocol/session-frames.ts';
import { ChainAnnouncement, MessageHeader } from '../../src/protocol/signed-objects.ts';
import { bodiesOf } from '../helpers/evil-host.ts';
import type { Hook } from '../helpers/line.ts';
import type { TestMember } from '../helpers/member.ts';
import { openRoom, type TestRoom } from '../helpers/room.ts';

async function pair(): Promise<{ room: TestRoom; alice: TestMember; bob: TestMember; carol: TestMember }> {
  const room = await openRoom();
  return {
    room,
    alice: await room.join('alice'),
    bob: await room.join('bob'),
    carol: await room.join('carol'),
  };
}

type Named = Pick<MessageHeader, 'conversation' | 'chainId' | 'n'>;

function defer(
  room: TestRoom,
  to: TestMember,
  { conversation, chainId, n }: Named,
  reason: Deferred['reason'],
): void {
  assert.ok(to.line);
  const body = Deferred.encode({ conversation, chainId, n, reason, retryAfterMs: 50 });
  room.inject(to.line, 'member', encodeFrame(SESSION_FRAME.deferred, body));
}

/** Keeps frames of one type back, until `release`. */
function hold(type: number): { readonly hook: Hook; readonly held: Uint8Array[] } {
  const held: Uint8Array[] = [];
  const hook: Hook = (frame) => {
    if (frameType(frame) !== type) return [frame];
    held.push(frame);
    return [];
  };
  return { hook, held };
}

test('wraps told to wait are sent again, though a message of the old chain bears the same number', async () => {
  const { room, alice, bob, carol } = await pair();
  assert.ok(alice.line);
  const posts = hold(SESSION_FRAME.post);
  alice.line.toHost = posts.hook;
  alice.say('sealed before carol left');
  room.pump();
  const first = MessageHeader.decode(Post.decode(frameBody(posts.held[0] ?? assert.fail())).header);
  carol.leave();
  room.advance(500);
  const wraps = hold(SESSION_FRAME.wraps);
  alice.line.toHost = wraps.hook;
  alice.say('sealed after');
  room.pump();
  const { announcement } = Wraps.decode(frameBody(wraps.held[0] ?? assert.fail()));
  const second = ChainAnnouncement.decode(announcement.bytes);
  assert.deepEqual([first.n, second.n], [0, 0]);
  alice.line.toHost = (frame) => [frame];
  defer(room, alice, first, 'stale');
  defer(room, alice, second, 'wait');
  room.advance(2_000);
  assert.deepEqual(bob.texts, ['sealed before carol left', 'sealed after']);
  assert.equal(alice.session.unplaced, 0);
});

test('a message of the old chain placed late does not mislead what is sealed anew on the new one', async () => {
  const { room, alice, bob } = await pair();
  assert.ok(alice.line);
  const entries = hold(SESSION_FRAME.entry);
  alice.line.toMember = entries.hook;
  alice.say('on the old chain');
  room.pump();
  assert.deepEqual(bob.texts, ['on the old chain']);
  room.advance(LIMITS.chainMs);
  const posts = hold(SESSION_FRAME.post);
  alice.line.toHost = posts.hook;
  alice.say('on the new chain');
  room.advance(1_000);
  const header = MessageHeader.decode(Post.decode(frameBody(posts.held[0] ?? assert.fail())).header);
  for (const frame of entries.held) room.inject(alice.line, 'member', frame);
  alice.line.toMember = (frame) => [frame];
  alice.line.toHost = (frame) => [frame];
  room.pump();
  defer(room, alice, header, 'order');
  room.advance(1_000);
  assert.deepEqual(bob.texts, ['on the old chain', 'on the new chain']);
  // Sealed twice, not again and again.
  assert.ok(bodiesOf(alice.sent, SESSION_FRAME.post).length <= 3);
});

/** Being away, and coming back: what was said meanwhile is shown, and nobody is alarmed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeFrame, frameBody, frameType } from '../../src/protocol/framing.ts';
import { Deferred, Post, SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import { MessageHeader } from '../../src/protocol/signed-objects.ts';
import { wrapKeys } from '../helpers/keys.ts';
import type { TestMember } from '../helpers/member.ts';
import { openRoom, type TestRoom, type TestRoomOptions } from '../helpers/room.ts';

async function pair(
  options: TestRoomOptions = {},
): Promise<{ room: TestRoom; alice: TestMember; bob: TestMember }> {
  const room = await openRoom(options);
  return { room, alice: await room.join('alice'), bob: await room.join('bob') };
}

test('keys that were on a line when it died come again with the next', async () => {
  const { room, alice, bob } = await pair();
  assert.ok(bob.line);
  bob.line.toMember = () => [];
  alice.say('said into a dead line');
  room.advance(60_000);
  alice.say('and another');
  room.pump();
  assert.deepEqual(bob.texts, []);
  bob.loseLine();
  bob.comeBack();
  room.pump();
  assert.deepEqual(bob.texts, ['said into a dead line', 'and another']);
  assert.deepEqual(bob.eventsOf('unopened'), []);
  assert.deepEqual(bob.alarms, []);
});

test('several chains of one sender while someone was away: every message opens', async () => {
  const { room, alice, bob } = await pair();
  for (let place = 0; place < 10; place += 1) alice.say(`before ${place}`);
  room.advance(1_000);
  bob.loseLine();
  room.pump();
  for (let place = 0; place < 450; place += 1) {
    alice.say(`meanwhile ${place}`);
    if (place % 20 === 0) room.advance(1_000);
  }
  room.advance(5_000);
  assert.equal(alice.texts.length, 460);
  bob.comeBack();
  room.pump();
  assert.deepEqual(bob.texts, alice.texts);
  assert.deepEqual(bob.eventsOf('unopened'), []);
  assert.deepEqual(bob.alarms, []);
});

test('a key asked for and given while earlier messages wait for their place is no replay', async () => {
  const { room, alice, bob } = await pair();
  assert.ok(alice.line && bob.line);
  // Bob's copy of the key is lost for good.
  bob.line.toMember = (frame) => (frameType(frame) === SESSION_FRAME.wrap ? [] : [frame]);
  alice.say('not for bob to open');
  room.pump();
  assert.equal(bob.eventsOf('unopened').length, 1);
  bob.line.toMember = (frame) => [frame];
  // What alice says now is told to wait, while bob's request for the key arrives.
  const { line } = alice;
  let waiting = 2;
  line.toHost = (frame) => {
    if (frameType(frame) !== SESSION_FRAME.post || waiting === 0) return [frame];
    waiting -= 1;
    const header = MessageHeader.decode(Post.decode(frameBody(frame)).header);
    const { conversation, chainId, n } = header;
    const wait = Deferred.encode({ conversation, chainId, n, reason: 'wait', retryAfterMs: 100 });
    held.push(encodeFrame(SESSION_FRAME.deferred, wait));
    return [];
  };
  const held: Uint8Array[] = [];
  alice.say('one');
  alice.say('two');
  // The wrap for bob goes out before the third message, while the first two are still undecided.
  room.advance(500);
  alice.say('three');
  room.pump();
  for (const frame of held) room.inject(line, 'member', frame);
  room.advance(1_000);
  assert.deepEqual(bob.alarms, []);
  assert.equal(bob.texts.at(-1), 'three');
  assert.equal(alice.session.unplaced, 0);
});

test('a key made before someone had to begin anew opens what follows, and what it missed is no fault', async () => {
  for (const changed of [false, true]) {
    const { room, alice, bob } = await pair();
    const wrapPair = await wrapKeys(1);
    bob.loseLine();
    room.pump();
    alice.say('for bob, who is away');
    room.pump();
    if (changed) await room.join('carol');
    // Bob comes back with nothing but his keys, as one who joins and is known.
    const again = await room.person('bob', { identity: bob.identity, wrapPair });
    again.knock(room.invite());
    room.pump();
    assert.ok(again.live);
    alice.say('bob can open this or will ask for its key');
    room.advance(31_000);
    alice.say('and this');
    room.advance(1_000);
    assert.deepEqual(again.alarms, []);
    assert.equal(again.texts.at(-1), 'and this');
  }
});

test('a message that was placed as the line broke, and is only a hash by now, is shown and placed once', async () => {
  const { room, alice, bob } = await pair({ limits: { backlogEntries: 5 } });
  bob.say('hello');
  room.advance(250);
  assert.ok(bob.line);
  bob.line.toMember = () => [];
  bob.say('placed unseen');
  room.pump();
  bob.loseLine();
  for (let place = 0; place < 20; place += 1) {
    alice.say(`meanwhile ${place}`);
    room.advance(250);
  }
  bob.comeBack();
  room.advance(1_000);
  for (const member of [alice, bob])
    assert.equal(member.texts.filter((text) => text === 'placed unseen').length, 1);
  assert.equal(bob.session.unplaced, 0);
  assert.deepEqual([alice.alarms, bob.alarms], [[], []]);
  // Five of alice's are whole, the others are gone; his own is not among those.
  assert.match(bob.eventsOf('notice')[0]?.text ?? '', /^15 messages/);
});

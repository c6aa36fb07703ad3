/** Marks of verification, and what a key in the place of a verified one holds back. @see docs/protocol.md#verification */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SigningKey } from '../../src/crypto/signature.ts';
import { decodeSavedState } from '../../src/member/saved-state.ts';
import { InputError } from '../../src/protocol/errors.ts';
import { formatFingerprint } from '../../src/protocol/fingerprint.ts';
import { frameType } from '../../src/protocol/framing.ts';
import { SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import { EvilHost } from '../helpers/evil-host.ts';
import { dsaIdentity, wrapKeys } from '../helpers/keys.ts';
import type { TestMember } from '../helpers/member.ts';
import { entryOf, showOperation, signNext } from '../helpers/operations.ts';
import { openRoom, type TestRoom, type TestRoomOptions } from '../helpers/room.ts';

const PASSWORD = 'nine lives of a cat';

/** `bob` has verified `ann`, who has an account. */
async function acquainted(options: TestRoomOptions = {}) {
  const room = await openRoom({ keeps: 'ciphertext', ...options });
  const ann = await room.join('ann', { crowd: true });
  const bob = await room.join('bob', { crowd: true, keeps: 'when-saved' });
  const cyd = await room.join('cyd', { crowd: true });
  ann.register(PASSWORD);
  room.pump();
  bob.mark('ann', 'verified');
  return { room, ann, bob, cyd };
}

/** The account `ann` goes on on another device. */
async function onAnotherDevice(room: TestRoom, nick = 'ann'): Promise<TestMember> {
  const again = await room.person(nick, { crowd: true, passwords: [PASSWORD] });
  again.knock(room.invite());
  room.advance(1_000);
  assert.ok(again.live);
  return again;
}

const codes = (member: TestMember): readonly string[] => member.eventsOf('notice').map(({ code }) => code);
const untrusted = (member: TestMember): readonly string[] => member.session.untrusted.map(({ nick }) => nick);

/** Frames of this member that carry what is said, or a key for it. */
function telling(member: TestMember): number {
  const types: readonly number[] = [SESSION_FRAME.post, SESSION_FRAME.wraps];
  return member.sent.filter((frame) => types.includes(frameType(frame))).length;
}

function shown(member: TestMember, nick: string) {
  return member.session.members.find((each) => each.member.nick === nick);
}

test('a mark is by key, one’s own business, and is taken back', async () => {
  const { room, bob, cyd } = await acquainted();
  assert.equal(shown(bob, 'ann')?.verified, true);
  assert.equal(shown(bob, 'cyd')?.verified, undefined);
  assert.equal(shown(cyd, 'ann')?.verified, undefined);
  assert.throws(() => bob.mark('ann', 'verified'), { code: 'no-change' });
  assert.throws(() => bob.mark('bob', 'verified'), { code: 'not-allowed' });
  assert.throws(() => bob.mark('ann', 'trusted'), { code: 'nothing-to-trust' });
  assert.throws(() => bob.mark('cyd', 'unverified'), InputError);
  assert.deepEqual(bob.session.verified, [{ nick: 'ann', here: true }]);
  bob.mark('ann', 'unverified');
  assert.equal(shown(bob, 'ann')?.verified, undefined);
  await onAnotherDevice(room);
  assert.deepEqual(untrusted(bob), []);
});

test('P32 a changed key clears the mark, and what is said waits until /trust', async () => {
  const { room, ann, bob, cyd } = await acquainted();
  bob.say('to the one I know');
  room.advance(1_000);
  const again = await onAnotherDevice(room);
  assert.equal(shown(bob, 'ann')?.verified, undefined);
  assert.deepEqual(bob.alarms, ['key-changed-verified']);
  assert.deepEqual(untrusted(bob), ['ann']);
  const sent = telling(bob);
  bob.say('one');
  bob.say('two');
  room.advance(30_000);
  assert.equal(telling(bob), sent, 'neither text nor key went out');
  assert.equal(bob.session.unplaced, 2);
  assert.deepEqual(codes(bob), ['held-for-trust'], 'told once, and not as late');
  assert.deepEqual(bob.alarms, ['key-changed-verified']);
  // Whoever has not verified ann is not held back.
  cyd.say('hello');
  room.advance(1_000);
  assert.deepEqual(again.texts, ['hello']);
  assert.deepEqual(cyd.alarms, []);

  bob.mark('ann', 'trusted');
  room.advance(5_000);
  assert.deepEqual(again.texts, ['hello', 'one', 'two']);
  assert.deepEqual(codes(bob), ['held-for-trust']);
  assert.equal(shown(bob, 'ann')?.verified, undefined, 'accepted without a mark');
  assert.throws(() => bob.mark('ann', 'trusted'), { code: 'nothing-to-trust' });
  assert.deepEqual(ann.texts, ['to the one I know']);
});

test('P32 what is said to the changed key alone waits; what goes where it is not does not', async () => {
  const { room, ann, bob, cyd } = await acquainted();
  const plans = bob.begin('plans', 'ann', 'cyd');
  room.advance(1_000);
  bob.sayIn(plans, 'before');
  bob.tell('ann', 'between us');
  room.advance(1_000);
  const again = await onAnotherDevice(room);
  const sent = telling(bob);
  bob.tell('ann', 'for ann alone');
  bob.say('to all');
  room.advance(30_000);
  assert.equal(telling(bob), sent, 'neither text nor key went out');
  assert.ok(codes(bob).includes('held-for-trust'));
  // Another key is in none of the old one's conversations.
  bob.sayIn(plans, 'without ann');
  bob.tell('cyd', 'for cyd alone');
  room.advance(5_000);
  assert.deepEqual(cyd.texts, ['before', 'without ann', 'for cyd alone']);
  assert.deepEqual(again.texts, []);
  bob.mark('ann', 'trusted');
  room.advance(5_000);
  assert.deepEqual(again.texts.toSorted(), ['for ann alone', 'to all']);
  assert.deepEqual(ann.texts, ['before', 'between us']);
});

test('P32 the alarm names who it is and both fingerprints', async () => {
  const { room, bob } = await acquainted();
  const again = await onAnotherDevice(room);
  const [first, second] = [room.members[0]?.identity ?? assert.fail(), again.identity];
  const [alarm] = bob.eventsOf('alarm');
  assert.ok(alarm);
  for (const { idFingerprint } of [first, second])
    assert.ok(alarm.text.includes(formatFingerprint(idFingerprint)));
  assert.match(alarm.text, /^ann has .*\/verify ann .*\/trust ann /);
});

test('P32 marking the new key accepts it, and a further one is an alarm again', async () => {
  const { room, bob } = await acquainted();
  const second = await onAnotherDevice(room);
  bob.say('one');
  bob.mark('ann', 'verified');
  room.advance(1_000);
  assert.deepEqual(second.texts, ['one']);
  assert.equal(shown(bob, 'ann')?.verified, true);
  const third = await onAnotherDevice(room);
  bob.say('two');
  room.advance(1_000);
  assert.deepEqual(third.texts, []);
  assert.deepEqual(bob.alarms, ['key-changed-verified', 'key-changed-verified']);
});

test('P32 a key that follows on one not accepted is not accepted either', async () => {
  const { room, bob } = await acquainted();
  const second = await onAnotherDevice(room);
  second.act({ kind: 'rename', nick: 'zed' });
  room.advance(1_000);
  const third = await onAnotherDevice(room, 'zed');
  bob.say('for whom?');
  room.advance(1_000);
  assert.deepEqual(untrusted(bob), ['zed']);
  assert.match(
    bob.eventsOf('alarm').at(-1)?.text ?? '',
    /^zed has another key than the one of ann that you verified/,
  );
  bob.mark('zed', 'trusted');
  room.advance(1_000);
  assert.deepEqual(third.texts, ['for whom?']);
});

test('P32 mark and hold outlive the program, whenever the key has changed', async () => {
  const { room, bob } = await acquainted();
  const back = await room.restart(bob, bob.save());
  assert.equal(shown(back, 'ann')?.verified, true);
  assert.deepEqual(back.alarms, []);

  // While the program is not running.
  const saved = back.save();
  back.loseLine();
  const again = await onAnotherDevice(room);
  const second = await room.restart(back, saved);
  assert.deepEqual(second.alarms, ['key-changed-verified']);
  second.say('not yet');
  room.advance(1_000);
  assert.deepEqual(again.texts, []);

  // And in the run after that, which is told again.
  const third = await room.restart(second, second.save());
  assert.deepEqual(third.alarms, ['key-changed-verified']);
  third.say('nor yet');
  room.advance(1_000);
  assert.deepEqual(again.texts, []);
  third.mark('ann', 'trusted');
  room.advance(1_000);
  assert.deepEqual(again.texts, ['nor yet']);
  const fourth = await room.restart(third, third.save());
  assert.deepEqual([fourth.alarms, untrusted(fourth)], [[], []]);
});

test('P32 a host that signs another key into a verified member’s place gets nothing for it', async () => {
  const { room, ann, bob, cyd } = await acquainted();
  const spy = await dsaIdentity(20);
  const entry = entryOf(room, ann, { identity: spy.idFingerprint, algorithm: spy.algorithm });
  const gone = { memberId: ann.identity.memberId, reason: 'replaced' as const };
  const operation = signNext(room, { removes: [gone], puts: [entry] });
  for (const member of [bob, cyd]) showOperation(room, member, operation);
  assert.deepEqual(bob.alarms, ['key-changed-verified']);
  const sent = bob.sent.length;
  bob.say('a secret');
  room.advance(30_000);
  // Not even the key is asked for that it would be sealed to.
  const types: readonly number[] = [SESSION_FRAME.post, SESSION_FRAME.wraps, SESSION_FRAME.pullKeys];
  assert.equal(bob.sent.slice(sent).filter((frame) => types.includes(frameType(frame))).length, 0);
  assert.equal(bob.session.unplaced, 1);
  assert.deepEqual(
    decodeSavedState(bob.save()).pins.map(({ nick, heir }) => [nick, heir]),
    [['ann', [spy.idFingerprint]]],
  );
});

test('P32 another key under the nickname of a verified guest who is gone is held back as well', async () => {
  const room = await openRoom();
  const ann = await room.join('bill', { crowd: true });
  const bob = await room.join('bob', { crowd: true });
  bob.mark('bill', 'verified');
  ann.leave();
  room.advance(1_000);
  assert.deepEqual(bob.session.verified, [{ nick: 'bill', here: false }]);
  // One that reads like it will do.
  const other = await room.join('bi11', { crowd: true });
  assert.deepEqual(bob.alarms, ['key-changed-verified']);
  bob.say('is it you?');
  room.advance(1_000);
  assert.deepEqual(other.texts, []);
  // Another nickname does not get around it.
  other.act({ kind: 'rename', nick: 'zed' });
  room.advance(5_000);
  assert.deepEqual(untrusted(bob), ['zed']);
  bob.mark('zed', 'trusted');
  room.advance(1_000);
  assert.deepEqual(other.texts, ['is it you?']);
});

test('P32 nobody left to wait for: it goes out, and whoever comes next is held back again', async () => {
  const room = await openRoom();
  const ann = await room.join('ann', { crowd: true });
  const bob = await room.join('bob', { crowd: true });
  const cyd = await room.join('cyd', { crowd: true });
  bob.mark('ann', 'verified');
  ann.leave();
  room.advance(1_000);
  const second = await room.join('ann', { crowd: true });
  bob.say('one');
  room.advance(1_000);
  assert.deepEqual(cyd.texts, []);
  second.leave();
  room.advance(1_000);
  assert.deepEqual(untrusted(bob), []);
  assert.deepEqual(cyd.texts, ['one']);
  // The same key, whatever it is called by now, and then another one under the nickname.
  const { identity } = second;
  const again = { identity, wrapPair: await wrapKeys(1), firstGeneration: 2 };
  const back = await room.join('zed', again);
  const third = await room.join('ann', { crowd: true });
  assert.equal(bob.alarms.length, 3);
  assert.deepEqual(untrusted(bob).toSorted(), ['ann', 'zed']);
  bob.say('two');
  bob.mark('ann', 'trusted');
  room.advance(1_000);
  assert.deepEqual([back.texts, third.texts], [[], []], 'both have to be decided on');
  for (const member of [back, third]) member.leave();
  room.advance(1_000);
  const fourth = await room.join('ann', { crowd: true });
  assert.deepEqual(untrusted(bob), ['ann']);
  assert.deepEqual(fourth.texts, []);
});

for (const how of ['in one run', 'in the next run'])
  test(`P32 someone too far behind to be told entry by entry is told of the key all the same, ${how}`, async () => {
    const { room, bob, cyd } = await acquainted({ limits: { headsKept: 16, backlogEntries: 8 } });
    const saved = bob.save();
    bob.loseLine();
    const again = await onAnotherDevice(room);
    for (let count = 0; count < 40; count += 1) {
      cyd.say(`line ${count}`);
      room.advance(250);
    }
    const back = how === 'in one run' ? bob : await room.restart(bob, saved);
    if (back === bob) bob.comeBack();
    room.advance(2_000);
    assert.equal(back.eventsOf('roster').at(-1)?.change.removed[0]?.reason, 'unseen');
    assert.deepEqual(back.alarms, ['key-changed-verified']);
    const heard = again.texts.length;
    back.say('not yet');
    room.advance(1_000);
    assert.deepEqual([again.texts.length, untrusted(back)], [heard, ['ann']]);
  });

test('P32 a host that has lost its log, and with it how the key came, is held back for both', async () => {
  const { room, bob, cyd } = await acquainted();
  const evil = new EvilHost(room);
  for (let count = 0; count < 8; count += 1) evil.show(bob, evil.catchPost(cyd, `lost ${count}`));
  const saved = bob.save();
  bob.loseLine();
  const again = await onAnotherDevice(room);
  const back = await room.restart(bob, saved);
  room.advance(1_000);
  assert.deepEqual(back.alarms, ['history-lost', 'key-changed-verified']);
  assert.throws(() => back.mark('cyd', 'trusted'), { code: 'nothing-to-trust' });
  back.say('one');
  back.mark('ann', 'trusted');
  room.advance(1_000);
  assert.deepEqual(again.texts, []);
  back.acknowledge();
  room.advance(1_000);
  assert.deepEqual(again.texts, ['one']);
});

test('P49 a verified member who comes back under the same key, or is renamed, raises nothing', async () => {
  const room = await openRoom();
  const identity: SigningKey = await dsaIdentity(15);
  const [ann, bob] = [
    await room.join('ann', { identity, wrapPair: await wrapKeys(0) }),
    await room.join('bob', { crowd: true }),
  ];
  bob.mark('ann', 'verified');
  ann.act({ kind: 'rename', nick: 'anna' });
  room.advance(5_000);
  assert.equal(shown(bob, 'anna')?.verified, true);
  const newcomer = await room.join('ann', { crowd: true });
  assert.deepEqual([bob.alarms, shown(bob, 'ann')?.verified], [[], undefined]);
  newcomer.leave();
  ann.leave();
  room.advance(1_000);
  const options = { identity, wrapPair: await wrapKeys(1), firstGeneration: 2 };
  const back = await room.join('annie', options);
  assert.equal(shown(bob, 'annie')?.verified, true);
  bob.say('welcome back');
  room.advance(1_000);
  assert.deepEqual(back.texts, ['welcome back']);
  assert.deepEqual(bob.alarms, []);
});

test('P32 an alarm about the host and a changed key hold back by themselves, each accepted for itself', async () => {
  const { room, bob, cyd } = await acquainted();
  const again = await onAnotherDevice(room);
  bob.say('one');
  bob.acknowledge();
  room.advance(1_000);
  assert.deepEqual(cyd.texts, []);
  bob.mark('ann', 'trusted');
  room.advance(1_000);
  assert.deepEqual([cyd.texts, again.texts], [['one'], ['one']]);
});

test('P32 of keys that come and go in one place, one is remembered', async () => {
  const room = await openRoom();
  const ann = await room.join('ann', { crowd: true });
  const bob = await room.join('bob', { crowd: true, keeps: 'when-saved' });
  bob.mark('ann', 'verified');
  ann.leave();
  room.advance(1_000);
  const others: TestMember[] = [];
  for (const nick of ['one', 'two', 'three']) {
    const other = await room.join('ann', { crowd: true });
    other.act({ kind: 'rename', nick });
    room.advance(1_000);
    others.push(other);
  }
  assert.deepEqual(untrusted(bob).toSorted(), ['one', 'three', 'two']);
  for (const other of others) other.leave();
  room.advance(2_000);
  assert.equal(decodeSavedState(bob.save()).pins.length, 1);
  await room.join('ann', { crowd: true });
  assert.deepEqual(untrusted(bob), ['ann']);
});

/** A member whose program has ended, and another run that goes on with what was saved. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leafHash } from '../../src/crypto/log-hash.ts';
import { decodeSavedState, encodeSavedState } from '../../src/member/saved-state.ts';
import { Session } from '../../src/member/session.ts';
import { OwnWrapKeys } from '../../src/member/wrap-keys.ts';
import { ADMISSION_FRAME } from '../../src/protocol/admission-frames.ts';
import type { Signed } from '../../src/protocol/codec.ts';
import { encodeFrame, frameType } from '../../src/protocol/framing.ts';
import { ciphertext } from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { Ack, Eras, SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import { bodiesOf, EvilHost, signEra } from '../helpers/evil-host.ts';
import { wrapKeys } from '../helpers/keys.ts';
import type { TestMember } from '../helpers/member.ts';
import { openRoom, type TestRoom, type TestRoomOptions } from '../helpers/room.ts';
import { assertKeysUsedOnce, postsOf } from '../helpers/thief.ts';

async function pair(
  options: TestRoomOptions = {},
): Promise<{ room: TestRoom; alice: TestMember; bob: TestMember }> {
  const room = await openRoom(options);
  return { room, alice: await room.join('alice'), bob: await room.join('bob', { keeps: 'when-saved' }) };
}

function say(room: TestRoom, from: TestMember, text: string): void {
  from.say(text);
  room.advance(250);
}

test('P49 a run that goes on reads all that was said meanwhile, in order, once, and marked', async () => {
  const { room, alice, bob } = await pair();
  say(room, alice, 'seen before');
  say(room, bob, 'said before');
  const saved = bob.save();
  const again = await room.restart(bob, saved);
  again.loseLine();
  room.pump();
  for (let place = 0; place < 450; place += 1) {
    alice.say(`meanwhile ${place}`);
    if (place % 20 === 0) room.advance(1_000);
  }
  const carol = await room.join('carol');
  say(room, carol, 'someone new');
  room.advance(5_000);
  const back = await room.restart(again, saved);
  assert.deepEqual(back.texts, [...alice.texts.slice(2)]);
  assert.ok(back.messages.every(({ away }) => away));
  assert.deepEqual(back.eventsOf('unopened'), []);
  assert.deepEqual(back.alarms, []);
  assert.deepEqual(
    back.eventsOf('joined').map(({ self, members }) => [self.nick, members.length]),
    [['bob', 2]],
  );
  assert.deepEqual(back.eventsOf('live'), [{ kind: 'live', again: true }]);
  say(room, alice, 'hello again');
  assert.equal(back.messages.at(-1)?.away, false);
  say(room, back, 'and you');
  for (const other of [alice, carol]) {
    assert.equal(other.texts.at(-1), 'and you');
    assert.deepEqual(other.alarms, []);
    assert.deepEqual(other.eventsOf('unopened'), []);
  }
});

test('P49 what was sealed for the list before someone joined is judged as ever by the next run', async () => {
  const { room, alice, bob } = await pair();
  say(room, alice, 'first');
  assert.ok(alice.line);
  const held: Uint8Array[] = [];
  const { line } = alice;
  line.toHost = (frame) => {
    if (frameType(frame) !== SESSION_FRAME.post) return [frame];
    held.push(frame);
    return [];
  };
  alice.say('under way while carol joins');
  room.pump();
  line.toHost = (frame) => [frame];
  await room.join('carol');
  const saved = bob.save();
  bob.loseLine();
  for (const frame of held) room.inject(line, 'host', frame);
  room.pump();
  say(room, alice, 'and after');
  const back = await room.restart(bob, saved);
  assert.deepEqual(back.texts, ['under way while carol joins', 'and after']);
  assert.deepEqual(back.alarms, []);
});

test('P49 a message of an earlier run is told once, without its text, and no alarm', async () => {
  const { room, alice, bob } = await pair();
  say(room, bob, 'kept');
  const saved = bob.save();
  say(room, bob, 'said after the last save');
  say(room, bob, 'and this');
  const back = await room.restart(bob, saved);
  assert.deepEqual(
    back.eventsOf('unopened').map(({ own }) => own),
    [true, true],
  );
  assert.deepEqual(back.alarms, []);
  say(room, back, 'as I said');
  assert.deepEqual(alice.texts, ['kept', 'said after the last save', 'and this', 'as I said']);
  assert.deepEqual(alice.alarms, []);
});

test('P21 a message of an earlier run that is placed again raises an alarm', async () => {
  const { room, bob } = await pair();
  say(room, bob, 'once');
  const [post] = postsOf([bob]);
  assert.ok(post);
  const back = await room.restart(bob, bob.save());
  new EvilHost(room).show(back, post);
  assert.deepEqual(back.alarms, ['replayed']);
  assert.deepEqual(back.eventsOf('unopened'), []);
});

test('P20 keys of before a removal open nothing for the next run either', async () => {
  const { room, alice, bob } = await pair();
  const carol = await room.join('carol');
  say(room, alice, 'begins a chain');
  const evil = new EvilHost(room);
  const post = evil.catchPost(alice, 'sealed while carol was here');
  carol.leave();
  room.advance(1_000);
  const back = await room.restart(bob, bob.save());
  evil.show(back, post);
  assert.deepEqual(back.alarms, ['stale-placed']);
  assert.deepEqual(back.texts, []);
});

test('P28 no key is used twice, however often the program ends and goes on from an old state', async () => {
  const { room, alice, bob } = await pair();
  const runs = [bob];
  const saved = bob.save();
  let back = bob;
  for (let run = 0; run < 4; run += 1) {
    for (let place = 0; place < 3; place += 1) back.say(`run ${run}, ${place}`);
    room.advance(1_000);
    back = await room.restart(back, saved);
    runs.push(back);
  }
  assert.equal(assertKeysUsedOnce(postsOf(runs)), 12);
  assert.equal(alice.texts.length, 12);
  assert.deepEqual(alice.alarms, []);
  assert.deepEqual(back.alarms, []);
});

test('P28 a clock that went back between two runs makes no chain old', async () => {
  const { room, alice, bob } = await pair();
  say(room, bob, 'by the right clock');
  const saved = bob.save();
  room.clock.nowMs -= 60_000;
  const back = await room.restart(bob, saved);
  say(room, back, 'by the wrong one');
  assert.deepEqual(alice.texts, ['by the right clock', 'by the wrong one']);
  assert.equal(back.outcome.kind, 'in');
});

test('P49 wraps for keys that are days old open: they are held until the log is read', async () => {
  const { room, alice, bob } = await pair({ limits: { guestOfflineMs: LIMITS.backlogMs } });
  const saved = bob.save();
  bob.renew(await wrapKeys(3));
  // It ends between keeping its next wrap keys and publishing them: others go on with those before.
  const { session } = bob;
  const state = session.save();
  assert.ok(state);
  bob.loseLine();
  for (let day = 0; day < 3; day += 1) {
    say(room, alice, `day ${day}`);
    room.advance(2_000);
    alice.loseLine();
    room.clock.nowMs += 24 * 60 * 60_000;
    alice.comeBack();
    room.pump();
  }
  for (const kept of [saved, encodeSavedState(state.state)]) {
    const back = await room.restart(bob, kept);
    assert.deepEqual(back.texts, ['day 0', 'day 1', 'day 2']);
    assert.deepEqual(back.eventsOf('unopened'), []);
    assert.deepEqual(back.alarms, []);
    back.loseLine();
  }
});

test('new wrap keys are published only once they are saved, and used from then on', async () => {
  const { room, alice, bob } = await pair();
  const published = () => bob.sent.filter((frame) => frameType(frame) === SESSION_FRAME.publishKey).length;
  bob.renew(await wrapKeys(3));
  room.advance(2_000);
  assert.deepEqual([published(), bob.session.wrapGeneration], [0, 1]);
  bob.save();
  assert.deepEqual([published(), bob.session.wrapGeneration], [1, 2]);
  room.advance(250);
  say(room, alice, 'to the new ones');
  assert.deepEqual(bob.texts, ['to the new ones']);
});

test('nothing is acknowledged before it is saved', async () => {
  const { room, alice, bob } = await pair();
  const acknowledged = () =>
    bodiesOf(bob.sent, SESSION_FRAME.ack)
      .map((body) => Ack.decode(body).index)
      .at(-1) ?? 0;
  const before = acknowledged();
  say(room, alice, 'one');
  room.advance(5_000);
  assert.equal(acknowledged(), before);
  bob.save();
  room.advance(5_000);
  assert.equal(acknowledged(), bob.session.position?.index);
});

test('P49 a host that lost what this member read by an old copy of its state is not blamed', async () => {
  const { room, alice, bob } = await pair({ limits: { backlogEntries: 5 } });
  const old = bob.save();
  for (let place = 0; place < 20; place += 1) say(room, alice, `${place}`);
  bob.save();
  room.advance(2_000);
  const back = await room.restart(bob, old);
  assert.deepEqual(
    back.eventsOf('notice').map(({ code }) => code),
    ['read-elsewhere', 'gap'],
  );
  assert.deepEqual(back.alarms, []);
});

test('an alarm that nobody took note of holds sending back in the next run as well', async () => {
  const { room, alice, bob } = await pair();
  say(room, bob, 'once');
  const [post] = postsOf([bob]);
  assert.ok(post);
  new EvilHost(room).show(bob, post);
  assert.deepEqual(bob.alarms, ['replayed']);
  // The entry that was shown is not the room's: the record is as of before it.
  const state = bob.session.save()?.state;
  assert.equal(state?.heldBack, true);
  assert.deepEqual(alice.alarms, []);
});

/** The host is killed and opened again: its log goes on from where it stands, with the owner's word for it. */
function reopened(room: TestRoom, era: number): Signed {
  const signed = signEra(room, era);
  const { bytes, signature } = signed;
  const entry = { header: bytes, ciphertext: ciphertext(new Uint8Array()), signature };
  room.log.append({ kind: 'era', placedAtMs: room.clock.nowMs, leaf: leafHash(entry), ...entry });
  return signed;
}

/** Comes back to a host that knows what it has lost. */
function comeBackAfter(room: TestRoom, member: TestMember, eras: readonly Signed[]): void {
  member.loseLine();
  const line = member.comeBack();
  line.toMember = (frame) =>
    frameType(frame) === ADMISSION_FRAME.welcome
      ? [frame, encodeFrame(SESSION_FRAME.eras, Eras.encode({ eras: [...eras] }))]
      : [frame];
  room.pump();
  if (!member.wantsReconnect) return;
  member.wantsReconnect = false;
  member.loseLine();
  member.comeBack();
  room.pump();
}

test('P49 a room that was opened again is told of, and goes on', async () => {
  const { room, alice, bob } = await pair();
  say(room, alice, 'before');
  const saved = bob.save();
  alice.loseLine();
  bob.loseLine();
  reopened(room, 1_800_000_000);
  alice.comeBack();
  const back = await room.restart(bob, saved);
  say(room, alice, 'after');
  say(room, back, 'yes');
  for (const member of [alice, back]) {
    assert.deepEqual(
      member.eventsOf('notice').map(({ code }) => code),
      ['era'],
    );
    assert.deepEqual(member.texts.slice(-2), ['after', 'yes']);
    assert.deepEqual([...member.alarms, ...member.eventsOf('unopened')], []);
  }
  // The start is known from now on, in the next run as well.
  const state = back.session.save()?.state;
  assert.equal(state?.log.era, 1_800_000_000);
});

for (const later of ['shorter than', 'longer than'])
  test(`P49 a host that restarted and lost entries, and whose log is ${later} this member's, is no liar`, async () => {
    const { room, alice, bob } = await pair();
    say(room, alice, 'kept');
    const evil = new EvilHost(room);
    evil.show(bob, evil.catchPost(alice, 'lost'));
    evil.show(bob, evil.catchPost(alice, 'lost as well'));
    assert.deepEqual(bob.texts, ['kept', 'lost', 'lost as well']);
    alice.loseLine();
    bob.loseLine();
    const era = reopened(room, 1_800_000_000);
    alice.comeBack();
    room.pump();
    if (later === 'longer than') for (const text of ['one', 'two', 'three']) say(room, alice, text);
    comeBackAfter(room, bob, [era]);
    room.advance(1_000);
    assert.deepEqual(bob.alarms, []);
    assert.equal(bob.outcome.kind, 'in');
    assert.ok(bob.live);
    const told = bob.eventsOf('notice').find(({ code }) => code === 'entries-lost');
    assert.equal(told?.text, 'The host restarted and lost the last 2 entries.');
    assert.deepEqual(bob.session.position?.index, room.log.index);
    say(room, bob, 'here again');
    assert.equal(alice.texts.at(-1), 'here again');
    assert.deepEqual(alice.alarms, []);
  });

test('P49 a host that lost a change of the list shows the one from before, and that is no rollback', async () => {
  const { room, alice, bob } = await pair();
  say(room, alice, 'kept');
  const era = signEra(room, 1_800_000_000);
  await room.join('carol');
  say(room, alice, 'lost');
  comeBackAfter(room, bob, [era]);
  assert.deepEqual(bob.alarms, []);
  assert.equal(bob.eventsOf('notice')[0]?.text, 'The host restarted and lost the last 2 entries.');
  assert.ok(bob.live);
  say(room, bob, 'here again');
  assert.equal(alice.texts.at(-1), 'here again');
});

test('P49 a save from before a loss acknowledges nothing of what has come after it', async () => {
  const { room, alice, bob } = await pair();
  say(room, alice, 'kept');
  const evil = new EvilHost(room);
  for (const text of ['lost', 'lost as well', 'all lost']) evil.show(bob, evil.catchPost(alice, text));
  const mark = bob.session.save()?.mark ?? assert.fail();
  alice.loseLine();
  bob.loseLine();
  const era = reopened(room, 1_800_000_000);
  alice.comeBack();
  room.pump();
  comeBackAfter(room, bob, [era]);
  for (const text of ['one', 'two', 'three', 'four']) say(room, alice, text);
  const before = bodiesOf(bob.sent, SESSION_FRAME.ack).length;
  // It was under way all the time: a slow disk.
  bob.session.saved(mark, room.clock.moment);
  room.advance(5_000);
  assert.equal(bodiesOf(bob.sent, SESSION_FRAME.ack).length, before);
  bob.save();
  room.advance(5_000);
  assert.ok(bodiesOf(bob.sent, SESSION_FRAME.ack).length > before);
});

test('what an earlier run kept is overwritten once it is taken in: it opens what this run moves past', async () => {
  const { room, alice, bob } = await pair();
  say(room, alice, 'first');
  const saved = bob.save();
  const state = decodeSavedState(saved);
  const wrapKeys = OwnWrapKeys.restore(bob.identity, room.id, state.wrapKeys);
  const secrets = [
    ...state.voices.flatMap(({ chains }) => chains.map(({ chainKey }) => chainKey)),
    ...state.wrapKeys.flatMap(({ rsaPkcs8, kemSeed }) => [rsaPkcs8, kemSeed]),
  ];
  assert.equal(secrets.length, 3);
  const session = new Session({
    ...{ roomId: room.id, identity: bob.identity, wrapKeys },
    ...{ keeps: 'when-saved', saved: state },
  });
  for (const secret of secrets) assert.ok(secret.every((byte) => byte === 0));
  const again = session.save()?.state ?? assert.fail();
  assert.deepEqual(encodeSavedState(again), saved);
});

test('P49 a run that goes on after such a loss is told how the list differs from the one it saved', async () => {
  const { room, alice, bob } = await pair();
  say(room, alice, 'kept');
  const era = signEra(room, 1_800_000_000);
  await room.join('carol');
  say(room, alice, 'lost');
  const saved = bob.save();
  bob.loseLine();
  await room.join('dave');
  const back = await room.person('', { identity: bob.identity, saved, keeps: 'when-saved' });
  comeBackAfter(room, back, [era]);
  assert.ok(back.live);
  assert.deepEqual(back.alarms, []);
  assert.deepEqual(
    back.eventsOf('roster').map(({ change }) => change.added.map(({ nick }) => nick)),
    [['dave']],
  );
});

test('a start of the room that somebody else signed, or of before, explains nothing', async () => {
  const { room, alice, bob } = await pair();
  say(room, alice, 'kept');
  for (const member of [alice, bob]) member.loseLine();
  const era = reopened(room, 1_800_000_000);
  for (const member of [alice, bob]) member.comeBack();
  room.pump();
  assert.deepEqual([...alice.alarms, ...bob.alarms], []);
  const carol = await room.join('carol');
  const evil = new EvilHost(room);
  const lost = evil.catchPost(alice, 'lost');
  evil.show(bob, lost);
  // The one that bob has seen long since.
  comeBackAfter(room, bob, [era]);
  assert.deepEqual(bob.alarms, ['history-lost']);

  const forged = { ...era, signature: alice.identity.sign('sc1/era', era.bytes) };
  evil.show(carol, lost);
  comeBackAfter(room, carol, [forged]);
  assert.deepEqual(carol.alarms, ['roster-forked', 'history-lost']);
});

/** What honest people get who are in charge of a room, who are not, and who are told to be silent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ActRequest } from '../../src/protocol/acts.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import { DIALECT } from '../../src/protocol/version.ts';
import { company } from '../helpers/company.ts';
import { bodiesOf } from '../helpers/evil-host.ts';
import { dsaIdentity, wrapKeys } from '../helpers/keys.ts';
import type { TestMember } from '../helpers/member.ts';
import type { TestRoom } from '../helpers/room.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

function act(room: TestRoom, actor: TestMember, request: ActRequest): void {
  actor.act(request);
  room.advance(SECOND_MS);
}

function say(room: TestRoom, member: TestMember, text: string): void {
  member.say(text);
  room.advance(250);
}

function noticesOf(member: TestMember, code: string): readonly string[] {
  return member.eventsOf('notice').flatMap((notice) => (notice.code === code ? [notice.text] : []));
}

function nicks(member: TestMember): readonly string[] {
  return member.session.members.map((listed) => listed.member.nick).sort();
}

function assertCalm(members: readonly TestMember[]): void {
  for (const member of members) {
    assert.deepEqual(member.alarms, []);
    assert.equal(member.session.heldBack, false);
  }
}

test('a nickname changes by one word of whoever bears it, and the old one is free', async () => {
  const { room, ann, all } = await company();
  act(room, ann, { kind: 'rename', nick: 'anna' });
  for (const member of all) {
    assert.ok(nicks(member).includes('anna'));
    const { changed } = member.eventsOf('roster').at(-1)?.change ?? assert.fail();
    assert.deepEqual(
      changed.map(({ before, after, by }) => [before.nick, after.nick, by?.nick]),
      [['ann', 'anna', 'ann']],
    );
  }
  const parts = { identity: await dsaIdentity(5), wrapPair: await wrapKeys(1) };
  const next = await room.join('ann', parts);
  say(room, ann, 'I was here first');
  assert.equal(next.messages.at(-1)?.from.nick, 'anna');
  // Like one's own: nobody else is mistaken for it.
  act(room, ann, { kind: 'rename', nick: 'anna-' });
  act(room, ann, { kind: 'rename', nick: 'anna_' });
  assert.equal(ann.session.self?.nick, 'anna_');
  assertCalm([...all, next]);
});

test('of two who want one nickname at once, one has it and the other is told', async () => {
  const { room, ann, ben, all } = await company();
  ann.act({ kind: 'rename', nick: 'zoe' });
  ben.act({ kind: 'rename', nick: 'z0e' });
  const late = await room.person('zoe', { identity: await dsaIdentity(5), wrapPair: await wrapKeys(1) });
  late.knock(room.invite());
  room.advance(2 * SECOND_MS);
  assert.deepEqual(nicks(ben), ['ben', 'mike', 'mona', 'olga', 'zoe']);
  assert.equal(noticesOf(ben, 'act-refused').length, 1);
  assert.deepEqual(noticesOf(ann, 'act-refused'), []);
  assert.equal(late.asked.at(-1)?.problem, 'nick-taken');
  // What nobody bears any more is free for whoever waits at the door.
  act(room, ann, { kind: 'rename', nick: 'ann' });
  late.type('nick', 'zoe');
  late.type('code', room.room.code.value);
  room.advance(2 * SECOND_MS);
  assert.ok(late.live);
  assertCalm([...all, late]);
});

test('a nickname that cannot be had is refused here, and by the host where it is taken', async () => {
  const { room, ann, all } = await company();
  assert.throws(() => ann.act({ kind: 'rename', nick: 'admin' }), { code: 'nick-reserved' });
  assert.throws(() => ann.act({ kind: 'rename', nick: 'Ann Smith' }), { code: 'nick-shape' });
  act(room, ann, { kind: 'rename', nick: 'ben' });
  assert.match(noticesOf(ann, 'act-refused').join(), /has that nickname/);
  act(room, ann, { kind: 'rename', nick: 'ann' });
  assert.match(noticesOf(ann, 'act-refused').at(-1) ?? '', /your nickname already/);
  assertCalm(all);
});

test('a moderator shows someone out: everyone sees by whom, and what they came by is suspended', async () => {
  const { room, mona, ann, ben, all } = await company();
  act(room, mona, { kind: 'kick', member: ben.identity.memberId });
  const [closed] = ben.eventsOf('closed');
  assert.deepEqual([closed?.reason, closed?.text], ['removed', 'mona removed you from the room']);
  const { removed } = ann.eventsOf('roster').at(-1)?.change ?? assert.fail();
  assert.deepEqual(
    removed.map(({ member, reason, by }) => [member.nick, reason, by?.nick]),
    [['ben', 'removed', 'mona']],
  );
  assert.ok(room.notices.some(({ kind }) => kind === 'suspended'));
  act(room, mona, { kind: 'ban', member: ann.identity.memberId, seconds: 60 });
  assert.equal(ann.eventsOf('closed')[0]?.text, 'mona banned you from the room');
  assert.deepEqual(
    room.room.bans.map(({ nick, by, untilMs }) => [nick, by, (untilMs ?? 0) > room.clock.nowMs]),
    [['ann', 'mona', true]],
  );
  act(room, mona, { kind: 'unban', nick: 'ann' });
  assert.deepEqual(room.room.bans, []);
  const told = room.notices.flatMap((notice) => (notice.kind === 'unbanned' ? [notice] : []));
  assert.deepEqual(
    told.map(({ nick, by }) => [nick, by.nick]),
    [['ann', 'mona']],
  );
  assert.deepEqual(noticesOf(mona, 'act-done'), ['The ban is lifted.']);
  act(room, mona, { kind: 'unban', nick: 'ann' });
  assert.equal(noticesOf(mona, 'act-refused').length, 1);
  assertCalm(all.filter((member) => member !== ann && member !== ben));
});

test('the owner does by hand what moderators ask for, and nobody else is named for it', async () => {
  const { room, mona, ann, ben, all } = await company();
  const { key } = ben;
  const { moment } = room.clock;
  room.perform(room.room.mute(key, null, moment));
  room.perform(room.room.change({ topic: 'tea', motd: 'Wipe your feet.\nThank you.' }, moment));
  room.perform(room.room.setRole(mona.key, 'member', moment));
  room.advance(2 * SECOND_MS);
  const changes = ann.eventsOf('roster').flatMap(({ change }) => [...change.changed, change.settings]);
  assert.ok(changes.every((change) => (change?.by ?? null) === null));
  assert.ok(ben.session.self?.muted);
  assert.equal(mona.session.self?.role, 'member');
  assert.equal(ann.session.settings.motd, 'Wipe your feet.\nThank you.');
  const newcomer = await room.join('eve', { identity: await dsaIdentity(5), wrapPair: await wrapKeys(1) });
  assert.deepEqual(newcomer.session.settings, ann.session.settings);
  assertCalm([...all, newcomer]);
});

test('the same again, and what is taken back before it is signed, is no operation', async () => {
  const { room, olga, mona, ann, ben } = await company();
  const { moment } = room.clock;
  const epoch = () => room.room.position.epoch;
  room.perform(room.room.change({ topic: 'tea' }, moment));
  room.advance(SECOND_MS);
  const before = epoch();
  room.perform(room.room.change({ topic: 'tea' }, moment));
  room.perform(room.room.unmute(ann.key, moment));
  room.perform(room.room.mute(olga.key, null, moment));
  room.perform(room.room.setRole(mona.key, 'moderator', moment));
  act(room, mona, { kind: 'topic', text: 'tea' });
  act(room, mona, { kind: 'unmute', member: ben.identity.memberId });
  assert.equal(epoch(), before);
  assert.equal(noticesOf(mona, 'act-refused').length, 2);
  // In a room where an operation has just been signed, the next one waits.
  room.perform(room.room.change({ topic: 'cake' }, room.clock.moment));
  room.perform(room.room.mute(ben.key, null, room.clock.moment));
  room.perform(room.room.unmute(ben.key, room.clock.moment));
  room.advance(SECOND_MS);
  assert.equal(epoch(), before + 1);
});

test('a mute with a time ends by itself', async () => {
  const { room, mona, ben, all } = await company();
  act(room, mona, { kind: 'mute', member: ben.identity.memberId, seconds: 60 });
  assert.ok(ben.session.self?.muted);
  room.advance(58 * SECOND_MS);
  assert.ok(ben.session.self?.muted);
  room.advance(3 * SECOND_MS);
  assert.equal(ben.session.self?.muted, false);
  say(room, ben, 'sorry');
  for (const member of all) assert.equal(member.texts.at(-1), 'sorry');
  assertCalm(all);
});

// A second /mute with another length was refused, and the first length counted.
test('a mute can be made longer or shorter, and only whoever did it is told', async () => {
  const { room, mona, ben, all } = await company();
  act(room, mona, { kind: 'mute', member: ben.identity.memberId, seconds: 10 });
  act(room, mona, { kind: 'mute', member: ben.identity.memberId, seconds: 60 });
  assert.match(noticesOf(mona, 'act-done').join(), /stay muted/);
  room.advance(30 * SECOND_MS);
  assert.ok(ben.session.self?.muted);
  room.advance(31 * SECOND_MS);
  assert.equal(ben.session.self?.muted, false);
  assertCalm(all);
});

test('whoever is muted is told what was not sent, once, and nothing of it goes out later', async () => {
  const { room, mona, ben, all } = await company();
  say(room, ben, 'hello');
  ben.loseLine();
  for (const text of ['one', 'two', 'three']) ben.say(text);
  act(room, mona, { kind: 'mute', member: ben.identity.memberId, seconds: 0 });
  ben.comeBack();
  room.advance(2 * SECOND_MS);
  assert.deepEqual(noticesOf(ben, 'muted'), ['You are muted. Not sent: "one" and 2 more']);
  assert.equal(ben.session.unplaced, 0);
  act(room, mona, { kind: 'unmute', member: ben.identity.memberId });
  room.advance(20 * SECOND_MS);
  say(room, ben, 'back again');
  for (const member of all) {
    assert.equal(member.texts.at(-1), 'back again');
    assert.ok(!member.texts.includes('one'));
  }
  assertCalm(all);
});

test('messages under way when the mute falls are answered: placed before it, or told back', async () => {
  const { room, mona, ben, ann, all } = await company();
  say(room, ben, 'hello');
  for (const text of ['one', 'two', 'three']) ben.say(text);
  mona.act({ kind: 'mute', member: ben.identity.memberId, seconds: 0 });
  // One frame at a time, the mute overtaking what ben says.
  for (let count = 0; room.stepAny(count * 7); count += 1);
  room.advance(2 * SECOND_MS);
  const told = noticesOf(ben, 'muted').join();
  for (const text of ['one', 'two', 'three'])
    assert.ok(ann.texts.includes(text) || told.includes(text) || told.includes('more'), text);
  assert.equal(ben.session.unplaced, 0);
  assertCalm(all);
});

test('slow mode holds plain members, tells them once, and sends by itself', async () => {
  const { room, mona, ann, ben, all } = await company();
  act(room, mona, { kind: 'slow', seconds: 30 });
  say(room, ben, 'one');
  ben.say('two');
  ben.say('three');
  room.advance(20 * SECOND_MS);
  assert.equal(ann.texts.at(-1), 'one');
  assert.match(noticesOf(ben, 'slow-mode').join(), /^Slow mode: "two" goes out in (29|30) s\.$/);
  room.advance(12 * SECOND_MS);
  assert.equal(ann.texts.at(-1), 'two');
  assert.equal(noticesOf(ben, 'slow-mode').length, 2);
  assert.deepEqual(noticesOf(ben, 'not-placed'), []);
  // Few words about it on the line: one at a time is under way.
  assert.ok(bodiesOf(ben.line?.sentByMember ?? [], SESSION_FRAME.post).length <= 6);
  for (const text of ['I', 'may', 'go', 'on']) say(room, mona, text);
  assert.equal(ann.texts.at(-1), 'on');
  act(room, mona, { kind: 'slow', seconds: 0 });
  assert.equal(ann.texts.at(-1), 'three');
  assertCalm(all);
});

test('whoever becomes a moderator is no longer held by slow mode', async () => {
  const { room, ann, ben, all } = await company();
  room.perform(room.room.change({ slowSeconds: 3_600 }, room.clock.moment));
  room.advance(SECOND_MS);
  say(room, ben, 'one');
  say(room, ben, 'two');
  assert.equal(ann.texts.at(-1), 'one');
  room.perform(room.room.setRole(ben.key, 'moderator', room.clock.moment));
  room.advance(SECOND_MS);
  assert.equal(ann.texts.at(-1), 'two');
  assertCalm(all);
});

test('someone too far behind is shown what changed meanwhile', async () => {
  const { room, mona, ann, ben, all } = await company({ limits: { headsKept: 16, backlogEntries: 8 } });
  say(room, ann, 'hello');
  const eve = await room.join('eve', { identity: await dsaIdentity(5), wrapPair: await wrapKeys(1) });
  ben.loseLine();
  act(room, mona, { kind: 'topic', text: 'tea at five' });
  act(room, mona, { kind: 'mute', member: ben.identity.memberId, seconds: 0 });
  act(room, ann, { kind: 'rename', nick: 'anna' });
  act(room, mona, { kind: 'kick', member: eve.identity.memberId });
  for (let count = 0; count < 40; count += 1) say(room, ann, `line ${count}`);
  const seen = ben.events.length;
  ben.comeBack();
  room.advance(2 * SECOND_MS);
  const changes = ben.events.slice(seen).flatMap((event) => (event.kind === 'roster' ? [event.change] : []));
  assert.equal(changes.length, 1);
  const [change] = changes;
  assert.equal(change?.settings?.after.topic, 'tea at five');
  // How somebody went can no longer be told: not that they left.
  assert.deepEqual(
    change?.removed.map(({ member, reason, by }) => [member.nick, reason, by]),
    [['eve', 'unseen', null]],
  );
  assert.deepEqual(
    change?.changed.map(({ before, after }) => [before.nick, after.nick, after.muted]).sort(),
    [
      ['ann', 'anna', false],
      ['ben', 'ben', true],
    ],
  );
  assertCalm(all);
});

test('acts in a flood are refused, and cost the room a few operations', async () => {
  const { room, mona, ann, all } = await company();
  const before = room.room.position.epoch;
  const count = LIMITS.actsPerMemberPerMinute + 10;
  for (let place = 0; place < count; place += 1) mona.act({ kind: 'topic', text: `topic ${place}` });
  room.advance(10 * SECOND_MS);
  assert.equal(noticesOf(mona, 'act-refused').length, 10);
  assert.ok(room.room.position.epoch - before <= LIMITS.actsPerMemberPerMinute);
  say(room, ann, 'nice weather');
  assert.equal(mona.texts.at(-1), 'nice weather');
  room.advance(MINUTE_MS);
  act(room, mona, { kind: 'topic', text: 'last' });
  assert.equal(ann.session.settings.topic, 'last');
  assertCalm(all);
});

test('acts of many at once become a few operations', async () => {
  const { room, mona, mike, ann, ben, olga, all } = await company();
  const before = room.room.position.epoch;
  ann.act({ kind: 'rename', nick: 'anna' });
  ben.act({ kind: 'rename', nick: 'benny' });
  mona.act({ kind: 'rename', nick: 'mo' });
  mike.act({ kind: 'topic', text: 'tea' });
  olga.act({ kind: 'rename', nick: 'olli' });
  room.advance(2 * SECOND_MS);
  assert.deepEqual(nicks(ann), ['anna', 'benny', 'mike', 'mo', 'olli']);
  assert.ok(room.room.position.epoch - before <= 2);
  assertCalm(all);
});

test('what cannot be asked for is said before it is sent', async () => {
  const { room, mona, ben, ann } = await company();
  act(room, mona, { kind: 'kick', member: ben.identity.memberId });
  assert.throws(() => mona.act({ kind: 'kick', member: ben.identity.memberId }), { code: 'no-such-member' });
  assert.throws(() => mona.act({ kind: 'topic', text: 'x'.repeat(LIMITS.topicBytes + 1) }), {
    code: 'text-too-long',
  });
  assert.throws(() => mona.act({ kind: 'unban', nick: 'x'.repeat(LIMITS.topicBytes + 1) }), {
    code: 'nick-shape',
  });
  assert.throws(() => mona.act({ kind: 'slow', seconds: LIMITS.slowSecondsMost + 1 }), {
    code: 'bad-setting',
  });
  ann.loseLine();
  assert.throws(() => ann.act({ kind: 'rename', nick: 'anna' }), { code: 'not-connected' });
});

// A program that acted as soon as it had joined was told that it is not connected.
test('what is asked for before the log is read to its end is asked once it is', async () => {
  const { room, mona, ben, ann } = await company();
  mona.loseLine();
  say(room, ann, 'while you were away');
  mona.comeBack();
  for (let frames = 0; mona.session.phase === 'away' && frames < 100; frames += 1) room.step();
  assert.equal(mona.session.phase, 'reading');
  mona.act({ kind: 'topic', text: 'tea' });
  mona.act({ kind: 'kick', member: ann.identity.memberId });
  mona.act({ kind: 'kick', member: ann.identity.memberId });
  room.pump();
  room.advance(SECOND_MS);
  assert.equal(ben.session.settings.topic, 'tea');
  assert.ok(!nicks(ben).includes('ann'));
  assertCalm([mona, ben]);
});

test('a host that knows nothing of acts is asked for none', async () => {
  const { room, mona, ann, all } = await company({ dialect: { ...DIALECT, features: [] } });
  assert.throws(() => mona.act({ kind: 'lock' }), { code: 'not-supported' });
  room.pump();
  assert.deepEqual(bodiesOf(mona.sent, SESSION_FRAME.act), []);
  say(room, ann, 'and nobody minds');
  assertCalm(all);
});

test('a notice about a message repeats nothing that a screen obeys', async () => {
  const { room, mona, ben } = await company();
  say(room, ben, 'hello');
  ben.loseLine();
  ben.say('\u001b[2J\u202e evil');
  act(room, mona, { kind: 'mute', member: ben.identity.memberId, seconds: 0 });
  ben.comeBack();
  room.advance(2 * SECOND_MS);
  const [text = ''] = noticesOf(ben, 'muted');
  assert.match(text, /evil/);
  for (const obeyed of ['\u001b', '\u202e']) assert.ok(!text.includes(obeyed));
});

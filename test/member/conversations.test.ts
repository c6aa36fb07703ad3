/** Direct messages and conversations beside the room: who reads what, over lost lines and changes of who is in them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idKey } from '../../src/protocol/identifiers.ts';
import type { TestMember } from '../helpers/member.ts';
import { openRoom, type TestRoom } from '../helpers/room.ts';

interface Four {
  readonly room: TestRoom;
  readonly ann: TestMember;
  readonly ben: TestMember;
  readonly cyd: TestMember;
  readonly dan: TestMember;
}

async function four(): Promise<Four> {
  const room = await openRoom();
  const [ann, ben, cyd, dan] = [
    await room.join('ann'),
    await room.join('ben'),
    await room.join('cyd'),
    await room.join('dan'),
  ];
  return { room, ann, ben, cyd, dan };
}

function assertCalm(...members: readonly TestMember[]): void {
  for (const member of members) {
    assert.deepEqual(member.alarms, []);
    assert.equal(member.outcome.kind, 'in', JSON.stringify(member.outcome));
  }
}

test('a direct message reaches the two and nobody else', async () => {
  const { room, ann, ben, cyd, dan } = await four();
  ann.tell('ben', 'just you');
  room.pump();
  assert.deepEqual(ben.texts, ['just you']);
  assert.deepEqual(ann.texts, ['just you']);
  ben.tell('ann', 'and you');
  room.pump();
  assert.deepEqual(ann.texts, ['just you', 'and you']);
  assert.deepEqual([...cyd.texts, ...dan.texts], []);
  assertCalm(ann, ben, cyd, dan);
});

test('a conversation has a name that its members know, and only they', async () => {
  const { room, ann, ben, cyd, dan } = await four();
  const plans = ann.begin('plans', 'ben', 'cyd');
  room.pump();
  ann.sayIn(plans, 'hello both');
  room.pump();
  for (const member of [ann, ben, cyd]) {
    assert.deepEqual(member.textsIn(plans), ['hello both']);
    assert.deepEqual(
      member.session.conversations.map(({ name }) => name),
      ['plans'],
    );
  }
  assert.deepEqual(dan.session.conversations, []);
  assert.deepEqual(dan.texts, []);
  ben.sayIn(plans, 'hi');
  room.pump();
  assert.deepEqual(cyd.textsIn(plans), ['hello both', 'hi']);
  assertCalm(ann, ben, cyd, dan);
});

test('whoever is added reads from there on, and whoever is removed no more', async () => {
  const { room, ann, ben, cyd, dan } = await four();
  const plans = ann.begin('plans', 'ben');
  room.pump();
  ann.sayIn(plans, 'one');
  room.pump();
  ann.change(plans, { kind: 'add', members: [dan.identity.memberId] });
  room.pump();
  ben.sayIn(plans, 'two');
  room.pump();
  assert.deepEqual(dan.textsIn(plans), ['two']);
  assert.equal(dan.session.conversations[0]?.name, 'plans');
  ann.change(plans, { kind: 'remove', member: ben.identity.memberId });
  room.pump();
  assert.deepEqual(ben.session.conversations, []);
  dan.sayIn(plans, 'three');
  room.pump();
  ann.sayIn(plans, 'four');
  room.pump();
  assert.deepEqual(ben.textsIn(plans), ['one', 'two']);
  assert.deepEqual(dan.textsIn(plans), ['two', 'three', 'four']);
  dan.part(plans);
  room.pump();
  ann.sayIn(plans, 'five');
  room.pump();
  assert.deepEqual(dan.textsIn(plans), ['two', 'three', 'four']);
  assert.deepEqual(
    ann.session.conversations[0]?.members.map(({ member }) => member.nick),
    ['ann'],
  );
  assertCalm(ann, ben, cyd, dan);
});

test('what was said while a line was lost is read once it is back', async () => {
  const { room, ann, ben, cyd, dan } = await four();
  const plans = ann.begin('plans', 'ben');
  room.pump();
  ann.sayIn(plans, 'one');
  room.pump();
  ben.loseLine();
  room.advance(500);
  ann.sayIn(plans, 'two');
  ann.tell('ben', 'psst');
  room.advance(500);
  ben.sayIn(plans, 'typed meanwhile');
  ben.comeBack();
  room.advance(1_000);
  assert.deepEqual(ben.textsIn(plans), ['one', 'two', 'typed meanwhile']);
  assert.deepEqual(
    ben.messages.filter(({ text }) => text === 'psst').map(({ away }) => away),
    [true],
  );
  assert.deepEqual(ann.textsIn(plans), ['one', 'two', 'typed meanwhile']);
  assertCalm(ann, ben, cyd, dan);
});

test('what is typed before the host has made a conversation comes under its name', async () => {
  const { room, ann, ben } = await four();
  const plans = ann.begin('plans', 'ben');
  ann.sayIn(plans, 'at once');
  room.advance(1_000);
  const place = ben.events.findIndex((each) => each.kind === 'message');
  const named = ben.events.findIndex(
    (each) => each.kind === 'conversation' && each.conversation.name === 'plans',
  );
  assert.ok(named >= 0 && named < place, `${named} before ${place}`);
  assert.deepEqual(ben.textsIn(plans), ['at once']);
});

test('no conversation passes for the room, nor for one without a name', async () => {
  const { room, ann } = await four();
  for (const name of ['room', 'Room', 'ＲＯＯＭ', 'unnamed'])
    assert.throws(() => ann.begin(name, 'ben'), { code: 'bad-name' });
  const rooms = ann.begin('rooms', 'ben');
  room.advance(1_000);
  assert.equal(ann.session.conversations.find(({ id }) => idKey(id) === idKey(rooms))?.name, 'rooms');
});

test('someone muted makes and names nothing, and still owes the name once they are not', async () => {
  const { room, ann, ben, cyd, dan } = await four();
  const setMuted = (member: TestMember, isMuted: boolean): void => {
    const { clock, room: host } = room;
    room.perform(
      isMuted ? host.mute(member.key, 60_000, clock.moment) : host.unmute(member.key, clock.moment),
    );
  };
  const plans = ann.begin('plans', 'ben');
  room.advance(1_000);
  ann.change(plans, { kind: 'role', member: ben.identity.memberId, role: 'moderator' });
  room.advance(1_000);
  setMuted(ann, true);
  room.advance(1_000);
  assert.throws(() => ann.begin('more', 'ben'), { code: 'muted' });
  assert.throws(() => ann.change(plans, { kind: 'add', members: [dan.identity.memberId] }), {
    code: 'muted',
  });
  // She made it, so she owes its name to whomever another one brings in; so does that one.
  ben.change(plans, { kind: 'add', members: [cyd.identity.memberId] });
  setMuted(ben, true);
  room.advance(2_000);
  assert.equal(cyd.session.conversations[0]?.name, null);
  setMuted(ann, false);
  room.advance(2_000);
  assert.equal(cyd.session.conversations[0]?.name, 'plans');
  assertCalm(ann, ben, cyd, dan);
});

test('someone who is removed from the room is out of its conversations', async () => {
  const { room, ann, ben, cyd, dan } = await four();
  const plans = ann.begin('plans', 'ben', 'cyd');
  room.pump();
  ann.tell('ben', 'private');
  room.pump();
  cyd.loseLine();
  room.perform(room.room.remove(ben.key, room.clock.moment));
  room.advance(1_000);
  ann.sayIn(plans, 'without ben');
  cyd.comeBack();
  room.advance(1_000);
  assert.deepEqual(cyd.textsIn(plans), ['without ben']);
  assert.deepEqual(ben.textsIn(plans), []);
  assert.deepEqual(
    cyd.session.conversations.map(({ members }) => members.map(({ member }) => member.nick).sort()),
    [['ann', 'cyd']],
  );
  assertCalm(ann, cyd, dan);
});

test('a moderator of a conversation invites, and a plain member does not', async () => {
  const { room, ann, ben, cyd, dan } = await four();
  const plans = ann.begin('plans', 'ben', 'cyd');
  room.pump();
  assert.throws(() => ben.change(plans, { kind: 'add', members: [dan.identity.memberId] }), {
    code: 'not-allowed',
  });
  ann.change(plans, { kind: 'role', member: ben.identity.memberId, role: 'moderator' });
  room.pump();
  ben.change(plans, { kind: 'add', members: [dan.identity.memberId] });
  room.pump();
  assert.equal(dan.session.conversations[0]?.name, 'plans');
  ben.rename(plans, { topic: 'saturday' });
  room.pump();
  for (const member of [ann, ben, cyd, dan]) assert.equal(member.session.conversations[0]?.topic, 'saturday');
  assertCalm(ann, ben, cyd, dan);
});

test('one who joins the room later sees nothing of its conversations', async () => {
  const { room, ann, ben, cyd, dan } = await four();
  const plans = ann.begin('plans', 'ben');
  room.pump();
  ann.sayIn(plans, 'hidden');
  room.pump();
  const eve = await room.join('eve');
  assert.deepEqual(eve.welcome?.positions.length, 1);
  const id = idKey(plans);
  assert.ok(!eve.lines.some(({ sentByHost }) => sentByHost.some((frame) => idKey(frame).includes(id))));
  assertCalm(ann, ben, cyd, dan, eve);
});

/** What honest people do in conversations beside the room, and what once went wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeFrame, frameBody, frameType } from '../../src/protocol/framing.ts';
import { idKey } from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { Deferred, Post, SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import { MessageHeader } from '../../src/protocol/signed-objects.ts';
import { bodiesOf } from '../helpers/evil-host.ts';
import { openKept, reopen } from '../helpers/kept.ts';
import { dsaIdentity, wrapKeys } from '../helpers/keys.ts';
import type { TestMember } from '../helpers/member.ts';
import { openRoom, type TestRoom, type TestRoomOptions } from '../helpers/room.ts';

interface Four {
  readonly room: TestRoom;
  readonly ann: TestMember;
  readonly ben: TestMember;
  readonly cyd: TestMember;
  readonly dan: TestMember;
}

async function people(room: TestRoom): Promise<Four> {
  const members: TestMember[] = [];
  for (const [place, nick] of ['ann', 'ben', 'cyd', 'dan'].entries()) {
    const keys = { identity: await dsaIdentity(place), wrapPair: await wrapKeys(place % 3) };
    members.push(
      await room.join(nick, { ...keys, prefers: { stays: true, receipts: true, lastSeen: true } }),
    );
  }
  const [ann, ben, cyd, dan] = members as [TestMember, TestMember, TestMember, TestMember];
  return { room, ann, ben, cyd, dan };
}

const four = async (options: TestRoomOptions = {}): Promise<Four> => people(await openRoom(options));

function assertCalm(...members: readonly TestMember[]): void {
  for (const member of members) {
    assert.deepEqual(member.alarms, []);
    assert.equal(member.outcome.kind, 'in', JSON.stringify(member.outcome));
    assert.deepEqual(
      member.eventsOf('unopened').filter(({ own }) => !own),
      [],
    );
  }
}

test('P49 a conversation is handed over: those who come later, and every later run, read who has it', async () => {
  const kept = await openKept();
  const { room, ann, ben, cyd, dan } = await people(kept.room);
  const plans = ann.begin('plans', 'ben', 'cyd');
  room.pump();
  ann.change(plans, { kind: 'role', member: ben.identity.memberId, role: 'owner' });
  room.pump();
  // A moderator now, who may still ask people in.
  ann.change(plans, { kind: 'add', members: [dan.identity.memberId] });
  room.advance(500);
  const roles = [
    [ann.key, 'moderator'],
    [ben.key, 'owner'],
    [cyd.key, 'member'],
    [dan.key, 'member'],
  ].sort();
  const rolesAt = (member: TestMember): unknown =>
    member.session.conversations[0]?.members.map((each) => [each.member.key, each.role]).sort();
  for (const member of [ann, ben, cyd, dan]) assert.deepEqual(rolesAt(member), roles);
  assert.equal(dan.session.conversations[0]?.name, 'plans');
  reopen(kept);
  const again = await room.restart(cyd, cyd.save());
  room.advance(1_000);
  for (const member of [ann, ben, again, dan]) assert.deepEqual(rolesAt(member), roles);
  ben.change(plans, { kind: 'remove', member: ann.identity.memberId });
  room.advance(500);
  assert.deepEqual(ann.session.conversations, []);
  assertCalm(ann, ben, again, dan);
});

test('P49 a chain that was begun while someone was away opens for them', async () => {
  const { room, ann, ben, cyd } = await four();
  const plans = ann.begin('plans', 'ben', 'cyd');
  room.pump();
  ann.sayIn(plans, 'one');
  ann.tell('ben', 'psst');
  room.advance(500);
  ben.loseLine();
  ann.change(plans, { kind: 'remove', member: cyd.identity.memberId });
  room.advance(500);
  room.advance(LIMITS.chainMs);
  ann.sayIn(plans, 'two');
  ann.tell('ben', 'psst again');
  room.advance(500);
  ben.comeBack();
  room.advance(1_000);
  assert.deepEqual(ben.textsIn(plans), ['one', 'two']);
  assert.deepEqual(
    ben.texts.filter((text) => text.startsWith('psst')),
    ['psst', 'psst again'],
  );
  assertCalm(ann, ben, cyd);
});

test('P19 removed and added again while away: nothing of what lay between is sent, and what follows is read', async () => {
  for (const isRestarted of [false, true]) {
    const { room, ann, ben, cyd } = await four();
    const plans = ann.begin('plans', 'ben', 'cyd');
    room.pump();
    ann.sayIn(plans, 'one');
    room.advance(500);
    const saved = ben.save();
    ben.loseLine();
    ann.change(plans, { kind: 'remove', member: ben.identity.memberId });
    room.advance(500);
    ann.sayIn(plans, 'behind his back');
    room.advance(500);
    const [secret] = bodiesOf(ann.sent, SESSION_FRAME.post).slice(-1);
    ann.change(plans, { kind: 'add', members: [ben.identity.memberId] });
    room.advance(500);
    ann.sayIn(plans, 'welcome back');
    room.advance(500);
    let back = ben;
    if (isRestarted) back = await room.restart(ben, saved);
    else ben.comeBack();
    room.advance(1_000);
    cyd.sayIn(plans, 'indeed');
    room.advance(500);
    assert.deepEqual(back.textsIn(plans).slice(-2), ['welcome back', 'indeed']);
    assert.ok(!back.texts.includes('behind his back'));
    assert.ok(secret && back.line);
    const { signature } = Post.decode(secret);
    assert.ok(!back.line.sentByHost.some((frame) => Buffer.from(frame).includes(signature)));
    assert.deepEqual(
      back
        .eventsOf('conversation')
        .map(({ change }) => change)
        .slice(-2),
      ['closed', 'opened'],
    );
    assertCalm(ann, back, cyd);
  }
});

test('P49 a message that waited in one log while wrap keys were renewed is sealed again', async () => {
  const { room, ann, ben } = await four();
  const plans = ann.begin('plans', 'ben');
  room.pump();
  ann.sayIn(plans, 'one');
  ann.say('hello');
  room.advance(500);
  const { line } = ann;
  assert.ok(line);
  // The host says wait, once.
  line.toHost = (frame) => {
    if (frameType(frame) !== SESSION_FRAME.post) return [frame];
    line.toHost = (later) => [later];
    const { conversation, chainId, n } = MessageHeader.decode(Post.decode(frameBody(frame)).header);
    const deferred = Deferred.encode({ conversation, chainId, n, reason: 'wait', retryAfterMs: 1_000 });
    room.inject(line, 'member', encodeFrame(SESSION_FRAME.deferred, deferred));
    return [];
  };
  ann.sayIn(plans, 'two');
  room.pump();
  ann.renew(await wrapKeys(4));
  ann.say('in the room');
  room.advance(5_000);
  assert.deepEqual(ben.texts, ['one', 'hello', 'in the room', 'two']);
  assertCalm(ann, ben);
});

test('P49 a message of an earlier run, in a conversation that it had not saved yet, alarms nobody', async () => {
  const { room, ann, ben } = await four();
  const first = await room.restart(ben, ben.save());
  const saved = first.save();
  const plans = ann.begin('plans', 'ben');
  room.advance(500);
  first.sayIn(plans, 'said and not saved');
  room.advance(500);
  const second = await room.restart(first, saved);
  room.advance(1_000);
  ann.sayIn(plans, 'go on');
  room.advance(500);
  assert.deepEqual(second.textsIn(plans), ['go on']);
  assert.equal(ann.textsIn(plans).length, 2);
  assertCalm(ann, second);
});

test('P49 the other one of two has left before their message could be checked', async () => {
  const { room, ann, ben } = await four();
  ben.loseLine();
  ann.tell('ben', 'goodbye');
  room.advance(500);
  ann.leave();
  room.advance(1_000);
  ben.comeBack();
  room.advance(1_000);
  assert.ok(ben.live);
  assert.deepEqual(ben.alarms, []);
});

test('P49 what a conversation is about, placed as the line broke, is no message of one’s own', async () => {
  const { room, ann, ben } = await four({ limits: { conversationBacklogEntries: 4 } });
  const { line } = ann;
  assert.ok(line);
  const plans = ann.begin('plans', 'ben');
  // It is placed, and its sender does not see where.
  line.toMember = (frame) => (frameType(frame) === SESSION_FRAME.entry ? [] : [frame]);
  room.advance(500);
  ann.loseLine();
  for (let place = 0; place < 8; place += 1) {
    ben.sayIn(plans, `while she is away ${place}`);
    room.advance(500);
  }
  ann.comeBack();
  room.advance(1_000);
  assert.ok(ann.live, JSON.stringify(ann.outcome));
  assert.deepEqual(
    ann.messages.filter(({ own }) => own),
    [],
  );
});

test('P49 away beyond all that the host keeps of a conversation: it begins anew, and chains of before go on', async () => {
  const limits = { conversationBacklogEntries: 5, conversationHeadsKept: 12 };
  const { room, ann, ben, cyd, dan } = await four({ limits });
  const plans = ann.begin('plans', 'ben', 'cyd');
  room.pump();
  ann.sayIn(plans, 'one');
  room.advance(500);
  ben.loseLine();
  ann.change(plans, { kind: 'add', members: [dan.identity.memberId] });
  room.advance(500);
  for (let place = 0; place < 30; place += 1) {
    ann.sayIn(plans, `meanwhile ${place}`);
    room.advance(250);
  }
  ben.comeBack();
  room.advance(1_000);
  ann.sayIn(plans, 'there you are');
  room.advance(500);
  assert.equal(ben.textsIn(plans).at(-1), 'there you are');
  // The real limits are greater than these: by those it would be too little. But nothing else is told.
  assert.ok(ben.alarms.every((code) => code === 'withheld'));
  assertCalm(ann, cyd, dan);
});

test('P49 asked in by a moderator while still at the door of the room', async () => {
  const { room, ann, ben, cyd } = await four();
  const plans = ann.begin('plans', 'ben', 'cyd');
  room.pump();
  ann.change(plans, { kind: 'role', member: ben.identity.memberId, role: 'moderator' });
  room.pump();
  room.perform(room.room.remove(cyd.key, room.clock.moment));
  room.advance(1_000);
  const eve = await room.person('eve', { identity: await dsaIdentity(7), wrapPair: await wrapKeys(1) });
  eve.knock(room.invite());
  for (let steps = 0; steps < 400 && eve.welcome === null; steps += 1) if (!room.step()) room.advance(250);
  assert.notEqual(eve.welcome, null);
  assert.equal(eve.session.phase, 'listing');
  const isListed = (): boolean => ben.session.members.some(({ member }) => member.key === eve.key);
  for (let steps = 0; steps < 400 && !isListed(); steps += 1) room.step();
  // It overtakes what eve asks for.
  ben.change(plans, { kind: 'add', members: [eve.identity.memberId] });
  for (let steps = 0; steps < 400; steps += 1) if (!room.stepAny(steps % 2 === 0 ? 0 : 1)) break;
  room.advance(1_000);
  ben.sayIn(plans, 'welcome');
  room.advance(500);
  assert.deepEqual(eve.textsIn(plans), ['welcome']);
  assert.equal(eve.session.conversations[0]?.name, 'plans');
  assertCalm(ann, ben, eve);
});

test('P49 wishes on a lost line are asked for again, and done once', async () => {
  const { room, ann, ben, cyd, dan } = await four();
  const plans = ann.begin('plans', 'ben');
  room.pump();
  for (const isPlaced of [false, true]) {
    ann.rename(plans, { name: `named-${isPlaced}` });
    ann.change(plans, { kind: 'add', members: [(isPlaced ? dan : cyd).identity.memberId] });
    if (isPlaced) for (let steps = 0; steps < 2; steps += 1) room.step();
    ann.loseLine();
    room.pump();
    ann.comeBack();
    room.advance(1_000);
    for (const member of [ann, ben, isPlaced ? dan : cyd])
      assert.equal(member.session.conversations[0]?.name, `named-${isPlaced}`);
  }
  assert.deepEqual(
    ann.eventsOf('notice').map(({ code }) => code),
    [],
  );
  assertCalm(ann, ben, cyd, dan);
});

test('P33 the other one of two is gone: what waits goes nowhere, and is told of', async () => {
  const { room, ann, ben } = await four();
  ann.tell('ben', 'hello');
  room.advance(500);
  const [direct] = ann.session.conversations;
  const shown = ann.session.members.find(({ member }) => member.nick === 'ben')?.member;
  assert.ok(direct && shown && ann.line);
  ann.line.toHost = (frame) => (frameType(frame) === SESSION_FRAME.post ? [] : [frame]);
  ann.tell('ben', 'too late');
  room.pump();
  ben.leave();
  room.advance(1_000);
  assert.deepEqual(
    ann.eventsOf('notice').map(({ code }) => code),
    ['unsaid'],
  );
  assert.throws(() => ann.sayIn(direct.id, 'nobody'), { code: 'no-such-member' });
  assert.throws(
    () =>
      ann.session.sayTo(
        shown,
        { kind: 'text', reference: new Uint8Array(), text: 'x' },
        null,
        room.clock.moment,
      ),
    { code: 'no-such-member' },
  );
  room.advance(500);
  assert.equal(ann.session.unplaced, 0);
  assertCalm(ann);
});

test('P49 the same key is back in the room: conversations of two go on, and no other', async () => {
  const { room, ann, ben, cyd } = await four();
  const plans = ann.begin('plans', 'ben', 'cyd');
  room.pump();
  ann.tell('ben', 'before');
  ann.sayIn(plans, 'with ben');
  room.advance(500);
  room.perform(room.room.remove(ben.key, room.clock.moment));
  room.advance(1_000);
  const { identity } = ben;
  const again = await room.join('ben2', { identity, wrapPair: await wrapKeys(2), invitation: room.invite() });
  room.advance(1_000);
  ann.tell('ben2', 'after');
  ann.sayIn(plans, 'without ben');
  again.tell('ann', 'thanks');
  room.advance(1_000);
  assert.deepEqual(again.texts, ['after', 'thanks']);
  assert.deepEqual(
    again.session.conversations.map(({ isDirect }) => isDirect),
    [true],
  );
  assert.deepEqual(ann.texts.slice(-3).sort(), ['after', 'thanks', 'without ben']);
  assert.equal(ann.session.conversations.filter(({ isDirect }) => isDirect).length, 1);
  assert.ok(!idKey(plans).startsWith('0'));
  assertCalm(ann, again, cyd);
});

test('P49 newer wrap keys of a membership that is over make nobody doubt those of the next one', async () => {
  const room = await openRoom();
  const ann = await room.join('ann');
  const ben = await room.join('ben');
  const cyd = await room.join('cyd');
  const plans = ann.begin('plans', 'ben', 'cyd');
  room.advance(1_000);
  ben.renew(await wrapKeys(7));
  room.advance(1_000);
  cyd.loseLine();
  ben.sayIn(plans, 'under the second keys');
  room.advance(1_000);
  ben.leave();
  room.advance(1_000);
  const again = await room.join('ben', { identity: ben.identity });
  cyd.comeBack();
  room.advance(1_000);
  cyd.say('hello again');
  room.advance(1_000);
  assert.deepEqual(cyd.textsIn(plans), ['under the second keys']);
  assert.deepEqual(again.texts, ['hello again']);
  for (const member of [ann, cyd, again]) assert.deepEqual(member.alarms, []);
});

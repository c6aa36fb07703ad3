/** What only the host can do, over a real room: what comes of each call, and what the host is told of it. */

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { ActRequest } from '../../../src/protocol/acts.ts';
import { InputError } from '../../../src/protocol/errors.ts';
import { LIMITS } from '../../../src/protocol/limits.ts';
import { policyOf } from '../../../src/protocol/room-settings.ts';
import type { HostCall } from '../../../src/terminal/commands/calls.ts';
import { company } from '../../helpers/company.ts';
import { type Hand, handOn } from '../../helpers/host-controls.ts';
import type { TestMember } from '../../helpers/member.ts';
import { openRoom, type TestRoom, type TestRoomOptions } from '../../helpers/room.ts';

/** The program's clock stands where the room's does. */
function at(context: TestContext, room: TestRoom): void {
  context.mock.timers.enable({ apis: ['Date'], now: room.clock.nowMs });
}

function upon({ identity }: TestMember): { readonly member: typeof identity.memberId } {
  return { member: identity.memberId };
}

function entryOf(room: TestRoom, nick: string) {
  return room.room.members.find((member) => member.nick === nick);
}

async function refusedWith(hand: Hand, call: HostCall, code: string, message: RegExp): Promise<void> {
  hand.texts();
  await assert.rejects(hand.controls.obey(call), (error) => {
    assert.ok(error instanceof InputError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
  assert.deepEqual(hand.texts(), [], 'nothing is said to be done');
}

function actRefused(hand: Hand, request: ActRequest, code: string, message: RegExp): void {
  hand.texts();
  assert.throws(() => hand.controls.act(request), { name: 'InputError', code, message });
  assert.deepEqual(hand.texts(), [], 'nothing is said to be done');
}

describe('acts of the owner', () => {
  test('a kick, a ban and a mute reach whom they are about, and the host is told how long', async (context) => {
    const { room, mona, mike, ann, ben } = await company();
    at(context, room);
    const hand = handOn(room);
    hand.controls.act({ kind: 'kick', ...upon(ann) });
    hand.controls.act({ kind: 'ban', ...upon(ben), seconds: 90 });
    hand.controls.act({ kind: 'mute', ...upon(mike), seconds: 0 });
    assert.deepEqual(hand.texts(), [
      'They are banned for 1m30s; /unban takes it back.',
      'They are muted; /unmute takes it back.',
    ]);
    room.advance(1_000);
    assert.deepEqual(room.room.members.map(({ nick, muted }) => `${nick}${muted ? ' muted' : ''}`).sort(), [
      'mike muted',
      'mona',
      'olga',
    ]);
    const removed = mona.eventsOf('roster').flatMap(({ change }) => change.removed);
    assert.deepEqual(
      removed.map(({ member, reason, by }) => [member.nick, reason, by]),
      [
        ['ann', 'removed', null],
        ['ben', 'banned', null],
      ],
      'nobody else is named for it',
    );
    await hand.controls.obey({ name: 'banned' });
    assert.deepEqual(hand.texts(), ['ben, for 1m30s more', '/unban NICK takes a ban back.']);
    assert.deepEqual(hand.controls.known.banned, ['ben']);
    hand.controls.act({ kind: 'unban', nick: 'ben' });
    assert.deepEqual(hand.texts(), ['ben is no longer banned.']);
    await hand.controls.obey({ name: 'banned' });
    assert.deepEqual(hand.texts(), ['Nobody is banned.']);
    actRefused(hand, { kind: 'unban', nick: 'ben' }, 'no-such-ban', /Nobody called ben is banned/);
  });

  test('/banned names the moderator whose ban it is, and says of one without an end that it lasts until it is taken back', async (context) => {
    const { room, mona, ann } = await company();
    at(context, room);
    const hand = handOn(room);
    mona.act({ kind: 'ban', ...upon(ann), seconds: 0 });
    room.advance(1_000);
    await hand.controls.obey({ name: 'banned' });
    assert.equal(hand.texts()[0], 'ann, until you take it back, by mona');
  });

  test('a mute ends with its time or with /unmute, which says where there is none', async () => {
    const { room, ann, ben } = await company();
    const hand = handOn(room);
    actRefused(hand, { kind: 'unmute', ...upon(ann) }, 'no-change', /not muted/);
    hand.controls.act({ kind: 'mute', ...upon(ann), seconds: 60 });
    hand.controls.act({ kind: 'mute', ...upon(ben), seconds: 60 });
    room.advance(1_000);
    hand.controls.act({ kind: 'unmute', ...upon(ben) });
    room.advance(1_000);
    assert.deepEqual([entryOf(room, 'ann')?.muted, entryOf(room, 'ben')?.muted], [true, false]);
    room.advance(60_000);
    assert.equal(entryOf(room, 'ann')?.muted, false);
  });

  test('settings change once: what is so already needs no word to everyone', async () => {
    const { room, ann } = await company();
    const hand = handOn(room);
    const requests: readonly ActRequest[] = [
      { kind: 'topic', text: 'Dinner on Friday' },
      { kind: 'slow', seconds: 30 },
      { kind: 'lock' },
    ];
    for (const request of requests) hand.controls.act(request);
    room.advance(1_000);
    for (const request of requests) actRefused(hand, request, 'no-change', /like that already/);
    const { topic, slowSeconds, locked } = ann.session.settings;
    assert.deepEqual([topic, slowSeconds, locked], ['Dinner on Friday', 30, true]);
    hand.controls.act({ kind: 'unlock' });
    room.advance(1_000);
    assert.equal(ann.session.settings.locked, false);
    actRefused(hand, { kind: 'unlock' }, 'no-change', /like that already/);
  });

  test('the policy is set part by part, and everyone has it', async () => {
    const { room, ann } = await company();
    const hand = handOn(room);
    const parts = [{ staySeconds: 604_800 }, { edits: false }, { readReceipts: false }];
    for (const part of parts) await hand.controls.obey({ name: 'policy', part });
    room.advance(1_000);
    assert.deepEqual(policyOf(ann.session.settings), Object.assign({}, ...parts));
    for (const part of parts)
      await assert.rejects(hand.controls.obey({ name: 'policy', part }), { code: 'no-change' });
    const tooShort = hand.controls.obey({ name: 'policy', part: { staySeconds: 29 } });
    await assert.rejects(tooShort, { code: 'bad-setting', message: /^Messages stay 30s to 30d/ });
  });

  test('a text or a number beyond its limit changes nothing, and the limit is said', async () => {
    const room = await openRoom();
    const hand = handOn(room);
    actRefused(
      hand,
      { kind: 'topic', text: 'é'.repeat(LIMITS.topicBytes / 2 + 1) },
      'text-too-long',
      /A topic is at most 400 bytes/,
    );
    await refusedWith(
      hand,
      { name: 'motd', text: 'x'.repeat(LIMITS.motdBytes + 1) },
      'text-too-long',
      /A message of the day is at most 2000 bytes/,
    );
    actRefused(hand, { kind: 'slow', seconds: 3_601 }, 'bad-setting', /0 to 3600 seconds/);
    room.advance(1_000);
    assert.deepEqual([room.room.settings.topic, room.room.settings.motd], ['', '']);
  });

  test('a host that only relays has no nickname to change', async () => {
    const hand = handOn(await openRoom());
    actRefused(hand, { kind: 'rename', nick: 'ann' }, 'not-joined', /--no-chat/);
  });
});

describe('calls of the host', () => {
  test('moderators are made and unmade, with the key that a nickname stands for', async () => {
    const { room, ann } = await company();
    const hand = handOn(room);
    await hand.controls.obey({ name: 'op', nick: 'ann' });
    assert.match(hand.texts().join(), /^ann, now a moderator, has the key [0-9a-f ]+\.$/);
    room.advance(1_000);
    assert.equal(ann.session.self?.role, 'moderator');
    await refusedWith(hand, { name: 'op', nick: 'ann' }, 'no-change', /ann is a moderator already/);
    await hand.controls.obey({ name: 'deop', nick: 'ann' });
    room.advance(1_000);
    assert.equal(ann.session.self?.role, 'member');
    await refusedWith(hand, { name: 'deop', nick: 'ann' }, 'no-change', /plain member already/);
    for (const name of ['op', 'deop'] as const) {
      await refusedWith(hand, { name, nick: 'zoe' }, 'no-such-member', /called zoe/);
      await refusedWith(hand, { name, nick: 'olga' }, 'not-allowed', /stays it/);
    }
  });

  test('a message of the day is set and taken away', async () => {
    const { room, ann } = await company();
    const hand = handOn(room);
    await hand.controls.obey({ name: 'motd', text: 'one\ntwo' });
    room.advance(1_000);
    assert.equal(ann.session.settings.motd, 'one\ntwo');
    await hand.controls.obey({ name: 'motd', text: null });
    room.advance(1_000);
    assert.equal(ann.session.settings.motd, '');
  });

  test('the code is told with what is left of it, invitations are the business of their desk', async (context) => {
    const room = await openRoom();
    at(context, room);
    const hand = handOn(room);
    const { value, expiresAtMs } = room.room.code;
    await hand.controls.obey({ name: 'code' });
    const left = `${(expiresAtMs - room.clock.nowMs) / 1_000}s`;
    assert.deepEqual(hand.texts(), [`The room code is ${value}, for ${left} more.`]);
    assert.deepEqual(hand.controls.code, { value, expiresAt: new Date(expiresAtMs).toISOString() });
    await hand.controls.obey({ name: 'invite', act: 'list' });
    assert.deepEqual(hand.invited, [{ name: 'invite', act: 'list' }]);
    assert.deepEqual(hand.texts(), []);
  });
});

describe('the door in the hands of the host', () => {
  async function asking(options: TestRoomOptions = {}) {
    const room = await openRoom(options);
    const hand = handOn(room);
    await hand.controls.obey({ name: 'approve', value: true });
    room.advance(500);
    return { room, hand };
  }

  async function knock(room: TestRoom, nick: string, typed: { readonly codes?: [] } = {}) {
    const person = await room.person(nick, { crowd: true, ...typed });
    person.knock(room.invite());
    room.pump();
    return person;
  }

  test('/approve shows how it is, and changes it', async () => {
    const { room, hand } = await asking();
    assert.deepEqual(hand.texts(), [], 'everyone is shown it');
    for (const value of [null, true]) {
      await hand.controls.obey({ name: 'approve', value });
      assert.match(hand.texts().join(), /^People are let in by hand/);
    }
    await hand.controls.obey({ name: 'approve', value: false });
    room.advance(500);
    await hand.controls.obey({ name: 'approve', value: null });
    assert.match(hand.texts().join(), /^Whoever has everything right comes in/);
  });

  test('who waits is shown, and admitted or denied by nickname or number', async () => {
    const { room, hand } = await asking();
    const [ann, ben] = [await knock(room, 'ann'), await knock(room, 'ben')];
    await hand.controls.obey({ name: 'door' });
    assert.match(hand.texts().join('\n'), /^Number, .*\n1 .* ann has everything right .*\n2 .* ben has/);
    await hand.controls.obey({ name: 'admit', who: 'ann' });
    await hand.controls.obey({ name: 'deny', who: '#2' });
    assert.deepEqual(hand.texts(), ['You said yes: ann is let in.', 'You said no to ben.']);
    room.advance(1_000);
    assert.equal(ann.outcome.kind, 'in');
    assert.deepEqual(ben.outcome, { kind: 'refused', reason: 'denied', triesLeft: 0 });
    for (const name of ['admit', 'deny'] as const)
      await refusedWith(
        hand,
        { name, who: 'ann' },
        name === 'admit' ? 'not-waiting' : 'not-at-door',
        /^ann .* door\./,
      );
  });

  // Once "is let in" was told before "The room is full".
  test('of a yes that comes to nothing it is not said that it was done', async () => {
    const { room, hand } = await asking({ maxMembers: 1 });
    const [ann, ben] = [await knock(room, 'ann'), await knock(room, 'ben')];
    await hand.controls.obey({ name: 'admit', who: 'ann' });
    room.advance(1_000);
    await refusedWith(hand, { name: 'admit', who: 'ben' }, 'room-full', /they go on waiting/);
    assert.deepEqual([ann.outcome.kind, ben.outcome.kind], ['in', 'knocking']);
  });

  test('someone still at the checks can be denied, and not admitted', async () => {
    const { room, hand } = await asking();
    const ann = await knock(room, 'ann', { codes: [] });
    await knock(room, 'ben');
    const { visitors, waiting } = hand.controls.known;
    assert.deepEqual([visitors, waiting], [['#1', 'ben'], ['ben']], 'Tab knows both');
    await hand.controls.obey({ name: 'deny', who: 'ben' });
    assert.deepEqual(hand.texts(), ['You said no to ben.']);
    room.pump();
    await refusedWith(hand, { name: 'admit', who: '1' }, 'not-waiting', /Nobody waits/);
    await hand.controls.obey({ name: 'deny', who: '1' });
    assert.deepEqual(hand.texts(), ['You said no to Visitor 1.']);
    room.pump();
    assert.equal(ann.outcome.kind === 'refused' && ann.outcome.reason, 'denied');
  });
});

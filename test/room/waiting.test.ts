/** Where the host wants to be asked: whoever has everything right waits for its word, with a use and a nickname kept. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ADMISSION_FRAME } from '../../src/protocol/admission-frames.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import type { RoomSettings } from '../../src/protocol/signed-objects.ts';
import { FEATURE, PROTOCOL_VERSION } from '../../src/protocol/version.ts';
import type { Visitor } from '../../src/room/visitors.ts';
import { RawCandidate } from '../helpers/door.ts';
import { dsaIdentity } from '../helpers/keys.ts';
import { RIGHT_ANSWER, type TestInvitation } from '../helpers/line.ts';
import type { MemberOptions, TestMember } from '../helpers/member.ts';
import { openRoom, type TestRoom, type TestRoomOptions } from '../helpers/room.ts';

function change(room: TestRoom, part: Partial<RoomSettings>): void {
  room.perform(room.room.change(part, room.clock.moment));
  room.advance(500);
}

async function askingRoom(options: TestRoomOptions = {}): Promise<TestRoom> {
  const room = await openRoom(options);
  change(room, { approval: true });
  return room;
}

async function knock(
  room: TestRoom,
  nick: string,
  invitation: TestInvitation,
  options: Partial<MemberOptions> = {},
): Promise<TestMember> {
  const person = await room.person(nick, { crowd: true, ...options });
  person.knock(invitation);
  room.pump();
  return person;
}

function waiting(room: TestRoom): readonly Visitor[] {
  return room.room.atDoor.filter(({ stage }) => stage === 'waiting');
}

function holderOf(room: TestRoom, nick: string): number {
  return waiting(room).find((visitor) => visitor.nick === nick)?.holder ?? assert.fail(`${nick} waits not`);
}

function admit(room: TestRoom, nick: string): void {
  room.perform(room.room.admit(holderOf(room, nick), room.clock.moment));
  room.advance(500);
}

function deny(room: TestRoom, nick: string): void {
  room.perform(room.room.deny(holderOf(room, nick), room.clock.moment));
  room.pump();
}

function usesLeft(room: TestRoom, invitation: TestInvitation): number | undefined {
  return room.room.invitations.find(invitation.key)?.usesLeft;
}

function left(room: TestRoom): readonly (readonly [string, string | null])[] {
  return room.notices.flatMap((notice) =>
    notice.kind === 'door-left' ? [[notice.how, notice.reason] as const] : [],
  );
}

function refusalOf({ outcome }: TestMember): string {
  return outcome.kind === 'refused' ? outcome.reason : outcome.kind;
}

test('P53 someone with everything right is told to wait, shown to the host, and let in by its yes', async () => {
  const room = await askingRoom();
  const ann = await knock(room, 'ann', room.invite());
  assert.ok(ann.waits);
  assert.equal(room.room.members.length, 0);
  const [visitor] = waiting(room);
  assert.equal(visitor?.nick, 'ann');
  assert.deepEqual(visitor?.fingerprint, ann.identity.idFingerprint);
  const told = room.notices.findLast(({ kind }) => kind === 'door');
  assert.deepEqual(told, { kind: 'door', ...visitor });
  room.advance(LIMITS.candidateMs * 2);
  assert.equal(ann.outcome.kind, 'knocking', 'the time of someone who types is not theirs');
  admit(room, 'ann');
  assert.ok(ann.live);
  assert.deepEqual(room.room.atDoor, []);
  assert.deepEqual(left(room), [['admitted', null]]);
});

test('who was let in hears and is heard: WAIT is part of the transcript', async () => {
  const room = await openRoom();
  const bob = await room.join('bob', { crowd: true });
  change(room, { approval: true });
  const ann = await knock(room, 'ann', room.invite());
  admit(room, 'ann');
  bob.say('welcome');
  ann.say('thank you');
  room.advance(500);
  assert.deepEqual(ann.texts, ['welcome', 'thank you']);
  assert.deepEqual(bob.texts, ['welcome', 'thank you']);
});

test('a no tells them so, and gives use and nickname back', async () => {
  const room = await askingRoom();
  const invitation = room.invite();
  const ann = await knock(room, 'ann', invitation);
  assert.equal(usesLeft(room, invitation), 0, 'kept for them while they wait');
  deny(room, 'ann');
  assert.equal(refusalOf(ann), 'denied');
  assert.equal(usesLeft(room, invitation), 1);
  assert.deepEqual(left(room), [['refused', 'denied']]);
  const other = await knock(room, 'ann', invitation);
  assert.ok(other.waits);
});

test('while they wait nobody else gets their use, their nickname or their key', async () => {
  const room = await askingRoom();
  const invitation = room.invite();
  const ann = await knock(room, 'ann', invitation);
  assert.equal(refusalOf(await knock(room, 'bob', invitation)), 'used-up');
  const likeHer = await knock(room, 'arm', room.invite());
  assert.equal(likeHer.asked.at(-1)?.problem, null, 'looks different');
  const twin = await knock(room, 'ann', room.invite());
  assert.equal(twin.asked.at(-1)?.problem, 'nick-taken');
  const again = await knock(room, 'ann-2', room.invite(), { identity: ann.identity });
  assert.equal(refusalOf(again), 'already-online');
});

test('a lost connection gives everything back, and the host is told', async () => {
  const room = await askingRoom();
  const invitation = room.invite();
  const ann = await knock(room, 'ann', invitation);
  ann.loseLine();
  assert.deepEqual(waiting(room), []);
  assert.deepEqual(left(room), [['gone', null]]);
  assert.equal(usesLeft(room, invitation), 1);
  assert.ok((await knock(room, 'ann', invitation)).waits);
});

// Once the last use, held by someone who waited, hid the invitation from the removal, and came back afterwards.
test('an invitation whose last use someone holds who waits is suspended with its holder\u2019s removal', async () => {
  const room = await askingRoom();
  const invitation = room.invite({ uses: 2 });
  const bob = await knock(room, 'bob', invitation);
  admit(room, 'bob');
  await knock(room, 'ann', invitation);
  assert.equal(usesLeft(room, invitation), 0);
  room.perform(room.room.remove(bob.key, room.clock.moment));
  deny(room, 'ann');
  assert.equal(usesLeft(room, invitation), 1);
  assert.equal(refusalOf(await knock(room, 'bob-2', invitation)), 'suspended');
});

test('being let in gives a shared invitation a try back, and waiting in vain does not', async () => {
  const room = await askingRoom();
  const invitation = room.invite({ uses: 5 });
  const guesser = await RawCandidate.at(room, { place: 9 });
  guesser.hello(invitation);
  guesser.answer();
  guesser.proveNothing();
  const tries = () => room.room.invitations.find(invitation.key)?.triesLeft;
  assert.equal(tries(), 4);
  await knock(room, 'ann', invitation);
  deny(room, 'ann');
  assert.equal(tries(), 4);
  await knock(room, 'bob', invitation);
  admit(room, 'bob');
  assert.equal(tries(), 5);
});

test('nobody says a word for fifteen minutes: the time is over', async () => {
  const room = await askingRoom();
  const invitation = room.invite();
  const ann = await knock(room, 'ann', invitation);
  room.advance(LIMITS.waitingMs - 500);
  assert.ok(ann.waits);
  room.advance(500);
  assert.equal(refusalOf(ann), 'timed-out');
  assert.equal(usesLeft(room, invitation), 1);
});

test('what they send while they wait closes their connection, as at every step', async () => {
  const room = await askingRoom();
  const candidate = await RawCandidate.at(room, { place: 9 });
  candidate.toCode(room.invite());
  candidate.join();
  assert.equal(candidate.lastType, ADMISSION_FRAME.wait);
  candidate.join();
  assert.equal(candidate.closeReason, 'protocol');
  assert.deepEqual(room.room.atDoor, []);
  assert.deepEqual(left(room), [['refused', null]]);
});

test('a program that does not know WAIT is not sent it, and gets in by the same yes', async () => {
  const room = await askingRoom();
  const dialect = { version: PROTOCOL_VERSION, features: [FEATURE.moderation] };
  const ann = await knock(room, 'ann', room.invite(), { dialect });
  assert.equal(ann.waits, false);
  assert.equal(ann.outcome.kind, 'knocking');
  admit(room, 'ann');
  assert.ok(ann.live);
});

test('the host itself never waits', async () => {
  const room = await askingRoom();
  const owner = await knock(room, 'owner', room.invite({ role: 'owner' }));
  room.advance(500);
  assert.ok(owner.live);
  const shown = room.notices.filter(({ kind }) => kind === 'door' || kind === 'door-left');
  assert.deepEqual(shown, [], 'nor is its own way in shown as a visit');
});

test('someone on the roster who comes by the whole way again does not wait', async () => {
  const room = await openRoom();
  const code = () => room.room.code.value;
  const twice = { answers: [RIGHT_ANSWER, RIGHT_ANSWER], codes: [code, code], nicks: ['ann', 'ann'] };
  const ann = await room.join('ann', { crowd: true, ...twice });
  ann.loseLine();
  change(room, { approval: true });
  ann.knock(room.invite());
  room.pump();
  assert.ok(ann.live);
  assert.equal(room.room.members.length, 1);
});

describe('what changes meanwhile', () => {
  test('asking is switched off: all who wait come in', async () => {
    const room = await askingRoom();
    const invitation = room.invite({ uses: 3 });
    const people = [];
    for (const nick of ['ann', 'bob', 'carol']) people.push(await knock(room, nick, invitation));
    change(room, { approval: false });
    assert.ok(people.every(({ live }) => live));
  });

  test('P53 the room is locked: they wait on, and only a yes lets them in', async () => {
    const room = await askingRoom();
    const invitation = room.invite({ uses: 3 });
    const [ann, bob] = [await knock(room, 'ann', invitation), await knock(room, 'bob', invitation)];
    change(room, { locked: true });
    assert.ok(ann.waits && bob.waits);
    admit(room, 'ann');
    assert.ok(ann.live);
    change(room, { approval: false });
    assert.equal(refusalOf(bob), 'locked', 'no longer asking is no yes while the room is locked');
  });

  test('their invitation is withdrawn: they are turned away', async () => {
    const room = await askingRoom();
    const invitation = room.invite();
    const ann = await knock(room, 'ann', invitation);
    room.room.invitations.revoke(invitation.key);
    room.advance(250);
    assert.equal(refusalOf(ann), 'revoked');
  });

  test('their invitation expires or is suspended: they came in time, and the host decides', async () => {
    const room = await askingRoom();
    const invitation = room.invite({ ttlMs: 60_000 });
    const ann = await knock(room, 'ann', invitation);
    room.room.invitations.suspend(invitation.key);
    room.advance(120_000);
    admit(room, 'ann');
    assert.ok(ann.live);
  });

  test('the room fills up: a yes is not possible, they wait on, and come in when there is room', async () => {
    const room = await openRoom({ maxMembers: 1 });
    change(room, { approval: true });
    const invitation = room.invite({ uses: 3 });
    const [ann, bob] = [await knock(room, 'ann', invitation), await knock(room, 'bob', invitation)];
    admit(room, 'ann');
    assert.throws(() => admit(room, 'bob'), { code: 'room-full' });
    change(room, { approval: false });
    assert.ok(bob.waits, 'whoever waits is not turned away for a lack of room');
    room.perform(room.room.remove(ann.key, room.clock.moment));
    room.advance(1_000);
    assert.ok(bob.live);
  });

  test('the room closes: they are told', async () => {
    const room = await askingRoom();
    const ann = await knock(room, 'ann', room.invite());
    room.perform(room.room.close('host-closing', 'the host closed the room', room.clock.moment));
    room.pump();
    assert.equal(refusalOf(ann), 'closing');
  });
});

test('a yes or a no for nobody is an error of who says it', async () => {
  const room = await askingRoom();
  const ann = await knock(room, 'ann', room.invite());
  const holder = holderOf(room, 'ann');
  const typing = await RawCandidate.at(room, { place: 9 });
  typing.hello(room.invite());
  assert.throws(() => room.room.admit(typing.line.id, room.clock.moment), { code: 'not-waiting' });
  room.perform(room.room.admit(holder, room.clock.moment));
  room.advance(500);
  assert.ok(ann.live);
  assert.throws(() => room.room.admit(holder, room.clock.moment), { code: 'not-waiting' });
  assert.throws(() => room.room.deny(holder, room.clock.moment), { code: 'not-at-door' });
  room.perform(room.room.deny(typing.line.id, room.clock.moment));
  room.pump();
  assert.equal(typing.refused?.reason, 'denied', 'a no needs no waiting');
});

test('an identity that waits is judged once: its keys are what the members get', async () => {
  const room = await openRoom();
  const bob = await room.join('bob', { crowd: true });
  change(room, { approval: true });
  const identity = await dsaIdentity(30);
  await knock(room, 'ann', room.invite(), { identity });
  admit(room, 'ann');
  const listed = bob.session.members.find(({ member }) => member.nick === 'ann');
  assert.deepEqual(listed?.member.identity, identity.idFingerprint);
});

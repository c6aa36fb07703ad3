/** Accounts: a nickname behind a password, and the same person under another key. @see docs/protocol.md#accounts */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADMISSION_FRAME } from '../../src/protocol/admission-frames.ts';
import { encodeFrame } from '../../src/protocol/framing.ts';
import { idKey } from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { ActAnswer, Close, SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import type { RoomNotice } from '../../src/room/effects.ts';
import { company } from '../helpers/company.ts';
import { RawCandidate } from '../helpers/door.ts';
import { bodiesOf } from '../helpers/evil-host.ts';
import type { MemberOptions, TestMember } from '../helpers/member.ts';
import { openRoom, type TestRoom, type TestRoomOptions } from '../helpers/room.ts';

const PASSWORD = 'nine lives of a cat';

async function keptRoom(options: TestRoomOptions = {}) {
  const room = await openRoom({ keeps: 'ciphertext', ...options });
  const ann = await room.join('ann', { crowd: true });
  const bob = await room.join('bob', { crowd: true });
  register(room, ann);
  return { room, ann, bob };
}

function register(room: TestRoom, member: TestMember, password = PASSWORD): void {
  member.register(password);
  room.pump();
  assert.equal(member.eventsOf('registered').length > 0, true);
}

/** The same person on another device: another key, by an invitation of their own. */
async function onNewDevice(
  room: TestRoom,
  nick = 'ann',
  options: Partial<MemberOptions> & { uses?: number } = {},
) {
  const { uses = 1, ...rest } = options;
  const invitation = room.invite({ uses });
  const member = await room.person(nick, { crowd: true, passwords: [PASSWORD], ...rest });
  member.knock(invitation);
  room.advance(500);
  return { member, invitation };
}

function nicks(room: TestRoom): readonly string[] {
  return room.room.members.map(({ nick }) => nick).sort();
}

/** Nobody in the room can have that nickname. */
function assertTaken(room: TestRoom, by: TestMember, nick: string): void {
  by.act({ kind: 'rename', nick });
  room.advance(500);
  const answers = bodiesOf(by.line?.sentByHost ?? [], SESSION_FRAME.actAnswer).map((body) =>
    ActAnswer.decode(body),
  );
  assert.deepEqual(answers.at(-1), { kind: 'rename', outcome: 'nick-taken' });
}

function closedBy(member: TestMember) {
  return member.eventsOf('closed').map(({ reason, text }) => ({ reason, text }));
}

test('a new device needs the password, and goes on in the place of the old one', async () => {
  const { room, ann, bob } = await keptRoom();
  room.perform(room.room.setRole(ann.key, 'moderator', room.clock.moment));
  room.perform(room.room.mute(ann.key, null, room.clock.moment));
  room.advance(500);
  const { member: again, invitation } = await onNewDevice(room);

  assert.deepEqual(
    again.asked.map(({ what, nick }) => [what, nick]),
    [
      ['answer', undefined],
      ['nick', undefined],
      ['code', undefined],
      ['password', 'ann'],
    ],
  );
  assert.ok(again.live);
  assert.deepEqual(nicks(room), ['ann', 'bob']);
  const entry = room.room.members.find(({ key }) => key === again.key);
  assert.deepEqual([entry?.nick, entry?.role, entry?.muted], ['ann', 'moderator', true]);
  assert.equal(
    room.room.members.some(({ key }) => key === ann.key),
    false,
  );
  assert.deepEqual(closedBy(ann), [
    { reason: 'removed', text: 'your account goes on elsewhere, under another key' },
  ]);
  assert.equal(room.room.invitations.find(invitation.key)?.triesLeft, LIMITS.triesPerInvitation);

  const [change, ...more] = bob
    .eventsOf('roster')
    .flatMap(({ change }) => (change.removed.some(({ reason }) => reason === 'replaced') ? [change] : []));
  assert.deepEqual(more, []);
  assert.deepEqual(
    change?.removed.map(({ member, reason, by }) => [member.key, reason, by]),
    [[ann.key, 'replaced', null]],
  );
  assert.deepEqual(
    change?.added.map(({ key }) => key),
    [again.key],
  );
  assertTaken(room, bob, 'ann');
  assert.deepEqual([...bob.alarms, ...again.alarms, ...ann.alarms], []);
});

test('who takes an account over reads and says from then on, and nobody wraps to the old key', async () => {
  const { room, ann, bob } = await keptRoom();
  bob.say('to the old key');
  room.advance(500);
  const { member: again } = await onNewDevice(room);
  bob.say('to the new key');
  again.say('here again');
  room.advance(1_000);
  assert.deepEqual(ann.texts, ['to the old key']);
  assert.deepEqual(again.texts, ['to the new key', 'here again']);
  assert.deepEqual(bob.texts, ['to the old key', 'to the new key', 'here again']);
  assert.deepEqual([...bob.alarms, ...again.alarms], []);
});

test('the account goes along: from a third device the same password, and the old keys come back to nothing', async () => {
  const { room, ann } = await keptRoom();
  const second = (await onNewDevice(room)).member;
  const third = (await onNewDevice(room)).member;
  assert.ok(third.live);
  assert.equal(closedBy(second)[0]?.reason, 'removed');
  ann.comeBack();
  room.pump();
  assert.deepEqual(ann.outcome, { kind: 'refused', reason: 'not-recognised', triesLeft: 0 });
});

test('a wrong password costs a try, and another nickname is had without one', async () => {
  const { room } = await keptRoom();
  const { member, invitation } = await onNewDevice(room, 'ann', {
    passwords: ['not the right one', ''],
    nicks: ['ann', 'anna'],
    uses: 2,
  });
  assert.deepEqual(
    member.asked.slice(3).map(({ what, problem }) => [what, problem]),
    [
      ['password', null],
      ['password', 'wrong-password'],
      ['nick', 'nick-registered'],
    ],
  );
  assert.ok(member.live);
  assert.deepEqual(nicks(room), ['ann', 'anna', 'bob']);
  // One lost, and one back for someone who got in by an invitation of several.
  assert.equal(room.room.invitations.find(invitation.key)?.triesLeft, LIMITS.triesPerInvitation);
});

test('with no try left a wrong password ends the run, and the invitation is suspended', async () => {
  const { room } = await keptRoom();
  const wrong = Array.from({ length: LIMITS.triesPerInvitation + 1 }, (_, place) => `wrong number ${place}`);
  const { member, invitation } = await onNewDevice(room, 'ann', { passwords: wrong });
  assert.deepEqual(member.outcome, { kind: 'refused', reason: 'wrong-password', triesLeft: 0 });
  assert.equal(member.asked.filter(({ what }) => what === 'password').length, LIMITS.triesPerInvitation);
  room.advance(LIMITS.undecidedTryMs);
  assert.equal(room.room.invitations.find(invitation.key)?.suspended, true);
  assert.ok(room.notices.some((notice) => notice.kind === 'suspended' && notice.because === 'tries'));
});

test('a proof that is none is told as a wrong password, and a nickname without an account never has a right one', async () => {
  const { room } = await keptRoom();
  for (const nick of ['ann', 'bob', 'nobody-here']) {
    const invitation = room.invite();
    const candidate = await RawCandidate.at(room, { place: 5 });
    candidate.toCode(invitation);
    candidate.join({ nick: 'ann' });
    assert.equal(candidate.refused?.reason, 'nick-registered');
    candidate.password(nick, PASSWORD);
    assert.equal(candidate.lastType, ADMISSION_FRAME.passwordChallenge, nick);
    assert.equal(room.room.invitations.find(invitation.key)?.triesLeft, LIMITS.triesPerInvitation - 1);
    if (nick !== 'ann') assert.equal(candidate.provePassword(PASSWORD), false);
    candidate.provePasswordWithNothing();
    assert.equal(candidate.refused?.reason, 'wrong-password', nick);
    assert.equal(candidate.refused?.triesLeft, LIMITS.triesPerInvitation - 1);
    candidate.join({ nick: 'ann' });
    assert.equal(candidate.refused?.reason, 'nick-registered', 'and the run goes on');
    candidate.provePasswordWithNothing();
    assert.equal(candidate.refused?.reason, 'timed-out');
  }
});

test('an undecided password is lost after ten seconds, and a late proof ends the run', async () => {
  const { room } = await keptRoom();
  const invitation = room.invite();
  const candidate = await RawCandidate.at(room, { place: 5 });
  candidate.toCode(invitation);
  candidate.join({ nick: 'ann' });
  candidate.password('ann', PASSWORD);
  room.advance(LIMITS.undecidedTryMs);
  assert.equal(room.room.invitations.find(invitation.key)?.triesLeft, LIMITS.triesPerInvitation - 1);
  assert.ok(candidate.provePassword(PASSWORD));
  assert.equal(candidate.refused?.reason, 'timed-out');
});

test('whoever gives another password, or another nickname, in place of a proof loses the try', async () => {
  const { room } = await keptRoom();
  const invitation = room.invite();
  const candidate = await RawCandidate.at(room, { place: 5 });
  candidate.toCode(invitation);
  candidate.join({ nick: 'ann' });
  candidate.password('ann', 'one guess too many');
  candidate.password('ann', 'and another one');
  assert.equal(room.room.invitations.find(invitation.key)?.triesLeft, LIMITS.triesPerInvitation - 2);
  candidate.join({ nick: 'carol' });
  room.advance(500);
  assert.equal(candidate.lastType, ADMISSION_FRAME.welcome);
  assert.equal(room.room.invitations.find(invitation.key)?.triesLeft, LIMITS.triesPerInvitation - 2);
});

test('no password is tested before a code was right, nor after sixteen nicknames and passwords', async () => {
  const { room } = await keptRoom();
  const early = await RawCandidate.at(room, { place: 5 });
  early.toCode(room.invite());
  early.password('ann', PASSWORD);
  assert.equal(early.closeReason, 'protocol');

  const tireless = await RawCandidate.at(room, { place: 5 });
  tireless.toCode(room.invite());
  tireless.join({ nick: 'ann' });
  for (let count = 1; count < LIMITS.joinsPerRun; count += 1) {
    tireless.password('ann', PASSWORD);
    assert.ok(tireless.provePassword(PASSWORD));
    assert.equal(tireless.lastType, ADMISSION_FRAME.proved);
  }
  tireless.password('ann', PASSWORD);
  assert.equal(tireless.refused?.reason, 'timed-out');
});

test('a password waits in line for a try like every guess', async () => {
  const { room } = await keptRoom();
  const invitation = room.invite({ uses: 8 });
  const candidate = await RawCandidate.at(room, { place: 5 });
  candidate.toCode(invitation);
  candidate.join({ nick: 'ann' });
  const others = await Promise.all(
    Array.from({ length: LIMITS.triesPerInvitation }, () => RawCandidate.at(room, { place: 6 })),
  );
  for (const other of others) {
    other.hello(invitation);
    other.answer();
  }
  candidate.password('ann', PASSWORD);
  assert.equal(candidate.refused?.reason, 'nick-registered', 'nothing new was heard');
  others[0]?.prove();
  assert.equal(candidate.lastType, ADMISSION_FRAME.passwordChallenge);
  assert.ok(candidate.provePassword(PASSWORD));
  assert.equal(candidate.lastType, ADMISSION_FRAME.proved);
});

test('a locked or full room takes in whoever is on its list under another key, and nobody new', async () => {
  const { room } = await keptRoom({ maxMembers: 2 });
  const stranger = await onNewDevice(room, 'carol');
  assert.deepEqual(stranger.member.outcome, {
    kind: 'refused',
    reason: 'room-full',
    triesLeft: LIMITS.triesPerInvitation,
  });
  room.perform(room.room.change({ locked: true }, room.clock.moment));
  room.advance(500);
  const late = await onNewDevice(room, 'carol');
  assert.equal(late.member.outcome.kind === 'refused' && late.member.outcome.reason, 'locked');
  assert.ok((await onNewDevice(room)).member.live);
  assert.deepEqual(nicks(room), ['ann', 'bob']);
});

test('where the host wants to be asked it is, and is told that this is the member of that name', async () => {
  const { room } = await keptRoom();
  room.perform(room.room.change({ approval: true }, room.clock.moment));
  room.advance(500);
  const { member } = await onNewDevice(room);
  assert.ok(member.waits);
  const [visitor] = room.room.atDoor;
  assert.deepEqual([visitor?.nick, visitor?.takesOver], ['ann', true]);
  const second = await onNewDevice(room);
  assert.equal(
    second.member.outcome.kind === 'refused' && second.member.outcome.reason,
    'already-online',
    'one at a time',
  );
  room.perform(room.room.admit(visitor?.holder ?? 0, room.clock.moment));
  room.advance(500);
  assert.ok(member.live);
});

test('who waits at the door for an account that ends meanwhile is turned away, and the nickname is free', async () => {
  const { room, ann } = await keptRoom();
  room.perform(room.room.change({ approval: true }, room.clock.moment));
  room.advance(500);
  const { member, invitation } = await onNewDevice(room);
  assert.ok(member.waits);
  room.perform(room.room.remove(ann.key, room.clock.moment));
  room.advance(500);
  assert.deepEqual(member.outcome, { kind: 'refused', reason: 'denied', triesLeft: 0 });
  assert.equal(room.room.invitations.find(invitation.key)?.usesLeft, 1);
  room.perform(room.room.change({ approval: false }, room.clock.moment));
  room.advance(500);
  assert.ok((await onNewDevice(room, 'ann', { passwords: [] })).member.live);
});

test('whoever is shown out in the same moment is not followed', async () => {
  const { room, ann } = await keptRoom();
  const other = await room.join('carol', { crowd: true });
  // The next operation is a quarter of a second away: the removal and the new key wait for the same one.
  const candidate = await RawCandidate.at(room, { place: 7 });
  candidate.toCode(room.invite());
  candidate.join({ nick: 'ann' });
  candidate.password('ann', PASSWORD);
  candidate.provePassword(PASSWORD);
  other.leave();
  room.pump();
  room.advance(250);
  candidate.join({ nick: 'ann' });
  room.perform(room.room.ban(ann.key, null, room.clock.moment));
  room.advance(1_000);
  assert.equal(candidate.refused?.reason, 'denied');
  assert.deepEqual(nicks(room), ['bob']);
});

test('who leaves the door again has taken nothing', async () => {
  const { room, ann, bob } = await keptRoom();
  room.perform(room.room.change({ approval: true }, room.clock.moment));
  room.advance(500);
  const { member, invitation } = await onNewDevice(room);
  member.loseLine();
  room.advance(500);
  assert.ok(ann.live);
  assert.equal(room.room.invitations.find(invitation.key)?.usesLeft, 1);
  assertTaken(room, bob, 'ann');
  room.perform(room.room.change({ approval: false }, room.clock.moment));
  room.advance(500);
  const stranger = await onNewDevice(room, 'ann', { passwords: [''], nicks: ['ann', 'anna'] });
  assert.deepEqual(nicks(room), ['ann', 'anna', 'bob']);
  assert.ok(stranger.member.live);
});

test('a new nickname takes the account along, and what reads like it is behind the password too', async () => {
  const { room, ann } = await keptRoom();
  ann.act({ kind: 'rename', nick: 'mina' });
  room.advance(500);
  const { member } = await onNewDevice(room, 'ann', { passwords: [] });
  assert.ok(member.live, 'the old one is free');
  const { member: again } = await onNewDevice(room, 'rnina');
  assert.ok(again.live);
  assert.deepEqual(nicks(room), ['ann', 'bob', 'mina']);
});

test('a nickname that was asked for and not signed yet does not come with the account', async () => {
  const { room, ann } = await keptRoom();
  const candidate = await RawCandidate.at(room, { place: 7 });
  candidate.toCode(room.invite());
  candidate.join({ nick: 'ann' });
  candidate.password('ann', PASSWORD);
  candidate.provePassword(PASSWORD);
  // The next operation is a quarter of a second away: both wait for it.
  room.perform(room.room.change({ topic: 'tea' }, room.clock.moment));
  ann.act({ kind: 'rename', nick: 'mina' });
  room.pump();
  candidate.join({ nick: 'ann' });
  room.advance(500);
  assert.equal(candidate.lastType, ADMISSION_FRAME.welcome);
  assert.deepEqual(nicks(room), ['ann', 'bob']);
  const { member } = await onNewDevice(room, 'mina');
  assert.ok(member.live, 'and is free');
  assert.deepEqual(member.alarms, []);
});

test('a member with an account keeps their place however long they are away; others do not', async () => {
  const { room, ann, bob } = await keptRoom();
  ann.loseLine();
  bob.loseLine();
  room.advance(LIMITS.guestOfflineMs + LIMITS.absenceBatchMs + 1_000);
  assert.deepEqual(nicks(room), ['ann']);
  assert.ok((await onNewDevice(room)).member.live);
});

test('an account ends with whoever leaves for good', async () => {
  const { room, ann } = await keptRoom();
  ann.leave();
  room.advance(500);
  assert.ok((await onNewDevice(room, 'ann', { passwords: [] })).member.live);
});

test('a mute lasts as long as was said, under whatever key', async () => {
  const { room, ann } = await keptRoom();
  room.perform(room.room.mute(ann.key, 60_000, room.clock.moment));
  room.advance(500);
  const { member } = await onNewDevice(room);
  assert.equal(member.session.self?.muted, true);
  room.advance(60_000);
  assert.equal(member.session.self?.muted, false);
});

test('what they came by before is suspended as well when they are removed', async () => {
  const room = await openRoom({ keeps: 'ciphertext' });
  const first = room.invite({ uses: 3 });
  const ann = await room.join('ann', { crowd: true, invitation: first });
  register(room, ann);
  const { member, invitation } = await onNewDevice(room, 'ann', { uses: 3 });
  room.perform(room.room.remove(member.key, room.clock.moment));
  for (const { key } of [first, invitation]) assert.equal(room.room.invitations.find(key)?.suspended, true);
});

test('a password that was changed meanwhile is to be proved again', async () => {
  const { room, ann } = await keptRoom();
  const candidate = await RawCandidate.at(room, { place: 5 });
  candidate.toCode(room.invite());
  candidate.join({ nick: 'ann' });
  candidate.password('ann', PASSWORD);
  assert.ok(candidate.provePassword(PASSWORD));
  register(room, ann, 'quite another password');
  candidate.join({ nick: 'ann' });
  assert.equal(candidate.refused?.reason, 'nick-registered');
  candidate.password('ann', PASSWORD);
  assert.equal(candidate.provePassword(PASSWORD), false);
  candidate.password('ann', 'quite another password');
  assert.ok(candidate.provePassword('quite another password'));
  candidate.join({ nick: 'ann' });
  room.advance(500);
  assert.equal(candidate.lastType, ADMISSION_FRAME.welcome);
});

test('the host takes nobody’s place: a registered nickname is just taken for it', async () => {
  const { room } = await keptRoom();
  const owner = await room.person('ann', { crowd: true, nicks: ['ann', 'olga'] });
  owner.knock(room.invite({ role: 'owner' }));
  room.advance(500);
  assert.ok(owner.live);
  assert.equal(owner.asked.at(-1)?.problem, 'nick-taken');
});

test('a room that ends with its host has no accounts, nor has the owner one: both are told before a password is asked for', async () => {
  const plain = await openRoom();
  const ann = await plain.join('ann', { crowd: true });
  assert.throws(() => ann.register(PASSWORD), { code: 'no-accounts' });
  assert.throws(() => ann.session.mayRegister(), { code: 'no-accounts' });

  const { room, olga } = await company({ keeps: 'ciphertext' });
  assert.throws(() => olga.register(PASSWORD), { code: 'no-accounts' });
  olga.send(encodeFrame(SESSION_FRAME.register, room.clock.randomBytes(32)));
  room.pump();
  assert.deepEqual(
    olga.eventsOf('closed').map(({ reason }) => reason),
    ['protocol'],
  );
});

test('a password has eight characters, and one registration is under way at a time', async () => {
  const { room, ann } = await keptRoom();
  assert.throws(() => ann.register('seven 7'), { code: 'password-short' });
  assert.throws(() => ann.register('x'.repeat(1_025)), { code: 'passphrase' });
  ann.register('another password');
  assert.throws(() => ann.register('and one more'), { code: 'registering' });
  room.pump();
  assert.equal(ann.eventsOf('registered').length, 2);
});

test('a line lost in the middle of a registration is told, and it can be begun again', async () => {
  const { room, ann } = await keptRoom();
  ann.register('another password');
  ann.loseLine();
  ann.comeBack();
  room.pump();
  assert.deepEqual(
    ann.eventsOf('notice').map(({ code }) => code),
    ['not-registered'],
  );
  register(room, ann, 'another password');
  assert.ok((await onNewDevice(room, 'ann', { passwords: ['another password'] })).member.live);
});

const BROKEN: Readonly<Record<string, readonly (readonly [type: number, bytes: number])[]>> = {
  'a record without a request': [[SESSION_FRAME.registerRecord, 192]],
  'a request that is too short': [[SESSION_FRAME.register, 31]],
  'a record that is too long': [
    [SESSION_FRAME.register, 32],
    [SESSION_FRAME.registerRecord, 193],
  ],
  'two records for one request': [
    [SESSION_FRAME.register, 32],
    [SESSION_FRAME.registerRecord, 192],
    [SESSION_FRAME.registerRecord, 192],
  ],
  'more than a member may make': Array.from(
    { length: LIMITS.registrationsPerMemberPerMinute + 1 },
    () => [SESSION_FRAME.register, 32] as const,
  ),
};
for (const [name, frames] of Object.entries(BROKEN)) {
  test(`${name} closes the connection`, async () => {
    const { room, bob } = await keptRoom();
    for (const [type, bytes] of frames) bob.send(encodeFrame(type, room.clock.randomBytes(bytes)));
    room.pump();
    assert.equal(room.room.members.length, 2);
    const reasons = bodiesOf(bob.line?.sentByHost ?? [], SESSION_FRAME.close).map(
      (body) => Close.decode(body).reason,
    );
    assert.deepEqual(reasons, ['protocol']);
  });
}

test('the host is told where someone stands with a password', async () => {
  const { room } = await keptRoom();
  await onNewDevice(room);
  const stages = room.notices.flatMap((notice: RoomNotice) => (notice.kind === 'door' ? [notice.stage] : []));
  assert.deepEqual(stages.slice(-3), ['nick-refused', 'password-tested', 'password-proved']);
});

test('two rooms full of people: each account is found by its own nickname', async () => {
  const { room, ann, bob } = await keptRoom();
  register(room, bob, 'the password of bob');
  const wrong = await onNewDevice(room, 'bob', { passwords: [PASSWORD, 'the password of bob'] });
  assert.ok(wrong.member.live);
  assert.ok(ann.live);
  assert.equal(
    idKey(wrong.member.identity.memberId),
    room.room.members.find(({ nick }) => nick === 'bob')?.key,
  );
});

/** What a password is good for, and who takes a place without one. @see docs/security.md#accounts */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NextOperation } from '../../src/crypto/roster.ts';
import { ADMISSION_FRAME, PasswordChallenge, PasswordProof } from '../../src/protocol/admission-frames.ts';
import { toBase64url, utf8 } from '../../src/protocol/bytes.ts';
import { encodeFrame, frameType } from '../../src/protocol/framing.ts';
import { SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import type { RosterEntry } from '../../src/protocol/signed-objects.ts';
import { type Company, company } from '../helpers/company.ts';
import { RawCandidate } from '../helpers/door.ts';
import { bodiesOf, holds } from '../helpers/evil-host.ts';
import { dsaIdentity } from '../helpers/keys.ts';
import { liveState } from '../helpers/live-state.ts';
import type { TestMember } from '../helpers/member.ts';
import { entryOf, showOperation, signNext } from '../helpers/operations.ts';
import { openRoom, type TestRoom } from '../helpers/room.ts';

const PASSWORD = 'canary sings at nine';

function register(room: TestRoom, member: TestMember, password: string): void {
  member.register(password);
  room.pump();
  assert.equal(member.eventsOf('registered').length, 1);
}

/** Someone with invitation, answer and code, in front of a nickname that has an account. */
async function atNick(room: TestRoom, nick: string, place = 9): Promise<RawCandidate> {
  const candidate = await RawCandidate.at(room, { place });
  candidate.toCode(room.invite());
  candidate.join({ nick });
  assert.equal(candidate.refused?.reason, 'nick-registered');
  return candidate;
}

/** Whoever knocked has nothing, and everyone is who they were. */
function assertNothingTaken(room: TestRoom, members: readonly TestMember[], about: string): void {
  room.advance(1_000);
  for (const member of members) {
    assert.ok(member.live, about);
    assert.equal(
      room.room.members.find(({ key }) => key === member.key)?.nick,
      member.session.self?.nick,
      about,
    );
  }
  assert.equal(room.room.members.length, members.length, about);
}

test('P34 a password is in no frame, neither when it is registered nor at the door, and nowhere in the host', async () => {
  const room = await openRoom({ answer: 'real', keeps: 'ciphertext' });
  const ann = await room.join('ann', { crowd: true });
  const bob = await room.join('bob', { crowd: true });
  register(room, ann, PASSWORD);
  const again = await room.person('ann', { crowd: true, passwords: ['canary that is wrong', PASSWORD] });
  again.knock(room.invite());
  room.advance(500);
  assert.ok(again.live);
  assert.deepEqual(again.asked.map(({ what, problem }) => [what, problem]).slice(-2), [
    ['password', null],
    ['password', 'wrong-password'],
  ]);
  const frames = [ann, bob, again].flatMap(({ lines }) =>
    lines.flatMap(({ sentByHost, sentByMember }) => [...sentByHost, ...sentByMember]),
  );
  const types = new Set(frames.map((frame) => frameType(frame)));
  for (const type of [SESSION_FRAME.registerRecord, ADMISSION_FRAME.password, ADMISSION_FRAME.passwordProof])
    assert.ok(types.has(type), `frame ${type} is among them`);
  const { arrays, objects } = liveState(room.room);
  const texts = [...objects].flatMap((object) =>
    Object.values(object).filter((value): value is string => typeof value === 'string'),
  );
  assert.ok(
    texts.some((text) => text.startsWith('account:')),
    'the record was found',
  );
  for (const canary of ['canary', toBase64url(utf8.encode(PASSWORD))]) {
    for (const frame of frames) assert.equal(holds(frame, utf8.encode(canary)), false);
    for (const array of arrays) assert.equal(holds(array, utf8.encode(canary)), false);
    for (const text of texts) assert.equal(text.includes(canary), false);
  }
});

test('P55 nobody takes a place without the password: not by asking again, nor with a proof of nothing', async () => {
  const room = await openRoom({ answer: 'real', keeps: 'ciphertext' });
  const ann = await room.join('ann', { crowd: true });
  register(room, ann, PASSWORD);
  const stubborn = await atNick(room, 'ann');
  stubborn.join({ nick: 'ann' });
  assert.equal(stubborn.refused?.reason, 'nick-registered');
  stubborn.password('ann', 'a guess');
  assert.equal(stubborn.provePassword('a guess'), false, 'one’s own side tells a wrong guess');
  stubborn.join({ nick: 'ann' });
  assert.equal(stubborn.refused?.reason, 'nick-registered');
  stubborn.password('ann', 'a guess');
  stubborn.provePasswordWithNothing();
  assert.equal(stubborn.refused?.reason, 'wrong-password');
  stubborn.join({ nick: 'ann' });
  assert.equal(stubborn.refused?.reason, 'nick-registered');
  assertNothingTaken(room, [ann], 'without a proof');
});

test('P55 the proof of one account opens no other', async () => {
  const room = await openRoom({ answer: 'real', keeps: 'ciphertext' });
  const ann = await room.join('ann', { crowd: true });
  const mallory = await room.join('mallory', { crowd: true });
  register(room, ann, PASSWORD);
  register(room, mallory, 'the one of mallory');
  const candidate = await atNick(room, 'ann');
  candidate.password('mallory', 'the one of mallory');
  assert.ok(candidate.provePassword('the one of mallory'));
  assert.equal(candidate.lastType, ADMISSION_FRAME.proved);
  candidate.join({ nick: 'ann' });
  assert.equal(candidate.refused?.reason, 'nick-registered');
  // Named as ann, answered by mallory's secret.
  candidate.password('ann', 'the one of mallory');
  assert.equal(candidate.provePassword('the one of mallory'), false);
  assertNothingTaken(room, [ann, mallory], 'with another proof');
});

test('P55 a run with the right password is of no use to whoever recorded it', async () => {
  const room = await openRoom({ answer: 'real', keeps: 'ciphertext' });
  const ann = await room.join('ann', { crowd: true });
  register(room, ann, PASSWORD);
  const honest = await atNick(room, 'ann', 8);
  honest.password('ann', PASSWORD);
  assert.ok(honest.provePassword(PASSWORD));
  const sent = honest.line.sentByMember;
  const recorded = (type: number) => sent.find((frame) => frameType(frame) === type) ?? new Uint8Array();

  const proof = await atNick(room, 'ann');
  proof.password('ann', PASSWORD);
  const [challenge] = bodiesOf(proof.received, ADMISSION_FRAME.passwordChallenge);
  assert.notDeepEqual(
    PasswordChallenge.decode(challenge ?? new Uint8Array()).ke2,
    PasswordChallenge.decode(
      bodiesOf(honest.received, ADMISSION_FRAME.passwordChallenge)[0] ?? new Uint8Array(),
    ).ke2,
  );
  proof.sendFrame(recorded(ADMISSION_FRAME.passwordProof));
  assert.equal(proof.refused?.reason, 'wrong-password');

  const box = await atNick(room, 'ann');
  box.sendFrame(recorded(ADMISSION_FRAME.password));
  assert.equal(box.closeReason, 'protocol', 'a box of another run does not open');
  assert.equal(PasswordProof.decode(recorded(ADMISSION_FRAME.passwordProof).subarray(5)).ke3.length, 64);
  assertNothingTaken(room, [ann], 'with a recorded run');
});

test('P55 a member registers for nobody else, and what they register is only their own', async () => {
  const room = await openRoom({ answer: 'real', keeps: 'ciphertext' });
  const ann = await room.join('ann', { crowd: true });
  const mallory = await room.join('mallory', { crowd: true });
  register(room, ann, PASSWORD);
  mallory.send(encodeFrame(SESSION_FRAME.registerRecord, room.clock.randomBytes(192)));
  room.pump();
  const record = bodiesOf(ann.sent, SESSION_FRAME.registerRecord)[0] ?? new Uint8Array();
  const carol = await room.join('carol', { crowd: true });
  carol.register('whatever it is');
  // The record of ann in place of one's own.
  if (carol.line !== null)
    carol.line.toHost = (frame) =>
      frameType(frame) === SESSION_FRAME.registerRecord
        ? [encodeFrame(SESSION_FRAME.registerRecord, record)]
        : [frame];
  room.pump();
  const candidate = await atNick(room, 'carol');
  candidate.password('carol', PASSWORD);
  assert.equal(candidate.provePassword(PASSWORD), false, 'a record is bound to its credential');
  const own = await atNick(room, 'ann');
  own.password('ann', PASSWORD);
  assert.ok(own.provePassword(PASSWORD));
});

test('P55 a host that puts somebody in another’s place under pretence of an account is refused by every client', async () => {
  const stranger = await dsaIdentity(9);
  const entry = (all: Company, of: TestMember, part: Partial<RosterEntry> = {}): RosterEntry => ({
    ...entryOf(all.room, of, {}),
    identity: stranger.idFingerprint,
    algorithm: 'dsa',
    ...part,
  });
  const gone = (member: TestMember) => ({ memberId: member.identity.memberId, reason: 'replaced' as const });
  const other = await dsaIdentity(8);
  const forgeries: Readonly<Record<string, (all: Company) => Partial<NextOperation>>> = {
    'replaced by nobody': ({ ben }) => ({ removes: [gone(ben)] }),
    'replaced by someone of another name': (all) => ({
      removes: [gone(all.ben)],
      puts: [entry(all, all.ben, { nick: 'benny' })],
    }),
    'replaced by a moderator': (all) => ({
      removes: [gone(all.ben)],
      puts: [entry(all, all.ben, { role: 'moderator' })],
    }),
    'a silence that is gone with the key': (all) => ({
      removes: [gone(all.ben)],
      puts: [entry(all, all.ben, { muted: true })],
    }),
    'replaced by a member who is here': (all) => ({
      removes: [gone(all.ben)],
      puts: [entryOf(all.room, all.ann, { nick: 'ben' })],
    }),
    'two in the place of one': (all) => ({
      removes: [gone(all.ben)],
      puts: [entry(all, all.ben), entry(all, all.ben, { identity: other.idFingerprint })],
    }),
    'one in the place of two': (all) => ({
      removes: [gone(all.ben), gone(all.ann)],
      puts: [entry(all, all.ben)],
    }),
    'another owner': (all) => ({
      removes: [gone(all.olga)],
      puts: [entry(all, all.olga)],
    }),
  };
  for (const [name, next] of Object.entries(forgeries)) {
    const all = await company();
    const { room, mike } = all;
    const before = mike.session.members.map(({ member }) => member.encoded);
    showOperation(room, mike, signNext(room, next(all)));
    assert.deepEqual(mike.alarms, ['roster-forked'], name);
    assert.deepEqual(
      mike.session.members.map(({ member }) => member.encoded),
      before,
      name,
    );
  }
  const all = await company();
  const next = { removes: [gone(all.ben)], puts: [entry(all, all.ben)] };
  showOperation(all.room, all.mike, signNext(all.room, next));
  assert.deepEqual(all.mike.alarms, [], 'what an honest host signs is taken');
});

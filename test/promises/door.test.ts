/** The door's promises, each with an attack that has to fail. OPAQUE is the real one wherever the answer matters. */

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { mock, test } from 'node:test';
import { answerIdentifiers } from '../../src/crypto/answer.ts';
import { importWrapKeys } from '../../src/crypto/key-wrap.ts';
import { makeStatement } from '../../src/crypto/statement.ts';
import { Transcript } from '../../src/crypto/transcript.ts';
import { Joining } from '../../src/member/joining.ts';
import { ADMISSION_FRAME, Answer, Challenge, Proved, Question } from '../../src/protocol/admission-frames.ts';
import { type Bytes, toHex, utf8 } from '../../src/protocol/bytes.ts';
import type { Signed } from '../../src/protocol/codec.ts';
import { encodeFrame, frameBody, frameType } from '../../src/protocol/framing.ts';
import { hash, invitationId, roomId } from '../../src/protocol/identifiers.ts';
import { PLAIN_ROOM, policyOf } from '../../src/protocol/room-settings.ts';
import { SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import { WrapKeyStatement } from '../../src/protocol/signed-objects.ts';
import { opaqueAnswer } from '../helpers/answers.ts';
import { RawCandidate } from '../helpers/door.ts';
import { dsaIdentity, rsaIdentity, wrapKeys } from '../helpers/keys.ts';
import { RIGHT_ANSWER, TEST_PIN } from '../helpers/line.ts';
import { openRoom, type TestRoom } from '../helpers/room.ts';

const STEP_MS = 30_000;
const FACTOR = ['right', 'wrong', 'missing'] as const;
type Factor = (typeof FACTOR)[number];

/** A code that is not right now, nor was lately. */
function wrongCode(room: TestRoom): string {
  const value = Number(room.room.code.value);
  return String((value + 500_000) % 1_000_000).padStart(6, '0');
}

function lastRefusal(candidate: RawCandidate): string {
  return candidate.refused?.reason ?? (candidate.closeReason === null ? 'none' : 'closed');
}

test('P8 nobody joins with any factor missing or wrong', async (t) => {
  const room = await openRoom({ answer: 'real', maxMembers: 4_096 });
  const stranger = await dsaIdentity(1);
  /** Goes through the whole run whatever the host says, as an attacker would. */
  const attack = async (token: Factor, answer: Factor, code: Factor, keys: Factor) => {
    const invitation = room.invite();
    const candidate = await RawCandidate.at(room, { place: 2 });
    if (token === 'right') candidate.hello(invitation);
    if (token === 'wrong') candidate.hello({ ...invitation, admissionKey: new Uint8Array(32).fill(3) });
    if (answer !== 'missing') candidate.answer(answer === 'right' ? RIGHT_ANSWER : 'the red bicycle');
    if (answer === 'right' && candidate.lastType === ADMISSION_FRAME.challenge) candidate.prove();
    if (answer === 'wrong') candidate.proveNothing();
    candidate.join({
      nick: 'mallory',
      code: { right: room.room.code.value, wrong: wrongCode(room), missing: '' }[code],
      ...(keys === 'wrong' ? { signer: stranger } : {}),
      ...(keys === 'missing' ? { identityKey: new Uint8Array(), signature: new Uint8Array() } : {}),
    });
    room.advance(500);
    const { usesLeft } = room.room.invitations.find(invitation.key) ?? {};
    return { candidate, usesLeft };
  };
  for (const token of FACTOR) {
    for (const answer of FACTOR) {
      for (const code of FACTOR) {
        for (const keys of FACTOR) {
          const { candidate, usesLeft } = await attack(token, answer, code, keys);
          const name = `token ${token}, answer ${answer}, code ${code}, keys ${keys}`;
          if ([token, answer, code, keys].every((factor) => factor === 'right')) {
            assert.equal(candidate.lastType, ADMISSION_FRAME.welcome, name);
            assert.equal(usesLeft, 0, name);
            room.perform(room.room.remove(toHex((await dsaIdentity(2)).memberId), room.clock.moment));
            room.advance(500);
            continue;
          }
          assert.equal(room.room.members.length, 0, name);
          assert.equal(usesLeft, 1, name);
          const types = candidate.received.map(frameType);
          assert.ok(!types.includes(ADMISSION_FRAME.welcome), name);
          const reason = lastRefusal(candidate);
          if (token === 'wrong') assert.equal(reason, 'not-recognised', name);
          else if (token === 'missing') assert.equal(reason, 'closed', name);
          else if (answer === 'wrong') assert.equal(reason, 'answer-unproved', name);
          else if (answer === 'missing') assert.equal(reason, 'closed', name);
          else if (keys !== 'right') assert.equal(reason, 'key-refused', name);
          else assert.equal(reason, 'wrong-code', name);
        }
      }
    }
  }

  await t.test('a session key of nothing seals no JOIN', async () => {
    const candidate = await RawCandidate.at(room, { place: 2 });
    candidate.toCode(room.invite());
    candidate.join({ secret: new Uint8Array(64) });
    assert.equal(candidate.closeReason, 'protocol');
  });

  await t.test('a wrap key signed by someone else is refused', async () => {
    const { publicKeys } = await wrapKeys(0);
    const mine = await dsaIdentity(2);
    const foreign = makeStatement(stranger, room.id, 1, publicKeys);
    const otherRoom = makeStatement(mine, roomId(new Uint8Array(16)), 1, publicKeys);
    const { bytes } = makeStatement(mine, room.id, 1, publicKeys);
    const forged = { bytes, signature: stranger.sign('sc1/wrapkey', bytes) };
    for (const statement of [foreign, otherRoom, forged]) {
      const candidate = await RawCandidate.at(room, { place: 2 });
      candidate.toCode(room.invite());
      candidate.join({ statement });
      assert.equal(candidate.refused?.reason, 'key-refused');
    }
  });

  await t.test('with the wrong answer the person is told, and their side gives up after three', async () => {
    const invitation = room.invite();
    const person = await room.person('walter', {
      crowd: true,
      answers: ['the red bicycle', 'the green bicycle', 'no bicycle at all', RIGHT_ANSWER],
    });
    person.knock(invitation);
    room.pump();
    assert.equal(person.outcome.kind, 'refused');
    assert.equal(person.outcome.kind === 'refused' && person.outcome.reason, 'wrong-answer');
    assert.equal(room.room.invitations.find(invitation.key)?.triesLeft, 2);
  });
});

test('P9 a fake host that recorded a run cannot recover the code or test a second answer', async (t) => {
  const identifiers = answerIdentifiers((await openRoom()).id, TEST_PIN);

  /** A host with a valid-looking certificate and the invitation, that guesses `guess` at the answer. */
  const fakeHost = async (guess: string) => {
    const room = await openRoom({ answer: 'real' });
    const victim = await room.person('victim', { crowd: true, codes: ['314159'], nicks: ['victim'] });
    const line = victim.knock(room.invite());
    const fake = (await opaqueAnswer(guess, identifiers)).gate;
    const seen: Bytes[] = [];
    line.toHost = (frame) => {
      seen.push(frame);
      const type = frameType(frame);
      const reply = (reply: number, body: Bytes) => room.inject(line, 'member', encodeFrame(reply, body));
      if (type === ADMISSION_FRAME.hello) {
        const nonce = new Uint8Array(32);
        const room = { roomName: 'r', question: 'q?', keeps: 'nothing' as const, ...policyOf(PLAIN_ROOM) };
        const question = { nonce, triesLeft: 5, ...room };
        reply(ADMISSION_FRAME.question, Question.encode(question));
      }
      if (type === ADMISSION_FRAME.answer) {
        const { ke2 } = fake.start(Answer.decode(frameBody(frame)).ke1);
        reply(ADMISSION_FRAME.challenge, Challenge.encode({ ke2, triesLeft: 5 }));
        // A second record against the same KE1, and a PROVED that was not earned.
        reply(ADMISSION_FRAME.challenge, Challenge.encode({ ke2, triesLeft: 5 }));
      }
      return [];
    };
    // HELLO went out before the hook was there: say it again to the fake host.
    const [hello] = line.sentByMember;
    assert.ok(hello);
    line.toHost(hello);
    return { room, victim, seen };
  };

  await t.test('a wrong guess gets nothing that depends on the answer but KE1', async () => {
    const { room, victim, seen } = await fakeHost('the red bicycle');
    // Nothing of what the honest room answers reaches the victim.
    if (victim.line !== null) victim.line.toMember = () => [];
    while (room.step()) if (victim.outcome.kind === 'failed') break;
    assert.deepEqual(seen.map(frameType), [ADMISSION_FRAME.hello, ADMISSION_FRAME.answer]);
    // The unasked second CHALLENGE ended the run instead of testing another guess.
    assert.equal(victim.outcome.kind, 'failed');
    const recorded = seen.map(toHex).join();
    assert.ok(!recorded.includes(toHex(utf8.encode('314159'))), 'no code');
    assert.ok(!recorded.includes(toHex(utf8.encode(RIGHT_ANSWER))), 'no answer');
  });

  await t.test('what it recorded fits every answer alike', async () => {
    // A KE1 is a blinded point, a nonce and an ephemeral key: replayed to a host of either answer it goes as far.
    const { client } = await opaqueAnswer(RIGHT_ANSWER, identifiers);
    const { ke1 } = client.start(RIGHT_ANSWER);
    for (const answer of [RIGHT_ANSWER, 'the red bicycle']) {
      const { gate } = await opaqueAnswer(answer, identifiers);
      const { state, ke2 } = gate.start(ke1);
      assert.equal(ke2.length, 320);
      assert.equal(gate.finish(state, new Uint8Array(64)), null);
    }
    assert.notDeepEqual(client.start(RIGHT_ANSWER).ke1, ke1, 'and it is another each time');
  });

  await t.test('one ANSWER is tested once, even while the first test is still being computed', async () => {
    const room = await openRoom({ answer: 'real' });
    const { id, admissionKey } = room.invite();
    const joining = new Joining({
      roomId: room.id,
      ownerFingerprint: room.ownerFingerprint,
      purpose: { kind: 'join', invitationId: id, admissionKey },
      channelBinding: new Uint8Array(32),
    });
    joining.hello(room.clock.moment);
    const about = { roomName: 'r', question: 'q?', keeps: 'nothing' as const, ...policyOf(PLAIN_ROOM) };
    const question = { ...about, triesLeft: 5 };
    const nonce = new Uint8Array(32);
    joining.onFrame(encodeFrame(ADMISSION_FRAME.question, Question.encode({ ...question, nonce })));
    joining.answer(RIGHT_ANSWER);
    const { state, ke1 } = room.answers.client.start(RIGHT_ANSWER);
    joining.answerStarted({ state, ke1 });
    const { ke2 } = (await opaqueAnswer('the red bicycle', identifiers)).gate.start(ke1);
    const challenge = encodeFrame(ADMISSION_FRAME.challenge, Challenge.encode({ ke2, triesLeft: 5 }));
    joining.onFrame(challenge);
    assert.throws(() => joining.onFrame(challenge), { code: 'unexpected-frame' });
  });

  await t.test('PROVED without a challenge brings no code', async () => {
    const room = await openRoom({ answer: 'real' });
    const victim = await room.person('victim', { crowd: true, answers: [] });
    const line = victim.knock(room.invite());
    room.pump();
    room.toMember(line, encodeFrame(ADMISSION_FRAME.proved, Proved.encode({ triesLeft: 5 })));
    room.pump();
    assert.equal(victim.outcome.kind, 'failed');
    assert.deepEqual(
      victim.asked.map(({ what }) => what),
      ['answer'],
      'the person was never asked for the code',
    );
  });
});

test('P10 relaying a victim\u2019s run to the real host fails', async (t) => {
  await t.test('HELLO is bound to the connection it was made for', async () => {
    const room = await openRoom({ answer: 'real' });
    const relay = await RawCandidate.at(room);
    relay.hello(room.invite(), { binding: new Uint8Array(32).fill(1) });
    assert.equal(relay.refused?.reason, 'not-recognised');
  });

  await t.test(
    'with a real invitation of the attacker\u2019s own, JOIN does not open on the other connection',
    async () => {
      const room = await openRoom({ answer: 'real' });
      const invitation = room.invite();
      const victim = await room.person('victim', { crowd: true });
      // The victim's line ends at the attacker, who says their own HELLO to the host and passes on all the rest.
      const far = await RawCandidate.at(room, { place: 9 });
      const near = victim.knock(invitation, new Uint8Array(32).fill(1));
      near.toMember = () => [];
      far.hello(invitation);
      const question = far.received.at(-1);
      assert.ok(question);
      let passed = 0;
      near.toHost = (frame) => {
        passed += 1;
        const before = far.received.length;
        room.inject(far.line, 'host', frame);
        pending.push(() => far.received.slice(before));
        return [];
      };
      const pending: (() => readonly Bytes[])[] = [];
      room.inject(near, 'member', question);
      for (;;) {
        room.pump();
        const next = pending.shift();
        if (next === undefined) break;
        for (const frame of next()) room.inject(near, 'member', frame);
      }
      assert.equal(passed, 3, 'ANSWER, PROOF and JOIN went through');
      assert.equal(far.closeReason, 'protocol', 'JOIN was sealed for another transcript');
      assert.equal(room.room.members.length, 0);
      assert.equal(room.room.invitations.find(invitation.key)?.usesLeft, 1);
    },
  );

  await t.test('the same frames on another connection are another transcript', () => {
    const [near, far] = [1, 2].map((value) => new Transcript(new Uint8Array(32).fill(value)));
    const frame = encodeFrame(ADMISSION_FRAME.proved, new Uint8Array());
    near?.add(frame);
    far?.add(frame);
    assert.notDeepEqual(near?.value(), far?.value());
  });

  await t.test('an answer proved to another certificate proves nothing here', async () => {
    const room = await openRoom({ answer: 'real' });
    const identifiers = answerIdentifiers(room.id, hash(new Uint8Array(32).fill(66)));
    const { client } = room.answers;
    const { state, ke1 } = client.start(RIGHT_ANSWER);
    const { ke2 } = room.answers.gate.start(ke1);
    assert.equal(client.finish({ state, ke2, answer: RIGHT_ANSWER, identifiers }), null);
  });
});

test('P11 unknown invitation and bad proof are answered alike', async () => {
  const room = await openRoom();
  const alice = await room.join('alice', { crowd: true });
  const invitation = room.invite();
  const revoked = room.invite();
  room.room.invitations.revoke(revoked.key);
  const wrongKey = new Uint8Array(32).fill(3);
  const unknown = invitationId(new Uint8Array(8).fill(1));
  const attempts: readonly (readonly [string, (candidate: RawCandidate) => void])[] = [
    ['an unknown invitation', (it) => it.helloAs(unknown, wrongKey)],
    ['an unknown invitation proved with zeros', (it) => it.helloAs(unknown, new Uint8Array(32))],
    ['an invitation of no length', (it) => it.helloAs(new Uint8Array(), new Uint8Array(32))],
    ['a known invitation with a bad proof', (it) => it.helloAs(invitation.id, wrongKey)],
    ['a revoked invitation with a bad proof', (it) => it.helloAs(revoked.id, wrongKey)],
    ['another room', (it) => it.hello(invitation, { roomId: roomId(new Uint8Array(16)) })],
    ['an unknown member', (it) => it.helloAs(new Uint8Array(16).fill(1), wrongKey, { mode: 'login' })],
    [
      'an unknown member proved with zeros',
      (it) => it.helloAs(new Uint8Array(16), new Uint8Array(32), { mode: 'login' }),
    ],
    [
      'a known member with a bad proof',
      (it) => it.helloAs(alice.identity.memberId, wrongKey, { mode: 'login' }),
    ],
    ['an invitation as if it were a member', (it) => it.hello(invitation, { mode: 'login' })],
    [
      'a member as if it were an invitation',
      (it) => it.helloAs(alice.identity.memberId, alice.welcome?.accountKey ?? wrongKey),
    ],
  ];
  const answers = new Map<string, string>();
  const work = new Map<string, number>();
  for (const [name, attempt] of attempts) {
    const candidate = await RawCandidate.at(room, { place: 9 });
    const hmac = mock.method(crypto, 'createHmac');
    syncBuiltinESMExports();
    attempt(candidate);
    work.set(name, hmac.mock.callCount());
    hmac.mock.restore();
    syncBuiltinESMExports();
    assert.ok(candidate.closed, name);
    answers.set(name, candidate.received.map(toHex).join());
  }
  assert.equal(new Set(answers.values()).size, 1, `one answer: ${JSON.stringify([...answers])}`);
  // One HMAC is the candidate's own.
  assert.deepEqual(new Set(work.values()), new Set([2]), JSON.stringify([...work]));
});

test('P11 a holder of the real token is told the true reason', async (t) => {
  const knock = async (room: TestRoom, invitation: ReturnType<TestRoom['invite']>) => {
    const candidate = await RawCandidate.at(room, { place: 20 });
    candidate.hello(invitation);
    return candidate;
  };
  const room = await openRoom({ maxMembers: 2 });

  await t.test('expired', async () => {
    const invitation = room.invite({ ttlMs: 60_000 });
    room.advance(59_000);
    assert.equal((await knock(room, invitation)).refused, null);
    room.advance(1_000);
    assert.equal((await knock(room, invitation)).refused?.reason, 'expired');
  });
  await t.test('revoked', async () => {
    const invitation = room.invite();
    room.room.invitations.revoke(invitation.key);
    assert.equal((await knock(room, invitation)).refused?.reason, 'revoked');
  });
  await t.test('suspended', async () => {
    const invitation = room.invite();
    room.room.invitations.suspend(invitation.key);
    assert.equal((await knock(room, invitation)).refused?.reason, 'suspended');
  });
  await t.test('wrong code and old code with the tries that are left, then used up', async () => {
    const invitation = room.invite();
    const candidate = await RawCandidate.at(room, { place: 20 });
    candidate.toCode(invitation);
    candidate.join({ code: wrongCode(room) });
    assert.deepEqual(candidate.refused, { reason: 'wrong-code', triesLeft: 4, version: 1 });
    const old = room.room.code.value;
    room.advance(2 * STEP_MS);
    candidate.join({ code: old });
    assert.deepEqual(candidate.refused, { reason: 'old-code', triesLeft: 3, version: 1 });
    candidate.join({ nick: 'carol' });
    room.advance(500);
    assert.equal(candidate.lastType, ADMISSION_FRAME.welcome, 'and the run goes on');
    assert.equal((await knock(room, invitation)).refused?.reason, 'used-up');
  });
  await t.test('a nickname that is taken, and another one in the same run', async () => {
    const candidate = await RawCandidate.at(room, { place: 21 });
    candidate.toCode(room.invite());
    candidate.join({ nick: 'carol' });
    assert.equal(candidate.refused?.reason, 'nick-taken');
    // A code once accepted is not asked for again.
    candidate.join({ nick: 'dave', code: '' });
    room.advance(500);
    assert.equal(candidate.lastType, ADMISSION_FRAME.welcome);
  });
  await t.test('full', async () => {
    assert.equal((await knock(room, room.invite())).refused?.reason, 'room-full');
  });
  await t.test('another version or suite', async () => {
    for (const change of [{ version: 2 }, { suite: 2 }]) {
      const candidate = await RawCandidate.at(room, { place: 20 });
      candidate.hello(room.invite(), change);
      assert.deepEqual(candidate.refused, { reason: 'version', triesLeft: 0, version: 1 });
    }
  });
});

test('P12 a code two steps off is refused, one step off is not', async () => {
  const room = await openRoom();
  const codes: string[] = [];
  for (let step = 0; step < 5; step += 1) {
    codes.push(room.room.code.value);
    room.advance(STEP_MS);
  }
  // Back by one step in the middle of the five is not back at all for the keeper: judge at step 4, the last but one.
  room.clock.nowMs -= STEP_MS;
  const judge = async (code: string | undefined) => {
    const candidate = await RawCandidate.at(room, { place: 3 });
    candidate.toCode(room.invite());
    candidate.join({ code: code ?? '', nick: 'host' });
    return candidate.refused?.reason;
  };
  assert.equal(await judge(codes[2]), 'old-code');
  assert.equal(await judge(codes[3]), 'nick-refused', 'the code was accepted');
  assert.equal(await judge(codes[4]), 'nick-refused');
});

test('P12 a code of the future is no better than any wrong one', async () => {
  const ahead = await openRoom({ seed: 'one' });
  ahead.clock.nowMs += 2 * STEP_MS;
  ahead.tick();
  const future = ahead.room.code.value;
  const room = await openRoom({ seed: 'one' });
  const candidate = await RawCandidate.at(room, { place: 3 });
  candidate.toCode(room.invite());
  candidate.join({ code: future });
  assert.equal(candidate.refused?.reason, 'wrong-code');
});

test('P12 a one-use invitation is consumed with its code', async () => {
  const room = await openRoom();
  const invitation = room.invite();
  const code = room.room.code.value;
  const first = await RawCandidate.at(room, { place: 1 });
  const second = await RawCandidate.at(room, { place: 2 });
  for (const candidate of [first, second]) candidate.toCode(invitation);
  first.join({ code, nick: 'first' });
  second.join({ code, nick: 'second' });
  room.advance(500);
  assert.equal(first.lastType, ADMISSION_FRAME.welcome);
  assert.equal(second.refused?.reason, 'used-up');
});

test('P12 turning the host\u2019s clock back kills all earlier codes', async () => {
  const room = await openRoom();
  const codes = new Set<string>();
  for (let step = 0; step < 6; step += 1) {
    codes.add(room.room.code.value);
    room.advance(STEP_MS);
  }
  room.clock.nowMs -= 4 * STEP_MS;
  for (const code of codes) {
    const candidate = await RawCandidate.at(room, { place: 3 });
    candidate.toCode(room.invite());
    candidate.join({ code });
    assert.equal(candidate.refused?.reason, 'wrong-code');
  }
  room.tick();
  const candidate = await RawCandidate.at(room, { place: 3 });
  candidate.toCode(room.invite());
  candidate.join({});
  room.advance(500);
  assert.equal(candidate.lastType, ADMISSION_FRAME.welcome, 'the new code on the screen is good');
});

test('P12 sixteen honest people in one 30-second step all get in', async () => {
  const room = await openRoom({ answer: 'real' });
  const invitation = room.invite({ uses: 16 });
  const people = [];
  for (let count = 0; count < 16; count += 1)
    people.push(await room.person(`person${count}`, { crowd: true }));
  // All at once: more ANSWERs than there are tries, so some stand in line.
  for (const person of people) person.knock(invitation);
  room.pump();
  room.advance(1_000);
  assert.deepEqual(
    people.map(({ outcome }) => outcome.kind),
    people.map(() => 'in'),
  );
  assert.equal(room.room.members.length, 16);
  const { usesLeft, triesLeft, suspended } = room.room.invitations.find(invitation.key) ?? {};
  assert.deepEqual({ usesLeft, triesLeft, suspended }, { usesLeft: 0, triesLeft: 5, suspended: false });
});

test('P13 five failures suspend that invitation only, and the host is told', async () => {
  const room = await openRoom();
  const alice = await room.join('alice', { crowd: true });
  const [attacked, other] = [room.invite({ uses: 3 }), room.invite({ uses: 3 })];
  for (let failure = 0; failure < 5; failure += 1) {
    const candidate = await RawCandidate.at(room, { place: 9 });
    candidate.hello(attacked);
    candidate.answer();
    candidate.proveNothing();
    assert.deepEqual(candidate.refused, { reason: 'answer-unproved', triesLeft: 4 - failure, version: 1 });
  }
  const sixth = await RawCandidate.at(room, { place: 9 });
  sixth.hello(attacked);
  assert.equal(sixth.refused?.reason, 'suspended');
  const suspensions = room.notices.filter(({ kind }) => kind === 'suspended');
  assert.deepEqual(suspensions, [{ kind: 'suspended', invitation: attacked.key, because: 'tries' }]);
  assert.ok(alice.live);
  await room.join('bob', { crowd: true, invitation: other });

  room.room.invitations.resume(attacked.key);
  await room.join('carol', { crowd: true, invitation: attacked });
});

test('P13 a try that is never decided is a failure: by silence, by hanging up, by another answer', async () => {
  const room = await openRoom();
  const invitation = room.invite({ uses: 3 });
  const triesLeft = () => room.room.invitations.find(invitation.key)?.triesLeft;
  const silent = await RawCandidate.at(room, { place: 9 });
  silent.hello(invitation);
  silent.answer();
  assert.equal(triesLeft(), 4);
  room.advance(10_000);
  // The person may still be typing another answer, but what was tested is lost: proving it comes too late.
  assert.ok(!silent.closed);
  silent.prove();
  assert.equal(silent.refused?.reason, 'timed-out');
  assert.equal(triesLeft(), 4);
  const slow = await RawCandidate.at(room, { place: 9 });
  slow.hello(invitation);
  slow.answer();
  room.advance(10_000);
  slow.answer();
  slow.prove();
  assert.equal(slow.refused, null, 'a second answer after thinking for longer than a try lives');
  room.cut(slow.line);
  assert.equal(triesLeft(), 3);
  room.room.invitations.resume(invitation.key);
  assert.equal(triesLeft(), 5);
  const gone = await RawCandidate.at(room, { place: 9 });
  gone.hello(invitation);
  gone.answer();
  room.cut(gone.line);
  assert.equal(triesLeft(), 4);
  const again = await RawCandidate.at(room, { place: 9 });
  again.hello(invitation);
  again.answer();
  again.answer();
  assert.equal(triesLeft(), 2, 'the one before failed, this one is undecided');
  again.prove();
  assert.equal(triesLeft(), 3);
});

test('P13 successes never suspend: tries are given back', async () => {
  const room = await openRoom();
  const invitation = room.invite();
  for (let success = 0; success < 30; success += 1) {
    const candidate = await RawCandidate.at(room, { place: 9 });
    candidate.toCode(invitation);
    // The right code, and then a nickname that cannot be had.
    candidate.join({ nick: 'host' });
    assert.equal(candidate.refused?.reason, 'nick-refused');
    room.cut(candidate.line);
  }
  const { triesLeft, suspended } = room.room.invitations.find(invitation.key) ?? {};
  assert.deepEqual({ triesLeft, suspended }, { triesLeft: 5, suspended: false });
});

test('P13 ten thousand connections without a token suspend nothing and disconnect nobody', async () => {
  const room = await openRoom();
  const alice = await room.join('alice', { crowd: true });
  const invitation = room.invite();
  const typing = await room.person('bob', { crowd: true, answers: [] });
  typing.knock(invitation);
  room.pump();
  const before = JSON.stringify(room.room.invitations.list());
  const epoch = room.room.position.epoch;
  const strangers: RawCandidate[] = [];
  for (let count = 0; count < 10_000; count += 1) {
    const stranger = await RawCandidate.at(room, { place: 9 });
    if (count % 2 === 0) stranger.helloAs(invitation.id, new Uint8Array(32).fill(count));
    else if (count % 3 === 0) stranger.send(ADMISSION_FRAME.join, new Uint8Array(100));
    strangers.push(stranger);
  }
  assert.equal(JSON.stringify(room.room.invitations.list()), before);
  assert.equal(room.room.position.epoch, epoch);
  assert.equal(typing.outcome.kind, 'knocking');
  alice.say('all quiet');
  room.pump();
  assert.deepEqual(alice.texts, ['all quiet']);
  typing.type('answer', RIGHT_ANSWER);
  room.pump();
  room.advance(500);
  assert.equal(typing.outcome.kind, 'in');
});

test('P15 a one-use invitation raced by 50 admits exactly one', async () => {
  const room = await openRoom();
  const invitation = room.invite();
  const people = [];
  for (let count = 0; count < 50; count += 1)
    people.push(await room.person(`racer${count}`, { crowd: true }));
  for (const person of people) person.knock(invitation);
  room.pump();
  room.advance(1_000);
  const outcomes = people.map(({ outcome }) => (outcome.kind === 'refused' ? outcome.reason : outcome.kind));
  assert.equal(outcomes.filter((outcome) => outcome === 'in').length, 1);
  assert.equal(outcomes.filter((outcome) => outcome === 'used-up').length, 49);
  assert.equal(room.room.members.length, 1);
  assert.equal(room.room.invitations.find(invitation.key)?.usesLeft, 0);
});

test('P30 keys outside policy are refused at JOIN', async () => {
  const room = await openRoom();
  const rsa = (modulusLength: number, publicExponent = 0x10001): Bytes =>
    new Uint8Array(
      crypto
        .generateKeyPairSync('rsa', { modulusLength, publicExponent })
        .publicKey.export({ format: 'der', type: 'spki' }),
    );
  const good = await rsaIdentity(0);
  const exponentOne = good.spki.slice();
  // The exponent is the last INTEGER, 65537 in three bytes: 1 keeps its length with leading zeros.
  exponentOne.set([0, 0, 1], exponentOne.length - 3);
  const evenModulus = good.spki.slice();
  evenModulus.set([(evenModulus.at(-6) ?? 0) & 0xfe], evenModulus.length - 6);
  const ec = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
  const number = (value: number): Bytes => new Uint8Array(384).fill(0).fill(value, 383);
  const bad: readonly (readonly [string, Bytes, 'rsa' | 'dsa'])[] = [
    ['RSA of 2048 bits', rsa(2_048), 'rsa'],
    ['RSA with e = 3', rsa(3_072, 3), 'rsa'],
    ['RSA with e = 1', exponentOne, 'rsa'],
    ['RSA with an even modulus', evenModulus, 'rsa'],
    ['an elliptic curve key', new Uint8Array(ec.export({ format: 'der', type: 'spki' })), 'rsa'],
    ['DSA y = 0', number(0), 'dsa'],
    ['DSA y = 1', number(1), 'dsa'],
    ['DSA y = 2, outside the group', number(2), 'dsa'],
    ['DSA y beyond p', new Uint8Array(384).fill(0xff), 'dsa'],
    ['DSA y as an RSA key', (await dsaIdentity(2)).spki, 'rsa'],
  ];
  for (const [name, identityKey, algorithm] of bad) {
    const candidate = await RawCandidate.at(room, { place: 2 });
    candidate.toCode(room.invite());
    candidate.join({ identityKey, algorithm });
    assert.equal(candidate.refused?.reason, 'key-refused', name);
    assert.ok(candidate.closed, name);
  }
  assert.equal(room.room.members.length, 0);
});

test('P30 wrap keys outside policy are refused at JOIN', async () => {
  const room = await openRoom();
  const identity = await dsaIdentity(2);
  const { publicKeys } = await wrapKeys(0);
  const small = crypto.generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey;
  const signedBy = (changes: Partial<WrapKeyStatementFields>): Signed => {
    const bytes = WrapKeyStatement.encode({
      version: 1,
      roomId: room.id,
      memberId: identity.memberId,
      generation: 1,
      algorithm: 'dsa',
      identityKey: identity.spki,
      ...publicKeys,
      ...changes,
    });
    return { bytes, signature: identity.sign('sc1/wrapkey', bytes) };
  };
  type WrapKeyStatementFields = ReturnType<typeof WrapKeyStatement.decode>;
  const rsaSpki = new Uint8Array(small.export({ format: 'der', type: 'spki' }));
  // Every coefficient must be below q = 3329: all ones are not.
  const kemPublic = new Uint8Array(1_184).fill(0xff);
  assert.throws(() => importWrapKeys({ ...publicKeys, kemPublic }));
  for (const changes of [{ rsaSpki }, { kemPublic }]) {
    const candidate = await RawCandidate.at(room, { place: 2 });
    candidate.toCode(room.invite());
    candidate.join({ statement: signedBy(changes) });
    assert.equal(candidate.refused?.reason, 'key-refused', Object.keys(changes).join());
  }
});

test('P47 look-alike and reserved nicknames are refused at the door', async () => {
  const room = await openRoom({ maxMembers: 4_096, limits: { joinsPerRun: 100 } });
  await room.join('willow', { crowd: true });
  const candidate = await RawCandidate.at(room, { place: 9 });
  candidate.toCode(room.invite());
  const refused = (nick: string) => {
    candidate.join({ nick });
    return candidate.refused?.reason;
  };
  for (const nick of ['willow', 'wi11ow', 'wlllow', 'vvillow', 'vvi11ovv', 'will0w']) {
    assert.equal(refused(nick), 'nick-taken', nick);
  }
  for (const nick of ['host', 'h0st', '-host-', 'admin', 'adrnin', 'everyone', 'you', '__']) {
    assert.equal(refused(nick), 'nick-refused', nick);
  }
  for (const nick of ['', 'a', 'Willow2', 'wíllow', 'a b', 'x'.repeat(21), '\u001b[31mred', 'bob\u200b']) {
    assert.equal(refused(nick), 'nick-refused', JSON.stringify(nick));
  }
  candidate.join({ nick: 'oak' });
  room.advance(500);
  assert.equal(candidate.lastType, ADMISSION_FRAME.welcome);
});

test('P47 a nickname promised to someone a moment ago is taken, and free again when they are gone', async () => {
  const room = await openRoom();
  await room.join('alice', { crowd: true });
  const invitation = room.invite({ uses: 3 });
  const first = await RawCandidate.at(room, { place: 8 });
  const second = await RawCandidate.at(room, { place: 9 });
  for (const candidate of [first, second]) candidate.toCode(invitation);
  first.join({ nick: 'willow' });
  assert.equal(first.lastType, ADMISSION_FRAME.proved, 'waits for the signature');
  second.join({ nick: 'vvillow' });
  assert.equal(second.refused?.reason, 'nick-taken');
  room.cut(first.line);
  second.join({ nick: 'vvillow' });
  room.advance(500);
  assert.equal(second.lastType, ADMISSION_FRAME.welcome);
  assert.deepEqual(room.room.members.map(({ nick }) => nick).sort(), ['alice', 'vvillow']);
  assert.equal(room.room.invitations.find(invitation.key)?.usesLeft, 2, 'the use came back');
  assert.ok(!second.received.map(frameType).includes(SESSION_FRAME.close));
});

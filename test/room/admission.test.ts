/** Every frame type in every state of a run: the one that belongs there goes on, any other closes that connection. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADMISSION_FRAME } from '../../src/protocol/admission-frames.ts';
import { SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import { RawCandidate } from '../helpers/door.ts';
import { openRoom, type TestRoom } from '../helpers/room.ts';

type Prepare = (room: TestRoom, candidate: RawCandidate) => void | Promise<void>;

/** How to get there, and what may come next. */
const STATES: Readonly<Record<string, { readonly legal: readonly number[]; readonly prepare: Prepare }>> = {
  'awaiting HELLO': { legal: [ADMISSION_FRAME.hello], prepare: () => {} },
  'awaiting ANSWER': {
    legal: [ADMISSION_FRAME.answer],
    prepare: (room, candidate) => candidate.hello(room.invite()),
  },
  'in line for a try': {
    legal: [],
    async prepare(room, candidate) {
      const invitation = room.invite();
      for (let place = 0; place < room.limits.triesPerInvitation; place += 1) {
        const before = await RawCandidate.at(room, { place: 10 });
        before.hello(invitation);
        before.answer();
      }
      candidate.hello(invitation);
      candidate.answer();
      assert.equal(candidate.lastType, ADMISSION_FRAME.question, 'no CHALLENGE yet');
    },
  },
  'awaiting PROOF': {
    legal: [ADMISSION_FRAME.proof, ADMISSION_FRAME.answer],
    prepare(room, candidate) {
      candidate.hello(room.invite());
      candidate.answer();
    },
  },
  'awaiting JOIN': {
    legal: [ADMISSION_FRAME.join],
    prepare: (room, candidate) => candidate.toCode(room.invite()),
  },
  'in line for a try at the code': {
    legal: [],
    async prepare(room, candidate) {
      const invitation = room.invite();
      candidate.toCode(invitation);
      for (let place = 0; place < room.limits.triesPerInvitation; place += 1) {
        const before = await RawCandidate.at(room, { place: 10 });
        before.hello(invitation);
        before.answer();
      }
      candidate.join();
      assert.equal(candidate.lastType, ADMISSION_FRAME.proved, 'no WELCOME yet');
    },
  },
  'awaiting JOIN after a wrong code': {
    legal: [ADMISSION_FRAME.join],
    prepare(room, candidate) {
      candidate.toCode(room.invite());
      candidate.join({ code: 'abcdef' });
      assert.equal(candidate.refused?.reason, 'wrong-code');
    },
  },
  'awaiting the owner\u2019s signature': {
    legal: [],
    async prepare(room, candidate) {
      await room.join('alice', { crowd: true });
      candidate.toCode(room.invite());
      candidate.join();
      assert.equal(candidate.lastType, ADMISSION_FRAME.proved, 'no WELCOME yet');
    },
  },
  'awaiting the host\u2019s yes': {
    legal: [],
    prepare(room, candidate) {
      room.perform(room.room.change({ approval: true }, room.clock.moment));
      room.advance(500);
      candidate.toCode(room.invite());
      candidate.join();
      assert.equal(candidate.lastType, ADMISSION_FRAME.wait);
    },
  },
  'awaiting LOGIN': {
    legal: [ADMISSION_FRAME.login],
    async prepare(room, candidate) {
      const alice = await room.join('alice', { crowd: true });
      const { accountKey = new Uint8Array() } = alice.welcome ?? {};
      candidate.helloAs(alice.identity.memberId, accountKey, { mode: 'login' });
      assert.equal(candidate.lastType, ADMISSION_FRAME.nonce);
    },
  },
};

const TYPES: readonly number[] = [
  0,
  ...Object.values(ADMISSION_FRAME),
  ...Object.values(SESSION_FRAME),
  19,
  99,
  255,
];

/** As far as can be: what is refused must be the frame's coming now, not its shape. */
function sendWellFormed(room: TestRoom, candidate: RawCandidate, type: number): void {
  if (type === ADMISSION_FRAME.hello) candidate.hello(room.invite());
  else if (type === ADMISSION_FRAME.answer) candidate.send(type, new Uint8Array(96));
  else if (type === ADMISSION_FRAME.proof) candidate.send(type, new Uint8Array(64));
  else if (type === ADMISSION_FRAME.join) candidate.join();
  else candidate.send(type, new Uint8Array(40));
}

for (const [state, { legal, prepare }] of Object.entries(STATES)) {
  test(`${state}: any other frame closes`, async () => {
    for (const type of TYPES) {
      if (legal.includes(type)) continue;
      const room = await openRoom();
      const candidate = await RawCandidate.at(room, { place: 9 });
      await prepare(room, candidate);
      const members = room.room.members.length;
      sendWellFormed(room, candidate, type);
      assert.equal(candidate.closeReason, 'protocol', `type ${type}`);
      assert.ok(candidate.closed, `type ${type}`);
      room.advance(500);
      assert.equal(room.room.members.length, members, `type ${type}`);
    }
  });

  if (legal.length === 0) continue;
  test(`${state}: a malformed frame closes, whatever its length`, async () => {
    for (const type of legal) {
      for (const length of [0, 1, 7, 63, 95, 97, 321, 8_000]) {
        const room = await openRoom();
        const candidate = await RawCandidate.at(room, { place: 9 });
        await prepare(room, candidate);
        // A zero version is answered with ours, so that both sides can show what does not fit.
        const body = new Uint8Array(length);
        if (type === ADMISSION_FRAME.hello) body.set([1, 1].slice(0, length));
        candidate.send(type, body);
        assert.ok(candidate.closed, `type ${type}, ${length} bytes`);
        const told = candidate.closeReason ?? candidate.refused?.reason;
        assert.equal(told, type === ADMISSION_FRAME.hello && length < 2 ? 'version' : 'protocol');
      }
    }
  });
}

// Once bytes that are no OPAQUE message cost a try, though no guess could be tested with them.
test('an ANSWER that is no point of the curve closes, and costs no try: no CHALLENGE came of it', async () => {
  const room = await openRoom({ answer: 'real' });
  const invitation = room.invite();
  const candidate = await RawCandidate.at(room, { place: 9 });
  candidate.hello(invitation);
  candidate.send(ADMISSION_FRAME.answer, new Uint8Array(96).fill(255));
  assert.equal(candidate.closeReason, 'protocol');
  assert.equal(room.room.invitations.find(invitation.key)?.triesLeft, room.limits.triesPerInvitation);
});

test('anything in place of PROOF costs the try: the CHALLENGE that is out lets a guess be tested', async () => {
  const room = await openRoom({ answer: 'real' });
  for (const [type, length] of [
    [ADMISSION_FRAME.proof, 63],
    [ADMISSION_FRAME.answer, 95],
    [ADMISSION_FRAME.join, 40],
  ] as const) {
    const invitation = room.invite();
    const candidate = await RawCandidate.at(room, { place: 9 });
    candidate.hello(invitation);
    candidate.answer();
    candidate.send(type, new Uint8Array(length));
    assert.equal(candidate.closeReason, 'protocol');
    assert.equal(room.room.invitations.find(invitation.key)?.triesLeft, room.limits.triesPerInvitation - 1);
  }
});

test('a connection that is closed for its frame takes its try along, and its place in line', async () => {
  const room = await openRoom();
  const invitation = room.invite();
  const holders: RawCandidate[] = [];
  for (let place = 0; place < 7; place += 1) {
    const candidate = await RawCandidate.at(room, { place: 9 });
    candidate.hello(invitation);
    candidate.answer();
    holders.push(candidate);
  }
  const [first, second, , , , sixth, seventh] = holders;
  assert.ok(first && second && sixth && seventh);
  sixth.send(SESSION_FRAME.ping);
  assert.ok(sixth.closed);
  first.send(SESSION_FRAME.ping);
  assert.equal(seventh.lastType, ADMISSION_FRAME.question, 'a failed try is not handed on');
  second.prove();
  assert.equal(second.lastType, ADMISSION_FRAME.proved);
  assert.equal(seventh.lastType, ADMISSION_FRAME.challenge, 'one given back is');
});

test('a JOIN that stood in line is judged when a try comes back', async () => {
  const room = await openRoom();
  const invitation = room.invite();
  const candidate = await RawCandidate.at(room, { place: 9 });
  candidate.toCode(invitation);
  const before: RawCandidate[] = [];
  for (let place = 0; place < room.limits.triesPerInvitation; place += 1) {
    const other = await RawCandidate.at(room, { place: 10 });
    other.hello(invitation);
    other.answer();
    before.push(other);
  }
  candidate.join();
  assert.equal(candidate.lastType, ADMISSION_FRAME.proved);
  before[0]?.prove();
  room.advance(500);
  assert.equal(candidate.lastType, ADMISSION_FRAME.welcome);
});

test('those in line are told when the last try has failed', async () => {
  const room = await openRoom();
  const invitation = room.invite();
  const holders: RawCandidate[] = [];
  for (let place = 0; place < 7; place += 1) {
    const candidate = await RawCandidate.at(room, { place: 9 });
    candidate.hello(invitation);
    candidate.answer();
    holders.push(candidate);
  }
  for (const candidate of holders.slice(0, 5)) candidate.proveNothing();
  for (const candidate of holders.slice(5)) assert.equal(candidate.refused?.reason, 'suspended');
});

/** The door of a kept room under any order of what people and the host do, and a host that ends at any moment. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { ADMISSION_FRAME, Refused } from '../../src/protocol/admission-frames.ts';
import { frameType } from '../../src/protocol/framing.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { RawCandidate } from '../helpers/door.ts';
import { bodiesOf } from '../helpers/evil-host.ts';
import { type Kept, openKept, reopen } from '../helpers/kept.ts';
import { dsaIdentity } from '../helpers/keys.ts';
import type { TestInvitation } from '../helpers/line.ts';

const USES = 3;
const STEPS_MOST = 60;

interface Guest {
  readonly candidate: RawCandidate;
  readonly invitation: Ledger;
}

/** What people were told, which no end of the host takes back. */
interface Ledger extends TestInvitation {
  revoked: boolean;
  resumed: number;
  suspended: boolean;
}

interface World extends Kept {
  readonly ledgers: readonly Ledger[];
  readonly guests: Guest[];
  /** Of the notices, so many have been taken down. */
  read: number;
}

interface Step {
  readonly name: string;
  readonly run: (world: World) => void | Promise<void>;
}

const count = ({ received }: RawCandidate, type: number): number =>
  received.filter((frame) => frameType(frame) === type).length;

/** Of those who came last: they still stand at the door. */
function guestAt({ guests }: World, place: number): RawCandidate | undefined {
  const { candidate } = guests[guests.length - 1 - (place % Math.max(1, Math.min(6, guests.length)))] ?? {};
  return candidate?.closed === false ? candidate : undefined;
}

const place = fc.nat({ max: 40 });
const knocking = fc.nat({ max: 1 }).map(
  (which): Step => ({
    name: `knock ${which}`,
    async run(world) {
      const invitation = world.ledgers[which] ?? assert.fail();
      const candidate = await RawCandidate.at(world.room, { place: world.guests.length });
      world.guests.push({ candidate, invitation });
      candidate.hello(invitation);
      if (!candidate.closed && candidate.refused === null) candidate.answer();
    },
  }),
);
const proving = fc.tuple(place, fc.boolean()).map(
  ([who, right]): Step => ({
    name: `prove ${who} ${right}`,
    run(world) {
      const candidate = guestAt(world, who);
      if (candidate?.lastType !== ADMISSION_FRAME.challenge) return;
      if (right) candidate.prove();
      else candidate.proveNothing();
    },
  }),
);
const joining = fc.tuple(place, fc.boolean()).map(
  ([who, right]): Step => ({
    name: `join ${who} ${right}`,
    run(world) {
      const candidate = guestAt(world, who);
      if (candidate === undefined || count(candidate, ADMISSION_FRAME.proved) === 0) return;
      if (candidate.lastType !== ADMISSION_FRAME.proved && candidate.refused === null) return;
      const nick = `guest${world.guests.findIndex((guest) => guest.candidate === candidate)}`;
      candidate.join({ nick, ...(!right && { code: 'abcdef' }) });
    },
  }),
);
const leaving = place.map(
  (who): Step => ({
    name: `leave ${who}`,
    run(world) {
      const candidate = guestAt(world, who);
      if (candidate !== undefined) world.room.cut(candidate.line);
    },
  }),
);
const deciding = fc.tuple(fc.nat({ max: 1 }), fc.constantFrom('revoke' as const, 'resume' as const)).map(
  ([which, how]): Step => ({
    name: `${how} ${which}`,
    run(world) {
      const ledger = world.ledgers[which] ?? assert.fail();
      world.room.room.invitations[how](ledger.key);
      // The host is told of its own doing once it is written down.
      commit(world);
      if (how === 'revoke') ledger.revoked = true;
      else ledger.resumed += 1;
      if (how === 'resume') ledger.suspended = false;
    },
  }),
);
const passing = fc.integer({ min: 1, max: 12_000 }).map(
  (ms): Step => ({
    name: `${ms} ms later`,
    run: ({ room }) => {
      room.clock.nowMs += ms;
      room.tick();
    },
  }),
);
const waiting = fc.boolean().map(
  (slow): Step => ({
    name: slow ? 'the disk is slow' : 'the disk is fast',
    run: (world) => {
      world.room.commitsAtOnce = !slow;
      if (!slow) commit(world);
    },
  }),
);
const ending: fc.Arbitrary<Step> = fc.constant({ name: 'kill -9', run: (world) => reopen(world) });
const committing: fc.Arbitrary<Step> = fc.constant({ name: 'commit', run: commit });
const steps = fc.array(
  fc.oneof(
    { arbitrary: knocking, weight: 8 },
    { arbitrary: proving, weight: 8 },
    { arbitrary: joining, weight: 8 },
    { arbitrary: ending, weight: 3 },
    { arbitrary: committing, weight: 2 },
    waiting,
    leaving,
    deciding,
    passing,
  ),
  { minLength: 20, maxLength: STEPS_MOST, size: 'max' },
);

function commit({ room }: World): void {
  room.commit();
  room.pump();
}

/** Takes down what the host was told. */
function readNotices(world: World): void {
  const { notices } = world.room;
  for (const notice of notices.slice(world.read)) {
    if (notice.kind !== 'suspended') continue;
    const ledger = world.ledgers.find(({ key }) => key === notice.invitation) ?? assert.fail();
    ledger.suspended = true;
  }
  world.read = notices.length;
}

function check(world: World): void {
  readNotices(world);
  for (const ledger of world.ledgers) {
    const came = world.guests.filter(({ invitation }) => invitation === ledger);
    const total = (type: number): number =>
      came.reduce((sum, { candidate }) => sum + count(candidate, type), 0);
    const wrongCodes = came
      .flatMap(({ candidate }) => bodiesOf(candidate.received, ADMISSION_FRAME.refused))
      .filter((body) => Refused.decode(body).reason === 'wrong-code').length;
    const welcomes = total(ADMISSION_FRAME.welcome);
    const view = world.room.room.invitations.find(ledger.key) ?? assert.fail();

    // Whatever lets a guess be tested has cost a try that no end of the host gives back; who got in gives one.
    const guesses = total(ADMISSION_FRAME.challenge) - total(ADMISSION_FRAME.proved) + wrongCodes;
    const tries = LIMITS.triesPerInvitation * (1 + ledger.resumed) + (USES - view.usesLeft);
    assert.ok(guesses <= tries, `${guesses} guesses, and ${tries} tries`);
    assert.ok(view.triesLeft <= LIMITS.triesPerInvitation);
    assert.ok(welcomes <= USES - view.usesLeft && view.usesLeft >= 0, 'not a use too many');
    if (ledger.revoked) assert.equal(view.revoked, true, 'what was revoked stays so');
    if (ledger.suspended) assert.equal(view.suspended, true, 'what was suspended stays so');
  }
  const nicks = world.room.room.members.map(({ nick }) => nick);
  for (const [number, { candidate }] of world.guests.entries())
    if (count(candidate, ADMISSION_FRAME.welcome) > 0)
      assert.ok(nicks.includes(`guest${number}`), 'who was let in is in');
}

// Made beforehand: nothing else then lets time pass within a run.
before(() => Promise.all(Array.from({ length: STEPS_MOST }, (_, number) => dsaIdentity(number))));

test('P14: tries, uses, revocations and suspensions survive a host that ends at any point', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (run) => {
      const kept = await openKept();
      const ledgers = [0, 1].map(() => ({
        ...kept.room.invite({ uses: USES }),
        ...{ revoked: false, resumed: 0, suspended: false },
      }));
      kept.room.commit();
      const world: World = { ...kept, ledgers, guests: [], read: 0 };
      for (const { run: take } of run) {
        await take(world);
        check(world);
      }
      reopen(world);
      check(world);
      kept.room.end();
    }),
    { numRuns: 25 },
  );
});

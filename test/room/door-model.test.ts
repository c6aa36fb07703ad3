/** The door under any order of what people and the host do: uses and nicknames are somewhere, and nobody slips in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ADMISSION_FRAME } from '../../src/protocol/admission-frames.ts';
import { frameType } from '../../src/protocol/framing.ts';
import { idKey } from '../../src/protocol/identifiers.ts';
import type { RoomSettings } from '../../src/protocol/signed-objects.ts';
import { RawCandidate } from '../helpers/door.ts';
import { dsaIdentity } from '../helpers/keys.ts';
import type { TestInvitation } from '../helpers/line.ts';
import { openRoom, type TestRoom } from '../helpers/room.ts';

const USES = 4;
const WAITING_MS = 5_000;
const NICKS = ['ann', 'bob', 'b0b', 'carol', 'dave'];

interface Guest {
  readonly candidate: RawCandidate;
  readonly invitation: TestInvitation;
  readonly key: string;
}

interface World {
  readonly room: TestRoom;
  readonly invitations: readonly TestInvitation[];
  readonly guests: Guest[];
}

interface Step {
  readonly name: string;
  readonly run: (world: World) => void | Promise<void>;
}

function isIn({ candidate }: Guest): boolean {
  return candidate.received.some((frame) => frameType(frame) === ADMISSION_FRAME.welcome);
}

/** Of those who came last: they still stand at the door. */
function guestAt({ guests }: World, place: number): Guest | undefined {
  return guests[guests.length - 1 - (place % Math.max(1, Math.min(5, guests.length)))];
}

/** What the host does to whoever stands at the door; to anybody else it cannot. */
function decide({ room }: World, holder: number, how: 'admit' | 'deny'): void {
  const stage = room.room.atDoor.find((visitor) => visitor.holder === holder)?.stage;
  const act = () => room.perform(room.room[how](holder, room.clock.moment));
  // With the owner's yes given and the signature on its way nothing is left to decide.
  if (stage === undefined || (how === 'admit' && stage !== 'waiting')) assert.throws(act);
  else act();
  room.advance(500);
}

const place = fc.nat({ max: 40 });
const knocking = fc.nat({ max: 2 }).map(
  (which): Step => ({
    name: `knock ${which}`,
    async run(world) {
      const invitation = world.invitations[which] ?? assert.fail();
      // Everyone has a key of their own: coming back is another test's subject.
      const { length } = world.guests;
      const candidate = await RawCandidate.at(world.room, { place: length });
      candidate.hello(invitation);
      const { memberId } = await dsaIdentity(length);
      world.guests.push({ candidate, invitation, key: idKey(memberId) });
    },
  }),
);
const answering = place.map(
  (who): Step => ({
    name: `answer ${who}`,
    run(world) {
      const guest = guestAt(world, who);
      if (guest === undefined || guest.candidate.closed) return;
      if (guest.candidate.lastType !== ADMISSION_FRAME.question) return;
      guest.candidate.answer();
      // The room may have been locked, or the invitation's tries used up, meanwhile.
      if (guest.candidate.refused === null) guest.candidate.prove();
    },
  }),
);
const joining = fc.tuple(place, fc.constantFrom(...NICKS)).map(
  ([who, nick]): Step => ({
    name: `join ${who} ${nick}`,
    run(world) {
      const guest = guestAt(world, who);
      const stands = [ADMISSION_FRAME.proved, ADMISSION_FRAME.refused].some(
        (type) => type === guest?.candidate.lastType,
      );
      if (guest !== undefined && stands && !guest.candidate.closed) guest.candidate.join({ nick });
    },
  }),
);
const deciding = fc.tuple(place, fc.constantFrom('admit' as const, 'deny' as const)).map(
  ([who, how]): Step => ({
    name: `${how} ${who}`,
    run(world) {
      const guest = guestAt(world, who);
      if (guest !== undefined && !isIn(guest)) decide(world, guest.candidate.line.id, how);
    },
  }),
);
const leaving = place.map(
  (who): Step => ({
    name: `leave ${who}`,
    run(world) {
      const guest = guestAt(world, who);
      if (guest !== undefined && !guest.candidate.closed) world.room.cut(guest.candidate.line);
    },
  }),
);
const changing = fc.record({ approval: fc.boolean(), locked: fc.boolean() }, { requiredKeys: [] }).map(
  (part: Partial<RoomSettings>): Step => ({
    name: JSON.stringify(part),
    run({ room }) {
      room.perform(room.room.change(part, room.clock.moment));
      room.advance(500);
    },
  }),
);
const removing = fc.tuple(place, fc.boolean()).map(
  ([who, forGood]): Step => ({
    name: `remove ${who} ${forGood}`,
    run(world) {
      const { room } = world;
      const key = guestAt(world, who)?.key ?? '';
      const { moment } = room.clock;
      room.perform(forGood ? room.room.ban(key, 2_000, moment) : room.room.remove(key, moment));
      room.advance(500);
      for (const { key: invitation } of world.invitations) room.room.invitations.resume(invitation);
    },
  }),
);
const passing = fc
  .integer({ min: 1, max: WAITING_MS })
  .map((ms): Step => ({ name: `${ms} ms later`, run: ({ room }) => room.advance(ms) }));
const steps = fc.array(
  fc.oneof(
    { arbitrary: knocking, weight: 4 },
    { arbitrary: answering, weight: 8 },
    { arbitrary: joining, weight: 8 },
    { arbitrary: deciding, weight: 4 },
    leaving,
    { arbitrary: changing, weight: 2 },
    removing,
    passing,
  ),
  { minLength: 20, maxLength: 60, size: 'max' },
);

function check({ room, invitations, guests }: World): void {
  const { atDoor, members, settings } = room.room;
  const waiting = new Set(atDoor.filter(({ stage }) => stage === 'waiting').map(({ holder }) => holder));
  for (const { key } of invitations) {
    const came = guests.filter(({ invitation }) => invitation.key === key);
    const held = came.filter((guest) => isIn(guest) || waiting.has(guest.candidate.line.id)).length;
    assert.equal(
      room.room.invitations.find(key)?.usesLeft,
      USES - held,
      'each use is someone\u2019s, or left',
    );
  }
  const open = guests.filter(
    (guest) => !guest.candidate.closed && !guest.candidate.line.closed && !isIn(guest),
  );
  assert.deepEqual(
    atDoor.map(({ holder }) => holder),
    open.map(({ candidate }) => candidate.line.id),
    'whoever stands at the door is in view, and nobody else',
  );
  const nicks = [...members, ...atDoor].flatMap(({ nick }) => nick ?? []);
  const alike = nicks.map((nick) => nick.replaceAll('0', 'o'));
  assert.equal(new Set(alike).size, nicks.length, `no nickname twice: ${nicks}`);
  if (!settings.approval) assert.equal(waiting.size, 0, 'nobody waits for what is not asked');
}

test('whatever happens in whatever order, uses and nicknames are accounted for, and nobody slips in', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (run) => {
      const room = await openRoom({ limits: { waitingMs: WAITING_MS }, settings: { approval: true } });
      const invitations = [0, 1, 2].map(() => room.invite({ uses: USES }));
      const world: World = { room, invitations, guests: [] };
      for (const { name, run: take } of run) {
        const { approval, locked } = room.room.settings;
        const told = room.notices.length;
        await take(world);
        room.advance(500);
        const added = room.notices
          .slice(told)
          .flatMap((notice) => (notice.kind === 'roster' ? notice.change.added : []));
        const after = room.room.settings;
        const isShut = (approval && after.approval) || (locked && after.locked);
        assert.ok(!isShut || name.startsWith('admit') || added.length === 0, `${name} let someone in`);
        check(world);
      }
    }),
    { numRuns: 100 },
  );
});

/**
 * Random lives of a kept room with conversations beside it, whose host ends at any moment and opens it again: what was
 * acknowledged is there, and nobody is alarmed. A host that is back by an older copy has lost something, and says so.
 */

import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { repeated, SLOW } from '../helpers/effort.ts';
import '../helpers/quick-crypto.ts';

const { Life, makeKeys, step } = await import('../helpers/conversation-life.ts');
const { openKept } = await import('../helpers/kept.ts');
const { newPath, openStore } = await import('../helpers/room-file.ts');
const { idKey } = await import('../../src/protocol/identifiers.ts');

const RUNS = Number(process.env['RUNS'] ?? repeated({ quick: 40, thorough: 40, slow: 3_000 }));
const SEED = Number(process.env['SEED'] ?? 14);
const TIMEOUT = { timeout: (SLOW ? 60 : 2) * 60_000 };

before(makeKeys);

type Kept = Awaited<ReturnType<typeof openKept>>;

/** Another process of the host's has the room, by what this file holds. Opening it reads it from end to end. */
function reopen({ room }: Kept, path: string): void {
  room.end();
  room.open(openStore(path, room.limits));
}

const kept = fc.oneof({ weight: 12, arbitrary: step }, { weight: 1, arbitrary: fc.constant('end' as const) });

test(
  'P49 a host that ends at any moment loses nothing of what is said beside the room',
  TIMEOUT,
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(kept, { minLength: 10, maxLength: 50, size: 'max' }), async (steps) => {
        const host = await openKept();
        const life = new Life(host.room, true);
        await life.begin(4);
        for (const each of steps) {
          if (each === 'end') reopen(host, host.path);
          else await life.take(each);
        }
        reopen(host, host.path);
        life.settle();
        life.check();
        host.room.end();
        openStore(host.path).close();
      }),
      { numRuns: RUNS, seed: SEED, endOnFailure: !SLOW },
    );
  },
);

const copied = fc.oneof(
  { weight: 14, arbitrary: step },
  { weight: 1, arbitrary: fc.constant('copy' as const) },
  { weight: 1, arbitrary: fc.constant('older' as const) },
);

test('P49 a host that is back by an older copy says what is lost, and on it goes', TIMEOUT, async () => {
  let losses = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(copied, { minLength: 10, maxLength: 50, size: 'max' }), async (steps) => {
      const host = await openKept();
      const { room } = host;
      const life = new Life(room, true);
      await life.begin(4);
      let copy: string | null = null;
      const takeCopy = (): void => {
        copy = newPath();
        room.commit();
        // As a copy of the machine: the host lets go of it for a moment.
        room.end();
        room.clock.nowMs += 1_000;
        copyFileSync(host.path, copy);
        room.open(openStore(host.path, room.limits));
      };
      const goBack = (): void => {
        if (copy === null) return;
        life.hasLost = true;
        room.end();
        // No two starts within one second.
        room.clock.nowMs += 1_000;
        copyFileSync(copy, host.path);
        room.open(openStore(host.path, room.limits));
      };
      for (const each of steps) {
        if (each === 'copy') takeCopy();
        else if (each === 'older') goBack();
        else await life.take(each);
      }
      goBack();
      life.settle();
      losses += checkAfterLoss(life);
      room.end();
      openStore(host.path).close();
    }),
    { numRuns: RUNS, seed: SEED, endOnFailure: !SLOW },
  );
  assert.ok(losses > 0, 'something was lost on the way');
});

/** The model does not know what is lost: those who are there are in the same conversations, and talk in them. */
function checkAfterLoss(life: InstanceType<typeof Life>): number {
  const here = life.present.flatMap((person) => (person?.now.live === true ? [person.now] : []));
  for (const person of life.everyone)
    for (const { member } of person.runs) {
      assert.deepEqual(member.alarms, []);
      assert.notEqual(member.outcome.kind, 'failed', JSON.stringify(member.outcome));
      assert.ok(!member.eventsOf('closed').some(({ reason }) => reason === 'protocol'));
    }
  for (const member of here) {
    for (const { id, isDirect, members } of member.session.conversations) {
      const text = `after all of it ${idKey(id)} ${member.key}`;
      const others = here.filter((other) => members.some((each) => each.member.key === other.key));
      if (isDirect && others.length < 2) continue;
      member.sayIn(id, text);
      life.room.advance(2_000);
      for (const other of others) {
        const shown = other.textsIn(id).filter((each) => each === text).length;
        assert.equal(shown, 1, `${other.session.self?.nick} reads ${text}`);
      }
    }
  }
  return life.everyone.flatMap(({ runs }) =>
    runs.flatMap(({ member }) => member.eventsOf('notice').filter(({ code }) => code === 'entries-lost')),
  ).length;
}

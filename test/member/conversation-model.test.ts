/**
 * Random lives of a room with conversations beside it. Whatever happens, everyone shows of each conversation exactly what was
 * said in it while they were in it, nobody gets anything of one that they are not in, and nobody is alarmed.
 */

import { before, test } from 'node:test';
import fc from 'fast-check';
import { repeated, SLOW } from '../helpers/effort.ts';
import '../helpers/quick-crypto.ts';

const { Life, makeKeys, step } = await import('../helpers/conversation-life.ts');
const { openRoom } = await import('../helpers/room.ts');

const RUNS = Number(process.env['RUNS'] ?? repeated({ quick: 100, thorough: 300, slow: 20_000 }));
/** Of one life at the most: short ones go faster than they find. */
const STEPS = Number(process.env['STEPS'] ?? 50);
const SEED = Number(process.env['SEED'] ?? 53);

before(makeKeys);

test('P28 P49 everyone shows what was said where they are, nobody else does, and no key is used twice', {
  timeout: (SLOW ? 60 : 2) * 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: Math.min(10, STEPS), maxLength: STEPS, size: 'max' }),
      async (steps) => {
        const life = new Life(await openRoom());
        await life.begin(4);
        for (const each of steps) await life.take(each);
        life.settle();
        life.check();
      },
    ),
    { numRuns: RUNS, seed: SEED, endOnFailure: !SLOW },
  );
});

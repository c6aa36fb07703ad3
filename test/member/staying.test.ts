/** What an honest host may have let go of, and what this side shows and forgets: any policies, any clocks. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { goesAtMs, isGone, LeftOut } from '../../src/member/staying.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { heldMs } from '../../src/protocol/room-settings.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const RETENTION_MS = 7 * DAY_MS;
const START_MS = Date.UTC(2026, 0, 1, 12);

const stay = fc.oneof(
  fc.constant(0),
  fc.integer({ min: LIMITS.stayMsLeast / SECOND_MS, max: LIMITS.stayMsMost / SECOND_MS }),
  fc.constantFrom(30, 60, 3_600, 86_400),
);
/** How long one policy is in force before the next one, or before the member is back. */
const span = fc.record({ staySeconds: stay, forMs: fc.integer({ min: 0, max: 10 * DAY_MS }) });

/** The policies that came one after the other since the message was placed, told as a timeline tells them. */
function told(
  spans: readonly { readonly staySeconds: number; readonly forMs: number }[],
  placedAtMs: number,
) {
  const left = new LeftOut(7, placedAtMs);
  let untilMs = placedAtMs;
  for (const { staySeconds, forMs } of spans.slice(0, -1)) {
    untilMs += forMs;
    left.changed({ untilMs, staySeconds });
  }
  const last = spans.at(-1) ?? assert.fail();
  return { left, staySeconds: last.staySeconds, passedMs: untilMs - placedAtMs + last.forMs };
}

/** Whether a host that looks several times a second has let go of the message at any moment. */
function wasDue(spans: readonly { readonly staySeconds: number; readonly forMs: number }[]): boolean {
  let ageMs = 0;
  return spans.some(({ staySeconds, forMs }) => {
    ageMs += forMs;
    return ageMs > heldMs(staySeconds, RETENTION_MS);
  });
}

describe('what a host need not hold any more', () => {
  test('an honest host is never in the wrong, however the policy has changed and the clocks differ', () => {
    const someone = fc.record({
      spans: fc.array(span, { minLength: 1, maxLength: 5 }),
      /** The host's clock against this side's. */
      aheadMs: fc.integer({ min: -HOUR_MS, max: HOUR_MS }),
      /** How long before the message this side was last heard; `null`: in another run. */
      heardMs: fc.option(fc.integer({ min: 0, max: DAY_MS })),
    });
    fc.assert(
      fc.property(someone, ({ spans, aheadMs, heardMs }) => {
        fc.pre(wasDue(spans));
        const { left, staySeconds, passedMs } = told(spans, START_MS + aheadMs);
        const hadAllAtMs = heardMs === null ? null : START_MS - heardMs;
        const time = { nowMs: START_MS + passedMs, hadAllAtMs };
        assert.notEqual(left.excuse(staySeconds, RETENTION_MS, time), null);
      }),
      { numRuns: 2_000 },
    );
  });

  test('what was never due is still to be held, whatever time the host says it was placed at', () => {
    const someone = fc.record({
      spans: fc.array(span, { minLength: 1, maxLength: 5 }),
      /** How much older the host says that it is. */
      lieMs: fc.integer({ min: 0, max: 30 * DAY_MS }),
      awayMs: fc.integer({ min: 0, max: 10 * DAY_MS }),
    });
    fc.assert(
      fc.property(someone, ({ spans, lieMs, awayMs }) => {
        const windows = spans.map(({ staySeconds }) => heldMs(staySeconds, RETENTION_MS));
        // Away for well less than the shortest time in force: so nothing that is missing can have been due.
        fc.pre(
          awayMs < Math.min(...windows.map((ms) => ms - Math.max(LIMITS.deadMs, Math.min(HOUR_MS, ms / 2)))),
        );
        const { left, staySeconds } = told(spans, START_MS - lieMs);
        const time = { nowMs: START_MS + awayMs, hadAllAtMs: START_MS };
        assert.equal(left.excuse(staySeconds, RETENTION_MS, time), null);
      }),
      { numRuns: 2_000 },
    );
  });

  test('whose word it was: the owner\u2019s where messages stay for less than the host keeps them', () => {
    const excuse = (staySeconds: number, ageMs: number): string | null =>
      new LeftOut(7, START_MS).excuse(staySeconds, RETENTION_MS, {
        nowMs: START_MS + ageMs,
        hadAllAtMs: START_MS,
      });
    assert.equal(excuse(3_600, 2 * HOUR_MS), 'policy');
    assert.equal(excuse(3_600, 20 * MINUTE_MS), null);
    assert.equal(excuse(0, 8 * DAY_MS), 'retention');
    assert.equal(excuse(20 * 86_400, 8 * DAY_MS), 'retention', 'the host keeps nothing for so long');
    assert.equal(excuse(20 * 86_400, 6 * DAY_MS), null);
  });

  test('a policy that was shorter, or longer, for a while counts for that while', () => {
    const short = new LeftOut(7, START_MS);
    short.changed({ untilMs: START_MS + 90 * MINUTE_MS, staySeconds: 3_600 });
    const time = { nowMs: START_MS + 3 * HOUR_MS, hadAllAtMs: START_MS };
    assert.equal(
      short.excuse(0, RETENTION_MS, time),
      'policy',
      'it was due within the first hour and a half',
    );
    const brief = new LeftOut(7, START_MS);
    brief.changed({ untilMs: START_MS + 50 * MINUTE_MS, staySeconds: 3_600 });
    assert.equal(brief.excuse(0, RETENTION_MS, time), null, 'fifty minutes are no hour');
    const longer = new LeftOut(7, START_MS);
    longer.changed({ untilMs: START_MS + 2 * HOUR_MS, staySeconds: 0 });
    assert.equal(longer.excuse(3_600, RETENTION_MS, time), 'policy', 'older than what is in force now');
  });
});

describe('what this side shows, and how long', () => {
  const HOUR_SECONDS = 3_600;

  test('who is here, or was away for less than the time, misses nothing, whatever clock the host has', () => {
    const host = fc.record({
      skewMs: fc.integer({ min: -9 * DAY_MS, max: 9 * DAY_MS }),
      awayMs: fc.nat(HOUR_MS - 1),
    });
    fc.assert(
      fc.property(host, ({ skewMs, awayMs }) => {
        const time = { nowMs: START_MS, hadAllAtMs: START_MS - awayMs };
        assert.equal(isGone(START_MS + skewMs, HOUR_SECONDS, time), false);
        const goes = goesAtMs(START_MS + skewMs, HOUR_SECONDS, time) ?? assert.fail();
        assert.ok(goes >= START_MS + LIMITS.stayMsLeast, 'there is time to read it');
        assert.ok(goes <= START_MS + HOUR_MS, 'nothing stays for longer');
        if (awayMs === 0) assert.equal(goes, START_MS + HOUR_MS);
      }),
    );
  });

  test('what is older than the time is not shown, with an hour for clocks where nothing else is known', () => {
    const gone = (ageMs: number, hadAllAtMs: number | null): boolean =>
      isGone(START_MS - ageMs, HOUR_SECONDS, { nowMs: START_MS, hadAllAtMs });
    assert.equal(gone(HOUR_MS, START_MS - DAY_MS), true);
    assert.equal(gone(HOUR_MS - 1, START_MS - DAY_MS), false);
    assert.equal(gone(2 * HOUR_MS, null), true);
    assert.equal(gone(2 * HOUR_MS - 1, null), false);
    assert.equal(isGone(0, 0, { nowMs: START_MS, hadAllAtMs: null }), false, 'where messages stay');
    assert.equal(goesAtMs(0, 0, { nowMs: START_MS, hadAllAtMs: null }), null);
  });
});

/**
 * Messages that disappear: what the host lets go of, what members hold it to, and what they are told. In memory and in a
 * kept room. @see docs/protocol.md#disappearing
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { leafHash } from '../../src/crypto/log-hash.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import type { Moment } from '../../src/protocol/moment.ts';
import { DigestItem, LogPage, SESSION_FRAME, WholeItem } from '../../src/protocol/session-frames.ts';
import { Room } from '../../src/room/room.ts';
import { bodiesOf, on } from '../helpers/evil-host.ts';
import { comeBack, openKept, reopen } from '../helpers/kept.ts';
import { dsaIdentity, wrapKeys } from '../helpers/keys.ts';
import type { Hook } from '../helpers/line.ts';
import type { TestMember } from '../helpers/member.ts';
import { openRoom, type TestRoom } from '../helpers/room.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const HOUR = 3_600;
/** Nobody is removed for being away, whatever passes. */
const limits = { guestOfflineMs: LIMITS.backlogMs };

async function pair(room: TestRoom): Promise<{ readonly alice: TestMember; readonly bob: TestMember }> {
  const [alice, bob] = [
    await room.join('alice', { identity: await dsaIdentity(0), wrapPair: await wrapKeys(0) }),
    await room.join('bob', { identity: await dsaIdentity(1), wrapPair: await wrapKeys(1) }),
  ];
  say(room, alice, 'hello');
  say(room, bob, 'hello');
  return { alice, bob };
}

async function inMemory(staySeconds = HOUR) {
  const room = await openRoom({ limits, settings: { staySeconds } });
  return { room, ...(await pair(room)) };
}

function say(room: TestRoom, from: TestMember, text: string): void {
  from.say(text);
  room.advance(250);
}

/** Time passes at once: lines of those who are here break, and they come back. */
function pass(room: TestRoom, ms: number): void {
  const here = room.members.filter(({ live }) => live);
  room.clock.nowMs += ms;
  room.advance(500);
  for (const member of here) if (!member.live) comeBack(room, member);
  room.advance(500);
}

function set(room: TestRoom, staySeconds: number): void {
  room.perform(room.room.change({ staySeconds }, room.clock.moment));
  room.advance(500);
}

function told(member: TestMember): readonly string[] {
  return member.eventsOf('notice').map(({ level, code, text }) => `${level} ${code}: ${text}`);
}

const GONE =
  'info gone-by-time: 2 messages are gone: messages disappear after a while here. /policy says when.';

/** A hook that turns the first `count` whole messages of the log into digests. */
function digesting(count: number): Hook {
  let left = count;
  return on(SESSION_FRAME.log, (body) => {
    const page = LogPage.decode(body);
    const items = page.items.map((item) => {
      if (item.form === 'digest' || left === 0) return item;
      const { kind, placedAtMs, ...entry } = WholeItem.decode(item.body);
      if (kind !== 'message') return item;
      left -= 1;
      return {
        form: 'digest' as const,
        body: DigestItem.encode({ kind, placedAtMs, leaf: leafHash(entry) }),
      };
    });
    return [LogPage.encode({ ...page, items })];
  });
}

function wholeMessages(room: TestRoom): number {
  const { items } = room.log.read(0, { entries: 1_000, bytes: 1_000_000 });
  return items.filter(({ form, kind }) => form === 'whole' && kind === 'message').length;
}

describe('P38 the host lets go of what is older than messages stay', () => {
  for (const kind of ['memory', 'a kept room'] as const)
    test(`in ${kind}: the content, not its place, and who was away is told how many`, async () => {
      const settings = { staySeconds: HOUR };
      const kept = kind === 'memory' ? null : await openKept({ limits, settings, keeps: 'ciphertext' });
      const room = kept?.room ?? (await openRoom({ limits, settings }));
      const { alice, bob } = await pair(room);
      bob.loseLine();
      for (const text of ['one', 'two']) say(room, alice, text);
      pass(room, HOUR_MS - 10 * SECOND_MS);
      say(room, alice, 'three');
      pass(room, 20 * SECOND_MS);
      assert.equal(wholeMessages(room), 1);
      if (kept !== null) reopen(kept);
      if (!bob.live) comeBack(room, bob);
      assert.deepEqual(bob.texts.slice(2), ['three']);
      assert.equal(told(bob).filter((text) => text === GONE).length, 1, told(bob).join());
      assert.deepEqual([...alice.alarms, ...bob.alarms], []);
    });

  test('nothing goes where messages stay, nor because of what a host keeps longer', async () => {
    for (const staySeconds of [0, LIMITS.stayMsMost / SECOND_MS]) {
      const { room, alice, bob } = await inMemory(staySeconds);
      bob.loseLine();
      say(room, alice, 'one');
      pass(room, 24 * HOUR_MS);
      bob.comeBack();
      room.advance(SECOND_MS);
      assert.deepEqual([bob.texts.at(-1), told(bob), bob.alarms], ['one', [], []]);
    }
  });

  test('keys that open only what is gone go as well', async () => {
    for (const [awayMs, wraps] of [
      [HOUR_MS + MINUTE_MS, 1],
      [HOUR_MS + 2 * LIMITS.chainMs + MINUTE_MS, 0],
    ] as const) {
      const { room, alice, bob } = await inMemory();
      bob.loseLine();
      room.advance(SECOND_MS);
      // A new chain, whose key waits for bob.
      pass(room, LIMITS.chainMs);
      say(room, alice, 'under a key that waits');
      pass(room, awayMs);
      bob.comeBack();
      room.advance(SECOND_MS);
      assert.equal(bodiesOf(bob.line?.sentByHost ?? [], SESSION_FRAME.wrap).length, wraps);
    }
  });
});

describe('P38 members hold the host to the shorter of what it announced and what the owner has signed', () => {
  test('what was away for a while under a short time may be gone, and not one that must be there', async () => {
    for (const [awayMs, alarms] of [
      [10 * MINUTE_MS, ['withheld']],
      [2 * HOUR_MS, []],
    ] as const) {
      const { room, alice, bob } = await inMemory();
      bob.loseLine();
      for (const text of ['one', 'two']) say(room, alice, text);
      pass(room, awayMs);
      bob.comeBack().toMember = digesting(1);
      room.advance(SECOND_MS);
      assert.ok(bob.live);
      assert.deepEqual(bob.alarms, alarms);
    }
  });

  test('a time that was shorter while they were away, and is longer by now, makes no liar of the host', async () => {
    const { room, alice, bob } = await inMemory(0);
    bob.loseLine();
    for (const text of ['one', 'two']) say(room, alice, text);
    pass(room, 2 * HOUR_MS);
    set(room, HOUR);
    set(room, 0);
    bob.comeBack();
    room.advance(SECOND_MS);
    assert.deepEqual(bob.alarms, []);
    assert.ok(told(bob).includes(GONE));
  });

  test('nor does one that is shorter since, and both are caught who leave out more', async () => {
    const { room, alice, bob } = await inMemory(24 * HOUR);
    bob.loseLine();
    for (const text of ['one', 'two']) say(room, alice, text);
    pass(room, 2 * HOUR_MS);
    set(room, HOUR);
    say(room, alice, 'three');
    bob.comeBack();
    room.advance(SECOND_MS);
    assert.deepEqual([bob.texts.at(-1), bob.alarms], ['three', []]);
    assert.ok(told(bob).includes(GONE));
    bob.loseLine();
    set(room, 24 * HOUR);
    say(room, alice, 'do NOT pay');
    say(room, alice, 'goodbye');
    set(room, 2 * HOUR);
    pass(room, 30 * MINUTE_MS);
    bob.comeBack().toMember = digesting(1);
    room.advance(SECOND_MS);
    assert.deepEqual(bob.alarms, ['withheld']);
  });

  test('a host whose clock is wrong hides nothing of those who are here or were away for less', async () => {
    for (const wrongMs of [-3 * HOUR_MS, 3 * HOUR_MS]) {
      const { room, alice, bob } = await inMemory();
      const { room: host, clock } = room;
      const wrong = (): Moment => ({ ...clock.moment, nowMs: clock.nowMs + wrongMs });
      host.frame = (connection, frame) => Room.prototype.frame.call(host, connection, frame, wrong());
      host.tick = () => Room.prototype.tick.call(host, wrong());
      pass(room, 0);
      say(room, alice, 'live');
      bob.loseLine();
      say(room, alice, 'meanwhile');
      pass(room, 20 * MINUTE_MS);
      bob.comeBack();
      room.advance(SECOND_MS);
      assert.deepEqual(bob.texts.slice(2), ['live', 'meanwhile']);
      const [live, late] = bob.messages.slice(-2);
      const goes = (message: typeof live): number => (message?.goesAtMs ?? 0) - clock.nowMs;
      assert.ok(goes(live) > 35 * MINUTE_MS && goes(live) <= HOUR_MS, String(goes(live)));
      assert.ok(goes(late) > 30 * MINUTE_MS && goes(late) <= HOUR_MS, String(goes(late)));
      assert.deepEqual(bob.alarms, []);
    }
  });
});

test('a host that holds messages for longer than the owner has signed shows them to nobody', async () => {
  const { room, alice, bob } = await inMemory();
  room.log.expire = () => 0;
  bob.loseLine();
  for (const text of ['one', 'two']) say(room, alice, text);
  pass(room, 2 * HOUR_MS);
  say(room, alice, 'three');
  bob.comeBack();
  room.advance(SECOND_MS);
  assert.deepEqual(bob.texts.slice(2), ['three']);
  assert.deepEqual([told(bob), bob.alarms], [[GONE], []]);
});

/** How many messages a member was told are gone. */
function toldGone(member: TestMember): number {
  return member
    .eventsOf('notice')
    .filter(({ code }) => code === 'gone-by-time')
    .reduce((sum, { text }) => sum + Number(/^\d+/.exec(text)?.[0]), 0);
}

test('P49 however the time changes while someone comes and goes, nobody is alarmed and all is accounted for', async () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('say' as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('go' as const, 'come' as const) }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('set' as const), stay: fc.constantFrom(0, 30, 90, 600, HOUR) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('wait' as const),
        ms: fc.integer({ min: 1, max: 40 * MINUTE_MS }),
      }),
    },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 30, size: 'max' }), async (steps) => {
      const { room, alice, bob } = await inMemory(0);
      let said = 0;
      const comes = (): void => {
        if (!bob.live) comeBack(room, bob);
        room.advance(SECOND_MS);
      };
      for (const each of steps) {
        if (each.do === 'say') say(room, alice, `message ${++said}`);
        else if (each.do === 'go') bob.loseLine();
        else if (each.do === 'come') comes();
        else if (each.do === 'set') set(room, each.stay);
        else if (each.do === 'wait') pass(room, each.ms);
      }
      comes();
      assert.deepEqual([...alice.alarms, ...bob.alarms], []);
      const read = bob.texts.slice(2).map((text) => Number(text.split(' ')[1]));
      assert.deepEqual(
        read,
        [...new Set(read)].sort((left, right) => left - right),
      );
      assert.equal(read.length + toldGone(bob), said, told(bob).join());
      assert.ok(!told(bob).some((text) => text.includes(' gap: ')));
      assert.equal(bob.eventsOf('unopened').length, 0);
    }),
    { numRuns: 40 },
  );
});

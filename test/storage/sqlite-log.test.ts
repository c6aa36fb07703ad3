/** The log on disk against the one in memory, which is its model. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { leafHash } from '../../src/crypto/log-hash.ts';
import { ciphertext } from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import type { EntryKind } from '../../src/protocol/session-frames.ts';
import type { Log, LogItem, NewEntry } from '../../src/room/log.ts';
import { MemoryLog } from '../../src/storage/memory-log.ts';
import type { SqliteStore } from '../../src/storage/sqlite-store.ts';
import { createStore, newPath, openStore, START_HEAD } from '../helpers/room-file.ts';

const SMALL = { headsKept: 9, backlogEntries: 5, backlogBytes: 400 };
const EVERYTHING = { entries: 1_000, bytes: Number.MAX_SAFE_INTEGER };

function entry(number: number, kind: EntryKind, size: number, placedAtMs: number): NewEntry {
  const bytes = {
    header: new Uint8Array(8).fill(number),
    ciphertext: ciphertext(new Uint8Array(kind === 'message' ? size : 0).fill(number)),
    signature: new Uint8Array(16).fill(number),
  };
  return { kind, placedAtMs, leaf: leafHash(bytes), ...bytes };
}

function append(log: Log, kinds: readonly EntryKind[]): void {
  for (const kind of kinds) log.append(entry(log.index + 1, kind, 20, 1_000 + log.index));
}

function forms(log: Log): readonly string[] {
  return log.read(0, EVERYTHING).items.map(({ form }) => form);
}

/** Everything that can be asked of the two. */
function assertSame(log: Log, model: Log): void {
  assert.deepEqual([log.index, log.head], [model.index, model.head]);
  // The head before the oldest entry is there for a read to begin with, and may be asked for too.
  const oldest = Math.max(1, model.index - SMALL.headsKept + 1);
  for (let index = 0; index <= model.index + 1; index += 1) {
    if (index !== oldest - 1) assert.deepEqual(log.headAt(index), model.headAt(index), `head at ${index}`);
  }
  for (const most of [EVERYTHING, { entries: 3, bytes: 1_000 }, { entries: 100, bytes: 150 }])
    for (let after = 0; after <= model.index; after += 1)
      assert.deepEqual(log.read(after, most), model.read(after, most), `after ${after}`);
}

type Step =
  | { readonly do: 'append'; readonly kind: EntryKind; readonly size: number; readonly afterMs: number }
  | { readonly do: 'expire'; readonly agoMs: number }
  | { readonly do: 'reopen' };

const append1: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('append'),
  kind: fc.constantFrom('message', 'message', 'message', 'roster', 'era'),
  size: fc.nat(200),
  afterMs: fc.nat(3),
});
const STEPS = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: append1 },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('expire'), agoMs: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen') }) },
  ) satisfies fc.Arbitrary<Step>,
  { maxLength: 40 },
);

function play(steps: readonly Step[]): void {
  const path = newPath();
  let store: SqliteStore = createStore(path, SMALL);
  const model = new MemoryLog(START_HEAD, { ...LIMITS, ...SMALL });
  let nowMs = 1_000;
  try {
    for (const step of steps) {
      switch (step.do) {
        case 'append': {
          nowMs += step.afterMs;
          const next = entry(model.index + 1, step.kind, step.size, nowMs);
          assert.equal(store.log.append(next), model.append(next));
          break;
        }
        case 'expire': {
          // After a start it does not know of operations that it counted out before: they are whole anyway.
          const upTo = store.log.expire(nowMs - step.agoMs);
          assert.ok(upTo <= model.expire(nowMs - step.agoMs));
          break;
        }
        case 'reopen':
          store.commit();
          store.close();
          store = openStore(path, SMALL);
          break;
      }
      assertSame(store.log, model);
    }
  } finally {
    store.close();
  }
}

test('the log on disk answers as the one in memory does, opened again or not', () => {
  fc.assert(fc.property(STEPS, play), { numRuns: 60 });
});

test('what lies before the oldest entry is skipped, and the head before it is known', () => {
  const store = createStore(newPath(), { headsKept: 4 });
  const heads = Array.from({ length: 12 }, () => {
    append(store.log, ['message']);
    assert.ok(store.log.read(0, EVERYTHING).items.length <= 4);
    return store.log.head;
  });
  const { first, headBefore, items } = store.log.read(2, EVERYTHING);
  assert.deepEqual([first, items.length], [9, 4]);
  assert.deepEqual(headBefore, heads[7]);
  assert.equal(store.log.headAt(7), null);
  store.close();
});

test('what everyone has keeps its hash alone, but for what nobody can go on without', () => {
  const path = newPath();
  const store = createStore(path);
  append(store.log, ['roster', 'message', 'era', 'message', 'message']);
  const before = store.log.read(0, EVERYTHING);
  const head = store.log.head;
  store.log.release(4);
  const expected: readonly LogItem[] = before.items.map((item, place) => {
    const { kind, placedAtMs, leaf } = item;
    return place < 4 && kind === 'message' ? { form: 'digest', kind, placedAtMs, leaf } : item;
  });
  assert.deepEqual(store.log.read(0, EVERYTHING), { ...before, items: expected });
  store.log.release(2);
  assert.deepEqual(forms(store.log), ['whole', 'digest', 'whole', 'digest', 'whole']);
  store.commit();
  store.close();
  const again = openStore(path);
  assert.deepEqual(again.log.read(0, EVERYTHING), { ...before, items: expected });
  assert.deepEqual([again.log.index, again.log.head], [5, head]);
  // What has been released counts no more: as many whole ones may follow as if it had never been.
  append(again.log, ['message']);
  again.log.release(6);
  assert.deepEqual(forms(again.log), ['whole', 'digest', 'whole', 'digest', 'digest', 'digest']);
  again.close();
});

test('releasing past the end, or in an empty log, releases what there is', () => {
  const store = createStore(newPath());
  store.log.release(5);
  assert.deepEqual(store.log.read(0, EVERYTHING), { first: 1, headBefore: START_HEAD, items: [] });
  append(store.log, ['message']);
  store.log.release(5);
  assert.deepEqual(forms(store.log), ['digest']);
  append(store.log, ['message']);
  assert.deepEqual(forms(store.log), ['digest', 'whole']);
  store.close();
});

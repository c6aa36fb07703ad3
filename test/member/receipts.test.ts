/** What marks say of one's own messages: each is told once as waiting, and once as what became of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Receipt, Receipts } from '../../src/member/receipts.ts';

const BOB = 'b0b';
const CAROL = 'ca401';

function book(...offline: string[]) {
  const gone = new Set(offline);
  const list = { known: true };
  const isKnown = (): boolean => list.known;
  return { gone, list, receipts: new Receipts({ isOffline: (member) => gone.has(member), isKnown }) };
}

function own(index: number) {
  return { id: `m${index}`, index };
}

function lines(told: readonly Receipt[]): readonly string[] {
  return told.map(({ id, state, members }) => `${state} ${id} ${members.join()}`);
}

test('nobody is waited for before the host has named them, nor while they are here', () => {
  const { receipts } = book(BOB);
  assert.deepEqual(receipts.placed(own(1)), []);
  const here = book();
  here.receipts.marked(BOB, { index: 1, dropped: 0 });
  assert.deepEqual(here.receipts.placed(own(2)), []);
});

test('one event for a message names all who are offline; marks that do not reach it say nothing', () => {
  const { receipts } = book(BOB, CAROL);
  receipts.marked(BOB, { index: 3, dropped: 0 });
  receipts.marked(CAROL, { index: 4, dropped: 0 });
  assert.deepEqual(lines(receipts.placed(own(5))), [`waiting m5 ${BOB},${CAROL}`]);
  assert.deepEqual(receipts.marked(BOB, { index: 4, dropped: 0 }), []);
  assert.deepEqual(lines(receipts.marked(BOB, { index: 5, dropped: 0 })), [`delivered m5 ${BOB}`]);
  assert.deepEqual(lines(receipts.marked(CAROL, { index: 9, dropped: 5 })), [`dropped m5 ${CAROL}`]);
});

test('a mark taken back, or said twice, tells nothing again', () => {
  const { gone, receipts } = book(BOB);
  receipts.marked(BOB, { index: 0, dropped: 0 });
  receipts.placed(own(1));
  receipts.placed(own(2));
  assert.equal(receipts.marked(BOB, { index: 2, dropped: 0 }).length, 2);
  for (const index of [0, 2]) assert.deepEqual(receipts.marked(BOB, { index, dropped: index }), []);
  gone.delete(BOB);
  assert.deepEqual(receipts.marked(BOB, { index: 2, dropped: 0 }), []);
  // Gone again: what they had is not waited for.
  gone.add(BOB);
  assert.deepEqual(receipts.marked(BOB, { index: 2, dropped: 0 }), []);
  assert.deepEqual(lines(receipts.placed(own(3))), [`waiting m3 ${BOB}`]);
});

test('what was placed before anybody noticed that they were gone waits when they are', () => {
  const { gone, receipts } = book();
  for (const index of [4, 5, 6]) receipts.placed(own(index));
  gone.add(BOB);
  assert.deepEqual(lines(receipts.marked(BOB, { index: 4, dropped: 0 })), [
    `waiting m5 ${BOB}`,
    `waiting m6 ${BOB}`,
  ]);
});

test('while the list is not known, nothing is told; then it is told by who is gone', () => {
  const { gone, list, receipts } = book(BOB, CAROL);
  for (const member of [BOB, CAROL]) receipts.marked(member, { index: 0, dropped: 0 });
  list.known = false;
  assert.deepEqual(receipts.placed(own(1)), []);
  for (const index of [1, 2]) assert.deepEqual(receipts.marked(BOB, { index, dropped: 0 }), []);
  gone.delete(BOB);
  list.known = true;
  assert.deepEqual(lines(receipts.release()), [`waiting m1 ${CAROL}`]);
  assert.deepEqual(receipts.release(), []);
});

test('the latest 512 are remembered; of someone forgotten nothing is told', () => {
  const { receipts } = book(BOB, CAROL);
  for (const member of [BOB, CAROL]) receipts.marked(member, { index: 0, dropped: 0 });
  for (let index = 1; index <= 600; index += 1) receipts.placed(own(index));
  const told = receipts.marked(BOB, { index: 600, dropped: 0 });
  assert.deepEqual([told.length, told[0]?.id], [512, 'm89']);
  receipts.forget(CAROL);
  assert.deepEqual(
    receipts.placed(own(601)).flatMap(({ members }) => members),
    [BOB],
  );
});

test('whatever a host says, a message waits once, and then is settled once', () => {
  const step = fc.oneof(
    fc.constant({ kind: 'say' } as const),
    fc.record({ kind: fc.constant('toggle' as const), member: fc.constantFrom(BOB, CAROL) }),
    fc.record({
      kind: fc.constant('mark' as const),
      member: fc.constantFrom(BOB, CAROL),
      index: fc.nat(40),
      dropped: fc.nat(40),
    }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const { gone, receipts } = book();
      let index = 0;
      const state = new Map<string, string>();
      const take = (told: readonly Receipt[]): void => {
        for (const { id, state: next, members } of told)
          for (const member of members) {
            const before = state.get(`${id} ${member}`);
            assert.equal(before, next === 'waiting' ? undefined : 'waiting');
            state.set(`${id} ${member}`, next);
          }
      };
      for (const one of steps) {
        if (one.kind === 'say') {
          index += 1;
          take(receipts.placed(own(index)));
        } else if (one.kind === 'toggle') {
          if (!gone.delete(one.member)) gone.add(one.member);
        } else take(receipts.marked(one.member, one));
      }
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileRows } from '../../src/app/file-rows.ts';
import type { FileState, FileView, Taker } from '../../src/member/file-view.ts';
import { idKey, ROOM_CONVERSATION } from '../../src/protocol/identifiers.ts';
import { person } from '../helpers/people.ts';

const [ann, bob] = [person('ann'), person('bob')];

function view(state: FileState, more: Partial<FileView> = {}): FileView {
  return {
    ...{ number: 3, id: 'AAAA', isOwn: false, from: bob, conversation: idKey(ROOM_CONVERSATION) },
    message: 'BBBB',
    ...{ name: 'a', bytes: 10, files: null, state, doneBytes: 4 },
    ...{ bytesPerSecond: 2, leftMs: 3_000, path: null, problem: null, takers: [] },
    ...more,
  };
}

test('what comes in is under way while it runs or is compared', () => {
  const idle = [
    'offered',
    'queued',
    'waiting',
    'done',
    'failed',
    'declined',
    'cancelled',
    'withdrawn',
  ] as const;
  assert.deepEqual(fileRows(idle.map((state) => view(state))), []);
  const row = { number: 3, isOwn: false, name: 'a', bytes: 10, bytesPerSecond: 2, leftMs: 3_000 };
  assert.deepEqual(fileRows([view('running'), view('checking')]), [
    { ...row, doneBytes: 4, isChecking: false, takers: [] },
    { ...row, doneBytes: 4, isChecking: true, takers: [] },
  ]);
});

test("one's own is under way while somebody takes it, as far as the slowest of them has it", () => {
  const taker = (member: Taker['member'], state: Taker['state'], doneBytes: number): Taker => ({
    ...{ member, state, doneBytes },
  });
  const own = (...takers: readonly Taker[]): FileView => view('running', { isOwn: true, takers });
  assert.deepEqual(fileRows([own(), own(taker(ann, 'done', 10), taker(bob, 'stopped', 1))]), []);
  const [row] = fileRows([own(taker(ann, 'running', 7), taker(bob, 'running', 5))]);
  assert.deepEqual([row?.doneBytes, row?.takers.map(({ nick }) => nick)], [5, ['ann', 'bob']]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filesTexts } from '../../src/app/files-text.ts';
import type { FileState, FileView } from '../../src/member/file-view.ts';
import { idKey, ROOM_CONVERSATION } from '../../src/protocol/identifiers.ts';
import { person } from '../helpers/people.ts';

const [ann, bob] = [person('ann'), person('bob')];
const ROOM = idKey(ROOM_CONVERSATION);
const placeOf = (conversation: string): string | null => (conversation === ROOM ? null : 'plans');

function view(state: FileState, more: Partial<FileView> = {}): FileView {
  return {
    ...{ number: 3, id: 'AAAA', isOwn: false, from: bob, conversation: ROOM, name: 'report.pdf' },
    message: 'BBBB',
    ...{ bytes: 4_096, files: null, state, doneBytes: 1_024 },
    ...{ bytesPerSecond: 512, leftMs: 6_000, path: null, problem: null, takers: [] },
    ...more,
  };
}

function line(of: FileView): string | undefined {
  return filesTexts([of], placeOf)[1];
}

test('no file, and the head of the list', () => {
  assert.deepEqual(filesTexts([], placeOf), ['No files have been offered. /send PATH offers one.']);
  assert.equal(
    filesTexts([view('offered')], placeOf)[0],
    'Files; /accept, /decline and /cancel take the number:',
  );
});

test('what others offer: where from, how far, and why not', () => {
  assert.equal(line(view('offered')), '  3 report.pdf  4 KiB, from bob, offered');
  assert.equal(
    line(view('running', { files: 2, conversation: 'other' })),
    '  3 report.pdf  a folder of 2 files, 4 KiB, from bob in plans, 25 %, 512 bytes/s, 0:06 left, under way',
  );
  assert.equal(
    line(view('waiting', { problem: 'bob is away.', name: 'a  b' })),
    '  3 "a b"  4 KiB, from bob, 25 %, waits: bob is away.',
  );
  assert.equal(
    line(view('done', { path: '/in/report.pdf' })),
    '  3 report.pdf  4 KiB, from bob, here: /in/report.pdf',
  );
  assert.equal(line(view('failed', { problem: 'No.' })), '  3 report.pdf  4 KiB, from bob, failed: No.');
  assert.equal(line(view('withdrawn')), '  3 report.pdf  4 KiB, from bob, taken back');
});

test("one's own: how far each has it", () => {
  const own = (state: FileState, more: Partial<FileView> = {}) =>
    line(view(state, { isOwn: true, from: ann, ...more }));
  const has = (state: 'running' | 'stopped' | 'done' | 'declined' | 'kept' | 'unkept') => ({
    member: bob,
    state,
    doneBytes: 2_048,
  });
  assert.equal(own('offered'), '  3 report.pdf  4 KiB, yours, in the room, nobody takes it yet');
  assert.equal(
    own('running', { takers: [has('running'), { ...has('done'), member: ann }] }),
    '  3 report.pdf  4 KiB, yours, in the room, bob 50 %, ann has it, 512 bytes/s, 0:06 left',
  );
  assert.equal(
    own('offered', { takers: [has('stopped'), { ...has('declined'), member: ann }], conversation: 'other' }),
    '  3 report.pdf  4 KiB, yours, in plans, bob 50 % (stopped), ann declined',
  );
  assert.equal(
    own('offered', { takers: [has('kept')] }),
    '  3 report.pdf  4 KiB, yours, in the room, waits at the host for bob',
  );
  assert.equal(
    own('offered', { takers: [has('unkept')] }),
    '  3 report.pdf  4 KiB, yours, in the room, no room at the host to wait for bob',
  );
  assert.equal(own('cancelled'), '  3 report.pdf  4 KiB, yours, in the room, taken back');
});

/** What a screen shows of files: the offer, and a line for each change and nothing twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FileEvent, MessageEvent } from '../../../src/terminal/json-lines.ts';
import type { RenderView } from '../../../src/terminal/view/entry.ts';
import { makePalette } from '../../../src/terminal/view/palette.ts';
import { renderEvent } from '../../../src/terminal/view/render.ts';
import { Scroll } from '../../../src/terminal/view/scroll.ts';

const NOON = Date.parse('2026-11-28T12:00:00Z');
const MIB = 2 ** 20;
const HIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\u200b\u2060-\u206f\ufeff]/u;

function view(columns = Number.POSITIVE_INFINITY, color = false): RenderView {
  const preferences = {
    ...({ timestamps: 'minutes', bell: 'on', theme: 'auto' } as const),
    ...{ quiet: false, notify: false, atDirect: false },
  };
  return { palette: makePalette({ color }), preferences, columns, nowMs: NOON, timeZone: 'UTC', self: 'sue' };
}

const FILE = { number: 3, id: 'f', name: 'report.pdf', bytes: 2_516_582 };
const ann = { id: 'id-ann', nick: 'ann' };
const bob = { id: 'id-bob', nick: 'bob' };

function offer(more: Partial<MessageEvent> = {}): MessageEvent {
  const { name } = more.file ?? FILE;
  return {
    ...{ type: 'message', id: '1', conversation: 'c', kind: 'file', file: FILE, text: name },
    from: { ...ann, algorithm: 'rsa' },
    ...{ at: new Date(NOON).toISOString(), own: false, mention: false },
    ...more,
  };
}

function file(state: FileEvent['state'], more: Partial<FileEvent> = {}): FileEvent {
  return { type: 'file', ...FILE, own: false, from: ann, conversation: 'c', state, doneBytes: 0, ...more };
}

/** The lines of these, one after the other, without their time and sign. */
function shown(...events: readonly FileEvent[]): readonly string[] {
  const scroll = new Scroll();
  return events.flatMap((event) => scroll.lines(event, view())).map((line) => line.replace('12:00 -!- ', ''));
}

test('an offer: what, how much, and how to take it; a sign tells it from a text', () => {
  const line = (more: Partial<MessageEvent>): string => renderEvent(offer(more), view()).join('|');
  assert.equal(
    line({}),
    '12:00 -!- <ann> offers report.pdf, 2.4 MiB. /accept 3 takes it, /decline 3 does not.',
  );
  assert.equal(
    line({
      file: { ...FILE, name: 'my photos', bytes: 1.2 * 2 ** 30, files: 120 },
      direct: { id: 's', nick: 'sue' },
    }),
    '12:00 -!- <ann -> sue> offers "my photos", a folder of 120 files, 1.2 GiB. /accept 3 takes it, /decline 3 does not.',
  );
  assert.match(
    line({ file: { ...FILE, files: 1 }, in: 'plans' }),
    /-!- \[plans\] <ann> .* a folder of 1 file, /,
  );
  assert.match(line({ own: true }), /<ann> offers report\.pdf, 2\.4 MiB \(3\)\.$/);
  const { file: _, ...unnumbered } = offer();
  assert.equal(renderEvent(unnumbered, view()).join(), '12:00 -!- <ann> offers report.pdf.');
});

test('from accepting to having it: each change once, progress never', () => {
  assert.deepEqual(
    shown(
      file('offered'),
      file('queued'),
      file('running'),
      file('running', { doneBytes: MIB }),
      file('waiting', { doneBytes: MIB }),
      file('waiting', { doneBytes: MIB }),
      file('running', { doneBytes: MIB }),
      file('checking', { doneBytes: FILE.bytes }),
      file('done', { doneBytes: FILE.bytes, path: '/home/me/Downloads/report.pdf' }),
    ),
    [
      'report.pdf waits until others are done.',
      'Taking report.pdf from ann, 2.4 MiB.',
      'report.pdf waits for ann.',
      'report.pdf goes on.',
      'report.pdf is here: /home/me/Downloads/report.pdf',
    ],
  );
});

test('the other ways it may end', () => {
  assert.deepEqual(shown(file('declined')), ['You declined report.pdf.']);
  assert.deepEqual(shown(file('cancelled')), ['You cancelled report.pdf.']);
  assert.deepEqual(shown(file('withdrawn')), ['ann took back report.pdf.']);
  assert.deepEqual(shown(file('failed', { problem: 'The disk is full.' })), [
    'Warning: report.pdf failed: The disk is full.',
  ]);
  assert.deepEqual(shown(file('failed')), ['Warning: report.pdf failed.']);
  assert.deepEqual(shown(file('waiting', { problem: 'The host is away.' })), [
    'report.pdf waits: The host is away.',
  ]);
});

test("one's own: who takes it, who has it, who does not want it", () => {
  const own = (...takers: NonNullable<FileEvent['takers']>): FileEvent =>
    file('running', { own: true, takers });
  assert.deepEqual(
    shown(
      file('offered', { own: true, takers: [] }),
      own({ member: bob, state: 'running', doneBytes: 0 }),
      own(
        { member: bob, state: 'running', doneBytes: MIB },
        { member: ann, state: 'declined', doneBytes: 0 },
      ),
      own(
        { member: bob, state: 'stopped', doneBytes: MIB },
        { member: ann, state: 'declined', doneBytes: 0 },
      ),
      own({ member: bob, state: 'unkept', doneBytes: 0 }),
      own({ member: bob, state: 'unkept', doneBytes: 0 }),
      own({ member: bob, state: 'kept', doneBytes: 0 }),
      own({ member: bob, state: 'done', doneBytes: FILE.bytes }),
      file('withdrawn', { own: true, takers: [{ member: bob, state: 'done', doneBytes: FILE.bytes }] }),
    ),
    [
      'bob takes report.pdf.',
      'ann declined report.pdf.',
      'bob has 41 % of report.pdf, and no more comes through just now.',
      'The host has no room to keep report.pdf for bob: bob gets it when you are both here.',
      'report.pdf waits at the host for bob; you may go.',
      'bob has report.pdf.',
      'You took back report.pdf.',
    ],
  );
});

test('of somebody ignored, offers and what they take back are hidden; what one took oneself is not', () => {
  const scroll = new Scroll();
  scroll.lines(
    {
      ...{ type: 'member', change: 'joined' },
      member: {
        ...ann,
        algorithm: 'rsa',
        fingerprint: 'F',
        role: 'member',
        online: true,
        away: false,
        muted: false,
      },
    },
    view(),
  );
  assert.equal(scroll.ignore('ann'), 'ignored');
  assert.deepEqual(scroll.lines(offer(), view()), []);
  assert.deepEqual(scroll.lines(file('withdrawn'), view()), []);
  assert.equal(scroll.lines(file('done', { number: 4 }), view()).length, 1);
});

test('property: no name, path or problem can be obeyed by a terminal, or begin a line of its own', () => {
  const states = fc.constantFrom<FileEvent['state']>(
    ...(['queued', 'waiting', 'running', 'done', 'failed', 'declined', 'withdrawn'] as const),
  );
  const text = fc.string({ unit: 'binary', maxLength: 60 });
  fc.assert(
    fc.property(text, text, states, (name, other, state) => {
      const event = file(state, { name, path: other, problem: other });
      const lines = [
        ...renderEvent(offer({ file: { ...FILE, name } }), view()),
        ...new Scroll().lines(event, view()),
      ];
      assert.equal(lines.length, 2);
      for (const line of lines) {
        assert.doesNotMatch(line, HIDDEN);
        assert.match(line, /^12:00 -!- /);
      }
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemberEvent, ReceiptEvent } from '../../../src/terminal/json-lines.ts';
import { lastSeenText } from '../../../src/terminal/view/dates.ts';
import type { RenderView } from '../../../src/terminal/view/entry.ts';
import { makePalette } from '../../../src/terminal/view/palette.ts';
import { Scroll } from '../../../src/terminal/view/scroll.ts';

const NOON = Date.parse('2026-11-21T12:00:00Z');
const SECOND = 1_000;
const palette = makePalette({ color: false });

function view(sinceNoonMs = 0, quiet = false): RenderView {
  const preferences = {
    timestamps: 'minutes',
    quiet,
    bell: 'on',
    notify: false,
    atDirect: false,
    theme: 'auto',
  } as const;
  return { palette, preferences, columns: 100, nowMs: NOON + sinceNoonMs, timeZone: 'UTC', self: 'sue' };
}

function receipt(state: ReceiptEvent['state'], nick: string, id: string): ReceiptEvent {
  return { type: 'receipt', id, state, member: { id: `id-${nick}`, nick } };
}

function member(change: MemberEvent['change'], nick: string, id = nick): MemberEvent {
  const about = {
    algorithm: 'rsa',
    fingerprint: 'F',
    role: 'member',
    online: true,
    away: false,
    muted: false,
  };
  return { type: 'member', change, member: { id: `id-${id}`, nick, ...about } };
}

/** A screen, and what it shows of receipts given at a second after noon and looked at a second later. */
function screen(quiet = false) {
  const scroll = new Scroll();
  const at = (second: number, ...events: readonly (ReceiptEvent | MemberEvent)[]): readonly string[] => {
    const lines = events.flatMap((event) => scroll.lines(event, view(second * SECOND, quiet)));
    return [...lines, ...scroll.tick(view((second + 1) * SECOND, quiet))];
  };
  return { scroll, at };
}

test('who is waited for is told once, and again when that changes', () => {
  const { at } = screen();
  assert.deepEqual(at(0, receipt('waiting', 'bob', '1'), receipt('waiting', 'carol', '1')), [
    '12:00 -!- What you say waits for bob, carol',
  ]);
  assert.deepEqual(at(2, receipt('waiting', 'bob', '2'), receipt('waiting', 'carol', '2')), []);
  assert.deepEqual(at(4, receipt('waiting', 'dan', '3'), receipt('waiting', 'eve', '3')), [
    '12:00 -!- What you say waits for bob, carol, dan and 1 more',
  ]);
});

test('who has all of it is told once, who has a part of it not yet', () => {
  const { at } = screen();
  at(0, receipt('waiting', 'bob', '1'), receipt('waiting', 'bob', '2'));
  assert.deepEqual(at(2, receipt('delivered', 'bob', '1')), []);
  assert.deepEqual(at(4, receipt('delivered', 'bob', '2')), [
    '12:00 -!- bob has received what you said while they were away',
  ]);
  assert.deepEqual(at(6, receipt('waiting', 'bob', '3')), ['12:00 -!- What you say waits for bob']);
});

test('P38 what was not kept is counted and told, quiet or not', () => {
  const { at } = screen();
  const quiet = screen(true);
  const waiting = ['1', '2', '3', '4'].map((id) => receipt('waiting', 'bob', id));
  const came = ['1', '2', '3'].map((id) => receipt('dropped', 'bob', id));
  const text = '12:00 -!- Warning: bob was away too long: 3 messages of yours were not kept for them';
  at(0, ...waiting);
  assert.deepEqual(at(2, ...came, receipt('delivered', 'bob', '4')), [
    text,
    '12:00 -!- bob has received what you said while they were away',
  ]);
  assert.deepEqual(quiet.at(0, ...waiting), []);
  assert.deepEqual(quiet.at(2, ...came, receipt('delivered', 'bob', '4')), [text]);
});

test('who was back before anything was told is no news', () => {
  const { at } = screen();
  assert.deepEqual(at(0, receipt('waiting', 'bob', '1'), receipt('delivered', 'bob', '1')), []);
});

test('a new nickname is used, and who is gone for good is waited for no more', () => {
  const { at } = screen();
  at(0, receipt('waiting', 'bob', '1'), receipt('waiting', 'carol', '1'));
  at(2, member('renamed', 'rob', 'bob'), member('removed', 'carol'));
  assert.deepEqual(at(4, receipt('waiting', 'dan', '2')), ['12:00 -!- What you say waits for rob, dan']);
});

test('away and back fold like who comes and goes, but for oneself', () => {
  const { scroll, at } = screen();
  assert.deepEqual(at(0, member('away', 'bob')), ['12:00 -!- bob is away']);
  assert.deepEqual(at(1, member('back', 'bob')), ['12:00 -!- bob is back']);
  for (const nick of ['a1', 'a2', 'a3']) at(2, member('away', nick));
  assert.deepEqual(at(20), ['12:00 -!- a2 and a3 are away']);
  const quiet = view(30 * SECOND, true);
  assert.deepEqual(scroll.lines(member('away', 'bob'), quiet), []);
  assert.deepEqual(scroll.lines(member('away', 'sue'), quiet), [
    '12:00 -!- You are away until you say something, or /back',
  ]);
  assert.deepEqual(scroll.lines(member('back', 'sue'), quiet), ['12:00 -!- You are back']);
});

test('last seen is a time within a day, then so many days ago', () => {
  const day = 24 * 3_600 * SECOND;
  const at = (agoMs: number): string => lastSeenText(NOON - agoMs, NOON, 'UTC');
  assert.deepEqual([0, 60 * SECOND, day - 1, day, 2 * day + 1, -60 * SECOND].map(at), [
    '12:00',
    '11:59',
    '12:00',
    '1 d ago',
    '2 d ago',
    '12:01',
  ]);
});

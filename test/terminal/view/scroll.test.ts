import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PLAIN_ROOM } from '../../../src/protocol/room-settings.ts';
import type { JoinedEvent, MemberEvent, MessageEvent, RoomEvent } from '../../../src/terminal/json-lines.ts';
import type { RenderView } from '../../../src/terminal/view/entry.ts';
import { mentions } from '../../../src/terminal/view/mention.ts';
import { makePalette } from '../../../src/terminal/view/palette.ts';
import type { Preferences } from '../../../src/terminal/view/preferences.ts';
import { Scroll } from '../../../src/terminal/view/scroll.ts';

const NOON = Date.parse('2026-11-21T12:00:00Z');
const SECOND = 1_000;
const DAY = 24 * 3_600 * SECOND;
const palette = makePalette({ color: false });

function view(nowMs = NOON, more: Partial<Preferences> = {}, columns = 80): RenderView {
  const usual: Preferences = {
    timestamps: 'minutes',
    quiet: false,
    bell: 'on',
    notify: false,
    atDirect: false,
    theme: 'auto',
  };
  return { palette, preferences: { ...usual, ...more }, columns, nowMs, timeZone: 'UTC', self: 'sue' };
}

function says(
  text: string,
  more: Partial<MessageEvent> & { nick?: string; atMs?: number } = {},
): MessageEvent {
  const { nick = 'ann', atMs = NOON, ...rest } = more;
  return {
    type: 'message',
    id: '1',
    conversation: 'c',
    kind: 'text',
    from: { id: `id-${nick}`, nick, algorithm: 'rsa' },
    text,
    at: new Date(atMs).toISOString(),
    own: false,
    mention: false,
    ...rest,
  };
}

const from = (id: string, nick: string) => ({ id: `id-${id}`, nick, algorithm: 'rsa' });

function member(change: MemberEvent['change'], nick: string, more: Partial<MemberEvent> = {}): MemberEvent {
  const about = {
    algorithm: 'rsa',
    fingerprint: 'F',
    role: 'member',
    online: true,
    away: false,
    muted: false,
  };
  return { type: 'member', change, member: { id: `id-${nick}`, nick, ...about }, ...more };
}

function joined(...nicks: readonly string[]): JoinedEvent {
  const settings = PLAIN_ROOM;
  return {
    type: 'joined',
    room: { id: 'R', name: 'tea', ...settings },
    self: { id: 'id-sue', nick: 'sue', fingerprint: 'F' },
    members: nicks.map((nick) => member('joined', nick).member),
    conversations: [],
  };
}

test('a day is named before the first line of another day, of the day the line is of', () => {
  const scroll = new Scroll();
  assert.deepEqual(scroll.lines(says('today'), view()), ['12:00 <ann> today']);
  assert.deepEqual(scroll.lines(says('missed', { atMs: NOON - DAY }), view()), [
    '--- Friday 20 November 2026 ---',
    '12:00 <ann> missed',
  ]);
  assert.deepEqual(scroll.lines(says('missed too', { atMs: NOON - DAY }), view()), [
    '12:00 <ann> missed too',
  ]);
  assert.deepEqual(scroll.lines(member('joined', 'bob'), view()), [
    '--- Saturday 21 November 2026 ---',
    '12:00 --> bob has joined',
  ]);
  assert.deepEqual(scroll.lines(says('late', { atMs: NOON + DAY }), view(NOON + DAY)), [
    '--- Sunday 22 November 2026 ---',
    '12:00 <ann> late',
  ]);
  assert.deepEqual(scroll.lines({ ...says('x'), at: 'never' }, view(NOON + DAY)), ['--:-- <ann> x']);
});

test('the first line is of today without a word, of yesterday with one', () => {
  assert.equal(new Scroll().lines(says('x'), view()).length, 1);
  assert.equal(new Scroll().lines(says('x', { atMs: NOON - DAY }), view()).length, 2);
});

test('what is new is marked once, before the first line that nobody saw come', () => {
  const scroll = new Scroll();
  scroll.look(false);
  assert.deepEqual(scroll.lines(says('a'), view()), ['12:00 <ann> a'], 'nothing was seen before');
  assert.deepEqual(scroll.lines(says('b'), view()), ['12:00 <ann> b']);
  scroll.look(true);
  scroll.tick(view(NOON + 60 * SECOND));
  scroll.look(false);
  scroll.look(false);
  assert.deepEqual(scroll.lines(says('c'), view(NOON + 120 * SECOND)), [
    '--- new since 12:01 ---',
    '12:00 <ann> c',
  ]);
  assert.deepEqual(scroll.lines(says('d'), view(NOON + 120 * SECOND)), ['12:00 <ann> d']);
  scroll.look(true);
  assert.deepEqual(scroll.lines(says('e'), view()), ['12:00 <ann> e']);
  scroll.look(false);
  scroll.look(true);
  assert.deepEqual(scroll.lines(says('f'), view()), ['12:00 <ann> f'], 'nothing came meanwhile');
});

test("one's own message is never what is new", () => {
  const scroll = new Scroll();
  scroll.lines(says('a'), view());
  scroll.look(false);
  assert.deepEqual(scroll.lines(says('mine', { own: true }), view()), ['12:00 <ann> mine']);
});

test('a rush of comings: the first few at once, the others in one line when the time has come', () => {
  const scroll = new Scroll();
  for (const nick of ['a1', 'a2', 'a3']) {
    assert.deepEqual(scroll.lines(member('joined', nick), view()), [`12:00 --> ${nick} has joined`]);
  }
  for (let number = 4; number <= 20; number += 1) {
    assert.deepEqual(scroll.lines(member('joined', `a${number}`), view(NOON + 5 * SECOND)), []);
  }
  assert.deepEqual(scroll.lines(member('left', 'a1'), view(NOON + 6 * SECOND)), []);
  assert.deepEqual(scroll.tick(view(NOON + 9 * SECOND)), []);
  assert.deepEqual(scroll.tick(view(NOON + 10 * SECOND)), [
    '12:00 --> a4, a5, a6 and 14 more have joined',
    '12:00 <-- a1 has left',
  ]);
  assert.deepEqual(scroll.tick(view(NOON + 30 * SECOND)), []);
});

test('a rush that goes on is folded from its first; after a quiet while comings are shown again', () => {
  const scroll = new Scroll();
  for (let number = 1; number <= 4; number += 1) scroll.lines(member('online', `a${number}`), view());
  assert.deepEqual(scroll.lines(member('online', 'a5'), view(NOON + 11 * SECOND)), [
    '12:00 --> a4 is back online',
  ]);
  assert.deepEqual(scroll.lines(member('online', 'a6'), view(NOON + 12 * SECOND)), []);
  assert.deepEqual(scroll.tick(view(NOON + 21 * SECOND)), ['12:00 --> a5 and a6 are back online']);
  assert.deepEqual(scroll.lines(member('offline', 'a6'), view(NOON + 40 * SECOND)), [
    '12:00 <-- a6 is offline',
  ]);
});

test('whatever else is shown comes after those who waited', () => {
  const scroll = new Scroll();
  for (let number = 1; number <= 5; number += 1) scroll.lines(member('joined', `a${number}`), view());
  assert.deepEqual(scroll.lines(says('hello'), view()), [
    '12:00 --> a4 and a5 have joined',
    '12:00 <ann> hello',
  ]);
});

test('a clock that is set back holds nobody waiting for ever', () => {
  const scroll = new Scroll();
  for (let number = 1; number <= 4; number += 1) scroll.lines(member('joined', `a${number}`), view());
  assert.deepEqual(scroll.tick(view(NOON - DAY)), [
    '--- Friday 20 November 2026 ---',
    '12:00 --> a4 has joined',
  ]);
});

test('quiet leaves out who comes and goes, never what is done to someone, nor alarms', () => {
  const scroll = new Scroll();
  const quiet = view(NOON, { quiet: true });
  for (const change of ['joined', 'left', 'online', 'offline'] as const) {
    assert.deepEqual(scroll.lines(member(change, 'bob'), quiet), []);
  }
  for (const change of ['removed', 'renamed', 'role', 'muted', 'unmuted', 'gone'] as const) {
    assert.equal(scroll.lines(member(change, 'bob'), quiet).length > 0, true, change);
  }
  const alarm = { type: 'notice', level: 'alarm', code: 'x', text: 'x' } as const;
  assert.equal(scroll.lines(alarm, quiet).length, 1);
});

test('who is ignored is not read, under no name, and is shown again when taken back', () => {
  const scroll = new Scroll();
  scroll.lines(joined('sue', 'ann', 'bob'), view());
  assert.equal(scroll.ignore('nobody'), 'nobody');
  assert.equal(scroll.ignore('ann'), 'ignored');
  assert.deepEqual(scroll.lines(says('hi'), view()), []);
  assert.deepEqual(scroll.lines(says('hi', { kind: 'emote' }), view()), []);
  const renamed = member('renamed', 'eve', { formerNick: 'ann' });
  const lines = scroll.lines({ ...renamed, member: { ...renamed.member, id: 'id-ann' } }, view());
  assert.equal(lines.length, 1, 'what happens to them is shown');
  assert.deepEqual(scroll.ignored, ['eve']);
  assert.equal(scroll.isIgnored('id-ann'), true);
  assert.deepEqual(scroll.lines(says('hi', { from: from('ann', 'eve') }), view()), []);
  assert.equal(scroll.lines(says('hi', { from: from('new', 'ann') }), view()).length, 1);
  assert.equal(scroll.ignore('ann'), 'nobody', 'the old name is nobody any more');
  assert.equal(scroll.unignore('ann'), false);
  assert.equal(scroll.unignore('eve'), true);
  assert.equal(scroll.lines(says('hi', { from: from('ann', 'eve') }), view()).length, 1);
});

test('who is ignored stays so when their account goes on under another key', () => {
  const scroll = new Scroll();
  scroll.lines(joined('sue', 'ann', 'bob'), view());
  scroll.ignore('ann');
  const changed = member('key-changed', 'ann');
  scroll.lines({ ...changed, member: { ...changed.member, id: 'id-new' } }, view());
  assert.deepEqual(scroll.lines(says('hi', { from: from('new', 'ann') }), view()), []);
  assert.deepEqual(scroll.ignored, ['ann']);
  assert.equal(scroll.unignore('ann'), true);
  assert.equal(scroll.lines(says('hi', { from: from('new', 'ann') }), view()).length, 1);
});

test('who has left can be ignored no more, and 200 are the most', () => {
  const scroll = new Scroll();
  const nicks = Array.from({ length: 201 }, (_, index) => `m${index}`);
  scroll.lines(joined(...nicks), view());
  scroll.lines(member('left', 'm0'), view());
  assert.deepEqual(
    nicks.map((nick) => scroll.ignore(nick)),
    nicks.map((nick) => (nick === 'm0' ? 'nobody' : 'ignored')),
  );
  scroll.lines(member('joined', 'late'), view());
  assert.equal(scroll.ignore('late'), 'too-many');
  assert.equal(scroll.ignored.length, 200);
});

test('search: all words, whatever their case or width, newest last, each with its date', () => {
  const scroll = new Scroll();
  scroll.lines(says('the KETTLE is on', { atMs: NOON - DAY }), view());
  scroll.lines(says('no tea', { nick: 'bob' }), view());
  scroll.lines(says('ｋettle, and tea', { nick: 'bob', kind: 'emote' }), view());
  assert.deepEqual(scroll.search('kettle', view()), [
    '12:00 -!- Found in 2 messages:',
    '20 Nov 12:00 <ann> the KETTLE is on',
    '21 Nov 12:00 * bob ｋettle, and tea',
  ]);
  assert.equal(scroll.search('TEA  kettle', view()).length, 2);
  assert.equal(scroll.search('bob tea', view()).length, 3);
  assert.match(scroll.search('coffee', view()).join('\n'), /Nothing was found/);
  assert.match(scroll.search('  ', view()).join('\n'), /Which words/);
  scroll.clear();
  assert.match(scroll.search('kettle', view()).join('\n'), /Nothing was found/);
});

// Once the quotes were searched for as well, and nothing was found.
test('search: what stands between quotes is one phrase', () => {
  const scroll = new Scroll();
  scroll.lines(says('The key is under the mat'), view());
  scroll.lines(says('Is the key here?'), view());
  assert.equal(scroll.search('key is', view()).length, 3);
  for (const query of ['"key is"', '“Key is”', '"key is" mat', '"key is'])
    assert.equal(scroll.search(query, view()).length, 2, query);
  assert.match(scroll.search('""', view()).join('\n'), /Which words/);
});

test('search: the words are marked where they stand, and of a long message only the rows that hold one', () => {
  const scroll = new Scroll();
  const found = { ...view(NOON, {}, 40), palette: { ...palette, found: (text: string) => `[${text}]` } };
  scroll.lines(says('ﬁne Tea, tea'), found);
  assert.deepEqual(scroll.search('tea FINE', found).at(1), '21 Nov 12:00 <ann> [ﬁne] [Tea], [tea]');
  scroll.lines(says(`${'word '.repeat(500)}needle here\nand more`), found);
  const [, ...rows] = scroll.search('needle', found);
  assert.equal(rows.length, 1);
  assert.match(rows.join(), /^21 Nov 12:00 <ann> (word )*\[needle\] here$/);
});

test('search: at most 20 are shown, and how many there were; 10,000 are kept', () => {
  const scroll = new Scroll();
  for (let number = 0; number < 30; number += 1) scroll.lines(says(`cup ${number}`), view());
  const lines = scroll.search('cup', view());
  assert.equal(lines[0], '12:00 -!- Found in 30 messages; add words to narrow it. The newest 20:');
  assert.equal(lines.length, 21);
  assert.equal(lines.at(-1), '21 Nov 12:00 <ann> cup 29');
  for (let number = 0; number < 10_000; number += 1) scroll.lines(says('other'), view());
  assert.match(scroll.search('cup', view()).join('\n'), /Nothing was found/);
  assert.match(scroll.search('other', view()).join('\n'), /Found in 10000 messages/);
});

test('search: of the longest messages as many as fit into the bytes', () => {
  const scroll = new Scroll();
  const long = 'x'.repeat(16_000);
  for (let number = 0; number < 1_000; number += 1) scroll.lines(says(`${long} n${number}`), view());
  const [, kept] = /Found in (\d+)/.exec(scroll.search('xxx', view())[0] ?? '') ?? [];
  assert.ok(Number(kept) > 100 && Number(kept) * 2 * 2 * 16_000 <= 8 * 1024 * 1024, String(kept));
  assert.match(scroll.search('n999', view()).join('\n'), /Found in 1 message:/);
});

test('search: what has disappeared is found no more, sooner where the time becomes shorter', () => {
  const goes = (afterMs: number): Partial<MessageEvent> => ({
    disappearsAt: new Date(NOON + afterMs).toISOString(),
  });
  const found = (scroll: Scroll, afterMs: number): number =>
    scroll.search('tea', view(NOON + afterMs)).length - 1;
  const set = (staySeconds: number): RoomEvent => ({
    type: 'room',
    changes: ['stay'],
    room: { id: 'R', name: 'tea', ...PLAIN_ROOM, staySeconds },
  });
  const scroll = new Scroll();
  scroll.lines(says('tea for a minute', goes(60 * SECOND)), view());
  scroll.lines(says('tea for two', goes(120 * SECOND)), view());
  scroll.lines(says('tea for ever'), view());
  assert.equal(found(scroll, 59 * SECOND), 3);
  scroll.tick(view(NOON + 60 * SECOND));
  assert.equal(found(scroll, 60 * SECOND), 2);
  scroll.lines(set(90), view(NOON + 61 * SECOND));
  assert.equal(found(scroll, 89 * SECOND), 2);
  assert.equal(found(scroll, 90 * SECOND), 0, 'said before, and not for ever any more');
  scroll.lines(says('tea again', goes(200 * SECOND)), view(NOON + 110 * SECOND));
  for (const staySeconds of [3_600, 0]) scroll.lines(set(staySeconds), view(NOON + 120 * SECOND));
  assert.equal(found(scroll, 199 * SECOND), 1);
  assert.equal(found(scroll, 200 * SECOND), 0, 'a longer time prolongs nothing');
});

// A host whose clock is behind must not make everything go at once that one has read as it came.
test('search: of what was read as it came the own clock counts, of what came late the earlier of both', () => {
  const scroll = new Scroll();
  const hour = 3_600 * SECOND;
  scroll.lines(says('tea live', { atMs: NOON - 5 * hour }), view());
  scroll.lines(says('tea late', { atMs: NOON - 5 * hour, away: true }), view());
  const room = { id: 'R', name: 'tea', ...PLAIN_ROOM, staySeconds: 3_600 };
  scroll.lines({ type: 'room', changes: ['stay'], room }, view());
  assert.match(scroll.search('tea', view(NOON + SECOND)).join(), /Found in 1 message:.*tea live/);
});

test('P42: neither a folded line nor a search shows anything uncleaned', () => {
  const HIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\u200b\u2060-\u206f\ufeff]/u;
  const check = (text: string): void => {
    const scroll = new Scroll();
    const shown: string[] = [];
    for (const columns of [40, Number.POSITIVE_INFINITY]) {
      const wide = view(NOON, {}, columns);
      for (let number = 0; number < 6; number += 1) shown.push(...scroll.lines(member('joined', text), wide));
      shown.push(...scroll.lines(says(text, { nick: text }), wide), ...scroll.search(text, wide));
    }
    for (const line of shown) {
      assert.doesNotMatch(line, HIDDEN);
      assert.ok(line.isWellFormed());
    }
  };
  check('\u001b[2J\u009b31m\r\n\u202e\u200b\ud800');
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 40 }), check), { numRuns: 50 });
});

test('a mention is the nickname as a word by itself', () => {
  for (const text of ['ann', 'Ann: look', '@ann', "ann's", 'so,ann', '(ANN)', 'ann- well', 'ann\nthere']) {
    assert.equal(mentions(text, 'ann'), true, text);
  }
  for (const text of ['joanna', 'ann-marie', 'mary-ann', 'ann_b', 'ann2', 'änn', 'anné', '', 'an n']) {
    assert.equal(mentions(text, 'ann'), false, text);
  }
  assert.equal(mentions('a_b-c d', 'a_b-c'), true);
  assert.equal(mentions('anything', '.*'), false);
});

test('what was sent while one was away stands under a line, once, and what is said now does not', () => {
  const scroll = new Scroll();
  const late = (text: string) => says(text, { away: true });
  scroll.lines(says('before'), view());
  scroll.look(false);
  assert.deepEqual(scroll.lines(late('one'), view()), [
    '--- sent while you were away ---',
    '12:00 <ann> one',
  ]);
  assert.deepEqual(scroll.lines(late('two'), view()), ['12:00 <ann> two']);
  assert.deepEqual(scroll.lines(says('my own', { own: true, nick: 'sue' }), view()), ['12:00 <sue> my own']);
  assert.deepEqual(scroll.lines(late('three'), view()), ['12:00 <ann> three']);
  assert.deepEqual(scroll.lines(says('now'), view()), ['12:00 <ann> now']);
  assert.equal(scroll.lines(late('away once more'), view()).length, 2);
});

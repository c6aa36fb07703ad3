/** What a person sees of answers, changes, deletions, reactions and of who has read. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type {
  DeletedEvent,
  EditedEvent,
  JsonEvent,
  MessageEvent,
  ReactionEvent,
  ReadEvent,
} from '../../../src/terminal/json-lines.ts';
import type { RenderView } from '../../../src/terminal/view/entry.ts';
import { makePalette } from '../../../src/terminal/view/palette.ts';
import type { Preferences } from '../../../src/terminal/view/preferences.ts';
import { Scroll } from '../../../src/terminal/view/scroll.ts';

const NOON = Date.parse('2026-11-21T12:00:00Z');
const MINUTE = 60_000;
const palette = makePalette({ color: false });

function view(more: Partial<Preferences> = {}, nowMs = NOON + MINUTE, columns = 80): RenderView {
  const preferences: Preferences = {
    timestamps: 'minutes',
    quiet: false,
    bell: 'on',
    notify: false,
    atDirect: false,
    theme: 'auto',
    ...more,
  };
  return { palette, preferences, columns, nowMs, timeZone: 'UTC', self: 'sue' };
}

function by(nick: string): { readonly id: string; readonly nick: string } {
  return { id: `id-${nick}`, nick };
}

/** What is the same of all that is about messages. */
function done(nick: string, id: string) {
  const at = new Date(NOON + MINUTE).toISOString();
  return { id, conversation: 'c', from: by(nick), at, own: nick === 'sue' };
}

function says(nick: string, id: string, text: string, more: Partial<MessageEvent> = {}): MessageEvent {
  const at = new Date(NOON).toISOString();
  const from = { ...by(nick), algorithm: 'rsa' as const };
  return { type: 'message', kind: 'text', text, mention: false, ...done(nick, id), from, at, ...more };
}

function edited(nick: string, id: string, text: string, more: Partial<EditedEvent> = {}): EditedEvent {
  return { type: 'edited', text, ...done(nick, id), ...more };
}

function deleted(nick: string, id: string, more: Partial<DeletedEvent> = {}): DeletedEvent {
  return { type: 'deleted', ...done(nick, id), ...more };
}

function reaction(nick: string, id: string, text: string, more: Partial<ReactionEvent> = {}): ReactionEvent {
  return { type: 'reaction', text, ...done(nick, id), ...more };
}

function read(nick: string, ofOwn = true): ReadEvent {
  const { own: _, ...rest } = done(nick, '1');
  return { type: 'read', ...rest, ofOwn };
}

function member(nick: string): JsonEvent {
  const about = {
    fingerprint: 'F',
    algorithm: 'rsa',
    role: 'member',
    online: true,
    away: false,
    muted: false,
  };
  return { type: 'member', change: 'joined', member: { ...by(nick), ...about } };
}

/** What a screen shows of events, from the first on. */
function shown(...events: readonly JsonEvent[]): readonly string[] {
  const scroll = new Scroll();
  return events.flatMap((event) => scroll.lines(event, view()));
}

describe('answers', () => {
  const to = (nick: string, excerpt?: string) => ({
    replyTo: { id: '1', from: by(nick), ...(excerpt !== undefined && { excerpt }) },
  });

  test('stand under a line that says to whom, with the quote at its end', () => {
    assert.deepEqual(shown(says('bob', '2', 'yes', to('ann', 'the kettle is on'))), [
      '12:00 -!- bob answers ann: the kettle is on',
      '12:00 <bob> yes',
    ]);
    assert.deepEqual(shown(says('bob', '2', 'yes', to('ann'))), [
      '12:00 -!- bob answers ann',
      '12:00 <bob> yes',
    ]);
  });

  test('name oneself, the author, and what nobody remembers as people would', () => {
    const first = (event: MessageEvent): string => shown(event)[0] ?? '';
    assert.equal(first(says('bob', '2', 'yes', to('sue', 'tea?'))), '12:00 -!- bob answers you: tea?');
    assert.equal(first(says('sue', '2', 'yes', to('bob', 'tea?'))), '12:00 -!- You answer bob: tea?');
    assert.equal(first(says('sue', '2', 'yes', to('sue', 'tea?'))), '12:00 -!- You answer yourself: tea?');
    assert.equal(first(says('bob', '2', 'yes', to('bob'))), '12:00 -!- bob answers themselves');
    const unknown = { replyTo: { id: '1' } };
    assert.equal(first(says('bob', '2', 'yes', unknown)), '12:00 -!- bob answers an earlier message');
  });

  test('quote nobody who is ignored', () => {
    const scroll = new Scroll();
    scroll.lines(member('ann'), view());
    scroll.ignore('ann');
    assert.deepEqual(scroll.lines(says('bob', '2', 'yes', to('ann', 'rude words')), view()), [
      '12:00 -!- bob answers ann',
      '12:00 <bob> yes',
    ]);
    assert.deepEqual(
      scroll.lines(reaction('bob', '1', '👍', { author: by('ann'), excerpt: 'rude words' }), view()),
      ['12:01 -!- bob reacts with 👍 to what ann said'],
    );
  });
});

describe('changes and deletions', () => {
  test('are lines of their own, because what was shown cannot be drawn again', () => {
    assert.deepEqual(
      shown(
        edited('ann', '1', 'hello', { before: 'helo' }),
        edited('sue', '2', 'hello', { before: 'helo' }),
        edited('ann', '3', 'hello'),
        edited('ann', '3', 'hello', { unknown: true }),
        edited('ann', '1', 'two\nlines', { before: 'one' }),
      ),
      [
        '12:01 -!- ann changed "helo" to: hello',
        '12:01 -!- You changed "helo" to: hello',
        '12:01 -!- ann changed a message to: hello',
        '12:01 -!- ann changed an earlier message to: hello',
        '12:01 -!- ann changed "one" to: two',
        '      | lines',
      ],
    );
  });

  test('what was deleted is named by its time and never shown again', () => {
    const saidAt = new Date(NOON - MINUTE).toISOString();
    const yesterday = new Date(NOON - 24 * 60 * MINUTE).toISOString();
    assert.deepEqual(
      shown(
        deleted('ann', '1', { saidAt }),
        deleted('sue', '2', { saidAt }),
        deleted('ann', '3', { saidAt: yesterday }),
        deleted('ann', '4', { unknown: true }),
      ),
      [
        '12:01 -!- ann deleted what they said at 11:59',
        '12:01 -!- You deleted what you said at 11:59',
        '12:01 -!- ann deleted what they said on 20 Nov at 12:00',
        '12:01 -!- ann deleted an earlier message',
      ],
    );
  });

  test('P42 neither text nor quote can look like another line, or be obeyed by a terminal', () => {
    const evil = '\u001b[2J"\r\n12:02 <bob> I owe ten\u202e';
    const lines = shown(
      edited('ann', '1', evil, { before: evil }),
      says('ann', '2', evil, { replyTo: { id: '1', from: by('bob'), excerpt: evil } }),
      reaction('ann', '2', evil, { author: by('bob'), excerpt: evil }),
    );
    for (const line of lines) {
      assert.match(line, /^(?:12:0[01] (?:-!- ann |<ann> )| {6}\| )/);
      assert.doesNotMatch(line, /[\p{Cc}\p{Cf}]/u);
    }
  });

  test('of who is ignored nothing is shown', () => {
    const scroll = new Scroll();
    scroll.lines(member('ann'), view());
    scroll.ignore('ann');
    for (const event of [
      edited('ann', '1', 'x'),
      deleted('ann', '1'),
      reaction('ann', '1', '👍'),
      read('ann'),
    ])
      assert.deepEqual(scroll.lines(event, view()), [], event.type);
    assert.deepEqual(scroll.tick(view({}, NOON + 2 * MINUTE)), []);
  });
});

test('reactions say what they stand under, and when they are taken back', () => {
  const ann = { author: by('ann'), excerpt: 'tea?' };
  assert.deepEqual(
    shown(
      reaction('bob', '1', '👍', ann),
      reaction('sue', '1', '👍', ann),
      reaction('ann', '1', '👍', ann),
      reaction('bob', '2', '👍', { author: by('sue'), excerpt: 'cake' }),
      reaction('bob', '1', '', ann),
      reaction('sue', '1', '', ann),
      reaction('bob', '9', '👍', { unknown: true }),
    ),
    [
      '12:01 -!- bob reacts with 👍 to what ann said: tea?',
      '12:01 -!- You react with 👍 to what ann said: tea?',
      '12:01 -!- ann reacts with 👍 to what they said: tea?',
      '12:01 -!- bob reacts with 👍 to what you said: cake',
      '12:01 -!- bob takes back the reaction to what ann said: tea?',
      '12:01 -!- You take back the reaction to what ann said: tea?',
      '12:01 -!- bob reacts with 👍 to an earlier message',
    ],
  );
});

describe('who has read what one said', () => {
  const later = (more: Partial<Preferences> = {}) => view(more, NOON + MINUTE + 10_000);

  test('is told together, once they say nothing for a while', () => {
    const scroll = new Scroll();
    for (const nick of ['ann', 'bob', 'carol', 'dan']) assert.deepEqual(scroll.lines(read(nick), view()), []);
    assert.deepEqual(scroll.tick(view({}, NOON + MINUTE + 9_999)), []);
    assert.deepEqual(scroll.tick(later()), ['12:01 -!- ann, bob, carol and 1 more have read what you said']);
    assert.deepEqual(scroll.tick(view({}, NOON + 5 * MINUTE)), []);
  });

  test('whoever answers has read it, and who has read nothing of one’s own is no news', () => {
    const scroll = new Scroll();
    for (const event of [read('ann'), read('bob'), read('carol', false), says('ann', '2', 'yes')])
      scroll.lines(event, view());
    assert.deepEqual(scroll.tick(later()), ['12:01 -!- bob has read what you said']);
  });

  test('is left out with /quiet', () => {
    const scroll = new Scroll();
    scroll.lines(read('ann'), view({ quiet: true }));
    assert.deepEqual(scroll.tick(later({ quiet: true })), []);
  });
});

describe('numbers', () => {
  test('stand before messages where they are wanted, and are the same when they are not', () => {
    const scroll = new Scroll();
    assert.deepEqual(scroll.lines(says('ann', 'a', 'one'), view()), ['12:00 <ann> one']);
    assert.deepEqual(scroll.lines(says('sue', 'b', 'two'), view({ ids: true })), ['12:00 #2 <sue> two']);
    assert.deepEqual(scroll.lines(says('ann', 'c', 'sue!', { mention: true }), view({ ids: true })), [
      '12:00 #3 ! <ann> sue!',
    ]);
    assert.deepEqual(
      [1, 2, 3, 4].map((number) => scroll.idOf(number)),
      ['a', 'b', 'c', null],
    );
  });

  test('are of what can still be answered: not of what was deleted, nor of long ago', () => {
    const scroll = new Scroll();
    scroll.lines(says('ann', 'a', 'one'), view());
    scroll.lines(says('ann', 'b', 'two'), view());
    assert.equal(scroll.latestOfOthers, 'b');
    scroll.lines(deleted('ann', 'b'), view());
    assert.deepEqual([scroll.latestOfOthers, scroll.idOf(2)], ['a', null]);
    scroll.lines(deleted('eve', 'a', { unknown: true }), view());
    assert.equal(scroll.latestOfOthers, 'a');
    for (let count = 0; count < 1_024; count += 1) scroll.lines(says('sue', `s${count}`, 'x'), view());
    assert.deepEqual([scroll.latestOfOthers, scroll.idOf(1), scroll.idOf(3)], [null, null, 's0']);
  });

  test('the latest of others is none that was left out', () => {
    const scroll = new Scroll();
    scroll.lines(member('eve'), view());
    scroll.lines(says('ann', 'a', 'one'), view());
    scroll.ignore('eve');
    scroll.lines(says('eve', 'b', 'two'), view());
    assert.equal(scroll.latestOfOthers, 'a');
  });
});

describe('search', () => {
  test('finds the new text, not the old one, and nothing that was deleted', () => {
    const scroll = new Scroll();
    const found = (words: string): number => scroll.search(words, view()).length - 1;
    scroll.lines(says('ann', 'a', 'the ketle is on'), view());
    scroll.lines(edited('ann', 'a', 'the kettle is on'), view());
    assert.deepEqual([found('ketle'), found('kettle')], [0, 1]);
    scroll.lines(deleted('ann', 'a'), view());
    assert.deepEqual([found('ketle'), found('kettle')], [0, 0]);
    // Of before this screen, or of before it was cleared.
    scroll.lines(edited('ann', 'z', 'from long ago', { unknown: true }), view());
    assert.equal(found('long ago'), 1);
  });

  test('nobody changes or deletes what it remembers of somebody else', () => {
    const scroll = new Scroll();
    scroll.lines(says('ann', 'a', 'I owe ten'), view());
    scroll.lines(edited('eve', 'a', 'I owe a thousand', { unknown: true }), view());
    scroll.lines(deleted('eve', 'a', { unknown: true }), view());
    assert.deepEqual(scroll.search('owe ten', view()).slice(1), ['21 Nov 12:00 <ann> I owe ten']);
  });
});

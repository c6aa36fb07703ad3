/** What becomes of what was said: who may change, delete and react to what, and what everyone is told of it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { sha256 } from '../../src/crypto/hash.ts';
import type { RosterMember } from '../../src/crypto/roster.ts';
import type { SessionEvent } from '../../src/member/events.ts';
import { MESSAGES_KEPT, MessageBook } from '../../src/member/message-book.ts';
import { u32 } from '../../src/protocol/bytes.ts';
import { idReference, messageId, type ReadContent } from '../../src/protocol/content.ts';
import type { Hash } from '../../src/protocol/identifiers.ts';
import { ROOM_CONVERSATION } from '../../src/protocol/identifiers.ts';
import { person } from '../helpers/people.ts';

const NOON = Date.UTC(2026, 0, 1, 12);
const ANN = person('ann');
const BOB = person('bob');
const EVE = person('eve');
const OPEN = { edits: true, readReceipts: true };

interface Given {
  readonly from: RosterMember;
  readonly kind: ReadContent['kind'];
  /** The id of the message that it is about. */
  readonly about?: string;
  readonly reference?: Uint8Array;
  readonly text?: string;
}

/** A log, and a book of everyone who follows it. */
class Log {
  readonly #books = new Map<RosterMember, MessageBook>();
  policy = OPEN;
  nowMs = NOON;
  #index = 0;
  #leaf: Hash = sha256();

  constructor(...followers: readonly RosterMember[]) {
    for (const self of followers) this.#books.set(self, new MessageBook(self.key, ROOM_CONVERSATION));
  }

  book(self: RosterMember): MessageBook {
    return this.#books.get(self) ?? assert.fail(self.nick);
  }

  /** Of the entry placed last. */
  get id(): string {
    return messageId(this.#leaf);
  }

  /** Places a content. @returns what each of the followers is told */
  place({ from, kind, about, reference, text = '' }: Given): ReadonlyMap<RosterMember, SessionEvent[]> {
    this.#index += 1;
    this.nowMs += 1;
    this.#leaf = sha256(u32(this.#index));
    const named = reference ?? (about === undefined ? new Uint8Array() : idReference(about));
    assert.ok(named);
    const content: ReadContent = { kind, text, reference: named };
    const told = [...this.#books].map(([self, book]) => {
      const placed = { leaf: this.#leaf, from, content, atMs: this.nowMs, own: self === from, ref: null };
      const effects = book.placed(placed, this.policy);
      return [self, effects.flatMap((effect) => (effect.kind === 'event' ? [effect.event] : []))] as const;
    });
    return new Map(told);
  }

  /** @returns its id */
  say(from: RosterMember, text: string): string {
    this.place({ from, kind: 'text', text });
    return this.id;
  }
}

/** What one follower is told, in short. */
function inShort(events: readonly SessionEvent[] = []): readonly string[] {
  return events.map((event) => {
    switch (event.kind) {
      case 'message':
        return `${event.from.nick} says ${event.text}, to ${event.replyTo?.from?.nick ?? null} ${event.replyTo?.excerpt ?? null}`;
      case 'edited':
        return `${event.from.nick} changes ${event.about.from?.nick ?? 'nobody'} ${event.about.excerpt}: ${event.text}`;
      case 'deleted':
        return `${event.from.nick} deletes ${event.about.from?.nick ?? 'nobody'}${event.about.excerpt}`;
      case 'reaction':
        return `${event.from.nick} reacts ${event.text} to ${event.about.from?.nick ?? 'nobody'} ${event.about.excerpt}`;
      case 'read':
        return `${event.from.nick} has read${event.ofOwn ? ' of yours' : ''}`;
      case 'notice':
        return `${event.level} ${event.code}: ${event.text}`;
      default:
        return event.kind;
    }
  });
}

/** A log that Ann and Bob follow, and what Bob is told. */
function talk() {
  const log = new Log(ANN, BOB);
  const bob = (given: Given) => inShort(log.place(given).get(BOB));
  return { log, bob };
}

describe('answers', () => {
  test('an answer names what it answers, as it is by then', () => {
    const { log, bob } = talk();
    const about = log.say(ANN, '  the kettle\n is on ');
    assert.deepEqual(bob({ from: BOB, kind: 'text', about, text: 'yes' }), [
      'bob says yes, to ann the kettle is on',
    ]);
    log.place({ from: ANN, kind: 'edit', about, text: 'the kettle is off' });
    assert.deepEqual(bob({ from: BOB, kind: 'emote', about, text: 'nods' }), [
      'bob says nods, to ann the kettle is off',
    ]);
    log.place({ from: ANN, kind: 'delete', about });
    assert.deepEqual(bob({ from: BOB, kind: 'text', about, text: 'what?' }), ['bob says what?, to ann ']);
  });

  test('an answer to what nobody remembers is shown as one; a reference that is no id is nothing', () => {
    const { log, bob } = talk();
    const about = messageId(sha256());
    assert.deepEqual(bob({ from: ANN, kind: 'text', about, text: 'yes' }), ['ann says yes, to null ']);
    const reference = new Uint8Array(8);
    assert.deepEqual(bob({ from: ANN, kind: 'text', reference, text: 'yes' }), [
      'ann says yes, to null null',
    ]);
    assert.equal(log.book(BOB).find(about), null);
  });

  test('what is quoted is short, on one row, and safe to show', () => {
    const { log } = talk();
    const about = log.say(EVE, `a\u001b[31m\n${'x'.repeat(16_000)}`);
    const [event] = log.place({ from: ANN, kind: 'text', about, text: 'hm' }).get(BOB) ?? [];
    assert.ok(event?.kind === 'message' && event.replyTo !== null);
    assert.equal(event.replyTo.excerpt, `a␛[31m ${'x'.repeat(40)}…`);
  });
});

describe('changes', () => {
  test('whoever said it changes it, again and again; the latest counts', () => {
    const { log, bob } = talk();
    const about = log.say(ANN, 'helo');
    assert.deepEqual(bob({ from: ANN, kind: 'edit', about, text: 'hello' }), ['ann changes ann helo: hello']);
    assert.deepEqual(bob({ from: ANN, kind: 'edit', about, text: 'hallo' }), [
      'ann changes ann hello: hallo',
    ]);
  });

  test('nobody changes or deletes what somebody else said, and who tries is named', () => {
    const { log, bob } = talk();
    const about = log.say(ANN, 'I owe ten');
    assert.deepEqual(bob({ from: EVE, kind: 'edit', about, text: 'I owe a thousand' }), [
      'warning not-theirs: eve tried to change what ann said.',
    ]);
    log.nowMs += 60_000;
    assert.deepEqual(bob({ from: EVE, kind: 'delete', about }), [
      'warning not-theirs: eve tried to delete what ann said.',
    ]);
    assert.equal(log.book(BOB).find(about)?.isDeleted, false);
    assert.deepEqual(bob({ from: BOB, kind: 'text', about, text: 'you do' }), [
      'bob says you do, to ann I owe ten',
    ]);
  });

  test('one who tries again and again is named once a minute', () => {
    const { log, bob } = talk();
    const about = log.say(ANN, 'mine');
    const tries = Array.from({ length: 100 }, () =>
      bob({ from: EVE, kind: 'edit', about, text: 'hers' }),
    ).flat();
    assert.equal(tries.length, 1);
    // Each kind of fault by itself, and each member.
    assert.equal(bob({ from: BOB, kind: 'edit', about, text: 'his' }).length, 1);
    assert.equal(bob({ from: EVE, kind: 'unknown' }).length, 1);
    log.nowMs += 60_000;
    assert.equal(bob({ from: EVE, kind: 'edit', about, text: 'hers' }).length, 1);
  });

  test('what is deleted stays so: no change, no reaction, and no second time', () => {
    const { log, bob } = talk();
    const about = log.say(ANN, 'oh no');
    log.place({ from: BOB, kind: 'reaction', about, text: '👍' });
    assert.deepEqual(bob({ from: ANN, kind: 'delete', about }), ['ann deletes ann']);
    assert.deepEqual(bob({ from: ANN, kind: 'delete', about }), []);
    assert.deepEqual(bob({ from: BOB, kind: 'reaction', about, text: '👎' }), []);
    assert.deepEqual(bob({ from: ANN, kind: 'edit', about, text: 'oh yes' }), [
      'warning was-deleted: ann tried to change what was deleted before.',
    ]);
    assert.equal(log.book(BOB).find(about)?.isDeleted, true);
  });

  test('a change of what nobody remembers is told as one of an earlier message, and never as its author’s', () => {
    const { log, bob } = talk();
    const about = log.say(ANN, 'long ago');
    for (let count = 0; count < MESSAGES_KEPT; count += 1) log.say(BOB, `${count}`);
    assert.equal(log.book(BOB).find(about), null);
    assert.deepEqual(bob({ from: EVE, kind: 'edit', about, text: 'x' }), ['eve changes nobody : x']);
    assert.deepEqual(bob({ from: EVE, kind: 'delete', about }), ['eve deletes nobody']);
    assert.deepEqual(bob({ from: EVE, kind: 'reaction', about, text: '👍' }), ['eve reacts 👍 to nobody ']);
    assert.deepEqual(bob({ from: EVE, kind: 'read', about }), []);
  });

  test('whose a message is that could not be opened, is known', () => {
    const { log, bob } = talk();
    const about = messageId(sha256());
    log.book(BOB).unopened(about, ANN, NOON);
    assert.deepEqual(bob({ from: EVE, kind: 'edit', about, text: 'x' }), [
      'warning not-theirs: eve tried to change what ann said.',
    ]);
    assert.deepEqual(bob({ from: ANN, kind: 'edit', about, text: 'x' }), ['ann changes ann : x']);
  });

  test('a room that allows no changes has none', () => {
    const { log, bob } = talk();
    const about = log.say(ANN, 'for good');
    log.policy = { edits: false, readReceipts: false };
    assert.deepEqual(bob({ from: ANN, kind: 'edit', about, text: 'for bad' }), [
      'warning edits-off: ann tried to change a message, which this room does not allow.',
    ]);
    log.nowMs += 60_000;
    assert.deepEqual(bob({ from: ANN, kind: 'delete', about }), [
      'warning edits-off: ann tried to delete a message, which this room does not allow.',
    ]);
    assert.deepEqual(bob({ from: ANN, kind: 'read', about }), []);
    assert.deepEqual(bob({ from: BOB, kind: 'text', about, text: 'yes' }), ['bob says yes, to ann for good']);
  });
});

describe('reactions', () => {
  test('one of each member: another takes its place, an empty one takes it back', () => {
    const { log, bob } = talk();
    const about = log.say(ANN, 'tea');
    const react = (from: RosterMember, text: string) => bob({ from, kind: 'reaction', about, text });
    assert.deepEqual(react(EVE, '👍'), ['eve reacts 👍 to ann tea']);
    assert.deepEqual(react(EVE, '👍'), []);
    assert.deepEqual(react(EVE, '👎'), ['eve reacts 👎 to ann tea']);
    assert.deepEqual(react(ANN, '👍'), ['ann reacts 👍 to ann tea']);
    assert.deepEqual(react(EVE, ''), ['eve reacts  to ann tea']);
    assert.deepEqual(react(EVE, ''), []);
    assert.deepEqual(react(EVE, '👎'), ['eve reacts 👎 to ann tea']);
  });

  test('one sign and no more: anything else is not shown', () => {
    const { log, bob } = talk();
    const about = log.say(ANN, 'tea');
    for (const text of ['👍🏽', '❤️', '🇨🇭', '👨‍👩‍👧', '1️⃣', 'é', 'क्षि', '?', 'x'])
      assert.equal(bob({ from: EVE, kind: 'reaction', about, text }).length, 1, text);
    const wrong = [
      'ok',
      '👍👍',
      ' ',
      '\u2800',
      '\u200b',
      '\n',
      '\u001b',
      'e\u0301\u0301\u0301\u0301\u0301',
      '\u202e',
    ];
    const long = '👩🏽‍❤️‍💋‍👨🏿';
    for (const text of [...wrong, long]) {
      log.nowMs += 60_000;
      assert.deepEqual(
        bob({ from: EVE, kind: 'reaction', about, text }),
        ['info not-shown: eve sent a message that this version cannot show.'],
        JSON.stringify(text),
      );
    }
  });

  test('a crowd that reacts is told of up to a bound', () => {
    const { log, bob } = talk();
    const about = log.say(ANN, 'tea');
    const crowd = Array.from({ length: 300 }, (_, place) => person(`m${place}`));
    const told = crowd.flatMap((from) => bob({ from, kind: 'reaction', about, text: '👍' }));
    assert.equal(told.length, 256);
  });
});

describe('reading', () => {
  test('it is told of others, forwards only, and whether one’s own is among it', () => {
    const log = new Log(ANN, BOB);
    const read = (from: RosterMember, about: string) => {
      const told = log.place({ from, kind: 'read', about });
      return [inShort(told.get(ANN)), inShort(told.get(BOB))];
    };
    const first = log.say(ANN, '1');
    const second = log.say(BOB, '2');
    const third = log.say(BOB, '3');
    assert.deepEqual(read(EVE, second), [['eve has read of yours'], ['eve has read of yours']]);
    assert.deepEqual(read(EVE, first), [[], []]);
    assert.deepEqual(read(EVE, second), [[], []]);
    assert.deepEqual(read(EVE, third), [['eve has read'], ['eve has read of yours']]);
    assert.deepEqual(read(BOB, first), [['bob has read of yours'], []]);
    assert.deepEqual(read(EVE, messageId(sha256())), [[], []]);
  });
});

describe('what is new', () => {
  test('a kind of a newer program is told as one that cannot be shown, and changes nothing', () => {
    const { log, bob } = talk();
    const about = log.say(ANN, 'tea');
    const [told] = log.place({ from: ANN, kind: 'unknown', about, text: 'votes' }).get(BOB) ?? [];
    assert.deepEqual(told, {
      kind: 'notice',
      level: 'info',
      code: 'not-shown',
      text: 'ann sent a message that this version cannot show.',
    });
    assert.deepEqual(bob({ from: ANN, kind: 'about', text: 'a name' }), []);
    for (const kind of ['edit', 'delete', 'reaction'] as const) {
      log.nowMs += 60_000;
      const noMessage = { from: ANN, kind, reference: new Uint8Array(3), text: '' };
      assert.deepEqual(bob(noMessage), ['info not-shown: ann sent a message that this version cannot show.']);
    }
  });

  test('the latest of one’s own is known, deleted or not', () => {
    const { log } = talk();
    assert.equal(log.book(BOB).latestOwn, null);
    const about = log.say(BOB, 'one');
    log.say(ANN, 'two');
    log.place({ from: BOB, kind: 'reaction', about, text: '👍' });
    assert.equal(log.book(BOB).latestOwn?.id, about);
    log.place({ from: BOB, kind: 'delete', about });
    assert.deepEqual([log.book(BOB).latestOwn?.id, log.book(BOB).latestOwn?.isDeleted], [about, true]);
  });
});

const PEOPLE = [ANN, BOB, EVE];
/** A message as a program makes it up from what it is told. */
interface Folded {
  readonly from: string;
  text: string;
  isDeleted: boolean;
  readonly reactions: Map<string, string>;
}

/** What a program knows that remembers all it was told, and no more. */
function fold(events: readonly SessionEvent[], known: Map<string, Folded>): void {
  for (const event of events) {
    if (event.kind === 'message')
      known.set(event.id, {
        from: event.from.nick,
        text: event.text,
        isDeleted: false,
        reactions: new Map(),
      });
    if (event.kind !== 'edited' && event.kind !== 'deleted' && event.kind !== 'reaction') continue;
    const message = known.get(event.about.id);
    assert.equal(message?.from, event.about.from?.nick);
    if (message === undefined) continue;
    if (event.kind === 'edited') message.text = event.text;
    else if (event.kind === 'deleted') message.isDeleted = true;
    else if (event.text === '') message.reactions.delete(event.from.nick);
    else message.reactions.set(event.from.nick, event.text);
    if (event.kind === 'deleted') message.reactions.clear();
  }
}

/** The same by the words of the document, with nothing forgotten and nothing told. */
function judge(known: Map<string, Folded>, { from, kind, about, text = '' }: Given, id: string): void {
  if (kind === 'text' || kind === 'emote')
    known.set(id, { from: from.nick, text, isDeleted: false, reactions: new Map() });
  const message = about === undefined ? undefined : known.get(about);
  if (message === undefined || message.isDeleted) return;
  const isAuthor = message.from === from.nick;
  if (kind === 'edit' && isAuthor) message.text = text;
  if (kind === 'delete' && isAuthor) {
    message.isDeleted = true;
    message.reactions.clear();
  }
  if (kind === 'reaction' && text === '') message.reactions.delete(from.nick);
  if (kind === 'reaction' && ['👍', 'x', '❤️'].includes(text)) message.reactions.set(from.nick, text);
}

/** What is the same for everyone, of what one is told. */
function common(event: SessionEvent): unknown {
  if (event.kind === 'read') return { ...event, ofOwn: null };
  return 'own' in event ? { ...event, own: null } : event;
}

test('whatever several members send, everyone comes to the same, and to what the rules say', () => {
  const step = fc.record({
    by: fc.nat(2),
    kind: fc.constantFrom<ReadContent['kind'][]>(
      ...([
        'text',
        'emote',
        'edit',
        'edit',
        'delete',
        'reaction',
        'reaction',
        'read',
        'about',
        'unknown',
      ] as const),
    ),
    /** Which of the entries so far it is about, from the latest on; 9: none, 8: one that never was. */
    back: fc.nat(9),
    text: fc.constantFrom('👍', 'x', '❤️', '', 'no reaction', 'a\u202eb'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const log = new Log(...PEOPLE);
      const entries: string[] = [];
      const ruled = new Map<string, Folded>();
      const folded = new Map(PEOPLE.map((self) => [self, new Map<string, Folded>()]));
      for (const { by, kind, back, text } of steps) {
        const from = PEOPLE[by] ?? ANN;
        const about = back === 9 ? undefined : (entries.at(-1 - back) ?? messageId(sha256()));
        const given: Given = { from, kind, text, ...(about !== undefined && { about }) };
        const told = log.place(given);
        entries.push(log.id);
        judge(ruled, given, log.id);
        const shared = PEOPLE.map((self) =>
          (told.get(self) ?? []).filter((event) => event.kind !== 'read').map(common),
        );
        assert.deepEqual(shared[1], shared[0]);
        assert.deepEqual(shared[2], shared[0]);
        for (const self of PEOPLE) fold(told.get(self) ?? [], folded.get(self) ?? assert.fail());
      }
      for (const self of PEOPLE) {
        assert.deepEqual(folded.get(self), ruled);
        for (const id of entries) {
          const { from, isDeleted } = log.book(self).find(id) ?? {};
          assert.deepEqual([from?.nick, isDeleted], [ruled.get(id)?.from, ruled.get(id)?.isDeleted]);
        }
      }
    }),
    { numRuns: 2_000 },
  );
});

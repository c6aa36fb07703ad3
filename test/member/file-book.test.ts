/** What becomes of files that were offered: by what a person decides, and by what happens on the way. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { RosterMember } from '../../src/crypto/roster.ts';
import { FileBook, type FileEffect, type Interruption } from '../../src/member/file-book.ts';
import type { Offered } from '../../src/member/file-record.ts';
import { OFFERS_KEPT, TAKERS_SAVED } from '../../src/member/saved-state.ts';
import { toBase64url, u32 } from '../../src/protocol/bytes.ts';
import { KEEP_FOR_MOST } from '../../src/protocol/file-frames.ts';
import type { FileOffer } from '../../src/protocol/file-offer.ts';
import {
  conversationId,
  hash,
  type IdKey,
  idKey,
  memberId,
  ROOM_CONVERSATION,
} from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';

function person(fill: number, nick: string): RosterMember {
  const id = memberId(new Uint8Array(16).fill(fill));
  return { key: idKey(id), memberId: id, nick } as RosterMember;
}
const ANN = person(1, 'ann');
const BOB = person(2, 'bob');
const CARL = person(3, 'carl');
const DORA = person(4, 'dora');

function offerOf(number: number, bytes = 1_000): FileOffer {
  const fileId = new Uint8Array(16);
  fileId.set(u32(number), 12);
  const key = new Uint8Array(32).fill(number);
  return { fileId, key, hash: hash(new Uint8Array(32)), bytes, manifestBytes: 0, files: 0 };
}
function offered(number: number, bytes?: number): Offered {
  return {
    offer: offerOf(number, bytes),
    name: `${number}.txt`,
    from: ANN,
    conversation: ROOM_CONVERSATION,
    atMs: 1_000,
  };
}
function idOf(number: number): string {
  return toBase64url(offerOf(number).fileId);
}
function short(effects: readonly FileEffect[]): string[] {
  return effects.map((effect) => {
    if (effect.kind === 'view') return `${effect.view.number} ${effect.view.state}`;
    if (effect.kind === 'tell') return `tell ${effect.what}`;
    return effect.kind;
  });
}

const ANY = { maxBytes: Number.POSITIVE_INFINITY, folder: null };
const NOW = { nowMs: 1_000_000 };
const isHere = (): boolean => true;

/** Somebody else's files 1, 2, …, offered. */
function bookWith(count: number): FileBook {
  const book = new FileBook();
  for (let number = 1; number <= count; number += 1) book.offered(offered(number), `message-${number}`);
  return book;
}

describe('a file of somebody else', () => {
  test('does nothing until it is accepted', () => {
    const book = new FileBook();
    assert.deepEqual(short(book.offered(offered(1), 'm')), ['1 offered']);
    assert.deepEqual(book.tick(NOW), []);
    assert.deepEqual(short(book.accept(null, ANY)), ['1 running', 'fetch']);
    assert.equal(book.views[0]?.state, 'running');
  });

  test('goes from being taken to being there', () => {
    const book = bookWith(1);
    book.accept([1], ANY);
    book.begun(idOf(1), '/downloads/1.txt', 0, NOW);
    book.progressed(idOf(1), 500, { nowMs: NOW.nowMs + 1_000 });
    const [view] = book.views;
    assert.deepEqual([view?.doneBytes, view?.bytesPerSecond, view?.leftMs], [500, 500, 1_000]);
    assert.deepEqual(short(book.checking(idOf(1))), ['1 checking']);
    assert.deepEqual(short(book.received(idOf(1), '/downloads/1 (2).txt')), ['1 done']);
    assert.equal(book.views[0]?.path, '/downloads/1 (2).txt');
    assert.throws(() => book.accept(null, ANY), /no file to accept/);
    // Gone from the disk since, perhaps.
    assert.deepEqual(short(book.accept([1], ANY)), ['1 running', 'fetch']);
  });

  test('is shown at most once a second while it moves', () => {
    const book = bookWith(1);
    book.accept([1], ANY);
    let shown = 0;
    for (let ms = 0; ms < 10_000; ms += 250) {
      book.progressed(idOf(1), ms / 20, { nowMs: NOW.nowMs + ms });
      shown += book.tick({ nowMs: NOW.nowMs + ms }).length;
    }
    assert.equal(shown, 10);
  });

  test('waits where as many are under way as may be, and goes on when one is done', () => {
    const book = bookWith(LIMITS.transfersPerMember + 2);
    const effects = short(book.accept('all', ANY));
    // One place stays for others than this sender.
    const most = LIMITS.transfersPerMember - 1;
    assert.equal(effects.filter((each) => each === 'fetch').length, most);
    assert.equal(effects.filter((each) => each.endsWith('queued')).length, 3);
    book.offered({ ...offered(9), from: BOB }, 'bobs');
    assert.deepEqual(short(book.acceptUnasked('bobs', () => true)), ['7 running', 'fetch']);
    assert.deepEqual(short(book.received(idOf(1), '/1')), ['1 done', '4 running', 'fetch']);
    assert.deepEqual(short(book.failed(idOf(2), 'no room')), ['2 failed', '5 running', 'fetch']);
  });

  test('of somebody who is gone is withdrawn', () => {
    const book = bookWith(2);
    book.offered({ ...offered(9), from: BOB }, 'bobs');
    book.accept([2], ANY);
    assert.deepEqual(short(book.memberGone(ANN)), ['stop', '1 withdrawn', 'stop', '2 withdrawn']);
    assert.equal(book.views[2]?.state, 'offered');
  });

  test('that stops is tried again, later and later, and at once when its sender is back', () => {
    const book = bookWith(1);
    book.accept(null, ANY);
    let { nowMs } = NOW;
    const waits: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) {
      book.interrupted(idOf(1), 'lost', { nowMs, isHere });
      const fromMs = nowMs;
      while (book.views[0]?.state === 'waiting') {
        nowMs += 250;
        book.tick({ nowMs });
      }
      waits.push(nowMs - fromMs);
    }
    assert.deepEqual(waits, [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    book.interrupted(idOf(1), 'away', { nowMs, isHere });
    assert.deepEqual(short(book.present(BOB)), []);
    assert.deepEqual(short(book.present(ANN)), ['1 running', 'fetch']);
  });

  test('that is interrupted for long is told of once, with the reason', () => {
    const book = bookWith(1);
    book.accept(null, ANY);
    let { nowMs } = NOW;
    const told: string[] = [];
    for (let attempt = 0; attempt < 6; attempt += 1) {
      told.push(...short(book.interrupted(idOf(1), 'away', { nowMs, isHere })));
      nowMs += 20_000;
      book.tick({ nowMs });
    }
    assert.deepEqual(told, ['1 waiting']);
  });

  describe('that the host knows nothing of', () => {
    let book: FileBook;
    let nowMs: number;
    let isSenderHere: boolean;
    const ENOUGH = LIMITS.transferAnswerMs;

    beforeEach(() => {
      book = bookWith(1);
      book.accept(null, ANY);
      [nowMs, isSenderHere] = [NOW.nowMs, true];
    });

    /** After that time, the host is asked once more. */
    function says(why: Interruption, afterMs: number): string | undefined {
      nowMs += afterMs;
      book.tick({ nowMs });
      book.interrupted(idOf(1), why, { nowMs, isHere: () => isSenderHere });
      return book.views[0]?.state;
    }

    test('although its sender is here all the while has failed, and may be accepted again', () => {
      assert.deepEqual(short(book.interrupted(idOf(1), 'unknown', { nowMs, isHere })), ['1 waiting']);
      assert.match(
        book.views[0]?.problem ?? '',
        /It goes on if they offer it again; \/cancel gives it up\.$/,
      );
      assert.equal(says('unknown', ENOUGH - 1), 'waiting');
      assert.equal(says('unknown', 1), 'failed');
      assert.match(book.views[0]?.problem ?? '', /and no longer offers it: ask for it to be sent again\.$/);
      assert.deepEqual(book.tick({ nowMs: nowMs + 60_000 }), []);
      assert.deepEqual(short(book.accept([1], ANY)), ['1 running', 'fetch']);
      assert.equal(says('unknown', 0), 'waiting');
    });

    test('is waited for while its sender is not here, and for as long from then on', () => {
      isSenderHere = false;
      for (const ms of [0, ENOUGH, ENOUGH]) assert.equal(says('unknown', ms), 'waiting');
      isSenderHere = true;
      assert.equal(says('unknown', 3_600_000), 'waiting');
      isSenderHere = false;
      assert.equal(says('unknown', ENOUGH), 'waiting');
      isSenderHere = true;
      assert.equal(says('unknown', 1), 'waiting');
      assert.equal(says('unknown', ENOUGH), 'failed');
    });

    for (const [what, happens] of [
      ["one's own line began anew", () => book.live()],
      ['its sender is back', () => book.present(ANN)],
      ['the host knew of it in between', () => says('lost', 0)],
    ] as const)
      test(`is waited for anew once ${what}`, () => {
        assert.equal(says('unknown', 0), 'waiting');
        nowMs += ENOUGH;
        book.tick({ nowMs });
        happens();
        assert.equal(says('unknown', 0), 'waiting');
        assert.equal(says('unknown', ENOUGH - 1), 'waiting');
        assert.equal(says('unknown', 1), 'failed');
      });

    test('is withdrawn with its message, also where it has failed for that already, and for nothing else', () => {
      says('unknown', 0);
      says('unknown', ENOUGH);
      assert.deepEqual(book.messageDeleted('message-1', BOB, ROOM_CONVERSATION), []);
      const effects = book.messageDeleted('message-1', ANN, ROOM_CONVERSATION);
      assert.deepEqual(short(effects), ['stop', '1 withdrawn']);
      assert.ok(effects[0]?.kind === 'stop' && effects[0].part !== null);
      assert.equal(book.views[0]?.problem, null);
      const other = bookWith(1);
      other.accept(null, ANY);
      other.failed(idOf(1), 'no room');
      assert.deepEqual(other.messageDeleted('message-1', ANN, ROOM_CONVERSATION), []);
    });
  });

  test('that is larger than may be taken is not taken, and stays offered', () => {
    const book = bookWith(1);
    assert.throws(() => book.accept(null, { ...ANY, maxBytes: 999 }), /--max-file/);
    assert.equal(book.views[0]?.state, 'offered');
  });

  test('can be declined, which its sender is told, and accepted all the same', () => {
    const book = bookWith(1);
    assert.deepEqual(short(book.decline(null)), ['1 declined', 'tell decline']);
    assert.throws(() => book.decline(null), /no file to decline/);
    assert.deepEqual(short(book.accept([1], ANY)), ['1 running', 'fetch']);
  });

  test('can be cancelled while it is under way, and what comes afterwards changes nothing', () => {
    const book = bookWith(1);
    assert.throws(() => book.cancel(null), /no file to cancel/);
    book.accept(null, ANY);
    assert.deepEqual(short(book.cancel([1])), ['stop', '1 cancelled']);
    assert.deepEqual(short(book.failed(idOf(1), 'no room')), []);
    assert.deepEqual(short(book.interrupted(idOf(1), 'lost', { ...NOW, isHere })), []);
    assert.equal(book.views[0]?.state, 'cancelled');
  });

  test('is withdrawn with the message that offered it', () => {
    const book = bookWith(2);
    book.accept([1], ANY);
    assert.deepEqual(short(book.messageDeleted('message-1', ANN, ROOM_CONVERSATION)), [
      'stop',
      '1 withdrawn',
    ]);
    assert.deepEqual(short(book.messageDeleted('message-2', ANN, ROOM_CONVERSATION)), [
      'stop',
      '2 withdrawn',
    ]);
    assert.deepEqual(short(book.messageDeleted('message-2', ANN, ROOM_CONVERSATION)), []);
    assert.throws(() => book.accept([1], ANY), /File 1 is withdrawn/);
  });

  test('is not withdrawn by anyone else, or by what is taken back in another conversation', () => {
    const book = bookWith(1);
    book.accept(null, ANY);
    assert.deepEqual(book.messageDeleted('message-1', BOB, ROOM_CONVERSATION), []);
    const elsewhere = conversationId(new Uint8Array(16).fill(1));
    assert.deepEqual(book.messageDeleted('message-1', ANN, elsewhere), []);
    assert.equal(book.views[0]?.state, 'running');
  });

  test('is gone with the message, where messages disappear, unless it is under way', () => {
    const book = bookWith(2);
    book.accept([2], ANY);
    assert.deepEqual(short(book.expire(1_000)), []);
    assert.deepEqual(short(book.expire(1_001)), []);
    assert.deepEqual(
      book.views.map(({ number }) => number),
      [2],
    );
  });

  test('of a folder is as large as what is in it', () => {
    const book = new FileBook();
    const folder = { ...offerOf(1, 1_000), manifestBytes: 400, files: 3 };
    book.offered({ ...offered(1), offer: folder }, 'm');
    book.accept(null, ANY);
    book.progressed(idOf(1), 700, NOW);
    const [view] = book.views;
    assert.deepEqual([view?.bytes, view?.doneBytes, view?.files], [600, 300, 3]);
  });

  test('is taken unasked by what its own message says, whatever else names it', () => {
    const book = new FileBook();
    const small = (from: RosterMember, { bytes }: FileOffer): boolean => from.key === BOB.key && bytes < 100;
    book.offered(offered(1, 10 ** 9), 'large');
    assert.deepEqual(book.acceptUnasked('large', small), []);
    const again = { ...offered(1, 50), from: BOB };
    assert.deepEqual(book.offered(again, 'small'), []);
    assert.deepEqual(book.acceptUnasked('small', small), []);
    assert.equal(book.views[0]?.state, 'offered');
    book.offered({ ...offered(2, 50), from: BOB }, 'other');
    assert.deepEqual(short(book.acceptUnasked('other', small)), ['2 running', 'fetch']);
  });

  test('that was named before it was cancelled is there', () => {
    const book = bookWith(1);
    book.accept(null, ANY);
    book.checking(idOf(1));
    book.cancel(null);
    assert.deepEqual(short(book.received(idOf(1), '/1')), ['1 done']);
  });

  test('is numbered once, however often it is offered', () => {
    const book = bookWith(1);
    assert.deepEqual(book.offered(offered(1), 'another'), []);
    assert.equal(book.views.length, 1);
  });

  test('is forgotten when there are too many, but for what is under way', () => {
    const book = bookWith(1);
    book.accept(null, ANY);
    for (let number = 2; number <= 2 * OFFERS_KEPT; number += 1) book.offered(offered(number), `${number}`);
    assert.equal(book.views.length, OFFERS_KEPT);
    assert.equal(book.views[0]?.number, 1);
  });

  test('is not remembered where all that is remembered is to be taken', () => {
    const book = new FileBook();
    for (let number = 1; number <= 2 * OFFERS_KEPT; number += 1) {
      book.offered(offered(number), `${number}`);
      book.acceptUnasked(`${number}`, () => true);
    }
    assert.equal(book.views.length, OFFERS_KEPT);
    assert.equal(book.save().length, OFFERS_KEPT);
    assert.equal(book.views.at(-1)?.number, OFFERS_KEPT);
  });
});

describe("one's own file", () => {
  test('is not served from a place that it does not have', () => {
    const book = new FileBook();
    book.serve(offered(1), '/home/1.txt');
    assert.deepEqual(book.wanted(idOf(1), 7, 1), []);
    assert.deepEqual(short(book.wanted(idOf(1), 7, 0)), ['serve']);
  });

  test('is told to the host, served to whoever wants it, and told again on a new line', () => {
    const book = new FileBook();
    assert.deepEqual(short(book.serve(offered(1), '/home/1.txt')), ['1 offered', 'tell offer']);
    assert.deepEqual(short(book.wanted(idOf(1), 7, 0)), ['serve']);
    assert.deepEqual(short(book.wanted(idOf(2), 7, 3)), []);
    assert.deepEqual(short(book.live()), ['tell offer']);
    assert.deepEqual(book.own(idOf(1))?.place, '/home/1.txt');
  });

  test('shows how far the slowest is who takes it', () => {
    const book = new FileBook();
    book.serve(offered(1), '/1');
    book.taken(idOf(1), ANN, 'running', 900, NOW);
    book.taken(idOf(1), BOB, 'running', 100, NOW);
    assert.deepEqual([book.views[0]?.state, book.views[0]?.doneBytes], ['running', 100]);
    assert.deepEqual(short(book.taken(idOf(1), BOB, 'done', 1_000, NOW)), ['1 running']);
    book.taken(idOf(1), ANN, 'stopped', 900, NOW);
    assert.equal(book.views[0]?.state, 'offered');
    // A line that ends afterwards takes nothing from who has it.
    book.taken(idOf(1), BOB, 'stopped', 0, NOW);
    assert.equal(book.views[0]?.takers.find(({ member }) => member === BOB)?.state, 'done');
  });

  test('says no more of anyone than there is, whatever the host says', () => {
    const book = new FileBook();
    book.serve(offered(1), '/1');
    book.taken(idOf(1), BOB, 'running', 10 ** 12, NOW);
    assert.equal(book.views[0]?.takers[0]?.doneBytes, 1_000);
  });

  test('is taken back, and is not served any more', () => {
    const book = new FileBook();
    book.serve(offered(1), '/1');
    assert.deepEqual(short(book.cancel(null)), ['stop', 'tell withdraw', '1 cancelled']);
    assert.deepEqual(book.wanted(idOf(1), 1, 0), []);
    assert.deepEqual(book.live(), []);
  });

  test('is to wait at the host for who is away once it has its place, until it does or need not', () => {
    const book = new FileBook();
    const told = (effects: readonly FileEffect[]): unknown[] =>
      effects.flatMap((effect) => (effect.kind === 'tell' ? [effect.keepFor ?? []] : []));
    assert.deepEqual(told(book.serve(offered(1), '/1')), [[]]);
    const absent = [ANN.memberId, BOB.memberId];
    assert.deepEqual(told(book.offered(offered(1), 'placed', { absent: () => absent, readers: () => [] })), [
      absent,
    ]);
    // It is read once more, and those who are away are others.
    assert.deepEqual(
      told(book.offered(offered(1), 'placed', { absent: () => absent, readers: () => [] })),
      [],
    );
    assert.deepEqual(told(book.live()), [absent]);
    const find = (): RosterMember => BOB;
    const later = new FileBook(book.save(), find, BOB.key);
    assert.deepEqual(told(later.live()), [absent]);
    book.taken(idOf(1), ANN, 'running', 1, NOW);
    assert.deepEqual(told(book.live()), [absent]);
    const { revision } = book;
    assert.deepEqual(short(book.taken(idOf(1), ANN, 'kept', 0, NOW)), ['1 offered']);
    assert.notEqual(book.revision, revision);
    assert.deepEqual(told(book.live()), [[BOB.memberId]]);
    book.taken(idOf(1), BOB, 'declined', 0, NOW);
    assert.deepEqual(told(book.live()), [[]]);
    // Said again on each new line, it is shown once.
    assert.deepEqual(short(book.taken(idOf(1), ANN, 'kept', 0, NOW)), []);
  });

  test('for which the host has no room is told of as that, and is still to wait there', () => {
    const book = new FileBook();
    book.serve(offered(1), '/1');
    book.offered(offered(1), 'placed', { absent: () => [BOB.memberId], readers: () => [BOB.key] });
    assert.deepEqual(short(book.taken(idOf(1), BOB, 'unkept', 0, NOW)), ['1 offered']);
    assert.equal(book.views[0]?.takers[0]?.state, 'unkept');
    assert.deepEqual(short(book.taken(idOf(1), BOB, 'unkept', 0, NOW)), []);
    const [told] = book.live();
    assert.ok(told?.kind === 'tell');
    assert.deepEqual(told.keepFor, [BOB.memberId]);
    assert.deepEqual(short(book.taken(idOf(1), BOB, 'kept', 0, NOW)), ['1 offered']);
  });

  test('that is under way to somebody stays so where the host has no room for it to wait', () => {
    const book = new FileBook();
    book.serve(offered(1), '/1');
    book.taken(idOf(1), BOB, 'running', 10, NOW);
    assert.deepEqual(book.taken(idOf(1), BOB, 'unkept', 0, NOW), []);
    const [view] = book.views;
    assert.deepEqual([view?.state, view?.doneBytes, view?.takers[0]?.state], ['running', 10, 'running']);
  });

  test('waits for no more than one offer may name', () => {
    const book = new FileBook();
    book.serve(offered(1), '/1');
    const many = Array.from({ length: KEEP_FOR_MOST + 1 }, (_, at) => memberId(new Uint8Array(16).fill(at)));
    const [effect] = book.offered(offered(1), 'placed', { absent: () => many, readers: () => [] });
    assert.ok(effect?.kind === 'tell');
    assert.deepEqual(effect.keepFor, many.slice(0, KEEP_FOR_MOST));
  });

  test('that has changed fails, and is served no more', () => {
    const book = new FileBook();
    book.serve(offered(1), '/1');
    assert.deepEqual(short(book.spoiled(idOf(1), 'it has changed')), ['tell withdraw', '1 failed']);
    assert.equal(book.views[0]?.problem, 'it has changed');
  });

  test('may be over without being taken back', () => {
    const book = new FileBook();
    book.serve({ ...offered(1), from: BOB }, '/x');
    book.offered({ ...offered(1), from: BOB }, 'placed');
    book.taken(idOf(1), ANN, 'done', 1_000, NOW);
    // The message stays: nothing is unsaid.
    assert.deepEqual(short(book.finish(idOf(1))), ['stop', 'tell withdraw', '1 done']);
    assert.deepEqual(book.finish(idOf(1)), []);
    assert.deepEqual(book.wanted(idOf(1), 1, 0), []);
    assert.deepEqual([book.save(), book.live()], [[], []]);
  });

  test('does not take on what somebody else says under its name', () => {
    const book = new FileBook();
    book.serve({ ...offered(1), from: BOB }, '/1');
    assert.deepEqual(book.offered(offered(1), 'foreign'), []);
    assert.equal(book.views[0]?.message, null);
    assert.deepEqual(short(book.offered({ ...offered(1), from: BOB }, 'own')), ['1 offered']);
    assert.equal(book.views[0]?.message, 'own');
  });

  test('is told of as taken back later, where there was no line to tell it on', () => {
    const book = new FileBook();
    book.serve(offered(1), '/1');
    for (const effect of book.cancel(null))
      if (effect.kind === 'tell') book.untold(effect.what, effect.offer);
    assert.deepEqual(short(book.live()), ['tell withdraw']);
    assert.deepEqual(short(book.live()), []);
  });

  test('is gone with the message, where messages disappear, unless somebody takes it', () => {
    const book = new FileBook();
    book.serve(offered(1), '/1');
    book.serve(offered(2), '/2');
    book.taken(idOf(2), BOB, 'running', 10, NOW);
    assert.deepEqual(short(book.expire(1_001)), ['stop', 'tell withdraw']);
    assert.deepEqual(
      book.views.map(({ number }) => number),
      [2],
    );
  });

  const find = (id: Uint8Array): RosterMember | undefined =>
    [ANN, BOB, CARL, DORA].find(({ memberId: each }) => idKey(each) === idKey(id));

  /** As many of bob's as there may be, for ann and carl. */
  function full(): FileBook {
    const book = new FileBook();
    for (let number = 1; number <= LIMITS.offersPerMember; number += 1) {
      book.serve({ ...offered(number), from: BOB }, '/x');
      book.offered({ ...offered(number), from: BOB }, `${number}`, {
        absent: () => [],
        readers: () => [ANN.key, CARL.key],
      });
    }
    return book;
  }
  const readers = (): readonly IdKey[] => [ANN.key, CARL.key, DORA.key];

  let another = 1_000;
  /** One more is offered. @returns what becomes of those before */
  function next(book: FileBook, readersOf: () => readonly IdKey[] | null = readers): string[] {
    another += 1;
    book.serve({ ...offered(another), from: BOB }, '/x', readersOf);
    return short(book.letGo(readersOf));
  }

  test('gives its place to another once all that it was for have it, or do not want it', () => {
    const book = full();
    for (const number of [3, 4]) {
      book.taken(idOf(number), ANN, 'done', 1_000, NOW);
      book.taken(idOf(number), CARL, 'declined', 0, NOW);
    }
    // Dora has come since, and cannot open it. As long as there is no other it stands.
    assert.deepEqual(book.letGo(readers), []);
    assert.deepEqual(next(book), ['stop', 'tell withdraw', '3 done']);
    assert.deepEqual(book.letGo(readers), []);
    assert.deepEqual(next(book), ['stop', 'tell withdraw', '4 done']);
    assert.throws(() => next(book), /as many as there can be/);
  });

  test('keeps its place while anyone who it was for and who is still there may take it', () => {
    const book = full();
    book.taken(idOf(1), ANN, 'done', 1_000, NOW);
    book.taken(idOf(1), CARL, 'running', 10, NOW);
    assert.throws(() => next(book), /as many as there can be/);
    book.taken(idOf(1), CARL, 'stopped', 10, NOW);
    assert.throws(() => next(book), /as many as there can be/);
    // Of a conversation that one has left it is not known who is there.
    assert.throws(() => next(book, () => null), /as many as there can be/);
    assert.deepEqual(
      next(book, () => [ANN.key]),
      ['stop', 'tell withdraw', '1 done'],
    );
  });

  test('of an earlier run gives its place as well: who has it, and who else could read it, is saved', () => {
    const book = full();
    const revision = book.revision;
    book.taken(idOf(1), ANN, 'done', 1_000, NOW);
    book.taken(idOf(1), CARL, 'running', 10, NOW);
    assert.equal(book.revision, revision + 1);
    const later = new FileBook(book.save(), find, BOB.key);
    assert.deepEqual(later.views[0]?.takers, [{ member: ANN, state: 'done', doneBytes: 1_000 }]);
    assert.throws(() => next(later), /as many as there can be/);
    later.taken(idOf(1), CARL, 'declined', 0, NOW);
    const last = new FileBook(later.save(), find, BOB.key);
    assert.equal(last.countStanding(readers), LIMITS.offersPerMember - 1);
    assert.deepEqual(next(last), ['stop', 'tell withdraw', '1 done']);
  });

  test('of an earlier run stays for whoever did not want it and takes it after all', () => {
    const book = full();
    book.taken(idOf(1), CARL, 'done', 1_000, NOW);
    book.taken(idOf(1), ANN, 'declined', 0, NOW);
    const later = new FileBook(book.save(), find, BOB.key);
    assert.equal(later.countStanding(readers), LIMITS.offersPerMember - 1);
    const { revision } = later;
    later.taken(idOf(1), ANN, 'declined', 0, NOW);
    assert.equal(later.revision, revision);
    later.taken(idOf(1), ANN, 'running', 10, NOW);
    assert.equal(later.revision, revision + 1);
    assert.throws(() => next(later), /as many as there can be/);
  });

  test('of an earlier run has nothing of who is gone, and nothing of a file at whoever did not want it', () => {
    const book = full();
    book.taken(idOf(1), CARL, 'done', 1_000, NOW);
    book.taken(idOf(1), ANN, 'declined', 500, NOW);
    const isThere = (id: Uint8Array) => (idKey(id) === CARL.key ? undefined : find(id));
    const later = new FileBook(book.save(), isThere, BOB.key);
    assert.deepEqual(later.views[0]?.takers, [{ member: ANN, state: 'declined', doneBytes: 0 }]);
  });

  test('that very many have is saved with the latest of them', () => {
    const book = full();
    const crowd = Array.from({ length: TAKERS_SAVED + 1 }, (_, index) => {
      const id = memberId(offerOf(index).fileId);
      return { ...ANN, key: idKey(id), memberId: id };
    });
    for (const member of crowd) book.taken(idOf(1), member, 'done', 1_000, NOW);
    const [saved] = book.save();
    assert.deepEqual([saved?.settled.length, saved?.readers[0]?.length], [TAKERS_SAVED, 2]);
    assert.deepEqual(saved?.settled.at(-1)?.memberId, crowd.at(-1)?.memberId);
  });

  test('that waits at the host does so for a later run, which the host tells of it', () => {
    const book = full();
    book.taken(idOf(1), ANN, 'kept', 0, NOW);
    book.taken(idOf(1), CARL, 'done', 1_000, NOW);
    const later = new FileBook(book.save(), find, BOB.key);
    assert.throws(() => next(later), /as many as there can be/);
    later.taken(idOf(1), ANN, 'kept', 0, NOW);
    assert.deepEqual(next(later), ['stop', '1 done']);
  });

  test('of more than are remembered stays: nobody knows who may still take it', () => {
    const saved = (count: number) => {
      const book = new FileBook();
      const keys = Array.from({ length: count }, (_, index) => idKey(offerOf(index).fileId));
      book.serve({ ...offered(1), from: BOB }, '/x');
      book.offered({ ...offered(1), from: BOB }, 'm', { absent: () => [], readers: () => keys });
      return new FileBook(book.save(), find, BOB.key);
    };
    const nobody = (): readonly IdKey[] => [];
    assert.equal(saved(TAKERS_SAVED).countStanding(nobody), 0);
    assert.equal(saved(TAKERS_SAVED + 1).countStanding(nobody), 1);
  });

  test('of which nobody was told in an earlier run stays: it has no readers yet', () => {
    const book = new FileBook();
    book.serve({ ...offered(1), from: BOB }, '/x');
    assert.equal(
      new FileBook(book.save(), find, BOB.key).countStanding(() => []),
      1,
    );
  });

  test('that waits at the host is told to be over there once nobody is waited for', () => {
    const book = full();
    book.taken(idOf(1), ANN, 'kept', 0, NOW);
    book.taken(idOf(1), CARL, 'kept', 0, NOW);
    assert.deepEqual(next(book), ['stop', '1 done']);
    assert.deepEqual(short(book.taken(idOf(1), ANN, 'running', 500, NOW)), ['1 done']);
    assert.deepEqual(short(book.taken(idOf(1), CARL, 'running', 500, NOW)), ['1 done']);
    assert.deepEqual(short(book.taken(idOf(1), ANN, 'done', 1_000, NOW)), ['1 done']);
    assert.deepEqual(short(book.taken(idOf(1), CARL, 'declined', 0, NOW)), ['tell withdraw', '1 done']);
    assert.deepEqual(short(book.taken(idOf(1), CARL, 'declined', 0, NOW)), []);
  });

  test('that waits at the host is over there, too, once the host has let it go, or whoever it waited for is gone', () => {
    const book = full();
    book.taken(idOf(1), ANN, 'kept', 0, NOW);
    book.taken(idOf(1), CARL, 'kept', 0, NOW);
    next(book);
    // A line that ends is another thing.
    book.taken(idOf(1), ANN, 'running', 500, NOW);
    assert.deepEqual(short(book.taken(idOf(1), ANN, 'stopped', 500, NOW)), []);
    assert.deepEqual(short(book.memberGone(CARL)), ['1 done']);
    assert.deepEqual(short(book.taken(idOf(1), ANN, 'stopped', 0, NOW)), ['tell withdraw', '1 done']);
    assert.deepEqual(short(book.memberGone(ANN)), ['1 done']);
    const other = full();
    other.taken(idOf(1), ANN, 'done', 1_000, NOW);
    other.taken(idOf(1), CARL, 'kept', 0, NOW);
    next(other);
    assert.deepEqual(short(other.memberGone(CARL)), ['tell withdraw', '1 done']);
  });

  test('is not left at the host for who is gone, or reads there no more, and does not stay under way for them', () => {
    const book = full();
    book.taken(idOf(1), ANN, 'done', 1_000, NOW);
    book.taken(idOf(1), CARL, 'running', 500, NOW);
    assert.deepEqual(short(book.memberGone(CARL)), ['1 offered']);
    assert.deepEqual(
      book.views[0]?.takers.map(({ member }) => member),
      [ANN],
    );
    book.taken(idOf(1), CARL, 'kept', 0, NOW);
    assert.deepEqual(
      next(book, () => [ANN.key]),
      ['stop', 'tell withdraw', '1 done'],
    );
  });

  test('is one of so many', () => {
    const book = full();
    assert.throws(
      () => book.serve(offered(1_000), '/x'),
      /^InputError: You offer 64 files that somebody may still take, as many as there can be\. \/cancel NUMBER takes one back; \/files lists them\.$/,
    );
    book.cancel([1]);
    book.serve(offered(1_000), '/x');
  });
});

describe('a later run', () => {
  const find = (id: Uint8Array): RosterMember | undefined =>
    [ANN, BOB].find(({ memberId: each }) => idKey(each) === idKey(id));

  test('goes on with what was accepted, serves what was offered, and knows what is open', () => {
    const before = bookWith(3);
    before.accept([2], ANY);
    before.serve({ ...offered(9), from: BOB }, '/home/9.txt');
    before.decline([1]);
    const book = new FileBook(before.save(), find, BOB.key);
    assert.deepEqual(
      book.views.map(({ name, state, isOwn }) => [name, state, isOwn]),
      [
        ['2.txt', 'waiting', false],
        ['3.txt', 'offered', false],
        ['9.txt', 'offered', true],
      ],
    );
    assert.deepEqual(short(book.live()), ['tell offer', '1 running', 'fetch']);
    assert.equal(book.own(idOf(9))?.place, '/home/9.txt');
    assert.deepEqual(short(book.messageDeleted('message-3', ANN, ROOM_CONVERSATION)), [
      'stop',
      '2 withdrawn',
    ]);
  });

  test('what was written down is overwritten, and neither run loses a key by it', () => {
    const before = bookWith(1);
    const saved = before.save();
    const book = new FileBook(saved, find, BOB.key);
    for (const { offer } of saved) offer.key.fill(0);
    for (const each of [before, book]) {
      const [fetch] = each.accept(null, ANY).filter(({ kind }) => kind === 'fetch');
      assert.ok(fetch?.kind === 'fetch');
      assert.deepEqual(fetch.file.offer.key, offerOf(1).key);
    }
  });

  test('drops what somebody offered who is gone', () => {
    const book = new FileBook(bookWith(2).save(), () => undefined, BOB.key);
    assert.deepEqual(book.views, []);
  });

  test('has something to save whenever something has changed that it would miss', () => {
    const book = bookWith(1);
    const seen = [book.revision];
    const steps = [
      () => book.accept(null, ANY),
      () => book.cancel(null),
      () => book.serve({ ...offered(5), from: BOB }, '/5'),
      () => book.offered({ ...offered(5), from: BOB }, 'placed'),
    ];
    for (const step of steps) {
      step();
      assert.ok(!seen.includes(book.revision));
      seen.push(book.revision);
    }
  });
});

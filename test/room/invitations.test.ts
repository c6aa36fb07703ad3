/** The book of invitations against the simplest account of it: each try is somewhere, and only failures lose one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { idKey, invitationId } from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { type HolderId, InvitationBook } from '../../src/room/invitations.ts';

const FIRST = invitationId(new Uint8Array(8).fill(1));
const SECOND = invitationId(new Uint8Array(8).fill(2));
const KEYS = [idKey(FIRST), idKey(SECOND)] as const;
const USES = [16, 1] as const;

class Account {
  /** Tries free, by whom tries are held, and who stands in line, first come first. */
  free: number;
  readonly tries: number;
  readonly held = new Set<HolderId>();
  readonly line: HolderId[] = [];
  suspended = false;
  usesLeft: number;
  readonly shared: boolean;

  constructor(uses: number, tries: number) {
    this.usesLeft = uses;
    this.tries = tries;
    this.free = tries;
    this.shared = uses > 1;
  }
}

interface Model {
  readonly accounts: readonly [Account, Account];
  nowMs: number;
  readonly takenAtMs: Map<HolderId, number>;
}

function busy(model: Model, holder: HolderId): boolean {
  return model.accounts.some(({ held, line }) => held.has(holder) || line.includes(holder));
}

/** What the room does after each event: whoever comes up asks again, in order. */
function settle(model: Model, book: InvitationBook): void {
  for (let released = book.released(); released.length > 0; released = book.released()) {
    for (const holder of released) {
      const place = model.accounts.findIndex(({ line }) => line.includes(holder));
      const account = model.accounts[place];
      const key = KEYS[place];
      assert.ok(account !== undefined && key !== undefined, 'released someone who is not in line');
      assert.equal(account.line[0], holder, 'the line is served in order');
      account.line.shift();
      take(model, book, place, holder);
    }
  }
  for (const [place, account] of model.accounts.entries()) {
    assert.ok(
      account.line.length === 0 || (account.free === 0 && !account.suspended && account.held.size > 0),
      'nobody waits for what is there, or for nothing',
    );
    const view = book.find(KEYS[place] ?? '');
    assert.ok(view !== undefined);
    assert.equal(view.triesLeft, account.free);
    assert.equal(view.usesLeft, account.usesLeft);
    assert.equal(view.suspended, account.suspended);
    assert.ok(view.triesLeft >= 0 && view.triesLeft + account.held.size <= account.tries);
    if (!account.suspended) assert.ok(account.free + account.held.size > 0, 'without a try it is suspended');
  }
}

function take(model: Model, book: InvitationBook, place: number, holder: HolderId): void {
  const account = model.accounts[place];
  const key = KEYS[place];
  assert.ok(account !== undefined && key !== undefined);
  const taken = book.take(key, holder, model.nowMs);
  if (account.suspended) assert.equal(taken, 'suspended');
  else if (account.free > 0) {
    assert.equal(taken, 'taken');
    account.free -= 1;
    account.held.add(holder);
    model.takenAtMs.set(holder, model.nowMs);
  } else {
    assert.equal(taken, 'waits');
    account.line.push(holder);
  }
}

function decide(model: Model, holder: HolderId, right: boolean): void {
  for (const account of model.accounts) {
    if (!account.held.delete(holder)) continue;
    model.takenAtMs.delete(holder);
    if (account.suspended) continue;
    if (right) account.free += 1;
    else if (account.free === 0 && account.held.size === 0) account.suspended = true;
  }
}

type Step = fc.Command<Model, InvitationBook>;

function step(name: string, run: (model: Model, book: InvitationBook) => void): Step {
  return {
    check: () => true,
    run(model, book) {
      run(model, book);
      settle(model, book);
    },
    toString: () => name,
  };
}

const holder = fc.nat({ max: 11 });
const place = fc.nat({ max: 1 });

const steps = [
  fc.tuple(place, holder).map(([where, who]) =>
    step(`take ${where} ${who}`, (model, book) => {
      if (!busy(model, who)) take(model, book, where, who);
    }),
  ),
  holder.map((who) =>
    step(`right ${who}`, (model, book) => {
      book.giveBack(who);
      decide(model, who, true);
    }),
  ),
  holder.map((who) =>
    step(`wrong ${who}`, (model, book) => {
      book.fail(who);
      decide(model, who, false);
    }),
  ),
  holder.map((who) =>
    step(`gone ${who}`, (model, book) => {
      book.gone(who);
      decide(model, who, false);
      for (const { line } of model.accounts) if (line.includes(who)) line.splice(line.indexOf(who), 1);
    }),
  ),
  place.map((where) =>
    step(`admitted ${where}`, (model, book) => {
      const account = model.accounts[where];
      // The room asks first whether the invitation still opens anything.
      if (account === undefined || book.refusal(KEYS[where] ?? '', model.nowMs) !== null) return;
      book.spend(KEYS[where] ?? '');
      book.admitted(KEYS[where] ?? '');
      account.usesLeft -= 1;
      if (account.shared && account.free + account.held.size < account.tries) account.free += 1;
    }),
  ),
  place.map((where) =>
    step(`turned away with everything right ${where}`, (_model, book) => {
      if (book.refusal(KEYS[where] ?? '', 0) !== null) return;
      // No try comes back for that: who has everything right could else make tries for others.
      book.spend(KEYS[where] ?? '');
      book.unspend(KEYS[where] ?? '');
    }),
  ),
  place.map((where) =>
    step(`resume ${where}`, (model, book) => {
      const account = model.accounts[where];
      if (account === undefined) return;
      book.resume(KEYS[where] ?? '');
      account.suspended = false;
      account.free = account.tries - account.held.size;
    }),
  ),
  place.map((where) =>
    step(`suspend ${where}`, (model, book) => {
      const account = model.accounts[where];
      if (account === undefined) return;
      book.suspend(KEYS[where] ?? '');
      account.suspended = true;
    }),
  ),
  fc.integer({ min: 1, max: 12_000 }).map((ms) =>
    step(`${ms} ms later`, (model, book) => {
      model.nowMs += ms;
      const late = [...model.takenAtMs].filter(([, at]) => model.nowMs - at >= LIMITS.undecidedTryMs);
      assert.deepEqual([...book.overdue(model.nowMs)].sort(), late.map(([who]) => who).sort());
      for (const [who] of late) {
        book.fail(who);
        decide(model, who, false);
      }
    }),
  ),
];

test('tries, uses and the line behave like a simple account of them, whatever happens in whatever order', () => {
  fc.assert(
    // Few tries make long lines.
    fc.property(
      fc.constantFrom(1, 2, 5),
      fc.commands(steps, { maxCommands: 150, size: 'max' }),
      (tries, commands) => {
        fc.modelRun(() => {
          const book = new InvitationBook({ ...LIMITS, triesPerInvitation: tries });
          for (const [where, id] of [FIRST, SECOND].entries()) {
            const uses = USES[where] ?? 1;
            book.add({ id, admissionKey: new Uint8Array(32), expiresAtMs: Infinity, uses, role: 'member' });
          }
          const model: Model = {
            accounts: [new Account(USES[0], tries), new Account(USES[1], tries)],
            nowMs: 0,
            takenAtMs: new Map(),
          };
          return { model, real: book };
        }, commands);
      },
    ),
    { numRuns: 400 },
  );
});

test('an invitation that the last try suspends is named once', () => {
  const book = new InvitationBook(LIMITS);
  const key = idKey(FIRST);
  book.add({ id: FIRST, admissionKey: new Uint8Array(32), expiresAtMs: 1, uses: 1, role: 'member' });
  for (let who = 0; who < LIMITS.triesPerInvitation; who += 1) {
    assert.deepEqual(book.exhausted(), []);
    book.take(key, who, 0);
    book.fail(who);
  }
  assert.deepEqual(book.exhausted(), [key]);
  assert.deepEqual(book.exhausted(), []);
});

/** Files that wait at the host of a kept room, as its machine decides; the disk is the test. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { Bytes } from '../../src/protocol/bytes.ts';
import { lineFrame, OfferFile, Upload } from '../../src/protocol/file-frames.ts';
import { placeInWhole, sealedBytes, wholeChunks } from '../../src/protocol/file-stream.ts';
import { idKey, memberId } from '../../src/protocol/identifiers.ts';
import { LIMITS, type Limits } from '../../src/protocol/limits.ts';
import type { KeptDeposit, KeptRoom } from '../../src/room/store.ts';
import { type DiskReport, Transfers } from '../../src/room/transfers.ts';
import { type Done, done, type Resident, TransferHost } from '../helpers/transfer-host.ts';

const MIB = 1_024 * 1_024;
/** Whole chunks of it. */
const WINDOW = wholeChunks(LIMITS.transferWindowBytes);

/** A host with a disk. */
class Host extends TransferHost {
  /** What the store holds. */
  readonly rows = new Map<string, KeptDeposit>();
  heldMs = 1_000_000_000;
  transfers: Transfers;

  constructor(limits: Partial<Limits> = {}) {
    super(limits);
    this.transfers = this.#start();
  }

  #start(there?: readonly Bytes[]): Transfers {
    const kept = { deposits: [...this.rows.values()] } as Partial<KeptRoom> as KeptRoom;
    const transfers = new Transfers({
      residents: this.residents,
      limits: this.limits,
      keeping: {
        there: there === undefined ? new Set(this.rows.keys()) : new Set(there.map(idKey)),
        heldMs: () => this.heldMs,
        store: {
          kept,
          saveDeposit: (deposit) => this.rows.set(idKey(deposit.fileId), deposit),
          forgetDeposit: (file) => this.rows.delete(file),
        },
      },
    });
    transfers.restore();
    return transfers;
  }

  /** The host ends, and opens the room again; everyone is away. @param there of what it kept; not given: all */
  restart(there?: readonly Bytes[]): void {
    for (const resident of this.residents.values()) resident.connection = null;
    this.transfers = this.#start(there);
  }

  disk(report: DiskReport): Done[] {
    return done(this.transfers.disk(report, this));
  }

  tick(ms = 250): Done[] {
    return this.pass(ms);
  }

  /** Its owner is asked for it, and brings all of it. @returns what follows on its being stored */
  bring(owner: Resident, fileId: Bytes, bytes: number): Done[] {
    const wanted = this.tick().find(([, what]) => what === 'WANTED');
    assert.ok(wanted, 'nobody was asked');
    const up = this.line(owner);
    this.frame(up, lineFrame('upload', Upload, { fileId, pass: Number(wanted[2]) }));
    const total = sealedBytes(bytes, 0);
    for (let sent = 0; sent < total; ) {
      const step = Math.min(WINDOW / 2, total - sent);
      assert.equal(this.transfers.arrived(up, step, this).deposit, idKey(fileId));
      sent += step;
      this.disk({ kind: 'written', file: idKey(fileId), bytes: sent });
    }
    return this.disk({ kind: 'stored', file: idKey(fileId) });
  }
}

function asked(all: readonly Done[]): Done[] {
  return all.filter(([, what]) => what === 'WANTED');
}

const FILE = new Uint8Array(16).fill(9);
const KEY = idKey(FILE);
const BYTES = 5 * MIB;
const TOTAL = sealedBytes(BYTES, 0);
const none: Done[] = [];

describe('a file that is to wait for somebody who is away', () => {
  let host: Host;
  let ann: Resident;
  let bob: Resident;
  let carl: Resident;

  beforeEach(() => {
    host = new Host();
    [ann, bob, carl] = [host.member(1), host.member(2), host.member(3)];
    bob.connection = null;
  });

  function kept(): void {
    host.offer(ann, FILE, BYTES, bob);
    assert.deepEqual(host.bring(ann, FILE, BYTES), [[1, 'PROGRESS', 2, 'kept', 0]]);
  }

  /** All of it goes from the disk to that line, and is taken. */
  function takes(line: number, total = TOTAL): void {
    host.disk({ kind: 'read', connection: line, bytes: total });
    host.taken(line, total);
  }

  test('is asked of its owner, and goes to the disk as far as that takes it', () => {
    assert.deepEqual(host.offer(ann, FILE, BYTES, bob), none);
    assert.deepEqual(host.tick(), [[1, 'WANTED', 1, 0]]);
    const up = host.line(ann);
    assert.deepEqual(host.frame(up, lineFrame('upload', Upload, { fileId: FILE, pass: 1 })), [
      ['disk', 'keep', TOTAL],
      [up, 'stream'],
      [up, 'CREDIT', WINDOW],
    ]);
    assert.deepEqual(host.transfers.arrived(up, WINDOW, host), { to: [], deposit: KEY, effects: [] });
    assert.deepEqual(host.disk({ kind: 'written', file: KEY, bytes: WINDOW }), [[up, 'CREDIT', TOTAL]]);
    assert.deepEqual(done(host.transfers.arrived(up, TOTAL - WINDOW, host).effects), [
      [up, 'closed', 'complete'],
    ]);
    assert.equal(host.rows.size, 0);
    host.disk({ kind: 'written', file: KEY, bytes: TOTAL });
    assert.deepEqual(host.disk({ kind: 'stored', file: KEY }), [[1, 'PROGRESS', 2, 'kept', 0]]);
    assert.deepEqual(host.rows.get(KEY), {
      ...{ fileId: FILE, owner: ann.member.key, bytes: BYTES, cameAtMs: host.nowMs },
      members: [[bob.member.key, 'awaited']],
    });
  });

  test('is asked for at the host alone where that has no disk, and where nobody is named', () => {
    const plain = new Transfers({ residents: host.residents, limits: LIMITS });
    const offer = OfferFile.encode({ fileId: FILE, bytes: BYTES, keepFor: [bob.member.memberId] });
    plain.offer(ann, offer, host);
    assert.deepEqual(plain.tick(host), []);
    host.offer(ann, FILE, BYTES);
    // Nor for oneself, nor for somebody who is not here.
    host.offer(ann, FILE, BYTES, ann, {
      connection: null,
      member: { ...bob.member, memberId: memberId(FILE) },
    });
    assert.deepEqual(host.tick(1_000), none);
  });

  test('is served from the disk while its owner is away, and goes when it was received', () => {
    kept();
    ann.connection = null;
    const down = host.line(bob);
    assert.deepEqual(host.fetch(down, FILE), [
      [down, 'STREAM'],
      [down, 'read', 0, WINDOW],
    ]);
    host.disk({ kind: 'read', connection: down, bytes: WINDOW });
    assert.deepEqual(host.taken(down, MIB), [
      [down, 'read', 0, wholeChunks(LIMITS.transferWindowBytes + MIB)],
    ]);
    assert.throws(() => host.taken(down, WINDOW + 1), /more or less/);
    takes(down, TOTAL - WINDOW);
    host.taken(down, TOTAL);
    assert.deepEqual(host.received(down), [
      ['disk', 'drop', '09'],
      [down, 'cut'],
    ]);
    // Its owner is told when they are back, once.
    assert.deepEqual(host.rows.get(KEY)?.members, [[bob.member.key, 'done']]);
    ann.connection = 1;
    assert.deepEqual(host.offer(ann, FILE, BYTES), [[1, 'PROGRESS', 2, 'done', BYTES]]);
    assert.equal(host.rows.size, 0);
    assert.deepEqual(host.offer(ann, FILE, BYTES), none);
    assert.deepEqual(host.tick(1_000), none);
  });

  test('is served from any chunk', () => {
    kept();
    ann.connection = null;
    const down = host.line(bob);
    assert.deepEqual(host.fetch(down, FILE, 319), [
      [down, 'STREAM'],
      [down, 'read', 319, sealedBytes(BYTES, 319)],
    ]);
    assert.throws(() => host.fetch(host.line(bob), FILE, 321), /chunk/);
    assert.equal(placeInWhole(55, 319), 55);
    assert.equal(placeInWhole(56, 319), 56 + 319 * 16_400);
    assert.equal(placeInWhole(sealedBytes(BYTES, 319), 319), TOTAL);
  });

  test('waits until everyone has it', () => {
    host.offer(ann, FILE, BYTES, bob, carl);
    host.bring(ann, FILE, BYTES);
    for (const [member, last] of [
      [carl, false],
      [bob, true],
    ] as const) {
      const down = host.line(member);
      host.fetch(down, FILE);
      takes(down);
      assert.equal(
        host.received(down).some(([, what]) => what === 'drop'),
        last,
      );
    }
    assert.equal(host.rows.size, 0);
  });

  test('goes when the last for whom it waits does not want it, is gone, or has it by another way', () => {
    kept();
    const declined = host.decline(bob, FILE);
    assert.deepEqual(declined, [
      [1, 'PROGRESS', 2, 'declined', 0],
      ['disk', 'drop', '09'],
    ]);
    kept();
    host.residents.delete(bob.member.key);
    assert.deepEqual(done(host.transfers.memberGone(bob.member.key, host)), [['disk', 'drop', '09']]);
    assert.equal(host.rows.size, 0);
  });

  test('goes with its owner, and whoever reads it is cut off', () => {
    kept();
    const down = host.line(bob);
    host.fetch(down, FILE);
    host.residents.delete(ann.member.key);
    assert.deepEqual(done(host.transfers.memberGone(ann.member.key, host)), [
      [down, 'cut'],
      ['disk', 'drop', '09'],
    ]);
    assert.equal(host.rows.size, 0);
    const again = host.line(bob);
    assert.deepEqual(host.fetch(again, FILE), [[again, 'closed', 'unknown']]);
  });

  test('survives the host, is told of as kept when its owner is back, and is withdrawn then', () => {
    kept();
    host.restart();
    const down = host.line(bob);
    assert.deepEqual(host.fetch(down, FILE).at(-1), [down, 'read', 0, WINDOW]);
    ann.connection = 1;
    // They need not say again for whom.
    assert.deepEqual(host.offer(ann, FILE, BYTES), [[1, 'PROGRESS', 2, 'kept', 0]]);
    assert.deepEqual(asked(host.tick(1_000)), none);
    assert.deepEqual(host.withdraw(ann, FILE), [
      [down, 'cut'],
      [1, 'PROGRESS', 2, 'stopped', 0],
      ['disk', 'drop', '09'],
    ]);
    assert.equal(host.rows.size, 0);
  });

  test('of an earlier run counts for nothing of what its owner may serve now', () => {
    const few = new Host({ offersPerMember: 1 });
    const [dan, eve] = [few.member(4), few.member(5)];
    few.offer(dan, FILE, BYTES, eve);
    few.bring(dan, FILE, BYTES);
    few.restart();
    for (const fill of [8, 7]) few.offer(dan, new Uint8Array(16).fill(fill), 1);
    assert.throws(() => few.offer(dan, new Uint8Array(16).fill(6), 1), /more files/);
  });

  test('that nobody has told of since the host began can be withdrawn, by its owner alone', () => {
    kept();
    host.restart();
    assert.deepEqual(host.withdraw(carl, FILE), none);
    assert.deepEqual(host.withdraw(ann, FILE), [['disk', 'drop', '09']]);
  });

  test('whose bytes are lost while the host was closed is forgotten', () => {
    kept();
    host.restart([]);
    assert.equal(host.rows.size, 0);
    const down = host.line(bob);
    assert.deepEqual(host.fetch(down, FILE), [[down, 'closed', 'unknown']]);
  });

  test('goes when it has waited for as long as the room holds what is said', () => {
    kept();
    host.heldMs = 10_000;
    assert.deepEqual(host.tick(10_000), none);
    // Its owner, who serves as many as there may be beside what waits, is told.
    assert.deepEqual(host.tick(), [
      [1, 'PROGRESS', 2, 'stopped', 0],
      ['disk', 'drop', '09'],
    ]);
    assert.equal(host.rows.size, 0);
    // Its owner serves it still, unless it is from an earlier run.
    const down = host.line(bob);
    assert.deepEqual(host.fetch(down, FILE).at(-1)?.[1], 'WANTED');
    host.transfers.gone(down, host);
    kept();
    host.restart();
    host.tick(10_500);
    const later = host.line(bob);
    assert.deepEqual(host.fetch(later, FILE), [[later, 'closed', 'unknown']]);
  });

  describe('that waits no longer, once its owner has another session', () => {
    const OTHER = new Uint8Array(16).fill(8);

    beforeEach(() => {
      host.offer(ann, OTHER, BYTES);
      kept();
      host.transfers.returned(ann.member.key, host);
    });

    /** What becomes of whoever asks now. */
    function asks(fileId: Bytes): string | number | undefined {
      const line = host.line(carl);
      const [[, what, why] = []] = host.fetch(line, fileId);
      host.transfers.gone(line, host);
      return what === 'closed' ? why : what;
    }

    test('is known until they have had the time to tell again, as is what else they serve', () => {
      host.decline(bob, FILE);
      assert.deepEqual([asks(FILE), asks(OTHER)], ['WANTED', 'WANTED']);
      host.tick(LIMITS.transferAnswerMs);
      assert.deepEqual([asks(FILE), asks(OTHER)], ['unknown', 'unknown']);
    });

    test('is known still when they went away again before that', () => {
      ann.connection = null;
      host.tick(LIMITS.transferAnswerMs);
      host.decline(bob, FILE);
      assert.deepEqual([asks(FILE), asks(OTHER)], ['away', 'away']);
    });

    test('is forgotten where they have not told of it by then', () => {
      host.offer(ann, OTHER, BYTES);
      host.tick(LIMITS.transferAnswerMs);
      assert.equal(asks(FILE), 'STREAM');
      host.decline(bob, FILE);
      assert.deepEqual([asks(FILE), asks(OTHER)], ['unknown', 'WANTED']);
    });
  });

  test('of an earlier run is forgotten with the last of whom its owner has not been told', () => {
    kept();
    ann.connection = null;
    host.decline(bob, FILE);
    host.restart();
    const early = host.line(carl);
    assert.deepEqual(host.fetch(early, FILE), [[early, 'closed', 'away']]);
    host.residents.delete(bob.member.key);
    host.transfers.memberGone(bob.member.key, host);
    const late = host.line(carl);
    assert.deepEqual(host.fetch(late, FILE), [[late, 'closed', 'unknown']]);
  });

  test('joins whoever asked before, and whoever asks before it begins joins it', () => {
    const early = host.line(carl);
    assert.deepEqual(host.fetch(early, FILE), [[early, 'closed', 'unknown']]);
    host.offer(ann, FILE, BYTES, bob);
    const first = host.line(carl);
    assert.deepEqual(host.fetch(first, FILE), [[1, 'WANTED', 1, 0]]);
    assert.deepEqual(asked(host.tick()), none);
    const up = host.line(ann);
    assert.deepEqual(host.frame(up, lineFrame('upload', Upload, { fileId: FILE, pass: 1 })), [
      [first, 'STREAM'],
      ['disk', 'keep', TOTAL],
      [up, 'stream'],
      [up, 'CREDIT', WINDOW],
    ]);
    assert.deepEqual(host.transfers.arrived(up, WINDOW, host).to, [first]);
    // As far as the slower of both has it.
    assert.deepEqual(host.taken(first, WINDOW), none);
    assert.deepEqual(host.disk({ kind: 'written', file: KEY, bytes: MIB }), [
      [up, 'CREDIT', wholeChunks(LIMITS.transferWindowBytes + MIB)],
    ]);
    // It goes on for the disk when the other one is gone.
    assert.equal(
      done(host.transfers.gone(first, host)).some(([, what]) => what === 'closed'),
      false,
    );
  });

  test('goes when those for whom it was to wait have it before the disk has', () => {
    host.offer(ann, FILE, BYTES, bob);
    host.tick();
    const down = host.line(bob);
    host.fetch(down, FILE);
    const up = host.line(ann);
    host.frame(up, lineFrame('upload', Upload, { fileId: FILE, pass: 1 }));
    host.transfers.arrived(up, WINDOW, host);
    host.taken(down, WINDOW);
    host.disk({ kind: 'written', file: KEY, bytes: WINDOW });
    assert.equal(host.transfers.arrived(up, TOTAL - WINDOW, host).deposit, KEY);
    host.taken(down, TOTAL);
    assert.deepEqual(host.received(down), [
      [1, 'PROGRESS', 2, 'done', BYTES],
      ['disk', 'drop', '09'],
      [down, 'cut'],
    ]);
    assert.deepEqual(host.disk({ kind: 'stored', file: KEY }), none);
    assert.equal(host.rows.size, 0);
  });

  test('makes room, once nobody waits for it, for a file that is asked for from then on', () => {
    host = new Host({ transfersPerMember: 1 });
    [ann, bob, carl] = [host.member(1), host.member(2), host.member(3)];
    const other = new Uint8Array(16).fill(8);
    host.offer(ann, FILE, BYTES, bob);
    host.offer(ann, other, BYTES);
    host.tick();
    const up = host.line(ann);
    host.upload(up, FILE, 1);
    const waits = host.line(carl);
    assert.deepEqual(host.fetch(waits, other), none);
    // A host that was asleep: no tick.
    host.nowMs += LIMITS.transferAnswerMs;
    assert.deepEqual(host.decline(bob, FILE), [
      [1, 'PROGRESS', 2, 'declined', 0],
      ['disk', 'drop', '09'],
      [up, 'closed', 'unwanted'],
      [1, 'WANTED', 2, 0],
    ]);
    host.tick();
    assert.deepEqual(host.upload(host.line(ann), other, 2)[0], [waits, 'STREAM']);
  });

  test('that the disk does not take goes on for whoever else receives it, and is not tried again by itself', () => {
    host.offer(ann, FILE, BYTES, bob);
    const down = host.line(carl);
    host.fetch(down, FILE);
    host.tick();
    const up = host.line(ann);
    host.frame(up, lineFrame('upload', Upload, { fileId: FILE, pass: 1 }));
    host.transfers.arrived(up, WINDOW, host);
    host.taken(down, WINDOW);
    assert.deepEqual(host.disk({ kind: 'failed', file: KEY }), [
      [1, 'PROGRESS', 2, 'unkept', 0],
      [up, 'CREDIT', TOTAL],
    ]);
    assert.equal(host.transfers.arrived(up, MIB, host).deposit, null);
    host.taken(down, WINDOW + MIB);
    assert.deepEqual(asked(host.tick(30_000)), none);
    assert.equal(host.rows.size, 0);
  });

  test('that the disk alone receives and does not take is sent no further', () => {
    host.offer(ann, FILE, BYTES, bob);
    host.tick();
    const up = host.line(ann);
    host.frame(up, lineFrame('upload', Upload, { fileId: FILE, pass: 1 }));
    assert.deepEqual(host.disk({ kind: 'failed', file: KEY }), [
      [1, 'PROGRESS', 2, 'unkept', 0],
      [up, 'closed', 'unwanted'],
    ]);
    // What the shell tells of what is over changes nothing.
    assert.deepEqual(host.disk({ kind: 'written', file: KEY, bytes: 1 }), none);
    assert.deepEqual(host.disk({ kind: 'stored', file: KEY }), none);
  });

  test('whose upload breaks leaves nothing, and is asked for again', () => {
    host.offer(ann, FILE, BYTES, bob);
    host.tick();
    const up = host.line(ann);
    host.frame(up, lineFrame('upload', Upload, { fileId: FILE, pass: 1 }));
    host.transfers.arrived(up, MIB, host);
    assert.deepEqual(done(host.transfers.gone(up, host)), [['disk', 'drop', '09']]);
    assert.equal(host.rows.size, 0);
    assert.deepEqual(host.tick(LIMITS.depositRetryMs), [[1, 'WANTED', 2, 0]]);
  });

  test('whose owner goes in the middle is asked for when they are back', () => {
    host.offer(ann, FILE, BYTES, bob);
    host.tick();
    const up = host.line(ann);
    host.frame(up, lineFrame('upload', Upload, { fileId: FILE, pass: 1 }));
    ann.connection = null;
    host.transfers.gone(up, host);
    assert.deepEqual(host.tick(60_000), none);
    ann.connection = 1;
    host.offer(ann, FILE, BYTES, bob);
    assert.deepEqual(host.tick(), [[1, 'WANTED', 2, 0]]);
  });

  test('that cannot be read cuts the line, and is forgotten where it is not there any more', () => {
    kept();
    ann.connection = null;
    const first = host.line(bob);
    host.fetch(first, FILE);
    assert.deepEqual(host.disk({ kind: 'unreadable', connection: first, isLost: false }), [[first, 'cut']]);
    assert.equal(host.rows.size, 1);
    const second = host.line(bob);
    host.fetch(second, FILE);
    assert.deepEqual(host.disk({ kind: 'unreadable', connection: second, isLost: true }), [
      ['disk', 'drop', '09'],
      [second, 'cut'],
    ]);
    assert.equal(host.rows.size, 0);
    const third = host.line(bob);
    assert.deepEqual(host.fetch(third, FILE), [[third, 'closed', 'away']]);
  });

  test('that is lost is told of to its owner for everyone it waited for', () => {
    host.offer(ann, FILE, BYTES, bob, carl);
    host.bring(ann, FILE, BYTES);
    const down = host.line(bob);
    host.fetch(down, FILE);
    assert.deepEqual(host.disk({ kind: 'unreadable', connection: down, isLost: true }), [
      [1, 'PROGRESS', 2, 'stopped', 0],
      [1, 'PROGRESS', 3, 'stopped', 0],
      ['disk', 'drop', '09'],
      [down, 'cut'],
      [1, 'PROGRESS', 2, 'stopped', 0],
    ]);
  });

  test('that comes again is not lost with what somebody read of it before', () => {
    kept();
    const down = host.line(bob);
    host.fetch(down, FILE);
    host.decline(bob, FILE);
    host.offer(ann, FILE, BYTES, carl);
    host.tick();
    const up = host.line(ann);
    host.upload(up, FILE, 3);
    host.transfers.arrived(up, WINDOW, host);
    assert.deepEqual(host.disk({ kind: 'unreadable', connection: down, isLost: true }), [
      [down, 'cut'],
      [1, 'PROGRESS', 2, 'stopped', 0],
    ]);
    assert.deepEqual(host.disk({ kind: 'written', file: KEY, bytes: WINDOW }), [[up, 'CREDIT', TOTAL]]);
    host.transfers.arrived(up, TOTAL - WINDOW, host);
    host.disk({ kind: 'written', file: KEY, bytes: TOTAL });
    assert.deepEqual(host.disk({ kind: 'stored', file: KEY }), [[1, 'PROGRESS', 3, 'kept', 0]]);
  });

  test('that is not there because it has just gone is still told of to its owner', () => {
    kept();
    const [down, late] = [host.line(bob), host.line(carl)];
    host.fetch(down, FILE);
    host.fetch(late, FILE);
    ann.connection = null;
    takes(down);
    host.received(down);
    assert.deepEqual(host.disk({ kind: 'unreadable', connection: late, isLost: true }), [[late, 'cut']]);
    ann.connection = 1;
    assert.deepEqual(host.offer(ann, FILE, BYTES), [[1, 'PROGRESS', 2, 'done', BYTES]]);
  });

  test('that a disk does not give, or a receiver does not take, is waited for, and then the line is cut', () => {
    kept();
    const hung = host.line(bob);
    host.fetch(hung, FILE);
    const waited = host.tick(LIMITS.transferStalledMs + 500);
    assert.ok(waited.some(([to, what]) => to === hung && what === 'cut'));
    const stalls = host.line(bob);
    host.fetch(stalls, FILE);
    host.disk({ kind: 'read', connection: stalls, bytes: WINDOW });
    const stalled = host.tick(LIMITS.transferStalledMs + 500);
    assert.ok(stalled.some(([to, what]) => to === stalls && what === 'cut'));
    assert.equal(host.rows.size, 1);
  });

  test('of which the bytes are others than were offered before is another file', () => {
    kept();
    assert.deepEqual(host.offer(ann, FILE, BYTES + 1), [['disk', 'drop', '09']]);
    assert.equal(host.rows.size, 0);
  });

  test('is not left by somebody who may not speak', () => {
    Object.assign(ann.member, { muted: true });
    host.offer(ann, FILE, BYTES, bob);
    assert.deepEqual(host.tick(1_000), none);
  });
});

describe('the room for files that wait', () => {
  const fileOf = (number: number): Bytes => new Uint8Array(16).fill(number);
  const SMALL = MIB;

  test('is shared: no member fills it alone, and what goes makes room', () => {
    const host = new Host({ depositBytesTotal: 4 * MIB, depositBytesPerMember: 2.5 * MIB });
    const [ann, bob, carl] = [host.member(1), host.member(2), host.member(3)];
    for (const number of [11, 12]) {
      host.offer(ann, fileOf(number), SMALL, bob);
      host.bring(ann, fileOf(number), SMALL);
    }
    host.offer(ann, fileOf(13), SMALL, bob);
    assert.deepEqual(host.tick(30_000), [[1, 'PROGRESS', 2, 'unkept', 0]]);
    // Others have theirs, as long as there is any.
    host.offer(carl, fileOf(21), SMALL, bob);
    host.bring(carl, fileOf(21), SMALL);
    host.offer(carl, fileOf(22), SMALL, bob);
    assert.deepEqual(host.tick(30_000), [[3, 'PROGRESS', 2, 'unkept', 0]]);
    assert.deepEqual(host.tick(30_000), none);
    assert.equal(host.rows.size, 3);
    host.withdraw(ann, fileOf(11));
    assert.equal(asked(host.tick(LIMITS.depositRetryMs)).length, 1);
  });

  test('is not asked for by more than would ever fit', () => {
    const host = new Host({ depositBytesTotal: MIB, depositBytesLeast: MIB / 2 });
    const [ann, bob] = [host.member(1), host.member(2)];
    for (const number of [11, 12]) assert.deepEqual(host.offer(ann, fileOf(number), 1, bob), none);
    assert.deepEqual(host.offer(ann, fileOf(13), 1, bob), [[1, 'PROGRESS', 2, 'unkept', 0]]);
    host.tick();
    host.withdraw(ann, fileOf(11));
    assert.deepEqual(asked(host.tick(LIMITS.depositRetryMs)), none);
    // Told of again, it is.
    host.offer(ann, fileOf(13), 1, bob);
    assert.equal(asked(host.tick()).length, 1);
  });

  test('is taken by what is on its way as well, and by small files as if they were larger', () => {
    const host = new Host({ depositBytesTotal: MIB, depositBytesLeast: MIB / 2 });
    const [ann, bob] = [host.member(1), host.member(2)];
    for (const number of [11, 12, 13]) host.offer(ann, fileOf(number), 1, bob);
    assert.deepEqual(
      host.tick().map(([, what]) => what),
      ['WANTED', 'WANTED'],
    );
  });
});

test('what was not asked for because too much was under way ends when whoever was to bring it goes', () => {
  const host = new Host({ transfersPerMember: 1 });
  const [ann, bob, carl] = [host.member(1), host.member(2), host.member(3)];
  host.offer(ann, FILE, BYTES);
  host.fetch(host.line(bob), FILE, 1);
  const second = host.line(carl);
  assert.deepEqual(host.fetch(second, FILE, 2), none);
  ann.connection = null;
  assert.ok(host.tick().some(([to, , why]) => to === second && why === 'away'));
});

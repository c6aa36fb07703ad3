/** Files as the host passes them on: who is asked, how much may be under way, and what becomes of those who stall. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { ProtocolError } from '../../src/protocol/errors.ts';
import { LINE_CLOSE } from '../../src/protocol/file-frames.ts';
import { sealedBytes } from '../../src/protocol/file-stream.ts';
import { LIMITS, type Limits } from '../../src/protocol/limits.ts';
import { Transfers } from '../../src/room/transfers.ts';
import { type Done, done, type Resident, TransferHost } from '../helpers/transfer-host.ts';

const MIB = 1_024 * 1_024;

class Desk extends TransferHost {
  readonly transfers: Transfers;

  constructor(limits: Partial<Limits> = {}) {
    super(limits);
    const { residents, limits: all } = this;
    this.transfers = new Transfers({ residents, limits: all });
  }

  bytes(line: number, count: number): { readonly to: readonly number[]; readonly done: Done[] } {
    const { to, effects } = this.transfers.arrived(line, count, this);
    return { to, done: done(effects) };
  }
}

const FILE = new Uint8Array(16).fill(9);
const BYTES = 10 * MIB;
const WINDOW = LIMITS.transferWindowBytes;
/** What of it whole chunks fill. */
const GRANTED = wholeChunks(WINDOW);

function wholeChunks(bytes: number): number {
  return 56 + Math.floor((bytes - 56) / 16_400) * 16_400;
}

describe('a file through the host', () => {
  let desk: Desk;
  let ann: Resident;
  let bob: Resident;
  let carl: Resident;

  beforeEach(() => {
    desk = new Desk();
    [ann, bob, carl] = [desk.member(1), desk.member(2), desk.member(3)];
    assert.deepEqual(desk.offer(ann, FILE, BYTES), []);
  });

  /** Ann sends to whoever has asked. */
  function uploading(pass = 1): number {
    const up = desk.line(ann);
    desk.upload(up, FILE, pass);
    return up;
  }

  test('is asked of whoever serves it, sent as far as there is room, and passed on', () => {
    const down = desk.line(bob);
    assert.deepEqual(desk.fetch(down, FILE, 3), [[1, 'WANTED', 1, 3]]);
    const up = desk.line(ann);
    assert.deepEqual(desk.upload(up, FILE, 1), [
      [down, 'STREAM'],
      [up, 'stream'],
      [up, 'CREDIT', GRANTED],
    ]);
    assert.deepEqual(desk.bytes(up, MIB), { to: [down], done: [] });
    assert.deepEqual(desk.taken(down, MIB), [[up, 'CREDIT', wholeChunks(WINDOW + MIB)]]);
  });

  test('ends for the sender when all is sent, and for the receiver when it says that it has it', () => {
    const small = new Uint8Array(16).fill(8);
    desk.offer(ann, small, 20_000);
    const down = desk.line(bob);
    desk.fetch(down, small);
    const up = desk.line(ann);
    const total = sealedBytes(20_000, 0);
    assert.deepEqual(desk.upload(up, small, 1).at(-1), [up, 'CREDIT', total]);
    assert.deepEqual(desk.bytes(up, total), { to: [down], done: [[up, 'closed', 'complete']] });
    assert.throws(() => desk.received(down), ProtocolError);
    assert.deepEqual(desk.taken(down, total), []);
    assert.deepEqual(desk.received(down), [
      [1, 'PROGRESS', 2, 'done', 20_000],
      [down, 'cut'],
    ]);
    assert.equal(desk.transfers.has(down), false);
  });

  test('goes up once for all who ask before it begins', () => {
    const [first, second] = [desk.line(bob), desk.line(carl)];
    assert.deepEqual(desk.fetch(first, FILE), [[1, 'WANTED', 1, 0]]);
    assert.deepEqual(desk.fetch(second, FILE), []);
    const up = uploading();
    assert.deepEqual(desk.bytes(up, MIB).to, [first, second]);
    desk.bytes(up, GRANTED - MIB);
    // As far as the slower one has room.
    assert.deepEqual(desk.taken(first, GRANTED), []);
    assert.deepEqual(desk.taken(second, MIB), [[up, 'CREDIT', wholeChunks(WINDOW + MIB)]]);
  });

  test('goes up again for who asks later, or for another place in it', () => {
    desk.fetch(desk.line(bob), FILE);
    assert.deepEqual(desk.fetch(desk.line(carl), FILE, 5), [[1, 'WANTED', 2, 5]]);
    uploading();
    assert.deepEqual(desk.fetch(desk.line(carl), FILE), [[1, 'WANTED', 3, 0]]);
  });

  test('is not sent beyond what was granted', () => {
    desk.fetch(desk.line(bob), FILE);
    const up = uploading();
    desk.bytes(up, GRANTED);
    assert.throws(() => desk.bytes(up, 1), ProtocolError);
  });

  test('is not taken beyond what was sent, and nobody takes anything back', () => {
    const down = desk.line(bob);
    desk.fetch(down, FILE);
    const up = uploading();
    desk.bytes(up, MIB);
    assert.throws(() => desk.taken(down, MIB + 1), ProtocolError);
    desk.taken(down, 20_000);
    assert.throws(() => desk.taken(down, 19_999), ProtocolError);
  });

  test('of which one receiver stalls goes on for the other, who shares the window no longer', () => {
    const [stalls, goes] = [desk.line(bob), desk.line(carl)];
    desk.fetch(stalls, FILE);
    desk.fetch(goes, FILE);
    const up = uploading();
    desk.bytes(up, GRANTED);
    assert.deepEqual(desk.taken(goes, GRANTED), []);
    assert.deepEqual(
      desk.pass(1_750).filter(([, what]) => what !== 'PROGRESS'),
      [],
    );
    const effects = desk.pass(500).filter(([, what]) => what !== 'PROGRESS');
    assert.deepEqual(effects, [
      [stalls, 'cut'],
      [up, 'CREDIT', wholeChunks(GRANTED + WINDOW)],
    ]);
    // It asks again, and has a pass of its own.
    assert.deepEqual(desk.fetch(desk.line(bob), FILE, 2), [[1, 'WANTED', 2, 2]]);
  });

  test('is granted in whole chunks, so that a sender who can send no part of one is not taken for a silent one', () => {
    const [stalls, goes] = [desk.line(bob), desk.line(carl)];
    desk.fetch(stalls, FILE);
    desk.fetch(goes, FILE);
    const up = desk.line(ann);
    const [, , , [, , granted] = []] = desk.upload(up, FILE, 1);
    assert.ok(typeof granted === 'number' && (granted - 56) % 16_400 === 0 && WINDOW - granted < 16_400);
    desk.bytes(up, granted);
    desk.taken(goes, granted);
    const effects = desk.pass(LIMITS.transferBehindMs + 250).filter(([, what]) => what !== 'PROGRESS');
    assert.deepEqual(effects[0], [stalls, 'cut']);
    assert.deepEqual(effects[1]?.slice(0, 2), [up, 'CREDIT']);
  });

  test('whose sender has just been given room is not taken for a silent one', () => {
    const down = desk.line(bob);
    desk.fetch(down, FILE);
    const up = uploading();
    desk.bytes(up, GRANTED);
    desk.pass(LIMITS.transferStalledMs - 1_000);
    assert.equal(desk.taken(down, GRANTED)[0]?.[1], 'CREDIT');
    const effects = desk.pass(2_000).filter(([, what]) => what !== 'PROGRESS');
    assert.deepEqual(effects, []);
  });

  test('is a bare stream to whoever receives it as soon as it begins, and to nobody else', () => {
    const down = desk.line(bob);
    desk.fetch(down, FILE);
    assert.equal(desk.transfers.isBare(down), false);
    const up = uploading();
    assert.deepEqual([desk.transfers.isBare(down), desk.transfers.isBare(up)], [true, false]);
  });

  test('is not held open by saying the same again', () => {
    const down = desk.line(bob);
    desk.fetch(down, FILE);
    const up = uploading();
    desk.bytes(up, GRANTED);
    desk.taken(down, 16_384);
    assert.throws(() => desk.taken(down, 16_384), ProtocolError);
    assert.throws(() => desk.taken(down, 16_385), ProtocolError);
    desk.taken(down, GRANTED);
  });

  test('does nothing more once it has ended, whatever else is due', () => {
    const [first, second] = [desk.line(bob), desk.line(carl)];
    desk.fetch(first, FILE);
    desk.fetch(second, FILE);
    uploading();
    const all = desk.pass(2 * LIMITS.transferStalledMs);
    for (const line of [first, second])
      assert.equal(all.filter(([to, what]) => to === line && what === 'cut').length, 1);
    const ended = all.findIndex(([to, what]) => to === first && what === 'cut');
    assert.ok(!all.slice(ended).some(([, what]) => what === 'CREDIT'));
  });

  test('of which everyone stalls is waited for, and then everyone is let go', () => {
    const down = desk.line(bob);
    desk.fetch(down, FILE);
    const up = uploading();
    desk.bytes(up, GRANTED);
    const all = desk.pass(LIMITS.transferStalledMs + 500);
    assert.ok(all.some(([to, what]) => to === down && what === 'cut'));
    assert.ok(all.some(([to, what, why]) => to === up && what === 'closed' && why === 'unwanted'));
  });

  test('that nobody sends although there is room ends the pass', () => {
    const down = desk.line(bob);
    desk.fetch(down, FILE);
    const up = uploading();
    desk.bytes(up, MIB);
    desk.taken(down, MIB);
    const all = desk.pass(LIMITS.transferStalledMs + 500);
    assert.ok(all.some(([to, what]) => to === down && what === 'cut'));
    assert.ok(all.some(([to, what, why]) => to === up && what === 'closed' && why === 'stalled'));
  });

  test('that is not brought when it is asked for is told to be away', () => {
    const down = desk.line(bob);
    desk.fetch(down, FILE);
    const all = desk.pass(LIMITS.transferAnswerMs + 250);
    assert.deepEqual(
      all.filter(([to]) => to === down),
      [[down, 'closed', 'away']],
    );
    assert.deepEqual(desk.upload(desk.line(ann), FILE, 1).at(-1)?.[2], 'unwanted');
  });

  test('whose sender has no line to the host is away, and nobody serves what was never offered', () => {
    ann.connection = null;
    const down = desk.line(bob);
    assert.deepEqual(desk.fetch(down, FILE), [[down, 'closed', 'away']]);
    const other = desk.line(bob);
    assert.deepEqual(desk.fetch(other, new Uint8Array(16)), [[other, 'closed', 'unknown']]);
  });

  test('is not served under the name of another one', () => {
    const down = desk.line(carl);
    assert.deepEqual(desk.offer(bob, FILE, 5), []);
    assert.deepEqual(desk.fetch(down, FILE), [[1, 'WANTED', 1, 0]]);
    // Nor brought by anyone who was not asked.
    const up = desk.line(bob);
    assert.deepEqual(desk.upload(up, FILE, 1), [[up, 'closed', 'unwanted']]);
  });

  test('whose sender is gone in the middle leaves nothing behind', () => {
    const down = desk.line(bob);
    desk.fetch(down, FILE);
    const up = uploading();
    desk.bytes(up, MIB);
    assert.deepEqual(done(desk.transfers.gone(up, desk)), [
      [down, 'cut'],
      [1, 'PROGRESS', 2, 'stopped', 0],
    ]);
    assert.equal(desk.transfers.has(down), false);
  });

  test('that nobody receives any more is no longer sent', () => {
    const down = desk.line(bob);
    desk.fetch(down, FILE);
    const up = uploading();
    assert.deepEqual(done(desk.transfers.gone(down, desk)), [
      [1, 'PROGRESS', 2, 'stopped', 0],
      [up, 'closed', 'unwanted'],
    ]);
  });

  test('that is withdrawn ends for everyone, and is unknown afterwards', () => {
    const down = desk.line(bob);
    desk.fetch(down, FILE);
    const withdrawn = desk.withdraw(ann, FILE);
    assert.deepEqual(withdrawn[0], [down, 'closed', 'unknown']);
    const again = desk.line(bob);
    assert.deepEqual(desk.fetch(again, FILE), [[again, 'closed', 'unknown']]);
    assert.deepEqual(desk.withdraw(bob, FILE), []);
  });

  test('that its owner does not tell of again, back on another line, is served no longer', () => {
    const other = new Uint8Array(16).fill(8);
    desk.offer(ann, other, 5);
    desk.transfers.returned(ann.member.key, desk);
    desk.offer(ann, FILE, BYTES);
    desk.pass(LIMITS.transferAnswerMs + 250);
    const [first, second] = [desk.line(bob), desk.line(bob)];
    assert.deepEqual(desk.fetch(first, other), [[first, 'closed', 'unknown']]);
    assert.deepEqual(desk.fetch(second, FILE), [[1, 'WANTED', 1, 0]]);
  });

  test('that somebody declines is told to whoever serves it', () => {
    assert.deepEqual(desk.decline(bob, FILE), [[1, 'PROGRESS', 2, 'declined', 0]]);
  });

  test('is told of as it goes, once a second at most', () => {
    const down = desk.line(bob);
    desk.fetch(down, FILE);
    const up = uploading();
    desk.bytes(up, 2 * MIB);
    desk.taken(down, 2 * MIB);
    const chunks = Math.floor((2 * MIB - 56) / 16_400);
    assert.deepEqual(desk.pass(1_000), [[1, 'PROGRESS', 2, 'running', chunks * 16_384]]);
    assert.deepEqual(desk.pass(2_000), []);
  });

  test('is over for a member who is gone, on either side', () => {
    const [down, other] = [desk.line(bob), desk.line(carl)];
    desk.fetch(down, FILE);
    desk.fetch(other, FILE);
    uploading();
    desk.residents.delete(bob.member.key);
    done(desk.transfers.memberGone(bob.member.key, desk));
    assert.equal(desk.transfers.has(down), false);
    assert.equal(desk.transfers.has(other), true);
    desk.residents.delete(ann.member.key);
    done(desk.transfers.memberGone(ann.member.key, desk));
    assert.equal(desk.transfers.has(other), false);
    const again = desk.line(carl);
    assert.deepEqual(desk.fetch(again, FILE), [[again, 'closed', 'unknown']]);
  });
});

describe('limits of files at the host', () => {
  test('a member takes so many at a time', () => {
    const desk = new Desk({ transfersPerMember: 2 });
    const [ann, bob] = [desk.member(1), desk.member(2)];
    desk.offer(ann, FILE, BYTES);
    for (let line = 0; line < 2; line += 1) desk.fetch(desk.line(bob), FILE, line);
    const third = desk.line(bob);
    assert.deepEqual(desk.fetch(third, FILE, 3), [[third, 'closed', 'busy']]);
  });

  test('a member is asked for so many at a time, and for the next when one is done', () => {
    const desk = new Desk({ transfersPerMember: 2 });
    const [ann, bob, carl, dora] = [desk.member(1), desk.member(2), desk.member(3), desk.member(4)];
    desk.offer(ann, FILE, BYTES);
    const first = desk.line(bob);
    desk.fetch(first, FILE, 1);
    desk.fetch(desk.line(carl), FILE, 2);
    assert.deepEqual(desk.fetch(desk.line(dora), FILE, 3), []);
    assert.deepEqual(done(desk.transfers.gone(first, desk)).at(-1), [1, 'WANTED', 3, 3]);
  });

  test('whoever is asked once a file that nobody has moved is withdrawn has as long to answer as ever', () => {
    const other = new Uint8Array(16).fill(8);
    for (const ends of [
      (desk: Desk, ann: Resident) => desk.withdraw(ann, FILE),
      (desk: Desk, ann: Resident) => desk.offer(ann, FILE, BYTES + 1),
      (desk: Desk, ann: Resident) => {
        desk.transfers.returned(ann.member.key, desk);
        desk.offer(ann, other, BYTES);
        return desk.pass(LIMITS.transferAnswerMs);
      },
    ]) {
      const desk = new Desk({ transfersPerMember: 1 });
      const [ann, bob, carl] = [desk.member(1), desk.member(2), desk.member(3)];
      desk.offer(ann, FILE, BYTES);
      desk.offer(ann, other, BYTES);
      desk.fetch(desk.line(bob), FILE);
      const up = desk.line(ann);
      desk.upload(up, FILE, 1);
      desk.bytes(up, GRANTED);
      const waits = desk.line(carl);
      assert.deepEqual(desk.fetch(waits, other), []);
      desk.pass(LIMITS.transferAnswerMs + 1_000);
      assert.ok(ends(desk, ann).some(([to, what, pass]) => to === 1 && what === 'WANTED' && pass === 2));
      assert.deepEqual(desk.pass(LIMITS.transferAnswerMs - 250), []);
      assert.deepEqual(desk.upload(desk.line(ann), other, 2)[0], [waits, 'STREAM']);
    }
  });

  test('whoever has several lines of a member gives one up for somebody who waits', () => {
    const desk = new Desk();
    const [ann, bob, carl] = [desk.member(1), desk.member(2), desk.member(3)];
    desk.offer(ann, FILE, BYTES);
    const lines = [0, 1, 2, 3].map((chunk) => {
      const line = desk.line(bob);
      desk.fetch(line, FILE, chunk);
      return line;
    });
    desk.upload(desk.line(ann), FILE, 4);
    const effects = desk.fetch(desk.line(carl), FILE, 5);
    assert.deepEqual(effects[0], [lines[3], 'cut']);
    assert.deepEqual(effects.at(-1), [1, 'WANTED', 5, 5]);
  });

  test('whoever takes next to nothing is let go once others wait for the same member', () => {
    const desk = new Desk({ transfersPerMember: 1 });
    const [ann, bob, carl] = [desk.member(1), desk.member(2), desk.member(3)];
    desk.offer(ann, FILE, BYTES);
    const slow = desk.line(bob);
    desk.fetch(slow, FILE);
    const up = desk.line(ann);
    desk.upload(up, FILE, 1);
    desk.bytes(up, GRANTED);
    let [taken, sent] = [0, GRANTED];
    const trickle = (minutes: number): Done[] => {
      const all: Done[] = [];
      for (let minute = 0; minute < minutes && desk.transfers.has(slow); minute += 1) {
        taken += 20_000;
        for (const [, , upTo = 0] of desk.taken(slow, taken)) {
          desk.bytes(up, Number(upTo) - sent);
          sent = Number(upTo);
        }
        all.push(...desk.pass(50_000));
      }
      return all;
    };
    assert.ok(!trickle(5).some(([to, what]) => to === slow && what === 'cut'));
    desk.fetch(desk.line(carl), FILE, 7);
    const all = trickle(3);
    assert.ok(all.some(([to, what]) => to === slow && what === 'cut'));
    assert.ok(all.some(([to, what, pass]) => to === 1 && what === 'WANTED' && pass === 2));
  });

  test('passes that only wait leave the others their room', () => {
    const desk = new Desk({
      transferBytesTotal: 8 * MIB,
      transferWindowBytes: 4 * MIB,
      transfersPerMember: 2,
    });
    const ann = desk.member(1);
    desk.offer(ann, FILE, BYTES);
    for (let fill = 2; fill <= 9; fill += 1) desk.fetch(desk.line(desk.member(fill)), FILE, fill);
    const up = desk.line(ann);
    assert.deepEqual(desk.upload(up, FILE, 1).at(-1), [up, 'CREDIT', wholeChunks(4 * MIB)]);
  });

  test('a member serves so many, and twice as many before that is taken for a flood', () => {
    const desk = new Desk({ offersPerMember: 2 });
    const ann = desk.member(1);
    for (let fill = 1; fill <= 4; fill += 1) desk.offer(ann, new Uint8Array(16).fill(fill), 1);
    // The same one again is none more.
    desk.offer(ann, new Uint8Array(16).fill(1), 1);
    assert.throws(() => desk.offer(ann, new Uint8Array(16).fill(5), 1), ProtocolError);
  });

  test('all receivers share what may be in the memory of the host', () => {
    const desk = new Desk({ transferBytesTotal: 8 * MIB, transferWindowBytes: 4 * MIB });
    const ann = desk.member(1);
    desk.offer(ann, FILE, BYTES);
    for (let fill = 2; fill <= 5; fill += 1) desk.fetch(desk.line(desk.member(fill)), FILE);
    const up = desk.line(ann);
    assert.deepEqual(desk.upload(up, FILE, 1).at(-1), [up, 'CREDIT', wholeChunks(2 * MIB)]);
  });

  test('a window that many share still has room for what a receiver tells of', () => {
    const desk = new Desk({ transferBytesTotal: MIB, transferWindowBytes: 4 * MIB });
    const ann = desk.member(1);
    desk.offer(ann, FILE, BYTES);
    for (let fill = 2; fill <= 9; fill += 1) desk.fetch(desk.line(desk.member(fill)), FILE);
    const up = desk.line(ann);
    const [, , granted = 0] = desk.upload(up, FILE, 1).at(-1) ?? [];
    assert.ok(Number(granted) >= LIMITS.transferTakenBytes + 16_400);
  });

  test('a member has so many lines that do nothing', () => {
    const desk = new Desk();
    const ann = desk.member(1);
    const lines = [1, 2, 3, 4].map(() => desk.line(ann));
    assert.ok(lines.every((line) => desk.transfers.has(line)));
    const fifth = desk.line(ann);
    assert.equal(desk.transfers.has(fifth), false);
  });

  test('a line that asks for nothing is closed after a while', () => {
    const desk = new Desk();
    const idle = desk.line(desk.member(1));
    assert.deepEqual(desk.pass(LIMITS.strangerMs), [[idle, 'closed', 'stalled']]);
  });

  test('a chunk that there is not, a frame of another kind and any nonsense break the line', () => {
    const desk = new Desk();
    const [ann, bob] = [desk.member(1), desk.member(2)];
    desk.offer(ann, FILE, 16_384);
    assert.throws(() => desk.fetch(desk.line(bob), FILE, 2), ProtocolError);
    assert.throws(() => desk.taken(desk.line(bob), 1), ProtocolError);
    assert.throws(() => desk.frame(desk.line(bob), Uint8Array.of(0, 0, 0, 2, 65, 0)), ProtocolError);
    assert.throws(() => desk.offer(ann, new Uint8Array(16), LIMITS.fileBytesMost + 1), ProtocolError);
    assert.equal(Object.keys(LINE_CLOSE).length, 7);
  });
});

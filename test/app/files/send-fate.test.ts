/** How a run that only sends files ends: by who has what. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fateOf, nicksText, type Sent, sendOutcome, withoutIt } from '../../../src/app/files/send-fate.ts';
import type { RosterMember } from '../../../src/crypto/roster.ts';
import type { Taker } from '../../../src/member/file-view.ts';
import { idKey, memberId } from '../../../src/protocol/identifiers.ts';

const [ANN, BOB] = ['ann', 'bob'].map((nick, place) => {
  const id = memberId(new Uint8Array(16).fill(place + 1));
  return { key: idKey(id), memberId: id, nick } as RosterMember;
}) as [RosterMember, RosterMember];
const WAIT_MS = 600_000;

function view(takers: readonly (readonly [RosterMember, string])[], more: Partial<Sent> = {}): Sent {
  return {
    name: 'a.txt',
    state: 'offered',
    problem: null,
    ...more,
    // `kept` comes with rooms that keep files for who is away.
    takers: takers.map(([member, state]) => ({ member, state: state as Taker['state'], doneBytes: 0 })),
  };
}

describe('a file that is sent', () => {
  test('is open until all whom it is for have decided', () => {
    const both = [ANN, BOB];
    assert.equal(fateOf(view([]), both), 'open');
    assert.equal(fateOf(view([[ANN, 'done']]), both), 'open');
    assert.equal(fateOf(view([[ANN, 'running']]), [ANN]), 'open');
    assert.equal(fateOf(view([[ANN, 'stopped']]), [ANN]), 'open');
    assert.equal(fateOf(view([[ANN, 'done']]), [ANN]), 'taken');
    assert.equal(
      fateOf(
        view([
          [ANN, 'done'],
          [BOB, 'declined'],
        ]),
        both,
      ),
      'taken',
    );
    assert.equal(fateOf(view([[ANN, 'declined']]), [ANN]), 'declined');
  });

  test('that the host keeps for somebody is as good as taken', () => {
    assert.equal(fateOf(view([[ANN, 'kept']]), [ANN]), 'taken');
    assert.deepEqual(withoutIt(view([[ANN, 'kept']]), [ANN, BOB]), ['bob']);
  });

  test('has nobody to take it any more, or cannot be sent', () => {
    assert.equal(fateOf(view([]), []), 'gone');
    assert.equal(fateOf(view([], { state: 'failed' }), [ANN]), 'failed');
    assert.equal(fateOf(view([[ANN, 'done']], { state: 'failed' }), [ANN]), 'taken');
  });
});

describe('the exit code', () => {
  const ends = (views: readonly Sent[], awaited = [ANN]) => {
    const { exitCode, problem, closed } = sendOutcome(views, awaited, WAIT_MS);
    return [exitCode, problem?.code ?? closed?.code, problem?.text];
  };

  test('says the gravest of what became of the files', () => {
    const taken = view([[ANN, 'done']]);
    const declined = view([[ANN, 'declined']], { name: 'b.txt' });
    const failed = view([], { name: 'c.txt', state: 'failed', problem: 'It has changed.' });
    assert.deepEqual(ends([taken]), [0, 'sent', undefined]);
    assert.deepEqual(ends([taken, view([])]), [
      ...[3, 'not-taken'],
      'ann has not taken "a.txt", and nothing has moved for 10m. --wait gives them longer.',
    ]);
    assert.deepEqual(ends([taken, declined, view([])]), [4, 'declined', 'ann declined "b.txt".']);
    assert.deepEqual(ends([failed, declined]), [2, 'not-sent', 'It has changed.']);
    const gone = view([], { state: 'cancelled' });
    assert.deepEqual(ends([gone]).slice(0, 2), [3, 'not-taken']);
  });

  test('is 0 where somebody has it, whoever else has not', () => {
    assert.deepEqual(ends([view([[BOB, 'done']])], [ANN, BOB]), [0, 'sent', undefined]);
    assert.match(String(ends([view([])], [ANN, BOB])[2]), /^Nobody has taken "a\.txt"/);
  });
});

test('many nicknames are not all named', () => {
  assert.equal(nicksText(['a', 'b']), 'a, b');
  assert.equal(nicksText([...'abcdefg']), 'a, b, c, d, e and 2 more');
});

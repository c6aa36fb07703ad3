/** What the host is told of the door, and what /door shows. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DoorReport, doorLines, meantAtDoor } from '../../../src/app/hosting/door-report.ts';
import { hash, idKey, invitationId } from '../../../src/protocol/identifiers.ts';
import type { DoorStage } from '../../../src/room/admission.ts';
import type { Visitor } from '../../../src/room/visitors.ts';
import type { DoorEvent, NoticeEvent } from '../../../src/terminal/json-lines.ts';

const FOR_ANN = idKey(invitationId(new Uint8Array(8).fill(2)));
const OWN = idKey(invitationId(new Uint8Array(8).fill(9)));
const KEY = hash(new Uint8Array(32).fill(0xab));
const names = {
  isOwn: (key: string) => key === OWN,
  nameOf: (key: string) => (key === FOR_ANN ? '2' : ''),
  describe: (key: string) => (key === FOR_ANN ? 'invitation 2, for Ann' : 'an invitation'),
};

function visitor(stage: DoorStage, known: Partial<Visitor> = {}): Visitor {
  return { holder: 7, invitation: FOR_ANN, stage, sinceMs: 0, nick: null, fingerprint: null, ...known };
}

function report() {
  const told: (DoorEvent | NoticeEvent)[] = [];
  return { told, door: new DoorReport({ names, tell: (event) => told.push(event) }) };
}

describe('the door, as it happens', () => {
  test('a run from the question to the room, in sentences and for programs', () => {
    const { told, door } = report();
    for (const stage of ['question', 'answer-tested', 'answer-proved', 'wrong-code', 'nick-refused'] as const)
      door.take({ kind: 'door', ...visitor(stage) });
    door.take({ kind: 'door', ...visitor('waiting', { nick: 'ann', fingerprint: KEY }) });
    door.take({ kind: 'door-left', holder: 7, invitation: FOR_ANN, how: 'admitted', reason: null });
    assert.deepEqual(
      told.map(({ text }) => text),
      [
        'Visitor 7 is at the question (invitation 2, for Ann).',
        'Visitor 7 has given an answer (invitation 2, for Ann).',
        'Visitor 7 has the right answer and is at the code (invitation 2, for Ann).',
        'Visitor 7 gave a wrong code (invitation 2, for Ann).',
        'Visitor 7 asked for a nickname that cannot be had (invitation 2, for Ann).',
        'ann has everything right and waits for your yes (invitation 2, for Ann): /admit ann or /deny ann. Their key is abab abab abab abab abab abab abab abab.',
        'ann was let in (invitation 2, for Ann).',
      ],
    );
    assert.deepEqual(told.at(-2), {
      type: 'door',
      visitor: 7,
      stage: 'waiting',
      invitation: '2',
      nick: 'ann',
      fingerprint: Buffer.from(KEY).toString('base64url'),
      text: told.at(-2)?.text,
    });
  });

  test('someone with the password of an account, and that they are the member of that name', () => {
    const { told, door } = report();
    for (const stage of ['password-tested', 'password-proved'] as const)
      door.take({ kind: 'door', ...visitor(stage) });
    const waits = visitor('waiting', { nick: 'ann', fingerprint: KEY, takesOver: true });
    door.take({ kind: 'door', ...waits });
    assert.deepEqual(
      told.map(({ text }) => text),
      [
        'Visitor 7 has given the password of an account (invitation 2, for Ann).',
        'Visitor 7 has the right password of an account (invitation 2, for Ann).',
        'ann is the member of that name under another key, by their password, and has everything right and waits for your yes (invitation 2, for Ann): /admit ann or /deny ann. Their key is abab abab abab abab abab abab abab abab.',
      ],
    );
    const [, line] = doorLines([waits], names, 0);
    assert.match(line ?? '', /ann is the member of that name under another key, by their password/);
  });

  // Once two people who came by one invitation could not be told apart, nor a second answer from the first.
  test('who comes by the same invitation has another number, and another answer is told as one', () => {
    const { told, door } = report();
    for (const holder of [7, 8, 7]) door.take({ kind: 'door', ...visitor('answer-tested', { holder }) });
    door.take({ kind: 'door-left', holder: 7, invitation: FOR_ANN, how: 'gone', reason: null });
    door.take({ kind: 'door', ...visitor('answer-tested') });
    assert.deepEqual(
      told.map(({ text }) => text.replace(' (invitation 2, for Ann).', '')),
      [
        'Visitor 7 has given an answer',
        'Visitor 8 has given an answer',
        'Visitor 7 has given another answer',
        'Visitor 7 has gone from the door',
        'Visitor 7 has given an answer',
      ],
    );
  });

  test('that somebody was denied is told in any crowd', () => {
    const { told, door } = report();
    for (let holder = 10; holder < 100; holder += 1)
      door.take({ kind: 'door', ...visitor('question', { holder }) });
    door.take({ kind: 'door-left', holder: 7, invitation: FOR_ANN, how: 'refused', reason: 'denied' });
    assert.match(told.at(-1)?.text ?? '', /: you said no\.$/);
  });

  test('how they left, and why', () => {
    const { told, door } = report();
    const left = { kind: 'door-left', holder: 7, invitation: FOR_ANN } as const;
    door.take({ ...left, how: 'gone', reason: null });
    door.take({ ...left, how: 'refused', reason: 'too-many-answers' });
    door.take({ ...left, how: 'refused', reason: null });
    door.take({ kind: 'refused', holder: 8, reason: 'not-recognised' });
    assert.deepEqual(
      told.map(({ text }) => text),
      [
        'Visitor 7 has gone from the door (invitation 2, for Ann).',
        'Visitor 7 was turned away at the door (invitation 2, for Ann): too many attempts.',
        'Visitor 7 was turned away at the door (invitation 2, for Ann).',
        'Visitor 8 was turned away at the door: an invitation that this room does not know.',
      ],
    );
    assert.deepEqual(told[1], {
      type: 'door',
      visitor: 7,
      stage: 'refused',
      invitation: '2',
      reason: 'too-many-answers',
      text: told[1]?.text,
    });
  });

  test("the host's own way in and what is not about the door are not told", () => {
    const { told, door } = report();
    assert.equal(door.take({ kind: 'door', ...visitor('question', { invitation: OWN }) }), null);
    const left = { kind: 'door-left', holder: -1, invitation: OWN, how: 'admitted', reason: null } as const;
    assert.equal(door.take(left), null);
    assert.equal(door.take({ kind: 'suspended', invitation: FOR_ANN, because: 'tries' }), null);
    assert.deepEqual(told, []);
  });

  test('a flood is a few lines and a number, and whoever waits for the host is told all the same', (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const { told, door } = report();
    for (let holder = 0; holder < 500; holder += 1)
      assert.ok(door.take({ kind: 'door', ...visitor('question', { holder }) }), 'the log has them all');
    assert.equal(told.length, 8);
    door.take({ kind: 'door', ...visitor('waiting', { nick: 'ann', fingerprint: KEY }) });
    door.take({ kind: 'door-left', holder: 7, invitation: FOR_ANN, how: 'gone', reason: null });
    door.take({ kind: 'door', ...visitor('waiting', { holder: 600, nick: 'ann' }) });
    assert.deepEqual(
      told.slice(8).map(({ text }) => text.slice(0, 12)),
      ['ann has ever', 'ann has gone', 'ann has ever'],
      'another ann is seen to be another',
    );
    context.mock.timers.tick(10_000);
    assert.deepEqual(
      told.slice(11).map(({ type, text }) => [type, text]),
      [['notice', '492 more things happened at the door. /door shows who is there now.']],
    );
    door.take({ kind: 'door', ...visitor('question') });
    context.mock.timers.tick(10_000);
    assert.equal(told.length, 13);
  });
});

describe('/door', () => {
  test('shows who waits for the host first, then the others as they came', () => {
    const lines = doorLines(
      [
        visitor('question', { holder: 3, sinceMs: 40_000 }),
        visitor('answer-proved', { holder: 4, sinceMs: 20_000, invitation: OWN }),
        visitor('wrong-code', { holder: 5, sinceMs: 10_000 }),
        visitor('waiting', { holder: 6, sinceMs: 50_000, nick: 'ann', fingerprint: KEY }),
      ],
      names,
      60_000,
    );
    assert.match(lines[0] ?? '', /^Number, .*\/admit and \/deny take the number/);
    assert.deepEqual(lines.slice(1), [
      '6  10s  ann has everything right and waits for your yes (invitation 2, for Ann): /admit ann or /deny ann. Their key is abab abab abab abab abab abab abab abab',
      '5  50s  Visitor 5 gave a wrong code (invitation 2, for Ann)',
      '3  20s  Visitor 3 is at the question (invitation 2, for Ann)',
    ]);
  });

  test('says when nobody is there', () => {
    assert.deepEqual(doorLines([], names, 0), ['Nobody is at the door.']);
  });
});

// A guest who guessed the number of whoever came next, and took it for a nickname, was let in by /admit NUMBER.
test('whoever waits is meant by nickname or number, and nobody by both at once', () => {
  const ann = visitor('waiting', { holder: 42, nick: 'ann' });
  const liar = visitor('waiting', { holder: 41, nick: '42' });
  const other = visitor('waiting', { holder: 43, nick: '41' });
  const here = [liar, ann, other, visitor('answer-proved', { holder: 44 })];
  const meant = (act: 'admit' | 'deny', who: string) => meantAtDoor(here, act, who).holder;
  for (const act of ['admit', 'deny'] as const) {
    assert.equal(meant(act, 'ann'), 42);
    assert.equal(meant(act, '43'), 43);
    for (const { holder } of [ann, liar, other]) assert.equal(meant(act, `#${holder}`), holder);
    for (const who of ['42', '41']) assert.throws(() => meant(act, who), /could be .* or .*#/);
  }
  for (const who of ['44', '#44', 'bob'])
    assert.throws(() => meant('admit', who), {
      code: 'not-waiting',
      message: /Waiting: 42 \(#41\), ann \(#42\), 41 \(#43\)/,
    });
  assert.throws(() => meantAtDoor([], 'admit', 'ann'), { message: /Nobody waits/ });
});

// /door said that /deny takes anyone's number, and whoever was still at the checks was not found.
test('a no is for anyone who stands there, by number', () => {
  const ann = visitor('waiting', { holder: 42, nick: '44' });
  const here = [ann, visitor('answer-proved', { holder: 44 }), visitor('question', { holder: 45 })];
  for (const [who, holder] of [
    ['45', 45],
    ['#44', 44],
    ['#42', 42],
  ] as const)
    assert.equal(meantAtDoor(here, 'deny', who).holder, holder);
  assert.throws(() => meantAtDoor(here, 'deny', '44'), {
    code: 'not-at-door',
    message: '44 could be 44 (#42) or Visitor 44 (#44). Say which by its number, with the #.',
  });
  assert.throws(() => meantAtDoor(here, 'deny', 'bob'), { code: 'not-at-door', message: /\/door shows/ });
});

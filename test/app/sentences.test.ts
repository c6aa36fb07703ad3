/** Whoever is refused at the door reads why and what to do, and a script gets its exit code. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT } from '../../src/app/exit-codes.ts';
import { outcomeOf } from '../../src/app/finish.ts';
import { CLOSE, REFUSAL, type Refusal } from '../../src/protocol/reasons.ts';
import { PROTOCOL_VERSION } from '../../src/protocol/version.ts';
import { closedText } from '../../src/terminal/view/closed.ts';

const REASONS = Object.keys(REFUSAL) as Refusal[];

function sentence(reason: Refusal, version: number = PROTOCOL_VERSION): string {
  const { exitCode, problem } = outcomeOf({ kind: 'refused', reason, triesLeft: 0, version }, 'quit');
  assert.equal(exitCode, EXIT.notAdmitted, reason);
  assert.equal(problem?.code, reason);
  return problem?.text ?? '';
}

test('each refusal has a sentence of its own', () => {
  const told = new Set(REASONS.map((reason) => sentence(reason)));
  assert.equal(told.size, REASONS.length);
  for (const text of told) assert.match(text, /^[A-Z].*\.$/);
});

/** Words that tell somebody to do something. */
const NEXT_STEP =
  /\b([Aa]sk|[Cc]hoose|[Jj]oin again|[Tt]ry again|[Uu]se the same|Go on there|tell the host|tries again by itself)\b/;

test('each refusal says what to do next', () => {
  for (const reason of REASONS) assert.match(sentence(reason), NEXT_STEP, reason);
});

test('each way for a connection to be closed says what to do next, after the words of the host', () => {
  for (const code of Object.keys(CLOSE)) {
    const text = closedText({ code, reason: 'mona banned you from the room' });
    assert.match(text, /^Closed: mona banned you from the room\. [A-Z].*\.$/, code);
    assert.match(text, NEXT_STEP, code);
  }
});

test('locked, denied and banned say what it means and what can be done', () => {
  assert.match(sentence('locked'), /locked.*Your invitation stays good.*join again/);
  assert.match(sentence('denied'), /did not let you in.*ask them another way/);
  assert.match(sentence('banned'), /banned this nickname, or this key.*another nickname.*ask the host/);
});

// Once a guest was told of failed tries that nobody had made: an invitation is suspended after a removal as well.
test('a suspended invitation blames nobody', () => {
  assert.match(sentence('suspended'), /suspended for now\. Ask the host for a new one, or to reopen it\.$/);
});

test('another version says which one is older', () => {
  assert.match(sentence('version', PROTOCOL_VERSION + 1), /Get the newer securechat/);
  assert.match(sentence('version', PROTOCOL_VERSION - 1), /Ask the host to use a newer securechat/);
  assert.match(sentence('version'), /different cryptography/);
});

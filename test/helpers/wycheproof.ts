/**
 * Reads Wycheproof files. Every value a test uses is checked to be there and of its kind, so that a renamed field
 * fails instead of testing nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../../src/protocol/bytes.ts';
import { vectors } from './vectors.ts';

type Json = Readonly<Record<string, unknown>>;

export interface Fields {
  text(name: string): string;
  number(name: string): number;
  hex(name: string): Bytes;
  has(name: string): boolean;
}

function asJson(value: unknown): Json {
  assert.ok(typeof value === 'object' && value !== null);
  return Object.fromEntries(Object.entries(value));
}

function asList(value: unknown): readonly unknown[] {
  assert.ok(Array.isArray(value));
  return value;
}

function fieldsOf(json: Json): Fields {
  const text = (name: string): string => {
    const value = json[name];
    assert.ok(typeof value === 'string', `no text ${name}`);
    return value;
  };
  return {
    text,
    number(name) {
      const value = json[name];
      assert.ok(typeof value === 'number', `no number ${name}`);
      return value;
    },
    hex: (name) => new Uint8Array(Buffer.from(text(name), 'hex')),
    has: (name) => name in json,
  };
}

/** What our code made of a case; `left-out` is for parameters the protocol does not have. */
export type Verdict = 'accepted' | 'refused' | 'left-out';

/**
 * Runs each case of one file and compares verdicts: valid must be accepted, invalid refused.
 *
 * @param expected how many cases must have been accepted and refused: a file that runs nothing fails
 */
export function wycheproof(
  file: string,
  expected: { readonly accepted: number; readonly refused: number },
  judge: (given: Fields, group: Fields) => Verdict,
): void {
  const contents = vectors(`wycheproof/${file}`);
  if (contents === null) return;
  test(`Wycheproof ${file}`, () => {
    const ran = { accepted: 0, refused: 0 };
    for (const group of asList(asJson(contents)['testGroups']).map(asJson)) {
      for (const given of asList(group['tests']).map(asJson).map(fieldsOf)) {
        const verdict = judge(given, fieldsOf(group));
        if (verdict === 'left-out') continue;
        const right = given.text('result') === 'valid' ? 'accepted' : 'refused';
        assert.equal(verdict, right, `${file} tcId ${given.number('tcId')}`);
        ran[verdict] += 1;
      }
    }
    assert.deepEqual(ran, expected);
  });
}

/** The verdict of something that answers yes or no. */
export function verdict(good: boolean): Verdict {
  return good ? 'accepted' : 'refused';
}

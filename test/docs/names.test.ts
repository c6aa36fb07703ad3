/** Tables of the documents that list what the code names: limits, alarms, refusals, domains, promises. */
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LIMITS } from '../../src/protocol/limits.ts';
import { CLOSE, REFUSAL } from '../../src/protocol/reasons.ts';
import { readDocument } from './document.ts';

const ROOT = join(import.meta.dirname, '../..');
const PROTOCOL = readDocument('docs/protocol.md');
const SECURITY = readDocument('docs/security.md');

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  KiB: 1_024,
  MiB: 1_024 * 1_024,
  GiB: 1_024 * 1_024 * 1_024,
  s: 1_000,
  min: 60_000,
  d: 24 * 60 * 60_000,
};

/** The first cells of a table's rows, under a heading. */
function column(document: string, heading: string, place = 0): readonly string[] {
  const section = document.split(/^#{2,3} /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| '));
  assert.ok(rows.length > 2, `no table under ${heading}`);
  return rows.slice(1).map((row) => row.split(' | ')[place]?.replace(/^\| /, '') ?? '');
}

/** Every string that the sources of a folder match. */
function found(pattern: RegExp, folder: string): ReadonlySet<string> {
  const sources = globSync(`${folder}/**/*.ts`, { cwd: ROOT });
  const names = sources.flatMap((path) =>
    [...readDocument(path).matchAll(pattern)].map((match) => match[1] ?? ''),
  );
  assert.ok(names.length > 0, `nothing like ${pattern} in ${folder}`);
  return new Set(names);
}

test('every limit stands in the table with its value', () => {
  const documented = new Map<string, number>();
  for (const [, name = '', number = '', unit = ''] of SECURITY.matchAll(
    /^\| `(\w+)` \| ([\d,]+) ?(\w*) \|/gm,
  )) {
    documented.set(name, Number(number.replaceAll(',', '')) * (UNITS[unit] ?? Number.NaN));
  }
  assert.deepEqual(Object.fromEntries(documented), LIMITS);
});

test('every alarm stands in the table', () => {
  const listed = column(PROTOCOL, 'Alarms').flatMap((cell) => cell.replaceAll('*', '').split(', '));
  const raised = found(/(?:raise|fault|alarm|new SecurityError)\(\s*'([a-z-]+)'/g, 'src/member');
  // These end the connection instead: whoever answered is not the room that was joined.
  const endings = ['bad-box', 'bad-welcome', 'foreign-owner'];
  for (const code of raised)
    assert.ok([...listed, ...endings].includes(code), `alarm ${code} is not documented`);
});

test('every refusal and every reason to close stands in its table', () => {
  const refusals = column(PROTOCOL, 'Refusals').flatMap((cell) => cell.split(', '));
  assert.deepEqual(refusals.sort(), Object.keys(REFUSAL).sort());
  assert.deepEqual([...column(PROTOCOL, 'Closing')].sort(), Object.keys(CLOSE).sort());
});

test('every label of a hash, key or signature is named', () => {
  const labels = found(/'(sc1\/[a-z0-9]+)/g, 'src');
  for (const label of labels) assert.ok(PROTOCOL.includes(label), `${label} is not documented`);
});

test('tests of promises are where the table says', () => {
  const numbers = column(SECURITY, 'Promises');
  const places = column(SECURITY, 'Promises', 2);
  numbers.forEach((number, row) => {
    for (const [, path = ''] of (places[row] ?? '').matchAll(/`([\w/.-]+)`/g)) {
      assert.match(
        readDocument(`test/${path}.test.ts`),
        new RegExp(`\\b${number}\\b`),
        `${number} in ${path}`,
      );
    }
  });
  const tested = found(/\b(P\d{1,2})\b/g, 'test');
  for (const number of tested) assert.ok(numbers.includes(number), `${number} is no promise`);
});

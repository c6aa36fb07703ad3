import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { columnsOf } from '../../../src/terminal/graphemes.ts';
import { columnsTable } from '../../../src/terminal/view/columns-table.ts';

const HELP = [
  ['/help [command]', 'list the commands, or explain one'],
  ['/me ACTION', 'say what you do: "* ann waves"'],
];

test('wide: cells under each other, the last one wrapped under itself', () => {
  assert.deepEqual(columnsTable(HELP, 80), [
    '/help [command]  list the commands, or explain one',
    '/me ACTION       say what you do: "* ann waves"',
  ]);
  assert.deepEqual(columnsTable(HELP, 44).slice(0, 2), [
    '/help [command]  list the commands, or',
    '                 explain one',
  ]);
  const list = [
    ['1', '16 uses', 'for Ann'],
    ['12', '1 use', ''],
  ];
  assert.deepEqual(columnsTable(list, Number.POSITIVE_INFINITY), ['1   16 uses  for Ann', '12  1 use']);
});

test('narrow: each row becomes a short block', () => {
  assert.deepEqual(columnsTable(HELP, 40), [
    '/help [command]',
    '  list the commands, or explain one',
    '/me ACTION',
    '  say what you do: "* ann waves"',
  ]);
});

test('nothing, one column, wide characters', () => {
  assert.deepEqual(columnsTable([], 80), []);
  assert.deepEqual(columnsTable([['a'], ['b']], 80), ['a', 'b']);
  assert.deepEqual(
    columnsTable(
      [
        ['东京', 'x'],
        ['a', 'y'],
      ],
      80,
    ),
    ['东京  x', 'a     y'],
  );
});

test('P42: cells are cleaned, and no row is wider than the screen', () => {
  assert.deepEqual(columnsTable([['\u001b[2J', 'a\nb']], 80), ['␛[2J  a␊b']);
  const words = fc.array(fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' }), { maxLength: 8 });
  const cell = words.map((some) => some.join(' '));
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell)), fc.integer({ min: 40, max: 100 }), (rows, columns) => {
      for (const line of columnsTable(rows, columns)) assert.ok(columnsOf(line) <= columns, line);
    }),
  );
});

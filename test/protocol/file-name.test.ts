/** Names that others chose, as names on this disk. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { cleanText } from '../../src/protocol/clean-text.ts';
import {
  isPartialName,
  nameKey,
  numbered,
  partialName,
  safeFileName,
  safeRelativePath,
} from '../../src/protocol/file-name.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { NAUGHTY } from '../helpers/naughty-strings.ts';
import { vectors } from '../helpers/vectors.ts';

const RESERVED = ['CON', 'PRN', 'AUX', 'NUL', 'CONIN$', 'CONOUT$'].concat(
  ['COM', 'LPT'].flatMap((port) => [...'0123456789¹²³'].map((digit) => port + digit)),
);

/** Said again in other words than the code's: what every name must be. */
function checkSafe(name: string): void {
  const told = JSON.stringify(name);
  assert.notEqual(name, '', told);
  assert.ok(Buffer.byteLength(name) <= 200, told);
  assert.ok(name.isWellFormed(), told);
  assert.equal(name, name.normalize('NFC'), told);
  for (const character of '/\\:<>"|?*\0\n\r\t\u007f\u202e\u200b\ufeff')
    assert.ok(!name.includes(character), told);
  for (const character of '.-~ ') assert.ok(!name.startsWith(character), told);
  for (const character of '. ') assert.ok(!name.endsWith(character), told);
  const base = (name.split('.')[0] ?? '').trimEnd().toUpperCase();
  assert.ok(!RESERVED.includes(base), told);
  assert.equal(cleanText(name), name, told);
  assert.ok(!isPartialName(name), told);
  assert.equal(safeFileName(name), name, `${told} stays`);
}

describe('P40 an offered name is a name, and nothing else', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['photo.jpg', 'photo.jpg'],
    ['Übersicht März.pdf', 'Übersicht März.pdf'],
    ['cafe\u0301.txt', 'café.txt'],
    ['写真.jpg', '写真.jpg'],
    ['👨‍👩‍👧 at home.png', '👨‍👩‍👧 at home.png'],
    ['../../etc/passwd', 'passwd'],
    ['/etc/passwd', 'passwd'],
    ['..', 'file'],
    ['.', 'file'],
    ['', 'file'],
    ['////', 'file'],
    ['folder/', 'folder'],
    ['..\\..\\windows\\system32\\evil.dll', 'evil.dll'],
    ['C:\\autoexec.bat', 'autoexec.bat'],
    ['C:evil.exe', 'evil.exe'],
    ['\\\\server\\share\\x', 'x'],
    ['notes.txt:hidden', 'notes.txt_hidden'],
    ['Screenshot 12:30:05.png', 'Screenshot 12_30_05.png'],
    ['.bashrc', 'bashrc'],
    ['...hidden', 'hidden'],
    ['-rf', 'rf'],
    ['--help', 'help'],
    ['~root', 'root'],
    ['. -~ x', 'x'],
    ['name.', 'name'],
    ['name. . .', 'name'],
    ['  padded  ', 'padded'],
    ['a<b>c"d|e?f*g', 'a_b_c_d_e_f_g'],
    ['CON', '_CON'],
    ['con.txt', '_con.txt'],
    ['Nul.tar.gz', '_Nul.tar.gz'],
    ['aux .txt', '_aux .txt'],
    ['COM1', '_COM1'],
    ['com¹.log', '_com¹.log'],
    ['LPT³', '_LPT³'],
    ['CONIN$', '_CONIN$'],
    ['conout$.x', '_conout$.x'],
    ['COM10', 'COM10'],
    ['console', 'console'],
    ['nul\u200b', '_nul'],
    ['\u212a.txt', 'K.txt'],
    ['photo\u202egpj.exe', 'photogpj.exe'],
    ['photo.jpg                       .exe', 'photo.jpg .exe'],
    ['line\nbreak\ttab', 'line break tab'],
    ['a\0b', 'a b'],
    ['\u0301accent', '◌\u0301accent'],
    ['lone \ud800 half', 'lone half'],
    ['x.0123456789ab.part', 'x.0123456789ab.part_'],
    ['x.0123456789AB.PART', 'x.0123456789AB.PART_'],
    ['x.0123456789ab.part.lock', 'x.0123456789ab.part.lock_'],
    ['x.part', 'x.part'],
  ];
  for (const [offered, safe] of cases) {
    test(JSON.stringify(offered), () => {
      assert.equal(safeFileName(offered), safe);
      checkSafe(safe);
    });
  }
});

describe('P40 long names', () => {
  test('keep their ending', () => {
    assert.equal(safeFileName(`${'x'.repeat(300)}.tar.gz`), `${'x'.repeat(193)}.tar.gz`);
    assert.equal(safeFileName('x'.repeat(300)), 'x'.repeat(200));
    assert.equal(safeFileName(`${'ä'.repeat(150)}.jpg`), `${'ä'.repeat(98)}.jpg`);
  });
  test('are cut between what people see as characters', () => {
    const family = '👨‍👩‍👧';
    const name = safeFileName(`${family.repeat(30)}.png`);
    assert.equal(name, `${family.repeat(10)}.png`);
  });
  test('are cut between code points where all is one character', () => {
    const name = safeFileName('क्'.repeat(200));
    assert.ok(Buffer.byteLength(name) > 150);
    checkSafe(name);
  });
  test('do not become what is ours by being cut', () => {
    for (let length = 170; length < 200; length += 1)
      checkSafe(safeFileName(`${'x'.repeat(length)}.0123456789ab.part${'y'.repeat(40)}`));
    for (let length = 170; length < 300; length += 1)
      checkSafe(safeFileName(`${'x'.repeat(length)}.0123456789ab.part`));
    checkSafe(safeFileName(`con.${'x'.repeat(300)}`));
    checkSafe(safeFileName(`${'x'.repeat(199)}. . .y${'z'.repeat(30)}`));
  });
});

/** Strings in which what matters here comes often. */
const awkward = fc
  .array(
    fc.oneof(
      fc.constantFrom(...'/\\:.-~ <>"|?*_$%&;\'`\u0301\u0338\u200d\u202e\u00a0\ufeff\u094d\u0000\n'),
      fc.constantFrom('..', 'CON', 'nul', 'com¹', 'aux', '.tar', '.gz', '.0123456789ab', '.part', '.lock'),
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.string({ unit: 'grapheme', maxLength: 8 }),
      fc.constantFrom('x'.repeat(190), 'ä'.repeat(97), '👨‍👩‍👧'.repeat(11), 'क्'.repeat(40)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

test('P40 whatever is offered', () => {
  fc.assert(
    fc.property(awkward, (offered) => checkSafe(safeFileName(offered))),
    { numRuns: 3_000 },
  );
});

test('P40 whatever path is offered leads down from its folder', () => {
  fc.assert(
    fc.property(awkward, (offered) => checkPath(offered)),
    { numRuns: 3_000 },
  );
});

function checkPath(offered: string): void {
  const segments = safeRelativePath(offered);
  if (segments === null) return;
  assert.equal(segments.length, offered.split('/').length);
  for (const segment of segments) checkSafe(segment);
  assert.deepEqual(safeRelativePath(segments.join('/')), segments);
}

test('P40 naughty strings, as names and as paths', () => {
  const list = vectors('blns/blns.json') ?? [];
  assert.ok(Array.isArray(list));
  for (const offered of [...NAUGHTY, ...list]) {
    assert.ok(typeof offered === 'string');
    checkSafe(safeFileName(offered));
    checkPath(offered);
    checkPath(`folder/${offered}`);
    checkPath(`${offered}/file`);
  }
});

describe('P40 paths in a folder', () => {
  const deepest = Array.from({ length: LIMITS.folderDepthMost }, () => 'd').join('/');
  const longest = Array.from({ length: 4 }, () => 'x'.repeat(LIMITS.folderPathBytes / 4 - 1)).join('/');
  for (const path of [
    ...['', '/', '/etc/passwd', '\\etc', '..', '.', 'a/..', '../a', 'a/../b', './a', 'a/.'],
    ...['a//b', 'a/', '/a', 'C:/x', 'c:x', '\\\\server\\share', `${deepest}/d`, `${longest}/xxx`],
  ])
    test(`refused: ${JSON.stringify(path).slice(0, 40)}`, () => assert.equal(safeRelativePath(path), null));
  for (const [path, segments] of [
    ['a', ['a']],
    ['src/main.ts', ['src', 'main.ts']],
    ['.git/config', ['_git', 'config']],
    ['a/.../b', ['a', '_', 'b']],
    ['a/..\\..\\b', ['a', '__.._b']],
    ['at 10:30/nul', ['at 10_30', '_nul']],
    [deepest, deepest.split('/')],
  ] as const)
    test(`taken: ${path.slice(0, 40)}`, () => assert.deepEqual(safeRelativePath(path), segments));
});

test('names that some systems take for one have one key', () => {
  assert.equal(nameKey('README'), nameKey('ReadMe'));
  assert.equal(nameKey('É'), nameKey('e\u0301'));
  assert.equal(nameKey('straße'), nameKey('STRASSE'));
  assert.notEqual(nameKey('a'), nameKey('b'));
});

test('a number stands before the ending', () => {
  assert.equal(numbered('photo.jpg', 2), 'photo (2).jpg');
  assert.equal(numbered('x.tar.gz', 12), 'x (12).tar.gz');
  assert.equal(numbered('README', 3), 'README (3)');
  assert.equal(numbered('a. b', 2), 'a. b (2)');
  assert.equal(numbered('v1.2', 2, true), 'v1.2 (2)');
});

test('what is not complete says so', () => {
  const name = partialName('photo.jpg', '0123456789abcdef0123');
  assert.equal(name, 'photo.jpg.0123456789ab.part');
  assert.ok(isPartialName(name));
  assert.ok(!isPartialName('photo.part'));
});

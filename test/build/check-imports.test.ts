import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkImports } from '../../scripts/check-imports.ts';
import { type ImportRules, RULES } from '../../scripts/import-rules.ts';

/** A tree that keeps every rule; each case adds or replaces files. */
const SOUND: Readonly<Record<string, string>> = {
  'src/protocol/bytes.ts': 'export const x = 1;',
  'src/crypto/envelope.ts':
    "import { x } from '../protocol/bytes.ts'; import 'node:crypto'; export const open = x;",
  'src/crypto/sender-chain.ts': "export { open } from './envelope.ts';",
  'src/crypto/chunked.ts': "import 'node:crypto'; export const seal = 1;",
  'src/crypto/hash.ts': "import 'node:crypto'; export const hash = 1;",
  'src/room/room.ts':
    "import { hash } from '../crypto/hash.ts'; export type Log = number; export const room = hash;",
  'src/member/timeline.ts': "import { open } from '../crypto/sender-chain.ts'; export const timeline = open;",
  'src/transport/tls.ts': "import 'node:tls'; import '../protocol/bytes.ts';",
  'src/storage/memory.ts': "import type { Log } from '../room/room.ts'; export type Kept = Log;",
  'src/terminal/editor.ts': "import 'string-width'; import 'node:readline';",
  'src/app/host.ts':
    "import '../room/room.ts'; import '../member/timeline.ts'; import '../transport/tls.ts';",
  'src/main.ts': "await import('./app/host.ts');",
};

function problems(files: Readonly<Record<string, string>>, rules: ImportRules = RULES): readonly string[] {
  return checkImports(new Map(Object.entries({ ...SOUND, ...files })), rules);
}

describe('import rules', () => {
  test('a tree that keeps them has no problems', () => {
    assert.deepEqual(problems({}), []);
  });

  test('nothing read is a failure, not a pass', () => {
    assert.equal(checkImports(new Map(), RULES).length, 1);
  });

  test('a rule about a file that is gone is a failure', () => {
    const { 'src/crypto/sender-chain.ts': _, 'src/member/timeline.ts': __, ...files } = SOUND;
    const found = checkImports(new Map(Object.entries(files)), RULES);
    assert.deepEqual(found, [
      'src/crypto/sender-chain.ts is kept out of reach by a rule, but there is no such file',
    ]);
  });

  const BREAKS: readonly { name: string; files: Record<string, string>; expected: readonly RegExp[] }[] = [
    {
      name: 'an import upward',
      files: {
        'src/protocol/bytes.ts': "import type { Log } from '../room/room.ts'; export const x: Log = 1;",
      },
      expected: [/^src\/protocol\/bytes\.ts must not import src\/room\/room\.ts/],
    },
    {
      name: 'the host reaching what opens a file',
      files: { 'src/room/room.ts': "import '../crypto/chunked.ts';" },
      expected: [
        /^src\/room\/room\.ts -> src\/crypto\/chunked\.ts: what runs for the host/,
        /^src\/storage\/memory\.ts -> src\/room\/room\.ts -> src\/crypto\/chunked\.ts: /,
      ],
    },
    {
      name: 'an export from above',
      files: { 'src/transport/tls.ts': "export { room } from '../room/room.ts';" },
      expected: [/^src\/transport\/tls\.ts must not import src\/room\/room\.ts/],
    },
    {
      name: 'a value where only types are allowed, even among types',
      files: {
        'src/storage/memory.ts': "import { type Log } from '../room/room.ts'; export type Kept = Log;",
      },
      expected: [/^src\/storage\/memory\.ts must not import src\/room\/room\.ts/],
    },
    {
      name: 'the host reaching what opens a message, directly',
      files: { 'src/room/room.ts': "import '../crypto/envelope.ts';" },
      expected: [
        /^src\/room\/room\.ts -> src\/crypto\/envelope\.ts: what runs for the host/,
        /^src\/storage\/memory\.ts -> src\/room\/room\.ts -> src\/crypto\/envelope\.ts: /,
      ],
    },
    {
      name: 'the host reaching it over three steps, one dynamic and one a re-export',
      files: {
        'src/room/room.ts': "await import('../crypto/hash.ts');",
        'src/crypto/hash.ts': "export * from './helper.ts';",
        'src/crypto/helper.ts': "import type { open } from './envelope.ts';",
      },
      expected: [
        /^src\/room\/room\.ts -> src\/crypto\/hash\.ts -> src\/crypto\/helper\.ts -> src\/crypto\/envelope\.ts: /,
        /^src\/storage\/memory\.ts -> src\/room\/room\.ts -> .* -> src\/crypto\/envelope\.ts: /,
      ],
    },
    {
      name: 'a type written as an import in place',
      files: { 'src/transport/tls.ts': "export type Open = import('../crypto/envelope.ts').Open;" },
      expected: [/must not import src\/crypto\/envelope\.ts/, /tls\.ts -> src\/crypto\/envelope\.ts: /],
    },
    {
      name: 'a cycle of types',
      files: {
        'src/crypto/hash.ts':
          "import type { A } from './other.ts'; export type B = A; export const hash = 1;",
        'src/crypto/other.ts': "import type { B } from './hash.ts'; export type A = B;",
      },
      expected: [/^cycle: src\/crypto\/hash\.ts -> src\/crypto\/other\.ts -> src\/crypto\/hash\.ts$/],
    },
    {
      name: 'a cycle over three files',
      files: {
        'src/app/host.ts': "import './a.ts';",
        'src/app/a.ts': "import './b.ts';",
        'src/app/b.ts': "import './host.ts';",
      },
      expected: [/^cycle: src\/app\/host\.ts -> src\/app\/a\.ts -> src\/app\/b\.ts -> src\/app\/host\.ts$/],
    },
    {
      name: 'a built-in module in a pure layer',
      files: {
        'src/room/room.ts':
          "import 'node:fs'; import type { Socket } from 'node:net'; export type Log = Socket;",
      },
      expected: [/^src\/room\/room\.ts must not import node:fs/],
    },
    {
      name: 'a package known to two files',
      files: {
        'src/crypto/hash.ts': "import 'otpauth'; export const hash = 1;",
        'src/crypto/code.ts': "import 'otpauth/sub';",
      },
      expected: [
        /^the package otpauth is known to more than one file: src\/crypto\/hash\.ts, src\/crypto\/code\.ts$/,
      ],
    },
    {
      name: 'a shared package outside its folder',
      files: { 'src/crypto/hash.ts': "import 'string-width'; export const hash = 1;" },
      expected: [/^src\/crypto\/hash\.ts must not know the package string-width$/],
    },
    {
      name: 'a file of the project outside src/',
      files: { 'src/crypto/hash.ts': "import '../../scripts/build.ts'; export const hash = 1;" },
      expected: [/^src\/crypto\/hash\.ts must not import scripts\/build\.ts/],
    },
    {
      name: 'a file that no rule covers',
      files: { 'other/file.ts': '' },
      expected: [/^other\/file\.ts is in no layer$/],
    },
  ];

  for (const { name, files, expected } of BREAKS) {
    test(`finds ${name}`, () => {
      const found = problems(files);
      assert.equal(found.length, expected.length, found.join('\n'));
      for (const [index, pattern] of expected.entries()) assert.match(found[index] ?? '', pattern);
    });
  }

  test('refuses what it cannot judge', () => {
    assert.throws(() => problems({ 'src/app/host.ts': 'await import(name);' }), /computed name/);
    assert.throws(() => problems({ 'src/app/host.ts': 'import {' }), /does not parse/);
  });
});

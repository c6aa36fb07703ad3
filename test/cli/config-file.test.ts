import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { readConfigFile } from '../../src/cli/config-file.ts';
import { sampleFile } from '../../src/cli/config-report.ts';
import { fileLayer } from '../../src/cli/file-layer.ts';
import { Choices } from '../../src/cli/layers.ts';
import { ALL_SETTINGS, SETTINGS } from '../../src/cli/settings.ts';
import { parseToml } from '../../src/cli/toml.ts';
import { InputError } from '../../src/protocol/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'securechat-config-'));
after(() => rmSync(folder, { recursive: true }));

function choices(text: string, path = '/etc/sc.toml'): Choices {
  return new Choices([fileLayer(parseToml(text, path), path)]);
}

function problemOf(text: string): string {
  try {
    choices(text, 'sc.toml');
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    return error.message;
  }
  return assert.fail('nothing wrong');
}

describe('what a file may say', () => {
  test('every kind of value, each with its line', () => {
    const chosen = choices(`
      nick = "ann" # me
      [host]
      uses = 0x10
      chat = false
      address = [
        "a.example",
        'b.example:99',
      ]
      reach = "public"
      [log]
      level = """debug"""`);
    assert.equal(chosen.value(SETTINGS.nick), 'ann');
    assert.equal(chosen.value(SETTINGS.uses), 16);
    assert.equal(chosen.value(SETTINGS.chat), false);
    assert.deepEqual(chosen.value(SETTINGS.address), [
      { host: 'a.example', port: null },
      { host: 'b.example', port: 99 },
    ]);
    assert.equal(chosen.value(SETTINGS.reach), 'public');
    assert.equal(chosen.value(SETTINGS.logLevel), 'debug');
    assert.deepEqual(chosen.given(SETTINGS.reach)?.origin, { kind: 'file', path: '/etc/sc.toml', line: 10 });
  });

  test('sections as dotted keys and inline tables', () => {
    assert.equal(choices('host.uses = 3').value(SETTINGS.uses), 3);
    assert.equal(choices('host = { uses = 3 }').value(SETTINGS.uses), 3);
    assert.equal(choices('"host" . "max-members" = 3').value(SETTINGS.maxMembers), 3);
  });

  test('file names from its own folder, or from home', () => {
    const name = (text: string) => choices(`[host]\nanswer-file = "${text}"`).value(SETTINGS.hostAnswerFile);
    assert.deepEqual(name('a.txt'), { kind: 'file', path: '/etc/a.txt' });
    assert.deepEqual(name('../a.txt'), { kind: 'file', path: '/a.txt' });
    assert.deepEqual(name('/tmp/a.txt'), { kind: 'file', path: '/tmp/a.txt' });
    assert.deepEqual(name('~/a.txt'), { kind: 'file', path: join(homedir(), 'a.txt') });
    assert.deepEqual(name('-'), { kind: 'standardInput' });
  });

  test('nothing', () => {
    assert.equal(choices('').value(SETTINGS.uses), 16);
    assert.equal(choices('[host]\n[join]').value(SETTINGS.uses), 16);
  });
});

describe('a mistake is named with its line', () => {
  for (const [text, message] of [
    [
      '\n\n[terminal]\ntimestamp = "off"',
      'sc.toml:4: "timestamp" is not a setting; did you mean "timestamps"?',
    ],
    ['wibble = 1', 'sc.toml:1: "wibble" is not a setting; "securechat config" lists them.'],
    ['timestamps = "off"', 'sc.toml:1: "timestamps" belongs under [terminal].'],
    ['[log]\nnick = "ann"', 'sc.toml:2: "nick" belongs above the first section.'],
    ['[hots]', 'sc.toml:1: there is no section [hots]; did you mean [host]?'],
    ['hots.uses = 3', 'sc.toml:1: there is no section [hots]; did you mean [host]?'],
    ['[x]', 'sc.toml:1: there is no section [x]. There are [host], [join], [terminal], [log].'],
    [
      '[host.more]',
      'sc.toml:1: there is no section [host.more]. There are [host], [join], [terminal], [log].',
    ],
    ['[[host]]', 'sc.toml:1: "host" is a section: write [host] on a line of its own, once.'],
    ['host = 3', 'sc.toml:1: "host" is a section: write [host] on a line of its own, once.'],
    ['[host]\nuses.most = 3', 'sc.toml:2: "uses.most" is not a setting; "securechat config" lists them.'],
    ['[host]\nuses = "3"', 'sc.toml:2: write uses as in: uses = 16'],
    ['[host]\nuses = 1.5', 'sc.toml:2: write uses as in: uses = 16'],
    ['[host]\naddress = "a"', 'sc.toml:2: write address as in: address = ["chat.example.org"]'],
    ['[host]\naddress = ["a", 3]', 'sc.toml:2: write address as in: address = ["chat.example.org"]'],
    ['[host]\nchat = "no"', 'sc.toml:2: write chat as in: chat = false'],
    ['[host]\nexpires = 07:32:00', 'sc.toml:2: write expires as in: expires = "24h"'],
    ['[host]\nuses = 256', 'sc.toml:2: uses: Write a whole number from 1 to 255.'],
    ['[terminal]\nbell = "loud"', 'sc.toml:2: bell: Write one of on, off, all.'],
    ['[terminal]\njson = true', 'sc.toml:2: "json" is not a setting; "securechat config" lists them.'],
    ['a = \n', 'sc.toml:2:1: Unspecified values are invalid. Texts stand in quotes: NAME = "VALUE".'],
    ['[host]\nuses = 3 4', 'sc.toml:2:10: Must be a newline. Write it like this: uses = 16.'],
    ['nick = "a"\nnick = "b"', 'sc.toml:2:1: Defining a key multiple times is invalid.'],
  ] as const) {
    test(JSON.stringify(text), () => assert.equal(problemOf(text), message));
  }

  test('also in what an option overrides', () => {
    const layer = fileLayer(parseToml('nick = "Ann Lee"', 'f'), 'f');
    const option = new Map([
      [SETTINGS.nick, { texts: ['bob'], origin: { kind: 'option', name: '--nick' } as const }],
    ]);
    assert.throws(() => new Choices([option, layer]), /f:1: nick: A nickname is/);
  });

  for (const key of ['answer', 'code', 'token', 'invitation']) {
    test(`a secret, ${key}, is refused and not repeated`, () => {
      const problem = problemOf(`[host]\n${key} = "The Reading Room"`);
      assert.match(problem, /^sc\.toml:2: "\w+" is a secret .* name that with "(answer|code|token)-file"\.$/);
      assert.doesNotMatch(problem, /Reading/);
    });
  }

  test('whatever the text is, nothing but an InputError comes', () => {
    const pieces = [
      '[',
      ']',
      '[[',
      '=',
      '"',
      "'",
      '\n',
      '.',
      '{',
      '}',
      ',',
      'host',
      'uses',
      '3',
      '__proto__',
      ' ',
      '\\u0',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 30 }), (parts) => {
        try {
          choices(parts.join(''));
        } catch (error) {
          assert.ok(error instanceof InputError, String(error));
        }
      }),
    );
  });
});

describe('the file itself', () => {
  const path = join(folder, 'securechat.toml');
  async function problem(contents: string | Uint8Array): Promise<string> {
    writeFileSync(path, contents);
    return await readConfigFile(path).then(
      () => '',
      (error: unknown) => {
        assert.ok(error instanceof InputError, String(error));
        return error.message;
      },
    );
  }

  test('none is no layer', async () => {
    assert.equal(await readConfigFile(join(folder, 'none.toml')), null);
    writeFileSync(join(folder, 'plain'), '');
    assert.equal(await readConfigFile(join(folder, 'plain', 'below.toml')), null);
  });

  test('a folder', async () => {
    mkdirSync(join(folder, 'folder'));
    await assert.rejects(readConfigFile(join(folder, 'folder')), /it is a folder, not a file\.$/);
  });

  test('a large one, and one that never ends', async () => {
    assert.equal(await problem(`#${'x'.repeat(65_535)}`), '');
    assert.match(await problem(`#${'x'.repeat(65_536)}`), /too large for a configuration file: 65536 bytes/);
    await assert.rejects(readConfigFile('/dev/zero'), /too large/);
  });

  test('one in another encoding', async () => {
    assert.match(await problem(Uint8Array.of(0x23, 0xe9)), /is not UTF-8 text\. Save it as UTF-8\.$/);
    assert.equal(await problem('\ufeffnick = "ann"\r\n'), '');
  });

  test('one nested deeper than anybody writes', async () => {
    const depth = 20_000;
    assert.match(
      await problem(`[host]\naddress = ${'['.repeat(depth)}${']'.repeat(depth)}`),
      /too deeply|write addr/,
    );
  });
});

describe('the sample file', () => {
  test('changes nothing as it stands', () => {
    assert.equal(fileLayer(parseToml(sampleFile(), 'f'), 'f').size, 0);
  });

  test('is right line by line, with every setting that a file may have', () => {
    const text = sampleFile().replaceAll(/^# (?=[a-z-]+ = )/gm, '');
    const layer = fileLayer(parseToml(text, 'f'), 'f');
    assert.deepEqual(
      [...layer.keys()].map(({ option }) => option).sort(),
      ALL_SETTINGS.filter(({ place }) => place === 'file')
        .map(({ option }) => option)
        .sort(),
    );
    assert.ok(new Choices([layer]));
  });
});

/** `securechat config`, and where settings of a whole run come from. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import type { HostOptions } from '../../src/app/options.ts';
import { run } from '../../src/cli/run.ts';

const folder = mkdtempSync(join(tmpdir(), 'securechat-settings-'));
const path = join(folder, 'config', 'securechat.toml');
after(() => rmSync(folder, { recursive: true }));
beforeEach(() => rmSync(path, { force: true }));

interface Outcome {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
  readonly hosted: readonly HostOptions[];
}

async function runWith(words: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  let [out, err] = ['', ''];
  const hosted: HostOptions[] = [];
  const exitCode = await run(
    words,
    {
      host: async (options) => {
        hosted.push(options);
        return 0;
      },
      join: () => assert.fail('nobody joins'),
      identity: () => assert.fail('nobody keeps an identity'),
      send: () => assert.fail('nobody sends'),
      rooms: () => assert.fail('nobody asks for rooms'),
      check: () => assert.fail('nobody has a proof'),
    },
    {
      stdinIsTerminal: false,
      stdoutIsTerminal: false,
      env,
      configPath: async () => path,
      dataFolder: async () => null,
      askRole: () => assert.fail('nobody is there to ask'),
      writeOut: (text) => {
        out += text;
      },
      writeErr: (text) => {
        err += text;
      },
    },
  );
  return { exitCode, out, err, hosted };
}

async function withFile(text: string): Promise<void> {
  await runWith(['config', 'init']);
  writeFileSync(path, text);
}

describe('the strongest place counts', () => {
  test('option, variable, file, default', async () => {
    await withFile('nick = "ann"\n[host]\nuses = 3\nexpires = "2h"\nroom = "Kitchen"');
    const variables = { SECURECHAT_USES: '4', SECURECHAT_EXPIRES: '3h' };
    const { hosted, err } = await runWith(['s', '--expires', '4h'], variables);
    const [options] = hosted;
    assert.equal(err, '');
    assert.deepEqual(
      [
        options?.nick,
        options?.roomName,
        options?.invitationUses,
        options?.invitationMs,
        options?.membersMost,
      ],
      ['ann', 'Kitchen', 4, 4 * 3_600_000, 128],
    );
  });

  test('an option takes back what the file says', async () => {
    await withFile('[terminal]\nquiet = true\nplain = true\n[host]\nchat = false');
    const [options] = (await runWith(['s', '--no-quiet', '--chat'])).hosted;
    assert.equal(options?.preferences.quiet, false);
    assert.equal(options?.chat, true);
    const [json] = (await runWith(['s', '--json'])).hosted;
    assert.equal(json?.display, 'json');
  });

  test('a named file is read instead of the usual one, and must exist', async () => {
    await withFile('nick = "ann"');
    const other = join(folder, 'other.toml');
    writeFileSync(other, 'nick = "bob"');
    assert.equal((await runWith(['s', '--config', other])).hosted[0]?.nick, 'bob');
    assert.equal((await runWith(['s'], { SECURECHAT_CONFIG: other })).hosted[0]?.nick, 'bob');
    const { exitCode, err, hosted } = await runWith(['s', '--config', join(folder, 'none.toml')]);
    assert.deepEqual([exitCode, hosted.length], [2, 0]);
    assert.match(err, /^securechat: There is no configuration file .*none\.toml\.\n$/);
  });

  test('a mistake in the file starts nothing', async () => {
    await withFile('[terminal]\ntimestamp = "off"');
    const { exitCode, err, hosted } = await runWith(['s']);
    assert.deepEqual([exitCode, hosted.length], [2, 0]);
    assert.equal(err, `securechat: ${path}:2: "timestamp" is not a setting; did you mean "timestamps"?\n`);
  });

  test('a stray variable is told, and nothing more', async () => {
    const { exitCode, err, hosted } = await runWith(['s'], { SECURECHAT_NIK: 'ann' });
    assert.deepEqual([exitCode, hosted.length], [0, 1]);
    assert.equal(
      err,
      'securechat: warning: SECURECHAT_NIK is not a setting; did you mean SECURECHAT_NICK?\n',
    );
  });

  test('P42: what stands in the name of a variable is told, and not obeyed', async () => {
    const { err } = await runWith(['s'], { 'SECURECHAT_\u001b]0;x\u0007\u202e': 'x' });
    assert.equal(err, 'securechat: warning: SECURECHAT_␛]0;x␇\ufffd is not a setting.\n');
  });
});

describe('securechat config', () => {
  test('shows each value and where it comes from', async () => {
    await withFile('nick = "ann"\n[host]\naddress = ["a.example", "b.example"]');
    const { out, err } = await runWith(['config', '--uses', '3', '--no-chat'], { SECURECHAT_BELL: 'off' });
    assert.equal(err, '');
    const lines = out.split('\n').map((line) => line.replaceAll(/ {2,}/g, ' | '));
    assert.equal(lines[0], `File: ${path}`);
    for (const line of [
      'nick | ann | file, line 1',
      'address | a.example, b.example | file, line 3',
      'uses | 3 | --uses',
      'chat | false | --no-chat',
      'bell | off | SECURECHAT_BELL',
      'listen | [::]:8888 | default',
      '[log]',
    ])
      assert.ok(lines.includes(line), `${line} is not in\n${lines.join('\n')}`);
  });

  test('shows nothing that a terminal obeys', async () => {
    await withFile('[host]\nroom = "a\\u001b[2Jb"');
    assert.match((await runWith(['config'])).out, /a␛\[2Jb/);
  });

  test('as JSON', async () => {
    await withFile('[host]\nuses = 3');
    const { out } = await runWith(['config', '--json', '--quiet']);
    const { file, settings } = JSON.parse(out);
    assert.deepEqual(file, { path, exists: true });
    const byName = (section: string, name: string) =>
      settings.find((each: Record<string, unknown>) => each['section'] === section && each['name'] === name);
    assert.deepEqual(byName('host', 'uses'), {
      section: 'host',
      name: 'uses',
      value: 3,
      origin: { kind: 'file', path, line: 2 },
      variable: 'SECURECHAT_USES',
    });
    assert.deepEqual(byName('terminal', 'quiet').origin, { kind: 'option', name: '--quiet' });
    assert.deepEqual(byName('host', 'address').value, []);
    assert.equal(byName('general', 'nick').value, null);
    assert.deepEqual(byName('general', 'nick').origin, { kind: 'default' });
  });

  test('--path says where the file lies, also when it is wrong', async () => {
    await withFile('wrong');
    assert.equal((await runWith(['config', '--path'])).out, `${path}\n`);
    assert.equal((await runWith(['config', '--path', '--config', '/x.toml'])).out, '/x.toml\n');
  });

  test('init writes a file once, for its owner only', async () => {
    const { exitCode, out } = await runWith(['config', 'init']);
    assert.deepEqual([exitCode, out], [0, `${path}\n`]);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal((await runWith(['s'])).exitCode, 0);
    writeFileSync(path, 'nick = "ann"');
    const again = await runWith(['config', 'init']);
    assert.equal(again.exitCode, 2);
    assert.match(again.err, /exists already and is left as it is\.\n$/);
    assert.equal(readFileSync(path, 'utf8'), 'nick = "ann"');
  });

  test('says so where a file cannot be', async () => {
    const { exitCode, err } = await runWith(['config', 'init', '--config', '/dev/null/x.toml']);
    assert.equal(exitCode, 2);
    assert.match(err, /^securechat: Cannot write \/dev\/null\/x\.toml: /);
  });
});

describe('completion and manual', () => {
  test('are printed', async () => {
    assert.match((await runWith(['completion', 'bash'])).out, /^# Completion of securechat for bash/);
    assert.match((await runWith(['manual'])).out, /^\.TH SECURECHAT 1 /);
  });

  test('a shell that is none is told', async () => {
    const { exitCode, err } = await runWith(['completion', 'csh']);
    assert.equal(exitCode, 2);
    assert.match(err, /bash, zsh, fish/);
  });
});

import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Choices } from '../../src/cli/layers.ts';
import { ALL_SETTINGS, SETTINGS, variableOf } from '../../src/cli/settings.ts';
import { strayVariables, variableLayer } from '../../src/cli/variables.ts';
import { InputError } from '../../src/protocol/errors.ts';

function choices(environment: Record<string, string>): Choices {
  return new Choices([variableLayer(environment)]);
}

describe('variables', () => {
  test('are read as options are', () => {
    const chosen = choices({
      SECURECHAT_NICK: 'ann',
      SECURECHAT_MAX_MEMBERS: '12',
      SECURECHAT_QUIET: 'yes',
      SECURECHAT_CHAT: '0',
      SECURECHAT_ADDRESS: 'a.example, [2001:db8::7]:99',
      SECURECHAT_LOG_LEVEL: 'debug',
    });
    assert.equal(chosen.value(SETTINGS.nick), 'ann');
    assert.equal(chosen.value(SETTINGS.maxMembers), 12);
    assert.equal(chosen.value(SETTINGS.quiet), true);
    assert.equal(chosen.value(SETTINGS.chat), false);
    assert.deepEqual(chosen.value(SETTINGS.address), [
      { host: 'a.example', port: null },
      { host: '2001:db8::7', port: 99 },
    ]);
    assert.equal(chosen.value(SETTINGS.logLevel), 'debug');
  });

  // Where a shell sets them, it leaves `~` alone as often as not.
  test('name files in the own folder by a tilde', () => {
    const chosen = choices({
      SECURECHAT_LOG_FILE: '~/chat.log',
      SECURECHAT_CONFIG: '~/chat.toml',
      SECURECHAT_ANSWER_FILE: '~/answer.txt',
    });
    assert.equal(chosen.value(SETTINGS.logFile), join(homedir(), 'chat.log'));
    assert.equal(chosen.value(SETTINGS.config), join(homedir(), 'chat.toml'));
    assert.deepEqual(chosen.value(SETTINGS.joinAnswerFile), {
      kind: 'file',
      path: join(homedir(), 'answer.txt'),
    });
  });

  test('count as unset when empty', () => {
    assert.equal(choices({ SECURECHAT_NICK: '', NO_COLOR: '' }).value(SETTINGS.nick), null);
    assert.equal(choices({ NO_COLOR: '' }).value(SETTINGS.color), null);
  });

  test('one for two commands gives both their setting', () => {
    const chosen = choices({ SECURECHAT_ANSWER_FILE: 'a.txt' });
    assert.deepEqual(chosen.value(SETTINGS.hostAnswerFile), { kind: 'file', path: 'a.txt' });
    assert.deepEqual(chosen.value(SETTINGS.joinAnswerFile), { kind: 'file', path: 'a.txt' });
  });

  test('name themselves in what is wrong with them', () => {
    assert.throws(
      () => choices({ SECURECHAT_QUIET: 'maybe' }),
      /^InputError: SECURECHAT_QUIET: Write true or/,
    );
    assert.throws(() => choices({ SECURECHAT_ADDRESS: 'a,,b' }), /^InputError: SECURECHAT_ADDRESS: /);
  });

  for (const name of ['ANSWER', 'CODE', 'TOKEN', 'INVITATION']) {
    test(`SECURECHAT_${name} is refused, and not repeated`, () => {
      assert.throws(
        () => variableLayer({ [`SECURECHAT_${name}`]: 'The Reading Room' }),
        (error: unknown) =>
          error instanceof InputError && /_FILE\.$/.test(error.message) && !error.message.includes('Reading'),
      );
    });
  }

  test('of a mistyped name are told with the nearest', () => {
    assert.deepEqual(
      strayVariables({ SECURECHAT_NIK: 'ann', SECURECHAT_: 'x', SECURECHAT_EMPTY: '', PATH: '/' }),
      ['SECURECHAT_NIK is not a setting; did you mean SECURECHAT_NICK?', 'SECURECHAT_ is not a setting.'],
    );
    const all = ALL_SETTINGS.map(variableOf).filter((name) => name !== null);
    assert.deepEqual(strayVariables(Object.fromEntries(all.map((name) => [name, '1']))), []);
  });
});

describe('colour', () => {
  test('NO_COLOR is stronger than FORCE_COLOR, and both than the file', () => {
    assert.equal(choices({ NO_COLOR: '1', FORCE_COLOR: '1' }).value(SETTINGS.color), false);
    assert.equal(choices({ FORCE_COLOR: '1' }).value(SETTINGS.color), true);
  });
});

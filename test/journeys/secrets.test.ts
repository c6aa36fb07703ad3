/** P48: a secret is in no log, no error message and no process's arguments. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'node:test';
import { normaliseAnswer } from '../../src/crypto/answer.ts';
import { ANSWER, journey } from '../helpers/program.ts';
import { available } from '../helpers/tools.ts';

/** Arguments and environment of a process and of all that it has started. */
function processTexts(pid: number): readonly string[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
  const own = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'utf8'));
  return [...own, ...children.flatMap(processTexts)];
}

if (available(['test', '-d', '/proc/self/task'], 'the arguments of processes')) {
  describe('secrets', () => {
    journey('P48: are in no log, error or process argument, whatever goes wrong', async (stage) => {
      const logged = (name: string): readonly string[] => [
        '--log-level',
        'debug',
        '--log-file',
        `${name}.log`,
      ];
      const room = await stage.room(logged('host'));
      const personal = await room.invite();
      const passphrase = 'a passphrase that nobody sees';
      const identity = ['--passphrase-file', stage.file(passphrase)];
      const keeper = stage.start('keeper', ['identity', 'new', 'ann.pem', '--json', ...identity]);
      assert.equal(await keeper.exit, 0);
      const ann = await stage.guest('ann', room, {
        words: [...logged('ann'), '--identity', 'ann.pem', ...identity],
      });
      const wrongs = ['a wrong answer given', 'a second wrong answer'];

      const clumsy = stage.start('clumsy', ['c', '--json', '--nick', 'bob', ...logged('clumsy')]);
      await clumsy.answer('token', personal.token.slice(0, -1));
      await clumsy.answer('token', personal.token);
      for (const wrong of wrongs) await clumsy.answer('answer', wrong);
      await clumsy.answer('answer', ANSWER);
      await clumsy.answer('code', room.code === '000000' ? '000001' : '000000');
      await clumsy.answer('code', room.code);
      await clumsy.until('joined');
      clumsy.say('a text that nobody logs');
      await ann.until('message', { text: 'a text that nobody logs' });

      const wordy = stage.start('wordy', [
        'c',
        '--log-level',
        'debug',
        '--no-input',
        personal.token,
        'twice',
      ]);
      assert.equal(await wordy.exit, 2);
      const damaged = stage.start('damaged', ['c', '--token-file', stage.file(personal.token.slice(0, -1))]);
      assert.equal(await damaged.exit, 2);
      // Standard error is where the log goes without a file.
      const loud = stage.start('loud', ['c', '--nick', 'cyd', '--log-level', 'debug']);
      loud.write(`${room.token}\n${ANSWER}\n${room.code}\n`);
      await room.host.until('member', ({ member }) => member.nick === 'cyd');
      const processes = [room.host, ann, clumsy, loud].flatMap(({ pid }) => processTexts(pid));
      room.host.kill();
      await ann.until('notice', { code: 'line-lost' });
      await clumsy.until('notice', { code: 'line-lost' });

      const parts = [room.token, personal.token].flatMap((token) =>
        token.split('.').filter((part) => part.length > 6),
      );
      const secrets = [
        ...[...parts, ANSWER, normaliseAnswer(ANSWER), ...wrongs, room.code, room.ready.code.value],
        'a text that nobody logs',
        passphrase,
      ];
      const logs = ['host.log', 'ann.log', 'clumsy.log'].map((name) =>
        readFileSync(join(stage.folder, name), 'utf8'),
      );
      assert.match(logs.join(''), /"level":"info","about":"line","text":"lost"/);
      const errors = [room.host, keeper, ann, clumsy, wordy, damaged, loud].map(({ stderr }) => stderr);
      for (const secret of secrets) {
        for (const [where, texts] of Object.entries({ logs, errors, processes })) {
          assert.ok(!texts.some((text) => text.includes(secret)), `${secret.slice(0, 3)}… is in ${where}`);
        }
      }
    });
  });
}

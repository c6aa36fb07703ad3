/** The bot in the README works as it stands there. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ANSWER, journey, PROGRAM } from '../helpers/program.ts';

const README = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');

journey('the bot of the README joins and answers', async (stage) => {
  const [, code = ''] = /^```js\n(.*?)^```$/ms.exec(README) ?? [];
  const named = "spawn('dist/securechat', [";
  assert.ok(code.includes(named));
  const [file, ...words] = PROGRAM.map((word) => JSON.stringify(word));
  const bot = join(stage.folder, 'echo.mjs');
  writeFileSync(bot, code.replace(named, `spawn(${file}, [${words.map((word) => `${word}, `).join('')}`));

  const room = await stage.room();
  const process_ = spawn(process.execPath, [bot, room.token, ANSWER, room.code], { stdio: 'inherit' });
  stage.onClose(() => process_.kill('SIGKILL'));
  const exit = new Promise((done) => process_.once('exit', done));
  await room.host.until('member', ({ change, member }) => change === 'joined' && member.nick === 'echo');
  room.host.say('!echo is anyone there?');
  await room.host.until('message', ({ from, text }) => from.nick === 'echo' && text === 'is anyone there?');
  room.host.send({ type: 'quit' });
  assert.equal(await exit, 0);
});

/** The bot in the README works as it stands there. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ANSWER, journey, PROGRAM } from '../helpers/program.ts';

const README = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');

/** @param change of what stands there */
function writeBot(folder: string, change: (code: string) => string = (code) => code): string {
  const [, code = ''] = /^```js\n(.*?)^```$/ms.exec(README) ?? [];
  const named = "spawn('dist/securechat', [";
  assert.ok(code.includes(named));
  const [file, ...words] = PROGRAM.map((word) => JSON.stringify(word));
  const bot = join(folder, 'echo.mjs');
  const runs = code.replace(named, `spawn(${file}, [${words.map((word) => `${word}, `).join('')}`);
  writeFileSync(bot, change(runs));
  return bot;
}

// A bot that was turned away once ended without a word, as if all were well.
journey('a bot that does not get in says why, and fails', async (stage) => {
  const room = await stage.room();
  const bot = writeBot(stage.folder);
  const words = [bot, room.token, 'not the answer', room.code];
  const process_ = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  stage.onClose(() => process_.kill('SIGKILL'));
  const exit = new Promise((done) => process_.once('exit', done));
  assert.match(await text(process_.stderr), /That answer does not fit\./);
  assert.equal(await exit, 1);
});

journey('the bot of the README joins, answers, and can be taught', async (stage) => {
  const bot = writeBot(stage.folder, (code) => {
    const [, more = ''] = /for the time add (\[.*\])\.$/m.exec(code) ?? [];
    return code.replace("[['!echo'", `[${more}, ['!echo'`);
  });
  const room = await stage.room();
  const process_ = spawn(process.execPath, [bot, room.token, ANSWER, room.code], { stdio: 'inherit' });
  stage.onClose(() => process_.kill('SIGKILL'));
  const exit = new Promise((done) => process_.once('exit', done));
  await room.host.until('member', ({ change, member }) => change === 'joined' && member.nick === 'echo');
  room.host.say('!echo is anyone there?');
  await room.host.until('message', ({ from, text }) => from.nick === 'echo' && text === 'is anyone there?');
  room.host.say('!time');
  await room.host.until('message', ({ from, text }) => from.nick === 'echo' && /^\d+:\d\d/.test(text));
  room.host.send({ type: 'quit' });
  assert.equal(await exit, 0);
});

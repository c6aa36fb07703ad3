/** What is given before the room is open. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe } from 'node:test';
import { ANSWER, journey, QUESTION, type Stage } from '../helpers/program.ts';

const words = (stage: Stage) =>
  ['s', '--json', '--listen', '127.0.0.1:0', '--private', '--room', 'Kitchen', '--nick', 'host'].concat([
    '--question',
    QUESTION,
    '--answer-file',
    stage.file(ANSWER),
  ]);

describe('before the room is open', () => {
  journey(
    'commands typed ahead wait until it has been entered, and all of what they do is told',
    async (stage) => {
      const host = stage.start('host', words(stage));
      host.command('/topic Tea');
      const { self } = await host.until('joined');
      assert.equal(self.nick, 'host');
      await host.until('room', ({ room }) => room.topic === 'Tea');
      const order = host.events.map(({ type }) => type);
      assert.ok(order.indexOf('joined') < order.indexOf('room'), order.join());

      const relay = stage.start('relay', [...words(stage), '--no-chat']);
      relay.command('/topic Tea');
      await relay.until('room', ({ room }) => room.topic === 'Tea');
    },
  );

  journey('a message of the day that cannot be read is told before anything is asked', async (stage) => {
    const missing = join(stage.folder, 'none.txt');
    const host = stage.start('host', ['s', '--json', '--listen', '127.0.0.1:0', '--motd-file', missing]);
    const { code } = await host.until('error');
    assert.equal(code, 'file');
    assert.equal(await host.exit, 2);
    assert.deepEqual(
      host.events.filter(({ type }) => type === 'prompt'),
      [],
    );
  });

  journey('--plain says which commands have nothing to change, and takes the others', async (stage) => {
    const host = stage.start('host', [...words(stage).filter((word) => word !== '--json'), '--plain']);
    for (const line of ['/clear', '/notify on', '/bell all', '//a slash', '/exit']) host.write(`${line}\n`);
    assert.equal(await host.exit, 0);
    for (const name of ['clear', 'notify'])
      assert.match(
        host.stdout,
        new RegExp(`/${name} needs a terminal that can be drawn on, without --plain\\.`),
      );
    assert.match(host.stdout, /The bell rings at every message of others\./);
    assert.match(host.stdout, /<host> \/a slash|1 message has not reached the room/);
    assert.doesNotMatch(host.stdout, /\/\/a slash/);
  });
});

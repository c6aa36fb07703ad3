/** Leaving where leaving.test.ts does not: the other questions, before the room, through pipes, and with the output gone. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe } from 'node:test';
import { mintInvitation, readInvitation } from '../../src/crypto/invitation.ts';
import { typed } from '../helpers/input-line.ts';
import {
  ANSWER,
  type HostedRoom,
  journey,
  journeysIn,
  QUESTION,
  QUICK,
  type Stage,
} from '../helpers/program.ts';
import type { TerminalProgram } from '../helpers/terminal.ts';
import { available } from '../helpers/tools.ts';

const CTRL_C = '\u0003';
const INTERRUPTED = { exitCode: 130, restored: true };

/** Types each answer at its question, and Ctrl-C at the last one. */
async function interruptedAt(
  terminal: TerminalProgram,
  steps: readonly (readonly [question: string, answer: string])[],
  last: string,
): Promise<void> {
  for (const [question, answer] of steps) {
    await terminal.waitFor(question);
    terminal.enter(answer);
  }
  await terminal.waitFor(last);
  terminal.type(CTRL_C);
  assert.deepEqual(await terminal.left(), INTERRUPTED, last);
  assert.doesNotMatch(terminal.text(), /\bat .*:\d+:\d+\b/, 'a stack was shown');
}

function room(stage: Stage): Promise<HostedRoom> {
  return stage.room();
}

journeysIn<HostedRoom>('no way in, and a way out', room, (inRoom) => {
  describe('Ctrl-C before there is a room to leave', () => {
    journey('leaves at once from every question of the wizard', async (stage) => {
      const room = ["The room's name?", 'Kitchen'] as const;
      const nick = ['Your nickname', 'olga'] as const;
      const question = ['A security question', QUESTION] as const;
      const weak = ['Its answer?', 'teapot'] as const;
      const strong = ['Its answer?', ANSWER] as const;
      const router = ['Who can reach the room?', '2'] as const;
      const places = [
        { steps: [room], last: 'Your nickname' },
        { steps: [room, nick, question, weak], last: 'Enter keeps this one.' },
        { steps: [room, nick, question, strong], last: 'Who can reach the room?' },
        // Without a port of its own to forward, the question comes again.
        { steps: [room, nick, question, strong, router], last: '> 2' },
      ];
      await Promise.all(
        places.map(({ steps, last }) =>
          interruptedAt(stage.terminal(['s', '--listen', '0.0.0.0:0']), steps, last),
        ),
      );
    });

    journey('leaves while dialling, and while the host has not said yes', async (stage) => {
      const room = await stage.room(['--approve']);
      const silent = createServer(() => {});
      stage.onClose(() => silent.close());
      silent.listen(0, '127.0.0.1');
      await once(silent, 'listening');
      const { port } = silent.address() as AddressInfo;
      const { invitation, admissionKey } = await readInvitation(room.token);
      const nowhere = { ...invitation, addresses: [{ host: '127.0.0.1', port }] };
      const { text } = await mintInvitation(nowhere, admissionKey);
      const dialling = stage.terminal(['c', '--nick', 'ann', '--token-file', stage.file(text)]);
      const [socket] = await once(silent, 'connection');
      stage.onClose(() => socket.destroy());
      dialling.type(CTRL_C);
      assert.deepEqual(await dialling.left(), INTERRUPTED);

      const waiting = stage.terminal(['c', '--nick', 'bob', ...QUICK, ...stage.secrets(room)]);
      await waiting.waitFor('Now the host has to let you in; Ctrl-C gives up.');
      await room.host.until('door', { stage: 'waiting' });
      waiting.type(CTRL_C);
      assert.deepEqual(await waiting.left(), INTERRUPTED);
      const gone = await room.host.until('door', { stage: 'gone' });
      assert.match(gone.text, /bob/);
    });
  });

  describe('a port that is taken', () => {
    inRoom('is told before any question, on a terminal and off it', async ({ port }, stage) => {
      const listen = ['--listen', `127.0.0.1:${port}`];
      const terminal = stage.terminal(['s', ...listen]);
      assert.deepEqual(await terminal.left(), { exitCode: 3, restored: true });
      assert.match(terminal.text(), new RegExp(`^securechat: .*${port}.*already`, 'm'));
      assert.doesNotMatch(terminal.text(), /\?/);
      const piped = stage.start('piped', ['s', ...listen]);
      assert.equal(await piped.exit, 3);
      assert.match(piped.stderr, new RegExp(`^securechat: .*${port}.*already`));
    });
  });

  describe('a guest in a pipe', () => {
    inRoom('says what it is given without colours, and ends with input or reader', async (room, stage) => {
      const pipe = (words: string): readonly string[] => ['bash', '-o', 'pipefail', '-c', words, 'bash'];
      const guest = (nick: string): readonly string[] => [
        'c',
        '--no-input',
        '--nick',
        nick,
        ...QUICK,
        ...stage.secrets(room),
      ];
      const echo = stage.start('echo', guest('bob'), pipe('echo hi | "$@"'));
      assert.deepEqual([await echo.exit, echo.stderr], [0, '']);
      assert.equal((await room.host.until('message', { text: 'hi' })).from.nick, 'bob');

      const tee = stage.start('tee', guest('cyd'), pipe('"$@" | tee log'));
      await room.host.until('member', ({ member }) => member.nick === 'cyd');
      room.host.say('for the log');
      await tee.seen('<olga> for the log');
      tee.end('and back\n');
      assert.deepEqual([await tee.exit, tee.stderr], [0, '']);
      const log = readFileSync(join(stage.folder, 'log'), 'utf8');
      assert.match(log, /^\d\d:\d\d <olga> for the log\n\d\d:\d\d <cyd> and back$/m);
      assert.ok(!log.includes('\u001b'));

      const closed = stage.start('closed', guest('dan'), pipe('"$@" < /dev/null'));
      assert.deepEqual([await closed.exit, closed.stderr], [0, '']);
      assert.match(closed.stdout, /You are dan in securechat/);
      const asks = stage.start('asks', guest('eve').slice(0, -2));
      assert.equal(await asks.exit, 2);
      assert.match(asks.stderr, /Nobody can be asked with --no-input: give it with --\S+\.$/m);

      // Whoever reads it goes when it is in the room.
      const headless = stage.start(
        'headless',
        guest('fay'),
        pipe('"$@" | grep -m 1 "You are fay"; exit $PIPESTATUS'),
      );
      await room.host.until('member', ({ member }) => member.nick === 'fay');
      room.host.say('to nobody');
      assert.deepEqual([await headless.exit, headless.stderr], [0, '']);
      await room.host.until('member', ({ member }) => member.nick === 'fay');
    });

    if (available(['test', '-c', '/dev/full'], 'a disk that is full')) {
      journey('says when its disk is full', async (stage) => {
        const full = stage.start('full', ['--help'], ['sh', '-c', '"$@" > /dev/full', 'sh']);
        assert.equal(await full.exit, 1);
        assert.equal(full.stderr, 'securechat: cannot write the output: ENOSPC\n');
      });
    }
  });
});

describe('/quit', () => {
  journey('tells what has not reached the room when its host is gone', async (stage) => {
    const room = await stage.room();
    const ann = await stage.guestOnTerminal('ann', room);
    room.host.kill();
    await ann.waitFor('The line to the host is lost.');
    const prompt = 'securechat (no line)> ';
    ann.type('can anybody hear me?');
    await typed(ann, prompt, 'can anybody hear me?');
    ann.type('\r');
    await typed(ann, prompt, '');
    ann.enter('/quit');
    await ann.waitFor('Warning: 1 message has not reached the room.');
    assert.deepEqual(await ann.left(), { exitCode: 0, restored: true });
  });
});

describe('signals', () => {
  journey('SIGQUIT ends the room as SIGTERM does, and leaves no core file', async (stage) => {
    const room = await stage.room();
    room.host.kill('SIGQUIT');
    assert.equal(await room.host.exit, 0);
  });

  journey('P48: SIGUSR1 opens no debugger', async (stage) => {
    const room = await stage.room();
    room.host.kill('SIGUSR1');
    room.host.say('still here');
    await room.host.until('message', { text: 'still here' });
    // A debugger says where it listens before the program can end.
    room.host.kill('SIGTERM');
    assert.equal(await room.host.exit, 0);
    assert.equal(room.host.stderr, '');
  });
});

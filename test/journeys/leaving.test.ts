/** Every way out: exit codes, and a terminal that is left as it was found. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
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

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const INTERRUPTED = { exitCode: 130, restored: true };

async function terminalAt(
  stage: Stage,
  place: 'token' | 'answer' | 'code' | 'nick' | 'room',
  room: HostedRoom,
): Promise<TerminalProgram> {
  const terminal = stage.terminal(['c', ...QUICK]);
  const steps = [
    ['token', 'Paste the invitation.', room.token],
    ['answer', QUESTION, ANSWER],
    ['nick', 'Your nickname in this room?', 'cyd'],
    ['code', 'six digits', room.code],
  ] as const;
  for (const [name, shown, typed] of steps) {
    await terminal.waitFor(shown);
    if (name === place) return terminal;
    terminal.enter(typed);
  }
  await terminal.waitFor('You are cyd');
  return terminal;
}

function room(stage: Stage): Promise<HostedRoom> {
  return stage.room();
}

// What guests do at the door and in the room leaves it as it was.
journeysIn<HostedRoom>('a way out', room, (inRoom) => {
  describe('Ctrl-C', () => {
    inRoom('leaves at once from every question, and from the choice of role', async (room, stage) => {
      const role = stage.terminal([]);
      await role.waitFor('Host a room or join one?');
      role.type(CTRL_C);
      const named = ['--room', 'Kitchen', '--nick', 'olga'];
      const roomName = stage.terminal(['s', '--listen', '127.0.0.1:0']);
      await roomName.waitFor("The room's name?");
      roomName.type(CTRL_C);
      assert.deepEqual([await role.left(), await roomName.left()], [INTERRUPTED, INTERRUPTED]);
      const question = stage.terminal(['s', '--listen', '127.0.0.1:0', ...named]);
      await question.waitFor('A security question');
      question.type(CTRL_C);
      assert.deepEqual(await question.left(), INTERRUPTED);
      const answer = stage.terminal(['s', '--listen', '127.0.0.1:0', '--question', QUESTION, ...named]);
      await answer.waitFor('Its answer?');
      answer.type('half an ans');
      answer.type(CTRL_C);
      assert.deepEqual(await answer.left(), INTERRUPTED);

      for (const place of ['token', 'answer', 'code', 'nick'] as const) {
        const terminal = await terminalAt(stage, place, room);
        terminal.type(CTRL_C);
        assert.deepEqual(await terminal.left(), INTERRUPTED, place);
      }
    });

    journey('asks once in a room, and while the line is lost', async (stage) => {
      const room = await stage.room();
      const guest = await terminalAt(stage, 'room', room);
      guest.type(CTRL_C);
      await guest.waitFor('Press Ctrl-C again to leave the room.');
      guest.enter('still here');
      await room.host.until('message', { text: 'still here' });
      guest.type(CTRL_C);
      assert.deepEqual(await guest.left(), INTERRUPTED);
      await room.host.until('member', { change: 'left' });

      const other = await terminalAt(stage, 'room', room);
      room.host.kill();
      await other.waitFor('The line to the host is lost.');
      other.type(CTRL_C);
      await other.waitFor('Press Ctrl-C again to leave the room.');
      other.type(CTRL_C);
      assert.deepEqual(await other.left(), INTERRUPTED);
    });

    journey('ends the room for everyone when it is the host who insists', async (stage) => {
      const named = ['--room', 'Kitchen', '--nick', 'olga', ...QUICK];
      const host = stage.terminal(['s', '--listen', '127.0.0.1:0', '--question', QUESTION, ...named]);
      await host.waitFor('Its answer?');
      host.enter(ANSWER);
      await host.waitFor('You are olga');
      host.type(CTRL_C);
      await host.waitFor('Press Ctrl-C again to end the room for everyone.');
      host.type(CTRL_C);
      assert.deepEqual(await host.left(), INTERRUPTED);
    });

    inRoom(
      'as a signal, SIGINT and SIGTERM do the same to a program without a terminal',
      async (room, stage) => {
        for (const signal of ['SIGINT', 'SIGTERM'] as const) {
          const guest = stage.start('guest', ['c', '--json']);
          await guest.until('prompt');
          guest.kill(signal);
          assert.equal(await guest.exit, 130, signal);
        }
        const terminal = stage.terminal(['c', '--plain']);
        await terminal.waitFor('Paste the invitation.');
        terminal.type(CTRL_C);
        assert.deepEqual(await terminal.left(), INTERRUPTED);
        const ann = await stage.guest('ann', room);
        const bob = await stage.guest('bob', room);
        // Whoever sends SIGTERM will not send it again: it is obeyed at once, as /quit is.
        bob.kill('SIGTERM');
        assert.equal(await bob.exit, 0);
        await ann.until('member', { change: 'left' });
        ann.kill('SIGINT');
        await ann.until('notice', { code: 'interrupt' });
        ann.kill('SIGINT');
        assert.equal(await ann.exit, 130);
        await room.host.until('member', ({ change, member }) => change === 'left' && member.nick === 'ann');
      },
    );
  });

  describe('the end of input', () => {
    inRoom('at a question gives up with 4', async (room, stage) => {
      const token = [...QUICK, '--token-file', stage.file(room.token)];
      const atToken = stage.start('at-token', ['c', '--json']);
      await atToken.until('prompt', { name: 'token' });
      atToken.end();
      assert.equal(await atToken.exit, 4);
      assert.deepEqual(await atToken.until('error'), {
        type: 'error',
        code: 'gave-up',
        message: 'Standard input ended before everything was answered.',
      });
      const atAnswer = stage.start('at-answer', ['c', '--json', ...token]);
      await atAnswer.until('prompt', { name: 'answer' });
      atAnswer.end();
      assert.equal(await atAnswer.exit, 4);
      const atCode = await stage.guestAtCode('bob', room);
      await atCode.until('prompt', { name: 'code' });
      atCode.end();
      assert.equal(await atCode.exit, 4);

      const plain = stage.start('plain', ['c', ...token]);
      plain.end();
      assert.equal(await plain.exit, 4);
      assert.match(plain.stderr, /^securechat: Standard input ended before everything was answered\.\n$/);

      const terminal = await terminalAt(stage, 'answer', room);
      terminal.type(CTRL_D);
      assert.deepEqual(await terminal.left(), { exitCode: 4, restored: true });
    });

    inRoom('in a room leaves once what was said is placed', async (room, stage) => {
      const files = () => [
        ...QUICK,
        ...['--token-file', stage.file(room.token), '--answer-file', stage.file(ANSWER)],
        ...['--code-file', stage.file(room.code)],
      ];
      const piped = stage.start('piped', ['c', '--nick', 'ann', ...files()]);
      piped.end('hi\nand bye\n');
      assert.equal(await piped.exit, 0);
      assert.equal(piped.stderr, '');
      for (const text of ['hi', 'and bye']) {
        assert.equal((await room.host.until('message', { text })).from.nick, 'ann');
      }
      assert.equal((await room.host.until('member', { change: 'left' })).member.nick, 'ann');

      const bot = stage.start('bot', ['c', '--json', '--nick', 'bot', ...files()]);
      bot.end(`${JSON.stringify({ type: 'say', text: 'from a bot', ref: 'x' })}\n`);
      assert.equal(await bot.exit, 0);
      assert.equal((await room.host.until('message', { text: 'from a bot' })).from.nick, 'bot');

      const standardInput = stage.start('stdin', [
        'c',
        '--nick',
        'cyd',
        '--code-file',
        '-',
        ...files().slice(0, -2),
      ]);
      standardInput.end(`${room.code}\nthird\n`);
      assert.equal(await standardInput.exit, 0);
      await room.host.until('message', { text: 'third' });

      const guest = await terminalAt(stage, 'room', room);
      guest.type(CTRL_D);
      assert.deepEqual(await guest.left(), { exitCode: 0, restored: true });
    });

    // One slip of the finger ended the room for everyone.
    journey('asks a host who types Ctrl-D once', async (stage) => {
      const words = [...QUICK, '--nick', 'olga', '--question', QUESTION, '--answer-file', stage.file(ANSWER)];
      const named = ['--room', 'Kitchen', ...words];
      const host = stage.terminal(['s', '--listen', '127.0.0.1:0', '--private', ...named]);
      await host.waitFor('Kitchen (1)');
      host.type(CTRL_D);
      await host.waitFor('Press Ctrl-D again to end the room for everyone.');
      host.type(CTRL_D);
      assert.deepEqual(await host.left(), { exitCode: 0, restored: true });
    });

    journey('ends a host that takes part, and not one that relays', async (stage) => {
      const room = await stage.room();
      const ann = await stage.guest('ann', room);
      room.host.end();
      assert.equal(await room.host.exit, 0);
      assert.equal(await ann.exit, 0);

      const relay = await stage.room(['--no-chat']);
      relay.host.end();
      await stage.guest('ann', relay);
      relay.host.kill('SIGTERM');
      assert.equal(await relay.host.exit, 0);
    });
  });
});

describe('wrong usage', () => {
  journey('exits with 2, says what is wrong and starts nothing', async (stage) => {
    const refuses = async (words: readonly string[], expected: RegExp): Promise<void> => {
      const program = stage.start('wrong', words);
      program.end();
      const status = await program.exit;
      const { stdout, stderr } = program;
      assert.deepEqual({ status, stdout }, { status: 2, stdout: '' }, words.join(' '));
      assert.match(stderr, expected);
    };
    await refuses(['x'], /unknown command 'x'/);
    await refuses(['c', '--nick', 'admin'], /could be mistaken for the room itself/);
    await refuses(['c', '--nick', 'a'], /2 to 20 characters/);
    await refuses(['s', '--listen', 'nowhere'], /Write ADDRESS:PORT/);
    await refuses(['s', '--expires', '31d'], /at most 30d/);
    await refuses(['s', '--max-members', '1'], /from 2 to 4096/);
    await refuses(['c', '--json', '--plain'], /cannot be used with/);
    await refuses(['c', '--json', '--token-file', '-'], /give a file instead of -/);
    await refuses(['c', '--token-file', '/nowhere/at-all'], /Cannot read \/nowhere\/at-all/);
    await refuses(['c', '--no-input'], /Nobody can be asked with --no-input: give it with --token-file\.$/m);
    await refuses(
      ['s', '--no-input', '--listen', '127.0.0.1:0'],
      /Nobody can be asked .* give it with --question\.$/m,
    );
  });
});

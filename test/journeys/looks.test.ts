/** How it looks: wide and narrow windows, themes, and everywhere that is no terminal to draw on. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { COLOR_SETS } from '../../src/terminal/view/palette.ts';
import { ANSWER, journey, QUESTION, QUICK } from '../helpers/program.ts';
import type { TerminalProgram } from '../helpers/terminal.ts';

const ESC = '\u001b';
const SGR = new RegExp(`${ESC}\\[[\\d;]*m`, 'g');

/** Lines that the terminal had to fold, because we did not. */
function foldedByTerminal(terminal: TerminalProgram, columns: number): readonly string[] {
  return terminal
    .text()
    .split('\n')
    .filter((line) => line.length > columns);
}

/** The colour of the last nickname that stands so on the screen. */
function inkOf(terminal: TerminalProgram, nick: string): number | null | undefined {
  const row = terminal.rows().findLastIndex((line) => line.includes(`<${nick}>`));
  const column = terminal.rows()[row]?.indexOf(`<${nick}>`) ?? -1;
  return terminal.cells(row)[column + 1]?.ink;
}

describe('the width of the window', () => {
  for (const columns of [40, 200]) {
    journey(
      `at ${columns} columns all is folded by us but the invitation, which is one line`,
      async (stage) => {
        const host = stage.terminal(
          ['s', '--listen', '127.0.0.1:0', '--nick', 'olga', '--question', QUESTION, ...QUICK],
          { columns, rows: 30 },
        );
        await host.waitFor("The room's name?");
        host.enter('A room with a name that is rather long');
        await host.waitFor('Its answer?');
        host.enter(ANSWER);
        await host.waitFor(/You are olga in/);
        const token = /^sc1\.\S+$/m.exec(host.text())?.[0] ?? '';
        assert.deepEqual(host.told, [`clipboard ${token}`]);
        host.enter(`${'some words, '.repeat(20)}and an end`);
        await host.waitFor('an end');
        host.enter('/invite new 2 3h for Ann, Bob and all the others who come late');
        await host.waitFor(/Invitation 2 for/);
        for (const command of [
          '/names',
          '/room',
          '/security',
          '/help',
          '/invite list',
          '/help invite',
          '/x',
        ]) {
          const before = host.text().length;
          host.enter(command);
          await host.waitUntil(
            command,
            (text) => text.length > before && host.cursor().before.endsWith('s> '),
          );
        }
        await host.waitFor('There is no /x.');
        const invitations = foldedByTerminal(host, columns);
        assert.ok(
          invitations.every((line) => /^sc1\.\S+$/.test(line)),
          invitations.join('\n'),
        );
        assert.ok(invitations.includes(token));
        assert.equal(invitations.length, 2);
        // The line being typed has room for what is typed.
        assert.ok(host.cursor().before.length <= columns / 2, host.cursor().before);
      },
    );
  }
});

describe('colours', () => {
  journey('are those of the theme, and nowhere that they are not wanted', async (stage) => {
    const room = await stage.room();
    const [dark, light, grey, dumb, plain] = await Promise.all([
      stage.guestOnTerminal('dark', room, { words: ['--theme', 'dark'] }),
      stage.guestOnTerminal('light', room, { words: ['--theme', 'light'] }),
      stage.guestOnTerminal('grey', room, { env: { NO_COLOR: '1' } }),
      stage.guestOnTerminal('dumb', room, { env: { TERM: 'dumb' } }),
      stage.guestOnTerminal('plain', room, { words: ['--plain'] }),
    ]);
    const piped = stage.start('piped', ['c', '--nick', 'piped', ...QUICK, ...stage.secrets(room)]);
    const forced = stage.start(
      'forced',
      ['c', '--nick', 'forced', ...QUICK, ...stage.secrets(room)],
      ['env', 'FORCE_COLOR=1'],
    );
    await Promise.all([piped.seen('You are piped'), forced.seen('You are forced')]);
    room.host.say('hello to all');
    const terminals = [dark, light, grey, dumb, plain];
    await Promise.all(terminals.map((terminal) => terminal.waitFor('<olga> hello to all')));
    await Promise.all([piped.seen('hello to all'), forced.seen('hello to all')]);

    assert.ok(COLOR_SETS.dark.nicks.includes(inkOf(dark, 'olga') ?? -1), `dark: ${inkOf(dark, 'olga')}`);
    assert.ok(COLOR_SETS.light.nicks.includes(inkOf(light, 'olga') ?? -1), `light: ${inkOf(light, 'olga')}`);
    dark.enter('/theme light');
    await dark.waitFor('Colours are for a light background.');
    room.host.say('and in the light');
    await dark.waitFor('<olga> and in the light');
    assert.ok(COLOR_SETS.light.nicks.includes(inkOf(dark, 'olga') ?? -1), `now: ${inkOf(dark, 'olga')}`);

    assert.match(dark.bytes, SGR);
    assert.doesNotMatch(grey.bytes, SGR);
    assert.ok(grey.bytes.includes(ESC), 'the line being typed is drawn');
    for (const [name, text] of Object.entries({
      dumb: dumb.bytes,
      plain: plain.bytes,
      piped: piped.stdout,
    })) {
      assert.ok(!text.includes(ESC), `${name}: ${JSON.stringify(text.slice(0, 200))}`);
    }
    assert.match(forced.stdout, SGR);
    assert.ok(!forced.stdout.replaceAll(SGR, '').includes(ESC));
    // One line an event, whatever the width.
    for (const terminal of [dumb, plain]) {
      const lines = terminal.text().split('\n').slice(2);
      assert.deepEqual(
        lines.filter((line) => line !== '' && !/^(\d\d:\d\d |\? |> )/.test(line)),
        [],
      );
    }
    plain.enter('said plainly');
    await room.host.until('message', { text: 'said plainly' });
    for (const terminal of terminals) terminal.enter('/quit');
    for (const terminal of terminals)
      assert.deepEqual(await terminal.left(), { exitCode: 0, restored: true });
    piped.end();
    forced.end();
    assert.deepEqual([await piped.exit, await forced.exit, piped.stderr, forced.stderr], [0, 0, '', '']);
  });
});

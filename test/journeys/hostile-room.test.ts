/**
 * P42 on the emulator's side: after everything that a hostile host and a hostile moderator can write, no terminal has
 * another title, clipboard, colour, mode or cursor than we gave it.
 */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { LIMITS } from '../../src/protocol/limits.ts';
import { COLOR_SETS } from '../../src/terminal/view/palette.ts';
import { NAUGHTY, packed } from '../helpers/naughty-strings.ts';
import { ANSWER, journey } from '../helpers/program.ts';
import type { TerminalProgram } from '../helpers/terminal.ts';

const NASTY = '\u001b]0;t\u0007\u001b[31m\u202e\u009b2J';
const { good, warning, alarm, nicks } = COLOR_SETS.auto;
const OWN_INKS: ReadonlySet<number | null> = new Set([null, good, warning, alarm, ...nicks]);

/** Rows from this text on that are none of ours: an event's head, the bar under it, an invitation, what is being typed. */
function strangeRows(terminal: TerminalProgram, from: string): readonly string[] {
  const lines = terminal.text().split('\n');
  const ours = /^(\d\d:\d\d (-!-|-->|<--|! <|<eve> |\* eve )|\s{6}\| |.*\(\d\)[ 0-9s]*>( |$)|sc1\.\S+$|$)/;
  return lines.slice(lines.findIndex((line) => line.includes(from))).filter((line) => !ours.test(line));
}

function strangeColors(terminal: TerminalProgram): readonly string[] {
  return terminal
    .rows()
    .filter((_, row) => terminal.cells(row).some(({ ink, paper }) => paper !== null || !OWN_INKS.has(ink)));
}

describe('a hostile room', () => {
  journey('P42: leaves every terminal as it was, on both sides', async (stage) => {
    const motd = packed(NAUGHTY, LIMITS.motdBytes - 1)[1] ?? '';
    const host = stage.terminal(
      [
        ...['s', '--listen', '127.0.0.1:0', '--nick', 'olga', '--no-qr', '--answer-file', stage.file(ANSWER)],
        ...['--room', `Kü${NASTY}che`, '--question', `Where${NASTY} was it?`],
        ...[
          '--topic',
          `Tea${NASTY} at four`,
          '--motd-file',
          stage.file(`Welcome${NASTY}\n${motd}`.slice(0, 900)),
        ],
      ],
      { columns: 70, rows: 24 },
    );
    const panel = await host.waitFor('You are olga');
    const token = /^sc1\.\S+$/m.exec(panel)?.[0] ?? '';
    const code = /^Code +(\d{6}) /m.exec(panel)?.[1] ?? '';
    const secrets = [
      ...[
        '--token-file',
        stage.file(token),
        '--answer-file',
        stage.file(ANSWER),
        '--code-file',
        stage.file(code),
      ],
    ];
    const eve = stage.start('eve', ['c', '--json', '--nick', 'eve', ...secrets]);
    await eve.until('joined');
    const cyd = stage.terminal(['c', '--nick', 'cyd', ...secrets], { columns: 60, rows: 20 });
    await cyd.waitFor('You are cyd');
    cyd.type('a draft');
    host.enter('/op eve');
    await eve.until('member', { change: 'role' });
    host.type(`\u001b[200~/invite new for${NASTY} Bob\u001b[201~`);
    await host.waitFor('/invite new for');
    host.type('\r');
    await host.waitFor(/Invitation 2 for for/);

    const messages = packed(NAUGHTY, 1_500);
    for (const text of messages) eve.say(text);
    eve.command(`/me is${NASTY} ${'\u0353'.repeat(40)} here`);
    eve.command(`/topic Not${NASTY} tea\u2028at\u0085all`);
    await eve.until('room', ({ changes }) => changes.includes('topic'));
    eve.say('the end of it');
    await eve.until('message', { text: 'the end of it' });
    for (const terminal of [host, cyd]) await terminal.waitFor(/^\d\d:\d\d <eve> the end of it$/m);

    assert.deepEqual(strangeRows(host, 'You are olga'), []);
    assert.deepEqual(strangeRows(cyd, 'You are cyd'), []);
    for (const terminal of [host, cyd]) assert.deepEqual(strangeColors(terminal), []);
    // Who is named is called, once a message, and nobody else.
    assert.equal(host.bells, messages.filter((text) => text.includes('olga')).length);
    assert.equal(cyd.bells, 0);
    assert.deepEqual(cyd.told, []);
    const clipboards = host.text().match(/^sc1\.\S+$/gm) ?? [];
    assert.deepEqual(
      host.told,
      clipboards.map((text) => `clipboard ${text}`),
    );
    assert.equal(clipboards.length, 2);
    assert.match(cyd.cursor().before, /\(3\)> a draft$/);
    assert.equal(cyd.screen().filter((row) => row.endsWith('a draft')).length, 1);
    const said = eve.events.flatMap((event) =>
      event.type === 'message' && event.kind === 'text' ? [event.text] : [],
    );
    assert.deepEqual(said, [...messages, 'the end of it']);

    cyd.type('\u0015');
    cyd.enter('/quit');
    host.enter('/quit');
    for (const terminal of [cyd, host])
      assert.deepEqual(await terminal.left(), { exitCode: 0, restored: true });
  });
});

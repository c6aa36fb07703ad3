/** Ctrl-Z and `fg`, under a shell that has both. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { journey, PROGRAM } from '../helpers/program.ts';
import { TerminalProgram } from '../helpers/terminal.ts';

describe('stopped', () => {
  journey('Ctrl-Z gives the shell its terminal, and fg goes on with what was being typed', async (stage) => {
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: stage.folder,
      TERM: 'xterm-256color',
      PS1: 'shell$ ',
    };
    const shell = new TerminalProgram(['bash', '--norc', '--noprofile', '-i'], { folder: stage.folder, env });
    stage.onClose(() => shell.kill());
    await shell.waitFor('shell$');
    shell.enter([...PROGRAM, 'c'].join(' '));
    await shell.waitFor(/Paste the invitation\.\n>/);
    shell.type('abc');
    await shell.waitFor('> •••');
    shell.type('\u001a');
    await shell.waitFor(/Stopped/);
    shell.enter("stty -a | grep -o -e '-*icanon' | sed 's/^/mode: /'");
    await shell.waitFor(/^mode: icanon$/m);
    shell.enter('fg');
    await shell.waitFor(/fg\n.*\n> •••$/);
    shell.type('d\u0003');
    await shell.waitFor(/shell\$$/);
    shell.enter('echo "code $?"; exit');
    await shell.waitFor(/^code 130$/m);
    const { restored } = await shell.left();
    assert.equal(restored, true);
  });
});

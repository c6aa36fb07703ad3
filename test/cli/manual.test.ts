import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { ALL_COMMANDS } from '../../src/cli/commands.ts';
import { manualPage } from '../../src/cli/manual.ts';
import { optionsOf } from '../../src/cli/option-entries.ts';
import { roff } from '../../src/cli/roff.ts';
import { ALL_SETTINGS, variableOf } from '../../src/cli/settings.ts';
import { COMMANDS } from '../../src/terminal/commands/table.ts';
import { available } from '../helpers/tools.ts';

/** Takes away what makes text bold or italic: a letter, backspace, and the letter again. */
function bare(text: string): string {
  const parts = text.split('\b');
  return parts.map((part, index) => (index < parts.length - 1 ? part.slice(0, -1) : part)).join('');
}

describe('roff', () => {
  const page = (text: string) =>
    roff({ name: 'x', version: '1', date: '2026-01-01' }, [{ kind: 'paragraph', text: [text] }]).split('\n');

  test('no text becomes a macro', () => {
    assert.deepEqual(page('.so /etc/passwd').slice(3), ['.PP', '\\&.so /etc/passwd', '']);
    assert.deepEqual(page('One. .two').slice(4), ['One.', '\\&.two', '']);
    assert.deepEqual(page('a\\fB').slice(4), ['a\\efB', '']);
  });

  test('options and quotation marks can be copied', () => {
    assert.deepEqual(page("--no-chat 'a' ~").slice(4), ['\\-\\-no\\-chat \\(aqa\\(aq \\(ti', '']);
  });
});

if (available(['mandoc', '-T', 'lint', '-W', 'fatal', '/dev/null'], 'what mandoc says of the manual')) {
  describe('the manual page', () => {
    const words = ['-T', 'utf8', '-O', 'width=500'];
    const text = bare(execFileSync('mandoc', words, { input: manualPage(), encoding: 'utf8' }));

    test('is one that mandoc has nothing against', () => {
      // Exits with an error for warnings; long lines of input are a matter of style.
      execFileSync('mandoc', ['-T', 'lint', '-W', 'warning,stop'], { input: manualPage() });
    });

    test('has every command, every option that help shows, and every variable', () => {
      for (const { name, aliases } of ALL_COMMANDS)
        assert.match(text, new RegExp(`^ +${[name, ...aliases].join(', ')}( |$)`, 'm'));
      for (const option of ALL_SETTINGS.flatMap(optionsOf).filter(({ hidden }) => !hidden))
        assert.match(text, new RegExp(`^ +--${option.name}( |$)`, 'm'));
      for (const name of ALL_SETTINGS.map(variableOf).filter((each) => each !== null))
        assert.match(text, new RegExp(`\\b${name}\\b`));
    });

    test('has every command of the room', () => {
      for (const { name } of COMMANDS) assert.match(text, new RegExp(`^ +/${name}( |$)`, 'm'));
    });
  });
}

/** docs/settings.md says what the table of settings says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileLayer } from '../../src/cli/file-layer.ts';
import { Choices } from '../../src/cli/layers.ts';
import { optionsOf } from '../../src/cli/option-entries.ts';
import { SECTIONS, type Setting } from '../../src/cli/setting.ts';
import { ALL_SETTINGS, variableOf } from '../../src/cli/settings.ts';
import { parseToml } from '../../src/cli/toml.ts';
import { blocks, readDocument } from './document.ts';

const DOCUMENT = readDocument('docs/settings.md');

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}

function row(setting: Setting): string {
  const options = optionsOf(setting)
    .filter(({ hidden }) => !hidden)
    .map(({ name, argument }) => code(`--${name}${argument === null ? '' : ` ${argument.toUpperCase()}`}`));
  const { form, place } = setting;
  const choices = form.kind === 'choice' ? `: ${form.choices.join(', ')}` : '';
  const own = setting.option === 'color' ? '`NO_COLOR`, `FORCE_COLOR`' : '';
  const variable = variableOf(setting);
  const cells = [
    place === 'file' ? code(setting.key) : '',
    options.join(', '),
    variable === null ? own : code(variable),
    `${setting.summary}${choices}`,
    setting.fallbackText,
  ];
  return `| ${cells.join(' | ')} |`;
}

const table = [
  '| in the file | option | variable | | default |',
  '|---|---|---|---|---|',
  ...SECTIONS.flatMap((section) => [
    ...(section === 'general' ? [] : [`| **\`[${section}]\`** | | | | |`]),
    ...ALL_SETTINGS.filter((setting) => setting.section === section).map(row),
  ]),
].join('\n');

test('the table of docs/settings.md is the table of settings', () => {
  const [, found = ''] = /^(\| in the file .*?\n)(?!\|)/ms.exec(DOCUMENT) ?? [];
  assert.equal(found.trim(), table);
});

test('a flag that is on by itself tells what it does, and apart from that what its option takes away', () => {
  for (const setting of ALL_SETTINGS) {
    const isOn = setting.form.kind === 'flag' && setting.fallback !== false;
    assert.equal(setting.offSummary !== '', isOn, setting.key);
    assert.doesNotMatch(isOn ? setting.summary : '', /\b(no|never|only|leave)\b/, setting.key);
  }
});

test('the example of docs/settings.md is a right file', () => {
  const [example = ''] = blocks(DOCUMENT, 'toml');
  assert.ok(new Choices([fileLayer(parseToml(example, 'f'), 'f')]));
});

test('the README names every option that help shows', () => {
  const readme = readDocument('README.md');
  const names = ALL_SETTINGS.flatMap(optionsOf).filter(({ hidden }) => !hidden);
  assert.deepEqual(
    names.filter(({ name }) => !readme.includes(`--${name}`)).map(({ name }) => name),
    [],
  );
});

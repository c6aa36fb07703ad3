/** The settings as text, as JSON, and as a file to begin with. */
import { cleanText } from '../protocol/clean-text.ts';
import type { Chosen } from './choose.ts';
import type { Origin } from './layers.ts';
import { SECTIONS, type Section, type Setting } from './setting.ts';
import { ALL_SETTINGS, variableOf } from './settings.ts';

/** Those that last beyond one command line. */
const REPORTED = ALL_SETTINGS.filter(({ place }) => place === 'file');

interface Row {
  readonly setting: Setting;
  readonly texts: readonly string[] | null;
  readonly origin: Origin | null;
}

function rowsOf({ choices }: Chosen): readonly Row[] {
  return REPORTED.map((setting) => {
    const given = choices.given(setting);
    return { setting, texts: given?.texts ?? null, origin: given?.origin ?? null };
  });
}

function inSection<Entry extends { readonly setting: Setting }>(
  rows: readonly Entry[],
  section: Section,
): readonly Entry[] {
  return rows.filter(({ setting }) => setting.section === section);
}

/** Three columns by section: name, value, where it comes from. */
export function textReport(chosen: Chosen): string {
  const cells = rowsOf(chosen).map(({ setting, texts, origin }) => ({
    setting,
    name: setting.key,
    value: cleanText(texts === null ? setting.fallbackText : valueText(setting, texts)),
    from: originText(origin),
  }));
  const nameColumns = Math.max(...cells.map(({ name }) => name.length));
  const valueColumns = Math.min(VALUE_COLUMNS, Math.max(...cells.map(({ value }) => value.length)));
  const lines = SECTIONS.flatMap((section) => [
    section === 'general' ? '' : `\n[${section}]`,
    ...inSection(cells, section).map(
      ({ name, value, from }) => `${name.padEnd(nameColumns)}  ${value.padEnd(valueColumns)}  ${from}`,
    ),
  ]);
  return `${fileText(chosen)}\n${lines.join('\n')}\n`;
}

/** Longer values push what follows them to the right, alone. */
const VALUE_COLUMNS = 32;

function fileText({ file }: Chosen): string {
  if (file === null) return 'There is no home folder, and so no configuration file.';
  const path = cleanText(file.path);
  return file.exists
    ? `File: ${path}`
    : `File: ${path} (none there; "securechat config init" writes a sample)`;
}

function originText(origin: Origin | null): string {
  if (origin === null) return 'default';
  return origin.kind === 'file' ? `file, line ${origin.line}` : origin.name;
}

function valueText({ form }: Setting, texts: readonly string[]): string {
  return form.kind === 'list' ? texts.join(', ') : (texts.at(-1) ?? '');
}

/** One object on one line; a value is `null` where the default is not fixed or is nothing. */
export function jsonReport(chosen: Chosen): string {
  const settings = rowsOf(chosen).map(({ setting, origin }) => {
    const { section, key } = setting;
    const value = jsonValue(setting, chosen);
    return {
      section,
      name: key,
      value,
      origin: origin ?? { kind: 'default' },
      variable: variableOf(setting),
    };
  });
  return `${JSON.stringify({ file: chosen.file, settings })}\n`;
}

/** As it was written; numbers and yes-or-no as such. */
function jsonValue(setting: Setting, { choices }: Chosen): unknown {
  const given = choices.given(setting);
  const { kind } = setting.form;
  if (kind === 'flag' || kind === 'integer') return choices.value(setting);
  if (given !== null) return kind === 'list' ? given.texts : (given.texts.at(-1) ?? '');
  if (kind === 'list') return [];
  return setting.fallback === null ? null : setting.fallbackText;
}

/** Every line is a comment: as it stands, it changes nothing. */
export function sampleFile(): string {
  const inFile = REPORTED.map((setting) => ({ setting }));
  const parts = SECTIONS.flatMap((section) => [
    ...(section === 'general' ? [] : [`[${section}]`]),
    ...inSection(inFile, section).map(
      ({ setting }) => `# ${setting.summary}${choicesOf(setting)}\n# ${setting.key} = ${setting.example}`,
    ),
  ]);
  const head = [
    '# Settings of securechat. Options and SECURECHAT_ variables are stronger than this file;',
    '# "securechat config" shows what counts. Secrets do not belong here.',
  ];
  return `${[head.join('\n'), ...parts].join('\n\n')}\n`;
}

function choicesOf({ form }: Setting): string {
  if (form.kind === 'choice') return `: ${form.choices.join(', ')}`;
  return form.kind === 'flags' ? `: ${form.choices.map(({ value }) => value).join(', ')}` : '';
}

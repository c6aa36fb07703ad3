/** What a configuration file says, checked: a mistake is named with its line and with what would be right. */
import { dirname, resolve } from 'node:path';
import { InputError } from '../protocol/errors.ts';
import { nearestWord } from '../protocol/nearest-word.ts';
import { expandHome } from '../terminal/home.ts';
import type { Given, Layer } from './layers.ts';
import { SECTIONS, type Setting } from './setting.ts';
import { ALL_SETTINGS, SECRETS } from './settings.ts';
import type { TomlEntry } from './toml.ts';

const IN_FILE = ALL_SETTINGS.filter(({ place }) => place === 'file');
const HEADERS: readonly string[] = SECTIONS.filter((section) => section !== 'general');

/**
 * @param path of the file: begins each message, and relative file names in it are from its folder
 * @throws InputError for the first entry that is not right
 */
export function fileLayer(entries: readonly TomlEntry[], path: string): Layer {
  const layer = new Map<Setting, Given>();
  for (const entry of entries) {
    const { line } = entry;
    const found = settingOf(entry);
    if (typeof found === 'string') throw new InputError('config', `${path}:${line}: ${found}`);
    if (found === null) continue;
    const texts = found.form.kind === 'file' ? entry.texts.map((text) => fileName(text, path)) : entry.texts;
    layer.set(found, { texts, origin: { kind: 'file', path, line } });
  }
  return layer;
}

/** @returns `null` for a section's header, and a sentence for what is wrong. */
function settingOf({ path: names, type }: TomlEntry): Setting | string | null {
  const [first = '', second] = names;
  if (second === undefined && HEADERS.includes(first)) {
    return type === 'table' ? null : `"${first}" is a section: write [${first}] on a line of its own, once.`;
  }
  const isTable = type === 'table' || (second !== undefined && !HEADERS.includes(first));
  if (isTable) return unknownSection(type === 'table' ? names.join('.') : first);
  const section = second === undefined ? 'general' : first;
  const key = names.slice(second === undefined ? 0 : 1).join('.');
  const found = IN_FILE.find((each) => each.section === section && each.key === key);
  if (found === undefined) return unknownKey(section, key);
  return type === TYPES[found.form.kind] ? found : `write ${key} as in: ${key} = ${found.example}`;
}

const TYPES = {
  flag: 'boolean',
  flags: 'string',
  choice: 'string',
  text: 'string',
  file: 'string',
  integer: 'integer',
  list: 'strings',
} as const;

function unknownSection(name: string): string {
  const nearest = nearestWord(name, HEADERS);
  if (nearest !== null) return `there is no section [${name}]; did you mean [${nearest}]?`;
  return `there is no section [${name}]. There are ${HEADERS.map((header) => `[${header}]`).join(', ')}.`;
}

function unknownKey(section: string, key: string): string {
  const secret = SECRETS.get(key);
  if (secret !== undefined) {
    return (
      `"${key}" is a secret and does not belong here: this file is copied about and read by others. ` +
      `Write it into a file that only you can read, and name that with "${secret}".`
    );
  }
  const elsewhere = IN_FILE.find((each) => each.key === key);
  if (elsewhere !== undefined) {
    const where =
      elsewhere.section === 'general' ? 'above the first section' : `under [${elsewhere.section}]`;
    return `"${key}" belongs ${where}.`;
  }
  // What is near in the same section is likelier than what is near elsewhere.
  const candidates = [...IN_FILE.filter((each) => each.section === section), ...IN_FILE];
  const nearest = nearestWord(
    key,
    candidates.map((candidate) => candidate.key),
  );
  return nearest === null
    ? `"${key}" is not a setting; "securechat config" lists them.`
    : `"${key}" is not a setting; did you mean "${nearest}"?`;
}

/** From the folder of the configuration file. `-` stays: it is standard input. */
function fileName(text: string, path: string): string {
  return text === '-' || text === '' ? text : resolve(dirname(path), expandHome(text));
}

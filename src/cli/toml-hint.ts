/** What is likely meant by a line that is no TOML. The line's own words are not repeated: one may be a secret. */
import { ALL_SETTINGS } from './settings.ts';

const NAME_AND_VALUE = /^\s*([\w-]+)\s*=\s*(\S?)/;

/**
 * @param line as it stands in the file
 * @returns a sentence, or `null` where nothing is likelier than anything else
 */
export function tomlHint(line: string): string | null {
  if (/^\s*\[[^\]]*$/.test(line)) return 'A section is written [NAME], on a line of its own.';
  const [, key = '', opening = ''] = NAME_AND_VALUE.exec(line) ?? [];
  if (key === '') return /[=[]/.test(line) || line.trim() === '' ? null : 'Every line is NAME = VALUE.';
  if (opening === '"') {
    return line.includes('\\') ? 'Text with backslashes stands between single quotes.' : null;
  }
  const known = ALL_SETTINGS.find((each) => each.place === 'file' && each.key === key);
  if (known === undefined) return opening === "'" ? null : 'Texts stand in quotes: NAME = "VALUE".';
  const quotes = known.example.startsWith('"') ? 'Texts stand in quotes' : 'Write it like this';
  return `${quotes}: ${key} = ${known.example}.`;
}

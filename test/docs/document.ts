/** The documents as data: what the tests beside this file hold against the code. */
import { readFileSync } from 'node:fs';

const ROOT = new URL('../..', import.meta.url);

export function readDocument(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8');
}

/** The contents of every fenced block of one kind, in order. @throws Error when there is none */
export function blocks(markdown: string, kind: string): readonly string[] {
  const found = [...markdown.matchAll(/^```(\S*)\n(.*?)^```$/gms)].filter((match) => match[1] === kind);
  if (found.length === 0) throw new Error(`no block of kind ${kind}`);
  return found.map((match) => match[2] ?? '');
}

/** `name = value` lines; a value may go on in indented lines, which are joined without the indent. */
export function assignments(block: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const entry of block.split(/\n(?! )/)) {
    if (entry.trim() === '') continue;
    const at = entry.indexOf('=');
    if (at < 0) throw new Error(`not an assignment: ${entry}`);
    values.set(
      entry.slice(0, at).trim(),
      entry
        .slice(at + 1)
        .replaceAll(/\n\s*/g, '')
        .trim(),
    );
  }
  return values;
}

/** The anchors that GitHub gives the headings of a document. */
export function anchors(markdown: string): ReadonlySet<string> {
  const prose = markdown.replaceAll(/^```.*?^```$/gms, '');
  const headings = [...prose.matchAll(/^#{1,6} +(.+)$/gm)].map((match) => match[1] ?? '');
  return new Set(
    headings.map((heading) =>
      heading
        .trim()
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** The few macros of man(7) that a manual page needs; every text is escaped here. */

/** Words in bold or italic, or plain. */
export type Span = string | { readonly bold: string } | { readonly italic: string };

export type Block =
  | { readonly kind: 'section' | 'subsection'; readonly title: string }
  | { readonly kind: 'paragraph'; readonly text: readonly Span[] }
  /** Directly under what comes before it. */
  | { readonly kind: 'break'; readonly text: readonly Span[] }
  | { readonly kind: 'item'; readonly term: readonly Span[]; readonly text: readonly Span[] }
  /** Lines kept as they are. */
  | { readonly kind: 'lines'; readonly lines: readonly string[] };

interface Heading {
  readonly name: string;
  readonly version: string;
  /** YYYY-MM-DD */
  readonly date: string;
}

/** @returns the page's source, which ends with a line feed. */
export function roff({ name, version, date }: Heading, blocks: readonly Block[]): string {
  const title = `.TH ${name.toUpperCase()} 1 ${date} "${name} ${version}" "User Commands"`;
  // Neither words nor options are taken apart at the end of a line.
  const source = [title, '.nh', '.ad l', ...blocks.map(block)].join('\n');
  // Headings begin a paragraph themselves.
  return `${source.replaceAll(/^(\.S[HS] .*)\n\.PP$/gm, '$1')}\n`;
}

function block(each: Block): string {
  switch (each.kind) {
    case 'section':
      return `.SH ${escaped(each.title.toUpperCase())}`;
    case 'subsection':
      return `.SS ${escaped(each.title)}`;
    case 'paragraph':
      return `.PP\n${folded(each.text)}`;
    case 'break':
      return `.br\n${folded(each.text)}`;
    case 'item':
      return `.TP\n${line(each.term)}\n${folded(each.text)}`;
    case 'lines':
      return `.PP\n.RS 4\n.nf\n${each.lines.map((text) => line([text])).join('\n')}\n.fi\n.RE`;
  }
}

/** Sentences begin a line, as roff wants it to space them well. */
function folded(spans: readonly Span[]): string {
  const text = spans.map(span).join('');
  return text
    .split(/(?<=\w\.) /)
    .map(guarded)
    .join('\n');
}

function line(spans: readonly Span[]): string {
  return guarded(spans.map(span).join(''));
}

/** One line of input. A full stop or an apostrophe at its start would be a macro. */
function guarded(text: string): string {
  return /^[.']/.test(text) ? `\\&${text}` : text;
}

function span(each: Span): string {
  if (typeof each === 'string') return escaped(each);
  return 'bold' in each ? `\\fB${escaped(each.bold)}\\fR` : `\\fI${escaped(each.italic)}\\fR`;
}

/** A bare `-` would be drawn as a hyphen, and `'`, `^` and `~` as other signs: nobody could copy an option. */
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\\', '\\e'],
  ['-', '\\-'],
  ["'", '\\(aq'],
  ['^', '\\(ha'],
  ['~', '\\(ti'],
]);

function escaped(text: string): string {
  return text.replaceAll(/[\\\-'^~]/g, (sign) => ESCAPES.get(sign) ?? sign);
}

/**
 * Draws docs/images/session.svg: a host and a guest in a real session, each on a pseudo-terminal of its own, as xterm
 * understands what they write. Run it when what people see has changed: `npx node scripts/session-picture.ts`.
 */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type IPty, spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';

const ROOT = resolve(import.meta.dirname, '..');
const COLUMNS = 92;
const ROWS = 40;
const CELL = { width: 7.8, height: 17 };
const PAD = 14;
const TITLE = 26;
const GAP = 14;
const FOREGROUND = '#d6dbe1';
/** The first sixteen colours, readable on the dark ground of the picture, whatever lies around it. */
const COLORS = [
  ...['#6b7280', '#f27b7b', '#86d68a', '#e0c268', '#7fb2f0', '#d79be8', '#6fd3d3', '#d6dbe1'],
  ...['#8b939e', '#ff9d9d', '#a5e6a8', '#f0d88a', '#a3c8f7', '#e5b8f2', '#98e6e6', '#ffffff'],
];

class Pane {
  readonly title: string;
  readonly #terminal = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true });
  readonly #pty: IPty;
  readonly #exit: Promise<void>;
  #onText: () => void = () => {};

  constructor(title: string, words: readonly string[]) {
    this.title = title;
    const { PATH = '', HOME = '' } = process.env;
    this.#pty = spawn(process.execPath, [join(ROOT, 'src/main.ts'), ...words], {
      cols: COLUMNS,
      rows: ROWS,
      cwd: ROOT,
      env: { PATH, HOME, TERM: 'xterm-256color', TZ: 'UTC' },
    });
    this.#pty.onData((data) => this.#terminal.write(data, () => this.#onText()));
    this.#exit = new Promise((done) => this.#pty.onExit(() => done()));
  }

  enter(text: string): void {
    this.#pty.write(`${text}\r`);
  }

  /** @returns the first match on the screen, as soon as it is there. */
  see(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((found) => {
      this.#onText = () => {
        const match = pattern.exec(this.#lines().join('\n'));
        if (match !== null) found(match);
      };
      this.#onText();
    });
  }

  async quit(): Promise<void> {
    this.enter('/quit');
    await this.#exit;
  }

  #lines(): string[] {
    const { active } = this.#terminal.buffer;
    return Array.from(
      { length: active.length },
      (_, row) => active.getLine(row)?.translateToString(true) ?? '',
    );
  }

  /** The rows that hold anything, each as SVG text. */
  draw(): readonly string[] {
    const shown = this.#lines().findLastIndex((line) => line.trim() !== '') + 1;
    return Array.from({ length: shown }, (_, row) => this.#drawRow(row));
  }

  #drawRow(row: number): string {
    const line = this.#terminal.buffer.active.getLine(row);
    let svg = '';
    let run = { text: '', style: '', column: 0 };
    const flush = (): void => {
      const { text, style, column } = run;
      if (text.trim() === '') return;
      const x = round(PAD + column * CELL.width);
      svg += `<tspan x="${x}" textLength="${round(text.length * CELL.width)}"${style}>${escapeXml(text)}</tspan>`;
    };
    for (let column = 0; column < COLUMNS; column += 1) {
      const cell = line?.getCell(column);
      const color = cell?.isFgPalette() ? ` fill="${COLORS[cell.getFgColor()] ?? FOREGROUND}"` : '';
      const style = `${color}${cell?.isBold() ? ' font-weight="bold"' : ''}${cell?.isDim() ? ' fill-opacity="0.65"' : ''}`;
      if (style !== run.style) {
        flush();
        run = { text: '', style, column };
      }
      run.text += cell?.getChars() || ' ';
    }
    run.text = run.text.trimEnd();
    flush();
    return svg;
  }
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function picture(panes: readonly Pane[]): string {
  const width = Math.ceil(COLUMNS * CELL.width + 2 * PAD);
  let top = 0;
  let svg = '';
  for (const pane of panes) {
    const rows = pane.draw();
    const height = TITLE + rows.length * CELL.height + PAD;
    svg += `<rect y="${top}" width="${width}" height="${height}" rx="8" fill="#1b1f26" stroke="#4a525e"/>\n`;
    svg += `<text x="${PAD}" y="${top + 18}" fill="#9aa4b1">${pane.title}</text>\n`;
    rows.forEach((row, index) => {
      const y = top + TITLE + (index + 1) * CELL.height - 4;
      if (row !== '') svg += `<text y="${y}" xml:space="preserve">${row}</text>\n`;
    });
    top += height + GAP;
  }
  const size = `width="${width}" height="${top - GAP}" viewBox="0 0 ${width} ${top - GAP}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="A host and a guest in a session"
 font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" fill="${FOREGROUND}">
${svg}</svg>\n`;
}

async function main(): Promise<void> {
  const words = ['--listen', '127.0.0.1:8888', '--room', 'Kitchen', '--nick', 'olga'];
  const host = new Pane('securechat s --room Kitchen --nick olga', ['s', ...words]);
  await host.see(/security question/);
  host.enter('Where did we meet?');
  await host.see(/answer\?/);
  host.enter('in the library');
  const [invitation] = await host.see(/sc1\.[\w.\n-]+?(?=\n\n)/);
  await host.see(/You are olga/);

  const guest = new Pane('securechat c', ['c']);
  await guest.see(/Paste the invitation/);
  guest.enter(invitation.replaceAll('\n', ''));
  await guest.see(/Where did we meet/);
  guest.enter('In the library!');
  await guest.see(/nickname in this room/);
  guest.enter('sam');
  await guest.see(/The code on/);
  const [, code = ''] = await host.see(/Kitchen \(1\) (\d{6})/);
  guest.enter(code);
  await guest.see(/You are sam/);
  await host.see(/sam.* has joined/);
  guest.enter('hello olga, is this on?');
  await host.see(/is this on/);
  host.enter('it is, and nobody between us can read it');
  await guest.see(/nobody between us/);
  guest.enter('/me puts the kettle on');
  await host.see(/kettle/);
  await guest.see(/kettle/);
  await Promise.all([host.see(/\(2\)/), guest.see(/\(2\)/)]);
  writeFileSync(join(ROOT, 'docs/images/session.svg'), picture([host, guest]));
  await guest.quit();
  await host.quit();
}

await main();

/** What is written to a terminal to be obeyed. Nothing that anyone else wrote is ever part of these, unless cleaned. */
import { cleanText } from '../../protocol/clean-text.ts';

const ESC = '\u001b';
/** Pastes come between marks; focus is reported when it changes. Terminals that know neither ignore both. */
export const MODES_ON = `${ESC}[?2004h${ESC}[?1004h`;
export const MODES_OFF = `${ESC}[?1004l${ESC}[?2004l`;
/** Rows are cut by us: a terminal that finds a character wider than we do must not add a row of its own. */
export const WRAP_OFF = `${ESC}[?7l`;
export const WRAP_ON = `${ESC}[?7h`;
export const CURSOR_ON = `${ESC}[?25h`;
export const CLEAR_DOWN = `${ESC}[J`;
export const CLEAR_LINE_END = `${ESC}[K`;
export const CLEAR_SCREEN = `${ESC}[H${ESC}[2J`;
/** In this order: some terminals move what they clear into the scrollback. */
export const CLEAR_ALL = `${CLEAR_SCREEN}${ESC}[3J`;
export const BELL = '\u0007';
export const FOCUS_IN = `${ESC}[I`;
export const FOCUS_OUT = `${ESC}[O`;

/** What xterm and most after it take: 100,000 characters of base64. */
export const CLIPBOARD_BYTES = 74_994;
const NOTIFICATION_CODE_POINTS = 200;

export const up = (rows: number): string => (rows > 0 ? `${ESC}[${rows}A` : '');
export const down = (rows: number): string => (rows > 0 ? `${ESC}[${rows}B` : '');

/** tmux hands on what is wrapped like this, where its option `allow-passthrough` permits. */
function throughTmux(sequence: string): string {
  return `${ESC}Ptmux;${ESC}${sequence}${ESC}\\`;
}

/**
 * OSC 9, which more terminals know than OSC 777 (iTerm2, kitty, WezTerm, Ghostty, foot, Windows Terminal), and which the
 * others ignore. A text that begins with a digit would be one of ConEmu's commands: it is kept off the start.
 */
export function notification(text: string, insideTmux: boolean): string {
  const clean = cleanText(text, { maxCodePoints: NOTIFICATION_CODE_POINTS }).replace(/^(?=\d)/, ' ');
  const sequence = `${ESC}]9;${clean}${BELL}`;
  return insideTmux ? throughTmux(sequence) : sequence;
}

/**
 * OSC 52. tmux takes it from programs only with `set-clipboard on`; passed through it reaches the terminal outside. Both
 * set the same text, so both are sent.
 */
export function clipboard(text: string, insideTmux: boolean): string {
  const sequence = `${ESC}]52;c;${Buffer.from(text).toString('base64')}${BELL}`;
  return insideTmux ? sequence + throughTmux(sequence) : sequence;
}

/**
 * How a terminal can show a picture, as far as its variables say. Nobody is asked over the line: an answer that comes late,
 * or never, would be keys that nobody pressed.
 */
import type { Colors } from '../view/palette.ts';

export type PictureProtocol =
  /** The graphics protocol of kitty, which Ghostty knows as well. */
  | 'kitty'
  /** Inline images of iTerm2, which WezTerm knows as well. */
  | 'iterm'
  | 'sixel'
  /** Two pixels a character, in 24-bit colours or in the 256. */
  | 'blocks-24bit'
  | 'blocks-256'
  /** A line of text is all there is. */
  | 'none';

type Environment = Readonly<Record<string, string | undefined>>;

/** Terminals that draw sixels and have a name of their own; those that call themselves xterm cannot be told apart. */
const DRAWS_SIXELS = /^(?:foot|mlterm|yaft|xterm-sixel)(?:-|$)/;

/**
 * @param look.draws whether there is a screen to draw on: no pipe, not `--plain`, no `TERM=dumb`
 * @param look.color whether colour is wanted
 * @param look.colors how many the terminal has
 */
export function pictureProtocol(
  env: Environment,
  look: { readonly draws: boolean; readonly color: boolean; readonly colors: Colors },
): PictureProtocol {
  const term = env['TERM'] ?? '';
  if (!look.draws || !look.color || term === 'dumb') return 'none';
  // A multiplexer draws rows of its own, and knows nothing of what is passed through to the terminal outside.
  const protocol = isMultiplexer(env, term) ? null : graphicsOf(env, term);
  if (protocol !== null) return protocol;
  if (look.colors < 256) return 'none';
  return /^(?:truecolor|24bit)$/.test(env['COLORTERM'] ?? '') ? 'blocks-24bit' : 'blocks-256';
}

function isMultiplexer(env: Environment, term: string): boolean {
  const isNamed = /^(?:screen|tmux)(?:[-.]|$)/.test(term);
  return isNamed || Boolean(env['TMUX']) || Boolean(env['STY']) || Boolean(env['ZELLIJ']);
}

/** What `TERM` says comes first: it goes along to another machine, and is set anew by a terminal within another. */
function graphicsOf(env: Environment, term: string): 'kitty' | 'iterm' | 'sixel' | null {
  const program = env['TERM_PROGRAM'];
  if (term === 'xterm-kitty' || term === 'xterm-ghostty') return 'kitty';
  if (DRAWS_SIXELS.test(term)) return 'sixel';
  if (program === 'iTerm.app' || program === 'WezTerm' || env['LC_TERMINAL'] === 'iTerm2') return 'iterm';
  return program === 'ghostty' || env['KITTY_WINDOW_ID'] ? 'kitty' : null;
}

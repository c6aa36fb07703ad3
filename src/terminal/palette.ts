/** Colours, all in one object, so that leaving them out is one decision. The one file that knows picocolors. */
import pico from 'picocolors';

type Paint = (text: string) => string;

export type Palette = {
  readonly dim: Paint;
  readonly bold: Paint;
  readonly good: Paint;
  readonly warning: Paint;
  readonly alarm: Paint;
  /** Always the same colour for the same nickname. */
  readonly nick: Paint;
};

/** FNV-1a, 32 bits: small, and spreads short names well. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash;
}

export function makePalette(options: { readonly color: boolean }): Palette {
  const colors = pico.createColors(options.color);
  // Readable on black and on white: no yellow, no dark blue, no greys. Red is left to alarms.
  const nickPaints: readonly Paint[] = [
    colors.green,
    colors.cyan,
    colors.magenta,
    colors.blueBright,
    colors.magentaBright,
  ];
  return {
    dim: colors.dim,
    bold: colors.bold,
    good: colors.green,
    warning: (text) => colors.bold(colors.magenta(text)),
    alarm: (text) => colors.bold(colors.red(text)),
    nick: (text) => (nickPaints[hashOf(text) % nickPaints.length] ?? colors.bold)(text),
  };
}

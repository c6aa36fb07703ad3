/**
 * Inline images of iTerm2.
 * @see https://iterm2.com/documentation-images.html
 */
import type { Bitmap } from './bitmap.ts';
import { encodePng } from './png.ts';
import type { Cells } from './size.ts';

/** From the cursor, which it moves. The terminal gets no name: it would be somebody else's word in a command. */
export function itermPicture(bitmap: Bitmap, { columns, rows }: Cells): string {
  const png = encodePng(bitmap);
  const keys = `inline=1;size=${png.length};width=${columns};height=${rows};preserveAspectRatio=1`;
  return `\u001b]1337;File=${keys}:${png.toString('base64')}\u0007`;
}

/**
 * The graphics protocol of kitty.
 * @see https://sw.kovidgoyal.net/kitty/graphics-protocol/
 */
import type { Bitmap } from './bitmap.ts';
import { encodePng } from './png.ts';
import type { Cells } from './size.ts';

const ESC = '\u001b';
/** Characters of base64 that one command may carry. */
const CHUNK_UNITS = 4_096;

/**
 * At the cursor, which stays where it is (`C=1`). The terminal says nothing to it (`q=2`): its answers would be read as keys.
 */
export function kittyPicture(bitmap: Bitmap, { columns, rows }: Cells): string {
  const data = encodePng(bitmap).toString('base64');
  const commands: string[] = [];
  for (let offset = 0; offset < data.length; offset += CHUNK_UNITS) {
    const more = offset + CHUNK_UNITS < data.length ? 1 : 0;
    const head = offset === 0 ? `a=T,f=100,t=d,C=1,c=${columns},r=${rows},` : '';
    commands.push(`${ESC}_G${head}q=2,m=${more};${data.slice(offset, offset + CHUNK_UNITS)}${ESC}\\`);
  }
  return commands.join('');
}

/**
 * The one place where a name that somebody else chose becomes a name on this disk. What comes out is one segment that means the
 * same everywhere: no system takes it for a path, a device, a hidden file or an option, or shows it as something else.
 * @see docs/security.md#promises (P40)
 */
import { utf8 } from './bytes.ts';
import { cleanText, graphemes } from './clean-text.ts';
import { LIMITS } from './limits.ts';

/** Room is left below the 255 that most file systems take: for a number, and for what a partial file is called. */
const NAME_BYTES_MOST = 200;

/** What the folders of a path end with, on whatever system the name was made. */
const SEPARATORS = /[/\\]+/;
/** Before a path on Windows. Elsewhere a colon is a character of names: `12:30.png`. */
const DRIVE = /^[a-z]:/i;
/** Windows takes none of these in a name. */
const FORBIDDEN = /[<>:"|?*/\\]/g;
/** Hidden files, options, someone's home, what is easily overlooked; and marks, which would have nothing to stand on. */
const BEFORE = /^[.\-~\s\p{M}]+/u;
/** Windows drops them silently: the name would be another. */
const BEHIND = /[.\s]+$/u;
/** Devices to Windows in every folder, whatever follows the dot. */
const DEVICE = /^(?:con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³]|conin\$|conout\$)\s*(?:\.|$)/i;
/** What we call files that are not complete: nobody else's file may pass for one. */
const PARTIAL = /\.[\da-f]{12}\.part(?:\.lock)?$/i;
const EXTENSION = /(?<=.)(?:\.tar)?\.[^.\s]{1,16}$/iu;

const REPLACEMENT = '_';
const NAMELESS = 'file';

/** Cutting may bring up what was cleaned away before, and so on: it has settled long before this. */
const ROUNDS_MOST = 16;

/**
 * @param offered any string at all
 * @returns a name for a file or folder, never empty, of at most 200 bytes of UTF-8. Made safe again, it stays as it is.
 */
export function safeFileName(offered: string): string {
  const path = offered.replace(DRIVE, '/');
  return settled(path.split(SEPARATORS).findLast((segment) => segment !== '') ?? '');
}

/** Begins like a path that leads elsewhere on some system: `/etc`, `\\host`, `c:d`. */
export function isRooted(path: string): boolean {
  return /^(?:[/\\]|[a-z]:)/i.test(path);
}

/**
 * @param path of a file in a folder, from that folder on, with `/` between names
 * @returns the safe name of each folder and of the file; `null` where the path could lead out of the folder, or is longer
 * or deeper than any may be
 */
export function safeRelativePath(path: string): string[] | null {
  if (utf8.encode(path).length > LIMITS.folderPathBytes) return null;
  if (isRooted(path)) return null;
  const segments = path.split('/');
  if (segments.length > LIMITS.folderDepthMost) return null;
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) return null;
  // Here only `/` separates: on the sender's system the others may well stand in a name. And `.env` may lie beside `env`.
  return segments.map((segment) => settled(segment.replace(/^\.+/, REPLACEMENT)));
}

/** @returns the same for two names that one folder could not hold both, on systems that ignore case or how accents are written */
export function nameKey(name: string): string {
  return name.normalize('NFD').toUpperCase().toLowerCase().normalize('NFD');
}

/** @param n from 2 on @returns `photo (2).jpg` for `photo.jpg`, and `v1.2 (2)` for a folder `v1.2` */
export function numbered(name: string, n: number, isFolder = false): string {
  const extension = isFolder ? '' : extensionOf(name);
  return `${name.slice(0, name.length - extension.length)} (${n})${extension}`;
}

/** @returns what the file is called until it is complete */
export function partialName(name: string, hashHex: string): string {
  return `${name}.${hashHex.slice(0, 12)}.part`;
}

/** Whether `partialName` may have made it, or it belongs to such a file. */
export function isPartialName(name: string): boolean {
  return PARTIAL.test(name);
}

function extensionOf(name: string): string {
  return EXTENSION.exec(name)?.[0] ?? '';
}

function settled(segment: string): string {
  let name = segment;
  for (let round = 0; round < ROUNDS_MOST; round += 1) {
    const next = cleaned(name);
    if (next === name) return name;
    name = next;
  }
  return NAMELESS;
}

function cleaned(segment: string): string {
  const visible = cleanText(segment.replaceAll(/\p{Cc}+/gu, ' ')).replaceAll('\ufffd', '');
  const name = visible
    .normalize('NFC')
    .replaceAll(FORBIDDEN, REPLACEMENT)
    // Many spaces would push the true ending out of sight.
    .replaceAll(/\s+/gu, ' ')
    .replace(BEFORE, '')
    .replace(BEHIND, '');
  if (name === '') return NAMELESS;
  if (DEVICE.test(name)) return shortened(REPLACEMENT + name);
  return shortened(isPartialName(name) ? name + REPLACEMENT : name);
}

/** The ending stays: it says what the file is. */
function shortened(name: string): string {
  if (utf8.encode(name).length <= NAME_BYTES_MOST) return name;
  const extension = extensionOf(name);
  const stem = name.slice(0, name.length - extension.length);
  const bytesMost = NAME_BYTES_MOST - utf8.encode(extension).length;
  const segments = Array.from(graphemes().segment(stem), ({ segment }) => segment);
  // In some scripts a word of any length is one grapheme.
  return (beginning(segments, bytesMost) || beginning([...stem], bytesMost)) + extension;
}

/** As many of the parts as fit. */
function beginning(parts: readonly string[], bytesMost: number): string {
  let kept = '';
  let bytes = 0;
  for (const part of parts) {
    bytes += utf8.encode(part).length;
    if (bytes > bytesMost) break;
    kept += part;
  }
  return kept;
}

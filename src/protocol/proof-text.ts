/**
 * A proof as text that survives being mailed about: base64 in short lines between two marks.
 * @see docs/protocol.md#proofs
 */
import type { Bytes } from './bytes.ts';
import { InputError, SecurityError } from './errors.ts';
import { LIMITS } from './limits.ts';

/** For whoever gets the file and has never heard of it. It is not part of the proof. */
const FIRST_LINE = 'securechat proof v1. What it shows: securechat check FILE';
const BEGIN = '-----BEGIN SECURECHAT PROOF-----';
const END = '-----END SECURECHAT PROOF-----';
const COLUMNS = /.{1,64}/g;
/** What mail programs put before a line that they quote, and leave at the end of one. */
const AROUND = /^[>\s]+|\s+$/g;

export function formatProof(proof: Bytes): string {
  const lines = Buffer.from(proof).toString('base64').match(COLUMNS) ?? [];
  return `${[FIRST_LINE, BEGIN, ...lines, END].join('\n')}\n`;
}

/**
 * Whatever stands before and after the marks counts for nothing, and is not shown.
 * @throws InputError `proof-file` when it is none; the message goes on from the file's name. SecurityError `form` when it
 * is one that was damaged.
 */
export function parseProof(text: string): Bytes {
  if (text.length > LIMITS.proofFileBytes) throw new InputError('proof-file', 'is too large for a proof');
  const lines = text.split('\n').map((line) => line.replaceAll(AROUND, ''));
  const begins = lines.filter((line) => line === BEGIN).length;
  if (begins === 0) throw new InputError('proof-file', 'is no proof; /proof in a room writes one');
  if (begins > 1) throw new InputError('proof-file', 'holds several proofs: put each into a file of its own');
  const first = lines.indexOf(BEGIN) + 1;
  const end = lines.indexOf(END, first);
  if (end < 0) throw new SecurityError('form', 'the file is cut off: its last line is missing');
  const base64 = lines.slice(first, end).join('');
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64)
    throw new SecurityError('form', 'the file was changed: there is something else than base64 in it');
  return new Uint8Array(bytes);
}

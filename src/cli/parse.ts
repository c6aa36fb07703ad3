/**
 * Option values as people type them. Every failure is an `InputError` that says what would be accepted.
 */
import type { AdvertisedAddress, AutoAccept, ListenAddress, SecretSource } from '../app/options.ts';
import { canonicalHost } from '../crypto/address.ts';
import { type Bytes, utf8 } from '../protocol/bytes.ts';
import { InputError } from '../protocol/errors.ts';
import { parseFingerprint } from '../protocol/fingerprint.ts';
import { checkNickname } from '../protocol/nickname.ts';

const PORT_MOST = 65_535;
/** Three forms: a bare IPv6 address, or a bracketed one or a name, which a port may follow. */
const HOST_PORT =
  /^(?:(?<bare>[^:[\]]*:[^[\]]*:[^[\]]*)|(?:\[(?<ipv6>[^[\]]*:[^[\]]*)\]|(?<name>[^:[\]]+))(?::(?<port>\d{1,5}))?)$/;

/**
 * @param text decimal digits.
 * @returns a whole number from `least` to `most`.
 * @throws InputError
 */
export function parseCount(text: string, least: number, most: number): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(count >= least && count <= most)) {
    throw new InputError('bad-number', `Write a whole number from ${least} to ${most}.`);
  }
  return count;
}

/**
 * @param text `ADDRESS:PORT`, an IPv6 address in brackets; port 0 lets the system choose.
 * @throws InputError
 */
export function parseListen(text: string): ListenAddress {
  const place = splitHostPort(text);
  if (place === null || place.port === null) {
    throw new InputError(
      'bad-address',
      'Write ADDRESS:PORT, such as [::]:8888, 0.0.0.0:8888 or 127.0.0.1:0.',
    );
  }
  return { host: place.host, port: place.port };
}

/**
 * @param text `HOST` or `HOST:PORT`, an IPv6 address in brackets when a port follows.
 * @throws InputError
 */
export function parseAdvertised(text: string): AdvertisedAddress {
  const place = splitHostPort(text);
  if (place === null || place.port === 0) {
    throw new InputError(
      'bad-address',
      'Write HOST or HOST:PORT, such as chat.example.org, 192.0.2.7:8888 or [2001:db8::7]:8888.',
    );
  }
  return place;
}

const SIZE = /^(?<count>\d{1,15})(?:(?<unit>[kmg])(?:i?b)?|b)?$/i;
const UNIT_BYTES: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/**
 * @param text `500M`, `2G`, or bytes; K, M and G count by 1024
 * @returns bytes, at least 1
 * @throws InputError
 */
export function parseSize(text: string, mostBytes: number): number {
  const { count = '0', unit } = SIZE.exec(text.trim())?.groups ?? {};
  const bytes = Number(count) * (unit === undefined ? 1 : (UNIT_BYTES[unit.toLowerCase()] ?? Number.NaN));
  if (!(bytes >= 1 && bytes <= mostBytes)) {
    const most = `${Math.floor(mostBytes / 2 ** 30)}G`;
    throw new InputError('bad-size', `Write a size such as 500M, 2G, or bytes: from 1 to ${most}.`);
  }
  return bytes;
}

/** In the forms that are shown. None is short enough for a nickname. */
const FINGERPRINT = /^(?:[\da-f]{32}|[\da-f]{64}|[\w-]{43})$/i;

/**
 * @param text `SIZE`, `FROM` or `FROM:SIZE`, from a nickname or the fingerprint of a key. What is a size by itself is no nickname:
 *   that is written `500m:1G`.
 * @returns the files that are taken without asking; without a size, up to `mostBytes`
 * @throws InputError
 */
export function parseAutoAccept(text: string, mostBytes: number): AutoAccept {
  const [, from, size] = /^(?:([^:]+):)?([^:]+)$/.exec(text.trim()) ?? [];
  if (size === undefined)
    throw new InputError(
      'bad-rule',
      'Write SIZE, NICK or NICK:SIZE, such as 1M, ann or ann:50M. The fingerprint of a key may stand for NICK.',
    );
  if (from !== undefined) return { from: sender(from), maxBytes: parseSize(size, mostBytes) };
  if (SIZE.test(size)) return { from: null, maxBytes: parseSize(size, mostBytes) };
  return { from: sender(size), maxBytes: mostBytes };
}

/** Anybody in a room, its host included, or the holder of a key in any room. @throws InputError */
function sender(text: string): string | Bytes {
  if (FINGERPRINT.test(text.replaceAll(/\s+/g, ''))) return parseFingerprint(text);
  const nick = text.trim().replace(/^@/, '').toLowerCase();
  return checkNickname(nick, nick === 'host');
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['1', true],
  ['false', false],
  ['no', false],
  ['0', false],
]);

/** @throws InputError */
export function parseBoolean(text: string): boolean {
  const value = BOOLEANS.get(text.trim().toLowerCase());
  if (value === undefined) throw new InputError('bad-choice', 'Write true or false.');
  return value;
}

function isOneOf<Choice extends string>(text: string, choices: readonly Choice[]): text is Choice {
  return choices.some((choice) => choice === text);
}

/** @throws InputError naming the choices */
export function parseChoice<Choice extends string>(text: string, choices: readonly Choice[]): Choice {
  if (!isOneOf(text, choices)) throw new InputError('bad-choice', `Write one of ${choices.join(', ')}.`);
  return text;
}

/** @param text a path, or `-` for standard input. */
export function parseSecretSource(text: string): SecretSource {
  return text === '-' ? { kind: 'standardInput' } : { kind: 'file', path: text };
}

/**
 * @returns the text without white space around it, 1 to `mostBytes` bytes of UTF-8.
 * @throws InputError
 */
export function parseText(text: string, mostBytes: number): string {
  const trimmed = text.trim();
  if (trimmed === '' || utf8.encode(trimmed).length > mostBytes) {
    throw new InputError('bad-text', `Write 1 to ${mostBytes} bytes.`);
  }
  return trimmed;
}

/** @returns `null` when the host is none or the port is past the last one. */
function splitHostPort(text: string): AdvertisedAddress | null {
  const parts = HOST_PORT.exec(text.trim())?.groups ?? {};
  const host = canonicalHost(parts['bare'] ?? parts['ipv6'] ?? parts['name'] ?? '');
  const port = parts['port'] === undefined ? null : Number(parts['port']);
  return host === null || (port !== null && port > PORT_MOST) ? null : { host, port };
}

/**
 * The invitation: `sc1.<key>.<token>.<checksum>`, one string that carries everything a joiner needs before
 * the first byte is sent. The key travels with the token, so whoever holds the string holds the invitation.
 */
import { createHash, hkdfSync } from 'node:crypto';
import { crc32 } from 'node:zlib';
import * as P from 'micro-packed';
import { type Bytes, concatBytes, fromBase64url, toBase64url, u32, utf8 } from '../protocol/bytes.ts';
import { InputError } from '../protocol/errors.ts';
import {
  type Hash,
  hash,
  ID_BYTES,
  type InvitationId,
  invitationId,
  type RoomId,
  roomId,
} from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import { type Address, canonicalHost, isPort } from './address.ts';
import { openFernet, padBase64url, sealFernet } from './fernet-token.ts';

export { type Address, formatAddress, parseAddress } from './address.ts';

export interface Invitation {
  readonly roomId: RoomId;
  readonly ownerFingerprint: Hash;
  /** SHA-256 of the host certificate's SPKI. */
  readonly tlsPin: Hash;
  readonly invitationId: InvitationId;
  /** The token's own time: whole seconds. */
  readonly issuedAtMs: number;
  readonly ttlSeconds: number;
  readonly uses: number;
  /** One to four, in the order in which they are tried. */
  readonly addresses: readonly Address[];
}

type Fields = Omit<Invitation, 'issuedAtMs'>;

const PREFIX = 'sc1';
const VERSION = 1;
const SUITE = 1;
const TTL_SECONDS_MOST = LIMITS.invitationMsMost / 1_000;
/** Four addresses of the greatest length make 1,600 characters; the rest is for what messengers add. */
const TEXT_CHARACTERS_MOST = 8_192;
/** A clock this far off is not worth a word. */
const CLOCK_SKEW_MS = 60_000;

const fieldsCoder = P.struct({
  roomId: P.bytes(ID_BYTES.room),
  ownerFingerprint: P.bytes(ID_BYTES.hash),
  tlsPin: P.bytes(ID_BYTES.hash),
  invitationId: P.bytes(ID_BYTES.invitation),
  ttlSeconds: P.U32BE,
  uses: P.U8,
  addresses: P.array(P.U8, P.struct({ host: P.string(P.U8), port: P.U16BE })),
});

function encodeFields(fields: Fields): Bytes {
  assertFields(fields);
  const body = fieldsCoder.encode({ ...fields, addresses: [...fields.addresses] });
  return concatBytes(Uint8Array.of(VERSION, SUITE), body);
}

function decodeFields(payload: Bytes): Fields {
  if (payload[0] !== VERSION || payload[1] !== SUITE) throw versionError();
  const decoded = fieldsCoder.decode(payload.subarray(2));
  const fields = {
    ...decoded,
    roomId: roomId(decoded.roomId.slice()),
    ownerFingerprint: hash(decoded.ownerFingerprint.slice()),
    tlsPin: hash(decoded.tlsPin.slice()),
    invitationId: invitationId(decoded.invitationId.slice()),
  };
  assertFields(fields);
  return fields;
}

/** @throws RangeError; the same rules bind who mints and who reads. */
function assertFields({ ttlSeconds, uses, addresses }: Fields): void {
  if (!Number.isInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > TTL_SECONDS_MOST) {
    throw new RangeError(`an invitation lives 1 to ${TTL_SECONDS_MOST} seconds`);
  }
  if (!Number.isInteger(uses) || uses < 1 || uses > LIMITS.invitationUsesMost) {
    throw new RangeError(`an invitation has 1 to ${LIMITS.invitationUsesMost} uses`);
  }
  if (addresses.length < 1 || addresses.length > LIMITS.addressesPerInvitation) {
    throw new RangeError(`an invitation has 1 to ${LIMITS.addressesPerInvitation} addresses`);
  }
  if (!addresses.every(({ host, port }) => canonicalHost(host) === host && isPort(port))) {
    throw new RangeError('an address in an invitation is in canonical form');
  }
}

/**
 * @param key 32 random bytes, used for this invitation only.
 * @returns the invitation's text, about 300 characters for one IPv4 address; the key that the host keeps to check
 *   HELLO; the time that the token carries; the padded token for any other Fernet implementation.
 * @throws RangeError when a field is outside its limits.
 * @see docs/protocol.md#invitation
 */
export async function mintInvitation(
  fields: Fields,
  key: Bytes,
): Promise<{
  readonly text: string;
  readonly admissionKey: Bytes;
  readonly issuedAtMs: number;
  readonly fernetToken: string;
}> {
  const fernetToken = await sealFernet(key, encodeFields(fields));
  const { issuedAtMs } = await openFernet(key, fernetToken);
  const token = fernetToken.replace(/=+$/, '');
  const body = `${PREFIX}.${toBase64url(key)}.${token}`;
  const text = `${body}.${checksum(body)}`;
  return { text, admissionKey: deriveAdmissionKey(key, token), issuedAtMs, fernetToken };
}

/**
 * Reads an invitation from whatever was pasted. It forgives what messengers do to a text and nothing else.
 * An expired invitation is read like any other: the host's clock decides.
 *
 * @throws InputError `invitation-empty`, `invitation-not` (no invitation in it), `invitation-damaged` (a copying
 *   error), `invitation-version` (from another version of the program) or `invitation-invalid`.
 * @see docs/protocol.md#invitation
 */
export async function readInvitation(
  text: string,
): Promise<{ readonly invitation: Invitation; readonly admissionKey: Bytes }> {
  const [prefix, keyText, token] = findInvitation(text);
  if (prefix !== PREFIX) throw versionError();
  const key = fromBase64url(keyText);
  if (key?.length !== 32) throw invalidError();
  try {
    const { payload, issuedAtMs } = await openFernet(key, padBase64url(token));
    const invitation = { ...decodeFields(payload), issuedAtMs };
    return { invitation, admissionKey: deriveAdmissionKey(key, token) };
  } catch (error) {
    if (error instanceof InputError && error.code === 'invitation-version') throw error;
    throw invalidError();
  }
}

/** A warning and no more: a joiner with a wrong clock must not be locked out. */
export function invitationClockWarning(invitation: Invitation, nowMs: number): string | null {
  if (invitation.issuedAtMs > nowMs + CLOCK_SKEW_MS) {
    return "By this computer's clock, the invitation was made in the future. Check the clock; the host's clock decides.";
  }
  if (nowMs > invitation.issuedAtMs + invitation.ttlSeconds * 1_000) {
    return "By this computer's clock, the invitation has expired. The host's clock decides.";
  }
  return null;
}

function deriveAdmissionKey(key: Bytes, token: string): Bytes {
  const salt = createHash('sha256').update(token).digest();
  return new Uint8Array(hkdfSync('sha256', key, salt, 'sc1/admit', 32));
}

function checksum(body: string): string {
  return toBase64url(u32(crc32(utf8.encode(body))));
}

/** Spaces and marks that messengers, mail programs and people put around or inside a text. */
const NOISE = /[\s<>"'`*|\u00ab\u00bb\u2018-\u201f\u2039\u203a]/gu;
/** Characters that show nothing: soft hyphen, joiners, direction marks, byte order mark. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;
const LONG_DASH = /[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]/gu;
/** Prefix, key, token and a checksum of six; spaces may stand anywhere, and no further character may touch it. */
const SHAPE =
  /(?<![\w-])(s *c *(?:\d *){1,3})\. *((?:[\w-] *)+)\. *((?:[\w-] *)+)\. *((?:[\w-] *){5}[\w-])(?![\w-])/;

/** A full stop, hyphen or underscore as addresses, mail (quoted-printable) and Markdown write them. */
const ENCODED = /[%=](2d|2e|5f)/gi;
/** A line break that mail has put in, what Markdown escapes with, and tags of a page. */
const WRAPPING = /=\s+|\\|<\/?[a-z][^<>]*>/gi;

/** A prefix in capitals, or a key whose 43 random characters are all capitals or all small. */
const CASE_LOST = /(?:S[Cc]|sC)\d\s*\.\s*[\w-]{30}|sc\d\s*\.\s*(?:[A-Z\d_-]{43}|[a-z\d_-]{43})\./;

/** @returns prefix, key and token, proved by the checksum. */
function findInvitation(text: string): readonly [string, string, string] {
  const visible = text.replaceAll(INVISIBLE, '').trim();
  const cleaned = visible.replaceAll(NOISE, ' ').trim();
  if (cleaned === '') {
    throw new InputError('invitation-empty', 'There is no invitation here. Paste the one you were sent.');
  }
  if (visible.length <= TEXT_CHARACTERS_MOST) {
    for (const reading of [cleaned, decoded(visible)]) {
      // Some programs lengthen a single hyphen, others join two; a dash of a sentence is none of ours.
      for (const hyphens of ['-', '--', ' ']) {
        const parts = SHAPE.exec(reading.replaceAll(LONG_DASH, hyphens))?.slice(1).map(withoutSpaces);
        const [prefix, key, token, sum] = parts ?? [];
        if (!prefix || !key || !token) continue;
        if (checksum(`${prefix}.${key}.${token}`) === sum) return [prefix, key, token];
      }
    }
    if (CASE_LOST.test(cleaned)) throw caseError();
    // A long unbroken run is a key or a token whose surroundings were lost.
    if (/sc\d\s*\.|[\w-]{30}/.test(cleaned)) throw damagedError();
  }
  throw new InputError(
    'invitation-not',
    'This is not an invitation. It begins with sc1. and is about 300 characters long.',
  );
}

/** As it was before a program that shows no plain text had it. */
function decoded(text: string): string {
  return text
    .replaceAll(WRAPPING, '')
    .replaceAll(ENCODED, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll(NOISE, ' ')
    .trim();
}

function withoutSpaces(text: string): string {
  return text.replaceAll(' ', '');
}

function damagedError(): InputError {
  return new InputError(
    'invitation-damaged',
    'This invitation was damaged on its way. Copy it again, whole, from sc1. to the last character.',
  );
}

function caseError(): InputError {
  return new InputError(
    'invitation-damaged',
    'Capital and small letters of this invitation were changed on its way. Have it sent again, and copy it as it is.',
  );
}

function versionError(): InputError {
  return new InputError(
    'invitation-version',
    'This invitation is from another version of securechat. Use the version that the host uses.',
  );
}

function invalidError(): InputError {
  return new InputError('invitation-invalid', 'This invitation cannot be used. Ask the host for a new one.');
}

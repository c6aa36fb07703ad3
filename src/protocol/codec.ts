/**
 * House rules for everything that travels: fields in fixed order, length-prefixed, no maps, no optional fields,
 * every byte consumed, UTF-8 strict. A structure is declared once; type, encoder and decoder come from it.
 * Decoded byte fields are views of the input: copy what is kept beyond the frame.
 * @see docs/protocol.md#bytes
 */
import * as P from 'micro-packed';
import type { Bytes } from './bytes.ts';
import { ProtocolError } from './errors.ts';
import * as ids from './identifiers.ts';

export interface Codec<T> {
  encode(value: T): Bytes;
  /** @throws ProtocolError `malformed` unless `bytes` are exactly one value. */
  decode(bytes: Bytes): T;
}

export type Decoded<C> = C extends Codec<infer T> ? T : never;

function branded<Id extends Bytes>(length: number, make: (bytes: Bytes) => Id): P.CoderType<Id> {
  return P.apply(P.bytes(length), { encode: (bytes) => make(bytes), decode: (id: Id) => id });
}

/** u64 on the wire and a safe integer here. */
const u64: P.CoderType<number> = P.apply(P.U64BE, {
  encode(value) {
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError('number out of range');
    return Number(value);
  },
  decode: (value: number) => BigInt(value),
});

/** A number that stands for one of the names in `table`; any other number is malformed. */
function oneOf<Name extends string>(table: Readonly<Record<Name, number>>): P.CoderType<Name> {
  const names = new Map<number, Name>();
  for (const name of Object.keys(table) as Name[]) names.set(table[name], name);
  return P.apply(P.U8, {
    encode(value) {
      const name = names.get(value);
      if (name === undefined) throw new RangeError(`unknown value ${value}`);
      return name;
    },
    decode: (name: Name) => table[name],
  });
}

/** Nothing may follow this list's `most` elements: the count is checked before any is decoded. */
function list<T>(count: P.CoderType<number>, most: number, inner: P.CoderType<T>): P.CoderType<T[]> {
  const bounded = P.validate(count, (value) => {
    if (value > most) throw new RangeError(`at most ${most} elements, not ${value}`);
    return value;
  });
  return P.array(bounded, inner);
}

/** A signed object travels as the bytes that were signed, never encoded again. */
export interface Signed {
  readonly bytes: Bytes;
  readonly signature: Bytes;
}

export const field = {
  u8: P.U8,
  u16: P.U16BE,
  u32: P.U32BE,
  u64,
  bool: P.bool,
  /** Milliseconds since the epoch. */
  timeMs: u64,
  /** UTF-8 with a length of one or two bytes. */
  shortText: P.string(P.U8),
  text: P.string(P.U16BE),
  shortBytes: P.bytes(P.U8),
  bytes: P.bytes(P.U16BE),
  fixed: (length: number) => P.bytes(length),
  rest: P.bytes(null),
  oneOf,
  list,
  /** Exactly `count` of them, without a count on the wire. */
  times: <T>(count: number, inner: P.CoderType<T>) => P.array(count, inner),
  struct: P.struct,
  roomId: branded(ids.ID_BYTES.room, ids.roomId),
  conversation: branded(ids.ID_BYTES.conversation, ids.conversationId),
  memberId: branded(ids.ID_BYTES.member, ids.memberId),
  invitationId: branded(ids.ID_BYTES.invitation, ids.invitationId),
  chainId: branded(ids.ID_BYTES.chain, ids.chainId),
  sessionId: branded(ids.ID_BYTES.session, ids.sessionId),
  hash: branded(ids.ID_BYTES.hash, ids.hash),
  ciphertext: P.apply(P.bytes(P.U16BE), {
    encode: (bytes) => ids.ciphertext(bytes),
    decode: (bytes: ids.Ciphertext) => bytes,
  }),
  signed: P.struct({
    bytes: P.bytes(P.U16BE),
    signature: P.bytes(P.U16BE),
  }) as unknown as P.CoderType<Signed>,
} as const;

/** @param name what the structure is called in an error message. */
export function codec<T>(name: string, coder: P.CoderType<T>): Codec<T> {
  return {
    encode: (value) => coder.encode(value),
    decode(bytes) {
      try {
        return coder.decode(bytes);
      } catch (cause) {
        throw new ProtocolError('malformed', `malformed ${name}`, { cause });
      }
    },
  };
}

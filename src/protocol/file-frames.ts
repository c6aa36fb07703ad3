/**
 * The frames of files. Offers and news of them go over a member's session; content goes over lines of its own, which begin
 * with a HELLO and turn into a bare stream in one direction, with frames in the other.
 * @see docs/protocol.md#files
 */
import type { Bytes } from './bytes.ts';
import { type Codec, codec, type Decoded, field } from './codec.ts';
import { FILE_ID_BYTES } from './file-offer.ts';
import { encodeFrame } from './framing.ts';

/** On lines of their own. */
export const LINE_FRAME = {
  upload: 64,
  fetch: 65,
  stream: 66,
  credit: 67,
  taken: 68,
  received: 69,
  lineClosed: 70,
} as const;

const fileId = field.fixed(FILE_ID_BYTES);

/** Named in one offer: more than that are seldom away from one conversation. */
export const KEEP_FOR_MOST = 64;

/** On the session: this member serves a file of so many bytes. Said again on every new line to the host. */
export const OfferFile = codec(
  'OFFER_FILE',
  field.struct({
    fileId,
    bytes: field.u64,
    /** It is to wait at the host for these, where the host keeps the room. None: it only passes through. */
    keepFor: field.list(field.u8, KEEP_FOR_MOST, field.memberId),
  }),
);
export const WithdrawFile = codec('WITHDRAW_FILE', field.struct({ fileId }));
export const DeclineFile = codec('DECLINE_FILE', field.struct({ fileId }));
/** Somebody wants it: a line with UPLOAD is to bring it, from this chunk on. */
export const FileWanted = codec(
  'FILE_WANTED',
  field.struct({ fileId, pass: field.u32, fromChunk: field.u32 }),
);
export type FileWanted = Decoded<typeof FileWanted>;

export const TAKER_STATE = {
  running: 1,
  stopped: 2,
  done: 3,
  declined: 4,
  /** All of it waits at the host for them: whoever serves it need not stay. */
  kept: 5,
  /** They are away, and it is to wait for them, but the host has no room for it. */
  unkept: 6,
} as const;
export type TakerState = keyof typeof TAKER_STATE;
/** How far somebody has it, for whoever serves it. */
export const FileProgress = codec(
  'FILE_PROGRESS',
  field.struct({
    fileId,
    memberId: field.memberId,
    state: field.oneOf(TAKER_STATE),
    doneBytes: field.u64,
  }),
);
export type FileProgress = Decoded<typeof FileProgress>;

/** The line brings what was asked for under this number; after CREDIT it is a bare stream. */
export const Upload = codec('UPLOAD', field.struct({ fileId, pass: field.u32 }));
/** The line is to bring the file from this chunk on; after STREAM it is a bare stream. */
export const Fetch = codec('FETCH', field.struct({ fileId, fromChunk: field.u32 }));
export const Stream = codec('STREAM', field.struct({}));
/** The sender may have sent so many bytes of the stream in all. */
export const Credit = codec('CREDIT', field.struct({ upTo: field.u64 }));
/** The receiver has so many bytes of the stream in all where its own memory does not hold them any longer. */
export const Taken = codec('TAKEN', field.struct({ streamBytes: field.u64 }));
/** The whole is there, and is what was offered. */
export const Received = codec('RECEIVED', field.struct({}));

/** Why the host ends a line that is no bare stream from it. */
export const LINE_CLOSE = {
  /** The stream is complete. */
  complete: 1,
  /** Nobody serves such a file: withdrawn, or its host or sender began anew. */
  unknown: 2,
  /** Whoever serves it has no line to the host just now. */
  away: 3,
  /** More lines than a member may have. */
  busy: 4,
  /** Nobody receives it any more. */
  unwanted: 5,
  /** It did not move for too long. */
  stalled: 6,
  /** This member is not in the room any more. */
  over: 7,
} as const;
export type LineClose = keyof typeof LINE_CLOSE;
export const LineClosed = codec('LINE_CLOSED', field.struct({ reason: field.oneOf(LINE_CLOSE) }));

export function lineFrame<T>(frame: keyof typeof LINE_FRAME, layout: Codec<T>, value: T): Bytes {
  return encodeFrame(LINE_FRAME[frame], layout.encode(value));
}

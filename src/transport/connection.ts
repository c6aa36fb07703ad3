/**
 * A stream of whole frames to one peer, over TLS or in memory: the only thing above the transport that
 * knows sockets exist.
 * @see docs/protocol.md#transport
 */
import type { Bytes } from '../protocol/bytes.ts';

/** Why a connection is over. */
export type CloseReason =
  /** The peer ended it. */
  | { readonly kind: 'ended' }
  /** The line broke. */
  | { readonly kind: 'lost'; readonly message: string }
  /** The peer sent what the protocol does not allow. */
  | { readonly kind: 'protocol'; readonly code: string; readonly message: string }
  /** The peer reads too slowly for what is sent to it. */
  | { readonly kind: 'overflow' }
  /** `close` or `destroy` was called here. */
  | { readonly kind: 'local' };

export interface ConnectionHandlers {
  /**
   * Takes one whole frame, length prefix included. It may be a view of a larger buffer: copy what is kept.
   * A `ProtocolError` thrown here ends the connection as `protocol`; anything else is a fault of ours and passes on.
   */
  onFrame(frame: Bytes): void;
  /** Called exactly once, never from within a call of the connection's own methods. No frame follows. */
  onClose(reason: CloseReason): void;
}

export interface Connection {
  readonly remoteAddress: string;
  /** 32 bytes that both ends of this one connection share and nobody between them can choose. */
  readonly channelBinding: Bytes;
  /** Bytes given to `send` that the operating system has not taken yet. */
  readonly queuedBytes: number;
  /** Nothing can be sent any more. */
  readonly closed: boolean;
  /** Frames that arrived before this call are kept and come first. Called once. */
  start(handlers: ConnectionHandlers): void;
  /**
   * Never throws; ignored once closed. A queue past its limit of bytes or frames ends the connection as `overflow`.
   * @param frames one or more whole frames, not changed afterwards by anyone
   * @param count how many frames they are, 1 unless given
   */
  send(frames: Bytes, count?: number): void;
  /**
   * What comes after the frame under way is no frame any more: a bare stream, in whatever pieces it comes. They are views
   * of a read buffer that is gone once `onBytes` has returned: to be sent on at once or copied.
   */
  stream(onBytes: (bytes: Bytes) => void): void;
  /**
   * As `send`, in one write.
   * @param pieces half a MiB of them at the most; they are the caller's again
   * @param onTaken called once the operating system has taken all of them, unless the connection ends before
   */
  sendAll(pieces: readonly Bytes[], onTaken: () => void): void;
  /**
   * As `send`, in one write with what else is forwarded in this turn of the event loop: small writes are what costs.
   * @param bytes the caller's again
   */
  forward(bytes: Bytes): void;
  /** @param bytes the largest length a frame may declare from the next frame on */
  setFrameLimit(bytes: number): void;
  /** Sends what is queued, then `last`, and ends; after two seconds the line is cut whatever is left. */
  close(last?: Bytes): void;
  /** Cuts the line at once; what is queued may be lost. */
  destroy(): void;
}

import { randomBytes } from 'node:crypto';
import { type Bytes, concatBytes } from '../protocol/bytes.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { FrameReader } from '../protocol/framing.ts';
import { LIMITS } from '../protocol/limits.ts';
import type { CloseReason, Connection, ConnectionHandlers } from './connection.ts';

/**
 * Two ends of one connection within this process, for the host's own chatting and for tests. What one end sends
 * arrives at the other in order, in a later turn of the event loop, as over a socket.
 */
export function memoryPair(): [Connection, Connection] {
  const channelBinding = new Uint8Array(randomBytes(32));
  const left = new MemoryConnection(channelBinding);
  const right = new MemoryConnection(channelBinding);
  left.peer = right;
  right.peer = left;
  return [left, right];
}

class MemoryConnection implements Connection {
  readonly remoteAddress = 'in-process';
  readonly channelBinding: Bytes;
  /** Set once, by `memoryPair`. */
  peer: MemoryConnection | null = null;
  readonly #reader = new FrameReader(LIMITS.frameBytesBeforeAdmission);
  #handlers: ConnectionHandlers | null = null;
  #reason: CloseReason | null = null;
  #inbox: Bytes[] = [];
  #inboxBytes = 0;
  /** Called by whoever reads, once all that was sent before has been read. */
  #onTaken: (() => void)[] = [];
  #peerEnded = false;
  #scheduled = false;
  #finished = false;

  constructor(channelBinding: Bytes) {
    this.channelBinding = channelBinding;
  }

  get queuedBytes(): number {
    return this.peer === null ? 0 : this.peer.#inboxBytes;
  }

  get closed(): boolean {
    return this.#reason !== null;
  }

  start(handlers: ConnectionHandlers): void {
    if (this.#handlers !== null) throw new Error('a connection is started once');
    this.#handlers = handlers;
    this.#schedule();
  }

  send(frames: Bytes): void {
    if (this.#reason !== null) return;
    if (this.queuedBytes + frames.length > LIMITS.outboundBytesPerMember) {
      this.#close({ kind: 'overflow' });
      return;
    }
    if (this.peer !== null) this.peer.#receive(frames);
  }

  stream(onBytes: (bytes: Bytes) => void): void {
    this.#reader.stream(onBytes);
  }

  sendAll(pieces: readonly Bytes[], onTaken: () => void): void {
    this.send(concatBytes(...pieces));
    if (this.peer !== null && this.#reason === null) {
      this.peer.#onTaken.push(onTaken);
      this.peer.#schedule();
    }
  }

  forward(bytes: Bytes): void {
    // Not `slice`, which of a Buffer is a view.
    this.send(new Uint8Array(bytes));
  }

  setFrameLimit(bytes: number): void {
    this.#reader.limitBytes = bytes;
  }

  close(last?: Bytes): void {
    if (last !== undefined) this.send(last);
    this.#close({ kind: 'local' });
  }

  destroy(): void {
    this.#close({ kind: 'local' });
  }

  #receive(frames: Bytes): void {
    if (this.#reason !== null) return;
    this.#inbox.push(frames);
    this.#inboxBytes += frames.length;
    this.#schedule();
  }

  #close(reason: CloseReason): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    this.#reader.stop();
    this.#schedule();
    if (this.peer !== null) {
      this.peer.#peerEnded = true;
      this.peer.#schedule();
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#handlers === null) return;
    this.#scheduled = true;
    // Not a microtask: two ends in conversation must not keep the sockets of everyone else waiting.
    setImmediate(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    const handlers = this.#handlers;
    if (handlers === null || this.#finished) return;
    const arrived = this.#inbox;
    this.#inbox = [];
    this.#inboxBytes = 0;
    const peer = this.peer;
    try {
      for (const frames of arrived) this.#reader.push(frames, (frame) => handlers.onFrame(frame));
    } catch (error) {
      if (!(error instanceof ProtocolError)) {
        this.#close({ kind: 'local' });
        throw error;
      }
      this.#close({ kind: 'protocol', code: error.code, message: error.message });
    }
    for (const taken of this.#onTaken.splice(0)) if (peer?.closed === false) taken();
    if (this.#peerEnded && this.#inbox.length === 0) this.#close({ kind: 'ended' });
    if (this.#reason !== null) {
      this.#finished = true;
      handlers.onClose(this.#reason);
    }
  }
}

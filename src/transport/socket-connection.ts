import type { TLSSocket } from 'node:tls';
import type { Bytes } from '../protocol/bytes.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { FrameReader } from '../protocol/framing.ts';
import type { Limits } from '../protocol/limits.ts';
import type { CloseReason, Connection, ConnectionHandlers } from './connection.ts';
import { GATHER_BYTES, giveGatherBuffer, takeGatherBuffer } from './gather-buffers.ts';

/** Long enough for honest peers to read the last frame and answer our end with theirs. */
const CLOSE_GRACE_MS = 2_000;
/** Nobody says a word while someone waits at the door: what lies on the way must not forget the line meanwhile. */
const KEEP_ALIVE_MS = 60_000;

export type ConnectionLimits = Pick<
  Limits,
  'frameBytesBeforeAdmission' | 'outboundBytesPerMember' | 'outboundFramesPerMember'
>;

/** A `Connection` over a TLS socket whose handshake is done and whose peer has been checked. */
export class SocketConnection implements Connection {
  readonly remoteAddress: string;
  readonly channelBinding: Bytes;
  readonly #socket: TLSSocket;
  readonly #limits: ConnectionLimits;
  readonly #reader: FrameReader;
  #handlers: ConnectionHandlers | null = null;
  /** The first cause wins: what follows from it (a reset after our own end) is not news. */
  #reason: CloseReason | null = null;
  #gone = false;
  /** An estimate of the frames in the socket's queue, and the queue's bytes when it was made. */
  #queuedFrames = 0;
  #bytesThen = 0;
  /** What is forwarded waits here for the end of this turn. */
  #gathered: Buffer | null = null;
  #gatheredBytes = 0;
  /** Of gathered pieces, which the operating system has not taken yet. */
  #writesGathered = 0;

  constructor(
    socket: TLSSocket,
    {
      remoteAddress,
      channelBinding,
      limits,
    }: {
      readonly remoteAddress: string;
      readonly channelBinding: Bytes;
      readonly limits: ConnectionLimits;
    },
  ) {
    this.remoteAddress = remoteAddress;
    this.channelBinding = channelBinding;
    this.#socket = socket;
    this.#limits = limits;
    this.#reader = new FrameReader(limits.frameBytesBeforeAdmission);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#cut({ kind: 'lost', message: error.code ?? error.message });
    });
    socket.on('end', () => this.#end({ kind: 'ended' }));
    socket.on('close', () => this.#finish());
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  get closed(): boolean {
    return this.#reason !== null;
  }

  start(handlers: ConnectionHandlers): void {
    if (this.#handlers !== null) throw new Error('a connection is started once');
    this.#handlers = handlers;
    if (this.#gone) {
      queueMicrotask(() => handlers.onClose(this.#closeReason()));
      return;
    }
    const onFrame = (frame: Bytes): void => handlers.onFrame(frame);
    this.#socket.on('data', (chunk: Buffer) => {
      try {
        this.#reader.push(chunk, onFrame);
      } catch (error) {
        if (!(error instanceof ProtocolError)) {
          this.#cut({ kind: 'local' });
          throw error;
        }
        this.#cut({ kind: 'protocol', code: error.code, message: error.message });
      }
    });
  }

  send(frames: Bytes, count = 1): void {
    if (this.#mayQueue(frames.length, count)) this.#socket.write(frames);
  }

  stream(onBytes: (bytes: Bytes) => void): void {
    this.#reader.stream(onBytes);
  }

  sendAll(pieces: readonly Bytes[], onTaken: () => void): void {
    let bytes = 0;
    for (const { length } of pieces) bytes += length;
    if (bytes > GATHER_BYTES) throw new RangeError(`${bytes} bytes at a time`);
    const buffer = takeGatherBuffer();
    let at = 0;
    for (const piece of pieces) {
      buffer.set(piece, at);
      at += piece.length;
    }
    this.#writeGathered(buffer, bytes, onTaken);
  }

  forward(bytes: Bytes): void {
    if (this.#reason !== null) return;
    if (this.#gathered !== null && this.#gatheredBytes + bytes.length > GATHER_BYTES) this.#flushGathered();
    if (this.#gathered === null) {
      this.#gathered = takeGatherBuffer();
      // Behind a write that the line has not taken there is time to gather more: else a peer that reads nothing costs a
      // buffer for each piece, however small.
      if (this.#writesGathered === 0) setImmediate(() => this.#flushGathered());
    }
    this.#gathered.set(bytes, this.#gatheredBytes);
    this.#gatheredBytes += bytes.length;
  }

  #flushGathered(): void {
    const gathered = this.#gathered;
    const bytes = this.#gatheredBytes;
    this.#gathered = null;
    this.#gatheredBytes = 0;
    if (gathered !== null) this.#writeGathered(gathered, bytes);
  }

  #writeGathered(buffer: Buffer, bytes: number, onTaken?: () => void): void {
    if (!this.#mayQueue(bytes, 0)) return giveGatherBuffer(buffer);
    this.#writesGathered += 1;
    this.#socket.write(buffer.subarray(0, bytes), (error) => {
      this.#writesGathered -= 1;
      giveGatherBuffer(buffer);
      if (error != null) return;
      onTaken?.();
      if (this.#writesGathered === 0) this.#flushGathered();
    });
  }

  /** @returns false once nothing is sent any more; a queue that would be too long ends the connection */
  #mayQueue(bytes: number, frames: number): boolean {
    if (this.#reason !== null) return false;
    const queuedBytes = this.#socket.writableLength;
    // What the socket has taken since the last send took its share of the frames along: no bookkeeping per write.
    this.#queuedFrames = queuedBytes === 0 ? 0 : this.#queuedFrames * (queuedBytes / this.#bytesThen);
    this.#queuedFrames += frames;
    this.#bytesThen = queuedBytes + bytes;
    const { outboundBytesPerMember, outboundFramesPerMember } = this.#limits;
    const fits = this.#bytesThen <= outboundBytesPerMember && this.#queuedFrames <= outboundFramesPerMember;
    if (!fits) this.#cut({ kind: 'overflow' });
    return fits;
  }

  setFrameLimit(bytes: number): void {
    this.#reader.limitBytes = bytes;
  }

  close(last?: Bytes): void {
    if (last !== undefined) this.send(last);
    this.#end({ kind: 'local' });
  }

  destroy(): void {
    this.#cut({ kind: 'local' });
  }

  #end(reason: CloseReason): void {
    this.#flushGathered();
    if (this.#reason !== null) return;
    this.#reason = reason;
    this.#reader.stop();
    this.#socket.end();
    // Reads on and drops: bytes left unread at the end would make the kernel reset the line, and the peer would
    // lose our last frames.
    this.#socket.resume();
    setTimeout(() => this.#socket.destroy(), CLOSE_GRACE_MS).unref();
  }

  #cut(reason: CloseReason): void {
    this.#reason ??= reason;
    this.#reader.stop();
    this.#socket.destroy();
  }

  #finish(): void {
    this.#gone = true;
    this.#handlers?.onClose(this.#closeReason());
  }

  #closeReason(): CloseReason {
    this.#reason ??= { kind: 'lost', message: 'the connection closed' };
    return this.#reason;
  }
}

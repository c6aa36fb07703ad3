import type { TLSSocket } from 'node:tls';
import { type Bytes, freeNow } from '../protocol/bytes.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { FrameReader } from '../protocol/framing.ts';
import type { Limits } from '../protocol/limits.ts';
import type { CloseReason, Connection, ConnectionHandlers } from './connection.ts';
import { GatheredWrites } from './gathered-writes.ts';
import { ReadViews } from './read-views.ts';
import { isTalkBeside, noteTalk } from './talk-beside.ts';

/** Long enough for honest peers to read the last frame and answer our end with theirs. */
const CLOSE_GRACE_MS = 2_000;
/** Nobody says a word while someone waits at the door: what lies on the way must not forget the line meanwhile. */
const KEEP_ALIVE_MS = 60_000;
/** So much of a bare stream, and who talks beside it has a turn: Node reads on for up to 32 read buffers, 2 MiB of it, while they wait. */
const STREAM_TURN_BYTES = 256 * 1_024;

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
  readonly #onFrame = (frame: Bytes): void => this.#handlers?.onFrame(frame);
  /** The first cause wins: what follows from it (a reset after our own end) is not news. */
  #reason: CloseReason | null = null;
  #gone = false;
  /** An estimate of the frames in the socket's queue, and the queue's bytes when it was made. */
  #queuedFrames = 0;
  #bytesThen = 0;
  readonly #gathered: GatheredWrites;
  /** A bare stream goes out on it: frames that come are about that. */
  #carries = false;
  /** Frames are over: what comes is a bare stream. */
  #isBare = false;
  /** What came of it in this turn, and lies in one piece of memory. */
  readonly #came = new ReadViews();
  #isCameDue = false;
  #turnBytes = 0;

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
    this.#gathered = new GatheredWrites({
      mayQueue: (bytes) => this.#mayQueue(bytes, 0),
      write: (bytes, onTaken) => void socket.write(bytes, onTaken),
    });
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#takeCame();
      this.#cut({ kind: 'lost', message: error.code ?? error.message });
    });
    socket.on('end', () => {
      this.#takeCame();
      this.#end({ kind: 'ended' });
    });
    socket.on('close', () => this.#finish());
  }

  get queuedBytes(): number {
    return this.#socket.writableLength + this.#gathered.waitingBytes;
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
    this.#socket.on('data', (chunk: Buffer) => {
      if (this.#isBare) return this.#gatherCame(chunk);
      if (!this.#carries) noteTalk();
      this.#take(chunk);
    });
  }

  #take(chunk: Bytes): void {
    try {
      this.#reader.push(chunk, this.#onFrame);
    } catch (error) {
      if (!(error instanceof ProtocolError)) {
        this.#cut({ kind: 'local' });
        throw error;
      }
      this.#cut({ kind: 'protocol', code: error.code, message: error.message });
    }
  }

  /** A TLS record is a quarter of what one read of the socket brings: handed on together they cost a quarter. */
  #gatherCame(chunk: Buffer): void {
    if (!this.#came.add(chunk)) {
      this.#takeCame();
      this.#came.add(chunk);
      // Short records leave room at the end of a read buffer: nothing reaches that.
      this.#giveWay();
    }
    if (this.#came.reachesEnd) {
      this.#takeCame();
      return this.#giveWay();
    }
    if (this.#isCameDue) return;
    this.#isCameDue = true;
    setImmediate(() => {
      this.#isCameDue = false;
      this.#takeCame();
    });
  }

  #takeCame(): void {
    const bytes = this.#came.take();
    if (bytes === null) return;
    this.#turnBytes += bytes.length;
    this.#take(bytes);
    freeNow(bytes);
  }

  #giveWay(): void {
    if (this.#turnBytes < STREAM_TURN_BYTES || !isTalkBeside()) return;
    this.#turnBytes = 0;
    this.#socket.pause();
    setImmediate(() => this.#socket.resume());
  }

  send(frames: Bytes, count = 1): void {
    this.#gathered.flush();
    if (this.#mayQueue(frames.length, count)) this.#socket.write(frames);
  }

  stream(onBytes: (bytes: Bytes) => void): void {
    this.#isBare = true;
    this.#reader.stream(onBytes);
  }

  sendAll(pieces: readonly Bytes[], onTaken: () => void): void {
    this.#carries = true;
    this.#gathered.add(pieces, onTaken);
  }

  forward(bytes: Bytes): void {
    this.#carries = true;
    if (this.#reason === null) this.#gathered.forward(bytes);
  }

  /** @returns false once nothing is sent any more; a queue that would be too long ends the connection */
  #mayQueue(bytes: number, frames: number): boolean {
    if (this.#reason !== null) return false;
    const { queuedBytes } = this;
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
    this.#gathered.flush();
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
    this.#takeCame();
    this.#gone = true;
    this.#handlers?.onClose(this.#closeReason());
  }

  #closeReason(): CloseReason {
    this.#reason ??= { kind: 'lost', message: 'the connection closed' };
    return this.#reason;
  }
}

/**
 * All passes that there are: who joins which, which of a member's are asked for and which wait their turn, how much room each
 * has of the memory that they share, whom nobody waits for any longer, and how each ends.
 * @see docs/protocol.md#files
 */
import {
  Credit,
  FileWanted,
  type LineClose,
  LineClosed,
  lineFrame,
  type TakerState,
} from '../protocol/file-frames.ts';
import { encodeFrame } from '../protocol/framing.ts';
import type { IdKey } from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import { SESSION_FRAME } from '../protocol/session-frames.ts';
import type { RoomEffect } from './effects.ts';
import type { HolderId } from './invitations.ts';
import type { Offered, OfferedFiles, Served } from './offered-files.ts';
import { Pass, type PassStart, type Receiver } from './pass.ts';

type Now = Pick<Moment, 'nowMs'>;

export interface PassesContext {
  readonly residents: ReadonlyMap<IdKey, Served>;
  readonly limits: Limits;
  readonly files: OfferedFiles;
  /** Nothing more is said or heard on it. */
  readonly lineOver: (line: HolderId) => void;
}

export class Passes {
  readonly #context: PassesContext;
  readonly #passes = new Map<number, Pass>();
  #last = 0;
  #tickedAtMs: number | null = null;
  #toldAtMs = 0;

  constructor(context: PassesContext) {
    this.#context = context;
  }

  get(number: number): Pass | undefined {
    return this.#passes.get(number);
  }

  /** Those by which the file comes to the disk. */
  toDisk(file: IdKey): readonly Pass[] {
    return this.#all.filter((pass) => pass.disk !== null && pass.file.key === file);
  }

  get #all(): readonly Pass[] {
    return [...this.#passes.values()];
  }

  /** A line is to get a file from this chunk on: with others who wait for it, or in a pass of its own. */
  join(
    line: HolderId,
    member: IdKey,
    { file, fromChunk }: Pick<PassStart, 'file' | 'fromChunk'>,
    moment: Now,
  ): { readonly receiver: Receiver; readonly effects: RoomEffect[] } {
    const { nowMs } = moment;
    const isStored = this.#context.files.isStored(file.key);
    const joinable = isStored ? undefined : this.#joinable(file, fromChunk);
    const pass = joinable ?? this.#start(file, fromChunk, isStored ? 'disk' : 'owner', nowMs);
    const receiver = pass.join(line, member, nowMs);
    if (isStored) return { receiver, effects: this.grant(pass, nowMs) };
    if (joinable !== undefined) return { receiver, effects: [] };
    const asked = this.#ask(pass, nowMs);
    return { receiver, effects: asked.length > 0 ? asked : this.#makeRoom(file.owner, member, moment) };
  }

  #joinable(file: Offered, fromChunk: number): Pass | undefined {
    return this.#all.find((pass) => pass.file === file && pass.fromChunk === fromChunk && pass.hasNotBegun);
  }

  #start(file: Offered, fromChunk: number, from: PassStart['from'], nowMs: number): Pass {
    this.#last += 1;
    const pass = new Pass({ number: this.#last, file, from, fromChunk }, this.#context.limits, nowMs);
    this.#passes.set(pass.number, pass);
    return pass;
  }

  /** Asks the owner to open a line, if that one has not got as many as there may be. */
  #ask(pass: Pass, nowMs: number): RoomEffect[] {
    const { number, fromChunk, file } = pass;
    const { residents, limits } = this.#context;
    const isUnderWay = (other: Pass): boolean =>
      other.file.owner === file.owner && other.isAsked && !other.isSent;
    const busy = this.#all.filter(isUnderWay).length;
    const connection = residents.get(file.owner)?.connection ?? null;
    if (connection === null || busy >= limits.transfersPerMember) return [];
    pass.asked(nowMs);
    const body = FileWanted.encode({ fileId: file.fileId, pass: number, fromChunk });
    return [{ kind: 'send', to: connection, frame: encodeFrame(SESSION_FRAME.fileWanted, body) }];
  }

  askNext(owner: IdKey, nowMs: number): RoomEffect[] {
    const next = this.#nextOf(owner);
    return next === undefined ? [] : this.#ask(next, nowMs);
  }

  #nextOf(owner: IdKey): Pass | undefined {
    return this.#all.find((pass) => pass.file.owner === owner && pass.isQueued);
  }

  /** Whoever waits for a member is not kept waiting by one who has several of that member's lines: the latest is let go. */
  #makeRoom(owner: IdKey, waiting: IdKey, moment: Now): RoomEffect[] {
    const alone = this.#all.flatMap((pass) => {
      const isTheirs = pass.file.owner === owner && pass.isAsked;
      return isTheirs && pass.disk === null && pass.receivers.size === 1 ? [...pass.receivers] : [];
    });
    const latest = alone.findLast(
      ({ member }) => member !== waiting && alone.filter((each) => each.member === member).length > 1,
    );
    if (latest === undefined) return [];
    return [this.#letGo(latest, 'busy'), ...this.left(latest, 'stopped', moment)];
  }

  /** How much may be on its way to one receiver. */
  get #windowBytes(): number {
    const { transferWindowBytes, transferBytesTotal, transferShareBytesLeast } = this.#context.limits;
    let takers = 0;
    for (const pass of this.#passes.values()) if (pass.isBare) takers += pass.takerCount;
    const share = Math.floor(transferBytesTotal / Math.max(1, takers));
    return Math.max(transferShareBytesLeast, Math.min(transferWindowBytes, share));
  }

  /** Whoever sends is told when there is more room. */
  grant(pass: Pass, nowMs: number): RoomEffect[] {
    const { uploader, file, fromChunk, receivers } = pass;
    const upTo = pass.grant(this.#windowBytes, nowMs);
    if (upTo === null) return [];
    if (uploader !== null)
      return [{ kind: 'send', to: uploader, frame: lineFrame('credit', Credit, { upTo }) }];
    return [...receivers].map(({ line: connection }) => ({
      ...{ kind: 'read', connection, file: file.key, fromChunk, upTo },
    }));
  }

  tick(moment: Now): RoomEffect[] {
    const { nowMs } = moment;
    const sinceMs = nowMs - (this.#tickedAtMs ?? nowMs);
    this.#tickedAtMs = nowMs;
    const effects = this.#keep(nowMs);
    for (const pass of this.#passes.values()) effects.push(...this.#watch(pass, sinceMs, moment));
    if (nowMs - this.#toldAtMs < this.#context.limits.transferProgressMs) return effects;
    this.#toldAtMs = nowMs;
    const moved = this.#all.flatMap((pass) => pass.news());
    return [...effects, ...moved.flatMap((receiver) => this.#tell(receiver, 'running'))];
  }

  /** What is to wait at the host is asked for, and what has waited for too long goes. */
  #keep(nowMs: number): RoomEffect[] {
    const { files } = this.#context;
    const expired = files.expire(nowMs);
    const gone = expired.dropped.flatMap((key) => this.waitsNoLonger(key, nowMs));
    const { due, effects: told } = files.due(nowMs);
    const effects = [...expired.effects, ...gone, ...told];
    for (const file of due) {
      const joinable = this.#joinable(file, 0);
      const pass = joinable ?? this.#start(file, 0, 'owner', nowMs);
      pass.disk = { takenBytes: 0, movedAtMs: nowMs };
      if (joinable === undefined) effects.push(...this.#ask(pass, nowMs));
    }
    return effects;
  }

  /** Whoever does not move is not waited for without end. */
  #watch(pass: Pass, sinceMs: number, moment: Now): RoomEffect[] {
    const { nowMs } = moment;
    const { file, uploader } = pass;
    const { files, residents } = this.#context;
    // As many were under way as may be, and whoever was to bring it is gone.
    const isGone = pass.isQueued && residents.get(file.owner)?.connection == null;
    if (isGone || pass.isUnanswered(nowMs)) return this.end(pass, 'away', moment);
    if (pass.isStalled(nowMs))
      return uploader === null
        ? this.end(pass, 'stalled', moment)
        : [...this.end(pass, 'away', moment), closed(uploader, 'stalled')];
    if (pass.isDiskStalled(nowMs))
      return [drops(file.key), ...files.refused(file), ...this.withoutDisk(pass, nowMs)];
    const effects = this.#putOut(pass, sinceMs, moment);
    for (const receiver of pass.receivers)
      if (pass.isStill(receiver, nowMs) || this.#isTooSlow(receiver, nowMs))
        effects.push(...this.drop(receiver, moment));
    return effects;
  }

  /** Whoever keeps others waiting for too long goes on in a pass of its own: its line is cut, and it asks again. */
  #putOut(pass: Pass, sinceMs: number, moment: Now): RoomEffect[] {
    const window = this.#windowBytes;
    const heldUpMs = pass.isHeldUp(window) ? sinceMs : null;
    return [...pass.receivers].flatMap((receiver) =>
      pass.holdsUp(receiver, heldUpMs, window) ? this.drop(receiver, moment) : [],
    );
  }

  #isTooSlow(receiver: Receiver, nowMs: number): boolean {
    const { pass } = receiver;
    const isAwaited = this.#nextOf(pass.file.owner) !== undefined;
    return pass.isTooSlow(receiver, isAwaited, this.#windowBytes, nowMs);
  }

  /** Of a pass that has begun: it finds the stream at its end. */
  drop(receiver: Receiver, moment: Now): RoomEffect[] {
    return [this.#letGo(receiver, 'stalled'), ...this.left(receiver, 'stopped', moment)];
  }

  /** @param reason where it can still be said */
  #letGo({ line, pass }: Receiver, reason: LineClose): RoomEffect {
    this.#context.lineOver(line);
    return pass.isBare ? cut(line) : closed(line, reason);
  }

  /** A receiver is no longer in its pass. */
  left(receiver: Receiver, how: TakerState, { nowMs }: Now): RoomEffect[] {
    const { pass, member } = receiver;
    pass.receivers.delete(receiver);
    const effects = this.#tell(receiver, how);
    if (how === 'done') effects.push(...this.settle(pass.file, member, how, nowMs));
    const isOver = !this.#passes.has(pass.number);
    return isOver ? effects : [...effects, ...this.#goOn(pass, nowMs)];
  }

  withoutDisk(pass: Pass, nowMs: number): RoomEffect[] {
    pass.disk = null;
    return this.#goOn(pass, nowMs);
  }

  /** For whoever else takes it. */
  #goOn(pass: Pass, nowMs: number): RoomEffect[] {
    if (pass.takerCount > 0) return this.grant(pass, nowMs);
    const { number, uploader, file } = pass;
    this.#passes.delete(number);
    if (uploader === null) return this.askNext(file.owner, nowMs);
    this.#context.lineOver(uploader);
    return [closed(uploader, 'unwanted'), ...this.askNext(file.owner, nowMs)];
  }

  /** Nothing more comes of this pass: whoever waits for it is told, or finds the stream at its end. */
  end(pass: Pass, reason: LineClose, { nowMs }: Now): RoomEffect[] {
    const { number, file, uploader } = pass;
    this.#passes.delete(number);
    if (uploader !== null) this.#context.lineOver(uploader);
    const receivers = [...pass.receivers].flatMap((receiver) => [
      this.#letGo(receiver, reason),
      ...this.#tell(receiver, 'stopped'),
    ]);
    return [...this.#endDisk(pass, nowMs), ...receivers, ...this.askNext(file.owner, nowMs)];
  }

  /** What has come of it is of no use: the next pass is sealed anew. */
  #endDisk(pass: Pass, nowMs: number): RoomEffect[] {
    const { disk, file } = pass;
    const { files, limits } = this.#context;
    pass.disk = null;
    // Withdrawn, it is dropped already.
    if (disk === null || !files.interrupted(file.key, nowMs + limits.depositRetryMs)) return [];
    return [drops(file.key)];
  }

  /** Its owner serves it no longer. */
  endAll(file: IdKey, moment: Now): RoomEffect[] {
    const ended = this.#all.filter((pass) => pass.file.key === file);
    return ended.flatMap((pass) => {
      const { uploader } = pass;
      const effects = this.end(pass, 'unknown', moment);
      return uploader === null ? effects : [...effects, closed(uploader, 'unwanted')];
    });
  }

  /** Somebody has it, or does not want it. */
  settle(file: Offered, member: IdKey, how: 'done' | 'declined', nowMs: number): RoomEffect[] {
    return this.#context.files.settle(file, member, how) ? this.waitsNoLonger(file.key, nowMs) : [];
  }

  /** Who takes it already goes on. */
  waitsNoLonger(file: IdKey, nowMs: number): RoomEffect[] {
    return [drops(file), ...this.toDisk(file).flatMap((pass) => this.withoutDisk(pass, nowMs))];
  }

  /** The owner is told how far somebody has it. */
  #tell(receiver: Receiver, state: TakerState): RoomEffect[] {
    const { pass, member } = receiver;
    const done = state === 'done' ? pass.file.bytes : pass.doneBytes(receiver);
    return this.#context.files.tell(pass.file, member, state, done);
  }

  clear(): void {
    this.#passes.clear();
  }
}

export function closed(connection: HolderId, reason: LineClose): RoomEffect {
  return { kind: 'close', connection, frame: lineFrame('lineClosed', LineClosed, { reason }) };
}

/** Of a bare stream: nothing can be said on it. */
export function cut(connection: HolderId): RoomEffect {
  return { kind: 'close', connection, frame: null };
}

function drops(file: IdKey): RoomEffect {
  return { kind: 'drop', file };
}

/**
 * Files between members, as the host sees them: what members say of them on sessions and on lines of their own, and what the
 * shell tells of lines and of the disk. It counts bytes and never sees one: the shell carries them from the line that sends to
 * those that `arrived` names.
 *
 * Which files there are is in `offered-files.ts`. What passes of them does so in passes, each of which is one upload to all who
 * asked for it before it began: `pass.ts` counts one, `passes.ts` knows them all.
 * @see docs/protocol.md#files
 */
import type { Bytes } from '../protocol/bytes.ts';
import { ProtocolError } from '../protocol/errors.ts';
import {
  DeclineFile,
  Fetch,
  LINE_FRAME,
  type LineClose,
  lineFrame,
  OfferFile,
  Received,
  Stream,
  Taken,
  Upload,
  WithdrawFile,
} from '../protocol/file-frames.ts';
import { chunkCount } from '../protocol/file-stream.ts';
import { frameBody, frameType } from '../protocol/framing.ts';
import { type IdKey, idKey } from '../protocol/identifiers.ts';
import type { Moment } from '../protocol/moment.ts';
import type { RoomEffect } from './effects.ts';
import type { HolderId } from './invitations.ts';
import { type Offered, OfferedFiles, type OfferedFilesContext, type Served } from './offered-files.ts';
import type { Pass, Receiver } from './pass.ts';
import { closed, cut, Passes } from './passes.ts';

type Now = Pick<Moment, 'nowMs'>;

type Line = { readonly member: IdKey; readonly sinceMs: number } & (
  | { readonly does: 'nothing' }
  | { readonly does: 'upload'; readonly pass: Pass }
  | { readonly does: 'fetch'; readonly receiver: Receiver }
);

/** What the shell tells of the disk. */
export type DiskReport =
  /** So many bytes of what comes of a file, in all, are out of memory. */
  | { readonly kind: 'written'; readonly file: IdKey; readonly bytes: number }
  /** All of it is there for good. */
  | { readonly kind: 'stored'; readonly file: IdKey }
  /** Nothing of it is there, and nothing more is taken. */
  | { readonly kind: 'failed'; readonly file: IdKey }
  /** So many bytes more were read and sent. */
  | { readonly kind: 'read'; readonly connection: HolderId; readonly bytes: number }
  /** `isLost`: what was there is not there any more. */
  | { readonly kind: 'unreadable'; readonly connection: HolderId; readonly isLost: boolean };

export class Transfers {
  readonly #context: OfferedFilesContext;
  readonly #files: OfferedFiles;
  readonly #passes: Passes;
  readonly #lines = new Map<HolderId, Line>();

  constructor(context: OfferedFilesContext) {
    this.#context = context;
    this.#files = new OfferedFiles(context);
    const lineOver = (line: HolderId) => this.#lines.delete(line);
    this.#passes = new Passes({ ...context, files: this.#files, lineOver });
  }

  /** The room is open again, and its members are known. */
  restore(): void {
    this.#files.restore();
  }

  /** @throws ProtocolError `flood` for more than a member may serve */
  offer({ member }: Served, body: Bytes, moment: Now): RoomEffect[] {
    const offer = OfferFile.decode(body);
    const known = this.#files.get(idKey(offer.fileId));
    if (known !== undefined && known.owner !== member.key) return [];
    this.#files.check(member.key, offer);
    // Of another length it is another file.
    const effects = known === undefined || known.bytes === offer.bytes ? [] : this.#forget(known, moment);
    return [...effects, ...this.#files.offer(member.key, offer)];
  }

  withdraw({ member }: Served, body: Bytes, moment: Now): RoomEffect[] {
    const file = this.#files.get(idKey(WithdrawFile.decode(body).fileId));
    return file?.owner === member.key ? this.#forget(file, moment) : [];
  }

  /** Somebody does not want it: its owner is told. */
  decline({ member }: Served, body: Bytes, { nowMs }: Now): RoomEffect[] {
    const file = this.#files.get(idKey(DeclineFile.decode(body).fileId));
    if (file === undefined) return [];
    const told = this.#files.tell(file, member.key, 'declined', 0);
    return [...told, ...this.#passes.settle(file, member.key, 'declined', nowMs)];
  }

  has(connection: HolderId): boolean {
    return this.#lines.has(connection);
  }

  /** What goes out on it is a stream, in which nothing else can be said. */
  isBare(connection: HolderId): boolean {
    const line = this.#lines.get(connection);
    return line?.does === 'fetch' && line.receiver.pass.isBare;
  }

  /** A member's session begins. */
  returned(member: IdKey, { nowMs }: Now): void {
    this.#files.returned(member, nowMs);
  }

  /** A member has opened a line beside their session. */
  enter(connection: HolderId, member: IdKey, { nowMs }: Now): RoomEffect[] {
    if (this.#linesOf(member, 'nothing') >= this.#context.limits.transfersPerMember)
      return [this.#close(connection, 'busy')];
    this.#lines.set(connection, { does: 'nothing', member, sinceMs: nowMs });
    return [];
  }

  /** @throws ProtocolError when the frame is malformed or does not belong here */
  frame(connection: HolderId, frame: Bytes, moment: Now): RoomEffect[] {
    const line = this.#lines.get(connection);
    if (line === undefined) return [];
    const type = frameType(frame);
    const body = frameBody(frame);
    if (line.does === 'nothing' && type === LINE_FRAME.fetch)
      return this.#fetch(connection, line, Fetch.decode(body), moment);
    if (line.does === 'nothing' && type === LINE_FRAME.upload)
      return this.#upload(connection, line, Upload.decode(body), moment);
    if (line.does === 'fetch' && type === LINE_FRAME.taken)
      return this.#taken(line.receiver, Taken.decode(body).streamBytes, moment);
    if (line.does === 'fetch' && type === LINE_FRAME.received) {
      Received.decode(body);
      return this.#received(line.receiver, moment);
    }
    throw new ProtocolError('unexpected-frame', `frame ${type} on a line that does ${line.does}`);
  }

  #fetch(
    connection: HolderId,
    line: Line,
    { fileId, fromChunk }: ReturnType<typeof Fetch.decode>,
    moment: Now,
  ): RoomEffect[] {
    const file = this.#files.get(idKey(fileId));
    if (file === undefined || file.owner === line.member) return [this.#close(connection, 'unknown')];
    if (fromChunk >= chunkCount(file.bytes))
      throw new ProtocolError('malformed', 'a chunk that there is not');
    const isStored = this.#files.isStored(file.key);
    const isAway = this.#context.residents.get(file.owner)?.connection == null;
    if (isAway && !isStored) return [this.#close(connection, 'away')];
    if (this.#linesOf(line.member, 'fetch') >= this.#context.limits.transfersPerMember)
      return [this.#close(connection, 'busy')];
    const { receiver, effects } = this.#passes.join(connection, line.member, { file, fromChunk }, moment);
    this.#lines.set(connection, { ...line, does: 'fetch', receiver });
    return isStored ? [streams(connection), ...effects] : effects;
  }

  #upload(
    connection: HolderId,
    line: Line,
    { fileId, pass: number }: ReturnType<typeof Upload.decode>,
    { nowMs }: Now,
  ): RoomEffect[] {
    const key = idKey(fileId);
    const pass = this.#passes.get(number);
    const isTheirs = pass?.file.owner === line.member && pass.file.key === key;
    if (!isTheirs || !pass.isAsked || !pass.hasNotBegun) return [this.#close(connection, 'unwanted')];
    pass.begin(connection, nowMs);
    this.#lines.set(connection, { ...line, does: 'upload', pass });
    const { disk, totalBytes } = pass;
    const kept: RoomEffect[] = disk === null ? [] : [{ kind: 'deposit', file: key, bytes: totalBytes }];
    return [
      ...[...pass.receivers].map(({ line: to }) => streams(to)),
      ...kept,
      { kind: 'stream', connection },
      ...this.#passes.grant(pass, nowMs),
    ];
  }

  #taken(receiver: Receiver, streamBytes: number, { nowMs }: Now): RoomEffect[] {
    const { pass } = receiver;
    pass.taken(receiver, streamBytes, nowMs);
    return this.#passes.grant(pass, nowMs);
  }

  #received(receiver: Receiver, moment: Now): RoomEffect[] {
    if (receiver.takenBytes < receiver.pass.totalBytes)
      throw new ProtocolError('unexpected-frame', 'RECEIVED before all has been taken');
    const { line } = receiver;
    this.#lines.delete(line);
    return [...this.#passes.left(receiver, 'done', moment), cut(line)];
  }

  /**
   * So many bytes of a bare stream have come.
   * @returns the lines that get the same bytes, before the effects, and the file that is written down, if it is
   * @throws ProtocolError `no-credit`
   */
  arrived(
    connection: HolderId,
    bytes: number,
    { nowMs }: Now,
  ): { readonly to: readonly HolderId[]; readonly deposit: IdKey | null; readonly effects: RoomEffect[] } {
    const line = this.#lines.get(connection);
    if (line?.does !== 'upload') return { to: [], deposit: null, effects: [] };
    const { pass } = line;
    const { file, disk, receivers } = pass;
    pass.arrived(bytes, nowMs);
    const to = [...receivers].map((receiver) => receiver.line);
    const deposit = disk === null ? null : file.key;
    if (!pass.isSent) return { to, deposit, effects: [] };
    const effects = [this.#close(connection, 'complete'), ...this.#passes.askNext(file.owner, nowMs)];
    return { to, deposit, effects };
  }

  /** What has become of what the disk was to do. It may tell of what is over already. */
  disk(report: DiskReport, moment: Now): RoomEffect[] {
    if (report.kind === 'read' || report.kind === 'unreadable') {
      const line = this.#lines.get(report.connection);
      return line?.does === 'fetch' ? this.#readFor(line.receiver, report, moment) : [];
    }
    const [pass] = this.#passes.toDisk(report.file);
    return pass === undefined ? [] : this.#wroteOf(pass, report, moment);
  }

  #readFor(
    receiver: Receiver,
    report: DiskReport & { readonly kind: 'read' | 'unreadable' },
    moment: Now,
  ): RoomEffect[] {
    const { pass } = receiver;
    if (pass.from !== 'disk') return [];
    if (report.kind === 'read') {
      pass.read(report.bytes, moment.nowMs);
      return [];
    }
    const { key } = pass.file;
    const told = report.isLost ? this.#files.lost(key) : null;
    const lost = told === null ? [] : this.#passes.waitsNoLonger(key, moment.nowMs);
    return [...(told ?? []), ...lost, ...this.#passes.drop(receiver, moment)];
  }

  #wroteOf(
    pass: Pass,
    report: DiskReport & { readonly kind: 'written' | 'stored' | 'failed' },
    { nowMs }: Now,
  ): RoomEffect[] {
    switch (report.kind) {
      case 'written':
        return pass.written(report.bytes, nowMs) ? this.#passes.grant(pass, nowMs) : [];
      case 'stored':
        if (!pass.isSent) return [];
        return [...this.#files.stored(pass.file, nowMs), ...this.#passes.withoutDisk(pass, nowMs)];
      case 'failed':
        return [...this.#files.refused(pass.file), ...this.#passes.withoutDisk(pass, nowMs)];
    }
  }

  /** A line is gone, or is closed because its program broke the protocol. */
  gone(connection: HolderId, moment: Now): RoomEffect[] {
    const line = this.#lines.get(connection);
    this.#lines.delete(connection);
    if (line?.does === 'fetch') return this.#passes.left(line.receiver, 'stopped', moment);
    if (line?.does === 'upload') return this.#passes.end(line.pass, 'away', moment);
    return [];
  }

  /** Someone is no longer a member: what they serve and take is over. */
  memberGone(member: IdKey, moment: Now): RoomEffect[] {
    const own = [...this.#lines].filter(([, line]) => line.member === member);
    const effects = own.flatMap(([connection, line]): RoomEffect[] => {
      const isCut = line.does === 'fetch' && line.receiver.pass.isBare;
      return [...this.gone(connection, moment), isCut ? cut(connection) : closed(connection, 'over')];
    });
    for (const file of this.#files.ownedBy(member)) effects.push(...this.#forget(file, moment));
    for (const key of this.#files.memberGone(member))
      effects.push(...this.#passes.waitsNoLonger(key, moment.nowMs));
    return effects;
  }

  /** The room ends: whoever is on a line finds it closed. */
  close(): RoomEffect[] {
    const lines = [...this.#lines.keys()];
    this.#lines.clear();
    this.#passes.clear();
    return lines.map(cut);
  }

  tick(moment: Now): RoomEffect[] {
    const { nowMs } = moment;
    const effects: RoomEffect[] = [];
    for (const [connection, line] of this.#lines)
      if (line.does === 'nothing' && nowMs - line.sinceMs >= this.#context.limits.strangerMs)
        effects.push(this.#close(connection, 'stalled'));
    for (const file of this.#files.untold(nowMs)) effects.push(...this.#forget(file, moment));
    return [...effects, ...this.#passes.tick(moment)];
  }

  #forget({ key }: Offered, moment: Now): RoomEffect[] {
    const dropped = this.#files.forget(key);
    return [...this.#passes.endAll(key, moment), ...dropped];
  }

  #linesOf(member: IdKey, does: Line['does']): number {
    return [...this.#lines.values()].filter((line) => line.member === member && line.does === does).length;
  }

  #close(connection: HolderId, reason: LineClose): RoomEffect {
    this.#lines.delete(connection);
    return closed(connection, reason);
  }
}

function streams(to: HolderId): RoomEffect {
  return { kind: 'send', to, frame: lineFrame('stream', Stream, {}) };
}

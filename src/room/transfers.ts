/**
 * Files between members, as the host sees them: who serves which, and what passes from one line to others. It counts bytes
 * and never sees one: the shell carries them from the line that sends to those that `arrived` names.
 *
 * A pass is one upload from one chunk on, to all who asked for it before it began. A sender may send what the slowest of them
 * has room for, so what lies in the host's memory is bounded by what receivers have not taken yet. Where the room is kept, its
 * disk may be one of them; what waits there is then served from there, in a pass for each who asks.
 * @see docs/protocol.md#files
 */
import type { Bytes } from '../protocol/bytes.ts';
import { ProtocolError } from '../protocol/errors.ts';
import {
  Credit,
  DeclineFile,
  Fetch,
  FileProgress,
  FileWanted,
  LINE_FRAME,
  type LineClose,
  LineClosed,
  lineFrame,
  OfferFile,
  Received,
  Stream,
  Taken,
  type TakerState,
  Upload,
  WithdrawFile,
} from '../protocol/file-frames.ts';
import { CHUNK_BYTES, chunkCount, plainBytes, sealedBytes, wholeChunks } from '../protocol/file-stream.ts';
import { encodeFrame, frameBody, frameType } from '../protocol/framing.ts';
import { type IdKey, idKey } from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import { SESSION_FRAME } from '../protocol/session-frames.ts';
import { type DepositStart, Deposits } from './deposits.ts';
import type { RoomEffect } from './effects.ts';
import type { HolderId } from './invitations.ts';
import type { Resident } from './resident.ts';
import type { DepositNews, RoomStore } from './store.ts';

type Now = Pick<Moment, 'nowMs'>;

/** What is asked of a resident here. */
type Served = Pick<Resident, 'connection' | 'member'>;

interface Offered {
  readonly fileId: Bytes;
  readonly owner: IdKey;
  readonly bytes: number;
  /** Its owner has said so in this session. */
  isTold: boolean;
}

interface Receiver {
  readonly line: HolderId;
  readonly member: IdKey;
  readonly pass: Pass;
  /** Of the stream: what it does not hold in memory any longer. */
  takenBytes: number;
  movedAtMs: number;
  /** How long it has kept others waiting. */
  behindMs: number;
  toldBytes: number;
  /** Since when somebody waits for the same member, and how much was taken then. */
  markAtMs: number;
  markBytes: number;
}

/** The host's own, as a receiver. */
interface Disk {
  takenBytes: number;
  movedAtMs: number;
}

interface Pass {
  readonly number: number;
  readonly file: Offered;
  /** `disk`: what waits there, for one receiver. */
  readonly from: 'owner' | 'disk';
  readonly fromChunk: number;
  /** Of the stream. */
  readonly totalBytes: number;
  readonly receivers: Set<Receiver>;
  /** It is to wait at the host as well. */
  disk: Disk | null;
  /** When its owner was asked; `null`: as many are under way as a member may have. */
  askedAtMs: number | null;
  uploader: HolderId | null;
  sentBytes: number;
  grantedBytes: number;
  movedAtMs: number;
}

type Line = { readonly member: IdKey; readonly sinceMs: number } & (
  | { readonly does: 'nothing' }
  | { readonly does: 'upload'; readonly pass: Pass }
  | { readonly does: 'fetch'; readonly receiver: Receiver }
);

export interface TransfersContext {
  readonly residents: ReadonlyMap<IdKey, Served>;
  readonly limits: Limits;
  /** Where files may wait for members. */
  readonly keeping?: DepositStart & {
    readonly store: Pick<RoomStore, 'kept' | 'saveDeposit' | 'forgetDeposit'>;
    /** How long the room holds what is said in it. */
    readonly heldMs: () => number;
  };
}

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

/** Without end: not before its owner tells of it again. */
const NOT_AGAIN = Number.POSITIVE_INFINITY;

export class Transfers {
  readonly #context: TransfersContext;
  readonly #files = new Map<IdKey, Offered>();
  readonly #lines = new Map<HolderId, Line>();
  readonly #passes = new Map<number, Pass>();
  readonly #deposits: Deposits | null;
  /** Whose session has begun of late, and when. */
  readonly #returnedAtMs = new Map<IdKey, number>();
  #lastPass = 0;
  #tickedAtMs: number | null = null;
  #toldAtMs = 0;

  constructor(context: TransfersContext) {
    this.#context = context;
    const { keeping, limits, residents } = context;
    this.#deposits =
      keeping === undefined
        ? null
        : new Deposits({ ...keeping, limits, isMember: (member) => residents.has(member) });
  }

  /** The room is open again, and its members are known. */
  restore(): void {
    for (const { fileId, owner, bytes } of this.#deposits?.restore() ?? [])
      this.#files.set(idKey(fileId), { fileId, owner, bytes, isTold: false });
  }

  /** @throws ProtocolError `flood` for more than a member may serve */
  offer({ member }: Served, body: Bytes): RoomEffect[] {
    const { fileId, bytes, keepFor } = OfferFile.decode(body);
    const key = idKey(fileId);
    const known = this.#files.get(key);
    if (known !== undefined && known.owner !== member.key) return [];
    if (known === undefined && this.#offersOf(member.key) >= this.#context.limits.offersPerMember)
      throw new ProtocolError('flood', 'more files than a member may serve');
    if (bytes > this.#context.limits.fileBytesMost)
      throw new ProtocolError('malformed', 'a file larger than there may be');
    // Of another length it is another file.
    const effects = known === undefined || known.bytes === bytes ? [] : this.#forget(key);
    const file = this.#files.get(key) ?? { fileId: fileId.slice(), owner: member.key, bytes, isTold: true };
    file.isTold = true;
    this.#files.set(key, file);
    const news = this.#deposits?.tell(key) ?? [];
    const settled = new Set(news.map(([who]) => who));
    this.#deposits?.want(
      file,
      keepFor.map(idKey).filter((who) => !settled.has(who)),
    );
    return [...effects, ...news.flatMap(([who, each]) => this.#tellNews(file, who, each))];
  }

  #tellNews(file: Offered, member: IdKey, news: DepositNews): RoomEffect[] {
    if (news === 'awaited') return this.#tell(file, member, 'kept', 0);
    return this.#tell(file, member, news, news === 'done' ? file.bytes : 0);
  }

  withdraw({ member }: Served, body: Bytes): RoomEffect[] {
    const key = idKey(WithdrawFile.decode(body).fileId);
    return this.#files.get(key)?.owner === member.key ? this.#forget(key) : [];
  }

  /** Somebody does not want it: its owner is told. */
  decline({ member }: Served, body: Bytes): RoomEffect[] {
    const file = this.#files.get(idKey(DeclineFile.decode(body).fileId));
    if (file === undefined) return [];
    return [...this.#tell(file, member.key, 'declined', 0), ...this.#settle(file, member.key, 'declined')];
  }

  has(connection: HolderId): boolean {
    return this.#lines.has(connection);
  }

  /** What goes out on it is a stream, in which nothing else can be said. */
  isBare(connection: HolderId): boolean {
    const line = this.#lines.get(connection);
    return line?.does === 'fetch' && isBare(line.receiver.pass);
  }

  /** A member's session begins: programs tell again what they serve, and what they do not tell of is nobody's. */
  returned(member: IdKey, { nowMs }: Now): void {
    for (const file of this.#files.values()) if (file.owner === member) file.isTold = false;
    this.#returnedAtMs.set(member, nowMs);
  }

  #forgetUntoldOf({ nowMs }: Now): RoomEffect[] {
    const effects: RoomEffect[] = [];
    for (const [member, atMs] of this.#returnedAtMs) {
      if (nowMs - atMs < this.#context.limits.transferAnswerMs) continue;
      this.#returnedAtMs.delete(member);
      // Away again: they tell of it when they are back.
      if (this.#context.residents.get(member)?.connection == null) continue;
      for (const [key, { owner, isTold }] of this.#files)
        if (owner === member && !isTold && this.#deposits?.has(key) !== true)
          effects.push(...this.#forget(key));
    }
    return effects;
  }

  /** A member has opened a line beside their session. */
  enter(connection: HolderId, member: IdKey, { nowMs }: Now): RoomEffect[] {
    if (this.#linesOf(member, 'nothing') >= this.#context.limits.transfersPerMember)
      return [closed(connection, 'busy')];
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
    const { disk } = pass;
    if (disk !== null && disk.takenBytes === pass.sentBytes) disk.movedAtMs = nowMs;
    pass.sentBytes += bytes;
    pass.movedAtMs = nowMs;
    if (pass.sentBytes > pass.grantedBytes)
      throw new ProtocolError('no-credit', 'more of a file than there is room for');
    const to = [...pass.receivers].map((receiver) => receiver.line);
    const deposit = disk === null ? null : idKey(pass.file.fileId);
    if (pass.sentBytes < pass.totalBytes) return { to, deposit, effects: [] };
    this.#lines.delete(connection);
    pass.uploader = null;
    const effects = [closed(connection, 'complete'), ...this.#askNext(pass.file.owner, nowMs)];
    return { to, deposit, effects };
  }

  /** What has become of what the disk was to do. It may tell of what is over already. */
  disk(report: DiskReport, moment: Now): RoomEffect[] {
    if (report.kind === 'read' || report.kind === 'unreadable') {
      const line = this.#lines.get(report.connection);
      return line?.does === 'fetch' ? this.#readFor(line.receiver, report, moment) : [];
    }
    const pass = [...this.#passes.values()].find(
      ({ disk, file }) => disk !== null && idKey(file.fileId) === report.file,
    );
    return pass?.disk == null ? [] : this.#wroteOf(pass, pass.disk, report, moment);
  }

  #readFor(
    receiver: Receiver,
    report: DiskReport & { readonly kind: 'read' | 'unreadable' },
    moment: Now,
  ): RoomEffect[] {
    const { pass } = receiver;
    if (pass.from !== 'disk') return [];
    if (report.kind === 'read') {
      pass.sentBytes += report.bytes;
      pass.movedAtMs = moment.nowMs;
      return [];
    }
    const gone: RoomEffect[] = [];
    if (report.isLost) {
      const key = idKey(pass.file.fileId);
      this.#deposits?.forget(key);
      this.#forgetUntold();
      gone.push({ kind: 'drop', file: key });
    }
    return [...gone, ...this.#drop(receiver, moment)];
  }

  #wroteOf(
    pass: Pass,
    disk: Disk,
    report: DiskReport & { readonly kind: 'written' | 'stored' | 'failed' },
    { nowMs }: Now,
  ): RoomEffect[] {
    const { file } = pass;
    const key = idKey(file.fileId);
    switch (report.kind) {
      case 'written':
        if (report.bytes > pass.sentBytes || report.bytes < disk.takenBytes) return [];
        Object.assign(disk, { takenBytes: report.bytes, movedAtMs: nowMs });
        return this.#grant(pass, nowMs);
      case 'stored': {
        if (pass.sentBytes < pass.totalBytes) return [];
        const waiting = this.#deposits?.stored(key, nowMs) ?? [];
        return [
          ...waiting.flatMap((member) => this.#tell(file, member, 'kept', 0)),
          ...this.#withoutDisk(pass, nowMs),
        ];
      }
      case 'failed':
        this.#deposits?.interrupted(key, NOT_AGAIN);
        return this.#withoutDisk(pass, nowMs);
    }
  }

  /** It goes on for whoever else receives it. */
  #withoutDisk(pass: Pass, nowMs: number): RoomEffect[] {
    pass.disk = null;
    return pass.receivers.size > 0 ? this.#grant(pass, nowMs) : this.#unwanted(pass, nowMs);
  }

  /** A line is gone, or is closed because its program broke the protocol. */
  gone(connection: HolderId, moment: Now): RoomEffect[] {
    const line = this.#lines.get(connection);
    this.#lines.delete(connection);
    if (line?.does === 'fetch') return this.#left(line.receiver, 'stopped', moment);
    if (line?.does === 'upload') return this.#end(line.pass, 'away', moment);
    return [];
  }

  /** Someone is no longer a member: what they serve and take is over. */
  memberGone(member: IdKey, moment: Now): RoomEffect[] {
    const own = [...this.#lines].filter(([, line]) => line.member === member);
    const effects = own.flatMap(([connection, line]): RoomEffect[] => {
      const isCut = line.does === 'fetch' && isBare(line.receiver.pass);
      return [...this.gone(connection, moment), isCut ? cut(connection) : closed(connection, 'over')];
    });
    this.#returnedAtMs.delete(member);
    for (const [key, file] of this.#files) if (file.owner === member) effects.push(...this.#forget(key));
    for (const key of this.#deposits?.memberGone(member) ?? []) effects.push(...this.#dropped(key));
    return effects;
  }

  /** The room ends: whoever is on a line finds it closed. */
  close(): RoomEffect[] {
    const lines = [...this.#lines.keys()];
    this.#lines.clear();
    this.#passes.clear();
    return lines.map(cut);
  }

  tick({ nowMs }: Now): RoomEffect[] {
    const sinceMs = nowMs - (this.#tickedAtMs ?? nowMs);
    this.#tickedAtMs = nowMs;
    const effects: RoomEffect[] = [];
    const { strangerMs, transferProgressMs } = this.#context.limits;
    for (const [connection, line] of this.#lines) {
      if (line.does !== 'nothing' || nowMs - line.sinceMs < strangerMs) continue;
      this.#lines.delete(connection);
      effects.push(closed(connection, 'stalled'));
    }
    effects.push(...this.#forgetUntoldOf({ nowMs }), ...this.#keep({ nowMs }));
    for (const pass of this.#passes.values()) effects.push(...this.#watch(pass, sinceMs, { nowMs }));
    if (nowMs - this.#toldAtMs < transferProgressMs) return effects;
    this.#toldAtMs = nowMs;
    return [...effects, ...this.#progress()];
  }

  /** Whoever does not move is not waited for without end. */
  #watch(pass: Pass, sinceMs: number, { nowMs }: Now): RoomEffect[] {
    const { transferAnswerMs, transferStalledMs, waitingMs } = this.#context.limits;
    const isAway = this.#context.residents.get(pass.file.owner)?.connection == null;
    // As many were under way as may be, and whoever was to bring it is gone.
    if (pass.from === 'owner' && pass.askedAtMs === null && isAway) return this.#end(pass, 'away', { nowMs });
    const isUnanswered = hasNotBegun(pass) && pass.askedAtMs !== null;
    if (isUnanswered && nowMs - (pass.askedAtMs ?? nowMs) >= transferAnswerMs)
      return this.#end(pass, 'away', { nowMs });
    const { disk, uploader } = pass;
    const isTheirTurn = pass.grantedBytes > pass.sentBytes && nowMs - pass.movedAtMs >= transferStalledMs;
    if (isTheirTurn && uploader !== null)
      return [...this.#end(pass, 'away', { nowMs }), closed(uploader, 'stalled')];
    if (isTheirTurn && pass.from === 'disk') return this.#end(pass, 'stalled', { nowMs });
    const isDiskBehind = disk !== null && pass.sentBytes > disk.takenBytes;
    if (isDiskBehind && nowMs - disk.movedAtMs >= transferStalledMs) return this.#leaveDisk(pass, { nowMs });
    const effects = this.#putOut(pass, sinceMs, { nowMs });
    const hasSource = uploader !== null || (pass.from === 'disk' && pass.grantedBytes > pass.sentBytes);
    for (const receiver of pass.receivers) {
      if (pass.sentBytes === 0) continue;
      const isBehind = pass.sentBytes > receiver.takenBytes;
      const isStarved = hasSource && !isBehind;
      const isStill = nowMs - receiver.movedAtMs >= (isBehind ? transferStalledMs : waitingMs);
      if (!isStarved && (isStill || (isBehind && this.#isTooSlow(receiver, nowMs))))
        effects.push(...this.#drop(receiver, { nowMs }));
    }
    return effects;
  }

  /** While others wait for the same member, taking a little now and then does not hold the place. */
  #isTooSlow(receiver: Receiver, nowMs: number): boolean {
    const { owner } = receiver.pass.file;
    const isAwaited = [...this.#passes.values()].some(
      (pass) => pass.file.owner === owner && pass.from === 'owner' && pass.askedAtMs === null,
    );
    if (!isAwaited) {
      Object.assign(receiver, { markAtMs: nowMs, markBytes: receiver.takenBytes });
      return false;
    }
    if (nowMs - receiver.markAtMs < this.#context.limits.transferStalledMs) return false;
    const isSlow = receiver.takenBytes - receiver.markBytes < this.#windowBytes / 4;
    Object.assign(receiver, { markAtMs: nowMs, markBytes: receiver.takenBytes });
    return isSlow;
  }

  /** What is to wait at the host is asked for, and what has waited for too long goes. */
  #keep({ nowMs }: Now): RoomEffect[] {
    const deposits = this.#deposits;
    const { keeping, residents } = this.#context;
    if (deposits === null || keeping === undefined) return [];
    const known = deposits.size;
    const effects = deposits.expire(nowMs - keeping.heldMs()).flatMap((key) => this.#dropped(key));
    if (deposits.size < known) this.#forgetUntold();
    // Whoever may not speak leaves nothing here either.
    const canBring = (owner: IdKey): boolean => {
      const resident = residents.get(owner);
      return resident?.connection != null && !resident.member.muted;
    };
    for (const key of deposits.due(nowMs, canBring)) {
      const file = this.#files.get(key);
      if (file === undefined) continue;
      const joinable = this.#joinable(file, 0);
      const pass = joinable ?? this.#newPass(file, 0, 'owner', nowMs);
      pass.disk = { takenBytes: 0, movedAtMs: nowMs };
      if (joinable === undefined) effects.push(...this.#ask(pass, nowMs));
    }
    return effects;
  }

  /** What was known of only because it waited here. */
  #forgetUntold(): void {
    for (const [key, { isTold }] of this.#files)
      if (!isTold && this.#deposits?.has(key) !== true) this.#files.delete(key);
  }

  /** The disk does not take it after all. */
  #leaveDisk(pass: Pass, { nowMs }: Now): RoomEffect[] {
    const key = idKey(pass.file.fileId);
    this.#deposits?.interrupted(key, NOT_AGAIN);
    return [{ kind: 'drop', file: key }, ...this.#withoutDisk(pass, nowMs)];
  }

  /** Somebody has it, or does not want it. */
  #settle(file: Offered, member: IdKey, how: 'done' | 'declined'): RoomEffect[] {
    const key = idKey(file.fileId);
    const isTold = this.#context.residents.get(file.owner)?.connection != null;
    const outcome = this.#deposits?.settle(key, member, how, isTold);
    return outcome === 'drop' ? this.#dropped(key) : [];
  }

  /** It waits no longer. Who takes it already goes on. */
  #dropped(key: IdKey): RoomEffect[] {
    this.#forgetUntold();
    const nowMs = this.#tickedAtMs ?? 0;
    const coming = [...this.#passes.values()].filter(
      ({ disk, file }) => disk !== null && idKey(file.fileId) === key,
    );
    return [{ kind: 'drop', file: key }, ...coming.flatMap((pass) => this.#withoutDisk(pass, nowMs))];
  }

  #offersOf(member: IdKey): number {
    // What waits since an earlier run is bounded by the quota: its owner's program may know nothing of it.
    // What waits at the host has a limit of its own, and may do so for days.
    const counts = ({ owner, isTold, fileId }: Offered): boolean =>
      owner === member && isTold && this.#deposits?.isStored(idKey(fileId)) !== true;
    return [...this.#files.values()].filter(counts).length;
  }

  #forget(key: IdKey): RoomEffect[] {
    this.#files.delete(key);
    const isThere = this.#deposits?.forget(key) === 'drop';
    const dropped: RoomEffect[] = isThere ? [{ kind: 'drop', file: key }] : [];
    const ended = [...this.#passes.values()]
      .filter(({ file }) => idKey(file.fileId) === key)
      .flatMap((pass) => {
        const { uploader } = pass;
        const effects = this.#end(pass, 'unknown', { nowMs: pass.movedAtMs });
        return uploader === null ? effects : [...effects, closed(uploader, 'unwanted')];
      });
    return [...ended, ...dropped];
  }

  #fetch(
    connection: HolderId,
    line: Line,
    { fileId, fromChunk }: ReturnType<typeof Fetch.decode>,
    { nowMs }: Now,
  ): RoomEffect[] {
    const file = this.#files.get(idKey(fileId));
    if (file === undefined || file.owner === line.member) return this.#refuse(connection, 'unknown');
    if (fromChunk >= chunkCount(file.bytes))
      throw new ProtocolError('malformed', 'a chunk that there is not');
    const isStored = this.#deposits?.isStored(idKey(fileId)) === true;
    const isAway = this.#context.residents.get(file.owner)?.connection == null;
    if (isAway && !isStored) return this.#refuse(connection, 'away');
    if (this.#linesOf(line.member, 'fetch') >= this.#context.limits.transfersPerMember)
      return this.#refuse(connection, 'busy');
    const joinable = isStored ? undefined : this.#joinable(file, fromChunk);
    const pass = joinable ?? this.#newPass(file, fromChunk, isStored ? 'disk' : 'owner', nowMs);
    const receiver = {
      ...{ line: connection, member: line.member, pass },
      ...{ takenBytes: 0, movedAtMs: nowMs, behindMs: 0, toldBytes: -1, markAtMs: nowMs, markBytes: 0 },
    };
    pass.receivers.add(receiver);
    this.#lines.set(connection, { ...line, does: 'fetch', receiver });
    if (isStored) return [streams(connection), ...this.#grant(pass, nowMs)];
    if (joinable !== undefined) return [];
    const asked = this.#ask(pass, nowMs);
    return asked.length > 0 ? asked : this.#makeRoom(file.owner, line.member, { nowMs });
  }

  /** Whoever waits for a member is not kept waiting by one who has several of that member's lines: the latest is let go. */
  #makeRoom(owner: IdKey, waiting: IdKey, moment: Now): RoomEffect[] {
    const lines = [...this.#passes.values()].flatMap((pass) => {
      const [receiver, ...others] = pass.receivers;
      const isAlone = receiver !== undefined && others.length === 0 && pass.disk === null;
      return isAlone && pass.file.owner === owner && pass.from === 'owner' && pass.askedAtMs !== null
        ? [receiver]
        : [];
    });
    const latest = lines.findLast(
      ({ member }) => member !== waiting && lines.filter((each) => each.member === member).length > 1,
    );
    if (latest === undefined) return [];
    if (isBare(latest.pass)) return this.#drop(latest, moment);
    this.#lines.delete(latest.line);
    return [closed(latest.line, 'busy'), ...this.#left(latest, 'stopped', moment)];
  }

  #joinable(file: Offered, fromChunk: number): Pass | undefined {
    return [...this.#passes.values()].find(
      (pass) => pass.file === file && pass.fromChunk === fromChunk && hasNotBegun(pass),
    );
  }

  #newPass(file: Offered, fromChunk: number, from: Pass['from'], nowMs: number): Pass {
    this.#lastPass += 1;
    const totalBytes = sealedBytes(file.bytes, fromChunk);
    const pass: Pass = {
      ...{ number: this.#lastPass, file, from, fromChunk, totalBytes, receivers: new Set(), disk: null },
      ...{ askedAtMs: null, uploader: null, sentBytes: 0, grantedBytes: 0, movedAtMs: nowMs },
    };
    this.#passes.set(pass.number, pass);
    return pass;
  }

  /** Asks the owner to open a line, if that one has not got as many as there may be. */
  #ask(pass: Pass, nowMs: number): RoomEffect[] {
    const { owner, fileId } = pass.file;
    const isUnderWay = (other: Pass): boolean =>
      other.file.owner === owner &&
      other.from === 'owner' &&
      other.askedAtMs !== null &&
      other.sentBytes < other.totalBytes;
    const busy = [...this.#passes.values()].filter(isUnderWay).length;
    const connection = this.#context.residents.get(owner)?.connection ?? null;
    if (connection === null || busy >= this.#context.limits.transfersPerMember) return [];
    pass.askedAtMs = nowMs;
    const { number, fromChunk } = pass;
    const body = FileWanted.encode({ fileId, pass: number, fromChunk });
    return [{ kind: 'send', to: connection, frame: encodeFrame(SESSION_FRAME.fileWanted, body) }];
  }

  #askNext(owner: IdKey, nowMs: number): RoomEffect[] {
    const next = [...this.#passes.values()].find(
      (pass) => pass.file.owner === owner && pass.from === 'owner' && pass.askedAtMs === null,
    );
    return next === undefined ? [] : this.#ask(next, nowMs);
  }

  #upload(
    connection: HolderId,
    line: Line,
    { fileId, pass: number }: ReturnType<typeof Upload.decode>,
    { nowMs }: Now,
  ): RoomEffect[] {
    const pass = this.#passes.get(number);
    const fits =
      pass !== undefined &&
      pass.file.owner === line.member &&
      idKey(pass.file.fileId) === idKey(fileId) &&
      pass.askedAtMs !== null &&
      hasNotBegun(pass);
    if (!fits) return this.#refuse(connection, 'unwanted');
    pass.uploader = connection;
    pass.movedAtMs = nowMs;
    this.#lines.set(connection, { ...line, does: 'upload', pass });
    const receivers = [...pass.receivers];
    for (const receiver of receivers) receiver.movedAtMs = nowMs;
    const { disk, totalBytes } = pass;
    if (disk !== null) disk.movedAtMs = nowMs;
    const kept: RoomEffect[] =
      disk === null ? [] : [{ kind: 'deposit', file: idKey(fileId), bytes: totalBytes }];
    return [
      ...receivers.map(({ line: to }) => streams(to)),
      ...kept,
      { kind: 'stream', connection },
      ...this.#grant(pass, nowMs),
    ];
  }

  #refuse(connection: HolderId, reason: LineClose): RoomEffect[] {
    this.#lines.delete(connection);
    return [closed(connection, reason)];
  }

  #linesOf(member: IdKey, does: Line['does']): number {
    return [...this.#lines.values()].filter((line) => line.member === member && line.does === does).length;
  }

  #taken(receiver: Receiver, streamBytes: number, { nowMs }: Now): RoomEffect[] {
    const { pass } = receiver;
    if (streamBytes > pass.sentBytes || streamBytes < receiver.takenBytes)
      throw new ProtocolError('bad-credit', 'more or less of a file than was sent');
    // Told of every byte, a host would do nothing else.
    const isWorth = streamBytes >= receiver.takenBytes + CHUNK_BYTES || streamBytes === pass.sentBytes;
    if (!isWorth || streamBytes === receiver.takenBytes)
      throw new ProtocolError('flood', 'less of a file than is worth a frame');
    receiver.takenBytes = streamBytes;
    receiver.movedAtMs = nowMs;
    return this.#grant(pass, nowMs);
  }

  #received(receiver: Receiver, moment: Now): RoomEffect[] {
    const { pass, line, takenBytes } = receiver;
    if (takenBytes < pass.totalBytes)
      throw new ProtocolError('unexpected-frame', 'RECEIVED before all has been taken');
    this.#lines.delete(line);
    return [...this.#left(receiver, 'done', moment), cut(line)];
  }

  /** How much may be on its way to one receiver. */
  get #windowBytes(): number {
    const { transferWindowBytes, transferBytesTotal, transferShareBytesLeast } = this.#context.limits;
    let receivers = 0;
    for (const pass of this.#passes.values())
      if (isBare(pass)) receivers += pass.receivers.size + (pass.disk === null ? 0 : 1);
    const share = Math.floor(transferBytesTotal / Math.max(1, receivers));
    return Math.max(transferShareBytesLeast, Math.min(transferWindowBytes, share));
  }

  /** Room for a quarter of a window is worth a frame. */
  #grant(pass: Pass, nowMs: number): RoomEffect[] {
    const { uploader, from } = pass;
    if (uploader === null && from === 'owner') return [];
    const window = this.#windowBytes;
    let least = pass.disk?.takenBytes ?? Number.POSITIVE_INFINITY;
    for (const { takenBytes } of pass.receivers) least = Math.min(least, takenBytes);
    const upTo = least + window < pass.totalBytes ? wholeChunks(least + window) : pass.totalBytes;
    const more = upTo - pass.grantedBytes;
    const isLast = upTo === pass.totalBytes;
    if (more <= 0 || (more < window / 4 && !isLast && pass.sentBytes < pass.grantedBytes)) return [];
    // From here on it is the sender's turn.
    if (pass.sentBytes === pass.grantedBytes) pass.movedAtMs = nowMs;
    pass.grantedBytes = upTo;
    if (uploader === null) return this.#read(pass, upTo);
    return [{ kind: 'send', to: uploader, frame: lineFrame('credit', Credit, { upTo }) }];
  }

  /** From the disk, as far as there is room. */
  #read({ file, fromChunk, receivers }: Pass, upTo: number): RoomEffect[] {
    const key = idKey(file.fileId);
    return [...receivers].map(({ line: connection }) => ({
      ...{ kind: 'read', connection, file: key, fromChunk, upTo },
    }));
  }

  /** Whoever keeps others waiting for too long goes on in a pass of its own: its line is cut, and it asks again. */
  #putOut(pass: Pass, sinceMs: number, moment: Now): RoomEffect[] {
    const receivers = [...pass.receivers];
    const all = pass.disk === null ? receivers : [...receivers, pass.disk];
    if (all.length < 2 || pass.uploader === null) return [];
    const window = this.#windowBytes;
    const isBehind = ({ takenBytes }: Disk): boolean => takenBytes + window / 2 <= pass.grantedBytes;
    const isStuck = pass.sentBytes === pass.grantedBytes && all.some((each) => !isBehind(each));
    return receivers.flatMap((receiver) => {
      receiver.behindMs = isStuck && isBehind(receiver) ? receiver.behindMs + sinceMs : 0;
      return receiver.behindMs < this.#context.limits.transferBehindMs ? [] : this.#drop(receiver, moment);
    });
  }

  #drop(receiver: Receiver, moment: Now): RoomEffect[] {
    this.#lines.delete(receiver.line);
    return [cut(receiver.line), ...this.#left(receiver, 'stopped', moment)];
  }

  /** A receiver is no longer in its pass. */
  #left(receiver: Receiver, how: TakerState, { nowMs }: Now): RoomEffect[] {
    const { pass, member } = receiver;
    pass.receivers.delete(receiver);
    const done = how === 'done' ? pass.file.bytes : doneBytes(receiver);
    const effects = this.#tell(pass.file, member, how, done);
    const settled = how === 'done' ? this.#settle(pass.file, member, how) : [];
    const isOver = !this.#passes.has(pass.number);
    if (isOver) return [...effects, ...settled];
    const isWanted = pass.receivers.size > 0 || pass.disk !== null;
    return [...effects, ...settled, ...(isWanted ? this.#grant(pass, nowMs) : this.#unwanted(pass, nowMs))];
  }

  /** Nobody receives it any more. */
  #unwanted(pass: Pass, nowMs: number): RoomEffect[] {
    const { number, uploader, file } = pass;
    this.#passes.delete(number);
    if (uploader === null) return this.#askNext(file.owner, nowMs);
    this.#lines.delete(uploader);
    return [closed(uploader, 'unwanted'), ...this.#askNext(file.owner, nowMs)];
  }

  /** Nothing more comes of this pass: whoever waits for it is told, or finds the stream at its end. */
  #end(pass: Pass, reason: LineClose, { nowMs }: Now): RoomEffect[] {
    this.#passes.delete(pass.number);
    const isCut = isBare(pass);
    if (pass.uploader !== null) this.#lines.delete(pass.uploader);
    return [
      ...this.#endDisk(pass, nowMs),
      ...[...pass.receivers].flatMap((receiver) => {
        this.#lines.delete(receiver.line);
        return [
          isCut ? cut(receiver.line) : closed(receiver.line, reason),
          ...this.#tell(pass.file, receiver.member, 'stopped', doneBytes(receiver)),
        ];
      }),
      ...this.#askNext(pass.file.owner, nowMs),
    ];
  }

  /** What has come of it is of no use: the next pass is sealed anew. */
  #endDisk(pass: Pass, nowMs: number): RoomEffect[] {
    const key = idKey(pass.file.fileId);
    const { disk } = pass;
    pass.disk = null;
    // Withdrawn, it is dropped already.
    if (disk === null || this.#deposits?.has(key) !== true) return [];
    this.#deposits.interrupted(key, nowMs + this.#context.limits.depositRetryMs);
    return [{ kind: 'drop', file: key }];
  }

  #progress(): RoomEffect[] {
    return [...this.#passes.values()].flatMap(({ file, receivers }) =>
      [...receivers].flatMap((receiver) => {
        if (receiver.takenBytes === receiver.toldBytes) return [];
        receiver.toldBytes = receiver.takenBytes;
        return this.#tell(file, receiver.member, 'running', doneBytes(receiver));
      }),
    );
  }

  /** The owner, of how far somebody has it. */
  #tell({ owner, fileId }: Offered, member: IdKey, state: TakerState, done: number): RoomEffect[] {
    const to = this.#context.residents.get(owner)?.connection ?? null;
    const taker = this.#context.residents.get(member);
    if (to === null || taker === undefined) return [];
    const { memberId } = taker.member;
    const body = FileProgress.encode({ fileId, memberId, state, doneBytes: done });
    return [{ kind: 'send', to, frame: encodeFrame(SESSION_FRAME.fileProgress, body) }];
  }
}

/** Others may still join it. */
function hasNotBegun({ from, uploader, sentBytes }: Pass): boolean {
  return from === 'owner' && uploader === null && sentBytes === 0;
}

/** Its receivers have been told that what follows is no frame. */
function isBare({ from, uploader, sentBytes }: Pass): boolean {
  return from === 'disk' || uploader !== null || sentBytes > 0;
}

function doneBytes({ takenBytes, pass }: Receiver): number {
  return plainBytes(takenBytes, pass.fromChunk, pass.file.bytes);
}

function streams(to: HolderId): RoomEffect {
  return { kind: 'send', to, frame: lineFrame('stream', Stream, {}) };
}

function closed(connection: HolderId, reason: LineClose): RoomEffect {
  return { kind: 'close', connection, frame: lineFrame('lineClosed', LineClosed, { reason }) };
}

/** Of a bare stream: nothing can be said on it. */
function cut(connection: HolderId): RoomEffect {
  return { kind: 'close', connection, frame: null };
}

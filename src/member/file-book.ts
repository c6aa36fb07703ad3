/**
 * All files that were offered here, one's own and others': what becomes of each, which of them are under way, and when one
 * that stopped is tried again. It moves no bytes: the shell does what `FileEffect` says, and tells what came of it.
 * @see docs/protocol.md#files
 */
import type { RosterMember } from '../crypto/roster.ts';
import { toBase64url } from '../protocol/bytes.ts';
import { InputError } from '../protocol/errors.ts';
import { KEEP_FOR_MOST, type TakerState } from '../protocol/file-frames.ts';
import type { FileOffer } from '../protocol/file-offer.ts';
import { chunkCount } from '../protocol/file-stream.ts';
import { type ConversationId, type IdKey, idKey, type MemberId } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import {
  type File,
  isOver,
  isSettled,
  type Offered,
  type ReadersOf,
  savedFile,
  viewOf,
} from './file-record.ts';
import {
  type FileNews,
  type FileState,
  type FileView,
  hasDecided,
  isKept,
  isOpen,
  mayCancel,
} from './file-view.ts';
import { Rate } from './rate.ts';
import { OFFERS_KEPT, type SavedState } from './saved-state.ts';

type Now = Pick<Moment, 'nowMs'>;

export type FileEffect =
  /** There is something to show. */
  | { readonly kind: 'view'; readonly view: FileView }
  /** Open a line and take it. */
  | { readonly kind: 'fetch'; readonly id: string; readonly file: Wanted }
  /** Open a line and send one's own. */
  | { readonly kind: 'serve'; readonly id: string; readonly pass: number; readonly fromChunk: number }
  /** Whatever is under way with it ends, and what is there of somebody else's goes. */
  | { readonly kind: 'stop'; readonly id: string; readonly part: Wanted | null }
  | {
      readonly kind: 'tell';
      readonly what: FileNews;
      readonly offer: FileOffer;
      /** Of one's own that is offered: for whom it is to wait at the host. */
      readonly keepFor?: readonly MemberId[];
    }
  /** Take back the message that offers one's own. */
  | { readonly kind: 'unsay'; readonly message: string; readonly conversation: ConversationId };

/** What is to be taken, and where to; `null`: where files usually go. */
export interface Wanted {
  readonly offer: FileOffer;
  readonly name: string;
  readonly place: string | null;
}

/** What is said where somebody else decides. */
export type Interruption = 'away' | 'busy' | 'unknown' | 'lost';

const INTERRUPTED: Readonly<Record<Interruption, string>> = {
  away: 'Whoever offers it is not here just now. It goes on when they are back.',
  busy: 'Too much is under way at the host. It goes on in a moment.',
  unknown: 'Nobody serves it just now. It goes on if they offer it again; /cancel gives it up.',
  lost: 'The line was lost. It goes on in a moment.',
};

const NOT_OFFERED = 'Whoever sent it is here, and no longer offers it: ask for it to be sent again.';
/** By then the host, if it began anew, has been told again what a member serves, and members of what was taken back. */
const TOLD_AGAIN_MS = LIMITS.transferAnswerMs;

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;
/** A line that breaks and is back within seconds. */
const SHORT_ATTEMPTS = 2;
const VIEW_MS = 1_000;
/** What a person may still say yes to. */
const OPEN: ReadonlySet<FileState> = new Set(['offered', 'failed', 'declined', 'cancelled']);
/** Of those that are taken at a time, so many are of one sender: a slow one keeps nobody else waiting. */
const SAME_SENDER_MOST = LIMITS.transfersPerMember - 1;
const UNDER_WAY: ReadonlySet<FileState> = new Set(['running', 'checking']);

/** Of one's own that gets its place. */
export interface Audience {
  /** Who may read it there and is away, where it is to wait for them. */
  readonly absent: () => readonly MemberId[];
  readonly readers: () => ReturnType<ReadersOf>;
}

const NOBODY: Audience = { absent: () => [], readers: () => [] };

export class FileBook {
  readonly #files = new Map<string, File>();
  #lastNumber = 0;
  /** By offer, what the host is still to be told of it. */
  readonly #untold = new Map<string, { readonly what: FileNews; readonly offer: FileOffer }>();
  #viewedAtMs = 0;
  #revision = 0;

  /** @param saved by an earlier run @param member as the room lists them; those who are gone serve nothing */
  constructor(
    saved: SavedState['files'] = [],
    member: (id: MemberId) => RosterMember | undefined = () => undefined,
    self: IdKey = '',
  ) {
    for (const each of saved) {
      const { offer, memberId, message: said, place, accepted, keepFor, settled, readers, ...more } = each;
      const from = member(memberId);
      if (from === undefined) continue;
      const isOwn = from.key === self;
      const [message = null] = said;
      const file = this.#add(
        // What was saved is overwritten.
        { ...more, from, offer: { ...offer, key: offer.key.slice() } },
        { id: toBase64url(offer.fileId), isOwn, message, place: place[0] ?? null },
      );
      if (accepted) file.state = 'waiting';
      file.keepFor = keepFor;
      file.readers = readers[0]?.map(idKey) ?? null;
      for (const { memberId, state } of settled) {
        const taker = member(memberId);
        const doneBytes = state === 'done' ? offer.bytes : 0;
        if (taker !== undefined) file.takers.set(taker.key, { member: taker, state, doneBytes });
      }
    }
  }

  /** What a later run goes on with. */
  save(): SavedState['files'] {
    return [...this.#files.values()].filter(({ state }) => isOpen(state)).map(savedFile);
  }

  /** Changes whenever there is something new to save. */
  get revision(): number {
    return this.#revision;
  }

  get views(): readonly FileView[] {
    return [...this.#files.values()].map(viewOf);
  }

  /** It is to wait at the host for those. */
  #awaits(file: File, absent: readonly MemberId[]): FileEffect[] {
    if (!isOpen(file.state) || absent.length === 0) return [];
    file.keepFor = absent.slice(0, KEEP_FOR_MOST);
    return [{ kind: 'tell', what: 'offer', offer: file.offer, keepFor: file.keepFor }];
  }

  /** Those whose offer stands, or of which something is under way. */
  get open(): readonly FileView[] {
    return this.views.filter(({ state }) => isOpen(state));
  }

  /**
   * An offer stands in the log.
   * @param audience of one's own
   */
  offered(offered: Offered, message: string, { absent, readers }: Audience = NOBODY): FileEffect[] {
    const { conversation } = offered;
    const id = toBase64url(offered.offer.fileId);
    const known = this.#files.get(id);
    if (known !== undefined) {
      // A message that names the same file is nothing: it is somebody else's, or says something else of it.
      if (!known.isOwn || known.message !== null || known.from.key !== offered.from.key) return [];
      this.#revision += 1;
      Object.assign(known, { message, conversation, readers: readers() });
      return [...this.#awaits(known, absent()), view(known)];
    }
    if (!this.#makeRoom()) return [];
    return [view(this.#add(offered, { id, isOwn: false, message, place: null }))];
  }

  /** Where one more is offered than may be, the oldest ends of which nobody is waited for. To be called once the new one stands. */
  letGo(readersOf: ReadersOf): FileEffect[] {
    const tooMany = Math.max(0, this.#offers.length - LIMITS.offersPerMember);
    const oldest = this.#offers.filter((file) => isOver(file, readersOf)).slice(0, tooMany);
    return oldest.flatMap((file) => {
      const there = new Set(readersOf(file.conversation));
      return this.#finish(file, ({ key }) => there.has(key));
    });
  }

  /** One's own that somebody may still take: the others give their place to new ones. */
  countStanding(readersOf: ReadersOf): number {
    return this.#offers.filter((file) => !isOver(file, readersOf)).length;
  }

  /** One's own that stand. */
  get #offers(): readonly File[] {
    return [...this.#files.values()].filter(({ isOwn, state }) => isOwn && isOpen(state));
  }

  /**
   * One's own is about to be offered.
   * @param place where it lies
   * @throws InputError `too-many`, where none can be let go for it
   */
  serve(offered: Offered, place: string, readersOf: ReadersOf = () => null): FileEffect[] {
    const count = this.countStanding(readersOf);
    if (count >= LIMITS.offersPerMember)
      throw new InputError(
        'too-many',
        `You offer ${count} files that somebody may still take, as many as there can be. /cancel NUMBER takes one back; /files lists them.`,
      );
    if (!this.#makeRoom())
      throw new InputError(
        'too-many',
        'Too many files are under way. /cancel takes back what you do not need.',
      );
    const { offer } = offered;
    const file = this.#add(offered, { id: toBase64url(offer.fileId), isOwn: true, message: null, place });
    return [view(file), { kind: 'tell', what: 'offer', offer }];
  }

  #add(
    { offer, name, from, conversation, atMs }: Offered,
    more: Pick<File, 'id' | 'isOwn' | 'message' | 'place'>,
  ): File {
    this.#lastNumber += 1;
    this.#revision += 1;
    const file: File = {
      ...{ number: this.#lastNumber, offer, name, from, conversation, atMs },
      ...more,
      ...{
        state: 'offered',
        doneBytes: 0,
        path: null,
        problem: null,
        toldProblem: null,
        attempts: 0,
        retryAtMs: 0,
        unknownSinceMs: null,
      },
      ...{
        rate: new Rate(),
        takers: new Map(),
        keepFor: [],
        readers: null,
        isLeftThere: false,
        isNews: false,
      },
    };
    this.#files.set(more.id, file);
    return file;
  }

  /** @returns false where all that is remembered is open, and so much that no more is */
  #makeRoom(): boolean {
    if (this.#files.size < OFFERS_KEPT) return true;
    const files = [...this.#files.values()];
    const oldest =
      files.find(({ state }) => !isOpen(state)) ??
      files.find(({ isOwn, state }) => !isOwn && state === 'offered');
    return oldest !== undefined && this.#files.delete(oldest.id);
  }

  /**
   * @param numbers `null`: the latest that may be accepted
   * @throws InputError when there is nothing of the kind to accept, or it is larger than that
   */
  accept(
    numbers: readonly number[] | 'all' | null,
    { maxBytes, folder }: { readonly maxBytes: number; readonly folder: string | null },
  ): FileEffect[] {
    // What is there already may have gone from the disk since; without a number nobody means it.
    const isNamed = Array.isArray(numbers);
    const mayTake = ({ isOwn, state }: File): boolean =>
      !isOwn && (OPEN.has(state) || (isNamed && state === 'done'));
    const files = this.#chosen(numbers, mayTake, 'accept');
    const large = files.find(({ offer }) => offer.bytes > maxBytes);
    if (large !== undefined)
      throw new InputError(
        'too-large',
        `File ${large.number} is larger than you take. Start with a larger --max-file to take it.`,
      );
    for (const file of files) file.place = folder;
    return this.#accept(files);
  }

  /** Without asking anyone: what this message offers, if that is to be taken so. */
  acceptUnasked(message: string, fits: (from: RosterMember, offer: FileOffer) => boolean): FileEffect[] {
    const file = [...this.#files.values()].find((each) => each.message === message);
    const isNew = file?.isOwn === false && file.state === 'offered';
    return isNew && fits(file.from, file.offer) ? this.#accept([file]) : [];
  }

  #accept(files: readonly File[]): FileEffect[] {
    for (const file of files)
      Object.assign(file, {
        ...{ state: 'queued', problem: null, attempts: 0, retryAtMs: 0, unknownSinceMs: null, path: null },
      });
    this.#revision += 1;
    const effects = this.#pump();
    return [...files.filter(({ state }) => state === 'queued').map(view), ...effects];
  }

  /** @throws InputError when there is nothing of the kind to decline */
  decline(numbers: readonly number[] | 'all' | null): FileEffect[] {
    const files = this.#chosen(numbers, ({ isOwn, state }) => !isOwn && state === 'offered', 'decline');
    return files.flatMap((file): FileEffect[] => {
      file.state = 'declined';
      this.#revision += 1;
      return [view(file), { kind: 'tell', what: 'decline', offer: file.offer }];
    });
  }

  /** Ends what is under way, or takes one's own offer back. @throws InputError when there is nothing of the kind */
  cancel(numbers: readonly number[] | 'all' | null): FileEffect[] {
    const files = this.#chosen(numbers, mayCancel, 'cancel');
    const effects = files.flatMap((file): FileEffect[] => {
      const { message, conversation } = file;
      const unsaid: FileEffect[] =
        file.isOwn && message !== null ? [{ kind: 'unsay', message, conversation }] : [];
      return [...this.#ended(file, 'cancelled'), ...unsaid];
    });
    return [...effects, ...this.#pump()];
  }

  /**
   * Whoever one's own was for has it: the message stays, and nobody takes it from here any more. What the host keeps for
   * someone stays there.
   */
  finish(id: string): FileEffect[] {
    const file = this.#files.get(id);
    return file?.isOwn === true && isOpen(file.state) ? this.#finish(file, () => true) : [];
  }

  /** @param isReader whoever is not is not waited for at the host either */
  #finish(file: File, isReader: (member: RosterMember) => boolean): FileEffect[] {
    file.isLeftThere = [...file.takers.values()].some(
      (taker) => isKept(taker.state) && isReader(taker.member),
    );
    const told: FileEffect[] = file.isLeftThere
      ? []
      : [{ kind: 'tell', what: 'withdraw', offer: file.offer }];
    file.rate.clear();
    return [stop(file), ...told, ...this.#becomes(file.id, 'done')];
  }

  /** It ended here while the host kept it for somebody; nobody is left there, so it is withdrawn there too. */
  #overThere(file: File): FileEffect[] {
    const isAwaited = [...file.takers.values()].some(({ state }) => isKept(state) || state === 'running');
    if (!file.isLeftThere || isAwaited) return [];
    file.isLeftThere = false;
    return [{ kind: 'tell', what: 'withdraw', offer: file.offer }];
  }

  /** One's own, and where it lies. */
  own(id: string): { readonly offer: FileOffer; readonly place: string } | null {
    const file = this.#files.get(id);
    return file?.isOwn === true && file.place !== null ? { offer: file.offer, place: file.place } : null;
  }

  /** It could not be said. */
  forget(id: string): void {
    this.#files.delete(id);
  }

  #chosen(
    numbers: readonly number[] | 'all' | null,
    fits: (file: File) => boolean,
    what: string,
  ): readonly File[] {
    const fitting = [...this.#files.values()].filter(fits);
    if (numbers === 'all' || numbers === null) {
      const chosen = numbers === null ? fitting.slice(-1) : fitting;
      if (chosen.length === 0)
        throw new InputError('no-such-file', `There is no file to ${what}. /files lists them.`);
      return chosen;
    }
    return numbers.map((number) => {
      const file = fitting.find((each) => each.number === number);
      if (file !== undefined) return file;
      const known = [...this.#files.values()].find((each) => each.number === number);
      const why = known === undefined ? `There is no file ${number}` : `File ${number} is ${known.state}`;
      throw new InputError('no-such-file', `${why}: nothing to ${what}. /files lists them.`);
    });
  }

  /** What is taken begins to come. @param path where it is going to lie */
  begun(id: string, path: string, doneBytes: number, { nowMs }: Now): void {
    const file = this.#files.get(id);
    if (file === undefined) return;
    Object.assign(file, { path, doneBytes, isNews: true });
    file.rate.clear();
    file.rate.at(doneBytes, nowMs);
  }

  progressed(id: string, doneBytes: number, { nowMs }: Now): void {
    const file = this.#files.get(id);
    if (file === undefined || !UNDER_WAY.has(file.state)) return;
    if (doneBytes > file.doneBytes) Object.assign(file, { attempts: 0, toldProblem: null });
    Object.assign(file, { doneBytes, isNews: true });
    file.rate.at(doneBytes, nowMs);
  }

  checking(id: string): FileEffect[] {
    return this.#becomes(id, 'checking');
  }

  /** It lies there under its name: also where it was cancelled a moment too late. */
  received(id: string, path: string): FileEffect[] {
    const file = this.#files.get(id);
    if (file === undefined) return [];
    Object.assign(file, { doneBytes: file.offer.bytes, state: 'done', problem: null, path });
    this.#revision += 1;
    return [view(file), ...this.#pump()];
  }

  failed(id: string, problem: string): FileEffect[] {
    return [...this.#becomes(id, 'failed', { problem }), ...this.#pump()];
  }

  /**
   * It stopped for a reason that passes, and is tried again; but for what its sender, who is here, no longer offers.
   * @param isHere as the session knows it, which has to be live for that
   */
  interrupted(
    id: string,
    why: Interruption,
    { nowMs, isHere }: Now & { readonly isHere: (member: RosterMember) => boolean },
  ): FileEffect[] {
    const file = this.#files.get(id);
    if (file === undefined || !isOpen(file.state)) return this.#pump();
    file.unknownSinceMs = why === 'unknown' && isHere(file.from) ? (file.unknownSinceMs ?? nowMs) : null;
    if (file.unknownSinceMs !== null && nowMs - file.unknownSinceMs >= TOLD_AGAIN_MS)
      return this.failed(id, NOT_OFFERED);
    const waitMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** file.attempts);
    file.attempts += 1;
    file.retryAtMs = nowMs + waitMs;
    file.rate.clear();
    const problem = INTERRUPTED[why];
    // A short break is nothing to tell anyone about.
    const isLong = file.attempts > SHORT_ATTEMPTS || why === 'away' || why === 'unknown';
    const isNew = isLong && file.toldProblem !== problem;
    Object.assign(file, { state: 'waiting', problem });
    if (isNew) file.toldProblem = problem;
    return [...(isNew ? [view(file)] : []), ...this.#pump()];
  }

  #becomes(id: string, state: FileState, more: Partial<Pick<File, 'path' | 'problem'>> = {}): FileEffect[] {
    const file = this.#files.get(id);
    if (file === undefined || !isOpen(file.state)) return [];
    Object.assign(file, { state, problem: null, ...more });
    this.#revision += 1;
    return [view(file)];
  }

  /** Somebody wants one's own. */
  wanted(id: string, pass: number, fromChunk: number): FileEffect[] {
    const file = this.#files.get(id);
    if (file?.isOwn !== true || !isOpen(file.state) || fromChunk >= chunkCount(file.offer.bytes)) return [];
    return [{ kind: 'serve', id, pass, fromChunk }];
  }

  /** How far somebody has one's own, as the host says. */
  taken(
    id: string,
    member: RosterMember,
    state: TakerState,
    doneBytes: number,
    { nowMs }: Now,
  ): FileEffect[] {
    const file = this.#files.get(id);
    if (file?.isOwn !== true) return [];
    const before = file.takers.get(member.key);
    // Whoever has it has it, whatever becomes of another line of theirs.
    if (before?.state === 'done') return [];
    // They are here and take it already: that there is no room for it to wait says nothing of that.
    if (before?.state === 'running' && state === 'unkept') return [];
    if (file.isLeftThere && before?.state === 'running' && state === 'stopped') {
      // Their line ended. It waits at the host, which says so once more where it does not.
      file.takers.set(member.key, { member, state: 'kept', doneBytes: 0 });
      return [];
    }
    file.takers.set(member.key, { member, state, doneBytes: Math.min(doneBytes, file.offer.bytes) });
    file.isNews = true;
    if (hasDecided({ state })) this.#notAwaited(file, member);
    if (before?.state !== state && (isSettled(state) || isSettled(before?.state))) this.#revision += 1;
    if (this.#follow(file)) file.rate.at(file.doneBytes, nowMs);
    return before?.state === state ? [] : [...this.#overThere(file), view(file)];
  }

  /** It is as far as the slowest of those who take it. @returns whether anyone does */
  #follow(file: File): boolean {
    const running = [...file.takers.values()].filter(({ state }) => state === 'running');
    const isTaken = running.length > 0;
    if (isOpen(file.state)) file.state = isTaken ? 'running' : 'offered';
    file.doneBytes = isTaken ? Math.min(...running.map(({ doneBytes }) => doneBytes)) : 0;
    if (!isTaken) file.rate.clear();
    return isTaken;
  }

  /** It waits for them by now, or need not. Told of again it would go up again once it is gone from there. */
  #notAwaited(file: File, { key }: RosterMember): void {
    const left = file.keepFor.filter((memberId) => idKey(memberId) !== key);
    if (left.length === file.keepFor.length) return;
    file.keepFor = left;
    this.#revision += 1;
  }

  /** One's own cannot be served any longer. */
  spoiled(id: string, problem: string): FileEffect[] {
    const file = this.#files.get(id);
    if (file?.isOwn !== true || !isOpen(file.state)) return [];
    const { message, conversation, offer } = file;
    const unsaid: FileEffect[] = message === null ? [] : [{ kind: 'unsay', message, conversation }];
    return [
      { kind: 'tell', what: 'withdraw', offer },
      ...unsaid,
      ...this.#becomes(id, 'failed', { problem }),
    ];
  }

  /** A message is taken back. Nobody takes back what somebody else has offered, or in another conversation. */
  messageDeleted(message: string, by: RosterMember, conversation: ConversationId): FileEffect[] {
    const file = [...this.#files.values()].find((each) => each.message === message);
    // The host hears of it first, and may have said so already.
    const isNotOffered = file?.state === 'failed' && file.problem === NOT_OFFERED;
    if (file === undefined || (!isOpen(file.state) && !isNotOffered)) return [];
    if (file.from.key !== by.key || idKey(file.conversation) !== idKey(conversation)) return [];
    return [...this.#ended(file, file.isOwn ? 'cancelled' : 'withdrawn'), ...this.#pump()];
  }

  /** What was offered before then is to be remembered no more, but for what is under way. */
  expire(beforeMs: number): FileEffect[] {
    const isIdle = ({ isOwn, state }: File): boolean =>
      isOwn ? state !== 'running' : !isOpen(state) || state === 'offered';
    const gone = [...this.#files.values()].filter((file) => file.atMs < beforeMs && isIdle(file));
    this.#revision += gone.length;
    return gone.flatMap((file): FileEffect[] => {
      this.#files.delete(file.id);
      const { isOwn, state, offer } = file;
      return isOwn && isOpen(state) ? [stop(file), { kind: 'tell', what: 'withdraw', offer }] : [];
    });
  }

  /** Somebody is no longer in the room: nobody serves what they have offered, and nothing waits for them. */
  memberGone(member: RosterMember): FileEffect[] {
    const files = [...this.#files.values()];
    const theirs = files.filter(
      ({ from, isOwn, state }) => !isOwn && from.key === member.key && isOpen(state),
    );
    const taken = files.filter(({ isOwn, takers }) => isOwn && takers.delete(member.key));
    const left = taken.flatMap((file): FileEffect[] => {
      this.#follow(file);
      return [...this.#overThere(file), view(file)];
    });
    return [...theirs.flatMap((file) => this.#ended(file, 'withdrawn')), ...left, ...this.#pump()];
  }

  #ended(file: File, state: 'cancelled' | 'withdrawn'): FileEffect[] {
    const { offer, isOwn } = file;
    Object.assign(file, { state, problem: null });
    file.rate.clear();
    this.#revision += 1;
    const told: FileEffect[] = isOwn ? [{ kind: 'tell', what: 'withdraw', offer }] : [];
    return [stop(file), ...told, view(file)];
  }

  /** The host could not be told just now. */
  untold(what: FileNews, offer: FileOffer): void {
    // What is served is told on every line.
    if (what !== 'offer' && this.#untold.size < OFFERS_KEPT)
      this.#untold.set(toBase64url(offer.fileId), { what, offer });
  }

  /** There is a line to the host again: it is told what is served here and what is not, and what waits is tried. */
  live(): FileEffect[] {
    const late = [...this.#untold.values()].map((news): FileEffect => ({ kind: 'tell', ...news }));
    this.#untold.clear();
    this.#retry(() => true);
    const told = this.#offers.map(
      ({ offer, keepFor }): FileEffect => ({ kind: 'tell', what: 'offer', offer, keepFor }),
    );
    return [...late, ...told, ...this.#pump()];
  }

  /** Somebody is back who was offline. */
  present(member: RosterMember): FileEffect[] {
    this.#retry(({ from }) => from.key === member.key);
    return this.#pump();
  }

  #retry(fits: (file: File) => boolean): void {
    for (const file of this.#files.values()) {
      if (!fits(file)) continue;
      // What is heard from now on counts: the host may have begun anew, or their program.
      file.unknownSinceMs = null;
      if (file.state === 'waiting') Object.assign(file, { state: 'queued', attempts: 0 });
    }
  }

  /** Time passes: to be called a few times a second. */
  tick({ nowMs }: Now): FileEffect[] {
    for (const file of this.#files.values())
      if (file.state === 'waiting' && nowMs >= file.retryAtMs) file.state = 'queued';
    const effects = this.#pump();
    if (nowMs - this.#viewedAtMs < VIEW_MS) return effects;
    this.#viewedAtMs = nowMs;
    for (const file of this.#files.values())
      if (file.isNews && UNDER_WAY.has(file.state)) {
        file.isNews = false;
        effects.push(view(file));
      }
    return effects;
  }

  /** As many at a time as a member may take. */
  #pump(): FileEffect[] {
    const files = [...this.#files.values()].filter(({ isOwn }) => !isOwn);
    const running = files.filter(({ state }) => UNDER_WAY.has(state));
    const effects: FileEffect[] = [];
    for (const file of files) {
      if (running.length >= LIMITS.transfersPerMember) break;
      const same = running.filter(({ from }) => from.key === file.from.key).length;
      if (file.state !== 'queued' || same >= SAME_SENDER_MOST) continue;
      running.push(file);
      file.state = 'running';
      // What goes on after a break is nothing new.
      if (file.path === null) effects.push(view(file));
      effects.push({ kind: 'fetch', id: file.id, file });
    }
    return effects;
  }
}

function stop({ id, offer, name, place, isOwn }: File): FileEffect {
  return { kind: 'stop', id, part: isOwn ? null : { offer, name, place } };
}

function view(file: File): FileEffect {
  return { kind: 'view', view: viewOf(file) };
}

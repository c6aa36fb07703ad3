/**
 * Files as one member sends and takes them: what `member/file-book.ts` decides is done here, on lines of their own and on
 * the disk.
 */
import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { RosterMember } from '../../crypto/roster.ts';
import type { SessionEvent } from '../../member/events.ts';
import type { Audience, FileBook, FileEffect, Interruption, Wanted } from '../../member/file-book.ts';
import type { FileView } from '../../member/file-view.ts';
import { bytesEqual, toBase64url } from '../../protocol/bytes.ts';
import { cleanText } from '../../protocol/clean-text.ts';
import type { Content } from '../../protocol/content.ts';
import { InputError, ProtocolError } from '../../protocol/errors.ts';
import { FILE_ID_BYTES, FILE_KEY_BYTES, FileOffer } from '../../protocol/file-offer.ts';
import { CHUNK_BYTES } from '../../protocol/file-stream.ts';
import {
  type ConversationId,
  type IdKey,
  ROOM_CONVERSATION,
  type RoomId,
} from '../../protocol/identifiers.ts';
import { LIMITS } from '../../protocol/limits.ts';
import type { Membership } from '../membership.ts';
import { systemMoment } from '../moment.ts';
import type { AutoAccept, FileOptions } from '../options.ts';
import { Download } from './download.ts';
import { shownName } from './file-sentences.ts';
import { LineEndedError } from './line.ts';
import { serveFile } from './serve-file.ts';
import { openSource, type Source } from './source.ts';
import { removePart, removeStale, staleParts } from './stale-parts.ts';
import { takeFile } from './take-file.ts';

export interface FileDeskOptions {
  readonly roomId: RoomId;
  readonly settings: FileOptions;
  readonly membership: Pick<Membership, 'openLine' | 'tellOfFile' | 'session' | 'keep'>;
  /** Of the session, which keeps it. */
  readonly book: FileBook;
  /** There is something to show. */
  readonly onView: (view: FileView) => void;
  /** A few times a second while something is under way, and once when nothing is any more. */
  readonly onMoved: (views: readonly FileView[]) => void;
  /** One's own offer is taken back: so is the message. */
  readonly onUnsay: (message: string, conversation: ConversationId) => void;
  /** Something a person should know of what is sent. */
  readonly onNote: (text: string) => void;
  readonly onProblem: (error: unknown) => void;
}

const TICK_MS = 250;
const SECOND_MS = 1_000;

export class FileDesk {
  readonly #options: FileDeskOptions;
  readonly #readersOf = (conversation: ConversationId): readonly IdKey[] | null =>
    this.#options.membership.session?.readersOf(conversation) ?? null;
  readonly #sources = new Map<string, Promise<Source>>();
  /** By offer: what ends whatever is under way with it. */
  readonly #stops = new Map<string, Set<AbortController>>();
  readonly #timer: NodeJS.Timeout;
  /** What is under way, and of what is taken the latest of each file. */
  readonly #running = new Set<Promise<void>>();
  readonly #fetching = new Map<string, Promise<void>>();
  readonly #over = new AbortController();
  #closed = false;
  /** The latest that was told of a file that cannot be read just now. */
  #note: string | null = null;
  #serving = 0;
  #moved = false;

  constructor(options: FileDeskOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** What an earlier run has left in the folder for what is taken, and nobody goes on with. */
  async cleanUp(): Promise<void> {
    const { onProblem } = this.#options;
    try {
      const folder = this.#folder(null);
      for (const stale of await staleParts(folder, LIMITS.partialFilesMs)) await removeStale(stale);
    } catch (error) {
      onProblem(error);
    }
  }

  #tick(): void {
    const { book, membership, onMoved } = this.#options;
    const moment = systemMoment();
    // Where messages disappear, so do offers.
    const { staySeconds = 0 } = membership.session?.settings ?? {};
    if (staySeconds > 0) this.#perform(book.expire(moment.nowMs - staySeconds * SECOND_MS));
    this.#perform(book.tick(moment));
    const { views } = book;
    const moves = views.some(({ state }) => state === 'running' || state === 'checking');
    if (moves || this.#moved) onMoved(views);
    this.#moved = moves;
  }

  get views(): readonly FileView[] {
    return this.#options.book.views;
  }

  /** What the session tells that is about files. To be called before it is shown. */
  follow(event: SessionEvent): void {
    switch (event.kind) {
      case 'message':
        return this.#offered(event);
      case 'deleted':
        return this.#perform(
          this.#options.book.messageDeleted(event.about.id, event.from, event.conversation),
        );
      case 'file-wanted':
        return this.#perform(
          this.#options.book.wanted(toBase64url(event.fileId), event.pass, event.fromChunk),
        );
      case 'file-progress': {
        const { fileId, member, state, doneBytes } = event;
        return this.#perform(
          this.#options.book.taken(toBase64url(fileId), member, state, doneBytes, systemMoment()),
        );
      }
      case 'live':
        return this.#perform(this.#options.book.live());
      case 'roster':
        for (const { member } of event.change.removed) this.#perform(this.#options.book.memberGone(member));
        return;
      case 'presence':
        if (event.before === 'offline') this.#perform(this.#options.book.present(event.member));
        return;
    }
  }

  /**
   * Reads what is to be sent, to know what it is, and offers it.
   * @param say sends the offer where it is to go
   * @throws InputError for what cannot be sent, or cannot be said there
   */
  async send(path: string, self: RosterMember, say: (content: Content) => void): Promise<void> {
    const { maxBytes } = this.#options.settings;
    // A later run may begin in another folder.
    const place = resolve(path);
    const source = await openSource(path, { maxBytes, signal: this.#over.signal });
    const { name, bytes, manifestBytes, files, hash, leftOut } = source;
    if (leftOut > 0) this.#options.onNote(leftOutText(name, leftOut));
    const fileId = new Uint8Array(randomBytes(FILE_ID_BYTES));
    const key = new Uint8Array(randomBytes(FILE_KEY_BYTES));
    const offer: FileOffer = { fileId, key, hash, bytes, manifestBytes, files };
    const id = toBase64url(fileId);
    let effects: readonly FileEffect[];
    try {
      effects = this.#options.book.serve(
        { offer, name, from: self, conversation: ROOM_CONVERSATION, atMs: Date.now() },
        place,
        this.#readersOf,
      );
      this.#sources.set(id, Promise.resolve(source));
      // Whoever is told of it can ask for it from then on, whatever becomes of this program.
      await this.#options.membership.keep();
      say({ kind: 'file', reference: FileOffer.encode(offer), text: name });
    } catch (error) {
      this.#options.book.forget(id);
      // A line that began meanwhile has told of it.
      this.#perform([{ kind: 'tell', what: 'withdraw', offer }]);
      this.#sources.delete(id);
      await source.close();
      throw error;
    }
    // Only now is there one more. The host reads of both right behind the message, before anyone can ask.
    this.#perform(this.#options.book.letGo(this.#readersOf));
    this.#perform(effects);
  }

  /** @throws InputError when there is nothing of the kind, or it is larger than may be taken */
  accept(numbers: readonly number[] | 'all' | null, folder: string | null): void {
    const { maxBytes } = this.#options.settings;
    const place = folder === null ? null : resolve(folder);
    this.#perform(this.#options.book.accept(numbers, { maxBytes, folder: place }));
  }

  /** @throws InputError when there is nothing of the kind */
  decline(numbers: readonly number[] | 'all' | null): void {
    this.#perform(this.#options.book.decline(numbers));
  }

  /** @throws InputError when there is nothing of the kind */
  cancel(numbers: readonly number[] | 'all' | null): void {
    this.#perform(this.#options.book.cancel(numbers));
  }

  /** Whoever one's own was for has it: nobody else takes it any more. */
  finish(id: string): void {
    this.#perform(this.#options.book.finish(id));
  }

  /**
   * Nothing is sent or taken any more. What is there of a file that was under way stays, to be gone on with.
   * @returns once the disk has it
   */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#over.abort(new LineEndedError('lost'));
    for (const stops of this.#stops.values())
      for (const stop of stops) stop.abort(new LineEndedError('lost'));
    await Promise.allSettled(this.#running);
    await Promise.allSettled([...this.#sources.values()].map(async (source) => (await source).close()));
  }

  #offered(event: Extract<SessionEvent, { readonly kind: 'message' }>): void {
    const { file: offer, text: name, from, conversation, id, own, atMs } = event;
    if (offer === undefined) return;
    const { book, membership, settings } = this.#options;
    const audience: Audience = {
      absent: () => membership.session?.absentFrom(conversation) ?? [],
      readers: () => this.#readersOf(conversation),
    };
    this.#perform(book.offered({ offer, name, from, conversation, atMs }, id, audience));
    if (own) return;
    const isUnasked = (member: RosterMember, { bytes }: FileOffer): boolean =>
      bytes <= settings.maxBytes &&
      settings.autoAccept.some((rule) => isFrom(rule, member) && bytes <= rule.maxBytes);
    this.#perform(book.acceptUnasked(id, isUnasked));
  }

  #perform(effects: readonly FileEffect[]): void {
    if (this.#closed) return;
    for (const effect of effects) {
      switch (effect.kind) {
        case 'view':
          this.#options.onView(effect.view);
          break;
        case 'tell': {
          const { what, offer, keepFor } = effect;
          const { membership, book } = this.#options;
          if (!membership.tellOfFile(what, offer.fileId, offer.bytes, keepFor)) book.untold(what, offer);
          break;
        }
        case 'unsay':
          this.#options.onUnsay(effect.message, effect.conversation);
          break;
        case 'fetch':
          this.#run(effect.id, (stop) => this.#fetch(effect, stop));
          break;
        case 'serve':
          // An honest host asks for no more at a time.
          if (this.#serving < LIMITS.transfersPerMember)
            this.#run(effect.id, (stop) => this.#serve(effect, stop));
          break;
        case 'stop':
          this.#stop(effect.id, effect.part);
          break;
      }
    }
  }

  #run(id: string, step: (stop: AbortController) => Promise<void>): void {
    const running = this.#guard(id, step).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #guard(id: string, step: (stop: AbortController) => Promise<void>): Promise<void> {
    const stop = new AbortController();
    const stops = this.#stops.get(id) ?? new Set();
    this.#stops.set(id, stops.add(stop));
    try {
      await step(stop);
    } catch (error) {
      this.#options.onProblem(error);
    } finally {
      stops.delete(stop);
      if (stops.size === 0) {
        this.#stops.delete(id);
        // It is opened again for whoever asks next.
        void this.#sources.get(id)?.then(
          (source) => source.close(),
          () => {},
        );
      }
    }
  }

  #stop(id: string, part: Wanted | null): void {
    const stops = this.#stops.get(id);
    for (const stop of stops ?? []) stop.abort(new CancelledError());
    // What is under way takes away its own.
    if (part !== null && stops === undefined) void this.#removePart(part).catch(this.#options.onProblem);
    const source = this.#sources.get(id);
    this.#sources.delete(id);
    void source?.then(
      (each) => each.close(),
      () => {},
    );
  }

  #folder(place: string | null): string {
    return place ?? this.#options.settings.downloads ?? usualFolder();
  }

  #removePart({ offer, name, place }: Wanted): Promise<void> {
    return removePart({ folder: this.#folder(place), name, hash: offer.hash });
  }

  async #serve(
    { id, pass, fromChunk }: FileEffect & { readonly kind: 'serve' },
    { signal }: AbortController,
  ): Promise<void> {
    const own = this.#options.book.own(id);
    if (own === null) return;
    const { offer } = own;
    this.#serving += 1;
    const { roomId, membership } = this.#options;
    const openLine = (): ReturnType<Membership['openLine']> => membership.openLine(signal);
    const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
    try {
      const source = await this.#source(id, own, signal);
      await serveFile({ roomId, offer, source, pass, fromChunk, openLine, randomBytes: random, signal });
    } catch (error) {
      // Whoever still wants it asks again.
      if (isPassing(error)) return;
      if (!(error instanceof InputError)) throw error;
      if (SPOILED.has(error.code)) this.#perform(this.#options.book.spoiled(id, error.message));
      else if (this.#note !== error.message) this.#options.onNote(error.message);
      this.#note = error.message;
    } finally {
      this.#serving -= 1;
    }
  }

  /** As it was offered: one that an earlier run has offered is read through again first, once. */
  #source(id: string, own: NonNullable<ReturnType<FileBook['own']>>, signal: AbortSignal): Promise<Source> {
    const known = this.#sources.get(id);
    if (known !== undefined) return known;
    const opening = reopened(own, signal);
    this.#sources.set(id, opening);
    opening.catch(() => {
      if (this.#sources.get(id) === opening) this.#sources.delete(id);
    });
    return opening;
  }

  async #fetch(
    { id, file: { offer, name, place } }: FileEffect & { readonly kind: 'fetch' },
    { signal }: AbortController,
  ): Promise<void> {
    const { roomId, membership, book } = this.#options;
    const openLine = (): ReturnType<Membership['openLine']> => membership.openLine(signal);
    // Cancelled and accepted again, or the same under another offer: the earlier run lets go of it first.
    const part = `${name} ${toBase64url(offer.hash)}`;
    const before = this.#fetching.get(part);
    const done = Promise.withResolvers<void>();
    this.#fetching.set(part, done.promise);
    await before;
    let download: Download | null = null;
    let path: string | null = null;
    try {
      download = await Download.open({ folder: this.#folder(place), name, offer, signal });
      const sink = download;
      book.begun(id, sink.path, sink.resumeChunk * CHUNK_BYTES, systemMoment());
      await takeFile({
        ...{ roomId, offer, sink, openLine, signal },
        onProgress: (doneBytes) => book.progressed(id, doneBytes, systemMoment()),
        finish: async () => {
          this.#perform(book.checking(id));
          ({ path } = await sink.finish());
        },
      });
    } catch (error) {
      if (path === null) this.#perform(await this.#leave(id, download, signal, error));
    } finally {
      done.resolve();
      if (this.#fetching.get(part) === done.promise) this.#fetching.delete(part);
    }
    if (path !== null) this.#perform(book.received(id, path));
  }

  async #leave(
    id: string,
    download: Download | null,
    { reason }: AbortSignal,
    error: unknown,
  ): Promise<readonly FileEffect[]> {
    const isCancelled = reason instanceof CancelledError;
    try {
      await (isCancelled ? download?.discard() : download?.leave());
    } catch (problem) {
      this.#options.onProblem(problem);
    }
    return isCancelled || this.#closed ? [] : this.#stopped(id, error);
  }

  /** What becomes of a file that stopped before it was whole. */
  #stopped(id: string, error: unknown): FileEffect[] {
    if (error instanceof InputError) return this.#options.book.failed(id, error.message);
    if (error instanceof ProtocolError) return this.#options.book.failed(id, NOT_AS_SEALED);
    if (isPassing(error)) {
      const why = error instanceof LineEndedError ? INTERRUPTIONS[error.reason] : undefined;
      const { session } = this.#options.membership;
      // Before it is live again, a session lists who was there when its line was lost.
      const isHere = (member: RosterMember): boolean =>
        session?.phase === 'live' && session.shown(member).online;
      return this.#options.book.interrupted(id, why ?? 'lost', { ...systemMoment(), isHere });
    }
    this.#options.onProblem(error);
    return this.#options.book.failed(id, `It failed, by a fault of this program: ${String(error)}`);
  }
}

/** Then nobody gets it any more; whatever else is wrong with a disk may pass. */
const SPOILED: ReadonlySet<string> = new Set(['file-changed', 'file-gone']);

async function reopened(
  { offer, place }: NonNullable<ReturnType<FileBook['own']>>,
  signal: AbortSignal,
): Promise<Source> {
  const changed = new InputError(
    'file-changed',
    `${shownName(place)} is not what you offered any more. /send offers it as it is.`,
  );
  const source = await openSource(place, { maxBytes: offer.bytes, signal }).catch((error: unknown) => {
    throw error instanceof InputError && error.code === 'too-large' ? changed : error;
  });
  if (bytesEqual(source.hash, offer.hash) && source.bytes === offer.bytes) return source;
  await source.close();
  throw changed;
}

/** Where people look for what they have taken. */
function usualFolder(): string {
  return join(homedir(), 'Downloads');
}

function leftOutText(name: string, count: number): string {
  const what = count === 1 ? '1 link, pipe or device' : `${count} links, pipes or devices`;
  return `${what} in ${cleanText(name)} ${count === 1 ? 'is' : 'are'} left out: only files are sent.`;
}

const NOT_AS_SEALED =
  'What came is not what was sealed: the host, or whoever sends it, has changed it. Nothing wrong was kept; /accept tries again.';

const INTERRUPTIONS: Partial<Record<LineEndedError['reason'], Interruption>> = {
  away: 'away',
  busy: 'busy',
  unknown: 'unknown',
};

/** The person does not want it any more. */
class CancelledError extends Error {
  override readonly name = 'CancelledError';
}

/** Of the line, not of the file. */
function isPassing(error: unknown): boolean {
  if (error instanceof LineEndedError || error instanceof CancelledError) return true;
  return error instanceof Error && ['LostError', 'DialError', 'AbortError'].includes(error.name);
}

function isFrom({ from }: AutoAccept, { nick, identity }: RosterMember): boolean {
  if (from === null || typeof from === 'string') return from === null || from === nick;
  return bytesEqual(identity.subarray(0, from.length), from);
}

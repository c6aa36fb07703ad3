/** A file that was offered here, as this member sees it: what lists, progress and programs are told. */
import type { RosterMember } from '../crypto/roster.ts';
import type { IdKey } from '../protocol/identifiers.ts';

/** What the host is told of a file. */
export type FileNews = 'offer' | 'withdraw' | 'decline';

export type FileState =
  /** Nobody has decided yet; of one's own: nobody has taken it yet. */
  | 'offered'
  /** Accepted, and more is under way than may be at a time. */
  | 'queued'
  /** Accepted, and whoever offers it, or the host, is away just now. */
  | 'waiting'
  | 'running'
  /** All there; the whole is compared with what was offered. */
  | 'checking'
  | 'done'
  | 'failed'
  | 'declined'
  /** By this member. */
  | 'cancelled'
  /** By whoever offered it. */
  | 'withdrawn';

const ENDED: ReadonlySet<FileState> = new Set(['done', 'failed', 'declined', 'cancelled', 'withdrawn']);

/** Something may still come of it without anyone's saying so again. */
export function isOpen(state: FileState): boolean {
  return !ENDED.has(state);
}

/** How far someone has one's own file, as the host says. */
export interface Taker {
  readonly member: RosterMember;
  /** `kept`: all of it waits at the host for them; `unkept`: it was to, and there is no room. */
  readonly state: 'running' | 'stopped' | 'done' | 'declined' | 'kept' | 'unkept';
  readonly doneBytes: number;
}

/** Has it, or is going to without anybody's doing more: `kept` at the host for someone who is away is as good. */
export function hasIt({ state }: Pick<Taker, 'state'>): boolean {
  return state === 'done' || isKept(state);
}

/** Nothing more is to be expected of them. */
export function hasDecided(taker: Pick<Taker, 'state'>): boolean {
  return hasIt(taker) || taker.state === 'declined';
}

/** The host holds it for them: that ends where it is withdrawn. */
export function isKept(state: string): boolean {
  return state === 'kept';
}

export interface FileView {
  /** By which a person calls it: 1, 2, … in the order of the offers. */
  readonly number: number;
  /** Of the offer, as base64url: the same at everyone. */
  readonly id: string;
  readonly isOwn: boolean;
  readonly from: RosterMember;
  /** Of the conversation it was offered in. */
  readonly conversation: IdKey;
  /** The message that offers it; `null` while one's own has no place yet. */
  readonly message: string | null;
  /** As it was offered: not safe to show or to use before it is cleaned. */
  readonly name: string;
  readonly bytes: number;
  /** `null` for a single file; else how many files the folder has. */
  readonly files: number | null;
  readonly state: FileState;
  readonly doneBytes: number;
  /** `null` while nothing is known of it. */
  readonly bytesPerSecond: number | null;
  readonly leftMs: number | null;
  /** Where it lies, or is going to. */
  readonly path: string | null;
  /** Why it failed or waits, as a sentence. */
  readonly problem: string | null;
  /** Of one's own. */
  readonly takers: readonly Taker[];
}

/** One's own that stands, and others' that this member has said yes to. */
export function mayCancel({ isOwn, state }: Pick<FileView, 'isOwn' | 'state'>): boolean {
  return isOpen(state) && (isOwn || state !== 'offered');
}

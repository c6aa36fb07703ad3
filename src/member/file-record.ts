/** One file that was offered here, as `FileBook` knows it: what is shown of it, and what is saved. */
import type { RosterMember } from '../crypto/roster.ts';
import { fromHex } from '../protocol/bytes.ts';
import type { TakerState } from '../protocol/file-frames.ts';
import { type FileOffer, isFolder } from '../protocol/file-offer.ts';
import { type ConversationId, type IdKey, idKey, type MemberId, memberId } from '../protocol/identifiers.ts';
import { type FileState, type FileView, hasDecided, type Taker } from './file-view.ts';
import type { Rate } from './rate.ts';
import { type SavedState, TAKERS_SAVED } from './saved-state.ts';

type SavedFile = SavedState['files'][number];

export interface File {
  readonly number: number;
  readonly id: string;
  readonly offer: FileOffer;
  readonly isOwn: boolean;
  readonly from: RosterMember;
  readonly name: string;
  readonly atMs: number;
  conversation: ConversationId;
  /** Of one's own: where it lies. Of others': where it is to go, if not where files usually go. */
  place: string | null;
  /** That offers it; `null` while one's own has no place yet. */
  message: string | null;
  state: FileState;
  doneBytes: number;
  path: string | null;
  problem: string | null;
  /** The problem that was shown last, since it moved. */
  toldProblem: string | null;
  attempts: number;
  retryAtMs: number;
  /** Since when the host knows nothing of it, although its sender is there. */
  unknownSinceMs: number | null;
  readonly rate: Rate;
  readonly takers: Map<string, Taker>;
  /** Of one's own: for whom it is to wait at the host, as long as it does not. */
  keepFor: readonly MemberId[];
  /** Of one's own: who could read the offer when it got its place; `null` while that is to come, or where it is not known any more. */
  readers: readonly IdKey[] | null;
  /** Of one's own that is over here: the host has it for somebody still. */
  isLeftThere: boolean;
  /** It has moved since it was last shown. */
  isNews: boolean;
}

export interface Offered {
  readonly offer: FileOffer;
  readonly name: string;
  readonly from: RosterMember;
  readonly conversation: ConversationId;
  readonly atMs: number;
}

/** Who may read a conversation now; `null`: it is not known here any more, but may be to others. */
export type ReadersOf = (conversation: ConversationId) => readonly IdKey[] | null;

/** @returns what a later run goes on with */
export function savedFile(file: File): SavedFile {
  const { offer, from, conversation, message, name, place, isOwn, state, atMs, keepFor } = file;
  return {
    // Whoever writes it down overwrites what it is given.
    offer: { ...offer, key: offer.key.slice() },
    ...{ memberId: from.memberId, conversation, name, atMs },
    message: message === null ? [] : [message],
    place: place === null ? [] : [place],
    accepted: !isOwn && state !== 'offered',
    keepFor: [...keepFor],
    ...savedTakers(file),
  };
}

/** Whatever becomes of programs and hosts: `kept` may end, and is told again by the host that does it. */
export function isSettled(state: TakerState | undefined): state is 'done' | 'declined' {
  return state === 'done' || state === 'declined';
}

function savedTakers({ takers, readers }: File): Pick<SavedFile, 'settled' | 'readers'> {
  const settled = [...takers.values()].flatMap(({ member, state }) =>
    isSettled(state) ? [{ memberId: member.memberId, state }] : [],
  );
  const isSaved = readers !== null && readers.length <= TAKERS_SAVED;
  return {
    settled: settled.slice(-TAKERS_SAVED),
    readers: isSaved ? [readers.map((key) => memberId(fromHex(key)))] : [],
  };
}

/** Nobody is waited for: of those who could read it when it got its place, and still can. */
export function isOver({ readers, takers, conversation }: File, readersOf: ReadersOf): boolean {
  const now = readersOf(conversation);
  if (readers === null || now === null) return false;
  const there = new Set(now);
  const decided = [...takers.values()].filter(hasDecided).map(({ member }) => member.key);
  for (const key of decided) there.delete(key);
  return !readers.some((key) => there.has(key));
}

export function viewOf(file: File): FileView {
  const { number, id, isOwn, from, name, offer, state, path, problem, rate, takers } = file;
  // What people think of is in the folder: its manifest is not.
  const contents = (bytes: number): number => Math.max(0, bytes - offer.manifestBytes);
  const doneBytes = contents(file.doneBytes);
  const isRunning = state === 'running';
  return {
    ...{ number, id, isOwn, from, name, state, doneBytes, path, problem },
    conversation: idKey(file.conversation),
    message: file.message,
    bytes: contents(offer.bytes),
    files: isFolder(offer) ? offer.files : null,
    bytesPerSecond: isRunning ? rate.bytesPerSecond : null,
    leftMs: isRunning ? rate.leftMs(offer.bytes - file.doneBytes) : null,
    takers: [...takers.values()].map((taker) => ({ ...taker, doneBytes: contents(taker.doneBytes) })),
  };
}

/** What a person is told of all files at `/files`: facts in, a line each out. */
import type { FileState, FileView, Taker } from '../member/file-view.ts';
import type { IdKey } from '../protocol/identifiers.ts';
import { percentOf, rateText, timeText } from '../terminal/view/amounts.ts';
import { fileSizeText } from '../terminal/view/file-lines.ts';
import { fileName } from '../terminal/view/file-name.ts';

const STATES: Readonly<Record<FileState, string>> = {
  offered: 'offered',
  queued: 'waits until others are done',
  waiting: 'waits',
  running: 'under way',
  checking: 'all there, being checked',
  done: 'here',
  failed: 'failed',
  declined: 'declined',
  cancelled: 'cancelled',
  withdrawn: 'taken back',
};

/** Of one's own, where what somebody else does says more than these. */
const OWN_STATES: Readonly<Partial<Record<FileState, string>>> = {
  offered: 'nobody takes it yet',
  running: '',
  done: '',
  cancelled: 'taken back',
};

/**
 * A line for each, newest last, in columns behind their number and name.
 * @param placeOf what a person calls the conversation it was offered in; `null` for the room
 */
export function filesTexts(
  views: readonly FileView[],
  placeOf: (conversation: IdKey) => string | null,
): readonly string[] {
  if (views.length === 0) return ['No files have been offered. /send PATH offers one.'];
  return [
    'Files; /accept, /decline and /cancel take the number:',
    ...views.map((view) => `  ${view.number} ${labelOf(view)}  ${aboutText(view, placeOf)}`),
  ];
}

/** Two spaces end it. */
function labelOf({ name }: FileView): string {
  return fileName(name).replaceAll(/\s+/gu, ' ');
}

function aboutText(view: FileView, placeOf: (conversation: IdKey) => string | null): string {
  const { bytes, files, isOwn, from, conversation } = view;
  const place = placeOf(conversation);
  const where = isOwn
    ? `yours, in ${place ?? 'the room'}`
    : `from ${from.nick}${place === null ? '' : ` in ${place}`}`;
  const size = fileSizeText(files === null ? { bytes } : { bytes, files });
  return [size, where, ...(isOwn ? ownState(view) : othersState(view))]
    .filter((part) => part !== '')
    .join(', ');
}

function othersState(view: FileView): readonly string[] {
  const { state, path } = view;
  const isPart = view.doneBytes > 0 && (state === 'running' || state === 'waiting' || state === 'queued');
  const share = isPart ? `${percentOf(view.doneBytes, view.bytes)} %` : '';
  const is = state === 'done' && path !== null ? `here: ${path}` : STATES[state];
  // What may hold anything comes last.
  return [share, ...speed(view), is + because(view)];
}

function ownState(view: FileView): readonly string[] {
  return [
    ...view.takers.map((taker) => takerText(taker, view)),
    ...speed(view),
    ownText(view) + because(view),
  ];
}

function ownText({ state, takers }: FileView): string {
  if (state === 'offered' && takers.length > 0) return '';
  return OWN_STATES[state] ?? STATES[state];
}

function takerText({ member, state, doneBytes }: Taker, { bytes }: FileView): string {
  if (state === 'done') return `${member.nick} has it`;
  if (state === 'declined') return `${member.nick} declined`;
  if (state === 'kept') return `waits at the host for ${member.nick}`;
  if (state === 'unkept') return `no room at the host to wait for ${member.nick}`;
  return `${member.nick} ${percentOf(doneBytes, bytes)} %${state === 'stopped' ? ' (stopped)' : ''}`;
}

function speed({ state, bytesPerSecond, leftMs }: FileView): readonly string[] {
  if (state !== 'running') return [];
  return [
    bytesPerSecond === null ? '' : rateText(bytesPerSecond),
    leftMs === null ? '' : `${timeText(leftMs)} left`,
  ];
}

function because({ problem }: FileView): string {
  return problem === null ? '' : `: ${problem}`;
}

/** What the host sees when the room opens: all that a guest needs, and what to tell them. */
import { fromBase64url } from '../protocol/bytes.ts';
import { cleanText } from '../protocol/clean-text.ts';
import { formatFingerprint } from '../protocol/fingerprint.ts';
import { hash, ID_BYTES } from '../protocol/identifiers.ts';
import { columnsOf } from './graphemes.ts';
import type { CodeView, InvitationView, ReadyEvent } from './json-lines.ts';
import type { Palette } from './palette.ts';
import { wrapLine } from './wrap.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const LABEL_COLUMNS = 12;

function timeLeft(untilMs: number, nowMs: number): string {
  const leftMs = untilMs - nowMs;
  if (!(leftMs > 0)) return 'expired';
  if (leftMs >= 2 * DAY_MS) return `${Math.round(leftMs / DAY_MS)} days left`;
  if (leftMs >= 2 * HOUR_MS) return `${Math.round(leftMs / HOUR_MS)} hours left`;
  return `${Math.ceil(leftMs / MINUTE_MS)} min left`;
}

/** e.g. `16 uses, 24 hours left` */
export function invitationUse(invitation: InvitationView, nowMs: number): string {
  const uses = `${invitation.uses} ${invitation.uses === 1 ? 'use' : 'uses'}`;
  return `${uses}, ${timeLeft(Date.parse(invitation.expiresAt), nowMs)}`;
}

/** Whole seconds a code still lives, never below zero. */
function codeSecondsLeft(code: CodeView, nowMs: number): number {
  return Math.max(0, Math.ceil((Date.parse(code.expiresAt) - nowMs) / SECOND_MS)) || 0;
}

/** As people compare it: programs are given all of it, people half, in groups. */
function shownFingerprint(text: string): string {
  const bytes = fromBase64url(text);
  return bytes?.length === ID_BYTES.hash ? formatFingerprint(hash(bytes)) : text;
}

/** The first words of a session. */
export function bannerLines(view: {
  readonly version: string;
  readonly palette: Palette;
}): readonly string[] {
  return [
    `${view.palette.bold('securechat')} ${view.version}`,
    view.palette.dim('Not independently audited.'),
    view.palette.dim('In the room, /help lists the commands.'),
  ];
}

/**
 * The invitation stands alone on a line, without indent or border, for one triple click to select.
 *
 * @param view `columns` infinite leaves lines whole
 */
export function readyPanel(
  event: Pick<ReadyEvent, 'room' | 'addresses' | 'invitation' | 'question' | 'code' | 'fingerprint'>,
  view: { readonly palette: Palette; readonly columns: number; readonly nowMs: number },
): readonly string[] {
  const { palette, columns } = view;
  const indented = (label: string, text: string): readonly string[] => {
    const indent = ' '.repeat(columnsOf(label));
    return wrapLine(cleanText(text), columns - indent.length).map((row, index) =>
      index === 0 ? palette.bold(label) + row : indent + row,
    );
  };
  const field = (name: string, text: string): readonly string[] => indented(name.padEnd(LABEL_COLUMNS), text);
  return [
    ...field('Room', event.room.name),
    ...field('Listening', event.addresses.join(', ')),
    ...field('Question', event.question),
    ...field('Code', `${event.code.value} (new in ${codeSecondsLeft(event.code, view.nowMs)} s)`),
    ...field('Owner key', shownFingerprint(event.fingerprint)),
    ...field('Invitation', invitationUse(event.invitation, view.nowMs)),
    '',
    cleanText(event.invitation.token),
    '',
    'Tell your guest:',
    ...indented('1. ', 'Run securechat c and paste this invitation.'),
    ...indented('2. ', 'Answer the question.'),
    ...indented('3. ', 'Ask me for the code when it is asked for: it changes every 30 seconds.'),
  ];
}

/**
 * What stands before the line being typed: room, how many are online, and for the host the code and its seconds.
 * On a narrow screen the room's name goes first.
 */
export function promptText(view: {
  readonly room: string;
  readonly online: number;
  readonly code?: CodeView;
  readonly nowMs: number;
  readonly columns: number;
}): string {
  const code =
    view.code === undefined
      ? ''
      : ` ${cleanText(view.code.value)} ${codeSecondsLeft(view.code, view.nowMs)}s`;
  const full = `${cleanText(view.room)} (${view.online})${code}> `;
  // Half the row at least is for the text.
  return columnsOf(full) <= view.columns / 2 ? full : `(${view.online})${code}> `;
}

/** What the host sees when the room opens: all that a guest needs, and what to tell them. */
import { fromBase64url } from '../../protocol/bytes.ts';
import { cleanText } from '../../protocol/clean-text.ts';
import { formatTimeLeft } from '../../protocol/duration.ts';
import { formatFingerprint } from '../../protocol/fingerprint.ts';
import { hash, ID_BYTES } from '../../protocol/identifiers.ts';
import { columnsOf } from '../graphemes.ts';
import type { CodeView, InvitationView, ReadyEvent } from '../json-lines.ts';
import type { RenderView } from './entry.ts';
import type { Palette } from './palette.ts';
import { qrLines } from './qr.ts';
import { wrapLine } from './wrap.ts';

const SECOND_MS = 1_000;
const LABEL_COLUMNS = 12;

function timeLeft(untilMs: number, nowMs: number): string {
  const leftMs = untilMs - nowMs;
  return leftMs > 0 ? `${formatTimeLeft(leftMs)} left` : 'expired';
}

/** e.g. `16 uses, 1d left` */
export function invitationUse(invitation: InvitationView, nowMs: number): string {
  const uses = `${invitation.uses} ${invitation.uses === 1 ? 'use' : 'uses'}`;
  return `${uses}, ${timeLeft(Date.parse(invitation.expiresAt), nowMs)}`;
}

/** Whole seconds a code still lives, never below zero. */
function codeSecondsLeft(code: CodeView, nowMs: number): number {
  return Math.max(0, Math.ceil((Date.parse(code.expiresAt) - nowMs) / SECOND_MS)) || 0;
}

/** As people compare it: programs are given all of it, people half, in groups. */
export function shownFingerprint(text: string): string {
  const bytes = fromBase64url(text);
  return bytes?.length === ID_BYTES.hash ? formatFingerprint(hash(bytes)) : text;
}

/** figlet's "mini", kept by hand: five hundred kilobytes of fonts would be much for one word. */
const BANNER = [' _  _  _     ._ _  _ |_   _. _|_', '_> (/_(_ |_| | (/_(_ | | (_|  |_'];
const BANNER_COLUMNS_LEAST = 80;

/** The first words of a session. */
export function bannerLines(view: {
  readonly version: string;
  readonly palette: Palette;
  readonly columns: number;
}): readonly string[] {
  const { palette, version, columns } = view;
  return [
    ...(columns >= BANNER_COLUMNS_LEAST ? BANNER.map(palette.good) : []),
    `${palette.bold('securechat')} ${version}`,
    ...wrapLine('Not independently audited. /help lists the commands.', columns).map(palette.dim),
  ];
}

const QR_GAP = '  ';
/** Beside a code: fewer would fold every other word. */
const TEXT_COLUMNS_LEAST = 40;
/** Below the code, beside the invitation and the prompt: what is told on entering. */
const ROWS_BELOW = 3;

/** The code of the invitation, where the whole panel with it can be seen at once. */
function panelQr(token: string, view: PanelView): readonly string[] | null {
  const { columns, rows, palette, preferences } = view;
  if (rows === undefined || !Number.isFinite(columns)) return null;
  const tokenRows = Math.ceil(columnsOf(token) / columns);
  const room = {
    columns: columns - TEXT_COLUMNS_LEAST - QR_GAP.length,
    rows: rows - tokenRows - ROWS_BELOW,
  };
  return qrLines(token, room, { palette, theme: preferences.theme });
}

/** Lines beside each other: the left ones are padded. */
function beside(left: readonly string[], right: readonly string[], leftColumns: number): readonly string[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, index) => {
    const line = left[index] ?? '';
    const other = right[index];
    return other === undefined ? line : `${line}${' '.repeat(leftColumns - columnsOf(line))}${other}`;
  });
}

type PanelView = Pick<RenderView, 'palette' | 'columns' | 'rows' | 'nowMs' | 'preferences'>;

/**
 * The invitation stands alone on a line, without indent or border, for one triple click to select.
 *
 * @param view `columns` infinite leaves lines whole; without `rows` no QR code is drawn
 */
export function readyPanel(
  event: Pick<ReadyEvent, 'room' | 'addresses' | 'invitation' | 'question' | 'code' | 'fingerprint'>,
  view: PanelView,
): readonly string[] {
  const { palette } = view;
  const token = cleanText(event.invitation.token);
  const qr = panelQr(token, view);
  const columns = qr === null ? view.columns : view.columns - columnsOf(qr[0] ?? '') - QR_GAP.length;
  const indented = (label: string, text: string): readonly string[] => {
    const indent = ' '.repeat(columnsOf(label));
    return wrapLine(cleanText(text), columns - indent.length).map((row, index) =>
      index === 0 ? palette.bold(label) + row : indent + row,
    );
  };
  const field = (name: string, text: string): readonly string[] => indented(name.padEnd(LABEL_COLUMNS), text);
  const use = invitationUse(event.invitation, view.nowMs);
  const canDraw = qr === null && Number.isFinite(columns);
  const fields = [
    ...field('Room', event.room.name),
    ...field('Listening', event.addresses.join(', ')),
    ...field('Question', event.question),
    ...field('Code', `${event.code.value} (new in ${codeSecondsLeft(event.code, view.nowMs)} s)`),
    ...field('Owner key', shownFingerprint(event.fingerprint)),
    ...field('Invitation', canDraw ? `${use}; /qr draws it` : use),
  ];
  const steps = [
    'Tell your guest:',
    ...indented('1. ', 'Run securechat c and paste this invitation.'),
    ...indented('2. ', 'Answer the question.'),
    ...indented('3. ', 'Ask me for the code when it is asked for: it changes every 30 seconds.'),
  ];
  if (qr === null) return [...fields, '', token, '', ...steps];
  return [...beside([...fields, '', ...steps], qr, columns + QR_GAP.length), token];
}

/**
 * What stands before the line being typed: room, how many are online, and for the host the code and its seconds.
 * On a narrow screen the room's name goes first.
 */
export function promptText(view: {
  readonly room: string;
  readonly online: number;
  /** `false` while the line to the host is lost: who is online is not known then. */
  readonly connected: boolean;
  /** Where what is typed goes, if not to the room. */
  readonly place?: string;
  /** Messages elsewhere since one was last there. */
  readonly unread?: number;
  readonly code?: CodeView;
  readonly nowMs: number;
  readonly columns: number;
}): string {
  const code =
    view.code === undefined
      ? ''
      : ` ${cleanText(view.code.value)} ${codeSecondsLeft(view.code, view.nowMs)}s`;
  const state = view.connected ? `(${view.online})` : '(no line)';
  const { place, unread = 0 } = view;
  const elsewhere = unread === 0 ? '' : ` +${unread}`;
  // It must not be lost on a narrow screen: what is typed goes there.
  const end = `${place === undefined ? '' : ` ${cleanText(place)}`}${elsewhere}> `;
  const full = `${cleanText(view.room)} ${state}${code}${end}`;
  // Half the row at least is for the text.
  return columnsOf(full) <= view.columns / 2 ? full : `${place === undefined ? state : ''}${code}${end}`;
}

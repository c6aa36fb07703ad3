/**
 * What the host is told of the door: who stands at which of the four checks, and how they left. A few lines in a while,
 * then a number: strangers can knock as often as they like, and must not be able to push the talk off the screen.
 */
import { toBase64url } from '../../protocol/bytes.ts';
import { formatDuration } from '../../protocol/duration.ts';
import { InputError } from '../../protocol/errors.ts';
import { formatFingerprint } from '../../protocol/fingerprint.ts';
import type { Hash, IdKey } from '../../protocol/identifiers.ts';
import type { Refusal } from '../../protocol/reasons.ts';
import type { DoorStage } from '../../room/admission.ts';
import type { RoomNotice } from '../../room/effects.ts';
import type { Visitor } from '../../room/visitors.ts';
import type { DoorEvent, NoticeEvent } from '../../terminal/json-lines.ts';
import type { InvitationDesk } from './invitation-desk.ts';

type Names = Pick<InvitationDesk, 'isOwn' | 'nameOf' | 'describe'>;

const WINDOW_MS = 10_000;
const LINES_A_WINDOW = 8;
/**
 * Few get so far, and the host has to act on them: these are always told, and that somebody who waited is gone. Else the
 * next to come under their nickname, with another key, would pass for them.
 */
const ALWAYS_TOLD: ReadonlySet<DoorEvent['stage']> = new Set(['waiting', 'admitted']);

const STAGES: Readonly<Record<DoorStage, string>> = {
  question: 'is at the question',
  'answer-tested': 'has given an answer',
  'answer-proved': 'has the right answer and is at the code',
  'wrong-code': 'gave a wrong code',
  'nick-refused': 'asked for a nickname that cannot be had',
  'password-tested': 'has given the password of an account',
  'password-proved': 'has the right password of an account',
  waiting: 'has everything right and waits for your yes',
};

const TURNED_AWAY: Readonly<Record<Refusal, string>> = {
  'not-recognised': 'an invitation that this room does not know',
  version: 'another version of securechat',
  expired: 'their invitation has expired',
  'used-up': 'their invitation is used up',
  revoked: 'their invitation was withdrawn',
  suspended: 'their invitation is suspended',
  'room-full': 'the room is full',
  locked: 'the room is locked',
  banned: 'they are banned',
  denied: 'you said no',
  'wrong-code': 'a wrong code',
  'old-code': 'an expired code',
  'nick-taken': 'a nickname that is taken',
  'nick-refused': 'a nickname that is not allowed',
  'nick-registered': 'a nickname that has an account',
  'wrong-password': 'a wrong password',
  'key-refused': 'keys that do not fit',
  'too-many-answers': 'too many attempts',
  'answer-unproved': 'a wrong answer',
  busy: 'too many people stand at the door',
  'timed-out': 'it took too long',
  closing: 'the room is closing',
  'already-online': 'they are here already',
};

export class DoorReport {
  readonly #names: Names;
  readonly #tell: (event: DoorEvent | NoticeEvent) => void;
  /** Who was seen waiting by name; gone with whoever leaves, so no more than stand at the door. */
  readonly #nicks = new Map<number, string>();
  /** Who has given an answer; gone with whoever leaves as well. */
  readonly #answered = new Set<number>();
  #lines = 0;
  #untold = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: {
    readonly names: Names;
    /** A notice says how many were not told one by one. */
    readonly tell: (event: DoorEvent | NoticeEvent) => void;
  }) {
    this.#names = parts.names;
    this.#tell = parts.tell;
  }

  /** @returns what it is about the door, told or not, for the log; `null` where it is not, or is the host's own way in. */
  take(notice: RoomNotice): DoorEvent | null {
    const event = this.#event(notice);
    if (event === null) return null;
    const isDue = ALWAYS_TOLD.has(event.stage) || event.reason === 'denied';
    if (isDue || event.nick !== undefined) this.#tell(event);
    else this.#count(event);
    return event;
  }

  #event(notice: RoomNotice): DoorEvent | null {
    switch (notice.kind) {
      case 'door': {
        if (this.#names.isOwn(notice.invitation)) return null;
        const { nick, fingerprint } = notice;
        if (nick !== null) this.#nicks.set(notice.holder, nick);
        const isAgain = notice.stage === 'answer-tested' && this.#answered.has(notice.holder);
        if (notice.stage === 'answer-tested') this.#answered.add(notice.holder);
        const does = isAgain ? 'has given another answer' : doesText(notice);
        return this.#made(notice, notice.stage, {
          ...(nick !== null && { nick }),
          ...(fingerprint !== null && { fingerprint: toBase64url(fingerprint) }),
          text: `${whoText(notice)} ${does} ${this.#by(notice)}${yesText(notice.stage, nick, fingerprint)}.`,
        });
      }
      case 'door-left': {
        if (this.#names.isOwn(notice.invitation)) return null;
        const nick = this.#nicks.get(notice.holder);
        this.#nicks.delete(notice.holder);
        this.#answered.delete(notice.holder);
        const { how, reason, holder } = notice;
        return this.#made(notice, how, {
          ...(nick !== undefined && { nick }),
          ...(reason !== null && { reason }),
          text: `${whoText({ nick: nick ?? null, holder })} ${leftText(how)} ${this.#by(notice)}${reason === null ? '' : `: ${TURNED_AWAY[reason]}`}.`,
        });
      }
      case 'refused': {
        const text = `${whoText({ nick: null, holder: notice.holder })} was turned away at the door: ${TURNED_AWAY[notice.reason]}.`;
        return {
          type: 'door',
          visitor: notice.holder,
          stage: 'refused',
          invitation: '',
          reason: notice.reason,
          text,
        };
      }
      default:
        return null;
    }
  }

  #made(
    notice: { readonly holder: number; readonly invitation: IdKey },
    stage: DoorEvent['stage'],
    rest: Pick<DoorEvent, 'nick' | 'fingerprint' | 'reason' | 'text'>,
  ): DoorEvent {
    const invitation = this.#names.nameOf(notice.invitation);
    return { type: 'door', visitor: notice.holder, stage, invitation, ...rest };
  }

  /** e.g. `(invitation 2, for Ann)` */
  #by({ invitation }: { readonly invitation: IdKey }): string {
    return `(${this.#names.describe(invitation)})`;
  }

  #count(event: DoorEvent): void {
    this.#timer ??= setTimeout(() => this.#windowOver(), WINDOW_MS).unref();
    this.#lines += 1;
    if (this.#lines <= LINES_A_WINDOW) this.#tell(event);
    else this.#untold += 1;
  }

  #windowOver(): void {
    const untold = this.#untold;
    this.#timer = null;
    this.#lines = 0;
    this.#untold = 0;
    if (untold === 0) return;
    const text = `${untold} more things happened at the door. /door shows who is there now.`;
    this.#tell({ type: 'notice', level: 'info', code: 'door', text });
  }
}

/** The number is that of `/door`: two who came by one invitation are told apart. */
export function whoText({ nick, holder }: Pick<Visitor, 'nick' | 'holder'>): string {
  return nick ?? `Visitor ${holder}`;
}

function doesText({ stage, takesOver }: Pick<Visitor, 'stage' | 'takesOver'>): string {
  const member =
    takesOver === true ? 'is the member of that name under another key, by their password, and ' : '';
  return member + STAGES[stage];
}

function yesText(stage: DoorStage, nick: string | null, fingerprint: Hash | null): string {
  if (stage !== 'waiting' || nick === null) return '';
  const key = fingerprint === null ? '' : ` Their key is ${formatFingerprint(fingerprint)}`;
  return `: /admit ${nick} or /deny ${nick}.${key}`;
}

function leftText(how: 'gone' | 'refused' | 'admitted'): string {
  switch (how) {
    case 'gone':
      return 'has gone from the door';
    case 'admitted':
      return 'was let in';
    case 'refused':
      return 'was turned away at the door';
  }
}

/**
 * Whom the host means by what `/door` shows of them: the nickname, or the number. Guests choose nicknames, and one may
 * be somebody else's number. A yes is for who waits for it, a no for anyone who stands there.
 * @throws InputError `not-waiting`, or `not-at-door` for a no, unless that is one person
 */
export function meantAtDoor(atDoor: readonly Visitor[], act: 'admit' | 'deny', who: string): Visitor {
  const waiting = atDoor.filter(({ stage }) => stage === 'waiting');
  const meant = (act === 'admit' ? waiting : atDoor).filter(
    ({ nick, holder }) => nick === who || String(holder) === who || `#${holder}` === who,
  );
  const [found, ...others] = meant;
  if (found !== undefined && others.length === 0) return found;
  if (found !== undefined) {
    const text = `${who} could be ${namedList(meant, ' or ')}. Say which by its number, with the #.`;
    throw new InputError(act === 'admit' ? 'not-waiting' : 'not-at-door', text);
  }
  if (act === 'deny') throw new InputError('not-at-door', `${who} is not at the door. /door shows who is.`);
  const here = waiting.length === 0 ? 'Nobody waits at the door.' : `Waiting: ${namedList(waiting, ', ')}.`;
  throw new InputError('not-waiting', `${who} does not wait at the door. ${here}`);
}

/** e.g. `ann (#42), Visitor 44 (#44)` */
function namedList(visitors: readonly Visitor[], between: string): string {
  return visitors.map((visitor) => `${whoText(visitor)} (#${visitor.holder})`).join(between);
}

const DOOR_HEAD = 'Number, how long at this check, who. /admit and /deny take the number or the nickname:';

/** What `/door` shows: number, how long they stand where they stand, and where. Those who wait for the host come first. */
export function doorLines(atDoor: readonly Visitor[], names: Names, nowMs: number): readonly string[] {
  const others = atDoor
    .filter(({ invitation }) => !names.isOwn(invitation))
    .toSorted((one, other) => rank(one) - rank(other) || one.sinceMs - other.sinceMs);
  if (others.length === 0) return ['Nobody is at the door.'];
  const lines = others.map((visitor) => {
    const { holder, stage, invitation, sinceMs, nick, fingerprint } = visitor;
    const since = formatDuration(nowMs - sinceMs);
    const what = `${whoText(visitor)} ${doesText(visitor)} (${names.describe(invitation)})`;
    return `${holder}  ${since}  ${what}${yesText(stage, nick, fingerprint)}`;
  });
  return [DOOR_HEAD, ...lines];
}

function rank({ stage }: Visitor): number {
  return stage === 'waiting' ? 0 : 1;
}

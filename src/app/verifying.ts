/** `/verify` and `/trust`: what two people compare, and what comes of it. */
import type { RosterMember } from '../crypto/roster.ts';
import { verificationDigits } from '../crypto/verification.ts';
import type { Session } from '../member/session.ts';
import type { Mark } from '../member/trust.ts';
import { InputError } from '../protocol/errors.ts';
import { formatFingerprint } from '../protocol/fingerprint.ts';
import type { IdKey } from '../protocol/identifiers.ts';
import type { Front } from './front/front.ts';

/** As read aloud, and as they stand on the screen. */
const GROUPS_A_ROW = 4;

export interface VerifyingContext {
  readonly front: Pick<Front, 'emit' | 'showQr'>;
  readonly session: Pick<Session, 'self' | 'untrusted' | 'verified' | 'isVerified'>;
  readonly mark: (member: RosterMember, mark: Mark) => void;
}

export class Verifying {
  /** Whose digits have been shown: a yes to those of one key marks no other that has taken its place meanwhile. */
  readonly #shown = new Set<IdKey>();

  /** Digits to compare, and a QR code of them where one can be drawn. */
  show(member: RosterMember, { front, session }: VerifyingContext): void {
    const { self } = session;
    if (self === undefined) return;
    if (member.key === self.key)
      throw new InputError('not-allowed', 'That is you: your own key needs no mark.');
    const groups = verificationDigits(self.identity, member.identity);
    this.#shown.add(member.key);
    const { nick } = member;
    tell(front, 'verify', `You and ${nick} are shown the same digits if nobody stands between you:`);
    tell(front, 'digits', rowsOf(groups).join('\n'));
    drawWherePossible(front, groups.join(' '));
    const next = session.isVerified(member)
      ? `${nick} is marked as verified; /verify ${nick} no takes it back.`
      : `Compare all of them by voice or in person. The same: /verify ${nick} yes. Not the same: somebody stands between you, say nothing here.`;
    tell(front, 'verify', next);
  }

  /** @throws InputError `not-compared` where the digits of this very key have not been shown */
  answer(member: RosterMember, answer: 'yes' | 'no', context: VerifyingContext): void {
    const { nick, key } = member;
    if (answer === 'no') {
      context.mark(member, 'unverified');
      return tell(context.front, 'verify', `${nick} is not marked as verified any more.`);
    }
    const isOther = key !== context.session.self?.key && !context.session.isVerified(member);
    if (isOther && !this.#shown.has(key))
      throw new InputError(
        'not-compared',
        `You have not been shown what to compare with ${nick}, or their key has changed since. /verify ${nick} shows it.`,
      );
    context.mark(member, 'verified');
    const fingerprint = formatFingerprint(member.identity);
    const text = `${nick} is marked as verified here, under the key ${fingerprint}.`;
    tell(context.front, 'verify', text + stillHeld(context));
  }

  accept(member: RosterMember, context: VerifyingContext): void {
    context.mark(member, 'trusted');
    const text = `The key ${formatFingerprint(member.identity)} of ${member.nick} is accepted, and not verified.`;
    tell(context.front, 'trust', text + stillHeld(context));
  }

  list({ front, session: { verified, untrusted } }: VerifyingContext): void {
    const names = verified.map(({ nick, here }) => (here ? nick : `${nick} (not here)`)).join(', ');
    const text =
      names === '' ? 'Nobody is verified. /verify NICK shows what to compare.' : `Verified: ${names}.`;
    const waiting = untrusted.map(({ nick }) => nick).join(', ');
    tell(front, 'verify', waiting === '' ? text : `${text} Under a changed key, not accepted: ${waiting}.`);
  }
}

/** Whom sending waits for all the same. */
function stillHeld({ session: { untrusted } }: VerifyingContext): string {
  const nicks = untrusted.map(({ nick }) => nick).join(', ');
  return nicks === '' ? '' : ` What you say still waits for your word on ${nicks}.`;
}

function rowsOf(groups: readonly string[]): readonly string[] {
  return Array.from({ length: groups.length / GROUPS_A_ROW }, (_, row) =>
    groups.slice(row * GROUPS_A_ROW, (row + 1) * GROUPS_A_ROW).join(' '),
  );
}

/** The digits say the same: a screen that has no place for the code does without. */
function drawWherePossible(front: Pick<Front, 'showQr'>, text: string): void {
  try {
    front.showQr(text);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
}

function tell(front: Pick<Front, 'emit'>, code: string, text: string): void {
  front.emit({ type: 'notice', level: 'info', code, text });
}

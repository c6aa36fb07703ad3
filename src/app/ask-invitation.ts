/** The invitation: from where it was given, or pasted by hand, in one piece or in several. */
import { type Invitation, readInvitation } from '../crypto/invitation.ts';
import type { Bytes } from '../protocol/bytes.ts';
import { InputError } from '../protocol/errors.ts';
import { askUntil } from './ask-until.ts';
import { type Front, GaveUpError } from './front/front.ts';
import type { InvitationSource } from './options.ts';
import { readSecret } from './secret.ts';

export interface HeldInvitation {
  readonly invitation: Invitation;
  readonly admissionKey: Bytes;
}

/** A mail around an invitation has no more lines than this before it ends. */
const LINES_MOST = 64;

/** @throws InputError when the invitation given cannot be used and nobody can be asked for another. */
export async function askInvitation(
  source: InvitationSource | null,
  front: Pick<Front, 'ask' | 'readLine'>,
  stdinIsTerminal: boolean = process.stdin.isTTY === true,
): Promise<HeldInvitation> {
  switch (source?.kind) {
    case 'text':
      return readInvitation(source.text);
    case 'file':
      return readInvitation(await readSecret(source, front));
    case 'standardInput':
      // Whoever types is told at once, not after more lines that they do not know of.
      return stdinIsTerminal ? readInvitation(await front.readLine()) : readLines(front);
    default:
      return askPasted(front, ASKED);
  }
}

/** Line by line, as far as it takes: a mail around it may be redirected whole, and what follows is for others. */
async function readLines(front: Pick<Front, 'readLine'>): Promise<HeldInvitation> {
  let text = '';
  for (let line = 1; ; line += 1) {
    try {
      text += `${await front.readLine()}\n`;
    } catch (error) {
      // The end of input: what is wrong with what came says more.
      if (text === '' || !(error instanceof GaveUpError) || error.how === 'interrupted') throw error;
      return readInvitation(text);
    }
    try {
      return await readInvitation(text);
    } catch (error) {
      if (line === LINES_MOST || !isIncomplete(error)) throw error;
    }
  }
}

const ASKED = { name: 'token', message: 'Paste the invitation.', secret: true };

/**
 * Where a terminal gives a paste line by line, the lines are put together again.
 * @param other what else may be answered; `null` for what is not that
 */
export async function askPasted<Other = never>(
  front: Pick<Front, 'ask'>,
  asked: Parameters<Front['ask']>[0],
  other: (text: string) => Other | null = () => null,
): Promise<HeldInvitation | Other> {
  const before: string[] = [];
  return askUntil<HeldInvitation | Other>(front, asked, null, (text) => {
    const answered = other(text);
    if (answered !== null) return answered;
    return readInvitation(text).catch((error: unknown) => {
      if (!isIncomplete(error)) throw error;
      before.push(text);
      if (before.length > LINES_MOST) before.shift();
      // What is wrong with this paste is told, not what is wrong with all of them.
      return readInvitation(before.join('\n')).catch(() => Promise.reject(error));
    });
  });
}

const INCOMPLETE: ReadonlySet<string> = new Set(['invitation-empty', 'invitation-not', 'invitation-damaged']);

function isIncomplete(error: unknown): boolean {
  return error instanceof InputError && INCOMPLETE.has(error.code);
}

/** How the program ends: one sentence for the person, one code for the shell. */
import { cleanText } from '../protocol/clean-text.ts';
import { InputError, ProtocolError, SecurityError } from '../protocol/errors.ts';
import type { CloseReason } from '../protocol/reasons.ts';
import { StorageError } from '../storage/errors.ts';
import { DialError, ListenError } from '../transport/errors.ts';
import type { QuitReason } from './chat.ts';
import { LostError } from './door-run.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { type Front, GaveUpError } from './front/front.ts';
import type { Ending } from './membership.ts';
import { refusalText, returnRefusalText } from './sentences.ts';
import { wrapped } from './standard-error.ts';

export interface Outcome {
  readonly exitCode: ExitCode;
  /** What to say about it; `null` when it went as wished. */
  readonly problem: { readonly code: string; readonly text: string } | null;
  /** For programs: the last event, where the room has not told them one and there was no problem to name. */
  readonly closed?: { readonly code: string; readonly reason: string };
}

/** A fault of ours: only it has a stack to show, on several lines. */
const UNEXPECTED = 'unexpected';

/** What leaving by one's own will gives the shell. */
export const LEFT_EXIT: Readonly<Record<QuitReason, ExitCode>> = {
  quit: EXIT.done,
  interrupted: EXIT.interrupted,
  alarm: EXIT.security,
};

const CLOSED_EXIT: Readonly<Record<CloseReason, ExitCode>> = {
  bye: EXIT.done,
  'host-closing': EXIT.done,
  removed: EXIT.notAdmitted,
  replaced: EXIT.notAdmitted,
  // The host says that what this side sent cannot be: one of the two does not keep to the protocol.
  protocol: EXIT.security,
  silent: EXIT.network,
  'slow-reader': EXIT.network,
  paused: EXIT.done,
};

export function outcomeOf(ending: Ending, quit: QuitReason): Outcome {
  switch (ending.kind) {
    case 'left':
      return {
        exitCode: LEFT_EXIT[quit],
        problem: null,
        closed: { code: 'left', reason: 'you left the room' },
      };
    case 'away':
      return {
        exitCode: LEFT_EXIT[quit],
        problem: null,
        closed: { code: 'away', reason: `your place is kept: ${comeBackWords(ending.name)}` },
      };
    case 'closed':
      // The person has been told by the event itself.
      return { exitCode: CLOSED_EXIT[ending.reason], problem: null };
    case 'refused':
      return {
        exitCode: EXIT.notAdmitted,
        problem: { code: ending.reason, text: refusedText(ending) },
      };
    case 'forgotten':
      return {
        exitCode: EXIT.notAdmitted,
        problem: {
          code: 'forgotten',
          text: forgottenText(ending),
        },
      };
    case 'failed':
      return outcomeOfError(ending.error);
  }
}

function forgottenText({ name }: Ending & { readonly kind: 'forgotten' }): string {
  const text = 'You are no longer a member: you were removed, or away for';
  const join = 'Join again with an invitation.';
  if (name === undefined) return `${text} more than 15 minutes. ${join}`;
  return `${text} longer than the host keeps a place. @${name} is not saved any more. ${join}`;
}

function refusedText({ reason, version, name }: Ending & { readonly kind: 'refused' }): string {
  const ofReturn = name === undefined ? null : returnRefusalText(reason, comeBackWords(name));
  return ofReturn ?? refusalText(reason, version);
}

/** How someone whose place is kept comes back. */
export function comeBackWords(name: string): string {
  return `securechat c @${name}`;
}

export function outcomeOfError(error: unknown): Outcome {
  if (error instanceof GaveUpError) {
    return error.how === 'interrupted'
      ? { exitCode: EXIT.interrupted, problem: null }
      : {
          exitCode: EXIT.notAdmitted,
          problem: { code: 'gave-up', text: 'Standard input ended before everything was answered.' },
        };
  }
  if (error instanceof SecurityError) {
    return { exitCode: EXIT.security, problem: { code: error.code, text: securityText(error) } };
  }
  if (error instanceof ProtocolError) {
    const text = `The host broke the protocol: ${error.message}.`;
    return { exitCode: EXIT.security, problem: { code: error.code, text } };
  }
  if (error instanceof DialError || error instanceof ListenError) {
    return { exitCode: EXIT.network, problem: { code: error.code, text: error.message } };
  }
  if (error instanceof LostError)
    return { exitCode: EXIT.network, problem: { code: 'lost', text: error.message } };
  if (error instanceof InputError)
    return { exitCode: EXIT.usage, problem: { code: error.code, text: error.message } };
  if (error instanceof StorageError)
    return { exitCode: EXIT.unexpected, problem: { code: error.code, text: error.message } };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { exitCode: EXIT.unexpected, problem: { code: UNEXPECTED, text: `Unexpected failure: ${text}` } };
}

function securityText(error: SecurityError): string {
  if (error.code !== 'pin-mismatch') return error.message;
  return `${error.message} Either the room has ended and another program answers there, or someone stands between you and the host. Nothing was sent. Ask the host another way for a new invitation.`;
}

/** Tells how it ended: an event for programs, standard error for people. */
export function finish(
  front: Pick<Front, 'emit' | 'close'>,
  display: 'terminal' | 'plain' | 'json',
  { exitCode, problem, closed }: Outcome,
): ExitCode {
  if (display === 'json') {
    if (problem !== null) front.emit({ type: 'error', code: problem.code, message: problem.text });
    const last = closed ?? (problem === null ? undefined : { code: problem.code, reason: problem.text });
    if (last !== undefined) front.emit({ type: 'closed', ...last });
    front.close();
  } else {
    front.close();
    // The text may hold what the host or a member chose: a question, a nickname.
    if (problem !== null) {
      const text = cleanText(problem.text, { multiline: problem.code === UNEXPECTED });
      process.stderr.write(`${wrapped(`securechat: ${text}`, process.stderr.columns)}\n`);
    }
  }
  return exitCode;
}

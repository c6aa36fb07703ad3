/** What has become of files that were sent to somebody, and how a run that only sends them ends: facts in, sentences out. */
import { type FileView, hasDecided, hasIt, isOpen } from '../../member/file-view.ts';
import { formatDuration } from '../../protocol/duration.ts';
import type { IdKey } from '../../protocol/identifiers.ts';
import { EXIT } from '../exit-codes.ts';
import type { Outcome } from '../finish.ts';
import { shownName } from './file-sentences.ts';

/** Whom a file is for, as far as they are still there. */
export interface Awaited {
  readonly key: IdKey;
  readonly nick: string;
}

/** As much of a file as is asked of it here. */
export type Sent = Pick<FileView, 'name' | 'state' | 'problem' | 'takers'>;

export type Fate =
  /** Somebody may still take it. */
  | 'open'
  /** All have decided, and somebody has it. */
  | 'taken'
  | 'declined'
  /** Nobody is there any more to take it. */
  | 'gone'
  /** It cannot be sent any more. */
  | 'failed';

export function fateOf(view: Pick<FileView, 'state' | 'takers'>, awaited: readonly Awaited[]): Fate {
  if (view.takers.some(hasIt) && notDecided(view, awaited).length === 0) return 'taken';
  if (!isOpen(view.state)) return 'failed';
  if (notDecided(view, awaited).length > 0) return 'open';
  return view.takers.some(({ state }) => state === 'declined') ? 'declined' : 'gone';
}

function notDecided({ takers }: Pick<FileView, 'takers'>, awaited: readonly Awaited[]): readonly Awaited[] {
  const decided = new Set(takers.filter(hasDecided).map(({ member }) => member.key));
  return awaited.filter(({ key }) => !decided.has(key));
}

/** Those whom it was for and who have not got it, for a sentence; empty where all have it. */
export function withoutIt(
  { takers }: Pick<FileView, 'takers'>,
  awaited: readonly Awaited[],
): readonly string[] {
  const has = new Set(takers.filter(hasIt).map(({ member }) => member.key));
  return awaited.filter(({ key }) => !has.has(key)).map(({ nick }) => nick);
}

const NICKS_SHOWN = 5;

/** @returns e.g. `ann, bob`, or `ann, bob, carl, dora, eve and 7 more` */
export function nicksText(nicks: readonly string[]): string {
  const shown = nicks.slice(0, NICKS_SHOWN).join(', ');
  const more = nicks.length - NICKS_SHOWN;
  return more > 0 ? `${shown} and ${more} more` : shown;
}

/** The gravest comes first. */
const ORDER: readonly Fate[] = ['failed', 'declined', 'gone', 'open'];

/**
 * Where somebody has a file, the run has done what it was for, whoever else has not.
 * @param waitMs for how long nothing has moved, of those that are still `open`
 */
export function sendOutcome(views: readonly Sent[], awaited: readonly Awaited[], waitMs: number): Outcome {
  const missed = views.filter(({ takers }) => !takers.some(hasIt));
  for (const fate of ORDER) {
    const view = missed.find((each) => fateOf(each, awaited) === fate);
    if (view !== undefined) return missedOutcome(view, { fate, awaited, waitMs });
  }
  return { exitCode: EXIT.done, problem: null, closed: { code: 'sent', reason: 'it has been taken' } };
}

function missedOutcome(
  view: Sent,
  how: { readonly fate: Fate; readonly awaited: readonly Awaited[]; readonly waitMs: number },
): Outcome {
  const what = shownName(view.name);
  const who = nicksText(how.awaited.map(({ nick }) => nick));
  switch (how.fate) {
    case 'failed':
      if (view.state === 'cancelled')
        return problem(
          EXIT.network,
          'not-taken',
          `The message that offers ${what} is gone, and so is the offer.`,
        );
      return problem(EXIT.usage, 'not-sent', view.problem ?? `${what} cannot be sent any more.`);
    case 'declined': {
      const nicks = view.takers.flatMap(({ member, state }) => (state === 'declined' ? [member.nick] : []));
      return problem(EXIT.notAdmitted, 'declined', `${nicksText(nicks)} declined ${what}.`);
    }
    case 'gone':
      return problem(EXIT.network, 'not-taken', `Nobody is there any more to take ${what}.`);
    default: {
      const whoHasNot = how.awaited.length === 1 ? `${who} has not taken` : 'Nobody has taken';
      const text = `${whoHasNot} ${what}, and nothing has moved for ${formatDuration(how.waitMs)}. --wait gives them longer.`;
      return problem(EXIT.network, 'not-taken', text);
    }
  }
}

function problem(exitCode: Outcome['exitCode'], code: string, text: string): Outcome {
  return { exitCode, problem: { code, text } };
}

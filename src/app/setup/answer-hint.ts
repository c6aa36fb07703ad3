/** How hard an answer is to guess, in words for whoever chooses it. Says nothing of what it is. */
import { answerGuesses, answerStrength } from '../../crypto/answer.ts';
import { LIMITS } from '../../protocol/limits.ts';

export interface AnswerHint {
  readonly strength: 'weak' | 'fair' | 'good';
  readonly text: string;
}

const OPENINGS = { weak: 'That is weak', fair: 'That is fair', good: 'That is strong' } as const;
const SCALE = [
  [1e9, 'billion'],
  [1e6, 'million'],
  [1e3, 'thousand'],
] as const;
/** Beyond it nobody tells one number from another. */
const MANY = 1e12;

/** @param normalised as it is registered */
export function answerHint(normalised: string): AnswerHint {
  const strength = answerStrength(normalised);
  const guesses = guessesText(answerGuesses(normalised));
  const opening = `${OPENINGS[strength]}: ${shapeText(normalised)}, found in ${guesses} guesses.`;
  if (strength !== 'weak') return { strength, text: opening };
  const why = `At the door nobody has more than ${LIMITS.triesPerInvitation}, but whoever came by this machine's memory could try them all. Two or three words make it strong.`;
  return { strength, text: `${opening} ${why}` };
}

/** A slip of the finger in what nobody sees may show here: `3 words, 13 letters and numbers`. */
function shapeText(normalised: string): string {
  const words = normalised.split(' ').length;
  const characters = [...normalised.replaceAll(/[\s\p{M}]/gu, '')].length;
  return `${words === 1 ? '1 word' : `${words} words`}, ${characters} letters and numbers`;
}

/** One digit and a size: more would look exact. */
function guessesText(guesses: number): string {
  if (guesses >= MANY) return 'more than a thousand billion';
  const [unit, name] = SCALE.find(([least]) => guesses >= least) ?? [1, ''];
  if (name === '') return 'less than a thousand';
  const count = guesses / unit;
  const rounded = count < 10 ? Math.round(count) : Number(count.toPrecision(1));
  return `about ${rounded} ${name}`;
}

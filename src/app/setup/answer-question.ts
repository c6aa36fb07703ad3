/** The answer to the security question, as its host chooses it: said to be weak or strong, and never shown. */
import { normaliseAnswer } from '../../crypto/answer.ts';
import { InputError } from '../../protocol/errors.ts';
import type { SecretSource } from '../options.ts';
import { readSecret } from '../secret.ts';
import { answerHint } from './answer-hint.ts';
import { BACK, type Interview } from './interview.ts';

/** @returns the answer, normalised */
export async function askAnswer(interview: Interview, question: string): Promise<string | typeof BACK> {
  const { isPerson } = interview;
  const message = isPerson ? 'Its answer? Capitals and punctuation do not count.' : 'Its answer?';
  const read = (text: string): string => {
    const answer = normaliseAnswer(text);
    checkNotTold(question, answer);
    return answer;
  };
  for (;;) {
    const first = await interview.ask({ name: 'answer', message, secret: true }, read);
    if (first === BACK) return BACK;
    const kept = await keepOrBetter(interview, first, read);
    if (kept !== BACK) return kept;
  }
}

/** Whoever chose a weak answer may choose again, as long as they like. */
async function keepOrBetter(
  interview: Interview,
  first: string,
  read: (text: string) => string,
): Promise<string | typeof BACK> {
  const asked = { name: 'answer', message: 'A better answer? Enter keeps this one.', secret: true };
  for (let answer = first; ; ) {
    const isWeak = tellStrength(interview, answer) === 'weak';
    if (!isWeak || !interview.isPerson) return answer;
    const better = await interview.ask(asked, (text) => (text.trim() === '' ? null : read(text)));
    if (better === null) return answer;
    if (better === BACK) return BACK;
    answer = better;
  }
}

/**
 * @returns the answer from a file or standard input, normalised
 * @throws InputError when it cannot be used
 */
export async function givenAnswer(interview: Interview, source: SecretSource): Promise<string> {
  const answer = normaliseAnswer(await readSecret(source, interview.front));
  if (answerHint(answer).strength === 'weak') tellStrength(interview, answer);
  return answer;
}

/** @throws InputError `answer-told` when whoever reads the question has read the answer. */
export function checkNotTold(question: string, answer: string): void {
  let words = '';
  try {
    words = normaliseAnswer(question);
  } catch {
    // Two letters hold no answer.
  }
  if (` ${words} `.includes(` ${answer} `))
    throw new InputError(
      'answer-told',
      'The question has that answer in it. Choose another answer, or another question.',
    );
}

/** A program is told of a weak answer only. */
function tellStrength(interview: Interview, answer: string): 'weak' | 'fair' | 'good' {
  const { strength, text } = answerHint(answer);
  if (strength === 'weak')
    interview.front.emit({ type: 'notice', level: 'warning', code: 'weak-answer', text });
  else if (interview.isPerson) interview.tell(text);
  return strength;
}

/** One question, again and again until its answer does. */
import { InputError } from '../protocol/errors.ts';
import type { Front } from './front/front.ts';

type Asked = Parameters<Front['ask']>[0];

/**
 * @param problem why it is asked at all, where that is not for the first time
 * @param read understands the answer, or throws an InputError that says why it does not do
 * @throws GaveUpError when nobody is there to answer any more
 */
export async function askUntil<Value>(
  front: Pick<Front, 'ask'>,
  asked: Asked,
  problem: string | null,
  read: (text: string) => Value | Promise<Value>,
): Promise<Value> {
  let next: Asked = problem === null ? asked : { ...asked, problem };
  for (;;) {
    const text = await front.ask(next);
    try {
      return await read(text);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      // Hints are read once.
      const { hints: _, ...again } = asked;
      next = { ...again, problem: sentence(error.message) };
    }
  }
}

/** Under the same name with `-again`: whether it is the same, but for white space and how letters are composed. */
export async function isTypedAgain(
  front: Pick<Front, 'ask'>,
  name: string,
  chosen: string,
): Promise<boolean> {
  const again = await front.ask({ name: `${name}-again`, message: 'Once more?', secret: true });
  return again.trim().normalize('NFC') === chosen;
}

/** Some messages are written for the end of a line. */
function sentence(message: string): string {
  const opened = message.replace(/^./u, (first) => first.toUpperCase());
  return /[.?!]$/.test(opened) ? opened : `${opened}.`;
}

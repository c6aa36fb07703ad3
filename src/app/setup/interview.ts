/** Questions one after the other: each is put again until its answer does, and a person may go back to the one before. */
import { askUntil } from '../ask-until.ts';
import type { Front } from '../front/front.ts';

export type InterviewFront = Pick<Front, 'emit' | 'ask' | 'readLine'>;
type Asked = Parameters<Front['ask']>[0];

/** Instead of an answer: the person wants the question before this one again. */
export const BACK = Symbol('back');
const BACK_KEY = '<';
const INTRO = `Enter takes what stands in brackets, ${BACK_KEY} goes back.`;

export class Interview {
  readonly front: InterviewFront;
  /** Someone sits at a terminal; a program gets no hints and does not go back. */
  readonly isPerson: boolean;
  #introduced: boolean;

  /** @param options.introduce says with the first question how questions are answered */
  constructor(front: InterviewFront, options: { readonly isPerson: boolean; readonly introduce: boolean }) {
    this.front = front;
    this.isPerson = options.isPerson;
    this.#introduced = !(options.isPerson && options.introduce);
  }

  /**
   * An empty answer stands for the default, where there is one.
   *
   * @param read understands the answer, or throws an InputError that says why it does not do
   * @throws GaveUpError when nobody is there to answer any more
   */
  async ask<Value>(asked: Asked, read: (text: string) => Value): Promise<Value | typeof BACK> {
    const shown = this.isPerson ? { ...asked, hints: this.#hints(asked) } : withoutHints(asked);
    return askUntil<Value | typeof BACK>(this.front, shown, null, (text) => {
      if (this.isPerson && text.trim() === BACK_KEY) return BACK;
      return read(text.trim() === '' ? (asked.default ?? text) : text);
    });
  }

  tell(text: string): void {
    this.front.emit({ type: 'notice', level: 'info', code: 'setup', text });
  }

  #hints(asked: Asked): readonly string[] {
    const intro = this.#introduced ? [] : [INTRO];
    this.#introduced = true;
    return [...intro, ...(asked.hints ?? [])];
  }
}

function withoutHints({ hints: _, ...asked }: Asked): Asked {
  return asked;
}

/** A word to whoever has answered everything and sees nothing happen. */
import type { Front } from './front/front.ts';

/** Longer than this and people wonder. */
const SLOW_MS = 1_000;

export function tellIfSlow(work: Promise<unknown>, front: Pick<Front, 'emit'>, text: string): void {
  const timer = setTimeout(() => front.emit({ type: 'notice', level: 'info', code: 'wait', text }), SLOW_MS);
  const done = (): void => clearTimeout(timer);
  work.then(done, done);
}

/** Calls from the bench to its own child processes, one answer each, over Node's channel between them. */
import type { Serializable } from 'node:child_process';

/** What a child offers. Inputs and results are structured clones. */
export type Calls = Readonly<Record<string, (input: never) => unknown>>;

interface Request {
  readonly id: number;
  readonly name: string;
  readonly input: Serializable;
}

export type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly problem: string };

/** In the child: answers the parent's calls, and ends when the parent does. */
export function serve(calls: Calls): void {
  process.on('message', async ({ id, name, input }: Request) => {
    process.send?.(await answer(calls, id, name, input));
  });
  process.on('disconnect', () => process.exit());
}

async function answer(calls: Calls, id: number, name: string, input: unknown): Promise<Reply> {
  try {
    const call = calls[name];
    if (call === undefined) throw new Error(`no call ${name}`);
    return { id, result: await call(input as never) };
  } catch (error) {
    return { id, problem: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

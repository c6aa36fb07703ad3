/** A child process of the bench: on a core of its own where the system can pin, and called as `calls.ts` says. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Calls, Reply } from './calls.ts';

/** Servers run on one core, whatever loads them on the other; `any` where the two do not tell sides apart. */
export type Core = 'server' | 'load' | 'any';

const CORES = { server: '0', load: '1', any: null } as const;
const canPin = spawnSync('taskset', ['-c', '0,1', 'true']).status === 0;

export const pinned = canPin ? 'server on core 0, load on core 1' : 'not pinned: no taskset, or one core';

/** @returns the command that runs `command` on that core, or as it is where nothing can be pinned or is to be. */
export function onCore(core: Core, command: readonly string[]): readonly [string, ...string[]] {
  const cores = CORES[core];
  const prefix = canPin && cores !== null ? ['taskset', '-c', cores] : [];
  const [program = '', ...rest] = [...prefix, ...command];
  return [program, ...rest];
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class Child<Api extends Calls> {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #gone: Promise<void>;
  #lastId = 0;

  /** @param script a file beside this one @param words its arguments */
  constructor(script: string, core: Core, ...words: readonly string[]) {
    const path = join(import.meta.dirname, script);
    const node = [process.execPath, '--expose-gc', ...profiling(script), path, ...words];
    const [program, ...args] = onCore(core, node);
    this.#process = spawn(program, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    this.#process.on('message', (reply: Reply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ('problem' in reply) waiting?.reject(new Error(`${script}: ${reply.problem}`));
      else waiting?.resolve(reply.result);
    });
    this.#gone = new Promise((resolve) => {
      this.#process.once('exit', () => {
        for (const { reject } of this.#waiting.values()) reject(new Error(`${script} has ended`));
        resolve();
      });
    });
  }

  call<Name extends keyof Api & string>(
    name: Name,
    input: Parameters<Api[Name]>[0],
  ): Promise<Awaited<ReturnType<Api[Name]>>> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const settle = (result: unknown): void => resolve(result as Awaited<ReturnType<Api[Name]>>);
      this.#waiting.set(id, { resolve: settle, reject });
      this.#process.send({ id, name, input });
    });
  }

  async end(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect();
    await this.#gone;
  }
}

/** `BENCH_PROFILE=host-process.ts` writes that child's CPU profile to the folder one stands in. */
function profiling(script: string): readonly string[] {
  return process.env['BENCH_PROFILE'] === script ? ['--cpu-prof'] : [];
}

/** Completion scripts. They are static: completing starts no securechat, and what they know is the tables. */
import type { Shell } from '../commands.ts';
import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import { completedCommands } from './model.ts';
import { zshScript } from './zsh.ts';

const WRITERS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

export function completionScript(shell: Shell): string {
  return WRITERS[shell](completedCommands());
}

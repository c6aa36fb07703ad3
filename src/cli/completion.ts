import type { Shell } from './commands.ts';
export function completionScript(shell: Shell): string {
  return shell;
}

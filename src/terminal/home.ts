/** `~` in the name of a file, where no shell has seen it: in commands, variables and the configuration file. */
import { homedir } from 'node:os';

/** @param path as a person typed it: `~` and what begins with `~/`, on Windows also with `~\`, is in their own folder */
export function expandHome(path: string, platform: NodeJS.Platform = process.platform): string {
  const isHome = path === '~' || path.startsWith('~/') || (platform === 'win32' && path.startsWith('~\\'));
  return isHome ? homedir() + path.slice(1) : path;
}

/** Where the program's own files lie unless told otherwise. The one file that knows env-paths. */
import { join } from 'node:path';

/** @returns `null` for an account without a home. */
export function defaultConfigPath(): Promise<string | null> {
  return place(({ config }) => join(config, 'securechat.toml'));
}

/** Of the rooms that a guest comes back to. @returns `null` for an account without a home. */
export function defaultSavedFolder(): Promise<string | null> {
  return place(({ data }) => join(data, 'saved'));
}

async function place(
  choose: (paths: { readonly config: string; readonly data: string }) => string,
): Promise<string | null> {
  try {
    const { default: envPaths } = await import('env-paths');
    return choose(envPaths('securechat', { suffix: '' }));
  } catch {
    return null;
  }
}

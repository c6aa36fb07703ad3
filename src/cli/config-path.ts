/** Where the program's own files lie unless told otherwise. The one file that knows env-paths. */
import { isAbsolute, join } from 'node:path';

/** @returns `null` for an account without a home. */
async function folders(): Promise<{ readonly config: string; readonly data: string } | null> {
  try {
    const { default: envPaths } = await import('env-paths');
    const found = envPaths('securechat', { suffix: '' });
    // By an empty HOME they would lie wherever one stands.
    return isAbsolute(found.config) && isAbsolute(found.data) ? found : null;
  } catch {
    return null;
  }
}

/** @returns `null` for an account without a home. */
export async function defaultConfigPath(): Promise<string | null> {
  const known = await folders();
  return known === null ? null : join(known.config, 'securechat.toml');
}

/** Of rooms, kept and saved. @returns `null` for an account without a home. */
export async function defaultDataFolder(): Promise<string | null> {
  return (await folders())?.data ?? null;
}

/** Where the configuration file lies unless told otherwise. The one file that knows env-paths. */
import { join } from 'node:path';

/** @returns `null` for an account without a home. */
export async function defaultConfigPath(): Promise<string | null> {
  try {
    const { default: envPaths } = await import('env-paths');
    return join(envPaths('securechat', { suffix: '' }).config, 'securechat.toml');
  } catch {
    return null;
  }
}

/** Putting the places together: what was given by option, by variable and in the file. */
import { cleanText } from '../protocol/clean-text.ts';
import { InputError } from '../protocol/errors.ts';
import { readConfigFile } from './config-file.ts';
import { Choices, type Layer } from './layers.ts';
import { SETTINGS } from './settings.ts';
import type { Surroundings } from './surroundings.ts';
import { strayVariables, variableLayer } from './variables.ts';

export interface ConfigPath {
  readonly path: string;
  /** Somebody named it: then it must exist. */
  readonly named: boolean;
}

export interface Chosen {
  readonly choices: Choices;
  /** `null` for an account without a home. */
  readonly file: { readonly path: string; readonly exists: boolean } | null;
}

/**
 * Warns of variables that look like settings and are none.
 * @throws InputError for whatever cannot be used, naming its place
 */
export async function choose(options: Layer, surroundings: Surroundings): Promise<Chosen> {
  for (const sentence of strayVariables(surroundings.env)) {
    surroundings.writeErr(`securechat: warning: ${cleanText(sentence)}\n`);
  }
  const variables = variableLayer(surroundings.env);
  const file = await findConfig(options, surroundings);
  const layer = file === null ? null : await readConfigFile(file.path);
  if (file?.named === true && layer === null) {
    throw new InputError('config', `There is no configuration file ${file.path}.`);
  }
  return {
    choices: new Choices([options, variables, ...(layer === null ? [] : [layer])]),
    file: file === null ? null : { path: file.path, exists: layer !== null },
  };
}

export async function findConfig(options: Layer, surroundings: Surroundings): Promise<ConfigPath | null> {
  const named = new Choices([options, variableLayer(surroundings.env)]).value(SETTINGS.config);
  const path = named ?? (await surroundings.configPath());
  return path === null ? null : { path, named: named !== null };
}

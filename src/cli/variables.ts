/** Settings from environment variables. No secret may stand in one: other programs and their reports see them. */
import { InputError } from '../protocol/errors.ts';
import { nearestWord } from '../protocol/nearest-word.ts';
import type { Given, Layer } from './layers.ts';
import type { Setting } from './setting.ts';
import { ALL_SETTINGS, SECRETS, SETTINGS, variableName, variableOf } from './settings.ts';

const PREFIX = 'SECURECHAT_';

type Environment = { readonly [name: string]: string | undefined };

/**
 * An empty variable counts as unset.
 * @throws InputError `secret` where one stands in a variable
 */
export function variableLayer(environment: Environment): Layer {
  for (const [secret, option] of SECRETS) {
    if (!environment[variableName(secret)]) continue;
    throw new InputError(
      'secret',
      `${variableName(secret)} is not read: a secret in a variable is seen by every program you start. ` +
        `Write it into a file that only you can read, and name that with ${variableName(option)}.`,
    );
  }
  const layer = new Map<Setting, Given>();
  for (const setting of ALL_SETTINGS) {
    const name = variableOf(setting);
    const text = name === null ? undefined : environment[name];
    if (name === null || !text) continue;
    const texts = setting.form.kind === 'list' ? text.split(',').map((part) => part.trim()) : [text];
    layer.set(setting, { texts, origin: { kind: 'variable', name } });
  }
  const color = colorOf(environment);
  if (color !== null) layer.set(SETTINGS.color, color);
  return layer;
}

/** @see https://no-color.org and https://force-color.org: an empty value counts as unset, any other as set. */
function colorOf(environment: Environment): Given | null {
  if (environment['NO_COLOR']) return { texts: ['false'], origin: { kind: 'variable', name: 'NO_COLOR' } };
  if (environment['FORCE_COLOR'])
    return { texts: ['true'], origin: { kind: 'variable', name: 'FORCE_COLOR' } };
  return null;
}

/** @returns a sentence for each variable that looks like one of ours and is none. */
export function strayVariables(environment: Environment): readonly string[] {
  const known = ALL_SETTINGS.map(variableOf).filter((name) => name !== null);
  const bare = known.map((name) => name.slice(PREFIX.length));
  return Object.keys(environment)
    .filter((name) => name.startsWith(PREFIX) && environment[name] && !known.includes(name))
    .map((name) => {
      const nearest = nearestWord(name.slice(PREFIX.length), bare);
      return `${name} is not a setting${nearest === null ? '.' : `; did you mean ${PREFIX}${nearest}?`}`;
    });
}

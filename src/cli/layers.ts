/**
 * Where values come from, strongest first: options, variables, the file, defaults. Every value that was given is
 * checked, also one that a stronger place overrides: a mistake does not wait until it counts.
 */
import { InputError } from '../protocol/errors.ts';
import type { Setting } from './setting.ts';

export type Origin =
  | { readonly kind: 'option'; readonly name: string }
  | { readonly kind: 'variable'; readonly name: string }
  /** Lines count from 1. */
  | { readonly kind: 'file'; readonly path: string; readonly line: number };

export interface Given {
  readonly texts: readonly string[];
  readonly origin: Origin;
}

/** What one place gives. */
export type Layer = ReadonlyMap<Setting, Given>;

export class Choices {
  readonly #layers: readonly Layer[];

  /**
   * @param layers the strongest first
   * @throws InputError naming the place of the first value that does not do
   */
  constructor(layers: readonly Layer[]) {
    this.#layers = layers;
    for (const layer of layers) for (const [setting, given] of layer) readGiven(setting, given);
  }

  /** @returns what counts, or `null` where the default does. */
  given(setting: Setting): Given | null {
    for (const layer of this.#layers) {
      const given = layer.get(setting);
      if (given !== undefined) return given;
    }
    return null;
  }

  value<Value>(setting: Setting<Value>): Value {
    const given = this.given(setting);
    return given === null ? setting.fallback : readGiven(setting, given);
  }
}

function readGiven<Value>(setting: Setting<Value>, { texts, origin }: Given): Value {
  try {
    return setting.read(texts);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(error.code, `${placeOf(setting, origin)}: ${error.message}`);
  }
}

/** What a message about a value begins with. */
function placeOf(setting: Setting, origin: Origin): string {
  return origin.kind === 'file' ? `${origin.path}:${origin.line}: ${setting.key}` : origin.name;
}

/** Choosing the front that was asked for. */

import type { CommonOptions, HostOptions } from '../options.ts';
import type { Front } from './front.ts';
import { JsonFront } from './json-front.ts';
import { TerminalFront } from './terminal-front.ts';

/** @param options.banner `false`: a command that comes and goes does not introduce itself */
export function openFront(options: (CommonOptions | HostOptions) & { readonly banner?: boolean }): Front {
  return options.display === 'json' ? new JsonFront() : new TerminalFront(options);
}

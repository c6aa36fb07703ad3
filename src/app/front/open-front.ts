/** Choosing the front that was asked for. */

import type { CommonOptions, HostOptions } from '../options.ts';
import type { Front } from './front.ts';
import { JsonFront } from './json-front.ts';
import { TerminalFront } from './terminal-front.ts';

export function openFront(options: CommonOptions | HostOptions): Front {
  return options.display === 'json' ? new JsonFront() : new TerminalFront(options);
}

/** A kept room as a line of the list. */
import { cleanText } from '../../protocol/clean-text.ts';
import type { KeptRoomEvent } from '../json-lines.ts';
import { sizeText } from './amounts.ts';
import { clock, shortDate } from './dates.ts';
import type { RenderView } from './entry.ts';
import { wrapLine } from './wrap.ts';

export function keptRoomLines(event: KeptRoomEvent, { columns, timeZone }: RenderView): readonly string[] {
  const { name, room, members = 0, waiting = 0, bytes, problem, openedAt } = event;
  const last = Date.parse(openedAt ?? '');
  const opened = Number.isNaN(last)
    ? []
    : [`opened ${shortDate(last, timeZone)} ${clock(last, 'minutes', timeZone)}`];
  const known =
    problem === undefined
      ? [room ?? '', counted(members, 'member'), `${counted(waiting, 'message')} waiting`]
      : [problem.text.replace(/\.$/, '')];
  const parts = [...known, sizeText(bytes), ...(event.open ? ['open now'] : opened)];
  return wrapLine(cleanText(`${name}: ${parts.join(', ')}`), columns);
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

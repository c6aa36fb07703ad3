/** Of all files, those that are under way, as progress shows them. */
import type { FileView } from '../member/file-view.ts';
import type { FileRow } from '../terminal/view/file-row.ts';

export function fileRows(views: readonly FileView[]): readonly FileRow[] {
  return views.flatMap((view) => (view.isOwn ? ownRow(view) : othersRow(view)));
}

function othersRow(view: FileView): readonly FileRow[] {
  if (view.state !== 'running' && view.state !== 'checking') return [];
  return [{ ...about(view), doneBytes: view.doneBytes, isChecking: view.state === 'checking', takers: [] }];
}

/** Nobody takes it: nothing is under way, whatever else becomes of it. */
function ownRow(view: FileView): readonly FileRow[] {
  const takers = view.takers
    .filter(({ state }) => state === 'running')
    .map(({ member, doneBytes }) => ({ nick: member.nick, doneBytes }));
  if (takers.length === 0) return [];
  const doneBytes = Math.min(...takers.map((taker) => taker.doneBytes));
  return [{ ...about(view), doneBytes, isChecking: false, takers }];
}

function about({ number, isOwn, name, bytes, bytesPerSecond, leftMs }: FileView) {
  return { number, isOwn, name, bytes, bytesPerSecond, leftMs };
}

/** What a person sees of files: that one is offered, and what becomes of it, a line each. */
import { cleanText } from '../../protocol/clean-text.ts';
import { unreachable } from '../../protocol/errors.ts';
import type { FileEvent, MessageEvent, OfferedFile } from '../json-lines.ts';
import { percentOf, sizeText } from './amounts.ts';
import { alert, cleanNick, type RenderView } from './entry.ts';
import { fileName } from './file-name.ts';

/** @returns e.g. `2.4 MiB`, or `a folder of 120 files, 1.2 GiB` */
export function fileSizeText({ bytes, files }: Pick<OfferedFile, 'bytes' | 'files'>): string {
  if (files === undefined) return sizeText(bytes);
  return `a folder of ${files} ${files === 1 ? 'file' : 'files'}, ${sizeText(bytes)}`;
}

/** What follows the name of whoever offers it. */
export function offerText({ own, text, file }: Pick<MessageEvent, 'own' | 'text' | 'file'>): string {
  if (file === undefined) return `offers ${fileName(text)}.`;
  const what = `offers ${fileName(file.name)}, ${fileSizeText(file)}`;
  return own
    ? `${what} (${file.number}).`
    : `${what}. /accept ${file.number} takes it, /decline ${file.number} does not.`;
}

type Taker = NonNullable<FileEvent['takers']>[number];

/** As many as are remembered of what was said. What becomes of an older one is told once more than needed. */
const KEPT_MOST = 1_024;

/** What has changed of one file since it was last told. */
export type FileChange =
  | { readonly kind: 'state'; readonly event: FileEvent; readonly before: FileEvent['state'] | null }
  | { readonly kind: 'taker'; readonly event: FileEvent; readonly taker: Taker };

/** Remembers what was told, since an event says how things are and not what is new of it. */
export class FileFold {
  /** By number. */
  readonly #told = new Map<
    number,
    { readonly state: FileEvent['state']; readonly takers: ReadonlyMap<string, string> }
  >();

  take(event: FileEvent): readonly FileChange[] {
    const before = this.#told.get(event.number);
    const takers = event.takers ?? [];
    this.#told.set(event.number, {
      state: event.state,
      takers: new Map(takers.map(({ member, state }) => [member.id, state])),
    });
    this.#told.delete(event.number - KEPT_MOST);
    return [
      ...takers
        .filter(({ member, state }) => before?.takers.get(member.id) !== state)
        .map((taker) => ({ kind: 'taker', event, taker }) as const),
      ...(before?.state === event.state
        ? []
        : [{ kind: 'state', event, before: before?.state ?? null } as const]),
    ];
  }
}

export function fileLines(news: FileChange, view: RenderView): readonly string[] {
  const { event } = news;
  if (news.kind === 'taker') return alert(takerText(event, news.taker), view);
  if (event.state === 'failed')
    return alert(`Warning: ${fileName(event.name)} failed${because(event)}`, view, view.palette.warning);
  const text = event.own ? ownText(event, news.before) : othersText(event, news.before);
  return text === null ? [] : alert(text, view, event.state === 'done' ? view.palette.good : undefined);
}

function takerText({ name, bytes }: FileEvent, { member, state, doneBytes }: Taker): string {
  const who = cleanNick(member.nick);
  const what = fileName(name);
  switch (state) {
    case 'running':
      return `${who} takes ${what}.`;
    case 'stopped':
      return `${who} has ${percentOf(doneBytes, bytes)} % of ${what}, and no more comes through just now.`;
    case 'done':
      return `${who} has ${what}.`;
    case 'declined':
      return `${who} declined ${what}.`;
    case 'kept':
      return `${what} waits at the host for ${who}; you may go.`;
    case 'unkept':
      return `The host has no room to keep ${what} for ${who}: ${who} gets it when you are both here.`;
    default:
      return unreachable(state);
  }
}

/** Of a state that says nothing new, `null`: an offer is a message of its own, and progress is drawn elsewhere. */
function othersText(event: FileEvent, before: FileEvent['state'] | null): string | null {
  const what = fileName(event.name);
  const who = cleanNick(event.from.nick);
  switch (event.state) {
    case 'offered':
    case 'checking':
    case 'failed':
      return null;
    case 'queued':
      return `${what} waits until others are done${because(event)}`;
    case 'waiting':
      return `${what} waits${event.problem === undefined ? ` for ${who}` : ''}${because(event)}`;
    case 'running':
      return before === 'waiting'
        ? `${what} goes on.`
        : `Taking ${what} from ${who}, ${fileSizeText(event)}.`;
    case 'done':
      return event.path === undefined ? `${what} is here.` : `${what} is here: ${cleanText(event.path)}`;
    case 'declined':
      return `You declined ${what}.`;
    case 'cancelled':
      return `You cancelled ${what}.`;
    case 'withdrawn':
      return `${who} took back ${what}.`;
    default:
      return unreachable(event.state);
  }
}

/** Who takes it says the most of one's own; what is left is why it does not go on. */
function ownText(event: FileEvent, before: FileEvent['state'] | null): string | null {
  const what = fileName(event.name);
  switch (event.state) {
    case 'waiting':
      return `${what} waits${because(event)}`;
    case 'running':
      return before === 'waiting' ? `${what} goes on.` : null;
    case 'cancelled':
    case 'withdrawn':
      return `You took back ${what}.`;
    case 'offered':
    case 'queued':
    case 'checking':
    case 'done':
    case 'failed':
    case 'declined':
      return null;
    default:
      return unreachable(event.state);
  }
}

/** Comes last: nothing of it can pass for more than the reason. */
function because({ problem }: FileEvent): string {
  return problem === undefined ? '.' : `: ${cleanText(problem)}`;
}

/**
 * One log as the host writes and serves it: the room's own or that of a conversation. Content passes through as it came.
 * @see docs/protocol.md#log
 */
import { leafHash } from '../crypto/log-hash.ts';
import type { Bytes } from '../protocol/bytes.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { encodeFrame } from '../protocol/framing.ts';
import { type ConversationId, ciphertext, type Hash } from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import {
  DigestItem,
  Entry,
  type EntryKind,
  LOG_PAGE_ENTRIES,
  LogPage,
  type Post,
  SESSION_FRAME,
  WholeItem,
} from '../protocol/session-frames.ts';
import type { Log } from './log.ts';

/** A page's own fields beside what it lists. */
export const PAGE_MARGIN_BYTES = 4_096;

/** What is signed has no ciphertext. */
export const NOTHING = ciphertext(new Uint8Array());

export interface ServedPage {
  readonly frame: Bytes;
  /** Index of the first item; more than asked for when what lay between is gone. */
  readonly first: number;
  /** It reaches the log's end. */
  readonly live: boolean;
}

export class Placing {
  readonly conversation: ConversationId;
  readonly log: Log;
  #placedAtMs: number;

  /** @param placedAtMs of the latest entry; 0 for none */
  constructor(conversation: ConversationId, log: Log, placedAtMs: number) {
    this.conversation = conversation;
    this.log = log;
    this.#placedAtMs = placedAtMs;
  }

  get position(): { readonly conversation: ConversationId; readonly index: number; readonly head: Hash } {
    const { conversation, log } = this;
    return { conversation, index: log.index, head: log.head };
  }

  /** @returns the ENTRY frame for everyone who reads this log. */
  place(
    kind: EntryKind,
    { header, ciphertext: sealed, signature }: Post,
    { nowMs }: Pick<Moment, 'nowMs'>,
    known?: Hash,
  ): { readonly frame: Bytes; readonly index: number } {
    // Never backwards, whatever the clock does: readers sort by the log, and show these times.
    this.#placedAtMs = Math.max(this.#placedAtMs, nowMs);
    const placedAtMs = this.#placedAtMs;
    // The frame these bytes came in may be part of a larger read: keep only what the entry needs.
    const entry = {
      header: header.slice(),
      ciphertext: ciphertext(sealed.slice()),
      signature: signature.slice(),
    };
    const leaf = known ?? leafHash(entry);
    const index = this.log.append({ kind, placedAtMs, leaf, ...entry });
    const body = Entry.encode({ conversation: this.conversation, index, kind, placedAtMs, ...entry });
    return { frame: encodeFrame(SESSION_FRAME.entry, body), index };
  }

  /** @throws ProtocolError when the log does not go as far */
  page(after: number, { pageBytes }: Pick<Limits, 'pageBytes'>): ServedPage {
    const { log, conversation } = this;
    if (after > log.index) throw new ProtocolError('bad-index', `entry ${after} of this log does not exist`);
    const { first, headBefore, items } = log.read(after, {
      entries: LOG_PAGE_ENTRIES,
      bytes: pageBytes - PAGE_MARGIN_BYTES,
    });
    const live = first + items.length > log.index;
    const body = LogPage.encode({
      conversation,
      first,
      headBefore,
      items: items.map((item) =>
        item.form === 'whole'
          ? { form: 'whole' as const, body: WholeItem.encode(item) }
          : { form: 'digest' as const, body: DigestItem.encode(item) },
      ),
      live,
    });
    return { frame: encodeFrame(SESSION_FRAME.log, body), first, live };
  }
}

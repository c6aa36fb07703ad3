/**
 * Pulls the member list in pages, in order, and puts it together.
 * @see docs/protocol.md#session
 */
import type { Bytes } from '../protocol/bytes.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { encodeFrame } from '../protocol/framing.ts';
import { type Hash, ID_BYTES, type IdKey, idKey } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import {
  type ListPage,
  PRESENCE_BYTES,
  PresenceNow,
  PullList,
  SESSION_FRAME,
} from '../protocol/session-frames.ts';
import { decodeRosterEntries, type RosterEntry } from '../protocol/signed-objects.ts';

export interface ListedMember {
  readonly key: IdKey;
  readonly entry: RosterEntry;
  readonly presence: PresenceNow;
}

export class ListReader {
  readonly #listed: ListedMember[] = [];

  /** The frame that asks for the next page. */
  pull(): Bytes {
    return encodeFrame(SESSION_FRAME.pullList, PullList.encode({ from: this.#listed.length }));
  }

  /**
   * @returns the whole list with its last page, `null` before.
   * @throws ProtocolError when the page is not the one asked for.
   */
  take(page: ListPage): readonly ListedMember[] | null {
    const from = this.#listed.length;
    const fits = page.from === from && page.count > 0 && from + page.count <= page.total;
    const isWhole = page.presence.length === page.count * PRESENCE_BYTES;
    if (!fits || !isWhole || page.total > LIMITS.membersMost) {
      throw new ProtocolError('bad-page', 'a page of the member list that was not asked for');
    }
    decodeRosterEntries(page.entries, page.count).forEach((entry, place) => {
      this.#listed.push({
        key: idKey(entry.identity.subarray(0, ID_BYTES.member)),
        entry: { ...entry, identity: entry.identity.slice() as Hash },
        presence: PresenceNow.decode(
          page.presence.subarray(place * PRESENCE_BYTES, (place + 1) * PRESENCE_BYTES),
        ),
      });
    });
    return this.#listed.length === page.total ? this.#listed : null;
  }
}

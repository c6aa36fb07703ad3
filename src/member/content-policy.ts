/** What the owner of a room lets its members do with what has been said. @see docs/protocol.md#content */
import type { RoomSettings } from '../protocol/signed-objects.ts';

export interface ContentPolicy {
  /** One may change and delete what one has said. */
  readonly edits: boolean;
  /** One may tell others what one has read. */
  readonly readReceipts: boolean;
}

/** The one place where settings become a policy: they forbid nothing yet. */
export function policyOf(_settings: RoomSettings): ContentPolicy {
  return { edits: true, readReceipts: true };
}

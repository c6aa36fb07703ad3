/** What the room answers to an event. The shell carries these out, in order. */
import type { RosterChange, RosterMember } from '../crypto/roster.ts';
import type { Bytes } from '../protocol/bytes.ts';
import type { IdKey } from '../protocol/identifiers.ts';
import type { Refusal } from '../protocol/reasons.ts';
import type { PresenceState } from '../protocol/session-frames.ts';
import type { ShownCode } from './code-keeper.ts';
import type { HolderId } from './invitations.ts';
import type { Visitor } from './visitors.ts';

/** What the host's screen and programs may show. Nobody's message is among it. */
export type RoomNotice =
  | { readonly kind: 'code'; readonly code: ShownCode }
  /** Someone with an invitation stands at the door, or has come further. */
  | ({ readonly kind: 'door' } & Visitor)
  /** They do not stand there any more. `reason`: why they were refused; `null` where their program broke the protocol. */
  | {
      readonly kind: 'door-left';
      readonly holder: HolderId;
      readonly invitation: IdKey;
      readonly how: 'gone' | 'refused' | 'admitted';
      readonly reason: Refusal | null;
    }
  /** Someone was refused whom the host has not been told of before. */
  | { readonly kind: 'refused'; readonly holder: HolderId; readonly reason: Refusal }
  | { readonly kind: 'unbanned'; readonly nick: string; readonly by: RosterMember }
  | { readonly kind: 'suspended'; readonly invitation: IdKey; readonly because: 'tries' | 'removal' }
  | { readonly kind: 'roster'; readonly change: RosterChange }
  | {
      readonly kind: 'presence';
      readonly member: RosterMember;
      readonly presence: PresenceState;
      readonly before: PresenceState;
      readonly online: boolean;
      readonly lastSeenMs: number | null;
    };

export type RoomEffect =
  /** To one, in order with what is broadcast before and after. */
  | { readonly kind: 'send'; readonly to: HolderId; readonly frame: Bytes }
  /** To everyone live, as one and the same bytes. */
  | { readonly kind: 'broadcast'; readonly frame: Bytes }
  /** To those few, each in order with what is broadcast before and after, as one and the same bytes. */
  | { readonly kind: 'multicast'; readonly to: readonly HolderId[]; readonly frame: Bytes }
  /** From here on this connection gets what is broadcast, and nothing from before. */
  | { readonly kind: 'live'; readonly connection: HolderId }
  /** The run at the door is over: larger frames are allowed now. */
  | { readonly kind: 'admitted'; readonly connection: HolderId }
  /** From here on what comes on this connection is a bare stream: it goes to `Room.bytes`. */
  | { readonly kind: 'stream'; readonly connection: HolderId }
  /** A file of which `Room.bytes` names the key is to be written beside the room: so many bytes. */
  | { readonly kind: 'deposit'; readonly file: IdKey; readonly bytes: number }
  /** Whatever is there of it goes. Who reads it already reads on. */
  | { readonly kind: 'drop'; readonly file: IdKey }
  /** What was written goes to this connection: the stream from that chunk on, as far as there is room for it. */
  | {
      readonly kind: 'read';
      readonly connection: HolderId;
      readonly file: IdKey;
      readonly fromChunk: number;
      readonly upTo: number;
    }
  /** `null`: a bare stream, on which nothing more can be said. */
  | { readonly kind: 'close'; readonly connection: HolderId; readonly frame: Bytes | null }
  | { readonly kind: 'notice'; readonly notice: RoomNotice };

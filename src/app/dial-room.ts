/** A line to a room's host. */
import type { Address } from '../crypto/invitation.ts';
import type { Hash, RoomId } from '../protocol/identifiers.ts';
import type { Connection } from '../transport/connection.ts';
import { dialTls } from '../transport/tls-dialer.ts';

const DIAL_MS = 20_000;

/** Where a room is reached. */
export interface RoomDoor {
  readonly roomId: RoomId;
  readonly addresses: readonly Address[];
  readonly tlsPin: Hash;
}

/** @throws DialError, or SecurityError where another program answers */
export function dialRoom({ addresses, tlsPin, roomId }: RoomDoor, signal: AbortSignal): Promise<Connection> {
  return dialTls({ addresses, tlsPin, exporterContext: roomId, timeoutMs: DIAL_MS, signal });
}

/**
 * What both ends of the channel insist on.
 * @see docs/protocol.md#transport
 */
import type { TLSSocket } from 'node:tls';
import type { Bytes } from '../protocol/bytes.ts';

export const ALPN_PROTOCOL = 'sc/1';

export const TLS_SETTINGS = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
  ecdhCurve: 'X25519MLKEM768:X25519:P-256',
  ALPNProtocols: [ALPN_PROTOCOL],
} as const;

const EXPORTER_LABEL = 'EXPORTER-securechat-v1';
const EXPORTER_BYTES = 32;

/**
 * The keying material that only the two ends of this handshake hold: whatever is bound to it cannot be relayed.
 * @param context the room's id
 * @returns 32 bytes
 */
export function channelBindingOf(socket: TLSSocket, context: Bytes): Bytes {
  return new Uint8Array(socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.from(context)));
}

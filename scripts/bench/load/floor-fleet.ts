import type { Bytes } from '../../../src/protocol/bytes.ts';
import { encodeFrame, frameBody } from '../../../src/protocol/framing.ts';
import { hash, roomId } from '../../../src/protocol/identifiers.ts';
import type { Connection } from '../../../src/transport/connection.ts';
import { dialTls } from '../../../src/transport/tls-dialer.ts';
import { LIFTED_LIMITS } from '../lifted-limits.ts';
import { type Fleet, forEach, type MessageKey, speakerOf } from './fleet.ts';

/** An ENTRY with a 200-byte text: header, padded ciphertext and RSA signature. */
const FRAME_BODY_BYTES = 891;
const CONNECTS_ABREAST = 64;
const NO_ROOM = roomId(new Uint8Array(16));
const DIAL_MS = 60_000;

/** Frames of the same size over the same kind of connection, with a number in front and nothing to check. */
export class FloorFleet implements Fleet {
  readonly #address: { readonly port: number; readonly tlsPin: Bytes };
  readonly #onDelivery: (key: MessageKey) => void;
  readonly #members: Connection[] = [];
  #prepared: { readonly key: MessageKey; readonly frame: Bytes }[] = [];
  #lastKey = 0;

  constructor(
    address: { readonly port: number; readonly tlsPin: Bytes },
    onDelivery: (key: MessageKey) => void,
  ) {
    this.#address = address;
    this.#onDelivery = onDelivery;
  }

  get recipients(): number {
    return this.#members.length;
  }

  async grow(count: number): Promise<void> {
    await forEach(count, CONNECTS_ABREAST, async () => {
      const connection = await dialTls({
        addresses: [{ host: '127.0.0.1', port: this.#address.port }],
        tlsPin: hash(this.#address.tlsPin),
        exporterContext: NO_ROOM,
        timeoutMs: DIAL_MS,
        limits: LIFTED_LIMITS,
      });
      connection.start({
        onFrame: (frame) => {
          const body = frameBody(frame);
          this.#onDelivery(new DataView(body.buffer, body.byteOffset).getUint32(0));
        },
        onClose: ({ kind }) => console.error(`floor member: connection ${kind}`),
      });
      this.#members.push(connection);
    });
  }

  async prepare(messages: number): Promise<void> {
    this.#prepared = Array.from({ length: messages }, () => {
      this.#lastKey += 1;
      const body = new Uint8Array(FRAME_BODY_BYTES);
      new DataView(body.buffer).setUint32(0, this.#lastKey);
      return { key: this.#lastKey, frame: encodeFrame(1, body) };
    }).reverse();
  }

  send(): MessageKey {
    const next = this.#prepared.pop();
    if (next === undefined) throw new Error('more sent than prepared');
    speakerOf(this.#members, next.key)?.send(next.frame);
    return next.key;
  }
}

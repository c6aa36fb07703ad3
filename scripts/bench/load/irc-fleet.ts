import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { type Fleet, forEach, type MessageKey, SPEAKERS_MOST, speakerOf } from './fleet.ts';

const CONNECTS_ABREAST = 64;
const KEY_DIGITS = 8;
/** An IRC line holds 512 bytes at the most, the sender's name and the channel included. */
const TEXT = 'x'.repeat(380);
const MARK = ' PRIVMSG #bench :';
const END_OF_NAMES = / 366 /;
/** ngircd leaves lines that its TLS layer has read already until more comes from the same member. */
const NUDGE_MS = [50, 200, 500, 1_000];

/** Members of one channel of an IRC server. */
export class IrcFleet implements Fleet {
  readonly #port: number;
  readonly #onDelivery: (key: MessageKey) => void;
  readonly #members: TLSSocket[] = [];
  #prepared: { readonly key: MessageKey; readonly line: string }[] = [];
  #lastKey = 0;

  constructor(port: number, onDelivery: (key: MessageKey) => void) {
    this.#port = port;
    this.#onDelivery = onDelivery;
  }

  /** A speaker does not get its own message. */
  get recipients(): number {
    return this.#members.length - 1;
  }

  async grow(count: number): Promise<void> {
    const before = this.#members.length;
    await forEach(count, CONNECTS_ABREAST, async (place) => {
      const socket = connect({ host: '127.0.0.1', port: this.#port, rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      socket.setNoDelay(true);
      socket.setEncoding('latin1');
      const joined = Promise.withResolvers<void>();
      let rest = '';
      let inChannel = false;
      socket.on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const at = line.indexOf(MARK);
          if (at >= 0) this.#onDelivery(Number.parseInt(line.substr(at + MARK.length, KEY_DIGITS), 16));
          else if (line.startsWith('PING')) socket.write(line.replace('PING', 'PONG'));
          else if (!inChannel && END_OF_NAMES.test(line)) {
            inChannel = true;
            joined.resolve();
          }
        }
      });
      socket.on('close', () => joined.reject(new Error(`an IRC connection closed: ${rest}`)));
      const nick = `m${before + place}`;
      socket.write(`NICK ${nick}\r\nUSER ${nick} 0 * :bench\r\nJOIN #bench\r\n`);
      await joined.promise;
      this.#members.push(socket);
    });
  }

  async prepare(messages: number): Promise<void> {
    this.#prepared = Array.from({ length: messages }, () => {
      this.#lastKey += 1;
      const digits = this.#lastKey.toString(16).padStart(KEY_DIGITS, '0');
      return { key: this.#lastKey, line: `PRIVMSG #bench :${digits} ${TEXT}\r\n` };
    }).reverse();
  }

  send(): MessageKey {
    const next = this.#prepared.pop();
    if (next === undefined) throw new Error('more sent than prepared');
    speakerOf(this.#members, next.key)?.write(next.line);
    if (this.#prepared.length === 0) for (const afterMs of NUDGE_MS) setTimeout(() => this.#nudge(), afterMs);
    return next.key;
  }

  #nudge(): void {
    for (const speaker of this.#members.slice(0, SPEAKERS_MOST)) speaker.write('PING :bench\r\n');
  }
}

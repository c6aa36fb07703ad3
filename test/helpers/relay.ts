/** A network between guests and host that a test can stall and cut. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type Direction = 'to-host' | 'to-guest';

interface Passage {
  readonly guest: Socket;
  readonly host: Socket;
}

/** Where guests find the relay: the host's own port on another loopback address. */
export const RELAY_ADDRESS = '127.0.0.2';

export class Relay {
  readonly #passages = new Set<Passage>();
  readonly #held = new Set<Direction>();
  #open = true;

  /**
   * @param place it closes after this
   * @param hostPort on 127.0.0.1; the relay listens on the same port of its own address
   */
  static async start(place: { after(close: () => void): void }, hostPort: number): Promise<Relay> {
    const relay = new Relay();
    const server = createServer((guest) => relay.#admit(guest, hostPort));
    server.listen(hostPort, RELAY_ADDRESS);
    await once(server, 'listening');
    place.after(() => {
      relay.cut();
      server.close();
    });
    return relay;
  }

  /** What goes this way waits from now on. */
  stall(direction: Direction): void {
    this.#held.add(direction);
    for (const { guest, host } of this.#passages) (direction === 'to-host' ? guest : host).pause();
  }

  /**
   * The guests' lines break, what was on its way is lost, and nobody gets through until `restore`.
   * @param options.hostNotices `false`: the host's side stays as it is, as when a guest's network just vanishes
   */
  cut({ hostNotices = true }: { readonly hostNotices?: boolean } = {}): void {
    this.#open = false;
    for (const { guest, host } of this.#passages) {
      guest.removeAllListeners('close').destroy();
      if (hostNotices) host.destroy();
    }
    this.#passages.clear();
  }

  restore(): void {
    this.#held.clear();
    this.#open = true;
  }

  #admit(guest: Socket, hostPort: number): void {
    guest.on('error', () => {});
    if (!this.#open) return void guest.destroy();
    const host = connect(hostPort, '127.0.0.1');
    host.on('error', () => {});
    const passage = { guest, host };
    this.#passages.add(passage);
    const join = (from: Socket, to: Socket, direction: Direction): void => {
      from.on('data', (bytes) => to.write(bytes));
      from.on('close', () => {
        this.#passages.delete(passage);
        to.destroySoon();
      });
      if (this.#held.has(direction)) from.pause();
    };
    join(guest, host, 'to-host');
    join(host, guest, 'to-guest');
  }
}

/** A port on which nothing listens, just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

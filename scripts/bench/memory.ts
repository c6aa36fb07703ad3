/** What a member who says nothing costs the host in memory, beside a bare TLS connection. */
import { OURS, type Row, row } from './report.ts';
import { type Server, Servers } from './servers.ts';

/** The first members bring compiled code and libraries' memory with them. */
const WARM_SIZE = 100;
/** Of 900 bytes: 60 KiB to each connection. */
const TRAFFIC_MESSAGES = 68;

export async function measureMemory(members: number): Promise<Row[]> {
  const servers = await Servers.start({ names: ['host', 'floor'], membersMost: WARM_SIZE + members });
  try {
    const samples = new Map<string, number[]>();
    for (const server of servers.all) {
      const isFloor = server.name === 'floor';
      await server.grow(WARM_SIZE);
      if (isFloor) await carryTraffic(server);
      const before = await residentBytes(server);
      const sample = async (name: string): Promise<void> => {
        const bytes = (await residentBytes(server)) - before;
        samples.set(name, [bytes / members / 1_024]);
      };
      await server.grow(WARM_SIZE + members);
      await sample(isFloor ? 'bare TLS socket' : OURS);
      if (!isFloor) continue;
      // Node keeps what a connection once needed: a member has been through the door and has pulled the list.
      await carryTraffic(server);
      await sample('bare after 60 KiB');
    }
    const what = `host memory an idle member, ${members} of them`;
    const goals = { ratios: [{ to: 'bare TLS socket', most: 1.3 }] };
    return [row({ topic: 'memory', what, unit: 'KiB' }, samples, goals)];
  } finally {
    await servers.end();
  }
}

async function carryTraffic(floor: Server): Promise<void> {
  await floor.measure(TRAFFIC_MESSAGES, { inFlight: TRAFFIC_MESSAGES });
}

async function residentBytes(server: Server): Promise<number> {
  return (await server.usage(true)).residentBytes;
}

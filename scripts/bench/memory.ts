/** What a member who says nothing costs the host in memory, beside a bare TLS connection. */
import { OURS, type Row, row } from './report.ts';
import { type Server, Servers } from './servers.ts';

/** The first members bring compiled code and libraries' memory with them. */
const WARM_SIZE = 100;

export async function measureMemory(members: number): Promise<Row[]> {
  const servers = await Servers.start({ names: ['host', 'floor'], membersMost: WARM_SIZE + members });
  try {
    const samples = new Map<string, number[]>();
    for (const server of servers.all) {
      await server.grow(WARM_SIZE);
      const before = await residentBytes(server);
      await server.grow(WARM_SIZE + members);
      const bytes = (await residentBytes(server)) - before;
      samples.set(server.name === 'host' ? OURS : server.name, [bytes / members / 1_024]);
    }
    const about = {
      topic: 'memory',
      what: `host memory an idle member, ${members} of them`,
      unit: 'KiB',
    } as const;
    return [row(about, samples, { ratios: [{ to: 'floor', most: 1.3 }] })];
  } finally {
    await servers.end();
  }
}

async function residentBytes(server: Server): Promise<number> {
  return (await server.usage(true)).residentBytes;
}

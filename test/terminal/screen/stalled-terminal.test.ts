/** A terminal that takes nothing must not stop the program: on a host it would stop the room. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { spawn } from '@lydell/node-pty';

const PROGRAM = fileURLToPath(new URL('./stalled-terminal-program.ts', import.meta.url));

test('the program goes on while its terminal takes nothing', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const env = { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color' };
  const terminal = spawn(process.execPath, [PROGRAM, String(port)], { cols: 80, rows: 24, env });
  const exit = new Promise<void>((resolve) => terminal.onExit(() => resolve()));
  try {
    // Nobody reads on this side: what the program writes fills the kernel's buffer.
    terminal.pause();
    const [socket]: Socket[] = await once(server, 'connection');
    socket?.destroy();
  } finally {
    terminal.resume();
    terminal.kill('SIGKILL');
    server.close();
    await exit;
  }
});

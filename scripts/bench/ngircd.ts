/** ngircd, where it is installed: a C server that has done this for 25 years. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { makeCertificate } from '../../src/crypto/certificate.ts';
import { onCore } from './child.ts';
import { answers, freePort } from './ports.ts';
import { type Usage, usageOf } from './usage.ts';

const PROGRAM = ['/usr/sbin/ngircd', '/usr/bin/ngircd', '/usr/local/sbin/ngircd'].find((path) =>
  existsSync(path),
);
const START_MS = 10_000;

/** Its use of the processor is read from /proc. */
export const hasNgircd = process.platform === 'linux' && PROGRAM !== undefined;

export class Ngircd {
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #folder: string;

  static async start(): Promise<Ngircd> {
    const folder = mkdtempSync(join(tmpdir(), 'securechat-bench-'));
    const [plainPort, port] = [await freePort(), await freePort()];
    const serial = new Uint8Array(randomBytes(16));
    const { keyPem, certPem } = await makeCertificate({ nowMs: Date.now(), serial });
    const path = (name: string): string => join(folder, name);
    writeFileSync(path('key.pem'), keyPem, { mode: 0o600 });
    writeFileSync(path('cert.pem'), certPem);
    writeFileSync(path('motd'), 'bench\n');
    writeFileSync(path('ngircd.conf'), configuration({ folder, plainPort, port }));
    const [program, ...args] = onCore('server', [PROGRAM ?? '', '-n', '-f', path('ngircd.conf')]);
    const child = spawn(program, args, { stdio: 'ignore' });
    const ngircd = new Ngircd(child, port, folder);
    await ngircd.#listening();
    return ngircd;
  }

  private constructor(child: ChildProcess, port: number, folder: string) {
    this.#process = child;
    // It has no channel to this process whose end would end it.
    process.once('exit', () => child.kill());
    this.port = port;
    this.#folder = folder;
  }

  /** `taskset` becomes the program it starts, so the id is the server's own. */
  usage(): Usage {
    return usageOf(this.#process.pid ?? 0);
  }

  async end(): Promise<void> {
    const gone = new Promise((resolve) => {
      if (this.#process.exitCode !== null) resolve(null);
      else this.#process.once('exit', resolve);
    });
    this.#process.kill();
    await gone;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #listening(): Promise<void> {
    for (const untilMs = performance.now() + START_MS; performance.now() < untilMs; await pause(50)) {
      if (this.#process.exitCode !== null) break;
      if (await answers(this.port)) return;
    }
    await this.end();
    throw new Error('ngircd did not start');
  }
}

function configuration(place: {
  readonly folder: string;
  readonly plainPort: number;
  readonly port: number;
}): string {
  return `[Global]
Name = bench.local
Info = bench
Listen = 127.0.0.1
Ports = ${place.plainPort}
MotdFile = ${place.folder}/motd
${ownUser()}
[Limits]
ConnectRetry = 60
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxPenaltyTime = 0
PingTimeout = 3600
PongTimeout = 3600
[Options]
DNS = no
Ident = no
PAM = no
SyslogFacility = local1
[SSL]
CertFile = ${place.folder}/cert.pem
KeyFile = ${place.folder}/key.pem
Ports = ${place.port}
`;
}

/** Started by root it would become nobody, who cannot read the key. */
function ownUser(): string {
  const name = (flag: string): string => spawnSync('id', [flag], { encoding: 'utf8' }).stdout.trim();
  return `ServerUID = ${name('-un')}\nServerGID = ${name('-gn')}`;
}

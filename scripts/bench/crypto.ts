/** What members compute: sealing, opening, and handing a chain key to everyone. */
import { Child } from './child.ts';
import type { CryptoCalls, CryptoTimes } from './crypto-process.ts';
import { OURS, type RatioGoal, type Row, row } from './report.ts';

const WRAPS = 1_000;

export async function measureCrypto(repetitions: number): Promise<Row[]> {
  const child = new Child<CryptoCalls>('crypto-process.ts', 'server');
  try {
    return [
      rowOf('sealing a message', 'signature + AES-GCM', await child.call('seal', { repetitions })),
      rowOf('opening a message', 'verification + AES-GCM', await child.call('open', { repetitions })),
      rowOf(
        `wrapping a chain key, a member of ${WRAPS}`,
        'RSA-OAEP + ML-KEM',
        await child.call('wrap', { repetitions, members: WRAPS }),
        1.5,
      ),
    ];
  } finally {
    await child.end();
  }
}

function rowOf(what: string, bareName: string, { ours, bare }: CryptoTimes, most?: number): Row {
  const ratios: readonly RatioGoal[] = most === undefined ? [] : [{ to: bareName, most }];
  const samples = new Map([
    [OURS, ours],
    [bareName, bare],
  ]);
  return row({ topic: 'crypto', what, unit: 'µs' }, samples, { ratios });
}

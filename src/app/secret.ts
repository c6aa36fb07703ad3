/** Secrets that are redirected: from a file, or the next line of standard input. Read late, kept nowhere. */
import { open } from 'node:fs/promises';
import { InputError } from '../protocol/errors.ts';
import type { Front } from './front.ts';
import type { SecretSource } from './options.ts';

/** An invitation of four long addresses is under 2 KB. */
const SECRET_BYTES_MOST = 16_384;

/** @throws InputError `file` naming the file that cannot be read, or holds more than a secret. */
export async function readSecret(source: SecretSource, front: Front): Promise<string> {
  if (source.kind === 'standardInput') return (await front.readLine()).trim();
  const bytes = await readAtMost(source.path, SECRET_BYTES_MOST + 1).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new InputError('file', `Cannot read ${source.path}: ${why}`);
  });
  if (bytes.length > SECRET_BYTES_MOST) {
    throw new InputError('file', `${source.path} is too large for what it should hold.`);
  }
  return bytes.toString('utf8').trim();
}

/** A pipe or a device says nothing of its size, and may never end. */
async function readAtMost(path: string, bytesMost: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(bytesMost);
    let length = 0;
    while (length < bytesMost) {
      const { bytesRead } = await file.read(buffer, length, bytesMost - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return buffer.subarray(0, length);
  } finally {
    await file.close();
  }
}

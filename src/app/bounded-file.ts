/** Files whose size is bounded before they are read. */
import type { Stats } from 'node:fs';
import { open } from 'node:fs/promises';

/**
 * A pipe or a device says nothing of its size, and may never end.
 * @param check throws for a file that is not to be read; it is asked about the very file that is
 * @returns the first `bytesMost` bytes: ask for one more than is allowed, and see whether it came
 */
export async function readAtMost(
  path: string,
  bytesMost: number,
  check: (stats: Stats) => void = () => {},
): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    check(await file.stat());
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

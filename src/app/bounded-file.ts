/** Files whose size is bounded before they are read. */
import { constants, type Stats } from 'node:fs';
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
  flags: number = constants.O_RDONLY,
): Promise<Buffer> {
  const file = await open(path, flags);
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

/**
 * For what others hand over. To open a pipe takes until somebody writes to it, and nothing ends that wait, not even a
 * signal: so it is opened without waiting, and then looked at.
 */
export function readRegularAtMost(path: string, bytesMost: number): Promise<Buffer> {
  return readAtMost(path, bytesMost, checkRegular, constants.O_RDONLY | constants.O_NONBLOCK);
}

/** Reading a folder fails with words of its own. */
function checkRegular(stats: Stats): void {
  if (!stats.isFile() && !stats.isDirectory()) throw new Error('it is a pipe or a device, not a file');
}

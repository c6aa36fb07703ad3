/** Secrets that are redirected: from a file, or the next line of standard input. Read late, kept nowhere. */
import { InputError } from '../protocol/errors.ts';
import { readAtMost } from './bounded-file.ts';
import { fileProblem } from './file-problem.ts';
import type { Front } from './front/front.ts';
import type { SecretSource } from './options.ts';

/** An invitation of four long addresses is under 2 KB. */
const SECRET_BYTES_MOST = 16_384;

/** @throws InputError `file` naming the file that cannot be read, or holds more than a secret. */
export async function readSecret(source: SecretSource, front: Pick<Front, 'readLine'>): Promise<string> {
  if (source.kind === 'standardInput') return (await front.readLine()).trim();
  const bytes = await readAtMost(source.path, SECRET_BYTES_MOST + 1).catch((error: unknown) => {
    throw new InputError('file', `Cannot read ${source.path}: ${fileProblem(error)}.`);
  });
  if (bytes.length > SECRET_BYTES_MOST) {
    throw new InputError('file', `${source.path} is too large for what it should hold.`);
  }
  return bytes.toString('utf8').trim();
}

/** Reading the configuration file: TOML, a few lines long, and without secrets, so that anyone may read it. */
import { readAtMost } from '../app/bounded-file.ts';
import { fileProblem } from '../app/file-problem.ts';
import { InputError } from '../protocol/errors.ts';
import { fileLayer } from './file-layer.ts';
import type { Layer } from './layers.ts';

/** Ten times what all settings need with a comment for each; what is larger is another file. */
const FILE_BYTES_MOST = 65_536;

/** @returns the layer of what the file says, or `null` where there is no file. */
export async function readConfigFile(path: string): Promise<Layer | null> {
  const text = await readText(path);
  if (text === null) return null;
  // Loaded for those who have a file.
  const { parseToml } = await import('./toml.ts');
  return fileLayer(parseToml(text, path), path);
}

/** @throws InputError saying what is wrong with the file as such. */
async function readText(path: string): Promise<string | null> {
  const bytes = await readAtMost(path, FILE_BYTES_MOST + 1).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw new InputError('config', `Cannot read the configuration file ${path}: ${fileProblem(error)}.`);
  });
  if (bytes === null) return null;
  if (bytes.length > FILE_BYTES_MOST) {
    throw new InputError(
      'config',
      `${path} is too large for a configuration file: ${FILE_BYTES_MOST} bytes at most.`,
    );
  }
  try {
    // Leaves out the mark that some editors write before the text.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InputError('config', `${path} is not UTF-8 text. Save it as UTF-8.`);
  }
}

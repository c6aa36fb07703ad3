/** `securechat config`: what is set, where it comes from, and a file to begin with. */
import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileProblem } from '../app/file-problem.ts';
import { makeFolder } from '../app/private-file.ts';
import { InputError } from '../protocol/errors.ts';
import { choose, findConfig } from './choose.ts';
import { jsonReport, sampleFile, textReport } from './config-report.ts';
import type { Layer } from './layers.ts';
import type { Surroundings } from './surroundings.ts';

/** @throws InputError for mistakes in what is set, and where the sample cannot be written. */
export async function runConfig(
  asked: 'text' | 'json' | 'path' | 'init',
  options: Layer,
  surroundings: Surroundings,
): Promise<void> {
  if (asked === 'text' || asked === 'json') {
    const chosen = await choose(options, surroundings);
    return surroundings.writeOut(asked === 'json' ? jsonReport(chosen) : textReport(chosen));
  }
  const file = await findConfig(options, surroundings);
  if (file === null) throw new InputError('config', 'There is no home folder: name a file with --config.');
  if (asked === 'init') await writeSample(file.path);
  surroundings.writeOut(`${file.path}\n`);
}

/** Never over a file that is there. */
async function writeSample(path: string): Promise<void> {
  const problem = (error: NodeJS.ErrnoException) =>
    new InputError('config', `Cannot write ${path}: ${fileProblem(error)}.`);
  await makeFolder(dirname(path)).catch((error) => {
    throw problem(error);
  });
  await writeFile(path, sampleFile(), { mode: 0o600, flag: 'wx' }).catch((error) => {
    if (error.code !== 'EEXIST') throw problem(error);
    throw new InputError('config', `${path} exists already and is left as it is.`);
  });
}

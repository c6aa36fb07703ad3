/** Proofs on disk: `/proof` writes them, `securechat check` reads them. */
import { InputError } from '../protocol/errors.ts';
import { LIMITS } from '../protocol/limits.ts';
import { Proof } from '../protocol/proof.ts';
import { formatProof, parseProof } from '../protocol/proof-text.ts';
import { expandHome } from '../terminal/home.ts';
import { readRegularAtMost } from './bounded-file.ts';
import { fileProblem } from './file-problem.ts';
import { checkAbsent, writePrivateFile } from './private-file.ts';

/** In the current folder. Ids hold letters, digits, `-` and `_`. */
function usualName(id: string): string {
  return `proof-${id}.txt`;
}

/**
 * @param path as a person typed it; `null`: named after the message
 * @returns where it is
 * @throws InputError `file` when something of that name is there, or it cannot be written: then nothing is left
 */
export async function writeProof(id: string, proof: Proof, path: string | null): Promise<string> {
  const name = path ?? usualName(id);
  const file = expandHome(name);
  await checkAbsent(file);
  await writePrivateFile(file, formatProof(Proof.encode(proof)));
  return name;
}

/** @throws InputError `file` or `proof-file`; SecurityError `form` */
export async function readProof(path: string): Promise<Uint8Array> {
  const bytes = await readRegularAtMost(path, LIMITS.proofFileBytes + 1).catch((error: unknown) => {
    throw new InputError('file', `Cannot read ${path}: ${fileProblem(error)}.`);
  });
  return parseProof(bytes.toString('latin1'));
}

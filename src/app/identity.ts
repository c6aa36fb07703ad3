/** A person's identity: a new one for each room, or the one that a file keeps. */
import { normalisePassphrase, openIdentity, type SealedIdentity } from '../crypto/identity-file.ts';
import { generateSigningKey, type SigningKey } from '../crypto/signature.ts';
import { InputError } from '../protocol/errors.ts';
import { formatFingerprint } from '../protocol/fingerprint.ts';
import { askUntil, isTypedAgain } from './ask-until.ts';
import type { Front } from './front/front.ts';
import { named, readIdentityFile } from './identity-disk.ts';
import type { HostOptions, IdentitySource, JoinOptions, SigningAlgorithm } from './options.ts';
import { readSecret } from './secret.ts';

export type IdentityFront = Pick<Front, 'ask' | 'emit' | 'readLine'>;

/** What signs where nobody says. */
export const USUAL_ALGORITHM: SigningAlgorithm = 'rsa';

const TRIES = 3;
const WRONG = 'That passphrase does not open it.';
const STILL_WRONG = 'If it is the right one, the file has been changed or damaged: take it from a copy.';

/**
 * @returns the key, which may still be in the making: people type meanwhile. A file's is there, because its passphrase
 * is the first that is asked for.
 * @throws InputError for a file that cannot be used, GaveUpError when nobody is there to answer
 */
export async function beginIdentity(
  { identity, signing }: Pick<HostOptions | JoinOptions, 'identity' | 'signing'>,
  front: IdentityFront,
): Promise<{ readonly key: Promise<SigningKey> }> {
  if (identity === null) return { key: generateSigningKey(signing ?? USUAL_ALGORITHM) };
  const key = await unlockIdentity(identity, front);
  if (signing !== null && signing !== key.algorithm) {
    const [held, wanted] = [key.algorithm, signing].map((name) => name.toUpperCase());
    const text = `${identity.path} holds ${held} and --sign asks for ${wanted}: leave --sign out, or use another identity.`;
    throw new InputError('conflict', text);
  }
  const text = `You join as key ${formatFingerprint(key.idFingerprint)} (identity ${identity.path}).`;
  front.emit({ type: 'notice', level: 'info', code: 'identity', text });
  return { key: Promise.resolve(key) };
}

/**
 * One without a passphrase opens unasked; otherwise there are three tries.
 * @throws InputError `passphrase` when none of them opens it
 */
export async function unlockIdentity(source: IdentitySource, front: IdentityFront): Promise<SigningKey> {
  return unlockSealed(await readIdentityFile(source.path), source, front);
}

/**
 * @param source.path what it is called to the person
 * @throws InputError `passphrase` when none of them opens it
 */
export async function unlockSealed(
  sealed: SealedIdentity,
  { path, passphrase }: IdentitySource,
  front: IdentityFront,
): Promise<SigningKey> {
  if (passphrase !== null) {
    const key = await unlock(path, sealed, await readSecret(passphrase, front));
    if (key === null)
      throw new InputError('passphrase', `The passphrase does not open ${path}. ${STILL_WRONG}`);
    return key;
  }
  const unprotected = await unlock(path, sealed, '');
  if (unprotected !== null) return unprotected;
  const asked = { name: 'passphrase', message: `The passphrase of ${path}?`, secret: true };
  for (let triesLeft = TRIES; triesLeft > 0; triesLeft -= 1) {
    const problem = triesLeft === TRIES ? {} : { problem: WRONG };
    const key = await unlock(path, sealed, await front.ask({ ...asked, triesLeft, ...problem }));
    if (key !== null) return key;
  }
  throw new InputError('passphrase', `No passphrase of these opens ${path}. ${STILL_WRONG}`);
}

async function unlock(path: string, sealed: SealedIdentity, passphrase: string): Promise<SigningKey | null> {
  try {
    return await openIdentity(sealed, passphrase);
  } catch (error) {
    throw named(path, error);
  }
}

/**
 * From a file, or asked for twice; none at all only after a yes.
 * @throws InputError `passphrase` when there is none in the file: going without needs a person
 */
export async function readNewPassphrase(
  { passphrase, path }: IdentitySource,
  front: IdentityFront,
): Promise<string> {
  if (passphrase === null) return askNewPassphrase({ path, holder: 'you' }, front);
  const text = normalisePassphrase(await readSecret(passphrase, front));
  if (text === '')
    throw new InputError(
      'passphrase',
      'There is no passphrase in that file. To go without, leave the option out.',
    );
  return text;
}

/**
 * Asked for twice; none at all only after a yes.
 * @param of what it is for, and who somebody is who has both
 */
export async function askNewPassphrase(
  { path, holder }: { readonly path: string; readonly holder: 'you' | 'its host' },
  front: IdentityFront,
): Promise<string> {
  const hint = `Whoever has the file and its passphrase is ${holder}. Several words are best; nobody can reset it.`;
  front.emit({ type: 'notice', level: 'info', code: 'passphrase', text: hint });
  const asked = { name: 'new-passphrase', message: `A new passphrase for ${path}?`, secret: true };
  let problem: string | null = null;
  for (;;) {
    const chosen: string = await askUntil(front, asked, problem, normalisePassphrase);
    if (chosen === '') {
      if (await isSureWithout(holder, front)) return '';
      problem = 'Then choose a passphrase.';
      continue;
    }
    if (await isTypedAgain(front, asked.name, chosen)) return chosen;
    problem = 'The two are not the same. Nothing has been written.';
  }
}

async function isSureWithout(holder: string, front: IdentityFront): Promise<boolean> {
  const message = `Without a passphrase, whoever gets hold of the file is ${holder}. Go without (yes or no)?`;
  const answer = await front.ask({ name: 'no-passphrase', message, secret: false, default: 'no' });
  return /^y(es)?$/i.test(answer.trim());
}

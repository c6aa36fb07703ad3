/** `securechat identity`: makes an identity file, shows whose it is, and changes its passphrase. */
import { formatIdentity } from '../crypto/identity-file.ts';
import { generateSigningKey, type SigningKey } from '../crypto/signature.ts';
import { toBase64url } from '../protocol/bytes.ts';
import { InputError, unreachable } from '../protocol/errors.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { finish, outcomeOfError } from './finish.ts';
import type { Front } from './front/front.ts';
import { openFront } from './front/open-front.ts';
import {
  askNewPassphrase,
  type IdentityFront,
  readNewPassphrase,
  USUAL_ALGORITHM,
  unlockIdentity,
} from './identity.ts';
import { replaceIdentityFile } from './identity-disk.ts';
import type { IdentityOptions } from './options.ts';
import { checkAbsent, writePrivateFile } from './private-file.ts';

const ASKED_ONLY =
  'A new passphrase is only ever asked for: leave --no-input out, or answer the prompts of --json.';

/** @returns the exit code; everything there is to say about it has been said. */
export async function runIdentity(options: IdentityOptions): Promise<ExitCode> {
  // Two questions and four lines need no screen.
  const display = options.display === 'json' ? 'json' : 'plain';
  const front: Front = openFront({ ...options, display });
  try {
    const key = await keyOf(options, front);
    front.emit({
      type: 'identity',
      file: options.identity.path,
      algorithm: key.algorithm,
      fingerprint: toBase64url(key.idFingerprint),
      member: toBase64url(key.memberId),
    });
    return finish(front, display, { exitCode: EXIT.done, problem: null });
  } catch (error) {
    return finish(front, display, outcomeOfError(error));
  }
}

/** Does what was asked. @returns the key in the file from now on */
async function keyOf(options: IdentityOptions, front: IdentityFront): Promise<SigningKey> {
  const { what, identity, signing } = options;
  const { path } = identity;
  switch (what) {
    case 'new': {
      // Nobody should think of a passphrase for a name that is taken.
      await checkAbsent(path);
      const making = generateSigningKey(signing ?? USUAL_ALGORITHM);
      const passphrase = await readNewPassphrase(identity, front);
      const key = await making;
      await writePrivateFile(path, await formatIdentity(key, passphrase));
      tellKept(path, passphrase, front);
      return key;
    }
    case 'show':
      return unlockIdentity(identity, front);
    case 'passwd': {
      if (!options.mayAsk && options.display !== 'json') throw new InputError('no-input', ASKED_ONLY);
      const key = await unlockIdentity(identity, front);
      const passphrase = await askNewPassphrase({ path, holder: 'you' }, front);
      await replaceIdentityFile(path, await formatIdentity(key, passphrase));
      tellKept(path, passphrase, front);
      return key;
    }
    default:
      return unreachable(what);
  }
}

function tellKept(path: string, passphrase: string, front: IdentityFront): void {
  const text =
    passphrase === ''
      ? `${path} has no passphrase: whoever gets hold of it is you.`
      : `${path} is written. Keep a copy: without file and passphrase nobody can make this key again.`;
  front.emit({ type: 'notice', level: passphrase === '' ? 'warning' : 'info', code: 'identity', text });
}

/** In place of `src/crypto/rsa-key.ts`, see `quick-crypto.ts`: each key is checked once. */
import { importRsaPublicKey as checked } from '../../src/crypto/rsa-key.ts';
import { once } from './quick-keys.ts';

export const importRsaPublicKey: typeof checked = once(checked);

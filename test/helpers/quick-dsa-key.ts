/** In place of `src/crypto/dsa-key.ts`, see `quick-crypto.ts`: each key is checked once. */
import { importDsaPublicKey as checked } from '../../src/crypto/dsa-key.ts';
import { once } from './quick-keys.ts';

export { dsaPublicValue, generateDsaPrivateKey } from '../../src/crypto/dsa-key.ts';
export const importDsaPublicKey: typeof checked = once(checked);

/**
 * Stand-ins for what public keys cost: import this first, and everything that is imported afterwards by `await import`
 * signs, wraps and checks by hashes of the public keys. Nobody in such a room may be an attacker: whoever knows a public key
 * can do what its holder can. All else is as it is, so that thousands of rooms live in seconds.
 */
import { registerHooks } from 'node:module';

const STAND_INS: Readonly<Record<string, string>> = {
  '/src/crypto/primitives.ts': './quick-primitives.ts',
  '/src/crypto/dsa-key.ts': './quick-dsa-key.ts',
  '/src/crypto/rsa-key.ts': './quick-rsa-key.ts',
};

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    if (context.parentURL?.includes('/test/helpers/quick-')) return resolved;
    const found = Object.entries(STAND_INS).find(([path]) => resolved.url.endsWith(path));
    return found === undefined ? resolved : { ...resolved, url: new URL(found[1], import.meta.url).href };
  },
});

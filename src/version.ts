import manifest from '../package.json' with { type: 'json' };

/** The program's version; the protocol has its own. */
export const VERSION: string = manifest.version;

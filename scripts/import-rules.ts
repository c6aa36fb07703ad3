/**
 * Which file may know which other: the layers of docs/architecture.md as data.
 * A path ending in `/` stands for every file under it; any other path is one file.
 */

export interface LayerRule {
  readonly layer: string;
  /** What it may import, beside its own files. */
  readonly imports: readonly string[];
  /** What it may import with `import type` only. */
  readonly typesOf?: readonly string[];
  /** Built-in modules it may use. Their types are free for all. */
  readonly builtins: readonly string[] | 'all';
}

/** Files that must not lead to others, over however many imports, types included. */
export interface BlindRule {
  readonly from: readonly string[];
  readonly never: readonly string[];
  readonly because: string;
}

export interface ImportRules {
  /** The first rule whose `layer` holds a file is the one that counts. */
  readonly layers: readonly LayerRule[];
  readonly blind: readonly BlindRule[];
  /** Packages that more than one file may know; every other package is known to one file only. */
  readonly sharedPackages: Readonly<Record<string, readonly string[]>>;
}

export const RULES: ImportRules = {
  layers: [
    { layer: 'src/protocol/', imports: [], builtins: [] },
    {
      layer: 'src/crypto/answer-worker.ts',
      imports: ['src/protocol/', 'src/crypto/'],
      builtins: ['node:worker_threads'],
    },
    { layer: 'src/crypto/', imports: ['src/protocol/'], builtins: ['node:crypto', 'node:zlib'] },
    { layer: 'src/room/', imports: ['src/protocol/', 'src/crypto/'], builtins: [] },
    { layer: 'src/member/', imports: ['src/protocol/', 'src/crypto/'], builtins: [] },
    { layer: 'src/transport/', imports: ['src/protocol/'], builtins: 'all' },
    {
      layer: 'src/storage/',
      imports: ['src/protocol/', 'src/crypto/log-hash.ts'],
      typesOf: ['src/room/'],
      builtins: 'all',
    },
    { layer: 'src/terminal/', imports: ['src/protocol/'], typesOf: ['src/member/'], builtins: 'all' },
    {
      layer: 'src/app/',
      imports: [
        'src/protocol/',
        'src/crypto/',
        'src/room/',
        'src/member/',
        'src/transport/',
        'src/storage/',
        'src/terminal/',
        'src/version.ts',
      ],
      builtins: 'all',
    },
    { layer: 'src/version.ts', imports: ['package.json'], builtins: [] },
    { layer: 'src/', imports: ['src/'], builtins: 'all' },
  ],
  blind: [
    {
      from: ['src/room/', 'src/transport/', 'src/storage/', 'src/app/relay-host.ts'],
      never: ['src/crypto/envelope.ts', 'src/crypto/sender-chain.ts', 'src/crypto/chunked.ts'],
      because: 'what runs for the host must not reach what opens a message or a file',
    },
  ],
  sharedPackages: {
    'micro-packed': ['src/protocol/', 'src/crypto/invitation.ts'],
    picocolors: ['src/'],
    'string-width': ['src/terminal/'],
  },
};

/**
 * Builds dist/securechat for the platform it runs on: one bundle of the program and one per worker,
 * baked into a copy of the pinned Node binary, with its manual page and completions beside it. Nothing is downloaded.
 */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import seaModule from '@yao-pkg/pkg/lib-es5/sea.js';
import { build } from 'esbuild';
import { PICTURE_CODECS } from '../src/app/pictures/codecs.ts';
import { SHELLS } from '../src/cli/commands.ts';
import { completionScript } from '../src/cli/completion/script.ts';
import { manualPage } from '../src/cli/manual.ts';

const PKG_PLATFORMS: Readonly<Record<string, 'linux' | 'macos' | 'win'>> = {
  linux: 'linux',
  darwin: 'macos',
  win32: 'win',
};
const MIB = 1_024 * 1_024;

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
const suffix = process.platform === 'win32' ? '.exe' : '';
const executable = join(dist, `securechat${suffix}`);

/**
 * CommonJS, because that is what a single executable and an evaluated worker run.
 * @returns the files that went into it.
 */
async function bundle(entry: string, outfile: string): Promise<readonly string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: `node${process.versions.node}`,
    format: 'cjs',
    // The executable's own import() reaches built-in modules only; require() loads those just as late.
    supported: { 'dynamic-import': false },
    banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
    define: { 'import.meta.url': 'importMetaUrl' },
    metafile: true,
    logLevel: 'warning',
  });
  return Object.keys(metafile.inputs);
}

/** @returns a Node binary without its symbol table, a fifth smaller; once baked it can no longer be stripped. */
function strippedNode(work: string): string {
  const original = join(root, 'node_modules', 'node', 'bin', `node${suffix}`);
  if (process.platform !== 'linux') return original;
  const copy = join(work, 'node');
  copyFileSync(original, copy);
  try {
    execFileSync('strip', [copy], { stdio: 'pipe' });
  } catch {
    console.warn(
      'strip is missing or failed: the executable stays larger (Debian: apt-get install binutils).',
    );
  }
  return copy;
}

/** @returns the paths of what workers run beside their bundles, by asset name. */
function codecs(): Record<string, string> {
  const files = Object.values(PICTURE_CODECS);
  return Object.fromEntries(files.map((file) => [basename(file), join(root, 'node_modules', file)]));
}

/** @returns the paths of the bundles by asset name, and the files that went into them. */
async function bundleWorkers(
  work: string,
): Promise<{ readonly assets: Record<string, string>; readonly inputs: readonly string[] }> {
  const assets: Record<string, string> = {};
  const inputs: string[] = [];
  for (const entry of globSync('src/**/*-worker.ts', { cwd: root })) {
    const name = basename(entry).replace(/\.ts$/, '.js');
    assets[name] = join(work, name);
    inputs.push(...(await bundle(entry, assets[name])));
  }
  return { assets, inputs };
}

/** The licences of the packages inside, and of Node: they go where the executable goes. */
function writeLicences(inputs: readonly string[]): void {
  const packages = new Set(['node']);
  for (const input of inputs) {
    const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input) ?? [];
    if (name !== undefined) packages.add(name);
  }
  const parts = [...packages].sort().map((name) => {
    const folder = join(root, 'node_modules', name);
    const { version, license = 'names no licence' } = JSON.parse(
      readFileSync(join(folder, 'package.json'), 'utf8'),
    );
    const texts = globSync('{,codec/}{LICENSE,LICENCE,COPYING,license}*', { cwd: folder });
    const text = texts.map((file) => readFileSync(join(folder, file), 'utf8').trim()).join('\n\n');
    return `${name} ${version} (${license})\n\n${text || `No licence file in the package; it names ${license}.`}`;
  });
  writeFileSync(join(dist, 'THIRD-PARTY-LICENSES.txt'), `${parts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`);
}

/** The same that `securechat manual` and `securechat completion` print, for whoever packages it. */
function writeManual(): void {
  writeFileSync(join(dist, 'securechat.1'), manualPage());
  const folder = join(dist, 'completions');
  mkdirSync(folder, { recursive: true });
  for (const shell of SHELLS) writeFileSync(join(folder, `securechat.${shell}`), completionScript(shell));
}

async function main(): Promise<void> {
  const platform = PKG_PLATFORMS[process.platform];
  if (platform === undefined) throw new Error(`no executable is made for ${process.platform}`);
  mkdirSync(dist, { recursive: true });
  const work = mkdtempSync(join(dist, 'build-'));
  try {
    const program = join(work, 'securechat.cjs');
    const inputs = await bundle('src/main.ts', program);
    const workers = await bundleWorkers(work);
    writeLicences([...inputs, ...workers.inputs]);
    writeManual();
    const seaConfig = {
      disableExperimentalSEAWarning: true,
      useSnapshot: false,
      useCodeCache: true,
      // Without this the executable obeys NODE_OPTIONS, --require included.
      execArgvExtension: 'none',
      assets: { ...workers.assets, ...codecs() },
    };
    const output = join(work, basename(executable));
    await seaModule.default(program, {
      nodePath: strippedNode(work),
      targets: [{ nodeRange: 'node26', platform, arch: process.arch, output }],
      seaConfig,
      signature: true,
    });
    // A program that is running cannot be written over, but its name can be given to another file.
    renameSync(output, executable);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  console.log(`${relative(root, executable)}: ${Math.round(statSync(executable).size / MIB)} MiB`);
}

await main();

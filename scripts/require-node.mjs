// Stops at once when npm scripts run under another Node than the one this project pins.
// Plain JavaScript: it must run on whatever Node is there.
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const wanted = manifest.devDependencies.node;

if (process.versions.node !== wanted) {
  console.error(
    `securechat runs on Node ${wanted}, and this is Node ${process.versions.node}.\n` +
      'The package "node" brings the right one, but its install script has not run. Repair it with:\n' +
      '  npm ci                                      when node_modules is missing\n' +
      '  npm rebuild node --ignore-scripts=false     otherwise',
  );
  process.exit(1);
}

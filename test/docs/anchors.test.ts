/** Every place in a document that the code, or another document, points to is there. */
import assert from 'node:assert/strict';
import { existsSync, globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { anchors, readDocument } from './document.ts';

const ROOT = join(import.meta.dirname, '../..');
const DOCUMENTS = globSync(['*.md', 'docs/*.md'], { cwd: ROOT });

function checkTarget(from: string, path: string, anchor: string | undefined): void {
  assert.ok(existsSync(join(ROOT, path)), `${from} points to ${path}, which is not there`);
  if (anchor === undefined) return;
  assert.ok(
    anchors(readDocument(path)).has(anchor),
    `${from} points to ${path}#${anchor}, which is not there`,
  );
}

test('what the code names in the documents exists', () => {
  const sources = globSync(['src/**/*.ts', 'scripts/**/*.{ts,mjs}', 'test/**/*.ts'], { cwd: ROOT });
  let seen = 0;
  for (const source of sources) {
    for (const [, path = '', anchor] of readDocument(source).matchAll(
      /\b(docs\/[a-z-]+\.md)(?:#([a-z0-9-]+))?/g,
    )) {
      checkTarget(source, path, anchor);
      seen += 1;
    }
  }
  assert.ok(seen > 50, `only ${seen} places were found`);
});

test('links between the documents lead somewhere', () => {
  let seen = 0;
  for (const document of DOCUMENTS) {
    for (const [, target = ''] of readDocument(document).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      checkTarget(document, path === '' ? document : join(dirname(document), path), anchor);
      seen += 1;
    }
  }
  assert.ok(seen > 30, `only ${seen} links were found`);
});

test('files that the documents name exist', () => {
  for (const document of DOCUMENTS) {
    for (const [, path = ''] of readDocument(document).matchAll(
      /`((?:src|test|scripts)\/[\w./-]*\w\.(?:ts|mjs|py))`/g,
    )) {
      checkTarget(document, path, undefined);
    }
  }
});

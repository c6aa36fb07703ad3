import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { test } from 'node:test';
import { expandHome } from '../../src/terminal/home.ts';

test('a tilde that begins a path is the own folder; with a backslash on Windows only', () => {
  assert.equal(expandHome('~', 'linux'), homedir());
  assert.equal(expandHome('~/a b', 'linux'), `${homedir()}/a b`);
  assert.equal(expandHome('~\\a', 'win32'), `${homedir()}\\a`);
  for (const path of ['', '-', 'a', './~/a', '~ann/a', '~\\a']) assert.equal(expandHome(path, 'linux'), path);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PictureProtocol, pictureProtocol } from '../../../src/terminal/picture/protocol.ts';
import { cellsMost, cellsOf, pixelsMost } from '../../../src/terminal/picture/size.ts';

const LOOK = { draws: true, color: true, colors: 256 } as const;

test('a terminal is known by its variables', () => {
  const cases: readonly (readonly [Readonly<Record<string, string>>, PictureProtocol])[] = [
    [{ TERM: 'xterm-kitty' }, 'kitty'],
    [{ TERM: 'xterm-256color', KITTY_WINDOW_ID: '1' }, 'kitty'],
    [{ TERM: 'xterm-ghostty' }, 'kitty'],
    [{ TERM: 'xterm-256color', TERM_PROGRAM: 'ghostty' }, 'kitty'],
    [{ TERM: 'xterm-256color', TERM_PROGRAM: 'WezTerm', COLORTERM: 'truecolor' }, 'iterm'],
    [{ TERM: 'xterm-256color', TERM_PROGRAM: 'iTerm.app' }, 'iterm'],
    [{ TERM: 'xterm-256color', LC_TERMINAL: 'iTerm2' }, 'iterm'],
    // Started from a shell in kitty.
    [{ TERM: 'foot', KITTY_WINDOW_ID: '1' }, 'sixel'],
    [{ TERM: 'foot-extra' }, 'sixel'],
    [{ TERM: 'mlterm' }, 'sixel'],
    [{ TERM: 'xterm-sixel' }, 'sixel'],
    [{ TERM: 'footage' }, 'blocks-256'],
    [{ TERM: 'xterm-256color' }, 'blocks-256'],
    [{ TERM: 'xterm-256color', COLORTERM: 'truecolor' }, 'blocks-24bit'],
    [{ TERM: 'xterm-256color', COLORTERM: '24bit' }, 'blocks-24bit'],
    [{ TERM: 'dumb', KITTY_WINDOW_ID: '1' }, 'none'],
    [{}, 'blocks-256'],
  ];
  for (const [env, protocol] of cases)
    assert.equal(pictureProtocol(env, LOOK), protocol, JSON.stringify(env));
});

test('within tmux, screen and zellij there are blocks, whatever terminal is outside', () => {
  const outside = { KITTY_WINDOW_ID: '1', TERM_PROGRAM: 'iTerm.app', LC_TERMINAL: 'iTerm2' };
  for (const inside of [
    { TERM: 'tmux-256color' },
    { TERM: 'screen' },
    { TERM: 'screen.xterm-256color' },
    { TERM: 'xterm-kitty', TMUX: '/tmp/tmux-0/default,1,0' },
    { TERM: 'foot', STY: '1.pts' },
    { TERM: 'xterm-kitty', ZELLIJ: '0' },
  ])
    assert.equal(pictureProtocol({ ...outside, ...inside }, LOOK), 'blocks-256', JSON.stringify(inside));
});

test('nothing is drawn without a screen or without colour; in sixteen colours only by graphics', () => {
  for (const TERM of ['xterm-kitty', 'foot', 'xterm-256color']) {
    assert.equal(pictureProtocol({ TERM }, { ...LOOK, draws: false }), 'none');
    assert.equal(pictureProtocol({ TERM }, { ...LOOK, color: false }), 'none');
  }
  assert.equal(pictureProtocol({ TERM: 'linux' }, { ...LOOK, colors: 16 }), 'none');
  assert.equal(pictureProtocol({ TERM: 'xterm-kitty' }, { ...LOOK, colors: 16 }), 'kitty');
});

test('a picture takes 60 columns and 20 rows at most, and what the window has', () => {
  assert.deepEqual(cellsMost({ columns: 200, rows: 100 }), { columns: 60, rows: 20 });
  assert.deepEqual(cellsMost({ columns: 31, rows: 12 }), { columns: 31, rows: 10 });
  assert.equal(cellsMost({ columns: 3, rows: 12 }), null);
  assert.equal(cellsMost({ columns: 31, rows: 2 }), null);
  for (const protocol of ['kitty', 'iterm', 'sixel', 'blocks-24bit', 'blocks-256'] as const) {
    const cells = { columns: 31, rows: 10 };
    assert.deepEqual(cellsOf(pixelsMost(cells, protocol), protocol), cells);
    assert.deepEqual(cellsOf({ width: 1, height: 1 }, protocol), { columns: 1, rows: 1 });
  }
});

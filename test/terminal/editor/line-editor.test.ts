import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hintOf, promptOf } from '../../../src/terminal/editor/hints.ts';
import { forgetLines } from '../../../src/terminal/editor/history.ts';
import { layoutInput } from '../../../src/terminal/editor/input-layout.ts';
import { edit, type Key } from '../../../src/terminal/editor/line-editor.ts';
import { linesAsText } from '../../../src/terminal/editor/paste.ts';
import { type EditorSignal, type EditorState, newEditor } from '../../../src/terminal/editor/state.ts';
import type { Completer } from '../../../src/terminal/editor/walk.ts';

type Run = { state: EditorState; submitted: string[]; signals: EditorSignal[] };

/** Runs of text are typed; `C-a`, `M-f` and `<left>` in angle brackets are keys. */
function keys(script: string): readonly Key[] {
  return script
    .split(/(<[^>]+>)/)
    .flatMap((part) =>
      /^<.+>$/.test(part) ? [namedKey(part.slice(1, -1))] : [...part].map((text) => ({ text })),
    );
}

function namedKey(spec: string): Key {
  const name = spec.replace(/^[CMS]-/, '');
  return { name, ctrl: spec.startsWith('C-'), meta: spec.startsWith('M-'), shift: spec.startsWith('S-') };
}

function run(script: string, start: EditorState = newEditor()): Run {
  const result: Run = { state: start, submitted: [], signals: [] };
  for (const key of keys(script)) {
    const { state, submitted, signal } = edit(result.state, key);
    result.state = state;
    if (submitted !== undefined) result.submitted.push(submitted);
    if (signal !== undefined) result.signals.push(signal);
  }
  return result;
}

function pasteOf(text: string): readonly Key[] {
  return [{ name: 'paste-start' }, ...[...text].map((sequence) => ({ sequence })), { name: 'paste-end' }];
}

function paste(text: string, start: EditorState = newEditor()) {
  let state = start;
  const submitted: string[] = [];
  for (const key of pasteOf(text)) {
    const result = edit(state, key);
    state = result.state;
    if (result.submitted !== undefined) submitted.push(result.submitted);
  }
  return { state, submitted };
}

/** The text with `|` where the cursor is. */
const shown = ({ text, cursor }: EditorState): string => `${text.slice(0, cursor)}|${text.slice(cursor)}`;

test('keys of readline', () => {
  const cases: readonly (readonly [script: string, expected: string])[] = [
    ['abc', 'abc|'],
    ['abc<left><left>x', 'ax|bc'],
    ['abc<C-a>x<C-e>y', 'xabcy|'],
    ['abc<home><C-f><right><C-b>', 'a|bc'],
    ['abc<backspace><C-a><delete>', '|b'],
    ['abc<C-a><C-d>', '|bc'],
    ['one two three<M-b><M-b>', 'one |two three'],
    ['one two<C-a><M-f><C-right>', 'one two|'],
    ['one two<C-left><M-left>', '|one two'],
    ['one two<C-a><M-d>', '| two'],
    ['one a/b<C-w>', 'one |'],
    ['one a/b<M-backspace>', 'one a/|'],
    ['one two<C-w><C-y><C-y>', 'one twotwo|'],
    ['one two<C-a><C-k>x<C-y>', 'xone two|'],
    ['one two<left><C-u>', '|o'],
    ['ab<C-t>', 'ba|'],
    ['abc<left><left><C-t>', 'ba|c'],
    ['a<C-a><C-t>', '|a'],
    ['a<M-return>b<M-enter>c', 'a\nb\nc|'],
    ['ab<M-return>cd<C-a>x', 'ab\nx|cd'],
    ['ab<M-return>cd<C-u><C-u><C-u>', '|'],
    ['ab<M-return>cd<up><C-a><C-k><C-k>', '|cd'],
    ['abc<M-return>d<up>x<down>y', 'axbc\ndy|'],
    ['a<tab><f5><escape><C-q><M-z>b', 'ab|'],
  ];
  for (const [script, expected] of cases) assert.equal(shown(run(script).state), expected, script);
});

test('one key, one grapheme: emoji, flags, combined letters, wide characters', () => {
  for (const grapheme of ['👨‍👩‍👧', '🇩🇪', 'e\u0301', '👍🏽', '你', '한']) {
    const typed = run(`a${grapheme}b`);
    assert.equal(shown(run('<left><left>x', typed.state).state), `ax|${grapheme}b`);
    assert.equal(run('<left><backspace>', typed.state).state.text, 'ab');
    assert.equal(run('<C-a><right><delete>', typed.state).state.text, 'ab');
  }
});

test('return submits and clears; an empty line too', () => {
  const { state, submitted } = run('one<return><return>two<enter>x');
  assert.deepEqual(submitted, ['one', '', 'two']);
  assert.equal(shown(state), 'x|');
});

test('history: up and down, the draft kept, no repeats, no blanks, 500 lines at most', () => {
  const past = run('one<return>two<return>two<return>  <return>').state;
  assert.deepEqual(past.history, ['one', 'two']);
  assert.equal(shown(run('draft<up>', past).state), 'two|');
  assert.equal(shown(run('draft<up><C-p><up><up>', past).state), 'one|');
  assert.equal(shown(run('draft<up><up><down><C-n><down>', past).state), 'draft|');
  assert.deepEqual(run('<up>!<return>', past).submitted, ['two!']);

  const many = run(Array.from({ length: 600 }, (_, index) => `${index}<return>`).join('')).state;
  assert.equal(many.history.length, 500);
  assert.equal(many.history.at(-1), '599');
});

test('signals: interrupt, end on an empty line only, clear screen', () => {
  assert.deepEqual(run('ab<C-c><C-l><C-d>').signals, ['interrupt', 'clear-screen']);
  assert.equal(run('ab<C-c>').state.text, 'ab');
  assert.deepEqual(run('<C-d>').signals, ['end']);
});

test('a paste is text: line feeds kept, nothing submitted, controls left out', () => {
  const { state, submitted } = paste('one\r\ntwo\rthree\n\tx\u0003\u001b[31m\u0000', run('<').state);
  assert.deepEqual(submitted, []);
  assert.equal(state.text, '<one\ntwo\nthree\n    x[31m');
  assert.equal(state.mode.kind, 'pasted');
});

test('several pasted lines wait: Enter sends them, Escape and Ctrl-C drop them, any other key edits on', () => {
  const { state } = paste('one\ntwo\nthree\n', run('a <left>').state);
  assert.equal(shown(state), 'aone\ntwo\nthree| ');
  assert.match(hintOf(state, 80) ?? '', /^3 lines pasted: Enter sends them as one message, Esc drops them$/);
  assert.equal(hintOf(state, 40), '3 lines: Enter sends, Esc drops');
  assert.deepEqual(run('<return>', state).submitted, ['aone\ntwo\nthree ']);
  for (const drop of ['<escape>', '<C-c>', '<C-g>']) {
    const dropped = run(drop, state);
    assert.equal(shown(dropped.state), 'a| ');
    assert.deepEqual(dropped.signals, [], 'Ctrl-C drops the paste and does not leave the room');
    assert.equal(hintOf(dropped.state, 80), null);
  }
  const edited = run('!', state).state;
  assert.equal(hintOf(edited, 80), null);
  assert.equal(run('<escape>', edited).state.text, 'aone\ntwo\nthree! ');
});

test('a paste in pieces is counted and dropped as one', () => {
  const first = paste('one\ntwo\n', run('x').state).state;
  const second = paste('\nthree', first).state;
  assert.match(hintOf(second, 80) ?? '', /^3 lines/);
  assert.equal(shown(run('<escape>', second).state), 'x|');
});

test('one pasted line asks nothing, its own line feed left out', () => {
  const { state } = paste('only this\n');
  assert.equal(shown(state), 'only this|');
  assert.equal(hintOf(state, 80), null);
});

test('several pasted lines begin no command; one line, and what is typed before them, stay as they are', () => {
  assert.equal(paste('/quit\nnow').state.text, '//quit\nnow');
  assert.equal(paste('//not\nthis').state.text, '//not\nthis');
  assert.equal(paste('/quit').state.text, '/quit');
  assert.equal(paste('/a\nb', run('/me says ').state).state.text, '/me says /a\nb');
});

test('Tab: one candidate is put in; of several, Tab and Shift-Tab go through a ring with what was typed', () => {
  const complete: Completer = (line, cursor) => {
    const from = line.slice(0, cursor).lastIndexOf(' ') + 1;
    const typed = line.slice(from, cursor);
    const names = ['ann ', 'anna ', 'bob ', 'evil\u001b[2J'];
    return { from, candidates: names.filter((name) => name.startsWith(typed)) };
  };
  const at = (script: string): EditorState => {
    let state = newEditor();
    for (const key of keys(script)) state = edit(state, key, complete).state;
    return state;
  };
  assert.equal(shown(at('hi b<tab>')), 'hi bob |');
  assert.equal(shown(at('hi b<tab>x')), 'hi bob x|');
  assert.equal(shown(at('xy<tab>')), 'xy|');
  assert.equal(shown(at('e<tab>')), 'e|', 'a name that a terminal would obey is not put in');
  assert.equal(shown(at('an!<left><tab>')), 'ann |!');
  assert.equal(hintOf(at('an<tab>'), 80), '[ann]  anna');
  for (const keys of ['an<tab><escape>', 'an<tab><tab><escape>', 'an<tab><C-g>'])
    assert.equal(shown(at(keys)), 'an|', 'Escape gives back what was typed');
  assert.equal(shown(at('an<tab><escape>x<tab>')), 'anx|', 'and ends the walk');
  assert.equal(shown(at('an<tab><tab>')), 'anna |');
  assert.equal(hintOf(at('an<tab><tab>'), 80), 'ann  [anna]');
  assert.equal(hintOf(at('an<tab><tab>'), 9), '[anna]');
  assert.equal(shown(at('an<tab><tab><tab>')), 'an|');
  assert.equal(shown(at('an<tab><tab><tab><tab>')), 'ann |');
  assert.equal(shown(at('an<tab><S-tab>')), 'an|');
  assert.equal(shown(at('an<tab><tab><S-tab>')), 'ann |');
  assert.equal(shown(at('an<tab><left>')), 'ann| ');
  assert.equal(hintOf(at('an<tab><left>'), 80), null);
  assert.equal(shown(at('<S-tab>an')), 'an|');
  assert.equal(edit(newEditor({ masked: true }), { name: 'tab' }, complete).state.text, '');
});

test('history: the oldest lines are forgotten, wherever one is in it', () => {
  const start = run('one<return>two<return>three<return>dra').state;
  const forgotten = forgetLines(start, 2);
  assert.deepEqual(forgotten.history, ['three']);
  assert.equal(run('<up>', forgotten).state.text, 'three');
  assert.equal(run('<up><up><down>', forgotten).state.text, 'dra', 'the draft stays');
  const looking = forgetLines(run('<up><up>', start).state, 2);
  assert.equal(looking.text, 'two', 'what is looked at stays on the screen');
  assert.equal(run('<down>', looking).state.text, 'dra');
  const searching = forgetLines(run('<C-r>t', start).state, 3);
  assert.equal(run('<C-g>', searching).state.text, 'dra');
  assert.equal(forgetLines(start, 0), start);
});

test('Ctrl-R and Ctrl-S look through the history', () => {
  const past = run('say Foo<return>bar<return>foo bar<return>').state;
  const searching = run('draft<C-r>fo', past).state;
  assert.equal(shown(searching), 'foo bar|');
  assert.equal(promptOf(searching, '> '), "(search)'fo': ");
  assert.equal(shown(run('<C-r>', searching).state), 'say Foo|');
  assert.equal(shown(run('<C-r><C-s>', searching).state), 'foo bar|');
  assert.equal(promptOf(run('<C-r><C-r>', searching).state, '> '), "no (search)'fo': ");
  const none = run('x', searching).state;
  assert.equal(shown(none), 'foo bar|');
  assert.equal(promptOf(none, '> '), "no (search)'fox': ");
  assert.equal(promptOf(run('<backspace>', none).state, '> '), "(search)'fo': ");
  assert.equal(shown(run('<C-g>', searching).state), 'draft|');
  assert.deepEqual(run('<C-c>', searching).signals, []);
  assert.equal(shown(run('<backspace><backspace>', searching).state), 'draft|');
  assert.equal(shown(run('<escape>!', searching).state), 'foo bar!|');
  assert.equal(promptOf(run('<left>', searching).state, '> '), '> ');
  assert.equal(shown(run('<escape><down>', searching).state), 'draft|', 'the draft is kept');
  assert.deepEqual(run('<return>', searching).submitted, ['foo bar']);
  assert.equal(promptOf(run('<C-r>a', newEditor({ masked: true })).state, '? '), '? ');
});

test('Ctrl-X Ctrl-E asks for an editor, the draft staying as it is, and not for a secret', () => {
  const { state, signals } = run('a draft<C-x><C-e>');
  assert.deepEqual(signals, ['edit']);
  assert.equal(shown(state), 'a draft|');
  assert.deepEqual(run('hunter2<C-x><C-e>', newEditor({ masked: true })).signals, []);
});

test('undo: by the word while typing, by the step otherwise, and never into a secret or a sent line', () => {
  assert.equal(shown(run('one two<C-_>').state), 'one |');
  assert.equal(shown(run('one two<C-_><C-_>').state), '|');
  assert.equal(shown(run('one two<C-_><C-_><C-_>').state), '|');
  assert.equal(shown(run('one two<C-w><C-x><C-u>').state), 'one two|');
  assert.equal(shown(run('one<C-a><C-k><C-_>').state), '|one');
  assert.equal(shown(run('<C-_>', paste('a\nb', run('x').state).state).state), 'x|');
  assert.equal(shown(run('draft<up><C-_><down>', run('old<return>').state).state), 'draft|');
  assert.equal(shown(run('sent<return><C-_>').state), '|');
  assert.deepEqual(run('hunter2<C-u>', newEditor({ masked: true })).state.undo, []);
  assert.equal(run('a <backspace>'.repeat(300)).state.undo.length, 100);
});

test('the last words of earlier lines, cases of words, and kills that add up', () => {
  const past = run('see first<return>see second  <return>').state;
  assert.equal(shown(run('<M-.>', past).state), 'second|');
  assert.equal(shown(run('x <M-.><M-.>', past).state), 'x first|');
  assert.equal(shown(run('<M-_>!', past).state), 'second!|');
  assert.equal(hintOf(run('<M-.>', past).state, 80), null);
  assert.equal(shown(run('one two<C-a><M-u><M-c>').state), 'ONE Two|');
  assert.equal(shown(run('ÉTÉ<C-a><M-l>').state), 'été|');
  assert.equal(shown(run('one two three<C-w><C-w><C-y>').state), 'one two three|');
  assert.equal(shown(run('one two<C-a><M-d><M-d><C-y>').state), 'one two|');
  assert.equal(shown(run('one two<C-w><left><right><C-w><C-y>').state), 'one |');
});

test('a paste without its end can be left with Ctrl-C', () => {
  const { state, signals } = run('<paste-start>abc<return>def<C-c>x');
  assert.deepEqual(signals, ['interrupt']);
  assert.equal(state.text, 'x');
});

test('a secret: one line, no history, no yank, no words to see', () => {
  const masked = newEditor({ masked: true });
  const pasted = paste('hun ter2\n', masked).state;
  assert.equal(pasted.text, 'hun ter2');
  assert.equal(paste('\r\none\r\n\r\ntwo\r\n', masked).state.text, 'one two');
  const killed = run('<C-u>', pasted).state;
  assert.equal(killed.text, '');
  assert.equal(killed.killed, '');
  assert.equal(run('<C-w>', pasted).state.text, '');
  assert.deepEqual(run('<return>', pasted).state.history, []);
  assert.deepEqual(layoutInput(pasted, '? ', { columns: 40, maxRows: 5 }).rows, ['? ••••••••']);
  assert.equal(run('a<M-return>b', masked).state.text, 'ab');
});

test('16,000 bytes and no more, cut between graphemes', () => {
  const full = paste('x'.repeat(15_990)).state;
  const result = edit(paste('👨‍👩‍👧', full).state, { text: 'y' });
  assert.equal(result.state.text.length, 15_991, 'a family of 18 bytes does not fit, a letter does');
  const flood = paste('z'.repeat(100_000)).state;
  assert.equal(flood.text.length, 16_000);
  assert.equal(edit(flood, { text: 'y' }).signal, 'full');
});

test('property: any keys keep the cursor inside, the length bounded, and every row within the screen', () => {
  const names = [
    'left',
    'right',
    'up',
    'down',
    'home',
    'end',
    'backspace',
    'delete',
    'return',
    'a',
    'b',
    'd',
  ].concat([
    ...[
      'e',
      'f',
      'k',
      'u',
      'w',
      'y',
      't',
      'l',
      'c',
      'n',
      'p',
      'paste-start',
      'paste-end',
      'enter',
      'toString',
      'r',
      's',
      'x',
      'escape',
      'tab',
      '.',
      '_',
    ],
  ]);
  const key = fc.oneof(
    fc.record({ text: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 2 }) }),
    fc.record({ text: fc.string({ unit: 'binary', minLength: 1, maxLength: 2 }) }),
    fc.record({ name: fc.constantFrom(...names), ctrl: fc.boolean(), meta: fc.boolean() }),
  );
  fc.assert(
    fc.property(
      fc.array(key, { maxLength: 60 }),
      fc.boolean(),
      fc.integer({ min: 4, max: 40 }),
      (pressed, masked, columns) => {
        let state = newEditor({ masked });
        const completer: Completer = (line) => ({ from: 0, candidates: ['ann', 'anton', line] });
        for (const one of pressed) {
          state = edit(state, one, completer).state;
          assert.ok(state.cursor >= 0 && state.cursor <= state.text.length);
          assert.ok(state.text.isWellFormed());
        }
        const layout = layoutInput(state, 'p> ', { columns, maxRows: 5 });
        assert.ok(layout.rows.length >= 1 && layout.rows.length <= 5);
        assert.ok(layout.rows[layout.cursorRow]?.startsWith(layout.beforeCursor));
        assert.doesNotMatch(layout.rows.join(''), /[\p{Cc}\p{Bidi_Control}\u200b]/u);
      },
    ),
  );
});

// Expressions that end with `$` once tried every beginning: in lines like these they would not come to an end.
test('the last words of very long lines, and line feeds in a very long paste, are found at once', () => {
  const long = 'x'.repeat(2_000_000);
  const past = { ...newEditor(), history: [`${long} last`, `${' '.repeat(2_000_000)}word  `, '  '] };
  assert.equal(shown(run('<M-.>', past).state), 'word|');
  assert.equal(shown(run('<M-.><M-.>', past).state), 'last|');
  const pasting = edit(newEditor({ masked: true }), { name: 'paste-start' }).state;
  const pasted = edit(pasting, { sequence: `a${'\n'.repeat(2_000_000)}b` }).state;
  assert.equal(edit(pasted, { name: 'paste-end' }).state.text, 'a b');
});

test('several lines from an editor begin no command either; one line may', () => {
  assert.equal(linesAsText('/etc/hosts\n/etc/passwd'), '//etc/hosts\n/etc/passwd');
  assert.equal(linesAsText('//etc/hosts\nnext'), '//etc/hosts\nnext');
  assert.equal(linesAsText('/me waves'), '/me waves');
  assert.equal(linesAsText('two\nlines'), 'two\nlines');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineQueue, LineSplitter } from '../../../src/terminal/screen/line-queue.ts';

const encoder = new TextEncoder();
const line = (text: string) => ({ kind: 'line', text });

test('property: lines do not depend on where the chunks end', () => {
  const texts = fc.array(
    fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replaceAll(/[\r\n]/g, '')),
  );
  fc.assert(
    fc.property(
      texts,
      fc.constantFrom('\n', '\r\n'),
      fc.integer({ min: 1, max: 7 }),
      (lines, lineEnd, size) => {
        const bytes = encoder.encode(lines.map((text) => text + lineEnd).join(''));
        const splitter = new LineSplitter();
        const found = [];
        for (let at = 0; at < bytes.length; at += size)
          found.push(...splitter.push(bytes.subarray(at, at + size)));
        assert.deepEqual([...found, ...splitter.end()], lines.map(line));
      },
    ),
  );
});

test('the last line needs no line feed, and nothing is no line', () => {
  const splitter = new LineSplitter();
  assert.deepEqual(splitter.push(encoder.encode('a\nb')), [line('a')]);
  assert.deepEqual(splitter.end(), [line('b')]);
  assert.deepEqual(new LineSplitter().end(), []);
});

test('a line over the limit is reported once, dropped, and the next one is read', () => {
  const splitter = new LineSplitter(8);
  const found = ['12345678\n', '1234', '5678', '9', '0'.repeat(100), '\nnext\n'].flatMap((chunk) =>
    splitter.push(encoder.encode(chunk)),
  );
  assert.deepEqual(found, [line('12345678'), { kind: 'too-long' }, line('next')]);
});

test('lines wait for a listener, in order, and the end waits behind them', () => {
  const queue = new LineQueue();
  const seen: string[] = [];
  queue.onEnd(() => seen.push('end'));
  queue.push('a');
  queue.push('b');
  queue.finish();
  assert.equal(seen.length, 0);
  queue.onLine((text) => {
    seen.push(text);
    queue.onLine(null);
  });
  assert.deepEqual(seen, ['a']);
  queue.onLine((text) => seen.push(text));
  assert.deepEqual(seen, ['a', 'b', 'end']);
  queue.onLine((text) => seen.push(text));
  assert.deepEqual(seen, ['a', 'b', 'end']);
});

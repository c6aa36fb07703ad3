import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InputError } from '../../src/protocol/errors.ts';
import {
  formatJsonEvent,
  type MessageEvent,
  parseJsonCommand,
  RefusedSayError,
} from '../../src/terminal/json-lines.ts';
import { vectors } from '../helpers/vectors.ts';

const refusedWith = (code: string) => (error: unknown) => error instanceof InputError && error.code === code;

function messageOf(text: string): MessageEvent {
  const from = { id: 'AAAA', nick: 'ann', algorithm: 'rsa' };
  return {
    type: 'message',
    id: 'x',
    conversation: 'y',
    kind: 'text',
    from,
    text,
    at: '2026-01-01T00:00:00Z',
    own: false,
    mention: false,
  };
}

test('every command decodes, unknown fields ignored', () => {
  assert.deepEqual(parseJsonCommand('{"type":"quit","later":1}'), { type: 'quit' });
  assert.deepEqual(parseJsonCommand(' {"type":"answer","name":"code","value":"123456"} '), {
    type: 'answer',
    name: 'code',
    value: '123456',
  });
  assert.deepEqual(parseJsonCommand('{"type":"say","text":"hi"}'), { type: 'say', text: 'hi' });
  assert.deepEqual(parseJsonCommand('{"type":"say","text":"","ref":"1","to":"ann"}'), {
    type: 'say',
    text: '',
    ref: '1',
    to: 'ann',
  });
  assert.deepEqual(parseJsonCommand('{"type":"say","text":"hi","replyTo":"AAAAAAAAAAAA"}'), {
    type: 'say',
    text: 'hi',
    replyTo: 'AAAAAAAAAAAA',
  });
  assert.deepEqual(parseJsonCommand('{"type":"command","line":"/names"}'), {
    type: 'command',
    line: '/names',
  });
});

test('what is no command is refused, by reason', () => {
  for (const line of [
    '',
    'hello',
    '[]',
    'null',
    '"quit"',
    '7',
    '{',
    '{"type":"quit"}{}',
    '{"type":"quit"} x',
  ]) {
    assert.throws(() => parseJsonCommand(line), refusedWith('bad-json'), line);
  }
  for (const line of [
    '{}',
    '{"type":1}',
    '{"type":"shout"}',
    '{"type":"toString"}',
    '{"__proto__":{"type":"quit"}}',
    '{"type":"say"}',
    '{"type":"say","text":null}',
    '{"type":"say","text":["a"]}',
    '{"type":"say","text":"a","ref":1}',
    '{"type":"say","text":"a","to":false}',
    '{"type":"say","text":"a","replyTo":7}',
    '{"type":"say","text":"a","replyTo":"7"}',
    '{"type":"say","text":"a","replyTo":""}',
    '{"type":"say","text":"\\ud800"}',
    `{"type":"say","text":"a","ref":"${'r'.repeat(65)}"}`,
    '{"type":"answer","name":"code"}',
    '{"type":"answer","value":"x"}',
    '{"type":"answer","name":"code","value":123456}',
    '{"type":"command"}',
  ]) {
    assert.throws(() => parseJsonCommand(line), refusedWith('bad-command'), line);
  }
});

test('a text of 16,000 bytes is taken, one more is refused', () => {
  const say = (text: string) => JSON.stringify({ type: 'say', text });
  assert.equal(parseJsonCommand(say('é'.repeat(8_000))).type, 'say');
  assert.throws(() => parseJsonCommand(say(`${'é'.repeat(8_000)}x`)), refusedWith('text-too-long'));
});

test('a `say` that is refused carries its ref, where that is one', () => {
  const refOf = (fields: object): unknown => {
    try {
      parseJsonCommand(JSON.stringify({ type: 'say', ...fields }));
    } catch (error) {
      return error instanceof RefusedSayError ? error.ref : null;
    }
    return assert.fail('it was taken');
  };
  const long = 'x'.repeat(16_001);
  for (const fields of [
    {},
    { text: 7 },
    { text: long },
    { text: 'a', to: 7 },
    { text: 'a', replyTo: 7 },
    { text: 'a', replyTo: 'none' },
  ]) {
    assert.equal(refOf({ ...fields, ref: 'r-1' }), 'r-1', JSON.stringify(fields));
    assert.equal(refOf(fields), null, JSON.stringify(fields));
  }
  for (const ref of [1, null, 'r'.repeat(65), '\ud800']) assert.equal(refOf({ text: long, ref }), null);
});

test('an event is one line that shows nothing hidden and decodes to the same text', () => {
  const text = 'a\n\u2028\u2029\u0085\u009b\u007f\u202e\u200b\u{e0041}\ufeff"\\ 👨‍👩‍👧 é \ud800';
  const line = formatJsonEvent(messageOf(text));
  assert.ok(line.includes('a\\n\\u2028\\u2029\\u0085\\u009b\\u007f\\u202e\\u200b\\udb40\\udc41\\ufeff\\"'));
  assert.deepEqual(JSON.parse(line), messageOf(text));
});

test('P42: naughty and random texts leave no hidden character in a line', () => {
  const naughty = vectors('blns/blns.json');
  const check = (text: string): void => {
    const line = formatJsonEvent(messageOf(text));
    assert.doesNotMatch(line, /[\p{Cc}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Cs}]/u);
    assert.deepEqual(JSON.parse(line), messageOf(text));
  };
  if (Array.isArray(naughty)) for (const text of naughty) check(String(text));
  fc.assert(fc.property(fc.string({ unit: 'binary' }), check));
});

test('property: any line either decodes or is refused as input', () => {
  const jsonish = fc.oneof(
    fc.json(),
    fc.string(),
    fc
      .record({ type: fc.constantFrom('say', 'quit', 'answer'), text: fc.anything() })
      .map((value) => JSON.stringify(value) ?? ''),
  );
  fc.assert(
    fc.property(jsonish, (line) => {
      try {
        parseJsonCommand(line);
      } catch (error) {
        assert.ok(error instanceof InputError);
      }
    }),
  );
});

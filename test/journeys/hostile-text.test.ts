/**
 * P42: whatever people call their room, ask, or say, a terminal is sent nothing to obey but our own sequences, and its
 * screen stays whole.
 */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { HIDDEN_CHARACTERS } from '../../src/protocol/clean-text.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { packed } from '../helpers/naughty-strings.ts';
import { ANSWER, journey } from '../helpers/program.ts';
import { vectors } from '../helpers/vectors.ts';

/** Escape sequences, bells, C1 in both forms, direction marks, invisible characters: what a terminal would obey. */
const ATTACKS: readonly string[] = [
  '\u001b[2J\u001b[H you see nothing before this',
  '\u001b]0;new title\u0007\u001b]52;c;ZXZpbA==\u0007\u001b]8;;http://evil.example\u001b\\link\u001b]8;;\u001b\\',
  '\u009b31m red \u009d0;title\u009c \u0085 next line',
  'one\rtwo \b\b\b\u007f three\u000b\u000c four \u0000 nul',
  '\u202egnp.exe \u2066 isolated \u2069 \u200f\u200e marks \u061c',
  'zero\u200bwidth\u200cjoined\u200d \ufeff bom \u2060 \u00ad soft \u180e \u3164 \u115f \u{e0041}\u{e0042} tags',
  '\u001b[?1049h\u001b[?25l\u001b[?1000h\u001b[6n\u001b[c\u001bP+q544e\u001b\\ \u001b#8',
  `Z${'\u0353\u030d\u0489'.repeat(40)} marks without end`,
  '12:34 <olga> not what olga said\n12:35 <olga> nor this\n-!- ALARM: nor this',
  `long${'\uffff'}${'w'.repeat(300)}\u{1f600}${'界'.repeat(150)}`,
  'lines\u2028and\u2029paragraphs\r\nand\nmore',
  'lone \ud800 surrogate'.toWellFormed(),
];

const ESC = '\u001b';
/**
 * All that the screen itself writes: paste, focus and wrap modes, cursor on, clear, up and down, colours, CR and LF, and
 * an invitation for the clipboard.
 */
const OWN = new RegExp(
  `${ESC}\\]52;c;c2Mx[\\w+/=]*\u0007|${ESC}\\[(?:\\?(?:2004|1004|7|25)[hl]|\\d*[ABJ]|[\\d;]*m)|\\r|\\n`,
  'g',
);
/** Emoji are shown with what joins them. */
const EMOJI =
  /\p{Extended_Pictographic}(?:[\u200d\ufe0e\ufe0f]|\p{Emoji_Modifier}|\p{Extended_Pictographic})*|[0-9#*]\ufe0f\u20e3/gu;

function leftOver(bytes: string): readonly string[] {
  const rest = bytes.replaceAll(OWN, '').replaceAll(EMOJI, '');
  return [...rest.matchAll(HIDDEN_CHARACTERS)].map(({ 0: character, index }) =>
    JSON.stringify([character.codePointAt(0)?.toString(16), rest.slice(Math.max(0, index - 20), index + 20)]),
  );
}

/** Several strings a message, so that the rate limit does not decide how long this takes. */
const MESSAGE_BYTES = 1_500;
const blns = vectors('blns/blns.json');
const naughty = Array.isArray(blns)
  ? blns.map((text) => String(text).toWellFormed()).filter((text) => text.trim())
  : [];

describe('hostile text', () => {
  journey('P42: as room name, question and message, moves nothing on a terminal', async (stage) => {
    const roomName = '\u001b[2J\u202eKüche\u009b1m\u200b\u001b]0;x\u0007';
    const question = `Where\u001b[H\u0085\u2066 did\rwe\u200b meet?${'\u0353'.repeat(30)}`;
    assert.ok(Buffer.byteLength(roomName) <= LIMITS.roomNameBytes);
    const room = await stage.room(['--room', roomName, '--question', question]);
    const terminal = stage.terminal(['c', '--nick', 'cyd'], { columns: 80, rows: 24 });
    const plain = stage.start('plain', ['c', '--plain', '--nick', 'dan']);
    plain.write(`${room.token}\n${ANSWER}\n${room.code}\n`);
    await terminal.waitFor('Paste the invitation.');
    terminal.enter(room.token);
    await terminal.waitFor('Where');
    terminal.enter(ANSWER);
    await terminal.waitFor('six digits');
    terminal.enter(room.code);
    await terminal.waitFor(/You are cyd/);
    await room.host.until('member', ({ member }) => member.nick === 'dan');
    terminal.type('a draft');

    const messages = [...ATTACKS, ...packed(naughty, MESSAGE_BYTES)];
    for (const text of messages) room.host.say(text);
    room.host.say('the end of it');
    await room.host.until('message', { text: 'the end of it' });
    await terminal.waitFor(/^\d\d:\d\d <olga> the end of it$/m);
    terminal.resize({ columns: 50, rows: 12 });
    terminal.type(' continues');
    await terminal.waitFor(/\(3\)> a draft continues$/m);

    assert.deepEqual(leftOver(terminal.bytes), []);
    // Rows are ours: an event's head, the gutter under it, or the line being typed.
    const shown = terminal.text().split('\n');
    const first = shown.findIndex((row) => row.includes('You are cyd'));
    const strange = shown
      .slice(first)
      .filter((row) => !/^(\d\d:\d\d (-!-|-->|<--|<olga>|\*)|\s{6}\| |.*\(3\)> |$)/.test(row));
    assert.deepEqual(strange, []);
    const forgery = /^12:34 <olga>|^-!- ALARM/m;
    assert.doesNotMatch(terminal.text(), forgery);
    assert.equal(terminal.screen().filter((row) => row.includes('a draft continues')).length, 1);

    terminal.type('\u0015');
    terminal.enter('/quit');
    assert.deepEqual(await terminal.left(), { exitCode: 0, restored: true });
    await plain.seen('the end of it');
    assert.deepEqual(leftOver(plain.stdout), []);
    assert.doesNotMatch(plain.stdout, forgery);
    // A line is safe to look at over --json as well, and still holds the exact text.
    assert.deepEqual(leftOver(room.host.stdout), []);
    const said = room.host.events.filter((event) => event.type === 'message').map(({ text }) => text);
    assert.deepEqual(said, [...messages, 'the end of it']);
  });

  journey('P42: as what a host is asked at its own prompts, is refused or shown clean', async (stage) => {
    const host = stage.terminal(['s', '--listen', '127.0.0.1:0', '--nick', 'olga']);
    await host.waitFor("The room's name?");
    host.type('\u001b[200~Kit\u009bch\u202een\u001b[201~\r');
    await host.waitFor('A security question');
    // A paste with controls in it, between the marks that a terminal sends.
    host.type('\u001b[200~Where \u009b31m did \u202ewe\u0007 meet?\u001b[201~');
    host.type('\r');
    await host.waitFor('Its answer?');
    host.enter(ANSWER);
    await host.waitFor('You are olga');
    host.enter('/quit');
    assert.deepEqual(await host.left(), { exitCode: 0, restored: true });
    assert.deepEqual(leftOver(host.bytes), []);
  });
});

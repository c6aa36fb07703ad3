/** Typing on a real terminal while others talk: lines arrive, the window changes, things are pasted, scripts of all kinds. */
import assert from 'node:assert/strict';
import { typed } from '../helpers/input-line.ts';
import { type HostedRoom, journeysIn, type Program, type Stage } from '../helpers/program.ts';
import type { TerminalProgram } from '../helpers/terminal.ts';

const PROMPT = 'Kitchen (3)> ';
const KEY = { left: '\u001b[D', escape: '\u001b', killLine: '\u0015' } as const;

const numbered = (name: string, index: number): string => `${name} ${`${index}`.padStart(3, '0')}`;

/** Rows that end with a numbered line, in the order they stand in the scrollback. */
function shown(terminal: TerminalProgram, name: string): readonly string[] {
  return terminal.rows().flatMap((row) => new RegExp(`${name} \\d{3}$`).exec(row)?.[0] ?? []);
}

function said(program: Program, nick: string): readonly string[] {
  return program.events.flatMap((event) =>
    event.type === 'message' && event.from.nick === nick ? [event.text] : [],
  );
}

interface Kitchen {
  readonly room: HostedRoom;
  readonly ann: Program;
  /** Each journey gives the window a size of its own. */
  readonly cyd: TerminalProgram;
}

async function kitchen(stage: Stage): Promise<Kitchen> {
  const room = await stage.room(['--room', 'Kitchen']);
  const ann = await stage.guest('ann', room);
  const cyd = await stage.guestOnTerminal('cyd', room);
  await ann.until('member', { change: 'joined' });
  return { room, ann, cyd };
}

journeysIn<Kitchen>('typing in a room', kitchen, (journey) => {
  journey(
    'survives 200 lines that arrive, and a window that changes its width',
    async ({ room, ann, cyd }) => {
      await cyd.resized({ columns: 120, rows: 24 });

      // No spaces: those at the end of a row could not be told from empty cells.
      const draft = Array.from({ length: 40 }, (_, index) => `w${index}.`).join('');
      const pieces = draft.match(/.{1,10}/g) ?? [];
      const rounds = 16;
      for (let round = 0; round < rounds; round += 1) {
        const lines = Array.from({ length: 10 }, (_, index) => numbered('host line', round * 10 + index));
        room.host.say(lines.join('\n'));
        ann.say(numbered('ann says', 2 * round));
        cyd.type(pieces[round] ?? '');
        ann.say(numbered('ann says', 2 * round + 1));
      }
      const fromHost = Array.from({ length: 160 }, (_, index) => numbered('host line', index));
      const fromAnn = Array.from({ length: 32 }, (_, index) => numbered('ann says', index));
      await cyd.waitFor('host line 159');
      await cyd.waitFor('ann says 031');
      await typed(cyd, PROMPT, draft);
      const allThere = (): void => {
        assert.deepEqual(shown(cyd, 'host line'), fromHost);
        assert.deepEqual(shown(cyd, 'ann says'), fromAnn);
        assert.deepEqual(cyd.rows().filter((row) => row.includes(PROMPT)).length, 1);
      };
      allThere();

      // The cursor stands inside the draft, and a line comes at each width.
      cyd.type(KEY.left.repeat(30));
      await typed(cyd, PROMPT, draft, draft.slice(0, -30));
      for (const columns of [40, 200, 41, 120]) {
        await cyd.resized({ columns, rows: 24 });
        await typed(cyd, PROMPT, draft, draft.slice(0, -30));
        const line = numbered('ann says', fromAnn.length);
        fromAnn.push(line);
        ann.say(line);
        await cyd.waitFor(line);
        await typed(cyd, PROMPT, draft, draft.slice(0, -30));
        allThere();
      }
      cyd.type('\r');
      await room.host.until('message', { text: draft });
      await typed(cyd, PROMPT, '');
      assert.deepEqual(said(room.host, 'cyd'), [draft]);
    },
  );

  journey('a paste of seven lines asks first, marked by the terminal or not', async ({ room, cyd }) => {
    await cyd.resized({ columns: 80, rows: 24 });
    const lines = Array.from({ length: 7 }, (_, index) => `pasted line ${index}`);
    const hint = '7 lines pasted: Enter sends them as one message, Esc drops them';
    for (const paste of [`\u001b[200~${lines.join('\r')}\u001b[201~`, `${lines.join('\r')}\r`]) {
      cyd.type(paste);
      await cyd.waitUntil('the question', () => cyd.screen().includes(hint));
      cyd.type(KEY.escape);
      await cyd.waitUntil('no question', () => !cyd.screen().includes(hint));
      await typed(cyd, PROMPT, '');
      cyd.type(paste);
      await cyd.waitUntil('the question', () => cyd.screen().includes(hint));
      const screen = cyd.screen();
      const first = screen.indexOf(PROMPT + lines[0]);
      assert.deepEqual(screen.slice(first + 1, first + 7), lines.slice(1));
      assert.equal(screen.filter((row) => row === hint).length, 1);
      cyd.type('\r');
      await room.host.until('message', { text: lines.join('\n') });
      await typed(cyd, PROMPT, '');
    }
    cyd.enter('and a line by itself');
    await room.host.until('message', { text: 'and a line by itself' });
    assert.equal(said(room.host, 'cyd').length, 3);
    assert.doesNotMatch(cyd.text(), /lines pasted/);
  });

  journey(
    'scripts and emoji of all kinds keep to their rows, at 40 and 80 columns',
    async ({ room, ann, cyd }) => {
      const texts = [
        '漢字とかなと한글이 섞인 문장입니다。',
        'emoji 👩‍👩‍👧‍👦 👍🏽 🇩🇪🇯🇵 ❤️ 1️⃣ done',
        'a\u0308e\u0301 n\u0303 Z\u0353\u030d Việt',
        'שלום עולם and مرحبا بالعالم',
        'ไทยภาษา हिन्दी தமிழ்',
      ];
      for (const columns of [40, 80]) {
        await cyd.resized({ columns, rows: 30 });
        await typed(cyd, PROMPT, '');
        for (const [index, text] of texts.entries()) {
          // Longer than two rows, between lines that end on the last column.
          const name = `${columns}.${index}`;
          const guard = (side: string): string =>
            `${side} ${name}`.padEnd(columns - '00:00 <ann> '.length, '#');
          ann.say(guard('before'));
          ann.say(Array.from({ length: 6 }, () => text).join(' '));
          ann.say(guard('after'));
          await cyd.waitFor(guard('after'));
          const rows = cyd.text().split('\n');
          const from = rows.findIndex((row) => row.endsWith(guard('before')));
          const to = rows.findIndex((row) => row.endsWith(guard('after')));
          assert.match(rows[from] ?? '', /^\d\d:\d\d <ann> before/);
          assert.match(rows[to] ?? '', /^\d\d:\d\d <ann> after/);
          const between = rows.slice(from + 1, to);
          assert.ok(between.length >= 2, `${name} was not folded`);
          const [head = '', ...folded] = between;
          assert.match(head, /^\d\d:\d\d <ann> /);
          for (const row of folded) assert.match(row, /^ {6}\| /);
          const contents = [head.slice('00:00 <ann> '.length), ...folded.map((row) => row.slice(8))];
          const letters = (line: string): string => line.replaceAll(' ', '');
          assert.equal(letters(contents.join('')), letters(text).repeat(6));

          cyd.type(text);
          await typed(cyd, PROMPT, text);
          const graphemes = Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
          for (const back of [1, 2, 5]) {
            cyd.type(KEY.left.repeat(back));
            const before = graphemes.slice(0, -back).join('');
            await typed(cyd, PROMPT, text, before);
            cyd.type('\u0005');
          }
          cyd.type(KEY.killLine);
          await typed(cyd, PROMPT, '');
        }
        cyd.enter(texts.join(' '));
        await room.host.until('message', { text: texts.join(' ') });
      }
    },
  );
});

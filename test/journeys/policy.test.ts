/** What becomes of messages: shown at the door, set by the host, kept with the room, and what all compare. With the program itself. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'node:test';
import { ends, newRoom, reopened } from '../helpers/kept-host.ts';
import {
  ANSWER,
  type HostedRoom,
  journey,
  journeysIn,
  type Program,
  QUICK,
  type Stage,
} from '../helpers/program.ts';

const WEEK_SECONDS = 7 * 24 * 3_600;

function textsOf(program: Program, code: string): readonly string[] {
  return program.events.flatMap((event) =>
    event.type === 'notice' && event.code === code ? [event.text] : [],
  );
}

/** The settings that it came in with. */
function roomOf(program: Program) {
  const joined = program.events.find((event) => event.type === 'joined');
  return joined?.type === 'joined' ? joined.room : assert.fail('not in the room');
}

async function changes(setting: string, value: string, room: HostedRoom): Promise<void> {
  room.host.command(`/policy ${setting} ${value}`);
  await room.host.until('room', (event) => event.changes.some((change) => change === setting));
}

async function quits(program: Program, room: HostedRoom): Promise<void> {
  program.send({ type: 'quit' });
  assert.equal(await program.exit, 0);
  await left(room);
}

async function left({ host }: HostedRoom): Promise<void> {
  await host.until('member', ({ change }) => change === 'left');
}

const open = (stage: Stage) => stage.room(['--stay', '7d', '--no-edits', '--no-read-receipts']);

journeysIn<HostedRoom>('policy', open, (journey) => {
  journey('P18 is read at the door, and told to everyone when the host changes it', async (room, stage) => {
    const { host } = room;
    const ann = await stage.guest('ann', room);
    const strict = ['Messages disappear after 7d.', 'Nothing that was said may be changed or taken back.'];
    for (const text of [...strict, 'Nobody is told what has been read.'])
      assert.ok(textsOf(ann, 'room').includes(text), text);
    const { staySeconds, edits, readReceipts } = roomOf(ann);
    assert.deepEqual([staySeconds, edits, readReceipts], [WEEK_SECONDS, false, false]);
    assert.deepEqual(textsOf(ann, 'policy-differs'), []);

    ann.say('for a week');
    const { at, disappearsAt } = await ann.until('message', { text: 'for a week' });
    const forMs = Date.parse(disappearsAt ?? '') - Date.parse(at);
    assert.ok(Math.abs(forMs - WEEK_SECONDS * 1_000) < 60_000, `${forMs}`);

    for (const [line, change] of [
      ['/policy stay off', 'stay'],
      ['/policy edits on', 'edits'],
      ['/policy receipts on', 'receipts'],
    ] as const) {
      host.command(line);
      for (const one of [host, ann]) await one.until('room', ({ changes }) => changes.includes(change));
    }
    ann.say('for as long as you like');
    assert.equal((await host.until('message', { text: 'for as long as you like' })).disappearsAt, undefined);
    ann.command('/policy');
    await ann.until('notice', { code: 'policy', text: 'Messages stay as long as members keep them.' });
    ann.command('/policy stay 1h');
    await ann.until('error', { code: 'host-only' });
    host.command('/policy stay 29s');
    await host.until('error', { code: 'bad-setting' });
    await quits(ann, room);
    for (const [setting, value] of [
      ['stay', '7d'],
      ['edits', 'off'],
      ['receipts', 'off'],
    ] as const)
      await changes(setting, value, room);
  });

  journey('one that changes while somebody stands at the door is a warning to them', async (room, stage) => {
    const ann = await stage.guestAtCode('ann', room);
    await changes('stay', '1h', room);
    await ann.answer('code', room.code);
    const { level, text } = await ann.until('notice', { code: 'policy-differs' });
    assert.equal(level, 'warning');
    assert.match(
      text,
      /^At the door: Messages disappear after 7d\. Signed by the owner: Messages disappear after 1h\. /,
    );
    assert.equal(roomOf(ann).staySeconds, 3_600);
    await quits(ann, room);
    await changes('stay', '7d', room);
  });

  journey(
    'on a terminal: the policy before the answer, then its words, what protects the room, and the check',
    async (room, stage) => {
      const words = ['c', '--nick', 'ann', '--token-file', stage.file(room.token), ...QUICK];
      const ann = stage.terminal(words, { columns: 80, rows: 40 });
      await ann.waitFor('Where did we meet?');
      assert.match(ann.text(), /-!- Messages disappear after 7d\./);
      ann.enter(ANSWER);
      await ann.waitFor("The code on the host's screen");
      ann.enter(room.code);
      await ann.waitFor('You are ann');
      ann.enter('/policy');
      await ann.waitFor('stays in its');
      ann.enter('/security');
      await ann.waitFor('Held back  Nothing.');
      assert.match(ann.text(), /^ {6}\| {3}Members {4}2 members can read what you say now/m);
      ann.enter('/room');
      await ann.waitFor('say nothing here');
      const wordsIn = /(?:\b[a-z]+ ){3}[a-z]+$/gm;
      room.host.command('/room');
      const { text } = await room.host.until(
        'notice',
        ({ code, text: told }) => code === 'check' && /^\w+ \w+ \w+ \w+\n/.test(told),
      );
      const rows = text.match(wordsIn) ?? [];
      assert.equal(rows.length, 4);
      for (const row of rows) assert.ok(ann.text().includes(row), row);
      const [digits = ''] = textsOf(room.host, 'check').filter((told) => /^\d{5} /.test(told));
      for (const row of digits.split('\n')) assert.ok(ann.text().includes(row), row);
      ann.enter('/quit');
      assert.equal((await ann.left()).exitCode, 0);
      await left(room);
    },
  );
});

describe('policy', () => {
  journey('a kept room keeps it, exports it, and is opened with another by option', async (stage) => {
    const first = await newRoom(stage, ['--stay', '1h', '--no-edits']);
    await ends(first);
    const again = await reopened(stage);
    const room = roomOf(again.host);
    assert.deepEqual([room.staySeconds, room.edits, room.readReceipts], [3_600, false, true]);
    await ends(again);
    const file = join(stage.folder, 'kitchen.json');
    assert.equal(await stage.start('keeper', ['rooms', 'export', 'kitchen', file]).exit, 0);
    const exported = JSON.parse(readFileSync(file, 'utf8')).room;
    assert.deepEqual([exported.staySeconds, exported.edits, exported.readReceipts], [3_600, false, true]);
    const last = await reopened(stage, ['--stay', 'off', '--no-read-receipts']);
    await last.host.until('room', ({ changes }) => changes.includes('stay') && changes.includes('receipts'));
    last.host.command('/policy');
    await last.host.until('notice', { code: 'policy', text: 'Nobody is told what has been read.' });
    assert.ok(textsOf(last.host, 'policy').includes('Messages stay as long as members keep them.'));
    assert.ok(textsOf(last.host, 'policy').includes('Nothing that was said may be changed or taken back.'));
  });
});

/** What a person does to their own screen: commands, keys, the bell, the editor, the QR code. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { typed } from '../helpers/input-line.ts';
import {
  ANSWER,
  type HostedRoom,
  journey,
  journeysIn,
  QUESTION,
  QUICK,
  type Stage,
} from '../helpers/program.ts';
import type { Cell, TerminalProgram } from '../helpers/terminal.ts';
import { available, outputOf } from '../helpers/tools.ts';

const KEY = {
  up: '\u001b[A',
  down: '\u001b[B',
  tab: '\t',
  altEnter: '\u001b\r',
  ctrlR: '\u0012',
  killLine: '\u0015',
  focusIn: '\u001b[I',
  focusOut: '\u001b[O',
} as const;
const PROMPT = 'Kitchen (3)> ';

function kitchen(stage: Stage): Promise<HostedRoom> {
  return stage.room(['--room', 'Kitchen']);
}

const hasLeft =
  (nick: string) =>
  ({ change, member }: { readonly change: string; readonly member: { readonly nick: string } }): boolean =>
    change === 'left' && member.nick === nick;

journeysIn<HostedRoom>("a person's own screen", kitchen, (inKitchen) => {
  inKitchen('bell, marker of what is new, search, times, quiet, ignore, clear', async (room, stage) => {
    const ann = await stage.guest('ann', room);
    const bob = await stage.guestOnTerminal('bob', room);
    await ann.until('member', { change: 'joined' });

    ann.say('nobody in particular');
    await bob.waitFor('<ann> nobody in particular');
    assert.equal(bob.bells, 0);
    ann.say('are you there, Bob?');
    await bob.waitFor(/^\d\d:\d\d ! <ann> are you there, Bob\?$/m);
    assert.equal(bob.bells, 1);
    bob.enter('/bell all');
    await bob.waitFor('The bell rings at every message of others.');
    ann.say('bobsled');
    await bob.waitFor('<ann> bobsled');
    assert.equal(bob.bells, 2);
    bob.enter('/bell off');
    await bob.waitFor('The bell does not ring.');
    ann.say('bob bob bob');
    await bob.waitFor('<ann> bob bob bob');
    assert.equal(bob.bells, 2);

    bob.enter('/notify on');
    await bob.waitFor('notification, without the text.');
    assert.deepEqual(bob.told, []);
    bob.type(KEY.focusOut);
    // The report and what is said come by different ways: what follows both is new.
    const marker = /^--- new since \d\d:\d\d ---\n\d\d:\d\d <ann> news \d+$/m;
    for (let count = 0; !marker.test(bob.text()); count += 1) {
      ann.say(`news ${count}`);
      await bob.waitFor(`<ann> news ${count}`);
    }
    ann.say('bob, this is new');
    await bob.waitFor(/^\d\d:\d\d ! <ann> bob, this is new$/m);
    assert.equal(bob.text().match(/--- new since/g)?.length, 1);
    assert.deepEqual(bob.told, ['notification securechat: ann mentions you']);
    bob.type(KEY.focusIn);

    bob.enter('/search this new');
    await bob.waitFor(/-!- Found in 1 message:\n.*<ann> bob, this is new$/m);
    bob.enter('/search nothing like that');
    await bob.waitFor('-!- Nothing was found.');
    bob.enter('/timestamp seconds');
    await bob.waitFor(/^\d\d:\d\d:\d\d -!- Times are shown with seconds\.$/m);
    bob.enter('/timestamp off');
    await bob.waitFor('Times are not shown.');
    ann.say('timeless');
    await bob.waitFor(/^<ann> timeless$/m);
    bob.enter('/timestamp on');
    await bob.waitFor('Times are shown as hours and minutes.');
    ann.say('timed');
    await bob.waitFor(/^\d\d:\d\d <ann> timed$/m);

    bob.enter('/ignore ann');
    await bob.waitFor('/unignore ann shows it again');
    ann.say('unheard words');
    room.host.say('heard words');
    await bob.waitFor('<olga> heard words');
    bob.enter('/ignore');
    await bob.waitFor('Ignored: ann.');
    bob.enter('/unignore ann');
    await bob.waitFor('ann is shown again.');
    ann.say('heard again');
    await bob.waitFor('<ann> heard again');
    assert.doesNotMatch(bob.text(), /unheard words/);

    bob.enter('/quiet on');
    await bob.waitFor('Who comes and goes is left out');
    ann.send({ type: 'quit' });
    await room.host.until('member', { change: 'left' });
    room.host.say('without ann');
    await bob.waitFor('<olga> without ann');
    assert.doesNotMatch(bob.text(), /<-- ann/);

    bob.type('a draft');
    await typed(bob, 'Kitchen (2)> ', 'a draft');
    bob.type(KEY.killLine);
    bob.enter('/clear');
    await bob.waitUntil('an empty screen', (text) => !text.includes('heard'));
    await typed(bob, 'Kitchen (2)> ', '');
    bob.enter('/search heard');
    await bob.waitFor('-!- Nothing was found.');
    room.host.say('after it');
    await bob.waitFor('<olga> after it');
    bob.enter('/quit');
    await room.host.until('member', hasLeft('bob'));
  });

  journey('the editor has Ctrl-C for itself, and goes with the room', async (stage) => {
    const editor = join(stage.folder, 'editor');
    const left = join(stage.folder, 'left');
    // Ends by its own will once it was interrupted twice; the second time it is opened it would stay.
    const script = `#!/bin/sh
count=0
trap 'count=$((count + 1)); echo "interrupted $count"' INT
[ -e "$0.was" ] && { echo stays; exec sleep 100; }
touch "$0.was"; echo open
while [ $count -lt 2 ]; do sleep 0.1; done
printf 'edited' > "$1"
`;
    writeFileSync(editor, script, { mode: 0o755 });
    mkdirSync(left);
    const room = await stage.room(['--room', 'Kitchen']);
    const env = { EDITOR: `exec ${editor}`, XDG_RUNTIME_DIR: left };
    const bob = await stage.guestOnTerminal('bob', room, { env });
    bob.enter('/edit');
    await bob.waitFor(/^open$/m);
    bob.type('\u0003');
    await bob.waitFor('interrupted 1');
    bob.type('\u0003');
    await bob.waitFor('Kitchen (2)> edited');
    assert.doesNotMatch(bob.text(), /Press Ctrl-C again/);
    bob.type(KEY.killLine);

    bob.enter('/edit');
    await bob.waitFor(/^stays$/m);
    assert.equal(readdirSync(left).length, 1);
    room.host.send({ type: 'quit' });
    const { exitCode } = await bob.left();
    assert.equal(exitCode, 0);
    assert.deepEqual(readdirSync(left), []);
  });

  inKitchen('an editor that has no place for its file is said, and the room goes on', async (room, stage) => {
    const nowhere = join(stage.folder, 'not-there');
    const env = { EDITOR: 'true', XDG_RUNTIME_DIR: nowhere, TMPDIR: nowhere };
    const bob = await stage.guestOnTerminal('bob', room, { env });
    bob.enter('/edit');
    await bob.waitFor('The draft cannot be put into a file');
    bob.enter('still here');
    await room.host.until('message', { text: 'still here' });
    bob.enter('/quit');
    await room.host.until('member', hasLeft('bob'));
  });

  inKitchen("completion, history, several lines, and an editor of one's own", async (room, stage) => {
    const editor = join(stage.folder, 'editor');
    writeFileSync(editor, '#!/bin/sh\nstty -a | grep -q -- -icanon && exit 9\nprintf "one\\ntwo" > "$1"\n', {
      mode: 0o755,
    });
    const annabel = await stage.guest('annabel', room);
    const bob = await stage.guestOnTerminal('bob', room, { env: { EDITOR: editor } });

    bob.type(`/na${KEY.tab}`);
    await typed(bob, PROMPT, '/names ');
    bob.type('\r');
    await bob.waitFor(/-!- .*annabel.*olga|-!- .*olga.*annabel/);
    bob.type(`ann${KEY.tab}`);
    await typed(bob, PROMPT, 'annabel: ');
    bob.enter('hello');
    await room.host.until('message', { text: 'annabel: hello' });
    await typed(bob, PROMPT, '');
    bob.type(`/whois ${KEY.tab}`);
    await typed(bob, PROMPT, '/whois annabel ');
    bob.type(KEY.tab);
    await typed(bob, PROMPT, '/whois olga ');
    bob.type(KEY.killLine);

    bob.type('unsent');
    bob.type(KEY.up);
    await typed(bob, PROMPT, 'annabel: hello');
    bob.type(KEY.up);
    await typed(bob, PROMPT, '/names ');
    bob.type(KEY.down + KEY.down);
    await typed(bob, PROMPT, 'unsent');
    bob.type(`${KEY.killLine}${KEY.ctrlR}nam`);
    await bob.waitFor("(search)'nam': /names");
    bob.type('\u0007');
    await typed(bob, PROMPT, '');

    bob.type(`first${KEY.altEnter}second`);
    await bob.waitFor(/^Kitchen \(3\)> first\nsecond$/m);
    bob.type('\r');
    await room.host.until('message', { text: 'first\nsecond' });
    await typed(bob, PROMPT, '');

    bob.enter('/edit');
    await bob.waitFor(/^Kitchen \(3\)> one\ntwo$/m);
    assert.ok(!room.host.events.some((event) => event.type === 'message' && event.text === 'one\ntwo'));
    bob.type('\r');
    await room.host.until('message', { text: 'one\ntwo' });
    await typed(bob, PROMPT, '');
    writeFileSync(editor, '#!/bin/sh\nprintf more >> "$1"\n', { mode: 0o755 });
    bob.enter('/edit the first line');
    await bob.waitFor(/Kitchen \(3\)> the first line\nmore$/m);
    bob.type('\u0018\u0005');
    await bob.waitFor(/Kitchen \(3\)> the first line\nmore\nmore$/m);
    bob.type(KEY.killLine.repeat(6));
    await typed(bob, PROMPT, '');
    writeFileSync(editor, '#!/bin/sh\nexit 3\n', { mode: 0o755 });
    bob.enter('/edit');
    await bob.waitFor('Error: The editor');
    await typed(bob, PROMPT, '');
    bob.enter('/quit');
    assert.deepEqual(await bob.left(), { exitCode: 0, restored: true });
    annabel.send({ type: 'quit' });
    for (const nick of ['bob', 'annabel']) await room.host.until('member', hasLeft(nick));
  });

  if (available(['zbarimg', '--version'], 'a camera for QR codes')) {
    journey('a QR code that is read from the screen is the invitation', async (stage) => {
      const host = stage.terminal(
        [
          's',
          '--listen',
          '127.0.0.1:0',
          '--nick',
          'olga',
          '--room',
          'Kitchen',
          '--question',
          QUESTION,
          '--no-qr',
          ...QUICK,
        ],
        { columns: 120, rows: 50 },
      );
      await host.waitFor('Its answer?');
      host.enter(ANSWER);
      const panel = await host.waitFor('You are olga in Kitchen');
      const token = /^sc1\.\S+$/m.exec(panel)?.[0] ?? '';
      assert.equal(host.told[0], `clipboard ${token}`);
      host.enter('/qr');
      await host.waitFor('as a QR code');
      await host.waitUntil('the code', () => host.rows().some((row) => row.includes('▀▀▀▀▀▀▀')));
      const picture = join(stage.folder, 'qr.pgm');
      writeFileSync(picture, photograph(host));
      const read = await outputOf('zbarimg', ['--quiet', '--raw', picture]);
      // Where no desktop runs it goes on to say so.
      assert.equal(read.split('\n')[0], token);

      await host.resized({ columns: 60, rows: 30 });
      host.enter('/qr');
      await host.waitFor(/The QR code takes[\s|]+\d+[\s|]+columns/);
    });
  }
});

/** Pixels a module: cameras see no single ones. */
const SCALE = 6;
const WHITE = 231;

/** What a camera sees of the screen, as a grey picture (PGM): two modules a cell, one above the other. */
function photograph(terminal: TerminalProgram): Buffer {
  const rows = terminal.rows().map((_, row) => terminal.cells(row));
  const isLight = (cell: Cell, half: 'upper' | 'lower'): boolean => {
    const inked = cell.text === '█' || cell.text === (half === 'upper' ? '▀' : '▄');
    return (inked ? cell.ink : cell.paper) === WHITE;
  };
  const modules = rows.flatMap((cells) =>
    (['upper', 'lower'] as const).map((half) => cells.map((cell) => isLight(cell, half))),
  );
  const columns = modules[0]?.length ?? 0;
  const pixels = modules.flatMap((line) => {
    const row = line.flatMap((light) => Array.from({ length: SCALE }, () => (light ? 255 : 0)));
    return Array.from({ length: SCALE }, () => row).flat();
  });
  const head = `P5\n${columns * SCALE} ${modules.length * SCALE}\n255\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(pixels)]);
}

/**
 * Draws docs/images: a room is opened, three people join it and talk, each on a pseudo-terminal of their own, as xterm
 * understands what the real program writes. Run it when what people see has changed: `npx node scripts/session-picture.ts`.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pane, ROOT, type Shot } from './pictures/pane.ts';
import { drawShot } from './pictures/svg.ts';

const QUESTION = 'Where did we meet?';
const ANSWER = 'In the library by the lake!';

const home = mkdtempSync(join(tmpdir(), 'securechat-picture-'));

function save(name: string, shot: Shot, picture: Parameters<typeof drawShot>[1]): void {
  writeFileSync(join(ROOT, `docs/images/${name}.svg`), drawShot(shot, picture));
}

/** A guest through all four layers. */
async function enterRoom(host: Pane, guest: Pane, nick: string, invitation: string): Promise<void> {
  await guest.see(/^\? Paste the invitation/m);
  guest.enter(invitation);
  await guest.see(/^\? Where did we meet/m);
  guest.enter(ANSWER);
  await guest.see(/^\? Your nickname/m);
  guest.enter(nick);
  await guest.see(/^\? The code/m);
  const [, code = ''] = await host.see(/Kitchen \(\d\) (\d{6}) \d+s>[^>]*$/);
  guest.enter(code);
  await guest.see(new RegExp(`You are ${nick}`));
  await host.see(new RegExp(`${nick} has joined`));
}

async function main(): Promise<void> {
  const words = ['--listen', '127.0.0.1:8888', '--room', 'Kitchen', '--nick', 'olga', '--question', QUESTION];
  const host = new Pane({
    words: ['s', ...words, '--topic', 'who brings what on Saturday', '--theme', 'dark'],
    columns: 110,
    rows: 40,
    home,
  });
  await host.see(/^\? Its answer/m);
  host.enter(ANSWER);
  const [invitation] = await host.see(/sc1\.[\w.-]{200,}/);
  await host.see(/You are olga/);
  save('hosting', host.shot(/^Room/), {
    title: 'securechat s --room Kitchen',
    label: 'A host has opened a room: invitation, QR code, question, code',
    look: 'dark',
  });
  const guest = (columns: number, theme: string): Pane =>
    new Pane({ words: ['c', '--theme', theme], columns, rows: 24, home });
  const ann = guest(80, 'dark');
  await enterRoom(host, ann, 'ann', invitation);
  save('joining', ann.shot(/Not independently/), {
    title: 'securechat c',
    label: 'A guest pastes the invitation, answers the question, and gives the code',
    look: 'dark',
  });
  const sam = guest(80, 'light');
  await enterRoom(host, sam, 'sam', invitation);
  const kit = guest(40, 'dark');
  await enterRoom(host, kit, 'kit', invitation);
  const everyone = [host, ann, sam, kit];
  const say = async (who: Pane, text: string, seen: RegExp): Promise<void> => {
    who.enter(text);
    for (const pane of everyone) await pane.see(seen);
  };
  await say(ann, 'hello all! who brings what on Saturday?', /hello all/);
  await say(sam, 'plates and cups, and the good kettle', /good kettle/);
  await say(host, 'kit, could you bring your guitar?', /guitar/);
  await say(kit, '/me tunes it already', /tunes it/);
  await say(sam, 'ann: is the garden table still free?', /garden table/);
  await say(ann, 'it is, under the tree', /under the tree/);
  save('chat-dark', ann.shot(/You are ann/), {
    title: 'securechat c',
    label: 'Four people talk in a room, on a dark terminal',
    look: 'dark',
  });
  save('chat-light', sam.shot(/You are sam/), {
    title: 'securechat c',
    label: 'Four people talk in a room, on a light terminal',
    look: 'light',
  });
  save('narrow', kit.shot(/You are kit/), {
    title: 'securechat c',
    label: 'The same room in a window of 40 columns',
    look: 'dark',
  });
  for (const pane of everyone.reverse()) await pane.quit();
}

try {
  await main();
} finally {
  rmSync(home, { recursive: true, force: true });
}

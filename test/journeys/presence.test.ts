/** Who is away or gone, and what becomes of what is said meanwhile: seen by programs and by a person. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { JsonEvent, MemberEvent } from '../../src/terminal/json-lines.ts';
import { journey, type Program } from '../helpers/program.ts';
import { RELAY_ADDRESS, Relay } from '../helpers/relay.ts';

const about = (change: MemberEvent['change'], nick: string) => (event: MemberEvent) =>
  event.change === change && event.member.nick === nick;

async function namesSeenBy(program: Program): Promise<string> {
  program.command('/names');
  return (await program.until('notice', { code: 'names' })).text;
}

function receiptsOf(program: Program): readonly string[] {
  const texts = new Map(
    program.events.flatMap((event) => (event.type === 'message' ? [[event.id, event.text] as const] : [])),
  );
  return program.events.flatMap((event: JsonEvent) =>
    event.type === 'receipt' ? [`${event.state} ${texts.get(event.id)} ${event.member.nick}`] : [],
  );
}

describe('presence', () => {
  journey('away, back, and gone: programs and a person see it', async (stage) => {
    const room = await stage.room();
    const ann = await stage.guest('ann', room);
    const bob = await stage.guest('bob', room, { words: ['--no-last-seen'] });
    const cyd = await stage.guestOnTerminal('cyd', room);

    ann.command('/away');
    assert.equal((await ann.until('member', { change: 'away' })).member.nick, 'ann');
    const { member } = await bob.until('member', about('away', 'ann'));
    assert.deepEqual([member.online, member.away, member.lastSeen], [true, true, undefined]);
    await cyd.waitFor('ann is away');
    assert.match(await namesSeenBy(bob), /\bann \(away\)/);
    ann.say('here I am');
    await bob.until('member', about('back', 'ann'));
    await bob.until('message', { text: 'here I am' });
    await cyd.waitFor('ann is back');

    // Without a word, as a machine that loses power: the system closes what it had open.
    for (const one of [ann, bob]) one.kill();
    await room.host.until('member', about('offline', 'bob'));
    const gone = await room.host.until('member', about('offline', 'ann'));
    assert.match(gone.member.lastSeen ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:00\.000Z$/);
    assert.match(await namesSeenBy(room.host), /\bann \(offline, last seen \d\d:\d\d\)/);
    assert.match(await namesSeenBy(room.host), /\bbob \(offline\)/);
    await cyd.waitFor('bob is offline');
    cyd.enter('is anybody there?');
    await cyd.waitFor('What you say waits for ');
    assert.match(cyd.text(), /What you say waits for (ann, bob|bob, ann)/);
    cyd.enter('/whois ann');
    await cyd.waitFor(/ann: member, offline, last seen \d\d:\d\d/);
    cyd.enter('/away');
    await cyd.waitFor('You are away until you say something');
    await room.host.until('member', about('away', 'cyd'));
  });

  journey('what is said to someone whose line is cut waits, and is delivered', async (stage, context) => {
    const room = await stage.room(['--address', RELAY_ADDRESS]);
    const relay = await Relay.start(context, room.port);
    const { host } = room;
    const ann = await stage.guest('ann', room);
    const quiet = await stage.guest('quiet', room, { words: ['--no-receipts'] });
    host.say('before');
    for (const one of [ann, quiet]) await one.until('message', { text: 'before' });

    relay.cut();
    for (const nick of ['ann', 'quiet']) await host.until('member', about('offline', nick));
    const ids: string[] = [];
    for (const text of ['meanwhile 1', 'meanwhile 2']) {
      host.say(text);
      const { id } = await host.until('message', { text });
      await host.until('receipt', { id, state: 'waiting' });
      ids.push(id);
    }
    relay.restore();
    for (const one of [ann, quiet]) await one.until('message', { text: 'meanwhile 2' });
    for (const id of ids) await host.until('receipt', { id, state: 'delivered' });
    host.say('after');
    for (const one of [ann, quiet]) await one.until('message', { text: 'after' });
    // A message of before may not have been acknowledged yet as the line was cut: it then waits, and is delivered.
    const told = receiptsOf(host).filter((line) => !line.includes('before'));
    assert.deepEqual(told, [
      'waiting meanwhile 1 ann',
      'waiting meanwhile 2 ann',
      'delivered meanwhile 1 ann',
      'delivered meanwhile 2 ann',
    ]);
  });
});

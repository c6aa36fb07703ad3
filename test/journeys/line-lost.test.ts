/**
 * Lines that break: a host that is killed, replaced or closed, and a guest's network that stalls, is cut, and comes back.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe } from 'node:test';
import { type HostedRoom, journey, journeysIn, type Program, QUICK, type Stage } from '../helpers/program.ts';
import { RELAY_ADDRESS, Relay } from '../helpers/relay.ts';
import { available, outputOf } from '../helpers/tools.ts';

function texts(program: Program): readonly string[] {
  return program.events.filter((event) => event.type === 'message').map((event) => event.text);
}

function changes(program: Program): readonly string[] {
  return program.events
    .filter((event) => event.type === 'member')
    .map(({ change, member }) => `${change} ${member.nick}`);
}

async function namesSeenBy(program: Program): Promise<string> {
  program.command('/names');
  return (await program.until('notice', { code: 'names' })).text;
}

interface Relayed {
  readonly room: HostedRoom;
  readonly relay: Relay;
  readonly ann: Program;
}

/** Guests come through a relay; the host itself is the ear in the room that misses nothing. */
async function relayedRoom(stage: Stage): Promise<Relayed> {
  const room = await stage.room(['--address', RELAY_ADDRESS]);
  const relay = await Relay.start({ after: (close) => stage.onClose(close) }, room.port);
  return { room, relay, ann: await stage.guest('ann', room) };
}

describe('a host that goes away', () => {
  journey('killed, it is missed; another room in its place is refused', async (stage) => {
    const room = await stage.room();
    const ann = await stage.guest('ann', room);
    const cyd = stage.terminal(['c', '--nick', 'cyd', ...QUICK, '--token-file', stage.file(room.token)]);
    await cyd.waitFor(room.ready.question);
    cyd.enter('the reading room 42');
    await cyd.waitFor('six digits');
    cyd.enter(room.code);
    await cyd.waitFor('You are cyd');
    await ann.until('member', { change: 'joined' });

    room.host.kill();
    assert.equal(await room.host.exit, 'SIGKILL');
    const { level, text } = await ann.until('notice', { code: 'line-lost' });
    assert.deepEqual(
      [level, text],
      ['warning', 'The line to the host is lost. Trying again; what you say waits.'],
    );
    await cyd.waitFor('The line to the host is lost.');
    ann.say('for the room that is gone');
    cyd.enter('for it as well');

    const other = await stage.room(['--listen', `127.0.0.1:${room.port}`]);
    assert.equal(await ann.exit, 5);
    const { code, message } = await ann.until('error');
    assert.equal(code, 'pin-mismatch');
    assert.match(
      message,
      /^Whoever answered is not the host of this invitation\..* Nothing was sent\. Ask the host/,
    );
    assert.deepEqual(await cyd.left(), { exitCode: 5, restored: true });
    assert.match(cyd.text(), /securechat: Whoever answered is not the host of this invitation/);
    assert.deepEqual(texts(other.host), []);
    assert.deepEqual(changes(other.host), []);
  });

  journey('closed by /quit, everyone leaves in peace', async (stage) => {
    const room = await stage.room();
    const ann = await stage.guest('ann', room);
    const waiting = await stage.guestAtCode('bob', room);
    await waiting.until('prompt', { name: 'code' });
    room.host.command('/quit');
    assert.equal(await room.host.exit, 0);
    assert.deepEqual(await ann.until('closed'), {
      type: 'closed',
      code: 'host-closing',
      reason: 'the host closed the room',
    });
    assert.equal(await ann.exit, 0);
    assert.equal((await waiting.until('error')).code, 'closing');
    assert.equal(await waiting.exit, 4);
  });
});

journeysIn<Relayed>("a guest's network", relayedRoom, (journey) => {
  // The first of all: who has spoken already has given the others the key.
  journey(
    'vanished before a key reached it: the message that needs the key is not lost',
    async ({ room, relay, ann }) => {
      relay.stall('to-guest');
      // The host's first words: their key is on its way to ann when her line breaks, and the host does not notice.
      room.host.say('key and words on their way');
      await room.host.until('message');
      relay.cut({ hostNotices: false });
      await ann.until('notice', { code: 'line-lost' });
      relay.restore();
      await ann.until('notice', { code: 'reconnected' });
      room.host.say('later words');
      for (const one of [room.host, ann]) await one.until('message', { text: 'later words' });
      assert.deepEqual(texts(ann), ['key and words on their way', 'later words']);
    },
  );

  journey('cut: what is said meanwhile is placed once, in order', async ({ room, relay, ann }) => {
    const { host } = room;
    ann.say('before');
    await host.until('message', { text: 'before' });

    // These leave the program and never arrive.
    relay.stall('to-host');
    ann.say('lost 1', 'a');
    ann.say('lost 2', 'b');
    await namesSeenBy(ann);
    relay.cut();
    await ann.until('notice', { code: 'line-lost' });
    await host.until('member', { change: 'offline' });
    for (const text of ['kept 1', 'kept 2', 'kept 3']) ann.say(text, text);
    for (const text of ['meanwhile 1', 'meanwhile 2']) host.say(text);
    await host.until('message', { text: 'meanwhile 2' });
    relay.restore();

    await ann.until('notice', { code: 'reconnected' });
    await host.until('message', { text: 'kept 3' });
    await ann.until('message', { text: 'kept 3', ref: 'kept 3' });
    host.say('after');
    for (const one of [host, ann]) await one.until('message', { text: 'after' });
    assert.deepEqual(
      texts(host).filter((text) => !text.startsWith('meanwhile')),
      ['before', 'lost 1', 'lost 2', 'kept 1', 'kept 2', 'kept 3', 'after'],
    );
    assert.deepEqual(texts(ann), texts(host));
    await host.until('member', { change: 'online' });
    assert.deepEqual(changes(host), ['offline ann', 'online ann']);
    assert.equal(await namesSeenBy(host), await namesSeenBy(ann));
    assert.equal((await namesSeenBy(host)).match(/\bann\b/g)?.length, 1);
  });

  journey(
    'vanished after the host placed a message: it is not placed again',
    async ({ room, relay, ann }) => {
      const { host } = room;
      // A chain's first message waits for everyone's wrap keys; the next ones need no answer.
      ann.say('first');
      await ann.until('message', { text: 'first' });
      host.say('second');
      await ann.until('message', { text: 'second' });
      relay.stall('to-guest');
      ann.say('placed 1', 'p1');
      ann.say('placed 2', 'p2');
      await host.until('message', { text: 'placed 2' });
      host.say('unheard');
      await host.until('message', { text: 'unheard' });
      assert.deepEqual(texts(ann), ['first', 'second']);

      relay.cut({ hostNotices: false });
      await ann.until('notice', { code: 'line-lost' });
      ann.say('typed in the dark', 'p3');
      relay.restore();
      await ann.until('notice', { code: 'reconnected' });
      await host.until('message', { text: 'typed in the dark' });
      await ann.until('message', { ref: 'p3' });
      assert.deepEqual(texts(host), [
        'first',
        'second',
        'placed 1',
        'placed 2',
        'unheard',
        'typed in the dark',
      ]);
      assert.deepEqual(texts(ann), texts(host));
      // The old session is replaced silently: nobody sees ann leave, come, or twice.
      assert.deepEqual(changes(host), []);
      assert.equal((await namesSeenBy(host)).match(/\bann\b/g)?.length, 1);
    },
  );

  journey(
    'cut again and again while both talk: nothing is lost, doubled or swapped',
    async ({ room, relay, ann }) => {
      const { host } = room;
      const said: string[] = [];
      for (let round = 0; round < 6; round += 1) {
        const cutAfter = randomInt(4);
        for (let index = 0; index < 4; index += 1) {
          const text = `${round}.${index}`;
          said.push(text);
          ann.say(text, text);
          host.say(`host ${text}`);
          if (index === cutAfter) {
            // Sometimes the host has the message, sometimes its answer is under way.
            if (round % 2 === 0) await host.until('message', { text });
            relay.cut({ hostNotices: round % 3 !== 0 });
          }
        }
        relay.restore();
        await ann.until('notice', { code: 'reconnected' });
      }
      ann.say('the end');
      host.say('the end too');
      await Promise.all(
        [host, ann].flatMap((one) =>
          ['the end', 'the end too'].map((text) => one.until('message', { text })),
        ),
      );
      const fromAnn = (text: string): boolean => /^\d/.test(text);
      const fromHost = (text: string): boolean => /^host /.test(text);
      assert.deepEqual(texts(host).filter(fromAnn), said);
      assert.deepEqual(
        texts(host).filter(fromHost),
        said.map((text) => `host ${text}`),
      );
      assert.deepEqual(texts(ann), texts(host));
      assert.ok(!changes(host).some((change) => /^(left|removed)/.test(change)), changes(host).join());
      assert.ok(
        ![host, ann].some(({ events }) =>
          events.some((event) => event.type === 'notice' && event.level === 'alarm'),
        ),
      );
    },
  );
});

describe("a guest's cable", () => {
  const space = `securechat-${process.pid}`;
  const near = `sc${process.pid}a`;
  const probe = `ip netns add ${space} && ip link add ${near} type veth peer name scb netns ${space} && ip link del ${near}`;
  if (
    available(
      ['sh', '-c', `${probe}; code=$?; ip netns del ${space}; exit $code`],
      'a guest in a network of its own',
    )
  ) {
    journey(
      'unplugged and plugged in again: the line holds and everything arrives',
      async (stage, context) => {
        const ip = (words: string): Promise<string> => outputOf('ip', words.split(' '));
        context.after(async () => ip(`netns del ${space}`));
        await ip(`netns add ${space}`);
        await ip(`link add ${near} type veth peer name scb netns ${space}`);
        await ip(`addr add 198.18.77.1/30 dev ${near}`);
        await ip(`link set ${near} up`);
        await ip(`-n ${space} addr add 198.18.77.2/30 dev scb`);
        await ip(`-n ${space} link set scb up`);

        const room = await stage.room(['--listen', '198.18.77.1:0']);
        const { host } = room;
        const ann = await stage.guest('ann', room, { wrapper: ['ip', 'netns', 'exec', space] });
        ann.say('plugged in');
        await host.until('message', { text: 'plugged in' });

        await ip(`link set ${near} down`);
        for (const text of ['unplugged 1', 'unplugged 2']) ann.say(text, text);
        for (const text of ['from the host 1', 'from the host 2']) host.say(text);
        await host.until('message', { text: 'from the host 2' });
        await namesSeenBy(ann);
        assert.ok(!texts(host).includes('unplugged 1'));
        await ip(`link set ${near} up`);

        await host.until('message', { text: 'unplugged 2' });
        await ann.until('message', { ref: 'unplugged 2' });
        assert.deepEqual(texts(ann), texts(host));
        assert.equal(new Set(texts(ann)).size, 5);
        assert.deepEqual(changes(host), ['joined ann']);
      },
    );
  }
});

/** Keeping order in a room: roles, what moderators may do, and the door in the host's hands. */
import assert from 'node:assert/strict';
import type { JsonEvent } from '../../src/terminal/json-lines.ts';
import { type HostedRoom, journeysIn, type Program, QUICK, type Stage } from '../helpers/program.ts';

type MemberEvent = Extract<JsonEvent, { type: 'member' }>;

const about =
  (change: MemberEvent['change'], nick: string) =>
  (event: MemberEvent): boolean =>
    event.change === change && event.member.nick === nick;

interface Place {
  readonly room: HostedRoom;
  readonly host: Program;
  readonly ann: Program;
}

async function roomOfTwo(stage: Stage): Promise<Place> {
  const room = await stage.room();
  return { room, host: room.host, ann: await stage.guest('ann', room) };
}

/** By an invitation of his own: to remove him suspends no other. */
async function joinedByBob({ room, ann }: Place, stage: Stage): Promise<Program> {
  const { token } = await room.invite();
  const bob = await stage.guest('bob', room, { token });
  await ann.until('member', about('joined', 'bob'));
  return bob;
}

async function quit(guest: Program, { ann }: Place): Promise<void> {
  guest.send({ type: 'quit' });
  assert.equal(await guest.exit, 0);
  await ann.until('member', { change: 'left' });
}

journeysIn<Place>('keeping order', roomOfTwo, (journey) => {
  journey(
    'a moderator mutes, slows, sets the topic and kicks; everyone sees by whom',
    async (place, stage) => {
      const { host, ann } = place;
      const bob = await joinedByBob(place, stage);
      ann.command('/mute bob');
      assert.match((await ann.until('error')).message, /for moderators and the host/);

      host.command('/op ann');
      for (const one of [host, ann, bob])
        assert.equal((await one.until('member', about('role', 'ann'))).member.role, 'moderator');
      ann.command('/topic   Tea   at four ');
      for (const one of [host, ann, bob]) {
        const { room, by, changes } = await one.until('room');
        assert.deepEqual([room.topic, by?.nick, changes], ['Tea at four', 'ann', ['topic']]);
      }

      ann.command('/mute bob 1h');
      for (const one of [host, ann, bob])
        assert.equal((await one.until('member', about('muted', 'bob'))).by?.nick, 'ann');
      bob.say('can you hear me?', 'unheard');
      assert.equal((await bob.until('error')).ref, 'unheard');
      ann.command('/unmute bob');
      await bob.until('member', about('unmuted', 'bob'));
      bob.say('and now?');
      for (const one of [host, ann]) assert.equal((await one.until('message')).text, 'and now?');

      ann.command('/kick olga');
      assert.equal((await ann.until('error')).code, 'not-allowed');
      ann.command('/op bob');
      assert.equal((await ann.until('error')).code, 'host-only');
      ann.command('/kick bob');
      const kicked = await host.until('member', about('removed', 'bob'));
      assert.equal(kicked.by?.nick, 'ann');
      assert.equal(await bob.exit, 4);

      host.command('/deop ann');
      await ann.until('member', about('role', 'ann'));
      ann.command('/lock');
      assert.equal((await ann.until('error')).code, 'not-allowed');
    },
  );

  journey('slow mode holds a member back and not the host, and sends what waits', async ({ host, ann }) => {
    host.command('/slow 2');
    const { room } = await ann.until('room');
    assert.equal(room.slowSeconds, 2);
    ann.say('one', '1');
    ann.say('two', '2');
    host.say('from the host');
    host.say('at once');
    const first = await ann.until('message', { own: true });
    const second = await ann.until('message', { own: true });
    assert.deepEqual([first.ref, second.ref], ['1', '2']);
    assert.ok(Date.parse(second.at) - Date.parse(first.at) >= 1_900, 'the second came too soon');
    const texts = (one: Program) =>
      one.events.flatMap((event) => (event.type === 'message' ? [event.text] : []));
    assert.ok(texts(ann).indexOf('at once') < texts(ann).indexOf('two'));
    host.command('/slow off');
    await ann.until('room', ({ room: { slowSeconds } }) => slowSeconds === 0);
  });

  journey('a nickname changes for everyone, and two people cannot have one', async (place, stage) => {
    const { host, ann } = place;
    const bob = await joinedByBob(place, stage);
    bob.command('/nick ann');
    await bob.until('notice', { code: 'act-refused' });
    bob.command('/nick Bobby');
    for (const one of [host, ann, bob]) {
      const renamed = await one.until('member', { change: 'renamed' });
      assert.deepEqual([renamed.formerNick, renamed.member.nick], ['bob', 'bobby']);
    }
    host.say('bobby, hello');
    assert.equal((await bob.until('message')).mention, true);
    assert.equal((await ann.until('message')).mention, false);
    bob.say('hello');
    assert.equal((await host.until('message', { text: 'hello' })).from.nick, 'bobby');
    await quit(bob, place);
  });

  journey('a locked room lets nobody new in', async (place, stage) => {
    const { room, host, ann } = place;
    host.command('/lock');
    await ann.until('room', ({ room: { locked } }) => locked);
    const late = stage.start('late', ['c', '--json', '--nick', 'late', ...QUICK]);
    await late.answer('token', room.token);
    assert.equal((await late.until('closed')).code, 'locked');
    assert.equal(await late.exit, 4);
    host.command('/unlock');
    await ann.until('room', ({ room: { locked } }) => !locked);
    await quit(await stage.guest('later', room), place);
  });

  journey('with /approve on the host admits and denies by hand', async (place, stage) => {
    const { room, host } = place;
    host.command('/approve on');
    await host.until('room', ({ room: { approval } }) => approval);
    const knock = async (nick: string): Promise<Program> => {
      const guest = await stage.guestAtCode(nick, room);
      await guest.answer('code', room.code);
      await guest.until('notice', { code: 'waiting' });
      const door = await host.until('door', { stage: 'waiting' });
      assert.equal(door.nick, nick);
      return guest;
    };
    const cee = await knock('cee');
    host.command('/door');
    // What else happened at the door may be told in between.
    for (const line of [/take the number/, /cee has everything right/])
      await host.until('notice', ({ code, text }) => code === 'door' && line.test(text));
    host.command('/admit dee');
    assert.equal((await host.until('error')).code, 'not-waiting');
    host.command('/admit cee');
    assert.match((await host.until('notice', { code: 'admit' })).text, /yes: cee/);
    assert.equal((await cee.until('joined')).self.nick, 'cee');
    const dee = await knock('dee');
    host.command('/deny dee');
    assert.match((await host.until('notice', { code: 'deny' })).text, /no to dee/);
    assert.equal((await dee.until('closed')).code, 'denied');
    assert.equal(await dee.exit, 4);
    // Who waits when it is switched off comes in.
    const eve = await knock('eve');
    host.command('/approve off');
    await eve.until('joined');
    for (const guest of [cee, eve]) await quit(guest, place);
  });

  journey('a ban keeps the nickname out until it is taken back', async (place, stage) => {
    const { room, host, ann } = place;
    await joinedByBob(place, stage);
    host.command('/ban bob 1h');
    const removed = await ann.until('member', about('removed', 'bob'));
    assert.equal(removed.reason, 'banned');
    host.command('/banned');
    assert.match((await host.until('notice', { code: 'banned' })).text, /^bob, for (59m|1h)/);
    const { token } = await room.invite();
    const again = await stage.guestAtCode('bob', room, { token });
    await again.answer('code', room.code);
    assert.equal((await again.until('closed')).code, 'banned');
    host.command('/unban bob');
    await host.until('notice', { code: 'unban' });
    await quit(await stage.guest('bob', room, { token }), place);
  });
});

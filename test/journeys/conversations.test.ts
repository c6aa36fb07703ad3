/** Five people in one room, in conversations of their own: over `--json`, and on terminals. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { journey, type Program } from '../helpers/program.ts';

const textsOf = (program: Program, conversation: string) =>
  program.events.flatMap((event) =>
    event.type === 'message' && event.conversation === conversation ? [event.text] : [],
  );

describe('conversations', () => {
  journey(
    'P33 five programs in three conversations: each hears what is said where it is, and nothing else',
    async (stage) => {
      const room = await stage.room(['--room', 'Kitchen']);
      const ann = await stage.guest('ann', room);
      const ben = await stage.guest('ben', room);
      const cyd = await stage.guest('cyd', room);
      const dan = await stage.guest('dan', room);
      await ann.until('member', ({ change, member }) => change === 'joined' && member.nick === 'dan');

      ann.command('/new plans ben cyd');
      const { conversation: plans } = await ann.until('conversation', { change: 'opened' });
      assert.deepEqual(plans.members.map(({ nick, role }) => [nick, role]).sort(), [
        ['ann', 'creator'],
        ['ben', 'member'],
        ['cyd', 'member'],
      ]);
      const invited = await ben.until('conversation', { change: 'opened' });
      assert.equal(invited.by?.nick, 'ann');
      assert.equal(
        invited.conversation.name ?? (await ben.until('conversation', { change: 'named' })).conversation.name,
        'plans',
      );
      await cyd.until('conversation', ({ conversation }) => conversation.name === 'plans');

      // What ann types goes there now; programs name where it goes.
      ann.say('only for plans', 'a1');
      assert.equal((await ann.until('message', { own: true, ref: 'a1' })).in, 'plans');
      await ben.until('message', { text: 'only for plans', in: 'plans' });
      await cyd.until('message', { text: 'only for plans' });
      ben.send({ type: 'say', text: 'from ben', to: plans.id });
      await ann.until('message', { text: 'from ben', conversation: plans.id });

      dan.command('/new dinner olga');
      const { conversation: dinner } = await dan.until('conversation', { change: 'opened' });
      await room.host.until('conversation', ({ conversation }) => conversation.name === 'dinner');
      room.host.send({ type: 'say', text: 'soup', to: dinner.id });
      await dan.until('message', { text: 'soup', in: 'dinner' });

      cyd.send({ type: 'say', text: 'psst', to: 'dan', ref: 'c1' });
      const direct = await dan.until('message', { text: 'psst' });
      assert.equal(direct.direct?.nick, 'cyd');
      assert.equal((await cyd.until('message', { ref: 'c1' })).direct?.nick, 'dan');
      dan.command('/reply what?');
      await cyd.until('message', { text: 'what?', conversation: direct.conversation });

      // Nobody and nothing of that name: nothing is sent anywhere.
      ann.send({ type: 'say', text: 'lost', to: 'zoe', ref: 'a2' });
      assert.equal((await ann.until('error', { ref: 'a2' })).code, 'no-such-member');
      ann.command('/msg zoe lost');
      await ann.until('error', { code: 'no-such-member' });

      ann.command('/invite-to plans dan');
      await dan.until(
        'conversation',
        ({ change, conversation }) => change !== 'closed' && conversation.name === 'plans',
      );
      await ben.until(
        'conversation',
        ({ change, added }) => change === 'members' && added?.[0]?.nick === 'dan',
      );
      ann.command('/remove-from plans cyd');
      assert.equal((await cyd.until('conversation', { change: 'closed' })).by?.nick, 'ann');
      await ben.until('conversation', ({ removed }) => removed?.[0]?.nick === 'cyd');
      ann.say('without cyd');
      for (const person of [ben, dan]) await person.until('message', { text: 'without cyd' });
      ben.command('/part plans');
      await ben.until('conversation', { change: 'closed' });
      await ann.until('conversation', ({ removed }) => removed?.[0]?.nick === 'ben');
      ann.command('/join');
      ann.say('hello room');
      for (const person of [ben, cyd, dan, room.host]) await person.until('message', { text: 'hello room' });

      assert.deepEqual(textsOf(dan, plans.id), ['without cyd']);
      assert.deepEqual(textsOf(cyd, plans.id), ['only for plans', 'from ben']);
      for (const person of [ann, ben, cyd]) assert.deepEqual(textsOf(person, dinner.id), []);
      assert.deepEqual(textsOf(room.host, plans.id), []);
      for (const person of [ann, ben, cyd, dan, room.host]) {
        assert.ok(
          !person.events.some((event) => event.type === 'notice' && event.level !== 'info'),
          person.name,
        );
        assert.ok(!person.events.some((event) => event.type === 'message' && event.text === 'lost'));
      }
    },
  );

  journey(
    'on terminals, five people in three conversations: where what is typed goes is shown, and a closed place takes nothing',
    async (stage) => {
      const room = await stage.room(['--room', 'Kitchen']);
      const ann = await stage.guestOnTerminal('ann', room);
      const ben = await stage.guestOnTerminal('ben', room, { words: ['--at-direct'] });
      const cyd = await stage.guestOnTerminal('cyd', room);
      const dan = await stage.guestOnTerminal('dan', room);
      await ann.waitFor(/--> dan has joined/);
      ann.enter('/new plans ben cyd');
      await ann.waitFor('What you type goes to plans with ben, cyd now');
      await ann.waitFor(/Kitchen \(5\) plans>/);
      for (const person of [ben, cyd]) await person.waitFor(/-!- Ann added you to plans: /);
      ann.enter('to the three of us');
      for (const person of [ben, cyd])
        await person.waitFor(/^\d\d:\d\d \[plans\] <ann> to the three of us$/m);
      await ben.waitFor(/Kitchen \(5\) \+1>/);
      ben.enter('/conversations');
      await ben.waitFor(/plans +ann \(creator\), .*; 1 unread/);

      dan.enter('/new dinner olga');
      await dan.waitFor(/Kitchen \(5\) dinner>/);
      dan.enter('soup?');
      await room.host.until('message', { text: 'soup?', in: 'dinner' });
      cyd.enter('/msg dan psst');
      await dan.waitFor(/^\d\d:\d\d ! <cyd -> you> psst$/m);
      dan.enter('/reply not now');
      await cyd.waitFor(/<dan -> you> not now$/m);

      ben.enter('@ann just you');
      await ann.waitFor(/^\d\d:\d\d ! <ben -> you> just you$/m);
      await ben.waitFor(/^\d\d:\d\d <ben -> ann> just you$/m);
      ann.enter('/reply and you');
      await ben.waitFor(/<ann -> you> and you$/m);
      ben.enter('/msg anm typo');
      await ben.waitFor('Nobody here is called anm.');
      // What ann wrote to ben alone is unread until he answers it.
      ben.enter('/join plans');
      await ben.waitFor(/Kitchen \(5\) plans \+1>/);
      ben.enter('/reply seen');
      await ben.waitFor(/Kitchen \(5\) plans>/);
      ann.enter('/remove-from plans ben');
      await ben.waitFor('Ann removed you from plans');
      await cyd.waitFor('Ann removed ben from plans');
      ben.enter('not for the room');
      await ben.waitFor('Not sent: you are not in plans any more.');
      ben.enter('/join');
      await ben.waitFor('What you type goes to the room.');
      ben.enter('for the room');
      for (const person of [ann, cyd, dan]) await person.waitFor(/^\d\d:\d\d <ben> for the room$/m);
      await room.host.until('message', { text: 'for the room' });
      assert.ok(
        !room.host.events.some((event) => event.type === 'message' && event.text === 'not for the room'),
      );
      for (const text of ['plans', 'three of us', 'just you']) assert.ok(!dan.text().includes(text), text);
      for (const text of ['dinner', 'soup', 'psst']) assert.ok(!ann.text().includes(text), text);
    },
  );
});

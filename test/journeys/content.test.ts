/** Answering, changing, deleting, reacting and reading, with the real program: programs by ids, people by numbers. */
import assert from 'node:assert/strict';
import { type HostedRoom, journeysIn, type Program, type Stage } from '../helpers/program.ts';

interface Kitchen {
  readonly room: HostedRoom;
  readonly ann: Program;
}

async function kitchen(stage: Stage): Promise<Kitchen> {
  const room = await stage.room(['--room', 'Kitchen']);
  return { room, ann: await stage.guest('ann', room) };
}

journeysIn<Kitchen>('what is said about messages', kitchen, (journey) => {
  journey('programs do it by ids, and everyone is told the same', async ({ room, ann }, stage) => {
    const amy = await stage.guest('amy', room);
    await ann.until('member', { change: 'joined' });

    amy.say('helo', 'first');
    const {
      id,
      from: { algorithm: _, ...from },
    } = await amy.until('message', { ref: 'first' });
    await ann.until('message', { id });
    ann.send({ type: 'say', text: 'hello', ref: 'second', replyTo: id });
    const answer = await ann.until('message', { ref: 'second' });
    assert.deepEqual(answer.replyTo, { id, from, excerpt: 'helo' });
    const heard = await amy.until('message', { id: answer.id });
    assert.deepEqual([heard.replyTo, heard.mention], [answer.replyTo, true]);
    assert.equal((await room.host.until('message', { id: answer.id })).mention, false);

    amy.command(`/fix #${id} hello`);
    for (const one of [amy, ann, room.host]) {
      const { at, own, ...edited } = await one.until('edited');
      const { conversation } = heard;
      assert.equal(own, one === amy);
      assert.deepEqual(edited, { type: 'edited', id, conversation, from, text: 'hello', before: 'helo' });
    }
    ann.command('/react 👍');
    ann.command(`/react ${id} off`);
    for (const one of [amy, ann, room.host]) {
      const given = await one.until('reaction', { text: '👍' });
      assert.deepEqual([given.id, given.author, given.excerpt], [id, from, 'hello']);
      assert.equal((await one.until('reaction', { text: '' })).id, id);
    }

    ann.command(`/fix #${id} goodbye`);
    assert.equal((await ann.until('error')).code, 'not-yours');
    ann.command(`/delete ${id}`);
    assert.equal((await ann.until('error')).code, 'not-yours');
    ann.send({ type: 'say', text: 'to whom?', ref: 'third', replyTo: 'AAAAAAAAAAAA' });
    const { code, ref } = await ann.until('error');
    assert.deepEqual([code, ref], ['no-such-message', 'third']);
    ann.command('/re 7 yes');
    assert.equal((await ann.until('error')).code, 'no-such-message');
    ann.command('/ids on');
    assert.equal((await ann.until('error')).code, 'no-screen');

    amy.command('/delete');
    for (const one of [amy, ann, room.host]) assert.equal((await one.until('deleted')).id, id);
    ann.command(`/react ${id} 👍`);
    assert.equal((await ann.until('error')).code, 'was-deleted');
    amy.send({ type: 'quit' });
    assert.equal(await amy.exit, 0);
  });

  journey('people do it by the numbers on their screens', async ({ room, ann }, stage) => {
    const bob = await stage.guestOnTerminal('bob', room);
    await ann.until('member', { change: 'joined' });

    ann.say('the kettle is on', 'kettle');
    const { id: kettle } = await ann.until('message', { ref: 'kettle' });
    await bob.waitFor('<ann> the kettle is on');
    // Whoever has it on the screen has read it.
    const read = await ann.until('read');
    assert.deepEqual([read.id, read.from.nick, read.ofOwn], [kettle, 'bob', true]);

    bob.enter('/ids on');
    await bob.waitFor('Each message carries its number on this screen');
    ann.say('who wants tea?');
    await bob.waitFor(/^\d\d:\d\d #2 <ann> who wants tea\?$/m);
    bob.enter('/re 1 good');
    await bob.waitFor(/^\d\d:\d\d -!- You answer ann: the kettle is on\n\d\d:\d\d #3 <bob> good$/m);
    const answer = await ann.until('message', { text: 'good' });
    assert.equal(answer.replyTo?.id, kettle);
    bob.enter('/fix great');
    await bob.waitFor(/-!- You changed "good" to: great$/m);
    assert.deepEqual((await ann.until('edited')).id, answer.id);
    bob.enter('/react +1');
    await bob.waitFor(/-!- You react with 👍 to what ann said: who wants tea\?$/m);
    assert.equal((await ann.until('reaction')).text, '👍');

    ann.command('/react <3');
    await bob.waitFor(/-!- ann reacts with ❤️ to what you said: great$/m);
    ann.command('/fix who wants coffee?');
    await bob.waitFor(/-!- ann changed "who wants tea\?" to: who wants coffee\?$/m);
    bob.enter('/search wants coffee');
    await bob.waitFor(/-!- Found in 1 message:\n.*<ann> who wants coffee\?$/m);
    bob.enter('/search wants tea');
    await bob.waitFor('-!- Nothing was found.');

    bob.enter('/delete 1');
    await bob.waitFor('Error: ann said that: only they can change or delete it.');
    bob.enter('/re 99 what?');
    await bob.waitFor('Error: No message 99 is remembered here.');
    bob.enter('/delete 3');
    await bob.waitFor(/-!- You deleted what you said at \d\d:\d\d$/m);
    assert.equal((await ann.until('deleted')).id, answer.id);
    bob.enter('/re 3 what?');
    await bob.waitFor('Error: No message 3 is remembered here.');
    bob.enter('/ids off');
    await bob.waitFor('Messages carry no numbers.');
    ann.say('last words');
    await bob.waitFor(/^\d\d:\d\d <ann> last words$/m);
    bob.enter('/quit');
    await bob.left();
  });
});

/**
 * Three people on three terminals, from the first prompt to the last: what they type, what they see, and how they leave.
 */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { ANSWER, journey, QUESTION } from '../helpers/program.ts';

const INVITATION = /sc1\.[\w-]+\.[\w-]+\.[\w-]{6}/;

describe('a conversation on terminals', () => {
  journey('three people meet, talk, ask, are removed and leave', async (stage) => {
    const host = stage.terminal(['s', '--listen', '127.0.0.1:0', '--nick', 'olga', '--room', 'Kitchen']);
    await host.waitFor('A security question whose answer your guests know?');
    host.enter(QUESTION);
    await host.waitFor('Its answer?');
    host.enter(ANSWER);
    const panel = await host.waitFor(/Tell your guest:[\s\S]*You are olga in Kitchen/);
    const token = INVITATION.exec(panel)?.[0] ?? '';
    const code = /^Code +(\d{6}) /m.exec(panel)?.[1] ?? '';

    const join = async (nick: string) => {
      const guest = stage.terminal(['c']);
      await guest.waitFor('Paste the invitation.');
      guest.enter(token);
      await guest.waitFor(`? ${QUESTION}`);
      guest.enter(ANSWER.toLowerCase());
      await guest.waitFor('Your nickname in this room?');
      guest.enter(nick);
      await guest.waitFor("The code on the host's screen (six digits)?");
      guest.enter(code);
      await guest.waitFor(`You are ${nick} in Kitchen`);
      return guest;
    };
    const ann = await join('ann');
    const bob = await join('bob');
    await host.waitFor(/--> bob has joined/);
    await ann.waitFor(/--> bob has joined/);

    ann.enter('good evening');
    for (const person of [host, ann, bob]) await person.waitFor(/^\d\d:\d\d <ann> good evening$/m);
    bob.enter('/me waves');
    for (const person of [host, ann, bob]) await person.waitFor(/^\d\d:\d\d \* bob waves$/m);
    host.enter('//not a command');
    for (const person of [host, ann, bob]) await person.waitFor(/^\d\d:\d\d <olga> \/not a command$/m);

    ann.enter('/names');
    await ann.waitFor(/-!- (?=.*\bann\b)(?=.*\bbob\b)(?=.*\bolga \(host\))/);
    ann.enter('/whois bob');
    await ann.waitFor(/bob: member, online, signs with RSA-PSS \(3072 bits\), key [0-9a-f ]{24,}/);
    ann.enter('/help');
    await ann.waitFor('/help COMMAND explains one');
    assert.doesNotMatch(ann.text(), /\/kick/);
    ann.enter('/help me');
    await ann.waitFor('/me ACTION');
    ann.enter('/security');
    await ann.waitFor('3 members can read what you say now');
    ann.enter('/kick bob');
    await ann.waitFor('/kick is for moderators and the host');
    ann.enter('/nmaes');
    await ann.waitFor('There is no /nmaes. Did you mean /names?');

    // The same for all, whatever is told meanwhile of who has read what: that moves the log, and not the list.
    const digits = /^\d\d:\d\d -!- ((?:\d{5} ){3}\d{5}\n +\| (?:\d{5} ){3}\d{5})$/m;
    const compared: string[] = [];
    for (const person of [host, ann, bob]) {
      person.enter('/room');
      compared.push(digits.exec(await person.waitFor(digits))?.[1] ?? '');
    }
    assert.deepEqual(new Set(compared).size, 1);

    host.enter('/code');
    await host.waitFor(/The room code is \d{6}, for \d+s more\./);
    host.enter('/invite new');
    const made = await host.waitFor(/Invitation 2, 1 use, 1d left:/);
    assert.match(made.slice(made.indexOf('Invitation 2,')), INVITATION);
    host.enter('/help');
    await host.waitFor(/\/kick /);

    host.enter('/kick bob');
    await ann.waitFor(/<-- bob was removed/);
    assert.deepEqual(await bob.left(), { exitCode: 4, restored: true });
    assert.match(bob.text(), /removed you from the room/);

    ann.enter('/quit');
    assert.deepEqual(await ann.left(), { exitCode: 0, restored: true });
    await host.waitFor(/<-- ann has left/);
    host.enter('/quit');
    assert.deepEqual(await host.left(), { exitCode: 0, restored: true });

    for (const person of [ann, bob]) {
      assert.ok(!person.bytes.includes(token.slice(4, 40)), "the invitation was on a guest's screen");
      assert.ok(!person.bytes.includes(ANSWER.toLowerCase()), "the answer was on a guest's screen");
      assert.doesNotMatch(person.bytes, new RegExp(`(?<!\\d)${code}(?!\\d)`));
    }
    assert.ok(!host.bytes.includes(ANSWER), "the answer was on the host's screen");
  });
});

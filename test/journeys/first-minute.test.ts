/** The first minute: a host who knows no option, and a guest with an invitation in the middle of a mail. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { ANSWER, journey, QUESTION } from '../helpers/program.ts';

const INVITATION = /sc1\.[\w-]+\.[\w-]+\.[\w-]{6}/;
const LEFT = { exitCode: 0, restored: true };

describe('the first minute', () => {
  // Once nobody was taken to be there, as standard output was no terminal: no hints, no word of a weak answer.
  journey('a host who keeps a log with tee is led like any other', async (stage) => {
    const tee = ['bash', '-c', '"$@" | tee log', 'bash'];
    const host = stage.terminal(['s', '--listen', '127.0.0.1:0'], undefined, {}, tee);
    await host.waitFor(/The room's name\?/);
    host.enter('Kitchen');
    await host.waitFor('Your nickname in this room?');
    host.enter('olga');
    await host.waitFor(/Where did we get lost[\s\S]*A security question/);
    host.enter(QUESTION);
    await host.waitFor('Its answer?');
    host.enter('teapot');
    await host.waitFor('Enter keeps this one.');
    host.enter(ANSWER);
    await host.waitFor('You are olga in Kitchen');
    host.enter('/quit');
    assert.deepEqual(await host.left(), LEFT);
  });

  journey('a host is led to a room, a guest pastes a mail', async (stage) => {
    const host = stage.terminal(['s', '--listen', '[::]:0', '--no-clipboard']);
    await host.waitFor(/The room's name\? \[.+\]/);
    host.enter('Kitchen');
    await host.waitFor('Your nickname in this room?');
    host.enter('Not A Nick');
    await host.waitFor('A nickname is 2 to 20 characters');
    host.enter('olga');
    await host.waitFor('A security question whose answer your guests know?');
    host.enter('<');
    await host.waitFor(/Your nickname in this room\? \[olga\]/);
    host.enter('');
    await host.waitFor(/A security question(?:[\s\S]*A security question)/);
    host.enter(QUESTION);
    await host.waitFor('Its answer?');
    host.enter('teapot');
    await host.waitFor('Enter keeps this one.');
    host.enter(ANSWER);
    await host.waitFor('That is strong');
    await host.waitFor(
      /1 {2}People on this network[\s\S]*3 {2}Only this machine[\s\S]*Who can reach the room\?/,
    );
    host.enter('3');
    const panel = await host.waitFor(/Tell your guest:[\s\S]*You are olga in Kitchen/);
    const token = INVITATION.exec(panel)?.[0] ?? '';
    const code = /^Code +(\d{6}) /m.exec(panel)?.[1] ?? '';
    assert.match(panel, /^Listening +127\.0\.0\.1:\d+$/m);

    const guest = stage.terminal([]);
    await guest.waitFor('Host a room or join one?');
    guest.enter('');
    await guest.waitFor('Paste the invitation.');
    const wrapped = token.replaceAll(/.{60}/g, '$&\r> ');
    guest.type(`\u001b[200~Hi Ann,\r\rhere is the invite:\r> ${wrapped}\r\rsee you\r\u001b[201~`);
    guest.enter('');
    await guest.waitFor(/Room: Kitchen[\s\S]*Its owner's key: (?:[0-9a-f]{4} ?){8}/);
    await guest.waitFor(`? ${QUESTION}`);
    guest.enter(ANSWER);
    await guest.waitFor('Your nickname in this room?');
    guest.enter('ann');
    await guest.waitFor("The code on the host's screen");
    guest.enter(code);
    await guest.waitFor('You are ann in Kitchen');
    await host.waitFor('--> ann has joined');

    host.enter('/invite new 2 3h for Bob');
    await host.waitFor(/Invitation 2 for Bob, 2 uses, 3h left:/);
    assert.deepEqual(host.told, [], 'nothing was put on the clipboard');
    host.enter('/invite list');
    await host.waitFor(/2 {2}open +2 of 2 left +3h left, until \d\d:\d\d +for Bob/);
    host.enter('/door');
    await host.waitFor('Nobody is at the door.');
    guest.enter('/quit');
    host.enter('/quit');
    assert.deepEqual([await guest.left(), await host.left()], [LEFT, LEFT]);
  });
});

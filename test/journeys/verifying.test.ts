/** Comparing keys, marking them, and a marked member who goes on under another key: with the program itself. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { ANSWER, journey, type Program, type Stage } from '../helpers/program.ts';

const PASSWORD = 'nine lives of a cat';
const PASSPHRASE = 'three small words';

/** Ann with an account, Cyd, and Bob, whose membership is saved. */
async function company(stage: Stage) {
  const room = await stage.room(['--keep', 'kitchen', '--room', 'Kitchen', '--no-chat']);
  const passphrase = stage.file(PASSPHRASE);
  const made = ['identity', 'new', 'bob.pem', '--sign', 'dsa', '--passphrase-file', passphrase];
  assert.equal(await stage.start('keeper', made).exit, 0);
  const ann = await stage.guest('ann', room);
  ann.command('/register');
  await ann.answer('password', PASSWORD);
  await ann.answer('password-again', PASSWORD);
  await ann.until('notice', { code: 'registered' });
  const cyd = await stage.guest('cyd', room);
  const bob = await stage.guest('bob', room, {
    words: ['--identity', 'bob.pem', '--passphrase-file', passphrase],
  });
  await bob.until('notice', { code: 'saved' });
  const back = (): Program =>
    stage.start('bob', ['c', '@kitchen', '--json', '--passphrase-file', passphrase]);
  const elsewhere = async (): Promise<Program> => {
    const words = [
      '--token-file',
      stage.file((await room.invite()).token),
      '--answer-file',
      stage.file(ANSWER),
    ];
    const secrets = ['--code-file', stage.file(room.code), '--password-file', stage.file(PASSWORD)];
    const program = stage.start('ann elsewhere', ['c', '--json', '--nick', 'ann', ...words, ...secrets]);
    await program.until('joined');
    return program;
  };
  return { room, ann, bob, cyd, back, elsewhere };
}

const textsOf = (program: Program) =>
  program.events.flatMap((event) => (event.type === 'message' ? [event.text] : []));

describe('verification', () => {
  journey(
    'P32 a marked member on another device: nothing said reaches it before /trust, over ends of the program',
    async (stage) => {
      const { ann, bob, cyd, back, elsewhere } = await company(stage);
      bob.command('/verify ann');
      const { text } = await bob.until('notice', { code: 'digits' });
      assert.match(text, /^(\d{5}( \d{5}){3}(\n|$)){3}$/);
      ann.command('/verify bob');
      assert.equal((await ann.until('notice', { code: 'digits' })).text, text);
      bob.command('/verify ann yes');
      await bob.until(
        'notice',
        ({ code, text: told }) => code === 'verify' && /is marked as verified/.test(told),
      );
      bob.say('to whom I know');
      await ann.until('message', { text: 'to whom I know' });
      bob.send({ type: 'quit' });
      assert.equal(await bob.exit, 0);

      // The mark outlives the program; while Bob talks, the account moves.
      const second = back();
      const { members } = await second.until('joined');
      assert.deepEqual(
        members.flatMap(({ nick, verified }) => (verified === true ? [nick] : [])),
        ['ann'],
      );
      const other = await elsewhere();
      const alarm = await second.until('notice', { level: 'alarm', code: 'key-changed-verified' });
      assert.match(
        alarm.text,
        /^ann has another key than the one that you verified: that was ([0-9a-f]{4} ){7}/,
      );
      assert.equal((await second.until('member', { change: 'key-changed' })).member.verified, undefined);
      second.say('secret one');
      await second.until('notice', { level: 'warning', code: 'held-for-trust' });
      second.end();
      await second.until('notice', { code: 'unplaced' });
      assert.equal(await second.exit, 5);

      const third = back();
      await third.until('joined');
      await third.until('notice', { level: 'alarm', code: 'key-changed-verified' });
      third.say('secret two', 'two');
      await third.until('notice', { code: 'held-for-trust' });
      // What others say passes.
      cyd.say('meanwhile');
      await third.until('message', { text: 'meanwhile' });
      await other.until('message', { text: 'meanwhile' });
      assert.deepEqual(textsOf(other), ['meanwhile']);
      third.command('/verify ann yes');
      await third.until('error', { code: 'not-compared' });
      third.command('/trust ann');
      await third.until('notice', { level: 'info', code: 'trust' });
      assert.equal((await third.until('message', { own: true })).ref, 'two');
      await other.until('message', { text: 'secret two' });
      await cyd.until('message', { text: 'secret two' });
      assert.deepEqual(textsOf(other), ['meanwhile', 'secret two']);
      assert.deepEqual(textsOf(cyd), ['to whom I know', 'meanwhile', 'secret two']);
      third.command('/trust ann');
      await third.until('error', { code: 'nothing-to-trust' });
    },
  );

  journey('digits stand in rows beside a QR code on a screen, and in rows on paper', async (stage) => {
    const room = await stage.room();
    await stage.guest('ann', room);
    const bob = await stage.guestOnTerminal('bob', room, { size: { columns: 80, rows: 30 } });
    bob.enter('/verify ann');
    await bob.waitFor('/verify ann yes');
    const rows = /\d{5}(?: \d{5}){3}/g;
    const drawn = bob.text().match(rows) ?? [];
    assert.equal(drawn.length, 3);
    assert.match(bob.text(), /▀|▄|█/);
    bob.enter('/verify ann yes');
    await bob.waitFor('ann is marked as verified here');
    bob.enter('/names');
    await bob.waitFor('ann (verified)');
    const plain = await stage.guestOnTerminal('eve', room, { words: ['--plain'] });
    plain.enter('/verify ann');
    await plain.waitFor('/verify ann yes');
    assert.equal(plain.text().match(rows)?.length, 3);
    assert.doesNotMatch(plain.text(), /▀|▄|█/);
  });
});

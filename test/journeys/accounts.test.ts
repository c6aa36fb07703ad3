/** Registering a password and coming back by it, with the program itself on the guests' side of a room that is kept. */
import assert from 'node:assert/strict';
import { LIMITS } from '../../src/protocol/limits.ts';
import { ANSWER, journeysIn, type Program, QUICK, type Stage } from '../helpers/program.ts';

const PASSWORD = 'canary sings at nine';
const KEY = { interrupt: '\u0003', up: '\u001b[A' } as const;

interface Kitchen {
  /** Has an account. */
  readonly bob: Program;
  /** What gets one person in, but for nickname and password. */
  readonly secrets: () => Promise<readonly string[]>;
  readonly guest: (nick: string, words?: readonly string[]) => Promise<Program>;
}

async function register(program: Program): Promise<void> {
  program.command('/register');
  await program.answer('password', PASSWORD);
  await program.answer('password-again', PASSWORD);
  await program.until('notice', { code: 'registered' });
}

async function kitchen(stage: Stage): Promise<Kitchen> {
  const room = await stage.room(['--keep', 'kitchen', '--room', 'Kitchen', '--no-chat']);
  const secrets = async (): Promise<readonly string[]> => {
    const { token } = await room.invite();
    return [
      ...['--token-file', stage.file(token), '--answer-file', stage.file(ANSWER)],
      ...['--code-file', stage.file(room.code)],
      ...QUICK,
    ];
  };
  const guest = async (nick: string, words: readonly string[] = []): Promise<Program> =>
    stage.start(nick, ['c', '--json', '--nick', nick, ...(await secrets()), ...words]);
  const bob = await guest('bob');
  await bob.until('joined');
  await register(bob);
  return { bob, secrets, guest };
}

/** With the account: the nickname is free again. */
async function leaves(program: Program, nick: string, place: Kitchen): Promise<void> {
  program.command('/leave');
  assert.equal(await program.exit, 0);
  await left(nick, place);
}

async function left(nick: string, { bob }: Kitchen): Promise<void> {
  await bob.until('member', ({ change, member }) => change === 'left' && member.nick === nick);
}

journeysIn<Kitchen>('accounts', kitchen, (journey) => {
  journey('P34 a program registers, and from another device it is the same member', async (place, stage) => {
    const { bob, guest } = place;
    const ann = await guest('ann');
    const { self: before } = await ann.until('joined');

    ann.command('/register');
    const asked = await ann.answer('password', 'short');
    assert.equal(asked.secret, true);
    const again = await ann.answer('password', PASSWORD);
    assert.equal(again.problem, `A password needs at least ${LIMITS.passwordCharactersLeast} characters.`);
    // What others say arrives meanwhile, and what this side says is placed.
    bob.say('are you there?');
    await ann.until('message', { text: 'are you there?' });
    ann.say('just a moment');
    await bob.until('message', { text: 'just a moment' });
    ann.command('/register');
    await ann.until('error', { code: 'registering' });
    await ann.answer('password-again', 'something else');
    assert.match((await ann.answer('password', PASSWORD)).problem ?? '', /not the same/);
    await ann.answer('password-again', PASSWORD);
    await ann.until('notice', { code: 'registered' });

    const second = await guest('ann');
    const wanted = await second.answer('password', 'not the one');
    assert.equal(wanted.secret, true);
    assert.equal(wanted.problem, undefined);
    const wrong = await second.answer('password', PASSWORD);
    assert.equal(wrong.triesLeft, LIMITS.triesPerInvitation - 1);
    assert.match(wrong.problem ?? '', /does not fit/);
    const { self: after } = await second.until('joined');
    const change = await bob.until('member', { change: 'key-changed' });
    assert.equal(change.member.fingerprint, after.fingerprint);
    assert.equal(change.formerFingerprint, before.fingerprint);
    const closed = await ann.until('closed');
    assert.equal(closed.code, 'removed');
    assert.match(closed.reason, /your account goes on elsewhere/);
    assert.equal(await ann.exit, 4);
    second.say('here again');
    await bob.until('message', { text: 'here again' });
    const ofAnn = bob.events.flatMap((event) =>
      event.type === 'member' && event.member.nick === 'ann' ? [event.change] : [],
    );
    assert.deepEqual(ofAnn, ['joined', 'key-changed']);

    // Leaving keeps the place of an account.
    second.send({ type: 'quit' });
    assert.equal(await second.exit, 0);
    await bob.until('member', { change: 'offline' });
    const third = await guest('ann', ['--password-file', stage.file(PASSWORD)]);
    const { members } = await third.until('joined');
    assert.deepEqual(members.map(({ nick }) => nick).sort(), ['ann', 'bob']);
    await bob.until('member', { change: 'key-changed' });
    for (const program of [ann, second, third, bob]) assert.doesNotMatch(program.stdout, /canary/);
    await leaves(third, 'ann', place);
  });

  journey(
    'on a terminal the password is shown nowhere, and Ctrl-C gives up the question alone',
    async (place, stage) => {
      const { secrets, guest } = place;
      const ann = stage.terminal(['c', '--nick', 'ann', ...(await secrets())]);
      await ann.waitFor('You are ann');
      ann.enter('/register');
      await ann.waitFor('A password for your nickname here?');
      ann.type('canary');
      await ann.waitFor('••••••');
      ann.type(KEY.interrupt);
      await ann.waitFor('Nothing has been registered.');
      await ann.waitFor('Kitchen (2)>');
      ann.enter('/register');
      await ann.waitUntil('the second question', (text) => text.split('A password for your').length === 3);
      ann.enter(PASSWORD);
      await ann.waitFor('Once more?');
      ann.enter(PASSWORD);
      await ann.waitFor('behind the password');
      ann.type(KEY.up);
      await ann.waitFor('Kitchen (2)> /register');
      ann.type('\u0015');
      ann.enter('said after it');
      await ann.waitFor('<ann> said after it');
      assert.doesNotMatch(ann.bytes, /canary/);

      const dan = stage.terminal(['c', '--nick', 'dan', '--plain', ...(await secrets())]);
      await dan.waitFor('You are dan');
      const again = await guest('ann');
      await again.answer('password', PASSWORD);
      await again.until('joined');
      await dan.waitFor('ann goes on under another key, ');
      await ann.waitFor('Your account goes on elsewhere, under the key ');
      await ann.waitFor(/left with 4, settings kept: yes/);
      dan.enter('/quit');
      assert.equal((await dan.left()).exitCode, 0);
      await left('dan', place);
      await leaves(again, 'ann', place);
    },
  );

  journey(
    'another nickname is had without the password, and a room that ends has no accounts',
    async (place, stage) => {
      const { guest } = place;
      const other = await guest('bob');
      await other.answer('password', '');
      await other.answer('nick', 'bobby');
      const { members } = await other.until('joined');
      assert.deepEqual(members.map(({ nick }) => nick).sort(), ['bob', 'bobby']);
      await leaves(other, 'bobby', place);

      const room = await stage.room();
      room.host.command('/register');
      await room.host.until('error', { code: 'no-accounts' });
      const eve = await stage.guest('eve', room);
      eve.command('/register');
      assert.match((await eve.until('error', { code: 'no-accounts' })).message, /ends with its host/);
    },
  );

  journey(
    'lines that were piped in answer the questions, and what follows them is said',
    async (place, stage) => {
      const { bob, secrets } = place;
      const ann = stage.start('ann', ['c', '--plain', '--nick', 'ann', ...(await secrets())]);
      await ann.seen('You are ann');
      ann.write(`/register\n${PASSWORD}\n${PASSWORD}\nsaid after it\n`);
      await ann.seen('behind the password');
      await bob.until('message', { text: 'said after it' });
      assert.equal(bob.events.filter(({ type }) => type === 'message').length, 1);
      assert.doesNotMatch(ann.stdout, /canary/);
      // Where nobody can be asked, what would have answered is named.
      const words = ['c', '--plain', '--no-input', '--nick', 'ann', ...(await secrets())];
      const other = stage.start('other', words);
      assert.equal(await other.exit, 2);
      assert.match(other.stderr, /--password-file/);
      ann.write('/leave\n');
      assert.equal(await ann.exit, 0);
      await left('ann', place);
    },
  );
});

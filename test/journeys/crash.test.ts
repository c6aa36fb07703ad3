/**
 * Programs of a kept room are killed at random while people talk: the host, its guests, both at once. Whatever a sender was
 * told to be placed arrives at everyone, in the same order, and nobody is shown it twice by one program.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonEvent } from '../../src/terminal/json-lines.ts';
import { repeated } from '../helpers/effort.ts';
import { numbers } from '../helpers/numbers.ts';
import { type Program, Stage } from '../helpers/program.ts';
import { freePort } from '../helpers/relay.ts';

const ROUNDS = repeated({ quick: 10, thorough: 50, slow: 1_000 });
const ROUND_MS = 5_000;
/** Said and not placed yet, of one guest. */
const UNDER_WAY = 3;
const PASSPHRASE = 'three small words';
const SEED = Number(process.env['SEED'] ?? 20_261_128);

type Message = Extract<JsonEvent, { type: 'message' }>;

/** Somebody who talks all the time, over as many runs of the program as it takes. */
class Talker {
  readonly nick: string;
  /** What each run was shown, by message. */
  readonly shown: Message[][] = [];
  /** Messages that this sender was told to have their place. */
  readonly placed = new Set<string>();
  readonly #begin: (isFirst: boolean) => Program;
  #program: Program | null = null;
  #said = 0;
  #underWay = 0;
  /** Not before everyone is there to hear it. */
  #isQuiet = true;
  #waiting: { readonly enough: () => boolean; readonly done: () => void }[] = [];

  constructor(nick: string, begin: (isFirst: boolean) => Program) {
    this.nick = nick;
    this.#begin = begin;
  }

  get program(): Program {
    assert.ok(this.#program);
    return this.#program;
  }
  get texts(): ReadonlySet<string> {
    return new Set(this.shown.flat().map(({ text }) => text));
  }

  start(): void {
    const program = this.#begin(this.#program === null);
    this.#program = program;
    this.#underWay = 0;
    const shown: Message[] = [];
    this.shown.push(shown);
    program.onEvent = (event) => {
      if (event.type !== 'message') return;
      shown.push(event);
      if (event.own && event.ref !== undefined) {
        this.placed.add(event.text);
        this.#underWay -= 1;
        this.#talk();
      }
      this.#waiting = this.#waiting.filter(({ enough, done }) => !enough() || void done());
    };
  }

  /** In the room: says the first of what it has to say. */
  async joined(): Promise<void> {
    await this.program.until('joined');
    // Whose program ends before the room is saved has lost their place.
    if (this.shown.length === 1) await this.program.until('notice', { code: 'saved' });
    this.#talk();
  }

  speakUp(): void {
    this.#isQuiet = false;
    this.#talk();
  }

  #talk(): void {
    while (!this.#isQuiet && this.#underWay < UNDER_WAY) {
      this.#underWay += 1;
      this.#said += 1;
      this.program.say(`${this.nick} ${this.#said}`, String(this.#said));
    }
  }

  /** Until so many more of its messages have their place. */
  placedMore(count: number): Promise<void> {
    const wanted = this.placed.size + count;
    return this.#until(() => this.placed.size >= wanted);
  }

  /** Says nothing more, and waits until all it has said has its place. */
  async hush(): Promise<void> {
    this.#isQuiet = true;
    await this.#until(() => this.#underWay === 0);
    this.program.say(`${this.nick} has said all`, 'last');
  }

  sees(text: string): Promise<void> {
    return this.#until(() => this.texts.has(text));
  }

  #until(enough: () => boolean): Promise<void> {
    if (enough()) return Promise.resolve();
    return new Promise((done) => this.#waiting.push({ enough, done }));
  }
}

async function killed(...programs: readonly Program[]): Promise<void> {
  for (const program of programs) program.kill('SIGKILL');
  await Promise.all(programs.map(({ exit }) => exit));
}

async function openTalk(stage: Stage) {
  const passphrase = stage.file(PASSPHRASE);
  const listen = `127.0.0.1:${await freePort()}`;
  const room = await stage.room(['--keep', 'kitchen', '--room', 'Kitchen', '--listen', listen, '--no-chat']);
  let { host } = room;
  const talkers = ['ann', 'bob'].map((nick) => {
    const file = `${nick}.pem`;
    const words = ['--json', '--passphrase-file', passphrase];
    return new Talker(nick, (isFirst) =>
      isFirst
        ? stage.start(nick, [
            ...['c', '--nick', nick, '--identity', file, '--save-as', nick, ...words],
            ...stage.secrets(room),
          ])
        : stage.start(nick, ['c', `@${nick}`, ...words]),
    );
  });
  for (const { nick } of talkers) {
    const making = ['identity', 'new', `${nick}.pem`, '--sign', 'dsa', '--passphrase-file', passphrase];
    assert.equal(await stage.start('keeper', making).exit, 0);
  }
  const reopen = async (): Promise<void> => {
    host = stage.start('host', ['s', '--json', '--keep', 'kitchen', '--listen', listen, '--no-chat']);
    await host.until('ready');
  };
  return { talkers, reopen, host: () => host };
}

/** Each of these in the order in which it was first shown. */
function firstShown(talker: Talker): readonly string[] {
  return [...talker.texts];
}

test(`kill -9 of host and guests, ${ROUNDS} rounds: nothing placed is lost, doubled or out of order`, {
  timeout: 60_000 + ROUNDS * ROUND_MS,
}, async (context) => {
  context.diagnostic(`SEED=${SEED}`);
  const stage = new Stage();
  try {
    const random = numbers(SEED);
    const { talkers, reopen, host } = await openTalk(stage);
    for (const talker of talkers) talker.start();
    await Promise.all(talkers.map((talker) => talker.joined()));
    for (const talker of talkers) talker.speakUp();
    for (let round = 0; round < ROUNDS; round += 1) {
      const [one, other] = random(2) === 0 ? talkers : talkers.toReversed();
      assert.ok(one && other);
      await one.placedMore(1 + random(20));
      const isHost = random(2) === 0;
      const isGuest = !isHost || random(3) === 0;
      await killed(...(isHost ? [host()] : []), ...(isGuest ? [one.program] : []));
      if (isGuest) one.start();
      if (isHost) await reopen();
      if (isGuest) await one.joined();
    }
    await Promise.all(talkers.map((talker) => talker.hush()));
    for (const talker of talkers) for (const { nick } of talkers) await talker.sees(`${nick} has said all`);

    for (const talker of talkers) {
      for (const from of talkers) {
        const lost = [...from.placed].filter((text) => !talker.texts.has(text));
        assert.deepEqual(lost, [], `${talker.nick} was not shown what ${from.nick} said`);
      }
      for (const run of talker.shown) {
        const ids = run.map(({ id }) => id);
        assert.equal(
          new Set(ids).size,
          ids.length,
          `${talker.nick} was shown something twice by one program`,
        );
      }
    }
    const [ann, bob] = talkers;
    assert.ok(ann && bob);
    const [annsOrder, bobsOrder] = [firstShown(ann), firstShown(bob)];
    assert.deepEqual(
      annsOrder.filter((text) => bob.texts.has(text)),
      bobsOrder.filter((text) => ann.texts.has(text)),
    );
    const problems = stage.events.filter(
      (event) => event.type === 'notice' && (event.level === 'alarm' || event.code === 'gap'),
    );
    assert.deepEqual(problems, []);
  } catch (error) {
    context.diagnostic(stage.transcript().slice(-20_000));
    throw error;
  } finally {
    await stage.close();
  }
});

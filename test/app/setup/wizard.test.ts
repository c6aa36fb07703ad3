/** What a host is asked, what each answer leads to, and what is not asked at all. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { GaveUpError } from '../../../src/app/front/front.ts';
import type { HostOptions } from '../../../src/app/options.ts';
import { askHost, type Surroundings } from '../../../src/app/setup/wizard.ts';
import { checkNickname } from '../../../src/protocol/nickname.ts';
import type { PromptEvent } from '../../../src/terminal/json-lines.ts';

const OPTIONS: HostOptions = {
  nick: null,
  signing: null,
  identity: null,
  keep: null,
  prefers: { stays: false, receipts: true, lastSeen: true },
  display: 'terminal',
  color: false,
  colors: 16,
  preferences: {
    timestamps: 'minutes',
    quiet: false,
    bell: 'on',
    notify: false,
    atDirect: false,
    theme: 'auto',
  },
  mayAsk: true,
  files: { downloads: null, maxBytes: 100 * 2 ** 20, autoAccept: [] },
  logFile: null,
  logLevel: 'warn',
  roomName: null,
  question: null,
  answer: null,
  listen: { host: '::', port: 8_888 },
  reach: null,
  addresses: [],
  invitationUses: 16,
  invitationMs: 86_400_000,
  membersMost: 128,
  chat: true,
  topic: null,
  motd: null,
  approval: false,
  staySeconds: null,
  edits: true,
  readReceipts: true,
  qr: true,
  clipboard: true,
};
const HOME: Surroundings = {
  isPerson: true,
  accountName: 'Ann',
  own: { local: ['192.168.1.5', 'fd00::5'], public: [] },
};
const ANSWER = 'The Reading Room 42';

/** Answers in order; whoever runs out of them leaves. */
async function play(
  answers: readonly string[],
  options: Partial<HostOptions> = {},
  surroundings: Partial<Surroundings> = {},
) {
  const asked: Omit<PromptEvent, 'type'>[] = [];
  const told: string[] = [];
  const codes: string[] = [];
  const left = [...answers];
  const plan = await askHost(
    { ...OPTIONS, ...options },
    {
      emit(event) {
        if (event.type !== 'notice') return;
        told.push(event.text);
        codes.push(event.code);
      },
      async ask(prompt) {
        asked.push(prompt);
        told.push(...(prompt.hints ?? []));
        const answer = left.shift();
        if (answer === undefined) throw new GaveUpError('interrupted');
        return answer;
      },
      readLine: () => assert.fail('nothing is redirected'),
    },
    { ...HOME, ...surroundings },
  );
  assert.deepEqual(left, [], 'every answer was asked for');
  return { plan, asked, told, codes, names: asked.map(({ name }) => name) };
}

describe('a person who hosts', () => {
  test('gets a room by Enter, but for question and answer', async () => {
    const { plan, asked, names } = await play(['', '', 'Where did we meet?', ANSWER, '']);
    assert.deepEqual(plan, {
      roomName: "ann's room",
      nick: 'ann',
      question: 'Where did we meet?',
      answer: 'the reading room 42',
      listen: { host: '::', port: 8_888 },
      named: [],
      reach: 'private',
    });
    assert.deepEqual(names, ['room', 'nick', 'question', 'answer', 'reach']);
    assert.deepEqual(
      asked.map((prompt) => [prompt.default, prompt.secret]),
      [
        ["ann's room", false],
        ['ann', false],
        [undefined, false],
        [undefined, true],
        ['1', false],
      ],
    );
  });

  test('is asked only what no option gave', async (context) => {
    const path = answerFile(context, ANSWER);
    const given = {
      roomName: 'Kitchen',
      nick: checkNickname('olga'),
      question: 'Where?',
      reach: 'private',
    } as const;
    const { plan, names, told } = await play([], { ...given, answer: { kind: 'file', path } });
    assert.deepEqual(names, []);
    assert.deepEqual(told, []);
    assert.deepEqual(
      [plan.roomName, plan.nick, plan.question, plan.answer],
      ['Kitchen', 'olga', 'Where?', 'the reading room 42'],
    );
    assert.deepEqual((await play([ANSWER], given)).names, ['answer']);
    assert.deepEqual((await play(['', 'Where?', ANSWER], { chat: false, reach: 'private' })).names, [
      'room',
      'question',
      'answer',
    ]);
  });

  test('is told with every refusal why, and asked again', async () => {
    const { asked, plan } = await play([
      'x'.repeat(65),
      'Kitchen',
      'Ann Lee',
      'system',
      'Bob',
      '',
      'Where?',
      '?!',
      ANSWER,
      'maybe',
      '3',
    ]);
    assert.deepEqual([plan.roomName, plan.nick], ['Kitchen', 'bob']);
    const problems = asked.map(({ problem }) => problem ?? '');
    assert.match(problems[1] ?? '', /^A name is 1 to 64 bytes\.$/);
    assert.match(problems[3] ?? '', /^A nickname is 2 to 20 characters: /);
    assert.match(problems[4] ?? '', /^"system" could be mistaken /);
    assert.match(problems[6] ?? '', /^A question is 1 to 400 bytes\.$/);
    assert.match(problems[8] ?? '', /^An answer needs at least 3 letters or numbers\.$/);
    assert.match(problems[10] ?? '', /^Type 1, 2 or 3\.$/);
  });

  test('goes back with <, and finds there what was answered before', async () => {
    const { names, asked, plan } = await play(
      ['Kitchen', '<', '', 'bob', 'Where?', '<', '', ANSWER, '<', ANSWER, '3'],
      {},
    );
    assert.deepEqual(names, [
      ...[
        'room',
        'nick',
        'room',
        'nick',
        'question',
        'answer',
        'question',
        'answer',
        'reach',
        'answer',
        'reach',
      ],
    ]);
    assert.deepEqual([asked[2]?.default, asked[6]?.default], ['Kitchen', 'Where?']);
    assert.deepEqual([plan.roomName, plan.question, plan.reach], ['Kitchen', 'Where?', 'this-machine']);
    const first = await play(['<', '', '', 'Where?', ANSWER, '']);
    assert.deepEqual(first.names.slice(0, 3), ['room', 'room', 'nick']);
    assert.ok(first.told.includes('This is the first question: there is none before it.'));
  });

  test('is warned of a weak answer, and Enter keeps it', async () => {
    const kept = await play(['', '', 'Where?', 'teapot', '', '']);
    assert.equal(kept.plan.answer, 'teapot');
    assert.deepEqual(kept.names.slice(3), ['answer', 'answer', 'reach']);
    assert.match(kept.asked[4]?.message ?? '', /Enter keeps/);
    assert.ok(kept.codes.includes('weak-answer'));
    const better = await play(['', '', 'Where?', 'teapot', 'x', 'cup', 'the blue teapot', '']);
    assert.equal(better.plan.answer, 'the blue teapot');
    assert.match(better.asked[5]?.problem ?? '', /^An answer needs at least 3/);
    assert.ok(better.told.some((text) => text.startsWith('That is strong: 3 words')));
    for (const text of [...kept.told, ...better.told]) assert.ok(!text.includes('teapot'), text);
  });

  test('is not let give the answer away in the question', async () => {
    const { asked, names } = await play([
      '',
      '',
      'Is it the BLUE teapot?',
      'blue teapot',
      'teapot',
      '<',
      'Which pot?',
      'teapot!',
      'the blue teapot',
      '',
    ]);
    assert.match(asked[4]?.problem ?? '', /^The question has that answer in it\./);
    assert.deepEqual(names.slice(2, 8), ['question', 'answer', 'answer', 'answer', 'question', 'answer']);
    const met = await play(['', '', 'Where did we meet?', 'met', 'met by the sea', '']);
    assert.equal(met.plan.answer, 'met by the sea');
    await assert.rejects(play(['', '', 'teapot'], { question: 'Is it a teapot?' }), GaveUpError);
  });

  test('without a name of their own hosts "Our room" as host', async () => {
    for (const accountName of ['', 'root', 'Ann Lee', 'a'.repeat(40)]) {
      const { plan } = await play(['', '', 'Where?', ANSWER, ''], {}, { accountName });
      assert.deepEqual([plan.roomName, plan.nick], ['Our room', 'host']);
    }
  });

  // Once only the default could be it: whoever typed it was told that it could be mistaken for the room.
  test('may call themselves host', async () => {
    const { plan } = await play(['', 'Host', 'Where?', ANSWER, '']);
    assert.equal(plan.nick, 'host');
  });

  test('who leaves at a question opens nothing', async () => {
    for (const answers of [[], [''], ['', ''], ['', '', 'Where?'], ['', '', 'Where?', ANSWER]])
      await assert.rejects(play(answers), GaveUpError);
  });
});

describe('who can reach the room', () => {
  const before = ['', '', 'Where?', ANSWER];

  test('only this machine: it listens nowhere else', async () => {
    const { plan } = await play([...before, '3']);
    assert.deepEqual(plan.listen, { host: '127.0.0.1', port: 8_888 });
  });

  test('is not asked where an option has said it', async () => {
    for (const given of [
      { reach: 'private' },
      { addresses: [{ host: 'a.example', port: null }] },
      { listen: { host: '127.0.0.1', port: 0 } },
    ] as const)
      assert.deepEqual((await play(before, given)).names.slice(4), []);
  });

  test('the internet, at a public address', async () => {
    const { plan, asked, told } = await play(
      [...before, ''],
      {},
      { own: { local: [], public: ['198.51.101.7'] } },
    );
    assert.deepEqual([plan.reach, plan.named, asked.at(-1)?.default], ['public', [], '2']);
    assert.ok(told.includes('2  People on the internet (198.51.101.7)'));
  });

  test('the internet, behind a router: what to forward, and the address by hand', async () => {
    const { plan, told, asked } = await play([...before, '2', 'not an address!', 'chat.example.org:99']);
    assert.deepEqual([plan.reach, plan.named], ['private', [{ host: 'chat.example.org', port: 99 }]]);
    assert.ok(
      told.some((text) => text.startsWith('Forward TCP port 8888 on the router to 192.168.1.5')),
      told.join('\n'),
    );
    assert.match(asked.at(-1)?.problem ?? '', /^Not an address: .*:8888\.$/);
    const { plan: other } = await play([...before, '2', '', '1']);
    assert.deepEqual([other.reach, other.named], ['private', []]);
    const { names } = await play([...before, '2', '<', '<', ANSWER, '3']);
    assert.deepEqual(names.slice(4), ['reach', 'address', 'reach', 'answer', 'reach']);
  });

  test('the internet, by IPv6: the address alone will do', async () => {
    const own = { local: ['192.168.1.5'], public: ['2a02::1'] };
    const { plan, told } = await play([...before, '2', ''], {}, { own });
    assert.deepEqual([plan.reach, plan.named], ['public', []]);
    assert.ok(told.some((text) => text.includes('2a02::1') && text.includes('port 8888')));
    const { plan: both } = await play([...before, '2', '198.51.101.7'], {}, { own });
    assert.deepEqual([both.reach, both.named], ['public', [{ host: '198.51.101.7', port: 8_888 }]]);
  });

  test('the internet, by IPv6 that is not listened on: behind a router', async () => {
    const own = { local: ['192.168.1.5'], public: ['2a02::1'] };
    const listen = { host: '0.0.0.0', port: 8_888 };
    const { plan } = await play([...before, '2', 'a.example'], { listen }, { own });
    assert.deepEqual([plan.reach, plan.named], ['private', [{ host: 'a.example', port: 8_888 }]]);
  });

  test('a port that the system chooses cannot be forwarded', async () => {
    const { names, told } = await play([...before, '2', '1'], { listen: { host: '::', port: 0 } });
    assert.deepEqual(names.slice(4), ['reach', 'reach']);
    assert.ok(told.some((text) => text.includes('--listen [::]:8888')));
  });

  test('--public without a public address fails before anything is asked', async () => {
    await assert.rejects(play([], { reach: 'public' }), { code: 'no-public-address' });
  });
});

describe('a program, a pipe, nobody', () => {
  test('is asked for question and answer only', async () => {
    const { plan, names, told } = await play(['Where?', ANSWER], { display: 'json' }, { isPerson: false });
    assert.deepEqual(names, ['question', 'answer']);
    assert.deepEqual(told, []);
    assert.deepEqual([plan.roomName, plan.nick, plan.reach], ['securechat', 'ann', null]);
  });

  test('does not go back: what a person types for that is an answer', async () => {
    const { plan, asked } = await play(['<', ANSWER], { display: 'json' }, { isPerson: false });
    assert.equal(plan.question, '<');
    assert.ok(asked.every(({ hints }) => hints === undefined));
  });

  test('is told of a weak answer and not asked again', async () => {
    const { names, codes } = await play(['Where?', 'teapot'], { display: 'json' }, { isPerson: false });
    assert.deepEqual([names, codes], [['question', 'answer'], ['weak-answer']]);
  });

  test('a file with an answer that is too short is an error, not a question', async (context) => {
    const path = answerFile(context, '?');
    const options = { question: 'Where?', answer: { kind: 'file', path } } as const;
    await assert.rejects(play([], options, { isPerson: false }), { code: 'answer-short' });
    const told = {
      question: 'What is a teapot?',
      answer: { kind: 'file', path: answerFile(context, 'a teapot') },
    } as const;
    await assert.rejects(play([], told, { isPerson: false }), { code: 'answer-told' });
  });
});

function answerFile(context: TestContext, answer: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'wizard-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'answer');
  writeFileSync(path, `${answer}\n`);
  return path;
}

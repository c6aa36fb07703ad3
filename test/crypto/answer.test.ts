import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import {
  type AnswerClient,
  type AnswerHost,
  answerGuesses,
  answerIdentifiers,
  answerStrength,
  loadAnswerClient,
  loadAnswerHost,
  normaliseAnswer,
  registerAnswer,
} from '../../src/crypto/answer.ts';
import type { AnswerJob, AnswerReply } from '../../src/crypto/answer-jobs.ts';
import type { Bytes } from '../../src/protocol/bytes.ts';
import { hash, roomId } from '../../src/protocol/identifiers.ts';

const ANSWER = 'the blue teapot';
const IDENTIFIERS = answerIdentifiers(roomId(randomBytes(16)), hash(randomBytes(32)));
const OTHERS = answerIdentifiers(roomId(randomBytes(16)), hash(randomBytes(32)));
const credential = 'answer';

let host: AnswerHost;
let client: AnswerClient;
let setup: string;
let record: string;

before(async () => {
  host = await loadAnswerHost();
  client = await loadAnswerClient();
  setup = host.createSetup();
  record = await registerAnswer({ host, setup, credential, answer: ANSWER, identifiers: IDENTIFIERS });
});

/** One whole run; each argument is what an honest run would have, unless given. */
function run({
  answer = ANSWER,
  hostIdentifiers = IDENTIFIERS,
  from = credential,
  on = record as string | null,
} = {}) {
  const { state, ke1 } = client.start(answer);
  const login = host.startLogin({ setup, record: on, credential: from, identifiers: hostIdentifiers, ke1 });
  const proof = client.finish({ state, ke2: login.ke2, answer, identifiers: IDENTIFIERS });
  return { ke1, login, proof };
}

test('the right answer gives both sides one key, another in each run', () => {
  const keys = new Set<string>();
  for (let i = 0; i < 2; i += 1) {
    const { ke1, login, proof } = run();
    assert.ok(proof);
    const { sessionKey, ke3 } = proof;
    assert.deepEqual([ke1.length, login.ke2.length, ke3.length, sessionKey.length], [96, 320, 64, 64]);
    assert.deepEqual(host.finishLogin({ state: login.state, ke3, identifiers: IDENTIFIERS }), sessionKey);
    keys.add(Buffer.from(sessionKey).toString('hex'));
  }
  assert.equal(keys.size, 2);
});

test('a wrong answer, another credential, other identifiers or an unknown user: no key', () => {
  assert.equal(run({ answer: 'the blue teapots' }).proof, null);
  assert.equal(run({ from: 'account:x' }).proof, null);
  assert.equal(run({ hostIdentifiers: OTHERS }).proof, null);
  const unknown = run({ on: null });
  assert.equal(unknown.proof, null);
  assert.equal(unknown.login.ke2.length, 320);
});

test('the host takes no proof but the one for this run', () => {
  const { login } = run();
  const { proof: foreign } = run();
  const finish = (ke3: Bytes, identifiers = IDENTIFIERS) =>
    host.finishLogin({ state: login.state, ke3, identifiers });
  assert.ok(foreign);
  assert.equal(finish(foreign.ke3), null);
  for (const ke3 of [new Uint8Array(64), new Uint8Array(64).fill(255), randomBytes(64)])
    assert.equal(finish(ke3), null);
});

test('a host that does not hold the record is not believed', () => {
  const fake = host.createSetup();
  const { state, ke1 } = client.start(ANSWER);
  const { ke2 } = host.startLogin({ setup: fake, record, credential, identifiers: IDENTIFIERS, ke1 });
  assert.equal(client.finish({ state, ke2, answer: ANSWER, identifiers: IDENTIFIERS }), null);
});

test('lengths are checked before the library sees anything', () => {
  const { login } = run();
  for (const length of [0, 1, 63, 65, 95, 97, 319, 321, 8_192]) {
    const bytes = randomBytes(length);
    const identifiers = IDENTIFIERS;
    assert.throws(() => host.startLogin({ setup, record, credential, identifiers, ke1: bytes }), {
      name: 'ProtocolError',
      code: 'bad-ke1',
    });
    assert.throws(() => host.finishLogin({ state: login.state, ke3: bytes, identifiers }), {
      code: 'bad-ke3',
    });
    const { state } = client.start(ANSWER);
    assert.throws(() => client.finish({ state, ke2: bytes, answer: ANSWER, identifiers }), {
      code: 'bad-ke2',
    });
  }
});

test('garbage of the right length is a protocol error or a lost run, never anything else', () => {
  const { ke1, login } = run();
  const garbage = (length: number) =>
    fc.oneof(
      fc.uint8Array({ minLength: length, maxLength: length }),
      fc.constantFrom(0, 7, 255).map((fill) => new Uint8Array(length).fill(fill)),
    );
  /** One bit turned somewhere in an honest message. */
  const flipped = (honest: Bytes) =>
    fc.nat(honest.length * 8 - 1).map((bit) => {
      const bytes = Uint8Array.from(honest);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return bytes;
    });
  const allowed = (code: string, call: () => unknown) => {
    try {
      return call();
    } catch (error) {
      assert.deepEqual(
        [error instanceof Error && error.name, (error as { code?: unknown }).code],
        ['ProtocolError', code],
      );
      return null;
    }
  };
  const identifiers = IDENTIFIERS;
  fc.assert(
    fc.property(fc.oneof(garbage(96), flipped(ke1)), (bytes) => {
      allowed('bad-ke1', () => host.startLogin({ setup, record, credential, identifiers, ke1: bytes }));
    }),
  );
  fc.assert(
    fc.property(fc.oneof(garbage(64), flipped(new Uint8Array(64))), (ke3) => {
      assert.equal(host.finishLogin({ state: login.state, ke3, identifiers }), null);
    }),
  );
  const { state } = client.start(ANSWER);
  fc.assert(
    fc.property(fc.oneof({ arbitrary: garbage(320), weight: 9 }, flipped(login.ke2)), (ke2) => {
      assert.equal(
        allowed('bad-ke2', () => client.finish({ state, ke2, answer: ANSWER, identifiers })),
        null,
      );
    }),
    { numRuns: 40 },
  );
});

test('answers that people would call the same are the same', () => {
  const cases: Readonly<Record<string, string>> = {
    '  The  Blue\tTeapot! ': 'the blue teapot',
    'St. John’s': 'st johns',
    'Ｂｌｕｅ １２': 'blue 12',
    'Cafe\u0301 Zoé': 'café zoé',
    'ﬁnd Ⅳ': 'find iv',
    'a\u200bb\u00adc': 'abc',
    नमस्ते: 'नमस्ते',
    東京都: '東京都',
    ΟΔΟΣ: 'οδος',
    '3.14159': '314159',
  };
  for (const [text, normalised] of Object.entries(cases)) assert.equal(normaliseAnswer(text), normalised);
});

test('an answer under three characters is refused', () => {
  for (const text of ['', 'ab', '  a b'.replace(' b', ''), '!?!?!?', '😀😀😀', '東京', '1!2']) {
    assert.throws(() => normaliseAnswer(text), { name: 'InputError', code: 'answer-short' });
  }
});

test('a normalised answer is its own normal form', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 3, maxLength: 40 }), (text) => {
      let normalised = '';
      try {
        normalised = normaliseAnswer(text);
      } catch {
        fc.pre(false);
      }
      assert.match(normalised, /^[\p{L}\p{M}\p{N}]+( [\p{L}\p{M}\p{N}]+)*$/u);
      assert.equal(normaliseAnswer(normalised), normalised);
    }),
    { numRuns: 200 },
  );
});

test('an answer is as strong as the guesses that find it', () => {
  const strengthOf = (text: string) => answerStrength(normaliseAnswer(text));
  const weak = [
    'abc',
    'teapot',
    'Paris',
    '123456',
    '12.03.1984',
    'aaaaaaaaaaaa',
    'ababababab',
    'no no no no',
  ];
  for (const answer of weak) assert.equal(strengthOf(answer), 'weak', answer);
  for (const answer of ['blue cup', 'in the library', 'Paris 1987', 'thereadingroom'])
    assert.equal(strengthOf(answer), 'fair', answer);
  for (const answer of ['the blue teapot', 'Sommer in Husum 1987', '在图书馆见面'])
    assert.equal(strengthOf(answer), 'good', answer);
});

test('saying a word again makes an answer no harder to guess', () => {
  assert.equal(answerGuesses('teapot teapot teapot'), answerGuesses('teapot'));
  assert.ok(answerGuesses('teapot 42') > answerGuesses('teapot'));
  assert.equal(answerGuesses('x'.repeat(10_000)), 1);
  assert.ok(answerGuesses('abc'.repeat(10_000)) > 1e300);
});

test('identifiers name room and host', () => {
  const identifiers = answerIdentifiers(roomId(new Uint8Array(16)), hash(new Uint8Array(32).fill(255)));
  assert.deepEqual(identifiers, { client: 'A'.repeat(22), server: `${'_'.repeat(42)}8` });
});

test('a worker does a whole run and outlives bad bytes', async () => {
  const worker = new Worker(new URL('../../src/crypto/answer-worker.ts', import.meta.url));
  after(() => worker.terminate());
  let id = 0;
  const ask = async (job: AnswerJob) => {
    id += 1;
    worker.postMessage({ id, job });
    const [reply] = (await once(worker, 'message')) as [AnswerReply];
    assert.equal(reply.id, id);
    return reply.outcome;
  };
  const identifiers = IDENTIFIERS;
  const registered = await ask({ op: 'register', setup, credential, answer: ANSWER, identifiers });
  assert.ok(registered.op === 'register');
  const started = await ask({ op: 'start', answer: ANSWER });
  assert.ok(started.op === 'start');
  const login = host.startLogin({
    setup,
    record: registered.record,
    credential,
    identifiers,
    ke1: started.ke1,
  });
  const finish = { op: 'finish', state: started.state, answer: ANSWER, identifiers } as const;

  // No point of the curve: of random bytes one in 256 is a KE2.
  const bad = await ask({ ...finish, ke2: new Uint8Array(320).fill(0xff) });
  assert.ok(bad.op === 'failed' && bad.code === 'bad-ke2');
  const wrong = await ask({ ...finish, ke2: login.ke2, answer: 'the red teapot' });
  assert.deepEqual(wrong, { op: 'finish', result: null });
  const own = await ask({ ...finish, state: 'nonsense', ke2: login.ke2 });
  assert.ok(own.op === 'failed');

  const finished = await ask({ ...finish, ke2: login.ke2 });
  assert.ok(finished.op === 'finish' && finished.result);
  const { ke3, sessionKey } = finished.result;
  assert.deepEqual(host.finishLogin({ state: login.state, ke3, identifiers }), sessionKey);
});

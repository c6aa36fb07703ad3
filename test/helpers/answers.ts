/** The answer's two sides: OPAQUE as the product uses it, and a stand-in for tests that are about something else. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { accountGate } from '../../src/app/account-gate.ts';
import {
  type AnswerClient,
  type AnswerIdentifiers,
  loadAnswerClient,
  loadAnswerHost,
  normaliseAnswer,
  registerAnswer,
} from '../../src/crypto/answer.ts';
import { type Bytes, concatBytes, fromBase64url, toBase64url, utf8 } from '../../src/protocol/bytes.ts';
import type { AccountGate } from '../../src/room/accounts.ts';
import type { AnswerGate } from '../../src/room/entrance.ts';

export interface AnswerSides {
  readonly gate: AnswerGate;
  /** Of a room that is kept. */
  readonly accounts: AccountGate;
  readonly client: AnswerClient;
}

const registered = new Map<string, Promise<AnswerSides>>();

/** OPAQUE. Each `finish` at the client's side takes a sixth of a second. */
export function opaqueAnswer(answer: string, identifiers: AnswerIdentifiers): Promise<AnswerSides> {
  const key = JSON.stringify([answer, identifiers]);
  const known = registered.get(key) ?? register(answer, identifiers);
  registered.set(key, known);
  return known;
}

async function register(answer: string, identifiers: AnswerIdentifiers): Promise<AnswerSides> {
  const [host, client] = await Promise.all([loadAnswerHost(), loadAnswerClient()]);
  const setup = host.createSetup();
  const credential = 'answer';
  const record = await registerAnswer({
    host,
    setup,
    credential,
    answer: normaliseAnswer(answer),
    identifiers,
  });
  return {
    client,
    gate: {
      start: (ke1) => host.startLogin({ setup, record, credential, identifiers, ke1 }),
      finish: (state, ke3) => host.finishLogin({ state, ke3, identifiers }),
    },
    accounts: accountGate({ host, setup, identifiers }),
  };
}

function digest(label: string, ...parts: readonly Bytes[]): Bytes {
  return new Uint8Array(
    createHash('sha512')
      .update(label)
      .update(concatBytes(...parts))
      .digest(),
  );
}

/**
 * Shaped like OPAQUE and as fast as a hash, with nothing of its secrecy: whoever sees KE2 can test answers. Only where
 * the answer is not what a test is about.
 */
export function unsafeTestingAnswer(answer: string, randomBytes: (length: number) => Bytes): AnswerSides {
  const keyOf = (text: string, ke1: Bytes, ke2: Bytes): Bytes =>
    digest('key', utf8.encode(text), ke1, ke2.subarray(0, 64));
  const right = normaliseAnswer(answer);
  const start = (text: string, ke1: Bytes): ReturnType<AnswerGate['start']> => {
    const ke2 = new Uint8Array(320);
    ke2.set(randomBytes(64));
    const key = keyOf(text, ke1, ke2);
    ke2.set(digest('ke2', key), 64);
    return { state: toBase64url(key), ke2 };
  };
  const finish = (state: string, ke3: Bytes): Bytes | null => {
    const key = fromBase64url(state);
    if (key === null) throw new Error('not a state');
    return timingSafeEqual(digest('ke3', key), ke3) ? key : null;
  };
  return {
    gate: { start: (ke1) => start(right, ke1), finish },
    accounts: {
      register: () => randomBytes(64),
      start(_, record, ke1) {
        const password = record === null ? randomBytes(16) : (fromBase64url(record) ?? new Uint8Array());
        return start(Buffer.from(password).toString().replaceAll('\0', ''), ke1);
      },
      finish,
    },
    client: {
      start() {
        const ke1 = randomBytes(96);
        return { state: toBase64url(ke1), ke1 };
      },
      startRegistration: () => ({ state: '', request: randomBytes(32) }),
      // The password as it is, which no other record of an account would be.
      finishRegistration({ answer: password }) {
        const record = new Uint8Array(192);
        record.set(utf8.encode(password));
        return record;
      },
      finish({ state, ke2, answer: given }) {
        const ke1 = fromBase64url(state);
        if (ke1 === null) throw new Error('not a state');
        const sessionKey = keyOf(given, ke1, ke2);
        if (!timingSafeEqual(digest('ke2', sessionKey), ke2.subarray(64, 128))) return null;
        return { sessionKey, ke3: digest('ke3', sessionKey) };
      },
    },
  };
}

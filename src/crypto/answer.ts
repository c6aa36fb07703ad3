/**
 * The security question's answer, proved with OPAQUE: it never leaves the joiner, and whoever does not hold the
 * host's record cannot test a guess. The only file that knows `@serenity-kit/opaque`, which is loaded at first use.
 */
import { type Bytes, fromBase64url, toBase64url } from '../protocol/bytes.ts';
import { InputError, ProtocolError } from '../protocol/errors.ts';
import type { Hash, RoomId } from '../protocol/identifiers.ts';

/** Whom a run is between; both sides must name the same. */
export interface AnswerIdentifiers {
  readonly client: string;
  readonly server: string;
}

/** Every call takes at most a few milliseconds. */
export interface AnswerHost {
  /** @returns the host's OPAQUE keys, a secret as long as any record made under them. */
  createSetup(): string;
  /** The host's half of a registration; {@link registerAnswer} is the whole. */
  register(input: { readonly setup: string; readonly credential: string; readonly request: string }): string;
  /**
   * @param input.record `null` makes a run that looks real and that no answer can pass, for an unknown user.
   * @throws ProtocolError `bad-ke1`.
   */
  startLogin(input: {
    readonly setup: string;
    readonly record: string | null;
    readonly credential: string;
    readonly identifiers: AnswerIdentifiers;
    readonly ke1: Bytes;
  }): { readonly state: string; readonly ke2: Bytes };
  /**
   * @returns the 64-byte session key, or `null` when the proof is wrong.
   * @throws ProtocolError `bad-ke3` for a proof of another length.
   */
  finishLogin(input: {
    readonly state: string;
    readonly ke3: Bytes;
    readonly identifiers: AnswerIdentifiers;
  }): Bytes | null;
}

export interface AnswerClient {
  start(answer: string): { readonly state: string; readonly ke1: Bytes };
  /**
   * Holds the thread for about a sixth of a second: run it in `answer-worker.ts`.
   *
   * @returns `null` when the answer is wrong, or when the other side is not the host.
   * @throws ProtocolError `bad-ke2`.
   */
  finish(input: {
    readonly state: string;
    readonly ke2: Bytes;
    readonly answer: string;
    readonly identifiers: AnswerIdentifiers;
  }): { readonly sessionKey: Bytes; readonly ke3: Bytes } | null;
}

const KE1_BYTES = 96;
const KE2_BYTES = 320;
const KE3_BYTES = 64;
const CHARACTERS_LEAST = 3;
/**
 * Argon2id with 64 MiB, three passes. One lane, because WebAssembly runs lanes one after another: more would cost
 * the joiner the same time and help only whoever guesses on many processors.
 */
const KEY_STRETCHING = { 'argon2id-custom': { memory: 65_536, iterations: 3, parallelism: 1 } };

async function loadOpaque(): Promise<typeof import('@serenity-kit/opaque')> {
  const opaque = await import('@serenity-kit/opaque');
  await opaque.ready;
  return opaque;
}

/**
 * What counts in an answer: NFKC, lower case, only letters, marks, numbers and single spaces.
 *
 * @throws InputError `answer-short` under three characters.
 * @see docs/protocol.md#admission
 */
export function normaliseAnswer(text: string): string {
  const kept = text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\s]/gu, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
    // Dropping a character can bring a letter and a mark together that compose.
    .normalize('NFKC');
  if ([...kept].length < CHARACTERS_LEAST) {
    throw new InputError('answer-short', `An answer needs at least ${CHARACTERS_LEAST} letters or numbers.`);
  }
  return kept;
}

/** A rough judgement for a warning: it counts characters and different characters, and knows no dictionary. */
export function answerStrength(normalised: string): 'weak' | 'fair' | 'good' {
  const characters = [...normalised];
  const different = new Set(characters).size;
  if (characters.length < 6 || different < 4) return 'weak';
  return characters.length < 12 || different < 6 ? 'fair' : 'good';
}

export function answerIdentifiers(roomId: RoomId, tlsPin: Hash): AnswerIdentifiers {
  return { client: toBase64url(roomId), server: toBase64url(tlsPin) };
}

export async function loadAnswerHost(): Promise<AnswerHost> {
  const { server } = await loadOpaque();
  return {
    createSetup: () => server.createSetup(),

    register: ({ setup, credential, request }) =>
      server.createRegistrationResponse({
        serverSetup: setup,
        userIdentifier: credential,
        registrationRequest: request,
      }).registrationResponse,

    startLogin({ setup, record, credential, identifiers, ke1 }) {
      const { serverLoginState, loginResponse } = blamePeer('bad-ke1', ke1, KE1_BYTES, (startLoginRequest) =>
        server.startLogin({
          serverSetup: setup,
          registrationRecord: record,
          userIdentifier: credential,
          identifiers,
          startLoginRequest,
        }),
      );
      return { state: serverLoginState, ke2: bytesOf(loginResponse) };
    },

    finishLogin({ state, ke3, identifiers }) {
      const finishLoginRequest = textOf('bad-ke3', ke3, KE3_BYTES);
      try {
        const { sessionKey } = server.finishLogin({
          serverLoginState: state,
          finishLoginRequest,
          identifiers,
        });
        return bytesOf(sessionKey);
      } catch {
        // Any 64 bytes are a well-formed proof, so what fails here is its value.
        return null;
      }
    },
  };
}

export async function loadAnswerClient(): Promise<AnswerClient> {
  const { client } = await loadOpaque();
  return {
    start(answer) {
      const { clientLoginState, startLoginRequest } = client.startLogin({ password: answer });
      return { state: clientLoginState, ke1: bytesOf(startLoginRequest) };
    },

    finish({ state, ke2, answer, identifiers }) {
      const result = blamePeer('bad-ke2', ke2, KE2_BYTES, (loginResponse) =>
        client.finishLogin({
          clientLoginState: state,
          loginResponse,
          password: answer,
          identifiers,
          keyStretching: KEY_STRETCHING,
        }),
      );
      if (result === undefined) return null;
      return { sessionKey: bytesOf(result.sessionKey), ke3: bytesOf(result.finishLoginRequest) };
    },
  };
}

/**
 * The host registers the answer with itself. Holds the thread like {@link AnswerClient.finish}.
 *
 * @param input.answer normalised.
 * @returns the record: with the setup it lets answers be tested, so it is kept like one.
 */
export async function registerAnswer(input: {
  readonly host: AnswerHost;
  readonly setup: string;
  readonly credential: string;
  readonly answer: string;
  readonly identifiers: AnswerIdentifiers;
}): Promise<string> {
  const { client } = await loadOpaque();
  const { host, setup, credential, answer, identifiers } = input;
  const { clientRegistrationState, registrationRequest } = client.startRegistration({ password: answer });
  const registrationResponse = host.register({ setup, credential, request: registrationRequest });
  const { registrationRecord } = client.finishRegistration({
    clientRegistrationState,
    registrationResponse,
    password: answer,
    identifiers,
    keyStretching: KEY_STRETCHING,
  });
  return registrationRecord;
}

function textOf(code: string, bytes: Bytes, length: number): string {
  if (bytes.length !== length) throw new ProtocolError(code, `must be ${length} bytes, not ${bytes.length}`);
  return toBase64url(bytes);
}

/** The library throws on points that are not on its curve; what it says about them helps nobody. */
function blamePeer<Result>(
  code: string,
  bytes: Bytes,
  length: number,
  call: (text: string) => Result,
): Result {
  const text = textOf(code, bytes, length);
  try {
    return call(text);
  } catch {
    throw new ProtocolError(code, 'not a valid OPAQUE message');
  }
}

function bytesOf(text: string): Bytes {
  const bytes = fromBase64url(text);
  if (bytes === null) throw new Error('the OPAQUE library gave text that is not base64url');
  return bytes;
}

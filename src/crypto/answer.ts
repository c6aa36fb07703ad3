/**
 * The security question's answer, and the password of an account, proved with OPAQUE: neither ever leaves the joiner, and
 * whoever does not hold the host's record cannot test a guess. The only file that knows `@serenity-kit/opaque`, which is loaded at first use.
 */
import { type Bytes, fromBase64url, toBase64url } from '../protocol/bytes.ts';
import { InputError, ProtocolError } from '../protocol/errors.ts';
import type { Hash, RoomId } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import { normalisePassphrase } from './identity-file.ts';

/** Whom a run is between; both sides must name the same. */
export interface AnswerIdentifiers {
  readonly client: string;
  readonly server: string;
}

/** Every call takes at most a few milliseconds. */
export interface AnswerHost {
  /** @returns the host's OPAQUE keys, a secret as long as any record made under them. */
  createSetup(): string;
  /**
   * The host's half of a registration.
   * @throws ProtocolError `bad-registration`.
   */
  register(input: { readonly setup: string; readonly credential: string; readonly request: Bytes }): Bytes;
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
  startRegistration(answer: string): { readonly state: string; readonly request: Bytes };
  /**
   * Holds the thread like `finish`.
   *
   * @returns the record: with the setup it lets answers be tested, so it is kept like one.
   * @throws ProtocolError `bad-registration`.
   */
  finishRegistration(input: {
    readonly state: string;
    readonly response: Bytes;
    readonly answer: string;
    readonly identifiers: AnswerIdentifiers;
  }): Bytes;
}

const KE1_BYTES = 96;
const KE2_BYTES = 320;
const KE3_BYTES = 64;
const REQUEST_BYTES = 32;
const RESPONSE_BYTES = 64;
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

/**
 * A password counts as it was typed: unlike an answer it is nobody's to spell in another way.
 *
 * @returns what is proved with OPAQUE
 * @throws InputError `password-short` for one that is too short to be chosen, `passphrase` for one that is too long
 */
export function newPassword(typed: string): string {
  const password = normalisePassphrase(typed);
  const least = LIMITS.passwordCharactersLeast;
  if ([...password].length >= least) return password;
  throw new InputError('password-short', `A password needs at least ${least} characters.`);
}

/** Of a word: what a list of common words in one's language holds, or of names and places. */
const COMMON_WORDS = 20_000;
/** Words of up to three letters: articles and the like. */
const SHORT_WORDS = 200;
/** Longer runs of letters are words written together. */
const WORD_LETTERS = 8;
/** Where a character is a syllable or more, two are a word, and no space parts them. */
const SYLLABLES = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;
const YEARS = 200;
/** Five to eight digits are mostly dates. */
const DATES = 40_000;

/**
 * How many guesses find an answer that is made of common words and numbers: a rough measure for a warning. It knows no
 * dictionary, and a quotation or a name that belongs together is found sooner.
 *
 * @returns at least 1; infinite for very long ones
 */
export function answerGuesses(normalised: string): number {
  const parts = new Set(normalised.match(/[\p{L}\p{M}]+|\p{N}+/gu) ?? []);
  return [...parts].reduce((product, part) => product * guessesOf(part), 1);
}

function guessesOf(part: string): number {
  const characters = [...part];
  const { length } = characters;
  if (/^\p{N}/u.test(part)) {
    if (/^(?:19|20)\d\d$/.test(part)) return YEARS;
    return length > 4 && length < 9 ? DATES : 10 ** length;
  }
  // One or two letters again and again are no word.
  const different = new Set(characters).size;
  if (different < 3) return different ** Math.min(length, WORD_LETTERS);
  if (SYLLABLES.test(part)) return COMMON_WORDS ** Math.ceil(length / 2);
  if (length <= 3) return SHORT_WORDS;
  return COMMON_WORDS ** Math.ceil(length / WORD_LETTERS);
}

/** By the guesses that find it: under a million is weak, over ten thousand million good. */
export function answerStrength(normalised: string): 'weak' | 'fair' | 'good' {
  const guesses = answerGuesses(normalised);
  if (guesses < 1e6) return 'weak';
  return guesses < 1e10 ? 'fair' : 'good';
}

export function answerIdentifiers(roomId: RoomId, tlsPin: Hash): AnswerIdentifiers {
  return { client: toBase64url(roomId), server: toBase64url(tlsPin) };
}

export async function loadAnswerHost(): Promise<AnswerHost> {
  const { server } = await loadOpaque();
  return {
    createSetup: () => server.createSetup(),

    register({ setup, credential, request }) {
      const { registrationResponse } = blamePeer(
        'bad-registration',
        request,
        REQUEST_BYTES,
        (registrationRequest) =>
          server.createRegistrationResponse({
            serverSetup: setup,
            userIdentifier: credential,
            registrationRequest,
          }),
      );
      return bytesOf(registrationResponse);
    },

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

    startRegistration(answer) {
      const { clientRegistrationState, registrationRequest } = client.startRegistration({ password: answer });
      return { state: clientRegistrationState, request: bytesOf(registrationRequest) };
    },

    finishRegistration({ state, response, answer, identifiers }) {
      const { registrationRecord } = blamePeer(
        'bad-registration',
        response,
        RESPONSE_BYTES,
        (registrationResponse) =>
          client.finishRegistration({
            clientRegistrationState: state,
            registrationResponse,
            password: answer,
            identifiers,
            keyStretching: KEY_STRETCHING,
          }),
      );
      return bytesOf(registrationRecord);
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
  const client = await loadAnswerClient();
  const { host, setup, credential, answer, identifiers } = input;
  const { state, request } = client.startRegistration(answer);
  const response = host.register({ setup, credential, request });
  return toBase64url(client.finishRegistration({ state, response, answer, identifiers }));
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

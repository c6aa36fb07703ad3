/**
 * OPAQUE with the least key stretching there is, for both ends of a bench room. The host's work is the same whatever the
 * joiner's is, which would be a sixth of a second each.
 */
import { client, ready } from '@serenity-kit/opaque';
import { type AnswerIdentifiers, loadAnswerHost } from '../../../src/crypto/answer.ts';
import { type Bytes, fromBase64url, toBase64url } from '../../../src/protocol/bytes.ts';

export const ANSWER = 'in the library';
const LEAST_STRETCHING = { 'argon2id-custom': { memory: 8, iterations: 1, parallelism: 1 } };

/** The host's half of the name is the product's own code. */
export async function registerLightly(job: {
  readonly setup: string;
  readonly credential: string;
  readonly answer: string;
  readonly identifiers: AnswerIdentifiers;
}): Promise<string> {
  await ready;
  const host = await loadAnswerHost();
  const { setup, credential, answer, identifiers } = job;
  const { clientRegistrationState, registrationRequest } = client.startRegistration({ password: answer });
  const { registrationRecord } = client.finishRegistration({
    clientRegistrationState,
    registrationResponse: toBase64url(
      host.register({ setup, credential, request: bytesOf(registrationRequest) }),
    ),
    password: answer,
    identifiers,
    keyStretching: LEAST_STRETCHING,
  });
  return registrationRecord;
}

export function startLightly(answer: string): { readonly state: string; readonly ke1: Bytes } {
  const { clientLoginState, startLoginRequest } = client.startLogin({ password: answer });
  return { state: clientLoginState, ke1: bytesOf(startLoginRequest) };
}

export function finishLightly(run: {
  readonly state: string;
  readonly ke2: Bytes;
  readonly answer: string;
  readonly identifiers: AnswerIdentifiers;
}): { readonly sessionKey: Bytes; readonly ke3: Bytes } | null {
  const result = client.finishLogin({
    clientLoginState: run.state,
    loginResponse: toBase64url(run.ke2),
    password: run.answer,
    identifiers: run.identifiers,
    keyStretching: LEAST_STRETCHING,
  });
  if (result === undefined) return null;
  return { sessionKey: bytesOf(result.sessionKey), ke3: bytesOf(result.finishLoginRequest) };
}

/** To be awaited once before the first run. */
export const answersReady = ready;

function bytesOf(text: string): Bytes {
  const bytes = fromBase64url(text);
  if (bytes === null) throw new Error('the OPAQUE library gave text that is not base64url');
  return bytes;
}

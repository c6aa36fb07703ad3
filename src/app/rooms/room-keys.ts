/** The keys of a room's door: made with the room, and as lasting as it is. */
import { answerIdentifiers, loadAnswerHost } from '../../crypto/answer.ts';
import { makeCertificate } from '../../crypto/certificate.ts';
import { generateSigningKey, type SigningKey } from '../../crypto/signature.ts';
import { type Hash, type RoomId, roomId } from '../../protocol/identifiers.ts';
import type { AnswerThread } from '../answer-thread.ts';
import { systemMoment } from '../moment.ts';

export interface RoomKeys {
  readonly roomId: RoomId;
  readonly ownerKey: SigningKey;
  readonly keyPem: string;
  readonly certPem: string;
  /** What invitations pin. */
  readonly tlsPin: Hash;
  /** OPAQUE: the host's keys, and the record of the answer. */
  readonly setup: string;
  readonly record: string;
}

/** Of the security question's answer. */
export const ANSWER_CREDENTIAL = 'answer';

/** @param answer normalised; registered and forgotten */
export async function makeRoomKeys(answer: string, answers: AnswerThread): Promise<RoomKeys> {
  const moment = systemMoment();
  const id = roomId(moment.randomBytes(16));
  const [ownerKey, certificate, answerHost] = await Promise.all([
    generateSigningKey('rsa'),
    makeCertificate({ nowMs: moment.nowMs, serial: moment.randomBytes(16) }),
    loadAnswerHost(),
  ]);
  const { keyPem, certPem, pin: tlsPin } = certificate;
  const keys = { roomId: id, ownerKey, keyPem, certPem, tlsPin, setup: answerHost.createSetup() };
  return { ...keys, record: await registerAnswer(answer, keys, answers) };
}

/** @param answer normalised @returns the record that proves it from now on */
export async function registerAnswer(
  answer: string,
  { roomId: id, tlsPin, setup }: Pick<RoomKeys, 'roomId' | 'tlsPin' | 'setup'>,
  answers: AnswerThread,
): Promise<string> {
  const identifiers = answerIdentifiers(id, tlsPin);
  const job = { op: 'register', setup, credential: ANSWER_CREDENTIAL, answer, identifiers } as const;
  return (await answers.run(job)).record;
}

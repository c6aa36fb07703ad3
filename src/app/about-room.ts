/** What a guest reads of a room before answering its question: whose it is, who reads what is said, what is kept. */
import type { Question } from '../protocol/admission-frames.ts';
import { formatFingerprint } from '../protocol/fingerprint.ts';
import type { Hash } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';

const KEEPS: Readonly<Record<Question['keeps'], string>> = {
  nothing: 'keeps nothing on disk',
  ciphertext: 'keeps only ciphertext on disk, for absent members',
};

/**
 * @param ownerFingerprint from the invitation: the host has proved nothing yet
 * @returns short lines, one fact each
 */
export function aboutRoom(
  question: Pick<Question, 'roomName' | 'keeps'>,
  ownerFingerprint: Hash,
): readonly string[] {
  return [
    `Room: ${question.roomName}`,
    `Its owner's key: ${formatFingerprint(ownerFingerprint)}`,
    'Its members read what is said, and the host if they take part.',
    `The machine that relays cannot, and ${KEEPS[question.keeps]}.`,
    `Next: the answer, your nickname, the code. You have ${LIMITS.candidateMs / 60_000} minutes.`,
  ];
}

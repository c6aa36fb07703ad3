/** What a guest reads of a room before answering its question: whose it is, who reads what is said, what is kept. */
import type { Question } from '../protocol/admission-frames.ts';
import { formatFingerprint } from '../protocol/fingerprint.ts';
import type { Hash } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import type { Policy } from '../protocol/room-settings.ts';
import { policyLines } from '../terminal/view/policy-lines.ts';

const KEEPS: Readonly<Record<Question['keeps'], string>> = {
  nothing: 'keeps nothing on disk',
  ciphertext: 'keeps only ciphertext on disk, for absent members',
};

/**
 * @param ownerFingerprint from the invitation: the host has proved nothing yet
 * @returns short lines, one fact each
 */
export function aboutRoom(
  question: Pick<Question, 'roomName' | 'keeps'> & Policy,
  ownerFingerprint: Hash,
): readonly string[] {
  return [
    `Room: ${question.roomName}`,
    `Its owner's key: ${formatFingerprint(ownerFingerprint)}`,
    'Its members read what is said, and the host if they take part.',
    `The machine that relays cannot, and ${KEEPS[question.keeps]}.`,
    ...policyLines(question),
    `Next: the answer, your nickname, the code. You have ${LIMITS.candidateMs / 60_000} minutes.`,
  ];
}

/**
 * What was shown at the door against what the owner has signed by the time one is in: it may have been changed meanwhile,
 * which a newcomer cannot see, or the host may have said there what suited it.
 * @returns `null` where it is the same
 */
export function policyDiffers(shown: Policy, signed: Policy): string | null {
  const [before, now] = [policyLines(shown), policyLines(signed)];
  const different = now.flatMap((line, part) =>
    line === before[part] ? [] : [`At the door: ${before[part]} Signed by the owner: ${line}`],
  );
  if (different.length === 0) return null;
  return `${different.join(' ')} What is signed holds. If the host changed this while you came in, all is well: ask. If not, the host told you what is not so.`;
}

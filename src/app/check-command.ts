/** `securechat check`: whether a file proves what one member said, without the room and without a line to anywhere. */
import { isMadeConversation } from '../crypto/conversation-roster.ts';
import { checkProof, type Proved } from '../crypto/proof.ts';
import { type Bytes, bytesEqual, toBase64url } from '../protocol/bytes.ts';
import { InputError, SecurityError } from '../protocol/errors.ts';
import { type ConversationId, type Hash, ROOM_CONVERSATION } from '../protocol/identifiers.ts';
import type { ProofEvent, ProvedEvent } from '../terminal/json-lines.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { finish, outcomeOfError } from './finish.ts';
import { openFront } from './front/open-front.ts';
import type { CheckOptions } from './options.ts';
import { readProof } from './proof-file.ts';

/** @returns the exit code; everything there is to say about it has been said. */
export async function runCheck(options: CheckOptions): Promise<ExitCode> {
  const display = options.display === 'json' ? 'json' : 'plain';
  const front = openFront({ ...options, display });
  try {
    const event = await proofVerdict(options);
    front.emit(event);
    const exitCode = event.proved ? EXIT.done : EXIT.security;
    return finish(front, display, { exitCode, problem: null });
  } catch (error) {
    return finish(front, display, outcomeOfError(error));
  }
}

/** @throws InputError for what is no proof */
export async function proofVerdict({
  file,
  owner,
  signer,
}: Pick<CheckOptions, 'file' | 'owner' | 'signer'>): Promise<ProofEvent> {
  try {
    const proved = checkProof(await readProof(file));
    checkKnown('other-owner', owner, proved.ownerFingerprint);
    checkKnown('other-signer', signer, proved.signer.identity);
    const compared = [...(owner === null ? [] : ['owner']), ...(signer === null ? [] : ['signer'])];
    return { type: 'proof', file, proved: true, ...factsOf(proved), compared };
  } catch (error) {
    if (error instanceof SecurityError)
      return { type: 'proof', file, proved: false, check: error.code, reason: error.message };
    if (error instanceof InputError && error.code !== 'file')
      throw new InputError(error.code, `${file} ${error.message}.`);
    throw error;
  }
}

const OTHER = {
  'other-owner': 'the member list is signed by another owner than the one you gave with --owner',
  'other-signer': 'the message is signed by another key than the one you gave with --signer',
} as const;

/** @param known as much of it as was given */
function checkKnown(code: keyof typeof OTHER, known: Bytes | null, found: Hash): void {
  if (known !== null && !bytesEqual(known, found.subarray(0, known.length)))
    throw new SecurityError(code, OTHER[code]);
}

function factsOf(proved: Proved) {
  const { content, signer } = proved;
  return {
    room: { id: toBase64url(proved.roomId), name: proved.roomName },
    ownerFingerprint: toBase64url(proved.ownerFingerprint),
    epoch: proved.epoch,
    members: proved.memberCount,
    from: {
      id: toBase64url(signer.memberId),
      nick: signer.nick,
      fingerprint: toBase64url(signer.identity),
      role: signer.role,
      algorithm: signer.algorithm,
      bits: proved.signerBits,
    },
    conversation: toBase64url(proved.conversation),
    where: whereIs(proved.conversation),
    id: proved.messageId,
    kind: content.kind,
    ...(content.reference.length > 0 && { about: toBase64url(content.reference) }),
    text: content.text,
  };
}

/** Its id alone tells: nothing else in a proof is about a conversation. */
function whereIs(conversation: ConversationId): ProvedEvent['where'] {
  if (bytesEqual(conversation, ROOM_CONVERSATION)) return 'room';
  return isMadeConversation(conversation) ? 'group' : 'direct';
}

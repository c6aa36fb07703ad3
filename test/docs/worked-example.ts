/**
 * The worked example of docs/protocol.md, computed by the code: one value a line, in the order in which they depend on
 * each other. All inputs are fixed; runs of bytes that count up stand for what is random in earnest.
 */

import { sealBox } from '../../src/crypto/box.ts';
import { EVEN_WORDS, ODD_WORDS } from '../../src/crypto/check-words.ts';
import { ChunkSealer } from '../../src/crypto/chunked.ts';
import { contentCommitment, encodeContent } from '../../src/crypto/content.ts';
import { DSA_GROUP } from '../../src/crypto/dsa-group.ts';
import { sealEnvelope } from '../../src/crypto/envelope.ts';
import { fileContext } from '../../src/crypto/file-context.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { helloProof } from '../../src/crypto/hello-proof.ts';
import { readInvitation } from '../../src/crypto/invitation.ts';
import { chainStart, leafHash, nextHead, startHead } from '../../src/crypto/log-hash.ts';
import { roomCheck } from '../../src/crypto/room-check.ts';
import { operationHash, Roster } from '../../src/crypto/roster.ts';
import { chainCommitment, SendingChain } from '../../src/crypto/sender-chain.ts';
import { importVerifyKey, ownerFingerprint } from '../../src/crypto/signature.ts';
import { Transcript } from '../../src/crypto/transcript.ts';
import { verificationDigits } from '../../src/crypto/verification.ts';
import { ADMISSION_FRAME, Hello, HelloFields, Question } from '../../src/protocol/admission-frames.ts';
import { type Bytes, concatBytes, toHex, utf8 } from '../../src/protocol/bytes.ts';
import { said } from '../../src/protocol/content.ts';
import { encodeManifest } from '../../src/protocol/file-manifest.ts';
import { FileOffer } from '../../src/protocol/file-offer.ts';
import { CHUNK_BYTES } from '../../src/protocol/file-stream.ts';
import { encodeFrame } from '../../src/protocol/framing.ts';
import { chainId, hash, ROOM_CONVERSATION, ZERO_HASH } from '../../src/protocol/identifiers.ts';
import { PLAIN_ROOM, policyOf } from '../../src/protocol/room-settings.ts';
import { SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import { MessageHeader, RosterEntry, RosterOperation } from '../../src/protocol/signed-objects.ts';

/** Minted once, with addresses of the documentation ranges. It is of no room. */
const INVITATION =
  'sc1.UFFSU1RVVldYWVpbXF1eX2BhYmNkZWZnaGlqa2xtbm8.gAAAAABrAIciPe03-EG_TPTkjcJVBfupx2iUiouDmr9Xx55K4iwrnjhD7yHea' +
  'LrUaylRzPX9cf7FqknjUrkA_3Q0D3X5EaerGKpdnrN9nM_RRHjalre4N9e_9wyqnBPRl0yGLS0mPkm-ZIlUUOgUVBT2JA3mmkzOrgG8RsXVyqx-y' +
  'apN6iNRtSV5Oearxj0k0yo4KBKm8x3lWKOEP3UFs2KW6bgaYjGQFm8wwEcZ-hb5Ef9l8EvTOZM.2tZekA';

const PLACED_AT_MS = 1_800_000_000_000;

/** `count` bytes that count up from `first`. */
function run(first: number, count: number): Bytes {
  return Uint8Array.from({ length: count }, (_, place) => first + place);
}

/** A group element that everyone has at hand: the key whose private half is 1. */
const IDENTITY_KEY = DSA_GROUP.g;

/** @returns the values by name: hexadecimal, but for the invitation and the digits, which are text. */
export async function workedExample(): Promise<ReadonlyMap<string, string>> {
  const values = new Map<string, string>();
  const note = (name: string, value: Bytes): void => {
    values.set(name, toHex(value));
  };
  values.set('invitation', INVITATION);
  const { invitation, admissionKey } = await readInvitation(INVITATION);
  const { roomId, invitationId } = invitation;
  note('admission key', admissionKey);
  note('ping frame', encodeFrame(SESSION_FRAME.ping, new Uint8Array()));

  const binding = run(0xa0, 32);
  const fields = {
    version: 1,
    suite: 1,
    features: [],
    mode: 'join' as const,
    roomId,
    subject: invitationId,
    nonce: run(0xc0, 32),
  };
  const proof = helloProof(admissionKey, binding, HelloFields.encode(fields));
  note('hello proof', proof);
  const hello = encodeFrame(ADMISSION_FRAME.hello, Hello.encode({ ...fields, proof }));
  note('hello frame', hello);
  const question = encodeFrame(
    ADMISSION_FRAME.question,
    Question.encode({
      nonce: run(0xe0, 32),
      roomName: 'Küche',
      question: 'Where did we meet?',
      keeps: 'nothing',
      triesLeft: 5,
      ...policyOf(PLAIN_ROOM),
    }),
  );
  note('question frame', question);

  const transcript = new Transcript(binding);
  transcript.add(hello);
  transcript.add(question);
  note('transcript', transcript.value());
  const box = {
    secret: run(0, 64),
    transcript: transcript.value(),
    frameType: ADMISSION_FRAME.join,
    direction: 'to-host' as const,
  };
  note('box', sealBox(box, utf8.encode('not a real JOIN')));

  const identity = importVerifyKey(IDENTITY_KEY, 'dsa');
  note('identity', identity.idFingerprint);
  note('owner fingerprint', ownerFingerprint(IDENTITY_KEY));
  values.set('digits', verificationDigits(identity.idFingerprint, hash(run(0xb0, 32))).join(''));
  const entry = {
    identity: identity.idFingerprint,
    nick: 'ann',
    role: 'member' as const,
    algorithm: 'dsa' as const,
    muted: false,
  };
  note('roster entry', RosterEntry.encode(entry));
  const operation = new Roster(roomId).prepare({
    puts: [entry],
    removes: [],
    atMs: PLACED_AT_MS,
    roomName: 'Küche',
    settings: PLAIN_ROOM,
    causes: [],
  });
  note('list hash', RosterOperation.decode(operation).listHash);
  note('roster operation', operation);
  note('operation hash', operationHash(operation));
  note('check words', sha256(utf8.encode([...EVEN_WORDS, ...ODD_WORDS].map((word) => `${word}\n`).join(''))));
  const check = roomCheck(ownerFingerprint(IDENTITY_KEY), operationHash(operation));
  values.set('room check', check.words.join(' '));
  values.set('room check digits', check.digits.join(''));

  const chain = chainId(run(0x70, 8));
  const start = chainStart(identity.memberId, chain);
  note('chain start', start);
  const sending = SendingChain.start(run(0x80, 32));
  const { key, nonce, commitment } = sending.next();
  note('commitment', commitment);
  note('message key', key);
  note('message nonce', nonce);
  const { chainKey } = sending.current();
  note('next chain key', chainKey);
  note('next commitment', chainCommitment(chainKey));

  const before = startHead(roomId, ROOM_CONVERSATION);
  note('head 0', before);
  const operationLeaf = leafHash({
    header: operation,
    ciphertext: new Uint8Array(),
    signature: run(0, 64),
  });
  note('leaf 1', operationLeaf);
  const head = nextHead(before, { index: 1, kind: 'roster', placedAtMs: PLACED_AT_MS, leaf: operationLeaf });
  note('head 1', head);
  const body = encodeContent(said('text', 'hello'), run(0x90, 16));
  note('content', body);
  note('content commitment', contentCommitment(body));
  const header = MessageHeader.encode({
    version: 1,
    roomId,
    conversation: ROOM_CONVERSATION,
    epoch: 1,
    rosterHash: operationHash(operation),
    conversationEpoch: 0,
    conversationRosterHash: ZERO_HASH,
    memberId: identity.memberId,
    generation: 1,
    chainId: chain,
    n: 0,
    commitment,
    content: contentCommitment(body),
    previous: start,
    seenIndex: 1,
    seenHead: head,
  });
  note('message header', header);
  const ciphertext = sealEnvelope({ key, nonce, header, body });
  note('ciphertext', ciphertext);
  note('signed by sc1/msg', new Uint8Array([...sha256(header), ...sha256(ciphertext)]));
  const leaf = leafHash({ header, ciphertext, signature: run(0, 64) });
  note('leaf 2', leaf);
  note('head 2', nextHead(head, { index: 2, kind: 'message', placedAtMs: PLACED_AT_MS + 1, leaf }));

  const end = utf8.encode('hello');
  const file = concatBytes(new Uint8Array(CHUNK_BYTES), end);
  const fileId = run(0xb0, 16);
  const fileKey = run(0x60, 32);
  const offer = { fileId, key: fileKey, hash: sha256(file), bytes: file.length, manifestBytes: 0, files: 0 };
  note('file offer', FileOffer.encode(offer));
  const context = fileContext(roomId, fileId);
  const sealer = new ChunkSealer({ key: fileKey, context, salt: run(0, 24), fromChunk: 1 });
  note('file pass', concatBytes(sealer.header, ...sealer.last(end)));
  const listed = { path: 'a/hello.txt', bytes: end.length, hash: sha256(end), executable: false };
  note('manifest', encodeManifest([listed]));
  return values;
}

/** The chain of a member that is not listened to: who gets its key gets bytes of the right size, and texts are sealed beforehand. */
import { systemMoment } from '../../../src/app/moment.ts';
import { contentCommitment } from '../../../src/crypto/content.ts';
import { sealEnvelope } from '../../../src/crypto/envelope.ts';
import { sha256 } from '../../../src/crypto/hash.ts';
import { chainStart, leafHash } from '../../../src/crypto/log-hash.ts';
import { SendingChain } from '../../../src/crypto/sender-chain.ts';
import type { SigningKey } from '../../../src/crypto/signature.ts';
import { type Bytes, utf8 } from '../../../src/protocol/bytes.ts';
import { encodeFrame } from '../../../src/protocol/framing.ts';
import {
  type ChainId,
  type Hash,
  hash,
  memberId,
  newChainId,
  ROOM_CONVERSATION,
  type RoomId,
  ZERO_HASH,
} from '../../../src/protocol/identifiers.ts';
import { Post, SESSION_FRAME, WRAPS_PAGE, Wraps } from '../../../src/protocol/session-frames.ts';
import { ChainAnnouncement, MessageHeader } from '../../../src/protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../../../src/protocol/version.ts';
import type { Position } from '../host-process.ts';

/** As in the measurements of docs/performance.md: a message of 200 bytes. */
const TEXT = utf8.encode('x'.repeat(200));
/** Of everyone here: the bench is over before anybody's wrap keys are. */
const GENERATION = 1;
/** What a wrap for RSA keys of 3072 bits has. */
const RSA_BYTES = 384;
const KEM_BYTES = 1_088;
const SEALED_BYTES = 48;

export class LightChain {
  readonly #identity: SigningKey;
  readonly #roomId: RoomId;
  readonly #sending: SendingChain;
  readonly #id: ChainId;
  #latestLeaf: Hash;
  /** What stands in front of the chain's name: greater than that of the member's chain before. */
  readonly sequence: number;

  constructor(start: { readonly identity: SigningKey; readonly roomId: RoomId; readonly sequence: number }) {
    const { randomBytes } = systemMoment();
    this.#identity = start.identity;
    this.#roomId = start.roomId;
    this.sequence = start.sequence;
    this.#id = newChainId(start.sequence, randomBytes(4));
    this.#sending = SendingChain.start(randomBytes(32));
    this.#latestLeaf = chainStart(start.identity.memberId, this.#id);
  }

  /**
   * @param members whose ids these are get a wrap each, which nobody can open
   * @returns WRAPS frames, one at least, for the list as of `seen`
   */
  announcement(seen: Position, members: readonly Uint8Array[]): Bytes[] {
    const { memberId: own, algorithm, spki } = this.#identity;
    const bytes = ChainAnnouncement.encode({
      version: PROTOCOL_VERSION,
      roomId: this.#roomId,
      conversation: ROOM_CONVERSATION,
      epoch: seen.epoch,
      rosterHash: hash(seen.operation),
      memberId: own,
      chainId: this.#id,
      n: 0,
      commitment: this.#sending.current().commitment,
      algorithm,
      identityKey: spki,
    });
    const announcement = { bytes, signature: this.#identity.sign('sc1/chain', bytes) };
    const { randomBytes } = systemMoment();
    const wraps = members.map((member) => ({
      memberId: memberId(member),
      generation: GENERATION,
      rsaCiphertext: randomBytes(RSA_BYTES),
      kemCiphertext: randomBytes(KEM_BYTES),
      sealed: randomBytes(SEALED_BYTES),
    }));
    const pages = Math.max(1, Math.ceil(wraps.length / WRAPS_PAGE));
    return Array.from({ length: pages }, (_, page) => {
      const some = wraps.slice(page * WRAPS_PAGE, (page + 1) * WRAPS_PAGE);
      return encodeFrame(SESSION_FRAME.wraps, Wraps.encode({ announcement, wraps: some }));
    });
  }

  /** @returns a whole POST frame, the next on the chain, that quotes `seen` of the list and of the log */
  seal(seen: Position): { readonly number: number; readonly frame: Bytes } {
    const { n, key, nonce, commitment } = this.#sending.next();
    const header = MessageHeader.encode({
      version: PROTOCOL_VERSION,
      roomId: this.#roomId,
      conversation: ROOM_CONVERSATION,
      epoch: seen.epoch,
      rosterHash: hash(seen.operation),
      conversationEpoch: 0,
      conversationRosterHash: ZERO_HASH,
      memberId: this.#identity.memberId,
      generation: GENERATION,
      chainId: this.#id,
      n,
      commitment,
      content: contentCommitment(TEXT),
      previous: this.#latestLeaf,
      seenIndex: seen.index,
      seenHead: hash(seen.head),
    });
    const ciphertext = sealEnvelope({ key, nonce, header, body: TEXT });
    const signature = this.#identity.sign('sc1/msg', [sha256(header), sha256(ciphertext)]);
    const post = { header, ciphertext, signature };
    this.#latestLeaf = leafHash(post);
    return { number: n, frame: encodeFrame(SESSION_FRAME.post, Post.encode(post)) };
  }
}

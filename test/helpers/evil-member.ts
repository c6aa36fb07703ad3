/** A member whose program does as it likes: it seals and signs with the member's real keys whatever it wants to say. */
import { contentCommitment, encodeContent } from '../../src/crypto/content.ts';
import { sealEnvelope } from '../../src/crypto/envelope.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { leafHash } from '../../src/crypto/log-hash.ts';
import { SendingChain } from '../../src/crypto/sender-chain.ts';
import { type Bytes, bytesEqual } from '../../src/protocol/bytes.ts';
import type { Content } from '../../src/protocol/content.ts';
import { encodeFrame } from '../../src/protocol/framing.ts';
import type { Hash } from '../../src/protocol/identifiers.ts';
import { Post, SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import { MessageHeader } from '../../src/protocol/signed-objects.ts';
import type { TestMember } from './member.ts';
import { postsOf, unwrap, wrapsOf } from './thief.ts';

export class EvilMember {
  readonly member: TestMember;
  readonly #chain: SendingChain;
  #last: MessageHeader;
  #lastLeaf: Hash;

  /**
   * Takes over the chain of a member who has said something in it.
   * @param confidant whoever that chain's key was wrapped to: it is read from their wrap
   */
  constructor(member: TestMember, confidant: TestMember) {
    const { pair, statementHash } = confidant.wrapKeys.current;
    const { memberId } = confidant.identity;
    const post = postsOf([member]).at(-1);
    const recorded = wrapsOf([member]).findLast(({ wrap }) => bytesEqual(wrap.memberId, memberId));
    const chainKey = recorded && unwrap(recorded, [{ pair, memberId, statementHash }]);
    if (post === undefined || recorded === undefined || !chainKey) throw new Error('nothing to go on from');
    this.member = member;
    this.#last = MessageHeader.decode(post.header);
    this.#lastLeaf = leafHash(post);
    this.#chain = SendingChain.start(chainKey, recorded.announcement.n);
    while (this.#chain.n <= this.#last.n) this.#chain.next();
  }

  /** Seals and posts the next message of the chain, past the member's own honest machine. */
  post(content: Content | Bytes, changes: Partial<MessageHeader> = {}): void {
    const { key, nonce, n, commitment } = this.#chain.next();
    const body =
      content instanceof Uint8Array
        ? content
        : encodeContent(content, this.member.room.clock.randomBytes(16));
    const committed = contentCommitment(body);
    this.#last = { ...this.#last, n, commitment, content: committed, previous: this.#lastLeaf };
    const header = MessageHeader.encode({ ...this.#last, ...changes });
    const ciphertext = sealEnvelope({ key, nonce, header, body });
    const signature = this.member.identity.sign('sc1/msg', [sha256(header), sha256(ciphertext)]);
    this.#lastLeaf = leafHash({ header, ciphertext, signature });
    this.member.send(encodeFrame(SESSION_FRAME.post, Post.encode({ header, ciphertext, signature })));
  }
}

/**
 * What this member could show others of what was said: of the latest messages shown, what their senders signed, and the
 * member lists that they quote, as the owner signed them. There is no key in it, and it ends with the program.
 * @see docs/protocol.md#proofs
 */
import { sha256 } from '../crypto/hash.ts';
import type { EntryBytes } from '../crypto/log-hash.ts';
import type { Roster, RosterMember } from '../crypto/roster.ts';
import type { VerifyKey } from '../crypto/signature.ts';
import type { Bytes } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { messageId, type ReadContent } from '../protocol/content.ts';
import { InputError } from '../protocol/errors.ts';
import { type Hash, type IdKey, idKey } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import { PROOF_VERSION, type Proof } from '../protocol/proof.ts';
import { MessageHeader } from '../protocol/signed-objects.ts';

/** Lists that no message here quotes: those under way may, and there are at most four a second. */
const UNQUOTED_LISTS = 32;

/** As much of an id as a person may type: fewer would often name several. */
const ID_CHARACTERS_LEAST = 4;

/** Nothing that a person says, and there are many of them. */
const UNSAID: ReadonlySet<ReadContent['kind']> = new Set(['read', 'about', 'unknown']);

interface KeptMessage
  extends Pick<Proof, 'header' | 'ciphertextHash' | 'signature' | 'content' | 'algorithm' | 'identityKey'> {
  readonly list: IdKey;
  readonly atMs: number;
}

interface KeptList {
  readonly operation: Signed;
  /** Never changes; the next one shares its entries. */
  readonly members: readonly RosterMember[];
}

/** What opened: as the header commits to it, and whose it is. */
export interface Opening {
  readonly content: ReadContent;
  readonly body: Bytes;
  readonly signer: Pick<VerifyKey, 'algorithm' | 'spki'>;
}

export class EvidenceBook {
  readonly #messages = new Map<string, KeptMessage>();
  /** By the hash of the operation, oldest first. */
  readonly #lists = new Map<IdKey, KeptList>();
  #latest: Hash | null = null;

  /** Before each entry of the log: what comes next may quote this list. */
  follow({ hash, operation, members }: Pick<Roster, 'hash' | 'operation' | 'members'>): void {
    if (hash === this.#latest || operation === null) return;
    this.#latest = hash;
    this.#lists.set(idKey(hash), { operation, members });
    this.#prune();
  }

  /** A message is shown. One whose list is not held any more cannot be proved. */
  keep(leaf: Hash, entry: EntryBytes, { content, body, signer }: Opening, atMs: number): void {
    const list = idKey(MessageHeader.decode(entry.header).rosterHash);
    if (!this.#lists.has(list) || UNSAID.has(content.kind)) return;
    this.#messages.set(messageId(leaf), {
      // Frames are views of a read buffer.
      header: entry.header.slice(),
      ciphertextHash: sha256(entry.ciphertext),
      signature: entry.signature.slice(),
      content: body,
      algorithm: signer.algorithm,
      identityKey: signer.spki,
      ...{ list, atMs },
    });
    const [oldest] = this.#messages.keys();
    if (this.#messages.size > LIMITS.provableMessages && oldest !== undefined) this.#messages.delete(oldest);
  }

  /**
   * @param id of the message, or the first characters of it
   * @throws InputError `no-such-message`, or `usage` when it names several
   */
  proof(id: string, ownerKey: Bytes): { readonly id: string; readonly proof: Proof } {
    const found = this.#messages.has(id) ? [id] : this.#beginningWith(id);
    const [full = id] = found;
    const message = this.#messages.get(full);
    const list = message === undefined ? undefined : this.#lists.get(message.list);
    if (found.length > 1)
      throw new InputError('usage', `Several messages begin with ${id}: write more of it.`);
    if (message === undefined || list === undefined)
      throw new InputError(
        'no-such-message',
        `There is no message ${id} among the latest ${LIMITS.provableMessages} shown here. /clear and a new start forget them.`,
      );
    const { list: _list, atMs: _atMs, ...said } = message;
    const members = [...list.members];
    return {
      id: full,
      proof: { version: PROOF_VERSION, ...said, ownerKey, operation: list.operation, members },
    };
  }

  /** What was said before then has disappeared, here as well. */
  expire(beforeMs: number): void {
    for (const [id, { atMs }] of this.#messages) if (atMs < beforeMs) this.#messages.delete(id);
  }

  /** The screen is cleared: nothing of what was on it stays here. */
  forget(): void {
    this.#messages.clear();
  }

  #beginningWith(id: string): readonly string[] {
    if (id.length < ID_CHARACTERS_LEAST)
      throw new InputError('usage', `Write at least ${ID_CHARACTERS_LEAST} characters of the message's id.`);
    return [...this.#messages.keys()].filter((each) => each.startsWith(id));
  }

  #prune(): void {
    const quoted = new Set([...this.#messages.values()].map(({ list }) => list));
    const unquoted = [...this.#lists.keys()].filter((list) => !quoted.has(list));
    for (const list of unquoted.slice(0, -UNQUOTED_LISTS)) this.#lists.delete(list);
    for (const list of this.#lists.keys()) {
      if (this.#lists.size <= LIMITS.provableLists) break;
      this.#lists.delete(list);
      for (const [id, message] of this.#messages) if (message.list === list) this.#messages.delete(id);
    }
  }
}

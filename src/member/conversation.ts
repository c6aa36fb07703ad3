/**
 * One conversation as this member follows it, the room itself or one beside it: its log, the others' chains in it, and
 * what is said in it. All of them are the same engine; they differ in who reads them.
 */
import type { SigningKey, VerifyKey } from '../crypto/signature.ts';
import type { ReadContent } from '../protocol/content.ts';
import { type ConversationId, type Hash, type IdKey, idKey, type RoomId } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import { Ack, PullLog, SESSION_FRAME } from '../protocol/session-frames.ts';
import type { Alarms } from './alarms.ts';
import type { Ledger } from './circle.ts';
import { type SessionEffect, send } from './events.ts';
import type { EvidenceBook } from './evidence-book.ts';
import { Hearing } from './hearing.ts';
import { KeyExchange } from './key-exchange.ts';
import type { KeyPulls } from './key-pulls.ts';
import type { KnownKeys } from './known-keys.ts';
import type { Said } from './outbox.ts';
import { Outgoing } from './outgoing.ts';
import { Reading } from './reading.ts';
import type { Own } from './receipts.ts';
import type { SavedState } from './saved-state.ts';
import { Speaking } from './speaking.ts';
import { Timeline } from './timeline.ts';
import type { Trust } from './trust.ts';
import type { OwnWrapKeys } from './wrap-keys.ts';

/** What all conversations of a member have in common. */
export interface Shared {
  readonly roomId: RoomId;
  readonly identity: SigningKey;
  readonly self: IdKey;
  readonly ownKey: VerifyKey;
  readonly wrapKeys: OwnWrapKeys;
  readonly alarms: Alarms;
  readonly trust: Trust;
  readonly keys: KnownKeys;
  readonly pulls: KeyPulls<Conversation>;
  /** What can be proved of what was shown, in whatever conversation. */
  readonly evidence: EvidenceBook;
  /** Others may be told what this member has read. */
  readonly tellsRead: boolean;
  /** When this run last had all there was, by its own clock; `null`: not known. */
  readonly hadAllAtMs: () => number | null;
}

/** What is kept of it beyond the life of a program. */
export type SavedConversation = Pick<SavedState, 'log' | 'lastPlaced' | 'voices' | 'sequence'>;

export interface ConversationStart {
  readonly id: ConversationId;
  readonly ledger: Ledger;
  /** What an earlier run has kept of it; `null` where this one goes on with none. */
  readonly saved: SavedConversation | null;
  /** A message of one's own stands in the log. */
  readonly ownPlaced: (own: Own) => SessionEffect[];
  /** Somebody tells what it is about, under the list that their message quotes. */
  readonly about: (content: ReadContent, quotedEpoch: number) => SessionEffect[];
}

export class Conversation {
  readonly id: ConversationId;
  readonly key: IdKey;
  readonly ledger: Ledger;
  readonly hearing: Hearing;
  readonly speaking: Speaking;
  readonly timeline: Timeline;
  readonly exchange: KeyExchange;
  readonly outgoing: Outgoing;
  readonly reading: Reading;
  /** What the host has been told that this member has for good. */
  acknowledged = 0;
  /** The log is this member's for good up to here, and the host may be told of it. */
  savedIndex = 0;
  /** Counts records of the log: one that begins anew, or goes back, is another. */
  record = 0;
  #lastAckMs = 0;

  constructor(shared: Shared, { id, ledger, saved, ownPlaced, about }: ConversationStart) {
    const { roomId, identity, self, ownKey, wrapKeys, alarms, trust, keys, pulls, evidence, hadAllAtMs } =
      shared;
    const at = { roomId, conversation: id };
    this.id = id;
    this.key = idKey(id);
    this.ledger = ledger;
    this.hearing = new Hearing(at, identity.memberId, keys);
    // Beside the room an earlier run may have spoken of which nothing was kept.
    const earlier = saved?.sequence ?? (ledger.isBeside ? 0 : null);
    this.speaking = new Speaking({ ...at, identity, keys, earlier });
    this.exchange = new KeyExchange({
      ...{ ...at, identity, wrapKeys, alarms },
      hearing: this.hearing,
      speaking: this.speaking,
      pulled: () => pulls.asked(this, 'timeline'),
    });
    const placed = (leaf: Hash): Said | null => {
      const sealed = this.speaking.placed(leaf);
      if (sealed === null) return null;
      const { said, body } = sealed;
      evidence.follow(ledger.room);
      evidence.keep(leaf, sealed, { content: said.content, body, signer: identity }, said.saidAtMs);
      return said;
    };
    this.timeline = new Timeline({
      ...{ ...at, ledger, self, ownKey, alarms, evidence },
      hearing: this.hearing,
      placed,
      isOfEarlierRun: (chain) => this.speaking.isOfEarlierRun(chain),
      // Senders whose record went further have dropped theirs too: nobody goes on with keys of before.
      eraBegan: () => this.speaking.dropChain(),
      ownPlaced,
      about,
      hadAllAtMs,
      quoted: (member, { generation, epoch }) => keys.quoted(member, generation, epoch),
      keyMissing: (header, moment) => this.exchange.keyMissing(header, moment),
      identityWanted: (sender) => this.exchange.pullIdentity(sender),
    });
    this.outgoing = new Outgoing({
      ...{ self, wrapKeys, alarms, trust, ledger },
      speaking: this.speaking,
      timeline: this.timeline,
      placed,
      pulled: () => pulls.asked(this, 'speaking'),
    });
    this.reading = new Reading(shared.tellsRead);
    if (saved === null) return;
    this.timeline.restore(saved);
    this.hearing.restore(saved.voices);
    this.savedIndex = saved.log.index;
  }

  /** @returns `null` while there is no record to go on with. Secrets are among it. */
  save(): SavedConversation | null {
    const log = this.timeline.save();
    return log === null ? null : { ...log, voices: this.hearing.save(), sequence: this.speaking.sequence };
  }

  /** What has been saved, or is being saved just now, is of the record before. */
  beginRecord(): void {
    this.record += 1;
    this.savedIndex = 0;
  }

  /** A new connection: what was under way on the old one comes, or goes, again. */
  reconnected({ nowMs }: Pick<Moment, 'nowMs'>): void {
    this.timeline.resume();
    this.speaking.reconnected(nowMs);
  }

  pullLog(): SessionEffect {
    const { id: conversation, timeline } = this;
    return send(SESSION_FRAME.pullLog, PullLog.encode({ conversation, after: timeline.reach }));
  }

  /** Tells the host what it need not keep for this member any longer, now and then. */
  ack(keepsWhenSaved: boolean, { nowMs }: Pick<Moment, 'nowMs'>): SessionEffect[] {
    const { history } = this.timeline;
    if (history === null) return [];
    const index = keepsWhenSaved ? Math.min(this.savedIndex, history.index) : history.index;
    const isDue = nowMs - this.#lastAckMs >= LIMITS.ackMs || index - this.acknowledged >= LIMITS.ackEntries;
    if (index <= this.acknowledged || !isDue) return [];
    this.acknowledged = index;
    this.#lastAckMs = nowMs;
    return [send(SESSION_FRAME.ack, Ack.encode({ conversation: this.id, index }))];
  }

  /** Someone reads it no more: what they could open is over. */
  forget(member: IdKey): void {
    this.hearing.forget(member);
    this.exchange.forget(member);
  }

  /** Nothing is said or opened any more. */
  erase(): void {
    this.hearing.eraseAll();
    this.speaking.dropChain();
  }
}

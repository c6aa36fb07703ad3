/** A conversation beside the room, as the host holds it: its list, its log, and where each member stands in that. */
import type { ConversationRoster, PlacedChange } from '../crypto/conversation-roster.ts';
import type { Signed } from '../protocol/codec.ts';
import { type ConversationId, type Hash, type IdKey, idKey } from '../protocol/identifiers.ts';
import { ERAS_MOST } from '../protocol/session-frames.ts';
import type { LogPlace } from './log-place.ts';
import type { Placing } from './placing.ts';
import type { ConversationRecord, KeptChange } from './store.ts';

/** Changes of a list that are kept for those who have not come yet. */
const CHANGES_KEPT = 1_024;

/** A list as of a place in the log, and all that it rests on. */
export interface ListAsOf {
  readonly index: number;
  readonly head: Hash;
  readonly epoch: number;
  readonly changes: readonly KeptChange[];
}

export class Conversation {
  readonly id: ConversationId;
  readonly key: IdKey;
  readonly roster: ConversationRoster;
  readonly placing: Placing;
  readonly places = new Map<IdKey, LogPlace>();
  /** Who made it; `null` for the conversation of two. */
  readonly maker: IdKey | null;
  /** Statements about the latest starts of the room, as of this log, oldest first. */
  eras: readonly Signed[] = [];
  /** The room was opened again since, and nothing says so in this log yet. */
  awaitsEra = false;
  /** Someone has said what they have since the log last let go of what everyone has. */
  hasAcks = false;
  /** What its list has become of, oldest first. */
  changes: readonly KeptChange[] = [];

  constructor(roster: ConversationRoster, placing: Placing, maker: IdKey | null) {
    this.id = roster.id;
    this.key = idKey(roster.id);
    this.roster = roster;
    this.placing = placing;
    this.maker = maker;
  }

  get record(): ConversationRecord {
    const { id, roster, changes } = this;
    return { id, direct: roster.direct, seats: roster.save(), changes };
  }

  /** The list has changed, by what stands at this place of the log. */
  changed(change: PlacedChange, index: number, isWhole: boolean): void {
    const { kind, operation } = change;
    const { bytes, signature } = operation;
    const copy = { bytes: bytes.slice(), signature: signature.slice() };
    const { epoch } = this.roster;
    this.changes = [...this.changes, { kind, operation: copy, index, epoch, isWhole }];
    this.#prune();
  }

  /** The list as it is for someone who is about to read: as of where their log begins. */
  listFor(place: LogPlace): ListAsOf {
    const { log } = this.placing;
    const head = place.isNew ? log.headAt(place.from) : null;
    if (head === null)
      return { ...this.placing.position, epoch: this.roster.epoch, changes: this.#from(log.index) };
    const changes = this.#from(place.from);
    return { index: place.from, head, epoch: changes.at(-1)?.epoch ?? 0, changes };
  }

  /** All that the list rests on at an index. */
  #from(index: number): readonly KeptChange[] {
    const until = this.changes.filter((change) => change.index <= index);
    const first = until.findLastIndex(({ isWhole }) => isWhole);
    return until.slice(Math.max(0, first));
  }

  /** What nobody who has yet to come needs any more goes; whoever stays away for too long begins with the list as it is. */
  #prune(): void {
    const { index } = this.placing.log;
    const newcomers = [...this.places.values()].filter(({ isNew }) => isNew);
    const least = newcomers.reduce((soFar, { from }) => Math.min(soFar, from), index);
    const [oldest] = this.#from(least);
    const needed = this.changes.filter((change) => oldest === undefined || change.index >= oldest.index);
    if (needed.length <= CHANGES_KEPT) {
      this.changes = needed;
      return;
    }
    this.changes = this.#from(index);
    for (const place of newcomers) place.isNew = false;
  }

  beganEra(statement: Signed): void {
    this.eras = [...this.eras, statement].slice(-ERAS_MOST);
    this.awaitsEra = false;
  }

  /** What everyone in it has need not be whole any more. */
  release(): void {
    if (!this.hasAcks) return;
    this.hasAcks = false;
    const { log } = this.placing;
    let least = log.index;
    for (const { acknowledged } of this.places.values()) least = Math.min(least, acknowledged);
    log.release(least);
  }
}

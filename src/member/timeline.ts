/**
 * The room's log as one member follows it: entry by entry, each held against the owner's signatures, the senders'
 * signatures and this member's own record before it is shown.
 * @see docs/protocol.md#log
 */
import { leafHash } from '../crypto/log-hash.ts';
import type { RosterMember } from '../crypto/roster.ts';
import type { VerifyKey } from '../crypto/signature.ts';
import type { Welcome } from '../protocol/admission-frames.ts';
import { type Bytes, bytesEqual } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { type Content, isSaid, messageId, type ReadContent } from '../protocol/content.ts';
import { ProtocolError, SecurityError } from '../protocol/errors.ts';
import {
  type ChainId,
  type ConversationId,
  chainSequence,
  type Hash,
  type IdKey,
  idKey,
  type RoomId,
} from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import { policyOf } from '../protocol/room-settings.ts';
import { DigestItem, type Entry, type LogPage, WholeItem } from '../protocol/session-frames.ts';
import { MessageHeader } from '../protocol/signed-objects.ts';
import { type Alarms, evidenceOf } from './alarms.ts';
import type { Ledger } from './circle.ts';
import { type CheckedEra, checkPlacedEra, whereLost } from './eras.ts';
import { event, type SessionEffect } from './events.ts';
import type { EvidenceBook } from './evidence-book.ts';
import type { Hearing } from './hearing.ts';
import { History } from './history.ts';
import { judgeMessage, verdictOf } from './judging.ts';
import { MessageBook, type PlacedContent } from './message-book.ts';
import type { Own } from './receipts.ts';
import type { SavedState } from './saved-state.ts';
import { goesAtMs, isGone, LeftOut, type OwnTime } from './staying.ts';

/** What of a saved state is this record. */
type SavedRecord = Pick<SavedState, 'log' | 'lastPlaced'>;

/** An entry as it came, pushed or in a page. */
export type Arrived = Omit<Entry, 'conversation'> & {
  /** Placed while this member had no line. */
  readonly away?: boolean;
};

/** Where one's own message stands: chains of one's own are numbered in order, and messages on each. */
interface OwnPlace {
  readonly sequence: number;
  readonly n: number;
}

/** What the timeline needs of the session around it. */
export interface TimelineContext {
  readonly roomId: RoomId;
  readonly conversation: ConversationId;
  readonly ledger: Ledger;
  readonly self: IdKey;
  readonly ownKey: VerifyKey;
  readonly hearing: Hearing;
  readonly alarms: Alarms;
  /** What others can be shown of the messages. */
  readonly evidence: EvidenceBook;
  /** An entry has its place. @returns what it said, `null` when none like it is under way here. */
  readonly placed: (leaf: Hash) => { readonly content: Content; readonly ref: string | null } | null;
  /** Whether a chain of one's own is of an earlier run of the program. */
  readonly isOfEarlierRun: (chain: ChainId) => boolean;
  /** The room was opened again. */
  readonly eraBegan: () => void;
  /** A message of one's own stands in the log. */
  readonly ownPlaced: (own: Own) => SessionEffect[];
  readonly quoted: (member: IdKey, header: Pick<MessageHeader, 'generation' | 'epoch'>) => void;
  /** What it is about, told by somebody in it under the list that they quote. */
  readonly about: (content: ReadContent, quotedEpoch: number) => SessionEffect[];
  /** When this run last had all there was, by its own clock; `null`: not known. */
  readonly hadAllAtMs: () => number | null;
  /** A message could not be opened for want of its key. */
  readonly keyMissing: (header: MessageHeader, moment: Moment) => SessionEffect[];
  /** The sender's identity key is wanted before their message can be judged; entries are held meanwhile. */
  readonly identityWanted: (sender: RosterMember) => SessionEffect[];
}

/** Header, largest ciphertext and largest signature, with room to spare. */
const ENTRY_BYTES_MOST = 18 * 1_024;

export class Timeline {
  readonly #context: TimelineContext;
  readonly #book: MessageBook;
  #history: History | null = null;
  /** Entries that wait, in order, for the identity key of the first one's sender. */
  #held: Arrived[] = [];
  #heldFor: RosterMember | null = null;
  #heldSinceMs = 0;
  /** The log as the host sends it does not continue this record. */
  #astray = false;
  #missed = 0;
  /** The last entry that came as a digest, and the bytes of those that came whole after it. */
  #digest: { readonly left: LeftOut; bytesAfter: number } | null = null;
  /** Read whole, and too old to be shown. */
  #gone = 0;
  /** The first entry that the host still had when it passed over some. */
  #passedTo: number | null = null;
  #beganAt = 0;
  #lastEra = 0;
  #lastPlaced: OwnPlace | null = null;
  /** Up to here another program has read as this member: the host need not hold it any more. */
  #readElsewhere = 0;

  constructor(context: TimelineContext) {
    this.#context = context;
    this.#book = new MessageBook(context.self, context.conversation);
  }

  /** `null` before the first list, and when it has to begin anew. */
  get history(): History | null {
    return this.#history;
  }
  /** What was said of late. */
  get book(): Pick<MessageBook, 'find' | 'latestOwn' | 'expire'> {
    return this.#book;
  }
  /** The index this record begins after: what was placed before is not in it. */
  get beganAt(): number {
    return this.#beganAt;
  }
  /** Of the latest start of the room that this log has an entry of; 0: none. */
  get era(): number {
    return this.#lastEra;
  }
  /** Entries wait for a key: nothing may be sealed against a view that is not complete. */
  get isHeld(): boolean {
    return this.#heldFor !== null;
  }
  /** The next index to ask for. */
  get reach(): number {
    return (this.#history?.index ?? 0) + this.#held.length;
  }

  /** Begins, or begins anew, at a position of the log; the list is the one as of there. */
  begin(position: { readonly index: number; readonly head: Hash }): void {
    this.#history = new History(position.index, position.head.slice() as Hash);
    this.#beganAt = position.index;
    this.#digest = null;
    this.#missed = 0;
    this.#gone = 0;
    this.#astray = false;
    this.resume();
  }

  /** Goes on with the record of an earlier run. */
  restore({ log, lastPlaced }: SavedRecord): void {
    this.#history = History.restore(log);
    this.#beganAt = log.beganAt;
    this.#lastEra = log.era;
    this.#lastPlaced = lastPlaced[0] ?? null;
  }

  /** @returns `null` while there is no record to go on with */
  save(): SavedRecord | null {
    if (this.#history === null || this.#astray) return null;
    const { index, heads } = this.#history.save();
    return {
      log: { index, heads: [...heads], beganAt: this.#beganAt, era: this.#lastEra },
      lastPlaced: this.#lastPlaced === null ? [] : [this.#lastPlaced],
    };
  }

  readElsewhere(index: number): void {
    this.#readElsewhere = index;
  }

  /** Where the host's log honestly left this record; `null` where it has no such reason. */
  whereLost(eras: readonly Signed[]): CheckedEra | null {
    const history = this.#history;
    const { roomId, conversation, ledger } = this.#context;
    if (history === null || ledger.owner === null) return null;
    return whereLost(eras, ledger.owner, { roomId, conversation, history, lastEra: this.#lastEra });
  }

  /**
   * The host has lost what came after this start of the room: so does this record, or it begins anew where the list of
   * members has changed since.
   */
  lost({ era, position }: CheckedEra): void {
    const history = this.#history;
    if (history === null) return;
    this.#history = this.#context.ledger.isAsOf(era) ? history.cutTo(position.index) : null;
    this.#beganAt = Math.min(this.#beganAt, position.index);
    this.#digest = null;
    this.#missed = 0;
    this.#gone = 0;
    this.resume();
  }

  /** A new connection: what was held comes again. */
  resume(): void {
    this.#held = [];
    this.#heldFor = null;
  }

  /** This record and the host's cannot be reconciled, or the host no longer has what lies between. */
  forsake(): void {
    this.#history = null;
  }

  /** The person has taken note. @returns whether this record has to begin anew. */
  acknowledge(): boolean {
    const anew = this.#astray;
    if (anew) this.forsake();
    return anew;
  }

  /** @throws ProtocolError when the page withholds what nobody can go on without. */
  page(page: LogPage, moment: Moment, away: boolean): SessionEffect[] {
    const effects: SessionEffect[] = [];
    const history = this.#history;
    if (history !== null && !this.isHeld && !bytesEqual(page.headBefore, history.head)) {
      this.#astray = true;
      const text = 'The host shows another past than the one you saw.';
      effects.push(...this.#context.alarms.raise('history-forked', text));
    }
    page.items.forEach((item, place) => {
      const index = page.first + place;
      if (item.form === 'digest') {
        effects.push(...this.#digested(index, DigestItem.decode(item.body), moment));
        return;
      }
      const entry = WholeItem.decode(item.body);
      if (this.#digest !== null) {
        this.#digest.bytesAfter += entry.header.length + entry.ciphertext.length + entry.signature.length;
      }
      effects.push(...this.arrived({ index, ...entry, away }, moment));
    });
    return effects;
  }

  /** The host no longer has what lies before this entry: the record has to begin anew. */
  passedTo(index: number): void {
    this.forsake();
    this.#passedTo = index;
  }

  /**
   * The whole log is read. What was left out on the way is told once: as a notice when the host has so much after it
   * that it need not hold it any more, else as an alarm.
   * @param hadAllAtMs when there was nothing that this side did not have, by its own clock; `null`: not known
   */
  caughtUp(retention: Welcome['retention'], hadAllAtMs: number | null, { nowMs }: Moment): SessionEffect[] {
    const digest = this.#digest;
    const passedTo = this.#passedTo;
    const missed = this.#missed;
    const gone = this.#gone;
    this.#digest = null;
    this.#passedTo = null;
    this.#missed = 0;
    this.#gone = 0;
    const { staySeconds } = this.#context.ledger.room.settings;
    const { isBeside, leastStaySeconds } = this.#context.ledger;
    const excused = (seconds: number) =>
      digest?.left.excuse(seconds, retention.seconds * 1_000, { nowMs, hadAllAtMs }) ?? null;
    // Beside the room, no entry says when its policy changed: a shorter one may have been in force for a while.
    const excuse = excused(staySeconds) ?? (isBeside ? excused(leastStaySeconds) : null);
    const mustHoldDigest =
      digest !== null &&
      excuse === null &&
      this.reach - digest.left.index < retention.entries &&
      digest.bytesAfter + ENTRY_BYTES_MOST <= retention.bytes;
    const mustHoldPassed = passedTo !== null && this.reach - passedTo + 1 < retention.hashes;
    if (mustHoldDigest || mustHoldPassed) {
      const text = 'The host left out messages that it should still hold.';
      return this.#context.alarms.raise('withheld', text);
    }
    const texts: string[] = [];
    if (passedTo !== null)
      texts.push('You were away for so long that the host no longer holds some messages.');
    const late = excuse === 'policy' ? 0 : missed;
    if (late > 0) texts.push(`${late} messages waited longer than the host keeps them.`);
    return [
      ...texts.map((text) => event({ kind: 'notice', level: 'warning', code: 'gap', text })),
      ...goneByTime(gone + missed - late),
    ];
  }

  /** The next entry of the log, in order; or held until the key to judge it is there. */
  arrived(entry: Arrived, moment: Moment): SessionEffect[] {
    const history = this.#history;
    if (history === null) return [];
    if (this.isHeld) {
      if (this.#held.length >= LIMITS.heldEntries)
        throw new ProtocolError('held', 'too much waits for one key');
      this.#held.push(copyOf(entry));
      return [];
    }
    if (entry.index !== history.index + 1) {
      this.#astray = true;
      const what = entry.index <= history.index ? 'sent an entry twice' : 'left out an entry';
      const text = `The host ${what}: ${entry.index} after ${history.index}.`;
      return this.#context.alarms.raise('history-order', text, evidenceOf(entry, history));
    }
    this.#context.evidence.follow(this.#context.ledger.room);
    switch (entry.kind) {
      case 'roster':
      case 'conversation':
        return this.#operation(entry.kind, entry, history);
      case 'era':
        return this.#era(entry, history);
      case 'message':
        return this.#message(entry, history, moment);
    }
  }

  /** Whom entries are held for. */
  get heldFor(): RosterMember | null {
    return this.#heldFor;
  }

  /** The key that entries waited for is known. */
  release(moment: Moment): SessionEffect[] {
    this.#heldFor = null;
    return this.#held.splice(0).flatMap((entry) => this.arrived(entry, moment));
  }

  /**
   * The host no longer has that key: its owner left meanwhile. The message cannot be checked, so it is not shown; its
   * place in the log is.
   */
  releaseUnchecked(moment: Moment): SessionEffect[] {
    const [first] = this.#held.splice(0, 1);
    const sender = this.#heldFor;
    if (first === undefined || sender === null) return [];
    const leaf = leafHash(first);
    this.#history?.append({ ...first, leaf });
    return [this.#unopened(leaf, sender, first), ...this.release(moment)];
  }

  /** Entries that wait for too long: the first is given up, which breaks this record. */
  tick(moment: Moment): SessionEffect[] {
    if (!this.isHeld || moment.nowMs - this.#heldSinceMs < LIMITS.epochAheadMs) return [];
    this.#astray = true;
    this.resume();
    const text = 'The host does not hand out the key of someone who wrote a message.';
    return this.#context.alarms.raise('key-withheld', text);
  }

  #operation(kind: 'roster' | 'conversation', entry: Arrived, history: History): SessionEffect[] {
    const { ledger } = this.#context;
    history.append({ ...entry, leaf: leafHash(entry) });
    try {
      const { staySeconds } = ledger.room.settings;
      const effects = ledger.operate(kind, { bytes: entry.header, signature: entry.signature });
      if (staySeconds !== ledger.room.settings.staySeconds)
        this.#digest?.left.changed({ untilMs: entry.placedAtMs, staySeconds });
      return effects;
    } catch (error) {
      if (!(error instanceof SecurityError)) throw error;
      this.#astray = true;
      if (ledger.isBeside) {
        const text = `A conversation was not changed by anyone who may: ${error.message}.`;
        return this.#context.alarms.raise('conversation-forked', text, evidenceOf(entry, history));
      }
      const isForged = error.code === 'forged-act';
      const code = isForged ? error.code : 'roster-forked';
      const what = isForged ? "in a member's name" : 'by its owner alone';
      const text = `The room was ${isForged ? '' : 'not '}changed ${what}: ${error.message}.`;
      return this.#context.alarms.raise(code, text, evidenceOf(entry, history));
    }
  }

  #era(entry: Arrived, history: History): SessionEffect[] {
    const { roomId, conversation, ledger } = this.#context;
    const { owner } = ledger;
    if (owner === null) return [];
    const signed = { bytes: entry.header, signature: entry.signature };
    const at = { roomId, conversation, history, lastEra: this.#lastEra };
    try {
      this.#lastEra = checkPlacedEra(signed, owner, at).era;
    } catch (error) {
      if (!(error instanceof SecurityError)) throw error;
      this.#astray = true;
      const text = `The room was not opened again by its owner: ${error.message}.`;
      return this.#context.alarms.raise(error.code, text, evidenceOf(entry, history));
    } finally {
      history.append({ ...entry, leaf: leafHash(entry) });
    }
    this.#context.eraBegan();
    // Told once, by the room's own log.
    if (ledger.isBeside) return [];
    const text = 'The room was opened again.';
    return [{ kind: 'event', event: { kind: 'notice', level: 'info', code: 'era', text } }];
  }

  #message(entry: Arrived, history: History, moment: Moment): SessionEffect[] {
    const { roomId, conversation, ledger, self, ownKey, hearing, alarms } = this.#context;
    const header = MessageHeader.decode(entry.header);
    const sender = ledger.circle.member(idKey(header.memberId));
    const verifyKey =
      sender === undefined ? undefined : sender.key === self ? ownKey : hearing.verifyKey(sender.key);
    const mayJudge = verdictOf(header, ledger) === 'good';
    if (mayJudge && sender !== undefined && verifyKey === undefined) {
      this.#held.push(copyOf(entry));
      this.#heldSinceMs = moment.nowMs;
      this.#heldFor = sender;
      return this.#context.identityWanted(sender);
    }
    const leaf = leafHash(entry);
    history.append({ ...entry, leaf });
    const judged = { roomId, conversation, header, entry, index: entry.index, sender, verifyKey };
    const judgement = judgeMessage(judged, ledger, history);
    switch (judgement.kind) {
      case 'before':
        return [];
      case 'alarm':
        return alarms.raise(judgement.code, judgement.text, evidenceOf(entry, history));
      case 'good':
        this.#context.quoted(judgement.sender.key, header);
        return judgement.sender.key === self
          ? this.#own(judgement.sender, header, entry, leaf, moment)
          : this.#opened(judgement.sender, header, entry, leaf, moment);
    }
  }

  #own(
    self: RosterMember,
    header: MessageHeader,
    entry: Arrived,
    leaf: Hash,
    moment: Moment,
  ): SessionEffect[] {
    const said = this.#context.placed(leaf);
    const place = { sequence: chainSequence(header.chainId), n: header.n };
    const isNew = isAfter(place, this.#lastPlaced);
    if (isNew) this.#lastPlaced = place;
    if (said === null) {
      // Of an earlier run, or of another program that goes on as this member.
      if (this.#context.isOfEarlierRun(header.chainId) && isNew)
        return [this.#unopened(leaf, self, entry, true)];
      const text = 'The host placed a message of yours twice.';
      return this.#context.alarms.raise('replayed', text, evidenceOf(entry, this.#history));
    }
    if (said.content.kind === 'about') return this.#context.about(said.content, header.conversationEpoch);
    return this.#ownTold(leaf, self, said, entry, moment);
  }

  #opened(
    sender: RosterMember,
    header: MessageHeader,
    entry: Arrived,
    leaf: Hash,
    moment: Moment,
  ): SessionEffect[] {
    const { hearing, alarms, ledger } = this.#context;
    const opened = hearing.open({ sender, header, entry, leaf }, ledger.circle.lastRemovalEpoch);
    switch (opened.kind) {
      case 'opened':
        if (opened.content.kind === 'about')
          return this.#context.about(opened.content, header.conversationEpoch);
        if (isGone(entry.placedAtMs, ledger.room.settings.staySeconds, this.#time(moment))) {
          this.#gone += 1;
          return [];
        }
        this.#context.evidence.keep(leaf, entry, opened, entry.placedAtMs);
        return this.tell({
          leaf,
          from: sender,
          content: opened.content,
          ...this.times(entry.placedAtMs, moment),
          own: false,
          away: entry.away === true,
          ref: null,
        });
      case 'no-key':
        return [this.#unopened(leaf, sender, entry), ...this.#context.keyMissing(header, moment)];
      case 'fault':
        return [
          ...alarms.raise(opened.code, `${opened.text}.`, evidenceOf(entry, this.#history)),
          this.#unopened(leaf, sender, entry),
        ];
    }
  }

  /** When a message was placed, and when it is to be forgotten. */
  times(placedAtMs: number, moment: Moment): Pick<PlacedContent, 'atMs' | 'goesAtMs'> {
    const goes = goesAtMs(placedAtMs, this.#context.ledger.room.settings.staySeconds, this.#time(moment));
    return { atMs: placedAtMs, ...(goes !== null && { goesAtMs: goes }) };
  }

  #time({ nowMs }: Moment): OwnTime {
    return { nowMs, hadAllAtMs: this.#context.hadAllAtMs() };
  }

  /** An entry whose content the host no longer holds: its hash keeps the record whole. */
  #digested(index: number, item: ReturnType<typeof DigestItem.decode>, moment: Moment): SessionEffect[] {
    if (item.kind !== 'message')
      throw new ProtocolError('bad-page', 'what only the owner signs was withheld');
    const leaf = item.leaf.slice() as Hash;
    this.#history?.append({ ...item, leaf });
    this.#context.hearing.skipped();
    if (index > this.#readElsewhere)
      this.#digest = { left: new LeftOut(index, item.placedAtMs), bytesAfter: 0 };
    const said = this.#context.placed(leaf);
    const self = this.#context.ledger.room.member(this.#context.self);
    // Of itself nobody has to be told what a conversation is about.
    if (said?.content.kind === 'about') return [];
    if (said !== null && self !== undefined)
      return this.#ownTold(leaf, self, said, { ...item, index }, moment);
    this.#missed += 1;
    return [];
  }

  /** What a content means at its place. */
  tell(placed: PlacedContent): SessionEffect[] {
    return this.#book.placed(placed, policyOf(this.#context.ledger.room.settings));
  }

  #ownTold(
    leaf: Hash,
    self: RosterMember,
    said: { readonly content: Content; readonly ref: string | null },
    { index, placedAtMs }: Pick<Arrived, 'index' | 'placedAtMs'>,
    moment: Moment,
  ): SessionEffect[] {
    const effects = this.tell({ leaf, from: self, ...said, ...this.times(placedAtMs, moment), own: true });
    // What became of it is told of messages only.
    if (!isSaid(said.content.kind)) return effects;
    return [...effects, ...this.#context.ownPlaced({ id: messageId(leaf), index })];
  }

  /** @param own said by this member in an earlier run of the program, which kept no text */
  #unopened(
    leaf: Hash,
    from: RosterMember,
    { placedAtMs: atMs }: Pick<Arrived, 'placedAtMs'>,
    own = false,
  ): SessionEffect {
    const id = messageId(leaf);
    this.#book.unopened(id, from, atMs);
    return {
      kind: 'event',
      event: { kind: 'unopened', conversation: this.#context.conversation, id, from, atMs, own },
    };
  }
}

function isAfter(place: OwnPlace, last: OwnPlace | null): boolean {
  if (last === null || place.sequence > last.sequence) return true;
  return place.sequence === last.sequence && place.n > last.n;
}

function goneByTime(count: number): SessionEffect[] {
  if (count === 0) return [];
  const text = `${count === 1 ? '1 message is' : `${count} messages are`} gone: messages disappear after a while here. /policy says when.`;
  return [event({ kind: 'notice', level: 'info', code: 'gone-by-time', text })];
}

/** Frames are views of a read buffer: what is kept beyond them is copied. */
function copyOf(entry: Arrived): Arrived {
  const copy = (bytes: Bytes): Bytes => bytes.slice();
  return {
    ...entry,
    header: copy(entry.header),
    ciphertext: copy(entry.ciphertext) as Arrived['ciphertext'],
    signature: copy(entry.signature),
  };
}

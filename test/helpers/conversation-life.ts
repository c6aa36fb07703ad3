/**
 * Random lives of a room with conversations beside it, and a simple model of who is to read what: the log of each
 * conversation as the host places it, and who is in it at each of its entries. @see test/member/conversation-model.test.ts
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { directConversation } from '../../src/crypto/conversation-roster.ts';
import type { WrapKeyPair } from '../../src/crypto/key-wrap.ts';
import { leafHash } from '../../src/crypto/log-hash.ts';
import type { SigningKey } from '../../src/crypto/signature.ts';
import { decodeSavedState } from '../../src/member/saved-state.ts';
import { type Bytes, toHex } from '../../src/protocol/bytes.ts';
import { messageId } from '../../src/protocol/content.ts';
import { InputError } from '../../src/protocol/errors.ts';
import { frameBody, frameType } from '../../src/protocol/framing.ts';
import {
  type ConversationId,
  type Hash,
  type IdKey,
  idKey,
  ROOM_CONVERSATION,
} from '../../src/protocol/identifiers.ts';
import { ConversationPage, Entry, SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import {
  ConversationOperation,
  MessageHeader,
  type Role,
  RosterOperation,
} from '../../src/protocol/signed-objects.ts';
import { dsaIdentity, rsaIdentity, wrapKeys } from './keys.ts';
import type { TestMember } from './member.ts';
import type { TestRoom } from './room.ts';
import { assertKeysUsedOnce, postsOf } from './thief.ts';

export const MEMBERS_MOST = 8;
const NAMES = 'abcdefgh';

const identities: SigningKey[] = [];
const pairs: WrapKeyPair[] = [];

let made: Promise<void> | null = null;

/** Once, however many files of tests share this process. */
export function makeKeys(): Promise<void> {
  made ??= make();
  return made;
}

async function make(): Promise<void> {
  for (let place = 0; place < MEMBERS_MOST; place += 1) {
    identities.push(await (place % 4 === 0 ? rsaIdentity(place / 4) : dsaIdentity(place)));
    pairs.push(await wrapKeys(place % 4));
  }
}

const KINDS = {
  ...{ join: 3, leave: 1, kick: 1, cut: 3, drop: 2, back: 4, save: 2, restart: 2, renew: 1 },
  ...{ say: 3, tell: 6, make: 4, add: 4, remove: 3, role: 3, rename: 2, part: 2, sayIn: 10 },
  ...{ move: 10, wait: 3, long: 1 },
} as const;
type Kind = keyof typeof KINDS;

/** To whoever named the conversation themselves. */
const ANSWERS: ReadonlySet<number> = new Set([
  SESSION_FRAME.converseAnswer,
  SESSION_FRAME.deferred,
  SESSION_FRAME.placed,
]);

export interface Step {
  readonly do: Kind;
  readonly who: number;
  readonly whom: number;
  readonly much: number;
}

const kinds = Object.entries(KINDS) as [Kind, number][];
export const step: fc.Arbitrary<Step> = fc.record({
  do: fc.oneof(...kinds.map(([kind, weight]) => ({ weight, arbitrary: fc.constant(kind) }))),
  who: fc.nat(MEMBERS_MOST - 1),
  whom: fc.nat(MEMBERS_MOST - 1),
  much: fc.nat(999),
});

/** An entry that the host has placed. */
interface PlacedEntry {
  readonly index: number;
  readonly isEra?: true;
  /** Of a message: its id, and the list that it was sealed for. */
  readonly message: { readonly id: string; readonly epoch: number; readonly from: IdKey } | null;
}

/** From when on, and until when, somebody is in a conversation: what lies between is theirs to read. */
interface Stay {
  readonly after: number;
  /** What is sealed for a list before that is not for them. */
  readonly epoch: number;
  before: number;
}

interface ModelConversation {
  readonly id: ConversationId;
  readonly direct: boolean;
  readonly entries: PlacedEntry[];
  readonly seats: Map<IdKey, Role>;
  epoch: number;
  /** Of each membership in the room, by whoever holds it. */
  readonly stays: Map<Person, Stay[]>;
  namedBy: IdKey | null;
  /** From the room. */
  readonly removals: { readonly key: IdKey; readonly index: number }[];
  readonly gone: Set<IdKey>;
}

/** Somebody's membership of the room, over all runs of their program. */
export class Person {
  readonly key: IdKey;
  readonly who: number;
  readonly runs: { readonly member: TestMember; readonly from: ReadonlyMap<IdKey, number> | null }[] = [];
  saved: Bytes | null = null;
  readonly said: string[] = [];

  constructor(who: number, key: IdKey) {
    this.who = who;
    this.key = key;
  }

  get now(): TestMember {
    return this.runs.at(-1)?.member ?? assert.fail();
  }
  get savesState(): boolean {
    return this.who % 2 === 1;
  }
}

export class Life {
  readonly room: TestRoom;
  /** On a disk, so that its host may open it again. */
  readonly isKept: boolean;
  /** Its host is back by an older copy: from here on the model knows nothing. */
  hasLost = false;
  /** The latest of each id last: one that all have gone from begins anew. */
  readonly conversations: ModelConversation[] = [];
  readonly #byKey = new Map<IdKey, ModelConversation>();
  /** Of each pair, whose conversation of two that is. */
  readonly #pairs = new Map<IdKey, readonly [IdKey, IdKey]>();
  /** Who holds each identity now; `null`: outside. */
  readonly present: (Person | null)[] = Array.from({ length: MEMBERS_MOST }, () => null);
  readonly everyone: Person[] = [];
  /** What went to whom that should not have. */
  readonly leaks: string[] = [];
  #count = 0;

  constructor(room: TestRoom, isKept = false) {
    this.room = room;
    this.isKept = isKept;
    for (const { memberId: one } of identities)
      for (const { memberId: other } of identities)
        this.#pairs.set(idKey(directConversation(room.id, one, other)), [idKey(one), idKey(other)]);
    this.#watch();
    const carryOut = room.perform.bind(room);
    room.perform = (effects) => {
      for (const effect of this.hasLost ? [] : effects) {
        if (effect.kind === 'multicast' && frameType(effect.frame) === SESSION_FRAME.entry)
          this.#placed(Entry.decode(frameBody(effect.frame)));
        if (effect.kind === 'broadcast' && frameType(effect.frame) === SESSION_FRAME.entry)
          this.#roomChanged(Entry.decode(frameBody(effect.frame)));
        if (effect.kind === 'send' && frameType(effect.frame) === SESSION_FRAME.conversation)
          this.#introduced(ConversationPage.decode(frameBody(effect.frame)));
      }
      carryOut(effects);
    };
  }

  /** The first members, at once. */
  async begin(count: number): Promise<void> {
    for (let who = 0; who < count; who += 1) await this.#join(who);
    this.room.pump();
    this.room.advance(1_000);
    this.#sweep();
  }

  async take({ do: what, who: any, whom: anyOther, much }: Step): Promise<void> {
    const { room } = this;
    const who = what === 'join' ? any : this.#oneOf(any);
    const whom = this.#oneOf(anyOther);
    const person = this.present[who] ?? null;
    const member = person?.now ?? null;
    const other = this.present[whom]?.now ?? null;
    switch (what) {
      case 'join':
        if (person === null && !this.#listed(who)) await this.#join(who);
        break;
      case 'leave':
        if (member?.live) member.leave();
        break;
      case 'kick':
        if (member !== null) room.perform(room.room.remove(member.key, room.clock.moment));
        break;
      case 'cut':
        if (member?.outcome.kind === 'in') member.loseLine();
        break;
      case 'drop':
        // Only the member notices: for the host the old line lives on, and what is under way to it arrives.
        if (member?.outcome.kind === 'in' && member.session.phase !== 'over') {
          member.session.disconnected();
          member.comeBack();
        }
        break;
      case 'back':
        if (person !== null) this.#back(person);
        break;
      case 'save':
        if (person !== null) this.#save(person);
        break;
      case 'restart':
        if (person !== null) await this.#restart(person);
        break;
      case 'renew':
        if (member?.live) member.renew(pairs[(who + much) % pairs.length] ?? assert.fail());
        break;
      case 'say':
        if (person !== null) this.#say(person, (text) => person.now.say(text));
        break;
      case 'tell':
        if (person !== null && other !== null && other !== member) {
          const nick = this.#nickOf(person, other.key);
          if (nick !== null) this.#say(person, (text) => person.now.tell(nick, text));
        }
        break;
      case 'make':
        if (member !== null) this.#make(member, whom, much);
        break;
      case 'add':
        if (member !== null && other !== null)
          this.#change(member, much, (id) =>
            member.change(id, { kind: 'add', members: [other.identity.memberId] }),
          );
        break;
      case 'remove':
        if (member !== null && other !== null)
          this.#change(member, much, (id) =>
            member.change(id, { kind: 'remove', member: other.identity.memberId }),
          );
        break;
      case 'role':
        if (member !== null && other !== null) {
          const role = much % 5 === 0 ? 'owner' : much % 2 === 0 ? 'member' : 'moderator';
          this.#change(member, much, (id) =>
            member.change(id, { kind: 'role', member: other.identity.memberId, role }),
          );
        }
        break;
      case 'rename':
        if (member !== null)
          this.#change(member, much, (id) =>
            member.rename(id, { name: `n${this.#count}`, topic: `t${much}` }),
          );
        break;
      case 'part':
        if (member !== null) this.#change(member, much, (id) => member.part(id));
        break;
      case 'sayIn':
        if (person !== null)
          for (let count = 0; count <= much % 3; count += 1)
            this.#change(person.now, much, (id) => this.#say(person, (text) => person.now.sayIn(id, text)));
        break;
      case 'move':
        for (let count = 0; count < (much % 20) * 3; count += 1) room.stepAny(much + who + count * 7);
        break;
      case 'wait':
        this.#pass(1 + (much % 10 < 8 ? (much % 10) * 40 : (much % 10) * 2_000));
        break;
      case 'long':
        // Chains and wrap keys are due anew, and who is away is gone.
        for (let left = much % 3 === 0 ? 61 * 60_000 : 5 * 60_000; left > 0; left -= 40_000) {
          room.clock.nowMs += 40_000;
          room.tick();
          this.#sweep();
        }
        break;
    }
    this.#sweep();
  }

  /** Of those who are there. */
  #oneOf(any: number): number {
    const there = this.present.flatMap((person, who) => (person === null ? [] : [who]));
    return there[any % Math.max(1, there.length)] ?? any;
  }

  /** Everyone comes back, and everything under way arrives. */
  settle(): void {
    for (let round = 0; round < 30; round += 1) {
      for (const person of this.present) if (person !== null) this.#back(person);
      this.#sweep();
      this.room.advance(250);
    }
    for (let round = 0; round < 12; round += 1) {
      this.room.clock.nowMs += 2_000;
      this.room.tick();
    }
    this.#sweep();
    // Whoever sits at the door with a code that is old by now is none of this room.
    this.present.forEach((person, who) => {
      if (person?.now.session.login === null) this.present[who] = null;
    });
  }

  /** What has happened is what the model says. */
  check(): void {
    assert.deepEqual(this.leaks, []);
    const texts = new Map<string, string>();
    const runs = this.everyone.flatMap((person) => person.runs);
    for (const { member } of runs)
      for (const { own, id, text } of member.messages) if (own) texts.set(id, text);
    const shown = new Set(runs.flatMap(({ member }) => member.messages.map(({ id }) => id)));
    for (const person of this.everyone) this.#checkPerson(person, texts, shown);
    const late = this.present.filter((person) => person !== null).filter(({ now }) => !now.live);
    assert.deepEqual(
      late.map(({ now }) => now.outcome),
      [],
    );
    assertKeysUsedOnce(postsOf(runs.map(({ member }) => member)));
  }

  #checkPerson(person: Person, texts: ReadonlyMap<string, string>, shown: ReadonlySet<string>): void {
    const isPresent = this.present.includes(person);
    person.runs.forEach(({ member, from }, place) => {
      const isLast = place === person.runs.length - 1;
      const name = `${NAMES[person.who]} run ${place} ${JSON.stringify(member.outcome)}`;
      assert.deepEqual(member.alarms, [], name);
      assert.notEqual(member.outcome.kind, 'failed', name);
      assert.ok(!member.eventsOf('closed').some(({ reason }) => reason === 'protocol'), name);
      assert.deepEqual(
        member.eventsOf('unopened').filter(({ own, from: sender }) => !own && !this.#hasGone(sender.key)),
        [],
        name,
      );
      for (const { id, text } of member.messages) assert.equal(text, texts.get(id) ?? text, name);
      const told = new Map<IdKey, string[]>();
      for (const event of member.events) {
        if (event.kind !== 'message' && event.kind !== 'unopened') continue;
        const key = idKey(event.conversation);
        // What a conversation is about is no message: of an earlier run it is told as one that nobody has the text of.
        if (event.kind === 'unopened' && (!shown.has(event.id) || !event.own)) continue;
        told.set(key, [...(told.get(key) ?? []), event.id]);
      }
      const read = new Map<IdKey, number>();
      for (const conversation of this.conversations) {
        const key = idKey(conversation.id);
        const ids = told.get(key) ?? [];
        let next = read.get(key) ?? 0;
        const stays = this.#staysOf(conversation, person);
        stays.forEach((stay, number) => {
          const after = Math.max(stay.after, from?.get(key) ?? 0);
          const expected = conversation.entries
            .filter(({ index }) => index > after && index < stay.before)
            .flatMap(({ message }) => message ?? [])
            .filter(({ id, epoch }) => epoch >= stay.epoch && shown.has(id))
            .filter(({ id, from: sender }) => ids.includes(id) || !this.#hasGone(sender))
            .map(({ id }) => id);
          const first = next;
          while (next - first < expected.length && expected[next - first] === ids[next]) next += 1;
          const mustHaveAll =
            isLast && isPresent && member.live && number === stays.length - 1 && stay.before === Infinity;
          if (mustHaveAll) assert.deepEqual(ids.slice(first), expected, `${name} in ${key}`);
        });
        read.set(key, next);
      }
      told.delete(idKey(ROOM_CONVERSATION));
      for (const [key, ids] of told)
        assert.deepEqual(ids.slice(read.get(key) ?? 0), [], `${name} shows of ${key} what is not theirs`);
      if (isLast && isPresent) this.#checkLists(person, name);
    });
    if (!isPresent || person.runs.length > 1) return;
    const placed = person.now.messages.filter(({ own }) => own).length;
    assert.equal(
      placed + unsaid(person.now),
      person.said.length,
      `${NAMES[person.who]}: all is placed, or told not to be`,
    );
  }

  /** Whoever comes back to the room after they were removed has their conversations of two from there on. */
  #staysOf(conversation: ModelConversation, person: Person): readonly Stay[] {
    const stays = conversation.stays.get(person) ?? [];
    const position = person.runs[0]?.member.firstWelcome?.positions.find(
      (each) => idKey(each.conversation) === idKey(conversation.id),
    );
    const isLatest = this.#byKey.get(idKey(conversation.id)) === conversation;
    if (position === undefined || stays.length > 0 || !conversation.direct || !isLatest) return stays;
    const { index: after } = position;
    const epoch = conversation.entries.filter(
      ({ index, message, isEra }) => index <= after && message === null && isEra !== true,
    ).length;
    const before = conversation.removals.find((each) => each.key === person.key && each.index > after);
    return [{ after, epoch, before: before?.index ?? Number.POSITIVE_INFINITY }];
  }

  /** Whoever is gone from the room takes along what their messages are checked by. */
  #hasGone(key: IdKey): boolean {
    return this.everyone.some((person) => person.key === key && !this.present.includes(person));
  }

  /** Of a member who is there: which conversations, with whom in them, and what they are called. */
  #checkLists({ now, key: self }: Person, name: string): void {
    if (!now.live) return;
    const views = new Map(now.session.conversations.map((view) => [idKey(view.id), view] as const));
    for (const [key, { direct, seats, namedBy }] of this.#byKey) {
      const view = views.get(key);
      if (!direct) assert.equal(view !== undefined, seats.has(self), `${name} is in ${key}`);
      views.delete(key);
      if (view === undefined || direct) continue;
      const roles = view.members.map(({ member, role }) => [member.key, role] as const);
      assert.deepEqual(sorted(roles), sorted([...seats]), `${name}: who is in ${key}`);
      const namer = this.present.find((person) => person?.key === namedBy);
      if (namer?.runs.length !== 1) continue;
      const known = namer.now.session.conversations.find(({ id }) => idKey(id) === key);
      if (known === undefined) continue;
      assert.deepEqual([view.name, view.topic], [known.name, known.topic], `${name}: what ${key} is called`);
    }
    assert.deepEqual([...views.keys()], [], `${name} knows of conversations that the host does not`);
  }

  // --- what the host does, as the model sees it

  #personOf(key: IdKey): Person | undefined {
    return this.present.find((person) => person?.key === key) ?? undefined;
  }

  #introduced(page: ConversationPage): void {
    const key = idKey(page.conversation);
    if (page.direct.length === 0) return;
    const known = this.#byKey.get(key);
    if (known !== undefined && page.index >= known.entries.length) return;
    const isAsOfBefore = known !== undefined && page.epoch > 0;
    if (isAsOfBefore || (known !== undefined && page.index > 0)) return;
    if (known !== undefined && known.gone.size < 2) return;
    const conversation = this.#open(page.conversation.slice() as ConversationId, true);
    for (const each of this.#pairs.get(key) ?? []) this.#comes(conversation, each, 0);
  }

  /** Where nobody is left in a conversation, there is nobody to tell. */
  #roomChanged({ kind, header }: Entry): void {
    if (kind !== 'roster') return;
    const gone = new Set(RosterOperation.decode(header).removes.map(({ memberId }) => idKey(memberId)));
    for (const conversation of this.#byKey.values()) {
      const { id, seats, entries, direct, gone: before } = conversation;
      const people = direct ? (this.#pairs.get(idKey(id)) ?? []) : [...seats.keys()];
      const left = people.filter((key) => !gone.has(key) && !before.has(key));
      if (left.length > 0 || !people.some((key) => gone.has(key))) continue;
      for (const key of people) this.#goes(conversation, key, entries.length + 1);
    }
  }

  #open(id: ConversationId, direct: boolean): ModelConversation {
    const conversation: ModelConversation = {
      ...{ id, direct, entries: [], seats: new Map(), epoch: 0, stays: new Map(), namedBy: null },
      ...{ removals: [], gone: new Set<IdKey>() },
    };
    this.conversations.push(conversation);
    this.#byKey.set(idKey(id), conversation);
    return conversation;
  }

  #placed({ conversation: id, index, kind, header, ciphertext, signature }: Entry): void {
    const key = idKey(id);
    const known = this.#byKey.get(key) ?? this.#open(id.slice() as ConversationId, false);
    // Starts of a room that is kept are read, and not told.
    while (this.isKept && known.entries.length < index - 1)
      known.entries.push({ index: known.entries.length + 1, message: null, isEra: true });
    assert.equal(index, known.entries.length + 1, 'no entry is left out');
    if (kind === 'message') {
      const leaf: Hash = leafHash({ header, ciphertext, signature });
      const { conversationEpoch: epoch, memberId } = MessageHeader.decode(header);
      known.entries.push({ index, message: { id: messageId(leaf), epoch, from: idKey(memberId) } });
      return;
    }
    known.entries.push({ index, message: null });
    known.epoch += 1;
    if (kind === 'roster') {
      for (const { memberId } of RosterOperation.decode(header).removes)
        this.#goes(known, idKey(memberId), index);
      return;
    }
    const { whole, puts, removes, memberId, about } = ConversationOperation.decode(header);
    const after = new Map(whole ? [] : known.seats);
    for (const put of puts) after.set(idKey(put.memberId), put.role);
    for (const each of removes) after.delete(idKey(each));
    const namer = idKey(memberId);
    const isNamed = this.#aboutOf.get(key) !== toHex(about);
    this.#aboutOf.set(key, toHex(about));
    if (isNamed) known.namedBy = namer;
    for (const each of [...known.seats.keys()]) if (!after.has(each)) this.#goes(known, each, index);
    for (const [each, role] of after) {
      if (!known.seats.has(each)) this.#comes(known, each, index);
      known.seats.set(each, role);
    }
  }

  readonly #aboutOf = new Map<IdKey, string>();

  #comes(conversation: ModelConversation, key: IdKey, index: number): void {
    const person = this.#personOf(key);
    if (person === undefined) return;
    const stays = conversation.stays.get(person) ?? [];
    stays.push({ after: index, epoch: conversation.epoch, before: Number.POSITIVE_INFINITY });
    conversation.stays.set(person, stays);
  }

  #goes(conversation: ModelConversation, key: IdKey, index: number): void {
    conversation.seats.delete(key);
    conversation.removals.push({ key, index });
    if (this.#pairs.get(idKey(conversation.id))?.includes(key) === true) conversation.gone.add(key);
    for (const [person, stays] of conversation.stays) {
      const last = stays.at(-1);
      if (person.key === key && last?.before === Number.POSITIVE_INFINITY) last.before = index;
    }
  }

  // --- what people do

  #listed(who: number): boolean {
    const key = identities[who]?.memberId ?? assert.fail();
    return this.room.room.members.some(({ memberId }) => idKey(memberId) === idKey(key));
  }

  async #join(who: number): Promise<void> {
    this.#count += 1;
    const [identity, wrapPair] = [identities[who], pairs[who]];
    assert.ok(identity && wrapPair);
    const person = new Person(who, idKey(identity.memberId));
    const prefers = { stays: person.savesState, receipts: true, lastSeen: true };
    const keeps = person.savesState ? 'when-saved' : 'at-once';
    const nick = `${NAMES[who]}-${this.#count}`;
    const member = await this.room.person(nick, { identity, wrapPair, prefers, keeps });
    member.knock(this.room.invite());
    person.runs.push({ member, from: null });
    this.present[who] = person;
    this.everyone.push(person);
  }

  /** Nothing of a conversation is sent to anyone who is not in it, but the removal that tells them. */
  #watch(): void {
    const { room } = this;
    const toMember = room.toMember.bind(room);
    room.toMember = (line, frame) => {
      const person = this.everyone.find(({ runs }) => runs.some(({ member }) => member.lines.includes(line)));
      if (person !== undefined && !this.hasLost)
        for (const each of this.#byKey.values()) this.#checkFrame(person, frame, each);
      toMember(line, frame);
    };
  }

  #checkFrame(person: Person, frame: Bytes, conversation: ModelConversation): void {
    const { id, seats } = conversation;
    const type = frameType(frame);
    const isIn = this.#pairs.get(idKey(id))?.includes(person.key) ?? seats.has(person.key);
    if (isIn || ANSWERS.has(type) || !Buffer.from(frame).includes(id)) return;
    const removal = this.#staysOf(conversation, person).at(-1)?.before;
    if (type === SESSION_FRAME.entry && Entry.decode(frameBody(frame)).index === removal) return;
    this.leaks.push(`${NAMES[person.who]} gets frame ${type} of ${idKey(id)}`);
  }

  #back(person: Person): void {
    const { now } = person;
    if (now.outcome.kind !== 'cut' || now.session.phase !== 'away') return;
    if (now.session.login === null) this.present[person.who] = null;
    else now.comeBack();
  }

  #save(person: Person): void {
    if (!person.savesState || person.now.session.phase === 'over' || person.now.session.save() === null)
      return;
    person.saved = person.now.save();
  }

  async #restart(person: Person): Promise<void> {
    const { saved, now } = person;
    if (saved === null || now.session.phase === 'over') return;
    const state = decodeSavedState(saved);
    const from = new Map(
      state.conversations.map(({ conversation, log }) => [idKey(conversation), log.index]),
    );
    const member = await this.room.goOn(now, saved);
    person.runs.push({ member, from });
  }

  #nickOf(person: Person, key: IdKey): string | null {
    return person.now.session.members.find(({ member }) => member.key === key)?.member.nick ?? null;
  }

  #say(person: Person, say: (text: string) => void): void {
    if (person.now.session.login === null || person.now.session.phase === 'over') return;
    const text = `${NAMES[person.who]} ${person.said.length}`;
    if (refusalOf(() => say(text)) === null) person.said.push(text);
  }

  #make(member: TestMember, whom: number, much: number): void {
    if (member.session.login === null || member.session.phase === 'over') return;
    this.#count += 1;
    const keys = this.present
      .filter((each, place) => each !== null && (place === whom || ((much >> place) & 1) === 1))
      .map((each) => each?.key);
    const nicks = member.session.members
      .filter((shown) => keys.includes(shown.member.key))
      .map((shown) => shown.member.nick);
    refusalOf(() => member.begin(`n${this.#count}`, ...nicks));
  }

  #change(member: TestMember, much: number, change: (id: ConversationId) => void): void {
    const { conversations, login, phase } = member.session;
    const view = conversations[much % Math.max(1, conversations.length)];
    if (view !== undefined && login !== null && phase !== 'over') refusalOf(() => change(view.id));
  }

  #pass(ms: number): void {
    const { room } = this;
    room.clock.nowMs += ms;
    room.perform(room.room.tick(room.clock.moment));
    for (const { now } of this.everyone) now.tick();
  }

  /** Who is out for good makes room, and wrap keys that are due are made. */
  #sweep(): void {
    this.present.forEach((person, who) => {
      if (person === null) return;
      const { now } = person;
      if (now.session.phase === 'over' || now.outcome.kind === 'refused') this.present[who] = null;
      else if (now.wantsReconnect) {
        now.wantsReconnect = false;
        now.loseLine();
        this.#back(person);
      } else if (now.wantsWrapKeys) now.renew(pairs[(who + 2) % pairs.length] ?? assert.fail());
    });
  }
}

function sorted(roles: readonly (readonly [IdKey, Role])[]): string[] {
  return roles.map(([key, role]) => `${key} ${role}`).sort();
}

function refusalOf(act: () => void): string | null {
  try {
    act();
    return null;
  } catch (error) {
    if (error instanceof InputError) return error.code;
    throw error;
  }
}

/** How many messages a member was told will not be sent. */
function unsaid(member: TestMember): number {
  return member.eventsOf('notice').reduce((sum, { code, text }) => {
    if (code !== 'unsaid') return sum;
    return sum + 1 + (Number(/ and (\d+) more$/.exec(text)?.[1]) || 0);
  }, 0);
}

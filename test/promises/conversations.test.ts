/** The promises by number, in direct messages and conversations beside the room. @see docs/security.md#promises */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentCommitment } from '../../src/crypto/content.ts';
import { ConversationRoster, newConversationId } from '../../src/crypto/conversation-roster.ts';
import { leafHash } from '../../src/crypto/log-hash.ts';
import type { SigningKey } from '../../src/crypto/signature.ts';
import { makeStatement } from '../../src/crypto/statement.ts';
import { type Bytes, utf8 } from '../../src/protocol/bytes.ts';
import type { Signed } from '../../src/protocol/codec.ts';
import { said } from '../../src/protocol/content.ts';
import { encodeFrame, frameBody, frameType } from '../../src/protocol/framing.ts';
import {
  type ConversationId,
  idKey,
  type MemberId,
  type RoomId,
  roomId,
  ZERO_HASH,
} from '../../src/protocol/identifiers.ts';
import type { Moment } from '../../src/protocol/moment.ts';
import {
  Ack,
  ConversationPage,
  Converse,
  DigestItem,
  Entry,
  KeysPage,
  LogPage,
  NeedKeyFrame,
  OpenDirect,
  Post,
  PullConversation,
  PullLog,
  SESSION_FRAME,
  WholeItem,
  Wraps,
  WrapsTaken,
} from '../../src/protocol/session-frames.ts';
import { ChainAnnouncement, MessageHeader, NeedKey, type Role } from '../../src/protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../../src/protocol/version.ts';
import { Room } from '../../src/room/room.ts';
import { bodiesOf, changeWelcome, EvilHost, holds, on } from '../helpers/evil-host.ts';
import { EvilMember } from '../helpers/evil-member.ts';
import { dsaIdentity, rsaIdentity, wrapKeys } from '../helpers/keys.ts';
import { liveState } from '../helpers/live-state.ts';
import type { TestMember } from '../helpers/member.ts';
import { openRoom, type TestRoom, type TestRoomOptions } from '../helpers/room.ts';
import { assertKeysUsedOnce, lootOf, postsOf, texts, wrapsOf } from '../helpers/thief.ts';

interface Circle {
  readonly room: TestRoom;
  readonly alice: TestMember;
  readonly bob: TestMember;
  readonly carol: TestMember;
  readonly mallory: TestMember;
}

/** RSA and DSA signers, who have not spoken. */
async function circle(options: TestRoomOptions = {}): Promise<Circle> {
  const room = await openRoom(options);
  const members: TestMember[] = [];
  for (const [place, nick] of ['alice', 'bob', 'carol', 'mallory'].entries()) {
    const identity = await (place % 2 === 0 ? rsaIdentity(place / 2) : dsaIdentity(place));
    members.push(await room.join(nick, { identity, wrapPair: await wrapKeys(place) }));
  }
  const [alice, bob, carol, mallory] = members as [TestMember, TestMember, TestMember, TestMember];
  return { room, alice, bob, carol, mallory };
}

/** A conversation of alice's with bob and carol, in which all have spoken; mallory is in the room. */
async function plans(options: TestRoomOptions = {}): Promise<Circle & { readonly id: ConversationId }> {
  const all = await circle(options);
  const id = all.alice.begin('plans', 'bob', 'carol');
  all.room.advance(500);
  for (const member of [all.alice, all.bob, all.carol]) sayIn(all.room, member, id, 'here I am');
  return { ...all, id };
}

function sayIn(room: TestRoom, from: TestMember, id: ConversationId, text: string): void {
  from.sayIn(id, text);
  room.advance(250);
}

const rolesOf = (member: TestMember, id: ConversationId): readonly string[] =>
  member.session.conversations
    .find((each) => idKey(each.id) === idKey(id))
    ?.members.map((each) => each.member.nick)
    .sort() ?? [];

function assertCalm(...members: readonly TestMember[]): void {
  for (const member of members) {
    assert.deepEqual(member.alarms, []);
    assert.equal(member.outcome.kind, 'in', JSON.stringify(member.outcome));
  }
}

/** Whom a member has wrapped a key of this conversation to. */
function wrappedTo(member: TestMember, id: ConversationId, after = 0): ReadonlySet<string> {
  const recorded = wrapsOf([member]).filter(
    ({ announcement }) => idKey(announcement.conversation) === idKey(id),
  );
  return new Set(recorded.slice(after).map(({ wrap }) => idKey(wrap.memberId)));
}

/** The list as it stands at a member, to sign on with. */
function rosterFrom(member: TestMember, id: ConversationId): ConversationRoster {
  const { roomId: room, conversations } = member.session.save()?.state ?? assert.fail();
  const saved = conversations.find(({ conversation }) => idKey(conversation) === idKey(id)) ?? assert.fail();
  const roster = ConversationRoster.made(room, id);
  roster.restore(saved.seats);
  return roster;
}

type Request = Parameters<ConversationRoster['sign']>[1];
const NO_REQUEST: Request = { puts: [], removes: [], about: null };
const put = ({ identity: { memberId } }: TestMember, role: Role = 'member'): Request['puts'][number] => ({
  memberId,
  role,
});

/** Shows one member an operation as the next entry of a conversation's log. */
function showChange(room: TestRoom, to: TestMember, id: ConversationId, { bytes, signature }: Signed): void {
  const [last] = bodiesOf(to.line?.sentByHost ?? [], SESSION_FRAME.entry)
    .map((body) => Entry.decode(body))
    .filter(({ conversation }) => idKey(conversation) === idKey(id))
    .slice(-1);
  assert.ok(last && to.line);
  const body = Entry.encode({
    ...last,
    index: last.index + 1,
    kind: 'conversation',
    header: bytes,
    ciphertext: new Uint8Array() as never,
    signature,
  });
  room.inject(to.line, 'member', encodeFrame(SESSION_FRAME.entry, body));
  room.pump();
}

test('P17 a swapped statement gets nobody to wrap to it, in a conversation either', async () => {
  for (const direct of [true, false]) {
    const { room, alice, bob } = await circle();
    const { line } = alice;
    assert.ok(line);
    const stranger = await rsaIdentity(6);
    const swapped = makeStatement(stranger, room.id, 1, (await wrapKeys(5)).publicKeys);
    line.toMember = on(SESSION_FRAME.keys, (body) => {
      const { statements } = KeysPage.decode(body);
      return [KeysPage.encode({ statements: statements.map(() => swapped) })];
    });
    if (direct) alice.tell('bob', 'for bob alone');
    else {
      const id = alice.begin('plans', 'bob');
      room.advance(500);
      alice.sayIn(id, 'for bob alone');
    }
    room.advance(1_000);
    assert.deepEqual(alice.alarms, ['foreign-statement']);
    assert.deepEqual(wrapsOf([alice]), []);
    assert.deepEqual(postsOf([alice]), []);
    assert.deepEqual(bob.texts, []);
  }
});

test('P17 operations that nobody may have signed seat nobody: an alarm, and no key is wrapped', async () => {
  type Forge = (all: Circle & { readonly id: ConversationId }) => Signed;
  const twist = ({ bytes, signature }: Signed, at: number): Signed => {
    const copy = bytes.slice();
    copy[at] = (copy[at] ?? 0) ^ 1;
    return { bytes: copy, signature };
  };
  const foreign = (signer: SigningKey, roster: ConversationRoster, request: Request): Signed =>
    roster.sign(signer, request);
  const forgeries: Record<string, Forge> = {
    'by whom it is for': ({ mallory, alice, id }) =>
      foreign(mallory.identity, rosterFrom(alice, id), { ...NO_REQUEST, puts: [put(mallory)] }),
    'by a plain member': ({ bob, mallory, alice, id }) =>
      foreign(bob.identity, rosterFrom(alice, id), { ...NO_REQUEST, puts: [put(mallory)] }),
    'the owner’s, one bit changed': ({ alice, mallory, id }) =>
      twist(foreign(alice.identity, rosterFrom(alice, id), { ...NO_REQUEST, puts: [put(mallory)] }), 120),
    'the owner’s for another conversation': ({ room, alice, bob, carol, mallory }) => {
      const other = newConversationId(room.clock.randomBytes(16));
      const roster = ConversationRoster.made(room.id, other);
      const puts = [put(alice, 'owner'), put(bob), put(carol), put(mallory)];
      return roster.sign(alice.identity, { ...NO_REQUEST, puts, about: ZERO_HASH });
    },
    'the owner’s for another room': ({ alice, mallory, id }) => {
      const elsewhere = roomId(new Uint8Array(16).fill(8)) as RoomId;
      const roster = ConversationRoster.made(elsewhere, id);
      const puts = [put(alice, 'owner'), put(mallory)];
      return roster.sign(alice.identity, { ...NO_REQUEST, puts, about: ZERO_HASH });
    },
    'the first one once more': ({ alice }) => {
      const [body] = bodiesOf(alice.sent, SESSION_FRAME.converse);
      return Converse.decode(body ?? assert.fail()).operation;
    },
    'somebody’s own going, in the name of another': ({ alice, bob, id }) => {
      const roster = rosterFrom(alice, id);
      return foreign(bob.identity, roster, { ...NO_REQUEST, removes: [alice.identity.memberId] });
    },
  };
  for (const [name, forge] of Object.entries(forgeries)) {
    const all = await plans();
    const { room, carol, mallory, id } = all;
    const wrapped = wrapsOf([carol]).length;
    showChange(room, carol, id, forge(all));
    assert.deepEqual(carol.alarms, ['conversation-forked'], name);
    assert.deepEqual(rolesOf(carol, id), ['alice', 'bob', 'carol'], name);
    carol.sayIn(id, 'who is there?');
    room.advance(1_000);
    assert.equal(wrapsOf([carol]).length, wrapped, name);
    assert.equal(carol.session.unplaced, 1, name);
    assert.ok(!wrappedTo(carol, id).has(mallory.key), name);
  }
});

test('P17 an honest host takes none of these from a member, and the others notice nothing', async () => {
  const forgeries: Record<
    string,
    (all: Circle & { readonly id: ConversationId }) => readonly [Signed, boolean]
  > = {
    'seats for oneself': ({ mallory, alice, id }) => [
      rosterFrom(alice, id).sign(mallory.identity, { ...NO_REQUEST, puts: [put(mallory)] }),
      false,
    ],
    'somebody else’s operation': ({ alice, mallory, id }) => [
      rosterFrom(alice, id).sign(alice.identity, { ...NO_REQUEST, puts: [put(mallory)] }),
      true,
    ],
    'a conversation that somebody else is to own': ({ room, alice, mallory }) => [
      ConversationRoster.made(room.id, newConversationId(room.clock.randomBytes(16))).sign(mallory.identity, {
        puts: [put(alice, 'owner'), put(mallory)],
        removes: [],
        about: ZERO_HASH,
      }),
      false,
    ],
    'the conversation of two others': ({ room, alice, bob, mallory }) => {
      const { id } = ConversationRoster.direct(room.id, alice.identity.memberId, bob.identity.memberId);
      const roster = ConversationRoster.made(room.id, id);
      const puts = [put(mallory, 'owner'), put(alice), put(bob)];
      return [roster.sign(mallory.identity, { puts, removes: [], about: ZERO_HASH }), true];
    },
  };
  for (const [name, forge] of Object.entries(forgeries)) {
    const all = await plans();
    const { room, alice, bob, carol, mallory, id } = all;
    const [operation, isCut] = forge(all);
    mallory.send(encodeFrame(SESSION_FRAME.converse, Converse.encode({ operation })));
    room.advance(500);
    assert.equal(mallory.outcome.kind, isCut ? 'cut' : 'in', name);
    assert.deepEqual(mallory.session.conversations, [], name);
    sayIn(room, alice, id, 'all as ever');
    assert.deepEqual(rolesOf(bob, id), ['alice', 'bob', 'carol'], name);
    assert.equal(carol.texts.at(-1), 'all as ever', name);
    assertCalm(alice, bob, carol);
  }
});

test('P19 P20 who is added opens nothing from before, and who is removed or parts nothing after', async () => {
  for (const parts of [false, true]) {
    const { room, alice, bob, carol, mallory, id } = await plans();
    const everyone = [alice, bob, carol, mallory];
    sayIn(room, alice, id, 'before mallory');
    alice.change(id, { kind: 'add', members: [mallory.identity.memberId] });
    room.advance(500);
    sayIn(room, alice, id, 'with mallory');
    sayIn(room, bob, id, 'bob, with mallory');
    if (parts) mallory.part(id);
    else alice.change(id, { kind: 'remove', member: mallory.identity.memberId });
    const loot = lootOf(mallory);
    room.advance(500);
    sayIn(room, alice, id, 'after mallory');
    sayIn(room, bob, id, 'bob, after mallory');
    assert.deepEqual(mallory.textsIn(id), ['with mallory', 'bob, with mallory']);
    const opened = texts(loot, wrapsOf(everyone), postsOf(everyone)).filter((text) => !text.includes('\n'));
    assert.deepEqual([...new Set(opened)].sort(), ['bob, with mallory', 'with mallory']);
    assert.equal(carol.textsIn(id).at(-1), 'bob, after mallory');
    assertCalm(...everyone);
    assertKeysUsedOnce(postsOf(everyone));
  }
});

test('P20 a removal that the host withholds from one: the first entry that crosses gives it away, both ways', async () => {
  for (const speaker of ['alice', 'carol'] as const) {
    const { room, alice, bob, carol, id } = await plans();
    const { line } = carol;
    assert.ok(line);
    // Carol is not told that bob is gone, and neither that there was anything to be told.
    line.toMember = on(SESSION_FRAME.entry, (body) =>
      Entry.decode(body).kind === 'conversation' ? [] : [body],
    );
    alice.change(id, { kind: 'remove', member: bob.identity.memberId });
    room.advance(500);
    assert.deepEqual(rolesOf(carol, id), ['alice', 'bob', 'carol']);
    const [from, to] = speaker === 'alice' ? [alice, carol] : [carol, alice];
    // The host carries it, whatever it says.
    const caught: Post[] = [];
    assert.ok(from.line);
    from.line.toHost = on(SESSION_FRAME.post, (body) => {
      const { header, ciphertext, signature } = Post.decode(body.slice());
      caught.push({ header, ciphertext, signature });
      return [];
    });
    from.sayIn(id, 'is everyone there?');
    room.advance(500);
    const [post] = caught;
    const [last] = bodiesOf(to.line?.sentByHost ?? [], SESSION_FRAME.entry)
      .map((body) => Entry.decode(body))
      .filter(
        ({ conversation, kind }) =>
          idKey(conversation) === idKey(id) && (speaker !== 'alice' || kind === 'message'),
      )
      .slice(-1);
    assert.ok(post && last && to.line);
    const entry = Entry.encode({ ...last, index: last.index + 1, kind: 'message', ...post });
    room.inject(to.line, 'member', encodeFrame(SESSION_FRAME.entry, entry));
    room.pump();
    assert.deepEqual(to.alarms, ['stale-placed'], speaker);
    assert.ok(!to.texts.includes('is everyone there?'));
    assert.ok(to.session.heldBack);
  }
});

test('P20 a list from before a removal, shown again at a claimed gap or as if one had been out: not believed', async () => {
  for (const how of ['gap', 'out'] as const) {
    const { room, alice, bob, carol, id } = await plans();
    const old = bodiesOf(bob.line?.sentByHost ?? [], SESSION_FRAME.conversation)
      .map((body) => ConversationPage.decode(body))
      .findLast(({ conversation }) => idKey(conversation) === idKey(id));
    assert.ok(old);
    alice.change(id, { kind: 'remove', member: carol.identity.memberId });
    room.advance(500);
    sayIn(room, bob, id, 'without carol');
    const wrapped = wrapsOf([bob]).length;
    bob.loseLine();
    const line = bob.comeBack();
    const show = (): void =>
      room.inject(line, 'member', encodeFrame(SESSION_FRAME.conversation, ConversationPage.encode(old)));
    if (how === 'out') changeWelcome(bob, ({ positions }) => ({ positions: positions.slice(0, 1) }));
    else {
      line.toMember = on(SESSION_FRAME.conversation, () => [ConversationPage.encode(old)]);
      line.toHost = (frame) => {
        const [body] = bodiesOf([frame], SESSION_FRAME.pullLog);
        if (body === undefined || idKey(PullLog.decode(body).conversation) !== idKey(id)) return [frame];
        // Not this log: the list, as if bob had been out of it.
        room.inject(
          line,
          'member',
          encodeFrame(SESSION_FRAME.conversation, ConversationPage.encode({ ...old, index: 1_000 })),
        );
        return [];
      };
    }
    room.advance(1_000);
    if (how === 'out') {
      show();
      room.advance(500);
    }
    assert.deepEqual(bob.session.conversations, [], how);
    assert.throws(() => bob.sayIn(id, 'for carol?'), { code: 'no-such-conversation' });
    room.advance(1_000);
    assert.equal(wrapsOf([bob]).length, wrapped, how);
    assert.ok(
      bob.eventsOf('notice').some(({ code }) => code === 'conversation-again'),
      how,
    );
  }
});

test('P21 an entry of a conversation dropped, doubled, moved or replaced for one member: an alarm', async () => {
  const twists: Record<string, (bodies: readonly Bytes[]) => readonly Bytes[]> = {
    dropped: ([, ...rest]) => rest,
    doubled: ([first, ...rest]) => (first === undefined ? [] : [first, first, ...rest]),
    moved: ([first, second, ...rest]) => [second, first, ...rest].filter((each) => each !== undefined),
    'numbered on': (bodies) =>
      bodies.slice(1).map((body) => {
        const entry = Entry.decode(body);
        return Entry.encode({ ...entry, index: entry.index - 1 });
      }),
    'another time': ([first, ...rest]) => {
      const entry = Entry.decode(first ?? assert.fail());
      return [Entry.encode({ ...entry, placedAtMs: entry.placedAtMs - 1 }), ...rest];
    },
    'another entry': ([first, second, ...rest]) => {
      const entry = Entry.decode(second ?? assert.fail());
      return [Entry.encode({ ...entry, index: entry.index - 1 }), ...rest].slice(
        0,
        first === undefined ? 0 : 4,
      );
    },
  };
  for (const [name, twist] of Object.entries(twists)) {
    const { room, alice, bob, carol, id } = await plans();
    const { line } = bob;
    assert.ok(line);
    const held: Bytes[] = [];
    line.toMember = (frame) => {
      if (frameType(frame) !== SESSION_FRAME.entry) return [frame];
      held.push(frameBody(frame).slice());
      return [];
    };
    sayIn(room, alice, id, 'one');
    sayIn(room, carol, id, 'two');
    sayIn(room, alice, id, 'three');
    line.toMember = (frame) => [frame];
    for (const body of twist(held)) room.inject(line, 'member', encodeFrame(SESSION_FRAME.entry, body));
    room.pump();
    assert.ok(bob.alarms.length > 0, name);
    assert.ok(bob.session.heldBack, name);
    assertCalm(alice, carol);
    bob.acknowledge();
    // Where the host can still be followed, its other story is told at each message.
    if (!bob.wantsReconnect) continue;
    // Where it cannot, taking note leads back to what all the others see.
    bob.loseLine();
    bob.comeBack();
    room.advance(2_000);
    sayIn(room, alice, id, 'go on');
    sayIn(room, bob, id, 'so I do');
    assert.deepEqual(bob.textsIn(id).slice(-2), ['go on', 'so I do'], name);
    assert.equal(alice.textsIn(id).at(-1), 'so I do', name);
    assertCalm(alice, carol);
  }
});

test('P22 two lists for one epoch of a conversation: an alarm at the first message that crosses', async () => {
  const { room, alice, bob, carol, mallory, id } = await plans();
  const roster = rosterFrom(alice, id);
  // Its owner and the host are in league: bob is shown that carol is gone, carol that mallory came.
  const one = roster.sign(alice.identity, { ...NO_REQUEST, removes: [carol.identity.memberId] });
  const other = roster.sign(alice.identity, { ...NO_REQUEST, puts: [put(mallory)] });
  showChange(room, bob, id, one);
  showChange(room, carol, id, other);
  assertCalm(bob, carol);
  // The host answers for the keys that mallory is given, and carries what follows to bob.
  const { line } = carol;
  const [last] = bodiesOf(bob.line?.sentByHost ?? [], SESSION_FRAME.entry)
    .map((body) => Entry.decode(body))
    .filter(({ conversation }) => idKey(conversation) === idKey(id))
    .slice(-1);
  assert.ok(line && last);
  const caught: Post[] = [];
  line.toHost = (frame) => {
    const [wraps] = bodiesOf([frame], SESSION_FRAME.wraps);
    if (wraps !== undefined) {
      const { chainId } = ChainAnnouncement.decode(Wraps.decode(wraps).announcement.bytes);
      const taken = WrapsTaken.encode({ chainId, refused: [] });
      room.inject(line, 'member', encodeFrame(SESSION_FRAME.wrapsTaken, taken));
      return [];
    }
    const [post] = bodiesOf([frame], SESSION_FRAME.post);
    if (post === undefined) return [frame];
    caught.push(Post.decode(post));
    return [];
  };
  carol.sayIn(id, 'hello all');
  room.pump();
  const [post] = caught;
  assert.ok(post && bob.line);
  const entry = Entry.encode({ ...last, index: last.index + 2, kind: 'message', ...post });
  room.inject(bob.line, 'member', encodeFrame(SESSION_FRAME.entry, entry));
  room.pump();
  assert.deepEqual(bob.alarms, ['roster-forked']);
  assert.ok(!bob.texts.includes('hello all'));
});

test('P23 a message spliced from one conversation to another, or to the room, is accepted nowhere', async () => {
  for (const into of ['conversation', 'room', 'direct'] as const) {
    const { room, alice, bob, id } = await plans();
    alice.tell('bob', 'psst');
    room.advance(500);
    const other = alice.begin('other', 'bob');
    room.advance(500);
    sayIn(room, alice, other, 'other');
    alice.say('in the room');
    room.advance(500);
    const target =
      into === 'conversation'
        ? other
        : (bob.session.conversations.find(({ isDirect }) => isDirect)?.id ?? assert.fail());
    // Sealed for one, not yet placed: the same sender and the same list of the room.
    const caught: Post[] = [];
    assert.ok(alice.line && bob.line);
    alice.line.toHost = on(SESSION_FRAME.post, (body) => {
      caught.push(Post.decode(body.slice()));
      return [];
    });
    alice.sayIn(id, 'spliced');
    room.pump();
    const [post] = caught;
    assert.ok(post);
    if (into === 'room') new EvilHost(room).show(bob, post);
    else {
      const [last] = bodiesOf(bob.line.sentByHost, SESSION_FRAME.entry)
        .map((body) => Entry.decode(body))
        .filter(({ conversation }) => idKey(conversation) === idKey(target))
        .slice(-1);
      assert.ok(last);
      const entry = Entry.encode({ ...last, index: last.index + 1, kind: 'message', ...post });
      room.inject(bob.line, 'member', encodeFrame(SESSION_FRAME.entry, entry));
      room.pump();
    }
    assert.equal(bob.alarms.length, 1, into);
    assert.ok(!bob.texts.includes('spliced'), into);
  }
});

test('P23 an honest host closes the connection of whoever splices a post', async () => {
  const { room, alice, bob, carol, mallory, id } = await plans();
  alice.change(id, { kind: 'add', members: [mallory.identity.memberId] });
  room.advance(500);
  sayIn(room, mallory, id, 'one of us');
  const other = mallory.begin('other', 'bob');
  room.advance(500);
  sayIn(room, mallory, other, 'and here');
  const post = postsOf([mallory]).at(-1) ?? assert.fail();
  const header = MessageHeader.encode({ ...MessageHeader.decode(post.header), conversation: id });
  mallory.send(encodeFrame(SESSION_FRAME.post, Post.encode({ ...post, header })));
  room.advance(500);
  assert.equal(mallory.eventsOf('closed')[0]?.reason, 'protocol');
  assertCalm(alice, bob, carol);
});

test('P24 two keys in a conversation: such a sender is named, and silences nobody', async () => {
  const { room, alice, bob, carol, id } = await plans();
  const evil = new EvilMember(carol, bob);
  evil.post(said('text', 'for some'), { commitment: contentCommitment(utf8.encode('another')) });
  room.advance(250);
  for (const member of [alice, bob]) {
    assert.deepEqual(member.alarms, ['two-keys']);
    assert.equal(member.session.heldBack, false);
    assert.ok(!member.texts.includes('for some'));
  }
  sayIn(room, alice, id, 'on it goes');
  assert.equal(bob.textsIn(id).at(-1), 'on it goes');
});

test('P25 an old statement is refused in a conversation, whichever one its member has quoted the newer in', async () => {
  const { room, alice, bob, id } = await plans();
  const old = bob.wrapKeys.current.statement;
  bob.renew(await wrapKeys(5));
  bob.say('in the room, under new keys');
  room.advance(500);
  const { line } = alice;
  assert.ok(line);
  line.toMember = on(SESSION_FRAME.keys, () => [KeysPage.encode({ statements: [old] })]);
  const before = wrappedTo(alice, id).size;
  alice.change(id, { kind: 'remove', member: (room.members[2] ?? assert.fail()).identity.memberId });
  room.advance(500);
  const wraps = wrapsOf([alice]).length;
  alice.sayIn(id, 'under old keys?');
  room.advance(1_000);
  assert.deepEqual(alice.alarms, ['old-wrap-key']);
  assert.equal(wrapsOf([alice]).length, wraps);
  assert.ok(before > 0);
});

test('P29 P31 RSA and DSA signers share conversations, and each ciphertext has one of seven lengths', async () => {
  const { room, alice, bob, carol, id } = await plans();
  for (const member of [alice, bob, carol]) {
    for (const length of [1, 300, 3_000, 15_000]) sayIn(room, member, id, 'x'.repeat(length));
    member.tell(member === alice ? 'bob' : 'alice', 'psst');
    room.advance(500);
  }
  const everyone = [alice, bob, carol];
  for (const member of everyone) assert.equal(member.textsIn(id).length, 15);
  const lengths = new Set(postsOf(everyone).map(({ ciphertext }) => ciphertext.length - 16));
  for (const length of lengths) assert.ok([256, 512, 1_024, 2_048, 4_096, 8_192, 16_384].includes(length));
  assertCalm(...everyone);
  assert.ok(assertKeysUsedOnce(postsOf(everyone)) > 15);
});

test('P32 a key in the place of a verified one holds back what is said where it reads, and nothing elsewhere', async () => {
  const { room, alice, bob, carol, id } = await plans();
  alice.mark('bob', 'verified');
  const without = alice.begin('without', 'carol');
  room.advance(500);
  room.perform(room.room.remove(bob.key, room.clock.moment));
  room.advance(1_000);
  const invitation = room.invite();
  const heir = await room.join('bob', {
    identity: await dsaIdentity(9),
    wrapPair: await wrapKeys(5),
    invitation,
  });
  room.advance(500);
  assert.deepEqual(alice.alarms, ['key-changed-verified']);
  assert.equal(
    alice.session.isVerified(
      (alice.session.members.find(({ member }) => member.nick === 'bob') ?? assert.fail()).member,
    ),
    false,
  );
  // The new key is in none of them.
  sayIn(room, alice, id, 'carol reads this');
  sayIn(room, alice, without, 'and this');
  assert.deepEqual(carol.texts.slice(-2), ['carol reads this', 'and this']);
  alice.tell('bob', 'not before I have decided');
  alice.change(id, { kind: 'add', members: [heir.identity.memberId] });
  room.advance(500);
  alice.sayIn(id, 'neither this');
  room.advance(1_000);
  assert.deepEqual(heir.texts, []);
  assert.deepEqual(
    [...wrappedTo(alice, id)].filter((key) => key === heir.key),
    [],
  );
  alice.mark('bob', 'trusted');
  room.advance(2_000);
  assert.deepEqual([...heir.texts].sort(), ['neither this', 'not before I have decided']);
});

test('P33 text for somebody who is not there, or not any more, goes nowhere', async () => {
  const { room, alice, mallory, id } = await plans();
  const stranger = (alice.session.members.find(({ member }) => member.nick === 'mallory') ?? assert.fail())
    .member;
  mallory.leave();
  room.advance(1_000);
  const sent = alice.sent.length;
  assert.throws(() => alice.session.sayTo(stranger, said('text', 'x'), null, room.clock.moment), {
    code: 'no-such-member',
  });
  const unknown = newConversationId(room.clock.randomBytes(16));
  assert.throws(() => alice.sayIn(unknown, 'x'), { code: 'no-such-conversation' });
  const self = alice.session.self ?? assert.fail();
  assert.throws(() => alice.session.sayTo(self, said('text', 'x'), null, room.clock.moment), {
    code: 'not-allowed',
  });
  room.advance(1_000);
  assert.ok(alice.sent.slice(sent).every((frame) => frameType(frame) === SESSION_FRAME.ack));
  assert.equal(alice.session.conversations.length, 1);
  assert.ok(id);
});

test('P16 neither what is said in a conversation nor what it is called is anywhere in the host', async () => {
  const { room, alice, bob, mallory } = await circle();
  const id = alice.begin('canaryname', 'bob');
  room.advance(500);
  alice.rename(id, { topic: 'canary topic' });
  room.advance(500);
  sayIn(room, bob, id, 'canary text');
  alice.tell('bob', 'canary whisper');
  room.advance(1_000);
  assert.equal(bob.session.conversations[0]?.topic, 'canary topic');
  const isCanary = (bytes: Bytes): boolean => holds(bytes, utf8.encode('canary'));
  const { arrays } = liveState(room.room);
  assert.ok(arrays.length > 50);
  assert.deepEqual(arrays.filter(isCanary), []);
  const chains = [alice, bob].flatMap((member) =>
    lootOf(member).arrays.filter(({ length }) => length === 32),
  );
  assert.deepEqual(texts({ arrays, wrapKeys: [] }, [], postsOf([alice, bob])), []);
  assert.ok(chains.length > 0);
  // Nor is anything of it at somebody else.
  assert.deepEqual(liveState(mallory.session).arrays.filter(isCanary), []);
  const got = mallory.lines.flatMap(({ sentByHost }) => sentByHost);
  assert.ok(!got.some((frame) => holds(frame, id)));
});

test('P45 the limits of conversations hold against a hostile member, and the others are told', async () => {
  const limits = { conversationsPerMember: 6, conversationsMadePerMember: 3, conversationsTotal: 8 };
  const { room, alice, bob, carol, mallory } = await circle({ limits });
  const answers = (member: TestMember): readonly string[] =>
    member
      .eventsOf('notice')
      .map(({ code }) => code)
      .filter((code) => code.startsWith('conversation-'));
  const ids = Array.from({ length: 5 }, (_, place) => mallory.begin(`m${place}`, 'bob'));
  room.advance(500);
  assert.equal(ids.length, 5);
  assert.equal(mallory.session.conversations.length, 3);
  assert.deepEqual(answers(mallory), ['conversation-too-many', 'conversation-too-many']);
  for (let place = 0; place < 3; place += 1) carol.begin(`c${place}`, 'bob');
  room.advance(500);
  // Bob is in as many as he may be, and alice may still make two.
  assert.equal(bob.session.conversations.length, 6);
  alice.begin('full', 'bob');
  alice.begin('one');
  alice.begin('two');
  alice.begin('past-the-total');
  room.advance(500);
  assert.deepEqual(answers(alice), ['conversation-too-many', 'conversation-too-many']);
  assert.equal(alice.session.conversations.length, 2);
  alice.tell('carol', 'one more than the room may have');
  room.advance(500);
  assert.deepEqual(answers(alice).slice(2), ['conversation-too-many']);
  assert.equal(alice.session.conversations.length, 2);
  assertCalm(alice, bob, carol, mallory);
});

test('conversations of two whose other one is gone make way for others', async () => {
  const { room, alice, bob } = await circle({ limits: { conversationsPerMember: 2 } });
  for (let place = 0; place < 5; place += 1) {
    const guest = await room.join(`guest${place}`, {
      ...{ identity: await dsaIdentity(10 + place), wrapPair: await wrapKeys(5) },
    });
    guest.tell('alice', `hello ${place}`);
    room.advance(500);
    alice.tell(`guest${place}`, `bye ${place}`);
    room.advance(500);
    assert.equal(guest.texts.at(-1), `bye ${place}`);
    guest.leave();
    room.advance(1_000);
  }
  const id = alice.begin('plans', 'bob');
  room.advance(500);
  sayIn(room, bob, id, 'still here');
  assert.equal(alice.textsIn(id).at(-1), 'still here');
  alice.loseLine();
  alice.comeBack();
  room.advance(2_000);
  sayIn(room, bob, id, 'once more');
  assert.equal(alice.textsIn(id).at(-1), 'once more');
  assert.deepEqual(alice.eventsOf('notice'), []);
  assertCalm(alice, bob);
});

test('P38 a host whose clock is late leaves out no more of a conversation for it', async () => {
  const room = await openRoom();
  const { room: host, clock } = room;
  const lateMs = 8 * 24 * 60 * 60_000;
  clock.nowMs += lateMs;
  const late = (): Moment => ({ ...clock.moment, nowMs: clock.nowMs - lateMs });
  host.frame = (connection, frame) => Room.prototype.frame.call(host, connection, frame, late());
  host.tick = () => Room.prototype.tick.call(host, late());
  const [alice, bob] = [await room.join('alice'), await room.join('bob')];
  alice.tell('bob', 'all as ever');
  room.advance(500);
  bob.loseLine();
  alice.tell('bob', 'do NOT pay');
  room.advance(500);
  bob.comeBack().toMember = on(SESSION_FRAME.log, (body) => {
    const page = LogPage.decode(body);
    const items = page.items.map((item) => {
      const entry = item.form === 'whole' ? WholeItem.decode(item.body) : null;
      if (entry?.kind !== 'message') return item;
      const { kind, placedAtMs } = entry;
      const digest = DigestItem.encode({ kind, placedAtMs, leaf: leafHash(entry) });
      return { form: 'digest' as const, body: digest };
    });
    return [LogPage.encode({ ...page, items })];
  });
  room.advance(1_000);
  assert.deepEqual(bob.alarms, ['withheld']);
});

test('P45 operations beyond the rate are refused, and change nothing', async () => {
  const { room, alice, bob, id } = await plans({ limits: { conversePerMinute: 10 } });
  for (let place = 0; place < 40; place += 1) {
    alice.change(id, {
      kind: 'role',
      member: bob.identity.memberId,
      role: place % 2 === 0 ? 'moderator' : 'member',
    });
    room.pump();
  }
  const changed = bob.eventsOf('conversation').filter(({ change }) => change === 'members').length;
  assert.ok(changed < 10, String(changed));
  assert.ok(alice.eventsOf('notice').some(({ code }) => code === 'conversation-too-fast'));
  assertCalm(alice, bob);
});

test('frames for a conversation that one is not in give nothing away, and cost their sender’s connection at most', async () => {
  const make: Record<string, (all: Circle & { readonly id: ConversationId }) => readonly Bytes[]> = {
    PULL_LOG: ({ id }) => [
      encodeFrame(SESSION_FRAME.pullLog, PullLog.encode({ conversation: id, after: 0 })),
    ],
    'PULL_LOG far ahead': ({ id }) => [
      encodeFrame(SESSION_FRAME.pullLog, PullLog.encode({ conversation: id, after: 0xffffffff })),
    ],
    PULL_CONVERSATION: ({ id }) => [
      encodeFrame(SESSION_FRAME.pullConversation, PullConversation.encode({ conversation: id, from: 0 })),
    ],
    ACK: ({ id }) => [encodeFrame(SESSION_FRAME.ack, Ack.encode({ conversation: id, index: 1 }))],
    POST: ({ alice }) => [
      encodeFrame(SESSION_FRAME.post, Post.encode(postsOf([alice]).at(-1) ?? assert.fail())),
    ],
    WRAPS: ({ alice }) => [
      encodeFrame(SESSION_FRAME.wraps, bodiesOf(alice.sent, SESSION_FRAME.wraps).at(-1) ?? assert.fail()),
    ],
    NEEDKEY: ({ room, alice, mallory, id }) => {
      const { chainId } = MessageHeader.decode((postsOf([alice]).at(-1) ?? assert.fail()).header);
      const bytes = NeedKey.encode({
        ...{ version: PROTOCOL_VERSION, roomId: room.id, conversation: id },
        ...{ asker: mallory.identity.memberId, sender: alice.identity.memberId, chainId, generation: 1 },
      });
      const request = { bytes, signature: mallory.identity.sign('sc1/needkey', bytes) };
      return [encodeFrame(SESSION_FRAME.needKey, NeedKeyFrame.encode({ request }))];
    },
    CONVERSE: ({ alice }) => [
      encodeFrame(
        SESSION_FRAME.converse,
        bodiesOf(alice.sent, SESSION_FRAME.converse).at(0) ?? assert.fail(),
      ),
    ],
    'OPEN_DIRECT to oneself': ({ mallory }) => [
      encodeFrame(SESSION_FRAME.openDirect, OpenDirect.encode({ memberId: mallory.identity.memberId })),
    ],
    'OPEN_DIRECT to nobody': ({ room }) => [
      encodeFrame(
        SESSION_FRAME.openDirect,
        OpenDirect.encode({ memberId: room.clock.randomBytes(16) as MemberId }),
      ),
    ],
    'what the host sends': ({ alice }) => [
      encodeFrame(
        SESSION_FRAME.conversation,
        bodiesOf(alice.line?.sentByHost ?? [], SESSION_FRAME.conversation).at(-1) ?? assert.fail(),
      ),
    ],
  };
  for (const [name, frames] of Object.entries(make)) {
    const all = await plans();
    const { room, alice, bob, carol, mallory, id } = all;
    const wraps = wrapsOf([alice]).length;
    const { line } = mallory;
    assert.ok(line);
    const got = line.sentByHost.length;
    for (const frame of frames(all)) mallory.send(frame);
    room.advance(500);
    const answer = line.sentByHost.slice(got);
    const signatures = postsOf([alice, bob, carol]).map(({ signature }) => signature);
    assert.ok(!answer.some((frame) => signatures.some((each) => holds(frame, each))), name);
    sayIn(room, alice, id, 'undisturbed');
    for (const member of [bob, carol]) assert.equal(member.textsIn(id).at(-1), 'undisturbed', name);
    assert.equal(wrapsOf([alice]).length, wraps, name);
    assert.deepEqual(rolesOf(bob, id), ['alice', 'bob', 'carol'], name);
    assertCalm(alice, bob, carol);
  }
});

test('whoever came in later is sent nothing from before, whatever their client asks for', async () => {
  const { room, alice, mallory, id } = await plans();
  sayIn(room, alice, id, 'before mallory');
  const [secret] = postsOf([alice]).slice(-1);
  alice.change(id, { kind: 'add', members: [mallory.identity.memberId] });
  room.advance(500);
  mallory.loseLine();
  const line = mallory.comeBack();
  line.toHost = (frame) => {
    const [body] = bodiesOf([frame], SESSION_FRAME.pullLog);
    if (body === undefined || idKey(PullLog.decode(body).conversation) !== idKey(id)) return [frame];
    return [encodeFrame(SESSION_FRAME.pullLog, PullLog.encode({ conversation: id, after: 0 }))];
  };
  room.advance(1_000);
  assert.ok(secret && !line.sentByHost.some((frame) => holds(frame, secret.signature)));
});

test('hostile pages of a conversation: an alarm or the connection, and nothing else', async () => {
  const twists: Record<string, (page: ConversationPage, all: Circle) => ConversationPage> = {
    'another id': (page, { room }) => ({
      ...page,
      conversation: newConversationId(room.clock.randomBytes(16)),
    }),
    'no operations': (page) => ({ ...page, operations: [], total: 0 }),
    'a list without end': (page) => ({ ...page, total: 0xffff }),
    'nothing on a page': (page) => ({ ...page, operations: [] }),
    'an epoch of its own': (page) => ({ ...page, epoch: page.epoch + 1 }),
    'the conversation of two with operations': (page, { alice }) => ({
      ...page,
      direct: [alice.identity.memberId],
    }),
    'from the middle': (page) => ({ ...page, from: 7 }),
    'a signature that does not hold': (page) => ({
      ...page,
      operations: page.operations.map((each) => ({
        ...each,
        operation: { ...each.operation, signature: new Uint8Array(each.operation.signature.length) },
      })),
    }),
    'a message in the list': (page) => ({
      ...page,
      operations: page.operations.map((each) => ({ ...each, kind: 'message' as const })),
    }),
    'a removal that the owner did not sign': (page) => ({
      ...page,
      total: 2,
      epoch: 2,
      operations: [
        ...page.operations,
        ...page.operations.map((each) => ({ ...each, kind: 'roster' as const })),
      ],
    }),
  };
  for (const [name, twist] of Object.entries(twists)) {
    const all = await circle();
    const { room, alice, bob, carol } = all;
    const { line } = bob;
    assert.ok(line);
    line.toMember = on(SESSION_FRAME.conversation, (body) => [
      ConversationPage.encode(twist(ConversationPage.decode(body), all)),
    ]);
    const id = alice.begin('plans', 'bob', 'carol');
    room.advance(1_000);
    const { outcome } = bob;
    const isCut = outcome.kind === 'failed' && 'code' in outcome.error;
    assert.ok(
      isCut || bob.alarms.length === 1 || name === 'another id',
      `${name}: ${JSON.stringify(outcome)}`,
    );
    assert.deepEqual(
      bob.eventsOf('conversation').filter(({ change }) => change === 'opened'),
      [],
      name,
    );
    sayIn(room, carol, id, 'not for liars');
    assert.equal(alice.textsIn(id).at(-1), 'not for liars');
    assertCalm(alice, carol);
  }
});

test('a member with as many conversations as there may be: little memory, and little to do for each frame', async () => {
  const { room, alice, bob } = await circle({
    limits: { conversationsMadePerMember: 64, conversePerMinute: 1_000 },
  });
  for (let place = 0; place < 64; place += 1) {
    alice.begin(`c${place}`, 'bob');
    room.advance(500);
  }
  assert.equal(bob.session.conversations.length, 64);
  assert.throws(() => alice.begin('one-more', 'bob'), { code: 'too-many' });
  const startMs = performance.now();
  const rounds = 2_000;
  for (let round = 0; round < rounds; round += 1) bob.session.tick(room.clock.moment);
  const each = (performance.now() - startMs) / rounds;
  assert.ok(each < 5, `${each.toFixed(3)} ms for a tick`);
  for (const member of [alice, bob]) {
    member.loseLine();
    member.comeBack();
  }
  room.advance(2_000);
  assert.equal(bob.session.conversations.length, 64);
  assertCalm(alice, bob);
});

/** What reaches a member's screen, and what never does. @see docs/security.md#promises */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CIPHERTEXT_BYTES } from '../../src/crypto/ciphertext-length.ts';
import { contentCommitment, encodeContent } from '../../src/crypto/content.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { checkProof } from '../../src/crypto/proof.ts';
import type { SigningKey } from '../../src/crypto/signature.ts';
import { idReference, said } from '../../src/protocol/content.ts';
import { ProtocolError } from '../../src/protocol/errors.ts';
import { encodeFrame } from '../../src/protocol/framing.ts';
import {
  chainId,
  ciphertext,
  conversationId,
  hash,
  ROOM_CONVERSATION,
  roomId,
} from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { Proof } from '../../src/protocol/proof.ts';
import { Entry, Post, SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import { MessageHeader } from '../../src/protocol/signed-objects.ts';
import { company } from '../helpers/company.ts';
import { repeated } from '../helpers/effort.ts';
import { bodiesOf, EvilHost } from '../helpers/evil-host.ts';
import { EvilMember } from '../helpers/evil-member.ts';
import { dsaIdentity, rsaIdentity, wrapKeys } from '../helpers/keys.ts';
import type { TestMember } from '../helpers/member.ts';
import { openRoom, type TestRoom } from '../helpers/room.ts';

async function party(...nicks: readonly string[]): Promise<{ room: TestRoom; members: TestMember[] }> {
  const room = await openRoom();
  const members: TestMember[] = [];
  for (const nick of nicks) members.push(await room.join(nick));
  return { room, members };
}

function say(room: TestRoom, from: TestMember, text: string): void {
  from.say(text);
  room.pump();
}

/** The members as someone knows them who only watched what was shown. */
function shownRoster(member: TestMember): readonly string[] {
  const nicks = new Map<string, string>();
  for (const event of member.events) {
    if (event.kind === 'joined') {
      nicks.clear();
      for (const listed of event.members) nicks.set(listed.member.key, listed.member.nick);
    }
    if (event.kind !== 'roster') continue;
    for (const added of event.change.added) nicks.set(added.key, added.nick);
    for (const { member: gone } of event.change.removed) nicks.delete(gone.key);
    for (const { after } of event.change.changed) nicks.set(after.key, after.nick);
  }
  return [...nicks.values()].sort();
}

test('P18 every roster change is shown by every client, also to those who were away', async () => {
  const { room, members } = await party('alice', 'bob', 'carol');
  const [alice, bob, carol] = members as [TestMember, TestMember, TestMember];
  bob.loseLine();
  room.advance(500);
  const dave = await room.join('dave');
  room.advance(500);
  carol.leave();
  room.advance(500);
  room.perform(room.room.remove(dave.key, room.clock.moment));
  room.advance(500);
  const erin = await room.join('erin', { invitation: room.invite() });
  bob.comeBack();
  room.advance(500);
  for (const member of [alice, bob, erin]) {
    assert.deepEqual(shownRoster(member), ['alice', 'bob', 'erin']);
    assert.deepEqual(member.alarms, []);
  }
  const changes = (member: TestMember) =>
    member
      .eventsOf('roster')
      .flatMap(({ change }) => [
        ...change.added.map(({ nick }) => `+${nick}`),
        ...change.removed.map(({ member: { nick }, reason }) => `-${nick} ${reason}`),
      ])
      .slice(-4);
  const expected = ['+dave', '-carol left', '-dave removed', '+erin'];
  assert.deepEqual([changes(alice), changes(bob)], [expected, expected]);
});

/** Small, fast and repeatable. */
function* numbers(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state >>> 8;
  }
}

type Mutation = (honest: Post, other: Post, random: () => number) => Post;

function flipped(bytes: Uint8Array, random: () => number): Uint8Array {
  const copy = bytes.slice();
  const at = random() % copy.length;
  copy[at] = (copy[at] ?? 0) ^ (1 << (random() % 8));
  return copy;
}

function anyBytes(length: number, random: () => number): Uint8Array {
  return Uint8Array.from({ length }, random);
}

/** The same message under another header that nobody signed. */
function headed(post: Post, changes: Partial<MessageHeader>): Post {
  return { ...post, header: MessageHeader.encode({ ...MessageHeader.decode(post.header), ...changes }) };
}

const MUTATIONS: readonly Mutation[] = [
  (honest, _, random) => ({ ...honest, header: flipped(honest.header, random) }),
  (honest, _, random) => ({ ...honest, ciphertext: ciphertext(flipped(honest.ciphertext, random)) }),
  (honest, _, random) => ({ ...honest, signature: flipped(honest.signature, random) }),
  (honest, other) => ({ ...honest, header: other.header }),
  (honest, other) => ({ ...honest, ciphertext: other.ciphertext }),
  (honest, other) => ({ ...honest, signature: other.signature }),
  (honest, other) => ({ ...other, ciphertext: honest.ciphertext }),
  (honest, other) => headed(honest, { memberId: MessageHeader.decode(other.header).memberId }),
  (honest, other) => headed(honest, { chainId: MessageHeader.decode(other.header).chainId }),
  (honest, _, random) => headed(honest, { roomId: roomId(anyBytes(16, random)) }),
  (honest, _, random) => headed(honest, { conversation: conversationId(anyBytes(16, random)) }),
  (honest, _, random) => headed(honest, { content: hash(anyBytes(32, random)) }),
  (honest, other) => headed(honest, { content: MessageHeader.decode(other.header).content }),
  (honest, _, random) => headed(honest, { epoch: random() % 8 }),
  (honest, _, random) => headed(honest, { conversationEpoch: 1 + (random() % 8) }),
  (honest, _, random) => headed(honest, { n: 1 + (random() % 300) }),
  (honest, _, random) => headed(honest, { generation: 2 + (random() % 8) }),
  (honest, _, random) => headed(honest, { seenIndex: random() % 6 }),
  (honest, _, random) => ({
    ...honest,
    ciphertext: ciphertext(honest.ciphertext.subarray(0, random() % honest.ciphertext.length)),
  }),
  (honest, _, random) => ({ ...honest, signature: honest.signature.subarray(0, random() % 384) }),
  (honest, _, random) => ({ ...honest, signature: anyBytes(384, random) }),
];

const P23_MUTATIONS = repeated({ quick: 25_000, thorough: 100_000, slow: 100_000 });

test(`P23 of ${P23_MUTATIONS} forged, spliced or damaged envelopes none is accepted`, async () => {
  const { room, members } = await party('alice', 'bob', 'carol');
  const [alice, bob, carol] = members as [TestMember, TestMember, TestMember];
  for (const member of members) say(room, member, 'hello');
  const evil = new EvilHost(room);
  const honest = evil.catchPost(alice, 'pay carol ten');
  const other = evil.catchPost(carol, 'pay carol a thousand');
  const shownBefore = bob.messages.length;
  const source = numbers(23);
  const random = (): number => source.next().value;
  const original = Post.encode(honest);
  let index = bob.session.position?.index ?? 0;
  let tried = 0;
  for (let turn = 0; tried < P23_MUTATIONS; turn += 1) {
    const mutate = MUTATIONS[turn % MUTATIONS.length] ?? assert.fail();
    const forged = mutate(honest, other, random);
    if (Buffer.compare(Post.encode(forged), original) === 0) continue;
    tried += 1;
    const place = {
      conversation: ROOM_CONVERSATION,
      index: index + 1,
      kind: 'message',
      placedAtMs: 1,
    } as const;
    const frame = encodeFrame(SESSION_FRAME.entry, Entry.encode({ ...place, ...forged }));
    try {
      const effects = bob.session.onFrame(frame, room.clock.moment);
      for (const effect of effects)
        assert.ok(effect.kind !== 'event' || effect.event.kind !== 'message', `mutation ${turn}`);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
    index = bob.session.position?.index ?? 0;
  }
  assert.equal(bob.messages.length, shownBefore);
  // Not for another reason than the damage: the message as it was sealed is still taken.
  evil.show(bob, honest);
  assert.equal(bob.texts.at(-1), 'pay carol ten');
});

/** What an evil member can make of their own envelope, or of someone else's: signed for real. */
function signed(identity: SigningKey, post: Post, changes: Partial<MessageHeader>): Post {
  const { header } = headed(post, { memberId: identity.memberId, ...changes });
  const signature = identity.sign('sc1/msg', [sha256(header), sha256(post.ciphertext)]);
  return { ...post, header, signature };
}

test('P23 a real signature does not carry an envelope to another room, conversation, epoch, sender or place', async () => {
  const { room, members } = await party('alice', 'bob', 'mallory');
  const [alice, bob, mallory] = members as [TestMember, TestMember, TestMember];
  for (const member of members) say(room, member, 'hello');
  const evil = new EvilHost(room);
  const own = evil.catchPost(mallory, 'mine');
  const foreign = evil.catchPost(alice, 'alice’s');
  const zeros = hash(new Uint8Array(32));
  const { header } = own;
  const { epoch, n } = MessageHeader.decode(header);
  const splices: Record<string, Post> = {
    'another room': signed(mallory.identity, own, { roomId: roomId(new Uint8Array(16)) }),
    'another conversation': signed(mallory.identity, own, {
      conversation: conversationId(new Uint8Array(16).fill(1)),
    }),
    'an epoch to come': signed(mallory.identity, own, { epoch: epoch + 1 }),
    'another roster': signed(mallory.identity, own, { rosterHash: zeros }),
    'the words of someone else': signed(mallory.identity, foreign, {}),
    'the words of someone else on her own chain': signed(mallory.identity, foreign, {
      chainId: MessageHeader.decode(header).chainId,
    }),
    'another number': signed(mallory.identity, own, { n: n + 1 }),
    'another content': signed(mallory.identity, own, {
      content: MessageHeader.decode(foreign.header).content,
    }),
    'another key': signed(mallory.identity, own, { commitment: zeros }),
    'another predecessor': signed(mallory.identity, own, { previous: zeros }),
    'a place that is not there yet': signed(mallory.identity, own, { seenIndex: 1_000 }),
    'another past': signed(mallory.identity, own, { seenHead: zeros }),
    'an unknown chain': signed(mallory.identity, own, { chainId: chainId(new Uint8Array(8)) }),
    'another version': signed(mallory.identity, own, { version: 2 }),
    'the name of someone else': signed(mallory.identity, own, { memberId: alice.identity.memberId }),
    'another purpose': {
      ...own,
      signature: mallory.identity.sign('sc1/chain', [sha256(header), sha256(own.ciphertext)]),
    },
  };
  const before = bob.messages.length;
  for (const [name, post] of Object.entries(splices)) {
    evil.show(bob, post);
    assert.equal(bob.messages.length, before, name);
    assert.ok(bob.alarms.length > 0 || bob.eventsOf('unopened').length > 0, name);
    bob.acknowledge();
  }
});

test('P23 a header that commits to another content than the sealed one is refused, however well it is signed', async () => {
  const { room, members } = await party('alice', 'bob', 'mallory');
  const [alice, bob, mallory] = members as [TestMember, TestMember, TestMember];
  for (const member of members) say(room, member, 'hello');
  const evil = new EvilMember(mallory, bob);
  const salt = room.clock.randomBytes(16);
  const promised = contentCommitment(encodeContent(said('text', 'I owe you ten'), salt));
  const unsalted = contentCommitment(encodeContent(said('text', 'I owe you one'), new Uint8Array(16)));
  const before = bob.texts.length;
  for (const content of [promised, unsalted, hash(new Uint8Array(32))]) {
    evil.post(said('text', 'I owe you one'), { content });
    room.advance(250);
  }
  for (const member of [alice, bob]) {
    assert.equal(member.texts.length, before);
    assert.equal(member.eventsOf('unopened').length, 3);
    assert.deepEqual([...new Set(member.alarms)], ['unreadable']);
    // It is one member's doing, and silences nobody.
    assert.equal(member.session.heldBack, false);
  }
  evil.post(encodeContent(said('text', 'I owe you ten'), salt), { content: promised });
  room.advance(250);
  assert.deepEqual([alice.texts.at(-1), bob.texts.at(-1)], ['I owe you ten', 'I owe you ten']);
});

test('P23 nobody changes or deletes what somebody else has said: not as a member, a moderator or the owner', async () => {
  const { room, olga, mona, ann, ben, all } = await company();
  say(room, ann, 'I owe Ben ten');
  const { id } = ben.messages.at(-1) ?? assert.fail();
  const reference = idReference(id) ?? assert.fail();
  for (const [place, other] of [ben, mona, olga].entries()) {
    for (const kind of ['edit', 'delete'] as const) {
      other.utter({ kind, reference, text: kind === 'edit' ? 'I owe Ben a thousand' : '' });
      room.advance(1_000);
    }
    for (const member of all) {
      const notices = member.eventsOf('notice').filter(({ code }) => code === 'not-theirs');
      assert.equal(notices.length, place + 1);
      assert.ok(notices.at(-1)?.text.startsWith(`${other.session.self?.nick} tried to change what ann said`));
      assert.deepEqual([member.eventsOf('edited'), member.eventsOf('deleted')], [[], []]);
      assert.equal(member.session.messageCalled(id)?.message.isDeleted, false);
      assert.deepEqual(member.alarms, []);
    }
  }
  // What is quoted of it later is what its author said, and the author still changes it.
  ben.utter(said('text', 'you do', reference));
  ann.utter({ kind: 'edit', reference, text: 'I owe Ben twenty' });
  room.advance(1_000);
  for (const member of all) {
    assert.equal(member.messages.at(-1)?.replyTo?.excerpt, 'I owe Ben ten');
    assert.deepEqual(
      member.eventsOf('edited').map(({ from, text }) => [from.nick, text]),
      [['ann', 'I owe Ben twenty']],
    );
  }
});

test('P23 a change that is shown again counts once', async () => {
  const { room, members } = await party('alice', 'bob', 'carol');
  const [alice, bob] = members as [TestMember, TestMember];
  for (const member of members) say(room, member, 'hello');
  const { id } = bob.messages[0] ?? assert.fail();
  const reference = idReference(id) ?? assert.fail();
  const evil = new EvilHost(room);
  const honest = evil.catchPost(alice, { kind: 'edit', reference, text: 'goodbye' });
  evil.show(bob, honest);
  assert.deepEqual(
    bob.eventsOf('edited').map(({ about, text }) => [about.id, text]),
    [[id, 'goodbye']],
  );
  evil.show(bob, honest);
  assert.equal(bob.eventsOf('edited').length, 1);
  assert.ok(bob.alarms.length > 0);
});

test('P29 every ciphertext has one of seven lengths, whatever is said', async () => {
  assert.equal(CIPHERTEXT_BYTES.length, 7);
  const { room, members } = await party('alice');
  const [alice] = members as [TestMember];
  const lengths = new Set<number>();
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 600, size: 'max' }),
    fc.integer({ min: 0, max: LIMITS.textBytes }).map((length) => 'x'.repeat(length)),
    fc.integer({ min: 0, max: LIMITS.textBytes / 4 }).map((length) => '🐚'.repeat(length)),
    ...[253, 254, 255, 509, 510, 1_021, 2_045, 4_093, 8_189, LIMITS.textBytes].map((length) =>
      fc.constant('x'.repeat(length)),
    ),
  );
  fc.assert(
    fc.property(text, (words) => {
      alice.say(words);
      room.advance(250);
      const [post] = bodiesOf(alice.sent.slice(-3), SESSION_FRAME.post).slice(-1);
      assert.ok(post);
      assert.equal(alice.texts.at(-1), words);
      const { length } = Post.decode(post).ciphertext;
      lengths.add(length);
      assert.ok(CIPHERTEXT_BYTES.includes(length), `${length}`);
    }),
    { numRuns: 300, seed: 29 },
  );
  assert.deepEqual(
    [...lengths].sort((left, right) => left - right),
    CIPHERTEXT_BYTES,
  );
});

test('P31 RSA and DSA signers share a room', async () => {
  const room = await openRoom();
  const people: readonly (readonly [string, SigningKey])[] = [
    ['rose', await rsaIdentity(0)],
    ['dan', await dsaIdentity(0)],
    ['rob', await rsaIdentity(1)],
    ['dora', await dsaIdentity(1)],
  ];
  const members: TestMember[] = [];
  for (const [place, [nick, identity]] of people.entries())
    members.push(await room.join(nick, { identity, wrapPair: await wrapKeys(place) }));
  const spoken: string[] = [];
  for (const round of [1, 2]) {
    for (const member of members) {
      spoken.push(`${member.session.self?.nick} ${round}`);
      say(room, member, spoken.at(-1) ?? '');
    }
  }
  for (const member of members) {
    assert.deepEqual(member.texts, spoken);
    assert.deepEqual(member.alarms, []);
    assert.deepEqual(member.session.members.map((listed) => listed.member.algorithm).sort(), [
      'dsa',
      'dsa',
      'rsa',
      'rsa',
    ]);
    // Everyone is told who signs with what, and can prove of everyone what they said.
    for (const [place, { id, from, text }] of member.messages.entries()) {
      const [nick, identity] = people[place % people.length] ?? assert.fail();
      assert.deepEqual([from.nick, from.algorithm], [nick, identity.algorithm]);
      assert.equal(member.session.keyBits(from), 3_072);
      const { signer, signerBits, content } = checkProof(Proof.encode(member.session.proof(id).proof));
      assert.deepEqual(
        [signer.identity, signer.algorithm, signerBits, content.text],
        [identity.idFingerprint, identity.algorithm, 3_072, text],
      );
    }
  }
});

/** Who can get at whose keys, and for how long. @see docs/security.md#promises */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentCommitment, encodeContent } from '../../src/crypto/content.ts';
import { sealEnvelope } from '../../src/crypto/envelope.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { wrapChainKey } from '../../src/crypto/key-wrap.ts';
import { chainStart } from '../../src/crypto/log-hash.ts';
import { operationHash } from '../../src/crypto/roster.ts';
import { SendingChain } from '../../src/crypto/sender-chain.ts';
import type { SigningKey } from '../../src/crypto/signature.ts';
import { checkStatement, makeStatement } from '../../src/crypto/statement.ts';
import { type Bytes, toHex } from '../../src/protocol/bytes.ts';
import type { Signed } from '../../src/protocol/codec.ts';
import { said } from '../../src/protocol/content.ts';
import { encodeFrame } from '../../src/protocol/framing.ts';
import {
  chainId,
  type MemberId,
  ROOM_CONVERSATION,
  type RoomId,
  roomId,
  ZERO_HASH,
} from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import {
  Deferred,
  KeysPage,
  Post,
  PublishKey,
  SESSION_FRAME,
  WrapDelivery,
} from '../../src/protocol/session-frames.ts';
import { ChainAnnouncement, MessageHeader } from '../../src/protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../../src/protocol/version.ts';
import { bodiesOf, EvilHost, holds, on } from '../helpers/evil-host.ts';
import { rsaIdentity, wrapKeys } from '../helpers/keys.ts';
import { liveState } from '../helpers/live-state.ts';
import type { TestMember } from '../helpers/member.ts';
import { openRoom, type TestRoom } from '../helpers/room.ts';
import { assertKeysUsedOnce, lootOf, postsOf, texts, unwrap, wrapsOf } from '../helpers/thief.ts';

async function party(...nicks: readonly string[]): Promise<{ room: TestRoom; members: TestMember[] }> {
  const room = await openRoom();
  const members: TestMember[] = [];
  for (const nick of nicks) members.push(await room.join(nick));
  return { room, members };
}

function sealedBy(members: readonly TestMember[]): ReadonlySet<string> {
  return new Set(postsOf(members).map(({ header }) => toHex(header)));
}

function say(room: TestRoom, from: TestMember, text: string): void {
  from.say(text);
  room.pump();
  for (let tries = 0; from.session.unplaced > 0 && tries < 4; tries += 1) room.advance(250);
}

test('the thief of these tests is a real one: a member’s state opens what comes next', async () => {
  const { room, members } = await party('alice', 'bob');
  const [alice, bob] = members as [TestMember, TestMember];
  say(room, alice, 'before');
  const loot = { ...lootOf(bob), wrapKeys: [] };
  say(room, alice, 'after');
  assert.deepEqual(texts(loot, [], postsOf(members)), ['after']);
  assert.deepEqual(texts(lootOf(bob), wrapsOf(members), postsOf(members)), ['before', 'after']);
});

type Forge = (honest: Signed, room: RoomId) => Promise<readonly Signed[]>;

/** The host's own keys in place of bob's. */
async function hostStatement(identity: SigningKey, room: RoomId, generation = 1): Promise<Signed> {
  return makeStatement(identity, room, generation, (await wrapKeys(6)).publicKeys);
}

const FORGERIES: Record<string, Forge> = {
  'signed by a stranger': async (_, room) => [await hostStatement(await rsaIdentity(6), room)],
  'a stranger naming bob': async (honest, room) => {
    const stranger = await rsaIdentity(6);
    const mine = await hostStatement(stranger, room);
    const bytes = mine.bytes.slice();
    // version 1, room 16, then the member's id 16.
    bytes.set(honest.bytes.subarray(17, 33), 17);
    return [{ bytes, signature: stranger.sign('sc1/wrapkey', bytes) }];
  },
  'other wrap keys under the signature of bob': async (honest, room) => {
    const mine = await hostStatement(await rsaIdentity(6), room);
    const bytes = honest.bytes.slice();
    bytes.set(mine.bytes.subarray(-1184), bytes.length - 1184);
    return [{ bytes, signature: honest.signature }];
  },
  'that of another room': async () => [
    await hostStatement(await rsaIdentity(1), roomId(new Uint8Array(16).fill(1))),
  ],
  'signed by bob for another purpose': async (honest) => [
    { bytes: honest.bytes, signature: (await rsaIdentity(1)).sign('sc1/chain', honest.bytes) },
  ],
  'that of someone who was not asked for': async (honest, room) => [
    honest,
    await hostStatement(await rsaIdentity(6), room),
  ],
  'that of another member': async (_, room) => [
    makeStatement(await rsaIdentity(2), room, 1, (await wrapKeys(2)).publicKeys),
  ],
};

test('P17 no wrap goes to a key that the signed roster does not list, whatever the host hands out', async () => {
  const stolen = (await wrapKeys(6)).rsaPrivate;
  assert.equal(stolen.asymmetricKeyType, 'rsa');
  for (const [name, forge] of Object.entries(FORGERIES)) {
    const { room, members } = await party('alice', 'bob');
    const [alice, bob] = members as [TestMember, TestMember];
    const forged = await forge(bob.wrapKeys.current.statement, room.id);
    assert.ok(alice.line);
    alice.line.toMember = on(SESSION_FRAME.keys, () => [KeysPage.encode({ statements: [...forged] })]);
    say(room, alice, 'for bob alone');
    assert.deepEqual(alice.alarms, ['foreign-statement'], name);
    assert.deepEqual(postsOf(members), [], `${name}: sending is held back`);
    alice.acknowledge();
    room.advance(1_000);
    const pair = await wrapKeys(6);
    const thief = forged.flatMap((statement) =>
      [alice, bob, ...members].map(({ identity }) => ({
        pair,
        memberId: identity.memberId,
        statementHash: sha256(statement.bytes),
      })),
    );
    assert.deepEqual(texts({ arrays: [], wrapKeys: thief }, wrapsOf(members), postsOf(members)), [], name);
    const listed = new Set(room.room.members.map(({ key }) => key));
    for (const { wrap } of wrapsOf(members)) assert.ok(listed.has(toHex(wrap.memberId)));
  }
});

test('P25 an old wrap key is refused once its member has quoted a newer one', async () => {
  const { room, members } = await party('alice', 'bob');
  const [alice, bob] = members as [TestMember, TestMember];
  const old = bob.wrapKeys.current;
  bob.renew(await wrapKeys(5));
  say(room, bob, 'I have new keys');
  assert.ok(alice.line);
  alice.line.toMember = on(SESSION_FRAME.keys, () => [KeysPage.encode({ statements: [old.statement] })]);
  say(room, alice, 'hello');
  assert.deepEqual(alice.alarms, ['old-wrap-key']);
  assert.deepEqual(wrapsOf([alice]), []);
});

test('P25 the host takes no older, equal or foreign wrap key from a member', async () => {
  const statements: Record<string, (identity: SigningKey, room: RoomId) => Promise<Signed>> = {
    equal: (identity, room) => hostStatement(identity, room, 2),
    older: (identity, room) => hostStatement(identity, room, 1),
    foreign: async (_, room) => hostStatement(await rsaIdentity(6), room, 3),
  };
  for (const [name, statementOf] of Object.entries(statements)) {
    const { room, members } = await party('alice');
    const [alice] = members as [TestMember];
    alice.renew(await wrapKeys(5));
    const statement = await statementOf(alice.identity, room.id);
    alice.send(encodeFrame(SESSION_FRAME.publishKey, PublishKey.encode({ statement })));
    room.pump();
    assert.deepEqual(
      alice.eventsOf('closed').map(({ reason }) => reason),
      ['protocol'],
      name,
    );
  }
});

test('P25 a sender who quotes an older generation than before is an alarm', async () => {
  const { room, members } = await party('alice', 'bob', 'mallory');
  const [, bob, mallory] = members as [TestMember, TestMember, TestMember];
  const evil = new EvilHost(room);
  mallory.renew(await wrapKeys(5));
  say(room, mallory, 'with new keys');
  const honest = evil.catchPost(mallory, 'with old keys');
  const post = resign(mallory.identity, honest, { generation: 1 });
  evil.show(bob, post);
  assert.deepEqual(bob.alarms, ['old-generation']);
});

/** What an evil member makes of a message of their own: another header, signed for real. */
function resign(identity: SigningKey, post: Post, changes: Partial<MessageHeader>): Post {
  const header = MessageHeader.encode({ ...MessageHeader.decode(post.header), ...changes });
  const { ciphertext } = post;
  return { header, ciphertext, signature: identity.sign('sc1/msg', [sha256(header), sha256(ciphertext)]) };
}

test('P19 a joiner opens nothing that was sent before they were added, given every recorded byte', async () => {
  const { room, members } = await party('alice', 'bob');
  const [alice, bob] = members as [TestMember, TestMember];
  for (const text of ['one', 'two', 'three']) {
    say(room, alice, text);
    say(room, bob, `${text} too`);
  }
  const past = postsOf(members);
  const eve = await room.join('eve');
  say(room, alice, 'welcome, eve');
  say(room, bob, 'hello, eve');
  assert.deepEqual(eve.texts, ['welcome, eve', 'hello, eve']);
  assert.equal(past.length, 6);
  assert.deepEqual(texts(lootOf(eve), wrapsOf(room.members), past), []);
  // Nor when the host shows the old messages to her program itself.
  const evil = new EvilHost(room);
  for (const post of past) evil.show(eve, post);
  assert.deepEqual(eve.texts, ['welcome, eve', 'hello, eve']);
});

test('P20 the whole state of a removed member opens nothing whose sender has seen the removal', async () => {
  const { room, members } = await party('alice', 'bob', 'mallory');
  const [alice, bob, mallory] = members as [TestMember, TestMember, TestMember];
  for (const member of members) say(room, member, 'hello');
  const loot = lootOf(mallory);
  room.advance(250);
  room.perform(room.room.remove(mallory.key, room.clock.moment));
  room.pump();
  const before = sealedBy(members);
  say(room, alice, 'about mallory');
  say(room, bob, 'indeed');
  say(room, alice, 'yes');
  assert.deepEqual(bob.texts.slice(-3), ['about mallory', 'indeed', 'yes']);
  const after = postsOf(members).filter(({ header }) => !before.has(toHex(header)));
  assert.equal(after.length, 3);
  assert.deepEqual(texts(loot, wrapsOf(members), after), []);
  assert.deepEqual(texts(lootOf(mallory), wrapsOf(members), after), []);
});

test('P20 the login of a removed member fails at once', async () => {
  const { room, members } = await party('alice', 'mallory');
  const [, mallory] = members as [TestMember, TestMember];
  room.advance(250);
  room.perform(room.room.remove(mallory.key, room.clock.moment));
  room.pump();
  assert.deepEqual(
    mallory.eventsOf('closed').map(({ reason }) => reason),
    ['removed'],
  );
  mallory.comeBack();
  room.pump();
  assert.deepEqual(mallory.outcome, { kind: 'refused', reason: 'not-recognised', triesLeft: 0 });
});

test('P20 a removal that the host withholds is caught by the first entry that crosses, either way', async () => {
  const withheld = async (): Promise<{ evil: EvilHost; alice: TestMember; bob: TestMember }> => {
    const { room, members } = await party('alice', 'bob', 'mallory');
    const [alice, bob, mallory] = members as [TestMember, TestMember, TestMember];
    for (const member of members) say(room, member, 'hello');
    assert.ok(bob.line);
    bob.line.toMember = on(SESSION_FRAME.entry, () => []);
    room.advance(250);
    room.perform(room.room.remove(mallory.key, room.clock.moment));
    room.pump();
    assert.equal(bob.session.members.length, 3);
    bob.line.toMember = (frame) => [frame];
    return { evil: new EvilHost(room), alice, bob };
  };
  const first = await withheld();
  first.evil.show(first.alice, first.evil.catchPost(first.bob, 'is mallory still here?'));
  assert.deepEqual(first.alice.alarms, ['stale-placed']);
  assert.ok(!first.alice.texts.includes('is mallory still here?'));
  const second = await withheld();
  second.evil.show(second.bob, second.evil.catchPost(second.alice, 'mallory is gone'));
  assert.deepEqual(second.bob.alarms, ['stale-placed']);
  assert.ok(!second.bob.texts.includes('mallory is gone'));
});

interface HandMade {
  readonly wrap: (to: TestMember, chainKey: Bytes) => Bytes;
  readonly post: (chainKey: Bytes, text: string) => Post;
}

/** A chain made by hand: what an evil member can send that the real machine never would. */
function handMade(room: TestRoom, from: TestMember): HandMade {
  const id = chainId(room.clock.randomBytes(8));
  const { identity } = from;
  const operation = room.log
    .read(0, { entries: 512, bytes: Number.MAX_SAFE_INTEGER })
    .items.findLast((item) => item.kind === 'roster');
  assert.ok(operation?.form === 'whole');
  const rosterHash = operationHash(operation.header);
  const { epoch, index: seenIndex, head: seenHead } = from.session.position ?? assert.fail();
  return {
    wrap(to, chainKey) {
      const chain = SendingChain.start(chainKey);
      const bytes = ChainAnnouncement.encode({
        version: PROTOCOL_VERSION,
        roomId: room.id,
        conversation: ROOM_CONVERSATION,
        epoch,
        rosterHash,
        memberId: identity.memberId,
        chainId: id,
        n: 0,
        commitment: chain.current().commitment,
        algorithm: identity.algorithm,
        identityKey: identity.spki,
      });
      const statement = to.wrapKeys.current;
      const checked = checkStatement(statement.statement, {
        roomId: room.id,
        identity: to.identity.idFingerprint,
        algorithm: to.identity.algorithm,
      });
      const memberId: MemberId = to.identity.memberId;
      const wrapped = wrapChainKey({
        to: checked.wrapKeys,
        chainKey,
        announcementHash: sha256(bytes),
        memberId,
        statementHash: checked.hash,
      });
      const announcement = { bytes, signature: identity.sign('sc1/chain', bytes) };
      const wrap = { memberId, generation: statement.generation, ...wrapped };
      return encodeFrame(SESSION_FRAME.wrap, WrapDelivery.encode({ announcement, wrap }));
    },
    post(chainKey, text) {
      const { key, nonce, n, commitment } = SendingChain.start(chainKey).next();
      const body = encodeContent(said('text', text), room.clock.randomBytes(16));
      const header = MessageHeader.encode({
        version: PROTOCOL_VERSION,
        roomId: room.id,
        conversation: ROOM_CONVERSATION,
        epoch,
        rosterHash,
        conversationEpoch: 0,
        conversationRosterHash: ZERO_HASH,
        memberId: identity.memberId,
        generation: from.wrapKeys.current.generation,
        chainId: id,
        n,
        commitment,
        content: contentCommitment(body),
        previous: chainStart(identity.memberId, id),
        seenIndex,
        seenHead,
      });
      const ciphertext = sealEnvelope({ key, nonce, header, body });
      const signature = identity.sign('sc1/msg', [sha256(header), sha256(ciphertext)]);
      return { header, ciphertext, signature };
    },
  };
}

test('P24 a sender who gives two members different chain keys is caught by the first message', async () => {
  const { room, members } = await party('alice', 'bob', 'mallory');
  const [alice, bob, mallory] = members as [TestMember, TestMember, TestMember];
  const [forAlice, forBob] = [room.clock.randomBytes(32), room.clock.randomBytes(32)];
  const made = handMade(room, mallory);
  assert.ok(alice.line && bob.line);
  room.inject(alice.line, 'member', made.wrap(alice, forAlice));
  room.inject(bob.line, 'member', made.wrap(bob, forBob));
  room.pump();
  const evil = new EvilHost(room);
  const post = made.post(forAlice, 'I tell alice this');
  evil.show(alice, post);
  evil.show(bob, post);
  assert.deepEqual(alice.texts, ['I tell alice this']);
  assert.deepEqual([alice.alarms, bob.alarms], [[], ['two-keys']]);
  assert.deepEqual(bob.texts, []);
});

test('P24 a chain key that is not the one its announcement commits to is an alarm', async () => {
  const { room, members } = await party('alice', 'mallory');
  const [alice, mallory] = members as [TestMember, TestMember];
  const [committed, given] = [room.clock.randomBytes(32), room.clock.randomBytes(32)];
  const made = handMade(room, mallory);
  // The announcement of one key around the wrap of another, sealed for that very announcement.
  const { announcement } = WrapDelivery.decode(made.wrap(alice, committed).subarray(5));
  const statement = alice.wrapKeys.current;
  const { wrapKeys: to, hash } = checkStatement(statement.statement, {
    roomId: room.id,
    identity: alice.identity.idFingerprint,
    algorithm: 'rsa',
  });
  const { memberId } = alice.identity;
  const announcementHash = sha256(announcement.bytes);
  const wrapped = wrapChainKey({ to, chainKey: given, announcementHash, memberId, statementHash: hash });
  const wrap = { memberId, generation: statement.generation, ...wrapped };
  assert.ok(alice.line);
  const frame = encodeFrame(SESSION_FRAME.wrap, WrapDelivery.encode({ announcement, wrap }));
  room.inject(alice.line, 'member', frame);
  room.pump();
  assert.deepEqual(alice.alarms, ['two-keys']);
});

test('P26 after n messages neither side’s state holds or leads to any of the keys 0 to n-1', async () => {
  const { room, members } = await party('alice', 'bob');
  const [alice, bob] = members as [TestMember, TestMember];
  say(room, alice, 'message 0');
  const [recorded] = wrapsOf([alice]);
  assert.ok(recorded);
  const first = unwrap(recorded, lootOf(bob).wrapKeys);
  assert.ok(first);
  const chain = SendingChain.start(first);
  const spent: Bytes[] = [];
  for (let n = 0; n < 10; n += 1) {
    spent.push(chain.current().chainKey);
    spent.push(chain.next().key);
    const next = chain.current().chainKey;
    for (const member of members) {
      const { arrays } = liveState(member.session);
      const name = `${member.session.self?.nick} after message ${n}`;
      for (const key of spent) assert.ok(!arrays.some((bytes) => holds(bytes, key)), name);
      assert.ok(
        arrays.some((bytes) => holds(bytes, next)),
        `${name}: the next key is there`,
      );
      assert.deepEqual(texts({ arrays, wrapKeys: [] }, [], postsOf(members)), [], name);
    }
    say(room, alice, `message ${n + 1}`);
  }
  assert.equal(bob.texts.length, 11);
});

test('P26 with all recorded traffic: nothing older than the wrap keys still held', async () => {
  const { room, members } = await party('alice', 'bob');
  const [alice, bob] = members as [TestMember, TestMember];
  say(room, alice, 'an hour ago');
  const old = bob.wrapKeys.current;
  room.advance(LIMITS.wrapKeyMs);
  assert.ok(bob.wantsWrapKeys);
  bob.renew(await wrapKeys(5));
  room.pump();
  say(room, alice, 'now');
  assert.deepEqual(bob.texts, ['an hour ago', 'now']);
  assert.ok(liveState(bob.session).objects.has(old.pair.rsaPrivate), 'kept for wraps under way');
  room.advance(LIMITS.wrapKeyGraceMs);
  const { objects } = liveState(bob.session);
  assert.ok(!objects.has(old.pair.rsaPrivate) && !objects.has(old.pair.kemPrivate));
  assert.ok(objects.has(bob.wrapKeys.current.pair.rsaPrivate));
  assert.deepEqual(texts(lootOf(bob), wrapsOf(members), postsOf(members)), ['now']);
});

test('P27 once a new generation has reached a sender who began a new chain, a stolen state reads nothing', async () => {
  const { room, members } = await party('alice', 'bob', 'carol');
  const [alice, bob, carol] = members as [TestMember, TestMember, TestMember];
  for (const member of members) say(room, member, 'hello');
  const stolen = lootOf(bob);
  say(room, alice, 'still read');
  assert.deepEqual(texts(stolen, wrapsOf(members), postsOf(members).slice(-1)).length, 1);
  bob.renew(await wrapKeys(5));
  say(room, bob, 'my new generation');
  // Someone goes: everyone begins anew.
  room.advance(250);
  carol.leave();
  room.pump();
  room.advance(500);
  const before = postsOf([alice, bob]).length;
  say(room, alice, 'secret again');
  assert.equal(bob.texts.at(-1), 'secret again');
  const later = postsOf([alice]).slice(-1);
  assert.ok(postsOf([alice, bob]).length > before);
  assert.deepEqual(texts(stolen, wrapsOf(members), later), []);
});

test('P28 no key and nonce serve two messages: STALE, ORDER, WAIT, lost lines, new sessions', async () => {
  const { room, members } = await party('alice', 'bob', 'carol');
  const [alice, bob, carol] = members as [TestMember, TestMember, TestMember];
  for (const member of members) say(room, member, 'hello');

  // STALE: someone goes while messages are under way.
  room.advance(250);
  for (let place = 0; place < 3; place += 1) alice.say(`under way ${place}`);
  room.perform(room.room.remove(carol.key, room.clock.moment));
  room.advance(1_000);

  // ORDER and WAIT, as often as the host likes to say it.
  assert.ok(alice.line);
  const { line } = alice;
  let refused = 0;
  line.toHost = (frame) => {
    const [body] = bodiesOf([frame], SESSION_FRAME.post);
    if (body === undefined || refused >= 24) return [frame];
    refused += 1;
    const { conversation, chainId: chain, n } = MessageHeader.decode(Post.decode(body).header);
    const reason = refused % 3 === 0 ? 'wait' : refused % 3 === 1 ? 'order' : 'stale';
    const deferred = Deferred.encode({ conversation, chainId: chain, n, reason, retryAfterMs: 10 });
    room.inject(line, 'member', encodeFrame(SESSION_FRAME.deferred, deferred));
    return [];
  };
  for (let place = 0; place < 5; place += 1) alice.say(`refused ${place}`);
  room.advance(60_000);
  assert.equal(refused, 24);

  // A line lost with messages under way, before and after the host has placed them.
  for (const placed of [false, true]) {
    for (let place = 0; place < 3; place += 1) alice.say(`lost ${placed} ${place}`);
    if (placed) for (let steps = 0; steps < 3; steps += 1) room.step();
    alice.loseLine();
    room.pump();
    alice.comeBack();
    room.advance(1_000);
  }
  const own = alice.texts.filter((text) => text !== 'hello');
  assert.equal(new Set(own).size, own.length);
  assert.equal(own.length, 14);
  assert.deepEqual(
    bob.texts.filter((text) => text !== 'hello'),
    own,
  );
  assert.deepEqual([alice.alarms, bob.alarms], [[], []]);

  // Everything in memory is gone, and the same person with the same identity comes again.
  room.perform(room.room.remove(alice.key, room.clock.moment));
  room.advance(1_000);
  const invitation = room.invite();
  const again = await room.join('alice2', {
    invitation,
    identity: alice.identity,
    wrapPair: await wrapKeys(0),
  });
  say(room, again, 'here again');
  assert.equal(bob.texts.at(-1), 'here again');
  assert.ok(assertKeysUsedOnce(postsOf([...members, again])) > 30);
});

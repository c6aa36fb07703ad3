/** What a member can prove of what was said: which messages, for how long, and by whom. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { leafHash } from '../../src/crypto/log-hash.ts';
import { checkProof, type Proved } from '../../src/crypto/proof.ts';
import { operationHash, type Roster, rosterMember } from '../../src/crypto/roster.ts';
import { EvidenceBook } from '../../src/member/evidence-book.ts';
import { u32 } from '../../src/protocol/bytes.ts';
import type { Signed } from '../../src/protocol/codec.ts';
import { messageId, said } from '../../src/protocol/content.ts';
import type { Hash } from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { Proof } from '../../src/protocol/proof.ts';
import { Post, SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import { bodiesOf } from '../helpers/evil-host.ts';
import { dsaIdentity, roomOwnerKey, wrapKeys } from '../helpers/keys.ts';
import type { TestMember } from '../helpers/member.ts';
import { makeProof } from '../helpers/proof.ts';
import { openRoom, type TestRoom } from '../helpers/room.ts';

function proved(member: TestMember, id: string): Proved {
  return checkProof(Proof.encode(member.session.proof(id).proof));
}

function say(room: TestRoom, from: TestMember, text: string): string {
  from.say(text);
  room.advance(100);
  const { id } = from.messages.at(-1) ?? assert.fail('not placed');
  return id;
}

async function pair(): Promise<{ room: TestRoom; alice: TestMember; bob: TestMember }> {
  const room = await openRoom();
  const alice = await room.join('alice');
  const identity = await dsaIdentity(1);
  return { room, alice, bob: await room.join('bob', { identity, wrapPair: await wrapKeys(1) }) };
}

describe('what a member can prove', () => {
  test('others’ messages and their own, by the same proof, under whatever kind of key', async () => {
    const { room, alice, bob } = await pair();
    for (const from of [alice, bob]) {
      const id = say(room, from, 'four o’clock');
      for (const member of [alice, bob]) {
        const { signer, content, messageId: found, memberCount, roomName } = proved(member, id);
        assert.deepEqual([signer.memberId, content.text], [from.identity.memberId, 'four o’clock']);
        assert.deepEqual([found, memberCount, roomName], [id, 2, 'test room']);
      }
      assert.deepEqual(alice.session.proof(id), bob.session.proof(id), 'nothing of who made it');
    }
  });

  test('by the list that a message quotes, not by the one of now', async () => {
    const { room, alice, bob } = await pair();
    const before = say(room, alice, 'we are two');
    await room.join('carol');
    alice.act({ kind: 'rename', nick: 'alicia' });
    room.advance(1_000);
    const after = say(room, alice, 'now three');
    const [first, second] = [proved(bob, before), proved(bob, after)];
    assert.deepEqual([first.signer.nick, first.memberCount], ['alice', 2]);
    assert.deepEqual([second.signer.nick, second.memberCount], ['alicia', 3]);
  });

  test('also where somebody came in while the message was under way', async () => {
    const { room, alice, bob } = await pair();
    say(room, alice, 'keys are there');
    // Sealed now, and placed after the host has signed somebody in.
    assert.ok(alice.line);
    const { line } = alice;
    const held: Uint8Array[] = [];
    line.toHost = (frame) => {
      if (bodiesOf([frame], SESSION_FRAME.post).length === 0) return [frame];
      held.push(frame);
      return [];
    };
    alice.say('on its way');
    room.pump();
    await room.join('carol');
    room.advance(500);
    line.toHost = (frame) => [frame];
    for (const frame of held) room.inject(line, 'host', frame);
    room.advance(500);
    const { id } = bob.messages.at(-1) ?? assert.fail();
    assert.deepEqual([bob.texts.at(-1), proved(bob, id).memberCount], ['on its way', 2]);
    assert.equal(proved(alice, id).content.text, 'on its way');
  });

  test('one’s own message that was placed while the line was lost', async () => {
    const { room, alice } = await pair();
    say(room, alice, 'first');
    alice.say('second');
    for (let steps = 0; steps < 2; steps += 1) room.step();
    alice.loseLine();
    room.pump();
    alice.comeBack();
    room.advance(1_000);
    const { id } = alice.messages.at(-1) ?? assert.fail();
    assert.equal(alice.texts.at(-1), 'second');
    assert.equal(proved(alice, id).content.text, 'second');
  });

  test('what a member says of others is neither more nor less than they signed', async () => {
    const { room, alice, bob } = await pair();
    const id = say(room, alice, 'signed');
    const [post] = bodiesOf(alice.sent, SESSION_FRAME.post).slice(-1);
    const { header, signature, ciphertext } = Post.decode(post ?? assert.fail());
    const { proof } = bob.session.proof(id);
    assert.deepEqual([proof.header, proof.signature], [header, signature]);
    assert.equal(messageId(leafHash({ header, ciphertext, signature })), id);
  });
});

describe('the book of what can be proved', () => {
  test('names a message by the first characters of its id', async () => {
    const { room, alice, bob } = await pair();
    const id = say(room, alice, 'hello');
    assert.equal(bob.session.proof(id.slice(0, 4)).id, id);
    const refused = (typed: string, code: string) =>
      assert.throws(() => bob.session.proof(typed), { name: 'InputError', code });
    refused(id.slice(0, 3), 'usage');
    refused('', 'usage');
    refused(`${id}x`, 'no-such-message');
    refused('----------', 'no-such-message');
    bob.session.forgetShown();
    refused(id, 'no-such-message');
    assert.ok(alice.session.proof(id), 'each screen is its own');
    const next = say(room, alice, 'after it was cleared');
    assert.equal(proved(bob, next).content.text, 'after it was cleared');
  });

  test('says when several begin alike, and takes the whole id of one that begins another', async () => {
    const book = new EvidenceBook();
    const made = await madeMessages(1, 3);
    const [first, second] = made;
    assert.ok(first && second);
    book.follow(first.roster);
    const leaf = (last: number): Hash => new Uint8Array(32).fill(0x11).fill(last, 8) as Hash;
    book.keep(leaf(1), first.entry, first.opening, 0);
    book.keep(leaf(2), second.entry, second.opening, 0);
    const id = messageId(leaf(1));
    assert.throws(() => book.proof(id.slice(0, 6), new Uint8Array()), { code: 'usage', message: /Several/ });
    assert.equal(book.proof(id, new Uint8Array()).id, id);
  });

  test('holds the latest messages, and no more', async () => {
    const book = new EvidenceBook();
    const made = await madeMessages(1, LIMITS.provableMessages + 2);
    for (const { roster, leaf, entry, opening } of made) {
      book.follow(roster);
      book.keep(leaf, entry, opening, 0);
    }
    const held = made.filter(({ leaf }) => holds(book, leaf));
    assert.ok(held.length === LIMITS.provableMessages && held.every((one, place) => one === made[place + 2]));
  });

  test('holds lists that are quoted, and a few of the latest; with the oldest go the messages that quote it', async () => {
    const book = new EvidenceBook();
    const made = await madeMessages(LIMITS.provableLists + 3, LIMITS.provableLists + 3);
    const [first, second, third] = made;
    assert.ok(first && second && third);
    book.follow(first.roster);
    book.keep(first.leaf, first.entry, first.opening, 0);
    // Nobody says anything under these.
    for (const { roster } of made.slice(1, 40)) book.follow(roster);
    book.keep(second.leaf, second.entry, second.opening, 0);
    assert.ok(holds(book, first.leaf), 'its list is quoted');
    assert.ok(!holds(book, second.leaf), 'too many came after it');
    for (const { roster, leaf, entry, opening } of made.slice(40)) {
      book.follow(roster);
      book.keep(leaf, entry, opening, 0);
    }
    assert.ok(holds(book, first.leaf));
    for (const { roster, leaf, entry, opening } of made.slice(1)) {
      book.follow(roster);
      book.keep(leaf, entry, opening, 0);
    }
    assert.ok(!holds(book, first.leaf), 'more lists are quoted than there may be');
    assert.ok(holds(book, made.at(-1)?.leaf ?? assert.fail()));
  });

  test('holds nothing that nobody said', async () => {
    const book = new EvidenceBook();
    const [made] = await madeMessages(1, 1);
    assert.ok(made);
    book.follow(made.roster);
    book.keep(made.leaf, made.entry, { ...made.opening, content: { ...said('text', ''), kind: 'read' } }, 0);
    assert.ok(!holds(book, made.leaf));
  });
});

function holds(book: EvidenceBook, leaf: Hash): boolean {
  try {
    return book.proof(messageId(leaf), new Uint8Array()).id !== '';
  } catch {
    return false;
  }
}

/** Messages under so many lists, each list by an operation of its own. */
async function madeMessages(lists: number, messages: number) {
  const [owner, signer] = [await roomOwnerKey(), await dsaIdentity(0)];
  return Array.from({ length: messages }, (_, place) => {
    const list = place % lists;
    const { header, operation, members, content } = makeProof({ owner, signer, topic: `${list}` });
    const entry = { header, ciphertext: u32(place), signature: u32(place) };
    const roster: Pick<Roster, 'hash' | 'operation' | 'members'> = {
      hash: hashOf(operation),
      operation,
      members: members.map(rosterMember),
    };
    const opening = { content: said('text', 'x'), body: content, signer };
    return { roster, entry, leaf: leafHash(entry), opening };
  });
}

const hashes = new Map<string, Hash>();

/** The same object for the same operation, as a roster gives it. */
function hashOf({ bytes }: Signed): Hash {
  const key = bytes.join();
  const found = hashes.get(key) ?? operationHash(bytes);
  hashes.set(key, found);
  return found;
}

/** Who was banned does not come back as who they were; what a ban cannot do is in docs/security.md. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BanBook } from '../../src/room/bans.ts';
import { RawCandidate } from '../helpers/door.ts';
import type { TestMember } from '../helpers/member.ts';
import { openRoom, type TestRoom } from '../helpers/room.ts';

const MINUTE_MS = 60_000;

function ban(room: TestRoom, member: TestMember, forMs: number | null): void {
  room.perform(room.room.ban(member.key, forMs, room.clock.moment));
  room.advance(500);
}

/** Comes by an invitation of their own, with everything right. */
async function reasonAt(room: TestRoom, nick: string, place: number): Promise<string | undefined> {
  const invitation = room.invite();
  const candidate = await RawCandidate.at(room, { place });
  candidate.toCode(invitation);
  candidate.join({ nick });
  room.advance(500);
  const used = room.room.invitations.find(invitation.key)?.usesLeft === 0;
  assert.equal(used, candidate.refused === null, 'a refusal spends no use');
  return candidate.refused?.reason;
}

test('someone banned is off the roster, told so, and shown as banned to everyone', async () => {
  const room = await openRoom();
  const alice = await room.join('alice', { crowd: true });
  const bob = await room.join('bob', { crowd: true });
  ban(room, bob, null);
  assert.deepEqual(
    alice
      .eventsOf('roster')
      .flatMap(({ change }) => change.removed.map(({ member, reason }) => [member.nick, reason])),
    [['bob', 'banned']],
  );
  assert.match(bob.eventsOf('closed')[0]?.text ?? '', /banned you from the room/);
  bob.comeBack();
  room.pump();
  assert.deepEqual(bob.outcome, { kind: 'refused', reason: 'not-recognised', triesLeft: 0 });
});

test('P54 neither the key nor the nickname, nor one that looks like it, comes back; others do', async () => {
  const room = await openRoom();
  const bob = await room.join('bob', { crowd: true, invitation: room.invite() });
  ban(room, bob, null);
  // Place 0 holds the key that bob came with.
  assert.equal(await reasonAt(room, 'robert', 0), 'banned');
  assert.equal(await reasonAt(room, 'bob', 5), 'banned');
  assert.equal(await reasonAt(room, 'b0b', 5), 'banned');
  assert.equal(await reasonAt(room, 'rob', 5), undefined);
});

test('a ban is not told to someone without the code', async () => {
  const room = await openRoom();
  const bob = await room.join('bob', { crowd: true });
  ban(room, bob, null);
  const candidate = await RawCandidate.at(room, { place: 5 });
  candidate.toCode(room.invite());
  candidate.join({ nick: 'bob', code: 'abcdef' });
  assert.equal(candidate.refused?.reason, 'wrong-code');
});

test('P54 a ban ends with its time, and before that when it is taken back', async () => {
  const room = await openRoom();
  const bob = await room.join('bob', { crowd: true });
  const carol = await room.join('carol', { crowd: true });
  ban(room, bob, 10 * MINUTE_MS);
  ban(room, carol, null);
  const untilMs = room.clock.nowMs - 500 + 10 * MINUTE_MS;
  assert.deepEqual(room.room.bans, [
    { member: bob.key, nick: 'bob', untilMs: untilMs - 500, by: null },
    { member: carol.key, nick: 'carol', untilMs: null, by: null },
  ]);
  room.advance(9 * MINUTE_MS);
  assert.equal(await reasonAt(room, 'bob', 5), 'banned');
  room.advance(MINUTE_MS);
  assert.equal(await reasonAt(room, 'bob', 0), undefined);
  assert.equal(await reasonAt(room, 'carol', 6), 'banned');
  assert.equal(room.room.unban('CAR0L'.toLowerCase()), true, 'by any nickname that reads alike');
  assert.equal(room.room.unban('carol'), false);
  assert.equal(await reasonAt(room, 'carol', 6), undefined);
  assert.deepEqual(room.room.bans, []);
});

test('the invitations they came by are suspended, as after a removal', async () => {
  const room = await openRoom();
  const invitation = room.invite({ uses: 9 });
  const bob = await room.join('bob', { crowd: true, invitation });
  ban(room, bob, MINUTE_MS);
  assert.equal(room.room.invitations.find(invitation.key)?.suspended, true);
});

describe('the book', () => {
  const someone = (place: number, untilMs: number | null) => ({
    member: `key-${place}`,
    nick: `nick-${'abcdefgh'[place]}`,
    untilMs,
    by: null,
  });
  const nicks = (book: BanBook) => book.all.map(({ nick }) => nick);

  test('at its most, the ban that ends first makes room, and the oldest where none ever ends', () => {
    const book = new BanBook(3);
    for (const ban of [someone(0, null), someone(1, 9_000), someone(2, 5_000)]) book.add(ban);
    book.add(someone(3, 7_000));
    assert.deepEqual(nicks(book), ['nick-a', 'nick-b', 'nick-d']);
    book.add(someone(4, null));
    book.add(someone(5, null));
    assert.deepEqual(nicks(book), ['nick-a', 'nick-e', 'nick-f']);
    book.add(someone(6, null));
    assert.deepEqual(nicks(book), ['nick-e', 'nick-f', 'nick-g']);
  });

  test('a second ban of one key takes the place of the first', () => {
    const book = new BanBook(3);
    book.add(someone(0, 1_000));
    book.add(someone(0, 9_000));
    assert.deepEqual(book.all, [someone(0, 9_000)]);
    assert.equal(book.holds('key-0', 'other', 8_999), true);
    assert.equal(book.holds('key-0', 'other', 9_000), false, 'over, whether or not anyone has looked');
    book.expire(9_000);
    assert.deepEqual(book.all, []);
  });
});

/** What a host cannot do to the order of things unnoticed. @see docs/security.md#promises */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeFrame } from '../../src/protocol/framing.ts';
import { Entry, Placed, type Post, SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import { MessageHeader } from '../../src/protocol/signed-objects.ts';
import { carryWraps, EvilHost, on } from '../helpers/evil-host.ts';
import { dsaIdentity, rsaIdentity, wrapKeys } from '../helpers/keys.ts';
import type { TestMember } from '../helpers/member.ts';
import { signNext } from '../helpers/operations.ts';
import { openRoom, type TestRoom } from '../helpers/room.ts';

interface Circle {
  readonly room: TestRoom;
  readonly evil: EvilHost;
  readonly alice: TestMember;
  readonly bob: TestMember;
  readonly carol: TestMember;
}

/** Three people, as a rule with something said by each, and a host about to turn. */
async function circle({ spoken = true } = {}): Promise<Circle> {
  const room = await openRoom();
  const [alice, bob, carol] = [await room.join('alice'), await room.join('bob'), await room.join('carol')];
  for (const member of spoken ? [alice, bob, carol] : []) {
    member.say('here I am');
    room.pump();
  }
  for (const member of [alice, bob, carol]) {
    assert.equal(member.messages.length, spoken ? 3 : 0);
    assert.deepEqual(member.alarms, []);
  }
  return { room, evil: new EvilHost(room), alice, bob, carol };
}

test('P21 an entry left out for one member: the next entry raises an alarm', async () => {
  const { room, bob, alice } = await circle();
  const { line } = bob;
  assert.ok(line);
  let dropped = 0;
  line.toMember = on(SESSION_FRAME.entry, (body) => {
    dropped += 1;
    return dropped === 1 ? [] : [body];
  });
  alice.say('bob must not see this');
  room.pump();
  assert.deepEqual(bob.alarms, []);
  alice.say('but this');
  room.pump();
  assert.deepEqual(bob.alarms, ['history-order']);
  assert.ok(!bob.texts.includes('but this'));
});

test('P21 left out and numbered on: whoever saw the entry gives it away with the next message', async () => {
  const { evil, alice, bob, carol } = await circle();
  const hidden = evil.catchPost(alice, 'bob must not see this');
  for (const member of [alice, carol]) evil.show(member, hidden);
  const next = evil.catchPost(carol, 'what alice said');
  evil.show(bob, next);
  assert.deepEqual(bob.alarms, ['history-forked']);
  assert.ok(!bob.texts.includes('what alice said'));
});

test('P21 left out and numbered on: the message of the one who did not see it gives it away to the others', async () => {
  const { evil, alice, bob, carol } = await circle();
  const first = evil.catchPost(carol, 'one');
  for (const member of [alice, bob, carol]) evil.show(member, first);
  const hidden = evil.catchPost(alice, 'bob must not see this');
  evil.show(alice, hidden);
  const other = evil.catchPost(carol, 'bob sees this instead');
  evil.show(bob, other);
  const next = evil.catchPost(bob, 'what carol said');
  evil.show(alice, next);
  assert.deepEqual(alice.alarms, ['history-forked']);
});

test('P21 an entry doubled for one member raises an alarm at once, whatever number it is given', async () => {
  const { evil, bob, alice } = await circle();
  const post = evil.catchPost(alice, 'pay him ten');
  evil.show(bob, post);
  evil.show(bob, post);
  assert.equal(bob.alarms.length, 1);
  assert.equal(bob.texts.filter((text) => text === 'pay him ten').length, 1);
  const again = await circle();
  const other = again.evil.catchPost(again.alice, 'pay him ten');
  again.evil.show(again.bob, other);
  again.evil.show(again.bob, other, { index: again.bob.session.position?.index ?? 0 });
  assert.deepEqual(again.bob.alarms, ['history-order']);
  assert.equal(again.bob.texts.filter((text) => text === 'pay him ten').length, 1);
});

test('P21 one of two messages of a sender left out: the second does not follow', async () => {
  const { evil, alice, bob, carol } = await circle();
  const first = evil.catchPost(alice, 'no');
  evil.show(alice, first);
  const second = evil.catchPost(alice, 'just joking');
  evil.show(carol, first);
  assert.deepEqual(carol.alarms, []);
  evil.show(bob, second);
  assert.equal(bob.alarms.length, 1);
  assert.ok(!bob.texts.includes('just joking'));
});

test('P21 two entries in another order for one member: the next message of anyone raises an alarm', async () => {
  const { evil, alice, bob, carol } = await circle();
  const fromAlice = evil.catchPost(alice, 'shall we?');
  const fromCarol = evil.catchPost(carol, 'yes');
  for (const post of [fromAlice, fromCarol]) evil.show(alice, post);
  for (const post of [fromCarol, fromAlice]) evil.show(bob, post);
  assert.deepEqual([...alice.alarms, ...bob.alarms], []);
  evil.show(bob, evil.catchPost(alice, 'good'));
  assert.deepEqual(bob.alarms, ['history-forked']);
  assert.ok(bob.session.heldBack);
});

test('P21 an entry replaced, or given another time, for one member: the next message raises an alarm', async () => {
  for (const replace of [true, false]) {
    const { evil, room, alice, bob, carol } = await circle();
    const post = evil.catchPost(alice, 'meet at nine');
    evil.show(alice, post);
    if (replace) evil.show(bob, evil.catchPost(carol, 'meet at ten'));
    else evil.show(bob, post, { placedAtMs: room.clock.nowMs - 60_000 });
    evil.show(bob, evil.catchPost(alice, 'agreed?'));
    assert.equal(bob.alarms.length, 1, `replace ${replace}`);
    assert.ok(!bob.texts.includes('agreed?'));
  }
});

test('P21 a host that says PLACED and places nothing is given away at once', async () => {
  const { room, evil, alice, bob } = await circle();
  const lost = evil.catchPost(alice, 'nobody will see this');
  const { conversation, chainId, n } = MessageHeader.decode(lost.header);
  const index = (alice.session.position?.index ?? 0) + 1;
  assert.ok(alice.line);
  const placed = Placed.encode({ conversation, chainId, n, index });
  room.inject(alice.line, 'member', encodeFrame(SESSION_FRAME.placed, placed));
  room.pump();
  // It has a place only in what alice did not see, and she saw everything.
  assert.deepEqual(alice.alarms, ['placed-unseen']);
  assert.equal(alice.session.unplaced, 1);
  assert.ok(!alice.texts.includes('nobody will see this'));
  assert.deepEqual(bob.alarms, []);
});

/** What the host does with each of a few messages for each of two members. */
const view = fc.array(fc.nat({ max: 3 }), { maxLength: 5 });

test('P21 any two different views: an alarm at the latest when each has heard the other', async () => {
  const identities = [await dsaIdentity(0), await dsaIdentity(1), await dsaIdentity(2)];
  const pairs = [await wrapKeys(0), await wrapKeys(1), await wrapKeys(2)];
  await fc.assert(
    fc.asyncProperty(view, view, async (forAlice, forBob) => {
      fc.pre(JSON.stringify(forAlice) !== JSON.stringify(forBob));
      const room = await openRoom();
      const evil = new EvilHost(room);
      const members: TestMember[] = [];
      for (const [place, nick] of ['alice', 'bob', 'carol'].entries()) {
        const [identity, wrapPair] = [identities[place], pairs[place]];
        assert.ok(identity && wrapPair);
        members.push(await room.join(nick, { identity, wrapPair }));
      }
      const [alice, bob, carol] = members as [TestMember, TestMember, TestMember];
      for (const member of members) {
        member.say('hello');
        room.pump();
      }
      const posts: Post[] = [];
      for (let place = 0; place < 4; place += 1) posts.push(evil.catchPost(carol, `message ${place}`));
      for (const place of forAlice) evil.show(alice, posts[place] as Post);
      for (const place of forBob) evil.show(bob, posts[place] as Post);
      if (alice.alarms.length === 0) evil.show(bob, evil.catchPost(alice, 'from alice'));
      if (bob.alarms.length === 0) evil.show(alice, evil.catchPost(bob, 'from bob'));
      assert.notDeepEqual([...alice.alarms, ...bob.alarms], []);
    }),
    { numRuns: 40, seed: 21 },
  );
});

test('P22 two members shown different rosters for one epoch: an alarm on first contact, both ways', async () => {
  const contacts = [
    ['alice', 'message'],
    ['bob', 'message'],
    ['alice', 'wrap'],
    ['bob', 'wrap'],
  ] as const;
  for (const [speaker, contact] of contacts) {
    // Whoever has spoken is known to the others by a chain already: then it is a message that crosses first.
    const { room, alice, bob } = await circle({ spoken: contact === 'message' });
    const ghost = await rsaIdentity(5);
    const { idFingerprint: identity } = ghost;
    const entry = { identity, nick: 'ghost', role: 'member', algorithm: 'rsa', muted: false } as const;
    const operation = signNext(room, { puts: [entry] });
    assert.ok(bob.line);
    bob.line.toMember = on(SESSION_FRAME.entry, (body) => {
      const entry = Entry.decode(body);
      if (entry.kind !== 'roster') return [body];
      return [Entry.encode({ ...entry, header: operation.bytes, signature: operation.signature })];
    });
    await room.join('dave');
    assert.ok(bob.session.members.some(({ member }) => member.nick === 'ghost'));
    assert.deepEqual([...alice.alarms, ...bob.alarms], []);
    const [from, to] = speaker === 'alice' ? [alice, bob] : [bob, alice];
    // The honest room would refuse what bob sends: this host carries it.
    if (contact === 'wrap') {
      assert.ok(from.line);
      from.line.toHost = carryWraps(room, from, to);
      from.say('hello');
      room.pump();
    } else {
      const evil = new EvilHost(room);
      evil.show(to, evil.catchPost(from, 'hello'));
    }
    assert.deepEqual(to.alarms, ['roster-forked'], `${speaker}, ${contact}`);
    assert.ok(!to.texts.includes('hello'));
  }
});

test('P22 a roster operation that the owner did not sign as it is is an alarm', async () => {
  type Twist = (body: Uint8Array, room: TestRoom) => readonly Uint8Array[];
  const stranger = await rsaIdentity(5);
  const twists: Record<string, Twist> = {
    'signed by someone else': (body) => {
      const entry = Entry.decode(body);
      return [Entry.encode({ ...entry, signature: stranger.sign('sc1/roster', entry.header) })];
    },
    'one byte changed': (body) => {
      const entry = Entry.decode(body);
      const header = entry.header.slice();
      header[60] = (header[60] ?? 0) ^ 1;
      return [Entry.encode({ ...entry, header })];
    },
    'signed for another purpose': (body, room) => {
      const entry = Entry.decode(body);
      return [Entry.encode({ ...entry, signature: room.ownerKey.sign('sc1/conv', entry.header) })];
    },
  };
  for (const [name, twist] of Object.entries(twists)) {
    const { room, bob } = await circle();
    assert.ok(bob.line);
    const before = bob.session.members.length;
    bob.line.toMember = on(SESSION_FRAME.entry, (body) =>
      Entry.decode(body).kind === 'roster' ? twist(body, room) : [body],
    );
    await room.join('dave');
    assert.deepEqual(bob.alarms, ['roster-forked'], name);
    assert.equal(bob.session.members.length, before, name);
  }
});

test('P21 a host that shows another past to a member who comes back is found out at once', async () => {
  const { room, bob } = await circle();
  bob.loseLine();
  const line = bob.comeBack();
  line.toMember = on(SESSION_FRAME.log, (body) => {
    const forged = body.slice();
    // The head before the first item: conversation 16, index 4, then 32 bytes.
    forged[25] = (forged[25] ?? 0) ^ 1;
    return [forged];
  });
  room.pump();
  assert.deepEqual(bob.alarms, ['history-forked']);
  assert.ok(bob.session.heldBack);
});

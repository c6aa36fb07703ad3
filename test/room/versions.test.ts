/** Older and newer programs meet in real rooms: other minor versions agree on what both know, other major ones say so. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ADMISSION_FRAME } from '../../src/protocol/admission-frames.ts';
import { encodeFrame, frameType } from '../../src/protocol/framing.ts';
import { DIALECT, type Dialect, FEATURE, FEATURES_MOST } from '../../src/protocol/version.ts';
import { RawCandidate } from '../helpers/door.ts';
import { openRoom } from '../helpers/room.ts';

const OLDER: Dialect = { ...DIALECT, features: [] };
/** Knows all that this build does, and as much more as there is room for. */
const NEWER: Dialect = {
  ...DIALECT,
  features: [
    ...DIALECT.features,
    ...Array.from({ length: FEATURES_MOST - DIALECT.features.length }, (_, place) => 65_535 - place),
  ],
};

describe('within one version', () => {
  const meetings: Readonly<
    Record<string, readonly [host: Dialect, guest: Dialect, agreed: readonly number[]]>
  > = {
    'an older guest, this host': [DIALECT, OLDER, []],
    'this guest, an older host': [OLDER, DIALECT, []],
    'a newer guest, this host': [DIALECT, NEWER, DIALECT.features],
    'this guest, a newer host': [NEWER, DIALECT, DIALECT.features],
    'a guest that knows one thing, this host': [
      DIALECT,
      { ...DIALECT, features: [FEATURE.waiting] },
      [FEATURE.waiting],
    ],
  };
  for (const [name, [host, guest, agreed]] of Object.entries(meetings)) {
    test(`${name}: they talk, and use what both know`, async () => {
      const room = await openRoom({ dialect: host, keeps: 'ciphertext' });
      const alice = await room.join('alice', { crowd: true });
      room.perform(room.room.change({ approval: true }, room.clock.moment));
      room.advance(500);
      const bob = await room.person('bob', { crowd: true, dialect: guest });
      bob.knock(room.invite());
      room.pump();
      const isTold = (bob.line?.sentByHost ?? []).some((frame) => frameType(frame) === ADMISSION_FRAME.wait);
      assert.equal(isTold, agreed.includes(FEATURE.waiting), 'WAIT only where both know it');
      assert.equal(bob.waits, isTold);
      room.perform(room.room.admit(bob.line?.id ?? 0, room.clock.moment));
      room.advance(500);
      assert.deepEqual([...bob.session.features], agreed);
      bob.say('hello');
      alice.say('welcome');
      room.advance(500);
      assert.deepEqual(alice.texts, ['hello', 'welcome']);
      assert.deepEqual(bob.texts, ['hello', 'welcome']);
      bob.loseLine();
      bob.comeBack();
      room.advance(500);
      assert.deepEqual([...bob.session.features], agreed, 'and again after a lost line');
    });
  }

  test('a list of more than there is room for is malformed', async () => {
    const room = await openRoom();
    const candidate = await RawCandidate.at(room);
    const hello = [1, 1, FEATURES_MOST + 1, ...new Array(2 * (FEATURES_MOST + 1)).fill(7)];
    candidate.send(ADMISSION_FRAME.hello, Uint8Array.from([...hello, ...new Array(90).fill(1)]));
    assert.equal(candidate.closeReason, 'protocol');
  });

  test('a host that sends WAIT to who does not know it breaks the protocol', async () => {
    const room = await openRoom({ dialect: DIALECT });
    room.perform(room.room.change({ approval: true }, room.clock.moment));
    room.advance(500);
    const knowing = await room.person('ann', { crowd: true });
    knowing.knock(room.invite());
    room.pump();
    const wait = knowing.line?.sentByHost.at(-1) ?? assert.fail();
    const unknowing = await room.person('bob', { crowd: true, dialect: OLDER });
    const line = unknowing.knock(room.invite());
    room.pump();
    room.inject(line, 'member', wait);
    room.pump();
    assert.equal(unknowing.outcome.kind, 'failed');
  });
});

test('a host that lets a member wait who comes back breaks the protocol', async () => {
  const room = await openRoom();
  const ann = await room.join('ann', { crowd: true });
  ann.loseLine();
  ann.comeBack().toMember = (frame) =>
    frameType(frame) === ADMISSION_FRAME.welcome
      ? [encodeFrame(ADMISSION_FRAME.wait, new Uint8Array())]
      : [frame];
  room.pump();
  assert.equal(ann.outcome.kind, 'failed');
});

describe('another version', () => {
  const [now, next]: readonly [Dialect, Dialect] = [DIALECT, { ...NEWER, version: DIALECT.version + 1 }];
  for (const [name, host, guest] of [
    ['an old guest, a new host', next, now],
    ['a new guest, an old host', now, next],
  ] as const) {
    test(`${name}: both are told, and nothing else happens`, async () => {
      const room = await openRoom({ dialect: host });
      const invitation = room.invite();
      const person = await room.person('ann', { crowd: true, dialect: guest });
      person.knock(invitation);
      room.pump();
      assert.deepEqual(person.outcome, { kind: 'refused', reason: 'version', triesLeft: 0 });
      assert.equal(person.hostVersion, host.version, 'which one the host speaks');
      assert.deepEqual(person.asked, [], 'nobody is asked for anything');
      assert.deepEqual(
        room.notices.filter(({ kind }) => kind === 'refused'),
        [{ kind: 'refused', holder: person.line?.id, reason: 'version' }],
      );
      const { usesLeft, triesLeft } = room.room.invitations.find(invitation.key) ?? assert.fail();
      assert.deepEqual({ usesLeft, triesLeft }, { usesLeft: 1, triesLeft: room.limits.triesPerInvitation });
    });
  }

  test('members of a new version meet in a new room', async () => {
    const room = await openRoom({ dialect: next });
    const ann = await room.join('ann', { crowd: true, dialect: next });
    assert.ok(ann.live);
  });
});

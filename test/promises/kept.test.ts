/** What was promised holds across the end of a kept room's host: by a kill, by a copy of before, or by its own wish. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ADMISSION_FRAME } from '../../src/protocol/admission-frames.ts';
import { type Bytes, toHex } from '../../src/protocol/bytes.ts';
import type { Signed } from '../../src/protocol/codec.ts';
import { encodeFrame } from '../../src/protocol/framing.ts';
import {
  ciphertext,
  type Hash,
  ROOM_CONVERSATION,
  roomId,
  ZERO_HASH,
} from '../../src/protocol/identifiers.ts';
import { LIMITS, type Limits } from '../../src/protocol/limits.ts';
import { Entry, Eras, LogPage, SESSION_FRAME, WholeItem } from '../../src/protocol/session-frames.ts';
import { PROTOCOL_VERSION } from '../../src/protocol/version.ts';
import { copyRoom } from '../../src/storage/room-copy.ts';
import { RawCandidate } from '../helpers/door.ts';
import { on, signEra } from '../helpers/evil-host.ts';
import { comeBack, type Kept, openKept, reopen } from '../helpers/kept.ts';
import { dsaIdentity, wrapKeys } from '../helpers/keys.ts';
import type { MemberOptions, TestMember } from '../helpers/member.ts';
import type { TestRoom, TestRoomOptions } from '../helpers/room.ts';
import { newPath, openStore } from '../helpers/room-file.ts';
import { assertKeysUsedOnce, lootOf, postsOf, texts, wrapsOf } from '../helpers/thief.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

interface Trio extends Kept {
  readonly alice: TestMember;
  readonly bob: TestMember;
  readonly mallory: TestMember;
}

/** Three people of a kept room who have spoken. */
async function trio(options: TestRoomOptions = {}, bobs: Partial<MemberOptions> = {}): Promise<Trio> {
  const kept = await openKept(options);
  const { room } = kept;
  const join = async (nick: string, place: number, more: Partial<MemberOptions> = {}) =>
    room.join(nick, { identity: await dsaIdentity(place), wrapPair: await wrapKeys(place), ...more });
  const members = {
    alice: await join('alice', 0),
    bob: await join('bob', 1, bobs),
    mallory: await join('mallory', 2),
  };
  for (const member of Object.values(members)) say(room, member, 'hello');
  return { ...kept, ...members };
}

function say(room: TestRoom, from: TestMember, text: string): void {
  from.say(text);
  room.pump();
  for (let tries = 0; from.session.unplaced > 0 && tries < 4; tries += 1) room.advance(250);
}

/** The host is away for so long, and whoever of these was in comes back then. */
function reopenAfter(kept: Kept, ms: number): void {
  const wereIn = kept.room.end();
  kept.room.clock.nowMs += ms;
  kept.room.open(openStore(kept.path, kept.room.limits));
  for (const member of wereIn) comeBack(kept.room, member);
}

/** As `securechat rooms backup` and an owner who opens that again. */
async function copyOf({ path }: Kept): Promise<string> {
  const copy = newPath();
  await copyRoom(path, copy);
  return copy;
}

const noticesOf = (member: TestMember): readonly string[] =>
  member.eventsOf('notice').map(({ code }) => code);
const reopened = (member: TestMember): number =>
  noticesOf(member).filter((code) => code === 'era' || code === 'entries-lost').length;

async function triesLeftAt(room: TestRoom, code: string, invitation = room.invite()) {
  const candidate = await RawCandidate.at(room, { place: 5 });
  candidate.toCode(invitation);
  candidate.join({ code });
  const { reason, triesLeft } = candidate.refused ?? {};
  return { reason, triesLeft };
}

describe('the door', () => {
  test('P14: a CHALLENGE leaves once the try it costs is in the file, and not before', async () => {
    const kept = await openKept();
    const { room } = kept;
    const invitation = room.invite();
    room.commit();
    room.commitsAtOnce = false;
    const candidate = await RawCandidate.at(room);
    const onDisk = (): number | undefined => {
      const store = openStore(kept.path);
      store.close();
      return store.kept?.invitations[0]?.triesLeft;
    };
    candidate.hello(invitation);
    candidate.answer();
    assert.deepEqual([candidate.lastType, onDisk()], [ADMISSION_FRAME.question, 5]);
    room.commit();
    room.pump();
    assert.deepEqual([candidate.lastType, onDisk()], [ADMISSION_FRAME.challenge, 4]);
    // Nor does PROVED, or what a code was worth.
    candidate.prove();
    assert.deepEqual([candidate.lastType, onDisk()], [ADMISSION_FRAME.challenge, 4]);
    room.commit();
    room.pump();
    assert.deepEqual([candidate.lastType, onDisk()], [ADMISSION_FRAME.proved, 5]);
    candidate.join({ code: 'abcdef' });
    assert.equal(candidate.lastType, ADMISSION_FRAME.proved);
    room.end();
    assert.equal(candidate.lastType, ADMISSION_FRAME.proved);
  });

  test('P14: a try that is undecided when the host ends is lost, and the last one suspends', async () => {
    const kept = await openKept();
    const { room } = kept;
    const invitation = room.invite();
    for (let tries = LIMITS.triesPerInvitation; tries > 0; tries -= 1) {
      const view = room.room.invitations.find(invitation.key);
      assert.deepEqual([view?.triesLeft, view?.suspended], [tries, false]);
      const candidate = await RawCandidate.at(room);
      candidate.hello(invitation);
      candidate.answer();
      assert.equal(candidate.lastType, ADMISSION_FRAME.challenge);
      reopen(kept);
    }
    for (let start = 0; start < 2; start += 1) {
      const late = await RawCandidate.at(room);
      late.hello(invitation);
      assert.equal(late.refused?.reason, 'suspended');
      reopen(kept);
    }
    room.room.invitations.resume(invitation.key);
    room.commit();
    reopen(kept);
    assert.equal(room.room.invitations.find(invitation.key)?.triesLeft, LIMITS.triesPerInvitation);
  });

  test('P12: no code of before is good after a restart, wherever the clock is set', async () => {
    const kept = await openKept();
    const { room } = kept;
    const invitation = room.invite({ uses: 9 });
    const first = { value: room.room.code.value, atMs: room.clock.nowMs };
    const before = [first.value];
    room.advance(30_000);
    before.push(room.room.code.value);
    for (const atMs of [room.clock.nowMs, first.atMs, first.atMs - DAY_MS]) {
      room.end();
      room.clock.nowMs = atMs;
      room.open(openStore(kept.path));
      for (const code of before) {
        const { reason } = await triesLeftAt(room, code, invitation);
        assert.equal(reason, 'wrong-code');
      }
      // Nor when it is set back while the room is open.
      before.push(room.room.code.value);
      room.clock.nowMs -= 10 * MINUTE_MS;
      room.tick();
      for (const code of before.slice(0, 2))
        assert.equal((await triesLeftAt(room, code)).reason, 'wrong-code');
      room.room.invitations.resume(invitation.key);
      room.commit();
    }
    // Each of them cost a try, over all starts of the host.
    for (const code of before.slice(0, 4)) await triesLeftAt(room, code, invitation);
    reopen(kept);
    assert.deepEqual(await triesLeftAt(room, before[0] ?? '', invitation), {
      reason: 'suspended',
      triesLeft: 0,
    });
    const carol = await room.join('carol', { identity: await dsaIdentity(4), wrapPair: await wrapKeys(0) });
    assert.ok(carol.live);
  });
});

describe('who was removed', () => {
  test('P20: stays out after the room was opened again, and their state opens nothing said since', async () => {
    const kept = await trio();
    const { room, alice, bob, mallory } = kept;
    const mallorysState = lootOf(mallory);
    room.perform(room.room.remove(mallory.key, room.clock.moment));
    room.perform(room.room.ban(bob.key, null, room.clock.moment));
    room.advance(1_000);
    const parts = { identity: await dsaIdentity(3), wrapPair: await wrapKeys(0) };
    const carol = await room.join('carol', { ...parts, invitation: room.invite() });
    const before = new Set(postsOf(room.members).map(({ header }) => toHex(header)));
    reopen(kept);
    say(room, alice, 'about mallory');
    say(room, carol, 'indeed');
    assert.deepEqual([reopened(alice), carol.texts.at(-1)], [1, 'indeed']);
    for (const gone of [mallory, bob]) {
      gone.comeBack();
      room.pump();
      assert.deepEqual(gone.outcome, { kind: 'refused', reason: 'not-recognised', triesLeft: 0 });
    }
    const since = postsOf(room.members).filter(({ header }) => !before.has(toHex(header)));
    assert.equal(since.length, 2);
    assert.deepEqual(texts(mallorysState, wrapsOf(room.members), since), []);
    assert.deepEqual(texts(lootOf(carol), wrapsOf(room.members), since), ['about mallory']);
    // P54: the ban holds for key and nickname.
    for (const [place, nick] of [
      [1, 'robert'],
      [4, 'bob'],
      [4, 'b0b'],
    ] as const) {
      const candidate = await RawCandidate.at(room, { place });
      candidate.toCode(room.invite());
      candidate.join({ nick });
      room.advance(500);
      assert.equal(candidate.refused?.reason, 'banned', nick);
    }
  });

  test('P20: a removal that the host withholds is caught where the room was opened again', async () => {
    const kept = await trio();
    const { room, alice, bob, mallory } = kept;
    bob.loseLine();
    room.perform(room.room.remove(mallory.key, room.clock.moment));
    room.advance(1_000);
    reopen(kept);
    const line = bob.comeBack();
    line.toMember = on(SESSION_FRAME.log, (body) => {
      const page = LogPage.decode(body);
      const isRemoval = ({ form, body: item }: (typeof page.items)[number]): boolean =>
        form === 'whole' && WholeItem.decode(item).kind === 'roster';
      return [LogPage.encode({ ...page, items: page.items.filter((item) => !isRemoval(item)) })];
    });
    room.pump();
    assert.equal(bob.session.members.length, 3);
    assert.deepEqual(bob.alarms, ['roster-forked']);
    assert.equal(bob.session.heldBack, true);
    say(room, bob, 'not for mallory');
    assert.ok(!alice.texts.includes('not for mallory'));
  });

  for (const isAnew of [false, true])
    test(`P20: ${isAnew ? 'to a program of one\u2019s own that was started anew too, ' : ''}who is back by a copy from before the removal is shown to be, and the loss told`, async () => {
      const kept = await trio({}, { keeps: 'when-saved' });
      const { room, bob, mallory } = kept;
      const copy = await copyOf(kept);
      room.perform(room.room.remove(mallory.key, room.clock.moment));
      room.advance(1_000);
      say(room, bob, 'without mallory');
      assert.ok(bob.session.members.every(({ member }) => member.key !== mallory.key));
      const saved = bob.save();
      if (isAnew) bob.loseLine();
      reopen(kept, copy);
      const after = isAnew ? await room.restart(bob, saved) : bob;
      if (after.wantsReconnect) comeBack(room, after);
      assert.ok(after.live);
      assert.deepEqual(after.alarms, []);
      const told = after.eventsOf('notice').find(({ code }) => code === 'entries-lost');
      assert.equal(told?.text, 'The host restarted and lost the last 2 entries.');
      const added = after
        .eventsOf('roster')
        .at(-1)
        ?.change.added.map(({ nick }) => nick);
      assert.deepEqual(added, ['mallory']);
    });
});

describe('keys', () => {
  test('P27: a theft has no future once keys are renewed and the room is opened again', async () => {
    const kept = await trio();
    const { room, alice, bob } = kept;
    const stolen = lootOf(bob);
    say(room, alice, 'still read');
    assert.deepEqual(texts(stolen, wrapsOf(room.members), postsOf([alice]).slice(-1)), ['still read']);
    bob.renew(await wrapKeys(5));
    say(room, bob, 'my new generation');
    reopen(kept);
    say(room, alice, 'secret again');
    assert.equal(bob.texts.at(-1), 'secret again');
    assert.deepEqual(texts(stolen, wrapsOf(room.members), postsOf([alice]).slice(-1)), []);
    assert.deepEqual(texts(lootOf(bob), wrapsOf(room.members), postsOf([alice]).slice(-1)), ['secret again']);
  });

  test('P28: no key and nonce serve twice: a killed host, one of before, one that lost the last moments', async () => {
    const kept = await trio({}, { keeps: 'when-saved' });
    const { room, alice, bob, mallory } = kept;
    const runs = [alice, bob, mallory];
    const saved: Bytes = bob.save();
    const copy = await copyOf(kept);
    const speak = (text: string): void => {
      for (const member of room.members) member.say(`${text}, ${member.session.self?.nick}`);
      room.advance(1_000);
    };
    speak('before');
    reopen(kept);
    speak('after a kill');

    // Sealed, and lost with what the host had not written down.
    room.commitsAtOnce = false;
    for (const member of room.members) member.say('under way');
    room.pump();
    room.commitsAtOnce = true;
    reopen(kept);
    speak('after another');
    assert.ok(alice.texts.includes('under way') && mallory.texts.includes('under way'));

    const back = await room.restart(bob, saved);
    runs.push(back);
    speak('by a program of before');
    reopen(kept, copy);
    speak('by a host of before');
    const again = await room.restart(back, saved);
    runs.push(again);
    speak('by both');
    reopen({ room, path: copy });
    speak('and once more');
    const last = alice.texts.slice(-3);
    assert.ok(
      last.every((text) => text.startsWith('and once more')),
      last.join(),
    );
    for (const member of runs) assert.deepEqual(member.alarms, []);
    assert.ok(assertKeysUsedOnce(postsOf(runs)) > 24);
  });
});

describe('what waits for a member', () => {
  /** Eight messages while bob is away, over two starts of the host. */
  async function away(limits: Partial<Limits>): Promise<Trio> {
    const kept = await trio({ limits });
    const { room, alice, bob } = kept;
    bob.loseLine();
    room.advance(1_000);
    for (let place = 0; place < 4; place += 1) say(room, alice, `meanwhile ${place}`.padEnd(200));
    reopen(kept);
    for (let place = 4; place < 8; place += 1) say(room, alice, `meanwhile ${place}`.padEnd(200));
    return kept;
  }
  const readBy = ({ texts: shown }: TestMember): readonly string[] =>
    shown.filter((text) => text.startsWith('meanwhile')).map((text) => text.trim());
  const meanwhile = (...places: readonly number[]): readonly string[] =>
    places.map((place) => `meanwhile ${place}`);
  const gapsOf = (member: TestMember): readonly string[] =>
    member
      .eventsOf('notice')
      .filter(({ code }) => code === 'gap')
      .map(({ text }) => text);

  test('P38: is all of it there after a restart, in order, marked as from while they were away', async () => {
    const { room, bob, path } = await away({});
    reopen({ room, path });
    comeBack(room, bob);
    assert.deepEqual(readBy(bob), meanwhile(0, 1, 2, 3, 4, 5, 6, 7));
    assert.ok(bob.messages.slice(-8).every((message) => message.away));
    assert.deepEqual([gapsOf(bob), bob.alarms], [[], []]);
  });

  test('P38: by their number', async () => {
    const { room, bob, path } = await away({ backlogEntries: 5 });
    reopen({ room, path });
    comeBack(room, bob);
    // The era entries of the starts are among the five.
    assert.deepEqual(readBy(bob), meanwhile(4, 5, 6, 7));
    assert.deepEqual(gapsOf(bob), ['4 messages waited longer than the host keeps them.']);
    assert.deepEqual(bob.alarms, []);
  });

  test('P38: by their size', async () => {
    const { room, bob, path } = await away({ backlogBytes: 3_000 });
    reopen({ room, path });
    comeBack(room, bob);
    const read = readBy(bob);
    assert.ok(read.length > 0 && read.length < 8, read.join());
    assert.deepEqual(read, meanwhile(0, 1, 2, 3, 4, 5, 6, 7).slice(-read.length));
    assert.match(gapsOf(bob)[0] ?? '', new RegExp(`^${8 - read.length} messages? waited longer`));
    assert.deepEqual(bob.alarms, []);
  });

  test('P38: by their age, which goes on while the host is away', async () => {
    const kept = await away({ guestOfflineMs: 30 * DAY_MS });
    const { room, alice, bob } = kept;
    reopenAfter(kept, LIMITS.backlogMs - MINUTE_MS);
    say(room, alice, 'meanwhile 8');
    reopenAfter(kept, 2 * MINUTE_MS);
    room.tick();
    comeBack(room, bob);
    assert.deepEqual(readBy(bob), meanwhile(8));
    assert.deepEqual(gapsOf(bob), ['8 messages waited longer than the host keeps them.']);
    assert.deepEqual(bob.alarms, []);
  });
});

test('who is banned, muted or in charge, and how the room is, stays so; a timed mute ends on time', async () => {
  const kept = await trio({ limits: { guestOfflineMs: 30 * DAY_MS } });
  const { room, alice, bob, mallory } = kept;
  const policy = { staySeconds: 3_600, edits: false, readReceipts: false };
  const settings = {
    topic: 'bees',
    motd: 'Be kind.',
    slowSeconds: 30,
    locked: true,
    approval: true,
    ...policy,
  };
  const { moment } = room.clock;
  room.perform(room.room.change(settings, moment));
  room.perform(room.room.setRole(alice.key, 'moderator', moment));
  room.perform(room.room.mute(bob.key, 60 * MINUTE_MS, moment));
  room.perform(room.room.ban(mallory.key, 60 * MINUTE_MS, moment));
  room.advance(1_000);
  reopenAfter(kept, 50 * MINUTE_MS);
  assert.deepEqual(room.room.settings, settings);
  assert.deepEqual(room.room.members.map(({ nick, role, muted }) => [nick, role, muted]).sort(), [
    ['alice', 'moderator', false],
    ['bob', 'member', true],
  ]);
  assert.deepEqual(
    room.room.bans.map(({ nick, by }) => [nick, by]),
    [['mallory', null]],
  );
  assert.throws(() => bob.say('may I?'), /You are muted/);
  reopenAfter(kept, 10 * MINUTE_MS - 2_000);
  room.advance(500);
  assert.equal(alice.session.members.find(({ member }) => member.key === bob.key)?.member.muted, true);
  assert.equal(room.room.bans.length, 1);
  room.advance(2_000);
  assert.equal(alice.session.members.find(({ member }) => member.key === bob.key)?.member.muted, false);
  assert.equal(room.room.bans.length, 0);
  reopen(kept);
  assert.ok(room.room.members.every(({ muted }) => !muted));
});

describe('a start of the room that a host makes up', () => {
  const ERA = 2_000_000_000;

  /** As the next entry of one member's log. */
  function show(room: TestRoom, to: TestMember, { bytes, signature }: Signed): void {
    const { line } = to;
    assert.ok(line);
    const body = Entry.encode({
      ...{ conversation: ROOM_CONVERSATION, kind: 'era', placedAtMs: room.clock.nowMs },
      ...{ index: (to.session.position?.index ?? 0) + 1, header: bytes, signature },
      ciphertext: ciphertext(new Uint8Array()),
    });
    room.inject(line, 'member', encodeFrame(SESSION_FRAME.entry, body));
    room.pump();
  }

  const OTHER_ROOM = roomId(new Uint8Array(16).fill(8));
  const made: Readonly<Record<string, (kept: Trio) => Signed>> = {
    'is signed by somebody else': ({ room, mallory }) => signEra(room, ERA, {}, mallory.identity),
    'is of another room': ({ room }) => signEra(room, ERA, { roomId: OTHER_ROOM }),
    'is of another version': ({ room }) => signEra(room, ERA, { version: PROTOCOL_VERSION + 1 }),
    'has an older number': ({ room }) => signEra(room, 1),
    'stands at another position': ({ room }) => {
      const { index } = room.log;
      return signEra(room, ERA, {
        positions: [
          {
            conversation: ROOM_CONVERSATION,
            index: index - 1,
            head: room.log.headAt(index - 1) ?? ZERO_HASH,
          },
        ],
      });
    },
    'stands on another log': ({ room }) =>
      signEra(room, ERA, {
        positions: [{ conversation: ROOM_CONVERSATION, index: room.log.index, head: ZERO_HASH }],
      }),
    'names no position': ({ room }) => signEra(room, ERA, { positions: [] }),
  };
  for (const [how, make] of Object.entries(made))
    test(`${how}: an alarm, and nothing is sent`, async () => {
      const kept = await trio();
      reopen(kept);
      const { room, alice, bob } = kept;
      assert.equal(reopened(bob), 1);
      show(room, bob, make(kept));
      assert.deepEqual(bob.alarms, ['roster-forked']);
      assert.match(bob.eventsOf('alarm')[0]?.text ?? '', /^The room was not opened again by its owner: /);
      assert.equal(reopened(bob), 1);
      assert.equal(bob.session.heldBack, true);
      bob.say('is anyone there?');
      room.advance(1_000);
      assert.ok(!alice.texts.includes('is anyone there?'));
    });

  const behind: Readonly<Record<string, (kept: Trio) => readonly Signed[]>> = {
    'nothing of the kind': () => [],
    'another log': ({ room }) => [at(room, { index: 3, head: ZERO_HASH })],
    'what is still to come': ({ room }) => [at(room, { index: 99, head: room.log.head })],
    'an older start': ({ room }) => [signEra(room, 1)],
  };
  const at = (room: TestRoom, position: { index: number; head: Hash }): Signed =>
    signEra(room, ERA, { positions: [{ conversation: ROOM_CONVERSATION, ...position }] });
  for (const [what, make] of Object.entries(behind))
    test(`names ${what}, and explains no loss: an alarm`, async () => {
      const kept = await trio();
      const { room, bob, mallory } = kept;
      reopen(kept);
      const copy = await copyOf(kept);
      for (const text of ['these', 'will be', 'lost']) say(room, mallory, text);
      room.end();
      room.open(openStore(copy));
      const eras = make(kept);
      bob.comeBack().toMember = on(SESSION_FRAME.eras, () =>
        eras.length === 0 ? [] : [Eras.encode({ eras: [...eras] })],
      );
      room.pump();
      assert.deepEqual(bob.alarms, ['history-lost']);
      assert.ok(!noticesOf(bob).includes('entries-lost'));
      assert.equal(bob.session.heldBack, true);
    });
});

/** What moderators, members and hosts tried against keeping order, kept from reviews. @see docs/security.md#promises */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signAct } from '../../src/crypto/acts.ts';
import { type Act, type ActKind, type ActRequest, SignedAct } from '../../src/protocol/acts.ts';
import type { Signed } from '../../src/protocol/codec.ts';
import { encodeFrame } from '../../src/protocol/framing.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import type { ActOutcome } from '../../src/protocol/reasons.ts';
import { ActAnswer, ActFrame, Deferred, Post, SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import { MessageHeader } from '../../src/protocol/signed-objects.ts';
import { company } from '../helpers/company.ts';
import { bodiesOf, on } from '../helpers/evil-host.ts';
import { dsaIdentity, wrapKeys } from '../helpers/keys.ts';
import type { TestMember } from '../helpers/member.ts';
import { rosterOf, showOperation, signNext } from '../helpers/operations.ts';
import type { TestRoom } from '../helpers/room.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

/** An act with fields of its actor's own making, rightly signed. */
function twisted(room: TestRoom, actor: TestMember, request: ActRequest, part: Partial<Act>): Signed {
  const { bytes: honest } = signAct(actor.identity, rosterOf(room), request);
  const bytes = SignedAct.encode({ ...SignedAct.decode(honest), ...part });
  return { bytes, signature: actor.identity.sign('sc1/moderate', bytes) };
}

function send(room: TestRoom, actor: TestMember, act: Signed): void {
  actor.send(encodeFrame(SESSION_FRAME.act, ActFrame.encode({ act })));
  room.advance(SECOND_MS);
}

function answersTo(member: TestMember): readonly ActOutcome[] {
  return bodiesOf(member.line?.sentByHost ?? [], SESSION_FRAME.actAnswer).map(
    (body) => ActAnswer.decode(body).outcome,
  );
}

function nicks(room: TestRoom): readonly string[] {
  return room.room.members.map(({ nick }) => nick).toSorted();
}

function requestOf(kind: ActKind, { memberId: member }: TestMember['identity']): ActRequest {
  switch (kind) {
    case 'rename':
    case 'unban':
      return { kind, nick: 'monique' };
    case 'ban':
    case 'mute':
      return { kind, member, seconds: 60 };
    case 'kick':
    case 'unmute':
      return { kind, member };
    case 'topic':
      return { kind, text: 'tea' };
    case 'slow':
      return { kind, seconds: 5 };
    case 'lock':
    case 'unlock':
      return { kind };
  }
}

// One kick with 65,000 bytes of text led to an operation that no frame can hold: the host's process ended.
test('P51 an act with more in it than its kind has use for is neither signed nor taken', async () => {
  const stuffing: readonly (readonly [ActKind, Partial<Act>])[] = [
    ['kick', { text: 'x'.repeat(65_000) }],
    ['kick', { text: 'x' }],
    ['kick', { seconds: 1 }],
    ['ban', { text: 'x' }],
    ['mute', { text: 'x' }],
    ['unmute', { seconds: 1 }],
    ['lock', { text: 'x' }],
    ['unlock', { seconds: 1 }],
    ['slow', { text: 'x' }],
    ['topic', { seconds: 1 }],
    ['rename', { seconds: 1 }],
    ['unban', { text: 'x'.repeat(LIMITS.topicBytes + 1) }],
  ];
  for (const [kind, part] of stuffing) {
    const { room, mona, ann, ben } = await company();
    const before = rosterOf(room).epoch;
    send(room, mona, twisted(room, mona, requestOf(kind, ben.identity), part));
    assert.deepEqual(
      mona.eventsOf('closed').map(({ reason }) => reason),
      ['protocol'],
      kind,
    );
    assert.equal(rosterOf(room).epoch, before, kind);
    assert.deepEqual(ann.alarms, []);
  }
  const { room, mona, ann, ben } = await company();
  const act = twisted(room, mona, requestOf('kick', ben.identity), { text: 'and more' });
  const removes = [{ memberId: ben.identity.memberId, reason: 'removed' as const }];
  showOperation(room, ann, signNext(room, { removes, causes: [act] }));
  assert.deepEqual(ann.alarms, ['forged-act']);
});

test('P50 a cause under a key that nobody may have is the same alarm as a forged one', async () => {
  const keys = [new Uint8Array(), new Uint8Array(384).fill(255), new Uint8Array(422).fill(48)];
  for (const identityKey of keys) {
    const { room, mona, ann } = await company();
    mona.act({ kind: 'slow', seconds: 1 });
    room.advance(SECOND_MS);
    const settings = { ...rosterOf(room).settings, topic: 'tea' };
    const causes = [twisted(room, mona, { kind: 'topic', text: 'tea' }, { identityKey })];
    showOperation(room, ann, signNext(room, { settings, causes }));
    assert.deepEqual(ann.alarms, ['forged-act']);
    assert.equal(ann.session.settings.topic, '');
  }
});

// One after the other they are the same bytes, and an act is good once: it was answered as if it were so already.
test('the same asked for twice within one operation is told to try again', async () => {
  const { room, mona } = await company();
  for (const text of ['tea', 'coffee', 'tea']) mona.act({ kind: 'topic', text });
  room.advance(2 * SECOND_MS);
  assert.equal(room.room.settings.topic, 'coffee');
  assert.deepEqual(answersTo(mona), ['stale']);
  mona.act({ kind: 'topic', text: 'tea' });
  room.advance(SECOND_MS);
  assert.equal(room.room.settings.topic, 'tea');
});

// By whatever nickname someone came in, /nick led to the one that was banned.
test('P54 nobody takes a banned nickname, or one that looks like it, once they are in', async () => {
  const { room, mona, ann, ben } = await company();
  mona.act({ kind: 'ban', member: ben.identity.memberId, seconds: 60 });
  room.advance(SECOND_MS);
  for (const nick of ['ben', 'b-en', 'be_n']) {
    ann.act({ kind: 'rename', nick });
    room.advance(SECOND_MS);
  }
  assert.deepEqual(answersTo(ann), ['nick-refused']);
  assert.ok(!nicks(room).includes('ben'));
  room.advance(MINUTE_MS);
  ann.act({ kind: 'rename', nick: 'ben' });
  room.advance(SECOND_MS);
  assert.ok(nicks(room).includes('ben'), 'the ban is over');
});

// Thirty nicknames a minute are thirty short messages a minute, and a topic is a long one.
test('P52 who is muted says nothing by a nickname or a topic either', async () => {
  const { room, olga, mona, ann, ben, all } = await company();
  for (const { key } of [mona, ben]) room.perform(room.room.mute(key, null, room.clock.moment));
  room.advance(SECOND_MS);
  const before = nicks(room);
  const said: readonly (readonly [TestMember, ActRequest])[] = [
    [ben, { kind: 'rename', nick: 'ann-is-a-fool' }],
    [mona, { kind: 'rename', nick: 'ann-is-a-fool' }],
    [mona, { kind: 'topic', text: 'ann is a fool' }],
  ];
  for (const [actor, request] of said) {
    assert.throws(() => actor.act(request), { code: 'muted' });
    send(room, actor, signAct(actor.identity, rosterOf(room), request));
    assert.equal(answersTo(actor).at(-1), 'not-allowed');
  }
  assert.deepEqual(nicks(room), before);
  assert.equal(room.room.settings.topic, '');
  mona.act({ kind: 'lock' });
  room.advance(SECOND_MS);
  assert.ok(room.room.settings.locked, 'keeping order goes on without words');
  room.perform(room.room.unmute(ben.key, room.clock.moment));
  room.advance(SECOND_MS);
  ben.act({ kind: 'rename', nick: 'benny' });
  olga.act({ kind: 'topic', text: 'peace' });
  room.advance(SECOND_MS);
  assert.ok(nicks(room).includes('benny'));
  for (const member of all) assert.deepEqual(member.alarms, []);
  assert.equal(ann.session.settings.topic, 'peace');
});

// The last to write decided: everyone saw that they had left, and the moderator was told nothing.
test('P18 who is being shown out cannot leave instead', async () => {
  const { room, mona, ann, ben } = await company();
  room.perform(room.room.change({ topic: 'busy' }, room.clock.moment));
  mona.act({ kind: 'ban', member: ben.identity.memberId, seconds: 0 });
  room.pump();
  ben.leave();
  room.advance(SECOND_MS);
  const { removed } = ann.eventsOf('roster').at(-1)?.change ?? assert.fail();
  assert.deepEqual(
    removed.map(({ member, reason, by }) => [member.nick, reason, by?.nick]),
    [['ben', 'banned', 'mona']],
  );
  assert.equal(ben.eventsOf('closed')[0]?.reason, 'removed');
});

test('P18 of a kick and the host\u2019s ban, the ban is signed, and whoever asked for the kick is told', async () => {
  const { room, mona, ann, ben } = await company();
  room.perform(room.room.change({ topic: 'busy' }, room.clock.moment));
  mona.act({ kind: 'kick', member: ben.identity.memberId });
  room.pump();
  room.perform(room.room.ban(ben.key, null, room.clock.moment));
  room.perform(room.room.remove(ben.key, room.clock.moment));
  room.advance(SECOND_MS);
  const { removed } = ann.eventsOf('roster').at(-1)?.change ?? assert.fail();
  assert.deepEqual(
    removed.map(({ reason, by }) => [reason, by]),
    [['banned', null]],
  );
  assert.deepEqual(answersTo(mona), ['stale']);
  assert.deepEqual(
    room.room.bans.map(({ nick, by }) => [nick, by]),
    [['ben', null]],
  );
});

// A moderator who asked for many bans and left was gone before the later ones were signed: those stayed in the book,
// with nothing in the log to show them.
test('P18 there is no ban without the operation that shows it', async () => {
  const { room, mona, all } = await company();
  const crowd: TestMember[] = [];
  for (const [place, letter] of [...'abcdefghjkpqrstu'].entries()) {
    const identity = await dsaIdentity(10 + place);
    crowd.push(await room.join(`crowd-${letter}`, { identity, wrapPair: await wrapKeys(0) }));
  }
  for (const { identity } of crowd) mona.act({ kind: 'ban', member: identity.memberId, seconds: 0 });
  mona.leave();
  room.pump();
  room.advance(2 * SECOND_MS);
  const here = new Set(nicks(room));
  assert.ok(!here.has('mona'));
  assert.ok(crowd.some(({ live }) => live));
  for (const { nick } of room.room.bans) assert.ok(!here.has(nick), nick);
  assert.equal(room.room.bans.length, crowd.filter(({ live }) => !live).length);
  for (const member of [...all, ...crowd]) assert.deepEqual(member.alarms, []);
});

// Each change of the settings is an operation of its own: thirty of them kept the host's own lock waiting for 7.5 s.
test('P53 the host\u2019s own lock waits behind no moderator, and what it settles is overruled', async () => {
  const { room, mona, ann, all } = await company();
  for (let place = 0; place < 20; place += 1) mona.act({ kind: 'topic', text: `topic ${place}` });
  mona.act({ kind: 'lock' });
  mona.act({ kind: 'unlock' });
  room.pump();
  room.perform(room.room.change({ locked: true, approval: true }, room.clock.moment));
  room.advance(250);
  assert.deepEqual([room.room.settings.locked, room.room.settings.approval], [true, true]);
  room.advance(20 * SECOND_MS);
  assert.equal(ann.session.settings.locked, true);
  assert.equal(ann.session.settings.topic, 'topic 19');
  assert.deepEqual(answersTo(mona), ['stale', 'stale']);
  for (const member of all) assert.deepEqual(member.alarms, []);
});

// The end of a mute was forgotten as soon as a moderator asked to end it, whatever became of that.
test('P52 a mute with a time ends by then, though an act to end it sooner came to nothing', async () => {
  const { room, mona, ben } = await company();
  room.perform(room.room.mute(ben.key, 5 * SECOND_MS, room.clock.moment));
  room.advance(SECOND_MS);
  for (const topic of ['busy', 'busier']) room.perform(room.room.change({ topic }, room.clock.moment));
  room.perform(room.room.setRole(mona.key, 'member', room.clock.moment));
  room.perform(room.room.setRole(ben.key, 'moderator', room.clock.moment));
  room.perform(room.room.setRole(ben.key, 'member', room.clock.moment));
  mona.act({ kind: 'unmute', member: ben.identity.memberId });
  room.pump();
  room.advance(SECOND_MS);
  assert.deepEqual(answersTo(mona), ['stale']);
  assert.equal(ben.session.self?.muted, true);
  room.advance(5 * SECOND_MS);
  assert.equal(ben.session.self?.muted, false);
});

test('P52 a host that silences somebody without a signature is not believed that they are muted', async () => {
  const { room, ann } = await company();
  ann.say('hello');
  room.pump();
  const { line } = ann;
  assert.ok(line);
  line.toHost = on(SESSION_FRAME.post, (body) => {
    const { conversation, chainId, n } = MessageHeader.decode(Post.decode(body).header);
    const answer = Deferred.encode({ conversation, chainId, n, reason: 'muted', retryAfterMs: 0 });
    room.inject(line, 'member', encodeFrame(SESSION_FRAME.deferred, answer));
    return [];
  });
  ann.say('the host is a thief');
  room.pump();
  const [told] = ann.eventsOf('notice').filter(({ code }) => code === 'muted');
  assert.match(told?.text ?? '', /The host says .* the member list does not.*thief/);
  assert.equal(ann.session.self?.muted, false);
});

// Thirty nicknames a minute were thirty lines to everyone, from people whom slow mode allows one.
test('P45 nobody talks by nicknames: a few a minute', async () => {
  const { room, ben, ann, all } = await company();
  const before = ann.eventsOf('roster').length;
  for (const letter of 'abcdefghjk') {
    ben.act({ kind: 'rename', nick: `ben-${letter}` });
    room.advance(SECOND_MS);
  }
  const most = LIMITS.actsPerMemberPerMinute / LIMITS.actsPerRename;
  assert.equal(ann.eventsOf('roster').length - before, most);
  assert.deepEqual(answersTo(ben), new Array(10 - most).fill('too-fast'));
  room.advance(MINUTE_MS);
  ben.act({ kind: 'rename', nick: 'ben' });
  room.advance(SECOND_MS);
  assert.ok(nicks(room).includes('ben'));
  for (const member of all) assert.deepEqual(member.alarms, []);
});

// The second one became the host's own doing, took the place of the first, and everyone saw the host silence somebody.
test('P50 who asks for a mute twice is named for it', async () => {
  const { room, mona, ann, ben, all } = await company();
  const { memberId: member } = ben.identity;
  room.perform(room.room.change({ topic: 'busy' }, room.clock.moment));
  for (const seconds of [60, 5]) mona.act({ kind: 'mute', member, seconds });
  room.pump();
  room.advance(SECOND_MS);
  const { changed } = ann.eventsOf('roster').at(-1)?.change ?? assert.fail();
  assert.deepEqual(
    changed.map(({ after, by }) => [after.nick, after.muted, by?.nick]),
    [['ben', true, 'mona']],
  );
  assert.deepEqual(answersTo(mona), ['done']);
  room.advance(5 * SECOND_MS);
  assert.equal(ben.session.self?.muted, false, 'the length that was asked for last');
  for (const each of all) assert.deepEqual(each.alarms, []);
});

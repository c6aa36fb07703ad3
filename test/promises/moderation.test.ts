/** Who may change what, and whose word each change stands on. @see docs/security.md#promises */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signAct } from '../../src/crypto/acts.ts';
import type { NextOperation } from '../../src/crypto/roster.ts';
import { type ActRequest, SignedAct } from '../../src/protocol/acts.ts';
import type { Signed } from '../../src/protocol/codec.ts';
import { encodeFrame } from '../../src/protocol/framing.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import type { ActOutcome, Removal } from '../../src/protocol/reasons.ts';
import { ActAnswer, ActFrame, Post, SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import { type Company, company } from '../helpers/company.ts';
import { bodiesOf, EvilHost } from '../helpers/evil-host.ts';
import type { TestMember } from '../helpers/member.ts';
import { entryOf, rosterOf, showOperation, signNext } from '../helpers/operations.ts';
import type { TestRoom } from '../helpers/room.ts';

const kick = ({ identity }: TestMember): ActRequest => ({ kind: 'kick', member: identity.memberId });
const mute = ({ identity }: TestMember): ActRequest => ({
  kind: 'mute',
  member: identity.memberId,
  seconds: 0,
});

/** An act as this member's own key signs it, whatever their program would do. */
function signed(room: TestRoom, actor: TestMember, request: ActRequest): Signed {
  return signAct(actor.identity, rosterOf(room), request);
}

function sendAct(room: TestRoom, actor: TestMember, act: Signed): void {
  actor.send(encodeFrame(SESSION_FRAME.act, ActFrame.encode({ act })));
  room.advance(1_000);
}

function removal(member: TestMember, reason: Removal): Pick<NextOperation, 'removes'> {
  return { removes: [{ memberId: member.identity.memberId, reason }] };
}

/** Each operation, signed by the owner's key, is shown to ann in a room of its own, and must be an alarm there. */
async function assertRefused(
  operations: Readonly<Record<string, (company: Company) => Partial<NextOperation>>>,
  code: string,
): Promise<void> {
  for (const [name, next] of Object.entries(operations)) {
    const all = await company();
    const { room, ann } = all;
    const before = ann.session.members.map(({ member }) => member.encoded);
    const settings = { ...ann.session.settings };
    showOperation(room, ann, signNext(room, next(all)));
    assert.deepEqual(ann.alarms, [code], name);
    assert.ok(ann.session.heldBack, name);
    assert.deepEqual(
      ann.session.members.map(({ member }) => member.encoded),
      before,
      name,
    );
    assert.deepEqual(ann.session.settings, settings, name);
  }
}

test('P18 every change to a member or to the room is shown by every client, with who asked for it', async () => {
  const { room, mona, ann, ben, all } = await company();
  const { memberId: member } = ben.identity;
  const seen = new Map(all.map((each) => [each, each.eventsOf('roster').length]));
  const requests: readonly (readonly [TestMember, ActRequest])[] = [
    [ann, { kind: 'rename', nick: 'anna' }],
    [mona, { kind: 'mute', member, seconds: 0 }],
    [mona, { kind: 'unmute', member }],
    [mona, { kind: 'topic', text: 'tea' }],
    [mona, { kind: 'slow', seconds: 5 }],
    [mona, { kind: 'lock' }],
    [mona, { kind: 'unlock' }],
  ];
  for (const [actor, request] of requests) {
    actor.act(request);
    room.advance(1_000);
  }
  const { moment } = room.clock;
  room.perform(room.room.setRole(ben.key, 'moderator', moment));
  room.perform(room.room.change({ motd: 'Welcome', approval: true }, moment));
  room.advance(1_000);
  for (const policy of [{ staySeconds: 3_600 }, { edits: false }, { readReceipts: false }]) {
    room.perform(room.room.change(policy, room.clock.moment));
    room.advance(1_000);
  }
  for (const each of all) {
    const changes = each.eventsOf('roster').slice(seen.get(each));
    const shown = changes.flatMap(({ change }) => [
      ...change.changed.map(({ before, after, by }) => {
        const what =
          before.nick === after.nick ? (before.role === after.role ? after.muted : after.role) : after.nick;
        return `${by?.nick} ${before.nick} ${what}`;
      }),
      ...(change.settings === null
        ? []
        : [`${change.settings.by?.nick} ${JSON.stringify(Object.values(change.settings.after))}`]),
    ]);
    assert.deepEqual(shown, [
      'ann ann anna',
      'mona ben true',
      'mona ben false',
      'mona ["tea","",0,false,false,0,true,true]',
      'mona ["tea","",5,false,false,0,true,true]',
      'mona ["tea","",5,true,false,0,true,true]',
      'mona ["tea","",5,false,false,0,true,true]',
      'undefined ben moderator',
      'undefined ["tea","Welcome",5,false,true,0,true,true]',
      'undefined ["tea","Welcome",5,false,true,3600,true,true]',
      'undefined ["tea","Welcome",5,false,true,3600,false,true]',
      'undefined ["tea","Welcome",5,false,true,3600,false,false]',
    ]);
    assert.deepEqual(each.alarms, []);
  }
});

test('P50 a change in the name of a member who did not sign it is refused by every client', async () => {
  const forge = (act: Signed): Signed => ({ ...act, signature: act.signature.map((byte) => byte ^ 1) });
  const lend = (act: Signed, to: TestMember): Signed => {
    const bytes = SignedAct.encode({ ...SignedAct.decode(act.bytes), memberId: to.identity.memberId });
    return { bytes, signature: act.signature };
  };
  await assertRefused(
    {
      'a forged kick': ({ room, mona, ben }) => ({
        ...removal(ben, 'removed'),
        causes: [forge(signed(room, mona, kick(ben)))],
      }),
      'an act of another moderator': ({ room, mona, mike, ben }) => ({
        ...removal(ben, 'removed'),
        causes: [lend(signed(room, mona, kick(ben)), mike)],
      }),
      'a kick of someone else': ({ room, mona, ann, ben }) => ({
        ...removal(ben, 'removed'),
        causes: [signed(room, mona, kick(ann))],
      }),
      'a kick that became a ban': ({ room, mona, ben }) => ({
        ...removal(ben, 'banned'),
        causes: [signed(room, mona, kick(ben))],
      }),
      'a ban that someone left by': ({ room, mona, ben }) => ({
        ...removal(ben, 'left'),
        causes: [signed(room, mona, { kind: 'ban', member: ben.identity.memberId, seconds: 0 })],
      }),
      'an act that changed nothing': ({ room, mona, ben }) => ({
        causes: [signed(room, mona, kick(ben))],
      }),
      'two acts for one change': ({ room, mona, mike, ben }) => ({
        ...removal(ben, 'removed'),
        causes: [signed(room, mona, kick(ben)), signed(room, mike, kick(ben))],
      }),
      'one act twice': ({ room, mona, ben }) => ({
        ...removal(ben, 'removed'),
        causes: [signed(room, mona, kick(ben)), signed(room, mona, kick(ben))],
      }),
      'another topic than was asked for': ({ room, mona }) => ({
        settings: { ...rosterOf(room).settings, topic: 'mona is a fool' },
        causes: [signed(room, mona, { kind: 'topic', text: 'tea at five' })],
      }),
      'a topic with more behind it': ({ room, mona }) => ({
        settings: { ...rosterOf(room).settings, topic: 'tea at five', motd: 'mona is a fool' },
        causes: [signed(room, mona, { kind: 'topic', text: 'tea at five' })],
      }),
      'a topic with a policy behind it': ({ room, mona }) => ({
        settings: { ...rosterOf(room).settings, topic: 'tea at five', staySeconds: 30 },
        causes: [signed(room, mona, { kind: 'topic', text: 'tea at five' })],
      }),
      'a muting with a nickname behind it': ({ room, mona, ben }) => ({
        puts: [entryOf(room, ben, { muted: true, nick: 'benny' })],
        causes: [signed(room, mona, mute(ben))],
      }),
      'another length of slow mode': ({ room, mona }) => ({
        settings: { ...rosterOf(room).settings, slowSeconds: 60 },
        causes: [signed(room, mona, { kind: 'slow', seconds: 30 })],
      }),
      'a lock where opening was asked for': ({ room, mona }) => ({
        settings: { ...rosterOf(room).settings, locked: true },
        causes: [signed(room, mona, { kind: 'unlock' })],
      }),
      'an unban, which no operation shows': ({ room, mona }) => ({
        causes: [signed(room, mona, { kind: 'unban', nick: 'eve' })],
      }),
      'an act of someone who is not here': ({ room, ben }) => ({
        ...removal(ben, 'removed'),
        causes: [signAct(room.ownerKey, rosterOf(room), kick(ben))],
      }),
    },
    'forged-act',
  );
});

test('P50 what a member did sign is taken, and shown as theirs', async () => {
  const { room, mona, ann, ben } = await company();
  const { settings } = rosterOf(room);
  const operation = signNext(room, {
    ...removal(ben, 'removed'),
    puts: [entryOf(room, ann, { nick: 'anna' })],
    settings: { ...settings, topic: 'tea at five' },
    causes: [
      signed(room, mona, kick(ben)),
      signed(room, ann, { kind: 'rename', nick: 'anna' }),
      signed(room, mona, { kind: 'topic', text: 'tea at five' }),
    ],
  });
  showOperation(room, ann, operation);
  assert.deepEqual(ann.alarms, []);
  const { removed, changed, settings: change } = ann.eventsOf('roster').at(-1)?.change ?? assert.fail();
  assert.deepEqual([removed[0]?.by?.nick, changed[0]?.by?.nick, change?.by?.nick], ['mona', 'ann', 'mona']);
});

test('P50 nobody is given another nickname but by their own act', async () => {
  await assertRefused(
    {
      'renamed by the host': ({ room, ben }) => ({ puts: [entryOf(room, ben, { nick: 'benny' })] }),
      'nicknames swapped': ({ room, ben, mike }) => ({
        puts: [entryOf(room, ben, { nick: 'mike' }), entryOf(room, mike, { nick: 'ben' })],
      }),
      'renamed by a moderator': ({ room, ben, mona }) => ({
        puts: [entryOf(room, ben, { nick: 'benny' })],
        causes: [signed(room, mona, { kind: 'rename', nick: 'benny' })],
      }),
      'another nickname than was asked for': ({ room, ben }) => ({
        puts: [entryOf(room, ben, { nick: 'bonny' })],
        causes: [signed(room, ben, { kind: 'rename', nick: 'benny' })],
      }),
      'a role behind it': ({ room, ben }) => ({
        puts: [entryOf(room, ben, { nick: 'benny', role: 'moderator' })],
        causes: [signed(room, ben, { kind: 'rename', nick: 'benny' })],
      }),
    },
    'forged-act',
  );
});

test('P50 an act is good once, and for a while', async () => {
  const { room, mona, ben, all } = await company();
  const act = signed(room, mona, mute(ben));
  sendAct(room, mona, act);
  assert.ok(ben.session.self?.muted);
  room.perform(room.room.unmute(ben.key, room.clock.moment));
  room.advance(1_000);
  assert.equal(ben.session.self?.muted, false);
  for (const member of all) assert.deepEqual(member.alarms, []);
  // The host, who holds the owner's key, brings it out again.
  showOperation(room, ben, signNext(room, { puts: [entryOf(room, ben, { muted: true })], causes: [act] }));
  assert.deepEqual(ben.alarms, ['forged-act']);
  assert.equal(ben.session.self?.muted, false);

  const later = await company();
  const old = signed(later.room, later.mona, mute(later.ben));
  for (let round = 0; round < 33; round += 1) {
    for (const topic of ['one', 'two']) {
      later.room.perform(later.room.room.change({ topic }, later.room.clock.moment));
      later.room.advance(250);
    }
  }
  const { room: laterRoom, ann } = later;
  showOperation(
    laterRoom,
    ann,
    signNext(laterRoom, { puts: [entryOf(laterRoom, later.ben, { muted: true })], causes: [old] }),
  );
  assert.deepEqual(ann.alarms, ['forged-act']);
});

test('P50 an act that quotes another history than the room has is refused', async () => {
  const { room, mona, ben, ann } = await company();
  const roster = rosterOf(room);
  const other = { roomId: roster.roomId, epoch: roster.epoch, hash: ben.identity.idFingerprint };
  const act = signAct(mona.identity, other, kick(ben));
  showOperation(room, ann, signNext(room, { ...removal(ben, 'removed'), causes: [act] }));
  assert.deepEqual(ann.alarms, ['forged-act']);
  sendAct(room, mona, act);
  assert.deepEqual(closedWith(mona), ['protocol']);
  assert.ok(isHere(room, ben));
});

function closedWith(member: TestMember): readonly string[] {
  return member.eventsOf('closed').map(({ reason }) => reason);
}

function isHere(room: TestRoom, member: TestMember): boolean {
  return room.room.members.some(({ key }) => key === member.key);
}

function answersTo(member: TestMember): readonly ActOutcome[] {
  return bodiesOf(member.line?.sentByHost ?? [], SESSION_FRAME.actAnswer).map(
    (body) => ActAnswer.decode(body).outcome,
  );
}

test('P51 a member without the role gets nothing changed, whatever their client', async () => {
  const { room, olga, mona, mike, ann, ben, all } = await company();
  const { memberId } = ann.identity;
  const before = rosterOf(room).epoch;
  const attempts: readonly (readonly [TestMember, ActRequest])[] = [
    [ben, kick(ann)],
    [ben, kick(olga)],
    [ben, kick(ben)],
    [ben, { kind: 'ban', member: memberId, seconds: 60 }],
    [ben, mute(ann)],
    [ben, { kind: 'unmute', member: memberId }],
    [ben, { kind: 'topic', text: 'ben was here' }],
    [ben, { kind: 'slow', seconds: 60 }],
    [ben, { kind: 'lock' }],
    [ben, { kind: 'unban', nick: 'eve' }],
    [mona, kick(mike)],
    [mona, kick(olga)],
    [mona, mute(mike)],
    [mona, mute(olga)],
    [mona, { kind: 'ban', member: olga.identity.memberId, seconds: 0 }],
    [mona, kick(mona)],
    [olga, kick(olga)],
    [olga, mute(olga)],
  ];
  for (const [actor, request] of attempts) {
    sendAct(room, actor, signed(room, actor, request));
    assert.equal(answersTo(actor).at(-1), 'not-allowed', `${actor.session.self?.nick} ${request.kind}`);
    // Their own program says so before it asks.
    assert.throws(() => actor.act(request), { code: 'not-allowed' });
  }
  assert.equal(rosterOf(room).epoch, before);
  for (const member of all) assert.deepEqual(member.alarms, []);
});

test('P51 a host gets no act by someone without the role past the clients', async () => {
  await assertRefused(
    {
      'a plain member kicks': ({ room, ann, ben }) => ({
        ...removal(ben, 'removed'),
        causes: [signed(room, ann, kick(ben))],
      }),
      'a moderator kicks a moderator': ({ room, mona, mike }) => ({
        ...removal(mike, 'removed'),
        causes: [signed(room, mona, kick(mike))],
      }),
      'a moderator kicks the owner': ({ room, mona, olga }) => ({
        ...removal(olga, 'removed'),
        causes: [signed(room, mona, kick(olga))],
      }),
      'someone who becomes a moderator by it': ({ room, ann, ben }) => ({
        ...removal(ben, 'removed'),
        puts: [entryOf(room, ann, { role: 'moderator' })],
        causes: [signed(room, ann, kick(ben))],
      }),
    },
    'forged-act',
  );
  await assertRefused(
    {
      'another owner': ({ room, ben }) => ({ puts: [entryOf(room, ben, { role: 'owner' })] }),
      'no owner': ({ room, olga }) => ({ puts: [entryOf(room, olga, { role: 'member' })] }),
      'a muted owner': ({ room, olga }) => ({ puts: [entryOf(room, olga, { muted: true })] }),
      'someone gone and here in one': ({ room, ben }) => ({
        ...removal(ben, 'removed'),
        puts: [entryOf(room, ben, { nick: 'benny' })],
      }),
      'another kind of key': ({ room, ben }) => ({ puts: [entryOf(room, ben, { algorithm: 'rsa' })] }),
      'an endless topic': ({ room }) => ({
        settings: { ...rosterOf(room).settings, topic: 'x'.repeat(LIMITS.topicBytes + 1) },
      }),
    },
    'roster-forked',
  );
});

test('P51 a moderator whose role is taken while the act is under way: nothing comes of it', async () => {
  const { room, mona, mike, ann, ben, all } = await company();
  const late = signed(room, mona, kick(ben));
  room.perform(room.room.setRole(mona.key, 'member', room.clock.moment));
  room.advance(1_000);
  sendAct(room, mona, late);
  assert.equal(answersTo(mona).at(-1), 'not-allowed');
  // Taken before the role went, and signed after: operations are some time apart.
  for (const topic of ['busy', 'busier']) room.perform(room.room.change({ topic }, room.clock.moment));
  room.perform(room.room.setRole(mike.key, 'member', room.clock.moment));
  mike.act({ kind: 'topic', text: 'mike was here' });
  room.pump();
  room.advance(1_000);
  assert.deepEqual(answersTo(mike), ['stale']);
  assert.ok(mike.eventsOf('notice').some(({ code }) => code === 'act-refused'));
  assert.ok(isHere(room, ben));
  assert.equal(ann.session.settings.topic, 'busier');
  for (const member of all) assert.deepEqual(member.alarms, []);
});

test('P51 an act that is not the own one of whoever sends it closes the connection', async () => {
  const { room, mona, ann, ben } = await company();
  sendAct(room, ann, signed(room, mona, kick(ben)));
  assert.deepEqual(closedWith(ann), ['protocol']);
  assert.ok(isHere(room, ben));
});

test('P52 a muted member is neither placed by an honest host nor shown by an honest client', async () => {
  const { room, mona, ann, ben, all } = await company();
  ben.say('hello');
  room.pump();
  const evil = new EvilHost(room);
  const post = evil.catchPost(ben, 'sealed before');
  mona.act(mute(ben));
  room.advance(1_000);
  // The line to the host carries it now: too late.
  ben.send(encodeFrame(SESSION_FRAME.post, Post.encode(post)));
  room.advance(1_000);
  for (const member of all) assert.ok(!member.texts.includes('sealed before'));
  assert.deepEqual(ann.alarms, []);
  const [told] = ben.eventsOf('notice').filter(({ code }) => code === 'muted');
  assert.match(told?.text ?? '', /sealed before/);
  assert.throws(() => ben.say('and this'), { code: 'muted' });
  // A host that places it all the same.
  evil.show(ann, post);
  assert.deepEqual(ann.alarms, ['muted-placed']);
  assert.ok(!ann.texts.includes('sealed before'));
  assert.ok(ann.session.heldBack);
});

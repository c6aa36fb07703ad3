import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Joining, type JoiningEffect } from '../../src/member/joining.ts';
import type { Bytes } from '../../src/protocol/bytes.ts';
import { ProtocolError } from '../../src/protocol/errors.ts';
import { FrameReader, frameType } from '../../src/protocol/framing.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import type { RoomEffect } from '../../src/room/effects.ts';
import {
  FUZZ_TIMEOUT,
  FUZZED_FRAMES,
  fuzzedFrame,
  type Lively,
  livelyRoom,
  type Random,
  seededRandom,
  withinBounds,
} from '../helpers/fuzz.ts';
import { RIGHT_ANSWER, type TestInvitation } from '../helpers/line.ts';
import type { TestMember } from '../helpers/member.ts';
import type { TestRoom } from '../helpers/room.ts';

let lively: Lively;
before(async () => {
  lively = await livelyRoom();
});

let invitation: TestInvitation | null = null;

/** Fuzz uses up the tries of one after the other. */
function openInvitation(room: TestRoom): TestInvitation {
  const spent = invitation === null || room.room.invitations.find(invitation.key)?.suspended !== false;
  if (spent || invitation === null) invitation = room.invite({ uses: 255, ttlMs: 7 * 24 * 60 * 60_000 });
  return invitation;
}

/** A connection to the room from which honest frames come first and fuzz afterwards. */
class Visitor {
  readonly #lively: Lively;
  readonly #id: number;
  readonly #joining: Joining;
  readonly #reader: FrameReader;
  open = true;
  /** Frames from the host that the joiner's machine has not seen yet. */
  readonly #waiting: Bytes[] = [];

  constructor(lively: Lively, id: number, member: TestMember | null) {
    const { room } = lively;
    this.#lively = lively;
    this.#id = id;
    this.#reader = new FrameReader(LIMITS.frameBytesAfterAdmission);
    const channelBinding = room.clock.randomBytes(32);
    const { id: invitationId, admissionKey } = openInvitation(room);
    const login = member?.session.login ?? null;
    this.#joining = new Joining({
      roomId: room.id,
      ownerFingerprint: room.ownerFingerprint,
      channelBinding,
      purpose:
        member === null || login === null
          ? { kind: 'join', invitationId, admissionKey }
          : {
              kind: 'login',
              memberId: member.identity.memberId,
              accountKey: login.welcome.accountKey,
              keys: { identity: member.identity, statement: login.statement },
              positions: [],
              replaces: login.welcome.sessionId,
            },
    });
    this.#take(room.room.connected(id, channelBinding, room.clock.moment));
  }

  /** The honest run, so many frames far. @returns whether the session has begun. */
  advance(frames: number): boolean {
    let welcomed = false;
    let sent = 0;
    const perform = (effects: readonly JoiningEffect[]): void => {
      const { client } = this.#lively.room.answers;
      for (const effect of effects) {
        if (effect.kind === 'welcomed') welcomed = true;
        if (effect.kind === 'send' && sent < frames) {
          sent += 1;
          this.push(effect.frame);
        }
        if (effect.kind === 'ask' && effect.what === 'answer') perform(this.#joining.answer(RIGHT_ANSWER));
        if (effect.kind === 'start-answer') perform(this.#joining.answerStarted(client.start(effect.answer)));
        if (effect.kind !== 'finish-answer') continue;
        const identifiers = { client: '', server: '' };
        perform(this.#joining.answerFinished(client.finish({ ...effect, identifiers })));
      }
    };
    perform(this.#joining.hello(this.#lively.room.clock.moment));
    for (let frame = this.#waiting.shift(); frame !== undefined; frame = this.#waiting.shift()) {
      if (welcomed || !this.open) break;
      perform(this.#joining.onFrame(frame));
    }
    return welcomed;
  }

  /** Bytes as they come from a socket. */
  push(bytes: Bytes): void {
    const { room } = this.#lively;
    try {
      this.#reader.push(bytes, (frame) => this.#take(room.room.frame(this.#id, frame, room.clock.moment)));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.leave();
    }
  }

  leave(): void {
    const { room } = this.#lively;
    this.#take(room.room.disconnected(this.#id, room.clock.moment));
    this.open = false;
  }

  #take(effects: readonly RoomEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'close' && effect.connection === this.#id) this.open = false;
      if (effect.kind === 'send' && effect.to === this.#id) this.#waiting.push(effect.frame);
    }
    this.#lively.room.perform(effects);
  }
}

/** Sends fuzz until the connection closes, or it was enough. @returns how many frames that took. */
function pester(visitor: Visitor, corpus: readonly Bytes[], random: Random): number {
  let frames = 0;
  for (; visitor.open && frames < 60; frames += 1) visitor.push(fuzzedFrame(corpus, random));
  if (visitor.open) visitor.leave();
  return frames;
}

/** The people inside noticed nothing. */
function assertUnharmed({ room, members }: Lively): void {
  const [alice, bob, carol] = members as [TestMember, TestMember, TestMember];
  room.advance(2_000);
  for (const member of [alice, bob]) {
    member.say(`still here ${member.key}`);
    room.advance(1_000);
  }
  for (const member of [alice, bob]) {
    assert.deepEqual(member.alarms, []);
    assert.deepEqual(
      member.texts.slice(-2),
      [alice, bob].map(({ key }) => `still here ${key}`),
    );
    assert.deepEqual(
      member.session.members.map((listed) => listed.member.nick).sort(),
      room.room.members.map(({ nick }) => nick).sort(),
    );
  }
  assert.ok(carol);
}

test(
  'P43 the room survives whatever strangers and candidates send, in every state of the door',
  FUZZ_TIMEOUT,
  () => {
    const random = seededRandom(47);
    const { room, fromMembers } = lively;
    const reached = [0, 0, 0, 0];
    withinBounds(() => {
      let id = 1_000_000;
      for (let sent = 0; sent < FUZZED_FRAMES * 0.9; ) {
        id += 1;
        const visitor = new Visitor(lively, id, null);
        const frames = random(4);
        visitor.advance(frames);
        reached[frames] = (reached[frames] ?? 0) + 1;
        sent += Math.max(1, pester(visitor, fromMembers, random));
        room.advance(1 + random(50));
        // What the test room writes down of the door is not the room's memory.
        room.notices.length = 0;
      }
    });
    for (const count of reached) assert.ok(count > FUZZED_FRAMES / 100, String(reached));
    assertUnharmed(lively);
  },
);

test('P43 the room survives whatever a member sends', FUZZ_TIMEOUT, () => {
  const random = seededRandom(48);
  const { room, members, fromMembers } = lively;
  const [, , carol] = members;
  assert.ok(carol);
  const corpus = fromMembers.filter((frame) => frameType(frame) >= SESSION_FRAME.ping);
  // Carol's own line ends; from here on it is fuzz that comes by her account.
  carol.loseLine();
  let sessions = 0;
  withinBounds(() => {
    let id = 2_000_000;
    for (let sent = 0; sent < FUZZED_FRAMES * 0.1; ) {
      id += 1;
      const visitor = new Visitor(lively, id, carol);
      if (visitor.advance(2)) sessions += 1;
      sent += Math.max(1, pester(visitor, corpus, random));
      room.advance(1 + random(50));
    }
  });
  assert.ok(sessions > 500, String(sessions));
  assertUnharmed(lively);
});

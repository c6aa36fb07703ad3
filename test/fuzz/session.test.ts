import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { SessionEffect } from '../../src/member/events.ts';
import { Joining } from '../../src/member/joining.ts';
import { Session } from '../../src/member/session.ts';
import { ADMISSION_FRAME } from '../../src/protocol/admission-frames.ts';
import { said } from '../../src/protocol/content.ts';
import { InputError, ProtocolError, SecurityError } from '../../src/protocol/errors.ts';
import { encodeFrame, frameType } from '../../src/protocol/framing.ts';
import { ROOM_CONVERSATION } from '../../src/protocol/identifiers.ts';
import { LogPage, SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import {
  FUZZ_TIMEOUT,
  FUZZED_FRAMES,
  fuzzedFrame,
  type Lively,
  livelyRoom,
  seededRandom,
  withinBounds,
} from '../helpers/fuzz.ts';

let lively: Lively;
before(async () => {
  lively = await livelyRoom();
});

/** A connection that hears only fuzz is given up after so many frames. */
const FRAMES_A_CONNECTION = 40;

test('P43 a session survives whatever a host sends, listing, reading and live', FUZZ_TIMEOUT, () => {
  const { room, members, fromHost } = lively;
  // Bob came back late: what his WELCOME names is close to all that was recorded.
  const [, bob] = members;
  assert.ok(bob?.line && bob.welcome);
  const { welcome, identity, wrapKeys } = bob;
  const list = bob.line.sentByHost.findLast((frame) => frameType(frame) === SESSION_FRAME.list);
  assert.ok(list);
  const admissionTypes = new Set<number>(Object.values(ADMISSION_FRAME));
  const corpus = fromHost.filter((frame) => !admissionTypes.has(frameType(frame)));
  const random = seededRandom(45);
  const texts = new Set(members.flatMap((member) => member.texts));
  let session = new Session({ roomId: room.id, identity, wrapKeys });
  const phases = new Map<string, number>();
  // What bob is told of the conversations he is in.
  const pages = bob.lines
    .flatMap(({ sentByHost }) => sentByHost)
    .filter((frame) => frameType(frame) === SESSION_FRAME.conversation);
  const beside = new Set<string>();
  withinBounds(() => {
    for (let turn = 0; turn < FUZZED_FRAMES; turn += 1) {
      room.clock.nowMs += random(300);
      const { moment } = room.clock;
      const survive = (step: () => readonly SessionEffect[]): void => {
        try {
          for (const effect of step()) {
            if (effect.kind === 'event' && effect.event.kind === 'message' && !effect.event.own)
              assert.ok(texts.has(effect.event.text), 'only what was really said is shown');
          }
        } catch (error) {
          const expected = [ProtocolError, SecurityError, InputError].some((kind) => error instanceof kind);
          if (!expected) throw error;
          // The program ends here.
          if (error instanceof SecurityError) session = new Session({ roomId: room.id, identity, wrapKeys });
        }
      };
      if (turn % FRAMES_A_CONNECTION === 0) {
        session.disconnected();
        if (random(8) === 0) session = new Session({ roomId: room.id, identity, wrapKeys });
        survive(() => session.welcomed(welcome, moment));
        if (session.phase === 'listing' && random(4) > 0) survive(() => session.onFrame(list, moment));
        const { position } = session;
        if (session.phase === 'reading' && position !== null && random(4) > 0) {
          const { index, head } = position;
          const page = { conversation: ROOM_CONVERSATION, first: index + 1, headBefore: head, items: [] };
          const live = encodeFrame(SESSION_FRAME.log, LogPage.encode({ ...page, live: true }));
          survive(() => session.onFrame(live, moment));
        }
        survive(() => session.acknowledge(moment));
        survive(() => session.say(said('text', 'into the fuzz'), null, moment));
        if (session.phase === 'live' && random(4) > 0)
          for (const page of pages) survive(() => session.onFrame(page, moment));
        for (const { id, isDirect } of session.conversations) {
          beside.add(isDirect ? 'direct' : 'made');
          survive(() => session.sayIn(id, said('text', 'into the fuzz beside'), null, moment));
        }
      }
      phases.set(session.phase, (phases.get(session.phase) ?? 0) + 1);
      const frame = fuzzedFrame(corpus, random);
      survive(() => session.onFrame(frame, moment));
      if (turn % 7 === 0) survive(() => session.tick(moment));
    }
  });
  for (const phase of ['listing', 'reading', 'live'])
    assert.ok((phases.get(phase) ?? 0) > FUZZED_FRAMES / 100, JSON.stringify([...phases]));
  assert.deepEqual([...beside].sort(), ['direct', 'made']);
});

test('P43 the joiner’s machine survives whatever a host sends', FUZZ_TIMEOUT, () => {
  const { room, members, fromHost } = lively;
  const [alice] = members;
  assert.ok(alice?.welcome);
  const admissionTypes = new Set<number>(Object.values(ADMISSION_FRAME));
  const corpus = fromHost.filter((frame) => admissionTypes.has(frameType(frame)));
  const random = seededRandom(46);
  const { identity } = alice;
  const { statement } = alice.wrapKeys.current;
  const { id: roomId, ownerFingerprint } = room;
  withinBounds(() => {
    for (let turn = 0; turn < FUZZED_FRAMES / 5; turn += 1) {
      const joining = new Joining({
        roomId,
        ownerFingerprint,
        purpose: {
          kind: 'join',
          invitationId: room.clock.randomBytes(8) as never,
          admissionKey: room.clock.randomBytes(32),
        },
        channelBinding: room.clock.randomBytes(32),
      });
      joining.hello(room.clock.moment);
      joining.keysReady({ identity, statement });
      try {
        for (let frames = 0; frames < 5; frames += 1) {
          for (const effect of joining.onFrame(fuzzedFrame(corpus, random))) {
            assert.notEqual(effect.kind, 'welcomed');
            if (effect.kind !== 'ask' || effect.what !== 'answer') continue;
            const [asked] = joining.answer('an answer');
            if (asked?.kind === 'start-answer')
              joining.answerStarted({ state: '', ke1: room.clock.randomBytes(96) });
          }
        }
      } catch (error) {
        if (!(error instanceof ProtocolError || error instanceof SecurityError)) throw error;
      }
    }
  });
});

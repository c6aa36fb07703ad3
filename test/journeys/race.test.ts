/** P15: an invitation for one, and many who want it at the same moment. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { AnswerThread } from '../../src/app/answer-thread.ts';
import { type Ending, Membership } from '../../src/app/membership.ts';
import { readInvitation } from '../../src/crypto/invitation.ts';
import { generateWrapKeys } from '../../src/crypto/key-wrap.ts';
import { generateSigningKey } from '../../src/crypto/signature.ts';
import { dialTls } from '../../src/transport/tls-dialer.ts';
import { repeated } from '../helpers/effort.ts';
import { ANSWER, journey } from '../helpers/program.ts';

const RACERS = repeated({ quick: 12, thorough: 50, slow: 50 });
/** The others are a program's. */
const IN_PROCESS = RACERS - 1;

describe('an invitation for one', () => {
  journey(`P15: raced by ${RACERS}, it admits exactly one`, async (stage) => {
    const room = await stage.room(['--uses', '1']);
    const { invitation, admissionKey } = await readInvitation(room.token);
    const answers = new AnswerThread();
    // One pair for all: as many RSA keys would take a minute. Their identities differ.
    const wrapKeys = generateWrapKeys();
    const start = Promise.withResolvers<string>();
    const outcomes: Promise<Ending | 'joined'>[] = [];

    const real = await stage.guestAtCode('real-one', room);
    await real.until('prompt', { name: 'code' });
    for (let index = 0; index < IN_PROCESS; index += 1) {
      const ready = Promise.withResolvers<void>();
      const joined = Promise.withResolvers<'joined'>();
      const membership = new Membership({
        ...invitation,
        admissionKey,
        identity: generateSigningKey('dsa'),
        wrapKeys,
        answers,
        connect: () =>
          dialTls({
            addresses: invitation.addresses,
            tlsPin: invitation.tlsPin,
            exporterContext: invitation.roomId,
            timeoutMs: 20_000,
          }),
        async ask(what) {
          if (what === 'answer') return ANSWER;
          if (what === 'nick') return `racer-${index}`;
          ready.resolve();
          return start.promise;
        },
        onQuestion: () => {},
        onWaiting: () => {},
        onEvent(event) {
          if (event.kind === 'joined') joined.resolve('joined');
        },
        onLine: () => {},
      });
      void membership.join();
      void membership.ended.then((ending) => ready.reject(new Error(`ended early: ${ending.kind}`)));
      outcomes.push(Promise.race([joined.promise, membership.ended]));
      stage.onClose(() => membership.leave());
      // One after the other: one thread works on all their answers, and the host waits 20 s for a stranger's.
      await ready.promise;
    }
    start.resolve(room.code);
    real.send({ type: 'answer', name: 'code', value: room.code });

    const ended = await Promise.all(outcomes);
    const realOne = await Promise.race([real.until('joined').catch(() => null), real.exit]);
    await answers.end();
    const admitted =
      ended.filter((outcome) => outcome === 'joined').length + (typeof realOne === 'object' ? 1 : 0);
    assert.equal(admitted, 1);
    const refused = ended.filter((outcome) => outcome !== 'joined');
    for (const ending of refused) {
      assert.equal(ending.kind, 'refused');
      assert.equal(ending.kind === 'refused' && ending.reason, 'used-up');
    }
    if (typeof realOne !== 'object') assert.equal(realOne, 4);
    const joins = room.host.events.filter((event) => event.type === 'member' && event.change === 'joined');
    assert.equal(joins.length, 1);
    room.host.command('/invite list');
    assert.match((await room.host.until('notice', { code: 'invite' })).text, /used up +0 of 1 left/);
  });
});

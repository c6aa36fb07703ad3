/** The door's refusals, each with its sentence and its exit code, as a script or a person meets them. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe } from 'node:test';
import { setTimeout as until } from 'node:timers/promises';
import { AnswerThread } from '../../src/app/answer-thread.ts';
import { RelayHost } from '../../src/app/relay-host.ts';
import { makeRoomKeys } from '../../src/app/rooms/room-keys.ts';
import { normaliseAnswer } from '../../src/crypto/answer.ts';
import { mintInvitation, readInvitation } from '../../src/crypto/invitation.ts';
import { invitationId } from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import {
  ANSWER,
  type HostedRoom,
  journey,
  journeysIn,
  type Program,
  QUICK,
  type Stage,
} from '../helpers/program.ts';
import { freePort } from '../helpers/relay.ts';

/** A guest whose secrets come from files: nobody is asked. */
function guestWithFiles(stage: Stage, token: string, words: readonly string[] = []): Program {
  return stage.start('guest', [
    'c',
    '--json',
    '--nick',
    'guest',
    '--token-file',
    stage.file(token),
    ...QUICK,
    ...words,
  ]);
}

async function refusal(
  guest: Program,
  exitCode: number,
): Promise<{ readonly code: string; readonly text: string }> {
  assert.equal(await guest.exit, exitCode);
  const { code, message } = await guest.until('error');
  return { code, text: message };
}

interface Place {
  /** Its first invitation is for one guest. */
  readonly room: HostedRoom;
  /** Another one, for two people at most; its first invitation has expired soon. */
  readonly small: HostedRoom;
}

async function place(stage: Stage): Promise<Place> {
  const [room, small] = await Promise.all([
    stage.room(['--uses', '1']),
    stage.room(['--max-members', '2', '--expires', '1s']),
  ]);
  return { room, small };
}

/** @param uses and duration, as `/invite new` takes them */
async function invited({ host }: HostedRoom, uses: string) {
  host.command(`/invite new ${uses}`);
  return host.until('invitation');
}

async function quit(guest: Program): Promise<void> {
  guest.send({ type: 'quit' });
  assert.equal(await guest.exit, 0);
}

/** An invitation to this room under a key that its host does not know. */
async function forged(room: HostedRoom): Promise<string> {
  const { invitation } = await readInvitation(room.token);
  const id = invitationId(new Uint8Array(randomBytes(8)));
  const { text } = await mintInvitation({ ...invitation, invitationId: id }, new Uint8Array(randomBytes(32)));
  return text;
}

/** The other room's invitation, as if that room were behind this port. */
async function movedTo(token: string, port: number): Promise<{ readonly text: string }> {
  const { invitation } = await readInvitation(token);
  const addresses = [{ host: '127.0.0.1', port }];
  return mintInvitation({ ...invitation, addresses }, new Uint8Array(randomBytes(32)));
}

journeysIn<Place>('the door', place, (journey) => {
  describe('an invitation that opens nothing', () => {
    journey(
      'is told apart: used, revoked, unknown, of another room, damaged, not one at all',
      async ({ room, small: other }, stage) => {
        const revoked = await room.invite();
        room.host.command(`/invite revoke ${revoked.id}`);
        await room.host.until('notice', { code: 'invite' });
        const ann = await stage.guest('ann', room);

        const [used, withdrawn, unknown, foreign] = await Promise.all([
          refusal(guestWithFiles(stage, room.token), 4),
          refusal(guestWithFiles(stage, revoked.token), 4),
          refusal(guestWithFiles(stage, await forged(room)), 4),
          refusal(guestWithFiles(stage, (await movedTo(other.token, room.port)).text), 5),
        ]);
        assert.equal(used.code, 'used-up');
        assert.match(used.text, /has been used as often as it may be\. Ask the host for a new one\./);
        assert.equal(withdrawn.code, 'revoked');
        assert.match(withdrawn.text, /The host has withdrawn this invitation\./);
        assert.equal(unknown.code, 'not-recognised');
        assert.match(unknown.text, /The host does not know this invitation\./);
        assert.equal(foreign.code, 'pin-mismatch');

        const damaged = room.token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
        const [broken, nonsense] = await Promise.all([
          refusal(guestWithFiles(stage, damaged), 2),
          refusal(guestWithFiles(stage, 'see you at eight'), 2),
        ]);
        assert.equal(broken.code, 'invitation-damaged');
        assert.match(broken.text, /Copy it again, whole/);
        assert.equal(nonsense.code, 'invitation-not');
        await quit(ann);
      },
    );

    journey(
      'has expired: the host says so, whatever the clock of the guest',
      async ({ small: room }, stage) => {
        await until(Date.parse(room.ready.invitation.expiresAt) - Date.now());
        const guest = guestWithFiles(stage, room.token);
        const { code, text } = await refusal(guest, 4);
        assert.deepEqual(
          [code, text],
          ['expired', 'This invitation has expired. Ask the host for a new one.'],
        );
      },
    );
  });

  describe('a guest at the door', () => {
    journey('gives three wrong answers and is turned away', async ({ room }, stage) => {
      const { id, token } = await room.invite();
      const guest = guestWithFiles(stage, token);
      const asked: (readonly [string | undefined, string, number | undefined])[] = [];
      for (const wrong of ['in the garden', 'on the train', 'at school']) {
        const { problem, message, triesLeft } = await guest.answer('answer', wrong);
        asked.push([problem, message, triesLeft]);
      }
      assert.deepEqual(asked, [
        [undefined, 'Where did we meet?', 5],
        ['That answer does not fit.', 'Where did we meet?', 4],
        ['That answer does not fit.', 'Where did we meet?', 3],
      ]);
      const { code, text } = await refusal(guest, 4);
      assert.equal(code, 'wrong-answer');
      assert.match(text, /Either it is wrong, or this is not the host: ask them another way/);

      // The last two tries, and then the invitation is suspended for everyone until the host resumes it.
      const second = guestWithFiles(stage, token);
      await second.answer('answer', 'in the garden');
      assert.equal((await second.answer('answer', 'on the train')).triesLeft, 1);
      assert.equal((await refusal(second, 4)).code, 'wrong-answer');
      const { text: told } = await room.host.until('notice', { code: 'suspended' });
      assert.match(told, new RegExp(`Invitation ${id} is suspended after too many`));
      assert.equal((await refusal(guestWithFiles(stage, token), 4)).code, 'suspended');
      room.host.command(`/invite resume ${id}`);
      await room.host.until('notice', { code: 'invite' });
      await quit(await stage.guest('ann', room, { token }));
    });

    journey(
      'gives a wrong code, then the right one, and chooses another nickname',
      async ({ room }, stage) => {
        const { token } = await invited(room, '2');
        const guest = stage.start('guest', [
          'c',
          '--json',
          '--nick',
          'arm',
          '--token-file',
          stage.file(token),
          ...QUICK,
        ]);
        await guest.answer('answer', ANSWER);
        const wrong = room.code === '000000' ? '000001' : '000000';
        await guest.answer('code', wrong);
        const asked = await guest.until('prompt', { name: 'code' });
        assert.equal(asked.triesLeft, 4);
        assert.match(asked.problem ?? '', /^That code is wrong\. Ask the host for the one on screen now\./);
        // What can be no code is not sent: it costs no try. Spaces, as people read digits aloud, are nothing.
        guest.send({ type: 'answer', name: 'code', value: 'not a code' });
        const again = await guest.until('prompt', { name: 'code' });
        assert.deepEqual(
          [again.problem, again.message, again.triesLeft],
          ['The code is six digits.', "The code on the host's screen (six digits)?", 4],
        );
        guest.send({
          type: 'answer',
          name: 'code',
          value: ` ${room.code.slice(0, 3)} ${room.code.slice(3)} `,
        });
        await guest.until('joined');
        assert.equal(
          (await room.host.until('member', ({ member }) => member.nick === 'arm')).change,
          'joined',
        );

        const late = stage.start('late', [
          'c',
          '--json',
          '--nick',
          'arrn',
          '--token-file',
          stage.file(token),
          ...QUICK,
        ]);
        await late.answer('answer', ANSWER);
        await late.answer('code', room.code);
        const taken = await late.until('prompt', { name: 'nick' });
        assert.match(
          taken.problem ?? '',
          /^Someone in the room has that nickname, or one that looks like it;/,
        );
        late.send({ type: 'answer', name: 'nick', value: 'Admin' });
        assert.match(
          (await late.until('prompt', { name: 'nick' })).problem ?? '',
          /^"admin" could be mistaken for the room itself/,
        );
        late.send({ type: 'answer', name: 'nick', value: 'a b' });
        assert.match(
          (await late.until('prompt', { name: 'nick' })).problem ?? '',
          /^A nickname is 2 to 20 characters/,
        );
        // The code was accepted: it is not asked for again.
        late.send({ type: 'answer', name: 'nick', value: 'Late' });
        assert.equal((await late.until('joined')).self.nick, 'late');
        for (const each of [guest, late]) await quit(each);
      },
    );

    journey('finds the room full', async ({ small: room }, stage) => {
      const { token } = await invited(room, '3 1h');
      const late = await stage.guestAtCode('late', room, { token });
      await late.until('prompt', { name: 'code' });
      const ann = await stage.guest('ann', room, { token });
      late.send({ type: 'answer', name: 'code', value: room.code });
      assert.equal((await refusal(late, 4)).code, 'room-full');
      const { code, text } = await refusal(guestWithFiles(stage, token), 4);
      assert.deepEqual(
        [code, text],
        ['room-full', 'The room is full. Ask the host to make room (--max-members).'],
      );
      await quit(ann);
    });
  });

  describe('a network that is not there', () => {
    journey(
      'exits with 3: a taken port, an address of another machine, a host that cannot be reached',
      async ({ room }, stage) => {
        const server = createServer().listen(0, '127.0.0.1');
        await once(server, 'listening');
        const { port } = server.address() as AddressInfo;
        stage.onClose(() => server.close());
        const answer = ['--answer-file', stage.file(ANSWER), '--question', 'Where?', '--json'];
        const taken = stage.start('taken', ['s', ...answer, '--listen', `127.0.0.1:${port}`]);
        const elsewhere = stage.start('elsewhere', ['s', ...answer, '--listen', '192.0.2.1:0']);
        const first = await refusal(taken, 3);
        assert.equal(first.code, 'port-taken');
        assert.match(first.text, /--listen/);
        assert.equal((await refusal(elsewhere, 3)).code, 'bad-address');

        const nobody = await movedTo(room.token, await freePort());
        const { code, text } = await refusal(guestWithFiles(stage, nobody.text), 3);
        assert.equal(code, 'unreachable');
        assert.match(
          text,
          /^The host cannot be reached\. 127\.0\.0\.1:\d+: refused, nothing listens there\. Ask the host whether/,
        );

        const plain = createServer((socket) => socket.end('220 mail ready\r\n')).listen(0, '127.0.0.1');
        await once(plain, 'listening');
        stage.onClose(() => plain.close());
        const mail = await movedTo(room.token, (plain.address() as AddressInfo).port);
        assert.equal((await refusal(guestWithFiles(stage, mail.text), 3)).code, 'not-securechat');
      },
    );
  });
});

describe('a code that has gone by', () => {
  journey('is told apart from a wrong one', async (stage, context) => {
    // The host's clock is the test's: a code is old after a minute.
    context.mock.timers.enable({ apis: ['Date'], now: Date.now() });
    const answers = new AnswerThread();
    const quiet = (): void => {};
    const relay = await RelayHost.start({
      roomName: 'by the clock',
      question: 'Where?',
      keys: await makeRoomKeys(normaliseAnswer(ANSWER), answers),
      listen: { host: '127.0.0.1', port: 0 },
      membersMost: 8,
      limits: LIMITS,
      log: { error: quiet, warn: quiet, info: quiet, debug: quiet },
    });
    stage.onClose(() => void relay.close('the test is over'));
    const { text } = await relay.invite({
      addresses: [{ host: '127.0.0.1', port: relay.port }],
      uses: 1,
      ttlMs: 600_000,
    });
    const { value: old } = relay.code;
    const guest = guestWithFiles(stage, text);
    await guest.answer('answer', ANSWER);
    await guest.until('prompt', { name: 'code' });
    context.mock.timers.tick(60_000);
    guest.send({ type: 'answer', name: 'code', value: old });
    const again = await guest.until('prompt', { name: 'code' });
    assert.match(again.problem ?? '', /^That code has expired\. Ask the host for the one on screen now\./);
    assert.equal(again.triesLeft, 4);
    const renewed = Promise.withResolvers<string>();
    relay.onNotice((notice) => {
      if (notice.kind === 'code') renewed.resolve(notice.code.value);
    });
    guest.send({
      type: 'answer',
      name: 'code',
      value: relay.code.value === old ? await renewed.promise : relay.code.value,
    });
    await guest.until('joined');
    await answers.end();
  });
});

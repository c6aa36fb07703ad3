/** Other people's programs look at ours: Python's cryptography, oathtool, OpenSSL, sslscan, tshark. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, statSync, watch } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import {
  loadAnswerClient,
  loadAnswerHost,
  normaliseAnswer,
  registerAnswer,
} from '../../src/crypto/answer.ts';
import { makeCertificate } from '../../src/crypto/certificate.ts';
import { mintInvitation, readInvitation } from '../../src/crypto/invitation.ts';
import { generateWrapKeys } from '../../src/crypto/key-wrap.ts';
import { generateSigningKey, ownerFingerprint } from '../../src/crypto/signature.ts';
import { Joining, type JoiningEffect } from '../../src/member/joining.ts';
import { OwnWrapKeys } from '../../src/member/wrap-keys.ts';
import { type Bytes, utf8 } from '../../src/protocol/bytes.ts';
import { invitationId, roomId } from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { Room } from '../../src/room/room.ts';
import { memoryStore } from '../../src/storage/memory-store.ts';
import { Capture } from '../helpers/capture.ts';
import { ANSWER, type HostedRoom, journey, journeysIn, QUICK, type Stage } from '../helpers/program.ts';
import { available, outputOf, pythonWithCryptography } from '../helpers/tools.ts';

const OPEN_TOKEN = `
import json, struct, sys
from cryptography.fernet import Fernet
key, token = sys.stdin.read().split()
payload = Fernet(key).decrypt(token.encode())
version, suite = payload[0], payload[1]
room, owner, pin, invitation, ttl, uses, count = struct.unpack_from('>16s32s32s8sIBB', payload, 2)
rest, addresses = payload[2 + 94:], []
for _ in range(count):
    length = rest[0]
    port, = struct.unpack_from('>H', rest, 1 + length)
    addresses.append([rest[1:1 + length].decode(), port])
    rest = rest[1 + length + 2:]
print(json.dumps([version, suite, room.hex(), owner.hex(), pin.hex(), invitation.hex(), ttl, uses, addresses, len(rest)]))
`;

/** One person at the door of a room whose code secret is known, as far as the code; then `code` is given. */
async function verdictOn(code: string, secret: Bytes, nowMs: number): Promise<string> {
  const id = roomId(new Uint8Array(16).fill(1));
  const binding = new Uint8Array(32).fill(3);
  const identifiers = { client: 'guest', server: 'host' };
  const [answerHost, answerClient, ownerKey, identity, pair] = await Promise.all([
    loadAnswerHost(),
    loadAnswerClient(),
    generateSigningKey('dsa'),
    generateSigningKey('dsa'),
    generateWrapKeys(),
  ]);
  const setup = answerHost.createSetup();
  const answer = normaliseAnswer(ANSWER);
  const record = await registerAnswer({ host: answerHost, setup, credential: 'answer', answer, identifiers });
  const moment = {
    nowMs,
    randomBytes: (length: number) =>
      length === secret.length ? secret : new Uint8Array(length).fill(length),
  };
  const room = new Room(
    {
      roomId: id,
      name: 'known secret',
      question: 'Where?',
      maxMembers: 8,
      limits: LIMITS,
      ownerKey,
      answer: {
        start: (ke1) => answerHost.startLogin({ setup, record, credential: 'answer', identifiers, ke1 }),
        finish: (state, ke3) => answerHost.finishLogin({ state, ke3, identifiers }),
      },
      gate: {
        recognised: () => true,
        unrecognised: () => {},
        proved: () => {},
        judged: () => {},
        admitted: () => {},
      },
      keeps: 'nothing',
      store: memoryStore(id, LIMITS),
    },
    moment,
  );
  const invitation = invitationId(new Uint8Array(8).fill(4));
  const admissionKey = new Uint8Array(32).fill(5);
  room.invitations.add({ id: invitation, admissionKey, expiresAtMs: nowMs + 1_000, uses: 1, role: 'member' });
  room.connected(1, binding, moment);
  const { statement } = new OwnWrapKeys({ identity, roomId: id, pair, nowMs }).current;
  const joining = new Joining({
    roomId: id,
    ownerFingerprint: ownerFingerprint(ownerKey.spki),
    purpose: { kind: 'join', invitationId: invitation, admissionKey },
    channelBinding: binding,
  });
  joining.keysReady({ identity, statement });
  const todo: JoiningEffect[] = joining.hello(moment);
  for (let effect = todo.shift(); effect !== undefined; effect = todo.shift()) {
    if (effect.kind === 'welcomed') return 'welcomed';
    if (effect.kind === 'refused') return effect.reason;
    if (effect.kind === 'send') {
      for (const sent of room.frame(1, effect.frame, moment)) {
        if (sent.kind === 'send') todo.push(...joining.onFrame(sent.frame));
      }
    } else if (effect.kind === 'start-answer')
      todo.push(...joining.answerStarted(answerClient.start(effect.answer)));
    else if (effect.kind === 'finish-answer') {
      todo.push(...joining.answerFinished(answerClient.finish({ ...effect, identifiers })));
    } else if (effect.kind === 'ask') {
      if (effect.problem !== null) return effect.problem;
      todo.push(...joining[effect.what]({ answer: ANSWER, code, nick: 'ann', password: '' }[effect.what]));
    }
  }
  return 'nothing';
}

if (available(['oathtool', '--version'], "oathtool's code opens the door")) {
  describe('oathtool', () => {
    journey('prints the code that opens the door, one step early or late, and no other', async () => {
      const secret = utf8.encode('a secret of 20 bytes');
      const nowMs = Date.UTC(2026, 10, 20, 12);
      const codeAt = async (timeMs: number): Promise<string> => {
        const words = ['--totp', `--now=${new Date(timeMs).toISOString().replace('T', ' ')}`];
        return (await outputOf('oathtool', [...words, Buffer.from(secret).toString('hex')])).trim();
      };
      const verdicts = await Promise.all(
        [0, -30_000, 30_000, -60_000, 60_000].map(async (offMs) =>
          verdictOn(await codeAt(nowMs + offMs), secret, nowMs),
        ),
      );
      assert.deepEqual(verdicts, ['welcomed', 'welcomed', 'welcomed', 'old-code', 'wrong-code']);
    });
  });
}

// Listing what an interface can deliver needs the right to listen on it.
if (available(['tshark', '-i', 'lo', '-L'], 'a capture of a whole session')) {
  describe('tshark', () => {
    journey(
      'P4: a capture of a whole session holds no nickname, text, token, answer, question or code',
      async (stage) => {
        const canary = randomUUID().slice(0, 8);
        const question = `question ${canary}?`;
        const roomName = `room ${canary}`;
        const room = await stage.room(['--question', question, '--room', roomName, '--nick', 'olga-wolga']);
        const capture = await Capture.start(room.port, join(stage.folder, 'session.pcapng'));
        stage.onClose(() => capture.kill());
        const ann = await stage.guest('ann-nickname', room);
        const bob = await stage.guest('bob-nickname', room, { words: ['--sign', 'dsa'] });
        const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()];
        ann.say(first);
        await bob.until('message', { text: first });
        room.host.say(second);
        await ann.until('message', { text: second });
        bob.command(`/me ${third}`);
        await ann.until('message', { text: third });
        room.host.command('/kick bob-nickname');
        await bob.exit;
        ann.send({ type: 'quit' });
        await ann.exit;
        const bytes = await capture.stop();
        const codes = [room.ready.code.value, room.code];

        assert.ok(
          bytes.includes('securechat test capture ends here'),
          'the capture shows what is in the clear',
        );
        assert.ok(bytes.length > 40_000, 'the capture holds the session');
        const [, key = '', token = ''] = room.token.split('.');
        const secrets = [
          ...[
            'ann-nickname',
            'bob-nickname',
            'olga-wolga',
            question,
            roomName,
            canary,
            ANSWER,
            normaliseAnswer(ANSWER),
          ],
          ...[key, token, room.token, first, second, third, room.ready.room.id, ...codes],
        ];
        for (const secret of secrets) {
          for (const form of [
            Buffer.from(secret),
            Buffer.from(secret, 'utf16le'),
            Buffer.from(secret, 'base64url'),
          ]) {
            assert.ok(
              form.length < 6 || !bytes.includes(form),
              `found in the capture: ${secret.slice(0, 12)}`,
            );
          }
        }
      },
    );
  });
}

/** Whoever looks at it from outside leaves it as it is. */
function room(stage: Stage): Promise<HostedRoom> {
  const addresses = ['--address', 'chat.example.org', '--address', '[2001:db8::7]:99'];
  return stage.room(['--uses', '7', '--expires', '2h', ...addresses]);
}

journeysIn<HostedRoom>('a room that nobody enters', room, (journey) => {
  const python = pythonWithCryptography("Python's cryptography opens an invitation");
  if (python !== null) {
    describe("Python's cryptography", () => {
      journey('P6: opens a minted token, and finds in it what we read', async (room) => {
        room.host.command('/invite raw');
        const key = /^Fernet key +(\S+)$/.exec(
          (await room.host.until('notice', { code: 'invite' })).text,
        )?.[1];
        const token = /^Fernet token +(\S+)$/.exec(
          (await room.host.until('notice', { code: 'invite' })).text,
        )?.[1];
        const { invitation } = await readInvitation(room.token);
        const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
        assert.deepEqual(
          JSON.parse(await outputOf(python, ['-c', OPEN_TOKEN], { text: `${key} ${token}` })),
          [
            ...[1, 1, hex(invitation.roomId), hex(invitation.ownerFingerprint), hex(invitation.tlsPin)],
            ...[hex(invitation.invitationId), 7_200, 7],
            [
              ['chat.example.org', invitation.addresses[0]?.port],
              ['2001:db8::7', 99],
            ],
            0,
          ],
        );
      });
    });
  }

  if (available(['openssl', 'version'], 'OpenSSL knocks at the door')) {
    describe('OpenSSL', () => {
      const client = (port: number, words: readonly string[], until?: Promise<unknown>): Promise<string> => {
        const input = until === undefined ? {} : { until };
        return outputOf('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...words], input);
      };
      const speaks = ['-alpn', 'sc/1'];

      journey('P2: gets in with TLS 1.3 and our protocol name only', async ({ port }) => {
        const good = await client(port, ['-tls1_3', ...speaks]);
        assert.match(good, /New, TLSv1\.3, Cipher is TLS_AES_256_GCM_SHA384/);
        assert.match(good, /ALPN protocol: sc\/1/);
        for (const words of [
          ['-tls1_2', ...speaks],
          ['-tls1_3', '-alpn', 'h2'],
          ['-tls1_3', '-ciphersuites', 'TLS_AES_128_GCM_SHA256', ...speaks],
        ]) {
          assert.match(await client(port, words), /Cipher is \(NONE\)/, words.join(' '));
        }
      });

      journey('P3: resumes no session', async ({ port }, stage) => {
        const kept = join(stage.folder, 'session.pem');
        // Tickets come after the handshake, and only then is there something to keep.
        const written = new Promise<void>((resolve) => {
          const watcher = watch(stage.folder, () => {
            if (!existsSync(kept) || statSync(kept).size === 0) return;
            watcher.close();
            resolve();
          });
        });
        await client(port, ['-tls1_3', ...speaks, '-sess_out', kept], written);
        assert.match(await client(port, ['-tls1_3', ...speaks, '-sess_in', kept]), /^New, TLSv1\.3/m);
        const again = await client(port, ['-tls1_3', ...speaks, '-reconnect']);
        assert.match(again, /^New, TLSv1\.3/m);
        assert.doesNotMatch(again, /^Reused/m);
      });
    });
  }

  if (available(['sslscan', '--version'], 'sslscan lists what the door speaks')) {
    describe('sslscan', () => {
      journey('P2: finds TLS 1.3 and two ciphers', async ({ port }) => {
        const found = await outputOf('sslscan', ['--no-colour', `127.0.0.1:${port}`]);
        const states = [...found.matchAll(/^((?:SSL|TLS)v[\d.]+) +(enabled|disabled)$/gm)].map(
          ([, name, state]) => [name, state],
        );
        assert.deepEqual(states, [
          ['SSLv2', 'disabled'],
          ['SSLv3', 'disabled'],
          ['TLSv1.0', 'disabled'],
          ['TLSv1.1', 'disabled'],
          ['TLSv1.2', 'disabled'],
          ['TLSv1.3', 'enabled'],
        ]);
      });
    });
  }

  describe('a listener under another key', () => {
    journey('P1: a guest sends it not one byte of their own', async (room, stage) => {
      const { invitation } = await readInvitation(room.token);
      const { keyPem, certPem } = await makeCertificate({
        nowMs: Date.now(),
        serial: new Uint8Array(16).fill(9),
      });
      let handshakes = 0;
      let received = 0;
      const closed: Promise<unknown>[] = [];
      const impostor = createTlsServer({
        key: keyPem,
        cert: certPem,
        minVersion: 'TLSv1.3',
        ALPNProtocols: ['sc/1'],
      });
      impostor.on('connection', (socket) => closed.push(once(socket, 'close')));
      impostor.on('tlsClientError', () => {});
      impostor.on('secureConnection', (socket) => {
        handshakes += 1;
        socket.on('error', () => {});
        socket.on('data', (bytes) => {
          received += bytes.length;
        });
      });
      impostor.listen(0, '127.0.0.1');
      await once(impostor, 'listening');
      stage.onClose(() => impostor.close());
      const addresses = [{ host: '127.0.0.1', port: (impostor.address() as AddressInfo).port }];
      const { text } = await mintInvitation({ ...invitation, addresses }, new Uint8Array(32).fill(6));
      const guest = stage.start('guest', ['c', '--json', ...QUICK, '--token-file', stage.file(text)]);
      assert.equal(await guest.exit, 5);
      assert.equal((await guest.until('error')).code, 'pin-mismatch');
      await Promise.all(closed);
      assert.ok(closed.length > 0);
      assert.equal(received, 0);
      assert.ok(handshakes <= closed.length);
    });
  });
});

/** What one program writes, another one checks far from the room, and so does somebody else's. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fromBase64url, toHex } from '../../src/protocol/bytes.ts';
import { formatFingerprint } from '../../src/protocol/fingerprint.ts';
import { hash } from '../../src/protocol/identifiers.ts';
import { Proof } from '../../src/protocol/proof.ts';
import { formatProof, parseProof } from '../../src/protocol/proof-text.ts';
import { MessageHeader } from '../../src/protocol/signed-objects.ts';
import { assignments, blocks, readDocument } from '../docs/document.ts';
import { type HostedRoom, journeysIn, type Program, type Stage } from '../helpers/program.ts';
import { outputOf, pythonWithCryptography } from '../helpers/tools.ts';

const HOSTILE = 'PROVED\u001b[2J\r\n\u202eSigned by the owner\u0007\n-----END SECURECHAT PROOF-----';

/** As people are shown it. */
function shown(fingerprint: string): string {
  return formatFingerprint(hash(fromBase64url(fingerprint) ?? assert.fail(fingerprint)));
}

/** Says it, and lets somebody else write a proof of it. @returns the file in the folder of all programs */
async function proofOf(sender: Program, witness: Program, text: string): Promise<string> {
  sender.say(text);
  const { id } = await witness.until('message', { text });
  witness.command(`/proof ${id}`);
  assert.match(
    (await witness.until('notice', { code: 'proof' })).text,
    new RegExp(`^proof-${id}\\.txt proves`),
  );
  return `proof-${id}.txt`;
}

/** The same file on another machine: another folder, and nothing else of the room. */
function mailed(stage: Stage, file: string, name = 'mailed.txt'): string {
  mkdirSync(join(stage.folder, 'elsewhere'), { recursive: true });
  const copy = join(stage.folder, 'elsewhere', name);
  cpSync(join(stage.folder, file), copy);
  return copy;
}

interface People {
  readonly room: HostedRoom;
  readonly rose: Program;
  readonly dan: Program;
  /** As each was told that it is. */
  readonly fingerprints: ReadonlyMap<Program, string>;
}

async function people(stage: Stage): Promise<People> {
  const room = await stage.room(['--room', 'Küche', '--topic', 'Tea']);
  const rose = await stage.guest('rose', room, { words: ['--sign', 'rsa'] });
  const dan = await stage.guest('dan', room, { words: ['--sign', 'dsa'] });
  const fingerprints = new Map(
    [rose, dan].map((program) => {
      const { self } = program.events.find((event) => event.type === 'joined') ?? assert.fail();
      return [program, self.fingerprint];
    }),
  );
  return { room, rose, dan, fingerprints };
}

const python = pythonWithCryptography("Python's cryptography checks a proof");

journeysIn<People>('a proof', people, (journey) => {
  journey(
    'P31 P60: of an RSA and of a DSA signer in one room, checked by another program',
    async (place, stage) => {
      const { room, rose, dan } = place;
      for (const [sender, witness, algorithm, when] of [
        [rose, dan, 'rsa', 'first'],
        [dan, rose, 'dsa', 'second'],
        // One's own, and the host's.
        [dan, dan, 'dsa', 'third'],
        [room.host, rose, 'dsa', 'fourth'],
      ] as const) {
        const text = `${when}, ${sender.name} says\n"this"`;
        const file = await proofOf(sender, witness, text);
        assert.equal(statSync(join(stage.folder, file)).mode & 0o777, 0o600);
        const message = await room.host.until('message', { text });
        assert.equal(message.from.algorithm, algorithm);
        const copy = mailed(stage, file);
        const checker = stage.start('checker', ['check', copy, '--json']);
        const told = await checker.until('proof');
        assert.equal(await checker.exit, 0);
        assert.equal(checker.events.length, 1, 'one object');
        assert.ok(told.proved);
        const { fingerprint, bits, ...from } = told.from;
        assert.deepEqual(
          [told.id, told.text, told.kind, told.room.name, told.members, told.conversation, told.compared],
          [message.id, text, 'text', 'Küche', 3, message.conversation, []],
        );
        const role = sender === room.host ? 'owner' : 'member';
        assert.deepEqual([from, bits], [{ ...message.from, role }, 3_072]);
        assert.equal(told.ownerFingerprint, room.ready.fingerprint);

        if (witness === sender || sender === room.host) continue;
        const known = ['--owner', shown(room.ready.fingerprint), '--signer', fingerprint];
        const person = stage.start('person', ['check', copy, ...known]);
        assert.equal(await person.exit, 0);
        assert.match(person.stdout, /^PROVED\n/);
        assert.ok(person.stdout.includes(`\n  ${shown(fingerprint)}\n`));
        assert.ok(person.stdout.includes('\n  | "this"\n'));
        assert.match(person.stdout, /fingerprint are those that you gave\.\n\nNot proved:\n {2}- when/);
      }
      dan.command('/whois rose');
      assert.match((await dan.until('notice', { code: 'whois' })).text, /signs with RSA-PSS \(3072 bits\)/);
      rose.command('/whois dan');
      assert.match((await rose.until('notice', { code: 'whois' })).text, /signs with DSA \(3072 bits\)/);
    },
  );

  journey(
    'P60: that does not hold says so with exit 5, and what is none with exit 2',
    async ({ room }, stage) => {
      const copy = mailed(stage, await proofOf(room.host, room.host, 'as it was said'));
      const other = mailed(stage, await proofOf(room.host, room.host, 'something else'), 'other.txt');
      const [proof, instead] = [copy, other].map((file) =>
        Proof.decode(parseProof(readFileSync(file, 'utf8'))),
      );
      assert.ok(proof && instead);
      writeFileSync(copy, formatProof(Proof.encode({ ...proof, content: instead.content })));
      writeFileSync(other, 'Dear Ann, I have it in writing.\n');
      const checkers = [
        stage.start('program', ['check', copy, '--json']),
        stage.start('person', ['check', copy]),
        stage.start('other', ['check', other]),
      ] as const;
      assert.deepEqual(await Promise.all(checkers.map(({ exit }) => exit)), [5, 5, 2]);
      const [program, person, none] = checkers;
      const [told, ...more] = program.events;
      assert.ok(told?.type === 'proof' && !told.proved && told.check === 'content' && more.length === 0);
      assert.match(person.stdout, /^NOT PROVED\nThe check "content" failed: the text in it is not the one /);
      assert.ok(!person.stdout.includes('something else'), 'nothing of it is shown');
      assert.match(none.stderr, /other\.txt is no proof; \/proof in a room writes one\.\n$/);
    },
  );

  journey(
    'P42 P60: shows nothing of what a hostile text or name would do to a screen',
    async ({ room }, stage) => {
      const { host } = room;
      const copy = mailed(stage, await proofOf(host, host, HOSTILE));
      const person = stage.start('person', ['check', copy]);
      const program = stage.start('program', ['check', copy, '--json']);
      assert.equal(await person.exit, 0);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there.
      assert.doesNotMatch(person.stdout, /[\u0000-\u0009\u000b-\u001f\u202e]/);
      assert.equal(person.stdout.split('\n').filter((line) => line.startsWith('PROVED')).length, 1);
      const told = await program.until('proof');
      assert.ok(told.proved && told.text === HOSTILE, 'programs get the exact text');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there.
      assert.doesNotMatch(program.stdout, /[\u0000-\u0009\u000b-\u001f\u202e]/);
      // Nor does it write where it is told to by anything but the person: the id alone names the file.
      assert.ok(existsSync(join(stage.folder, `proof-${told.id}.txt`)));
    },
  );

  if (python === null) return;
  describe("Python's cryptography", () => {
    journey('P31 P60: checks the same proofs by the words of docs/protocol.md', async (place, stage) => {
      const { room, rose, dan, fingerprints } = place;
      const group = Object.fromEntries(
        assignments(blocks(readDocument('docs/protocol.md'), 'dsa-group').join('')),
      );
      const script = fileURLToPath(new URL('../docs/check_proof.py', import.meta.url));
      const verdict = async (proof: string): Promise<Record<string, unknown>> =>
        JSON.parse(await outputOf(python, [script], { text: JSON.stringify({ proof, group }) }));
      for (const [sender, witness, algorithm] of [
        [rose, dan, 'rsa'],
        [dan, rose, 'dsa'],
      ] as const) {
        const text = `said by ${sender.name} ☕`;
        const file = readFileSync(join(stage.folder, await proofOf(sender, witness, text)), 'utf8');
        const { id } = await room.host.until('message', { text });
        const fingerprint = fingerprints.get(sender) ?? assert.fail();
        const hex = (base64url: string): string => toHex(fromBase64url(base64url) ?? assert.fail());
        const proof = Proof.decode(parseProof(file));
        const { epoch } = MessageHeader.decode(proof.header);
        assert.deepEqual(await verdict(file), {
          epoch,
          ...{ room: 'Küche', owner: hex(room.ready.fingerprint), members: 3 },
          ...{ signer: hex(fingerprint), nick: sender.name, role: 'member', algorithm },
          ...{ conversation: '0'.repeat(32), id, kind: 'text', text },
        });
        const flipped = (bytes: Uint8Array): Uint8Array =>
          bytes.map((byte, at) => (at === 5 ? byte ^ 1 : byte));
        const bad = async (changes: Partial<Proof>) =>
          (await verdict(formatProof(Proof.encode({ ...proof, ...changes }))))['failed'];
        const { bytes, signature } = proof.operation;
        const failed = await Promise.all([
          bad({ signature: flipped(proof.signature) }),
          bad({ content: flipped(proof.content) }),
          bad({ members: proof.members.slice(1) }),
          bad({ operation: { bytes, signature: flipped(signature) } }),
        ]);
        assert.deepEqual(failed, ['signature', 'content', 'list', 'owner-signature']);
      }
    });
  });
});

/** Identity files on disk, and what is asked about them. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { GaveUpError } from '../../src/app/front/front.ts';
import {
  askNewPassphrase,
  beginIdentity,
  type IdentityFront,
  readNewPassphrase,
  unlockIdentity,
} from '../../src/app/identity.ts';
import { readIdentityFile, replaceIdentityFile } from '../../src/app/identity-disk.ts';
import { checkAbsent, writePrivateFile } from '../../src/app/private-file.ts';
import { formatIdentity } from '../../src/crypto/identity-file.ts';
import type { NoticeEvent, PromptEvent } from '../../src/terminal/json-lines.ts';
import { dsaIdentity } from '../helpers/keys.ts';

const folder = mkdtempSync(join(tmpdir(), 'securechat-identity-'));
after(() => rmSync(folder, { recursive: true }));

const key = await dsaIdentity(0);
const text = await formatIdentity(key, 'right');
const unprotected = await formatIdentity(key, '');

let files = 0;
function file(content: string, mode = 0o600): string {
  files += 1;
  const path = join(folder, `file-${files}`);
  writeFileSync(path, content, { mode });
  return path;
}

/** Answers in order; whoever runs out of them leaves. */
class Answers implements IdentityFront {
  readonly asked: Omit<PromptEvent, 'type'>[] = [];
  readonly notices: NoticeEvent[] = [];
  readonly #answers: string[];

  constructor(...answers: readonly string[]) {
    this.#answers = [...answers];
  }

  async ask(prompt: Omit<PromptEvent, 'type'>): Promise<string> {
    this.asked.push(prompt);
    const answer = this.#answers.shift();
    if (answer === undefined) throw new GaveUpError('ended');
    return answer;
  }

  emit: IdentityFront['emit'] = (event) => {
    if (event.type === 'notice') this.notices.push(event);
  };

  readLine(): Promise<string> {
    return Promise.resolve(this.#answers.shift() ?? '');
  }
}

const asSource = (path: string) => ({ path, passphrase: null });

describe('on disk', () => {
  test('P35: a new file has mode 0600 and never takes the place of another', async () => {
    const path = join(folder, 'new.pem');
    await checkAbsent(path);
    await writePrivateFile(path, text);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(readFileSync(path, 'utf8'), text);
    // One after the other: a second promise that fails while the first is awaited has nobody to hear it.
    for (const again of [() => writePrivateFile(path, 'x'), () => checkAbsent(path)])
      await assert.rejects(again, { code: 'file', message: /exists already and is left as it is/ });
    assert.equal(readFileSync(path, 'utf8'), text);
    // Nor does it go where a link points.
    const link = join(folder, 'dangling');
    symlinkSync(join(folder, 'elsewhere'), link);
    await assert.rejects(checkAbsent(link), { code: 'file' });
    await assert.rejects(writePrivateFile(link, text), { code: 'file' });
    assert.ok(!existsSync(join(folder, 'elsewhere')));
  });

  test('a file that cannot be written says so and leaves nothing', async () => {
    const path = join(folder, 'no such folder', 'id.pem');
    await assert.rejects(writePrivateFile(path, text), { code: 'file', message: /^Cannot write .*ENOENT/ });
    await assert.rejects(replaceIdentityFile(path, text), {
      code: 'file',
      message: /^Cannot write .*ENOENT/,
    });
    await assert.rejects(readIdentityFile(path), { code: 'file', message: /^Cannot read .*ENOENT/ });
  });

  test('a replaced file has mode 0600 and nothing beside it; a link goes on pointing to it', async () => {
    const inner = mkdtempSync(join(folder, 'replace-'));
    const path = join(inner, 'id.pem');
    const link = join(inner, 'link.pem');
    writeFileSync(path, text, { mode: 0o600 });
    symlinkSync(path, link);
    await replaceIdentityFile(link, unprotected);
    assert.equal(readFileSync(path, 'utf8'), unprotected);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(inner).sort(), ['id.pem', 'link.pem']);
  });

  test('the old file stays where the new one cannot take its name', async () => {
    const inner = mkdtempSync(join(folder, 'folder-'));
    const path = join(inner, 'id.pem');
    // A folder of that name: a rename over it fails after the new file has been written.
    mkdirSync(join(path, 'full'), { recursive: true });
    await assert.rejects(replaceIdentityFile(path, text), { code: 'file' });
    assert.deepEqual(readdirSync(inner), ['id.pem']);
    assert.deepEqual(readdirSync(path), ['full']);
  });

  test('a file that others may read or write is refused, through a link as well', async () => {
    for (const mode of [0o640, 0o604, 0o620, 0o601]) {
      const path = file(text);
      chmodSync(path, mode);
      await assert.rejects(readIdentityFile(path), { code: 'file-mode', message: /chmod 600/ });
      const link = `${path}-link`;
      symlinkSync(path, link);
      await assert.rejects(readIdentityFile(link), { code: 'file-mode' });
    }
    assert.ok(await readIdentityFile(file(text, 0o400)));
  });

  test('what is wrong with a file is told with its name', async () => {
    const other = file('hello');
    const message = `${other} is no identity file; "securechat identity new" makes one.`;
    await assert.rejects(readIdentityFile(other), { code: 'identity-file', message });
    await assert.rejects(readIdentityFile(file(text.repeat(9))), { message: /is too large for an identity/ });
    await assert.rejects(readIdentityFile(file(text.slice(0, -90))), {
      message: /has been changed or damaged/,
    });
    await assert.rejects(readIdentityFile(folder), { name: 'InputError' });
  });
});

describe('unlocking', () => {
  test('P35: three tries, then the run ends', async () => {
    const path = file(text);
    const front = new Answers('wrong', 'wronger', 'right');
    assert.deepEqual((await unlockIdentity(asSource(path), front)).memberId, key.memberId);
    assert.deepEqual(
      front.asked.map(({ name, secret, triesLeft, problem }) => [name, secret, triesLeft, problem]),
      [
        ['passphrase', true, 3, undefined],
        ['passphrase', true, 2, 'That passphrase does not open it.'],
        ['passphrase', true, 1, 'That passphrase does not open it.'],
      ],
    );
    const wrong = new Answers('a', 'b', 'c', 'right');
    const refused = unlockIdentity(asSource(path), wrong);
    await assert.rejects(refused, { code: 'passphrase', message: /changed or damaged/ });
    assert.equal(wrong.asked.length, 3);
    await assert.rejects(unlockIdentity(asSource(path), new Answers()), GaveUpError);
  });

  test('without a passphrase nobody is asked', async () => {
    const front = new Answers();
    assert.deepEqual((await unlockIdentity(asSource(file(unprotected)), front)).memberId, key.memberId);
    assert.deepEqual(front.asked, []);
  });

  test('a passphrase from a file or standard input is tried once', async () => {
    const path = file(text);
    const from = (content: string) => ({ path, passphrase: { kind: 'file', path: file(content) } as const });
    assert.ok(await unlockIdentity(from('right\n'), new Answers()));
    const standardInput = { path, passphrase: { kind: 'standardInput' } as const };
    assert.ok(await unlockIdentity(standardInput, new Answers('right')));
    const wrong = new Answers('right');
    await assert.rejects(unlockIdentity(from('wrong\n'), wrong), { code: 'passphrase' });
    assert.deepEqual(wrong.asked, []);
  });
});

describe('choosing a passphrase', () => {
  test('is asked for twice, and again when the two differ', async () => {
    const front = new Answers('one', 'two', ' caf\u00e9', 'cafe\u0301');
    assert.equal(await askNewPassphrase({ path: 'id.pem', holder: 'you' }, front), 'caf\u00e9');
    assert.deepEqual(
      front.asked.map(({ name, secret }) => [name, secret]),
      Array.from({ length: 2 }, () => [
        ['new-passphrase', true],
        ['new-passphrase-again', true],
      ]).flat(),
    );
    assert.match(front.asked[2]?.problem ?? '', /not the same/);
  });

  test('going without needs a yes', async () => {
    assert.equal(await askNewPassphrase({ path: 'id.pem', holder: 'you' }, new Answers(' ', 'yes')), '');
    for (const no of ['', 'no', 'what?']) {
      const front = new Answers('', no, 'words', 'words');
      assert.equal(await askNewPassphrase({ path: 'id.pem', holder: 'you' }, front), 'words');
    }
    const empty = { path: 'id.pem', passphrase: { kind: 'file', path: file(' \n') } as const };
    await assert.rejects(readNewPassphrase(empty, new Answers()), { code: 'passphrase' });
  });

  test('one that is too long is asked for again', async () => {
    const front = new Answers('x'.repeat(1_025), 'words', 'words');
    assert.equal(await askNewPassphrase({ path: 'id.pem', holder: 'you' }, front), 'words');
    assert.match(front.asked[1]?.problem ?? '', /at most 1024 bytes/);
  });
});

describe('what a room is joined with', () => {
  test('a new key, of the algorithm asked for', async () => {
    const front = new Answers();
    const { key: made } = await beginIdentity({ identity: null, signing: 'dsa' }, front);
    assert.equal((await made).algorithm, 'dsa');
    assert.deepEqual(front.notices, []);
  });

  test('the key in a file, and the person is told which', async () => {
    const path = file(unprotected);
    for (const signing of [null, 'dsa'] as const) {
      const front = new Answers();
      const { key: held } = await beginIdentity({ identity: asSource(path), signing }, front);
      assert.deepEqual((await held).memberId, key.memberId);
      const [notice] = front.notices;
      assert.match(notice?.text ?? '', /^You join as key ([\da-f]{4} ){7}[\da-f]{4} \(identity .*\)\.$/);
      assert.ok(notice?.text.includes(path));
    }
    const refused = beginIdentity({ identity: asSource(path), signing: 'rsa' }, new Answers());
    await assert.rejects(refused, { code: 'conflict', message: /holds DSA and --sign asks for RSA/ });
  });
});

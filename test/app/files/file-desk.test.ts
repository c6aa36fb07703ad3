/** What a person does with files, on real lines and a real disk: whatever comes first, what is said of a file is so. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { FileDesk } from '../../../src/app/files/file-desk.ts';
import type { AutoAccept } from '../../../src/app/options.ts';
import { type FileState, type FileView, mayCancel } from '../../../src/member/file-view.ts';
import type { Session } from '../../../src/member/session.ts';
import { toBase64url } from '../../../src/protocol/bytes.ts';
import { deletion } from '../../../src/protocol/content.ts';
import { conversationId, type RoomId } from '../../../src/protocol/identifiers.ts';
import { LIMITS } from '../../../src/protocol/limits.ts';
import { type HostedMember, HostedRoom } from '../../helpers/hosted-room.ts';

const MIB = 1_024 * 1_024;

/** A member who deals with files. */
class Dealer {
  readonly member: HostedMember;
  readonly desk: FileDesk;
  readonly folder: string;
  readonly views: FileView[] = [];
  readonly problems: unknown[] = [];
  /** Whether the room lets messages be taken back. */
  edits = true;
  /** Whether the session knows no better than before its line was lost. */
  isStale = false;
  #look: () => void = () => {};

  constructor(member: HostedMember, roomId: RoomId, folder: string, autoAccept: readonly AutoAccept[] = []) {
    this.member = member;
    this.folder = folder;
    const { membership } = member;
    const { session } = membership;
    assert.ok(session !== null);
    this.desk = new FileDesk({
      roomId,
      settings: { downloads: folder, maxBytes: 100 * MIB, autoAccept },
      membership: {
        openLine: (signal) => membership.openLine(signal),
        tellOfFile: (...news) => membership.tellOfFile(...news),
        keep: () => membership.keep(),
        session: this.#asSeen(session),
      },
      book: session.files,
      onView: (view) => {
        this.views.push(view);
        this.#look();
      },
      onMoved() {},
      onUnsay: (message) => {
        if (!this.edits) return;
        const content = deletion(message);
        assert.ok(content !== null);
        membership.say(content, null);
      },
      onNote() {},
      onProblem: (error) => this.problems.push(error),
    });
    member.onEvent = (event) => this.desk.follow(event);
  }

  #asSeen(session: Session): Session {
    return new Proxy(session, {
      get: (target, name) => {
        if (name === 'phase' && this.isStale) return 'reading';
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  send(path: string): Promise<void> {
    const self = this.member.membership.session?.self;
    assert.ok(self !== undefined);
    return this.desk.send(path, self, (content) => this.member.membership.say(content, null));
  }

  /** @returns the first view of this state, from now or before */
  until(state: FileState): Promise<FileView> {
    return new Promise((resolve) => {
      this.#look = () => {
        const found = this.views.find((view) => view.state === state);
        if (found !== undefined) resolve(found);
      };
      this.#look();
    });
  }
}

/** Waits until the folder is so. */
async function changes(folder: string, isSo: () => boolean): Promise<void> {
  const watcher = watch(folder);
  try {
    while (!isSo()) await once(watcher, 'change');
  } finally {
    watcher.close();
  }
}

/** Waits until the folder holds these. */
function holds(folder: string, names: readonly string[]): Promise<void> {
  return changes(folder, () => `${readdirSync(folder).sort()}` === `${names}`);
}

describe('what a person does with files', () => {
  let room: HostedRoom;
  let members: readonly [HostedMember, HostedMember];
  let folder: string;
  let ann: Dealer;
  let bob: Dealer;

  before(async () => {
    room = await HostedRoom.open();
    members = [await room.join('ann'), await room.join('bob')];
  });
  after(() => room.close());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'securechat-desk-'));
    for (const name of ['ann', 'bob']) mkdirSync(join(folder, name));
    ann = new Dealer(members[0], room.host.roomId, join(folder, 'ann'));
    bob = new Dealer(members[1], room.host.roomId, join(folder, 'bob'));
  });
  afterEach(async () => {
    for (const { desk, problems } of [ann, bob]) {
      const open = desk.views.filter((view) => mayCancel(view)).map(({ number }) => number);
      if (open.length > 0) desk.cancel(open);
      await desk.close();
      assert.deepEqual(problems, []);
    }
    rmSync(folder, { recursive: true });
  });

  function file(name: string, bytes: number): string {
    const path = join(folder, name);
    writeFileSync(path, Buffer.alloc(bytes, name));
    return path;
  }

  test('cancelled and accepted again, a file goes on from the beginning and is there', async () => {
    await ann.send(file('film.bin', 40 * MIB));
    await bob.until('offered');
    bob.desk.accept(null, null);
    const { number } = await bob.until('running');
    bob.desk.cancel([number]);
    bob.desk.accept([number], null);
    const { path } = await bob.until('done');
    assert.equal(readFileSync(path ?? '').length, 40 * MIB);
    assert.ok(!bob.views.some(({ state }) => state === 'failed'));
    assert.deepEqual(readdirSync(bob.folder), ['film.bin']);
  });

  test('cancelled while it is under way, nothing is left of it', async () => {
    await ann.send(file('film.bin', 60 * MIB));
    await bob.until('offered');
    bob.desk.accept(null, null);
    await bob.until('running');
    bob.desk.cancel(null);
    await holds(bob.folder, []);
    assert.equal(bob.desk.views.at(-1)?.state, 'cancelled');
  });

  test('cancelled where no message is taken back, whoever accepts it learns that it is not there', async () => {
    ann.edits = false;
    await ann.send(file('film.bin', MIB));
    await bob.until('offered');
    ann.desk.cancel(null);
    await ann.until('cancelled');
    bob.desk.accept(null, null);
    const { id } = await bob.until('running');
    // The host has said so for a while.
    members[1].membership.session?.files.interrupted(id, 'unknown', { nowMs: 0, isHere: () => true });
    const { problem } = await bob.until('failed');
    assert.match(problem ?? '', /no longer offers it/);
  });

  test('a session that is not live again does not know that its sender is there', async () => {
    [ann.edits, bob.isStale] = [false, true];
    await ann.send(file('film.bin', MIB));
    await bob.until('offered');
    ann.desk.cancel(null);
    await ann.until('cancelled');
    bob.desk.accept(null, null);
    const { id } = await bob.until('running');
    members[1].membership.session?.files.interrupted(id, 'unknown', { nowMs: 0, isHere: () => true });
    // Until it has asked again.
    const asked = Promise.withResolvers<void>();
    const { files } = members[1].membership.session ?? {};
    assert.ok(files !== undefined);
    const interrupted = files.interrupted.bind(files);
    files.interrupted = (...args) => {
      setImmediate(asked.resolve);
      return interrupted(...args);
    };
    await asked.promise;
    files.interrupted = interrupted;
    assert.ok(!bob.views.some(({ state }) => state === 'failed'));
  });

  test('nobody knows who reads a conversation that is not known', () => {
    const elsewhere = conversationId(new Uint8Array(16).fill(7));
    assert.equal(members[0].membership.session?.readersOf(elsewhere), null);
  });

  test('closed while it is under way, what has come stays and nobody else is kept from it', async () => {
    await ann.send(file('film.bin', 60 * MIB));
    await bob.until('offered');
    bob.desk.accept(null, null);
    const bytesOf = (name: string): number => statSync(join(bob.folder, name)).size;
    await changes(bob.folder, () => readdirSync(bob.folder).some((name) => bytesOf(name) > MIB));
    await bob.desk.close();
    const [part = '', ...others] = readdirSync(bob.folder);
    assert.match(part, /^film\.bin\.[0-9a-f]{12}\.part$/);
    assert.ok(bytesOf(part) > MIB);
    assert.deepEqual(others, []);
  });

  test('is sent from where it lay, wherever the program stands later', async () => {
    const path = file('report.txt', 1_000);
    await ann.send(relative(process.cwd(), path));
    await ann.until('offered');
    assert.equal(members[0].membership.session?.files.save().at(-1)?.place[0], path);
  });

  /** In Bob's place a program that takes by these rules. */
  async function startBot(rules: readonly AutoAccept[]): Promise<void> {
    await bob.desk.close();
    bob = new Dealer(members[1], room.host.roomId, bob.folder, rules);
  }

  async function assertTakes(small: string, large: string): Promise<void> {
    await ann.send(large);
    await ann.send(small);
    const { name } = await bob.until('done');
    assert.equal(name, basename(small));
    const asked = bob.desk.views.find((view) => view.name === basename(large));
    assert.equal(asked?.state, 'offered');
  }

  test('a bot takes what its rules say, and asks for the rest', async () => {
    await startBot([
      { from: null, maxBytes: 10_000 },
      { from: 'ann', maxBytes: 2 * MIB },
    ]);
    await assertTakes(file('small.bin', MIB), file('large.bin', 3 * MIB));
  });

  test('a rule may name a key, whatever nickname its holder has', async () => {
    const [annKey, bobKey] = members.map(({ membership }) => membership.session?.self?.identity);
    assert.ok(annKey !== undefined && bobKey !== undefined);
    await startBot([
      { from: annKey.subarray(0, 16), maxBytes: 1_000 },
      { from: bobKey.slice(), maxBytes: MIB },
    ]);
    await assertTakes(file('first.bin', 1_000), file('second.bin', 2_000));
  });

  test('a file more than there may be is sent where all before have been taken', async () => {
    await startBot([{ from: null, maxBytes: MIB }]);
    const path = file('note.txt', 10);
    for (let count = 0; count <= LIMITS.offersPerMember; count += 1) {
      await ann.send(path);
      const offer = ann.desk.views.at(-1);
      await members[0].until(
        (event) =>
          event.kind === 'file-progress' && event.state === 'done' && toBase64url(event.fileId) === offer?.id,
      );
    }
    assert.equal(ann.desk.views.filter((view) => mayCancel(view)).length, LIMITS.offersPerMember);
    // None is let go for one that cannot be said.
    const before = ann.desk.views.map(({ id, state }) => [id, state]);
    const self = members[0].membership.session?.self;
    assert.ok(self !== undefined);
    const refuse = (): never => {
      throw new Error('not said');
    };
    await assert.rejects(ann.desk.send(path, self, refuse), /not said/);
    assert.deepEqual(
      ann.desk.views.map(({ id, state }) => [id, state]),
      before,
    );
    // The host has not closed the line for it.
    assert.equal(members[0].events.filter(({ kind }) => kind === 'live').length, 1);
  });
});

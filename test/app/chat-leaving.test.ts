/** The keys that leave, faults, and what a host that takes no part knows of who is there. */
import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { Chat, type ChatOptions } from '../../src/app/chat.ts';
import type { Front } from '../../src/app/front/front.ts';
import { InputError } from '../../src/protocol/errors.ts';
import type { JsonEvent } from '../../src/terminal/json-lines.ts';
import type { TestMember } from '../helpers/member.ts';
import { openRoom } from '../helpers/room.ts';

class FakeFront implements Front {
  readonly events: JsonEvent[] = [];
  onGone = (): void => {};
  emit(event: JsonEvent): void {
    this.events.push(event);
  }
  ask(): Promise<string> {
    return Promise.reject(new Error('nothing is asked'));
  }
  readLine(): Promise<string> {
    return this.ask();
  }
  listen(): void {}
  setStatus(): void {}
  setFiles(): void {}
  display(): void {}
  messageCalled(): null {
    return null;
  }
  readonly latestOfOthers = null;
  copy(): boolean {
    return false;
  }
  showQr(): void {}
  async showPicture(): Promise<void> {}
  close(): void {}

  /** What was told since the last call. */
  take(): readonly string[] {
    return this.events.splice(0).flatMap((event) => {
      if (event.type === 'notice') return [event.text];
      return event.type === 'error' ? [`${event.code}: ${event.message}`] : [];
    });
  }
}

function membershipOf(member: TestMember): NonNullable<ChatOptions['membership']> {
  return {
    ...member.asMembership,
    hurry: () => {},
  };
}

async function open() {
  const room = await openRoom({ answer: 'stand-in' });
  const ann = await room.join('ann');
  room.pump();
  const front = new FakeFront();
  const left: string[] = [];
  const common = {
    front,
    roomId: room.id,
    roomName: 'test room',
    ownerFingerprint: room.ownerFingerprint,
    keeps: 'nothing' as const,
    onQuit: (how: string) => void left.push(how),
  };
  return { room, ann, front, left, common };
}

type Host = NonNullable<ChatOptions['host']>;

async function openHost(changes: Partial<Host> = {}) {
  const opened = await open();
  const { room, common } = opened;
  const host: Host = {
    act: () => {},
    obey: () => Promise.resolve(),
    members: room.room.members,
    position: room.room.position,
    settings: room.room.settings,
    code: { value: '123456', expiresAt: new Date(0).toISOString() },
    known: {},
    ...changes,
  };
  return { ...opened, chat: new Chat({ ...common, membership: null, host }) };
}

describe('Chat', () => {
  test('a guest who leaves while a message waits is told once, and goes when it is placed', async () => {
    const { room, ann, front, left, common } = await open();
    const chat = new Chat({ ...common, membership: membershipOf(ann), host: null });
    chat.say('on its way', null);
    chat.leave();
    chat.leave();
    assert.deepEqual(front.take(), ['Leaving when your message is placed; /quit leaves now.']);
    assert.deepEqual(left, []);
    room.pump();
    for (const event of ann.events) chat.show(event);
    assert.equal(left[0], 'quit');
  });

  test('a guest with nothing unsaid leaves without a word', async () => {
    const { ann, front, left, common } = await open();
    new Chat({ ...common, membership: membershipOf(ann), host: null }).leave();
    assert.deepEqual(front.take(), []);
    assert.deepEqual(left, ['quit']);
  });

  test('Ctrl-C after Ctrl-D is no second Ctrl-D', async () => {
    mock.timers.enable({ apis: ['Date'] });
    try {
      const { chat, left } = await openHost();
      chat.leave();
      chat.interrupt();
      assert.deepEqual(left, []);
      mock.timers.tick(5_000);
      chat.interrupt();
      assert.deepEqual(left, [], 'too late');
      chat.interrupt();
      assert.deepEqual(left, ['interrupted']);
    } finally {
      mock.timers.reset();
    }
  });

  test('a fault in a command costs that command', async () => {
    const { chat, front } = await openHost({
      obey: () => Promise.reject(new TypeError('not a function')),
      act: () => {
        throw new TypeError('neither');
      },
    });
    chat.command('/code');
    await Promise.resolve();
    chat.command('/lock');
    const told = front.take();
    assert.equal(told.length, 2);
    for (const text of told) assert.match(text, /^unexpected: .*a fault of this program/);
  });

  test('wrong input is answered by its own name', async () => {
    const { chat, front } = await openHost({
      obey: () => Promise.reject(new InputError('no-change', 'It is like that already.')),
    });
    chat.command('/code');
    await Promise.resolve();
    assert.deepEqual(front.take(), ['no-change: It is like that already.']);
  });

  test('who may be called host is left to the check of what is asked for', async () => {
    const { ann, front, common } = await open();
    const asked: unknown[] = [];
    const membership = { ...membershipOf(ann), act: (request: unknown) => void asked.push(request) };
    new Chat({ ...common, membership, host: null }).command('/nick host');
    assert.deepEqual(asked, [{ kind: 'rename', nick: 'host' }]);
    new Chat({ ...common, membership: membershipOf(ann), host: null }).command('/nick host');
    assert.match(front.take().join(), /^nick-reserved/);
  });

  test('a host that takes no part knows who is away', async () => {
    const { chat, ann, front } = await openHost();
    const member = ann.session.self;
    assert.ok(member);
    const gone = { online: false, lastSeenMs: null };
    const here = { online: true, lastSeenMs: null };
    chat.command('/names');
    assert.doesNotMatch(front.take().join(), /offline/);
    chat.show({ kind: 'presence', member, before: 'online', presence: 'offline', ...gone });
    front.take();
    chat.command('/names');
    assert.match(front.take().join(), /ann \(offline\)/);
    chat.show({ kind: 'presence', member, before: 'offline', presence: 'online', ...here });
    front.take();
    chat.command('/names');
    assert.doesNotMatch(front.take().join(), /offline/);
  });
});

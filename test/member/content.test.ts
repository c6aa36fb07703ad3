/** Answers, changes, deletions, reactions and reading, from one session to the others, through a real room. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SessionEvent } from '../../src/member/events.ts';
import { type Content, idReference, said } from '../../src/protocol/content.ts';
import { SESSION_FRAME, USUAL_PREFER } from '../../src/protocol/session-frames.ts';
import { company } from '../helpers/company.ts';
import { bodiesOf } from '../helpers/evil-host.ts';
import { dsaIdentity, wrapKeys } from '../helpers/keys.ts';
import type { TestMember } from '../helpers/member.ts';
import { openRoom, type TestRoom } from '../helpers/room.ts';

function about(kind: Content['kind'], id: string, text = ''): Content {
  return { kind, reference: idReference(id) ?? assert.fail(id), text };
}

/** Says it, and lets it get around. */
function utter(room: TestRoom, from: TestMember, content: Content): void {
  from.utter(content);
  room.advance(1_000);
}

function lastId(member: TestMember): string {
  return member.messages.at(-1)?.id ?? assert.fail('nothing was said');
}

/** Told of these kinds, without what differs from member to member. */
function toldOf(member: TestMember, ...kinds: readonly SessionEvent['kind'][]): readonly unknown[] {
  return member.events
    .filter(({ kind }) => kinds.includes(kind))
    .map((event) => ('own' in event ? { ...event, own: null } : event));
}

function posts(member: TestMember): number {
  return bodiesOf(member.sent, SESSION_FRAME.post).length;
}

describe('what is done to messages', () => {
  test('reaches everyone as it is, in order, and those who were away', async () => {
    const { room, ann, ben, mona, all } = await company();
    mona.loseLine();
    utter(room, ann, said('text', 'helo'));
    const id = lastId(ben);
    utter(room, ben, said('emote', 'waves', idReference(id) ?? assert.fail()));
    utter(room, ann, about('edit', id, 'hello'));
    utter(room, ben, about('reaction', id, '👍'));
    utter(room, ben, about('delete', lastId(ben)));
    mona.comeBack();
    room.advance(1_000);
    const kinds = ['edited', 'deleted', 'reaction'] as const;
    for (const member of all) {
      assert.deepEqual(toldOf(member, ...kinds), toldOf(ann, ...kinds));
      assert.equal(toldOf(member, ...kinds).length, 3);
      assert.equal(member.messages.at(-1)?.replyTo?.excerpt, 'helo');
      assert.deepEqual(member.alarms, []);
    }
    assert.equal(
      mona.messages.every(({ away }) => away),
      true,
    );
  });

  test('of what became of a change or a reaction for who is offline nothing is told', async () => {
    const { room, ann, ben, mona } = await company();
    utter(room, ben, said('text', 'tea'));
    const id = lastId(ann);
    mona.loseLine();
    room.advance(1_000);
    utter(room, ann, about('reaction', id, '👍'));
    assert.deepEqual(ann.eventsOf('receipt'), []);
    utter(room, ann, said('text', 'is ready'));
    assert.deepEqual(
      ann.eventsOf('receipt').map((receipt) => receipt.id),
      [lastId(ann)],
    );
  });
});

describe('reading', () => {
  test('what a member has seen is told to the others, once it is theirs to tell', async () => {
    const { room, ann, ben } = await company();
    utter(room, ann, said('text', 'tea is ready'));
    ben.session.seen(lastId(ben));
    room.advance(1_000);
    const [read] = ann.eventsOf('read');
    assert.deepEqual([read?.id, read?.from.nick, read?.ofOwn], [lastId(ann), 'ben', true]);
    assert.equal(ann.eventsOf('read').length, 1);
    // Whoever has read it needs no word of it, nor of having said so.
    assert.deepEqual([ben.eventsOf('read'), ben.eventsOf('receipt'), ben.session.unplaced], [[], [], 0]);
  });

  test('it is told neither while away, nor muted, nor where slow mode would count it, nor against one’s wish', async () => {
    const { room, ann, ben, mona } = await company();
    const see = (): void => {
      utter(room, ann, said('text', 'tea'));
      ben.session.seen(lastId(ben));
      room.advance(10_000);
    };
    ben.setAway(true);
    see();
    assert.equal(posts(ben), 0);
    ben.setAway(false);
    room.advance(1_000);
    assert.equal(ann.eventsOf('read').length, 1);
    mona.act({ kind: 'slow', seconds: 60 });
    room.advance(1_000);
    see();
    assert.equal(ann.eventsOf('read').length, 1);
    mona.act({ kind: 'slow', seconds: 0 });
    mona.act({ kind: 'mute', member: ben.identity.memberId, seconds: 0 });
    room.advance(1_000);
    assert.equal(ben.session.self?.muted, true);
    see();
    assert.equal(ann.eventsOf('read').length, 1);
    const zoe = await room.join('zoe', {
      invitation: room.invite(),
      identity: await dsaIdentity(5),
      wrapPair: await wrapKeys(2),
      prefers: { ...USUAL_PREFER, receipts: false },
    });
    utter(room, ann, said('text', 'tea'));
    zoe.session.seen(lastId(zoe));
    room.advance(10_000);
    assert.equal(posts(zoe), 0);
  });

  test('with more than sixteen members it is told no more', async () => {
    const room = await openRoom({ answer: 'stand-in', maxMembers: 32 });
    const members: TestMember[] = [];
    for (let place = 0; place < 16; place += 1)
      members.push(
        await room.join(`member-${place}`, {
          invitation: room.invite(),
          identity: await dsaIdentity(place),
          wrapPair: await wrapKeys(place % 3),
        }),
      );
    const [ann, ben] = members as [TestMember, TestMember];
    room.advance(1_000);
    utter(room, ann, said('text', 'sixteen'));
    ben.session.seen(lastId(ben));
    room.advance(10_000);
    assert.equal(ann.eventsOf('read').length, 1);
    await room.join('one-more', {
      invitation: room.invite(),
      identity: await dsaIdentity(16),
      wrapPair: await wrapKeys(0),
    });
    room.advance(1_000);
    utter(room, ann, said('text', 'seventeen'));
    ben.session.seen(lastId(ben));
    room.advance(10_000);
    assert.equal(ann.eventsOf('read').length, 1);
  });
});

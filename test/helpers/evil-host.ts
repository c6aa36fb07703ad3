/** A host that keeps to nothing: it collects what members post and shows each of them a log of its own making. */
import type { SigningKey } from '../../src/crypto/signature.ts';
import { Session } from '../../src/member/session.ts';
import type { Welcome } from '../../src/protocol/admission-frames.ts';
import type { Signed } from '../../src/protocol/codec.ts';
import { type Content, said } from '../../src/protocol/content.ts';
import { encodeFrame, frameBody, frameType } from '../../src/protocol/framing.ts';
import { ciphertext, idKey, ROOM_CONVERSATION } from '../../src/protocol/identifiers.ts';
import {
  Entry,
  Post,
  SESSION_FRAME,
  WrapDelivery,
  Wraps,
  WrapsTaken,
} from '../../src/protocol/session-frames.ts';
import { ChainAnnouncement, Era } from '../../src/protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../../src/protocol/version.ts';
import type { Hook } from './line.ts';
import type { TestMember } from './member.ts';
import type { TestRoom } from './room.ts';

/** Bodies of the frames of one type, in the order they were sent. */
export function bodiesOf(frames: readonly Uint8Array[], type: number): Uint8Array[] {
  return frames.filter((frame) => frameType(frame) === type).map((frame) => frameBody(frame).slice());
}

/** A hook that changes frames of one type and lets all others pass. */
export function on(type: number, change: (body: Uint8Array) => readonly Uint8Array[]): Hook {
  return (frame) =>
    frameType(frame) === type ? change(frameBody(frame)).map((body) => encodeFrame(type, body)) : [frame];
}

export class EvilHost {
  readonly #room: TestRoom;

  constructor(room: TestRoom) {
    this.#room = room;
  }

  /** What this member posts when they say something: the honest room never sees it. */
  catchPost(from: TestMember, content: string | Content): Post {
    const { line } = from;
    if (line === null) throw new Error('no line');
    const caught: Post[] = [];
    const before = line.toHost;
    line.toHost = on(SESSION_FRAME.post, (body) => {
      caught.push(copyOf(Post.decode(body)));
      return [];
    });
    from.utter(typeof content === 'string' ? said('text', content) : content);
    this.#room.pump();
    line.toHost = before;
    const [post] = caught;
    if (post === undefined) throw new Error(`nothing was posted: ${from.alarms}`);
    return post;
  }

  /** Shows one member a message as the next entry of their log. */
  show(
    to: TestMember,
    post: Post,
    changes: { readonly placedAtMs?: number; readonly index?: number } = {},
  ): void {
    const { position } = to.session;
    if (to.line === null || position === null) throw new Error('not in the room');
    const body = Entry.encode({
      conversation: ROOM_CONVERSATION,
      index: changes.index ?? position.index + 1,
      kind: 'message',
      placedAtMs: changes.placedAtMs ?? this.#room.clock.nowMs,
      ...post,
    });
    this.#room.inject(to.line, 'member', encodeFrame(SESSION_FRAME.entry, body));
    this.#room.pump();
  }
}

/** From now on WELCOME tells this member something else in part: the host seals it, so it may say what it likes. */
export function changeWelcome(member: TestMember, change: (welcome: Welcome) => Partial<Welcome>): void {
  const { session } = member;
  session.welcomed = (welcome, moment) =>
    Session.prototype.welcomed.call(session, { ...welcome, ...change(welcome) }, moment);
}

/** What the owner signs when the room is opened as it is, with whatever else a host would like it to say. */
export function signEra(
  room: TestRoom,
  era: number,
  changes: Partial<Era> = {},
  signer: SigningKey = room.ownerKey,
): Signed {
  const roster = room.members[0]?.session.save()?.state.roster;
  const rosterHash = roster?.hashes.at(-1);
  if (rosterHash === undefined) throw new Error('nobody is there who knows the roster');
  const { index, head } = room.log;
  const bytes = Era.encode({
    version: PROTOCOL_VERSION,
    roomId: room.id,
    era,
    epoch: room.room.position.epoch,
    rosterHash,
    positions: [{ conversation: ROOM_CONVERSATION, index, head }],
    ...changes,
  });
  return { bytes, signature: signer.sign('sc1/era', bytes) };
}

/** A hook that carries a member's wraps straight to `to`, past the room's checks. */
export function carryWraps(room: TestRoom, from: TestMember, to: TestMember): Hook {
  return (frame) => {
    if (frameType(frame) !== SESSION_FRAME.wraps || to.line === null || from.line === null) return [frame];
    const { announcement, wraps } = Wraps.decode(frameBody(frame));
    for (const wrap of wraps) {
      if (idKey(wrap.memberId) !== to.key) continue;
      const body = WrapDelivery.encode({ announcement, wrap });
      room.inject(to.line, 'member', encodeFrame(SESSION_FRAME.wrap, body));
    }
    const { chainId } = ChainAnnouncement.decode(announcement.bytes);
    const taken = WrapsTaken.encode({ chainId, refused: [] });
    room.inject(from.line, 'member', encodeFrame(SESSION_FRAME.wrapsTaken, taken));
    return [];
  };
}

function copyOf(post: Post): Post {
  return {
    header: post.header.slice(),
    ciphertext: ciphertext(post.ciphertext.slice()),
    signature: post.signature.slice(),
  };
}

/** Whether `part` occurs anywhere in `whole`. */
export function holds(whole: Uint8Array, part: Uint8Array): boolean {
  return part.length > 0 && Buffer.from(whole).includes(part);
}

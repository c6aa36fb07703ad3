/** What the two ends of a test room share: lines with a hook at either end, and what a member may do with them. */
import type { Bytes } from '../../src/protocol/bytes.ts';
import {
  type Hash,
  hash,
  type IdKey,
  type InvitationId,
  type RoomId,
  roomId,
} from '../../src/protocol/identifiers.ts';
import type { AnswerSides } from './answers.ts';
import type { TestClock } from './moment.ts';

export const TEST_ROOM: RoomId = roomId(new Uint8Array(16).fill(7));
export const TEST_PIN: Hash = hash(new Uint8Array(32).fill(9));
export const RIGHT_ANSWER = 'the blue bicycle';

/** What a hook makes of one frame: nothing (dropped), itself, others, several. */
export type Hook = (frame: Bytes) => readonly Bytes[];

/** One connection. */
export interface Line {
  readonly id: number;
  readonly channelBinding: Bytes;
  /** Between the host and this member: an evil host's hand. */
  toMember: Hook;
  /** Between this member and the host: an evil member's hand. */
  toHost: Hook;
  /** Gets what is broadcast. */
  live: boolean;
  admitted: boolean;
  closed: boolean;
  /** Frames as they left each side, before any hook. */
  readonly sentByHost: Bytes[];
  readonly sentByMember: Bytes[];
}

/** Whoever holds the far end of a line. */
export interface LineHolder {
  onFrame(frame: Bytes): void;
  onClosed(): void;
}

export interface TestInvitation {
  readonly id: InvitationId;
  readonly key: IdKey;
  readonly admissionKey: Bytes;
}

/** The room as its members see it. */
export interface LineRoom {
  readonly id: RoomId;
  readonly ownerFingerprint: Hash;
  readonly clock: TestClock;
  readonly answers: AnswerSides;
  /** Opens a line; the host's side learns of it at once. */
  connect(holder: LineHolder, channelBinding?: Bytes): Line;
  /** A member sends: through the hook, into the queue. */
  toHost(line: Line, frame: Bytes): void;
  /** The member's side hangs up. */
  hangUp(line: Line): void;
  /** The line breaks: both sides learn of it, and nothing under way arrives. */
  cut(line: Line): void;
}

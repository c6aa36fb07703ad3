/** What a session tells the shell: frames to send, and what a person or a program may see. */
import type { RosterChange, RosterMember } from '../crypto/roster.ts';
import type { Bytes } from '../protocol/bytes.ts';
import { encodeFrame } from '../protocol/framing.ts';
import type { RoomId } from '../protocol/identifiers.ts';
import type { CloseReason } from '../protocol/reasons.ts';
import type { PresenceState } from '../protocol/session-frames.ts';

export interface ShownMember {
  readonly member: RosterMember;
  readonly presence: PresenceState;
  /** On a line, away from the keyboard or not. */
  readonly online: boolean;
  /** Of who is offline, to the minute; `null` where that is not told. */
  readonly lastSeenMs: number | null;
  /** This member has marked their key. */
  readonly verified?: true;
}

/** The signed record that an alarm is about, and one's own: bytes as base64url. */
export interface Evidence {
  readonly index: number;
  readonly placedAtMs: number;
  readonly header: string;
  readonly ciphertextHash: string;
  readonly signature: string;
  readonly own: { readonly index: number; readonly head: string } | null;
}

/** `waiting` until they are back; then `delivered`, or `dropped` where the host did not keep it for so long. */
export type ReceiptState = 'waiting' | 'delivered' | 'dropped';

export type SessionEvent =
  | {
      readonly kind: 'joined';
      readonly roomId: RoomId;
      readonly roomName: string;
      readonly self: RosterMember;
      readonly members: readonly ShownMember[];
    }
  /** Caught up with the log: what is said now goes out. */
  | { readonly kind: 'live'; readonly again: boolean }
  | { readonly kind: 'roster'; readonly change: RosterChange }
  | ({ readonly kind: 'presence'; readonly before: PresenceState } & ShownMember)
  /** What became of one's own message for members who were offline, as the host says. */
  | {
      readonly kind: 'receipt';
      /** The message's. */
      readonly id: string;
      readonly state: ReceiptState;
      readonly members: readonly RosterMember[];
    }
  | {
      readonly kind: 'message';
      /** The same at every member: the entry's hash, shortened. */
      readonly id: string;
      readonly content: 'text' | 'emote';
      readonly from: RosterMember;
      readonly text: string;
      readonly atMs: number;
      readonly own: boolean;
      /** When it is to be forgotten, by this side's clock; left out where messages stay. */
      readonly goesAtMs?: number;
      /** By somebody else, while this member had no line. */
      readonly away: boolean;
      /** What the program that said it called it; `null` for others' messages. */
      readonly ref: string | null;
    }
  | {
      readonly kind: 'unopened';
      readonly id: string;
      readonly from: RosterMember;
      readonly atMs: number;
      /** Said by this member in an earlier run of the program, which kept no text. */
      readonly own: boolean;
    }
  | {
      readonly kind: 'notice';
      readonly level: 'info' | 'warning';
      readonly code: string;
      readonly text: string;
    }
  /** Someone lies or something is corrupt. Sending is held back until the person has taken note. */
  | {
      readonly kind: 'alarm';
      readonly code: string;
      readonly text: string;
      readonly evidence: Evidence | null;
    }
  /** The host has this member's password on record: their account is under it from here on. */
  | { readonly kind: 'registered' }
  | { readonly kind: 'closed'; readonly reason: CloseReason; readonly text: string };

export type SessionEffect =
  | { readonly kind: 'send'; readonly frame: Bytes }
  | { readonly kind: 'event'; readonly event: SessionEvent }
  /** New wrap keys are due: make them off the main thread and hand them in. */
  | { readonly kind: 'make-wrap-keys' }
  /** OPAQUE's registration, off the main thread: hand in what comes of it. */
  | { readonly kind: 'start-registration'; readonly password: string }
  | {
      readonly kind: 'finish-registration';
      readonly state: string;
      readonly response: Bytes;
      readonly password: string;
    }
  /** This connection is of no more use: log in on a new one. */
  | { readonly kind: 'reconnect' };

export function event(content: SessionEvent): SessionEffect {
  return { kind: 'event', event: content };
}

export function send(frameType: number, body: Bytes): SessionEffect {
  return { kind: 'send', frame: encodeFrame(frameType, body) };
}

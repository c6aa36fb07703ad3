/** What a session tells the shell: frames to send, and what a person or a program may see. */
import type { RosterChange, RosterMember } from '../crypto/roster.ts';
import type { Bytes } from '../protocol/bytes.ts';
import type { SaidKind } from '../protocol/content.ts';
import { ProtocolError } from '../protocol/errors.ts';
import type { FileWanted, TakerState } from '../protocol/file-frames.ts';
import type { FileOffer } from '../protocol/file-offer.ts';
import { encodeFrame } from '../protocol/framing.ts';
import type { ConversationId, RoomId } from '../protocol/identifiers.ts';
import type { CloseReason } from '../protocol/reasons.ts';
import type { PresenceState } from '../protocol/session-frames.ts';
import type { Role } from '../protocol/signed-objects.ts';

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

/** A message that another one is about, as far as it is remembered. */
export interface Quoted {
  readonly id: string;
  /** Who said it; `null` where nobody here knows. */
  readonly from: RosterMember | null;
  /** How it begins; empty where there is nothing to show. */
  readonly excerpt: string;
  readonly saidAtMs: number | null;
}

/** What someone does to a message that has its place already. */
interface OnMessage {
  readonly conversation: ConversationId;
  /** The message as it was. Of whom nobody knows, `from` may be somebody else. */
  readonly about: Quoted;
  readonly from: RosterMember;
  readonly atMs: number;
  readonly own: boolean;
}

/** `waiting` until they are back; then `delivered`, or `dropped` where the host did not keep it for so long. */
export type ReceiptState = 'waiting' | 'delivered' | 'dropped';

/** A conversation beside the room, as this member sees it. */
export interface ConversationView {
  readonly id: ConversationId;
  /** Of two, and no more ever. */
  readonly isDirect: boolean;
  /** Of the conversation of two: the other one, as far as the room has them. */
  readonly partner: RosterMember | null;
  /** `null` while nobody has told it; of the conversation of two always. */
  readonly name: string | null;
  readonly topic: string;
  readonly members: readonly { readonly member: RosterMember; readonly role: Role }[];
}

export interface ConversationEvent {
  readonly kind: 'conversation';
  /** `opened`: this member is in it from now on. `closed`: no longer. */
  readonly change: 'opened' | 'named' | 'members' | 'closed';
  readonly conversation: ConversationView;
  /** Who did it; `null` where nobody did, such as a removal from the room. */
  readonly by: RosterMember | null;
  readonly added: readonly RosterMember[];
  readonly changed: readonly RosterMember[];
  readonly removed: readonly RosterMember[];
}

export type SessionEvent =
  | ConversationEvent
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
      /** Zeros: the room's own. */
      readonly conversation: ConversationId;
      /** The same at every member: the entry's hash, shortened. */
      readonly id: string;
      readonly content: SaidKind;
      /** Of a file that is offered: the text is its name. */
      readonly file?: FileOffer;
      readonly from: RosterMember;
      readonly text: string;
      /** What it answers. */
      readonly replyTo: Quoted | null;
      readonly atMs: number;
      readonly own: boolean;
      /** When it is to be forgotten, by this side's clock; left out where messages stay. */
      readonly goesAtMs?: number;
      /** By somebody else, while this member had no line. */
      readonly away: boolean;
      /** What the program that said it called it; `null` for others' messages. */
      readonly ref: string | null;
    }
  | ({ readonly kind: 'edited'; readonly text: string } & OnMessage)
  | ({ readonly kind: 'deleted' } & OnMessage)
  /** An empty text takes the earlier one back. */
  | ({ readonly kind: 'reaction'; readonly text: string } & OnMessage)
  /** Somebody else says that they have read all up to this message. */
  | {
      readonly kind: 'read';
      readonly conversation: ConversationId;
      readonly id: string;
      readonly from: RosterMember;
      readonly atMs: number;
      /** What this member has said is among what they had not read before. */
      readonly ofOwn: boolean;
    }
  | {
      readonly kind: 'unopened';
      readonly conversation: ConversationId;
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
      /** What a program called the messages that will not be sent. */
      readonly refs?: readonly string[];
    }
  /** Someone lies or something is corrupt. Sending is held back until the person has taken note. */
  | {
      readonly kind: 'alarm';
      readonly code: string;
      readonly text: string;
      readonly evidence: Evidence | null;
    }
  /** Somebody wants one's own file, from this chunk on: a line is to bring it. */
  | ({ readonly kind: 'file-wanted' } & FileWanted)
  /** How far somebody has one's own file, as the host says. */
  | {
      readonly kind: 'file-progress';
      readonly fileId: Bytes;
      readonly member: RosterMember;
      readonly state: TakerState;
      readonly doneBytes: number;
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

/** @throws ProtocolError for a frame that has no place where the session stands */
export function unexpected(frameType: number): never {
  throw new ProtocolError('unexpected-frame', `frame ${frameType} at this point of a session`);
}

/**
 * The line protocol for programs: one JSON object a line, events out, commands in.
 * @see docs/protocol.md#line-protocol
 */
import type { Evidence } from '../member/events.ts';
import type { FileState, Taker } from '../member/file-view.ts';
import { HIDDEN_CHARACTERS } from '../protocol/clean-text.ts';
import { idReference } from '../protocol/content.ts';
import { InputError } from '../protocol/errors.ts';
import { LIMITS } from '../protocol/limits.ts';

/** Times are ISO 8601 in UTC; identifiers, tokens and fingerprints are base64url without padding. */
type RoomId = { readonly id: string; readonly name: string };
/** The room as its members know it. All but `id` can change. */
export type RoomView = RoomId & {
  readonly topic: string;
  /** May have several lines. */
  readonly motd: string;
  /** Seconds between two messages of a plain member; 0 when there is no slow mode. */
  readonly slowSeconds: number;
  /** No one new is let in. */
  readonly locked: boolean;
  /** The host lets people in by hand. */
  readonly approval: boolean;
  /** How long messages stay; 0: as long as members keep them. */
  readonly staySeconds: number;
  /** What was said may be changed or taken back afterwards. */
  readonly edits: boolean;
  /** Members may be told what has been read. */
  readonly readReceipts: boolean;
};
export type PersonView = { readonly id: string; readonly nick: string };
/** Who signed something, and what with: `rsa` or `dsa`. */
export type SignerView = PersonView & { readonly algorithm: string };
export type MemberView = SignerView & {
  readonly fingerprint: string;
  readonly role: string;
  /** On a line, away or not. */
  readonly online: boolean;
  readonly away: boolean;
  /** Of who is offline, to the minute, where it is told. */
  readonly lastSeen?: string;
  readonly muted: boolean;
  /** One has marked their key. */
  readonly verified?: true;
};
export type InvitationView = {
  readonly id: string;
  readonly token: string;
  readonly expiresAt: string;
  readonly uses: number;
  /** The host's own note on whom it is for; it does not travel. */
  readonly label?: string;
};
export type CodeView = { readonly value: string; readonly expiresAt: string };

export type ReadyEvent = {
  readonly type: 'ready';
  readonly room: RoomId;
  readonly addresses: readonly string[];
  readonly invitation: InvitationView;
  readonly question: string;
  readonly code: CodeView;
  readonly fingerprint: string;
};
type CodeEvent = { readonly type: 'code' } & CodeView;
type InvitationEvent = { readonly type: 'invitation' } & InvitationView;
export type PromptEvent = {
  readonly type: 'prompt';
  /** `token`, `answer`, `code`, `nick`, and whatever is asked for next. */
  readonly name: string;
  readonly message: string;
  readonly secret: boolean;
  readonly triesLeft?: number;
  /** Asked again: why the answer before did not do. */
  readonly problem?: string;
  /** What an empty answer stands for. */
  readonly default?: string;
  /** What helps to answer, for people: a sentence or a choice each. */
  readonly hints?: readonly string[];
};
export type JoinedEvent = {
  readonly type: 'joined';
  readonly room: RoomView;
  readonly self: PersonView & { readonly fingerprint: string };
  readonly members: readonly MemberView[];
  /** Those beside the room that one is in: none, where one comes for the first time. */
  readonly conversations: readonly ConversationView[];
};
export type MemberChange =
  | 'key-changed'
  | 'joined'
  | 'left'
  | 'online'
  | 'offline'
  | 'away'
  | 'back'
  | 'renamed'
  | 'removed'
  /** Left or removed, while one was too far behind to be told which. */
  | 'gone'
  | 'role'
  | 'muted'
  | 'unmuted';
export type MemberEvent = {
  readonly type: 'member';
  readonly change: MemberChange;
  readonly member: MemberView;
  /** Who did it; the host, where nobody is named. */
  readonly by?: PersonView;
  readonly reason?: string;
  /** The nickname before a rename. */
  readonly formerNick?: string;
  /** The fingerprint of the key before it changed. */
  readonly formerFingerprint?: string;
};
export type RoomSetting = 'topic' | 'motd' | 'slow' | 'locked' | 'approval' | 'stay' | 'edits' | 'receipts';
export type RoomEvent = {
  readonly type: 'room';
  readonly changes: readonly RoomSetting[];
  readonly room: RoomView;
  /** Who did it; the host, where nobody is named. */
  readonly by?: PersonView;
};
/** For the host: who stands where at the door. */
export type DoorEvent = {
  readonly type: 'door';
  /** The same for all that one connection does. */
  readonly visitor: number;
  readonly stage:
    | 'question'
    | 'answer-tested'
    | 'answer-proved'
    | 'wrong-code'
    | 'nick-refused'
    | 'password-tested'
    | 'password-proved'
    | 'waiting'
    | 'gone'
    | 'refused'
    | 'admitted';
  /** As `/invite list` numbers them; empty where nobody knows. */
  readonly invitation: string;
  /** Known from `waiting` on, like the key's fingerprint. */
  readonly nick?: string;
  readonly fingerprint?: string;
  /** Of a refusal. */
  readonly reason?: string;
  /** The same as a sentence. */
  readonly text: string;
};
/** A conversation beside the room. */
export type ConversationView = {
  readonly id: string;
  /** `direct`: of two, and no more ever. */
  readonly kind: 'direct' | 'group';
  /** Of a direct one: the other. */
  readonly with?: PersonView;
  /** Left out while nobody has told it. */
  readonly name?: string;
  readonly topic: string;
  readonly members: readonly (PersonView & { readonly role: 'creator' | 'moderator' | 'member' })[];
};
export type ConversationEvent = {
  readonly type: 'conversation';
  /** `opened`: one is in it from now on. `closed`: no longer. */
  readonly change: 'opened' | 'named' | 'members' | 'closed';
  readonly conversation: ConversationView;
  /** Who did it; nobody, where someone is gone from the room. */
  readonly by?: PersonView;
  readonly added?: readonly PersonView[];
  readonly changed?: readonly PersonView[];
  readonly removed?: readonly PersonView[];
};
/** Another message, as far as it is remembered. */
export type QuotedView = {
  readonly id: string;
  /** Left out where nobody here knows who said it. */
  readonly from?: PersonView;
  /** How it begins, for people. */
  readonly excerpt?: string;
};
/** Where something was said. */
type Where = {
  /** Zeros in base64url: the room's own. */
  readonly conversation: string;
  /** Of a direct conversation: the other one of the two. */
  readonly direct?: PersonView;
  /** By which a person calls the conversation, where it is neither the room nor a direct one. */
  readonly in?: string;
};
/** A file, or a folder, that is offered. */
export type OfferedFile = {
  /** By which `/accept` and the other commands call it. */
  readonly number: number;
  /** The same at every member. */
  readonly id: string;
  /** As its sender calls it: not safe as a path. */
  readonly name: string;
  readonly bytes: number;
  /** How many files the folder has; left out for a single file. */
  readonly files?: number;
};
export type MessageEvent = Where & {
  readonly type: 'message';
  readonly id: string;
  /** `file` is an offer: its text is the name. */
  readonly kind: 'text' | 'emote' | 'file';
  readonly file?: OfferedFile;
  readonly from: SignerView;
  /** One had marked the key that signed it. */
  readonly verified?: true;
  readonly text: string;
  /** What it answers. */
  readonly replyTo?: QuotedView;
  readonly at: string;
  /** When it is to be forgotten, where messages disappear; sooner where that becomes shorter. */
  readonly disappearsAt?: string;
  readonly own: boolean;
  /** By somebody else, while one had no line. */
  readonly away?: true;
  /** Someone else's text holds one's own nickname, or answers what one has said. */
  readonly mention: boolean;
  /** One's own message carries what it was sent with. */
  readonly ref?: string;
};
/** What somebody has done to a message that was there before. */
type OnMessage = Where & {
  /** The message's. */
  readonly id: string;
  readonly from: PersonView;
  readonly at: string;
  readonly own: boolean;
  /** Nobody here remembers the message: whether it is theirs is for whoever does to see. */
  readonly unknown?: true;
};
export type EditedEvent = { readonly type: 'edited' } & OnMessage & {
    readonly text: string;
    /** How it began before, for people. */
    readonly before?: string;
  };
export type DeletedEvent = { readonly type: 'deleted' } & OnMessage & {
    /** When the message was said. */
    readonly saidAt?: string;
  };
export type ReactionEvent = { readonly type: 'reaction' } & OnMessage & {
    /** Empty: the earlier one is taken back. */
    readonly text: string;
    /** Who said what it stands under, and how that begins. */
    readonly author?: PersonView;
    readonly excerpt?: string;
  };
/** What becomes of a file that was offered: at each change, and once a second at most while it is under way. */
export type FileEvent = Where &
  OfferedFile & {
    readonly type: 'file';
    readonly own: boolean;
    /** Who offers it. */
    readonly from: PersonView;
    readonly state: FileState;
    readonly doneBytes: number;
    readonly bytesPerSecond?: number;
    readonly leftMs?: number;
    /** Where it lies, or is going to. */
    readonly path?: string;
    /** Why it failed or waits, as a sentence. */
    readonly problem?: string;
    /** Of one's own: how far each has it who took it, as the host says. */
    readonly takers?: readonly TakerView[];
  };
type TakerView = Pick<Taker, 'state' | 'doneBytes'> & { readonly member: PersonView };
/** Somebody else has read all up to this message, as they say. */
export type ReadEvent = Where & {
  readonly type: 'read';
  readonly id: string;
  readonly from: PersonView;
  readonly at: string;
  /** What one has said oneself is among what they had not read before. */
  readonly ofOwn: boolean;
};
/** What became of one's own message for someone who was offline, as the host says. */
export type ReceiptEvent = {
  readonly type: 'receipt';
  /** The message's. */
  readonly id: string;
  readonly state: 'waiting' | 'delivered' | 'dropped';
  readonly member: PersonView;
};
export type NoticeEvent = {
  readonly type: 'notice';
  readonly level: 'info' | 'warning' | 'alarm';
  readonly code: string;
  readonly text: string;
  /** With an alarm: the signed record it is about, and one's own, for programs to keep. */
  readonly evidence?: Evidence;
};
/** Of `securechat identity`: what the file holds, without what is secret in it. */
export type IdentityEvent = {
  readonly type: 'identity';
  readonly file: string;
  readonly algorithm: string;
  readonly fingerprint: string;
  /** The member's id in every room. */
  readonly member: string;
};
/** Of `securechat rooms`: a kept room as its file says, or what is wrong with that. */
export type KeptRoomEvent = {
  readonly type: 'room-kept';
  /** By which it is kept. */
  readonly name: string;
  readonly file: string;
  readonly bytes: number;
  /** A host has it open now. */
  readonly open: boolean;
  /** What it is called. */
  readonly room?: string;
  readonly members?: number;
  /** Messages that somebody has not got yet. */
  readonly waiting?: number;
  readonly openedAt?: string;
  readonly problem?: { readonly code: string; readonly text: string };
};
export type ProvedEvent = {
  readonly type: 'proof';
  readonly file: string;
  readonly proved: true;
  readonly room: RoomId;
  readonly ownerFingerprint: string;
  /** Of the member list that the message quotes, and how many it names. */
  readonly epoch: number;
  readonly members: number;
  /** As that list has them. */
  readonly from: SignerView & {
    readonly fingerprint: string;
    readonly role: string;
    /** Of the key. */
    readonly bits: number;
  };
  readonly conversation: string;
  /** What the conversation is: the room's own, one of two members, or one that somebody has made. */
  readonly where: 'room' | 'direct' | 'group';
  /** The message's, as in the room. */
  readonly id: string;
  readonly kind: string;
  /** The message that it is about. */
  readonly about?: string;
  readonly text: string;
  /** Of `owner` and `signer`, whose fingerprints were given and are these. */
  readonly compared: readonly string[];
};
/** Of `securechat check`: what a file proves, or which check failed. Then nothing else that it says is told. */
export type ProofEvent =
  | ProvedEvent
  | {
      readonly type: 'proof';
      readonly file: string;
      readonly proved: false;
      readonly check: string;
      readonly reason: string;
    };
type ErrorEvent = {
  readonly type: 'error';
  readonly code: string;
  readonly message: string;
  /** Of the `say` that was refused. */
  readonly ref?: string;
};
type ClosedEvent = { readonly type: 'closed'; readonly code: string; readonly reason: string };

export type JsonEvent =
  | ReadyEvent
  | CodeEvent
  | InvitationEvent
  | PromptEvent
  | JoinedEvent
  | MemberEvent
  | RoomEvent
  | DoorEvent
  | ConversationEvent
  | MessageEvent
  | EditedEvent
  | DeletedEvent
  | ReactionEvent
  | FileEvent
  | ReadEvent
  | ReceiptEvent
  | NoticeEvent
  | IdentityEvent
  | KeptRoomEvent
  | ProofEvent
  | ErrorEvent
  | ClosedEvent;

export type JsonCommand =
  | { readonly type: 'answer'; readonly name: string; readonly value: string }
  | {
      readonly type: 'say';
      readonly text: string;
      readonly ref?: string;
      readonly to?: string;
      readonly replyTo?: string;
    }
  | { readonly type: 'command'; readonly line: string }
  | { readonly type: 'quit' };

/** A program's own mark on a message; long enough for a UUID in any form. */
const REF_CHARACTERS = 64;

function escapeUnits(characters: string): string {
  let escaped = '';
  for (let unit = 0; unit < characters.length; unit += 1) {
    escaped += `\\u${characters.charCodeAt(unit).toString(16).padStart(4, '0')}`;
  }
  return escaped;
}

/**
 * One event as one line, without its line feed. Whatever a terminal would obey or hide is JSON-escaped, so the
 * line is safe to look at and yet decodes to the exact text.
 */
export function formatJsonEvent(event: JsonEvent): string {
  return escapeHidden(JSON.stringify(event));
}

/** @param line of JSON */
export function escapeHidden(line: string): string {
  return line.replaceAll(HIDDEN_CHARACTERS, escapeUnits);
}

type Fields = Readonly<Record<string, unknown>>;

function decodeFields(line: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new InputError('bad-json', 'The line is not JSON. Send one JSON object a line.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputError('bad-json', 'The line is not a JSON object.');
  }
  return { ...value };
}

function optionalText(fields: Fields, name: string): string | undefined {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !value.isWellFormed()) {
    throw new InputError('bad-command', `"${name}" must be a string of well-formed Unicode.`);
  }
  return value;
}

function requiredText(fields: Fields, name: string): string {
  const value = optionalText(fields, name);
  if (value === undefined) throw new InputError('bad-command', `"${name}" is missing.`);
  return value;
}

/** A `say` that cannot be used, with the mark by which the program knows which of its own it was. */
export class RefusedSayError extends InputError {
  readonly ref: string;

  constructor(error: InputError, ref: string) {
    super(error.code, error.message);
    this.ref = ref;
  }
}

function decodeRef(fields: Fields): string | undefined {
  const ref = optionalText(fields, 'ref');
  if (ref !== undefined && ref.length > REF_CHARACTERS) {
    throw new InputError('bad-command', `"ref" is at most ${REF_CHARACTERS} characters.`);
  }
  return ref;
}

function decodeSay(fields: Fields): JsonCommand {
  // First of all: whatever else is wrong is told with it.
  const ref = decodeRef(fields);
  try {
    return { type: 'say', ...decodeSaid(fields), ...(ref !== undefined && { ref }) };
  } catch (error) {
    throw ref !== undefined && error instanceof InputError ? new RefusedSayError(error, ref) : error;
  }
}

function decodeSaid(fields: Fields) {
  const text = requiredText(fields, 'text');
  const to = optionalText(fields, 'to');
  const replyTo = optionalText(fields, 'replyTo');
  if (Buffer.byteLength(text) > LIMITS.textBytes) {
    throw new InputError('text-too-long', `A message is at most ${LIMITS.textBytes} bytes of UTF-8.`);
  }
  if (replyTo !== undefined && idReference(replyTo) === null) {
    throw new InputError('bad-command', '"replyTo" must be the id of a message.');
  }
  return {
    text,
    ...(to !== undefined && { to }),
    ...(replyTo !== undefined && { replyTo }),
  };
}

/**
 * @param line one line from standard input, already bounded in length
 * @throws InputError `bad-json` when it is no JSON object, `bad-command` for an unknown type or a field that is
 *   missing or of the wrong type, `text-too-long`; RefusedSayError for a `say` with a `ref` that is one
 */
export function parseJsonCommand(line: string): JsonCommand {
  const fields = decodeFields(line);
  const type = requiredText(fields, 'type');
  switch (type) {
    case 'answer':
      return { type, name: requiredText(fields, 'name'), value: requiredText(fields, 'value') };
    case 'say':
      return decodeSay(fields);
    case 'command':
      return { type, line: requiredText(fields, 'line') };
    case 'quit':
      return { type };
    default:
      throw new InputError('bad-command', '"type" must be answer, say, command or quit.');
  }
}

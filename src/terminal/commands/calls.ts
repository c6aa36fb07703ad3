/** What a slash command asks for, its arguments understood. */
import type { Policy } from '../../protocol/room-settings.ts';
import type { Preferences } from '../view/preferences.ts';

/** One kind of call a name, so that each can be told from the others. */
type Named<Name extends string, Fields = unknown> = Name extends string
  ? { readonly name: Name } & Fields
  : never;

/** What changes only this screen. `null` shows what is set. */
export type DisplayCall =
  | Named<'clear'>
  | Named<'edit', { readonly text: string }>
  | Named<'search', { readonly words: string }>
  | Named<'timestamp', { readonly value: Preferences['timestamps'] | null }>
  | Named<'quiet' | 'notify' | 'ids', { readonly value: boolean | null }>
  | Named<'bell', { readonly value: Preferences['bell'] | null }>
  | Named<'theme', { readonly value: Preferences['theme'] | null }>
  | Named<'ignore', { readonly nick: string | null }>
  | Named<'unignore', { readonly nick: string }>;

export type InviteCall = Named<'invite'> &
  (
    | {
        readonly act: 'new';
        readonly uses: number | null;
        readonly forMs: number | null;
        readonly label: string;
      }
    | { readonly act: 'list' | 'raw' }
    | { readonly act: 'revoke' | 'resume' | 'show'; readonly id: string }
    /** `null` means the latest. */
    | { readonly act: 'qr'; readonly id: string | null }
    | { readonly act: 'save'; readonly id: string; readonly path: string }
  );

/** What is said about an earlier message; `null` is the latest that it can be meant for. */
export type ContentCall =
  | Named<'re', { readonly id: string; readonly text: string }>
  | Named<'fix', { readonly id: string | null; readonly text: string }>
  | Named<'delete', { readonly id: string | null }>
  /** An empty text takes the reaction back. */
  | Named<'react', { readonly id: string | null; readonly text: string }>;

/** What only the host can do. */
export type HostCall =
  | InviteCall
  | Named<'code' | 'banned' | 'door'>
  | Named<'op' | 'deop', { readonly nick: string }>
  | Named<'approve', { readonly value: boolean | null }>
  /** By nickname, or by the number that `/door` shows. */
  | Named<'admit' | 'deny', { readonly who: string }>
  | Named<'motd', { readonly text: string | null }>
  /** `null` shows it. */
  | Named<'policy', { readonly part: Partial<Policy> | null }>;

/** What is said or done beside the room. */
export type ConversationCall =
  | Named<'msg', { readonly nick: string; readonly text: string }>
  | Named<'reply', { readonly text: string }>
  | Named<'new', { readonly conversation: string; readonly nicks: readonly string[] }>
  | Named<'conversations'>
  /** `null`: the room, and the one that one is in. */
  | Named<'join' | 'part', { readonly conversation: string | null }>
  | Named<'rename', { readonly conversation: string; readonly to: string }>
  | Named<'invite-to', { readonly conversation: string; readonly nicks: readonly string[] }>
  | Named<
      'remove-from' | 'op-in' | 'deop-in' | 'hand-over',
      { readonly conversation: string; readonly nick: string }
    >;

/** Which files, by the numbers that `/files` shows; `null`: the latest that it can be meant for. */
export type FileNumbers = readonly number[] | 'all' | null;

/** What is sent as a file, and what becomes of what others send. */
export type FileCall =
  /** Paths as they were typed, `~` included. `to` is a nickname or a conversation; `null`: where one is. */
  | Named<'send', { readonly paths: readonly string[]; readonly to: string | null }>
  /** `folder` of `null`: the usual one. */
  | Named<'accept', { readonly numbers: FileNumbers; readonly folder: string | null }>
  | Named<'decline' | 'cancel', { readonly numbers: FileNumbers }>
  | Named<'files'>;

/** A command with its arguments understood. */
export type CommandCall =
  | DisplayCall
  | ContentCall
  | FileCall
  | HostCall
  | ConversationCall
  | Named<'quit' | 'leave' | 'away' | 'back' | 'names' | 'register' | 'room' | 'security' | 'lock' | 'unlock'>
  /** `null`: a name made of the id, in the current folder. */
  | Named<'proof', { readonly id: string; readonly path: string | null }>
  | Named<'me', { readonly text: string }>
  | Named<'help', { readonly topic: string | null }>
  /** `null` shows it, an empty text takes it away. */
  | Named<'topic', { readonly text: string | null }>
  /** `null` lists who is verified, or shows what is to be compared. */
  | Named<'verify', { readonly nick: string | null; readonly answer: 'yes' | 'no' | null }>
  | Named<'whois' | 'trust' | 'kick' | 'nick' | 'unban' | 'unmute', { readonly nick: string }>
  /** `null` lasts until it is taken back. */
  | Named<'ban' | 'mute', { readonly nick: string; readonly forMs: number | null }>
  | Named<'slow', { readonly seconds: number }>
  | Named<'fork', { readonly act: 'ack' }>;

/**
 * What a person asked for on the command line, parsed and checked: the only shape in which settings reach `app/`.
 */
import type { Bytes } from '../protocol/bytes.ts';
import type { Nickname } from '../protocol/nickname.ts';
import type { Prefer } from '../protocol/session-frames.ts';
import type { Preferences } from '../terminal/view/preferences.ts';

/** A place on the network as people write it: a host name or an IP address without brackets. */
export interface ListenAddress {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

/** An address that an invitation names. */
export interface AdvertisedAddress {
  readonly host: string;
  /** `null`: the port the host listens on. */
  readonly port: number | null;
}

/** Where a secret is read from. It is read late, by whoever needs it, and never kept in the options. */
export type SecretSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'standardInput' };

export type InvitationSource = SecretSource | { readonly kind: 'text'; readonly text: string };

export type SigningAlgorithm = 'rsa' | 'dsa';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** Which of this machine's own addresses invitations name. */
export type Reach = 'private' | 'public' | 'this-machine';

/** A file with an identity in it, and where its passphrase is read from; `null`: ask. */
export interface IdentitySource {
  readonly path: string;
  readonly passphrase: SecretSource | null;
}

export interface CommonOptions {
  /** `null`: ask. */
  readonly nick: Nickname | null;
  /** `null`: nobody said; RSA, or what the identity is. */
  readonly signing: SigningAlgorithm | null;
  /** `terminal` redraws a prompt, `plain` is one line per event, `json` is the line protocol for programs. */
  readonly display: 'terminal' | 'plain' | 'json';
  readonly color: boolean;
  /** How many colours the terminal has, where `color` is true. */
  readonly colors: 16 | 256;
  readonly preferences: Preferences;
  /** `false`: ask nothing; what is missing is an `InputError`. */
  readonly mayAsk: boolean;
  /** `null`: standard error. */
  readonly logFile: string | null;
  readonly logLevel: LogLevel;
}

/** Files that are taken without asking. */
export interface AutoAccept {
  /** Whose: a nickname, or what the fingerprint of a key begins with; `null`: everybody's. */
  readonly from: string | Bytes | null;
  /** The largest; never more than is taken at all. */
  readonly maxBytes: number;
}

export interface FileOptions {
  /** Where accepted files go; `null`: the Downloads folder in the person's own folder. */
  readonly downloads: string | null;
  /** The largest file that is sent or taken. */
  readonly maxBytes: number;
  /** Any of them is enough. Empty: each is asked about. */
  readonly autoAccept: readonly AutoAccept[];
}

/** Of the commands that go into a room. */
interface RoomOptions extends CommonOptions {
  readonly files: FileOptions;
  /** `null`: a new one, which ends with the room. */
  readonly identity: IdentitySource | null;
  /** How this person wants to be treated while away. */
  readonly prefers: Prefer;
}

export interface IdentityOptions extends CommonOptions {
  readonly what: 'new' | 'show' | 'passwd';
  readonly identity: IdentitySource;
}

export interface CheckOptions extends CommonOptions {
  readonly file: string;
  /** Fingerprints that the checker knows from elsewhere, or as much of them as is shown; `null`: not given. */
  readonly owner: Uint8Array | null;
  readonly signer: Uint8Array | null;
}

/** What `securechat rooms` is to do. */
export type RoomsAct =
  | { readonly what: 'list' }
  | { readonly what: 'rename'; readonly name: string; readonly to: string }
  | { readonly what: 'export' | 'backup'; readonly name: string; readonly file: string }
  | { readonly what: 'delete'; readonly name: string }
  /** `name` of `null`: by what the room is called. */
  | { readonly what: 'restore'; readonly file: string; readonly name: string | null };

export interface RoomsOptions extends CommonOptions {
  readonly act: RoomsAct;
  /** The program's own; `null` for an account without a home. */
  readonly folder: string | null;
  /** Said yes to what cannot be taken back. */
  readonly isSure: boolean;
  /** A person is at the terminal, to be asked for that. */
  readonly canConfirm: boolean;
}

/** A room on disk. */
export interface KeepOptions {
  /** `null`: the one there is, or a new one by what the room is called. */
  readonly name: string | null;
  /** Of the owner's key; `null`: ask where there is one. */
  readonly passphrase: SecretSource | null;
  /** The program's own; `null` for an account without a home. */
  readonly folder: string | null;
}

export interface HostOptions extends RoomOptions {
  /** `null`: the room ends with this process, and nothing of it touches the disk. */
  readonly keep: KeepOptions | null;
  readonly roomName: string | null;
  readonly question: string | null;
  readonly answer: SecretSource | null;
  readonly listen: ListenAddress;
  /** `null`: ask a person, else `private`. */
  readonly reach: Reach | null;
  /** Empty: this machine's own, as `reach` says. */
  readonly addresses: readonly AdvertisedAddress[];
  readonly invitationUses: number;
  readonly invitationMs: number;
  readonly membersMost: number;
  /** `false`: the host relays and takes no part. */
  readonly chat: boolean;
  readonly topic: string | null;
  /** Where the message of the day is read from, like a secret. */
  readonly motd: SecretSource | null;
  /** `true`: who has passed the door waits for the host's yes. */
  readonly approval: boolean;
  /** How long messages stay; 0: as long as members keep them. `null`: as the room has it, which is 0 of a new one. */
  readonly staySeconds: number | null;
  /** `false`: what was said is not changed or taken back. */
  readonly edits: boolean;
  /** `false`: nobody is told what has been read. */
  readonly readReceipts: boolean;
  /** `false`: invitations are not drawn as QR codes. */
  readonly qr: boolean;
  /** `false`: new invitations are not put on the clipboard. */
  readonly clipboard: boolean;
}

/** Of whoever comes back to a saved room. */
export interface ReturnOptions {
  readonly identity: IdentitySource | null;
  /** `--identity` itself was given, which is stronger than the identity that a saved room names. */
  readonly identityByOption: boolean;
  /** Of the identity that a saved room names. */
  readonly passphrase: SecretSource | null;
  /** A program that is in that room already ends there. */
  readonly takeover: boolean;
}

/** Of `securechat send`. */
export interface SendOptions extends RoomOptions, ReturnOptions {
  /** Files and folders, one at least. */
  readonly paths: readonly string[];
  /** The saved room they go to. */
  readonly saved: string;
  /** A nickname or a conversation in it; `null`: everyone in the room. */
  readonly to: string | null;
  /** How long nothing may move before it gives up. */
  readonly waitMs: number;
  /** `null` for an account without a home. */
  readonly dataFolder: string | null;
}

export interface JoinOptions extends RoomOptions, ReturnOptions {
  readonly invitation: InvitationSource | null;
  /** The name of a saved room to come back to, in place of an invitation. */
  readonly saved: string | null;
  /** `null`: where the host keeps the room as well, and the identity is one that can be opened again. */
  readonly save: boolean | null;
  /** What the saved room is called; `null`: after the room. */
  readonly saveAs: string | null;
  /** `null` for an account without a home. */
  readonly dataFolder: string | null;
  readonly answer: SecretSource | null;
  readonly code: SecretSource | null;
  /** Of the account that has the nickname. */
  readonly password: SecretSource | null;
}

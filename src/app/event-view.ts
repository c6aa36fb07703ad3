/** Session events as the line protocol shows them; terminals draw the same. */
import type { RosterChange, RosterMember } from '../crypto/roster.ts';
import { successions } from '../crypto/roster-change.ts';
import type {
  ConversationEvent,
  ConversationView,
  Quoted,
  SessionEvent,
  ShownMember,
} from '../member/events.ts';
import type { FileView } from '../member/file-view.ts';
import { bytesEqual, fromHex, toBase64url } from '../protocol/bytes.ts';
import { type ConversationId, conversationId, type RoomId } from '../protocol/identifiers.ts';
import { PLAIN_ROOM } from '../protocol/room-settings.ts';
import type { RoomSettings } from '../protocol/signed-objects.ts';
import type {
  FileEvent,
  ConversationView as JsonConversation,
  JsonEvent,
  MemberChange,
  MemberEvent,
  MemberView,
  MessageEvent,
  OfferedFile,
  PersonView,
  QuotedView,
  RoomSetting,
  RoomView,
  SignerView,
} from '../terminal/json-lines.ts';
import { mentions } from '../terminal/view/mention.ts';
import { labelOf } from './conversation-text.ts';

/** What an event does not say of itself. */
export interface EventContext {
  readonly room: { readonly id: RoomId; readonly name: string };
  /** As they are now; `null` before the first list. */
  readonly settings: RoomSettings | null;
  /** `null` for a host that takes no part. */
  readonly self: RosterMember | null;
  /** Those beside the room that this person is in. */
  readonly conversations: readonly ConversationView[];
  /** What is known here of a file that was offered; nothing where files are not dealt with. */
  readonly file?: (id: string) => FileView | undefined;
  /** Where a member is. */
  readonly shown: (member: RosterMember) => ShownMember;
}

function personView(member: RosterMember): PersonView {
  return { id: toBase64url(member.memberId), nick: member.nick };
}

function signerView(member: RosterMember): SignerView {
  return { ...personView(member), algorithm: member.algorithm };
}

function memberView({ member, presence, online, lastSeenMs, verified }: ShownMember): MemberView {
  return {
    ...signerView(member),
    fingerprint: toBase64url(member.identity),
    role: member.role,
    online,
    away: presence === 'away',
    ...(lastSeenMs !== null && { lastSeen: new Date(lastSeenMs).toISOString() }),
    muted: member.muted,
    ...(verified && { verified }),
  };
}

function roomView({ room, settings }: EventContext): RoomView {
  return { id: toBase64url(room.id), name: room.name, ...PLAIN_ROOM, ...settings };
}

function quotedView({ id, from, excerpt }: Quoted): QuotedView {
  return { id, ...(from !== null && { from: personView(from) }), ...(excerpt !== '' && { excerpt }) };
}

/** What is the same of all that is done to a message. */
function onMessage(event: Extract<SessionEvent, { readonly about: Quoted }>, context: EventContext) {
  const { about, conversation, from, atMs, own } = event;
  return {
    id: about.id,
    conversation: toBase64url(conversation),
    ...placeOf(event, context),
    from: personView(from),
    at: new Date(atMs).toISOString(),
    own,
    ...(about.from === null && { unknown: true as const }),
  };
}

/** Whether it is meant for this member more than for others. */
function isForSelf(
  { text, replyTo, own }: Extract<SessionEvent, { readonly kind: 'message' }>,
  self: RosterMember | null,
): boolean {
  return !own && self !== null && (mentions(text, self.nick) || replyTo?.from?.key === self.key);
}

function byView(by: RosterMember | null): { readonly by?: PersonView } {
  return by === null ? {} : { by: personView(by) };
}

type Removed = RosterChange['removed'][number];

/** What a person is told of why someone is gone. */
const REASONS: Readonly<Partial<Record<Removed['reason'], string>>> = {
  banned: 'banned',
  absent: 'absent for too long',
};

const GONE: Readonly<Record<Removed['reason'], MemberChange>> = {
  left: 'left',
  absent: 'left',
  removed: 'removed',
  banned: 'removed',
  replaced: 'key-changed',
  unseen: 'gone',
};

/** @param heir who goes on in their place */
function removedEvent({ member, reason, by }: Removed, heir: ShownMember | undefined): MemberEvent {
  const why = REASONS[reason];
  return {
    type: 'member',
    change: GONE[reason],
    member: memberView(heir ?? { member, presence: 'offline', online: false, lastSeenMs: null }),
    ...(heir !== undefined && { formerFingerprint: toBase64url(member.identity) }),
    ...byView(by),
    ...(why !== undefined && { reason: why }),
  };
}

/** One event for each thing about a member that is different. */
function changedEvents(
  { before, after, by }: RosterChange['changed'][number],
  { shown }: EventContext,
): readonly MemberEvent[] {
  const event = (change: MemberChange, more: Partial<MemberEvent> = {}): MemberEvent => ({
    type: 'member',
    change,
    member: memberView(shown(after)),
    ...more,
  });
  return [
    ...(before.nick === after.nick ? [] : [event('renamed', { formerNick: before.nick })]),
    ...(before.role === after.role ? [] : [event('role', byView(by))]),
    ...(before.muted === after.muted ? [] : [event(after.muted ? 'muted' : 'unmuted', byView(by))]),
  ];
}

/** Who comes back and is away at once has done both. */
function presenceChanges({
  before,
  presence,
}: Extract<SessionEvent, { readonly kind: 'presence' }>): readonly MemberChange[] {
  if (presence === 'offline') return ['offline'];
  const here: readonly MemberChange[] = before === 'offline' ? ['online'] : [];
  if (presence === 'away') return [...here, 'away'];
  return before === 'away' ? ['back'] : here;
}

/** What each setting is called where it changes; none can be left out. */
const SETTINGS: Readonly<Record<keyof RoomSettings, RoomSetting>> = {
  topic: 'topic',
  motd: 'motd',
  slowSeconds: 'slow',
  locked: 'locked',
  approval: 'approval',
  staySeconds: 'stay',
  edits: 'edits',
  readReceipts: 'receipts',
};

function settingsEvents(
  { before, after, by }: NonNullable<RosterChange['settings']>,
  context: EventContext,
): readonly JsonEvent[] {
  const all = Object.keys(SETTINGS) as readonly (keyof RoomSettings)[];
  const changes = all.filter((name) => before[name] !== after[name]).map((name) => SETTINGS[name]);
  const room = roomView({ ...context, settings: after });
  return changes.length === 0 ? [] : [{ type: 'room', changes, room, ...byView(by) }];
}

const SEATS = { owner: 'creator', moderator: 'moderator', member: 'member' } as const;

function conversationView(view: ConversationView): JsonConversation {
  const { id, isDirect, partner, name, topic, members } = view;
  return {
    id: toBase64url(id),
    kind: isDirect ? 'direct' : 'group',
    ...(partner !== null && { with: personView(partner) }),
    ...(name !== null && { name }),
    topic,
    members: members.map(({ member, role }) => ({ ...personView(member), role: SEATS[role] })),
  };
}

function conversationEvent({
  change,
  conversation,
  by,
  added,
  changed,
  removed,
}: ConversationEvent): JsonEvent {
  return {
    type: 'conversation',
    change,
    conversation: conversationView(conversation),
    ...byView(by),
    ...(added.length > 0 && { added: added.map(personView) }),
    ...(changed.length > 0 && { changed: changed.map(personView) }),
    ...(removed.length > 0 && { removed: removed.map(personView) }),
  };
}

/** Beside the room: with whom, or in what, something was said. */
function placeOf(
  { conversation }: { readonly conversation: ConversationId },
  { conversations }: EventContext,
): Pick<MessageEvent, 'direct' | 'in'> {
  const view = conversations.find(({ id }) => bytesEqual(id, conversation));
  if (view === undefined) return {};
  if (!view.isDirect) return { in: labelOf(view, conversations) };
  return view.partner === null ? {} : { direct: personView(view.partner) };
}

/** What the message that offers it says of it. */
export function offeredFile({ number, id, name, bytes, files }: FileView): OfferedFile {
  return { number, id, name, bytes, ...(files !== null && { files }) };
}

/** A message that names a file which another one has offered before offers nothing. */
function offerOf(
  { id, file }: Extract<SessionEvent, { readonly kind: 'message' }>,
  context: EventContext,
): Pick<MessageEvent, 'file'> {
  const view = file === undefined ? undefined : context.file?.(toBase64url(file.fileId));
  return view?.message === id ? { file: offeredFile(view) } : {};
}

/** What became of a file, for programs and for the lines of a screen. */
export function fileEvent(view: FileView, context: EventContext): FileEvent {
  const { isOwn, from, state, doneBytes, bytesPerSecond, leftMs, path, problem, takers } = view;
  const conversation = conversationId(fromHex(view.conversation));
  return {
    type: 'file',
    ...offeredFile(view),
    own: isOwn,
    from: personView(from),
    conversation: toBase64url(conversation),
    ...placeOf({ conversation }, context),
    ...{ state, doneBytes },
    ...(bytesPerSecond !== null && { bytesPerSecond }),
    ...(leftMs !== null && { leftMs }),
    ...(path !== null && { path }),
    ...(problem !== null && { problem }),
    ...(isOwn && { takers: takers.map(({ member, ...how }) => ({ member: personView(member), ...how })) }),
  };
}

export function jsonEvents(event: SessionEvent, context: EventContext): readonly JsonEvent[] {
  switch (event.kind) {
    case 'joined': {
      const self = { ...personView(event.self), fingerprint: toBase64url(event.self.identity) };
      const conversations = context.conversations.map(conversationView);
      const members = event.members.map(memberView);
      return [{ type: 'joined', room: roomView(context), self, members, conversations }];
    }
    case 'live':
      return event.again
        ? [{ type: 'notice', level: 'info', code: 'reconnected', text: 'Back in the room.' }]
        : [];
    case 'roster': {
      const { added, changed, removed, settings } = event.change;
      const heirs = new Map(successions(event.change).map(({ before, after }) => [before.key, after]));
      const newcomers = added.filter((member) => ![...heirs.values()].includes(member));
      return [
        ...newcomers.map(
          (member): JsonEvent => ({
            type: 'member',
            change: 'joined',
            member: memberView(context.shown(member)),
          }),
        ),
        ...changed.flatMap((each) => changedEvents(each, context)),
        ...removed.map((gone) => {
          const heir = heirs.get(gone.member.key);
          return removedEvent(gone, heir === undefined ? undefined : context.shown(heir));
        }),
        ...(settings === null ? [] : settingsEvents(settings, context)),
      ];
    }
    // What they change is told of the file.
    case 'file-wanted':
    case 'file-progress':
      return [];
    case 'conversation':
      return [conversationEvent(event)];
    case 'presence':
      return presenceChanges(event).map((change) => ({ type: 'member', change, member: memberView(event) }));
    case 'receipt':
      return event.members.map((member) => ({
        type: 'receipt',
        id: event.id,
        state: event.state,
        member: personView(member),
      }));
    case 'message':
      return [
        {
          type: 'message',
          id: event.id,
          conversation: toBase64url(event.conversation),
          ...placeOf(event, context),
          kind: event.content,
          from: signerView(event.from),
          ...(context.shown(event.from).verified && { verified: true }),
          text: event.text,
          ...offerOf(event, context),
          ...(event.replyTo !== null && { replyTo: quotedView(event.replyTo) }),
          at: new Date(event.atMs).toISOString(),
          ...(event.goesAtMs !== undefined && { disappearsAt: new Date(event.goesAtMs).toISOString() }),
          own: event.own,
          ...(event.away && { away: true }),
          mention: isForSelf(event, context.self),
          ...(event.ref !== null && { ref: event.ref }),
        },
      ];
    case 'edited': {
      const { excerpt } = event.about;
      const before = excerpt === '' ? {} : { before: excerpt };
      return [{ type: 'edited', ...onMessage(event, context), text: event.text, ...before }];
    }
    case 'deleted': {
      const { saidAtMs } = event.about;
      const saidAt = saidAtMs === null ? {} : { saidAt: new Date(saidAtMs).toISOString() };
      return [{ type: 'deleted', ...onMessage(event, context), ...saidAt }];
    }
    case 'reaction': {
      const { from: author, excerpt } = quotedView(event.about);
      return [
        {
          type: 'reaction',
          ...onMessage(event, context),
          text: event.text,
          ...(author !== undefined && { author }),
          ...(excerpt !== undefined && { excerpt }),
        },
      ];
    }
    case 'read': {
      const { id, from, atMs, ofOwn } = event;
      const at = new Date(atMs).toISOString();
      const conversation = toBase64url(event.conversation);
      return [
        { type: 'read', id, conversation, ...placeOf(event, context), from: personView(from), at, ofOwn },
      ];
    }
    case 'unopened':
      return [
        {
          type: 'notice',
          level: event.own ? 'info' : 'warning',
          code: 'unopened',
          text: event.own
            ? 'A message of yours from before; its text is not kept.'
            : `A message of ${event.from.nick} could not be opened.`,
        },
      ];
    case 'registered': {
      const text =
        'Your nickname here is behind the password from now on. Leaving keeps your place; on another device join with a fresh invitation and the password.';
      return [{ type: 'notice', level: 'info', code: 'registered', text }];
    }
    case 'notice':
      return [
        { type: 'notice', level: event.level, code: event.code, text: event.text },
        // Whoever named a message is answered by that name.
        ...(event.refs ?? []).map(
          (ref): JsonEvent => ({ type: 'error', code: event.code, message: event.text, ref }),
        ),
      ];
    case 'alarm':
      return [
        {
          type: 'notice',
          level: 'alarm',
          code: event.code,
          text: event.text,
          ...(event.evidence !== null && { evidence: event.evidence }),
        },
      ];
    case 'closed':
      return [{ type: 'closed', code: event.reason, reason: event.text }];
  }
}

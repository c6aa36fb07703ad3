/**
 * A person in a room: what they say, the slash commands, and what they are shown. The same for guests, moderators and the
 * host, who has a few commands more.
 */

import { sha256 } from '../crypto/hash.ts';
import { roomCheck } from '../crypto/room-check.ts';
import type { RosterMember } from '../crypto/roster.ts';
import type { SessionEvent, ShownMember } from '../member/events.ts';
import { type FileView, mayCancel } from '../member/file-view.ts';
import type { Session } from '../member/session.ts';
import { KEY_CHANGED } from '../member/trust.ts';
import { type ActRequest, mayAct } from '../protocol/acts.ts';
import type { Question } from '../protocol/admission-frames.ts';
import { u32 } from '../protocol/bytes.ts';
import { cleanText } from '../protocol/clean-text.ts';
import { type Content, deletion, isSaid, said } from '../protocol/content.ts';
import { InputError } from '../protocol/errors.ts';
import {
  type ConversationId,
  type Hash,
  type IdKey,
  idKey,
  ROOM_CONVERSATION,
  type RoomId,
} from '../protocol/identifiers.ts';
import type { RoomSettings } from '../protocol/signed-objects.ts';
import { FEATURE } from '../protocol/version.ts';
import { StorageError } from '../storage/errors.ts';
import type {
  CommandCall,
  ContentCall,
  ConversationCall,
  FileCall,
  HostCall,
} from '../terminal/commands/calls.ts';
import { type Audience, mayGive } from '../terminal/commands/command.ts';
import { helpLines, helpTopicLines } from '../terminal/commands/help.ts';
import { parseInput, unknownText } from '../terminal/commands/input.ts';
import { findCommand } from '../terminal/commands/table.ts';
import { expandHome } from '../terminal/home.ts';
import { fileName } from '../terminal/view/file-name.ts';
import { checkTexts, namesText, policyText, proofWrittenText, roomLines, whoisText } from './about.ts';
import { answer, type ContentContext, contentOf } from './content-calls.ts';
import { labelOf, namesOf } from './conversation-text.ts';
import { Conversing, type ConversingContext } from './conversing.ts';
import { type EventContext, fileEvent, jsonEvents } from './event-view.ts';
import { fileRows } from './file-rows.ts';
import { FileDesk, type FileDeskOptions } from './files/file-desk.ts';
import { filesTexts } from './files-text.ts';
import { type Front, type FrontListener, GaveUpError, type SayOptions } from './front/front.ts';
import type { HostControls } from './hosting/host-controls.ts';
import type { Membership } from './membership.ts';
import { systemMoment } from './moment.ts';
import { askNewPassword } from './new-password.ts';
import { writeProof } from './proof-file.ts';
import { type SelfFacts, securityLines } from './security-text.ts';
import { tellIfSlow } from './tell-if-slow.ts';
import { Verifying, type VerifyingContext } from './verifying.ts';

/** `alarm`: what was said cannot be sent, and nobody is there to say whether it should be. */
export type QuitReason = 'quit' | 'interrupted' | 'alarm';

export interface ChatOptions {
  readonly front: Front;
  /** `null` for a host that takes no part. */
  readonly membership:
    | (ConversingContext['membership'] &
        Pick<Membership, 'act' | 'setAway' | 'register' | 'acknowledge' | 'mark' | 'hurry'>)
    | null;
  readonly host: Pick<
    HostControls,
    'act' | 'obey' | 'members' | 'position' | 'settings' | 'code' | 'known'
  > | null;
  readonly roomId: RoomId;
  readonly roomName: string;
  readonly ownerFingerprint: Hash;
  /** Not given: files are neither sent nor taken. */
  readonly files?: Pick<FileDeskOptions, 'membership' | 'settings' | 'book'>;
  /** What of the room is on the host's disk. */
  readonly keeps: Question['keeps'];
  /** The person wants to go. */
  readonly onQuit: (how: QuitReason) => void;
  /** For good. Not given to a host, whose leaving ends the room. */
  readonly onLeave?: () => void;
}

/** Ctrl-C, and Ctrl-D of a host, ask once; a second one within this time leaves. */
const INTERRUPT_AGAIN_MS = 5_000;
const SECOND_MS = 1_000;

export class Chat implements FrontListener {
  readonly #options: ChatOptions;
  /** The key that leaves when it is pressed again, and since when. */
  #toldKey: { readonly key: string; readonly atMs: number } | null = null;
  #ending = false;
  /** For a host that takes no part: the members who are not simply online. */
  readonly #elsewhere = new Map<IdKey, ShownMember>();
  /** A password is being asked for. */
  #registering = false;
  readonly #verifying = new Verifying();
  readonly #conversing = new Conversing();
  /** `null` for a host that takes no part. */
  readonly #desk: FileDesk | null;
  /** What is to be shown of files, after the event that is being shown. */
  #heldViews: FileView[] | null = null;

  constructor(options: ChatOptions) {
    this.#options = options;
    const { roomId, files, front } = options;
    this.#desk =
      files === undefined
        ? null
        : new FileDesk({
            ...{ ...files, roomId },
            onView: (view) => this.#showFile(view),
            onMoved: (views) => front.setFiles(fileRows(views)),
            onUnsay: (message, conversation) => this.#try(() => this.#unsay(message, conversation)),
            onNote: (text) => this.#tell('files', text),
            onProblem: (error) => this.#refuse(error),
          });
    void this.#desk?.cleanUp();
  }

  show(event: SessionEvent): void {
    this.#follow(event);
    this.#conversing.follow(event, this.#session);
    // What becomes of a file is shown after what made it so.
    this.#heldViews = [];
    this.#desk?.follow(event);
    const views = this.#heldViews;
    this.#heldViews = null;
    for (const json of jsonEvents(event, this.#eventContext)) this.#options.front.emit(json);
    for (const view of views) this.#showFile(view);
    // An alarm of an earlier run of the program may hold sending back still.
    const isAlarm = event.kind === 'alarm' && event.code !== KEY_CHANGED;
    if (isAlarm || event.kind === 'joined') this.#afterAlarm();
    this.refreshStatus();
    this.#endWhenPlaced();
  }

  get #eventContext(): EventContext {
    const { roomId, roomName } = this.#options;
    return {
      room: { id: roomId, name: roomName },
      settings: this.#settings,
      self: this.#self,
      conversations: this.#session?.conversations ?? [],
      file: (id) => this.#desk?.views.find((view) => view.id === id),
      shown: (member) => this.#shown(member),
    };
  }

  refreshStatus(): void {
    const { front, host, membership, roomName } = this.#options;
    const online = membership?.session?.onlineCount ?? this.#members().filter((shown) => shown.online).length;
    const connected = membership?.session?.phase !== 'away';
    const talk = this.#conversing.status(membership?.session ?? null);
    front.setStatus({
      room: roomName,
      online,
      connected,
      ...talk,
      ...(host !== null && { code: host.code }),
    });
  }

  /** For completion. */
  get known(): FrontListener['known'] {
    const others = this.#members().filter(({ member }) => member.key !== this.#self?.key);
    const nicks = others.map(({ member }) => member.nick).sort();
    const all = this.#options.membership?.session?.conversations ?? [];
    const conversations = all.filter(({ isDirect }) => !isDirect).map((view) => labelOf(view, all));
    const files = this.#desk?.views ?? [];
    const numbers = (fits: (view: FileView) => boolean): string[] =>
      files.filter(fits).map(({ number }) => `${number}`);
    return {
      ...{ viewer: this.#viewer, nicks, conversations },
      offers: numbers(({ isOwn, state }) => !isOwn && state === 'offered'),
      transfers: numbers(mayCancel),
      ...this.#options.host?.known,
    };
  }

  say(text: string, ref: string | null, { to, replyTo }: SayOptions = {}): void {
    this.#try(() => {
      const answered = replyTo === undefined ? null : answer(text, replyTo, this.#contentContext);
      const content = answered?.content ?? said('text', text);
      this.#checkSay(content);
      if (answered !== null) {
        if (to !== undefined) this.#conversing.checkThere(to, answered.conversation, this.#conversingContext);
        return this.#conversing.sayIn(answered.conversation, content, ref, this.#conversingContext);
      }
      if (to === undefined) return this.#conversing.say(content, ref, this.#conversingContext);
      this.#conversing.sayTo(to, content, ref, this.#conversingContext);
    }, ref);
  }

  seen(id: string): void {
    this.#options.membership?.session?.seen(id);
  }

  command(line: string): void {
    this.#try(() => {
      const parsed = parseInput(line);
      if (!line.startsWith('/')) throw new InputError('bad-command', 'A command begins with a slash.');
      if (parsed.kind === 'text') return this.#say(said('text', parsed.text), null);
      if (parsed.kind === 'unknown')
        throw new InputError('unknown-command', unknownText(parsed.name, parsed.nearest));
      const entry = findCommand(parsed.name);
      if (entry === undefined) return;
      if (!mayGive(entry, this.#viewer)) throw notFor(entry.name, entry.for);
      this.#obey(entry.parse(parsed.args));
    });
  }

  /** Whoever quits does not wait, but is told what stays unsaid. */
  quit(): void {
    this.#tellUnplaced(this.#options.membership?.session?.unplaced ?? 0);
    this.#tellUntaken();
    this.#options.onQuit('quit');
  }

  /** What somebody has begun to take of one's own. */
  #tellUntaken(): void {
    for (const { isOwn, state, name, takers } of this.#desk?.views ?? []) {
      if (!isOwn || state !== 'running') continue;
      const running = takers.filter((taker) => taker.state === 'running').map(({ member }) => member.nick);
      const text = `${fileName(name)} has not reached ${running.join(', ')}.`;
      this.#options.front.emit({ type: 'notice', level: 'warning', code: 'untaken', text });
    }
  }

  #tellUnplaced(count: number): void {
    if (count === 0) return;
    const text = `${count === 1 ? '1 message has' : `${count} messages have`} not reached the room.`;
    this.#options.front.emit({ type: 'notice', level: 'warning', code: 'unplaced', text });
  }

  /** What was said is placed first. A host that only relays goes on without standard input. */
  end(): void {
    if (this.#options.membership === null) return;
    this.#ending = true;
    this.#options.membership.hurry();
    this.#endWhenPlaced();
  }

  /** A guest goes, what they said first; a host would end the room for everyone, and is asked once. */
  leave(): void {
    if (this.#options.host !== null) return this.#goOnceAgain('Ctrl-D', 'quit');
    const wasEnding = this.#ending;
    this.end();
    const session = this.#options.membership?.session ?? null;
    if (wasEnding || session === null || isHeldBack(session) || session.unplaced === 0) return;
    const what = session.unplaced === 1 ? 'your message is' : `your ${session.unplaced} messages are`;
    this.#tell('leaving', `Leaving when ${what} placed; /quit leaves now.`);
  }

  interrupt(): void {
    this.#goOnceAgain('Ctrl-C', 'interrupted');
  }

  /** The room is left: what is under way is let go of. @returns once the disk has what came of it */
  async close(): Promise<void> {
    await this.#desk?.close();
  }

  #follow(event: SessionEvent): void {
    if (this.#options.membership !== null) return;
    if (event.kind === 'presence') {
      if (event.presence === 'online') this.#elsewhere.delete(event.member.key);
      else this.#elsewhere.set(event.member.key, event);
    } else if (event.kind === 'roster') {
      for (const { member } of event.change.removed) this.#elsewhere.delete(member.key);
    }
  }

  #goOnceAgain(key: string, how: QuitReason): void {
    const nowMs = Date.now();
    const told = this.#toldKey;
    if (told?.key === key && nowMs - told.atMs < INTERRUPT_AGAIN_MS) return this.#options.onQuit(how);
    this.#toldKey = { key, atMs: nowMs };
    const what = this.#options.host === null ? 'leave the room' : 'end the room for everyone';
    this.#tell('interrupt', `Press ${key} again to ${what}.`);
  }

  get #self(): RosterMember | null {
    return this.#options.membership?.session?.self ?? null;
  }

  get #viewer(): Audience {
    if (this.#options.host !== null) return 'host';
    return this.#self?.role === 'moderator' ? 'moderators' : 'everyone';
  }

  get #settings(): RoomSettings | null {
    const { host, membership } = this.#options;
    return membership?.session?.settings ?? host?.settings ?? null;
  }

  #afterAlarm(): void {
    if (this.#options.membership?.session?.heldBack !== true) return;
    const text =
      'Nothing you say is sent until you accept this with /fork ack. Compare /room with the others another way first.';
    this.#options.front.emit({ type: 'notice', level: 'alarm', code: 'held-back', text });
  }

  #endWhenPlaced(): void {
    const session = this.#options.membership?.session ?? null;
    if (!this.#ending) return;
    // Nobody is there any more to accept an alarm or a changed key.
    if (session !== null && isHeldBack(session)) {
      this.#ending = false;
      this.#tellUnplaced(session.unplaced);
      this.#options.onQuit('alarm');
    } else if (session === null || session.unplaced === 0) this.#options.onQuit('quit');
  }

  #say(content: Content, ref: string | null): void {
    this.#checkSay(content);
    this.#conversing.say(content, ref, this.#conversingContext);
  }

  /** Something about an earlier message goes where that was said. */
  #sayAbout(call: ContentCall): void {
    const { content, conversation } = contentOf(call, this.#contentContext);
    this.#checkSay(content);
    this.#conversing.sayIn(conversation, content, null, this.#conversingContext);
  }

  /** @throws InputError for what is not to be said, wherever it would go */
  #checkSay(content: Content): void {
    const { membership } = this.#options;
    if (membership?.session == null) throw notJoined();
    if (isSaid(content.kind) && content.kind !== 'file' && content.text.trim() === '')
      throw new InputError('empty', 'There is nothing to say in that.');
    if (membership.session.heldBack) {
      throw new InputError(
        'held-back',
        'Not sent: there was an alarm. Accept it with /fork ack, then say it again.',
      );
    }
  }

  /** @throws InputError `not-joined` for a host that takes no part. */
  get #conversingContext(): ConversingContext {
    const membership = this.#membership;
    const { session } = membership;
    if (session === null) throw notJoined();
    return {
      ...{ membership, session },
      tell: (code, text) => this.#tell(code, text),
      memberCalled: (nick) => this.#memberCalled(nick).member,
    };
  }

  #obey(call: CommandCall): void {
    const { host, membership, front } = this.#options;
    switch (call.name) {
      case 'quit':
        return this.quit();
      case 'leave':
        return this.#leave();
      case 'help':
        return this.#help(call.topic);
      case 'me':
        return this.#say(said('emote', call.text), null);
      case 're':
      case 'fix':
      case 'delete':
      case 'react':
        return this.#sayAbout(call);
      case 'nick':
        return this.#rename(call.nick);
      case 'register':
        this.#register().catch((error: unknown) => this.#refuse(error));
        return;
      case 'names':
        return this.#names();
      case 'msg':
      case 'reply':
        this.#checkSay(said('text', call.text));
        return this.#converse(call);
      case 'new':
      case 'join':
      case 'conversations':
      case 'invite-to':
      case 'part':
      case 'rename':
      case 'remove-from':
      case 'op-in':
      case 'deop-in':
      case 'hand-over':
        return this.#converse(call);
      case 'whois': {
        const { ownerFingerprint } = this.#options;
        const shown = this.#memberCalled(call.nick);
        const keyBits = membership?.session?.keyBits(shown.member) ?? null;
        return this.#tell('whois', whoisText(shown, { ownerFingerprint, keyBits, nowMs: Date.now() }));
      }
      case 'proof':
        this.#prove(call.id, call.path).catch((error: unknown) => this.#refuse(error));
        return;
      case 'verify':
        return this.#verify(call);
      case 'trust':
        return this.#verifying.accept(this.#memberCalled(call.nick).member, this.#verifyingContext);
      case 'away':
      case 'back':
        return this.#setAway(call.name === 'away');
      case 'room':
        return this.#room();
      case 'security':
        return this.#security();
      case 'fork':
        if (membership?.session?.heldBack !== true)
          throw new InputError('no-alarm', 'Nothing is held back: there is no alarm to accept.');
        membership.acknowledge();
        return this.#tell('fork', 'Taken note of. What you say is sent from now on.');
      case 'topic':
        if (this.#conversing.here(this.#session) !== null) return this.#conversationTopic(call.text);
        if (call.text === null) return this.#tell('topic', this.#settings?.topic || 'No topic is set.');
        if (this.#viewer === 'everyone') throw notFor('topic TEXT', 'moderators');
        return this.#act({ kind: 'topic', text: call.text.replaceAll(/\s+/gu, ' ').trim() });
      case 'motd':
        if (call.text === null)
          return this.#tell('motd', this.#settings?.motd || 'No message of the day is set.');
        if (host === null) throw notFor('motd TEXT', 'host');
        return this.#host(call);
      case 'policy':
        if (call.part === null) return this.#policy();
        if (host === null) throw notFor('policy stay, edits and receipts', 'host');
        return this.#host(call);
      case 'kick':
      case 'unmute':
        return this.#act({ kind: call.name, member: this.#target(call.name, call.nick).memberId });
      case 'ban':
      case 'mute': {
        const seconds = call.forMs === null ? 0 : Math.ceil(call.forMs / SECOND_MS);
        return this.#act({ kind: call.name, member: this.#target(call.name, call.nick).memberId, seconds });
      }
      case 'unban':
        return this.#act({ kind: 'unban', nick: call.nick });
      case 'slow':
        return this.#act({ kind: 'slow', seconds: call.seconds });
      case 'lock':
      case 'unlock':
        return this.#act({ kind: call.name });
      case 'send':
      case 'accept':
      case 'decline':
      case 'cancel':
      case 'files':
        return this.#file(call);
      case 'clear':
        front.display(call);
        return membership?.session?.forgetShown();
      case 'ids':
      case 'edit':
      case 'search':
      case 'timestamp':
      case 'quiet':
      case 'notify':
      case 'bell':
      case 'theme':
      case 'ignore':
      case 'unignore':
        return front.display(call);
      default:
        return this.#host(call);
    }
  }

  #file(call: FileCall): void {
    const desk = this.#desk;
    if (desk === null) throw notJoined();
    if (this.#session?.features.has(FEATURE.files) === false)
      throw new InputError('not-supported', 'The host of this room knows no files.');
    switch (call.name) {
      case 'send':
        this.#send(call.paths, call.to, desk).catch((error: unknown) => this.#refuse(error));
        return;
      case 'accept':
        return desk.accept(call.numbers, call.folder === null ? null : expandHome(call.folder));
      case 'decline':
        return desk.decline(call.numbers);
      case 'cancel':
        return desk.cancel(call.numbers);
      case 'files': {
        const { conversations = [] } = this.#session ?? {};
        const placeOf = (key: IdKey): string | null => {
          const view = conversations.find(({ id }) => idKey(id) === key);
          return view === undefined ? null : labelOf(view, conversations);
        };
        for (const text of filesTexts(desk.views, placeOf)) this.#tell('files', text);
      }
    }
  }

  /** One after the other: each is an offer of its own. */
  async #send(paths: readonly string[], to: string | null, desk: FileDesk): Promise<void> {
    for (const path of paths) {
      const self = this.#self;
      if (self === null) throw notJoined();
      const sending = desk.send(expandHome(path), self, (content) => {
        this.#checkSay(content);
        if (to === null) this.#conversing.say(content, null, this.#conversingContext);
        else this.#conversing.sayCalled(to, content, this.#conversingContext);
      });
      tellIfSlow(sending, this.#options.front, `Reading ${cleanText(path)}, to know what is offered…`);
      await sending;
    }
  }

  /** Others see that it is taken back, where the room lets messages be taken back. */
  #unsay(message: string, conversation: ConversationId): void {
    const content = deletion(message);
    const session = this.#session;
    if (content === null || session?.policy.edits !== true || session.heldBack) return;
    this.#conversing.sayIn(conversation, content, null, this.#conversingContext);
  }

  #showFile(view: FileView): void {
    if (this.#heldViews !== null) return void this.#heldViews.push(view);
    const { front } = this.#options;
    front.emit(fileEvent(view, this.#eventContext));
    // What was offered is there, and is what was said: only now is it looked into.
    if (!view.isOwn && view.state === 'done' && view.path !== null && view.files === null)
      void front.showPicture(view.path, view.name);
  }

  #converse(call: ConversationCall): void {
    this.#conversing.obey(call, (text) => said('text', text), this.#conversingContext);
    this.refreshStatus();
  }

  /** Of the conversation that one is in: its name, and who they are. */
  #names(): void {
    const here = this.#conversing.here(this.#session);
    this.#tell('names', here === null ? namesText(this.#members(), Date.now()) : namesOf(here));
  }

  #conversationTopic(text: string | null): void {
    const topic = this.#conversing.here(this.#session)?.topic ?? '';
    if (text === null) return this.#tell('topic', topic === '' ? 'No topic is set.' : topic);
    this.#conversing.setTopic(text.replaceAll(/\s+/gu, ' ').trim(), this.#conversingContext);
  }

  get #session(): Session | null {
    return this.#options.membership?.session ?? null;
  }

  #verify({ nick, answer }: Extract<CommandCall, { readonly name: 'verify' }>): void {
    const context = this.#verifyingContext;
    if (nick === null) return this.#verifying.list(context);
    const { member } = this.#memberCalled(nick);
    if (answer === null) this.#verifying.show(member, context);
    else this.#verifying.answer(member, answer, context);
  }

  /** @throws InputError `not-joined` for a host that takes no part. */
  get #verifyingContext(): VerifyingContext {
    const membership = this.#membership;
    const { session } = membership;
    if (session === null) throw notJoined();
    return {
      front: this.#options.front,
      session,
      mark: (member, mark) => membership.mark(member, mark),
    };
  }

  /** @throws InputError `not-joined` for a host that takes no part. */
  get #contentContext(): ContentContext {
    const { session } = this.#membership;
    if (session === null) throw notJoined();
    return { front: this.#options.front, session, here: this.#conversing.hereId(session) };
  }

  #leave(): void {
    const { onLeave } = this.#options;
    if (onLeave === undefined)
      throw new InputError('not-allowed', 'The room is yours: /quit ends it for everyone.');
    onLeave();
  }

  #host(call: HostCall): void {
    const done = this.#options.host?.obey(call);
    done?.catch((error: unknown) => this.#refuse(error));
  }

  /** The owner's own doing needs nobody's leave; everyone else asks, under their own signature. */
  #act(request: ActRequest): void {
    const { host, membership } = this.#options;
    if (host !== null) host.act(request);
    else membership?.act(request);
  }

  #rename(nick: string): void {
    this.#membership.act({ kind: 'rename', nick });
  }

  #setAway(away: boolean): void {
    const membership = this.#membership;
    if (membership.session?.isAway === away)
      throw new InputError('no-change', away ? 'You are away already.' : 'You are not away.');
    membership.setAway(away);
  }

  /** @throws InputError `not-joined` for a host that takes no part. */
  get #membership(): NonNullable<ChatOptions['membership']> {
    const { membership } = this.#options;
    if (membership === null) throw notJoined();
    return membership;
  }

  async #register(): Promise<void> {
    const { membership, front } = this.#options;
    if (membership?.session == null) throw notJoined();
    membership.session.mayRegister();
    if (this.#registering) throw new InputError('registering', 'Answer the question for the password first.');
    this.#registering = true;
    try {
      membership.register(await askNewPassword(front));
    } catch (error) {
      if (!(error instanceof GaveUpError)) throw error;
      this.#tell('register', 'Nothing has been registered.');
    } finally {
      this.#registering = false;
    }
  }

  /** Writes down what shows others that somebody said something. @throws InputError */
  async #prove(id: string, path: string | null): Promise<void> {
    const { session } = this.#membership;
    if (session === null) throw notJoined();
    const { id: full, proof } = session.proof(id);
    const file = await writeProof(full, proof, path);
    this.#tell('proof', proofWrittenText(file, proof.members.length));
  }

  /** Whom an act is about, if this person may do that to them. */
  #target(kind: 'kick' | 'ban' | 'mute' | 'unmute', nick: string): RosterMember {
    const { member } = this.#memberCalled(nick);
    if (member.key === this.#self?.key)
      throw new InputError('not-allowed', `You cannot ${kind} yourself; /quit leaves the room.`);
    const role = this.#options.host === null ? (this.#self?.role ?? 'member') : 'owner';
    if (!mayAct(role, kind, member.role)) {
      const who = member.role === 'owner' ? 'the host' : 'a moderator';
      throw new InputError('not-allowed', `${nick} is ${who}: you cannot ${kind} them.`);
    }
    return member;
  }

  #help(topic: string | null): void {
    const entry = topic === null ? undefined : findCommand(topic);
    if (topic !== null && entry === undefined) throw new InputError('unknown-command', unknownText(topic));
    const lines = entry === undefined ? helpLines(this.#viewer) : helpTopicLines(entry);
    for (const line of lines) this.#tell('help', line);
  }

  #memberCalled(nick: string): ShownMember {
    const shown = this.#members().find(({ member }) => member.nick === nick);
    if (shown === undefined)
      throw new InputError('no-such-member', `Nobody here is called ${nick}. /names shows who is.`);
    return shown;
  }

  #room(): void {
    const { host, membership, roomName, ownerFingerprint } = this.#options;
    const position = membership?.session?.position ?? host?.position ?? null;
    const settings = this.#settings;
    if (position === null || settings === null)
      throw new InputError('not-joined', 'You are not in the room yet.');
    const { epoch, index, head, operation } = position;
    const digest = sha256(u32(epoch), u32(index), head);
    for (const line of roomLines({ name: roomName, settings, epoch, index, digest }))
      this.#tell('room', line);
    // A list that does not name oneself says nothing about one's own key.
    if (membership?.session != null && this.#self === null) return;
    for (const text of checkTexts(roomCheck(ownerFingerprint, operation))) this.#tell('check', text);
  }

  #policy(): void {
    const settings = this.#settings;
    if (settings === null) throw new InputError('not-joined', 'You are not in the room yet.');
    for (const line of policyText(settings)) this.#tell('policy', line);
  }

  #security(): void {
    const { ownerFingerprint, membership, host, keeps } = this.#options;
    const { session = null } = membership ?? {};
    const epoch = (session?.position ?? host?.position ?? null)?.epoch;
    const policy = this.#settings;
    if (epoch === undefined || policy === null)
      throw new InputError('not-joined', 'You are not in the room yet.');
    const members = this.#members();
    const owner = members.find(({ member }) => member.role === 'owner')?.member;
    const hostNick = owner?.nick ?? null;
    const facts = { ownerFingerprint, policy, keeps, epoch, members: members.length, hostNick };
    const there = session === null ? null : this.#conversing.readers(session);
    const place = there && {
      label: there.label,
      members: there.members.length,
      hostIsIn: owner !== undefined && there.members.includes(owner.key),
    };
    const conversation = there === null ? ROOM_CONVERSATION : there.id;
    const self = session === null ? null : selfFacts(session, conversation);
    for (const line of securityLines({ ...facts, place, self, nowMs: Date.now() }))
      this.#tell('security', line);
  }

  #members(): readonly ShownMember[] {
    const { membership, host } = this.#options;
    if (membership?.session != null) return membership.session.members;
    return host?.members.map((member) => this.#shown(member)) ?? [];
  }

  #shown(member: RosterMember): ShownMember {
    const { session = null } = this.#options.membership ?? {};
    if (session !== null) return session.shown(member);
    const here = { presence: 'online', online: true, lastSeenMs: null } as const;
    return { ...(this.#elsewhere.get(member.key) ?? here), member };
  }

  #tell(code: string, text: string): void {
    this.#options.front.emit({ type: 'notice', level: 'info', code, text });
  }

  #try(step: () => void, ref: string | null = null): void {
    try {
      step();
    } catch (error) {
      this.#refuse(error, ref);
    }
  }

  /** Wrong input changes nothing and is answered. A fault of ours is told as one: it costs one command, not the room. */
  #refuse(error: unknown, ref: string | null = null): void {
    const { code, message } =
      error instanceof InputError || error instanceof StorageError
        ? error
        : { code: 'unexpected', message: `That failed, by a fault of this program: ${String(error)}` };
    this.#options.front.emit({ type: 'error', code, message, ...(ref !== null && { ref }) });
  }
}

function notFor(name: string, audience: Audience): InputError {
  const whom = audience === 'host' ? 'the host' : 'moderators and the host';
  return new InputError(audience === 'host' ? 'host-only' : 'not-allowed', `/${name} is for ${whom}.`);
}

/** `null` before the first list. @param conversation where what one types goes */
function selfFacts(session: Session, conversation: ConversationId | null): SelfFacts | null {
  const { self, heldBack, unplaced, untrusted } = session;
  if (self === undefined) return null;
  return {
    ...{ algorithm: self.algorithm, identity: self.identity, heldBack, unplaced },
    ...session.ownKeys(conversation, systemMoment()),
    verified: session.members.filter(({ verified }) => verified === true).length,
    untrusted: untrusted.map(({ nick }) => nick),
  };
}

function isHeldBack(session: Pick<Session, 'heldBack' | 'untrusted'>): boolean {
  return session.heldBack || session.untrusted.length > 0;
}

function notJoined(): InputError {
  return new InputError('not-joined', 'This host relays and takes no part (--no-chat).');
}

/** `securechat s`: from what is asked of the host to an open room, and to its end. */

import { formatAddress } from '../../crypto/invitation.ts';
import { generateWrapKeys } from '../../crypto/key-wrap.ts';
import type { SessionEvent } from '../../member/events.ts';
import { toBase64url } from '../../protocol/bytes.ts';
import type { RoomNotice } from '../../room/effects.ts';
import type { Visitor } from '../../room/visitors.ts';
import { AnswerThread } from '../answer-thread.ts';
import { Chat, type QuitReason } from '../chat.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { fileDealings } from '../files/file-dealings.ts';
import { finish, LEFT_EXIT, outcomeOf, outcomeOfError } from '../finish.ts';
import type { Front } from '../front/front.ts';
import { openFront } from '../front/open-front.ts';
import { openLog } from '../log.ts';
import { Membership, type MembershipOptions } from '../membership.ts';
import type { HostOptions } from '../options.ts';
import type { RelayHost } from '../relay-host.ts';
import type { KeptRoom } from '../rooms/kept-room.ts';
import { MAKING_KEYS } from '../sentences.ts';
import { advertisedAddresses, readOwnAddresses } from '../setup/addresses.ts';
import { tellIfSlow } from '../tell-if-slow.ts';
import { DoorReport } from './door-report.ts';
import { HostControls } from './host-controls.ts';
import { InvitationDesk } from './invitation-desk.ts';
import { openRoom } from './open-room.ts';
import { rosterText } from './roster-text.ts';

/** The host's own way in lives only until it is used, moments later. */
const OWN_INVITATION_MS = 10 * 60_000;

/** @returns the exit code; everything there is to say about it has been said. */
export async function runHost(options: HostOptions): Promise<ExitCode> {
  const log = openLog(options);
  const front = openFront(options);
  log.showOn(front);
  const answers = new AnswerThread();
  let relay: RelayHost | null = null;
  let kept: KeptRoom | null = null;
  try {
    const wrapKeys = options.chat ? generateWrapKeys() : null;
    const opened = await openRoom(options, { front, answers, log });
    const { relay: host, plan, own: ownMember } = opened;
    const { roomName, question, nick } = plan;
    let { answer } = plan;
    relay = host;
    kept = opened.kept;
    const over = Promise.withResolvers<QuitReason | Error>();
    host.onFailure((error) => over.resolve(error));
    front.onGone = (error) => over.resolve(error.how === 'interrupted' ? 'interrupted' : 'quit');

    const readAddresses = () => advertisedAddresses(plan, host.port, readOwnAddresses());
    const texts = kept?.store.invitationTexts ?? [];
    const desk = new InvitationDesk({ relay: host, front, readAddresses, options, kept: texts });
    const first = await desk.first();
    const ownerFingerprint = host.ownerFingerprint;
    const controls = new HostControls({ relay: host, desk, front });
    front.emit({
      type: 'ready',
      room: { id: toBase64url(host.roomId), name: roomName },
      addresses: desk.addresses.map(formatAddress),
      invitation: first,
      question,
      code: controls.code,
      fingerprint: toBase64url(ownerFingerprint),
    });
    if (front.copy(first.token)) {
      const text = 'The invitation was put on the clipboard, where your terminal allows that.';
      front.emit({ type: 'notice', level: 'info', code: 'copied', text });
    }

    let membership: Membership | null = null;
    let chat: Chat | null = null;
    const makeChat = (member: Membership | null): Chat =>
      new Chat({
        front,
        membership: member,
        host: controls,
        roomId: host.roomId,
        roomName,
        ownerFingerprint,
        keeps: kept === null ? 'nothing' : 'ciphertext',
        ...(member !== null && fileDealings(member, options)),
        onQuit: (how) => over.resolve(how),
      });
    const door = new DoorReport({ names: desk, tell: (event) => front.emit(event) });
    // Read aloud twice a minute, a code that nobody needs would be most of what a room says.
    const isSpoken = options.display === 'plain';
    host.onNotice((notice) => {
      const atDoor = door.take(notice);
      if (atDoor !== null) log.info('door', atDoor.text);
      const change = notice.kind === 'roster' ? rosterText(notice.change) : null;
      if (change !== null) log.info('roster', change);
      if (notice.kind !== 'code' || !isSpoken || host.atDoor.some(isAtCode))
        for (const event of noticeEvents(notice, desk)) front.emit(event);
      if (isSpoken && atDoor?.stage === 'answer-proved') void controls.obey({ name: 'code' });
      // The host's own session shows them, checked like everyone's.
      if (ownMember === null && (notice.kind === 'roster' || notice.kind === 'presence')) chat?.show(notice);
      chat?.refreshStatus();
    });
    if (ownMember !== null && wrapKeys !== null) {
      const { identity, isKept, accountKey, place, saved } = ownMember;
      tellIfSlow(Promise.all([identity, wrapKeys]), front, MAKING_KEYS);
      const entrance = accountKey === null ? await ownInvitation(host, desk) : { accountKey };
      /** What a return brings before it is known who is here. */
      const early: SessionEvent[] = [];
      membership = new Membership({
        roomId: host.roomId,
        ownerFingerprint,
        tlsPin: host.tlsPin,
        ...entrance,
        connect: () => Promise.resolve(host.connectInProcess()),
        identity,
        identityIsKept: isKept,
        keep: () => Promise.resolve(place),
        prefers: options.prefers,
        wrapKeys,
        answers,
        ask: (what) => Promise.resolve(what === 'answer' ? answer : what === 'code' ? host.code.value : nick),
        onQuestion: () => {},
        onWaiting: () => {},
        onEvent(event) {
          if (event.kind === 'joined') {
            void answers.end();
            answer = '';
            chat = makeChat(membership);
          }
          // The last word is this side's own.
          if (event.kind === 'closed' || isPause(event)) return;
          if (chat === null) return void early.push(event);
          chat.show(event);
          if (event.kind !== 'joined') return;
          for (const before of early.splice(0)) chat.show(before);
          // What was typed ahead finds a room that has been entered.
          front.listen(chat);
        },
        onLine: () => {},
      });
      if (saved === null) void membership.join();
      else void membership.resume(saved);
      void membership.ended.then((ending) => {
        const { exitCode, problem } = outcomeOf(ending, 'quit');
        over.resolve(
          exitCode === EXIT.done ? 'quit' : new Error(problem?.text ?? "the host's own membership ended"),
        );
      });
    } else {
      chat = makeChat(null);
      await answers.end();
      answer = '';
      chat.refreshStatus();
      front.listen(chat);
    }

    const how = await over.promise;
    await (chat as Chat | null)?.close();
    log.info('room', `closing: ${how instanceof Error ? how.message : how}`);
    // Members are told that the room closes; the host's own membership needs no LEAVE for that, but a last word to its file.
    if (kept !== null && membership !== null) {
      membership.quit();
      await membership.ended;
    }
    await host.close(closingText(kept));
    relay = null;
    if (how instanceof Error) throw how;
    return finish(front, options.display, {
      exitCode: LEFT_EXIT[how],
      problem: null,
      closed: { code: kept === null ? 'host-closing' : 'paused', reason: closingText(kept) },
    });
  } catch (error) {
    await relay?.close(closingText(kept));
    return finish(front, options.display, outcomeOfError(error));
  } finally {
    kept?.close();
    await answers.end();
  }
}

function closingText(kept: KeptRoom | null): string {
  return kept === null ? 'the host closed the room' : 'the host closed the room for now';
}

/** The host's own way in, through all four layers like everyone's. */
async function ownInvitation(
  host: RelayHost,
  { addresses }: InvitationDesk,
): Promise<Pick<MembershipOptions, 'invitationId' | 'admissionKey'>> {
  const { id, admissionKey } = await host.invite({
    ...{ addresses, uses: 1, ttlMs: OWN_INVITATION_MS },
    role: 'owner',
  });
  return { invitationId: id, admissionKey };
}

/** Its own room's word that it closes. */
function isPause(event: SessionEvent): boolean {
  return event.kind === 'notice' && event.code === 'paused';
}

function isAtCode({ stage }: Visitor): boolean {
  return stage === 'answer-proved' || stage === 'wrong-code' || stage === 'nick-refused';
}

function noticeEvents(notice: RoomNotice, desk: InvitationDesk): readonly Parameters<Front['emit']>[0][] {
  switch (notice.kind) {
    case 'code': {
      const { value, expiresAtMs } = notice.code;
      return [{ type: 'code', value, expiresAt: new Date(expiresAtMs).toISOString() }];
    }
    case 'unbanned': {
      const text = `${notice.by.nick} took the ban of ${notice.nick} back.`;
      return [{ type: 'notice', level: 'info', code: 'unbanned', text }];
    }
    case 'suspended': {
      const text = desk.suspendedText(notice.invitation, notice.because);
      return [{ type: 'notice', level: 'warning', code: 'suspended', text }];
    }
    default:
      return [];
  }
}

/** `securechat s`: from what is asked of the host to an open room, and to its end. */

import { formatAddress } from '../../crypto/invitation.ts';
import { generateWrapKeys } from '../../crypto/key-wrap.ts';
import { toBase64url } from '../../protocol/bytes.ts';
import { LIMITS } from '../../protocol/limits.ts';
import { settingsProblem } from '../../protocol/room-settings.ts';
import type { RoomSettings } from '../../protocol/signed-objects.ts';
import type { RoomNotice } from '../../room/effects.ts';
import type { Visitor } from '../../room/visitors.ts';
import { checkListen } from '../../transport/tls-listener.ts';
import { AnswerThread } from '../answer-thread.ts';
import { Chat, type QuitReason } from '../chat.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { finish, LEFT_EXIT, outcomeOf, outcomeOfError } from '../finish.ts';
import type { Front } from '../front/front.ts';
import { openFront } from '../front/open-front.ts';
import { beginIdentity } from '../identity.ts';
import { openLog, type RunLog } from '../log.ts';
import { Membership } from '../membership.ts';
import type { HostOptions } from '../options.ts';
import { RelayHost } from '../relay-host.ts';
import { readSecret } from '../secret.ts';
import { MAKING_KEYS } from '../sentences.ts';
import { advertisedAddresses, readOwnAddresses } from '../setup/addresses.ts';
import { askHost, type HostPlan } from '../setup/wizard.ts';
import { tellIfSlow } from '../tell-if-slow.ts';
import { DoorReport } from './door-report.ts';
import { HostControls } from './host-controls.ts';
import { InvitationDesk } from './invitation-desk.ts';
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
  try {
    // Nobody should answer five questions for a port that is taken.
    await checkListen(options.listen);
    const wrapKeys = options.chat ? generateWrapKeys() : null;
    const identity = options.chat ? (await beginIdentity(options, front)).key : null;
    const { host, plan } = await openRelay(options, { front, answers, log });
    const { roomName, question, nick } = plan;
    let { answer } = plan;
    relay = host;
    const over = Promise.withResolvers<QuitReason | Error>();
    front.onGone = (error) => over.resolve(error.how === 'interrupted' ? 'interrupted' : 'quit');

    const readAddresses = () => advertisedAddresses(plan, host.port, readOwnAddresses());
    const desk = new InvitationDesk({ relay: host, front, readAddresses, options });
    const first = await desk.make();
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
      if (identity === null && (notice.kind === 'roster' || notice.kind === 'presence')) chat?.show(notice);
      chat?.refreshStatus();
    });
    if (identity !== null && wrapKeys !== null) {
      tellIfSlow(Promise.all([identity, wrapKeys]), front, MAKING_KEYS);
      const own = await host.invite({
        addresses: desk.addresses,
        uses: 1,
        ttlMs: OWN_INVITATION_MS,
        role: 'owner',
      });
      membership = new Membership({
        roomId: host.roomId,
        ownerFingerprint,
        tlsPin: host.tlsPin,
        invitationId: own.id,
        admissionKey: own.admissionKey,
        connect: () => Promise.resolve(host.connectInProcess()),
        identity,
        identityIsKept: options.identity !== null,
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
          if (event.kind !== 'closed') chat?.show(event);
          // What was typed ahead finds a room that has been entered.
          if (event.kind === 'joined' && chat !== null) front.listen(chat);
        },
        onLine: () => {},
      });
      void membership.join();
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
    log.info('room', `closing: ${how instanceof Error ? how.message : how}`);
    // Members are told that the room closes; the host's own membership needs no LEAVE for that.
    await host.close('the host closed the room');
    relay = null;
    if (how instanceof Error) throw how;
    return finish(front, options.display, {
      exitCode: LEFT_EXIT[how],
      problem: null,
      closed: { code: 'host-closing', reason: 'the host closed the room' },
    });
  } catch (error) {
    await relay?.close('the host closed the room');
    return finish(front, options.display, outcomeOfError(error));
  } finally {
    await answers.end();
  }
}

/** Asks what has to be asked, then opens the room for others to come in. */
async function openRelay(
  options: HostOptions,
  parts: { readonly front: Front; readonly answers: AnswerThread; readonly log: RunLog },
): Promise<{ readonly host: RelayHost; readonly plan: HostPlan }> {
  const { front, answers, log } = parts;
  // Nobody should answer five questions for a file that cannot be read; on standard input it stands behind the answers.
  const early = options.motd?.kind === 'file' ? await firstSettings(options, front) : null;
  const plan = await askHost(options, front);
  const { roomName, question, answer, listen } = plan;
  const settings = early ?? (await firstSettings(options, front));
  const { membersMost } = options;
  const room = { roomName, question, answer, listen, membersMost, limits: LIMITS, settings };
  const host = await RelayHost.start({ ...room, answers, log });
  log.info('room', `listening on port ${host.port}`);
  return { host, plan };
}

/** How the room is to begin with. @throws InputError when a text is too long. */
async function firstSettings(options: HostOptions, front: Front): Promise<Partial<RoomSettings>> {
  const motd = options.motd === null ? '' : await readSecret(options.motd, front);
  const settings = { topic: options.topic ?? '', motd, approval: options.approval };
  const problem = settingsProblem(settings);
  if (problem !== null) throw problem;
  return settings;
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

/** `securechat c`: from an invitation to the room, and out again. */

import { formatAddress, invitationClockWarning } from '../crypto/invitation.ts';
import { generateWrapKeys } from '../crypto/key-wrap.ts';
import { ownerFingerprint } from '../crypto/signature.ts';
import type { SessionEvent } from '../member/events.ts';
import type { Question } from '../protocol/admission-frames.ts';
import { InputError } from '../protocol/errors.ts';
import { formatFingerprint } from '../protocol/fingerprint.ts';
import type { Hash } from '../protocol/identifiers.ts';
import { checkNickname } from '../protocol/nickname.ts';
import { aboutRoom, policyDiffers } from './about-room.ts';
import { AnswerThread } from './answer-thread.ts';
import { askInvitation, type HeldInvitation } from './ask-invitation.ts';
import { askUntil } from './ask-until.ts';
import { Chat, type QuitReason } from './chat.ts';
import { dialRoom, type RoomDoor } from './dial-room.ts';
import type { Ask } from './door-run.ts';
import type { ExitCode } from './exit-codes.ts';
import { fileDealings } from './files/file-dealings.ts';
import { comeBackWords, finish, outcomeOf, outcomeOfError } from './finish.ts';
import { type Front, GaveUpError } from './front/front.ts';
import { openFront } from './front/open-front.ts';
import { beginIdentity } from './identity.ts';
import { openLog, type RunLog } from './log.ts';
import { Membership, type MembershipOptions } from './membership.ts';
import type { JoinOptions, SecretSource } from './options.ts';
import { chooseRoom } from './saved/choose-room.ts';
import { openSaved, type ReturnContext } from './saved/return.ts';
import { savedText, savePlace } from './saved/save-place.ts';
import { SavedRooms } from './saved/saved-rooms.ts';
import { readSecret } from './secret.ts';
import { MAKING_KEYS, problemText } from './sentences.ts';
import { tellIfSlow } from './tell-if-slow.ts';

/** What a run of the program has beside its membership. */
interface Run {
  readonly options: JoinOptions;
  readonly log: RunLog;
  readonly front: Front;
  readonly answers: AnswerThread;
}

/** A room to go into: by an invitation, or as it was saved. */
interface Entry extends RoomDoor {
  readonly ownerFingerprint: Hash;
  /** Told by the host before anything else where it is not known. */
  readonly roomName: string;
  /** What of it the host has on its disk, as far as that is known. */
  readonly keeps: Question['keeps'];
  readonly membership: Pick<
    MembershipOptions,
    'invitationId' | 'admissionKey' | 'identity' | 'identityIsKept' | 'wrapKeys'
  >;
  /** Knocks, or comes back. */
  readonly begin: (membership: Membership) => void;
}

/** @returns the exit code; everything there is to say about it has been said. */
export async function runJoin(options: JoinOptions): Promise<ExitCode> {
  const log = openLog(options);
  const front = openFront(options);
  log.showOn(front);
  const run: Run = { options, log, front, answers: new AnswerThread() };
  try {
    const saved = await savedEntry(run);
    return await enter(run, saved.kind === 'saved' ? saved.entry : await invitedEntry(run, saved.held));
  } catch (error) {
    return finish(front, options.display, outcomeOfError(error));
  } finally {
    await run.answers.end();
  }
}

/** The saved room that was named or is chosen; else the invitation, where one was pasted instead. */
async function savedEntry(
  run: Run,
): Promise<
  | { readonly kind: 'saved'; readonly entry: Entry }
  | { readonly kind: 'invitation'; readonly held: HeldInvitation | null }
> {
  const { options, front, answers } = run;
  const { dataFolder } = options;
  let name = options.saved;
  if (dataFolder === null) {
    if (name !== null)
      throw new InputError('no-home', 'There is no folder for saved rooms: HOME is not set.');
    return { kind: 'invitation', held: null };
  }
  const rooms = new SavedRooms(dataFolder);
  if (name === null) {
    const known = mayChoose(options) ? await rooms.list() : [];
    if (known.length === 0) return { kind: 'invitation', held: null };
    const chosen = await chooseRoom(known, front, Date.now());
    if (chosen.kind === 'invitation') return chosen;
    name = chosen.name;
  }
  const connect: ReturnContext['connect'] = ({ door, state }, signal) =>
    dialRoom({ ...door, roomId: state.roomId }, signal);
  const { head, door, identity, membership } = await openSaved(name, options, {
    ...{ rooms, front, answers, connect },
  });
  return {
    kind: 'saved',
    entry: {
      ...door,
      roomId: head.roomId,
      roomName: head.roomName,
      ownerFingerprint: ownerFingerprint(membership.state.ownerKey),
      membership: { identity: Promise.resolve(identity), wrapKeys: null },
      begin: (each) => void each.resume(membership),
    },
  };
}

/** People choose; programs say what they want. */
function mayChoose({ invitation, display, mayAsk }: JoinOptions): boolean {
  return invitation === null && display !== 'json' && mayAsk && process.stdin.isTTY === true;
}

async function invitedEntry(run: Run, pasted: HeldInvitation | null): Promise<Entry> {
  const { options, front } = run;
  // Keys take up to two seconds; the person is still typing.
  const wrapKeys = generateWrapKeys();
  const { key: identity } = await beginIdentity(options, front);
  const { invitation, admissionKey } = pasted ?? (await askInvitation(options.invitation, front));
  const warning = invitationClockWarning(invitation, Date.now());
  if (warning !== null) front.emit({ type: 'notice', level: 'warning', code: 'clock', text: warning });
  if (options.saveAs !== null && options.dataFolder !== null)
    await new SavedRooms(options.dataFolder).checkName(options.saveAs, invitation.roomId);
  const { invitationId } = invitation;
  const identityIsKept = options.identity !== null;
  return {
    ...invitation,
    roomName: '',
    keeps: 'nothing',
    membership: { invitationId, admissionKey, identity, identityIsKept, wrapKeys },
    begin: (each) => void each.join(),
  };
}

async function enter(run: Run, entry: Entry): Promise<ExitCode> {
  const { options, front, log, answers } = run;
  const { roomId, ownerFingerprint, tlsPin } = entry;
  const { identity, wrapKeys } = entry.membership;
  let { roomName } = entry;
  let question: Question | null = null;
  let quit: QuitReason = 'quit';
  let chat: Chat | null = null;
  let hasAccount = false;
  /** What a return brings before it is known who is here. */
  const early: SessionEvent[] = [];
  const tell = (level: 'info' | 'warning', code: string, text: string): void =>
    front.emit({ type: 'notice', level, code, text });
  const membership = new Membership({
    ...{ roomId, ownerFingerprint, tlsPin, answers },
    ...entry.membership,
    prefers: options.prefers,
    connect: (signal) => dialRoom(entry, signal),
    ask: answerer(options, front, {
      question: () => question?.question ?? '',
      keys: Promise.all([identity, wrapKeys]),
    }),
    onQuestion(asked) {
      roomName = asked.roomName;
      question = asked;
      for (const text of aboutRoom(asked, ownerFingerprint)) tell('info', 'room', text);
    },
    onAccount() {
      hasAccount = true;
    },
    onWaiting() {
      tell('info', 'waiting', 'Everything is right. Now the host has to let you in; Ctrl-C gives up.');
      void identity.then(({ idFingerprint }) =>
        tell('info', 'waiting', `Your key, which the host is shown: ${formatFingerprint(idFingerprint)}`),
      );
    },
    async keep() {
      const keeps = question?.keeps ?? 'nothing';
      try {
        return await savePlace({ ...entry, roomName, keeps, identity: await identity }, options);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        // In the room all the same: whoever minds can leave.
        tell('warning', 'not-saved', `This room is not saved: ${error.message}`);
        return null;
      }
    },
    onKept({ name }) {
      if (entry.membership.invitationId !== undefined) tell('info', 'saved', savedText(name));
    },
    onEvent(event) {
      if (event.kind === 'registered') hasAccount = true;
      if (event.kind === 'alarm') log.warn('alarm', `${event.code}: ${event.text}`);
      if (event.kind === 'joined') {
        log.info('room', `joined with ${event.members.length} members`);
        void answers.end();
        chat = new Chat({
          ...{ front, membership, host: null, roomId, roomName, ownerFingerprint },
          keeps: question?.keeps ?? entry.keeps,
          ...fileDealings(membership, options),
          onQuit(how) {
            quit = how;
            // The account has the place for whoever comes back with its password.
            if (hasAccount) membership.depart();
            else membership.quit();
          },
          onLeave: () => membership.leave(),
        });
        chat.show(event);
        const settings = membership.session?.settings;
        const differs =
          question === null || settings === undefined ? null : policyDiffers(question, settings);
        if (differs !== null) tell('warning', 'policy-differs', differs);
        for (const before of early.splice(0)) chat.show(before);
        front.listen(chat);
      } else if (chat !== null) chat.show(event);
      else early.push(event);
    },
    onLine(state) {
      log.info('line', state.kind === 'lost' ? 'lost' : `trying again in ${Math.round(state.inMs)} ms`);
      if (state.kind !== 'lost') return;
      if (chat === null)
        tell('warning', 'host-away', 'The host cannot be reached. Trying until it is back; Ctrl-C gives up.');
      else tell('warning', 'line-lost', 'The line to the host is lost. Trying again; what you say waits.');
      chat?.refreshStatus();
    },
  });
  const gaveUp = new Promise<GaveUpError>((resolve) => {
    front.onGone = resolve;
  });
  log.info('dial', entry.addresses.map(formatAddress).join(', '));
  entry.begin(membership);
  const ending = await Promise.race([membership.ended, gaveUp]);
  await (chat as Chat | null)?.close();
  log.info('end', ending instanceof GaveUpError ? ending.message : ending.kind);
  if (ending instanceof GaveUpError) {
    membership.quit();
    await membership.ended;
    throw ending;
  }
  const kept = ending.kind === 'away' || ending.kind === 'closed' ? ending.name : undefined;
  if (kept !== undefined && options.display !== 'json')
    tell('info', 'away', `Your place is kept. To come back: ${comeBackWords(kept)}`);
  return finish(front, options.display, outcomeOf(ending, quit));
}

/** Answers the door's questions: from options first, then by asking. What did not do once is not given again. */
function answerer(
  options: JoinOptions,
  front: Front,
  { question, keys }: { readonly question: () => string; readonly keys: Promise<unknown> },
): Ask {
  const sources: Record<'answer' | 'code' | 'password', SecretSource | null> = {
    answer: options.answer,
    code: options.code,
    password: options.password,
  };
  return async (what, { triesLeft, problem, hint, nick = '' }) => {
    const said = problemText(problem, hint);
    if (what === 'nick') {
      if (options.nick !== null && problem === null) return options.nick;
      const asked = { name: 'nick', message: 'Your nickname in this room?', secret: false };
      return askUntil(front, asked, said, (text) => checkNickname(text.trim().toLowerCase()));
    }
    const source = sources[what];
    sources[what] = null;
    const message = {
      answer: question(),
      code: "The code on the host's screen (six digits)?",
      password: `${nick} is registered in this room. Its password, or Enter alone for another nickname?`,
    }[what];
    const text =
      source !== null && problem === null
        ? await readSecret(source, front)
        : await front.ask({
            name: what,
            message,
            secret: true,
            triesLeft,
            ...(said !== null && { problem: said }),
          });
    // The code is the last thing that a person does.
    if (what === 'code') tellIfSlow(keys, front, MAKING_KEYS);
    return text;
  };
}

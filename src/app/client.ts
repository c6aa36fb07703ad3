/** `securechat c`: from an invitation to the room, and out again. */

import { formatAddress, invitationClockWarning } from '../crypto/invitation.ts';
import { generateWrapKeys } from '../crypto/key-wrap.ts';
import { formatFingerprint } from '../protocol/fingerprint.ts';
import { checkNickname } from '../protocol/nickname.ts';
import { dialTls } from '../transport/tls-dialer.ts';
import { aboutRoom } from './about-room.ts';
import { AnswerThread } from './answer-thread.ts';
import { askInvitation } from './ask-invitation.ts';
import { askUntil } from './ask-until.ts';
import { Chat, type QuitReason } from './chat.ts';
import type { Ask } from './door-run.ts';
import type { ExitCode } from './exit-codes.ts';
import { finish, outcomeOf, outcomeOfError } from './finish.ts';
import { type Front, GaveUpError } from './front/front.ts';
import { openFront } from './front/open-front.ts';
import { beginIdentity } from './identity.ts';
import { openLog } from './log.ts';
import { Membership } from './membership.ts';
import type { JoinOptions, SecretSource } from './options.ts';
import { readSecret } from './secret.ts';
import { MAKING_KEYS, problemText } from './sentences.ts';
import { tellIfSlow } from './tell-if-slow.ts';

const DIAL_MS = 20_000;

/** @returns the exit code; everything there is to say about it has been said. */
export async function runJoin(options: JoinOptions): Promise<ExitCode> {
  const log = openLog(options);
  const front = openFront(options);
  log.showOn(front);
  const answers = new AnswerThread();
  try {
    // Keys take up to two seconds; the person is still typing.
    const wrapKeys = generateWrapKeys();
    const { key: identity } = await beginIdentity(options, front);
    const { invitation, admissionKey } = await askInvitation(options.invitation, front);
    const warning = invitationClockWarning(invitation, Date.now());
    if (warning !== null) front.emit({ type: 'notice', level: 'warning', code: 'clock', text: warning });

    let roomName = '';
    let question = '';
    let quit: QuitReason = 'quit';
    let hasAccount = false;
    let chat: Chat | null = null;
    const membership = new Membership({
      ...invitation,
      admissionKey,
      identity,
      identityIsKept: options.identity !== null,
      prefers: options.prefers,
      wrapKeys,
      answers,
      connect: (signal) =>
        dialTls({
          addresses: invitation.addresses,
          tlsPin: invitation.tlsPin,
          exporterContext: invitation.roomId,
          timeoutMs: DIAL_MS,
          signal,
        }),
      ask: answerer(options, front, { question: () => question, keys: Promise.all([identity, wrapKeys]) }),
      onQuestion(asked) {
        roomName = asked.roomName;
        question = asked.question;
        for (const text of aboutRoom(asked, invitation.ownerFingerprint))
          front.emit({ type: 'notice', level: 'info', code: 'room', text });
      },
      onAccount() {
        hasAccount = true;
      },
      onWaiting() {
        const tell = (text: string): void =>
          front.emit({ type: 'notice', level: 'info', code: 'waiting', text });
        tell('Everything is right. Now the host has to let you in; Ctrl-C gives up.');
        void identity.then(({ idFingerprint }) =>
          tell(`Your key, which the host is shown: ${formatFingerprint(idFingerprint)}`),
        );
      },
      onEvent(event) {
        if (event.kind === 'registered') hasAccount = true;
        if (event.kind === 'alarm') log.warn('alarm', `${event.code}: ${event.text}`);
        if (event.kind === 'joined') {
          log.info('room', `joined with ${event.members.length} members`);
          void answers.end();
          chat = new Chat({
            front,
            membership,
            host: null,
            roomId: invitation.roomId,
            roomName,
            ownerFingerprint: invitation.ownerFingerprint,
            onQuit(how) {
              quit = how;
              if (hasAccount) membership.depart();
              else membership.leave();
            },
          });
          chat.show(event);
          front.listen(chat);
        } else chat?.show(event);
      },
      onLine(state) {
        log.info('line', state.kind === 'lost' ? 'lost' : `trying again in ${Math.round(state.inMs)} ms`);
        if (state.kind !== 'lost') return;
        const text = 'The line to the host is lost. Trying again; what you say waits.';
        front.emit({ type: 'notice', level: 'warning', code: 'line-lost', text });
        chat?.refreshStatus();
      },
    });
    const gaveUp = new Promise<GaveUpError>((resolve) => {
      front.onGone = resolve;
    });
    log.info('dial', invitation.addresses.map(formatAddress).join(', '));
    void membership.join();
    const ending = await Promise.race([membership.ended, gaveUp]);
    log.info('end', ending instanceof GaveUpError ? ending.message : ending.kind);
    if (ending instanceof GaveUpError) {
      membership.leave();
      throw ending;
    }
    return finish(front, options.display, outcomeOf(ending, quit));
  } catch (error) {
    return finish(front, options.display, outcomeOfError(error));
  } finally {
    await answers.end();
  }
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

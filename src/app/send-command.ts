/** `securechat send`: files from the shell into a saved room, to whoever takes them there. */
import { formatAddress } from '../crypto/invitation.ts';
import { ownerFingerprint } from '../crypto/signature.ts';
import { formatDuration } from '../protocol/duration.ts';
import { InputError } from '../protocol/errors.ts';
import { LIMITS } from '../protocol/limits.ts';
import { AnswerThread } from './answer-thread.ts';
import { dialRoom } from './dial-room.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { Sending } from './files/sending.ts';
import { checkSource } from './files/source.ts';
import { finish, type Outcome, outcomeOf, outcomeOfError } from './finish.ts';
import type { Front } from './front/front.ts';
import { openFront } from './front/open-front.ts';
import { openLog, type RunLog } from './log.ts';
import { type Ending, Membership } from './membership.ts';
import type { SendOptions } from './options.ts';
import { openSaved, type SavedReturn } from './saved/return.ts';
import { SavedRooms } from './saved/saved-rooms.ts';

interface Run {
  readonly options: SendOptions;
  readonly log: RunLog;
  readonly front: Front;
  readonly answers: AnswerThread;
}

/** @returns the exit code; everything there is to say about it has been said. */
export async function runSend(options: SendOptions): Promise<ExitCode> {
  const log = openLog(options);
  const front = openFront({ ...options, banner: false });
  log.showOn(front);
  const run: Run = { options, log, front, answers: new AnswerThread() };
  try {
    await checkPaths(options);
    return finish(front, options.display, await send(run, await openRoom(run)));
  } catch (error) {
    return finish(front, options.display, inWords(outcomeOfError(error), options));
  } finally {
    await run.answers.end();
  }
}

/** Before anybody is asked for a passphrase. @throws InputError for what cannot be sent */
async function checkPaths({ paths, files }: SendOptions): Promise<void> {
  if (paths.length > LIMITS.offersPerMember)
    throw new InputError(
      'too-many',
      `${paths.length} files are more than can be offered at a time: ${LIMITS.offersPerMember}. Put them into a folder, and send that.`,
    );
  for (const path of paths) await checkSource(path, files.maxBytes);
}

function openRoom({ options, front, answers }: Run): Promise<SavedReturn> {
  const { dataFolder, saved } = options;
  if (dataFolder === null)
    throw new InputError('no-home', 'There is no folder for saved rooms: HOME is not set.');
  return openSaved(saved, options, {
    rooms: new SavedRooms(dataFolder),
    ...{ front, answers },
    connect: ({ door, state }, signal) => dialRoom({ ...door, roomId: state.roomId }, signal),
  });
}

async function send(run: Run, { head, door, identity, membership: saved }: SavedReturn): Promise<Outcome> {
  const { options, front, log, answers } = run;
  const { roomId, roomName } = head;
  const { tlsPin, addresses } = door;
  const tell = (code: string, text: string): void =>
    front.emit({ type: 'notice', level: 'warning', code, text });
  let isIn = false;
  const membership = new Membership({
    ...{ roomId, tlsPin, answers },
    ownerFingerprint: ownerFingerprint(saved.state.ownerKey),
    identity: Promise.resolve(identity),
    wrapKeys: null,
    prefers: options.prefers,
    connect: (signal) => dialRoom({ roomId, tlsPin, addresses }, signal),
    ask: () => Promise.reject(new Error('nobody is asked at a login')),
    onQuestion: () => {},
    onWaiting: () => {},
    onEvent(event) {
      if (event.kind === 'alarm') log.warn('alarm', `${event.code}: ${event.text}`);
      if (event.kind === 'live') isIn = true;
      sending.follow(event);
    },
    onLine({ kind }) {
      log.info('line', kind);
      if (kind !== 'lost') return;
      if (isIn) tell('line-lost', 'The line to the host is lost. Trying again.');
      else {
        const longest = formatDuration(options.waitMs);
        tell('host-away', `The host cannot be reached. Trying for ${longest}; Ctrl-C gives up.`);
      }
    },
  });
  const over = Promise.withResolvers<Outcome>();
  const sending = new Sending({ roomId, roomName, front, membership, options, onOver: over.resolve });
  front.onGone = () => sending.interrupt();
  log.info('dial', addresses.map(formatAddress).join(', '));
  void membership.resume({ ...saved, isVisit: true });
  const ended = await Promise.race([
    over.promise,
    membership.ended.then((ending) => inWords(endedEarly(ending), options)),
  ]);
  sending.stop();
  membership.quit();
  await membership.ended;
  return ended;
}

/** The room is left before anything was sent, or before all was taken: in no case as it was wished. */
function endedEarly(ending: Ending): Outcome {
  const outcome = outcomeOf(ending, 'quit');
  if (outcome.exitCode !== EXIT.done) return outcome;
  const text = 'The room has closed before everything was taken.';
  return { exitCode: EXIT.network, problem: { code: 'room-closed', text } };
}

/** What to do about a program that is in the room already. */
function inWords(outcome: Outcome, { saved }: SendOptions): Outcome {
  const { problem } = outcome;
  if (problem?.code !== 'already-open' && problem?.code !== 'already-online') return outcome;
  const text = `You are in @${saved} already, with another program. Type /send there; or give --takeover, which ends it there.`;
  return { ...outcome, problem: { code: problem.code, text } };
}

/** `securechat c @name`: the saved room, unlocked and opened, and no other program in it. */
import { ownerFingerprint, type SigningKey } from '../../crypto/signature.ts';
import { eraseSavedState } from '../../member/saved-state.ts';
import { OwnWrapKeys } from '../../member/wrap-keys.ts';
import { InputError } from '../../protocol/errors.ts';
import { ANY_SESSION, ROOM_CONVERSATION } from '../../protocol/identifiers.ts';
import type { FileLock } from '../../storage/file-lock.ts';
import type { Connection } from '../../transport/connection.ts';
import { DoorRun, type DoorRunOptions } from '../door-run.ts';
import type { Front } from '../front/front.ts';
import { unlockIdentity } from '../identity.ts';
import type { SavedMembership } from '../membership.ts';
import type { ReturnOptions } from '../options.ts';
import type { SavedContent, SavedDoor, SavedHead } from './saved-file.ts';
import { SavedPlace } from './saved-place.ts';
import type { SavedRooms } from './saved-rooms.ts';

/** The other program hears of it, saves once more and ends. */
const HANDED_OVER_MS = 15_000;
const LOOK_MS = 100;

export interface ReturnContext {
  readonly rooms: SavedRooms;
  readonly front: Front;
  readonly connect: (content: SavedContent, signal: AbortSignal) => Promise<Connection>;
  readonly answers: DoorRunOptions['answers'];
}

export interface SavedReturn {
  readonly head: SavedHead;
  readonly door: SavedDoor;
  readonly identity: SigningKey;
  readonly membership: SavedMembership;
}

/**
 * @throws InputError when there is no such room, its identity or its file cannot be opened, or another program has it;
 *   GaveUpError when nobody is there to give the passphrase; whatever keeps the host from being reached with `takeover`
 */
export async function openSaved(
  name: string,
  options: ReturnOptions,
  context: ReturnContext,
): Promise<SavedReturn> {
  const { rooms, front } = context;
  const head = await rooms.head(name);
  const first = await rooms.lock(name);
  if (first === null && !options.takeover) throw openElsewhere(name);
  try {
    const path = options.identityByOption ? (options.identity?.path ?? head.identity) : head.identity;
    const identity = await unlockIdentity({ path, passphrase: options.passphrase }, front);
    const lock = first ?? (await takeOver(name, identity, context));
    const { door, state } = await rooms.open(name, identity);
    const { roomId, roomName } = head;
    const place = new SavedPlace({
      ...{ name, path: rooms.path(name), lock, identity, door },
      head: { roomId, roomName, identity: path },
    });
    return { head, door, identity, membership: { state, place, takeover: options.takeover } };
  } catch (error) {
    first?.release();
    throw error;
  }
}

/** Logs in as that member, so that the program which has the room is told to end, and waits until it has. */
async function takeOver(name: string, identity: SigningKey, context: ReturnContext): Promise<FileLock> {
  const { rooms, front } = context;
  front.emit({
    ...{ type: 'notice', level: 'info', code: 'takeover' },
    text: `@${name} is open in another program, which is told to end.`,
  });
  const content = await rooms.open(name, identity);
  try {
    await replaceSession(content, identity, context);
  } finally {
    // It is read again once the other program has saved for the last time.
    eraseSavedState(content.state);
  }
  for (const untilMs = Date.now() + HANDED_OVER_MS; Date.now() < untilMs; ) {
    const lock = await rooms.lock(name);
    if (lock !== null) return lock;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new InputError(
    'already-open',
    `@${name} is still open in another program, which does not end. End it by hand, and come back.`,
  );
}

async function replaceSession(
  content: SavedContent,
  identity: SigningKey,
  { connect, answers }: ReturnContext,
): Promise<void> {
  const { state, door } = content;
  const { roomId, memberId, accountKey, log } = state;
  const signal = new AbortController().signal;
  const connection = await connect(content, signal);
  const { statement } = OwnWrapKeys.restore(identity, roomId, state.wrapKeys).current;
  const head = log.heads.at(-1);
  const run = new DoorRun(
    {
      ...{ roomId, answers, tlsPin: door.tlsPin, ownerFingerprint: ownerFingerprint(state.ownerKey) },
      ask: () => Promise.reject(new Error('nobody is asked at a login')),
      onQuestion: () => {},
      onWaiting: () => {},
    },
    {
      ...{ connection, signal, keys: null, onFrame: () => {}, onClose: () => {} },
      purpose: {
        ...{ kind: 'login', memberId, accountKey, keys: { identity, statement }, replaces: ANY_SESSION },
        positions: head === undefined ? [] : [{ conversation: ROOM_CONVERSATION, index: log.index, head }],
      },
    },
  );
  await run.run();
  connection.close();
}

function openElsewhere(name: string): InputError {
  return new InputError(
    'already-open',
    `@${name} is open in another program on this machine. End it there, or go on here: securechat c @${name} --takeover`,
  );
}

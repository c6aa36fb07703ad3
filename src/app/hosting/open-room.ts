/** From what is asked of the host to an open room: a new one in memory, a new one on disk, or a kept one opened again. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { normaliseAnswer } from '../../crypto/answer.ts';
import type { SigningKey } from '../../crypto/signature.ts';
import { InputError } from '../../protocol/errors.ts';
import { idKey } from '../../protocol/identifiers.ts';
import { LIMITS } from '../../protocol/limits.ts';
import { settingsProblem } from '../../protocol/room-settings.ts';
import type { RoomSettings } from '../../protocol/signed-objects.ts';
import type { FileLock } from '../../storage/file-lock.ts';
import { checkListen } from '../../transport/tls-listener.ts';
import type { AnswerThread } from '../answer-thread.ts';
import type { Front } from '../front/front.ts';
import { askNewPassphrase, beginIdentity, readNewPassphrase } from '../identity.ts';
import type { RunLog } from '../log.ts';
import type { SavedMembership } from '../membership.ts';
import type { HostOptions } from '../options.ts';
import { RelayHost } from '../relay-host.ts';
import { createKeptRoom, type KeptRoom, lockRoom, openKeptRoom, writeSecrets } from '../rooms/kept-room.ts';
import { nameFor, RoomFolder, type RoomPlace } from '../rooms/room-folder.ts';
import { makeRoomKeys, registerAnswer } from '../rooms/room-keys.ts';
import type { SavedPlace } from '../saved/saved-place.ts';
import { readSecret } from '../secret.ts';
import { askAnswer, givenAnswer } from '../setup/answer-question.ts';
import { Interview } from '../setup/interview.ts';
import { accountNick, askHost, type HostPlan } from '../setup/wizard.ts';
import { ownPlace, ownSaved } from './own-place.ts';

export interface OpenedRoom {
  readonly relay: RelayHost;
  /** Its answer is empty where the host's own membership needs none. */
  readonly plan: HostPlan;
  /** Of the host's own membership; `null`: it takes no part. */
  readonly own: OwnMember | null;
  /** `null`: it ends with this process. */
  readonly kept: KeptRoom | null;
}

interface OwnMember {
  readonly identity: Promise<SigningKey>;
  /** It may have been in this room before. */
  readonly isKept: boolean;
  /** By which it comes back; `null`: it comes in by all four layers. */
  readonly accountKey: Uint8Array | null;
  /** Where its membership is kept, and what is there already. */
  readonly place: SavedPlace | null;
  readonly saved: SavedMembership | null;
}

const NEWCOMER = { accountKey: null, saved: null } as const;

interface Parts {
  readonly front: Front;
  readonly answers: AnswerThread;
  readonly log: RunLog;
}

/** @throws InputError, StorageError, ListenError or GaveUpError; nothing is left open then */
export async function openRoom(options: HostOptions, parts: Parts): Promise<OpenedRoom> {
  // Nobody should answer five questions for a port that is taken.
  await checkListen(options.listen);
  if (options.keep === null) return openInMemory(options, parts);
  const folder = new RoomFolder(options.keep.folder);
  await folder.make();
  const known = await knownPlace(options, folder);
  if (known !== null && existsSync(known.file))
    return whileLocked(known, (lock) => openAgain(options, known, lock, parts));
  const plan = await askHost(options, parts.front);
  const place = known ?? folder.place(nameFor(plan.roomName));
  return whileLocked(place, (lock) => openNew(options, { place, plan, lock }, parts));
}

async function whileLocked<Result>(
  place: RoomPlace,
  step: (lock: FileLock) => Promise<Result>,
): Promise<Result> {
  const lock = lockRoom(place);
  try {
    return await step(lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** @returns which kept room is meant; `null`: a new one, called by what the person says that it is called */
async function knownPlace({ keep, roomName }: HostOptions, folder: RoomFolder): Promise<RoomPlace | null> {
  if (keep?.name != null) return folder.place(keep.name);
  if (roomName !== null) return folder.place(nameFor(roomName));
  const all = await folder.all();
  if (all.length <= 1) return all[0] ?? null;
  const names = all.map(({ name }) => name).join(', ');
  throw new InputError('which-room', `Say which room: --keep NAME. There are ${names}.`);
}

async function openInMemory(options: HostOptions, parts: Parts): Promise<OpenedRoom> {
  const { front, answers, log } = parts;
  const identity = options.chat ? (await beginIdentity(options, front)).key : null;
  // A text on standard input stands behind the answers.
  const early = options.motd?.kind === 'file' ? await firstSettings(options, front) : null;
  const plan = await askHost(options, front);
  const settings = early ?? (await firstSettings(options, front));
  const keys = await makeRoomKeys(plan.answer, answers);
  const relay = await startRelay(options, { ...plan, keys, settings, log });
  const own =
    identity === null ? null : { identity, isKept: options.identity !== null, ...NEWCOMER, place: null };
  return { relay, plan, own, kept: null };
}

async function openNew(
  options: HostOptions,
  { place, plan, lock }: { readonly place: RoomPlace; readonly plan: HostPlan; readonly lock: FileLock },
  { front, answers, log }: Parts,
): Promise<OpenedRoom> {
  const making = options.chat ? (await beginIdentity(options, front)).key : null;
  const settings = await firstSettings(options, front);
  const passphrase = await newPassphrase(options, place, front);
  const [keys, identity] = await Promise.all([makeRoomKeys(plan.answer, answers), making]);
  // One that a file keeps stays there alone.
  const inside = options.identity === null ? identity : null;
  const { roomName, question } = plan;
  const kept = await createKeptRoom(
    place,
    { keys, roomName, question, identity: inside, passphrase },
    lock,
    LIMITS,
  );
  try {
    const relay = await startRelay(options, { ...plan, keys, settings, keeping: kept.store, log });
    tell(front, `This room is kept as ${place.name}. securechat s --keep ${place.name} opens it again.`);
    const own =
      identity === null
        ? null
        : {
            identity: Promise.resolve(identity),
            isKept: true,
            ...NEWCOMER,
            place: ownPlace(place, kept, identity),
          };
    return { relay, plan, own, kept };
  } catch (error) {
    kept.store.close();
    // It never was a room.
    for (const suffix of ['', '-wal', '-shm']) await rm(`${place.file}${suffix}`, { force: true });
    throw error;
  }
}

async function openAgain(
  options: HostOptions,
  place: RoomPlace,
  lock: FileLock,
  { front, answers, log }: Parts,
): Promise<OpenedRoom> {
  const passphrase = options.keep?.passphrase ?? null;
  const kept = await openKeptRoom(place, { passphrase, front }, lock, LIMITS);
  let relay: RelayHost | null = null;
  try {
    const { roomName } = kept;
    if (options.roomName !== null && options.roomName !== roomName)
      throw new InputError(
        'conflict',
        `The room kept as ${place.name} is called ${roomName}: leave --room out.`,
      );
    const room = await newQuestion(options, kept, { front, answers });
    const { listen, addresses: named, reach } = options;
    const nick = options.nick ?? accountNick(userInfo().username);
    const plan = { roomName, question: room.question, answer: room.answer ?? '', nick, listen, named, reach };
    const settings = await changedSettings(options, front);
    relay = await startRelay(options, { ...plan, keys: room.keys, keeping: kept.store, log });
    if (Object.keys(settings).length > 0) relay.change(settings);
    tell(front, `The room ${place.name} is open again, with ${relay.members.length} members.`);
    const known = { place, kept: { ...kept, question: room.question, keys: room.keys }, relay };
    const own = options.chat ? await ownMember(options, known, front) : null;
    return { relay, plan, own, kept };
  } catch (error) {
    await relay?.close('');
    kept.store.close();
    throw error;
  }
}

/** The host as it was in this room before, or, where it never took part, as it comes in now. */
async function ownMember(
  options: HostOptions,
  { place, kept, relay }: { readonly place: RoomPlace; readonly kept: KeptRoom; readonly relay: RelayHost },
  front: Front,
): Promise<OwnMember> {
  const identity =
    options.identity === null && kept.identity !== null
      ? kept.identity
      : await (await beginIdentity(options, front)).key;
  const accountKey = relay.accountKey(idKey(identity.memberId));
  const host = relay.members.find(({ role }) => role === 'owner');
  if (accountKey === null && host !== undefined)
    throw new InputError(
      'conflict',
      `The host of this room is ${host.nick}, under another key: use the identity it was made with.`,
    );
  if (options.identity === null && kept.identity === null) writeSecrets({ ...kept, identity });
  const own = ownPlace(place, kept, identity);
  const saved = accountKey === null ? null : await ownSaved(own, identity);
  return { identity: Promise.resolve(identity), isKept: true, accountKey, place: own, saved };
}

/** Another question or answer, where one is given: everyone who comes from now on is asked it. */
async function newQuestion(
  options: HostOptions,
  kept: KeptRoom,
  { front, answers }: Pick<Parts, 'front' | 'answers'>,
): Promise<Pick<KeptRoom, 'question' | 'keys'> & { readonly answer: string | null }> {
  const question = options.question ?? kept.question;
  // Who never took part comes in like everyone, and has to answer.
  const isNewcomer = options.chat && kept.store.kept?.roster.entries.every(({ role }) => role !== 'owner');
  if (options.answer === null && question === kept.question && isNewcomer !== true)
    return { question, keys: kept.keys, answer: null };
  const interview = new Interview(front, { isPerson: options.display === 'terminal', introduce: false });
  if (options.answer === null && options.question === null)
    tell(
      front,
      `You take part in this room for the first time. Its question: ${question} What you answer now is its answer from here on.`,
    );
  const asked =
    options.answer === null
      ? await askAnswer(interview, question)
      : await givenAnswer(interview, options.answer);
  const answer = normaliseAnswer(String(asked));
  const record = await registerAnswer(answer, kept.keys, answers);
  const keys = { ...kept.keys, record };
  writeSecrets({ ...kept, question, keys });
  return { question, keys, answer };
}

async function startRelay(
  options: HostOptions,
  room: HostPlan &
    Pick<Parameters<typeof RelayHost.start>[0], 'keys' | 'settings' | 'keeping'> & { readonly log: RunLog },
): Promise<RelayHost> {
  const { roomName, question, listen, keys, settings, keeping, log } = room;
  const relay = await RelayHost.start({
    ...{ roomName, question, keys, listen, log },
    membersMost: options.membersMost,
    limits: LIMITS,
    ...(settings !== undefined && { settings }),
    ...(keeping !== undefined && { keeping }),
  });
  log.info('room', `listening on port ${relay.port}`);
  return relay;
}

/** From a file, or asked of a person; a program that names no file wants none. */
async function newPassphrase(
  { keep, display, mayAsk }: HostOptions,
  { name }: RoomPlace,
  front: Front,
): Promise<string> {
  const path = `the room ${name}`;
  if (keep?.passphrase != null) return readNewPassphrase({ path, passphrase: keep.passphrase }, front);
  return display === 'terminal' && mayAsk ? askNewPassphrase({ path, holder: 'its host' }, front) : '';
}

/** How a new room is to begin with. @throws InputError when a text is too long. */
async function firstSettings(options: HostOptions, front: Front): Promise<Partial<RoomSettings>> {
  return { topic: '', motd: '', approval: options.approval, ...(await changedSettings(options, front)) };
}

/** What was asked for by option. */
async function changedSettings(options: HostOptions, front: Front): Promise<Partial<RoomSettings>> {
  const settings = {
    ...(options.topic !== null && { topic: options.topic }),
    ...(options.motd !== null && { motd: await readSecret(options.motd, front) }),
    ...(options.approval && { approval: true }),
    ...(options.staySeconds !== null && { staySeconds: options.staySeconds }),
    ...(!options.edits && { edits: false }),
    ...(!options.readReceipts && { readReceipts: false }),
  };
  const problem = settingsProblem(settings);
  if (problem !== null) throw problem;
  return settings;
}

function tell(front: Front, text: string): void {
  front.emit({ type: 'notice', level: 'info', code: 'kept', text });
}

/**
 * What a host is asked before the room opens: only what no option gave, and all but question and answer only where a
 * person sits at a terminal.
 */
import { userInfo } from 'node:os';
import { utf8 } from '../../protocol/bytes.ts';
import { InputError } from '../../protocol/errors.ts';
import { LIMITS } from '../../protocol/limits.ts';
import { checkNickname, type Nickname } from '../../protocol/nickname.ts';
import type { AdvertisedAddress, HostOptions, ListenAddress, Reach } from '../options.ts';
import { advertisedAddresses, heardAddresses, type OwnAddresses, readOwnAddresses } from './addresses.ts';
import { askAnswer, checkNotTold, givenAnswer } from './answer-question.ts';
import { BACK, Interview, type InterviewFront } from './interview.ts';
import { askReach } from './reach-question.ts';

/** Everything that opens the room. */
export interface HostPlan {
  readonly roomName: string;
  readonly nick: Nickname;
  readonly question: string;
  /** Normalised. A secret, to be registered and forgotten. */
  readonly answer: string;
  readonly listen: ListenAddress;
  /** Addresses that invitations name first. */
  readonly named: readonly AdvertisedAddress[];
  /** `null`: as nobody said. */
  readonly reach: Reach | null;
}

export interface Surroundings {
  /** Someone sits at a terminal and may be asked. */
  readonly isPerson: boolean;
  readonly accountName: string;
  readonly own: OwnAddresses;
}

/** What is known so far; a question that is put again offers what was answered before. */
type Draft = Partial<HostPlan>;
/** One question. @returns what it adds to the draft */
type Step = (interview: Interview, draft: Draft) => Promise<Draft | typeof BACK>;

const DEFAULT_ROOM = 'securechat';
const QUESTION_HINTS = [
  'Guests answer a question at the door. Ask what they know and nobody can look up or guess: no birthday, pet or school. For example:',
  '- Where did we get lost in Lisbon?',
  '- What did Grandma call the blue car?',
  '- Which song did Tom ruin at the wedding?',
];

/**
 * @returns what the room is opened with
 * @throws InputError when something given cannot be used, or is missing and nobody may be asked
 * @throws GaveUpError when the person went
 */
export async function askHost(
  options: HostOptions,
  front: InterviewFront,
  surroundings: Surroundings = readSurroundings(options),
): Promise<HostPlan> {
  const { isPerson, accountName } = surroundings;
  const own = heardAddresses(surroundings.own, options.listen);
  const { addresses: named, reach, listen } = options;
  // What cannot work is said before anything is asked.
  advertisedAddresses({ named, reach, listen }, listen.port, own);

  const steps = stepsFor(options, isPerson, accountNick(accountName), own);
  const interview = new Interview(front, { isPerson, introduce: steps.length > 1 });
  let draft: Draft = {};
  const read = async (kind: 'file' | 'standardInput'): Promise<void> => {
    if (options.answer?.kind === kind)
      draft = { ...draft, answer: await givenAnswer(interview, options.answer) };
  };
  await read('file');
  for (let at = 0; at < steps.length; ) {
    const added = await steps[at]?.(interview, draft);
    if (added === BACK && at === 0) interview.tell('This is the first question: there is none before it.');
    at = added === BACK ? Math.max(0, at - 1) : at + 1;
    if (added !== BACK) draft = { ...draft, ...added };
  }
  // On standard input the answer stands behind what is asked there.
  await read('standardInput');
  return planOf(options, draft, accountNick(accountName));
}

function stepsFor(
  options: HostOptions,
  isPerson: boolean,
  accountNick: Nickname,
  own: OwnAddresses,
): readonly Step[] {
  const { listen } = options;
  const isEverywhere = listen.host === '::' || listen.host === '0.0.0.0';
  const isReachOpen = options.reach === null && options.addresses.length === 0 && isEverywhere;
  const wanted: readonly (readonly [boolean, Step])[] = [
    [isPerson && options.roomName === null, (interview, draft) => askRoom(interview, draft, accountNick)],
    [
      isPerson && options.chat && options.nick === null,
      (interview, draft) => askNick(interview, draft, accountNick),
    ],
    [options.question === null, askQuestion],
    [
      options.answer === null,
      async (interview, draft) => {
        const answer = await askAnswer(interview, options.question ?? draft.question ?? '');
        return answer === BACK ? BACK : { answer };
      },
    ],
    [isPerson && isReachOpen, (interview) => askReach(interview, listen, own)],
  ];
  return wanted.filter(([isWanted]) => isWanted).map(([, step]) => step);
}

/** @throws InputError `answer-told` */
function planOf(options: HostOptions, draft: Draft, accountNick: Nickname): HostPlan {
  const question = options.question ?? draft.question ?? '';
  const answer = draft.answer ?? '';
  checkNotTold(question, answer);
  const reach = options.reach ?? draft.reach ?? null;
  return {
    roomName: options.roomName ?? draft.roomName ?? DEFAULT_ROOM,
    nick: options.nick ?? draft.nick ?? accountNick,
    question,
    answer,
    listen: reach === 'this-machine' ? loopback(options.listen) : options.listen,
    named: options.addresses.length > 0 ? options.addresses : (draft.named ?? []),
    reach,
  };
}

function readSurroundings({ display, mayAsk }: HostOptions): Surroundings {
  return {
    // Whoever types is there, even where `tee` keeps what they are shown.
    isPerson: mayAsk && display !== 'json' && process.stdin.isTTY,
    accountName: accountName(),
    own: readOwnAddresses(),
  };
}

/** An account may have no name, as in a container. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}

/** The account's name where it makes a nickname, else `host`, which only the owner may be called. */
export function accountNick(account: string): Nickname {
  try {
    return checkNickname(account.toLowerCase());
  } catch {
    return 'host' as Nickname;
  }
}

function askRoom(interview: Interview, { roomName }: Draft, nick: Nickname): ReturnType<Step> {
  const usual = roomName ?? (nick === 'host' ? 'Our room' : `${nick}'s room`);
  const asked = { name: 'room', message: "The room's name?", secret: false, default: usual };
  return interview.ask(asked, (text) => ({ roomName: bounded(text, LIMITS.roomNameBytes, 'A name') }));
}

function askNick(interview: Interview, { nick }: Draft, accountNick: Nickname): ReturnType<Step> {
  const usual = nick ?? accountNick;
  const asked = { name: 'nick', message: 'Your nickname in this room?', secret: false, default: usual };
  return interview.ask(asked, (text) => {
    const chosen = text.trim().toLowerCase();
    return { nick: checkNickname(chosen, chosen === 'host') };
  });
}

function askQuestion(interview: Interview, { question }: Draft): ReturnType<Step> {
  const asked = {
    name: 'question',
    message: 'A security question whose answer your guests know?',
    secret: false,
    ...(question !== undefined && { default: question }),
    hints: QUESTION_HINTS,
  };
  return interview.ask(asked, (text) => ({ question: bounded(text, LIMITS.questionBytes, 'A question') }));
}

function bounded(text: string, bytesMost: number, what: string): string {
  const trimmed = text.trim();
  if (trimmed === '' || utf8.encode(trimmed).length > bytesMost)
    throw new InputError('bad-text', `${what} is 1 to ${bytesMost} bytes.`);
  return trimmed;
}

/** Listening nowhere else is what keeps others out; an address of one's own choice is kept. */
function loopback(listen: ListenAddress): ListenAddress {
  const everywhere = listen.host === '::' || listen.host === '0.0.0.0';
  return everywhere ? { ...listen, host: '127.0.0.1' } : listen;
}

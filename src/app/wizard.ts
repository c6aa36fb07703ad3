/**
 * What a host is asked before the room opens: only what no option gave, and all but question and answer only where a
 * person sits at a terminal. Enter takes what stands in brackets, `<` goes back to the question before.
 */
import { userInfo } from 'node:os';
import { parseAddress } from '../crypto/address.ts';
import { normaliseAnswer } from '../crypto/answer.ts';
import { utf8 } from '../protocol/bytes.ts';
import { InputError } from '../protocol/errors.ts';
import { LIMITS } from '../protocol/limits.ts';
import { checkNickname, type Nickname } from '../protocol/nickname.ts';
import { advertisedAddresses, type OwnAddresses, readOwnAddresses } from './addresses.ts';
import { answerHint } from './answer-hint.ts';
import type { Front } from './front.ts';
import type { AdvertisedAddress, HostOptions, ListenAddress, Reach, SecretSource } from './options.ts';
import { type ReachChoice, reachChoices, reachLines, readChoice, routerLines } from './reach-question.ts';
import { readSecret } from './secret.ts';

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

type Asker = Pick<Front, 'emit' | 'ask' | 'readLine'>;
type Asked = Parameters<Front['ask']>[0];
type Outcome = 'done' | 'back';
/** Puts one question, again and again until it is answered. */
type Step = (front: Asker) => Promise<Outcome>;

/** What is known so far; a step that is asked again offers what was answered before. */
type Draft = { -readonly [Name in keyof HostPlan]?: HostPlan[Name] };

const BACK = '<';
const DEFAULT_ROOM = 'securechat';
const INTRO = `Enter takes what stands in brackets, ${BACK} goes back.`;
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
  front: Asker,
  surroundings: Surroundings = readSurroundings(options),
): Promise<HostPlan> {
  const { isPerson, own } = surroundings;
  const draft: Draft = {};
  if (options.answer?.kind === 'file') draft.answer = await givenAnswer(options.answer, front);

  const steps: Step[] = [];
  if (isPerson && options.roomName === null) steps.push((asker) => askRoom(draft, asker, surroundings));
  if (isPerson && options.chat && options.nick === null)
    steps.push((asker) => askNick(draft, asker, surroundings));
  if (options.question === null) steps.push((asker) => askQuestion(draft, asker, isPerson));
  if (options.answer === null) steps.push((asker) => askAnswer(draft, asker, options.question, isPerson));
  if (isPerson && isReachOpen(options)) steps.push((asker) => askReach(draft, asker, options.listen, own));
  const asker = isPerson && steps.length > 1 ? introducing(front) : front;
  for (let at = 0; at < steps.length; )
    at = (await steps[at]?.(asker)) === 'back' ? Math.max(0, at - 1) : at + 1;
  // On standard input the answer stands behind what is asked there.
  if (options.answer?.kind === 'standardInput') draft.answer = await givenAnswer(options.answer, front);

  const question = options.question ?? draft.question ?? '';
  checkNotIn(question, draft.answer ?? '');
  const reach = options.reach ?? draft.reach ?? null;
  const plan: HostPlan = {
    roomName: options.roomName ?? draft.roomName ?? DEFAULT_ROOM,
    nick: options.nick ?? draft.nick ?? accountNick(surroundings.accountName),
    question,
    answer: draft.answer ?? '',
    listen: reach === 'this-machine' ? loopback(options.listen) : options.listen,
    named: options.addresses.length > 0 ? options.addresses : (draft.named ?? []),
    reach,
  };
  // What cannot work is said before the room opens.
  advertisedAddresses(plan, plan.listen.port, own);
  return plan;
}

function readSurroundings({ display, mayAsk }: HostOptions): Surroundings {
  return {
    // Questions that go into a file are read by nobody.
    isPerson: mayAsk && display !== 'json' && process.stdin.isTTY && process.stdout.isTTY,
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
function accountNick(account: string): Nickname {
  try {
    return checkNickname(account.toLowerCase());
  } catch {
    return 'host' as Nickname;
  }
}

function askRoom(draft: Draft, front: Asker, { accountName }: Surroundings): Promise<Outcome> {
  const nick = accountNick(accountName);
  const usual = draft.roomName ?? (nick === 'host' ? 'Our room' : `${nick}'s room`);
  return askUntil(
    front,
    { name: 'room', message: "The room's name?", secret: false, default: usual },
    (text) => {
      draft.roomName = bounded(text, LIMITS.roomNameBytes, 'A name');
    },
  );
}

function askNick(draft: Draft, front: Asker, { accountName }: Surroundings): Promise<Outcome> {
  const usual = draft.nick ?? accountNick(accountName);
  const asked = { name: 'nick', message: 'Your nickname in this room?', secret: false, default: usual };
  return askUntil(front, asked, (text) => {
    const nick = text.trim().toLowerCase();
    draft.nick = nick === usual ? usual : checkNickname(nick);
  });
}

function askQuestion(draft: Draft, front: Asker, isPerson: boolean): Promise<Outcome> {
  const message = 'A security question whose answer your guests know?';
  const asked = {
    name: 'question',
    message,
    secret: false,
    ...(draft.question !== undefined && { default: draft.question }),
    ...(isPerson && { hints: QUESTION_HINTS }),
  };
  return askUntil(front, asked, (text) => {
    draft.question = bounded(text, LIMITS.questionBytes, 'A question');
  });
}

async function askAnswer(
  draft: Draft,
  front: Asker,
  given: string | null,
  isPerson: boolean,
): Promise<Outcome> {
  const question = given ?? draft.question ?? '';
  const message = isPerson ? 'Its answer? Capitals and punctuation do not count.' : 'Its answer?';
  const asked = { name: 'answer', message, secret: true };
  const accept = (text: string): void => {
    const answer = normaliseAnswer(text);
    checkNotIn(question, answer);
    draft.answer = answer;
  };
  const first = await askUntil(front, asked, accept);
  if (first === 'back') return first;
  while (tellStrength(draft.answer ?? '', front, isPerson) === 'weak' && isPerson) {
    let kept = false;
    const again = { ...asked, message: 'A better answer? Enter keeps this one.' };
    const next = await askUntil(front, again, (text) => {
      kept = text.trim() === '';
      if (!kept) accept(text);
    });
    if (next === 'back') return askAnswer(draft, front, given, isPerson);
    if (kept) break;
  }
  return 'done';
}

async function givenAnswer(source: SecretSource, front: Asker): Promise<string> {
  const answer = normaliseAnswer(await readSecret(source, front));
  tellStrength(answer, front, false);
  return answer;
}

/** @throws InputError `answer-told` when whoever reads the question has read the answer. */
function checkNotIn(question: string, answer: string): void {
  let words = '';
  try {
    words = normaliseAnswer(question);
  } catch {
    // Two letters hold no answer.
  }
  if (` ${words} `.includes(` ${answer} `))
    throw new InputError(
      'answer-told',
      'The question has that answer in it. Choose another answer, or another question.',
    );
}

/** A program, or a person who is not there to change it, is told of a weak answer only. */
function tellStrength(answer: string, front: Asker, isPerson: boolean): 'weak' | 'fair' | 'good' {
  const { strength, text } = answerHint(answer);
  if (strength === 'weak') front.emit({ type: 'notice', level: 'warning', code: 'weak-answer', text });
  else if (isPerson) tell(front, text);
  return strength;
}

/** Nobody has said yet where the room can be reached, and there is a choice. */
function isReachOpen({ reach, addresses, listen }: HostOptions): boolean {
  return reach === null && addresses.length === 0 && (listen.host === '::' || listen.host === '0.0.0.0');
}

async function askReach(
  draft: Draft,
  front: Asker,
  listen: ListenAddress,
  own: OwnAddresses,
): Promise<Outcome> {
  const choices = reachChoices(own);
  const router = routerLines(own, listen.port);
  let hints = reachLines(choices);
  for (;;) {
    let chosen: ReachChoice = choices.usual;
    const asked = {
      name: 'reach',
      message: 'Who can reach the room?',
      secret: false,
      default: chosen,
      hints,
    };
    const outcome = await askUntil(front, asked, (text) => {
      chosen = readChoice(text);
    });
    if (outcome === 'back') return outcome;
    draft.named = [];
    draft.reach = chosen === '3' ? 'this-machine' : chosen === '2' ? 'public' : 'private';
    if (chosen !== '2' || choices.hasPublicIpv4) return 'done';
    // A port that the system chooses anew each time is no port to forward.
    const canForward = listen.port !== 0;
    if (!canForward && own.public.length > 0) return 'done';
    if (canForward && (await askRouter(draft, front, listen, own, router)) === 'done') return 'done';
    hints = [...(canForward ? [] : router), ...reachLines(choices)];
  }
}

/** People on the internet, and a machine that does not know the address they would have to dial. */
async function askRouter(
  draft: Draft,
  front: Asker,
  listen: ListenAddress,
  own: OwnAddresses,
  hints: readonly string[],
): Promise<Outcome> {
  const message =
    own.public.length > 0
      ? "The router's address, HOST or HOST:PORT? Enter: none."
      : "The router's address, HOST or HOST:PORT? Enter goes back.";
  let none = false;
  const outcome = await askUntil(front, { name: 'address', message, secret: false, hints }, (text) => {
    none = text.trim() === '';
    if (!none) draft.named = [parseAddress(text, listen.port)];
  });
  if (outcome === 'back' || (none && own.public.length === 0)) return 'back';
  // Who is on the same network may not reach the router's outer side.
  if (own.public.length === 0) draft.reach = 'private';
  return 'done';
}

/** The first question says how questions are answered. */
function introducing(front: Asker): Asker {
  let hints: readonly string[] = [INTRO];
  return {
    emit: (event) => front.emit(event),
    readLine: () => front.readLine(),
    ask(asked) {
      const all = [...hints, ...(asked.hints ?? [])];
      hints = [];
      return front.ask(all.length === 0 ? asked : { ...asked, hints: all });
    },
  };
}

/**
 * Asks until the answer does. An empty one stands for the default, where there is one.
 *
 * @param accept takes the answer, or throws an InputError that says why not
 */
async function askUntil(front: Asker, asked: Asked, accept: (text: string) => void): Promise<Outcome> {
  let problem = '';
  for (;;) {
    const { hints, ...again } = asked;
    // Hints are read once.
    const text = await front.ask(
      problem === '' ? asked : { ...again, message: `${problem}${asked.message}` },
    );
    if (text.trim() === BACK) return 'back';
    try {
      accept(text.trim() === '' ? (asked.default ?? text) : text);
      return 'done';
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      problem = `${sentence(error.message)} `;
    }
  }
}

function bounded(text: string, bytesMost: number, what: string): string {
  const trimmed = text.trim();
  if (trimmed === '' || utf8.encode(trimmed).length > bytesMost)
    throw new InputError('bad-text', `${what} is 1 to ${bytesMost} bytes.`);
  return trimmed;
}

/** Some messages are written for the end of a line. */
function sentence(message: string): string {
  const opened = message.replace(/^./u, (first) => first.toUpperCase());
  return /[.?!]$/.test(opened) ? opened : `${opened}.`;
}

/** Listening nowhere else is what keeps others out; an address of one's own choice is kept. */
function loopback(listen: ListenAddress): ListenAddress {
  const everywhere = listen.host === '::' || listen.host === '0.0.0.0';
  return everywhere ? { ...listen, host: '127.0.0.1' } : listen;
}

function tell(front: Asker, text: string): void {
  front.emit({ type: 'notice', level: 'info', code: 'setup', text });
}

/** Who can reach the room: what there is to choose from on this machine, and what to do about a router. */
import { parseAddress } from '../../crypto/address.ts';
import { InputError } from '../../protocol/errors.ts';
import type { AdvertisedAddress, ListenAddress, Reach } from '../options.ts';
import type { OwnAddresses } from './addresses.ts';
import { BACK, type Interview } from './interview.ts';

export interface ChosenReach {
  readonly reach: Reach;
  /** What the router is reached by. */
  readonly named: readonly AdvertisedAddress[];
}

type ReachChoice = '1' | '2' | '3';

interface ReachChoices {
  readonly own: OwnAddresses;
  readonly hasPublicIpv4: boolean;
  readonly usual: ReachChoice;
}

const WORDS: ReadonlyMap<string, ReachChoice> = new Map([
  ['1', '1'],
  ['network', '1'],
  ['private', '1'],
  ['2', '2'],
  ['internet', '2'],
  ['public', '2'],
  ['3', '3'],
  ['machine', '3'],
  ['this machine', '3'],
]);

/** @param own the addresses that are listened on */
export async function askReach(
  interview: Interview,
  listen: ListenAddress,
  own: OwnAddresses,
): Promise<ChosenReach | typeof BACK> {
  const choices = reachChoices(own);
  const router = routerLines(own, listen.port);
  const asked = { name: 'reach', message: 'Who can reach the room?', secret: false, default: choices.usual };
  let hints = reachLines(choices);
  for (;;) {
    const choice = await interview.ask({ ...asked, hints }, readChoice);
    if (choice === BACK) return BACK;
    if (choice === '3') return { reach: 'this-machine', named: [] };
    if (choice === '1') return { reach: 'private', named: [] };
    if (choices.hasPublicIpv4) return { reach: 'public', named: [] };
    // A port that the system chooses anew each time is no port to forward.
    const canForward = listen.port !== 0;
    const named = canForward
      ? await askRouter(interview, listen, own, router)
      : own.public.length > 0
        ? []
        : BACK;
    // Who is on the same network may not reach the router's outer side, so they need an address of their own.
    if (named !== BACK) return { reach: own.public.length > 0 ? 'public' : 'private', named };
    hints = [...(canForward ? [] : router), ...reachLines(choices)];
  }
}

/** The address that people on the internet dial, which this machine does not know. */
async function askRouter(
  interview: Interview,
  listen: ListenAddress,
  own: OwnAddresses,
  hints: readonly string[],
): Promise<readonly AdvertisedAddress[] | typeof BACK> {
  const enter = own.public.length > 0 ? 'Enter: none.' : 'Enter goes back.';
  const message = `The router's address, HOST or HOST:PORT? ${enter}`;
  const named = await interview.ask({ name: 'address', message, secret: false, hints }, (text) =>
    text.trim() === '' ? [] : [parseAddress(text, listen.port)],
  );
  const none = named !== BACK && named.length === 0;
  return none && own.public.length === 0 ? BACK : named;
}

/** The usual choice is the network at hand; a server has none but the internet. */
function reachChoices(own: OwnAddresses): ReachChoices {
  const usual = own.local.length > 0 ? '1' : own.public.length > 0 ? '2' : '3';
  return { own, usual, hasPublicIpv4: own.public.some((address) => !address.includes(':')) };
}

/** Numbered, so that a screen reader and a narrow window have one choice a line. */
function reachLines({ own, hasPublicIpv4 }: ReachChoices): readonly string[] {
  const local = own.local[0] ?? own.public[0];
  const internet = hasPublicIpv4
    ? own.public.find((address) => !address.includes(':'))
    : own.public.length > 0
      ? 'IPv6, or through your router'
      : 'through your router';
  return [
    `1  People on this network (${local ?? 'there is none now'})`,
    `2  People on the internet (${internet})`,
    '3  Only this machine',
  ];
}

/** @throws InputError `bad-choice` */
function readChoice(text: string): ReachChoice {
  const choice = WORDS.get(text.trim().toLowerCase());
  if (choice === undefined) throw new InputError('bad-choice', 'Type 1, 2 or 3.');
  return choice;
}

/** What lets the internet in where no IPv4 address of this machine's own is public. */
function routerLines(own: OwnAddresses, port: number): readonly string[] {
  const ipv6 = own.public.find((address) => address.includes(':'));
  const direct =
    ipv6 === undefined
      ? 'This machine has no public address of its own: it is behind a router.'
      : `By IPv6 this machine is public (${ipv6}): your router may have to let port ${shown(port)} in, and guests need IPv6 too.`;
  const target = own.local.find((address) => !address.includes(':')) ?? 'this machine';
  const forward =
    port === 0
      ? 'To forward a port on the router, start with a fixed one: --listen [::]:8888.'
      : `${ipv6 === undefined ? '' : 'For all others, '}forward TCP port ${port} on the router to ${target}, and name the router's own address.`;
  return [direct, forward.replace(/^f/, 'F')];
}

function shown(port: number): string {
  return port === 0 ? 'of the room' : String(port);
}

/**
 * Where a host can be reached: this machine's own addresses, judged and put in the order in which guests should try
 * them. What it cannot know is a router's address: people name that.
 */
import { readFileSync } from 'node:fs';
import { BlockList } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { type Address, canonicalHost } from '../../crypto/address.ts';
import { InputError } from '../../protocol/errors.ts';
import { LIMITS } from '../../protocol/limits.ts';
import type { AdvertisedAddress, ListenAddress, Reach } from '../options.ts';

/** Each list with the likeliest first; IPv6 without brackets. */
export interface OwnAddresses {
  /** For people on the same networks; those of virtual machines and containers only where there is nothing else. */
  readonly local: readonly string[];
  /** Globally routable, on an interface of this machine. */
  readonly public: readonly string[];
}

export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

const LOOPBACK = '127.0.0.1';

/** What is not globally routable. @see the special-purpose registries of IANA (RFC 6890) */
const NOT_PUBLIC = new BlockList();
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  NOT_PUBLIC.addSubnet(net, prefix, 'ipv4');
/** Teredo and its like, documentation, 6to4: within 2000::/3, which is all that is given out. */
for (const [net, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  NOT_PUBLIC.addSubnet(net, prefix, 'ipv6');

/** Means nothing without an interface, which is named differently on each machine. */
const LINK_LOCAL = /^(?:fe[89ab][0-9a-f]:|169\.254\.)/i;

/** Bridges to containers and virtual machines: nobody outside this machine is on them. */
const VIRTUAL =
  /^(?:docker|br-|bridge1\d\d|veth|virbr|lxc|lxd|podman|cni|flannel|vmnet|vboxnet|vEthernet|VMware|VirtualBox)/i;
/** Networks on top of others: reached by those who are in them. */
const VPN = /^(?:tun|tap|wg|utun|ppp|ipsec|zt|tailscale|nordlynx|openvpn|wireguard|zerotier)/i;

function isPublic(address: string, family: string): boolean {
  if (family === 'IPv4') return !NOT_PUBLIC.check(address, 'ipv4');
  return /^[23][0-9a-f]{3}:/i.test(address) && !NOT_PUBLIC.check(address, 'ipv6');
}

/**
 * @param interfaces as `os.networkInterfaces()` gives them
 * @param temporary IPv6 privacy addresses, which change within a day or so and come after those that stay
 */
export function ownAddresses(
  interfaces: Interfaces,
  temporary: ReadonlySet<string> = new Set(),
): OwnAddresses {
  const found = Object.entries(interfaces).flatMap(([name, entries]) =>
    (entries ?? [])
      .filter(({ internal, address }) => !internal && !LINK_LOCAL.test(address))
      .map(({ address: spelled, family }) => {
        const address = canonicalHost(spelled) ?? spelled;
        const network = VIRTUAL.test(name) ? 2 : VPN.test(name) ? 1 : 0;
        const kind = family === 'IPv4' ? 0 : temporary.has(address) ? 2 : 1;
        return {
          address,
          rank: 3 * network + kind,
          outside: isPublic(address, family),
          virtual: network === 2,
        };
      }),
  );
  // Sorting is stable: within a rank the system's own order stays.
  const ordered = found.toSorted((one, other) => one.rank - other.rank);
  const addressesOf = (wanted: typeof ordered): readonly string[] => [
    ...new Set(wanted.map(({ address }) => address)),
  ];
  const inside = ordered.filter(({ outside }) => !outside);
  const real = inside.filter(({ virtual }) => !virtual);
  return {
    local: addressesOf(real.length > 0 ? real : inside),
    public: addressesOf(ordered.filter(({ outside }) => outside)),
  };
}

/** This machine, now. */
export function readOwnAddresses(): OwnAddresses {
  return ownAddresses(networkInterfaces(), process.platform === 'linux' ? temporaryAddresses() : new Set());
}

/** Only Linux tells which addresses are temporary; elsewhere the system lists them last or says nothing. */
function temporaryAddresses(): ReadonlySet<string> {
  try {
    return parseTemporary(readFileSync('/proc/net/if_inet6', 'utf8'));
  } catch {
    return new Set();
  }
}

const IFA_F_TEMPORARY = 0x01;

/** @param table lines of `address index prefix scope flags name`, all but the name in hexadecimal */
export function parseTemporary(table: string): ReadonlySet<string> {
  const addresses = table.split('\n').flatMap((line) => {
    const [address = '', , , , flags = ''] = line.trim().split(/\s+/);
    if (!/^[0-9a-f]{32}$/.test(address) || (Number.parseInt(flags, 16) & IFA_F_TEMPORARY) === 0) return [];
    const groups = address.replaceAll(/.{4}(?!$)/g, '$&:');
    return [new URL(`http://[${groups}]`).hostname.slice(1, -1)];
  });
  return new Set(addresses);
}

/**
 * What invitations name.
 *
 * @param wish.named comes first; with a `reach` as well, this machine's addresses fill the rest
 * @param wish.reach `null` where nobody asked: the named ones alone, or else those of `private`
 * @returns one to four addresses, in the order in which guests try them
 * @throws InputError `no-public-address`
 */
export function advertisedAddresses(
  wish: {
    readonly named: readonly AdvertisedAddress[];
    readonly reach: Reach | null;
    readonly listen: ListenAddress;
  },
  port: number,
  own: OwnAddresses,
): readonly Address[] {
  const named = wish.named.map((address) => ({ host: address.host, port: address.port ?? port }));
  if (named.length > 0 && wish.reach === null) return named;
  const machine = listening(wish.reach ?? 'private', wish.listen, own);
  if (machine.length === 0 && named.length === 0) throw noPublicAddress(port);
  const all = [...named, ...machine.map((host) => ({ host, port }))];
  const first = (address: Address, index: number): boolean =>
    all.findIndex(({ host, port: at }) => host === address.host && at === address.port) === index;
  return all.filter(first).slice(0, LIMITS.addressesPerInvitation);
}

/** Those of this machine's addresses that are listened on: not every one where it is IPv4 alone. */
export function heardAddresses(own: OwnAddresses, { host }: ListenAddress): OwnAddresses {
  if (host !== '0.0.0.0') return own;
  const ipv4 = (addresses: readonly string[]) => addresses.filter((address) => !address.includes(':'));
  return { local: ipv4(own.local), public: ipv4(own.public) };
}

/** The machine's addresses of this reach that it listens on. */
function listening(reach: Reach, listen: ListenAddress, own: OwnAddresses): readonly string[] {
  const everywhere = listen.host === '::' || listen.host === '0.0.0.0';
  if (!everywhere) {
    const unreachable = reach === 'public' && !own.public.includes(listen.host) && isIp(listen.host);
    return unreachable ? [] : [listen.host];
  }
  const heard = heardAddresses(own, listen);
  switch (reach) {
    case 'this-machine':
      return [LOOPBACK];
    case 'public':
      return heard.public;
    case 'private': {
      const { local, public: outside } = heard;
      // A server may have no private network, and a machine without any network still serves itself.
      return local.length > 0 ? local : outside.length > 0 ? outside : [LOOPBACK];
    }
  }
}

function isIp(host: string): boolean {
  return host.includes(':') || /^[\d.]+$/.test(host);
}

function noPublicAddress(port: number): InputError {
  return new InputError(
    'no-public-address',
    `This machine has no public address of its own. If it is behind a router, forward TCP port ${port} on the router ` +
      "to this machine, and name the router's address with --address HOST:PORT.",
  );
}

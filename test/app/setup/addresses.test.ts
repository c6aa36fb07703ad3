/** Which of a machine's addresses an invitation names. */
import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { describe, test } from 'node:test';
import {
  advertisedAddresses,
  type Interfaces,
  ownAddresses,
  parseTemporary,
} from '../../../src/app/setup/addresses.ts';

const NOWHERE = { local: [], public: [] };
const EVERYWHERE = { host: '::', port: 8_888 };

/** As `os.networkInterfaces()` gives them; loopback is what is internal. */
function interfaces(sample: Readonly<Record<string, readonly string[]>>): Interfaces {
  const entry = (address: string): NetworkInterfaceInfo => {
    const common = { address, mac: '', netmask: '', cidr: null, internal: /^(127\.|::1$)/.test(address) };
    return address.includes(':')
      ? { ...common, family: 'IPv6', scopeid: 0 }
      : { ...common, family: 'IPv4', scopeid: 0 };
  };
  return Object.fromEntries(Object.entries(sample).map(([name, list]) => [name, list.map(entry)]));
}

describe("this machine's addresses", () => {
  test('Linux: the network first, the VPN next, containers never', () => {
    const sample = interfaces({
      lo: ['127.0.0.1', '::1'],
      docker0: ['172.17.0.1', 'fe80::42:acff:fe11:1'],
      'br-0a1b2c3d4e5f': ['172.18.0.1'],
      wg0: ['10.8.0.3', 'fd42::3'],
      eth0: ['192.168.1.5', 'fd00::5', '2003:e5:1:2::5', 'fe80::1'],
      wlan0: ['192.168.2.7', '169.254.9.9'],
    });
    assert.deepEqual(ownAddresses(sample), {
      local: ['192.168.1.5', '192.168.2.7', 'fd00::5', '10.8.0.3', 'fd42::3'],
      public: ['2003:e5:1:2::5'],
    });
  });

  test('macOS: en0 first, tunnels next, the bridge of virtual machines never', () => {
    const sample = interfaces({
      lo0: ['127.0.0.1', '::1', 'fe80::1'],
      utun3: ['100.101.102.103', 'fd7a:115c:a1e0::1'],
      bridge100: ['192.168.64.1'],
      en0: ['fe80::10', '192.168.178.20', '2a02:8071:1::aaaa', '2a02:8071:1::bbbb'],
      awdl0: ['fe80::2'],
    });
    assert.deepEqual(ownAddresses(sample), {
      local: ['192.168.178.20', '100.101.102.103', 'fd7a:115c:a1e0::1'],
      public: ['2a02:8071:1::aaaa', '2a02:8071:1::bbbb'],
    });
  });

  test('Windows: adapters by their names', () => {
    const sample = interfaces({
      'vEthernet (WSL (Hyper-V firewall))': ['fe80::3', '172.29.0.1'],
      'VMware Network Adapter VMnet1': ['192.168.10.1'],
      'VirtualBox Host-Only Network': ['192.168.56.1'],
      Tailscale: ['100.88.1.2'],
      'Wi-Fi': ['fe80::4', '10.0.0.12'],
      'Loopback Pseudo-Interface 1': ['::1', '127.0.0.1'],
    });
    assert.deepEqual(ownAddresses(sample), { local: ['10.0.0.12', '100.88.1.2'], public: [] });
  });

  test('a server: its address is public, and what documents and shared networks use is not', () => {
    assert.deepEqual(ownAddresses(interfaces({ eth0: ['198.51.101.7', '2a01:4f8::1'] })), {
      local: [],
      public: ['198.51.101.7', '2a01:4f8::1'],
    });
    const others = [
      '192.0.2.2',
      '100.64.1.1',
      '198.18.0.1',
      '203.0.113.9',
      '2001:db8::1',
      '2002:c000:204::1',
    ];
    assert.deepEqual(ownAddresses(interfaces({ eth0: others })).public, []);
    for (const border of ['172.15.255.255', '172.32.0.1', '11.0.0.1', '192.169.0.1', '223.255.255.1'])
      assert.deepEqual(ownAddresses(interfaces({ eth0: [border] })).public, [border]);
    for (const border of ['172.16.0.1', '172.31.255.255', '10.255.255.255', '192.168.255.1', '224.0.0.1'])
      assert.deepEqual(ownAddresses(interfaces({ eth0: [border] })).local, [border]);
  });

  test('inside a container, and where containers are all there is', () => {
    assert.deepEqual(ownAddresses(interfaces({ eth0: ['172.17.0.2'] })).local, ['172.17.0.2']);
    assert.deepEqual(ownAddresses(interfaces({ docker0: ['172.17.0.1'] })).local, ['172.17.0.1']);
    assert.deepEqual(ownAddresses({}), NOWHERE);
  });

  test('a temporary IPv6 address comes after one that stays', () => {
    const [temporary, lasting] = ['2003:e5:1:2:d9e2:37cc:102:a001', '2003:e5:1:2::5'];
    const table = [
      '200300e500010002d9e237cc0102a001 02 40 00 01     eth0',
      '200300e5000100020000000000000005 02 40 00 00     eth0',
      'fe8000000000000000fc00fffe000001 02 40 20 80     eth0',
      'nonsense',
      '',
    ].join('\n');
    assert.deepEqual(parseTemporary(table), new Set([temporary]));
    const sample = interfaces({ eth0: [temporary, lasting] });
    assert.deepEqual(ownAddresses(sample, parseTemporary(table)).public, [lasting, temporary]);
  });
});

describe('what invitations name', () => {
  const own = { local: ['192.168.1.5', 'fd00::5'], public: ['2a02::1'] };
  const named = [{ host: 'chat.example.org', port: null }];
  const nobodyAsked = { named: [], reach: null, listen: EVERYWHERE };
  const hosts = (wish: Partial<Parameters<typeof advertisedAddresses>[0]>, machine = own) =>
    advertisedAddresses({ ...nobodyAsked, ...wish }, 8_888, machine).map(({ host }) => host);

  test('the private addresses where nobody asked, and what was named instead', () => {
    assert.deepEqual(hosts({}), own.local);
    assert.deepEqual(
      advertisedAddresses({ ...nobodyAsked, named: [...named, { host: '2a02::9', port: 99 }] }, 8_888, own),
      [
        { host: 'chat.example.org', port: 8_888 },
        { host: '2a02::9', port: 99 },
      ],
    );
  });

  test('each reach, and named addresses with one', () => {
    assert.deepEqual(hosts({ reach: 'private' }), own.local);
    assert.deepEqual(hosts({ reach: 'public' }), own.public);
    assert.deepEqual(hosts({ reach: 'this-machine' }), ['127.0.0.1']);
    assert.deepEqual(hosts({ reach: 'private', named }), ['chat.example.org', ...own.local]);
    assert.deepEqual(hosts({ reach: 'private', named: [{ host: 'fd00::5', port: 8_888 }] }), [
      'fd00::5',
      '192.168.1.5',
    ]);
  });

  test('four at most', () => {
    const many = { local: ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5'], public: [] };
    assert.deepEqual(hosts({}, many), many.local.slice(0, 4));
  });

  test('only what is listened on', () => {
    assert.deepEqual(hosts({ listen: { host: '0.0.0.0', port: 1 } }), ['192.168.1.5']);
    assert.deepEqual(hosts({ listen: { host: '192.168.1.9', port: 1 } }), ['192.168.1.9']);
    assert.deepEqual(hosts({ listen: { host: '127.0.0.1', port: 1 } }), ['127.0.0.1']);
  });

  test('a server without a private network names its public address, a machine without any network itself', () => {
    assert.deepEqual(hosts({}, { local: [], public: ['198.51.101.7'] }), ['198.51.101.7']);
    assert.deepEqual(hosts({}, NOWHERE), ['127.0.0.1']);
  });

  test('--public without a public address says what to do', () => {
    const listens = [EVERYWHERE, { host: '192.168.1.5', port: 1 }];
    for (const listen of listens) {
      assert.throws(() => hosts({ reach: 'public', listen }, { ...own, public: [] }), {
        code: 'no-public-address',
        message: /forward TCP port 8888 .* --address HOST:PORT/,
      });
    }
    assert.deepEqual(hosts({ reach: 'public', named }, NOWHERE), ['chat.example.org']);
  });
});

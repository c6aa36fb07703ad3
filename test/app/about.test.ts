/** What `/names` and `/whois` say of where people are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namesText, whoisText } from '../../src/app/about.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { rosterMember } from '../../src/crypto/roster.ts';
import type { ShownMember } from '../../src/member/events.ts';
import { utf8 } from '../../src/protocol/bytes.ts';

const NOW = new Date(2026, 10, 21, 15, 0).getTime();
const KEY = sha256(utf8.encode('owner'));

function person(
  nick: string,
  more: Partial<ShownMember> = {},
  role: 'member' | 'owner' = 'member',
): ShownMember {
  const identity = sha256(utf8.encode(nick));
  const member = rosterMember({ identity, nick, role, algorithm: 'rsa', muted: false });
  return { member, presence: 'online', online: true, lastSeenMs: null, ...more };
}

const AT_TWO = new Date(2026, 10, 21, 14, 2).getTime();
const GONE = { presence: 'offline', online: false } as const;

test('who is here stands first, then who is away, then who is offline and since when', () => {
  const members = [
    person('ann', { ...GONE, lastSeenMs: AT_TWO }),
    person('bob', { presence: 'away' }),
    person('cyd', GONE),
    person('dan', { ...GONE, lastSeenMs: AT_TWO - 2 * 24 * 3_600_000 }),
    person('olga', {}, 'owner'),
    person('zoe'),
  ];
  assert.equal(
    namesText(members, NOW),
    'olga (host), zoe, bob (away), ann (offline, last seen 14:02), cyd (offline), dan (offline, last seen 2 d ago)',
  );
});

test('whose key was marked is said in words', () => {
  const ann = person('ann', { ...GONE, verified: true });
  assert.equal(namesText([ann, person('bob')], NOW), 'bob, ann (verified, offline)');
  assert.match(
    whoisText(ann, { ownerFingerprint: KEY, keyBits: 3_072, nowMs: NOW }),
    /, key [0-9a-f ]{39}, which you verified$/,
  );
});

test('whois says what a member signs with, and the size of the key', () => {
  const facts = { ownerFingerprint: KEY, keyBits: 3_072, nowMs: NOW };
  assert.match(whoisText(person('ann'), facts), /signs with RSA-PSS \(3072 bits\), key /);
  const dan = person('dan');
  const signsOtherwise = { ...dan, member: { ...dan.member, algorithm: 'dsa' as const } };
  assert.match(whoisText(signsOtherwise, facts), /signs with DSA \(3072 bits\), key /);
});

test('whois says the same of one', () => {
  const says = (more: Partial<ShownMember>): string =>
    whoisText(person('ann', more), { ownerFingerprint: KEY, keyBits: null, nowMs: NOW });
  assert.match(
    says({}),
    /^ann: member, online, signs with RSA-PSS \(size not known before they speak\), key /,
  );
  assert.match(says({ presence: 'away' }), /^ann: member, away, signs with /);
  assert.match(says({ ...GONE, lastSeenMs: AT_TWO }), /^ann: member, offline, last seen 14:02, signs with /);
});

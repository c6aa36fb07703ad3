/** What `/security` says, as text and on a screen: all that is in use just now, in about a screenful. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SecurityFacts, type SelfFacts, securityLines } from '../../src/app/security-text.ts';
import { hash } from '../../src/protocol/identifiers.ts';
import { PLAIN_ROOM, policyOf } from '../../src/protocol/room-settings.ts';
import { makePalette } from '../../src/terminal/view/palette.ts';
import { renderEvent } from '../../src/terminal/view/render.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const MINUTE = 60_000;
const SELF: SelfFacts = {
  algorithm: 'rsa',
  identity: hash(new Uint8Array(32).fill(0xcd)),
  verified: 2,
  wrapKeys: { generation: 3, madeAtMs: NOW - 12 * MINUTE },
  chain: { number: 2, startedAtMs: NOW - 5 * MINUTE, messages: 14 },
  heldBack: false,
  untrusted: [],
  unplaced: 0,
};
const FACTS: SecurityFacts = {
  ownerFingerprint: hash(new Uint8Array(32).fill(0xab)),
  policy: policyOf(PLAIN_ROOM),
  keeps: 'ciphertext',
  epoch: 7,
  members: 5,
  hostNick: 'olga',
  place: null,
  self: SELF,
  nowMs: NOW,
};
/** What stands behind a label. */
function row(
  label: string,
  facts: Partial<SecurityFacts> = {},
  self: Partial<SelfFacts> | null = {},
): string {
  const all = { ...FACTS, self: self === null ? null : { ...SELF, ...self }, ...facts };
  const line = securityLines(all).find((text) => text.trimStart().startsWith(label)) ?? '';
  return line.trimStart().slice(label.length).trimStart();
}

test('who sees what, which keys are in use, and what is held back', () => {
  assert.deepEqual(securityLines(FACTS), [
    'What protects this room, just now:',
    "  Host       sees nicknames, addresses, who is in which conversation, who talks when and about how much, how far each has read, the room's topic and rules. olga hosts and takes part, and so reads like any member.",
    "  Network    sees which machines talk to the host's, when and how much; neither names nor words.",
    '  Members    5 members can read what you say now, whoever is offline included. They see no addresses. Who comes later reads nothing from before.',
    '  Verified   You have compared keys with 2 of 4 others: /verify NICK for one, /room for all at once.',
    '  List       number 7, signed by the owner key abab abab abab abab abab abab abab abab: everyone is shown each change.',
    '  Messages   AES-256-GCM, each under a key used once, and signed by their sender.',
    '  Your key   RSA-PSS, cdcd cdcd cdcd cdcd cdcd cdcd cdcd cdcd: it signs all you say.',
    '  To you     keys are sealed under RSA-3072-OAEP with ML-KEM-768, generation 3, 12m old; new ones every 1h.',
    '  From you   Number 2, 5m old, 14 said under it; another after 200 messages, 1h, or when someone goes.',
    '  Disk       The host keeps ciphertext there until everyone has it.',
    '  Policy     Messages stay as long as members keep them. What was said may be changed or taken back later. Senders may be told what has been read.',
    '  Held back  Nothing.',
    '  Beware     Members can pass on what they read, and signatures prove who wrote it. This program was not independently audited.',
  ]);
});

test('each fact is said as it is', () => {
  assert.match(row('Host', { hostNick: null }), /It takes no part and cannot read what is said\.$/);
  assert.match(row('Members', { members: 1 }), /^1 member can read what you say now/);
  const plans = { label: 'plans', members: 2, hostIsIn: false };
  assert.match(row('Members', { place: plans }), /^2 members of plans can read what you say now/);
  assert.match(
    row('Host', { place: plans }),
    /olga hosts, is not in plans and cannot read what is said there\.$/,
  );
  assert.match(row('Host', { place: { ...plans, hostIsIn: true } }), /olga hosts and takes part/);
  assert.equal(row('Verified', { members: 1 }, { verified: 0 }), 'Nobody else is here.');
  assert.match(row('Your key', {}, { algorithm: 'dsa' }), /^DSA, /);
  assert.match(row('From you', {}, { chain: null }), /^The next thing you say makes a new one; /);
  assert.equal(row('Disk', { keeps: 'nothing' }), 'The host keeps nothing there.');
  const policy = { staySeconds: 3_600, edits: false, readReceipts: false };
  assert.match(row('Policy', { policy }), /^Messages disappear after 1h\. Nothing that was said may be /);
});

test('what is held back, and what to do about it', () => {
  const held = (self: Partial<SelfFacts>): string => row('Held back', {}, self);
  assert.equal(held({ heldBack: true }), 'All that you say, after an alarm: /fork ack accepts it.');
  assert.equal(
    held({ untrusted: ['ann', 'bob'] }),
    'All that you say where ann, bob would read it, under changed keys: /verify or /trust decides.',
  );
  assert.match(held({ heldBack: true, untrusted: ['ann'] }), /alarm.* where ann would read it/);
  assert.equal(held({ unplaced: 1 }), '1 message of yours on the way.');
  assert.equal(held({ unplaced: 3 }), '3 messages of yours on the way.');
});

test('a host that takes no part reads nothing, and has no keys of its own to show', () => {
  const lines = securityLines({ ...FACTS, self: null, hostNick: null });
  assert.match(lines.join('\n'), /5 members can read what is said now; this program cannot\./);
  assert.doesNotMatch(lines.join('\n'), /Your key|To you|From you|Verified|Held back/);
});

test('on a screen of 80 columns it is about a screenful, in two columns', () => {
  const usual = {
    timestamps: 'minutes',
    quiet: false,
    bell: 'on',
    notify: false,
    atDirect: false,
    ids: false,
    theme: 'auto',
  } as const;
  const view = {
    palette: makePalette({ color: false }),
    preferences: usual,
    columns: 80,
    nowMs: NOW,
    self: 'ann',
  };
  const rows = securityLines(FACTS).flatMap((text) =>
    renderEvent({ type: 'notice', level: 'info', code: 'security', text }, view),
  );
  assert.ok(rows.length <= 30, String(rows.length));
  assert.ok(rows.every((text) => text.length <= 80));
  assert.equal(rows.filter((text) => /^ {6}\| {3}[A-Z]/.test(text)).length, 13, rows.join('\n'));
});

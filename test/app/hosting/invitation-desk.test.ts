/** Invitations in their host's hand: what /invite does and says. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { InvitationDesk } from '../../../src/app/hosting/invitation-desk.ts';
import { invitationLines, lastsText } from '../../../src/app/hosting/invitation-list.ts';
import { idKey, invitationId } from '../../../src/protocol/identifiers.ts';
import type { InvitationView } from '../../../src/room/invitations.ts';
import type { InviteCall } from '../../../src/terminal/commands/calls.ts';
import type { JsonEvent } from '../../../src/terminal/json-lines.ts';

const NOW = Date.UTC(2026, 10, 21, 9, 0);
const HOUR_MS = 3_600_000;
const OWN = idKey(invitationId(new Uint8Array(8).fill(99)));

type InviteArguments = InviteCall extends infer Call
  ? Call extends unknown
    ? Omit<Call, 'name'>
    : never
  : never;

/** A desk over a book of invitations as a room keeps it. */
function openDesk(options: { readonly clipboard?: boolean } = {}) {
  const book = new Map<string, InvitationView>();
  const told: JsonEvent[] = [];
  const copied: string[] = [];
  const drawn: string[] = [];
  const named: string[] = [];
  const network = { host: '192.0.2.1' };
  const change = (key: string, part: Partial<InvitationView>): void => {
    const found = book.get(key);
    assert.ok(found);
    book.set(key, { ...found, ...part });
  };
  const desk = new InvitationDesk({
    readAddresses: () => [{ host: network.host, port: 8_888 }],
    options: { invitationUses: 16, invitationMs: 24 * HOUR_MS },
    relay: {
      get invitations() {
        return [...book.values()];
      },
      async invite({ addresses, uses, ttlMs }) {
        named.push(addresses.map(({ host }) => host).join());
        const id = invitationId(new Uint8Array(8).fill(book.size + 1));
        const expiresAtMs = Date.now() + ttlMs;
        const state = {
          usesLeft: uses,
          triesLeft: 5,
          revoked: false,
          suspended: false,
          role: 'member',
        } as const;
        book.set(idKey(id), { id, key: idKey(id), uses, expiresAtMs, ...state });
        const fernet = { key: `key-${book.size}`, token: `token-${book.size}` };
        return { id, text: `sc1.${book.size}`, expiresAtMs, uses, fernet, admissionKey: new Uint8Array(32) };
      },
      revoke: (key) => change(key, { revoked: true }),
      resume: (key) => change(key, { suspended: false }),
    },
    front: {
      emit: (event) => told.push(event),
      copy(text) {
        copied.push(text);
        return options.clipboard ?? true;
      },
      showQr: (text) => drawn.push(text),
    },
  });
  const obey = (call: InviteArguments) => desk.obey({ name: 'invite', ...call } as InviteCall);
  const notices = (): string[] => told.flatMap((event) => (event.type === 'notice' ? [event.text] : []));
  return { network, named, desk, book, change, told, copied, drawn, obey, notices };
}

const PLAIN_NEW = { act: 'new', uses: null, forMs: null, label: '' } as const;

function freezeClock(context: TestContext): void {
  context.mock.timers.enable({ apis: ['Date'], now: NOW });
}

describe('/invite', () => {
  test('new makes one for one person, or as asked, with a label that stays here', async (context) => {
    freezeClock(context);
    const { desk, told, copied, obey, notices } = openDesk();
    assert.deepEqual(await desk.first(), {
      id: '1',
      token: 'sc1.1',
      expiresAt: '2026-11-22T09:00:00.000Z',
      uses: 16,
    });
    await obey(PLAIN_NEW);
    await obey({ act: 'new', uses: 5, forMs: 2 * HOUR_MS, label: 'for the team' });
    assert.deepEqual(
      told.filter(({ type }) => type === 'invitation'),
      [
        { type: 'invitation', id: '2', token: 'sc1.2', expiresAt: '2026-11-22T09:00:00.000Z', uses: 1 },
        {
          type: 'invitation',
          id: '3',
          token: 'sc1.3',
          expiresAt: '2026-11-21T11:00:00.000Z',
          uses: 5,
          label: 'the team',
        },
      ],
    );
    assert.deepEqual(copied, ['sc1.2', 'sc1.3']);
    assert.deepEqual(notices(), [
      'It is on the clipboard too, if the terminal allows that.',
      'It is on the clipboard too, if the terminal allows that.',
    ]);
    const key = idKey(invitationId(new Uint8Array(8).fill(3)));
    assert.equal(desk.describe(key), 'invitation 3, for the team');
    assert.deepEqual([desk.isOwn(key), desk.isOwn(OWN)], [false, true]);
  });

  test('says nothing of a clipboard that is not there', async () => {
    const { obey, notices } = openDesk({ clipboard: false });
    await obey(PLAIN_NEW);
    assert.deepEqual(notices(), []);
  });

  test('names the addresses that the machine has now', async () => {
    const { desk, network, named, obey, notices } = openDesk({ clipboard: false });
    await desk.first();
    network.host = '10.0.0.9';
    await obey(PLAIN_NEW);
    await obey(PLAIN_NEW);
    assert.deepEqual(named, ['192.0.2.1', '10.0.0.9', '10.0.0.9']);
    assert.deepEqual(notices(), [
      'This machine has other addresses now. New invitations name 10.0.0.9:8888; those made before do not.',
    ]);
  });

  test('show brings an invitation back, and says when it opens nothing', async () => {
    const { obey, told, notices } = openDesk({ clipboard: false });
    await obey({ ...PLAIN_NEW, label: 'Ann' });
    await obey({ act: 'show', id: '1' });
    assert.deepEqual(told[0], told[1]);
    await obey({ act: 'revoke', id: '1' });
    await obey({ act: 'show', id: '1' });
    assert.deepEqual(notices(), [
      'Invitation 1, for Ann, is withdrawn: nobody new comes in by it.',
      'Invitation 1, for Ann, opens nothing now: it is withdrawn.',
    ]);
  });

  test('qr draws the latest or the one that is named; raw is the bare token', async () => {
    const { obey, drawn, notices } = openDesk({ clipboard: false });
    await assert.rejects(obey({ act: 'qr', id: null }), { code: 'no-invitation' });
    await obey(PLAIN_NEW);
    await obey(PLAIN_NEW);
    await obey({ act: 'qr', id: null });
    await obey({ act: 'qr', id: '1' });
    assert.deepEqual(drawn, ['sc1.2', 'sc1.1']);
    await obey({ act: 'raw' });
    assert.deepEqual(notices().slice(-2), ['Fernet key   key-2', 'Fernet token token-2']);
  });

  test('resume opens what is suspended, and nothing else', async () => {
    const { book, change, obey, notices } = openDesk({ clipboard: false });
    await obey(PLAIN_NEW);
    const [key = ''] = book.keys();
    change(key, { suspended: true, triesLeft: 0 });
    await obey({ act: 'resume', id: '1' });
    assert.equal(book.get(key)?.suspended, false);
    await obey({ act: 'resume', id: '1' });
    assert.deepEqual(notices(), ['Invitation 1 opens again, with all its tries.', 'Invitation 1 is open.']);
    change(key, { usesLeft: 0 });
    await assert.rejects(obey({ act: 'resume', id: '1' }), /Invitation 1 is used up\. \/invite new/);
  });

  test('what is not there is named', async () => {
    const { obey } = openDesk();
    for (const id of ['1', '0', '-1', 'x', '01', '1.0']) {
      await assert.rejects(obey({ act: 'revoke', id }), (error: Error) =>
        error.message.includes(`no invitation ${id}.`),
      );
    }
  });

  test('save writes a file that only its owner reads, and never over another', async (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'desk-'));
    context.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'for ann');
    const { obey, notices } = openDesk();
    await obey(PLAIN_NEW);
    await obey({ act: 'save', id: '1', path });
    assert.equal(readFileSync(path, 'utf8'), 'sc1.1\n');
    if (process.platform !== 'win32') assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.match(notices().at(-1) ?? '', /--token-file/);
    await assert.rejects(obey({ act: 'save', id: '1', path }), { code: 'file', message: /is there already/ });
    await assert.rejects(obey({ act: 'save', id: '1', path: join(folder, 'no', 'such') }), { code: 'file' });
  });

  test('a removal is answered with how to let the others in', async () => {
    const { desk, book, obey } = openDesk();
    await obey({ ...PLAIN_NEW, label: 'Ann' });
    const [{ key } = { key: OWN }] = [...book.values()];
    assert.match(
      desk.suspendedText(key, 'removal'),
      /^Invitation 1, for Ann, is suspended, so that .* \/invite new NAME; \/invite resume 1 opens/,
    );
    assert.match(
      desk.suspendedText(key, 'tries'),
      /too many failed tries.* \/invite resume 1 .*\/invite new NAME/,
    );
  });
});

describe('/invite list', () => {
  const base = { uses: 1, usesLeft: 1, triesLeft: 5, triesMost: 5, revoked: false, suspended: false };

  test('is in columns, with local times and what is left', () => {
    const lines = invitationLines(
      [
        {
          ...base,
          name: '1',
          label: '',
          uses: 16,
          usesLeft: 13,
          triesLeft: 3,
          expiresAtMs: NOW + 24 * HOUR_MS,
        },
        { ...base, name: '2', label: 'Ann', suspended: true, expiresAtMs: NOW + 5 * HOUR_MS },
        { ...base, name: '3', label: '', revoked: true, expiresAtMs: NOW + HOUR_MS },
        { ...base, name: '4', label: 'Bob', usesLeft: 0, expiresAtMs: NOW + HOUR_MS },
        { ...base, name: '5', label: '', expiresAtMs: NOW - HOUR_MS },
      ],
      NOW,
      'Europe/Berlin',
    );
    assert.deepEqual(lines, [
      '1  open, 3 tries left  13 of 16 left  1d left, until Sun 22 Nov, 10:00',
      '2  suspended           1 of 1 left    5h left, until 15:00              for Ann',
      '3  withdrawn           1 of 1 left',
      '4  used up             0 of 1 left                                      for Bob',
      '5  expired             1 of 1 left    since 09:00',
    ]);
  });

  test('is empty where there is none, and times far away carry a date', () => {
    assert.deepEqual(invitationLines([], NOW), []);
    assert.equal(lastsText(NOW + 3 * HOUR_MS + 900, NOW, 'UTC'), '3h left, until 12:00');
    assert.equal(lastsText(NOW + 59_100, NOW, 'UTC'), '1m left, until 09:00');
    assert.equal(lastsText(NOW + 20_100, NOW, 'UTC'), '21s left, until 09:00');
    assert.equal(lastsText(NOW + 72 * HOUR_MS, NOW, 'UTC'), '3d left, until Tue 24 Nov, 09:00');
    assert.equal(lastsText(NOW - 72 * HOUR_MS, NOW, 'UTC'), 'since Wed 18 Nov, 09:00');
  });
});

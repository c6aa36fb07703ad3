/** Reads a kept room as it was when its host last had it open. */
import type { DatabaseSync } from 'node:sqlite';
import { compareBytes, fromHex } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import {
  conversationId,
  type Hash,
  ID_BYTES,
  type IdKey,
  type InvitationId,
  memberId,
} from '../protocol/identifiers.ts';
import { ERAS_MOST } from '../protocol/session-frames.ts';
import { type Algorithm, type Role, RosterEntry } from '../protocol/signed-objects.ts';
import type { Ban } from '../room/bans.ts';
import type { KeptInvitation } from '../room/invitations.ts';
import type {
  DepositNews,
  KeptChange,
  KeptConversation,
  KeptDeposit,
  KeptMember,
  KeptPlace,
  KeptRoom,
} from '../room/store.ts';
import type { KeptWrap } from '../room/wrap-queue.ts';
import type { Meta } from './meta.ts';

type Row = Readonly<Record<string, unknown>>;

/** @param rememberRow which row a wrap stands in @returns `null` for a room that is new */
export function loadRoom(
  database: DatabaseSync,
  meta: Meta,
  rememberRow: (wrap: KeptWrap, row: number) => unknown,
): KeptRoom | null {
  const bytes = meta.bytes('operation');
  const signature = meta.bytes('operation-signature');
  if (bytes === null || signature === null) return null;
  const rows = (sql: string): readonly Row[] => database.prepare(sql).all();
  const eras = rows(`SELECT * FROM eras ORDER BY era DESC LIMIT ${ERAS_MOST}`).toReversed();
  const wraps = wrapsByMember(rows('SELECT * FROM wraps ORDER BY id'), rememberRow);
  return {
    roster: {
      operation: { bytes, signature },
      entries: rows('SELECT entry FROM roster')
        .map(({ entry }) => RosterEntry.decode(entry as Uint8Array))
        .sort((left, right) => compareBytes(left.identity, right.identity)),
      hashes: rows('SELECT hash FROM epochs ORDER BY epoch').map(({ hash }) => hash as Hash),
      adoptedEpoch: 0,
      lastRemovalEpoch: meta.number('last-removal-epoch') ?? 0,
      usedActs: rows('SELECT * FROM used_acts').map(({ name, epoch }) => ({
        name: String(name),
        epoch: Number(epoch),
      })),
    },
    members: rows('SELECT * FROM members JOIN progress USING (member)').map((row) => ({
      ...memberOf(row),
      wraps: wraps.get(String(row['member'])) ?? [],
    })),
    conversations: conversationsOf(rows),
    invitations: rows('SELECT * FROM invitations ORDER BY number').map(invitationOf),
    bans: rows('SELECT * FROM bans ORDER BY number').map(banOf),
    mutedUntilMs: rows('SELECT * FROM mutes').map((row) => [String(row['member']), Number(row['until_ms'])]),
    deposits: depositsOf(rows),
    era: Number(eras.at(-1)?.['era'] ?? 0),
    eras: eras.map(signedOf),
    placedAtMs: Number(
      rows('SELECT placed_at_ms FROM log ORDER BY place DESC LIMIT 1')[0]?.['placed_at_ms'] ?? 0,
    ),
  };
}

function wrapsByMember(
  rows: readonly Row[],
  rememberRow: (wrap: KeptWrap, row: number) => unknown,
): ReadonlyMap<IdKey, readonly KeptWrap[]> {
  const byMember = new Map<IdKey, KeptWrap[]>();
  for (const row of rows) {
    const wrap = {
      frame: row['frame'] as Uint8Array,
      from: String(row['sender']),
      conversation: String(row['conversation']),
      logIndex: Number(row['log_place']),
      cameAtMs: Number(row['came_at_ms']),
    };
    rememberRow(wrap, Number(row['id']));
    const member = String(row['member']);
    const before = byMember.get(member);
    if (before === undefined) byMember.set(member, [wrap]);
    else before.push(wrap);
  }
  return byMember;
}

function memberOf(row: Row): Omit<KeptMember, 'wraps'> {
  const { account_credential: credential, account_record: record, offline_since_ms: offlineSinceMs } = row;
  return {
    key: String(row['member']),
    spki: row['spki'] as Uint8Array,
    algorithm: row['algorithm'] as Algorithm,
    accountKey: row['account_key'] as Uint8Array,
    statement: { bytes: row['statement'] as Uint8Array, signature: row['statement_signature'] as Uint8Array },
    generation: Number(row['generation']),
    invitations: String(row['invitations'])
      .split(' ')
      .filter((key) => key !== ''),
    prefers: { stays: row['stays'] === 1, receipts: row['receipts'] === 1, lastSeen: row['last_seen'] === 1 },
    account: credential === null ? null : { credential: String(credential), record: String(record) },
    ...placeOf(row),
    quotedGeneration: Number(row['quoted_generation']),
    offlineSinceMs: offlineSinceMs === null ? null : Number(offlineSinceMs),
  };
}

function placeOf(row: Row): KeptPlace {
  const { chain } = row;
  return {
    // Of the room's own log nobody is told where it began for them.
    from: Number(row['came_in'] ?? 0),
    acknowledged: Number(row['acknowledged']),
    isNew: row['new'] === 1,
    chainSequence: Number(row['chain_sequence']),
    chain:
      chain === null
        ? null
        : {
            key: String(chain),
            epoch: Number(row['chain_epoch']),
            lastN: Number(row['chain_last_n']),
            lastLeaf: row['chain_last_leaf'] as Hash,
          },
  };
}

function conversationsOf(rows: (sql: string) => readonly Row[]): readonly KeptConversation[] {
  const of = (sql: string): ReadonlyMap<string, Row[]> =>
    Map.groupBy(rows(sql), (row) => String(row['conversation']));
  const operations = of('SELECT * FROM conversation_operations ORDER BY number');
  const epochs = of('SELECT * FROM conversation_epochs ORDER BY epoch');
  const eras = of('SELECT * FROM conversation_eras ORDER BY era');
  const places = of('SELECT * FROM conversation_places');
  const latest = of(
    'SELECT conversation, max(placed_at_ms) AS placed_at_ms FROM conversation_log GROUP BY conversation',
  );
  return rows('SELECT * FROM conversations').map((row) => {
    const key = String(row['conversation']);
    const direct = row['direct'] as Uint8Array | null;
    const changes = (operations.get(key) ?? []).map(changeOf);
    return {
      id: conversationId(fromHex(key)),
      direct:
        direct === null
          ? null
          : [memberId(direct.slice(0, ID_BYTES.member)), memberId(direct.slice(ID_BYTES.member))],
      changes,
      seats: {
        operations: changes.slice(
          Math.max(
            0,
            changes.findLastIndex(({ isWhole }) => isWhole),
          ),
        ),
        epoch: Number(row['epoch']),
        hashes: (epochs.get(key) ?? []).map(({ hash }) => hash as Hash),
        lastRemovalEpoch: Number(row['last_removal_epoch']),
        adoptedEpoch: Number(row['adopted_epoch']),
      },
      places: (places.get(key) ?? []).map((place) => [String(place['member']), placeOf(place)]),
      eras: (eras.get(key) ?? []).map(signedOf),
      placedAtMs: Number(latest.get(key)?.[0]?.['placed_at_ms'] ?? 0),
    };
  });
}

function depositsOf(rows: (sql: string) => readonly Row[]): readonly KeptDeposit[] {
  // Whoever only looks at a room brings it to no newer version.
  if (rows("SELECT name FROM sqlite_schema WHERE name = 'deposits'").length === 0) return [];
  const members = Map.groupBy(rows('SELECT * FROM deposit_members'), (row) => String(row['file']));
  return rows('SELECT * FROM deposits').map((row) => ({
    fileId: fromHex(String(row['file'])),
    owner: String(row['owner']),
    bytes: Number(row['bytes']),
    cameAtMs: Number(row['came_at_ms']),
    members: (members.get(String(row['file'])) ?? []).map(({ member, state }) => [
      String(member),
      state as DepositNews,
    ]),
  }));
}

function changeOf(row: Row): KeptChange {
  return {
    kind: row['kind'] as KeptChange['kind'],
    operation: signedOf(row),
    index: Number(row['log_place']),
    epoch: Number(row['epoch']),
    isWhole: row['whole'] === 1,
  };
}

function signedOf(row: Row): Signed {
  return { bytes: row['bytes'] as Uint8Array, signature: row['signature'] as Uint8Array };
}

function invitationOf(row: Row): KeptInvitation {
  return {
    id: row['invitation'] as InvitationId,
    admissionKey: row['admission_key'] as Uint8Array,
    expiresAtMs: Number(row['expires_at_ms']),
    uses: Number(row['uses']),
    usesLeft: Number(row['uses_left']),
    triesLeft: Number(row['tries_left']),
    revoked: row['revoked'] === 1,
    suspended: row['suspended'] === 1,
    role: row['role'] as Role,
  };
}

function banOf(row: Row): Ban {
  const { until_ms: untilMs, banned_by: by } = row;
  return {
    member: String(row['member']),
    nick: String(row['nick']),
    untilMs: untilMs === null ? null : Number(untilMs),
    by: by === null ? null : String(by),
  };
}

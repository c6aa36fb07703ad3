/** Reads a kept room as it was when its host last had it open. */
import type { DatabaseSync } from 'node:sqlite';
import { compareBytes } from '../protocol/bytes.ts';
import type { Hash, IdKey, InvitationId } from '../protocol/identifiers.ts';
import { ERAS_MOST } from '../protocol/session-frames.ts';
import { type Algorithm, type Role, RosterEntry } from '../protocol/signed-objects.ts';
import type { Ban } from '../room/bans.ts';
import type { KeptInvitation } from '../room/invitations.ts';
import type { KeptMember, KeptRoom } from '../room/store.ts';
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
    invitations: rows('SELECT * FROM invitations ORDER BY number').map(invitationOf),
    bans: rows('SELECT * FROM bans ORDER BY number').map(banOf),
    mutedUntilMs: rows('SELECT * FROM mutes').map((row) => [String(row['member']), Number(row['until_ms'])]),
    era: Number(eras.at(-1)?.['era'] ?? 0),
    eras: eras.map((row) => ({
      bytes: row['bytes'] as Uint8Array,
      signature: row['signature'] as Uint8Array,
    })),
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
  const {
    chain,
    account_credential: credential,
    account_record: record,
    offline_since_ms: offlineSinceMs,
  } = row;
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
    acknowledged: Number(row['acknowledged']),
    quotedGeneration: Number(row['quoted_generation']),
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
    offlineSinceMs: offlineSinceMs === null ? null : Number(offlineSinceMs),
  };
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

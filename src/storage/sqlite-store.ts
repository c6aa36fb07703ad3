/**
 * A kept room's file while its host has it open. What is written between two commits becomes durable together; nothing is
 * read back but the log, because the room has the rest in memory.
 * @see docs/architecture.md#kept-rooms
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { concatBytes } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import {
  type ConversationId,
  type Hash,
  type IdKey,
  idKey,
  ROOM_CONVERSATION,
} from '../protocol/identifiers.ts';
import { conversationLimits, type Limits } from '../protocol/limits.ts';
import { ERAS_MOST } from '../protocol/session-frames.ts';
import type { Ban } from '../room/bans.ts';
import type { KeptInvitation } from '../room/invitations.ts';
import type {
  ConversationRecord,
  KeptDeposit,
  KeptPlace,
  KeptRoom,
  MemberProgress,
  MemberRecord,
  PlacedOperation,
  RoomStore,
} from '../room/store.ts';
import type { KeptWrap } from '../room/wrap-queue.ts';
import { storageError } from './errors.ts';
import { loadRoom } from './load-room.ts';
import { Meta } from './meta.ts';
import { BUSY_MS } from './room-database.ts';
import { LogTable, SqliteLog } from './sqlite-log.ts';
import type { Write } from './write.ts';

/** More than lie between a message's sealing and its place. */
const EPOCHS_KEPT = 1_024;

type Entry = PlacedOperation['members'][number];

export interface StoreStart {
  readonly path: string;
  /** The head of a log that holds nothing. */
  readonly startHead: (conversation: ConversationId) => Hash;
  readonly limits: Limits;
}

export class SqliteStore implements RoomStore {
  readonly path: string;
  readonly log: SqliteLog;
  readonly kept: KeptRoom | null;
  readonly meta: Meta;
  readonly #database: DatabaseSync;
  readonly #start: StoreStart;
  readonly #conversationLogs: LogTable;
  /** Those that are open, by conversation. */
  readonly #logs = new Map<IdKey, SqliteLog>();
  readonly #statements = new Map<string, StatementSync>();
  /** Rows of wraps, each gone with its wrap. */
  readonly #wrapRows = new WeakMap<KeptWrap, number | bigint>();
  /** Each as it was written last: whoever is the same object is the same still. */
  #entries = new Map<IdKey, Entry>();
  #isOpen = true;
  #failure: unknown = null;
  /** Something has been overwritten: until a checkpoint it stands in the journal still. */
  #hasDeleted = false;

  /** @param database as `openDatabase` or `createDatabase` gave it: closed with this */
  constructor(database: DatabaseSync, start: StoreStart) {
    this.path = start.path;
    this.#database = database;
    const write: Write = (step) => this.#write(step);
    this.meta = new Meta(database, write);
    const rememberRow = (wrap: KeptWrap, row: number): unknown => this.#wrapRows.set(wrap, row);
    this.kept = loadRoom(database, this.meta, rememberRow);
    this.log = new SqliteLog(new LogTable(database, 'log'), {
      ...{ head: start.startHead(ROOM_CONVERSATION), limits: start.limits, write },
    });
    this.#conversationLogs = new LogTable(database, 'conversation_log');
    this.#start = start;
  }

  /** Whether something waits for a commit. */
  get isDirty(): boolean {
    return this.#isOpen && this.#database.isTransaction;
  }

  /** Puts on the disk what has been written. @throws StorageError: then none of it is there, and none of it may be told */
  commit(): void {
    if (!this.isDirty && this.#failure === null) return;
    this.#guarded(() => this.#database.exec('COMMIT'));
  }

  /** What has been overwritten goes from the journal as well. Costs a few writes: now and then, and at the end. */
  purge(): void {
    for (const log of [this.log, ...this.#logs.values()]) if (log.takeDeleted()) this.#hasDeleted = true;
    if (!this.#isOpen || this.isDirty || !this.#hasDeleted) return;
    // A reader, such as a backup, holds on to the journal: the room does not wait for it, and tries again the next time.
    this.#guarded(() => {
      this.#database.exec('PRAGMA busy_timeout = 0');
      const { busy } = this.#database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() ?? {};
      this.#database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
      this.#hasDeleted = busy !== 0;
    });
  }

  /** Lets go of the file. What has not been committed is lost. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    } finally {
      this.#database.close();
    }
  }

  saveRoster({ operation, members, epoch, hash, lastRemovalEpoch, usedActs }: PlacedOperation): void {
    this.meta.setBytes('operation', operation.bytes);
    this.meta.setBytes('operation-signature', operation.signature);
    this.meta.setNumber('last-removal-epoch', lastRemovalEpoch);
    this.#run('INSERT INTO epochs VALUES (?, ?)', epoch, hash);
    this.#run('DELETE FROM epochs WHERE epoch <= ?', epoch - EPOCHS_KEPT);
    this.#run('DELETE FROM used_acts');
    for (const used of usedActs) this.#run('INSERT INTO used_acts VALUES (?, ?)', used.name, used.epoch);
    const before = this.#entries;
    this.#entries = new Map(members.map((member) => [member.key, member]));
    for (const member of members) {
      if (before.get(member.key) === member) continue;
      // Not REPLACE, which would delete the row first, and with it all that belongs to the member.
      const upsert =
        'INSERT INTO roster VALUES (?, ?) ON CONFLICT (member) DO UPDATE SET entry = excluded.entry';
      this.#run(upsert, member.key, member.encoded);
    }
  }

  saveEra(era: number, { bytes, signature }: Signed): void {
    this.#run('INSERT INTO eras VALUES (?, ?, ?)', era, bytes, signature);
    this.#run(
      `DELETE FROM eras WHERE era NOT IN (SELECT era FROM eras ORDER BY era DESC LIMIT ${ERAS_MOST})`,
    );
  }

  saveMember(member: MemberRecord): void {
    const { key, spki, algorithm, accountKey, statement, generation, invitations, prefers, account } = member;
    this.#run(
      `INSERT INTO members VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (member) DO UPDATE SET
         statement = excluded.statement, statement_signature = excluded.statement_signature,
         generation = excluded.generation, invitations = excluded.invitations, stays = excluded.stays,
         receipts = excluded.receipts, last_seen = excluded.last_seen,
         account_credential = excluded.account_credential, account_record = excluded.account_record`,
      ...[key, spki, algorithm, accountKey, statement.bytes, statement.signature, generation],
      ...[invitations.join(' '), Number(prefers.stays), Number(prefers.receipts), Number(prefers.lastSeen)],
      ...[account?.credential ?? null, account?.record ?? null],
    );
  }

  saveProgress(progress: MemberProgress): void {
    const { key, acknowledged, quotedGeneration, chainSequence, chain, offlineSinceMs } = progress;
    this.#run(
      'INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      ...[key, acknowledged, quotedGeneration, chainSequence],
      ...[chain?.key ?? null, chain?.epoch ?? null, chain?.lastN ?? null, chain?.lastLeaf ?? null],
      offlineSinceMs,
    );
  }

  /** What waited for them goes with them. */
  forgetMember(member: IdKey): void {
    this.#run('DELETE FROM roster WHERE member = ?', member);
    this.#hasDeleted = true;
  }

  saveInvitation(invitation: KeptInvitation): void {
    const { id, admissionKey, expiresAtMs, uses, usesLeft, triesLeft, revoked, suspended, role } = invitation;
    this.#run(
      `INSERT INTO invitations (invitation, admission_key, expires_at_ms, uses, uses_left, tries_left, revoked, suspended, role)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (invitation) DO UPDATE SET uses_left = excluded.uses_left,
         tries_left = excluded.tries_left, revoked = excluded.revoked, suspended = excluded.suspended`,
      ...[id, admissionKey, expiresAtMs, uses, usesLeft, triesLeft, Number(revoked), Number(suspended), role],
    );
  }

  saveBans(bans: readonly Ban[]): void {
    this.#run('DELETE FROM bans');
    for (const { member, nick, untilMs, by } of bans)
      this.#run(
        'INSERT INTO bans (member, nick, until_ms, banned_by) VALUES (?, ?, ?, ?)',
        member,
        nick,
        untilMs,
        by,
      );
  }

  saveMutes(mutedUntilMs: readonly (readonly [IdKey, number])[]): void {
    this.#run('DELETE FROM mutes');
    for (const [member, untilMs] of mutedUntilMs)
      this.#run('INSERT INTO mutes VALUES (?, ?)', member, untilMs);
  }

  keepWrap(to: IdKey, wrap: KeptWrap): void {
    const { from, conversation, logIndex, cameAtMs, frame } = wrap;
    const insert =
      'INSERT INTO wraps (member, sender, conversation, log_place, came_at_ms, frame) VALUES (?, ?, ?, ?, ?, ?)';
    const { lastInsertRowid } = this.#run(insert, to, from, conversation, logIndex, cameAtMs, frame);
    this.#wrapRows.set(wrap, lastInsertRowid);
  }

  dropWraps(wraps: readonly KeptWrap[]): void {
    for (const wrap of wraps) {
      const row = this.#wrapRows.get(wrap);
      if (row === undefined) continue;
      this.#run('DELETE FROM wraps WHERE id = ?', row);
      this.#hasDeleted = true;
    }
  }

  openLog(conversation: ConversationId): SqliteLog {
    const key = idKey(conversation);
    const { startHead } = this.#start;
    const limits = conversationLimits(this.#start.limits);
    const write: Write = (step) => this.#write(step);
    const log = new SqliteLog(this.#conversationLogs, {
      ...{ head: startHead(conversation), limits, write, scope: [key] },
    });
    this.#logs.set(key, log);
    return log;
  }

  saveConversation({ id, direct, seats, changes }: ConversationRecord): void {
    const key = idKey(id);
    const { epoch, lastRemovalEpoch, adoptedEpoch, hashes } = seats;
    this.#run(
      `INSERT INTO conversations VALUES (?, ?, ?, ?, ?) ON CONFLICT (conversation) DO UPDATE SET
         epoch = excluded.epoch, last_removal_epoch = excluded.last_removal_epoch`,
      ...[key, direct === null ? null : concatBytes(...direct), epoch, lastRemovalEpoch, adoptedEpoch],
    );
    this.#run('DELETE FROM conversation_operations WHERE conversation = ?', key);
    changes.forEach(({ kind, operation, index, epoch: after, isWhole }, number) => {
      this.#run(
        'INSERT INTO conversation_operations VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        ...[key, number, kind, operation.bytes, operation.signature, index, after, Number(isWhole)],
      );
    });
    hashes.forEach((hash, place) => {
      const at = epoch - hashes.length + 1 + place;
      this.#run('INSERT OR IGNORE INTO conversation_epochs VALUES (?, ?, ?)', key, at, hash);
    });
    const oldest = epoch - hashes.length;
    this.#run('DELETE FROM conversation_epochs WHERE conversation = ? AND epoch <= ?', key, oldest);
  }

  forgetConversation(conversation: IdKey): void {
    this.#run('DELETE FROM conversations WHERE conversation = ?', conversation);
    // Where it was never saved, nothing refers to its rows.
    this.#run('DELETE FROM conversation_log WHERE conversation = ?', conversation);
    this.#run('DELETE FROM conversation_eras WHERE conversation = ?', conversation);
    this.#logs.delete(conversation);
    this.#hasDeleted = true;
  }

  savePlace(conversation: IdKey, member: IdKey, place: KeptPlace): void {
    const { from, acknowledged, chainSequence, chain, isNew } = place;
    this.#run(
      'INSERT OR REPLACE INTO conversation_places VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      ...[conversation, member, acknowledged, chainSequence],
      ...[chain?.key ?? null, chain?.epoch ?? null, chain?.lastN ?? null, chain?.lastLeaf ?? null],
      Number(isNew),
      from,
    );
  }

  forgetPlace(conversation: IdKey, member: IdKey): void {
    this.#run('DELETE FROM conversation_places WHERE conversation = ? AND member = ?', conversation, member);
  }

  saveConversationEra(conversation: IdKey, era: number, { bytes, signature }: Signed): void {
    this.#run(
      'INSERT OR REPLACE INTO conversation_eras VALUES (?, ?, ?, ?)',
      conversation,
      era,
      bytes,
      signature,
    );
    this.#run(
      `DELETE FROM conversation_eras WHERE conversation = ?1 AND era NOT IN
         (SELECT era FROM conversation_eras WHERE conversation = ?1 ORDER BY era DESC LIMIT ${ERAS_MOST})`,
      conversation,
    );
  }

  saveDeposit({ fileId, owner, bytes, cameAtMs, members }: KeptDeposit): void {
    const key = idKey(fileId);
    this.#run('INSERT OR IGNORE INTO deposits VALUES (?, ?, ?, ?)', key, owner, bytes, cameAtMs);
    this.#run('DELETE FROM deposit_members WHERE file = ?', key);
    for (const [member, news] of members)
      this.#run('INSERT INTO deposit_members VALUES (?, ?, ?)', key, member, news);
  }

  forgetDeposit(file: IdKey): void {
    this.#run('DELETE FROM deposits WHERE file = ?', file);
  }

  /** What the host calls an invitation and gives to others, beside what the room knows of it. */
  describeInvitation(id: Uint8Array, told: InvitationTexts): void {
    const { text, fernetKey, fernetToken, label } = told;
    const update =
      'UPDATE invitations SET text = ?, fernet_key = ?, fernet_token = ?, label = ? WHERE invitation = ?';
    this.#run(update, text, fernetKey, fernetToken, label, id);
  }

  /** Of all invitations that were described, in the order in which they were made. */
  get invitationTexts(): readonly (InvitationTexts & { readonly id: Uint8Array })[] {
    const rows = this.#database.prepare(
      'SELECT invitation, text, fernet_key, fernet_token, label FROM invitations WHERE text IS NOT NULL ORDER BY number',
    );
    return rows.all().map((row) => ({
      id: row['invitation'] as Uint8Array,
      text: String(row['text']),
      fernetKey: String(row['fernet_key']),
      fernetToken: String(row['fernet_token']),
      label: String(row['label']),
    }));
  }

  #run(sql: string, ...values: readonly SQLInputValue[]): ReturnType<StatementSync['run']> {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    const prepared = statement;
    return this.#write(() => prepared.run(...values));
  }

  #write<Result>(step: () => Result): Result {
    return this.#guarded(() => {
      if (!this.#database.isTransaction) this.#database.exec('BEGIN IMMEDIATE');
      return step();
    });
  }

  /** After a failure what was written before it may be gone: nothing that follows must be kept without it. */
  #guarded<Result>(step: () => Result): Result {
    if (this.#failure !== null) throw this.#failure;
    try {
      return step();
    } catch (error) {
      this.#failure = storageError(this.path, error);
      throw this.#failure;
    }
  }
}

export interface InvitationTexts {
  readonly text: string;
  /** As any other Fernet implementation takes them. */
  readonly fernetKey: string;
  readonly fernetToken: string;
  readonly label: string;
}

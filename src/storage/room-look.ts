/** What a room's file says of the room, to whoever has no passphrase: also while its host has it open. */
import type { DatabaseSync } from 'node:sqlite';
import { type IdKey, idKey } from '../protocol/identifiers.ts';
import type { KeptRoom } from '../room/store.ts';
import { storageError } from './errors.ts';
import { loadRoom } from './load-room.ts';
import { Meta } from './meta.ts';
import { openDatabase } from './room-database.ts';

export interface RoomSummary {
  /** Empty where the room was never finished. */
  readonly id: Uint8Array;
  readonly roomName: string;
  readonly question: string;
  readonly ownerFingerprint: Uint8Array;
  readonly openedAtMs: number | null;
  readonly members: number;
  /** Messages that are whole, for someone who has not got them yet. */
  readonly waiting: number;
}

export interface RoomContents {
  readonly kept: KeptRoom | null;
  /** What the host calls invitations. */
  readonly labels: ReadonlyMap<IdKey, string>;
  readonly log: { readonly index: number; readonly head: Uint8Array; readonly waitingBytes: number };
}

const NOTHING = new Uint8Array();
const WAITING = "FROM log WHERE kind = 'message' AND header IS NOT NULL";

/** @throws StorageError when the file is none that can be read */
export function lookAt(path: string): RoomSummary {
  return looking(path, summaryOf);
}

/** @throws StorageError when the file is none that can be read */
export function readRoom(path: string): RoomSummary & RoomContents {
  return looking(path, (database) => ({ ...summaryOf(database), ...contentsOf(database) }));
}

/** All of it as of one moment. */
function looking<Result>(path: string, read: (database: DatabaseSync) => Result): Result {
  const database = openDatabase(path, 'look');
  try {
    database.exec('BEGIN');
    return read(database);
  } catch (error) {
    throw storageError(path, error);
  } finally {
    database.close();
  }
}

function summaryOf(database: DatabaseSync): RoomSummary {
  const meta = new Meta(database);
  return {
    id: meta.bytes('room-id') ?? NOTHING,
    roomName: meta.text('room-name') ?? '',
    question: meta.text('question') ?? '',
    ownerFingerprint: meta.bytes('owner-fingerprint') ?? NOTHING,
    openedAtMs: meta.number('opened-at-ms'),
    members: numberOf(database, 'SELECT count(*) AS number FROM roster'),
    waiting: numberOf(database, `SELECT count(*) AS number ${WAITING}`),
  };
}

function contentsOf(database: DatabaseSync): RoomContents {
  const labelled = database
    .prepare('SELECT invitation, label FROM invitations WHERE label IS NOT NULL')
    .all();
  const latest = database.prepare('SELECT place, head FROM log ORDER BY place DESC LIMIT 1').get();
  return {
    kept: loadRoom(database, new Meta(database), () => {}),
    labels: new Map(
      labelled.map(({ invitation, label }) => [idKey(invitation as Uint8Array), String(label)]),
    ),
    log: {
      index: Number(latest?.['place'] ?? 0),
      head: (latest?.['head'] as Uint8Array | undefined) ?? NOTHING,
      waitingBytes: numberOf(database, `SELECT ifnull(sum(length(ciphertext)), 0) AS number ${WAITING}`),
    },
  };
}

function numberOf(database: DatabaseSync, sql: string): number {
  return Number(database.prepare(sql).get()?.['number'] ?? 0);
}

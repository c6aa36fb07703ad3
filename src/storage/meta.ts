/** What a room has once: its name, its keys, its latest roster operation. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Write } from './write.ts';

export type MetaName =
  | 'room-id'
  | 'room-name'
  | 'question'
  | 'owner'
  | 'owner-fingerprint'
  | 'secrets'
  | 'operation'
  | 'operation-signature'
  | 'last-removal-epoch'
  | 'opened-at-ms';

export class Meta {
  readonly #write: Write;
  readonly #get: StatementSync;
  readonly #set: StatementSync;

  /** @param write not given: who only reads */
  constructor(database: DatabaseSync, write: Write = (step) => step()) {
    this.#write = write;
    this.#get = database.prepare('SELECT value FROM meta WHERE name = ?');
    this.#set = database.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)');
  }

  bytes(name: MetaName): Uint8Array | null {
    return (this.#get.get(name)?.['value'] as Uint8Array | undefined) ?? null;
  }

  text(name: MetaName): string | null {
    const bytes = this.bytes(name);
    return bytes === null ? null : Buffer.from(bytes).toString('utf8');
  }

  number(name: MetaName): number | null {
    const text = this.text(name);
    return text === null ? null : Number(text);
  }

  setBytes(name: MetaName, value: Uint8Array): void {
    this.#write(() => this.#set.run(name, value));
  }

  setText(name: MetaName, value: string): void {
    this.setBytes(name, Buffer.from(value, 'utf8'));
  }

  setNumber(name: MetaName, value: number): void {
    this.setText(name, String(value));
  }
}

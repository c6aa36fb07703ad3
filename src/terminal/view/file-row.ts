/** A file that is under way, as progress shows it. */
export interface FileRow {
  readonly number: number;
  readonly isOwn: boolean;
  /** As it was offered: not clean. */
  readonly name: string;
  readonly bytes: number;
  /** Of one's own: how far the slowest has it who takes it now. */
  readonly doneBytes: number;
  /** All there, and compared with what was offered. */
  readonly isChecking: boolean;
  /** `null` while nothing is known of it. */
  readonly bytesPerSecond: number | null;
  readonly leftMs: number | null;
  /** Of one's own: who takes it now. */
  readonly takers: readonly { readonly nick: string; readonly doneBytes: number }[];
}

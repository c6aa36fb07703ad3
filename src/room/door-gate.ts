/**
 * How many may stand at the door, and for how long. Counts connections from their first packet until they are
 * admitted, so that strangers crowd out strangers and never the people inside.
 * @see docs/security.md#limits
 */
import { LIMITS, type Limits } from '../protocol/limits.ts';

const MINUTE_MS = 60_000;
/** An attacker with many addresses may cost this many records of failures; the oldest go first. */
const FAILURE_GROUPS_MOST = 4_096;
const LOOPBACK = 'loopback';

type DoorLimits = Pick<
  Limits,
  | 'strangersTotal'
  | 'strangersPerAddress'
  | 'strangerMs'
  | 'candidatesTotal'
  | 'candidatesPerInvitation'
  | 'loginsPerMember'
  | 'candidateMs'
  | 'failedHellosPerMinute'
>;

interface Waiting {
  readonly group: string;
  readonly arrivedMs: number;
  /** Set by a valid HELLO: no longer a stranger. */
  purpose: Purpose | null;
  progress: Progress;
  /** Had to make room for someone else: does not count any more, and is to be turned away. */
  crowdedOut: boolean;
}

/** How far someone with a valid HELLO has come. */
type Progress = 'begun' | 'answer-proved' | 'judged';

/** What a valid HELLO has shown: an invitation, or a member who comes back. */
export interface Purpose {
  readonly kind: 'join' | 'login';
  readonly key: string;
}

export class DoorGate {
  readonly #limits: DoorLimits;
  /** In order of arrival. */
  readonly #waiting = new Map<number, Waiting>();
  /** Times of the last failed HELLOs of each group, the group that failed last at the end. */
  readonly #failures = new Map<string, number[]>();

  constructor(limits: DoorLimits = LIMITS) {
    this.#limits = limits;
  }

  /**
   * A connection was opened.
   * @returns whether to close it at once, and who has to make room for it: that one has left already here.
   */
  arrive(id: number, address: string, nowMs: number): { readonly refuse: boolean; readonly evict?: number } {
    const group = addressGroup(address);
    if (this.#hasFailedTooOften(group, nowMs)) return { refuse: true };
    const strangers = [...this.#waiting].filter(([, waiting]) => waiting.purpose === null);
    // Everyone who comes through Tor or a local proxy shares the loopback address.
    const fromGroup = strangers.filter(([, waiting]) => waiting.group === group).length;
    if (group !== LOOPBACK && fromGroup >= this.#limits.strangersPerAddress) return { refuse: true };

    this.#waiting.set(id, { group, arrivedMs: nowMs, purpose: null, progress: 'begun', crowdedOut: false });
    if (strangers.length < this.#limits.strangersTotal) return { refuse: false };
    const evict = oldestOfMostCrowded(strangers, group);
    if (evict === undefined) return { refuse: false };
    this.#waiting.delete(evict);
    return { refuse: false, evict };
  }

  /**
   * It has shown a valid HELLO. Where too many stand here already, one of the address that most of them come from makes
   * room, unless it has proved the answer: so one holder of an invitation, from one address, keeps nobody else out.
   * @returns false when nobody has to make room: refuse it, it stays a stranger until it has left
   */
  promoted(id: number, purpose: Purpose): boolean {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return false;
    const candidates = [...this.#waiting.values()].filter(
      (other) => other.purpose !== null && !other.crowdedOut,
    );
    const same = candidates.filter(
      (other) => other.purpose?.kind === purpose.kind && other.purpose.key === purpose.key,
    );
    const { candidatesTotal, candidatesPerInvitation, loginsPerMember } = this.#limits;
    const most = purpose.kind === 'join' ? candidatesPerInvitation : loginsPerMember;
    const crowd = same.length >= most ? same : candidates.length >= candidatesTotal ? candidates : [];
    if (crowd.length > 0) {
      const leaves = whoMakesRoom(crowd, waiting.group);
      if (leaves === undefined) return false;
      leaves.crowdedOut = true;
    }
    waiting.purpose = purpose;
    return true;
  }

  /** It has proved the answer: a person who is nearly in is not crowded out. */
  proved(id: number): void {
    const waiting = this.#waiting.get(id);
    if (waiting !== undefined) waiting.progress = 'answer-proved';
  }

  /** All is right: what it waits for now is the host's to give, and how long is the room's to say. */
  judged(id: number): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    waiting.progress = 'judged';
    waiting.crowdedOut = false;
  }

  /** @returns who has had to make room; each until it has left */
  crowdedOut(): number[] {
    return [...this.#waiting].filter(([, waiting]) => waiting.crowdedOut).map(([id]) => id);
  }

  /** It was admitted, or its connection is gone. */
  left(id: number): void {
    this.#waiting.delete(id);
  }

  /** Its HELLO proved nothing. Not counted for loopback, where one stranger would lock out all who come by Tor. */
  failedHello(address: string, nowMs: number): void {
    const group = addressGroup(address);
    if (group === LOOPBACK) return;
    const times = [...(this.#failures.get(group) ?? []), nowMs].slice(-this.#limits.failedHellosPerMinute);
    this.#failures.delete(group);
    this.#failures.set(group, times);
    for (const [other, failedMs] of this.#failures) {
      const isOld = nowMs - (failedMs.at(-1) ?? 0) >= MINUTE_MS;
      if (!isOld && this.#failures.size <= FAILURE_GROUPS_MOST) break;
      this.#failures.delete(other);
    }
  }

  /** @returns whose time at the door is over, counted from arrival; each until it has left */
  dueEvictions(nowMs: number): number[] {
    const due: number[] = [];
    for (const [id, { arrivedMs, purpose, progress }] of this.#waiting) {
      if (progress === 'judged') continue;
      const { strangerMs, candidateMs } = this.#limits;
      // Only who joins is a person that types; a login is over in a moment.
      if (nowMs - arrivedMs >= (purpose?.kind === 'join' ? candidateMs : strangerMs)) due.push(id);
    }
    return due;
  }

  #hasFailedTooOften(group: string, nowMs: number): boolean {
    const times = this.#failures.get(group) ?? [];
    const [oldest] = times;
    const isFull = times.length >= this.#limits.failedHellosPerMinute;
    return isFull && oldest !== undefined && nowMs - oldest < MINUTE_MS;
  }
}

/** @param newcomer its group, which counts one more than is there */
function oldestOfMostCrowded(
  strangers: readonly (readonly [number, Waiting])[],
  newcomer: string,
): number | undefined {
  const counts = new Map<string, number>([[newcomer, 1]]);
  for (const [, { group }] of strangers) counts.set(group, (counts.get(group) ?? 0) + 1);
  let most = 0;
  let oldest: number | undefined;
  for (const [id, { group }] of strangers) {
    const count = counts.get(group) ?? 0;
    if (count > most) {
      most = count;
      oldest = id;
    }
  }
  return oldest;
}

/**
 * @param crowd in order of arrival
 * @param newcomer its group
 * @returns the longest-standing one of the largest group, if that one is larger than the newcomer's would be
 */
function whoMakesRoom(crowd: readonly Waiting[], newcomer: string): Waiting | undefined {
  const sizes = new Map<string, number>();
  for (const { group } of crowd) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  let most = (sizes.get(newcomer) ?? 0) + 1;
  let leaves: Waiting | undefined;
  for (const waiting of crowd) {
    const size = sizes.get(waiting.group) ?? 0;
    if (size <= most || waiting.progress !== 'begun' || waiting.purpose?.kind !== 'join') continue;
    most = size;
    leaves = waiting;
  }
  return leaves;
}

/** Who counts as one: an IPv4 address, an IPv6 /64 (one household), or everything local. */
function addressGroup(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  const plain = mapped?.[1] ?? address;
  if (plain === '::1' || /^127\.\d+\.\d+\.\d+$/.test(plain)) return LOOPBACK;
  return plain.includes(':') ? network64(plain) : plain;
}

/** @param address IPv6 in any of its spellings, with or without a zone */
function network64(address: string): string {
  const [digits = ''] = address.split('%');
  const [head = '', tail] = digits.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  // A dotted tail stands for two groups.
  const written = before.length + after.length + (digits.includes('.') ? 1 : 0);
  const zeros = tail === undefined ? [] : new Array<string>(Math.max(0, 8 - written)).fill('0');
  const groups = [...before, ...zeros, ...after].slice(0, 4);
  return groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':');
}

/**
 * Who may not come in for now: the key and the nickname of someone whom the owner or a moderator has banned. A new key
 * under a new nickname is a new person to this book; the invitation they came by is suspended besides.
 * @see docs/security.md#bans
 */
import type { IdKey } from '../protocol/identifiers.ts';
import { foldNickname } from '../protocol/nickname.ts';

export interface BanView {
  readonly nick: string;
  /** `null`: until it is taken back. */
  readonly untilMs: number | null;
  /** The moderator's nickname at that time; `null` for the owner. */
  readonly by: string | null;
}

export interface Ban extends BanView {
  readonly member: IdKey;
}

export class BanBook {
  readonly #most: number;
  /** In the order in which they were made. A new list with each change. */
  #bans: readonly Ban[];

  /**
   * @param most how many are kept: past it the one that ends first goes, and the oldest where none ever ends
   * @param kept from before the room was opened again
   */
  constructor(most: number, kept: readonly Ban[] = []) {
    this.#most = most;
    this.#bans = kept;
  }

  get all(): readonly Ban[] {
    return this.#bans;
  }

  /** A second ban of the same person takes the place of the first. */
  add(ban: Ban): void {
    const others = this.#bans.filter(({ member }) => member !== ban.member);
    const surplus = others.length < this.#most ? undefined : firstToGo(others);
    this.#bans = [...others.filter((other) => other !== surplus), ban];
  }

  /** Nothing came of the removal: they are here. */
  forget(member: IdKey): void {
    if (this.#bans.some((ban) => ban.member === member))
      this.#bans = this.#bans.filter((ban) => ban.member !== member);
  }

  /** @returns whether there was one. */
  lift(nick: string): boolean {
    const folded = foldNickname(nick);
    const before = this.#bans.length;
    this.#bans = this.#bans.filter((ban) => foldNickname(ban.nick) !== folded);
    return this.#bans.length < before;
  }

  /** Whether this key, or a nickname that reads like this one, is banned. */
  holds(member: IdKey, nick: string, nowMs: number): boolean {
    const folded = foldNickname(nick);
    return this.#bans.some(
      (ban) => !isOver(ban, nowMs) && (ban.member === member || foldNickname(ban.nick) === folded),
    );
  }

  /** Forgets what is over. */
  expire(nowMs: number): void {
    if (this.#bans.some((ban) => isOver(ban, nowMs)))
      this.#bans = this.#bans.filter((ban) => !isOver(ban, nowMs));
  }
}

function isOver({ untilMs }: Ban, nowMs: number): boolean {
  return untilMs !== null && nowMs >= untilMs;
}

function firstToGo(bans: readonly Ban[]): Ban | undefined {
  const ends = (ban: Ban | undefined): number => ban?.untilMs ?? Number.POSITIVE_INFINITY;
  let first = bans[0];
  for (const ban of bans) if (ends(ban) < ends(first)) first = ban;
  return first;
}

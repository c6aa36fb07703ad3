/** Which nicknames can be had: no two in the room that look alike, nor one promised to someone on the way in. */
import type { RosterMember } from '../crypto/roster.ts';
import { InputError } from '../protocol/errors.ts';
import { checkNickname, foldNickname } from '../protocol/nickname.ts';
import type { Role } from '../protocol/signed-objects.ts';
import type { Owner } from './owner.ts';

export class Nicknames {
  /** In use or promised, by their folded form. */
  readonly #taken = new Set<string>();
  readonly #owner: Pick<Owner, 'hasPromised'>;

  constructor(owner: Pick<Owner, 'hasPromised'>) {
    this.#owner = owner;
  }

  take(nick: string): void {
    this.#taken.add(foldNickname(nick));
  }

  free(nick: string): void {
    this.#taken.delete(foldNickname(nick));
  }

  /** @param of who asks for it and is here already: their own nickname is not in their way */
  refusal(nick: string, role: Role, of?: RosterMember): 'nick-taken' | 'nick-refused' | null {
    try {
      checkNickname(nick, role === 'owner');
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return 'nick-refused';
    }
    const folded = foldNickname(nick);
    if (of !== undefined && folded === foldNickname(of.nick)) return null;
    return this.#taken.has(folded) || this.#owner.hasPromised(folded) ? 'nick-taken' : null;
  }
}

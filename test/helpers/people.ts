/** Members of no room, for what needs to know only who is who. */

import { sha256 } from '../../src/crypto/hash.ts';
import type { RosterMember } from '../../src/crypto/roster.ts';
import { utf8 } from '../../src/protocol/bytes.ts';
import { idKey, memberId } from '../../src/protocol/identifiers.ts';
import { RosterEntry } from '../../src/protocol/signed-objects.ts';

export function person(nick: string): RosterMember {
  const identity = sha256(utf8.encode(nick));
  const entry = { identity, nick, role: 'member', algorithm: 'dsa', muted: false } as const;
  const id = memberId(identity.subarray(0, 16));
  return { ...entry, memberId: id, key: idKey(id), encoded: RosterEntry.encode(entry) };
}

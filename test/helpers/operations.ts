/** Roster operations made by hand: what a host that keeps the owner's key can sign. */

import { sha256 } from '../../src/crypto/hash.ts';
import { type NextOperation, Roster, rosterMember } from '../../src/crypto/roster.ts';
import { importVerifyKey } from '../../src/crypto/signature.ts';
import { compareBytes, utf8 } from '../../src/protocol/bytes.ts';
import type { Signed } from '../../src/protocol/codec.ts';
import { encodeFrame } from '../../src/protocol/framing.ts';
import { ciphertext, idKey, ROOM_CONVERSATION } from '../../src/protocol/identifiers.ts';
import { Entry, SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import { type RosterEntry, RosterOperation } from '../../src/protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../../src/protocol/version.ts';
import type { TestMember } from './member.ts';
import type { TestRoom } from './room.ts';

/** The roster that the room's log leads to. */
export function rosterOf(room: TestRoom): Roster {
  const roster = new Roster(room.id);
  const owner = importVerifyKey(room.ownerKey.spki, 'rsa');
  const { items } = room.log.read(0, { entries: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER });
  for (const item of items) {
    if (item.form === 'whole' && item.kind === 'roster')
      roster.apply({ bytes: item.header, signature: item.signature }, owner);
  }
  return roster;
}

/**
 * The owner's signature under whatever follows on a roster, honest or not: the list is put together here, with its right
 * hash. What is not given stays as it is.
 */
export function signNext(room: TestRoom, next: Partial<NextOperation>): Signed {
  const roster = rosterOf(room);
  const { puts = [], removes = [], causes = [], settings = roster.settings } = next;
  const changed = new Set([
    ...removes.map(({ memberId }) => idKey(memberId)),
    ...puts.map((entry) => rosterMember(entry).key),
  ]);
  const list = [...roster.members.filter(({ key }) => !changed.has(key)), ...puts.map(rosterMember)];
  list.sort((left, right) => compareBytes(left.identity, right.identity));
  const bytes = RosterOperation.encode({
    version: PROTOCOL_VERSION,
    roomId: room.id,
    epoch: roster.epoch + 1,
    previous: roster.hash,
    listHash: sha256(utf8.encode('sc1/list'), ...list.map(({ encoded }) => encoded)),
    atMs: room.clock.nowMs,
    roomName: 'test room',
    settings,
    removes: [...removes],
    puts: [...puts],
    causes: [...causes],
  });
  return { bytes, signature: room.ownerKey.sign('sc1/roster', bytes) };
}

/** A member's entry with a part of it changed. */
export function entryOf(room: TestRoom, member: TestMember, part: Partial<RosterEntry>): RosterEntry {
  const found = rosterOf(room).member(idKey(member.identity.memberId));
  if (found === undefined) throw new Error('not on the list');
  return { ...found, ...part };
}

/** Pushes an operation to one member as the entry that is next for them. */
export function showOperation(room: TestRoom, to: TestMember, operation: Signed): void {
  const { line } = to;
  const { position } = to.session;
  if (line === null || position === null) throw new Error('not in the room');
  const body = Entry.encode({
    conversation: ROOM_CONVERSATION,
    index: position.index + 1,
    kind: 'roster',
    placedAtMs: room.clock.nowMs,
    header: operation.bytes,
    ciphertext: ciphertext(new Uint8Array()),
    signature: operation.signature,
  });
  room.inject(line, 'member', encodeFrame(SESSION_FRAME.entry, body));
  room.pump();
}

/** Roster operations made by hand: what a host that keeps the owner's key can sign. */

import { type NextOperation, Roster } from '../../src/crypto/roster.ts';
import { importVerifyKey } from '../../src/crypto/signature.ts';
import type { Signed } from '../../src/protocol/codec.ts';
import { encodeFrame } from '../../src/protocol/framing.ts';
import { ciphertext, idKey, ROOM_CONVERSATION } from '../../src/protocol/identifiers.ts';
import { Entry, SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import type { RosterEntry } from '../../src/protocol/signed-objects.ts';
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

/** The owner's signature under whatever follows on a roster; what is not given stays as it is. */
export function signNext(room: TestRoom, next: Partial<NextOperation>, roster = rosterOf(room)): Signed {
  const bytes = roster.prepare({
    puts: [],
    removes: [],
    causes: [],
    settings: roster.settings,
    atMs: room.clock.nowMs,
    roomName: 'test room',
    ...next,
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

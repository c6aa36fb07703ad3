/** Keys that take long to make, made once and shared by every test of a run. */
import type { AnswerThread } from '../../src/app/answer-thread.ts';
import { makeRoomKeys, type RoomKeys } from '../../src/app/rooms/room-keys.ts';
import { generateWrapKeys, type WrapKeyPair } from '../../src/crypto/key-wrap.ts';
import { generateSigningKey, type SigningKey } from '../../src/crypto/signature.ts';

function pool<Key>(make: () => Promise<Key>): (place: number) => Promise<Key> {
  const made: Promise<Key>[] = [];
  return (place) => {
    while (made.length <= place) made.push(make());
    return made[place] as Promise<Key>;
  };
}

/** An RSA identity; the same number, the same key. About half a second for each new one. */
export const rsaIdentity: (place: number) => Promise<SigningKey> = pool(() => generateSigningKey('rsa'));
/** A DSA identity, made in a millisecond: for crowds. */
export const dsaIdentity: (place: number) => Promise<SigningKey> = pool(() => generateSigningKey('dsa'));
export const wrapKeys: (place: number) => Promise<WrapKeyPair> = pool(generateWrapKeys);

let owner: Promise<SigningKey> | null = null;

/** The key that signs every test room's roster. */
export function roomOwnerKey(): Promise<SigningKey> {
  owner ??= generateSigningKey('rsa');
  return owner;
}

const rooms = new Map<string, Promise<RoomKeys>>();

/** All keys of a host, half a second's work: rooms that are not on the network together may be the same one. */
export function roomKeys(answer: string, answers: AnswerThread): Promise<RoomKeys> {
  const known = rooms.get(answer) ?? makeRoomKeys(answer, answers);
  rooms.set(answer, known);
  return known;
}

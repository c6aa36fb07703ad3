/**
 * How wrap keys, wraps and requests for them reach the one member they are for. The host routes them and checks who
 * signed; it cannot open a wrap, and a statement it replaced would not carry the member's signature.
 * @see docs/protocol.md#sender-chains
 */
import { chainStart } from '../crypto/log-hash.ts';
import { type CheckedStatement, checkStatement } from '../crypto/statement.ts';
import { type Bytes, bytesEqual } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { encodeFrame } from '../protocol/framing.ts';
import { chainSequence, type IdKey, idKey, type MemberId, type RoomId } from '../protocol/identifiers.ts';
import { KeysPage, SESSION_FRAME, WrapDelivery, type Wraps } from '../protocol/session-frames.ts';
import type { ChainAnnouncement, NeedKey } from '../protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import type { LogPlace } from './log-place.ts';
import type { Circle } from './posting.ts';
import type { Resident } from './resident.ts';

/** @throws ProtocolError when it is malformed, foreign, or older than the one the host has. */
export function checkPublished(statement: Signed, member: Resident, roomId: RoomId): CheckedStatement {
  const checked = checkStatement(statement, {
    roomId,
    identity: member.member.identity,
    algorithm: member.member.algorithm,
    verifyKey: member.verifyKey,
  });
  if (checked.generation <= member.statement.generation) {
    throw new ProtocolError('bad-generation', 'a wrap key must be newer than the one before');
  }
  return checked;
}

/** The statements asked for, as far as these members are here. */
export function keysPage(members: readonly MemberId[], residents: ReadonlyMap<IdKey, Resident>): Bytes {
  const statements: Signed[] = [];
  for (const member of members) {
    const resident = residents.get(idKey(member));
    if (resident !== undefined) statements.push(resident.statement.signed);
  }
  return encodeFrame(SESSION_FRAME.keys, KeysPage.encode({ statements }));
}

/** Moduli of 3,072 to 4,096 bits. */
const RSA_BYTES_LEAST = 384;
const RSA_BYTES_MOST = 512;

export interface RoutedWraps {
  readonly announcement: ChainAnnouncement;
  /** `false`: the announcement is for a roster that has since lost someone; nothing is delivered. */
  readonly current: boolean;
  readonly deliveries: readonly { readonly to: Resident; readonly frame: Bytes }[];
  /** Members whose keys have moved on since the sender pulled them. */
  readonly refused: readonly MemberId[];
}

/**
 * Checks an announcement and makes one delivery for each wrap. A chain the host did not know becomes the sender's
 * current one.
 * @throws ProtocolError when the announcement is not the sender's own.
 */
export function routeWraps(
  { announcement: signed, wraps }: Wraps,
  announcement: ChainAnnouncement,
  sender: Resident,
  at: {
    readonly roomId: RoomId;
    readonly circle: Circle;
    readonly place: LogPlace;
    /** Who reads this conversation. */
    readonly reader: (key: IdKey) => Resident | undefined;
  },
): RoutedWraps {
  const fits =
    announcement.version === PROTOCOL_VERSION &&
    bytesEqual(announcement.roomId, at.roomId) &&
    bytesEqual(announcement.memberId, sender.member.memberId) &&
    bytesEqual(announcement.identityKey, sender.verifyKey.spki) &&
    sender.verifyKey.verify('sc1/chain', signed.bytes, signed.signature);
  if (!fits) throw new ProtocolError('bad-announcement', "a chain announcement that is not the sender's");
  const { circle, place } = at;
  const verdict = circle.verdict(announcement.epoch, announcement.rosterHash);
  if (verdict === 'ahead' || verdict === 'forked') {
    throw new ProtocolError(
      'bad-epoch',
      `a chain for epoch ${announcement.epoch}, which this room does not have`,
    );
  }
  if (verdict !== 'good') {
    return { announcement, current: false, deliveries: [], refused: wraps.map((wrap) => wrap.memberId) };
  }
  const chainKey = idKey(announcement.chainId);
  if (place.chain?.chainKey !== chainKey) {
    const sequence = chainSequence(announcement.chainId);
    if (sequence <= place.chainSequence) {
      throw new ProtocolError('bad-announcement', 'a chain that is over is taken up again');
    }
    place.chainSequence = sequence;
    place.chain = {
      chainKey,
      epoch: announcement.epoch,
      lastN: announcement.n - 1,
      lastLeaf: chainStart(announcement.memberId, announcement.chainId),
      placed: new Map(),
    };
  }
  const deliveries: { to: Resident; frame: Bytes }[] = [];
  const refused: MemberId[] = [];
  const wrapped = new Set<IdKey>();
  for (const wrap of wraps) {
    const key = idKey(wrap.memberId);
    const { length } = wrap.rsaCiphertext;
    if (wrapped.has(key) || length < RSA_BYTES_LEAST || length > RSA_BYTES_MOST) {
      throw new ProtocolError('bad-wrap', 'two wraps for one member, or one of another size than RSA makes');
    }
    wrapped.add(key);
    const to = at.reader(key);
    if (to === undefined) continue;
    if (wrap.generation !== to.statement.generation) {
      refused.push(wrap.memberId);
      continue;
    }
    const body = WrapDelivery.encode({ announcement: signed, wrap });
    deliveries.push({ to, frame: encodeFrame(SESSION_FRAME.wrap, body) });
  }
  return { announcement, current: true, deliveries, refused };
}

/**
 * @returns the member whose key is asked for, or `null` when they are not here to answer.
 * @throws ProtocolError when the request is not the asker's own.
 */
export function needKeyTarget(
  request: Signed,
  need: NeedKey,
  asker: Resident,
  at: { readonly roomId: RoomId; readonly reader: (key: IdKey) => Resident | undefined },
): Resident | null {
  const fits =
    need.version === PROTOCOL_VERSION &&
    bytesEqual(need.roomId, at.roomId) &&
    bytesEqual(need.asker, asker.member.memberId) &&
    asker.verifyKey.verify('sc1/needkey', request.bytes, request.signature);
  if (!fits) throw new ProtocolError('bad-request', "a request for a key that is not the asker's own");
  return at.reader(idKey(need.sender)) ?? null;
}

/**
 * Accounts of a room that is kept: whose nickname is behind a password, which the host never sees, and how a member
 * registers one.
 * @see docs/protocol.md#accounts
 */
import { type Bytes, toBase64url } from '../protocol/bytes.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { encodeFrame } from '../protocol/framing.ts';
import type { IdKey, MemberId } from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import { foldNickname } from '../protocol/nickname.ts';
import { Empty, Register, RegisterRecord, RegisterReply, SESSION_FRAME } from '../protocol/session-frames.ts';
import type { Resident } from './resident.ts';

/** The OPAQUE host side for passwords, bound to this room's setup. */
export interface AccountGate {
  /** @throws ProtocolError for bytes that are no request */
  register(credential: string, request: Bytes): Bytes;
  /** @param record `null` makes a run that looks real and that no password can pass */
  start(
    credential: string,
    record: string | null,
    ke1: Bytes,
  ): { readonly state: string; readonly ke2: Bytes };
  /** @returns `null` when the proof is wrong */
  finish(state: string, ke3: Bytes): Bytes | null;
}

function credentialOf(memberId: MemberId): string {
  return `account:${toBase64url(memberId)}`;
}

/** Whose nickname reads like this one and is behind a password. */
export function accountCalled(nick: string, residents: ReadonlyMap<IdKey, Resident>): Resident | null {
  const folded = foldNickname(nick);
  for (const resident of residents.values())
    if (resident.account !== null && foldNickname(resident.member.nick) === folded) return resident;
  return null;
}

/** A registration that has begun on a connection: under which credential. */
export interface Registering {
  readonly resident: Resident;
  registering: string | null;
}

export class Accounts {
  readonly #gate: AccountGate | null;
  readonly #limits: Limits;

  /** @param gate `null`: this room ends with its host, and has no accounts */
  constructor(gate: AccountGate | null, limits: Limits) {
    this.#gate = gate;
    this.#limits = limits;
  }

  get exist(): boolean {
    return this.#gate !== null;
  }

  /** @returns REGISTER_REPLY. @throws ProtocolError for what no honest program asks */
  register(peer: Registering, body: Bytes, { nowMs }: Moment): Bytes {
    const { resident } = peer;
    if (this.#gate === null) throw new ProtocolError('no-accounts', 'this room has no accounts');
    if (resident.member.role === 'owner')
      throw new ProtocolError('no-accounts', 'nobody takes the place of the host');
    const perMinute = this.#limits.registrationsPerMemberPerMinute;
    if (resident.registrations.take(1, { perSecond: perMinute / 60, burst: perMinute }, nowMs) > 0)
      throw new ProtocolError('flood', 'more registrations than a member may make');
    const { request } = Register.decode(body);
    peer.registering = resident.account?.credential ?? credentialOf(resident.member.memberId);
    const response = this.#gate.register(peer.registering, request);
    return encodeFrame(SESSION_FRAME.registerReply, RegisterReply.encode({ response }));
  }

  /** The account is this member's from here on. @returns REGISTERED. @throws ProtocolError when none has begun */
  record(peer: Registering, body: Bytes): Bytes {
    const credential = peer.registering;
    if (credential === null)
      throw new ProtocolError('unexpected-frame', 'REGISTER_RECORD without REGISTER_REPLY');
    peer.registering = null;
    peer.resident.account = { credential, record: toBase64url(RegisterRecord.decode(body).record) };
    return encodeFrame(SESSION_FRAME.registered, Empty.encode({}));
  }
}

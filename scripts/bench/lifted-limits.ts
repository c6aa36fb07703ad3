/** The product's limits, lifted where they would bound what is measured: rates, and who stands at the door. */
import { LIMITS, type Limits } from '../../src/protocol/limits.ts';

const PLENTY = 1e9;

export const LIFTED_LIMITS: Limits = {
  ...LIMITS,
  strangersTotal: PLENTY,
  strangersPerAddress: PLENTY,
  candidatesTotal: PLENTY,
  candidatesPerInvitation: PLENTY,
  // A byte on the wire.
  triesPerInvitation: 255,
  // The load's members send no pings.
  deadMs: PLENTY,
  messagesPerMemberPerSecond: 60_000,
  messagesPerMemberBurst: 60_000,
  bytesPerMemberPerSecond: PLENTY,
  bytesPerMemberBurst: PLENTY,
  messagesPerRoomPerSecond: PLENTY,
  deliveriesPerRoomPerSecond: PLENTY * PLENTY,
  outboundBytesPerMember: PLENTY,
  outboundFramesPerMember: PLENTY,
  outboundBytesTotal: PLENTY * PLENTY,
};

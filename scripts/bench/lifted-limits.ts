/** The product's limits, lifted where they would bound what is measured: rates, and who stands at the door. */
import { LIMITS, type Limits } from '../../src/protocol/limits.ts';

const PLENTY = 1e9;
/** What one member may do in a second: here a few of them do what a room full of people does. */
const RATE_OF_ONE = /PerMember(PerSecond|Burst)$/;
const rates = Object.fromEntries(
  Object.keys(LIMITS)
    .filter((name) => RATE_OF_ONE.test(name))
    .map((name) => [name, PLENTY]),
);

export const LIFTED_LIMITS: Limits = {
  ...LIMITS,
  ...rates,
  strangersTotal: PLENTY,
  strangersPerAddress: PLENTY,
  candidatesTotal: PLENTY,
  candidatesPerInvitation: PLENTY,
  // A byte on the wire.
  triesPerInvitation: 255,
  // The load's members send no pings.
  deadMs: PLENTY,
  // Two bytes on the wire.
  messagesPerMemberPerSecond: 60_000,
  messagesPerMemberBurst: 60_000,
  messagesPerRoomPerSecond: PLENTY,
  deliveriesPerRoomPerSecond: PLENTY * PLENTY,
  outboundBytesPerMember: PLENTY,
  outboundFramesPerMember: PLENTY,
  outboundBytesTotal: PLENTY * PLENTY,
};

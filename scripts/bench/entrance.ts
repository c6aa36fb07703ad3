import { LIMITS } from '../../src/protocol/limits.ts';

/** As many people come in by one invitation at the most. */
export const ENTRANCE_USES = LIMITS.invitationUsesMost;

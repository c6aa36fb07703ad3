/** What people are told when the door stays shut: what happened, and what to do next. */
import type { Refusal } from '../protocol/reasons.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';

export const MAKING_KEYS = 'Making your keys; this takes a few seconds on a slow machine.';

/** A refusal that ends the run, in one sentence or two. */
export function refusalText(reason: Refusal | 'wrong-answer', hostVersion: number): string {
  switch (reason) {
    case 'not-recognised':
      return 'The host does not know this invitation. It may be of a room that has ended; ask the host for a new one.';
    case 'version':
      return versionText(hostVersion);
    case 'expired':
      return 'This invitation has expired. Ask the host for a new one.';
    case 'used-up':
      return 'This invitation has been used as often as it may be. Ask the host for a new one.';
    case 'revoked':
      return 'The host has withdrawn this invitation. Ask them for a new one.';
    case 'suspended':
      return 'This invitation is suspended for now. Ask the host for a new one, or to reopen it.';
    case 'room-full':
      return 'The room is full. Ask the host to make room (--max-members).';
    case 'wrong-code':
      return 'That code is wrong. Ask the host for the one on screen now.';
    case 'old-code':
      return 'That code has expired. Ask the host for the one on screen now.';
    case 'nick-taken':
      return 'Someone in the room has that nickname, or one that looks like it; whoever lost their line keeps theirs for 15 minutes. Choose another.';
    case 'nick-refused':
      return 'The host does not accept that nickname. Choose 2 to 20 of a-z, 0-9, _ and -, and no name that sounds official.';
    case 'nick-registered':
      return 'That nickname is registered in this room: only with its password can it be had. Choose another.';
    case 'wrong-password':
      return 'That password does not fit the account of this nickname. Nobody can reset it; ask the host to remove that member if it is lost.';
    case 'key-refused':
      return "The host did not accept this program's keys. Use the same version of securechat on both sides; with --identity, see that this machine's clock has not gone back.";
    case 'too-many-answers':
    case 'wrong-answer':
      return 'The answer did not fit. Either it is wrong, or this is not the host: ask them another way before you try again.';
    case 'answer-unproved':
      return 'The host could not verify the answer. Try again; if it keeps happening, ask the host another way.';
    case 'busy':
      return 'Too many people stand at the door. Try again in a minute.';
    case 'timed-out':
      return 'It took too long at the door. Join again.';
    case 'closing':
      return 'The room is closing, and takes in nobody new. If there is to be another, ask the host for its invitation.';
    case 'already-online':
      return 'You are in the room already, or on your way in, from another place. Leave it there, or wait a minute, and join again.';
    case 'locked':
      return 'The room is locked: nobody new comes in for now. Your invitation stays good; ask the host to unlock it, and join again.';
    case 'denied':
      return 'The host was asked and did not let you in. If that was a mistake, ask them another way.';
    case 'banned':
      return 'The host has banned this nickname, or this key, from the room. If someone else was meant, join again under another nickname; otherwise ask the host.';
  }
}

/** @returns what differs for someone who comes back to a saved room; `null` where nothing does */
export function returnRefusalText(reason: Refusal | 'wrong-answer', comeBack: string): string | null {
  switch (reason) {
    case 'already-online':
      return `You are in this room already, by another program or machine. Go on there, or here: ${comeBack} --takeover`;
    case 'key-refused':
      return 'The host knows newer keys of yours than this saved room holds: it is an old copy, or you have joined again since. Use the newer one, or join again with an invitation.';
    default:
      return null;
  }
}

function versionText(hostVersion: number): string {
  const both = `The host speaks protocol version ${hostVersion}, this program version ${PROTOCOL_VERSION}.`;
  if (hostVersion > PROTOCOL_VERSION) return `${both} Get the newer securechat, and join again.`;
  if (hostVersion < PROTOCOL_VERSION)
    return `${both} Ask the host to use a newer securechat, or use an older one.`;
  return `${both} They use different cryptography all the same: use the same securechat on both sides.`;
}

/** Why a question is asked again; `null` at the first time. */
export function problemText(
  problem: Refusal | 'wrong-answer' | 'unusable' | null,
  hint: string | undefined,
): string | null {
  if (problem === null) return null;
  if (problem === 'unusable') return hint ?? 'That cannot be used.';
  if (problem === 'wrong-answer') return 'That answer does not fit.';
  return refusalText(problem, PROTOCOL_VERSION);
}

/**
 * What a member may ask the owner to do, signed by that member: so everyone can tell who asked for a change, and the
 * host cannot put one into somebody's mouth.
 * @see docs/protocol.md#acts
 */
import { utf8 } from './bytes.ts';
import { codec, type Decoded, field } from './codec.ts';
import { type MemberId, NOBODY } from './identifiers.ts';
import { LIMITS } from './limits.ts';
import { ALGORITHM, type Role } from './signed-objects.ts';

export const ACT_KIND = {
  rename: 1,
  kick: 2,
  ban: 3,
  unban: 4,
  mute: 5,
  unmute: 6,
  topic: 7,
  slow: 8,
  lock: 9,
  unlock: 10,
} as const;
export type ActKind = keyof typeof ACT_KIND;

export type ActRequest =
  /** Of oneself. */
  | { readonly kind: 'rename'; readonly nick: string }
  | { readonly kind: 'kick' | 'unmute'; readonly member: MemberId }
  /** 0 seconds: until it is taken back. */
  | { readonly kind: 'ban' | 'mute'; readonly member: MemberId; readonly seconds: number }
  | { readonly kind: 'unban'; readonly nick: string }
  | { readonly kind: 'topic'; readonly text: string }
  | { readonly kind: 'slow'; readonly seconds: number }
  | { readonly kind: 'lock' | 'unlock' };

/**
 * `sc1/moderate`, by whoever asks. `target` is zeros where the kind names nobody, `seconds` 0 and `text` empty where it
 * has none. It carries the identity key, so that everyone can check it at once.
 */
export const SignedAct = codec(
  'act',
  field.struct({
    version: field.u8,
    roomId: field.roomId,
    memberId: field.memberId,
    epoch: field.u32,
    rosterHash: field.hash,
    kind: field.oneOf(ACT_KIND),
    target: field.memberId,
    seconds: field.u32,
    text: field.text,
    algorithm: field.oneOf(ALGORITHM),
    identityKey: field.bytes,
  }),
);
export type Act = Decoded<typeof SignedAct>;

const HAS_TEXT: ReadonlySet<ActKind> = new Set(['rename', 'unban', 'topic']);
const HAS_SECONDS: ReadonlySet<ActKind> = new Set(['ban', 'mute', 'slow']);

/**
 * Whether an act holds nothing that its kind has no use for, and no text that no kind can have: acts travel in the
 * operation they led to, where a field that nobody reads would carry what it likes, past what an operation may hold.
 */
export function isInForm({ kind, seconds, text }: ActFields): boolean {
  const isSpare = (text !== '' && !HAS_TEXT.has(kind)) || (seconds !== 0 && !HAS_SECONDS.has(kind));
  return !isSpare && utf8.encode(text).length <= LIMITS.topicBytes;
}

/** What an act says, beside who says it and when. */
export type ActFields = Pick<Act, 'kind' | 'target' | 'seconds' | 'text'>;

export function actFields(request: ActRequest): ActFields {
  const { kind } = request;
  const nothing = { kind, target: NOBODY, seconds: 0, text: '' };
  switch (kind) {
    case 'rename':
    case 'unban':
      return { ...nothing, text: request.nick };
    case 'kick':
    case 'unmute':
      return { ...nothing, target: request.member };
    case 'ban':
    case 'mute':
      return { ...nothing, target: request.member, seconds: request.seconds };
    case 'topic':
      return { ...nothing, text: request.text };
    case 'slow':
      return { ...nothing, seconds: request.seconds };
    case 'lock':
    case 'unlock':
      return nothing;
  }
}

/** What everyone reads in the asker's own words: not for someone who is muted. */
export function isSaid(kind: ActKind): boolean {
  return kind === 'rename' || kind === 'topic';
}

/**
 * Who may ask for what: everyone for another nickname of their own, moderators for the rest upon plain members, the
 * owner upon everyone but the owner.
 * @param target the role of whom it is done to; `null` where the kind names nobody
 */
export function mayAct(role: Role, kind: ActKind, target: Role | null): boolean {
  if (kind === 'rename') return target === null;
  if (role === 'member') return false;
  const namesSomeone = kind === 'kick' || kind === 'ban' || kind === 'mute' || kind === 'unmute';
  if (!namesSomeone) return target === null;
  return target === 'member' || (target === 'moderator' && role === 'owner');
}

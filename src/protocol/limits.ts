/**
 * Every limit of the protocol: a name, a unit in the name, and its reason.
 * `Limits` is a value, so that a test or a benchmark can lower or lift one; the product uses `LIMITS`.
 * @see docs/security.md#limits
 */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const KIB = 1_024;
const MIB = 1_024 * KIB;

export const LIMITS = {
  /** A stranger may make us hold this much; the largest honest frame before admission is JOIN. */
  frameBytesBeforeAdmission: 8 * KIB,
  /** Room for one page and its envelope. */
  frameBytesAfterAdmission: 128 * KIB,
  /** Large things travel as pages pulled one at a time, so no queue holds a whole list. */
  pageBytes: 64 * KIB,

  /** Connections that have not shown a valid HELLO, over all and from one address or IPv6 /64. */
  strangersTotal: 64,
  strangersPerAddress: 8,
  strangerMs: 20 * SECOND_MS,
  /** Connections with a valid HELLO and not yet admitted: people who are typing. */
  candidatesTotal: 256,
  candidatesPerInvitation: 64,
  /** One program comes back by one connection; a few more for a line that breaks again and again. */
  loginsPerMember: 4,
  candidateMs: 180 * SECOND_MS,
  /** With everything right and only the host's yes missing: the host may be away from the screen for a while. */
  waitingMs: 15 * MINUTE_MS,
  failedHellosPerMinute: 10,

  /** One in a million codes, three steps accepted: few enough tries that guessing stays hopeless. */
  triesPerInvitation: 5,
  answersPerRun: 3,
  /** With the code accepted a JOIN spends no try, and costs the host two signatures to check: so many nicknames. */
  joinsPerRun: 16,
  undecidedTryMs: 10 * SECOND_MS,
  /** Of an account: shorter ones are found by whoever gets hold of the host's disk, however they are made. */
  passwordCharactersLeast: 8,
  /** Someone who changes their mind; each costs the host a millisecond or two. */
  registrationsPerMemberPerMinute: 5,

  messagesPerMemberPerSecond: 20,
  messagesPerMemberBurst: 40,
  bytesPerMemberPerSecond: MIB,
  bytesPerMemberBurst: 4 * MIB,
  /** A room's rate is min(this, deliveries / members): the host's work is deliveries, not messages. */
  messagesPerRoomPerSecond: 200,
  deliveriesPerRoomPerSecond: 200_000,
  roomBurstSeconds: 2,
  wrapsPerMemberPerSecond: 128,
  /** Every other frame: a program that joins a full room pulls some hundred pages, and then hardly any. */
  framesPerMemberPerSecond: 64,
  framesPerMemberBurst: 1_024,

  /** A stalled reader may cost this much before it is cut off and resumes later. */
  outboundBytesPerMember: 4 * MIB,
  outboundFramesPerMember: 2_000,
  outboundBytesTotal: 512 * MIB,

  /** Bans kept: each costs a comparison at every JOIN. */
  bansMost: 1_024,

  membersDefault: 128,
  membersMost: 4_096,
  /** Beside the room, direct ones included: each has a log and a chain at the host, and a place in WELCOME. */
  conversationsPerMember: 64,
  /** Made by one member: nobody fills the others' places alone. */
  conversationsMadePerMember: 16,
  /** Over all members: each may hold its share of what follows. */
  conversationsTotal: 4_096,
  /** UTF-8 bytes: it stands before each line that is said in it. */
  conversationNameBytes: 32,
  /** Operations on conversations of one member: someone who arranges things by hand asks for no more. */
  conversePerMinute: 30,
  ratchetJump: 256,
  headsKept: 16_384,
  /** A quoted log position older than this is STALE: the host keeps twice as many heads. */
  quotedHeadAge: 8_192,
  nicknameCharactersLeast: 2,
  nicknameCharactersMost: 20,
  textBytes: 16_000,
  questionBytes: 400,
  roomNameBytes: 64,
  topicBytes: 400,
  motdBytes: 2_000,
  slowSecondsMost: 3_600,
  /** Messages that go sooner could not be read; what is to stay for longer stays as long as members keep it. */
  stayMsLeast: 30 * SECOND_MS,
  stayMsMost: 30 * 24 * 60 * MINUTE_MS,
  /** A timed ban or mute; what is to last longer is taken back by hand. */
  sanctionMsMost: 365 * 24 * 60 * MINUTE_MS,
  /** Someone in charge of a full room types no more; a program gone wild signs no more. */
  actsPerMemberPerMinute: 30,
  /** Acts that a nickname counts for: everyone is shown each, in whatever slow mode. */
  actsPerRename: 6,
  /** Acts taken and not signed yet, over all members: a few operations. */
  actsWaiting: 64,
  addressesPerInvitation: 4,
  invitationUsesMost: 255,
  invitationMsMost: 30 * 24 * 60 * MINUTE_MS,

  /** Half a line is noticed within a minute: two pings may be late, and what follows still takes a moment. */
  pingMs: 20 * SECOND_MS,
  deadMs: 55 * SECOND_MS,
  rosterOperationsPerSecond: 4,
  /** Everyone gets every operation: in a large room those who come or go wait up to a second for company. */
  rosterDeliveriesPerSecond: 4_000,
  guestOfflineMs: 15 * MINUTE_MS,
  absenceBatchMs: MINUTE_MS,
  /** A member whose place is kept tries so long to come back: as long as messages are kept for them. */
  savedPatienceMs: 7 * 24 * 60 * MINUTE_MS,
  /** What the host keeps for members who come back within the room's life. */
  backlogEntries: 10_000,
  backlogBytes: 64 * MIB,
  backlogMs: 7 * 24 * 60 * MINUTE_MS,
  /** Of each conversation beside the room: a room has many, and whoever makes them decides how many. */
  conversationBacklogEntries: 1_000,
  conversationBacklogBytes: MIB,
  conversationHeadsKept: 4_096,
  /** A member says what it has for good after so long, or so many entries: each ACK is a frame to the host. */
  ackMs: SECOND_MS,
  ackEntries: 64,
  /** Wraps waiting for one absent member; beyond it the oldest go and NEEDKEY asks again. */
  wrapsWaitingPerMember: 1_024,
  /** Over all members who are offline, each of whom has an equal share: about 2.7 KiB each, in memory and on disk. */
  wrapsWaitingTotal: 131_072,
  /** Wraps sent and not known to have arrived, over all members who are online: about 2 KiB each. */
  wrapsUnconfirmedTotal: 16_384,

  chainMessages: 200,
  chainMs: 60 * MINUTE_MS,
  wrapKeyMs: 60 * MINUTE_MS,
  wrapKeyOldOnConnectMs: 10 * MINUTE_MS,
  /** Old private wrap keys stay this long, for wraps already under way. */
  wrapKeyGraceMs: 10 * MINUTE_MS,
  needKeyPerAskerMs: 30 * SECOND_MS,
  needKeyPerMinute: 64,
  notPlacedMs: 10 * SECOND_MS,
  epochAheadMs: 10 * SECOND_MS,
  /** Messages typed and not yet placed; past it the person is told to wait. */
  outboxMessages: 256,
  /** Entries held while their key or epoch is being asked for. */
  heldEntries: 1_024,

  /** What one sends or takes, unless told otherwise. */
  fileBytes: 100 * MIB,
  fileBytesMost: 64 * 1_024 * MIB,
  /** Lines up, and lines down. */
  transfersPerMember: 4,
  /** Served by one member at a time: each is an entry in the host's memory. */
  offersPerMember: 64,
  /** On its way to one receiver: less than its line may hold, and what 290 Mbit/s carry in a tenth of a second. */
  transferWindowBytes: 3_584 * KIB,
  /** On their way over all receivers, in the host's memory: each new one has an equal share, and none gives back what it has. */
  transferBytesTotal: 48 * MIB,
  /** Below it, writes are too small to be fast. */
  transferShareBytesLeast: 256 * KIB,
  /** A receiver that waits for more tells of so much: less than half of the smallest share. */
  transferTakenBytes: 96 * KIB,
  /** One that is busy tells of so much at a time, and the host its sender of an eighth of a window. */
  transferTakenAtOnceBytes: 384 * KIB,
  /** A receiver that keeps others waiting for so long gets a pass of its own. */
  transferBehindMs: 2 * SECOND_MS,
  /** A line that does not move: whoever is still there asks again. */
  transferStalledMs: MINUTE_MS,
  /** Whoever serves a file is asked for it, and opens a line. */
  transferAnswerMs: 20 * SECOND_MS,
  /** Between two reports of how far a transfer is, as long as it moves. */
  transferProgressMs: SECOND_MS,
  /** As ciphertext, beside a kept room: what a host can spare without being asked. */
  depositBytesTotal: 1_024 * MIB,
  /** Of one member's: nobody fills it alone. */
  depositBytesPerMember: 256 * MIB,
  /** A smaller one counts as this: so that there are some thousand of them at most. */
  depositBytesLeast: 256 * KIB,
  /** Of the host's disk, for the room itself: one that cannot be written down is closed. */
  depositSpareBytes: 256 * MIB,
  /** One that did not get through, or for which there was no room, is tried again. */
  depositRetryMs: 10 * SECOND_MS,
  /** Of a file that nobody goes on with: as long as a host keeps messages for those who are away. */
  partialFilesMs: 7 * 24 * 60 * MINUTE_MS,

  /** Of the messages shown: as far as a person scrolls back to prove one, and 4 MiB at the most. */
  provableMessages: 256,
  /** Member lists that these quote: of 4,096 members each costs 32 KiB beside what it shares with the next. */
  provableLists: 64,
  /** A proof as text: the longest list, operation and message take some 430 KB. */
  proofFileBytes: 512 * KIB,

  /** In a folder that is offered: whoever takes it has them all in memory, and a name on the disk each. */
  folderFilesMost: 10_000,
  /** Names in a path, the file's included, and UTF-8 bytes of it all: no system's own limit is met on the way. */
  folderDepthMost: 32,
  folderPathBytes: 1_024,
  /** The list of a folder's files: 10,000 of them with paths of 370 bytes, which is long. */
  manifestBytes: 4 * MIB,
} as const;

export type Limits = { readonly [Name in keyof typeof LIMITS]: number };

/** What holds in a conversation beside the room, of which there are many: less is kept of each. */
export function conversationLimits(limits: Limits): Limits {
  const { conversationBacklogEntries, conversationBacklogBytes, conversationHeadsKept } = limits;
  return {
    ...limits,
    backlogEntries: Math.min(limits.backlogEntries, conversationBacklogEntries),
    backlogBytes: Math.min(limits.backlogBytes, conversationBacklogBytes),
    headsKept: Math.min(limits.headsKept, conversationHeadsKept),
    quotedHeadAge: Math.min(limits.quotedHeadAge, conversationHeadsKept / 2),
  };
}

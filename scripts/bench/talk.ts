/**
 * What it costs that somebody goes, and that a conversation begins: chain keys are wrapped anew, for everyone who is to
 * read the next message. Beside it a message that needs no wraps, in the same room.
 */
import { OURS, type Row, row } from './report.ts';
import { type Talked, TalkRoom } from './talk-room.ts';

export interface TalkScale {
  /** Of the room, in which it grows. */
  readonly sizes: readonly number[];
  /** At each, after one that is not counted. */
  readonly repetitions: number;
}

/** In a room of the largest size. */
const CONVERSATION_MEMBERS = 100;
/** One alone would be too short to measure. */
const ORDINARY_MESSAGES = 10;
const ORDINARY = 'ordinary message';

/** One of each, made side by side. */
interface Sample {
  readonly first: Talked;
  readonly ordinary: Talked;
}

export async function measureTalk(scale: TalkScale, progress: (text: string) => void): Promise<Row[]> {
  progress('talk: a room');
  const { sizes, repetitions } = scale;
  const room = await TalkRoom.open(Math.max(...sizes) + sizes.length * (repetitions + 1));
  try {
    const rows: Row[] = [];
    for (const size of sizes) {
      progress(`talk: removals, ${size} members`);
      rows.push(...(await measureRemovals(room, size, repetitions)));
    }
    progress(`talk: conversations of ${CONVERSATION_MEMBERS}`);
    rows.push(...(await measureConversations(room, repetitions)));
    return rows;
  } finally {
    await room.end();
  }
}

async function measureRemovals(room: TalkRoom, size: number, repetitions: number): Promise<Row[]> {
  const samples: (Sample & { readonly renewMs: number })[] = [];
  for (let repetition = 0; repetition <= repetitions; repetition += 1) {
    await room.grow(size + 1);
    await room.remove();
    const first = await room.say(1);
    const ordinary = await room.say(ORDINARY_MESSAGES);
    const renewMs = await room.renew();
    if (repetition > 0) samples.push({ first, ordinary, renewMs });
  }
  const { speakers } = room;
  const beside = new Map([
    [OURS, samples.map(({ renewMs }) => renewMs)],
    [`${speakers} ordinary messages`, samples.map(({ ordinary }) => ordinary.hostMs * speakers)],
  ]);
  return [
    ...rowsOf(`removal, ${size} members`, samples, {
      sender: "a sender's CPU for the next message",
      took: 'from saying the next message to having it back',
      sent: 'bytes sent for the next message',
      reader: "a reader's CPU for a sender's next message",
      host: "host CPU, a sender's next message",
    }),
    row(about(`removal, ${size} members: host CPU, ${speakers} senders renewing`, 'ms'), beside),
  ];
}

async function measureConversations(room: TalkRoom, repetitions: number): Promise<Row[]> {
  const samples: Sample[] = [];
  for (let repetition = 0; repetition <= repetitions; repetition += 1) {
    const ordinary = await room.say(ORDINARY_MESSAGES);
    const first = await room.converse(CONVERSATION_MEMBERS);
    if (repetition > 0) samples.push({ first, ordinary });
  }
  return rowsOf(`new conversation of ${CONVERSATION_MEMBERS} in a room of ${room.size}`, samples, {
    sender: "the sender's CPU until the first message is back",
    took: 'from making it to having the first message back',
    sent: 'bytes sent until then',
    reader: "a reader's CPU until the first message is shown",
    host: 'host CPU until everyone has it',
  });
}

function rowsOf(
  where: string,
  samples: readonly Sample[],
  texts: Readonly<Record<'sender' | 'took' | 'sent' | 'reader' | 'host', string>>,
): Row[] {
  const one = (what: string, unit: string, value: (talked: Talked) => number): Row =>
    row(
      about(`${where}: ${what}`, unit),
      new Map([
        [OURS, samples.map(({ first }) => value(first))],
        [ORDINARY, samples.map(({ ordinary }) => value(ordinary))],
      ]),
    );
  return [
    one(texts.sender, 'ms', ({ senderMs }) => senderMs),
    one(texts.took, 'ms', ({ tookMs }) => tookMs),
    one(texts.sent, 'bytes', ({ sentBytes }) => sentBytes),
    one(texts.reader, 'ms', ({ readerMs }) => readerMs),
    one(texts.host, 'ms', ({ hostMs }) => hostMs),
  ];
}

function about(what: string, unit: string): Pick<Row, 'topic' | 'what' | 'unit'> {
  return { topic: 'talk', what, unit };
}

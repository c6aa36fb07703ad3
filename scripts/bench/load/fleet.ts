/** All members of one server under test, as the load drives them. */

/** This program's host in memory, and with a kept room; the raw relay, and the IRC server. */
export type ServerName = 'host' | 'kept' | 'floor' | 'ngircd';

export type HostName = Extract<ServerName, 'host' | 'kept'>;

/** Tells one message from another, whatever the server does with it. */
export type MessageKey = number;

/** Who has to get a message before it counts as delivered. */
export type Hearers = 'everyone' | 'sender';

export interface Fleet {
  /** How many deliveries of each message are counted. */
  readonly recipients: number;
  /** Makes the messages of the next run, so that sending them costs the load next to nothing. */
  prepare(messages: number, hearers: Hearers): Promise<void>;
  /** Sends the next one that was prepared. */
  send(): MessageKey;
}

/** Enough that the busy rate stays within what one member may send, and a kept room's commits are shared. */
export const SPEAKERS_MOST = 20;
const NUMBERS_A_SPEAKER = 2 ** 20;

export function messageKey(speaker: number, number: number): MessageKey {
  return speaker * NUMBERS_A_SPEAKER + number;
}

/** Of a fleet whose speakers take turns by the key. */
export function speakerOf<Member>(members: readonly Member[], key: MessageKey): Member | undefined {
  return members[key % Math.min(SPEAKERS_MOST, members.length)];
}

/** Runs `task` for 0 to `count - 1`, at most `abreast` of them at a time. */
export async function forEach(
  count: number,
  abreast: number,
  task: (place: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: Math.min(abreast, count) }, worker));
}

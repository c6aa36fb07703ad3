/** What the host does with files, in short words, and what members ask of it: the machine alone, its shell is the test. */
import type { RosterMember } from '../../src/crypto/roster.ts';
import type { Bytes } from '../../src/protocol/bytes.ts';
import {
  Credit,
  DeclineFile,
  Fetch,
  FileProgress,
  FileWanted,
  LINE_FRAME,
  LineClosed,
  lineFrame,
  OfferFile,
  Received,
  Taken,
  Upload,
  WithdrawFile,
} from '../../src/protocol/file-frames.ts';
import { frameBody, frameType } from '../../src/protocol/framing.ts';
import { idKey, memberId } from '../../src/protocol/identifiers.ts';
import { LIMITS, type Limits } from '../../src/protocol/limits.ts';
import { SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import type { RoomEffect } from '../../src/room/effects.ts';
import type { Transfers } from '../../src/room/transfers.ts';

const START_MS = 1_000_000;
const TICK_MS = 250;

export type Done = readonly [to: number | string, what: string, ...more: (number | string)[]];

export interface Resident {
  connection: number | null;
  readonly member: RosterMember;
}

/** A host's part of files. Sessions are numbered as members are, lines from 101 on. */
export abstract class TransferHost {
  readonly residents = new Map<string, Resident>();
  readonly limits: Limits;
  nowMs = START_MS;
  abstract transfers: Transfers;
  #lines = 0;

  constructor(limits: Partial<Limits> = {}) {
    this.limits = { ...LIMITS, ...limits };
  }

  /** A member with a session. */
  member(fill: number): Resident {
    const id = memberId(new Uint8Array(16).fill(fill));
    const member = { key: idKey(id), memberId: id, nick: `member-${fill}` } as RosterMember;
    const resident = { connection: fill, member };
    this.residents.set(member.key, resident);
    return resident;
  }

  line({ member }: Resident): number {
    this.#lines += 1;
    const line = 100 + this.#lines;
    this.transfers.enter(line, member.key, this);
    return line;
  }

  offer(owner: Resident, fileId: Bytes, bytes: number, ...keepFor: readonly Resident[]): Done[] {
    const members = keepFor.map(({ member }) => member.memberId);
    return done(this.transfers.offer(owner, OfferFile.encode({ fileId, bytes, keepFor: members }), this));
  }

  withdraw(owner: Resident, fileId: Bytes): Done[] {
    return done(this.transfers.withdraw(owner, WithdrawFile.encode({ fileId }), this));
  }

  decline(member: Resident, fileId: Bytes): Done[] {
    return done(this.transfers.decline(member, DeclineFile.encode({ fileId }), this));
  }

  fetch(line: number, fileId: Bytes, fromChunk = 0): Done[] {
    return this.frame(line, lineFrame('fetch', Fetch, { fileId, fromChunk }));
  }

  upload(line: number, fileId: Bytes, pass: number): Done[] {
    return this.frame(line, lineFrame('upload', Upload, { fileId, pass }));
  }

  taken(line: number, streamBytes: number): Done[] {
    return this.frame(line, lineFrame('taken', Taken, { streamBytes }));
  }

  received(line: number): Done[] {
    return this.frame(line, lineFrame('received', Received, {}));
  }

  frame(line: number, frame: Bytes): Done[] {
    return done(this.transfers.frame(line, frame, this));
  }

  /** @returns what was done on the way there */
  pass(ms: number): Done[] {
    const all: Done[] = [];
    for (let left = ms; left > 0; left -= TICK_MS) {
      this.nowMs += Math.min(left, TICK_MS);
      all.push(...done(this.transfers.tick(this)));
    }
    return all;
  }
}

/** @throws where it is nothing of a file's */
export function done(effects: readonly RoomEffect[]): Done[] {
  return effects.map((effect): Done => {
    switch (effect.kind) {
      case 'stream':
        return [effect.connection, 'stream'];
      case 'deposit':
        return ['disk', 'keep', effect.bytes];
      case 'drop':
        return ['disk', 'drop', effect.file.slice(0, 2)];
      case 'read':
        return [effect.connection, 'read', effect.fromChunk, effect.upTo];
      case 'close':
        return effect.frame === null
          ? [effect.connection, 'cut']
          : [effect.connection, 'closed', LineClosed.decode(frameBody(effect.frame)).reason];
      case 'send':
        break;
      default:
        throw new Error(`${effect.kind} is nothing of a file's`);
    }
    const body = frameBody(effect.frame);
    switch (frameType(effect.frame)) {
      case LINE_FRAME.stream:
        return [effect.to, 'STREAM'];
      case LINE_FRAME.credit:
        return [effect.to, 'CREDIT', Credit.decode(body).upTo];
      case SESSION_FRAME.fileWanted: {
        const { pass, fromChunk } = FileWanted.decode(body);
        return [effect.to, 'WANTED', pass, fromChunk];
      }
      case SESSION_FRAME.fileProgress: {
        const { memberId: member, state, doneBytes } = FileProgress.decode(body);
        return [effect.to, 'PROGRESS', member[0] ?? 0, state, doneBytes];
      }
      default:
        throw new Error('another frame');
    }
  });
}

/**
 * Random lives of members who save now and then and whose programs end at any moment, while frames of different lines
 * overtake each other, people come and go, and keys are made anew. Nothing is lost, and nobody is alarmed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeSavedState } from '../../src/member/saved-state.ts';
import { toBase64url } from '../../src/protocol/bytes.ts';
import { idKey } from '../../src/protocol/identifiers.ts';
import { MessageHeader } from '../../src/protocol/signed-objects.ts';
import { repeated, SLOW } from '../helpers/effort.ts';
import { dsaIdentity, rsaIdentity, wrapKeys } from '../helpers/keys.ts';
import type { TestMember } from '../helpers/member.ts';
import { openRoom, type TestRoom } from '../helpers/room.ts';
import { assertKeysUsedOnce, postsOf } from '../helpers/thief.ts';

const TIMEOUT = { timeout: (SLOW ? 30 : 2) * 60_000 };
const WHO = 3;

const step = fc.record({
  do: fc.constantFrom(
    ...(['say', 'say', 'say', 'move', 'move', 'move', 'save', 'save'] as const),
    ...(['end', 'cut', 'wait', 'renew', 'company'] as const),
  ),
  who: fc.nat(999),
  much: fc.nat(20),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A run of a member's program, and where the record of it begins. */
interface Run {
  readonly member: TestMember;
  readonly from: number;
}

class Lives {
  readonly room: TestRoom;
  /** Of each member all runs, the present one last. */
  readonly runs: Run[][] = [];
  readonly #saved: Uint8Array[] = [];
  #company: TestMember | null = null;
  #count = 0;

  constructor(room: TestRoom) {
    this.room = room;
  }

  async begin(): Promise<void> {
    for (let who = 0; who < WHO; who += 1) {
      const identity = await (who === 0 ? rsaIdentity(0) : dsaIdentity(who));
      const wrapPair = await wrapKeys(who);
      const nick = `member-${'abc'[who]}`;
      const member = await this.room.join(nick, { identity, wrapPair, keeps: 'when-saved' });
      this.runs.push([{ member, from: member.session.position?.index ?? 0 }]);
      this.#saved.push(member.save());
    }
    this.room.advance(1_000);
  }

  now(who: number): TestMember {
    return this.runs[who]?.at(-1)?.member ?? assert.fail();
  }

  async take({ do: what, who: any, much }: Step): Promise<void> {
    const { room } = this;
    const who = any % WHO;
    const member = this.now(who);
    switch (what) {
      case 'say':
        this.#count += 1;
        if (member.live) member.say(`${who} ${this.#count}`);
        break;
      case 'move':
        for (let count = 0; count < much * 3; count += 1) room.stepAny(any + count * 7);
        break;
      case 'save':
        if (member.live && member.session.save() !== null) this.#saved[who] = member.save();
        break;
      case 'end':
        await this.#end(who);
        break;
      case 'cut':
        member.loseLine();
        break;
      case 'wait':
        room.clock.nowMs += much * 100;
        room.tick();
        break;
      case 'renew':
        if (member.live) member.renew(await wrapKeys((who + much) % 4));
        break;
      case 'company':
        if (this.#company === null) this.#company = await room.join('company', { crowd: true });
        else {
          this.#company.leave();
          room.advance(1_000);
          this.#company = null;
        }
        break;
    }
    this.#back();
  }

  async settle(): Promise<void> {
    for (let round = 0; round < 40; round += 1) {
      this.#back();
      this.room.advance(250);
    }
    // Once more from what was saved: what was lost would be missing now.
    for (let who = 0; who < WHO; who += 1) await this.#end(who);
    this.room.advance(5_000);
  }

  async #end(who: number): Promise<void> {
    const bytes = this.#saved[who] ?? assert.fail();
    const member = await this.room.goOn(this.now(who), bytes);
    this.runs[who]?.push({ member, from: decodeSavedState(bytes).log.index });
  }

  #back(): void {
    for (let who = 0; who < WHO; who += 1) {
      const member = this.now(who);
      if (member.outcome.kind === 'cut' && member.session.phase === 'away') member.comeBack();
    }
  }
}

/** What somebody must have shown whose record begins after this entry: their own of earlier runs as told, not shown. */
function expected(room: TestRoom, after: number): readonly { readonly id: string; readonly from: string }[] {
  const { items } = room.log.read(after, { entries: 10_000, bytes: Number.MAX_SAFE_INTEGER });
  return items.flatMap((item) => {
    if (item.form !== 'whole' || item.kind !== 'message') return [];
    const id = toBase64url(item.leaf.subarray(0, 9));
    return [{ id, from: idKey(MessageHeader.decode(item.header).memberId) }];
  });
}

test(
  'P49 programs end at any moment and go on: nothing is lost or shown twice, nobody is alarmed',
  TIMEOUT,
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }), async (steps) => {
        const room = await openRoom();
        const lives = new Lives(room);
        await lives.begin();
        for (const each of steps) await lives.take(each);
        await lives.settle();
        for (const runs of lives.runs) {
          for (const [place, { member, from }] of runs.entries()) {
            const name = `${member.session.self?.nick} run ${place} ${JSON.stringify(member.outcome)}`;
            assert.deepEqual(member.alarms, [], name);
            assert.notEqual(member.outcome.kind, 'failed', name);
            assert.ok(!member.eventsOf('closed').some(({ reason }) => reason === 'protocol'), name);
            const told = member.events.flatMap((event) =>
              event.kind === 'message' || event.kind === 'unopened'
                ? [{ id: event.id, from: event.from.key }]
                : [],
            );
            const all = expected(room, from);
            const isLast = place === runs.length - 1;
            assert.deepEqual(told, isLast ? all : all.slice(0, told.length), name);
            const unopened = member.eventsOf('unopened').filter(({ own }) => !own);
            assert.deepEqual(unopened, [], name);
            if (isLast) assert.ok(member.live, name);
          }
        }
        assertKeysUsedOnce(postsOf(lives.runs.flat().map(({ member }) => member)));
      }),
      { numRuns: repeated({ quick: 10, thorough: 25, slow: 2_000 }), seed: 28, endOnFailure: !SLOW },
    );
  },
);

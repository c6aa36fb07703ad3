/**
 * Random lives of a room: people join, leave, are removed, lose their lines, come back and talk, change their names, are
 * put in charge and use it, are muted and slowed down, while frames of different lines overtake each other. Whatever happens, everyone shows the same conversation and nobody is alarmed.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import type { WrapKeyPair } from '../../src/crypto/key-wrap.ts';
import type { SigningKey } from '../../src/crypto/signature.ts';
import type { ActRequest } from '../../src/protocol/acts.ts';
import { toBase64url } from '../../src/protocol/bytes.ts';
import { InputError } from '../../src/protocol/errors.ts';
import { MessageHeader, RosterOperation } from '../../src/protocol/signed-objects.ts';
import { repeated, SLOW } from '../helpers/effort.ts';
import { dsaIdentity, rsaIdentity, wrapKeys } from '../helpers/keys.ts';
import type { TestMember } from '../helpers/member.ts';
import { openRoom, type TestRoom } from '../helpers/room.ts';
import { assertKeysUsedOnce, postsOf } from '../helpers/thief.ts';

const MEMBERS_MOST = 6;
const TIMEOUT = { timeout: (SLOW ? 30 : 2) * 60_000 };

const identities: SigningKey[] = [];
const pairs: WrapKeyPair[] = [];

before(async () => {
  for (let place = 0; place < MEMBERS_MOST; place += 1) {
    identities.push(await (place % 2 === 0 ? rsaIdentity(place / 2) : dsaIdentity(place)));
    pairs.push(await wrapKeys(place % 4));
  }
});

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('join' as const), who: fc.nat(5), much: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), who: fc.nat(5), much: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kick' as const), who: fc.nat(5), much: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cut' as const), who: fc.nat(5), much: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('drop' as const), who: fc.nat(5), much: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('back' as const), who: fc.nat(5), much: fc.nat(9) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('say' as const), who: fc.nat(5), much: fc.nat(9) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('rename' as const), who: fc.nat(5), much: fc.nat(9) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('role' as const), who: fc.nat(5), much: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('mute' as const), who: fc.nat(5), much: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('slow' as const), who: fc.nat(5), much: fc.nat(9) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('act' as const), who: fc.nat(5), much: fc.nat(99) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('renew' as const), who: fc.nat(5), much: fc.nat(9) }) },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('move' as const), who: fc.nat(999), much: fc.nat(20) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('wait' as const), who: fc.nat(999), much: fc.nat(9) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

class Life {
  readonly room: TestRoom;
  /** Who holds each identity now; `null`: outside. */
  readonly #present: (TestMember | null)[] = Array.from({ length: MEMBERS_MOST }, () => null);
  readonly everyone: TestMember[] = [];
  readonly said = new Map<TestMember, string[]>();
  #count = 0;

  constructor(room: TestRoom) {
    this.room = room;
  }

  async take({ do: what, who, much }: Step): Promise<void> {
    const { room } = this;
    const member = this.#present[who % MEMBERS_MOST] ?? null;
    switch (what) {
      case 'join':
        if (member === null && !this.#listed(who)) await this.#join(who);
        break;
      case 'leave':
        if (member?.live) member.leave();
        break;
      case 'kick':
        if (member !== null) room.perform(room.room.remove(member.key, room.clock.moment));
        break;
      case 'cut':
        if (member?.outcome.kind === 'in') member.loseLine();
        break;
      case 'drop':
        // Only the member notices: for the host the old line lives on, and what is under way to it arrives.
        if (member?.outcome.kind === 'in' && member.session.phase !== 'over') {
          member.session.disconnected();
          member.comeBack();
        }
        break;
      case 'back':
        if (member !== null) this.#back(member);
        break;
      case 'say':
        if (member !== null) for (let count = 0; count <= much % 3; count += 1) this.#say(member);
        break;
      case 'rename':
        // Few names for many people: some are refused.
        if (member !== null) this.#act(member, { kind: 'rename', nick: `${'abcdef'[much % 4]}-r` });
        break;
      case 'role':
        if (member !== null)
          room.perform(
            room.room.setRole(member.key, much % 3 === 0 ? 'member' : 'moderator', room.clock.moment),
          );
        break;
      case 'mute':
        if (member !== null) room.perform(room.room.mute(member.key, 1 + much * 500, room.clock.moment));
        break;
      case 'slow':
        room.perform(room.room.change({ slowSeconds: much % 3 }, room.clock.moment));
        break;
      case 'act':
        if (member !== null) this.#act(member, this.#request(much));
        break;
      case 'renew':
        if (member?.live) member.renew(pairs[(who + 1) % pairs.length] ?? assert.fail());
        break;
      case 'move':
        for (let count = 0; count < much * 3; count += 1) room.stepAny(who + count * 7);
        break;
      case 'wait':
        this.#pass(1 + (much < 8 ? much * 40 : much * 2_000));
        break;
    }
    this.#sweep();
  }

  /** Everyone comes back, and everything under way arrives. */
  settle(): void {
    this.room.perform(this.room.room.change({ slowSeconds: 0 }, this.room.clock.moment));
    for (let round = 0; round < 40; round += 1) {
      for (const member of this.#present) if (member !== null) this.#back(member);
      this.#sweep();
      this.room.advance(250);
    }
    this.room.advance(40_000);
    this.#sweep();
  }

  get present(): readonly TestMember[] {
    return this.#present.filter((member) => member !== null);
  }

  #listed(who: number): boolean {
    const key = identities[who]?.memberId;
    return this.room.room.members.some(
      ({ memberId }) => key !== undefined && Buffer.compare(memberId, key) === 0,
    );
  }

  async #join(who: number): Promise<void> {
    this.#count += 1;
    const [identity, wrapPair] = [identities[who], pairs[who]];
    assert.ok(identity && wrapPair);
    const member = await this.room.person(`${'abcdef'[who]}-${this.#count}`, { identity, wrapPair });
    member.knock(this.room.invite());
    this.#present[who] = member;
    this.everyone.push(member);
    this.said.set(member, []);
  }

  #back(member: TestMember): void {
    if (member.outcome.kind !== 'cut' || member.session.phase !== 'away') return;
    if (member.session.login === null) this.#present[this.#present.indexOf(member)] = null;
    else member.comeBack();
  }

  #say(member: TestMember): void {
    if (member.session.login === null || member.session.phase === 'over') return;
    const said = this.said.get(member);
    const text = `${member.key.slice(0, 6)} ${this.#count} ${said?.length}`;
    if (refusalOf(() => member.say(text)) === null) said?.push(text);
  }

  /** Whoever may not do it is told so, here or by the host. */
  #act(member: TestMember, request: ActRequest): void {
    refusalOf(() => member.act(request));
  }

  #request(much: number): ActRequest {
    const kinds = ['kick', 'mute', 'unmute', 'topic', 'slow', 'ban', 'lock', 'unlock'] as const;
    const kind = kinds[much % kinds.length] ?? 'topic';
    const target = identities[much % MEMBERS_MOST]?.memberId ?? assert.fail();
    switch (kind) {
      case 'kick':
      case 'unmute':
        return { kind, member: target };
      case 'ban':
      case 'mute':
        return { kind, member: target, seconds: much % 5 };
      case 'topic':
        return { kind, text: `topic ${much % 4}` };
      case 'slow':
        return { kind, seconds: much % 3 };
      case 'lock':
      case 'unlock':
        return { kind };
    }
  }

  #pass(ms: number): void {
    const { room } = this;
    room.clock.nowMs += ms;
    room.perform(room.room.tick(room.clock.moment));
    for (const member of this.everyone) member.tick();
  }

  /** Who is out for good makes room, and wrap keys that are due are made. */
  #sweep(): void {
    this.#present.forEach((member, who) => {
      if (member === null) return;
      if (member.session.phase === 'over' || member.outcome.kind === 'refused') this.#present[who] = null;
      else if (member.wantsWrapKeys) member.renew(pairs[(who + 2) % pairs.length] ?? assert.fail());
    });
  }
}

/** Runs what a person may be refused. @returns why */
function refusalOf(step: () => void): string | null {
  try {
    step();
    return null;
  } catch (error) {
    if (error instanceof InputError) return error.code;
    throw error;
  }
}

/** How many messages a member was told will not be sent. */
function takenBack(member: TestMember): number {
  return member.eventsOf('notice').reduce((sum, { code, text }) => {
    if (code !== 'muted') return sum;
    return sum + 1 + Number(/ and (\d+) more$/.exec(text)?.[1] ?? 0);
  }, 0);
}

/** Whether all of `part` are in `whole`, in this order. */
function isWithin(part: readonly string[], whole: readonly string[]): boolean {
  let next = 0;
  for (const each of whole) if (each === part[next]) next += 1;
  return next === part.length;
}

/** What a member must have shown: what was placed since they came, sealed for a list that names them. */
function expectedIds(room: TestRoom, member: TestMember): readonly string[] {
  const { firstWelcome } = member;
  if (firstWelcome === null) return [];
  const after = firstWelcome.positions[0]?.index ?? assert.fail();
  const { epoch } = RosterOperation.decode(firstWelcome.operation.bytes);
  const { items } = room.log.read(after, { entries: 10_000, bytes: Number.MAX_SAFE_INTEGER });
  return items.flatMap((item) => {
    if (item.form !== 'whole' || item.kind !== 'message') return [];
    return MessageHeader.decode(item.header).epoch < epoch ? [] : [toBase64url(item.leaf.subarray(0, 9))];
  });
}

test(
  'P49 whatever happens, everyone shows the same conversation and nobody is alarmed',
  TIMEOUT,
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }), async (steps) => {
        const room = await openRoom();
        const life = new Life(room);
        for (const who of [0, 1, 2]) await life.take({ do: 'join', who, much: 0 });
        room.advance(1_000);
        for (const each of steps) await life.take(each);
        life.settle();
        const texts = new Map<string, string>();
        for (const member of life.everyone) {
          for (const { own, id, text } of member.messages) if (own) texts.set(id, text);
        }
        for (const member of life.everyone) {
          const name = `${member.session.self?.nick ?? member.key} ${JSON.stringify(member.outcome)}`;
          assert.deepEqual(member.alarms, [], name);
          assert.notEqual(member.outcome.kind, 'failed', name);
          assert.ok(!member.eventsOf('closed').some(({ reason }) => reason === 'protocol'), name);
          const shown = member.messages.map(({ id }) => id);
          const expected = expectedIds(room, member);
          const present = life.present.includes(member) && member.live;
          assert.deepEqual(shown, present ? expected : expected.slice(0, shown.length), name);
          for (const { id, text } of member.messages) assert.equal(text, texts.get(id) ?? text, name);
          if (!present) continue;
          const said = life.said.get(member) ?? [];
          const placed = member.messages.filter(({ own }) => own).map(({ text }) => text);
          assert.ok(isWithin(placed, said), `${name}: what was said is placed once, in order`);
          assert.equal(placed.length + takenBack(member), said.length, `${name}: or told not to be sent`);
          assert.deepEqual(
            member.session.members.map((listed) => toBase64url(listed.member.encoded)),
            room.room.members.map(({ encoded }) => toBase64url(encoded)),
            name,
          );
          assert.deepEqual(member.session.settings, room.room.settings, name);
        }
        assert.deepEqual(
          life.present.filter((member) => !member.live).map((member) => member.outcome),
          [],
        );
        assertKeysUsedOnce(postsOf(life.everyone));
      }),
      { numRuns: repeated({ quick: 50, thorough: 150, slow: 3_000 }), seed: 49 },
    );
  },
);

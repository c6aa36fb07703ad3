/**
 * Random lives of a room: people join, leave, are removed, lose their lines, come back and talk, while frames of
 * different lines overtake each other. Whatever happens, everyone shows the same conversation and nobody is alarmed.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import type { WrapKeyPair } from '../../src/crypto/key-wrap.ts';
import type { SigningKey } from '../../src/crypto/signature.ts';
import { toBase64url } from '../../src/protocol/bytes.ts';
import { MessageHeader, RosterOperation } from '../../src/protocol/signed-objects.ts';
import { dsaIdentity, rsaIdentity, wrapKeys } from '../helpers/keys.ts';
import type { TestMember } from '../helpers/member.ts';
import { openRoom, type TestRoom } from '../helpers/room.ts';
import { assertKeysUsedOnce, postsOf } from '../helpers/thief.ts';

const MEMBERS_MOST = 6;
const SLOW = process.env['SLOW'] === '1';
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
    said?.push(text);
    member.say(text);
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

test('whatever happens, everyone shows the same conversation and nobody is alarmed', TIMEOUT, async () => {
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
        assert.deepEqual(
          member.messages.filter(({ own }) => own).map(({ text }) => text),
          life.said.get(member),
          `${name}: what was said is placed once, in order`,
        );
        assert.deepEqual(
          member.session.members.map((listed) => listed.member.key),
          room.room.members.map(({ key }) => key),
          name,
        );
      }
      assert.deepEqual(
        life.present.filter((member) => !member.live).map((member) => member.outcome),
        [],
      );
      assertKeysUsedOnce(postsOf(life.everyone));
    }),
    { numRuns: SLOW ? 3_000 : 150, seed: 49 },
  );
});

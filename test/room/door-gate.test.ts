import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LIMITS } from '../../src/protocol/limits.ts';
import { DoorGate } from '../../src/room/door-gate.ts';

/** One address of each of `count` different networks, from `firstId` on. */
function arriveFromEverywhere(gate: DoorGate, firstId: number, count: number, nowMs = 0): void {
  for (let id = firstId; id < firstId + count; id += 1) {
    assert.deepEqual(gate.arrive(id, `10.0.${id >> 8}.${id & 255}`, nowMs), { refuse: false });
  }
}

const join = (key: string) => ({ kind: 'join', key }) as const;
const login = (key: string) => ({ kind: 'login', key }) as const;

describe('strangers', () => {
  const eightOf: readonly { name: string; address(index: number): string; ninth: string; other: string }[] = [
    { name: 'an IPv4 address', address: () => '192.0.2.1', ninth: '192.0.2.1', other: '192.0.2.2' },
    {
      name: 'an IPv4 address seen through IPv6',
      address: () => '::ffff:192.0.2.1',
      ninth: '192.0.2.1',
      other: '::ffff:192.0.2.2',
    },
    {
      name: 'an IPv6 /64',
      address: (index) => `2001:db8:0:1:${index}::1`,
      ninth: '2001:0DB8:0:1::',
      other: '2001:db8:0:2::1',
    },
    {
      name: 'an IPv6 /64 with zeros left out before its end',
      address: (index) => `2001:db8::1:0:0:${index}`,
      ninth: '2001:db8:0:0:5::',
      other: '2001:db8:0:1::',
    },
    {
      name: 'an IPv6 link-local network with a zone',
      address: (index) => `fe80::${index}%eth0`,
      ninth: 'fe80::99%eth0',
      other: '2001:db8::1',
    },
  ];
  for (const { name, address, ninth, other } of eightOf) {
    test(`eight from ${name}, and no more`, () => {
      const gate = new DoorGate();
      for (let id = 0; id < 8; id += 1) assert.deepEqual(gate.arrive(id, address(id), 0), { refuse: false });
      assert.deepEqual(gate.arrive(8, ninth, 0), { refuse: true });
      assert.deepEqual(gate.arrive(9, other, 0), { refuse: false });
      gate.left(0);
      assert.deepEqual(gate.arrive(10, ninth, 0), { refuse: false });
    });
  }

  test('loopback counts only toward the total, with its oldest going first', () => {
    const gate = new DoorGate();
    const spellings = ['127.0.0.1', '::1', '127.9.9.9', '::ffff:127.0.0.1'];
    for (let id = 0; id < 64; id += 1) {
      assert.deepEqual(gate.arrive(id, spellings[id % 4] ?? '', 0), { refuse: false });
    }
    assert.deepEqual(gate.arrive(64, '192.0.2.1', 0), { refuse: false, evict: 0 });
    assert.deepEqual(gate.arrive(65, '127.0.0.1', 0), { refuse: false, evict: 1 });
  });

  test('when full, the oldest of the most crowded address goes', () => {
    const gate = new DoorGate();
    arriveFromEverywhere(gate, 0, 61);
    gate.arrive(61, '192.0.2.1', 0);
    gate.arrive(62, '192.0.2.1', 0);
    gate.arrive(63, '192.0.2.2', 0);
    assert.deepEqual(gate.arrive(64, '192.0.2.9', 0), { refuse: false, evict: 61 });
    assert.deepEqual(gate.arrive(65, '192.0.2.9', 0), { refuse: false, evict: 64 });
    assert.deepEqual(gate.arrive(66, '192.0.2.10', 0), { refuse: false, evict: 0 });
  });

  test('ten thousand of them evict no candidate and nobody inside', () => {
    const gate = new DoorGate();
    gate.arrive(1, '192.0.2.1', 0);
    gate.arrive(2, '192.0.2.2', 0);
    assert.ok(gate.promoted(1, join('invitation')));
    assert.ok(gate.promoted(2, join('invitation')));
    gate.left(2);
    let evicted = 0;
    for (let id = 10; id < 10_010; id += 1) {
      const { evict } = gate.arrive(id, `198.51.${id >> 8}.${id & 255}`, 0);
      if (evict === undefined) continue;
      evicted += 1;
      assert.ok(evict >= 10);
    }
    assert.equal(evicted, 10_000 - LIMITS.strangersTotal);
  });

  test('have twenty seconds, candidates a hundred and eighty, admitted members no end', () => {
    const gate = new DoorGate();
    gate.arrive(1, '192.0.2.1', 0);
    gate.arrive(2, '192.0.2.2', 0);
    gate.arrive(3, '192.0.2.3', 0);
    gate.promoted(2, join('invitation'));
    gate.promoted(3, join('invitation'));
    gate.left(3);
    assert.deepEqual(gate.dueEvictions(19_999), []);
    assert.deepEqual(gate.dueEvictions(20_000), [1]);
    gate.left(1);
    assert.deepEqual(gate.dueEvictions(179_999), []);
    assert.deepEqual(gate.dueEvictions(180_000), [2]);
  });
});

describe('candidates', () => {
  test('are at most 64 an invitation', () => {
    const gate = new DoorGate();
    for (let id = 0; id < 65; id += 1) {
      gate.arrive(id, '127.0.0.1', 0);
      assert.equal(gate.promoted(id, join('first')), id < 64);
    }
    assert.ok(gate.promoted(64, join('second')), 'another invitation has room');
    gate.left(0);
    gate.arrive(65, '127.0.0.1', 0);
    assert.ok(gate.promoted(65, join('first')));
  });

  test('are at most 256 in all', () => {
    const gate = new DoorGate();
    for (let id = 0; id < 257; id += 1) {
      gate.arrive(id, '127.0.0.1', 0);
      assert.equal(gate.promoted(id, join(`invitation ${id % 8}`)), id < 256);
    }
  });

  describe('one address that fills the places', () => {
    const HOLDER = '192.0.2.1';
    /** As many as there is room for, all from one address. */
    function filled(): DoorGate {
      const gate = new DoorGate({ ...LIMITS, strangersPerAddress: 1_000 });
      for (let id = 0; id < LIMITS.candidatesPerInvitation; id += 1) {
        gate.arrive(id, HOLDER, 0);
        assert.ok(gate.promoted(id, join('first')));
      }
      return gate;
    }
    function knock(gate: DoorGate, id: number, address: string, invitation = 'first'): boolean {
      gate.arrive(id, address, 0);
      return gate.promoted(id, join(invitation));
    }

    test('makes room for others, the longest-standing first', () => {
      const gate = filled();
      assert.ok(knock(gate, 100, '198.51.100.1'));
      assert.ok(knock(gate, 101, '198.51.100.2'));
      assert.deepEqual(gate.crowdedOut(), [0, 1]);
      gate.left(0);
      gate.left(1);
      assert.deepEqual(gate.crowdedOut(), []);
    });

    test('gets no further place itself, as nobody does where all come from one address', () => {
      const gate = filled();
      assert.equal(knock(gate, 100, HOLDER), false);
      assert.deepEqual(gate.crowdedOut(), []);
    });

    test('keeps those who have proved the answer', () => {
      const gate = filled();
      for (let id = 0; id < LIMITS.candidatesPerInvitation; id += 1) if (id !== 7) gate.proved(id);
      assert.ok(knock(gate, 100, '198.51.100.1'));
      assert.deepEqual(gate.crowdedOut(), [7]);
      assert.equal(knock(gate, 101, '198.51.100.2'), false);
    });

    test('loses nobody who got everything right in the moment that they were to make room', () => {
      const gate = filled();
      assert.ok(knock(gate, 100, '198.51.100.1'));
      gate.judged(0);
      assert.deepEqual(gate.crowdedOut(), []);
    });

    test('cannot fill the door with several invitations either', () => {
      const gate = new DoorGate({ ...LIMITS, strangersPerAddress: 1_000 });
      for (let id = 0; id < LIMITS.candidatesTotal; id += 1)
        assert.ok(knock(gate, id, HOLDER, `invitation ${id % 4}`));
      assert.ok(knock(gate, 1_000, '198.51.100.1', 'another'));
      gate.arrive(1_001, '198.51.100.2', 0);
      assert.ok(gate.promoted(1_001, login('ann')), 'and members come back');
      assert.deepEqual(gate.crowdedOut(), [0, 1]);
    });

    test('of two crowds the larger one makes room, and people from everywhere none', () => {
      const gate = new DoorGate({ ...LIMITS, strangersPerAddress: 1_000, candidatesPerInvitation: 6 });
      for (const [id, address] of [
        '10.0.0.1',
        '10.0.0.1',
        '10.0.0.2',
        '10.0.0.2',
        '10.0.0.2',
        '10.0.0.3',
      ].entries())
        assert.ok(knock(gate, id, address));
      assert.ok(knock(gate, 10, '10.0.0.4'));
      assert.deepEqual(gate.crowdedOut(), [2]);
      const spread = new DoorGate({ ...LIMITS, candidatesPerInvitation: 3 });
      for (let id = 0; id < 3; id += 1) assert.ok(knock(spread, id, `10.0.1.${id}`));
      assert.equal(knock(spread, 10, '10.0.2.1'), false);
    });
  });

  test('with everything right have no time limit here, and make room for nobody', () => {
    const gate = new DoorGate({ ...LIMITS, candidatesPerInvitation: 2 });
    for (let id = 0; id < 2; id += 1) {
      gate.arrive(id, '192.0.2.1', 0);
      assert.ok(gate.promoted(id, join('first')));
      gate.judged(id);
    }
    gate.arrive(2, '198.51.100.1', 0);
    assert.equal(gate.promoted(2, join('first')), false);
    assert.deepEqual(gate.crowdedOut(), []);
    assert.deepEqual(gate.dueEvictions(LIMITS.waitingMs * 10), [2]);
  });

  test('an unknown or evicted connection cannot become one', () => {
    const gate = new DoorGate();
    arriveFromEverywhere(gate, 0, 64);
    assert.deepEqual(gate.arrive(64, '192.0.2.1', 0), { refuse: false, evict: 0 });
    assert.equal(gate.promoted(0, join('invitation')), false);
    assert.equal(gate.promoted(999, join('invitation')), false);
  });
});

describe('failed HELLOs', () => {
  test('ten within a minute shut the door to that address until the first is a minute old', () => {
    const gate = new DoorGate();
    for (let count = 0; count < 10; count += 1) {
      assert.deepEqual(gate.arrive(count, '192.0.2.1', count * 1_000), { refuse: false });
      gate.failedHello('192.0.2.1', count * 1_000);
      gate.left(count);
    }
    assert.deepEqual(gate.arrive(10, '192.0.2.1', 59_999), { refuse: true });
    assert.deepEqual(gate.arrive(11, '192.0.2.2', 59_999), { refuse: false });
    assert.deepEqual(gate.arrive(12, '192.0.2.1', 60_000), { refuse: false });
    gate.failedHello('192.0.2.1', 60_000);
    assert.deepEqual(gate.arrive(13, '192.0.2.1', 60_001), { refuse: true });
  });

  test('are not held against loopback', () => {
    const gate = new DoorGate();
    for (let count = 0; count < 20; count += 1) gate.failedHello('::1', 0);
    assert.deepEqual(gate.arrive(1, '127.0.0.1', 0), { refuse: false });
  });
});

test('a member who comes back takes few places, and none from another member', () => {
  const gate = new DoorGate();
  for (let id = 0; id < 5; id += 1) gate.arrive(id, '192.0.2.1', 0);
  for (let id = 0; id < 5; id += 1)
    assert.equal(gate.promoted(id, login('ann')), id < LIMITS.loginsPerMember);
  gate.arrive(9, '192.0.2.2', 0);
  assert.ok(gate.promoted(9, login('bob')));
  // Nobody types at a login: its time is a stranger's.
  assert.deepEqual(gate.dueEvictions(LIMITS.strangerMs - 1), []);
  assert.deepEqual(gate.dueEvictions(LIMITS.strangerMs), [0, 1, 2, 3, 4, 9]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '../../src/crypto/hash.ts';
import { type RosterMember, rosterMember } from '../../src/crypto/roster.ts';
import { u32 } from '../../src/protocol/bytes.ts';
import { frameBody } from '../../src/protocol/framing.ts';
import { ListPage, PRESENCE_BYTES, PresenceNow } from '../../src/protocol/session-frames.ts';
import { decodeRosterEntries } from '../../src/protocol/signed-objects.ts';
import { ListPages } from '../../src/room/list-pages.ts';

const MEMBERS: readonly RosterMember[] = Array.from({ length: 30 }, (_, place) =>
  rosterMember({
    identity: sha256(u32(place)),
    nick: `member${place}`,
    role: 'member',
    algorithm: 'rsa',
    muted: false,
  }),
);
const PAGE_BYTES = 500;
const HERE: PresenceNow = { state: 'online', seenMinute: 0 };
const GONE: PresenceNow = { state: 'offline', seenMinute: 29_000_000 };

test('pages that follow one another hold the whole list, in its order', () => {
  const pages = new ListPages(PAGE_BYTES, () => HERE);
  const nicks: string[] = [];
  for (let from = 0; from < MEMBERS.length; ) {
    const { frame, next } = pages.page(MEMBERS, from);
    const page = ListPage.decode(frameBody(frame));
    assert.deepEqual([page.from, page.total, page.from + page.count], [from, MEMBERS.length, next]);
    assert.ok(page.entries.length + page.presence.length <= PAGE_BYTES);
    nicks.push(...decodeRosterEntries(page.entries, page.count).map(({ nick }) => nick));
    from = next;
  }
  assert.deepEqual(
    nicks,
    MEMBERS.map(({ nick }) => nick),
  );
});

test('a page is made once until someone comes or goes, or the list changes', () => {
  let gone = '';
  const pages = new ListPages(PAGE_BYTES, ({ nick }) => (nick === gone ? GONE : HERE));
  const first = pages.page(MEMBERS, 0);
  const second = pages.page(MEMBERS, first.next);
  assert.equal(pages.page(MEMBERS, 0), first);
  assert.equal(pages.page(MEMBERS, first.next), second);

  gone = 'member1';
  pages.presenceChanged();
  const { count, presence } = ListPage.decode(frameBody(pages.page(MEMBERS, 0).frame));
  assert.equal(presence.length, count * PRESENCE_BYTES);
  const shown = [0, 1, 2].map((place) =>
    PresenceNow.decode(presence.subarray(place * PRESENCE_BYTES, (place + 1) * PRESENCE_BYTES)),
  );
  assert.deepEqual(
    shown.map((each) => ({ ...each })),
    [HERE, GONE, HERE],
  );
  assert.notEqual(pages.page(MEMBERS.slice(), 0), first);
});

test('a page that begins where none ended is served and not kept', () => {
  const pages = new ListPages(PAGE_BYTES, () => HERE);
  const { next } = pages.page(MEMBERS, 0);
  const odd = pages.page(MEMBERS, next - 1);
  assert.equal(ListPage.decode(frameBody(odd.frame)).from, next - 1);
  assert.notEqual(pages.page(MEMBERS, next - 1), odd);
  const beyond = ListPage.decode(frameBody(pages.page(MEMBERS, 40_000).frame));
  assert.deepEqual([beyond.count, beyond.total], [0, MEMBERS.length]);
});

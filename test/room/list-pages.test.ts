import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '../../src/crypto/hash.ts';
import { type RosterMember, rosterMember } from '../../src/crypto/roster.ts';
import { u32 } from '../../src/protocol/bytes.ts';
import { frameBody } from '../../src/protocol/framing.ts';
import { ListPage } from '../../src/protocol/session-frames.ts';
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

test('pages that follow one another hold the whole list, in its order', () => {
  const pages = new ListPages(PAGE_BYTES, () => true);
  const nicks: string[] = [];
  for (let from = 0; from < MEMBERS.length; ) {
    const { frame, next } = pages.page(MEMBERS, from);
    const page = ListPage.decode(frameBody(frame));
    assert.deepEqual([page.from, page.total, page.from + page.count], [from, MEMBERS.length, next]);
    assert.ok(page.entries.length <= PAGE_BYTES);
    nicks.push(...decodeRosterEntries(page.entries, page.count).map(({ nick }) => nick));
    from = next;
  }
  assert.deepEqual(
    nicks,
    MEMBERS.map(({ nick }) => nick),
  );
});

test('a page is made once until someone comes or goes or the list changes', () => {
  let away = '';
  const pages = new ListPages(PAGE_BYTES, ({ nick }) => nick !== away);
  const first = pages.page(MEMBERS, 0);
  const second = pages.page(MEMBERS, first.next);
  assert.equal(pages.page(MEMBERS, 0), first);
  assert.equal(pages.page(MEMBERS, first.next), second);

  away = 'member1';
  pages.presenceChanged();
  const { online } = ListPage.decode(frameBody(pages.page(MEMBERS, 0).frame));
  assert.equal((online[0] ?? 0) >> 5, 0b101);
  assert.notEqual(pages.page(MEMBERS.slice(), 0), first);
});

test('a page that begins where none ended is served and not kept', () => {
  const pages = new ListPages(PAGE_BYTES, () => true);
  const { next } = pages.page(MEMBERS, 0);
  const odd = pages.page(MEMBERS, next - 1);
  assert.equal(ListPage.decode(frameBody(odd.frame)).from, next - 1);
  assert.notEqual(pages.page(MEMBERS, next - 1), odd);
  const beyond = ListPage.decode(frameBody(pages.page(MEMBERS, 40_000).frame));
  assert.deepEqual([beyond.count, beyond.total], [0, MEMBERS.length]);
});

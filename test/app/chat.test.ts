/** A person in a room, over a real one: who may do what to whom, what comes of it, what they are told, and how they go. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { Chat, type QuitReason } from '../../src/app/chat.ts';
import type { Front, Status } from '../../src/app/front/front.ts';
import { checkProof } from '../../src/crypto/proof.ts';
import { idReference } from '../../src/protocol/content.ts';
import { parseProof } from '../../src/protocol/proof-text.ts';
import { PLAIN_ROOM } from '../../src/protocol/room-settings.ts';
import type { DisplayCall } from '../../src/terminal/commands/calls.ts';
import type { JsonEvent } from '../../src/terminal/json-lines.ts';
import { type Company, company } from '../helpers/company.ts';
import { handOn } from '../helpers/host-controls.ts';
import { dsaIdentity } from '../helpers/keys.ts';
import type { TestMember } from '../helpers/member.ts';
import { openRoom, type TestRoom } from '../helpers/room.ts';

type Place = 'host' | 'relaying host' | 'guest';

/** A person's chat; `member` is `null` for a host that only relays. */
function sit(room: TestRoom, member: TestMember | null, place: Place = 'guest') {
  const told: JsonEvent[] = [];
  const displayed: DisplayCall[] = [];
  const quits: QuitReason[] = [];
  const codes: string[] = [];
  let status: Status | null = null;
  let hurried = false;
  const front: Front = {
    emit: (event) => told.push(event),
    ask: () => assert.fail('nothing is asked'),
    readLine: () => assert.fail('nothing is read'),
    listen: () => assert.fail('the shell does that'),
    setStatus(next) {
      status = next;
    },
    setFiles() {},
    display: (call) => displayed.push(call),
    // As programs do: by id.
    messageCalled: (name) => (idReference(name) === null ? null : name),
    get latestOfOthers() {
      const others = told.flatMap((event) => (event.type === 'message' && !event.own ? [event.id] : []));
      return others.at(-1) ?? null;
    },
    copy: () => false,
    showQr: (text) => codes.push(text),
    showPicture: async () => {},
    onGone() {},
    close() {},
  };
  const hand = handOn(room, told);
  const membership = member && {
    ...member.asMembership,
    hurry() {
      hurried = true;
    },
  };
  const chat = new Chat({
    front,
    membership,
    host: place === 'guest' ? null : hand.controls,
    roomId: room.id,
    roomName: 'test room',
    ownerFingerprint: room.ownerFingerprint,
    keeps: 'nothing',
    onQuit: (how) => quits.push(how),
  });
  /** What a line leads to once it went through the room: what this person is told at once. */
  const give = (line: string): string => {
    chat.command(line);
    const texts = hand.texts().join('\n');
    room.advance(1_000);
    return texts;
  };
  const texts = () => hand.texts();
  return { chat, told, displayed, quits, codes, give, texts, status: () => status, hurried: () => hurried };
}

async function everyone() {
  const all = await company();
  const { room, olga, mona, ann } = all;
  return { ...all, host: sit(room, olga, 'host'), moderator: sit(room, mona), guest: sit(room, ann) };
}

function nicks(room: TestRoom): readonly string[] {
  return room.room.members.map(({ nick }) => nick).sort();
}

function entryOf({ room }: Company, nick: string) {
  return room.room.members.find((member) => member.nick === nick);
}

describe('who may do what', () => {
  test('a plain member keeps no order, and is told whose business it is', async () => {
    const { room, guest } = await everyone();
    for (const line of ['/kick ben', '/ban ben', '/mute ben', '/unmute ben', '/unban zoe', '/slow 30'])
      assert.match(guest.give(line), /^not-allowed: \/\w+ is for moderators and the host\.$/, line);
    for (const line of ['/lock', '/unlock', '/topic tea']) assert.match(guest.give(line), /^not-allowed: /);
    for (const line of ['/op ben', '/approve on', '/code', '/invite', '/motd tea'])
      assert.match(guest.give(line), /^host-only: \/\w+( TEXT)? is for the host\.$/, line);
    assert.equal(nicks(room).length, 5);
    assert.deepEqual({ ...room.room.settings }, PLAIN_ROOM);
  });

  test('everyone on the list is shown the same words and digits, others after each change of it', async () => {
    const { room, host, moderator, guest } = await everyone();
    const relaying = sit(room, null, 'relaying host');
    const people = [host, moderator, guest, relaying];
    const checks = (): readonly string[] =>
      people.map(
        (person) => /^(?:[a-z]+ ){3}[a-z]+(?:\n.*)*/m.exec(person.give('/room'))?.[0] ?? assert.fail(),
      );
    const [first, ...others] = checks();
    assert.match(
      first ?? '',
      /^(?:(?:[a-z]+ ){3}[a-z]+\n){4}(?:(?:\d{5} ){3}\d{5}\n){2}If everyone on the list is there/,
    );
    assert.ok(others.every((each) => each === first));
    host.give('/policy edits off');
    const [next, ...rest] = checks();
    assert.ok(rest.every((each) => each === next));
    assert.notEqual(next, first);
  });

  test('everyone reads the policy, and the host alone sets it', async () => {
    const { host, moderator, guest } = await everyone();
    const usual = [
      'Messages stay as long as members keep them.',
      'What was said may be changed or taken back later.',
      'Senders may be told what has been read.',
    ];
    for (const person of [host, moderator, guest]) assert.equal(person.give('/policy'), usual.join('\n'));
    for (const person of [moderator, guest])
      assert.match(person.give('/policy stay 1h'), /^host-only: \/policy stay, .* is for the host\.$/);
    for (const line of ['/policy stay 1h', '/policy edits off', '/policy receipts off'])
      assert.equal(host.give(line), '');
    assert.equal(
      guest.give('/policy'),
      [
        'Messages disappear after 1h.',
        'Nothing that was said may be changed or taken back.',
        'Nobody is told what has been read.',
        'The host and the programs of all members let go of them then. What a terminal has shown stays in its scrollback, and what somebody copied is theirs.',
      ].join('\n'),
    );
    assert.match(
      guest.give('/room'),
      /^Rules: messages disappear after 1h; nothing said is changed or taken back; nobody is told what was read\.$/m,
    );
  });

  test('a moderator acts on plain members under their own name, on nobody else', async () => {
    const all = await everyone();
    const { room, moderator, mike, guest } = all;
    assert.equal(moderator.give('/mute ann'), '');
    assert.equal(entryOf(all, 'ann')?.muted, true);
    assert.equal(moderator.give('/unmute ann'), '');
    assert.equal(moderator.give('/kick ben'), '');
    assert.deepEqual(nicks(room), ['ann', 'mike', 'mona', 'olga']);
    const removed = mike.eventsOf('roster').flatMap(({ change }) => change.removed);
    assert.deepEqual(
      removed.map(({ member, by }) => [member.nick, by?.nick]),
      [['ben', 'mona']],
    );
    for (const act of ['kick', 'ban', 'mute']) {
      assert.match(moderator.give(`/${act} mike`), /^not-allowed: mike is a moderator/);
      assert.match(moderator.give(`/${act} olga`), /^not-allowed: olga is the host/);
      assert.match(moderator.give(`/${act} mona`), /^not-allowed: You cannot \w+ yourself/);
      assert.match(moderator.give(`/${act} zoe`), /^no-such-member: Nobody here is called zoe/);
    }
    assert.match(moderator.give('/deop mike'), /^host-only: /);
    assert.deepEqual(nicks(room), ['ann', 'mike', 'mona', 'olga']);
    assert.deepEqual(guest.chat.known.viewer, 'everyone');
    assert.deepEqual(moderator.chat.known.viewer, 'moderators');
  });

  test('the host acts on everyone else in nobody else’s name', async () => {
    const { room, host, mona } = await everyone();
    assert.equal(host.give('/kick mike'), '');
    assert.match(host.give('/ban @ann 2h'), /^They are banned for 2h/);
    assert.match(host.give('/mute ben'), /^They are muted; /);
    assert.deepEqual(nicks(room), ['ben', 'mona', 'olga']);
    const changes = mona.eventsOf('roster').flatMap(({ change }) => [...change.removed, ...change.changed]);
    assert.ok(changes.every(({ by }) => by === null));
    for (const act of ['kick', 'ban', 'mute'])
      assert.match(host.give(`/${act} olga`), /^not-allowed: You cannot \w+ yourself/);
    assert.deepEqual(host.chat.known.viewer, 'host');
    assert.deepEqual([...host.chat.known.nicks].sort(), ['ben', 'mona'], 'not oneself');
  });

  test('a duration is what the room is asked for', async () => {
    const all = await everyone();
    const { room, moderator } = all;
    moderator.give('/mute ann 1m');
    moderator.give('/ban ben 1m');
    assert.equal(room.room.bans.length, 1);
    room.advance(57_000);
    assert.deepEqual([entryOf(all, 'ann')?.muted, room.room.bans.length], [true, 1]);
    room.advance(5_000);
    assert.deepEqual([entryOf(all, 'ann')?.muted, room.room.bans.length], [false, 0]);
  });
});

describe('what is told', () => {
  test('what is so already', async () => {
    const { host, room } = await everyone();
    assert.equal(host.give('/lock'), '');
    assert.equal(host.give('/topic  tea \t time'), '');
    assert.equal(room.room.settings.topic, 'tea time');
    for (const line of ['/lock', '/topic tea time', '/slow off', '/unmute ann'])
      assert.match(host.give(line), /^no-change: /, line);
    assert.equal(host.give('/topic'), 'tea time');
    assert.equal(host.give('/topic off'), '');
    assert.equal(host.give('/topic'), 'No topic is set.');
    assert.equal(host.give('/motd'), 'No message of the day is set.');
  });

  test('a topic that is too long, from either side', async () => {
    const { host, moderator, room } = await everyone();
    for (const person of [host, moderator])
      assert.match(person.give(`/topic ${'é'.repeat(201)}`), /^text-too-long: A topic is at most 400 bytes/);
    assert.equal(room.room.settings.topic, '');
  });

  test('who is here, and who someone is', async () => {
    const { guest, moderator } = await everyone();
    moderator.give('/mute ben');
    const names = guest.give('/names');
    for (const each of ['olga (host)', 'mona (moderator)', 'ben (muted)']) assert.ok(names.includes(each));
    assert.match(guest.give('/whois OLGA'), /^olga: host, online, .*; the room's owner key is /);
    assert.match(guest.give('/whois zoe'), /^no-such-member: /);
    assert.match(guest.give('/room'), /^test room: member list \d+, log entry \d+, digits to compare /);
  });

  test('a command that is none, and one that is for the screen', async () => {
    const { guest } = await everyone();
    assert.match(guest.give('/kik ben'), /^unknown-command: .*\/kick/);
    assert.match(guest.give('kick ben'), /^bad-command: /);
    assert.match(guest.give('/help zzz'), /^unknown-command: /);
    assert.equal(guest.give('/clear'), '');
    assert.deepEqual(guest.displayed, [{ name: 'clear' }]);
  });

  test('the status has the code for the host alone', async () => {
    const { guest, host, room } = await everyone();
    for (const person of [guest, host]) person.chat.refreshStatus();
    assert.deepEqual(guest.status(), { room: 'test room', online: 5, connected: true, unread: 0 });
    assert.equal(host.status()?.code?.value, room.room.code.value);
  });
});

describe('what is said', () => {
  test('text and actions reach the room; nothing does not', async () => {
    const { guest, ben, room } = await everyone();
    guest.chat.say('hello', null);
    guest.give('/me waves');
    guest.give('//slash');
    guest.chat.say('  ', null);
    room.advance(1_000);
    assert.match(guest.texts().join(), /^empty: /);
    assert.deepEqual(
      ben.messages.map(({ text, content }) => [content, text]),
      [
        ['text', 'hello'],
        ['emote', 'waves'],
        ['text', '/slash'],
      ],
    );
  });

  test('away and back, each once, and saying something is being back', async () => {
    const { guest, host, room } = await everyone();
    assert.equal(guest.give('/back'), 'no-change: You are not away.');
    assert.match(guest.give('/away out to lunch'), /^usage: Usage: \/away$/);
    assert.equal(guest.give('/away'), '');
    assert.match(host.give('/names'), /\bann \(away\)/);
    assert.match(guest.give('/whois ann'), /^ann: member, away, /);
    assert.equal(guest.give('/away'), 'no-change: You are away already.');
    guest.chat.say('hello', null);
    room.advance(1_000);
    assert.match(host.give('/whois ann'), /^ann: member, online, /);
    assert.equal(guest.give('/back'), 'no-change: You are not away.');
    const relaying = sit(room, null, 'relaying host');
    assert.match(relaying.give('/away'), /^not-joined: /);
  });

  test('a new nickname is asked of the owner, and a bad one of nobody', async () => {
    const { guest, host, room } = await everyone();
    assert.match(guest.give('/nick system'), /^nick-reserved: /);
    assert.match(guest.give('/nick a!'), /^nick-shape: /);
    assert.equal(guest.give('/nick anna'), '');
    assert.equal(host.give('/nick host'), '', 'whoever hosts may be called so');
    assert.deepEqual(nicks(room), ['anna', 'ben', 'host', 'mike', 'mona']);
  });

  test('a host that only relays says nothing, and keeps order all the same', async () => {
    const { room } = await everyone();
    const host = sit(room, null, 'relaying host');
    host.chat.say('hello', null);
    assert.match(host.texts().join(), /^not-joined: /);
    for (const line of ['/me waves', '/nick zoe']) assert.match(host.give(line), /^not-joined: /);
    assert.equal(host.give('/kick ann'), '');
    assert.deepEqual(nicks(room), ['ben', 'mike', 'mona', 'olga']);
    assert.match(host.give('/names'), /ben/);
  });
});

describe('what can be shown to others', () => {
  test('a proof is a private file that takes nobody’s place, and /clear forgets', async (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'securechat-proof-'));
    context.after(() => rmSync(folder, { recursive: true }));
    const { room, ann, ben } = await company();
    const guest = sit(room, ben);
    ann.say('four o’clock');
    room.advance(1_000);
    const { id } = ben.messages.at(-1) ?? assert.fail();
    const file = join(folder, 'my proof');
    const told = async (line: string): Promise<string> => {
      let texts = guest.give(line);
      for (; texts === ''; texts = guest.texts().join('\n')) await new Promise(setImmediate);
      return texts;
    };
    assert.match(
      await told(`/proof ${id.slice(0, 6)} ${file}`),
      /my proof proves .* 5 members, with fingerprints\.$/,
    );
    const written = readFileSync(file, 'utf8');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(checkProof(parseProof(written)).content.text, 'four o’clock');
    assert.match(await told(`/proof ${id} ${file}`), /^file: .* exists already/);
    assert.equal(readFileSync(file, 'utf8'), written);
    assert.match(await told(`/proof ${id} ${join(folder, 'none', 'p')}`), /^file: Cannot write/);
    assert.match(await told('/proof abc'), /^usage: Write at least 4/);
    assert.match(await told('/proof abcdefgh'), /^no-such-message: /);
    guest.give('/clear');
    assert.match(await told(`/proof ${id}`), /^no-such-message: .*\/clear/);
    const relay = sit(room, null, 'relaying host');
    relay.give(`/proof ${id}`);
    await new Promise(setImmediate);
    assert.match(relay.texts().join('\n'), /^not-joined: /);
  });
});

describe('whose key is whose', () => {
  /** `ben` has marked `ann`, whose account goes on under another key where `moves` is called. */
  async function marked() {
    const { room, ann, ben } = await company({ keeps: 'ciphertext' });
    const guest = sit(room, ben);
    const other = sit(room, ann);
    ann.register('nine lives of a cat');
    room.advance(1_000);
    guest.give('/verify ann');
    assert.match(
      guest.give('/verify ann yes'),
      /^ann is marked as verified here, under the key [0-9a-f ]{39}\.$/,
    );
    const seen = { events: ben.events.length };
    /** What has happened since the last call is shown. */
    const follow = (): string => {
      for (const event of ben.events.slice(seen.events)) guest.chat.show(event);
      seen.events = ben.events.length;
      return guest.texts().join('\n');
    };
    const moves = async (): Promise<TestMember> => {
      const identity = await dsaIdentity(room.members.length + 10);
      const again = await room.person('ann', { crowd: true, identity, passwords: ['nine lives of a cat'] });
      again.knock(room.invite());
      room.advance(1_000);
      assert.ok(again.live);
      return again;
    };
    return { room, ann, ben, guest, other, follow, moves };
  }

  test('two people see the same sixty digits, in rows and as a code, and others see others', async () => {
    const { room, mona, ann, ben } = await company();
    const digitsOf = (member: TestMember, nick: string): string => {
      const person = sit(room, member);
      const lines = person.give(`/verify ${nick}`).split('\n');
      assert.match(lines[0] ?? '', new RegExp(`^You and ${nick} are shown the same digits`));
      assert.match(lines.at(-1) ?? '', new RegExp(`The same: /verify ${nick} yes\\.`));
      const rows = lines.slice(1, -1);
      assert.equal(rows.length, 3);
      for (const row of rows) assert.match(row, /^\d{5}( \d{5}){3}$/);
      assert.deepEqual(person.codes, [rows.join(' ')]);
      return rows.join(' ');
    };
    const [one, other] = [digitsOf(ann, 'ben'), digitsOf(ben, 'ann')];
    assert.equal(one, other);
    const third = digitsOf(ann, 'mona');
    assert.equal(third, digitsOf(mona, 'ann'));
    assert.notEqual(third, one);
  });

  test('a mark stands in /names and /whois of whoever set it, and is taken back', async () => {
    const { room, guest, other } = await marked();
    assert.match(guest.give('/names'), /\bann \(verified\)/);
    assert.match(guest.give('/whois ann'), /, key [0-9a-f ]{39}, which you verified$/);
    assert.doesNotMatch(other.give('/names') + other.give('/whois ben'), /verified/);
    assert.equal(guest.give('/verify'), 'Verified: ann.');
    assert.match(guest.give('/verify ann'), /ann is marked as verified; \/verify ann no takes it back\.$/);
    assert.equal(guest.give('/verify ann yes'), 'no-change: ann is verified already.');
    assert.equal(guest.give('/verify ann no'), 'ann is not marked as verified any more.');
    assert.match(guest.give('/verify'), /^Nobody is verified\./);
    assert.match(guest.give('/whois ann'), /, key [0-9a-f ]{39}$/);
    assert.match(guest.give('/verify ben'), /^not-allowed: That is you/);
    assert.match(guest.give('/verify ben yes'), /^not-allowed: That is you/);
    assert.match(guest.give('/verify zoe'), /^no-such-member: /);
    assert.match(sit(room, null, 'relaying host').give('/verify ann'), /^not-joined: /);
  });

  test('nothing is marked that was not shown, nor trusted where there is nothing to trust', async () => {
    const { guest } = await marked();
    assert.match(guest.give('/verify mona yes'), /^not-compared: .*\/verify mona shows it\.$/);
    assert.match(guest.give('/trust ann'), /^nothing-to-trust: .* ann has no new key/);
    assert.match(guest.give('/trust zoe'), /^no-such-member: /);
  });

  test('P32 what is typed after a key has changed waits, and each decision is told', async () => {
    const { room, guest, follow, moves, ben } = await marked();
    const again = await moves();
    const alarms = (): readonly string[] =>
      guest.told.flatMap((event) => (event.type === 'notice' && event.level === 'alarm' ? [event.code] : []));
    assert.match(follow(), /ann has another key than the one that you verified/);
    assert.deepEqual(alarms(), ['key-changed-verified'], 'and not a word of /fork ack');
    assert.match(guest.give('/fork ack'), /^no-alarm: /);
    guest.chat.say('hello', null);
    room.advance(1_000);
    assert.match(follow(), /What you say waits unsent, because of the changed key of ann/);
    assert.deepEqual(again.texts, []);
    assert.match(guest.give('/verify ann yes'), /^not-compared: /, 'a yes to the digits of the key before');
    assert.equal(
      guest.give('/verify'),
      'Nobody is verified. /verify NICK shows what to compare. Under a changed key, not accepted: ann.',
    );
    assert.match(guest.give('/trust ann'), /^The key [0-9a-f ]{39} of ann is accepted, and not verified\.$/);
    room.advance(1_000);
    assert.deepEqual(again.texts, ['hello']);
    assert.equal(ben.session.unplaced, 0);
  });

  test('P32 standard input that ends while a changed key holds back is an alarm, and what waits is told', async () => {
    const { guest, follow, moves } = await marked();
    const again = await moves();
    guest.chat.say('hello', null);
    guest.chat.end();
    assert.deepEqual(guest.quits, ['alarm']);
    assert.match(follow(), /1 message has not reached the room\./);
    assert.deepEqual(guest.quits, ['alarm']);
    assert.deepEqual(again.texts, []);
  });
});

describe('how they go', () => {
  function freeze(context: TestContext): void {
    context.mock.timers.enable({ apis: ['Date'], now: 0 });
  }

  test('Ctrl-C asks once; a second one within five seconds leaves', async (context) => {
    freeze(context);
    const { guest, host } = await everyone();
    guest.chat.interrupt();
    assert.deepEqual(guest.texts(), ['Press Ctrl-C again to leave the room.']);
    context.mock.timers.tick(5_000);
    guest.chat.interrupt();
    assert.deepEqual(guest.quits, []);
    context.mock.timers.tick(4_999);
    guest.chat.interrupt();
    assert.deepEqual(guest.quits, ['interrupted']);
    host.chat.interrupt();
    assert.deepEqual(host.texts(), ['Press Ctrl-C again to end the room for everyone.']);
  });

  test('Ctrl-D of a host asks once as well, and for itself', async (context) => {
    freeze(context);
    const { host } = await everyone();
    host.chat.interrupt();
    host.chat.leave();
    assert.deepEqual(host.quits, [], 'the other key was told');
    host.chat.leave();
    assert.deepEqual(host.quits, ['quit']);
  });

  test('Ctrl-D of a guest goes once what they said is placed, and says that it waits', async () => {
    const { guest, ann, room } = await everyone();
    const session = ann.session;
    guest.chat.say('one', null);
    guest.chat.leave();
    assert.equal(session.unplaced, 1);
    assert.ok(guest.hurried());
    assert.deepEqual(guest.quits, []);
    assert.match(guest.texts().join(), /^Leaving when your message is placed; \/quit leaves now\.$/);
    const seen = ann.events.length;
    room.advance(1_000);
    assert.equal(session.unplaced, 0);
    for (const event of ann.events.slice(seen)) guest.chat.show(event);
    assert.ok(guest.quits.every((how) => how === 'quit') && guest.quits.length > 0);
  });

  test('/quit does not wait, and tells what stays unsaid', async () => {
    const { guest } = await everyone();
    guest.chat.say('one', null);
    guest.chat.command('/quit');
    assert.deepEqual(guest.texts(), ['1 message has not reached the room.']);
    assert.deepEqual(guest.quits, ['quit']);
  });

  test('the end of standard input ends a guest, and no host that only relays', async () => {
    const room = await openRoom();
    const ann = await room.join('ann', { crowd: true });
    const guest = sit(room, ann);
    guest.chat.end();
    assert.deepEqual(guest.quits, ['quit']);
    const host = sit(room, null, 'relaying host');
    host.chat.end();
    assert.deepEqual(host.quits, []);
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PLAIN_ROOM } from '../../../src/protocol/room-settings.ts';
import { columnsOf } from '../../../src/terminal/graphemes.ts';
import type {
  JoinedEvent,
  JsonEvent,
  MemberChange,
  MemberView,
  ProvedEvent,
  ReadyEvent,
  RoomSetting,
  RoomView,
} from '../../../src/terminal/json-lines.ts';
import type { RenderView } from '../../../src/terminal/view/entry.ts';
import { makePalette } from '../../../src/terminal/view/palette.ts';
import type { Preferences } from '../../../src/terminal/view/preferences.ts';
import {
  bannerLines,
  promptText,
  readyPanel,
  shownFingerprint,
} from '../../../src/terminal/view/ready-panel.ts';
import { renderEvent } from '../../../src/terminal/view/render.ts';
import { vectors } from '../../helpers/vectors.ts';

const HIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\u200b\u2060-\u206f\ufeff]/u;
const NOW = '2026-03-01T09:05:10Z';
const palette = makePalette({ color: false });
const USUAL: Preferences = {
  timestamps: 'minutes',
  quiet: false,
  bell: 'on',
  notify: false,
  atDirect: false,
  theme: 'auto',
};
const SETTINGS = [
  ...(['topic', 'motd', 'slow', 'locked', 'approval'] as const),
  ...(['stay', 'edits', 'receipts'] as const),
] satisfies readonly RoomSetting[];
const ROOM: RoomView = {
  id: 'R',
  name: 'tea',
  ...PLAIN_ROOM,
};
const view = (columns: number): RenderView => ({
  palette,
  preferences: USUAL,
  columns,
  nowMs: Date.parse(NOW),
  timeZone: 'UTC',
  self: 'sue',
});
const WIDE = view(80);
const PLAIN = view(Number.POSITIVE_INFINITY);

function person(nick: string, online = true): MemberView {
  const about = { algorithm: 'rsa', fingerprint: 'BBBB', role: 'member' };
  return { id: 'AAAA', nick, ...about, online, away: false, muted: false };
}

function says(text: string, nick = 'ann', kind: 'text' | 'emote' = 'text', mention = false): JsonEvent {
  const from = { id: 'AAAA', nick, algorithm: 'rsa' };
  return {
    type: 'message',
    id: '1',
    conversation: 'c',
    kind,
    from,
    text,
    at: '2026-03-01T23:59:00Z',
    own: false,
    mention,
  };
}

function change(kind: MemberChange, more: object = {}): JsonEvent {
  return { type: 'member', change: kind, member: person('ann'), ...more };
}

function proved(more: Partial<ProvedEvent> = {}): ProvedEvent {
  return {
    ...{ type: 'proof', file: 'p', proved: true, room: { id: 'R', name: 'tea' }, ownerFingerprint: 'F' },
    ...{
      epoch: 7,
      members: 3,
      conversation: 'c',
      where: 'room',
      id: 'm',
      kind: 'text',
      text: 'hi',
      compared: [],
    },
    from: { ...person('ann'), bits: 3_072 },
    ...more,
  };
}

const READY: ReadyEvent = {
  type: 'ready',
  room: { id: 'RRRR', name: 'tea party' },
  addresses: ['192.168.1.5:8888', '[fd00::1]:8888'],
  invitation: { id: 'IIII', token: `SC1.${'x'.repeat(300)}`, expiresAt: '2026-03-02T09:05:10Z', uses: 16 },
  question: 'What was the name of the first cat we ever had together?',
  code: { value: '123456', expiresAt: '2026-03-01T09:05:30Z' },
  fingerprint: 'FFFF',
};

test('a message that names oneself says so by a sign, and marks the name where it stands', () => {
  const named = says('joan, ask Sue or @sue, not susue', 'ann', 'text', true);
  assert.deepEqual(renderEvent(named, WIDE), ['23:59 ! <ann> joan, ask Sue or @sue, not susue']);
  const found = { ...palette, found: (text: string) => `[${text}]` };
  assert.deepEqual(renderEvent(named, { ...WIDE, palette: found }), [
    '23:59 [!] <ann> joan, ask [Sue] or @[sue], not susue',
  ]);
});

test('times: with seconds, or none; what folds stays under the text', () => {
  const seconds = { ...WIDE, preferences: { ...USUAL, timestamps: 'seconds' } } as const;
  const off = { ...WIDE, preferences: { ...USUAL, timestamps: 'off' } } as const;
  assert.deepEqual(renderEvent(says('a\nb'), seconds), ['23:59:00 <ann> a', '         | b']);
  assert.deepEqual(renderEvent(says('a\nb'), off), ['<ann> a', '  | b']);
  assert.deepEqual(renderEvent(change('joined'), off), ['--> ann has joined']);
});

test('what is done to members, and to oneself', () => {
  const bob = { id: 'B', nick: 'bob' };
  const role = (nick: string, of: string): JsonEvent =>
    change('role', { member: { ...person(nick), role: of } });
  const cases: readonly (readonly [JsonEvent, string])[] = [
    [role('ann', 'moderator'), '-!- ann is now a moderator'],
    [role('ann', 'member'), '-!- ann is no longer a moderator'],
    [role('sue', 'moderator'), '-!- You are now a moderator'],
    [change('muted', { by: bob, reason: '10 min' }), '-!- ann was muted by bob (10 min)'],
    [change('muted', { member: person('sue'), by: bob }), '-!- You were muted by bob'],
    [change('renamed', { member: person('sue'), formerNick: 'old' }), '-!- You are now called sue'],
    [change('unmuted'), '-!- ann was unmuted'],
    [change('unmuted', { member: person('sue') }), '-!- You were unmuted'],
  ];
  for (const [event, line] of cases) assert.deepEqual(renderEvent(event, WIDE), [`09:05 ${line}`]);
});

test('another key of a member says which, on whose word, and what to do', () => {
  const shown = (nick: string): readonly string[] =>
    renderEvent(change('key-changed', { member: person(nick), formerFingerprint: 'old' }), {
      ...WIDE,
      columns: Number.POSITIVE_INFINITY,
    });
  const key = shownFingerprint(person('ann').fingerprint);
  assert.deepEqual(shown('ann'), [
    `09:05 -!- ann goes on under another key, ${key}. The host says that they gave their password: compare the key with them another way`,
  ]);
  assert.deepEqual(shown('sue'), [
    `09:05 -!- Your account goes on elsewhere, under the key ${key}. If that is not you, tell the host at once`,
  ]);
});

test('what changes about the room, and who changed it', () => {
  const rules = { slowSeconds: 30, locked: true, approval: true };
  const policy = { staySeconds: 7 * 24 * 3_600, edits: false, readReceipts: false };
  const set = { ...ROOM, topic: 'tea', motd: 'hello\nall', ...rules, ...policy };
  const bob = { id: 'B', nick: 'bob' };
  const changed = (setting: RoomSetting, room: RoomView, by?: typeof bob): readonly string[] =>
    renderEvent({ type: 'room', changes: [setting], room, ...(by && { by }) }, WIDE);
  assert.deepEqual(changed('topic', set, bob), ['09:05 -!- Topic: tea (set by bob)']);
  assert.deepEqual(changed('motd', set), ['09:05 -!- Message of the day:', '      | hello', '      | all']);
  assert.deepEqual(changed('slow', set), ['09:05 -!- Slow mode: one message every 30 seconds.']);
  assert.deepEqual(changed('slow', { ...ROOM, slowSeconds: 1 }), [
    '09:05 -!- Slow mode: one message every second.',
  ]);
  assert.deepEqual(changed('locked', set), ['09:05 -!- The room is locked: nobody new is let in.']);
  assert.deepEqual(changed('approval', set), ['09:05 -!- The host lets each new guest in by hand.']);
  assert.deepEqual(changed('stay', set, bob), ['09:05 -!- Messages disappear after 7d. (set by bob)']);
  assert.deepEqual(changed('edits', set), ['09:05 -!- Nothing that was said may be changed or taken back.']);
  assert.deepEqual(changed('receipts', set), ['09:05 -!- Nobody is told what has been read.']);
  for (const setting of SETTINGS) {
    assert.equal(changed(setting, ROOM).length, 1);
    assert.notDeepEqual(changed(setting, ROOM), changed(setting, set));
  }
});

test('the door: the sentence that came with the event', () => {
  const text = 'ann is at the question (invitation 2)';
  assert.deepEqual(
    renderEvent({ type: 'door', visitor: 7, stage: 'question', invitation: '2', text }, WIDE),
    [`09:05 -!- ${text}`],
  );
  const admitted = { type: 'door', visitor: 7, stage: 'admitted', invitation: '2', text } as const;
  assert.deepEqual(renderEvent(admitted, WIDE), [], 'the line of the new member says it');
});

// One message of 16,000 line feeds emptied the screen and its scrollback.
test('many empty lines are a few rows, one or two are what they are', () => {
  assert.deepEqual(renderEvent(says('a\n\n\nb'), WIDE).length, 4);
  assert.deepEqual(renderEvent(says(`a${'\n'.repeat(5)}b`), WIDE), [
    '23:59 <ann> a',
    '      | … 4 empty lines',
    '      | b',
  ]);
  assert.equal(renderEvent(says('\n'.repeat(16_000)), WIDE).length, 3);
});

test('messages and emotes', () => {
  assert.deepEqual(renderEvent(says('hello'), WIDE), ['23:59 <ann> hello']);
  assert.deepEqual(renderEvent(says('waves', 'ann', 'emote'), WIDE), ['23:59 * ann waves']);
  const away = { ...says('hi'), in: 'a-long-name-of-a-conversation' } as JsonEvent;
  assert.deepEqual(renderEvent(away, view(40)), ['23:59 [a-long-na…] <ann> hi']);
  assert.deepEqual(renderEvent(away, PLAIN), ['23:59 [a-long-name-of-a-conversation] <ann> hi']);
  const marked = { ...says('hi'), verified: true } as JsonEvent;
  assert.deepEqual(renderEvent(marked, WIDE), ['23:59 <ann✓> hi']);
  assert.deepEqual(renderEvent({ ...says('x'), at: 'never' } as JsonEvent, WIDE), ['--:-- <ann> x']);
});

test('what concerns members', () => {
  const bob = { id: 'B', nick: 'bob' };
  const cases: readonly (readonly [JsonEvent, string])[] = [
    [change('joined'), '09:05 --> ann has joined'],
    [change('online'), '09:05 --> ann is back online'],
    [change('left'), '09:05 <-- ann has left'],
    [change('left', { reason: 'bye' }), '09:05 <-- ann has left (bye)'],
    [change('gone'), '09:05 <-- ann is no longer in the room'],
    [change('offline'), '09:05 <-- ann is offline'],
    [change('removed', { by: bob, reason: 'spam' }), '09:05 <-- ann was removed by bob (spam)'],
    [change('renamed', { formerNick: 'old' }), '09:05 -!- ann is the new nickname of old'],
  ];
  for (const [event, line] of cases) assert.deepEqual(renderEvent(event, WIDE), [line]);
});

test('a list: its lines stand under what began it, each explanation under itself', () => {
  const line = (text: string): JsonEvent => ({ type: 'notice', level: 'info', code: 'help', text });
  const summary = 'take another nickname, if nobody else in the room has it';
  assert.deepEqual(renderEvent(line('Talking'), WIDE), ['09:05 -!- Talking']);
  assert.deepEqual(renderEvent(line(`  /nick    ${summary}`), view(60)), [
    '      |   /nick    take another nickname, if nobody else in',
    '      |            the room has it',
  ]);
  assert.deepEqual(renderEvent(line(`  /nick        ${summary}`), view(40)), [
    '      |   /nick',
    '      |     take another nickname, if',
    '      |     nobody else in the room has',
    '      |     it',
  ]);
  assert.deepEqual(renderEvent(line('  For the host.'), WIDE), ['      |   For the host.']);
  assert.deepEqual(renderEvent(line('  /nick  x'), PLAIN), ['09:05 -!-   /nick  x']);
});

test('notices, errors, the end', () => {
  const notice = (level: 'info' | 'warning' | 'alarm'): JsonEvent => ({
    type: 'notice',
    level,
    code: 'c',
    text: 'text',
  });
  assert.deepEqual(renderEvent(notice('info'), WIDE), ['09:05 -!- text']);
  assert.deepEqual(renderEvent(notice('warning'), WIDE), ['09:05 -!- Warning: text']);
  assert.deepEqual(renderEvent(notice('alarm'), WIDE), ['09:05 -!- ALARM: text']);
  assert.deepEqual(renderEvent({ type: 'error', code: 'c', message: 'no' }, WIDE), ['09:05 -!- Error: no']);
  assert.deepEqual(renderEvent({ type: 'closed', code: 'c', reason: 'over' }, WIDE), [
    '09:05 -!- Closed: over',
  ]);
});

test('joining, prompts, codes, invitations', () => {
  const members = [...Array.from({ length: 22 }, (_, index) => person(`m${index}`)), person('away', false)];
  const joined: JoinedEvent = {
    type: 'joined',
    room: ROOM,
    self: { id: 'A', nick: 'ann', fingerprint: 'F' },
    members,
    conversations: [{ id: 'K', kind: 'group', name: 'plans', topic: '', members: [] }],
  };
  assert.match(
    renderEvent(joined, PLAIN).join(),
    /You are ann in tea\. Online \(22\): m0, .*, m19 and 2 more$/,
  );
  const set = { ...ROOM, topic: 'kettles', motd: 'be kind\nbe brief', locked: true };
  assert.deepEqual(renderEvent({ ...joined, room: set, members: [person('ann')] }, WIDE), [
    '09:05 -!- You are ann in tea. Online (1): ann',
    '09:05 -!- Topic: kettles',
    '09:05 -!- Message of the day:',
    '      | be kind',
    '      | be brief',
    '09:05 -!- The room is locked: nobody new is let in.',
  ]);
  const page = ['Message of the day:', '      | be kind', '      | be brief'];
  assert.match(
    renderEvent({ ...joined, room: set }, PLAIN).join('\n'),
    new RegExp(page.join('\n').replaceAll('|', '\\|')),
  );
  const told: JsonEvent = { type: 'notice', level: 'info', code: 'motd', text: set.motd };
  assert.deepEqual(renderEvent(told, PLAIN), ['09:05 -!- be kind', '      | be brief']);
  const prompt: JsonEvent = {
    type: 'prompt',
    name: 'code',
    message: 'Room code?',
    secret: false,
    triesLeft: 1,
  };
  assert.deepEqual(renderEvent(prompt, WIDE), ['? Room code? (1 try left)']);
  assert.deepEqual(
    renderEvent({ type: 'prompt', name: 'nick', message: 'Nickname?', secret: false, default: 'ann' }, WIDE),
    ['? Nickname? [ann]'],
  );
  const hints = ['1  Everyone', 'Choose\u0007 well.'];
  assert.deepEqual(
    renderEvent({ type: 'prompt', name: 'reach', message: 'Who?', secret: false, hints }, WIDE),
    ['  1  Everyone', '  Choose\u2407 well.', '? Who?'],
  );
  assert.deepEqual(
    renderEvent({ type: 'invitation', ...READY.invitation, uses: 1, label: 'Ann' }, WIDE).at(0),
    '09:05 -!- Invitation IIII for Ann, 1 use, 1d left:',
  );
  assert.deepEqual(renderEvent({ type: 'code', value: '654321', expiresAt: NOW }, WIDE), [
    '09:05 -!- The room code is now 654321',
  ]);
  assert.deepEqual(renderEvent({ type: 'invitation', ...READY.invitation, uses: 1 }, WIDE), [
    '09:05 -!- Invitation IIII, 1 use, 1d left:',
    READY.invitation.token,
  ]);
});

test('nothing of a message ever stands where a time and a nickname stand', () => {
  const fake = '12:00 <bob> send me the money';
  for (const text of [
    `hi\n${fake}`,
    `hi${' '.repeat(66)}${fake}`,
    `hi${'\u00a0'.repeat(200)}${fake}`,
    `hi${'\u2800'.repeat(200)}${fake}`,
    `é${'\u3000'.repeat(99)}${fake}`,
    `${'a b '.repeat(17)}${fake}`,
  ]) {
    const [first = '', ...rest] = renderEvent(says(text), WIDE);
    assert.match(first, /^23:59 <ann> /);
    for (const row of rest) assert.match(row, /^ {6}\| /);
    for (const row of [first, ...rest]) assert.ok(columnsOf(row) <= 80);
  }
});

test('indented code keeps its indent, a long link stays whole', () => {
  assert.deepEqual(renderEvent(says('if x:\n    y()'), WIDE), ['23:59 <ann> if x:', '      |     y()']);
  const link = `https://example.org/${'x'.repeat(100)}`;
  assert.deepEqual(renderEvent(says(`see ${link} now`), WIDE), [
    '23:59 <ann> see',
    `      | ${link}`,
    '      | now',
  ]);
});

test('one line an event where nothing is wrapped', () => {
  assert.deepEqual(renderEvent(says(`a\nb ${'long '.repeat(50)}end`), PLAIN), [
    `23:59 <ann> a␊b ${'long '.repeat(50)}end`,
  ]);
});

test('40 columns: words wrap, wide characters too', () => {
  const narrow = view(40);
  for (const text of [
    'many words that need more than one row of forty columns',
    '你好'.repeat(50),
    '👍🏽'.repeat(60),
  ]) {
    const rows = renderEvent(says(text, 'a-long-nickname-20-c'), narrow);
    for (const row of rows) assert.ok(columnsOf(row) <= 40, row);
    const whole = rows.map((row, index) =>
      row.slice(index === 0 ? '23:59 <a-long-nickname-20-c> '.length : 8),
    );
    assert.equal(whole.join('').replaceAll(' ', ''), text.replaceAll(' ', ''));
  }
});

test('P42: no untrusted string of any event reaches the screen uncleaned', () => {
  const safe = (lines: readonly string[]): void => {
    for (const line of lines) {
      assert.doesNotMatch(line, HIDDEN);
      assert.ok(line.isWellFormed());
    }
  };
  const everywhere = (text: string): readonly JsonEvent[] => {
    const bad = {
      id: text,
      nick: text,
      algorithm: text,
      fingerprint: text,
      role: text,
      online: true,
      away: false,
      muted: true,
    };
    const changes = [
      ...(['joined', 'left', 'online', 'offline', 'renamed', 'removed', 'key-changed'] as const),
      ...(['gone', 'role', 'muted', 'unmuted'] as const),
    ];
    const rules = { slowSeconds: 1, locked: true, approval: true };
    const policy = { staySeconds: 60, edits: false, readReceipts: false };
    const room = { id: text, name: text, topic: text, motd: text, ...rules, ...policy };
    return [
      says(text, text),
      says(text, text, 'emote'),
      says(text, text, 'text', true),
      ...changes.map((one) => change(one, { member: bad, by: bad, reason: text, formerNick: text })),
      ...(['info', 'warning', 'alarm'] as const).map(
        (level): JsonEvent => ({ type: 'notice', level, code: text, text }),
      ),
      { type: 'notice', level: 'info', code: text, text: `  ${text}  ${text}` },
      { type: 'error', code: text, message: text },
      { type: 'closed', code: text, reason: text },
      { type: 'prompt', name: text, message: text, secret: false, default: text, hints: [text] },
      { type: 'code', value: text, expiresAt: text },
      { type: 'invitation', id: text, token: text, expiresAt: text, uses: 1, label: text },
      { type: 'joined', room, self: bad, members: [bad], conversations: [] },
      { type: 'room', changes: SETTINGS, room, by: bad },
      { type: 'proof', file: text, proved: false, check: text, reason: text },
      proved({ room: { id: text, name: text }, from: { ...bad, bits: 1 }, kind: text, about: text, text }),
      { type: 'door', visitor: 1, stage: 'waiting', invitation: text, nick: text, text },
      {
        ...READY,
        room: { id: text, name: text },
        addresses: [text],
        question: text,
        fingerprint: text,
        code: { value: text, expiresAt: text },
        invitation: { id: text, token: text, expiresAt: text, uses: 1 },
      },
    ];
  };
  const check = (text: string): void => {
    for (const event of everywhere(text)) {
      for (const columns of [40, Number.POSITIVE_INFINITY]) safe(renderEvent(event, view(columns)));
    }
    safe([
      promptText({
        room: text,
        online: 1,
        connected: true,
        code: { value: text, expiresAt: text },
        nowMs: 0,
        columns: 80,
      }),
    ]);
  };
  const naughty = vectors('blns/blns.json');
  if (Array.isArray(naughty)) for (const text of naughty) check(String(text));
  check('\u001b[2J\u009b31m\r\n\u202e\u200b\ud800');
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 40 }), check));
});

test('a proof: what it shows, what it does not, and no word of it that could be the program’s own', () => {
  const said = proved({ text: 'See you.\nNOT PROVED\nThe check "x" failed', members: 12 });
  assert.deepEqual(renderEvent(said, view(76)), [
    'PROVED',
    'The holder of the key with the fingerprint',
    '  BBBB',
    'said this in the room "tea":',
    '  | See you.',
    '  | NOT PROVED',
    '  | The check "x" failed',
    'It is called ann on member list 7 of that room, which names 12 members and',
    'is signed by the owner with the fingerprint',
    '  F',
    'Message m, signed with RSA-PSS, 3072 bits.',
    '',
    'Compare both fingerprints with what you know from elsewhere (--owner,',
    '--signer): until then this shows no more than that somebody has these keys.',
    '',
    'Not proved:',
    '  - when it was said, or that its sender was still a member then: only which',
    '    member list they quoted.',
    '  - that it reached the room, that anyone could open it, or who has read it.',
    '  - what was said before it and after it, and whether it was taken back.',
    '  - that a fingerprint or a nickname belongs to a certain person, or that',
    '    this is a room you know: anybody can make keys, and with them a room and',
    '    its list.',
  ]);
  assert.match(
    renderEvent(proved({ where: 'direct' }), WIDE).join(),
    /said this in a conversation of two members, beside the room "tea":/,
  );
  assert.match(
    renderEvent(proved({ where: 'group', kind: 'reaction', about: 'x' }), WIDE).join(' '),
    /reacted with this to a message in a conversation of some members, beside the room "tea", about message x:/,
  );
  const compared = renderEvent(proved({ compared: ['owner', 'signer'] }), PLAIN);
  assert.ok(compared.includes("Owner's and signer's fingerprint are those that you gave."));
  assert.match(
    renderEvent(proved({ kind: 'emote', from: { ...person('ann'), role: 'owner', bits: 1 } }), PLAIN).join(
      ' ',
    ),
    /\(\/me\) .* 3 members \(this one is the host\)/,
  );
  assert.deepEqual(
    renderEvent({ type: 'proof', file: 'p', proved: false, check: 'list', reason: 'it is another' }, PLAIN),
    ['NOT PROVED', 'The check "list" failed: it is another.', 'Nothing in this file is to be believed.'],
  );
  const other = { type: 'proof', file: 'p', proved: false, check: 'other-owner', reason: 'no' } as const;
  assert.equal(
    renderEvent(other, PLAIN).at(-1),
    'What it shows, it shows of other keys than those that you know.',
  );
});

test('the panel: everything a guest needs, the invitation alone and whole on its line', () => {
  for (const columns of [40, 80]) {
    const lines = readyPanel(READY, view(columns));
    assert.ok(lines.includes(READY.invitation.token));
    for (const line of lines) assert.ok(line === READY.invitation.token || columnsOf(line) <= columns, line);
  }
  const lines = readyPanel(READY, WIDE);
  assert.deepEqual(lines, [
    'Room        tea party',
    'Listening   192.168.1.5:8888, [fd00::1]:8888',
    'Question    What was the name of the first cat we ever had together?',
    'Code        123456 (new in 20 s)',
    'Owner key   FFFF',
    'Invitation  16 uses, 1d left; /qr draws it',
    '',
    READY.invitation.token,
    '',
    'Tell your guest:',
    '1. Run securechat c and paste this invitation.',
    '2. Answer the question.',
    '3. Ask me for the code when it is asked for: it changes every 30 seconds.',
  ]);
});

test('the prompt: room, number, code and seconds; the room goes first where it is narrow', () => {
  const base = { room: 'tea party', online: 3, connected: true, nowMs: Date.parse(NOW), columns: 80 };
  assert.equal(promptText(base), 'tea party (3)> ');
  assert.equal(promptText({ ...base, connected: false }), 'tea party (no line)> ');
  assert.equal(promptText({ ...base, code: READY.code }), 'tea party (3) 123456 20s> ');
  assert.equal(promptText({ ...base, code: READY.code, columns: 40 }), '(3) 123456 20s> ');
  assert.equal(
    promptText({ ...base, code: { value: '1', expiresAt: '2020-01-01T00:00:00Z' } }),
    'tea party (3) 1 0s> ',
  );
});

test('colours: none when told so, steady for a nickname, nothing but colour when given', () => {
  const color = makePalette({ color: true });
  assert.equal(color.nick('ann'), color.nick('ann'));
  assert.ok(
    new Set(
      ['ann', 'bob', 'cat', 'dan', 'eve', 'fay'].map(
        (nick) => color.nick('x') && color.nick(nick).slice(0, 5),
      ),
    ).size > 1,
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour sequences
  const bare = (line: string): string => line.replaceAll(/\u001b\[[\d;]+m/g, '');
  for (const event of [says('hello\nthere'), change('joined'), change('muted'), READY]) {
    assert.deepEqual(renderEvent(event, { ...WIDE, palette: color }).map(bare), renderEvent(event, WIDE));
  }
  assert.equal(bannerLines({ version: '1.2.3', palette, columns: 40 })[0], 'securechat 1.2.3');
});

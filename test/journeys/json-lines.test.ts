/**
 * The line protocol as a bot meets it: the same talk, every event of exactly the promised shape, and what happens to
 * lines that are wrong.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'node:test';
import { LIMITS } from '../../src/protocol/limits.ts';
import type { JsonEvent } from '../../src/terminal/json-lines.ts';
import { ANSWER, journey, type Program, QUESTION, QUICK } from '../helpers/program.ts';

type Shape = (value: unknown, at: string) => void;

const matching =
  (pattern: RegExp): Shape =>
  (value, at) => {
    assert.ok(typeof value === 'string' && pattern.test(value), `${at} does not match ${pattern}`);
  };
const ofType =
  (type: string): Shape =>
  (value, at) =>
    assert.equal(typeof value, type, at);
const listOf =
  (shape: Shape): Shape =>
  (value, at) => {
    assert.ok(Array.isArray(value), at);
    value.forEach((item, index) => {
      shape(item, `${at}[${index}]`);
    });
  };
/** Exactly these fields; a name that ends in `?` may be missing. */
const object =
  (fields: Readonly<Record<string, Shape>>): Shape =>
  (value, at) => {
    assert.ok(typeof value === 'object' && value !== null, at);
    const left = new Map<string, unknown>(Object.entries(value));
    for (const [field, shape] of Object.entries(fields)) {
      const name = field.replace(/\?$/, '');
      if (left.has(name) || !field.endsWith('?')) shape(left.get(name), `${at}.${name}`);
      left.delete(name);
    }
    assert.deepEqual([...left.keys()], [], `${at} has more fields`);
  };

const text = ofType('string');
const flag = ofType('boolean');
const id = (bytes: number): Shape => matching(new RegExp(`^[\\w-]{${Math.ceil((bytes * 4) / 3)}}$`));
const time = matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const fingerprint = id(32);
const code = matching(/^\d{6}$/);
const nick = matching(/^[a-z0-9_-]{2,20}$/);
const count = ofType('number');
const roomName = object({ id: id(16), name: text });
const room = object({
  id: id(16),
  name: text,
  topic: text,
  motd: text,
  slowSeconds: count,
  locked: flag,
  approval: flag,
  staySeconds: count,
  edits: flag,
  readReceipts: flag,
});
const person = { id: id(16), nick };
const signer = { ...person, algorithm: matching(/^(rsa|dsa)$/) };
const member = object({
  ...signer,
  fingerprint,
  role: matching(/^(owner|moderator|member)$/),
  online: flag,
  away: flag,
  'lastSeen?': time,
  muted: flag,
  'verified?': flag,
});
const messageId = id(9);
const onMessage = {
  id: messageId,
  conversation: id(16),
  from: object(person),
  at: time,
  own: flag,
  'unknown?': flag,
};
const invitation = {
  id: matching(/^\d+$/),
  token: matching(/^sc1\.[\w-]{43}\.[\w-]+\.[\w-]{6}$/),
  expiresAt: time,
  uses: count,
  'label?': text,
};

/** One that is offered. */
const offered = { number: count, id: id(16), name: text, bytes: count, 'files?': count };

const conversation = object({
  id: id(16),
  kind: matching(/^(direct|group)$/),
  'with?': object(person),
  'name?': text,
  topic: text,
  members: listOf(object({ ...person, role: matching(/^(creator|moderator|member)$/) })),
});

const SHAPES: Readonly<Record<JsonEvent['type'], Shape>> = {
  ready: object({
    type: text,
    room: roomName,
    addresses: listOf(matching(/^127\.0\.0\.1:\d+$/)),
    invitation: object(invitation),
    question: text,
    code: object({ value: code, expiresAt: time }),
    fingerprint,
  }),
  code: object({ type: text, value: code, expiresAt: time }),
  invitation: object({ type: text, ...invitation }),
  prompt: object({
    type: text,
    name: text,
    message: text,
    secret: flag,
    'triesLeft?': count,
    'default?': text,
    'problem?': text,
  }),
  conversation: object({
    type: text,
    change: matching(/^(opened|named|members|closed)$/),
    conversation,
    'by?': object(person),
    'added?': listOf(object(person)),
    'changed?': listOf(object(person)),
    'removed?': listOf(object(person)),
  }),
  joined: object({
    type: text,
    room,
    self: object({ ...person, fingerprint }),
    members: listOf(member),
    conversations: listOf(conversation),
  }),
  member: object({
    type: text,
    change: matching(/^(joined|left|online|offline|away|back|renamed|removed|gone|role|muted|unmuted)$/),
    member,
    'by?': object(person),
    'reason?': text,
    'formerNick?': nick,
  }),
  room: object({
    type: text,
    changes: listOf(matching(/^(topic|motd|slow|locked|approval|stay|edits|receipts)$/)),
    room,
    'by?': object(person),
  }),
  door: object({
    type: text,
    visitor: count,
    stage: matching(
      /^(question|answer-tested|answer-proved|wrong-code|nick-refused|waiting|gone|refused|admitted)$/,
    ),
    invitation: matching(/^\d*$/),
    'nick?': nick,
    'fingerprint?': fingerprint,
    'reason?': text,
    text,
  }),
  message: object({
    type: text,
    id: messageId,
    conversation: id(16),
    'direct?': object(person),
    'in?': text,
    kind: matching(/^(text|emote|file)$/),
    'file?': object(offered),
    from: object(signer),
    'verified?': flag,
    text,
    'replyTo?': object({ id: messageId, 'from?': object(person), 'excerpt?': text }),
    at: time,
    own: flag,
    mention: flag,
    'ref?': text,
  }),
  file: object({
    type: text,
    ...offered,
    own: flag,
    from: object(person),
    conversation: id(16),
    'direct?': object(person),
    'in?': text,
    state: matching(/^(offered|queued|waiting|running|checking|done|failed|declined|cancelled|withdrawn)$/),
    doneBytes: count,
    'bytesPerSecond?': count,
    'leftMs?': count,
    'path?': text,
    'problem?': text,
    'takers?': listOf(
      object({
        member: object(person),
        state: matching(/^(running|stopped|done|declined|kept)$/),
        doneBytes: count,
      }),
    ),
  }),
  edited: object({ type: text, ...onMessage, text, 'before?': text }),
  deleted: object({ type: text, ...onMessage, 'saidAt?': time }),
  reaction: object({ type: text, ...onMessage, text, 'author?': object(person), 'excerpt?': text }),
  read: object({
    type: text,
    id: messageId,
    conversation: id(16),
    from: object(person),
    at: time,
    ofOwn: flag,
  }),
  receipt: object({
    type: text,
    id: text,
    state: matching(/^(waiting|delivered|dropped)$/),
    member: object(person),
  }),
  notice: object({ type: text, level: matching(/^(info|warning|alarm)$/), code: text, text }),
  identity: object({
    type: text,
    file: text,
    algorithm: matching(/^(rsa|dsa)$/),
    fingerprint,
    member: id(16),
  }),
  'room-kept': object({
    type: text,
    name: text,
    file: text,
    bytes: count,
    open: flag,
    'room?': text,
    'members?': count,
    'waiting?': count,
    'openedAt?': time,
    'problem?': object({ code: text, text }),
  }),
  proof: object({
    type: text,
    file: text,
    proved: flag,
    room: roomName,
    ownerFingerprint: fingerprint,
    epoch: count,
    members: count,
    from: object({ ...signer, fingerprint, role: matching(/^(owner|moderator|member)$/), bits: count }),
    conversation: id(16),
    where: matching(/^(room|direct|group)$/),
    id: text,
    kind: matching(/^(text|emote)$/),
    text,
    compared: listOf(matching(/^(owner|signer)$/)),
  }),
  error: object({ type: text, code: text, message: text, 'ref?': text }),
  closed: object({ type: text, code: text, reason: text }),
};

function checkShapes(programs: readonly Program[]): ReadonlySet<string> {
  const seen = new Set<string>();
  for (const { name, events, stderr } of programs) {
    for (const event of events) {
      seen.add(event.type);
      assert.ok(event.type in SHAPES, `${name}: ${event.type}`);
      SHAPES[event.type](event, `${name}: ${event.type}`);
    }
    assert.equal(stderr, '', name);
  }
  return seen;
}

function texts(program: Program): readonly string[] {
  return program.events.filter((event) => event.type === 'message').map((event) => event.text);
}

describe('the line protocol', () => {
  journey('carries a whole conversation in events of the promised shapes', async (stage) => {
    const room = await stage.room(['--room', 'Küche']);
    const { host, ready } = room;
    assert.deepEqual({ ...ready.room, id: '' }, { id: '', name: 'Küche' });
    assert.equal(ready.question, QUESTION);
    assert.equal(ready.invitation.uses, 16);
    const ann = await stage.guest('ann', room);
    const bob = await stage.guest('bob', room, { words: ['--sign', 'dsa'] });
    const everyone = [host, ann, bob];
    const making = ['identity', 'new', 'id.pem', ...QUICK, '--passphrase-file', stage.file('some words')];
    const keeper = stage.start('keeper', [...making, '--json']);
    assert.equal(await keeper.exit, 0);

    ann.say('  spaces kept, "quotes" and \\ too\nsecond line  ', 'ref-1');
    const own = await ann.until('message', { own: true });
    assert.equal(own.ref, 'ref-1');
    assert.equal(own.text, '  spaces kept, "quotes" and \\ too\nsecond line  ');
    for (const other of [host, bob]) {
      const { own: isOwn, ref, ...rest } = await other.until('message');
      assert.deepEqual({ isOwn, ref }, { isOwn: false, ref: undefined });
      const { own: _, ref: __, ...sent } = own;
      assert.deepEqual(rest, sent);
    }

    bob.command('/me waves');
    for (const one of everyone) {
      const { kind, from } = await one.until('message', { text: 'waves' });
      assert.deepEqual([kind, from.nick], ['emote', 'bob']);
    }
    host.command('//slash');
    for (const one of everyone) await one.until('message', { text: '/slash' });

    for (let index = 0; index < 30; index += 1) ann.say(`line ${index}`, `ref ${index}`);
    for (const one of everyone) await one.until('message', { text: 'line 29' });
    const refs = ann.events.flatMap((event) => (event.type === 'message' && event.own ? [event.ref] : []));
    assert.deepEqual(
      refs.slice(1),
      Array.from({ length: 30 }, (_, index) => `ref ${index}`),
    );
    assert.deepEqual(texts(ann), texts(bob));
    assert.deepEqual(texts(ann), texts(host));

    ann.command('/new plans bob');
    for (const one of [ann, bob])
      await one.until('conversation', ({ conversation }) => conversation.name === 'plans');
    ann.say('for the two of us');
    assert.equal((await bob.until('message', { text: 'for the two of us' })).in, 'plans');
    bob.send({ type: 'say', text: 'psst', to: 'ann' });
    assert.equal((await ann.until('message', { text: 'psst' })).direct?.nick, 'bob');
    ann.command('/join room');

    // Only who looks at a screen tells what they have read.
    await stage.guestOnTerminal('dan', room);
    ann.say('helo', 'about');
    const { id: about } = await ann.until('message', { ref: 'about' });
    await ann.until('read', { id: about });
    bob.send({ type: 'say', text: 'hello?', replyTo: about });
    ann.command(`/fix #${about} hello`);
    bob.command(`/react ${about} 👍`);
    for (const one of everyone) {
      assert.equal((await one.until('message', { text: 'hello?' })).replyTo?.id, about);
      assert.equal((await one.until('edited', { id: about })).text, 'hello');
      assert.equal((await one.until('reaction', { id: about })).text, '👍');
    }
    ann.command(`/delete ${about}`);
    for (const one of everyone) await one.until('deleted', { id: about });

    writeFileSync(join(stage.folder, 'tea.txt'), 'Earl Grey');
    ann.command('/send tea.txt');
    for (const one of everyone)
      assert.equal((await one.until('message', { text: 'tea.txt' })).file?.bytes, 9);
    bob.command('/accept');
    await bob.until('file', { state: 'done' });
    await ann.until('file', ({ takers }) => takers?.[0]?.state === 'done');

    for (const [line, answered] of [
      ['/names', 'names'],
      ['/whois bob', 'whois'],
      ['/help', 'help'],
      ['/help kick', 'help'],
      ['/room', 'room'],
      ['/security', 'security'],
    ] as const) {
      ann.command(line);
      await ann.until('notice', { code: answered });
    }
    host.command(`/proof ${own.id} p.txt`);
    await host.until('notice', { code: 'proof' });
    const checker = stage.start('checker', ['check', 'p.txt', '--json']);
    assert.equal(await checker.exit, 0);
    await room.invite();
    host.command('/invite list');
    await host.until('notice', { code: 'invite' });
    host.command('/code');
    await host.until('notice', { code: 'code' });

    host.command('/topic Tea at four');
    for (const one of everyone) await one.until('room', ({ changes }) => changes.includes('topic'));

    host.command('/kick bob');
    const gone = ({ member: shown }: { member: { nick: string } }): boolean => shown.nick === 'bob';
    const removed = await ann.until('member', gone);
    assert.equal(removed.change, 'joined');
    assert.equal((await ann.until('member', gone)).change, 'removed');
    assert.equal((await bob.until('closed')).code, 'removed');
    assert.equal(await bob.exit, 4);

    const { token } = await room.invite();
    const cyd = await stage.guest('cyd', room, { token });
    cyd.kill();
    await ann.until('member', { change: 'offline' });
    ann.say('for who is gone', 'ref-2');
    const { id: waits } = await ann.until('message', { ref: 'ref-2' });
    await ann.until('receipt', { id: waits, state: 'waiting' });

    ann.send({ type: 'quit' });
    assert.equal(await ann.exit, 0);
    await host.until('member', { change: 'left' });
    host.send({ type: 'quit' });
    assert.equal(await host.exit, 0);

    mkdirSync(stage.rooms, { recursive: true });
    writeFileSync(join(stage.rooms, 'attic.room'), 'no room at all');
    const lister = stage.start('lister', ['rooms', '--json']);
    assert.equal(await lister.exit, 0);

    const seen = checkShapes([...everyone, cyd, keeper, checker, lister]);
    for (const type of Object.keys(SHAPES)) {
      // Nobody made an error here, and the code changes every 30 seconds: it may have, or not.
      if (type !== 'code' && type !== 'error') assert.ok(seen.has(type), `no ${type} was seen`);
    }
  });

  journey('answers each wrong line with an error and changes nothing', async (stage) => {
    const room = await stage.room();
    const ann = stage.start('ann', ['c', '--json', ...QUICK]);
    await ann.until('prompt', { name: 'token' });

    const refuses = async (line: string, expected: string, expectedRef?: string) => {
      ann.write(`${line}\n`);
      const { code: got, message, ref } = await ann.until('error');
      assert.equal(got, expected, line);
      assert.equal(ref, expectedRef, line);
      assert.notEqual(message, '');
    };
    await refuses('{"type":"say","text":"too early"}', 'not-joined');
    await refuses('{"type":"say","text":"too early","ref":"r-0"}', 'not-joined', 'r-0');
    await refuses('{"type":"command","line":"/names"}', 'not-joined');
    await refuses('{"type":"answer","name":"code","value":"123456"}', 'not-asked');
    const again = ann.until('prompt', { name: 'token' });
    ann.send({ type: 'answer', name: 'token', value: 'hello there' });
    assert.match((await again).problem ?? '', /^This is not an invitation\. /);
    ann.send({ type: 'answer', name: 'token', value: room.token });
    await ann.answer('answer', ANSWER);
    await ann.until('prompt', { name: 'nick' });
    await refuses('{"type":"answer","name":"answer","value":"again"}', 'not-asked');
    ann.send({ type: 'answer', name: 'nick', value: 'Ann' });
    const asked = await ann.until('prompt', { name: 'code' });
    assert.equal(asked.triesLeft, LIMITS.triesPerInvitation);
    ann.send({ type: 'answer', name: 'code', value: room.code });
    assert.equal((await ann.until('joined')).self.nick, 'ann');

    await refuses('this is no JSON', 'bad-json');
    await refuses('["say"]', 'bad-json');
    await refuses('null', 'bad-json');
    await refuses('{}', 'bad-command');
    await refuses('{"type":"shout","text":"x"}', 'bad-command');
    await refuses('{"type":"say"}', 'bad-command');
    await refuses('{"type":"say","text":7}', 'bad-command');
    await refuses('{"type":"say","text":"\\ud800"}', 'bad-command');
    await refuses(`{"type":"say","text":"x","ref":"${'r'.repeat(65)}"}`, 'bad-command');
    await refuses('{"type":"say","text":"for one","to":7}', 'bad-command');
    await refuses('{"type":"say","text":"for one","to":7,"ref":"r-1"}', 'bad-command', 'r-1');
    await refuses('{"type":"say","text":"x","replyTo":"none","ref":"r-2"}', 'bad-command', 'r-2');
    await refuses('{"type":"say","text":" ","ref":"r-3"}', 'empty', 'r-3');
    await refuses('{"type":"say","text":"x","to":"olgaa","ref":"r-4"}', 'no-such-member', 'r-4');
    await refuses('{"type":"say","text":"for one","to":"olgaa"}', 'no-such-member');
    await refuses(`{"type":"say","text":"for some","to":"${'A'.repeat(21)}Q"}`, 'no-such-member');
    await refuses(
      JSON.stringify({ type: 'say', text: 'é'.repeat(LIMITS.textBytes / 2 + 1), ref: 'r-5' }),
      'text-too-long',
      'r-5',
    );
    await refuses(`{"type":"say","text":"${'x'.repeat(70_000)}"}`, 'line-too-long');
    await refuses('{"type":"answer","name":"nick","value":"bob"}', 'not-asked');
    await refuses('{"type":"command","line":"/nmaes"}', 'unknown-command');
    await refuses('{"type":"command","line":"names"}', 'bad-command');
    await refuses('{"type":"say","text":" \\n "}', 'empty');
    await refuses('{"type":"command","line":"/fork ack"}', 'no-alarm');
    await refuses('{"type":"command","line":"/whois"}', 'usage');
    await refuses('{"type":"command","line":"/whois nobody-here"}', 'no-such-member');
    await refuses('{"type":"command","line":"/kick olga"}', 'not-allowed');
    await refuses('{"type":"command","line":"/invite new"}', 'host-only');

    ann.write('\n{"type":"say","text":"the first message","unknown":1}\r\n');
    assert.equal((await room.host.until('message')).text, 'the first message');
    assert.deepEqual(texts(room.host), ['the first message']);
    room.host.command('/kick olga');
    assert.equal((await room.host.until('error')).code, 'not-allowed');
    room.host.command('/invite revoke 7');
    assert.equal((await room.host.until('error')).code, 'no-invitation');
    checkShapes([room.host, ann]);
  });
});

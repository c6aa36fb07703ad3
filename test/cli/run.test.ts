import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type {
  CheckOptions,
  HostOptions,
  IdentityOptions,
  JoinOptions,
  RoomsOptions,
  SendOptions,
} from '../../src/app/options.ts';
import { run } from '../../src/cli/run.ts';
import type { Surroundings } from '../../src/cli/surroundings.ts';
import { InputError, SecurityError } from '../../src/protocol/errors.ts';
import { VERSION } from '../../src/version.ts';

interface Outcome {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
  readonly hosted: readonly HostOptions[];
  readonly joined: readonly JoinOptions[];
  readonly kept: readonly IdentityOptions[];
  readonly rooms: readonly RoomsOptions[];
  readonly checked: readonly CheckOptions[];
  readonly sent: readonly SendOptions[];
}

interface Setting extends Partial<Omit<Surroundings, 'writeOut' | 'writeErr'>> {
  /** What the command does: resolve to an exit code, or fail. */
  readonly command?: () => Promise<number>;
}

const TERMINAL: Setting = { stdinIsTerminal: true, stdoutIsTerminal: true };

async function runWith(words: readonly string[], setting: Setting = {}): Promise<Outcome> {
  const { command = async () => 0, ...surroundings } = setting;
  let out = '';
  let err = '';
  const hosted: HostOptions[] = [];
  const joined: JoinOptions[] = [];
  const kept: IdentityOptions[] = [];
  const rooms: RoomsOptions[] = [];
  const checked: CheckOptions[] = [];
  const sent: SendOptions[] = [];
  const exitCode = await run(
    words,
    {
      host: (options) => {
        hosted.push(options);
        return command();
      },
      join: (options) => {
        joined.push(options);
        return command();
      },
      send: (options) => {
        sent.push(options);
        return command();
      },
      identity: (options) => {
        kept.push(options);
        return command();
      },
      rooms: (options) => {
        rooms.push(options);
        return command();
      },
      check: (options) => {
        checked.push(options);
        return command();
      },
    },
    {
      stdinIsTerminal: false,
      stdoutIsTerminal: false,
      env: {},
      configPath: async () => null,
      dataFolder: async () => '/data',
      askRole: () => assert.fail('nobody is there to ask'),
      ...surroundings,
      writeOut: (text) => {
        out += text;
      },
      writeErr: (text) => {
        err += text;
      },
    },
  );
  return { exitCode, out, err, hosted, joined, kept, rooms, checked, sent };
}

test('only who hosts may be called host', async () => {
  assert.equal((await runWith(['s', '--nick', 'host'], TERMINAL)).hosted[0]?.nick, 'host');
  const { joined, err } = await runWith(['c', '--nick', 'host'], TERMINAL);
  assert.deepEqual(joined, []);
  assert.match(err, /could be mistaken for the room itself/);
  assert.equal((await runWith(['s', '--nick', 'system'], TERMINAL)).hosted.length, 0);
});

async function hostOptions(words: readonly string[], setting: Setting = {}): Promise<HostOptions> {
  const { hosted, err } = await runWith(['s', ...words], setting);
  assert.equal(err, '');
  assert.ok(hosted[0]);
  return hosted[0];
}

async function joinOptions(words: readonly string[], setting: Setting = {}): Promise<JoinOptions> {
  const { joined } = await runWith(['c', ...words], setting);
  assert.ok(joined[0]);
  return joined[0];
}

describe('help and version', () => {
  test('--version prints the version and nothing else', async () => {
    const { exitCode, out, err } = await runWith(['--version']);
    assert.deepEqual({ exitCode, out, err }, { exitCode: 0, out: `${VERSION}\n`, err: '' });
  });

  for (const words of [['--help'], ['help'], ['s', '--help'], ['help', 'c'], ['host', '-h']]) {
    test(`${words.join(' ')} shows an example first and exits 0`, async () => {
      const { exitCode, out, err } = await runWith(words);
      assert.deepEqual({ exitCode, err }, { exitCode: 0, err: '' });
      assert.match(out, /^Example:\n {2}securechat [sc]/);
    });
  }
});

describe('no words at all', () => {
  test('not on a terminal: help on standard error and exit 2', async () => {
    for (const setting of [{}, { stdinIsTerminal: true }, { stdoutIsTerminal: true }]) {
      const { exitCode, out, err } = await runWith([], setting);
      assert.deepEqual({ exitCode, out }, { exitCode: 2, out: '' });
      assert.match(err, /^Example:/);
    }
  });

  test('on a terminal: asks, then hosts or joins', async () => {
    const host = await runWith([], { ...TERMINAL, askRole: async () => 's' });
    assert.deepEqual([host.hosted.length, host.joined.length], [1, 0]);
    const join = await runWith([], { ...TERMINAL, askRole: async () => 'c' });
    assert.deepEqual([join.hosted.length, join.joined.length], [0, 1]);
  });

  test('on a terminal: giving up is an interruption', async () => {
    const { exitCode } = await runWith([], { ...TERMINAL, askRole: async () => null });
    assert.equal(exitCode, 130);
  });
});

describe('hosting', () => {
  for (const name of ['s', 'host', 'serve']) {
    test(`${name} hosts`, async () => assert.equal((await runWith([name])).hosted.length, 1));
  }

  test('defaults', async () => {
    assert.deepEqual(await hostOptions([]), {
      nick: null,
      signing: null,
      identity: null,
      prefers: { stays: false, receipts: true, lastSeen: true },
      display: 'plain',
      color: false,
      colors: 16,
      preferences: {
        timestamps: 'minutes',
        quiet: false,
        bell: 'on',
        notify: false,
        atDirect: false,
        theme: 'auto',
        pictures: 'auto',
      },
      mayAsk: true,
      logFile: null,
      logLevel: 'warn',
      keep: null,
      files: { downloads: null, maxBytes: 100 * 2 ** 20, autoAccept: [] },
      roomName: null,
      question: null,
      answer: null,
      listen: { host: '::', port: 8888 },
      addresses: [],
      invitationUses: 16,
      invitationMs: 86_400_000,
      membersMost: 128,
      chat: true,
      reach: null,
      topic: null,
      motd: null,
      approval: false,
      staySeconds: null,
      edits: true,
      readReceipts: true,
      qr: true,
      clipboard: true,
    });
  });

  test('--keep takes a name or none, and nothing that is no name of a file', async () => {
    const kept = async (words: readonly string[]) => (await hostOptions(words)).keep;
    assert.deepEqual(await kept(['--keep']), { name: null, passphrase: null, folder: '/data' });
    assert.equal((await kept(['--keep', '--room', 'Kitchen']))?.name, null);
    assert.equal((await kept(['--keep', 'our-room_2']))?.name, 'our-room_2');
    for (const name of ['../up', 'A', 'con', 'lpt1', '-x', 'a.b', 'a'.repeat(41)]) {
      const { hosted, exitCode } = await runWith(['s', `--keep=${name}`]);
      assert.deepEqual([hosted.length, exitCode], [0, 2], name);
    }
    assert.equal((await runWith(['s', '--keep-passphrase-file', 'k'])).exitCode, 2);
  });

  test('every option', async () => {
    const words = [
      ...['--room', 'Kitchen', '--nick', 'ann', '--question', 'Where did we meet?', '--answer-file', 'a.txt'],
      ...['--listen', '127.0.0.1:0', '--private', '--address', 'a.example', '--address', '[2001:db8::7]:99'],
      ...['--uses', '3', '--expires', '2h', '--max-members', '4096', '--no-chat', '--sign', 'dsa'],
      ...['--keep', 'kitchen', '--keep-passphrase-file', 'k.txt'],
      ...['--identity', 'id.pem', '--passphrase-file', 'p.txt', '--no-last-seen', '--no-receipts'],
      ...['--topic', 'Dinner', '--motd-file', 'm.txt', '--approve', '--no-qr', '--no-clipboard'],
      ...['--stay', '7d', '--no-edits', '--no-read-receipts'],
      ...['--downloads', '/in', '--max-file', '2G', '--auto-accept', 'ann:50M', '--auto-accept', '1m'],
      ...['--timestamps', 'seconds', '--quiet', '--bell', 'all', '--notify', '--theme', 'light'],
      ...['--plain', '--no-color', '--no-input', '--log-file', 'log.txt', '--log-level', 'debug'],
      ...['--pictures', 'off'],
    ];
    assert.deepEqual(await hostOptions(words, TERMINAL), {
      nick: 'ann',
      signing: 'dsa',
      identity: { path: 'id.pem', passphrase: { kind: 'file', path: 'p.txt' } },
      keep: { name: 'kitchen', passphrase: { kind: 'file', path: 'k.txt' }, folder: '/data' },
      files: {
        downloads: '/in',
        maxBytes: 2 * 2 ** 30,
        autoAccept: [
          { from: 'ann', maxBytes: 50 * 2 ** 20 },
          { from: null, maxBytes: 2 ** 20 },
        ],
      },
      prefers: { stays: false, receipts: false, lastSeen: false },
      display: 'plain',
      color: false,
      colors: 16,
      preferences: {
        timestamps: 'seconds',
        quiet: true,
        bell: 'all',
        notify: true,
        atDirect: false,
        theme: 'light',
        pictures: 'off',
      },
      mayAsk: false,
      logFile: 'log.txt',
      logLevel: 'debug',
      roomName: 'Kitchen',
      question: 'Where did we meet?',
      answer: { kind: 'file', path: 'a.txt' },
      listen: { host: '127.0.0.1', port: 0 },
      addresses: [
        { host: 'a.example', port: null },
        { host: '2001:db8::7', port: 99 },
      ],
      invitationUses: 3,
      invitationMs: 7_200_000,
      membersMost: 4_096,
      chat: false,
      reach: 'private',
      topic: 'Dinner',
      motd: { kind: 'file', path: 'm.txt' },
      approval: true,
      staySeconds: 604_800,
      edits: false,
      readReceipts: false,
      qr: false,
      clipboard: false,
    });
  });
});

describe('files', () => {
  test('nothing is taken unasked that is larger than --max-file, also where a rule names no size', async () => {
    const words = ['--max-file', '500K', '--auto-accept', 'ann', '--auto-accept', 'bob:1M'];
    const { files } = await joinOptions([...words, '--auto-accept', '1000']);
    const all = 500 * 2 ** 10;
    assert.deepEqual(files, {
      downloads: null,
      maxBytes: all,
      autoAccept: [
        { from: 'ann', maxBytes: all },
        { from: 'bob', maxBytes: all },
        { from: null, maxBytes: 1_000 },
      ],
    });
  });

  test('a size that is none is refused with what would do', async () => {
    for (const words of [
      ['--max-file', '65G'],
      ['--max-file', 'much'],
      ['--auto-accept', 'ann:'],
    ]) {
      const { exitCode, err } = await runWith(['c', ...words]);
      assert.equal(exitCode, 2);
      assert.match(err, /--(max-file|auto-accept): Write (a size such as 500M|SIZE, NICK or NICK:SIZE)/);
    }
  });
});

describe('joining', () => {
  for (const name of ['c', 'join', 'client']) {
    test(`${name} joins`, async () => assert.equal((await runWith([name])).joined.length, 1));
  }

  test('files and standard input', async () => {
    const options = await joinOptions(['--token-file', '-', '--answer-file', 'a', '--code-file', 'c']);
    assert.deepEqual(options.invitation, { kind: 'standardInput' });
    assert.deepEqual(options.answer, { kind: 'file', path: 'a' });
    assert.deepEqual(options.code, { kind: 'file', path: 'c' });
  });

  test('an invitation on the command line works, with one warning that does not repeat it', async () => {
    const { joined, out, err } = await runWith(['c', 'sc1.k.t.c', '--json']);
    assert.deepEqual(joined[0]?.invitation, { kind: 'text', text: 'sc1.k.t.c' });
    assert.equal(out, '');
    assert.match(err, /^securechat: warning: [^\n]*--token-file\.\n$/);
    assert.doesNotMatch(err, /sc1/);
  });

  test('P42: what a pasted command line holds is told, and not obeyed', async () => {
    for (const words of [['c', '--\u001b]0;x\u0007'], ['x\u001b[2J\u202e']]) {
      const { exitCode, err } = await runWith(words);
      assert.equal(exitCode, 2);
      assert.match(err, /␛/);
      assert.doesNotMatch(err, /(?!\n)[\p{Cc}\p{Cf}]/u);
    }
  });
});

describe('saved rooms', () => {
  test('a name with @ is a saved room, and no invitation', async () => {
    const options = await joinOptions(['@Kitchen', '--takeover', '--passphrase-file', 'p']);
    const { saved, invitation, takeover, passphrase, dataFolder, identityByOption } = options;
    assert.deepEqual([saved, invitation, takeover, dataFolder], ['kitchen', null, true, '/data']);
    assert.deepEqual(passphrase, { kind: 'file', path: 'p' });
    assert.equal(identityByOption, false);
  });

  test('by itself a room is saved where it depends, with --save and --no-save either way', async () => {
    const identity = ['--identity', 'id.pem'];
    assert.equal((await joinOptions([])).save, null);
    assert.equal((await joinOptions([...identity, '--save'])).save, true);
    assert.equal((await joinOptions([...identity, '--no-save'])).save, false);
    const named = await joinOptions([...identity, '--save-as', 'attic']);
    assert.deepEqual([named.save, named.saveAs, named.identityByOption], [true, 'attic', true]);
  });

  test('what cannot be is told with what to do', async () => {
    for (const [words, told] of [
      [['@', '--save'], /Name a saved room/],
      [['--save'], /give --identity as well/],
      [['--takeover'], /securechat c @name --takeover/],
      [['@a', '--token-file', 'f'], /--token-file cannot be used with @a/],
      [['@a', '--save-as', 'b'], /--save-as cannot be used with @a/],
      [['--identity', 'id.pem', '--save-as', 'a', '--no-save'], /--save-as cannot be used with --no-save/],
    ] as const) {
      const { exitCode, err, joined } = await runWith(['c', ...words]);
      assert.deepEqual([exitCode, joined.length], [2, 0]);
      assert.match(err, told);
    }
  });
});

describe('identities', () => {
  test('what is to be done with which file', async () => {
    for (const what of ['new', 'show', 'passwd'] as const) {
      const { kept, err } = await runWith(['identity', what, 'id.pem']);
      assert.equal(err, '');
      assert.deepEqual([kept[0]?.what, kept[0]?.identity], [what, { path: 'id.pem', passphrase: null }]);
    }
    const { kept } = await runWith(['identity', 'new', 'f', '--sign', 'dsa', '--passphrase-file', '-']);
    assert.equal(kept[0]?.signing, 'dsa');
    assert.deepEqual(kept[0]?.identity.passphrase, { kind: 'standardInput' });
  });

  test('to join as one, by option or variable', async () => {
    const byOption = await joinOptions(['--identity', 'id.pem']);
    assert.deepEqual(byOption.identity, { path: 'id.pem', passphrase: null });
    const env = { SECURECHAT_IDENTITY: 'id.pem', SECURECHAT_PASSPHRASE_FILE: 'p.txt' };
    const byVariable = await joinOptions([], { env });
    assert.deepEqual(byVariable.identity, { path: 'id.pem', passphrase: { kind: 'file', path: 'p.txt' } });
    // A passphrase that waits in a variable for an identity is no mistake.
    const env2 = { SECURECHAT_PASSPHRASE_FILE: 'p.txt' };
    assert.equal((await joinOptions([], { env: env2 })).identity, null);
  });
});

describe('proofs', () => {
  const SHOWN = '0001 0203 0405 0607 0809 0a0b 0c0d 0e0f';

  test('which file, and which fingerprints are known', async () => {
    const { checked, err } = await runWith(['check', 'p.txt', '--owner', SHOWN, '--json']);
    assert.equal(err, '');
    const [options] = checked;
    assert.deepEqual([options?.file, options?.display, options?.signer], ['p.txt', 'json', null]);
    assert.deepEqual(
      options?.owner,
      Uint8Array.from({ length: 16 }, (_, at) => at),
    );
    const { checked: other } = await runWith(['check', '--signer', SHOWN.replaceAll(' ', ''), 'p.txt']);
    assert.deepEqual([other[0]?.owner, other[0]?.signer?.length], [null, 16]);
  });
});

describe('files from the shell', () => {
  const sendOptions = async (...words: readonly string[]) => {
    const { sent, err } = await runWith(['send', ...words]);
    assert.equal(err, '');
    return sent[0] ?? assert.fail('nothing was sent');
  };
  const refusal = async (...words: readonly string[]) => {
    const { sent, err, exitCode } = await runWith(['send', ...words]);
    assert.deepEqual([sent.length, exitCode], [0, 2]);
    return err;
  };

  test('paths, the room among them, and whom they are for', async () => {
    const usual = await sendOptions('a.txt', 'photos', '@kitchen');
    assert.deepEqual([usual.paths, usual.saved, usual.to], [['a.txt', 'photos'], 'kitchen', null]);
    assert.deepEqual([usual.waitMs, usual.takeover, usual.dataFolder], [600_000, false, '/data']);
    const other = await sendOptions('@kitchen', './@a', '--to', '@ann', '--wait', '2h', '--takeover');
    assert.deepEqual(
      [other.paths, other.to, other.waitMs, other.takeover],
      [['./@a'], '@ann', 7_200_000, true],
    );
    const { passphrase, identityByOption } = await sendOptions('a', '@b', '--passphrase-file', 'p.txt');
    assert.deepEqual([passphrase, identityByOption], [{ kind: 'file', path: 'p.txt' }, false]);
  });

  test('what is missing or too much', async () => {
    assert.match(await refusal('a.txt'), /Into which saved room\?/);
    assert.match(await refusal('@kitchen'), /There is nothing to send\./);
    assert.match(await refusal('a', '@b', '@c'), /One room at a time; a file called @c is written \.\/@c/);
    assert.match(await refusal('a', '@b', '--to', 'ann', '--to', 'bob'), /--to is given twice/);
    assert.match(await refusal('a', '@b', '--wait', '8d'), /at most 7d/);
    assert.match(await refusal('a', '@b', '--json', '--passphrase-file', '-'), /standard input/);
  });
});

describe('kept rooms', () => {
  test('what is to be done with which room and file', async () => {
    const act = async (...words: readonly string[]) => {
      const { rooms, err } = await runWith(['rooms', ...words], { dataFolder: async () => '/data' });
      assert.equal(err, '');
      assert.equal(rooms[0]?.folder, '/data');
      return rooms[0]?.act;
    };
    assert.deepEqual(await act(), { what: 'list' });
    assert.deepEqual(await act('list'), { what: 'list' });
    assert.deepEqual(await act('rename', 'a', 'b'), { what: 'rename', name: 'a', to: 'b' });
    assert.deepEqual(await act('delete', 'a'), { what: 'delete', name: 'a' });
    assert.deepEqual(await act('export', 'a', 'f'), { what: 'export', name: 'a', file: 'f' });
    assert.deepEqual(await act('backup', 'a', 'f'), { what: 'backup', name: 'a', file: 'f' });
    assert.deepEqual(await act('restore', 'f'), { what: 'restore', file: 'f', name: null });
    assert.deepEqual(await act('restore', 'f', 'a'), { what: 'restore', file: 'f', name: 'a' });
  });

  test('only a person at a terminal is asked whether to delete', async () => {
    const asked = async (words: readonly string[], setting: Setting) => {
      const [options] = (await runWith(['rooms', 'delete', 'a', ...words], setting)).rooms;
      return [options?.canConfirm, options?.isSure];
    };
    assert.deepEqual(await asked([], TERMINAL), [true, false]);
    assert.deepEqual(await asked(['--yes'], TERMINAL), [true, true]);
    assert.deepEqual(await asked(['--no-input'], TERMINAL), [false, false]);
    assert.deepEqual(await asked(['--json'], TERMINAL), [false, false]);
    assert.deepEqual(await asked([], {}), [false, false]);
  });
});

describe('display and colour', () => {
  const display = async (words: readonly string[], setting: Setting) =>
    (await hostOptions(words, setting)).display;
  const color = async (words: readonly string[], setting: Setting) =>
    (await hostOptions(words, setting)).color;

  test('redraws only on a terminal that can', async () => {
    assert.equal(await display([], TERMINAL), 'terminal');
    assert.equal(await display(['--plain'], TERMINAL), 'plain');
    assert.equal(await display(['--json'], TERMINAL), 'json');
    assert.equal(await display([], { ...TERMINAL, env: { TERM: 'dumb' } }), 'plain');
    assert.equal(await display([], { ...TERMINAL, stdinIsTerminal: false }), 'plain');
  });

  test('colours a terminal unless told otherwise', async () => {
    assert.equal(await color([], TERMINAL), true);
    assert.equal(await color(['--no-color'], { ...TERMINAL, env: { FORCE_COLOR: '1' } }), false);
    assert.equal(await color([], { ...TERMINAL, env: { NO_COLOR: '1' } }), false);
    assert.equal(await color([], { ...TERMINAL, env: { NO_COLOR: '' } }), true);
    assert.equal(await color([], { ...TERMINAL, env: { TERM: 'dumb' } }), false);
    assert.equal(await color([], { env: { FORCE_COLOR: '1' } }), true);
    assert.equal(await color(['--plain'], TERMINAL), false);
    assert.equal(await color(['--plain'], { ...TERMINAL, env: { FORCE_COLOR: '1' } }), true);
  });
});

test('counts the colours that the terminal has', async () => {
  const colors = async (env: Surroundings['env']) => (await hostOptions([], { ...TERMINAL, env })).colors;
  assert.equal(await colors({ TERM: 'xterm' }), 16);
  assert.equal(await colors({ TERM: 'xterm-256color' }), 256);
  assert.equal(await colors({ TERM: 'tmux-256color' }), 256);
  assert.equal(await colors({ TERM: 'xterm', COLORTERM: 'truecolor' }), 256);
  assert.equal(await colors({ FORCE_COLOR: '1', NO_COLOR: '1' }), 16);
});

test('the last of an option and its opposite counts', async () => {
  const quiet = async (words: readonly string[]) => (await hostOptions(words)).preferences.quiet;
  assert.equal(await quiet(['--quiet', '--no-quiet']), false);
  assert.equal(await quiet(['--no-quiet', '--quiet']), true);
});

describe('wrong usage exits 2, says what to do, and starts nothing', () => {
  const CASES: readonly (readonly [readonly string[], RegExp])[] = [
    [['x'], /unknown command 'x'/],
    [['hots'], /Did you mean host\?/],
    [['help', 'hots'], /did you mean host\?/],
    [['help', 'sc1.secret'], /"sc1\.…" is none of s, host/],
    [['completion', 'basj'], /did you mean bash\?/],
    [['completion'], /missing required argument.*securechat help completion/s],
    [['s', '--listne', 'a:1'], /Did you mean --listen\?/],
    [['s', '--uses', '256'], /whole number from 1 to 255/],
    [['s', '--max-members', '1'], /whole number from 2 to 4096/],
    [['s', '--expires', '31d'], /at most 30d/],
    [['s', '--listen', '8888'], /\[::\]:8888/],
    [['s', '--address', 'a b'], /HOST:PORT/],
    [['s', ...Array.from({ length: 5 }, () => ['--address', 'a']).flat()], /4 times at most/],
    [['s', '--sign', 'md5'], /rsa, dsa/],
    [['s', '--room', ''], /1 to 64 bytes/],
    [['s', '--nick', 'Ann Lee'], /2 to 20 characters/],
    [['s', '--json', '--plain'], /cannot be used with/],
    [['s', '--public', '--private'], /--private cannot be used with --public/],
    [['s', '--bell', 'loud'], /--bell: Write one of on, off, all/],
    [['s', '--log-file', ''], /--log-file: Write the name of a file/],
    [['s', '--answer-file', '-', '--motd-file', '-'], /Only one secret/],
    [['s', 'extra'], /too many arguments/],
    [['c', 'a', 'b'], /too many arguments/],
    [['c', 'a', '--token-file', 'b'], /Give the invitation once/],
    [['c', '--token-file', '-', '--answer-file', '-'], /Only one secret/],
    [['s', '--json', '--answer-file', '-'], /standard input carries commands/],
    [['c', '--passphrase-file', 'p'], /give --identity as well/],
    [['c', '--identity', 'i', '--passphrase-file', '-', '--code-file', '-'], /Only one secret/],
    [['s', '--identity', ''], /Write the name of a file/],
    [['identity'], /missing required argument/],
    [['identity', 'new'], /missing required argument.*securechat help identity/s],
    [['identity', 'shwo', 'f'], /did you mean show\?/],
    [['rooms', 'lsit'], /did you mean list\?/],
    [['rooms', 'list', 'kitchen'], /It goes: securechat rooms list/],
    [['rooms', 'rename', 'kitchen'], /It goes: securechat rooms rename NAME NEW/],
    [['rooms', 'delete'], /It goes: securechat rooms delete NAME/],
    [['rooms', 'delete', 'kitchen', 'attic'], /It goes: securechat rooms delete NAME/],
    [['rooms', 'backup', 'kitchen'], /It goes: securechat rooms backup NAME FILE/],
    [['rooms', 'restore'], /It goes: securechat rooms restore FILE \[NAME\]/],
    [['check'], /missing required argument/],
    [['check', 'a', 'b'], /too many arguments/],
    [['check', 'a', '--owner', 'ann'], /eight groups of four/],
    [['check', 'a', '--owner', 'b', '--owner', 'c'], /--owner is given twice/],
    [['check', 'a', '--signer'], /argument missing/],
    [['identity', 'show', 'f', '--json', '--passphrase-file', '-'], /standard input carries commands/],
  ];
  for (const [words, message] of CASES) {
    test(words.join(' '), async () => {
      const { exitCode, out, err, ...started } = await runWith(words);
      assert.deepEqual(
        { exitCode, out, started: Object.values(started).flat().length },
        { exitCode: 2, out: '', started: 0 },
      );
      assert.match(err, /^securechat: /);
      assert.match(err, message);
    });
  }

  test('an invitation in the wrong place is not repeated', async () => {
    const { exitCode, err } = await runWith(['sc1.secret.token.crc']);
    assert.equal(exitCode, 2);
    assert.doesNotMatch(err, /secret|token|crc/);
  });
});

describe('how a command ends', () => {
  test('its own exit code is kept', async () => {
    assert.equal((await runWith(['c'], { command: async () => 4 })).exitCode, 4);
  });

  const refused = Object.assign(new Error('connect ECONNREFUSED'), {
    code: 'ECONNREFUSED',
    syscall: 'connect',
  });
  const taken = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE', syscall: 'listen' });
  for (const { name, error, exitCode, err } of [
    {
      name: 'input',
      error: new InputError('x', 'Try again.'),
      exitCode: 2,
      err: /^securechat: Try again\.\n$/,
    },
    {
      name: 'a failed check',
      error: new SecurityError('pin', 'Not the host.'),
      exitCode: 5,
      err: /: Not the host\.\n$/,
    },
    { name: 'nobody there', error: refused, exitCode: 3, err: /^securechat: connect ECONNREFUSED\n$/ },
    { name: 'a taken port', error: taken, exitCode: 3, err: /^securechat: listen EADDRINUSE\n$/ },
    {
      name: 'a mistake of ours',
      error: new TypeError('oops'),
      exitCode: 1,
      err: /unexpected failure: TypeError: oops\n +at /,
    },
    {
      name: 'something thrown that is no error',
      error: 'oops',
      exitCode: 1,
      err: /unexpected failure: oops\n$/,
    },
  ]) {
    test(`${name} is exit code ${exitCode}`, async () => {
      const outcome = await runWith(['c'], { command: () => Promise.reject(error) });
      assert.equal(outcome.exitCode, exitCode);
      assert.match(outcome.err, err);
    });
  }
});

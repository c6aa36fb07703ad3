/** What a terminal would obey, hide or be confused by: some 250 strings, made from what terminals are documented to know. */

const ESC = '\u001b';
const BEL = '\u0007';
const ST = `${ESC}\\`;

const range = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => String.fromCodePoint(from + index));

const controls = [...range(0x00, 0x1f), ...range(0x7f, 0x9f)];

/** After ESC: clearing, moving, colours, modes, questions that a terminal answers as if typed, strings for others. */
const escapes = [
  ...['c', '7', '8', 'D', 'E', 'M', 'N', 'O', 'Z', '=', '>', '#8', '(0', '%G', ' F', 'n', '|'],
  ...[
    '[2J',
    '[3J',
    '[H',
    '[1;1H',
    '[99A',
    '[9B',
    '[99D',
    '[99G',
    '[5d',
    '[2K',
    '[9L',
    '[9M',
    '[9S',
    '[9T',
    '[9P',
    '[9@',
  ],
  ...[
    '[31m',
    '[1;5;7m',
    '[8m',
    '[38;5;196;48;5;21m',
    '[48;2;255;0;0m',
    '[4:3m',
    '[!p',
    '[s',
    '[u',
    '[2;5r',
    '[3g',
  ],
  ...[
    '[?25l',
    '[?7l',
    '[?5h',
    '[?1049h',
    '[?47h',
    '[?1000h',
    '[?1006h',
    '[?2004l',
    '[?1004l',
    '[?2026h',
    '[4h',
    '[20h',
  ],
  ...[
    '[c',
    '[>c',
    '[=c',
    '[5n',
    '[6n',
    '[?6n',
    '[18t',
    '[21t',
    '[14t',
    '[x',
    '[>q',
    '[?u',
    '[>4;2m',
    '[=1u',
    '[5i',
  ],
  ...[
    `]0;title${BEL}`,
    `]2;title${ST}`,
    `]4;1;rgb:00/00/00${BEL}`,
    `]10;#ff0000${BEL}`,
    `]11;?${BEL}`,
    `]12;red${BEL}`,
  ],
  ...[
    `]7;file:///etc${BEL}`,
    `]8;;http://evil.example${ST}link${ESC}]8;;${ST}`,
    `]9;notice${BEL}`,
    `]9;4;1;50${BEL}`,
  ],
  ...[
    `]50;font${BEL}`,
    `]52;c;ZXZpbA==${BEL}`,
    `]52;c;?${BEL}`,
    `]104${BEL}`,
    `]133;A${BEL}`,
    `]777;notify;a;b${BEL}`,
  ],
  ...[
    `]1337;File=name=eA==:eA==${BEL}`,
    `]unfinished`,
    `P+q544e${ST}`,
    `P$qm${ST}`,
    `Pq#0;2;0;0;0#0~~${ST}`,
    `P1;1|17/41${ST}`,
  ],
  ...[`_Gf=100;AAAA${ST}`, `_apc${ST}`, `^privacy${ST}`, `Xstring${ST}`, `ktitle${ST}`, `Punfinished`],
].map((sequence) => ESC + sequence);

/** The same in one byte, as Latin-1 would have it. */
const c1 = [
  '\u009b31m',
  '\u009b2J',
  '\u009d0;title\u009c',
  '\u009d52;c;ZQ==\u009c',
  '\u0090q\u009c',
  '\u009fapc\u009c',
  '\u008f',
];

const invisible = [
  ...[...range(0x202a, 0x202e), ...range(0x2066, 0x2069), '\u200e', '\u200f', '\u061c'],
  ...[
    ...range(0x200b, 0x200d),
    ...range(0x2060, 0x206f),
    '\ufeff',
    '\u00ad',
    '\u034f',
    '\u115f',
    '\u1160',
    '\u17b4',
  ],
  ...[
    '\u180e',
    '\u2800',
    '\u3164',
    '\uffa0',
    ...range(0xfff9, 0xfffd),
    '\ufffe',
    '\uffff',
    '\u{1fffe}',
    '\u{10ffff}',
  ],
  ...[
    '\u{e0001}',
    '\u{e0041}\u{e0042}',
    '\u{e0100}',
    '\ue000',
    '\u{f0000}',
    '\u2028',
    '\u2029',
    '\u0085',
    '\u000b\u000c',
  ],
];

const floods = [
  `Z${'\u0353\u030d\u0489'.repeat(60)} marks without end`,
  '\u{1f600}'.repeat(100),
  '\u{1f469}\u200d'.repeat(60),
  '\u{1f1e6}'.repeat(75),
  'w'.repeat(700),
  '界'.repeat(300),
  'שלום مرحبا '.repeat(20),
  '﷽'.repeat(60),
  'e\u0301'.repeat(200),
  '\ufe0f'.repeat(100),
];

/** What looks as if somebody else had said it. */
const forgeries = [
  'text\r12:34 <olga> not what olga said',
  'text\n12:34 <olga> nor this',
  '12:34 <olga> nor at the start',
  '-!- ALARM: all is lost',
  `${' '.repeat(60)}12:34 <olga> after spaces`,
  `${'\u00a0'.repeat(60)}12:34 <olga> after hard spaces`,
  '--> olga has joined\n<-- olga has left\n--- new since 12:34 ---',
  '      | a bar of its own',
  'Kitchen (3)> a prompt',
];

export const NAUGHTY: readonly string[] = [
  ...controls.map((control) => `a${control}b`),
  ...[...escapes, ...c1, ...invisible].map((text) => `a${text}b`),
  ...floods,
  ...forgeries,
];

/** Several strings a text, a line each. @param bytesMost of a text */
export function packed(strings: readonly string[], bytesMost: number): readonly string[] {
  const texts: string[] = [];
  let current = '';
  for (const text of strings) {
    const longer = current === '' ? text : `${current}\n${text}`;
    if (Buffer.byteLength(longer) <= bytesMost) current = longer;
    else {
      texts.push(current);
      current = text;
    }
  }
  return current === '' ? texts : [...texts, current];
}

/** docs/protocol.md lists every frame, structure and number, and each layout in it is the one that the code speaks. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DSA_GROUP } from '../../src/crypto/dsa-group.ts';
import * as acts from '../../src/protocol/acts.ts';
import * as admission from '../../src/protocol/admission-frames.ts';
import { concatBytes, toHex } from '../../src/protocol/bytes.ts';
import type { Codec } from '../../src/protocol/codec.ts';
import { CONTENT_KIND, SealedContent } from '../../src/protocol/content.ts';
import * as files from '../../src/protocol/file-frames.ts';
import { encodeManifest, type ManifestFile } from '../../src/protocol/file-manifest.ts';
import * as offers from '../../src/protocol/file-offer.ts';
import { Proof } from '../../src/protocol/proof.ts';
import {
  ACT_OUTCOME,
  CLOSE,
  CONVERSE_OUTCOME,
  DEFERRAL,
  REFUSAL,
  REMOVAL,
} from '../../src/protocol/reasons.ts';
import * as session from '../../src/protocol/session-frames.ts';
import * as objects from '../../src/protocol/signed-objects.ts';
import { assignments, blocks, readDocument } from './document.ts';
import { LayoutLanguage } from './layout-language.ts';

const PROTOCOL = readDocument('docs/protocol.md');
const LAYOUTS = new Map(blocks(PROTOCOL, 'layouts').flatMap((block) => [...assignments(block)]));
const TABLES = new Map(
  [...assignments(blocks(PROTOCOL, 'tables').join(''))].map(([name, text]) => {
    const rows = [...text.matchAll(/(\d+) ([\w-]+)/g)].map(
      ([, number, word = '']) => [word, Number(number)] as const,
    );
    return [name, new Map(rows)] as const;
  }),
);

/** The document's name for each structure of the code. */
const CODECS: Readonly<Record<string, Codec<unknown>>> = {
  HELLO: admission.Hello,
  QUESTION: admission.Question,
  ANSWER: admission.Answer,
  CHALLENGE: admission.Challenge,
  PROOF: admission.Proof,
  PROVED: admission.Proved,
  JOIN: admission.Join,
  WELCOME: admission.Welcome,
  REFUSED: admission.Refused,
  NONCE: admission.Nonce,
  PASSWORD: admission.PasswordFields,
  PASSWORD_CHALLENGE: admission.PasswordChallenge,
  PASSWORD_PROOF: admission.PasswordProof,
  LOGIN: admission.Login,
  EMPTY: session.Empty,
  CLOSE: session.Close,
  POST: session.Post,
  PLACED: session.Placed,
  DEFERRED: session.Deferred,
  ENTRY: session.Entry,
  PULL_LIST: session.PullList,
  LIST: session.ListPage,
  PULL_LOG: session.PullLog,
  LOG: session.LogPage,
  'whole-item': session.WholeItem,
  'digest-item': session.DigestItem,
  PULL_KEYS: session.PullKeys,
  KEYS: session.KeysPage,
  PUBLISH_KEY: session.PublishKey,
  WRAPS: session.Wraps,
  WRAPS_TAKEN: session.WrapsTaken,
  WRAP: session.WrapDelivery,
  NEEDKEY: session.NeedKeyFrame,
  PRESENCE: session.Presence,
  'presence-now': session.PresenceNow,
  LEAVE: session.LeaveFrame,
  ACT: session.ActFrame,
  ACT_ANSWER: session.ActAnswer,
  PREFER: session.Prefer,
  ACK: session.Ack,
  AWAY: session.Away,
  RECEIPTS: session.Receipts,
  ERAS: session.Eras,
  REGISTER: session.Register,
  REGISTER_REPLY: session.RegisterReply,
  REGISTER_RECORD: session.RegisterRecord,
  OPEN_DIRECT: session.OpenDirect,
  CONVERSE: session.Converse,
  CONVERSE_ANSWER: session.ConverseAnswer,
  PULL_CONVERSATION: session.PullConversation,
  CONVERSATION: session.ConversationPage,
  OFFER_FILE: files.OfferFile,
  WITHDRAW_FILE: files.WithdrawFile,
  DECLINE_FILE: files.DeclineFile,
  FILE_WANTED: files.FileWanted,
  FILE_PROGRESS: files.FileProgress,
  UPLOAD: files.Upload,
  FETCH: files.Fetch,
  STREAM: files.Stream,
  CREDIT: files.Credit,
  TAKEN: files.Taken,
  RECEIVED: files.Received,
  LINE_CLOSED: files.LineClosed,
  'roster-entry': objects.RosterEntry,
  'roster-operation': objects.RosterOperation,
  'wrap-key-statement': objects.WrapKeyStatement,
  'chain-announcement': objects.ChainAnnouncement,
  'need-key': objects.NeedKey,
  leave: objects.Leave,
  era: objects.Era,
  act: acts.SignedAct,
  'room-settings': objects.RoomSettings,
  'message-header': objects.MessageHeader,
  proof: Proof,
  'conversation-operation': objects.ConversationOperation,
  content: SealedContent,
  'file-offer': offers.FileOffer,
};

const NUMBERS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  mode: admission.MODE,
  keeps: admission.KEEPS,
  algorithm: objects.ALGORITHM,
  role: objects.ROLE,
  removal: REMOVAL,
  'entry-kind': session.ENTRY_KIND,
  form: session.LOG_ITEM,
  'content-kind': CONTENT_KIND,
  'presence-state': session.PRESENCE_STATE,
  deferral: DEFERRAL,
  refusal: REFUSAL,
  'close-reason': CLOSE,
  'act-kind': acts.ACT_KIND,
  'act-outcome': ACT_OUTCOME,
  'converse-outcome': CONVERSE_OUTCOME,
  'taker-state': files.TAKER_STATE,
  'line-close': files.LINE_CLOSE,
};

/** Decoded views made plain, so that they compare by content. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
}

describe('layouts', () => {
  for (const [name, codec] of Object.entries(CODECS)) {
    test(name, () => {
      const language = new LayoutLanguage(LAYOUTS, TABLES);
      for (const listLength of [0, 1, 2]) {
        const { value, bytes } = language.sample(name, listLength);
        assert.deepEqual(plain(codec.decode(bytes)), plain(value));
        assert.equal(toHex(codec.encode(codec.decode(bytes))), toHex(bytes));
        const malformed = { name: 'ProtocolError', code: 'malformed' };
        assert.throws(() => codec.decode(concatBytes(bytes, Uint8Array.of(0))), malformed);
        if (bytes.length > 0) assert.throws(() => codec.decode(bytes.subarray(0, -1)), malformed);
      }
    });
  }

  test('lists hold as many as the document says and no more', () => {
    for (const [name, codec] of Object.entries(CODECS)) {
      const language = new LayoutLanguage(LAYOUTS, TABLES);
      const fields = language.fields(name);
      fields.forEach(([, type], place) => {
        const most = Number(/^list\d+<[^,]+,(\d+)>$/.exec(type)?.[1]);
        if (Number.isNaN(most)) return;
        const withCount = (count: number) =>
          concatBytes(...fields.map(([, other], at) => language.list(other, at === place ? count : 0)));
        // Elements with lists of their own would be as long: none of ours has any.
        assert.doesNotThrow(() => codec.decode(withCount(most)), `${name}: ${most} elements`);
        assert.throws(() => codec.decode(withCount(most + 1)), { code: 'malformed' }, `${name}: one more`);
      });
    }
  });
});

test('a manifest lists files as the document says', () => {
  for (const count of [0, 1, 2]) {
    const { value, bytes } = new LayoutLanguage(LAYOUTS, TABLES).sample('manifest', count);
    const { files: listed } = value as unknown as { readonly files: readonly ManifestFile[] };
    assert.equal(listed.length, count);
    assert.equal(toHex(encodeManifest(listed)), toHex(bytes));
  }
});

test('every table has the numbers of the code', () => {
  const documented = Object.fromEntries([...TABLES].map(([name, rows]) => [name, Object.fromEntries(rows)]));
  assert.deepEqual(documented, NUMBERS);
});

test('every frame is listed with its number', () => {
  const listed = [
    ...blocks(PROTOCOL, 'frames')
      .join('')
      .matchAll(/^(\d+) [→←↔] (\w+)/gm),
  ];
  const camel = (name: string): string =>
    name.toLowerCase().replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  // The one name that is two words in the code and one in the document.
  const numbers = listed.map(([, number, name = '']) => [
    name === 'NEEDKEY' ? 'needKey' : camel(name),
    Number(number),
  ]);
  assert.deepEqual(Object.fromEntries(numbers), {
    ...admission.ADMISSION_FRAME,
    ...session.SESSION_FRAME,
    ...files.LINE_FRAME,
  });
});

test('every structure of the code has a layout', () => {
  // The beginnings that signatures cover, the box itself, and lists of entries are parts of what is listed.
  const parts = new Set<unknown>([
    admission.HelloFields,
    admission.JoinFields,
    admission.LoginFields,
    admission.Boxed,
    offers.fileOffer,
  ]);
  const known = new Set<unknown>([...Object.values(CODECS), ...parts]);
  for (const [name, value] of Object.entries({
    ...admission,
    ...session,
    ...objects,
    ...acts,
    ...files,
    ...offers,
  })) {
    const isCodec = typeof value === 'object' && 'decode' in value && 'encode' in value;
    if (isCodec) assert.ok(known.has(value), `${name} is not documented`);
  }
});

test('the DSA group is the one shipped', () => {
  const { p, q, g } = DSA_GROUP;
  const group = assignments(blocks(PROTOCOL, 'dsa-group').join(''));
  assert.deepEqual(Object.fromEntries(group), { p: toHex(p), q: toHex(q), g: toHex(g) });
});

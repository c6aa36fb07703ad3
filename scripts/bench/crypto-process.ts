/** The members' own work, beside the bare operations it consists of. Times in microseconds, one a repetition. */
import { constants, encapsulate, generateKeyPairSync, publicEncrypt, randomBytes } from 'node:crypto';
import { openEnvelope, sealEnvelope } from '../../src/crypto/envelope.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { importWrapKeys, type WrapPublicKeys, wrapChainKey } from '../../src/crypto/key-wrap.ts';
import { gcmOpen, gcmSeal } from '../../src/crypto/primitives.ts';
import { ReceivingChain, SendingChain } from '../../src/crypto/sender-chain.ts';
import { generateSigningKey, importVerifyKey } from '../../src/crypto/signature.ts';
import { type Bytes, utf8 } from '../../src/protocol/bytes.ts';
import { memberId } from '../../src/protocol/identifiers.ts';
import { serve } from './calls.ts';
import { unsafePublicKeys } from './load/unsafe-keys.ts';

export interface CryptoTimes {
  readonly ours: readonly number[];
  readonly bare: readonly number[];
}

interface Input {
  readonly repetitions: number;
}

const MESSAGES = 100;
const TEXT = utf8.encode('x'.repeat(200));
/** A message header's size; what it says plays no part here. */
const HEADER = new Uint8Array(205);
const BUCKET = new Uint8Array(256);

/** Interleaved: ours, bare, ours, bare. @returns µs for one of the `operations` */
function compare(
  { repetitions }: Input,
  operations: number,
  ours: () => void,
  bare: () => void,
): CryptoTimes {
  const times = { ours: [] as number[], bare: [] as number[] };
  ours();
  bare();
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    times.ours.push((timeOf(ours) * 1_000) / operations);
    times.bare.push((timeOf(bare) * 1_000) / operations);
  }
  return times;
}

function timeOf(work: () => void): number {
  const startMs = performance.now();
  work();
  return performance.now() - startMs;
}

function times(count: number, work: () => void): () => void {
  return () => {
    for (let place = 0; place < count; place += 1) work();
  };
}

const identity = await generateSigningKey('rsa');
const verifyKey = importVerifyKey(identity.spki, 'rsa');

/** A step of the chain, the envelope, the signature; beside the signature and the cipher alone. */
function seal(input: Input): CryptoTimes {
  const chain = SendingChain.start(new Uint8Array(randomBytes(32)));
  const [key, nonce] = [new Uint8Array(randomBytes(32)), new Uint8Array(12)];
  return compare(
    input,
    MESSAGES,
    times(MESSAGES, () => {
      const step = chain.next();
      const ciphertext = sealEnvelope({ ...step, header: HEADER, body: TEXT });
      identity.sign('sc1/msg', [sha256(HEADER), sha256(ciphertext)]);
    }),
    times(MESSAGES, () => {
      const ciphertext = gcmSeal({ key, nonce, aad: HEADER, plaintext: BUCKET });
      identity.sign('sc1/msg', ciphertext);
    }),
  );
}

/** The signature, a step of the chain, the envelope; beside verification and the cipher alone. */
function open(input: Input): CryptoTimes {
  const chainKey = new Uint8Array(randomBytes(32));
  const sending = SendingChain.start(chainKey);
  const receiving = new ReceivingChain({ ...sending.current(), chainKey });
  const [key, nonce] = [new Uint8Array(randomBytes(32)), new Uint8Array(12)];
  const bareSealed = gcmSeal({ key, nonce, aad: HEADER, plaintext: BUCKET });
  const bareSignature = identity.sign('sc1/msg', bareSealed);
  // As many as all repetitions open, the one that warms up included.
  const messages = Array.from({ length: MESSAGES * (input.repetitions + 1) }, () => {
    const step = sending.next();
    const ciphertext = sealEnvelope({ ...step, header: HEADER, body: TEXT });
    return {
      n: step.n,
      ciphertext,
      signature: identity.sign('sc1/msg', [sha256(HEADER), sha256(ciphertext)]),
    };
  });
  let place = 0;
  return compare(
    input,
    MESSAGES,
    times(MESSAGES, () => {
      const message = messages[place++];
      if (message === undefined) throw new Error('no message left');
      const { n, ciphertext, signature } = message;
      verifyKey.verify('sc1/msg', [sha256(HEADER), sha256(ciphertext)], signature);
      const step = receiving.peek(n);
      if (step === null || openEnvelope({ ...step, header: HEADER, ciphertext }) === null)
        throw new Error('a message does not open');
      receiving.commit(n);
    }),
    times(MESSAGES, () => {
      verifyKey.verify('sc1/msg', bareSealed, bareSignature);
      gcmOpen({ key, nonce, aad: HEADER, sealed: bareSealed });
    }),
  );
}

/** A chain key for each member of a room; beside RSA-OAEP and ML-KEM alone. All keys are imported already. */
async function wrap(input: Input & { readonly members: number }): Promise<CryptoTimes> {
  const nextRsa = await unsafePublicKeys(input.members);
  const keys: WrapPublicKeys[] = Array.from({ length: input.members }, () => {
    const { publicKey } = generateKeyPairSync('ml-kem-768');
    const kemPublic = new Uint8Array(publicKey.export({ format: 'raw-public' }));
    return importWrapKeys({ rsaSpki: nextRsa(), kemPublic });
  });
  const chainKey = new Uint8Array(randomBytes(32));
  const [announcementHash, statementHash] = [sha256(HEADER), sha256(TEXT)];
  const label: Bytes = new Uint8Array(57);
  const to = memberId(new Uint8Array(randomBytes(16)));
  return compare(
    input,
    input.members,
    () => {
      for (const key of keys)
        wrapChainKey({ to: key, chainKey, announcementHash, statementHash, memberId: to });
    },
    () => {
      for (const { rsa, kem } of keys) {
        const padding = constants.RSA_PKCS1_OAEP_PADDING;
        publicEncrypt({ key: rsa, padding, oaepHash: 'sha256', oaepLabel: label }, chainKey);
        encapsulate(kem);
      }
    },
  );
}

const calls = { seal, open, wrap };
export type CryptoCalls = typeof calls;

serve(calls);

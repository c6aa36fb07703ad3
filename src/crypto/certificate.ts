/**
 * The host's TLS certificate: self-signed, P-256, known to joiners by the hash of its key. The only file that knows
 * `node-forge`, which writes the ASN.1; the key and the signature are Node's.
 */
import { createHash, generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import type { Bytes } from '../protocol/bytes.ts';
import { type Hash, hash } from '../protocol/identifiers.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
/** Nobody checks it: joiners trust the pin, which lives as long as the room. */
const VALID_DAYS = 3_650;
const COMMON_NAME = 'securechat';
const OID = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  basicConstraints: '2.5.29.19',
} as const;

/**
 * @param input.nowMs validity begins at midnight UTC before it, so that a start time is not published.
 * @param input.serial random bytes, 8 to 20.
 * @returns a new P-256 key (PKCS#8), its certificate, and the pin that goes into invitations.
 * @throws RangeError when the serial has another length.
 * @see docs/protocol.md#transport
 */
export async function makeCertificate(input: {
  readonly nowMs: number;
  readonly serial: Bytes;
}): Promise<{ readonly keyPem: string; readonly certPem: string; readonly pin: Hash }> {
  if (input.serial.length < 8 || input.serial.length > 20) throw new RangeError('a serial is 8 to 20 bytes');
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const der = await encodeCertificate({
    ...input,
    spki,
    signTbs: (tbs) => sign('sha256', tbs, { key: privateKey, dsaEncoding: 'der' }),
  });
  const certificate = new X509Certificate(der);
  return {
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certPem: certificate.toString(),
    pin: pinOfCertificate(der),
  };
}

/**
 * @param certDer as a TLS peer sent it.
 * @returns SHA-256 of its SubjectPublicKeyInfo.
 * @throws Error when the bytes are no certificate.
 */
export function pinOfCertificate(certDer: Bytes): Hash {
  const spki = new X509Certificate(certDer).publicKey.export({ type: 'spki', format: 'der' });
  return hash(new Uint8Array(createHash('sha256').update(spki).digest()));
}

async function encodeCertificate(input: {
  readonly nowMs: number;
  readonly serial: Bytes;
  readonly spki: Bytes;
  readonly signTbs: (tbs: Bytes) => Bytes;
}): Promise<Bytes> {
  const { asn1 } = (await import('node-forge')).default;
  type Node = ReturnType<typeof asn1.create>;
  // Forge holds bytes in strings of Latin-1.
  const binary = (bytes: Bytes) => Buffer.from(bytes).toString('latin1');
  const toDer = (node: Node) => Buffer.from(asn1.toDer(node).getBytes(), 'latin1');
  const value = (type: number, content: string) => asn1.create(asn1.Class.UNIVERSAL, type, false, content);
  const list = (...items: Node[]) => asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, items);
  const set = (...items: Node[]) => asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SET, true, items);
  const tagged = (tag: number, item: Node) => asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag, true, [item]);
  const oid = (dotted: string) => value(asn1.Type.OID, asn1.oidToDer(dotted).getBytes());
  const integer = (bytes: Bytes) => value(asn1.Type.INTEGER, binary(bytes));
  // RFC 5280 wants UTCTime before 2050 and GeneralizedTime from then on.
  const time = (date: Date) =>
    date.getUTCFullYear() < 2050
      ? value(asn1.Type.UTCTIME, asn1.dateToUtcTime(date))
      : value(asn1.Type.GENERALIZEDTIME, asn1.dateToGeneralizedTime(date));

  const notBeforeMs = Math.floor(input.nowMs / DAY_MS) * DAY_MS;
  const algorithm = list(oid(OID.ecdsaWithSha256));
  const name = list(set(list(oid(OID.commonName), value(asn1.Type.UTF8, COMMON_NAME))));
  // An end-entity certificate: an empty sequence says that it signs no others.
  const notAnAuthority = list(oid(OID.basicConstraints), value(asn1.Type.OCTETSTRING, binary(toDer(list()))));
  const tbs = list(
    tagged(0, integer(Uint8Array.of(2))), // X.509 version 3
    integer(positive(input.serial)),
    algorithm,
    name,
    list(time(new Date(notBeforeMs)), time(new Date(notBeforeMs + VALID_DAYS * DAY_MS))),
    name,
    asn1.fromDer(binary(input.spki)),
    tagged(3, list(notAnAuthority)),
  );
  const signature = input.signTbs(toDer(tbs));
  return toDer(list(tbs, algorithm, value(asn1.Type.BITSTRING, `\0${binary(signature)}`)));
}

/** A DER integer is signed and minimal: the first byte is made 0x40 to 0x7f, which is both. */
function positive(serial: Bytes): Bytes {
  const bytes = serial.slice();
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

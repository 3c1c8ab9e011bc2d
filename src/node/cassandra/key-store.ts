import { createPrivateKey } from 'node:crypto';

/**
 * A PKCS#12 key store, the kind that Java reads without a tool that makes it: one key, encrypted under the password, and its
 * chain. Without a MAC: whoever can write the file can make another.
 */
export function keyStore(options: {
  /** PEM. */
  readonly key: string;
  /** PEM, the leaf first. */
  readonly chain: string;
  readonly alias: string;
  readonly password: string;
}): Buffer {
  const { key, alias, password } = options;
  const [leaf, ...others] = certificatesIn(options.chain);
  if (!leaf) throw new Error('A key store needs the certificate of its key, and was given none.');
  // EncryptedPrivateKeyInfo is just what a shrouded key bag holds.
  const shrouded = createPrivateKey(key).export({
    format: 'der',
    type: 'pkcs8',
    cipher: 'aes-256-cbc',
    passphrase: password,
  });
  const attributes = set(
    sequence(oids.friendlyName, set(der(0x1e, Buffer.from(alias, 'utf16le').swap16()))),
    // Which key a certificate belongs to: any bytes, the same on both.
    sequence(oids.localKeyId, set(octets(Buffer.from([1])))),
  );
  const certificate = (body: Buffer): Buffer => explicit(sequence(oids.x509, explicit(octets(body))));
  const bags = sequence(
    sequence(oids.shroudedKey, explicit(shrouded), attributes),
    sequence(oids.certificateBag, certificate(leaf), attributes),
    ...others.map((other) => sequence(oids.certificateBag, certificate(other))),
  );
  const data = (content: Buffer): Buffer => sequence(oids.data, explicit(octets(content)));
  return sequence(der(0x02, Buffer.from([3])), data(sequence(data(bags))));
}

const certificatesIn = (pem: string): readonly Buffer[] =>
  [...pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END/g)].map(([, body]) =>
    Buffer.from(body!, 'base64'),
  );

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 0x80 ? [length] : longLength(length);
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function longLength(length: number): readonly number[] {
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return [0x80 | bytes.length, ...bytes];
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, Buffer.concat(parts));
const set = (...parts: readonly Buffer[]): Buffer => der(0x31, Buffer.concat(parts));
const octets = (content: Buffer): Buffer => der(0x04, content);
const explicit = (content: Buffer): Buffer => der(0xa0, content);

const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
/** PKCS#7 and PKCS#12's own names, encoded. */
const oids = {
  data: oid('2a864886f70d010701'),
  friendlyName: oid('2a864886f70d010914'),
  localKeyId: oid('2a864886f70d010915'),
  x509: oid('2a864886f70d01091601'),
  shroudedKey: oid('2a864886f70d010c0a0102'),
  certificateBag: oid('2a864886f70d010c0a0103'),
};

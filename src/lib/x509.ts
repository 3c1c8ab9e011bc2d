import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { randomBytes, webcrypto } from 'node:crypto';

/**
 * Certificates: an authority that signs for itself alone, requests, and what is issued on them. All keys are ECDSA P-256,
 * PKCS#8 PEM; all certificates PEM.
 */
export interface Authority {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface Profile {
  /** Decided by the issuer: what a request asks for in its subject is not believed. */
  readonly commonName: string;
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  readonly uri?: readonly string[];
  readonly use: readonly ('server' | 'client')[];
  readonly days: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const crypto = webcrypto;
x509.cryptoProvider.set(crypto);

export async function createAuthority(
  commonName: string,
  options: { readonly days: number; readonly now: number },
): Promise<Authority> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: [{ CN: [commonName] }],
    ...validity(options),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      // Path length 0: an authority signs leaves, and no authority signs for another.
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, crypto),
    ],
  });
  return { certificate: pem(certificate), privateKey: await exportKey(keys.privateKey) };
}

/** A new key and the PKCS#10 request for it. The key stays with whoever called. */
export async function createRequest(
  commonName: string,
): Promise<{ readonly privateKey: string; readonly request: string }> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm: algorithm,
  });
  return { privateKey: await exportKey(keys.privateKey), request: `${request.toString('pem')}\n` };
}

/** Issues on a request's public key, after its proof of possession was checked. Throws when the request is not sound. */
export async function issueOnRequest(
  authority: Authority,
  request: string,
  profile: Profile,
): Promise<string> {
  const parsed = new x509.Pkcs10CertificateRequest(request);
  if (!(await parsed.verify(crypto)))
    throw new Error('The certificate request is not signed by its own key.');
  return issueFor(authority, parsed.publicKey, profile);
}

/**
 * What a request asks for, by its key: `keyDigest` is the same for each request of one key, `algorithm` is as
 * `ECDSA P-256`. Throws when the text is no request, or isn't signed by its own key.
 */
export async function describeRequest(
  request: string,
): Promise<{ readonly keyDigest: string; readonly algorithm: string }> {
  const parsed = new x509.Pkcs10CertificateRequest(request);
  if (!(await parsed.verify(crypto)))
    throw new Error('The certificate request is not signed by its own key.');
  const digest = await parsed.publicKey.getThumbprint('SHA-256', crypto);
  const key = parsed.publicKey.algorithm as { readonly name: string; readonly namedCurve?: string };
  return {
    keyDigest: Buffer.from(digest).toString('hex'),
    algorithm: [key.name, key.namedCurve].filter(Boolean).join(' '),
  };
}

/** Whether a request is one, and signed by its own key: asked before anything one-time is spent on it. */
export async function isSoundRequest(request: string): Promise<boolean> {
  try {
    return await new x509.Pkcs10CertificateRequest(request).verify(crypto);
  } catch {
    return false;
  }
}

/** A key and its certificate, both made here. */
export async function issue(authority: Authority, profile: Profile): Promise<Authority> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  return {
    certificate: await issueFor(
      authority,
      new x509.PublicKey(keys.publicKey as never),
      profile,
      keys.publicKey,
    ),
    privateKey: await exportKey(keys.privateKey),
  };
}

/** SHA-256 of the certificate's DER, lower-case hex. */
export async function fingerprint(certificate: string): Promise<string> {
  const digest = await new x509.X509Certificate(certificate).getThumbprint('SHA-256', crypto);
  return Buffer.from(digest).toString('hex');
}

async function issueFor(
  authority: Authority,
  publicKey: x509.PublicKey,
  profile: Profile,
  cryptoKey?: webcrypto.CryptoKey,
): Promise<string> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const signingKey = await crypto.subtle.importKey(
    'pkcs8',
    pemToDer(authority.privateKey),
    algorithm,
    false,
    ['sign'],
  );
  const names: x509.JsonGeneralName[] = [
    ...(profile.dns ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(profile.ip ?? []).map((value) => ({ type: 'ip' as const, value })),
    ...(profile.uri ?? []).map((value) => ({ type: 'url' as const, value })),
  ];
  const uses = profile.use.map((use) =>
    use === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth,
  );
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: new x509.Name([{ CN: [profile.commonName] }]).toString(),
    issuer: issuer.subject,
    ...validity(profile),
    publicKey: cryptoKey ?? publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(uses, false),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
      await x509.AuthorityKeyIdentifierExtension.create(issuer, false, crypto),
    ],
  });
  return pem(certificate);
}

/** An hour back, for clocks that disagree. */
const validity = (options: { readonly days: number; readonly now: number }) => ({
  notBefore: new Date(options.now - 3_600_000),
  notAfter: new Date(options.now + options.days * 86_400_000),
});

/** 126 random bits, positive and without leading zeros. */
const serial = (): string => `4${randomBytes(16).toString('hex').slice(1)}`;
const pem = (certificate: x509.X509Certificate): string => `${certificate.toString('pem')}\n`;
const pemToDer = (text: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.from(text.replace(/-----[^-]+-----|\s/g, ''), 'base64'));

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/(.{64})/g, '$1\n').trimEnd()}\n-----END PRIVATE KEY-----\n`;
}

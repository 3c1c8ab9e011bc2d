import { X509Certificate, createHash } from 'node:crypto';
import { ArmError } from '../arm/errors.ts';
import type { Credential } from '../store/credentials.ts';

/** Of a certificate's DER, base64url, as `x5t#S256` and `x5t` name it. */
export const thumbprints = (
  certificate: X509Certificate,
): Pick<Credential, 'thumbprint' | 'thumbprintSha1'> => ({
  thumbprint: createHash('sha256').update(certificate.raw).digest('base64url'),
  thumbprintSha1: createHash('sha1').update(certificate.raw).digest('base64url'),
});

/** A client's certificate as somebody hands it in: one, with an RSA key, and still good. A private key is refused by name. */
export function readCertificate(pem: string, now: Date): X509Certificate {
  const fail = (why: string): never => {
    throw new ArmError('InvalidParameter', `The certificate can't be taken: ${why}`, { target: 'pem' });
  };
  if (/PRIVATE KEY/.test(pem))
    return fail('there is a private key in it, which never leaves its owner. Send the certificate alone.');
  if (pem.length > 16_384 || pem.split('-----BEGIN CERTIFICATE-----').length !== 2)
    return fail('send exactly one, as PEM.');
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    return fail('it is no X.509 certificate in PEM.');
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = certificate.publicKey;
  if (type !== 'rsa' || (details?.modulusLength ?? 0) < 2048)
    return fail('its key must be RSA with 2048 bits or more: assertions are signed with RS256 or PS256.');
  if (!isValidAt(certificate, now)) return fail('it has expired, or is not valid yet.');
  return certificate;
}

export const isValidAt = (certificate: X509Certificate, now: Date): boolean =>
  certificate.validFromDate <= now && now <= certificate.validToDate;

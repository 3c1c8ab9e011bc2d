import { X509Certificate } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, importX509, jwtVerify } from 'jose';
import type { Clock } from '../lib/clock.ts';
import type { Credential, Credentials } from '../store/credentials.ts';
import { isValidAt } from './certificates.ts';

/** What a client sends instead of a secret (RFC 7523). */
export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

const algorithms = ['RS256', 'PS256'];
/** An assertion is made for one sign-in: one that is good for longer is refused, so that its id is not kept for ever. */
const longestSeconds = 3_600;
const toleranceSeconds = 60;

export type Verdict = { readonly clientId: string } | { readonly wrong: string; readonly clientId?: string };

/**
 * Whose assertion it is: signed by a certificate that is registered for that client, made for this endpoint, and never seen before.
 * `wrong` is for the log; the caller is told no more than that it was refused.
 */
export async function verifyAssertion(
  assertion: string,
  options: {
    /** From the form, where it was sent. */
    readonly clientId: string;
    readonly audiences: readonly string[];
    readonly credentials: Pick<Credentials, 'live' | 'spend'>;
    readonly clock: Pick<Clock, 'now'>;
  },
): Promise<Verdict> {
  const read = readClaims(assertion);
  if (!read) return { wrong: 'it is no JWT' };
  const { header, claims } = read;
  const clientId = String(claims.sub ?? '').toLowerCase();
  if (clientId === '' || String(claims.iss).toLowerCase() !== clientId)
    return { wrong: 'iss and sub are not one client' };
  const flaw = (wrong: string): Verdict => ({ wrong, clientId });
  if (options.clientId !== '' && options.clientId !== clientId) return flaw('client_id names another client');
  if (!algorithms.includes(String(header.alg))) return flaw('alg is neither RS256 nor PS256');
  const certificate = options.credentials
    .live(clientId)
    .find((one) => one.kind === 'certificate' && isNamed(header, one));
  if (!certificate) return flaw('no certificate of that thumbprint is registered');
  const now = options.clock.now();
  if (!isValidAt(new X509Certificate(certificate.value), new Date(now)))
    return flaw('the certificate is not valid now');
  try {
    await jwtVerify(assertion, await importX509(certificate.value, String(header.alg)), {
      algorithms,
      audience: [...options.audiences],
      requiredClaims: ['exp', 'jti', 'aud'],
      clockTolerance: toleranceSeconds,
      currentDate: new Date(now),
    });
  } catch (error) {
    return flaw(error instanceof Error ? error.message : 'it could not be verified');
  }
  const { exp, jti } = claims;
  if (typeof jti !== 'string' || jti === '' || jti.length > 200) return flaw('jti is missing, or too long');
  if (exp === undefined || exp - now / 1000 > longestSeconds + toleranceSeconds)
    return flaw('it is good for more than an hour');
  if (!options.credentials.spend(clientId, jti, Math.ceil(exp) + toleranceSeconds))
    return flaw('it was used before');
  return { clientId };
}

/** MSAL pads its base64url, which nobody should (RFC 7515). */
const bare = (text: unknown): string | undefined =>
  typeof text === 'string' ? text.replace(/=+$/, '') : undefined;

function isNamed(
  header: Readonly<Record<string, unknown>>,
  { thumbprint, thumbprintSha1 }: Pick<Credential, 'thumbprint' | 'thumbprintSha1'>,
): boolean {
  const sha256 = bare(header['x5t#S256']);
  return sha256 === undefined ? bare(header['x5t']) === thumbprintSha1 : sha256 === thumbprint;
}

function readClaims(assertion: string) {
  try {
    return { header: decodeProtectedHeader(assertion), claims: decodeJwt(assertion) };
  } catch {
    return undefined;
  }
}

import { ArmError } from '../arm/errors.ts';
import type { Caller } from '../arm/kind.ts';
import type { Principals } from '../store/principals.ts';
import type { Tokens } from './tokens.ts';

/**
 * Who a bearer token was issued to, by the `Authorization` header; throws an ArmError (401). A principal that is gone has no token
 * any more. A token that was seen before is answered at once, without a promise: nearly every request brings one.
 */
export function authenticate(
  authorization: string | undefined,
  tokens: Pick<Tokens, 'known' | 'verify'>,
  principals: Pick<Principals, 'get'>,
): Caller | Promise<Caller> {
  const known = authorization?.startsWith('Bearer ') ? tokens.known(authorization.slice(7)) : undefined;
  return known === undefined ? verified(authorization, tokens, principals) : callerOf(known, principals);
}

async function verified(
  authorization: string | undefined,
  tokens: Pick<Tokens, 'known' | 'verify'>,
  principals: Pick<Principals, 'get'>,
): Promise<Caller> {
  const token = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) {
    throw new ArmError(
      authorization === undefined ? 'AuthenticationFailed' : 'InvalidAuthenticationToken',
      authorization === undefined
        ? "Authentication failed. The 'Authorization' header is missing. Sign in, and send 'Authorization: Bearer TOKEN'."
        : "The 'Authorization' header is not of the form 'Bearer TOKEN'. Sign in again and send the new token.",
    );
  }
  let clientId: string;
  try {
    // Another spelling of the header, as `bearer`, is no other token.
    clientId = tokens.known(token) ?? (await tokens.verify(token));
  } catch (cause) {
    throw new ArmError(
      'InvalidAuthenticationToken',
      `The access token is invalid: ${reasonOf(cause)} Sign in again and send the new token.`,
      { cause },
    );
  }
  return callerOf(clientId, principals);
}

function callerOf(clientId: string, principals: Pick<Principals, 'get'>): Caller {
  const principal = principals.get(clientId);
  if (!principal) {
    throw new ArmError(
      'InvalidAuthenticationToken',
      'The service principal of the access token is not known here (any more).',
    );
  }
  return { principalId: principal.clientId, displayName: principal.displayName };
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_JWT_EXPIRED') return 'it has expired.';
  if (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED') {
    const claim = error instanceof Error && 'claim' in error ? String(error.claim) : 'a claim';
    return claim === 'aud'
      ? 'it is meant for another audience.'
      : `its '${claim}' is not the one of this endpoint.`;
  }
  if (code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') return 'its signature is not ours.';
  return 'it is not a token of this endpoint.';
}

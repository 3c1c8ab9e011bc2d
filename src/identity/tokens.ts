import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  jwtVerify,
  SignJWT,
  type JWK,
} from 'jose';
import { randomUUID } from 'node:crypto';
import { readJson, writeJson } from '../lib/files.ts';
import type { Clock } from '../lib/clock.ts';
import type { Principal } from '../store/principals.ts';

export const lifetimeSeconds = 3600;
const algorithm = 'RS256';

export interface Tokens {
  /** `audience` as the client asked for it; undefined where it is none of ours. */
  issue(principal: Principal, audience: string, issuer: string): Promise<string | undefined>;
  /** The application id of a token that was found sound before and has not expired since; undefined: it has to be verified. */
  known(token: string): string | undefined;
  /** The application id that a sound token was issued to; throws jose's error otherwise. */
  verify(token: string): Promise<string>;
  /** The public key, for whoever verifies by themselves. */
  readonly jwks: { readonly keys: readonly JWK[] };
}

export interface TokenOptions {
  /** The signing key's file, 0600: it outlives restarts, because clients keep their tokens. */
  readonly keyFile: string;
  readonly tenantId: string;
  /** Without a slash at the end. */
  readonly audiences: readonly string[];
  readonly issuers: readonly string[];
  readonly clock: Clock;
}

export async function openTokens(options: TokenOptions): Promise<Tokens> {
  const { clock, tenantId } = options;
  const jwk = (await readJson<JWK>(options.keyFile)) ?? (await createKey(options.keyFile));
  const kid = await calculateJwkThumbprint(jwk);
  const privateKey = await importJWK(jwk, algorithm);
  const publicJwk: JWK = { kty: jwk.kty!, n: jwk.n!, e: jwk.e!, kid, use: 'sig', alg: algorithm };
  const publicKey = await importJWK(publicJwk, algorithm);
  const verified = createVerified();
  const bare = (audience: string): string => audience.replace(/\/+$/, '');

  return {
    jwks: { keys: [publicJwk] },
    async issue(principal, audience, issuer) {
      if (!options.audiences.includes(bare(audience))) return undefined;
      const now = Math.floor(clock.now() / 1000);
      const identity = {
        appid: principal.clientId,
        oid: principal.objectId,
        tid: tenantId,
        idtyp: 'app',
        ver: '1.0',
      };
      return new SignJWT({ ...identity, app_displayname: principal.displayName })
        .setProtectedHeader({ alg: algorithm, typ: 'JWT', kid })
        .setSubject(principal.objectId)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt(now)
        .setNotBefore(now)
        .setExpirationTime(now + lifetimeSeconds)
        .setJti(randomUUID())
        .sign(privateKey);
    },
    known: (token) => verified.get(token, clock.now()),
    async verify(token) {
      const { payload } = await jwtVerify(token, publicKey, {
        algorithms: [algorithm],
        audience: options.audiences.flatMap((audience) => [audience, `${audience}/`]),
        issuer: [...options.issuers],
        requiredClaims: ['exp', 'appid', 'tid'],
        clockTolerance: 5,
        currentDate: new Date(clock.now()),
      });
      if (payload['tid'] !== tenantId || typeof payload['appid'] !== 'string')
        throw new Error('The token is of another tenant.');
      verified.add(token, payload['appid'], payload.exp! * 1000);
      return payload['appid'];
    },
  };
}

const mostVerified = 1000;

/**
 * Tokens whose signature was found good, until they expire: a client sends the same one for an hour. Who it belongs to, and what
 * they may do, is asked for anew with each request.
 */
function createVerified() {
  const known = new Map<string, { readonly clientId: string; readonly until: number }>();
  // Most come from one client after another: to compare is less than to look up, for which the whole of it is hashed.
  let last: { readonly token: string; readonly clientId: string; readonly until: number } | undefined;
  return {
    get(token: string, now: number): string | undefined {
      if (last?.token !== token) {
        const found = known.get(token);
        if (!found) return undefined;
        last = { token, ...found };
      }
      return now < last.until ? last.clientId : undefined;
    },
    add(token: string, clientId: string, until: number): void {
      // The oldest goes: at worst it is verified once more.
      if (known.size >= mostVerified) known.delete(known.keys().next().value!);
      known.set(token, { clientId, until });
    },
  };
}

async function createKey(file: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair(algorithm, { modulusLength: 2048, extractable: true });
  const jwk = await exportJWK(privateKey);
  await writeJson(file, jwk);
  return jwk;
}

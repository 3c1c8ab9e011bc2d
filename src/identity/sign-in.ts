import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Credentials } from '../store/credentials.ts';
import type { Principals } from '../store/principals.ts';
import { assertionType, verifyAssertion } from './assertion.ts';
import { createGuessGuard } from './guessing.ts';
import { createSecretProofs } from './proofs.ts';
import { lifetimeSeconds, type Tokens } from './tokens.ts';

/** An OAuth answer: a token, or an error in the words that MSAL knows. */
export interface SignInReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** `source`: the address it came from. `audiences`: the token endpoints that an assertion may be made for. */
export type SignIn = (
  form: URLSearchParams,
  asked: { readonly issuer: string; readonly source: string; readonly audiences: readonly string[] },
) => Promise<SignInReply>;

/**
 * Client credentials for a token: a secret, or an assertion signed by a registered certificate. A wrong one is answered late, and later
 * with every repeat; the right one at once, so that nobody can lock a client out by guessing.
 */
export function createSignIn(options: {
  readonly principals: Pick<Principals, 'get'>;
  readonly credentials: Pick<Credentials, 'live' | 'spend'>;
  readonly tokens: Tokens;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}): SignIn {
  const { principals, credentials, tokens, clock, log } = options;
  const guard = createGuessGuard(options);
  const proofs = createSecretProofs(credentials);

  async function wrong(clientId: string, source: string, why: string): Promise<SignInReply> {
    const known = principals.get(clientId) !== undefined;
    log.warn('sign-in refused', { client: known ? clientId : 'unknown', source, why });
    return (await guard.wrong(known ? clientId : 'unknown', source)) ? refused() : crowded();
  }

  /** The client that has proved itself, or the answer that it gets. */
  async function prove(
    form: (name: string) => string,
    asked: Parameters<SignIn>[1],
  ): Promise<string | SignInReply> {
    const { source } = asked;
    const clientId = form('client_id').toLowerCase().slice(0, 100);
    const assertion = form('client_assertion');
    if (assertion !== '') {
      if (form('client_assertion_type') !== assertionType)
        return fault(400, 'invalid_request', 900144, `client_assertion_type must be ${assertionType}.`);
      const verdict = await guard.check(source, () =>
        verifyAssertion(assertion, { clientId, audiences: asked.audiences, credentials, clock }),
      );
      if (verdict === undefined) return crowded();
      return 'wrong' in verdict
        ? wrong(verdict.clientId ?? clientId, source, `assertion: ${verdict.wrong}`)
        : verdict.clientId;
    }
    const secret = form('client_secret');
    if (clientId === '' || secret === '') {
      return fault(
        400,
        'invalid_request',
        900144,
        "The request body must contain 'client_id', and 'client_secret' or 'client_assertion'.",
      );
    }
    if (secret.length > 512) return wrong(clientId, source, 'secret too long');
    if (proofs.isFamiliar(clientId, secret)) return clientId;
    const right = await guard.check(source, () => proofs.check(clientId, secret));
    if (right === undefined) return crowded();
    return right ? clientId : wrong(clientId, source, 'wrong secret');
  }

  return async (form, asked) => {
    const field = (name: string): string => form.get(name) ?? '';
    if (field('grant_type') !== 'client_credentials') {
      return fault(400, 'unsupported_grant_type', 70003, 'Only grant_type=client_credentials is known here.');
    }
    const proved = await prove(field, asked);
    if (typeof proved !== 'string') return proved;
    const principal = principals.get(proved);
    if (!principal) return wrong(proved, asked.source, 'unknown client');
    guard.right(proved);

    // `scope` in the newer form (`AUDIENCE/.default`), `resource` in the older one.
    const audience =
      field('resource') ||
      (
        field('scope')
          .split(' ')
          .find((one) => one.endsWith('/.default')) ?? ''
      ).slice(0, -'/.default'.length);
    const token = await tokens.issue(principal, audience, asked.issuer);
    if (token === undefined) {
      return fault(
        400,
        'invalid_resource',
        500011,
        `The audience '${audience.slice(0, 200)}' is not known here. Ask for the resource manager's endpoint, as /metadata/endpoints names it.`,
      );
    }
    const expires = Math.floor(clock.now() / 1000) + lifetimeSeconds;
    return {
      status: 200,
      body: {
        token_type: 'Bearer',
        expires_in: lifetimeSeconds,
        ext_expires_in: lifetimeSeconds,
        expires_on: String(expires),
        resource: audience,
        access_token: token,
      },
    };
  };
}

const refused = (): SignInReply =>
  fault(
    401,
    'invalid_client',
    7000215,
    "Invalid client id or client secret. 'sallyport env --as customer|provider' prints the right ones.",
  );

const crowded = (): SignInReply => ({
  ...fault(
    429,
    'temporarily_unavailable',
    90055,
    'Too many wrong secrets at once. Wait as long as Retry-After says.',
  ),
  headers: { 'Retry-After': '5' },
});

export const fault = (status: number, error: string, code: number, text: string): SignInReply => ({
  status,
  body: { error, error_description: `AADSTS${code}: ${text}`, error_codes: [code] },
});

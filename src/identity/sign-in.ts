import type { Clock } from '../lib/clock.ts';
import type { Principals } from '../store/principals.ts';
import { hashSecret, secretMatches } from './secrets.ts';
import { lifetimeSeconds, type Tokens } from './tokens.ts';

/** An OAuth answer: a token, or an error in the words that MSAL knows. */
export interface SignInReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

export type SignIn = (form: URLSearchParams, issuer: string) => Promise<SignInReply>;

/** How many wrong secrets of one client may wait for their answer at a time. */
const waitingMost = 5;
const slowestMs = 4_000;

/**
 * Client credentials for a token. A wrong secret is answered late, and later with every repeat; the right one at once, so that
 * nobody can lock a client out by guessing.
 */
export function createSignIn(options: {
  readonly principals: Pick<Principals, 'get'>;
  readonly tokens: Tokens;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): SignIn {
  const { principals, tokens, clock } = options;
  const failures = new Map<string, { count: number; waiting: number; last: number }>();
  // An unknown client costs as much time as a wrong secret.
  const nobody = hashSecret('nobody');

  async function wrong(clientId: string): Promise<SignInReply> {
    for (const [key, entry] of failures)
      if (clock.now() - entry.last > 600_000 && entry.waiting === 0) failures.delete(key);
    const entry = failures.get(clientId) ?? { count: 0, waiting: 0, last: 0 };
    failures.set(clientId, entry);
    entry.count++;
    entry.last = clock.now();
    if (entry.waiting >= waitingMost) {
      return {
        ...fault(
          429,
          'temporarily_unavailable',
          90055,
          'Too many wrong secrets for this client. Wait as long as Retry-After says.',
        ),
        headers: { 'Retry-After': '10' },
      };
    }
    entry.waiting++;
    await clock.sleep(Math.min(250 * 2 ** (entry.count - 1), slowestMs), options.signal);
    entry.waiting--;
    return fault(
      401,
      'invalid_client',
      7000215,
      "Invalid client id or client secret. 'sallyport env --as customer|provider' prints the right ones.",
    );
  }

  return async (form, issuer) => {
    const field = (name: string): string => form.get(name) ?? '';
    if (field('grant_type') !== 'client_credentials') {
      return fault(400, 'unsupported_grant_type', 70003, 'Only grant_type=client_credentials is known here.');
    }
    const clientId = field('client_id').toLowerCase();
    if (clientId === '' || field('client_secret') === '') {
      return fault(
        400,
        'invalid_request',
        900144,
        "The request body must contain 'client_id' and 'client_secret'.",
      );
    }
    if (field('client_secret').length > 512) return wrong(clientId.slice(0, 100));
    const principal = principals.get(clientId);
    const matches = await secretMatches(field('client_secret'), principal?.secretHash ?? (await nobody));
    if (!principal || !matches) return wrong(principal ? clientId : 'unknown');
    failures.delete(clientId);

    // `scope` in the newer form (`AUDIENCE/.default`), `resource` in the older one.
    const audience =
      field('resource') ||
      (
        field('scope')
          .split(' ')
          .find((one) => one.endsWith('/.default')) ?? ''
      ).slice(0, -'/.default'.length);
    const token = await tokens.issue(principal, audience, issuer);
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

export const fault = (status: number, error: string, code: number, text: string): SignInReply => ({
  status,
  body: { error, error_description: `AADSTS${code}: ${text}`, error_codes: [code] },
});

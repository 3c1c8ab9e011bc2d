import type { FastifyInstance, FastifyRequest } from 'fastify';
import { fault, type SignIn } from './sign-in.ts';
import type { Tokens } from './tokens.ts';

export interface IdentityPluginOptions {
  readonly tenantId: string;
  readonly tokens: Tokens;
  readonly signIn: SignIn;
  readonly endpointOf: (request: FastifyRequest) => string;
}

/** The issuer of a form: of ADFS (az then asks nobody outside), or of a tenant in Entra's form. */
export const issuerOf = (endpoint: string, tenant: 'adfs' | (string & {})): string =>
  tenant === 'adfs' ? `${endpoint}/adfs` : `${endpoint}/${tenant}/v2.0`;

/** Where clients sign in: the same in both forms. */
export function addIdentity(app: FastifyInstance, options: IdentityPluginOptions): void {
  const { tokens, signIn, endpointOf, tenantId } = options;
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: 64 << 10 },
    (_request, body, done) => done(null, new URLSearchParams(String(body))),
  );

  const discovery = (endpoint: string, tenant: string, token: string, keys: string) => ({
    issuer: issuerOf(endpoint, tenant),
    token_endpoint: `${endpoint}${token}`,
    authorization_endpoint: `${endpoint}/${tenant}/oauth2/authorize`,
    jwks_uri: `${endpoint}${keys}`,
    response_types_supported: ['token'],
    subject_types_supported: ['pairwise'],
    grant_types_supported: ['client_credentials'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ['RS256', 'PS256'],
  });

  /** An assertion is made for the token endpoint, by either form, or for its issuer. */
  const audiencesOf = (endpoint: string): readonly string[] => [
    `${endpoint}/adfs/oauth2/token`,
    `${endpoint}/${tenantId}/oauth2/v2.0/token`,
    issuerOf(endpoint, 'adfs'),
    issuerOf(endpoint, tenantId),
  ];

  const addForm = (tenant: string, wellKnown: string, token: string, keys: string): void => {
    app.get(wellKnown, async (request) => discovery(endpointOf(request), tenant, token, keys));
    app.get(keys, async () => tokens.jwks);
    app.post(token, async (request, reply) => {
      const form = request.body instanceof URLSearchParams ? request.body : undefined;
      const answer = form
        ? await signIn(form, {
            issuer: issuerOf(endpointOf(request), tenant),
            source: request.ip,
            audiences: audiencesOf(endpointOf(request)),
          })
        : fault(
            400,
            'invalid_request',
            900144,
            'Send a form: Content-Type application/x-www-form-urlencoded.',
          );
      return reply
        .code(answer.status)
        .headers({ 'cache-control': 'no-store', ...answer.headers })
        .send(answer.body);
    });
  };

  addForm('adfs', '/adfs/.well-known/openid-configuration', '/adfs/oauth2/token', '/adfs/discovery/keys');
  addForm(
    tenantId,
    `/${tenantId}/v2.0/.well-known/openid-configuration`,
    `/${tenantId}/oauth2/v2.0/token`,
    `/${tenantId}/discovery/v2.0/keys`,
  );
}

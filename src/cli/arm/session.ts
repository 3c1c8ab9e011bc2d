import { readFileIfThere, readJson } from '../../lib/files.ts';
import { UsageError } from '../errors.ts';
import { UserError } from '../../lib/errors.ts';
import type { Home } from '../home.ts';
import { join } from 'node:path';

/** Where control is, whom it must be proved to be by, and who asks. */
export interface Session {
  readonly endpoint: string;
  /** PEM. */
  readonly authority: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly subscriptionId: string;
}

export interface Principal {
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly clientId: string;
  readonly secret: string;
  readonly displayName: string;
}

export type PrincipalName = 'customer' | 'provider';

export const principalFile = (home: Home, name: PrincipalName): string => join(home.person, `${name}.json`);
export const authorityFile = (home: Home): string => join(home.person, 'ca.pem');
/** `{endpoint}`: where control was when it was last started. */
export const endpointFile = (home: Home): string => join(home.person, 'endpoint.json');

/**
 * --as, else SALLYPORT_AS, else what `sallyport env` exported, else the customer. AZURE_… alone isn't taken: it would be
 * somebody's credentials for quite another cloud.
 */
export async function findSession(
  home: Home,
  env: NodeJS.ProcessEnv,
  wish: { readonly as: string | undefined; readonly subscription: string | undefined },
): Promise<Session> {
  const name = wish.as ?? (env['SALLYPORT_AS'] || undefined);
  if (name !== undefined && name !== 'customer' && name !== 'provider') {
    throw new UsageError(`There is no principal '${name}'.`, 'Give customer or provider.');
  }
  if (
    name === undefined &&
    env['SALLYPORT_ENDPOINT'] &&
    env['AZURE_CLIENT_ID'] &&
    env['AZURE_CLIENT_SECRET']
  ) {
    return fromEnvironment(home, env, wish.subscription);
  }
  const principal = await readJson<Principal>(principalFile(home, name ?? 'customer'));
  const endpoint = await readJson<{ readonly endpoint: string }>(endpointFile(home));
  const authority = await readFileIfThere(authorityFile(home));
  if (!principal || !endpoint || authority === undefined) {
    throw new UserError(
      'NotStarted',
      'Sallyport has not been started here yet.',
      'sallyport quickstart, or sallyport up',
    );
  }
  return {
    endpoint: endpoint.endpoint,
    authority,
    tenantId: principal.tenantId,
    clientId: principal.clientId,
    clientSecret: principal.secret,
    subscriptionId: wish.subscription ?? principal.subscriptionId,
  };
}

async function fromEnvironment(
  home: Home,
  env: NodeJS.ProcessEnv,
  subscription: string | undefined,
): Promise<Session> {
  const bundle = env['REQUESTS_CA_BUNDLE'] || env['NODE_EXTRA_CA_CERTS'] || authorityFile(home);
  const authority = await readFileIfThere(bundle);
  if (authority === undefined) {
    throw new UserError(
      'NoAuthority',
      `The authority file ${bundle} is not there.`,
      'eval "$(sallyport env --as customer)"',
    );
  }
  const subscriptionId = subscription ?? env['AZURE_SUBSCRIPTION_ID'];
  if (!subscriptionId)
    throw new UsageError(
      'AZURE_SUBSCRIPTION_ID is not set.',
      'eval "$(sallyport env --as customer)", or give --subscription',
    );
  return {
    endpoint: env['SALLYPORT_ENDPOINT']!.replace(/\/$/, ''),
    authority,
    tenantId: env['AZURE_TENANT_ID'] ?? 'common',
    clientId: env['AZURE_CLIENT_ID']!,
    clientSecret: env['AZURE_CLIENT_SECRET']!,
    subscriptionId,
  };
}

import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { UserError } from '../lib/errors.ts';
import { readFileIfThere } from '../lib/files.ts';
import type { ControlStore } from '../store/store.ts';
import { hashSecret } from './secrets.ts';

const guid = Type.String({ pattern: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' });
const Party = Type.Object({
  subscriptionId: guid,
  clientId: guid,
  secret: Type.String({ minLength: 16, maxLength: 512 }),
  displayName: Type.String({ minLength: 1, maxLength: 100 }),
});
const Bootstrap = Type.Object({ tenantId: guid, provider: Party, customer: Party });
export type Bootstrap = Static<typeof Bootstrap>;
const check = Compile(Bootstrap);

/** Who there is, without secrets: what control keeps of the bootstrap in its configuration. */
export interface Parties {
  readonly tenantId: string;
  readonly providerSubscription: string;
  readonly customerSubscription: string;
}

/** Reads the file by which the person who starts the installation hands over the first two principals. */
export async function readBootstrap(file: string): Promise<Bootstrap | undefined> {
  const text = await readFileIfThere(file);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (check.Check(value)) return value;
  const flaw = check.Errors(value)[0];
  throw new UserError(
    'BootstrapInvalid',
    `${file} is not {tenantId, provider, customer} with subscriptionId, clientId, secret and displayName each: ${flaw?.instancePath ?? ''} ${flaw?.message ?? ''}.`,
    'Run sallyport up, which writes it.',
  );
}

/**
 * What the service's own guides give a role to, by the id that it has everywhere (contract §2.6). It has no credential: nobody signs
 * in as it.
 */
const cosmos = { clientId: 'a232010e-820c-4083-83bb-3ace5fc29d0b', displayName: 'Azure Cosmos DB' };

export function seedPrincipals(store: ControlStore): void {
  if (!store.principals.get(cosmos.clientId)) store.principals.put({ ...cosmos, objectId: randomUUID() });
}

/** Two principals, each the owner of its own subscription; the provider looks after the platform too. Repeating it changes nothing. */
export async function applyBootstrap(store: ControlStore, bootstrap: Bootstrap): Promise<Parties> {
  const provider = { ...bootstrap.provider, secretHash: await hashSecret(bootstrap.provider.secret) };
  const customer = { ...bootstrap.customer, secretHash: await hashSecret(bootstrap.customer.secret) };
  store.transaction(() => {
    for (const party of [provider, customer]) {
      const { clientId, displayName, secretHash } = party;
      const objectId = store.principals.get(clientId)?.objectId ?? randomUUID();
      const scope = `/subscriptions/${party.subscriptionId.toLowerCase()}`;
      store.principals.put({ clientId, objectId, displayName, secretHash });
      store.principals.putSubscription({ id: party.subscriptionId, displayName });
      store.principals.assign({ principal: clientId, role: 'Owner', scope });
    }
    store.principals.assign({ principal: provider.clientId, role: 'Platform Operator', scope: '/' });
  });
  return {
    tenantId: bootstrap.tenantId.toLowerCase(),
    providerSubscription: provider.subscriptionId.toLowerCase(),
    customerSubscription: customer.subscriptionId.toLowerCase(),
  };
}

/** The secrets are hashed by now: nothing needs the file any more. */
export const forgetBootstrap = (file: string): Promise<void> => rm(file, { force: true });

import type { Selectable } from 'kysely';
import type { Fault } from '../lib/errors.ts';
import { remembered } from '../lib/remembered.ts';
import type { JsonObject, ProvisioningState, Resource, SystemData } from './resource.ts';
import type { Schema } from './schema.ts';

/** By which a resource is known. The same text each time: what it is looked up by need not be hashed anew. */
export const keyOf = remembered((id) => id.toLowerCase(), { most: 20_000 });

/** What the store must know of an id: `/subscriptions/{1}/resourceGroups/{3}/…/{last}`. */
export function partsOf(id: string): {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly name: string;
} {
  const parts = id.split('/');
  return { subscriptionId: parts[2] ?? '', resourceGroup: parts[4] ?? '', name: parts.at(-1) ?? '' };
}

/** Keys below a scope, as a range: everything from `scope/` up to what follows the slash ('0' does). */
export function rangeBelow(scope: string): readonly [string, string] {
  const base = keyOf(scope).replace(/\/+$/, '');
  return [`${base}/`, `${base}0`];
}

export function toResource<P, S>(row: Selectable<Schema['resources']>): Resource<P, S> {
  return {
    id: row.id,
    type: row.type,
    name: row.name,
    subscriptionId: row.subscription_id,
    resourceGroup: row.resource_group,
    location: row.location,
    tags: JSON.parse(row.tags) as Record<string, string>,
    identity: row.identity === null ? null : (JSON.parse(row.identity) as JsonObject),
    properties: JSON.parse(row.properties) as P,
    state: JSON.parse(row.state) as S,
    provisioningState: row.provisioning_state as ProvisioningState,
    fault: toFault(row.fault),
    generation: row.generation,
    etag: row.etag,
    systemData: JSON.parse(row.system_data) as SystemData,
  };
}

export const toFault = (text: string | null): Fault | null =>
  text === null ? null : (JSON.parse(text) as Fault);

export const isTerminal = (state: ProvisioningState): boolean =>
  state === 'Succeeded' || state === 'Failed' || state === 'Canceled';

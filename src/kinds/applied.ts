/** Resources that have no part of the fabric to themselves: they are so once the networks that take them on are. */
import { sameId } from '../arm/id.ts';
import type { Resource } from '../store/resource.ts';
import { networkOf } from './claims.ts';
import type { Pass } from './pass.ts';
import { settleBy, type Observed } from './settle.ts';
import { observeNetwork } from './virtual-network/reconcile.ts';
import { subnetsNaming } from './users.ts';
import type { VirtualNetworkProperties, VirtualNetworkState } from './virtual-network/schema.ts';
import { peeringType, type PeeringProperties } from './virtual-network-peering/schema.ts';

export function reconcileApplied(resource: Resource, pass: Pass): void {
  const { store } = pass;
  const parts = resource.id.split('/');
  const isChild = resource.type.split('/').length > 2;
  if (isChild && !store.get(parts.slice(0, -2).join('/'))) return store.remove(resource.id);
  if (resource.provisioningState === 'Deleting') {
    if (!pass.fabric()) return;
    for (const child of store.below(resource.id)) store.remove(child.id);
    return store.remove(resource.id);
  }
  settleBy(pass, resource, () => {
    if (!pass.fabric()) return { at: 'not yet' };
    const seen = networksOf(resource, pass).map((network): Observed => {
      const known = store.get<VirtualNetworkProperties, VirtualNetworkState>(network);
      return known ? observeNetwork(known, pass) : { at: 'so' };
    });
    return seen.find(({ at }) => at === 'failed') ?? seen.find(({ at }) => at !== 'so') ?? { at: 'so' };
  });
}

/** The virtual networks that a resource has a say in, by id. */
function networksOf(resource: Resource, { store }: Pass): readonly string[] {
  const [, ...above] = resource.type.split('/');
  const root = resource.id
    .split('/')
    .slice(0, above.length > 1 ? -2 : undefined)
    .join('/');
  if (sameId(resource.type, peeringType)) {
    const { remoteVirtualNetwork } = resource.properties as unknown as PeeringProperties;
    return [root, remoteVirtualNetwork.id];
  }
  const place = { id: root, subscriptionId: resource.subscriptionId };
  return [...new Set(subnetsNaming(store, place).map(({ id }) => networkOf(id)))];
}

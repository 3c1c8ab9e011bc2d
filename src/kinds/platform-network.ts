/**
 * The platform's own network as ARM shows it: in the provider's subscription, where service endpoint policies are attached to the
 * operators' subnet. Nothing else of it is anybody's to change; the security group of that subnet is a resource of its own.
 */
import { randomUUID } from 'node:crypto';
import { ArmError } from '../arm/errors.ts';
import type { Store } from '../store/resource.ts';
import { networkOf } from './claims.ts';
import { operatorsGroupId, putOperatorsGroup } from './operators-group.ts';
import { managedGroup, platform } from './platform.ts';
import type { Settings } from './settings.ts';
import { subnetType, type SubnetProperties } from './subnet/schema.ts';
import {
  virtualNetworkType,
  type VirtualNetwork,
  type VirtualNetworkProperties,
  type VirtualNetworkState,
} from './virtual-network/schema.ts';

export const platformNetworkId = (providerSubscription: string): string =>
  `${managedGroup(providerSubscription)}/providers/${virtualNetworkType}/${platform.name}`;

/** Where operators stand: policies that are attached to it say what they may reach. */
export const operatorsSubnetId = (providerSubscription: string): string =>
  `${platformNetworkId(providerSubscription)}/subnets/operators`;

/** By what the service itself has written: a group and a network of these names may be anybody's. */
export const isPlatform = (network: Pick<VirtualNetwork, 'state'>): boolean =>
  network.state.network === platform.network;

export const isPlatformNetwork = (store: Pick<Store, 'get'>, networkId: string): boolean => {
  const network = store.get<VirtualNetworkProperties, VirtualNetworkState>(networkId);
  return network?.type === virtualNetworkType && isPlatform(network);
};

export const isPlatformSubnet = (store: Pick<Store, 'get'>, subnetId: string): boolean =>
  isPlatformNetwork(store, networkOf(subnetId));

export function refusePlatform(what: string): never {
  throw new ArmError(
    'MethodNotAllowed',
    `${what} can't be changed: the network ${platform.name} is the service's own. What can be is the list serviceEndpointPolicies of its subnet 'operators'.`,
  );
}

/** Puts what is not there yet. What is attached to its subnets stays. */
export function putPlatformNetwork(store: Store, settings: Settings): void {
  const id = platformNetworkId(settings.providerSubscription);
  const { location } = settings;
  store.transaction(() => {
    if (!store.get(id)) {
      const state: VirtualNetworkState = {
        ...{ network: platform.network, guid: randomUUID(), application: null, placed: 0 },
      };
      store.putOwned({
        id,
        type: virtualNetworkType,
        location,
        properties: { prefixes: [platform.prefix] },
        state,
      });
    }
    putOperatorsGroup(store, settings);
    for (const [name, prefix] of Object.entries(platform.subnets)) {
      const existing = store.get<SubnetProperties>(`${id}/subnets/${name}`);
      const group = name === 'operators' && { id: operatorsGroupId(settings.providerSubscription) };
      if (existing && (!group || existing.properties.networkSecurityGroup)) continue;
      const properties: SubnetProperties = {
        ...{ prefix, delegations: [] },
        privateEndpointNetworkPolicies: 'Disabled',
        privateLinkServiceNetworkPolicies: 'Enabled',
        ...existing?.properties,
        ...(group && { networkSecurityGroup: group }),
      };
      store.putOwned({
        id: `${id}/subnets/${name}`,
        type: subnetType,
        location: null,
        properties,
        state: {},
      });
    }
  });
}

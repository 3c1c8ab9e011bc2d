import type { JsonObject, Store } from '../../store/resource.ts';
import { applicationGroupType } from '../application-security-group/schema.ts';
import { networkInterfaceType } from '../network-interface/schema.ts';
import { securityGroupType } from '../network-security-group/schema.ts';
import { networkWatcherType } from '../network-watcher/schema.ts';
import { privateEndpointType } from '../private-endpoint/schema.ts';
import { privateLinkServiceType } from '../private-link-service/schema.ts';
import { routeTableType } from '../route-table/schema.ts';
import { sameRegion } from '../rules.ts';
import { endpointPolicyType } from '../service-endpoint-policy/schema.ts';
import { virtualNetworkType } from './schema.ts';

/** Azure's names and bounds. Only the counts are ours: nothing is refused for being the thousand and first. */
const counted: readonly (readonly [type: string, name: string, words: string, limit: number])[] = [
  [virtualNetworkType, 'VirtualNetworks', 'Virtual Networks', 1_000],
  [networkInterfaceType, 'NetworkInterfaces', 'Network Interfaces', 65_536],
  [securityGroupType, 'NetworkSecurityGroups', 'Network Security Groups', 5_000],
  [applicationGroupType, 'ApplicationSecurityGroups', 'Application Security Groups', 3_000],
  [routeTableType, 'RouteTables', 'Route Tables', 200],
  [endpointPolicyType, 'ServiceEndpointPolicies', 'Service Endpoint Policies', 500],
  [privateEndpointType, 'PrivateEndpoints', 'Private Endpoints', 65_536],
  [privateLinkServiceType, 'PrivateLinkServices', 'Private Link Services', 800],
  [networkWatcherType, 'NetworkWatchers', 'Network Watchers', 1],
];

export function networkUsages(
  store: Pick<Store, 'list'>,
  { subscriptionId, location }: { readonly subscriptionId: string; readonly location: string },
): readonly JsonObject[] {
  return counted.map(([type, name, words, limit]) => ({
    id: `/subscriptions/${subscriptionId}/providers/Microsoft.Network/locations/${location}/usages/${name}`,
    name: { value: name, localizedValue: words },
    unit: 'Count',
    currentValue: store
      .list(type, `/subscriptions/${subscriptionId}`)
      .filter((one) => one.location !== null && sameRegion(one.location, location)).length,
    limit,
  }));
}

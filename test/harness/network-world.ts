/** What stands around networks, in the world of the kinds: one of each, all of them taken on by subnet pe. */
import type { JsonObject } from '../../src/store/resource.ts';
import { customer, group, networkId, subnetId, type World } from './kinds-world.ts';

export const netId = (type: string, name: string, ...more: readonly string[]): string =>
  [`${group()}/providers/Microsoft.Network/${type}/${name}`, ...more].join('/');

export const groupId = (name = 'nsg1'): string => netId('networkSecurityGroups', name);
export const ruleId = (name: string, ofGroup = 'nsg1'): string => `${groupId(ofGroup)}/securityRules/${name}`;
export const tableId = (name = 'rt1'): string => netId('routeTables', name);
export const routeId = (name: string, table = 'rt1'): string => `${tableId(table)}/routes/${name}`;
export const asgId = (name = 'asg1'): string => netId('applicationSecurityGroups', name);
export const policyId = (name = 'sep1'): string => netId('serviceEndpointPolicies', name);
export const definitionId = (name: string, policy = 'sep1'): string =>
  `${policyId(policy)}/serviceEndpointPolicyDefinitions/${name}`;
export const peeringId = (name: string, network = 'vnet1'): string =>
  `${networkId(network)}/virtualNetworkPeerings/${name}`;
export const watcherId = (): string =>
  `/subscriptions/${customer.subscription}/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/NetworkWatcher_eastus2`;

export const ruleBody = (more: JsonObject = {}): JsonObject => ({
  access: 'Deny',
  direction: 'Outbound',
  priority: 4000,
  protocol: '*',
  sourceAddressPrefix: '*',
  sourcePortRange: '*',
  destinationAddressPrefix: 'Internet',
  destinationPortRange: '*',
  ...more,
});

export const peeringBody = (remote: string): JsonObject => ({
  remoteVirtualNetwork: { id: networkId(remote) },
  allowVirtualNetworkAccess: true,
  allowForwardedTraffic: false,
  allowGatewayTransit: false,
  useRemoteGateways: false,
  peerCompleteVnets: true,
});

const account = '/subscriptions/s/resourceGroups/prov/providers/Microsoft.Storage/storageAccounts/sa1';

/** Noun of the page → an id of one. */
export function makeWalls(world: World): Readonly<Record<string, string>> {
  world.put(networkId('peer'), { addressSpace: { addressPrefixes: ['10.9.0.0/16'] }, subnets: [] });
  world.put(asgId(), {});
  world.put(groupId(), {});
  world.put(ruleId('deny-internet'), ruleBody({ description: 'nothing out' }));
  const { destinationAddressPrefix: _, ...rest } = ruleBody({ priority: 200 });
  world.put(ruleId('deny-doors'), { ...rest, destinationApplicationSecurityGroups: [{ id: asgId() }] });
  world.put(policyId(), {});
  world.put(definitionId('def1'), {
    service: 'Microsoft.Storage',
    serviceResources: [account],
    description: 'one',
  });
  world.put(tableId(), {});
  world.put(routeId('to-appliance'), {
    addressPrefix: '10.8.0.0/16',
    nextHopType: 'VirtualAppliance',
    nextHopIpAddress: '10.0.3.10',
  });
  world.put(subnetId('pe'), {
    addressPrefix: '10.0.1.0/24',
    networkSecurityGroup: { id: groupId() },
    routeTable: { id: tableId() },
    serviceEndpointPolicies: [{ id: policyId() }],
    defaultOutboundAccess: true,
  });
  world.put(peeringId('to-peer'), peeringBody('peer'));
  return {
    'virtual-network-peering': peeringId('to-peer'),
    'network-security-group': groupId(),
    'security-rule': ruleId('deny-doors'),
    'application-security-group': asgId(),
    'service-endpoint-policy': policyId(),
    'service-endpoint-policy-definition': definitionId('def1'),
    'route-table': tableId(),
    route: routeId('to-appliance'),
  };
}

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createWorld, makeNetwork, networkId, subnetId, type World } from '../../test/harness/kinds-world.ts';
import {
  asgId,
  definitionId,
  groupId,
  makeWalls,
  netId,
  peeringBody,
  peeringId,
  policyId,
  routeId,
  ruleBody,
  ruleId,
  tableId,
} from '../../test/harness/network-world.ts';
import type { JsonObject } from '../store/resource.ts';

let world: World;
before(async () => {
  world = createWorld();
  makeNetwork(world);
  makeWalls(world);
  await world.fabricApplies();
});
after(() => world.stop());

/** Each row: what is asked, and what the sentence says. Nothing half-made is left. */
function refuseEach(
  id: string,
  cases: readonly (readonly [JsonObject, RegExp])[],
  location = 'eastus2',
): void {
  const rows = (): string => JSON.stringify(world.store.below('/subscriptions'));
  const before = rows();
  for (const [properties, message] of cases) {
    const refusal = world.refused('PUT', id, { location, properties });
    assert.equal(refusal.status < 500, true);
    assert.match(refusal.message, message, JSON.stringify(properties));
    assert.equal(rows(), before, 'nothing is changed');
  }
}

const without = (body: JsonObject, name: string): JsonObject =>
  Object.fromEntries(Object.entries(body).filter(([key]) => key !== name));

test('security rules', () => {
  const rule = (more: JsonObject): JsonObject => ruleBody({ priority: 500, ...more });
  refuseEach(ruleId('bad'), [
    [{}, /protocol is missing/],
    ...['protocol', 'access', 'direction', 'priority', 'sourceAddressPrefix', 'destinationPortRange'].map(
      (name) => [without(rule({}), name), new RegExp(`${name} is missing`)] as const,
    ),
    [rule({ priority: 99 }), /priority is 99; it must be at least 100/],
    [rule({ priority: 4097 }), /at most 4096/],
    [rule({ priority: 'first' }), /whole number/],
    [rule({ priority: 4000 }), /'deny-internet' and 'bad' both have priority 4000 for Outbound/],
    [rule({ protocol: 'Sctp' }), /one of Tcp, Udp, Icmp, Esp, Ah, \*/],
    [rule({ access: 'Maybe' }), /one of Allow, Deny/],
    [rule({ direction: 'Sideways' }), /one of Inbound, Outbound/],
    [
      rule({ destinationAddressPrefix: 'Strage' }),
      /'Strage' is neither an IPv4 prefix nor a known service tag/,
    ],
    [rule({ destinationAddressPrefix: 'Storage.mars' }), /region 'mars'/],
    [rule({ destinationAddressPrefix: 'Internet.eastus2' }), /'Internet\.eastus2' is neither/],
    [rule({ destinationAddressPrefix: '10.0.0.1/24' }), /Write 10\.0\.0\.0\/24/],
    [rule({ destinationAddressPrefix: '10.0.0.0/33' }), /no IPv4 prefix/],
    [rule({ destinationAddressPrefix: '2001:db8::/32' }), /IPv4 only/],
    [rule({ destinationAddressPrefixes: ['10.0.0.0/8'] }), /can't stand together/],
    [rule({ destinationApplicationSecurityGroups: [{ id: asgId() }] }), /can't stand together/],
    [
      without(
        rule({ destinationApplicationSecurityGroups: [{ id: asgId('none') }] }),
        'destinationAddressPrefix',
      ),
      /no application security group .*none/,
    ],
    [
      without(
        rule({ destinationApplicationSecurityGroups: [{ id: groupId() }] }),
        'destinationAddressPrefix',
      ),
      /must be the ARM id of a Microsoft\.Network\/applicationSecurityGroups/,
    ],
    [rule({ destinationPortRange: '70000' }), /'70000' is no port/],
    [rule({ destinationPortRange: '90-80' }), /ends before it begins/],
    [rule({ destinationPortRange: 'http' }), /'http' is no port/],
    [rule({ destinationPortRanges: ['80'] }), /can't stand together/],
    [rule({ protocol: 'Icmp', destinationPortRange: '80' }), /Icmp has no ports/],
    [rule({ description: 'x'.repeat(141) }), /141 characters/],
  ]);
  assert.equal(
    world.refused('PUT', ruleId('x', 'none'), { properties: rule({}) }).code,
    'ParentResourceNotFound',
  );
  assert.equal(world.refused('PUT', ruleId('-x'), { properties: rule({}) }).code, 'InvalidResourceName');
});

test('groups', () => {
  const inline = (name: string, more: JsonObject = {}): JsonObject => ({ name, properties: ruleBody(more) });
  refuseEach(groupId('bad'), [
    [{ securityRules: 'none' }, /must be a list/],
    [{ securityRules: [inline('a'), inline('A')] }, /names 'A' twice/],
    [{ securityRules: [inline('a'), inline('b')] }, /both have priority 4000/],
    [{ securityRules: [{ name: 'a' }] }, /properties is missing/],
    [{ securityRules: [inline('-a')] }, /can't name a security rule/],
    [
      { securityRules: [inline('a', { destinationAddressPrefix: 'Nobody' })] },
      /securityRules\[0\]\.properties\.destinationAddressPrefix 'Nobody'/,
    ],
  ]);
  refuseEach(groupId(), [[{}, /can't move to 'westus2'/]], 'westus2');
});

test('application security groups and policies', () => {
  assert.equal(
    world.refused('PUT', asgId('bad'), { properties: {} }).code,
    'InvalidParameter',
    'no location',
  );
  refuseEach(policyId('bad'), [
    [{ serviceAlias: '/services/Azure' }, /serviceAlias/],
    [{ serviceEndpointPolicyDefinitions: [{ name: 'd', properties: {} }] }, /service is missing/],
  ]);
  const resources = ['/subscriptions/s'];
  refuseEach(definitionId('bad'), [
    [{ service: 'Microsoft.Sql', serviceResources: resources }, /one of Microsoft\.Storage/],
    [{ service: 'Microsoft.Storage' }, /serviceResources is missing/],
    [{ service: 'Microsoft.Storage', serviceResources: [] }, /is empty/],
    [{ service: 'Microsoft.Storage', serviceResources: ['sa1'] }, /'sa1', which is no ARM id/],
    [
      { service: 'Microsoft.Storage', serviceResources: [netId('routeTables', 'x')] },
      /a Microsoft\.Network\/routeTables, and Microsoft\.Storage has Microsoft\.Storage\/storageAccounts/,
    ],
    [
      { service: 'Microsoft.Storage', serviceResources: Array.from({ length: 201 }, () => resources[0]!) },
      /at most 200/,
    ],
  ]);
});

test('routes', () => {
  refuseEach(routeId('bad'), [
    [{ nextHopType: 'None' }, /addressPrefix is missing/],
    [{ addressPrefix: '10.0.0.1/8', nextHopType: 'None' }, /no IPv4 prefix/],
    [{ addressPrefix: 'Storage', nextHopType: 'None' }, /tags are not routed/],
    [{ addressPrefix: '10.7.0.0/16' }, /nextHopType is missing/],
    [{ addressPrefix: '10.7.0.0/16', nextHopType: 'Moon' }, /one of VirtualAppliance/],
    [{ addressPrefix: '10.7.0.0/16', nextHopType: 'VirtualAppliance' }, /nextHopIpAddress is missing/],
    [
      { addressPrefix: '10.7.0.0/16', nextHopType: 'VirtualAppliance', nextHopIpAddress: 'x' },
      /no IPv4 address/,
    ],
    [
      { addressPrefix: '10.7.0.0/16', nextHopType: 'None', nextHopIpAddress: '10.0.0.9' },
      /for VirtualAppliance alone/,
    ],
    [
      { addressPrefix: '10.8.0.0/16', nextHopType: 'None' },
      /'to-appliance' and 'bad' are both for 10\.8\.0\.0\/16/,
    ],
  ]);
  refuseEach(tableId('bad'), [
    [{ routes: [{ name: 'r', properties: { addressPrefix: 'x' } }] }, /routes\[0\]/],
    [{ disableBgpRoutePropagation: 'perhaps' }, /true or false/],
  ]);
});

test('peerings', () => {
  world.put(networkId('twin'), { addressSpace: { addressPrefixes: ['10.0.128.0/17'] } });
  world.put(networkId('third'), { addressSpace: { addressPrefixes: ['10.9.4.0/24'] } });
  refuseEach(peeringId('bad'), [
    [{}, /remoteVirtualNetwork is missing/],
    [{ remoteVirtualNetwork: { id: 'x' } }, /must be the ARM id of a Microsoft\.Network\/virtualNetworks/],
    [peeringBody('nobody'), /no virtual network .*nobody/],
    [peeringBody('vnet1'), /is the network itself/],
    [peeringBody('peer'), /'to-peer' leads to .*peer already/],
    [peeringBody('twin'), /10\.0\.0\.0\/16 of .*vnet1 and 10\.0\.128\.0\/17 of .*twin/],
    [peeringBody('third'), /10\.9\.0\.0\/16 of .*peer and 10\.9\.4\.0\/24 of .*third/],
    [{ ...peeringBody('peer'), useRemoteGateways: true }, /no gateways/],
    [{ ...peeringBody('peer'), peerCompleteVnets: false }, /peered whole/],
  ]);
  refuseEach(peeringId('to-peer'), [[peeringBody('third'), /can't become/]]);
  refuseEach(networkId('new'), [
    [
      {
        addressSpace: { addressPrefixes: ['10.0.0.0/17'] },
        virtualNetworkPeerings: [{ name: 'p', properties: peeringBody('vnet1') }],
      },
      /overlap/,
    ],
  ]);
});

test('what a subnet names', () => {
  const subnet = (more: JsonObject): JsonObject => ({ addressPrefix: '10.0.1.0/24', ...more });
  world.ask('PUT', groupId('far'), { location: 'westeurope', properties: {} });
  refuseEach(subnetId('pe'), [
    [subnet({ networkSecurityGroup: {} }), /id is missing/],
    [subnet({ networkSecurityGroup: { id: groupId('none') } }), /no network security group .*none/],
    [
      subnet({ networkSecurityGroup: { id: tableId() } }),
      /must be the ARM id of a Microsoft\.Network\/networkSecurityGroups/,
    ],
    [subnet({ networkSecurityGroup: { id: groupId('far') } }), /lies in westeurope. Name one in eastus2/],
    [subnet({ routeTable: { id: tableId('none') } }), /no route table/],
    [subnet({ serviceEndpointPolicies: [{ id: policyId('none') }] }), /no service endpoint policy/],
    [subnet({ serviceEndpoints: [{ service: 'Microsoft.Sql' }] }), /one of Microsoft\.Storage/],
    [subnet({ natGateway: { id: 'x' } }), /no NAT gateways/],
    [subnet({ defaultOutboundAccess: false }), /network security group that denies Internet/],
  ]);
});

test('link services of your own', () => {
  const at = netId('privateLinkServices', 'bad');
  const item = (more: JsonObject = {}): JsonObject => ({
    name: 'c',
    properties: { subnet: { id: subnetId('apps') }, ...more },
  });
  const body = (more: JsonObject = {}): JsonObject => ({
    destinationIPAddress: '10.0.3.40',
    ipConfigurations: [item()],
    ...more,
  });
  refuseEach(at, [[body(), /privateLinkServiceNetworkPolicies Enabled/]]);
  world.put(subnetId('apps'), {
    addressPrefix: '10.0.3.0/24',
    privateLinkServiceNetworkPolicies: 'Disabled',
  });
  const sub = '11111111-1111-1111-1111-111111111111';
  refuseEach(at, [
    [{}, /destinationIPAddress is missing/],
    [body({ destinationIPAddress: 'x' }), /no IPv4 address/],
    [body({ destinationIPAddress: '10.200.0.1' }), /outside the virtual network/],
    [body({ ipConfigurations: [] }), /ipConfigurations is missing/],
    [body({ ipConfigurations: Array.from({ length: 9 }, () => item()) }), /at most 8/],
    [body({ ipConfigurations: [item(), item()] }), /'c' is there twice/],
    [body({ ipConfigurations: [item({ privateIPAddress: '10.0.3.1' })] }), /reserved/],
    [body({ ipConfigurations: [item({ privateIPAddressVersion: 'IPv6' })] }), /one of IPv4/],
    [body({ ipConfigurations: [item({ subnet: { id: subnetId('none') } })] }), /no subnet/],
    [body({ loadBalancerFrontendIpConfigurations: [{ id: 'x' }] }), /no load balancers/],
    [body({ autoApproval: { subscriptions: [sub] } }), /to which the service isn't visible/],
    [body({ autoApproval: { subscriptions: ['x'] } }), /no subscription id/],
    [body({ visibility: { subscriptions: ['*', sub] } }), /\* and others/],
    [body({ enableProxyProtocol: true }), /PROXY/],
  ]);
});

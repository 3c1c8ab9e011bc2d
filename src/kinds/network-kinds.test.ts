import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  createWorld,
  customer,
  endpointBody,
  endpointId,
  group,
  makeCluster,
  makeNetwork,
  networkId,
  provider,
  subnetId,
  type World,
} from '../../test/harness/kinds-world.ts';
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
import type { FabricReport } from '../exchange/intents/fabric.ts';
import type { JsonObject } from '../store/resource.ts';
import { toSecurityRule, type RuleProperties } from './security-rule/schema.ts';

let world: World;
let walls: Readonly<Record<string, string>>;
before(async () => {
  world = createWorld();
  makeNetwork(world);
  walls = makeWalls(world);
  await world.fabricApplies();
});
after(() => world.stop());

const properties = (id: string): JsonObject => world.get(id).properties;
const names = (list: unknown): readonly string[] =>
  (list as readonly { name: string }[]).map(({ name }) => name);
const stored = (id: string): JsonObject => world.store.get(id)!.properties;

test('what has been applied has succeeded, and its own GET sent back changes nothing', () => {
  for (const id of [...Object.values(walls), subnetId('pe'), networkId()]) {
    const shown = world.get(id);
    assert.equal(shown.properties['provisioningState'], 'Succeeded', id);
    assert.equal(world.ask('PUT', id, shown).status, 200, id);
    assert.equal(world.get(id)['etag'], shown['etag'], id);
  }
});

test('nothing has succeeded before the fabric has applied it, and a failed network says so', async () => {
  const failing = (report: FabricReport): FabricReport => ({
    ...report,
    networks: Object.fromEntries(
      Object.keys(report.networks).map((name) => [
        name,
        { state: 'failed' as const, error: { code: 'NftFailed', message: 'no room' } },
      ]),
    ),
  });
  await world.fabricApplies(failing);
  world.put(ruleId('later'), ruleBody({ priority: 300, direction: 'Inbound' }));
  const state = (): unknown => properties(ruleId('later'))['provisioningState'];
  assert.equal(state(), 'Creating');
  await world.fabricApplies(failing);
  assert.equal(state(), 'Creating', 'the network that takes it on has failed, and is tried again');
  await world.pass(61_000);
  assert.equal(state(), 'Failed');
  world.ask('DELETE', ruleId('later'));
  await world.fabricApplies();
  assert.equal(world.refused('GET', ruleId('later')).code, 'ResourceNotFound');
});

test('rules within a group and by themselves are the same', async () => {
  const inline = (name: string, priority: number): JsonObject => ({
    name,
    properties: ruleBody({ priority }),
  });
  world.put(groupId('inline'), { securityRules: [inline('a', 100), inline('b', 200)] });
  assert.deepEqual(names(properties(groupId('inline'))['securityRules']), ['a', 'b']);
  assert.equal(properties(ruleId('a', 'inline'))['priority'], 100);
  world.put(groupId('inline'), {});
  assert.deepEqual(
    names(properties(groupId('inline'))['securityRules']),
    ['a', 'b'],
    'no list: nothing changes',
  );
  await world.fabricApplies();
  world.put(groupId('inline'), { securityRules: [inline('b', 300)] });
  assert.deepEqual(names(properties(groupId('inline'))['securityRules']), ['b']);
  assert.equal(properties(ruleId('b', 'inline'))['priority'], 300);
  assert.deepEqual(names(properties(groupId('inline'))['defaultSecurityRules']), [
    'AllowVnetInBound',
    'AllowAzureLoadBalancerInBound',
    'DenyAllInBound',
    'AllowVnetOutBound',
    'AllowInternetOutBound',
    'DenyAllOutBound',
  ]);
});

test('a rule in the terms of the network', async () => {
  const { destinationAddressPrefix: _, destinationPortRange: __, ...rest } = ruleBody();
  world.put(ruleId('many', 'inline'), {
    ...rest,
    protocol: 'tcp',
    priority: '120',
    sourceAddressPrefix: '10.0.0.7',
    destinationAddressPrefixes: ['10.9.0.0/16', 'storage.EASTUS2', 'virtualnetwork'],
    destinationPortRanges: ['443', '8000-8080'],
  });
  assert.deepEqual(toSecurityRule('many', stored(ruleId('many', 'inline')) as unknown as RuleProperties), {
    name: 'many',
    priority: 120,
    direction: 'Outbound',
    access: 'Deny',
    protocol: 'Tcp',
    source: { prefixes: ['10.0.0.7/32'], groups: [] },
    sourcePorts: ['*'],
    destination: { prefixes: ['10.9.0.0/16', 'Storage.eastus2', 'VirtualNetwork'], groups: [] },
    destinationPorts: ['443', '8000-8080'],
  });
  await world.fabricApplies();
  world.put(ruleId('many', 'inline'), { destinationAddressPrefix: '*', destinationAddressPrefixes: [] });
  const now = properties(ruleId('many', 'inline'));
  assert.equal(now['destinationAddressPrefix'], '*');
  assert.deepEqual(now['destinationAddressPrefixes'], []);
  assert.deepEqual(now['destinationPortRanges'], ['443', '8000-8080'], 'what a PUT leaves out stays');
});

test('a subnet takes things on, lets go of what a PUT leaves out, and what is in use stays', async () => {
  for (const [id, user] of [
    [groupId(), subnetId('pe')],
    [tableId(), subnetId('pe')],
    [policyId(), subnetId('pe')],
    [asgId(), ruleId('deny-doors')],
  ] as const) {
    const refusal = world.refused('DELETE', id);
    assert.equal(refusal.code, 'InUse');
    assert.equal(refusal.status, 409);
    assert.match(refusal.message, new RegExp(user));
  }
  assert.deepEqual(properties(groupId())['subnets'], [{ id: subnetId('pe') }]);
  const shown = properties(subnetId('pe'));
  assert.deepEqual(
    (shown['serviceEndpoints'] as { service: string }[]).map(({ service }) => service),
    ['Microsoft.Storage'],
    'a policy brings its endpoint',
  );
  world.put(subnetId('pe'), { addressPrefix: '10.0.1.0/24' });
  assert.equal(properties(subnetId('pe'))['networkSecurityGroup'], undefined);
  for (const id of [groupId(), tableId(), policyId()]) world.ask('DELETE', id);
  await world.fabricApplies();
  world.ask('DELETE', asgId());
  await world.fabricApplies();
  for (const id of [...Object.values(walls).filter((id) => !id.includes('virtualNetworks'))])
    assert.equal(world.refused('GET', id).status, 404, id);
  makeWallsAgain();
  await world.fabricApplies();
});

function makeWallsAgain(): void {
  world.put(asgId(), {});
  world.put(groupId(), { securityRules: [{ name: 'deny-internet', properties: ruleBody() }] });
  world.put(tableId(), {
    routes: [{ name: 'r', properties: { addressPrefix: '0.0.0.0/0', nextHopType: 'None' } }],
  });
}

test('a network sent whole takes on the same, with its peerings', async () => {
  const whole = world.get(networkId()) as JsonObject & {
    properties: { subnets: { name: string; properties: JsonObject }[] };
  };
  const subnets = whole.properties.subnets.map((subnet) =>
    subnet.name === 'cass'
      ? { ...subnet, properties: { ...subnet.properties, networkSecurityGroup: { id: groupId() } } }
      : subnet,
  );
  world.ask('PUT', networkId(), { ...whole, properties: { ...whole.properties, subnets } });
  assert.deepEqual(properties(subnetId('cass'))['networkSecurityGroup'], { id: groupId() });
  assert.deepEqual(names(properties(networkId())['virtualNetworkPeerings']), ['to-peer']);
  await world.fabricApplies();
  world.ask('PUT', networkId(), {
    ...whole,
    properties: { ...whole.properties, virtualNetworkPeerings: [] },
  });
  assert.deepEqual(properties(networkId())['virtualNetworkPeerings'], []);
  assert.equal(properties(subnetId('cass'))['networkSecurityGroup'], undefined);
});

test('peerings: initiated, connected by the other side, disconnected for good', async () => {
  const state = (id: string): unknown => properties(id)['peeringState'];
  for (const [name, prefix] of [
    ['left', '10.20.0.0/16'],
    ['right', '10.21.0.0/16'],
  ] as const)
    world.put(networkId(name), { addressSpace: { addressPrefixes: [prefix] } });
  world.put(peeringId('a', 'left'), peeringBody('right'));
  assert.equal(state(peeringId('a', 'left')), 'Initiated');
  world.put(peeringId('b', 'right'), peeringBody('left'));
  assert.equal(state(peeringId('a', 'left')), 'Connected');
  assert.equal(state(peeringId('b', 'right')), 'Connected');
  assert.deepEqual(properties(peeringId('a', 'left'))['remoteAddressSpace'], {
    addressPrefixes: ['10.21.0.0/16'],
  });
  assert.match(
    world.refused('PUT', networkId('left'), {
      properties: { addressSpace: { addressPrefixes: ['10.20.0.0/16', '10.21.8.0/24'] } },
    }).message,
    /overlap/,
  );
  await world.fabricApplies();
  world.ask('DELETE', peeringId('b', 'right'));
  assert.equal(state(peeringId('a', 'left')), 'Disconnected');
  await world.fabricApplies();
  const again = world.refused('PUT', peeringId('b', 'right'), { properties: peeringBody('left') });
  assert.equal(again.code, 'Conflict');
  assert.match(again.message, /Disconnected/);
  world.ask('DELETE', peeringId('a', 'left'));
  await world.fabricApplies();
  world.put(peeringId('b', 'right'), peeringBody('left'));
  assert.equal(state(peeringId('b', 'right')), 'Initiated');
  world.put(peeringId('a', 'left'), peeringBody('right'));
  await world.fabricApplies();
  world.ask('DELETE', networkId('left'));
  assert.equal(state(peeringId('b', 'right')), 'Disconnected', 'a network that goes leaves its peers');
  await world.fabricApplies();
  assert.equal(world.refused('GET', networkId('left')).status, 404);
});

test('an endpoint joins an application security group and leaves it', async () => {
  const service = await makeCluster(world);
  const body = endpointBody(service, '10.0.1.10');
  world.put(endpointId(), { ...body, applicationSecurityGroups: [{ id: asgId() }] });
  assert.deepEqual(properties(endpointId())['applicationSecurityGroups'], [{ id: asgId() }]);
  assert.match(world.refused('DELETE', asgId()).message, /private endpoint .*pe1/);
  await world.fabricApplies();
  world.put(endpointId(), body);
  assert.deepEqual(properties(endpointId())['applicationSecurityGroups'], []);
});

test('a link service of your own has addresses, an alias and no endpoint', async () => {
  const own = netId('privateLinkServices', 'own');
  const body = (more: JsonObject = {}): JsonObject => ({
    ipConfigurations: [{ name: 'c', properties: { subnet: { id: subnetId('apps') } } }],
    destinationIPAddress: '10.0.3.40',
    visibility: { subscriptions: [provider.subscription] },
    ...more,
  });
  assert.match(
    world.refused('PUT', own, { location: 'eastus2', properties: body() }).message,
    /set it to disabled/i,
  );
  world.put(subnetId('apps'), {
    addressPrefix: '10.0.3.0/24',
    privateLinkServiceNetworkPolicies: 'Disabled',
  });
  world.put(own, body({ autoApproval: { subscriptions: [provider.subscription] } }));
  const shown = properties(own);
  assert.match(shown['alias'] as string, /^own\.[0-9a-f-]{36}\.eastus2\.azure\.privatelinkservice$/);
  const [configuration] = shown['ipConfigurations'] as { properties: JsonObject }[];
  assert.equal(configuration!.properties['privateIPAddress'], '10.0.3.4');
  const [nic] = shown['networkInterfaces'] as { id: string }[];
  assert.deepEqual(properties(nic!.id)['privateLinkService'], { id: own });
  assert.equal(world.ask('PUT', own, world.get(own)).status, 200, 'its own GET sent back');
  const list = `/subscriptions/${provider.subscription}/providers/Microsoft.Network/locations/eastus2/autoApprovedPrivateLinkServices`;
  assert.deepEqual(world.ask('GET', list, undefined, provider).body, {
    value: [{ privateLinkService: own }],
  });
  assert.equal(
    world.refused('PUT', endpointId('to-own'), { location: 'eastus2', properties: endpointBody(own) }).code,
    'NotYetSupported',
  );
  assert.match(
    world.refused('PUT', subnetId('apps'), {
      properties: { addressPrefix: '10.0.3.0/24', privateLinkServiceNetworkPolicies: 'Enabled' },
    }).message,
    /in use by private link service/,
  );
  assert.match(world.refused('DELETE', subnetId('apps')).message, /private link service/);
  world.ask('DELETE', own);
  await world.fabricApplies();
  assert.equal(world.refused('GET', own).status, 404);
  assert.equal(world.refused('GET', nic!.id).status, 404);
});

test('lists of a region', () => {
  const at = `/subscriptions/${customer.subscription}/providers/microsoft.network/locations/East%20US%202`;
  const services = world.ask('GET', `${at}/VirtualNetworkAvailableEndpointServices`).body!['value'];
  assert.deepEqual(names(services), ['Microsoft.Storage', 'Microsoft.KeyVault', 'Microsoft.Insights']);
  const usages = world.ask('GET', `${at}/usages`).body!['value'] as {
    name: { value: string };
    currentValue: number;
  }[];
  assert.equal(usages.find(({ name }) => name.value === 'NetworkSecurityGroups')!.currentValue, 2);
  assert.equal(world.refused('GET', `${at}/nothing`).code, 'NotFound');
  assert.equal(world.refused('GET', `${at}/usages`, undefined, provider).code, 'AuthorizationFailed');
});

test('who may not join what a subnet names is told so, and not whether it is there', () => {
  const foreign = groupId('theirs').replace(customer.subscription, provider.subscription);
  const refusal = world.refused('PUT', subnetId('pe'), {
    properties: { addressPrefix: '10.0.1.0/24', networkSecurityGroup: { id: foreign } },
  });
  assert.equal(refusal.code, 'AuthorizationFailed');
  assert.match(refusal.message, /networkSecurityGroups\/join\/action/);
  assert.equal(group().includes(customer.subscription), true);
});

test('definitions and routes are seen within their parents', () => {
  world.put(policyId('p2'), {
    serviceEndpointPolicyDefinitions: [
      { name: 'd', properties: { service: 'microsoft.storage', serviceResources: [group()] } },
    ],
  });
  assert.equal(properties(definitionId('d', 'p2'))['service'], 'Microsoft.Storage');
  assert.equal(properties(routeId('r'))['nextHopType'], 'None');
});

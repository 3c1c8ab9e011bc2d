import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import {
  createWorld,
  endpointBody,
  endpointId,
  group,
  makeCluster,
  makeNetwork,
  networkId,
  subnetId,
  provider,
  type World,
} from '../../test/harness/kinds-world.ts';
import { clientPrefixes } from './network-intent.ts';
import { operatorsGroupId } from './operators-group.ts';

let world: World;
beforeEach(() => void (world = createWorld()));
afterEach(() => world.stop());

const intent = () => world.kinds.fabricIntent().document;
const subnet = (name: string, network = 0) => {
  const { id } = world.store.list<unknown, unknown>('Microsoft.Network/virtualNetworks', group())[network]!;
  return intent()
    .networks.find(({ label }) => label === id)
    ?.subnets.find((one) => one.name === name);
};
const resource = (kind: string, name: string): string =>
  `${group()}/providers/Microsoft.Network/${kind}/${name}`;
const securityGroup = resource('networkSecurityGroups', 'NSG1');
const table = resource('routeTables', 'rt1');
const operatorsGroup = operatorsGroupId(provider.subscription).toLowerCase();
const webGroup = resource('applicationSecurityGroups', 'Web');

/** A row as the kinds store it, whoever wrote it. */
const row = (id: string, type: string, properties: unknown, state: unknown = {}): void =>
  world.store.putOwned({ id, type: `Microsoft.Network/${type}`, location: null, properties, state });
const rule = (name: string, properties: object, of = securityGroup): void =>
  row(`${of}/securityRules/${name}`, 'networkSecurityGroups/securityRules', {
    priority: 100,
    direction: 'Inbound',
    access: 'Allow',
    protocol: 'Tcp',
    sourceAddressPrefix: '*',
    sourcePortRange: '*',
    destinationAddressPrefix: '*',
    destinationPortRange: '443',
    ...properties,
  });
const change = (id: string, more: object): void => {
  const { type, properties, state } = world.store.get(id)!;
  row(id, type.replace('Microsoft.Network/', ''), { ...properties, ...more }, state);
};
const peer = (from: string, to: string, properties: object = {}, peeringState = 'Connected'): void =>
  row(
    `${networkId(from)}/virtualNetworkPeerings/to-${to}`,
    'virtualNetworks/virtualNetworkPeerings',
    {
      remoteVirtualNetwork: { id: networkId(to).toUpperCase() },
      allowVirtualNetworkAccess: true,
      ...properties,
    },
    { peeringState },
  );

test('a network whose subnets name nothing has no walls of its own', () => {
  makeNetwork(world);
  assert.deepEqual(
    intent().securityGroups?.map(({ id }) => id),
    [operatorsGroup],
    'the group of the operators alone',
  );
  assert.deepEqual(subnet('cass'), { name: 'cass', prefix: '10.0.2.0/24' });
});

test("a subnet's group comes with its rules, in the words of the network", () => {
  makeNetwork(world);
  row(securityGroup, 'networkSecurityGroups', {});
  rule('one', { sourceAddressPrefix: '10.9.9.9', destinationPortRanges: ['80', '8000-8080'] });
  rule('two', {
    priority: 110,
    direction: 'Outbound',
    sourceAddressPrefix: undefined,
    sourceApplicationSecurityGroups: [{ id: webGroup }],
    destinationAddressPrefix: undefined,
    destinationAddressPrefixes: ['storage.EastUS2', 'internet', '10.0.0.0/8'],
  });
  const other = resource('networkSecurityGroups', 'nsg10');
  row(other, 'networkSecurityGroups', {});
  rule('other', {}, other);
  change(subnetId('cass'), { networkSecurityGroup: { id: securityGroup } });

  const id = securityGroup.toLowerCase();
  assert.equal(subnet('cass')?.securityGroup, id);
  const { serviceTags } = intent();
  const securityGroups = intent().securityGroups?.filter((one) => one.id !== operatorsGroup);
  assert.deepEqual(
    securityGroups?.map((one) => [one.id, one.rules.map(({ name }) => name)]),
    [[id, ['one', 'two']]],
  );
  const [one, two] = securityGroups![0]!.rules;
  assert.deepEqual(
    [one!.source.prefixes, one!.destination.prefixes, one!.destinationPorts],
    [['10.9.9.9/32'], ['*'], ['80', '8000-8080']],
  );
  assert.deepEqual(two!.source, { prefixes: [], groups: [webGroup.toLowerCase()] });
  assert.deepEqual(two!.destination.prefixes, ['Storage.eastus2', 'Internet', '10.0.0.0/8']);
  assert.deepEqual(
    serviceTags,
    { 'Storage.eastus2': [], Storage: [], AzureKeyVault: [], AzureMonitor: [] },
    'a service that nobody runs is known, and has no address',
  );
});

test("a subnet's routes are those of its table", () => {
  makeNetwork(world);
  row(table, 'routeTables', {});
  row(`${table}/routes/out`, 'routeTables/routes', {
    addressPrefix: '0.0.0.0/0',
    nextHopType: 'VirtualAppliance',
    nextHopIpAddress: '10.0.3.9',
  });
  row(`${table}/routes/none`, 'routeTables/routes', { addressPrefix: '192.0.2.0/24', nextHopType: 'None' });
  change(subnetId('cass'), { routeTable: { id: table } });
  assert.deepEqual(subnet('cass')?.routes, [
    { name: 'out', prefix: '0.0.0.0/0', nextHopType: 'VirtualAppliance', nextHopAddress: '10.0.3.9' },
    { name: 'none', prefix: '192.0.2.0/24', nextHopType: 'None', nextHopAddress: null },
  ]);
  assert.equal(subnet('apps')?.routes, undefined);
});

test('peers are told where both sides are connected, and CQL is let in from them where they have access', () => {
  makeNetwork(world);
  world.put(networkId('vnet2'), {
    addressSpace: { addressPrefixes: ['10.2.0.0/16'] },
    subnets: [{ name: 'apps', properties: { addressPrefix: '10.2.1.0/24' } }],
  });
  const peerings = () =>
    intent().networks.flatMap(({ label, peerings: list }) =>
      (list ?? []).map(({ access }) => [label.split('/').at(-1), access]),
    );
  const clients = () => clientPrefixes(world.store, networkId());
  peer('vnet1', 'vnet2');
  assert.deepEqual([peerings(), clients()], [[], ['10.0.0.0/16']], 'one side alone is no peering');
  peer('vnet2', 'vnet1', {}, 'Initiated');
  assert.deepEqual([peerings(), clients()], [[], ['10.0.0.0/16']], 'not connected');
  peer('vnet2', 'vnet1');
  assert.deepEqual(
    [peerings(), clients()],
    [
      [
        ['vnet1', true],
        ['vnet2', true],
      ],
      ['10.0.0.0/16', '10.2.0.0/16'],
    ],
  );
  peer('vnet1', 'vnet2', { allowVirtualNetworkAccess: false });
  assert.deepEqual(clients(), ['10.0.0.0/16'], 'without access');
});

test("an endpoint is bound by its subnet's group only where the subnet's policies say so", async () => {
  makeNetwork(world);
  const service = await makeCluster(world);
  world.put(endpointId(), endpointBody(service, '10.0.1.10'));
  row(securityGroup, 'networkSecurityGroups', {});
  change(subnetId('pe'), { networkSecurityGroup: { id: securityGroup } });
  change(endpointId(), { applicationSecurityGroups: [{ id: webGroup }] });
  const consumer = () => intent().links[0]?.consumer;
  assert.equal(consumer()?.securityGroup, undefined);
  assert.deepEqual(consumer()?.applicationSecurityGroups, [webGroup.toLowerCase()]);
  change(subnetId('pe'), { privateEndpointNetworkPolicies: 'Enabled' });
  assert.equal(consumer()?.securityGroup, securityGroup.toLowerCase());
});

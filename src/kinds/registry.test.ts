import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { makeWalls, watcherId } from '../../test/harness/network-world.ts';
import {
  clusterId,
  connectionId,
  createWorld,
  dataCenterBody,
  dataCenterId,
  decide,
  endpointBody,
  endpointId,
  group,
  makeCluster,
  makeNetwork,
  networkId,
  provider,
  subnetId,
} from '../../test/harness/kinds-world.ts';
import { kinds } from './registry.ts';

const page = (noun: string): Promise<string> =>
  readFile(new URL(`../../docs/reference/${noun}.md`, import.meta.url), 'utf8');

/** Kind → its folder, which is also its page. */
const nouns: Readonly<Record<string, string>> = {
  'Microsoft.Network/virtualNetworks': 'virtual-network',
  'Microsoft.Network/virtualNetworks/subnets': 'subnet',
  'Microsoft.Network/virtualNetworks/virtualNetworkPeerings': 'virtual-network-peering',
  'Microsoft.Network/networkSecurityGroups': 'network-security-group',
  'Microsoft.Network/networkSecurityGroups/securityRules': 'security-rule',
  'Microsoft.Network/applicationSecurityGroups': 'application-security-group',
  'Microsoft.Network/serviceEndpointPolicies': 'service-endpoint-policy',
  'Microsoft.Network/serviceEndpointPolicies/serviceEndpointPolicyDefinitions':
    'service-endpoint-policy-definition',
  'Microsoft.Network/routeTables': 'route-table',
  'Microsoft.Network/routeTables/routes': 'route',
  'Microsoft.Network/networkWatchers': 'network-watcher',
  'Microsoft.Compute/virtualMachines': 'virtual-machine',
  'Microsoft.Network/networkInterfaces': 'network-interface',
  'Microsoft.Network/privateEndpoints': 'private-endpoint',
  'Microsoft.Network/privateLinkServices': 'private-link-service',
  'Microsoft.Network/privateLinkServices/privateEndpointConnections': 'private-link-connection',
  'Microsoft.DocumentDB/cassandraClusters': 'cassandra-cluster',
  'Microsoft.DocumentDB/cassandraClusters/dataCenters': 'cassandra-data-center',
  'Microsoft.DocumentDB/cassandraClusters/commands': 'cassandra-command',
  'Microsoft.DocumentDB/cassandraClusters/backups': 'cassandra-backup',
};

test('each kind has a page that names its type and every property it shows', async (t) => {
  const world = createWorld();
  t.after(() => world.stop());
  makeNetwork(world);
  const service = await makeCluster(world);
  world.put(endpointId(), endpointBody(service, '10.0.1.10'));
  const connection = connectionId(world, service);
  decide(world, connection, 'Approved');
  world.put(dataCenterId(), dataCenterBody());
  await world.settle();
  const invoked = world.ask('POST', `${clusterId()}/invokeCommandAsync`, {
    command: 'nodetool',
    host: '10.0.2.4',
    arguments: { status: '' },
  });
  const walls = makeWalls(world);
  const nic = (world.get(endpointId()).properties['networkInterfaces'] as { id: string }[])[0]!.id;
  const shown: Readonly<Record<string, ReturnType<typeof world.get>>> = {
    'virtual-network': world.get(networkId()),
    subnet: world.get(subnetId('pe')),
    ...Object.fromEntries(Object.entries(walls).map(([noun, id]) => [noun, world.get(id)])),
    'network-watcher': world.get(watcherId()),
    'virtual-machine': world.get(world.store.list('Microsoft.Compute/virtualMachines', group())[0]!.id),
    'network-interface': world.get(nic),
    'private-endpoint': world.get(endpointId()),
    'private-link-service': world.get(service, provider),
    'private-link-connection': world.get(connection, provider),
    'cassandra-cluster': world.get(clusterId()),
    'cassandra-data-center': world.get(dataCenterId()),
    'cassandra-command': { properties: invoked.body! },
    'cassandra-backup': { properties: {} },
  };
  for (const { type } of kinds) {
    const noun = nouns[type]!;
    const text = await page(noun);
    assert.ok(text.includes(`\`${type}\``), `docs/reference/${noun}.md names ${type}`);
    for (const name of Object.keys(shown[noun]!.properties)) {
      assert.ok(text.includes(`\`${name}\``), `docs/reference/${noun}.md says what ${name} is`);
    }
  }
});

test('no kind shows a secret', async (t) => {
  const world = createWorld();
  t.after(() => world.stop());
  makeNetwork(world);
  await makeCluster(world);
  const everything = JSON.stringify([
    world.get(clusterId()),
    world.ask('GET', `${clusterId()}/status`).body,
    world.store.below('/subscriptions'),
  ]);
  for (const secret of ['password"', '$2a$']) assert.equal(everything.includes(secret), false, secret);
  const { servicePassword } = world.kinds.operatorIntent(world.identity())!.document.cluster;
  assert.equal(everything.includes(servicePassword), false);
  const token = JSON.parse(
    world.kinds.fabricIntent().document.machines.find(({ kind }) => kind === 'operator')!.seed[
      'operator.json'
    ]!,
  ) as { token: string };
  assert.equal(everything.includes(token.token), false);
});

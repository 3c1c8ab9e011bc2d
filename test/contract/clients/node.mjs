/**
 * The how-to, and every operation of both Cassandra groups, with the JavaScript SDKs as published. Standard input: one JSON
 * object with who and where (a secret never stands in an argument), and whether it is the how-to alone, which a real ring goes
 * along with in a minute. Standard output: one JSON line an operation.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const require = createRequire(join(process.env.CONTRACT_CLIENTS, 'package.json'));
const { ClientSecretCredential } = require('@azure/identity');
const { CosmosDBManagementClient } = require('@azure/arm-cosmosdb');
const { NetworkManagementClient } = require('@azure/arm-network');

const { endpoint, tenantId, customer, provider, group, location, howToOnly } = JSON.parse(
  await text(process.stdin),
);

const credential = ({ clientId, secret }) =>
  new ClientSecretCredential(tenantId, clientId, secret, {
    authorityHost: endpoint,
    disableInstanceDiscovery: true,
  });
const options = { endpoint };
const cosmos = new CosmosDBManagementClient(credential(customer), customer.subscriptionId, options);
const network = new NetworkManagementClient(credential(customer), customer.subscriptionId, options);
const service = new NetworkManagementClient(credential(provider), provider.subscriptionId, options);

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
/** One operation. `refused`: the code that is the right answer. What failed is said, and the run goes on. */
async function step(operation, work, { refused } = {}) {
  try {
    const result = await work();
    say(refused ? { operation, status: 200, code: 'NotRefused' } : { operation, outcome: 'ok' });
    return result;
  } catch (error) {
    const status = error.statusCode ?? 0;
    if (refused && refused === error.code) say({ operation, outcome: 'ok' });
    else
      say({
        operation,
        status,
        code: error.code ?? error.name,
        message: String(error.message).slice(0, 500),
      });
    return undefined;
  }
}
const all = async (pages) => {
  const found = [];
  for await (const one of pages) found.push(one);
  return found;
};
function expect(condition, why) {
  if (!condition) throw Object.assign(new Error(why), { code: 'NotAsExpected' });
}
const subnet = (name) =>
  `/subscriptions/${customer.subscriptionId}/resourceGroups/${group}/providers/Microsoft.Network/virtualNetworks/vnet1/subnets/${name}`;

// 1. A network to live in.
const networks = network.virtualNetworks;
await step('VirtualNetworks_CreateOrUpdate', () =>
  networks.beginCreateOrUpdateAndWait(group, 'vnet1', {
    location,
    addressSpace: { addressPrefixes: ['10.0.0.0/16'] },
    subnets: [{ name: 'pe', addressPrefix: '10.0.1.0/24' }],
  }),
);
for (const [name, addressPrefix] of [
  ['cass', '10.0.2.0/24'],
  ['apps', '10.0.3.0/24'],
]) {
  await step('Subnets_CreateOrUpdate', () =>
    network.subnets.beginCreateOrUpdateAndWait(group, 'vnet1', name, { addressPrefix }),
  );
}
await step('VirtualNetworks_Get', async () => {
  const { subnets } = await networks.get(group, 'vnet1');
  expect(subnets.length === 3, `vnet1 has ${subnets.length} subnets`);
});
await step('VirtualNetworks_List', async () =>
  expect((await all(networks.list(group))).length === 1, 'one network'),
);
await step('VirtualNetworks_ListAll', () => all(networks.listAll()));
await step('VirtualNetworks_UpdateTags', () =>
  networks.updateTags(group, 'vnet1', { tags: { team: 'data' } }),
);
await step('Subnets_Get', () => network.subnets.get(group, 'vnet1', 'pe'));
await step('Subnets_List', () => all(network.subnets.list(group, 'vnet1')));

// 2. A cluster, and the service's private link.
const clusters = cosmos.cassandraClusters;
const cluster = await step('CassandraClusters_CreateUpdate', () =>
  clusters.beginCreateUpdateAndWait(group, 'c1', {
    location,
    tags: { env: 'test' },
    properties: {
      azureConnectionMethod: 'VPN',
      initialCassandraAdminPassword: 'Pa55-word-of-a-test',
      cassandraVersion: '5.0',
    },
  }),
);
const shown = await step('CassandraClusters_Get', async () => {
  const got = await clusters.get(group, 'c1');
  expect(got.properties.provisioningState === 'Succeeded', 'the cluster Succeeded');
  expect(got.properties.azureConnectionMethod === 'VPN', 'the method stayed');
  expect(!got.properties.initialCassandraAdminPassword, 'no password comes back');
  return got;
});
await step('CassandraClusters_CreateUpdate', async () => {
  const again = await clusters.beginCreateUpdateAndWait(group, 'c1', shown);
  expect(JSON.stringify(again) === JSON.stringify(shown), 'its own GET, sent back, changes nothing');
});
await step('CassandraClusters_ListByResourceGroup', async () =>
  expect((await all(clusters.listByResourceGroup(group))).length === 1, 'one cluster'),
);
await step('CassandraClusters_ListBySubscription', () => all(clusters.listBySubscription()));
const link = cluster?.properties?.privateLinkResourceId ?? '';
const [, , , , linkGroup = '', , , , linkName = ''] = link.split('/');

// 3. A private endpoint, which the provider approves.
const endpoints = network.privateEndpoints;
const made = await step('PrivateEndpoints_CreateOrUpdate', () =>
  endpoints.beginCreateOrUpdateAndWait(group, 'pe1', {
    location,
    subnet: { id: subnet('pe') },
    customNetworkInterfaceName: 'pe1-nic',
    ipConfigurations: [{ name: 'ip1', privateIPAddress: '10.0.1.10' }],
    manualPrivateLinkServiceConnections: [
      { name: 'conn1', privateLinkServiceId: link, requestMessage: 'cluster c1' },
    ],
  }),
);
await step('PrivateEndpoints_Get', async () => {
  const [connection] = (await endpoints.get(group, 'pe1')).manualPrivateLinkServiceConnections;
  expect(connection.privateLinkServiceConnectionState.status === 'Pending', 'the connection is Pending');
});
await step('PrivateEndpoints_List', () => all(endpoints.list(group)));
await step('PrivateEndpoints_ListBySubscription', () => all(endpoints.listBySubscription()));
await step('NetworkInterfaces_Get', async () => {
  const nic = await network.networkInterfaces.get(group, made.networkInterfaces[0].id.split('/').at(-1));
  expect(nic.ipConfigurations[0].privateIPAddress === '10.0.1.10', 'its static address');
});
await step('NetworkInterfaces_List', () => all(network.networkInterfaces.list(group)));
const links = service.privateLinkServices;
await step('PrivateLinkServices_Get', () => links.get(linkGroup, linkName));
await step('PrivateLinkServices_List', () => all(links.list(linkGroup)));
await step('PrivateLinkServices_ListBySubscription', () => all(links.listBySubscription()));
await step('PrivateLinkServices_ListAutoApprovedPrivateLinkServices', () =>
  all(network.privateLinkServices.listAutoApprovedPrivateLinkServices(location)),
);
const [connection] =
  (await step('PrivateLinkServices_ListPrivateEndpointConnections', () =>
    all(links.listPrivateEndpointConnections(linkGroup, linkName)),
  )) ?? [];
await step('PrivateLinkServices_GetPrivateEndpointConnection', () =>
  links.getPrivateEndpointConnection(linkGroup, linkName, connection.name),
);
await step('PrivateLinkServices_UpdatePrivateEndpointConnection', async () => {
  await links.updatePrivateEndpointConnection(linkGroup, linkName, connection.name, {
    name: connection.name,
    privateLinkServiceConnectionState: { status: 'Approved', description: 'ok' },
  });
  const [mine] = (await endpoints.get(group, 'pe1')).manualPrivateLinkServiceConnections;
  expect(mine.privateLinkServiceConnectionState.status === 'Approved', 'the consumer sees Approved');
});

// 4. A data centre, and its state.
const dataCenters = cosmos.cassandraDataCenters;
await step('CassandraDataCenters_CreateUpdate', () =>
  dataCenters.beginCreateUpdateAndWait(group, 'c1', 'dc1', {
    properties: {
      dataCenterLocation: location,
      delegatedSubnetId: subnet('cass'),
      nodeCount: 3,
      privateEndpointIpAddress: '10.0.1.10',
    },
  }),
);
const center = await step('CassandraDataCenters_Get', async () => {
  const got = await dataCenters.get(group, 'c1', 'dc1');
  expect(got.properties.provisioningState === 'Succeeded', 'the data centre Succeeded');
  expect(got.properties.seedNodes.length === 3, 'three seeds');
  return got;
});
await step('CassandraDataCenters_CreateUpdate', async () => {
  const again = await dataCenters.beginCreateUpdateAndWait(group, 'c1', 'dc1', center);
  expect(JSON.stringify(again) === JSON.stringify(center), 'its own GET, sent back, changes nothing');
});
await step('CassandraDataCenters_List', () => all(dataCenters.list(group, 'c1')));
await step('CassandraClusters_Status', async () => {
  const status = await clusters.status(group, 'c1');
  const nodes = status.dataCenters.flatMap((each) => each.nodes);
  expect(nodes.length === 3 && nodes.every(({ state }) => state === 'Normal'), 'three nodes, all Normal');
});

// 5. Changes.
await step('CassandraClusters_Update', async () => {
  const got = await clusters.beginUpdateAndWait(group, 'c1', {
    tags: { env: 'changed' },
    properties: { repairEnabled: false },
  });
  expect(got.properties.repairEnabled === false && got.tags.env === 'changed', 'both are changed');
  expect(got.properties.azureConnectionMethod === 'VPN', 'what was left out stayed');
});
for (const nodeCount of howToOnly ? [] : [4, 3]) {
  await step('CassandraDataCenters_Update', async () => {
    const got = await dataCenters.beginUpdateAndWait(group, 'c1', 'dc1', { properties: { nodeCount } });
    expect(got.properties.nodeCount === nodeCount, `${nodeCount} nodes`);
  });
}
await step('CassandraClusters_InvokeCommand', async () => {
  const { commandOutput } = await clusters.beginInvokeCommandAndWait(group, 'c1', {
    command: 'nodetool',
    host: center.properties.seedNodes[0].ipAddress,
    arguments: { status: '' },
  });
  expect(commandOutput.includes(howToOnly ? '\nUN ' : 'status'), `nodetool says ${commandOutput}`);
});
if (!howToOnly) {
  await step('CassandraClusters_Deallocate', () =>
    clusters.beginDeallocateAndWait(group, 'c1', { xMsForceDeallocate: 'true' }),
  );
  await step('CassandraClusters_Start', () => clusters.beginStartAndWait(group, 'c1'));
}

// 6. The rest of the network.
if (!howToOnly) {
  const rule = {
    priority: 200,
    direction: 'Outbound',
    access: 'Deny',
    protocol: 'Tcp',
    sourceAddressPrefix: '*',
    sourcePortRange: '*',
    destinationAddressPrefix: 'Internet',
    destinationPortRange: '*',
  };
  await step('NetworkSecurityGroups_CreateOrUpdate', () =>
    network.networkSecurityGroups.beginCreateOrUpdateAndWait(group, 'nsg1', { location }),
  );
  await step('NetworkSecurityGroups_Get', () => network.networkSecurityGroups.get(group, 'nsg1'));
  await step('NetworkSecurityGroups_List', () => all(network.networkSecurityGroups.list(group)));
  await step('SecurityRules_CreateOrUpdate', () =>
    network.securityRules.beginCreateOrUpdateAndWait(group, 'nsg1', 'r1', rule),
  );
  await step('SecurityRules_List', () => all(network.securityRules.list(group, 'nsg1')));
  await step('SecurityRules_Delete', () => network.securityRules.beginDeleteAndWait(group, 'nsg1', 'r1'));
  await step('NetworkSecurityGroups_Delete', () =>
    network.networkSecurityGroups.beginDeleteAndWait(group, 'nsg1'),
  );
  await step('ApplicationSecurityGroups_CreateOrUpdate', () =>
    network.applicationSecurityGroups.beginCreateOrUpdateAndWait(group, 'asg1', { location }),
  );
  await step('ApplicationSecurityGroups_Delete', () =>
    network.applicationSecurityGroups.beginDeleteAndWait(group, 'asg1'),
  );
  await step('RouteTables_CreateOrUpdate', () =>
    network.routeTables.beginCreateOrUpdateAndWait(group, 'rt1', { location }),
  );
  await step('Routes_CreateOrUpdate', () =>
    network.routes.beginCreateOrUpdateAndWait(group, 'rt1', 'out', {
      addressPrefix: '192.0.2.0/24',
      nextHopType: 'None',
    }),
  );
  await step('RouteTables_Delete', () => network.routeTables.beginDeleteAndWait(group, 'rt1'));
  await step('ServiceEndpointPolicies_CreateOrUpdate', () =>
    network.serviceEndpointPolicies.beginCreateOrUpdateAndWait(group, 'sep1', { location }),
  );
  await step('ServiceEndpointPolicyDefinitions_CreateOrUpdate', () =>
    network.serviceEndpointPolicyDefinitions.beginCreateOrUpdateAndWait(group, 'sep1', 'd1', {
      service: 'Microsoft.Storage',
      serviceResources: [`/subscriptions/${customer.subscriptionId}`],
    }),
  );
  await step('ServiceEndpointPolicies_Delete', () =>
    network.serviceEndpointPolicies.beginDeleteAndWait(group, 'sep1'),
  );
  await step('VirtualNetworks_CreateOrUpdate', () =>
    networks.beginCreateOrUpdateAndWait(group, 'vnet2', {
      location,
      addressSpace: { addressPrefixes: ['10.1.0.0/16'] },
    }),
  );
  const peer = subnet('x')
    .split('/subnets/')[0]
    .replace(/vnet1$/, 'vnet2');
  await step('VirtualNetworkPeerings_CreateOrUpdate', () =>
    network.virtualNetworkPeerings.beginCreateOrUpdateAndWait(group, 'vnet1', 'to2', {
      remoteVirtualNetwork: { id: peer },
      allowVirtualNetworkAccess: true,
    }),
  );
  await step('VirtualNetworkPeerings_List', () => all(network.virtualNetworkPeerings.list(group, 'vnet1')));
  await step('VirtualNetworkPeerings_Delete', () =>
    network.virtualNetworkPeerings.beginDeleteAndWait(group, 'vnet1', 'to2'),
  );
}

// 7. What the walls would do with a node's packets.
if (!howToOnly) {
  const watchers = network.networkWatchers;
  const [watcher] =
    (await step('NetworkWatchers_ListAll', async () => {
      const found = await all(watchers.listAll());
      expect(found.length === 1, `${found.length} network watchers are there`);
      return found;
    })) ?? [];
  const ours = [watcher.id.split('/')[4], watcher.name];
  const interfaces = network.networkInterfaces;
  const nic = (await all(interfaces.list(group))).find(({ virtualMachine }) => virtualMachine);
  const node = nic.virtualMachine.id;
  const [{ privateIPAddress: address }] = nic.ipConfigurations;
  const outside = '203.0.113.10';
  await step('NetworkWatchers_VerifyIPFlow', async () => {
    const verdict = await watchers.beginVerifyIPFlowAndWait(...ours, {
      targetResourceId: node,
      direction: 'Outbound',
      protocol: 'TCP',
      localIPAddress: address,
      localPort: '5000',
      remoteIPAddress: outside,
      remotePort: '443',
    });
    expect(verdict.access === 'Deny', `a node may leave by ${verdict.ruleName}`);
  });
  await step('NetworkWatchers_GetNextHop', async () => {
    const hop = await watchers.beginGetNextHopAndWait(...ours, {
      targetResourceId: node,
      sourceIPAddress: address,
      destinationIPAddress: '10.0.1.10',
    });
    expect(hop.nextHopType === 'VnetLocal', `the endpoint lies behind ${hop.nextHopType}`);
  });
  await step('NetworkWatchers_CheckConnectivity', async () => {
    const checked = await watchers.beginCheckConnectivityAndWait(...ours, {
      source: { resourceId: node },
      destination: { address: outside, port: 443 },
    });
    expect(checked.connectionStatus === 'Unreachable', `outside is ${checked.connectionStatus}`);
  });
  await step('NetworkWatchers_GetVMSecurityRules', async () => {
    const view = await watchers.beginGetVMSecurityRulesAndWait(...ours, { targetResourceId: node });
    expect(view.networkInterfaces.length === 1, 'one interface');
  });
  await step('NetworkInterfaces_ListEffectiveNetworkSecurityGroups', () =>
    interfaces.beginListEffectiveNetworkSecurityGroupsAndWait(group, nic.name),
  );
  await step('NetworkInterfaces_GetEffectiveRouteTable', async () => {
    const { value } = await interfaces.beginGetEffectiveRouteTableAndWait(group, nic.name);
    expect(value.length > 0, 'it has routes');
  });
}

// 8. Everything goes away again.
await step('CassandraDataCenters_Delete', () => dataCenters.beginDeleteAndWait(group, 'c1', 'dc1'));
await step('CassandraDataCenters_Get', () => dataCenters.get(group, 'c1', 'dc1'), {
  refused: 'ResourceNotFound',
});
await step('PrivateEndpoints_Delete', () => endpoints.beginDeleteAndWait(group, 'pe1'));
await step('CassandraClusters_Delete', () => clusters.beginDeleteAndWait(group, 'c1'));
await step('CassandraClusters_Get', () => clusters.get(group, 'c1'), { refused: 'ResourceNotFound' });
await step('Subnets_Delete', () => network.subnets.beginDeleteAndWait(group, 'vnet1', 'cass'));
for (const name of howToOnly ? ['vnet1'] : ['vnet1', 'vnet2']) {
  await step('VirtualNetworks_Delete', () => networks.beginDeleteAndWait(group, name));
}

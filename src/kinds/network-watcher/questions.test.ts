import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  clusterId,
  connected,
  connectionId,
  createWorld,
  customer,
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
  type World,
} from '../../../test/harness/kinds-world.ts';
import {
  asgId,
  groupId,
  peeringBody,
  peeringId,
  ruleBody,
  tableId,
  watcherId,
} from '../../../test/harness/network-world.ts';
import type { JsonObject } from '../../store/resource.ts';

let world: World;
let machines: readonly string[];
let operator: string;
before(async () => {
  world = createWorld();
  makeNetwork(world);
  const service = await makeCluster(world);
  world.put(endpointId(), endpointBody(service, '10.0.1.10'));
  decide(world, connectionId(world, service), 'Approved');
  await world.fabricApplies();
  world.put(dataCenterId(), dataCenterBody());
  await world.operatorSays();
  await world.fabricApplies();
  await world.operatorSays('c1', connected('ready'));
  await world.fabricApplies();
  machines = world.store.list('Microsoft.Compute/virtualMachines', group()).map(({ id }) => id);
  operator = world.store.list(
    'Microsoft.Compute/virtualMachines',
    `/subscriptions/${provider.subscription}`,
  )[0]!.id;
});
after(() => world.stop());

/** Asks, and fetches the answer from where it lies. */
function answerTo(id: string, body?: JsonObject, as?: typeof customer): JsonObject {
  const { status, headers } = world.ask('POST', id, body, as);
  assert.equal(status, 202);
  return world.ask('GET', headers!['Location']!, undefined, as).body!;
}
const ask = (question: string, body: JsonObject): JsonObject => answerTo(`${watcherId()}/${question}`, body);
const address = (machine: string): string => {
  const [nic] = (world.get(machine).properties['networkProfile'] as { networkInterfaces: { id: string }[] })
    .networkInterfaces;
  const [configuration] = world.get(nic!.id).properties['ipConfigurations'] as {
    properties: { privateIPAddress: string };
  }[];
  return configuration!.properties.privateIPAddress;
};
const flow = (
  direction: string,
  protocol: string,
  localPort: string,
  remoteIPAddress: string,
  remotePort: string,
): JsonObject =>
  ask('ipFlowVerify', {
    targetResourceId: machines[0]!,
    direction,
    protocol,
    localIPAddress: address(machines[0]!),
    localPort,
    remoteIPAddress,
    remotePort,
  });
const says = (access: string, ruleName: string): JsonObject => ({ access, ruleName });
const platform = says('Deny', 'platformPolicy/DenyAll');

test('nodes and operators are machines, named after their interfaces', () => {
  assert.equal(machines.length, 3);
  const machine = world.get(machines[0]!);
  assert.match(machine['name'] as string, /^c1-dc1-1-[0-9a-f]{8}$/);
  assert.equal(machine['location'], 'eastus2');
  assert.deepEqual(machine.properties['hardwareProfile'], { vmSize: 'Standard_E16s_v5' });
  const nic = (machine.properties['networkProfile'] as { networkInterfaces: { id: string }[] })
    .networkInterfaces[0]!.id;
  assert.deepEqual(world.get(nic).properties['virtualMachine'], { id: machines[0] });
  assert.match(world.get(operator, provider)['name'] as string, /^operator-/);
  assert.equal(world.refused('GET', operator).code, 'AuthorizationFailed');
});

test('a node: the door, its peers and CQL, and nothing else', () => {
  const allowed = says('Allow', 'noSecurityGroup');
  assert.deepEqual(flow('Outbound', 'UDP', '5000', '10.0.1.10', '51820'), allowed);
  assert.deepEqual(flow('Outbound', 'TCP', '5000', '10.0.1.10', '443'), platform);
  assert.deepEqual(flow('Outbound', 'TCP', '5000', address(machines[1]!), '7001'), allowed);
  assert.deepEqual(flow('Outbound', 'TCP', '*', '8.8.8.8', '443'), platform);
  assert.deepEqual(flow('Outbound', 'TCP', '*', '10.99.0.1', '443'), platform);
  assert.deepEqual(flow('Inbound', 'TCP', '9042', '10.0.3.20', '*'), allowed);
  assert.deepEqual(flow('Inbound', 'TCP', '22', '10.0.3.20', '*'), platform);
  assert.deepEqual(flow('Inbound', 'TCP', '9042', '8.8.8.8', '*'), platform);
});

test("the operator's interface is the provider's to ask about", () => {
  const body = {
    targetResourceId: operator,
    direction: 'Outbound',
    protocol: 'TCP',
    localIPAddress: '172.31.1.4',
    localPort: '1',
    remoteIPAddress: '8.8.8.8',
    remotePort: '443',
  };
  assert.equal(world.refused('POST', `${watcherId()}/ipFlowVerify`, body).code, 'AuthorizationFailed');
  const its = watcherId().replace(customer.subscription, provider.subscription);
  assert.deepEqual(
    answerTo(`${its}/ipFlowVerify`, body, provider),
    says('Deny', 'securityRules/DenyEverythingOutBound'),
  );
  // What its group lets through, the platform policy still keeps in: there is no gate yet.
  const gate = { ...body, remoteIPAddress: '172.31.0.4', remotePort: '22' };
  assert.deepEqual(
    answerTo(`${its}/ipFlowVerify`, { ...gate, remotePort: '8443' }, provider),
    says('Allow', 'securityRules/AllowControlOutBound'),
  );
  assert.deepEqual(
    answerTo(`${its}/ipFlowVerify`, gate, provider),
    says('Deny', 'securityRules/DenyEverythingOutBound'),
  );
});

test('a group narrows what the platform lets through, and is named by its rule', async () => {
  world.put(asgId(), {});
  const { destinationAddressPrefix: _, ...rest } = ruleBody({ priority: 110 });
  world.put(groupId(), {
    securityRules: [
      {
        name: 'no-cql',
        properties: ruleBody({
          priority: 100,
          direction: 'Inbound',
          sourceAddressPrefix: '10.0.3.0/24',
          destinationAddressPrefix: '*',
          destinationPortRange: '9000-9100',
          protocol: 'Tcp',
        }),
      },
      {
        name: 'no-doors',
        properties: { ...rest, protocol: 'Udp', destinationApplicationSecurityGroups: [{ id: asgId() }] },
      },
    ],
  });
  world.put(subnetId('cass'), { addressPrefix: '10.0.2.0/24', networkSecurityGroup: { id: groupId() } });
  await world.fabricApplies();
  assert.deepEqual(flow('Inbound', 'TCP', '9042', '10.0.3.20', '*'), says('Deny', 'securityRules/no-cql'));
  assert.deepEqual(
    flow('Inbound', 'TCP', '9042', '10.0.2.20', '*'),
    says('Allow', 'defaultSecurityRules/AllowVnetInBound'),
  );
  assert.deepEqual(
    flow('Outbound', 'UDP', '*', '10.0.1.10', '51820'),
    says('Allow', 'defaultSecurityRules/AllowVnetOutBound'),
  );
  world.put(endpointId(), {
    ...endpointBody(world.get(clusterId()).properties['privateLinkResourceId'] as string, '10.0.1.10'),
    applicationSecurityGroups: [{ id: asgId() }],
  });
  assert.deepEqual(
    flow('Outbound', 'UDP', '*', '10.0.1.10', '51820'),
    says('Deny', 'securityRules/no-doors'),
  );
  const view = ask('securityGroupView', { targetResourceId: machines[0]! });
  assert.match(
    JSON.stringify(view),
    /"subnetAssociation":\{"id":"[^"]*\/subnets\/cass","securityRules":\[\{"id":"[^"]*no-cql"/,
  );
  const nic = world.store
    .list('Microsoft.Network/networkInterfaces', group())
    .find(({ name }) => name.startsWith('c1-'))!.id;
  const { value } = answerTo(`${nic}/effectiveNetworkSecurityGroups`) as {
    value: [{ networkSecurityGroup: JsonObject; effectiveSecurityRules: { name: string }[] }];
  };
  assert.deepEqual(value[0].networkSecurityGroup, { id: groupId() });
  assert.equal(value[0].effectiveSecurityRules[0]!.name, 'securityRules/no-cql');
  assert.equal(value[0].effectiveSecurityRules.length, 8);
  await world.fabricApplies();
  world.put(
    endpointId(),
    endpointBody(world.get(clusterId()).properties['privateLinkResourceId'] as string, '10.0.1.10'),
  );
});

test('next hop: the longest prefix, and of equals the user’s', async () => {
  const hop = (destinationIPAddress: string): JsonObject =>
    ask('nextHop', {
      targetResourceId: machines[0]!,
      sourceIPAddress: address(machines[0]!),
      destinationIPAddress,
    });
  const system = (nextHopType: string): JsonObject => ({ nextHopType, routeTableId: 'System Route' });
  assert.deepEqual(hop('10.0.3.9'), system('VnetLocal'));
  assert.deepEqual(hop('8.8.8.8'), system('Internet'));
  assert.deepEqual(hop('10.99.0.1'), system('None'));
  world.put(tableId(), {
    routes: [
      { name: 'dark', properties: { addressPrefix: '0.0.0.0/0', nextHopType: 'None' } },
      {
        name: 'box',
        properties: {
          addressPrefix: '10.0.3.0/24',
          nextHopType: 'VirtualAppliance',
          nextHopIpAddress: '10.0.3.8',
        },
      },
    ],
  });
  world.put(subnetId('cass'), { addressPrefix: '10.0.2.0/24', routeTable: { id: tableId() } });
  await world.fabricApplies();
  assert.deepEqual(hop('8.8.8.8'), { nextHopType: 'None', routeTableId: tableId() });
  assert.deepEqual(hop('10.0.3.9'), {
    nextHopType: 'VirtualAppliance',
    nextHopIpAddress: '10.0.3.8',
    routeTableId: tableId(),
  });
  const nic = world.store
    .list('Microsoft.Network/networkInterfaces', group())
    .find(({ name }) => name.startsWith('c1-'))!.id;
  const { value } = answerTo(`${nic}/effectiveRouteTable`) as { value: JsonObject[] };
  assert.deepEqual(
    value
      .filter(({ addressPrefix }) => (addressPrefix as string[])[0] === '0.0.0.0/0')
      .map(({ source, state, nextHopType }) => [source, state, nextHopType]),
    [
      ['Default', 'Invalid', 'Internet'],
      ['User', 'Active', 'None'],
    ],
  );
  world.put(subnetId('cass'), { addressPrefix: '10.0.2.0/24' });
  await world.fabricApplies();
});

test('a peer counts as the virtual network once both sides are connected', async () => {
  world.put(subnetId('cass'), {
    addressPrefix: '10.0.2.0/24',
    networkSecurityGroup: { id: groupId() },
  });
  world.put(networkId('peer'), { addressSpace: { addressPrefixes: ['10.9.0.0/16'] } });
  world.put(peeringId('a'), peeringBody('peer'));
  const fromPeer = (): JsonObject => flow('Inbound', 'TCP', '9042', '10.9.0.4', '*');
  assert.deepEqual(fromPeer(), says('Deny', 'defaultSecurityRules/DenyAllInBound'));
  world.put(peeringId('b', 'peer'), peeringBody('vnet1'));
  // The node's written allow-list is another wall, and is not this test's.
  assert.notDeepEqual(fromPeer(), says('Deny', 'defaultSecurityRules/DenyAllInBound'));
  await world.fabricApplies();
  world.put(peeringId('a'), { ...peeringBody('peer'), allowVirtualNetworkAccess: false });
  assert.deepEqual(fromPeer(), says('Deny', 'defaultSecurityRules/DenyAllInBound'), 'a peer without access');
});

test('questions that can’t be answered', () => {
  const good = {
    targetResourceId: machines[0]!,
    direction: 'Outbound',
    protocol: 'TCP',
    localIPAddress: address(machines[0]!),
    localPort: '1',
    remoteIPAddress: '8.8.8.8',
    remotePort: '443',
  };
  const refuse = (more: JsonObject, message: RegExp, question = 'ipFlowVerify'): void =>
    assert.match(world.refused('POST', `${watcherId()}/${question}`, { ...good, ...more }).message, message);
  refuse({ targetResourceId: '' }, /targetResourceId is missing/);
  refuse({ targetResourceId: networkId() }, /must be the ARM id of a Microsoft\.Compute\/virtualMachines/);
  refuse({ targetResourceId: `${machines[0]!}x` }, /no virtual machine/);
  refuse({ localIPAddress: '10.0.2.200' }, /is 10\.0\.2\.200, and the machine has/);
  refuse({ remoteIPAddress: 'example.com' }, /no IPv4 address/);
  refuse({ remotePort: '*' }, /whole number/);
  refuse({ remotePort: '65536' }, /at most 65535/);
  refuse({ protocol: 'ICMP' }, /one of TCP, UDP/);
  refuse({ direction: null }, /direction is missing/);
  refuse({ targetNicResourceId: 'x' }, /no interface of the machine/);
  assert.equal(world.refused('POST', `${watcherId()}/packetCaptures`).code, 'NotFound');
  assert.equal(world.refused('GET', `${watcherId()}/ipFlowVerify`).code, 'MethodNotAllowed');
  assert.equal(world.refused('DELETE', watcherId()).code, 'MethodNotAllowed');
});

test('an answer lies at its Location for ten minutes, for who asked and for nobody else', async () => {
  const body = { targetResourceId: machines[0]! };
  const before = world.get(watcherId());
  const asked = world.ask('POST', `${watcherId()}/securityGroupView`, body);
  assert.deepEqual(Object.keys(asked.headers!).toSorted(), [
    'Azure-AsyncNotification',
    'Location',
    'Retry-After',
  ]);
  assert.equal(asked.body, undefined);
  assert.deepEqual(world.get(watcherId()), before);
  const location = asked.headers!['Location']!;
  assert.deepEqual(Object.keys(world.ask('GET', location).body!), ['networkInterfaces']);
  world.store.principals.assign({
    principal: provider.principalId,
    role: 'Owner',
    scope: `/subscriptions/${customer.subscription}`,
  });
  assert.equal(world.refused('GET', location, undefined, provider).code, 'NotFound');
  await world.pass(600_001);
  ask('securityGroupView', body);
  assert.equal(world.refused('GET', location).code, 'NotFound');
});

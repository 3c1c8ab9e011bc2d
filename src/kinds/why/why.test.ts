import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  clusterId,
  connected,
  connectionId,
  createWorld,
  dataCenterBody,
  dataCenterId,
  decide,
  endpointBody,
  endpointId,
  makeCluster,
  makeNetwork,
  networkId,
  subnetId,
  type World,
} from '../../../test/harness/kinds-world.ts';
import {
  groupId,
  makeWalls,
  peeringBody,
  peeringId,
  ruleBody,
  tableId,
} from '../../../test/harness/network-world.ts';
import type { Walls } from '../../network/reachability.ts';
import { wallsOfIntent } from '../../network/walls.ts';
import type { JsonObject } from '../../store/resource.ts';
import { fabricIntent } from '../fabric-intent.ts';
import { platform } from '../platform.ts';
import { settingsOf } from '../settings.ts';
import { wallsOf } from '../walls.ts';
import { answerWhy, type Asker, type WhyAnswer } from './why.ts';

let world: World;
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
});
after(() => world.stop());

const everything: Asker = { seesNetwork: () => true, sees: () => true };
/** A customer sees its own. */
const customers: Asker = {
  seesNetwork: (label) => label.startsWith('/'),
  sees: (id) => id.startsWith('/'),
};
const intent = () => fabricIntent(world.store, settingsOf(world.store), []);
const ask = (from: string, to: string, port: number, more: JsonObject = {}, asker = everything): WhyAnswer =>
  answerWhy(world.store, intent(), asker, { from, to, port, ...more }).answer;
const nodes = (): readonly string[] =>
  intent()
    .machines.filter(({ kind }) => kind === 'node')
    .map(({ address }) => address);
const application = (): string => intent().machines.find(({ kind }) => kind === 'application')!.hostname;
const linkService = (): string => world.get(clusterId()).properties['privateLinkResourceId'] as string;
const node = (): string => intent().machines.find(({ kind }) => kind === 'node')!.hostname;
const refused = (message: RegExp, body: JsonObject, asker = everything): void =>
  assert.throws(() => answerWhy(world.store, intent(), asker, body), message);

test('a node reaches what its written policy names; the rest is never: platform policy', () => {
  const ring = ask(node(), nodes()[1]!, 7001);
  assert.deepEqual([ring.reached, ring.change, ring.never, ring.nextHop.type], [true, [], null, 'VnetLocal']);
  const out = ask(node(), 'internet', 443);
  assert.deepEqual(
    [out.reached, out.wall, out.owner, out.rule, out.never],
    [false, 'platform policy', 'platform', 'platformPolicy/DenyAll', 'never: platform policy'],
  );
  assert.equal(ask(application(), nodes()[0]!, 7001).never, 'never: platform policy');
  assert.equal(ask(application(), nodes()[0]!, 9042).reached, true);
  const icmp = answerWhy(world.store, intent(), everything, {
    from: application(),
    to: node(),
    protocol: 'icmp',
  });
  assert.deepEqual([icmp.answer.port, icmp.answer.never], [null, 'never: platform policy']);
});

test('a machine goes by its name, its address, and the ids of machine and interface', () => {
  const machine = world.store.list(
    'Microsoft.Compute/virtualMachines',
    networkId().split('/providers')[0]!,
  )[0]!;
  const { interfaceId } = machine.properties as { interfaceId: string };
  for (const name of [machine.id, machine.name, interfaceId, interfaceId.toUpperCase()])
    assert.equal(ask(name, 'internet', 443).wall, 'platform policy', name);
  const door = ask(node(), endpointId(), 51820, { protocol: 'udp' });
  assert.deepEqual(
    [door.reached, door.to.address, door.nextHop.type],
    [true, '10.0.1.10', 'InterfaceEndpoint'],
  );
  assert.match(ask(application(), 'pe1', 443).never ?? '', /takes UDP 51820 and nothing else/);
});

test('a rule of the customer’s: whose it is, and the one rule before it that would let it pass', async () => {
  world.put(groupId(), {
    securityRules: [
      {
        name: 'no-cql',
        properties: ruleBody({
          priority: 101,
          direction: 'Inbound',
          destinationAddressPrefix: '*',
          destinationPortRange: '9042',
          protocol: 'Tcp',
        }),
      },
    ],
  });
  world.put(subnetId('cass'), { addressPrefix: '10.0.2.0/24', networkSecurityGroup: { id: groupId() } });
  await world.fabricApplies();
  const stopped = ask(application(), nodes()[0]!, 9042);
  assert.deepEqual(
    [stopped.reached, stopped.wall, stopped.owner, stopped.rule, stopped.group],
    [false, 'network security group', 'customer', 'securityRules/no-cql', groupId()],
  );
  assert.equal(stopped.change.length, 1);
  assert.match(
    stopped.change[0]!,
    /^az network nsg rule create --subscription \S+ -g rg1 --nsg-name nsg1 -n \S+ --priority 100 --direction Inbound --access Allow --protocol Tcp .* --destination-port-ranges 9042$/,
  );
  const never = ask(node(), 'internet', 9042);
  assert.equal(never.never, 'never: platform policy', 'no rule of a group lets a node out');
  world.put(subnetId('cass'), { addressPrefix: '10.0.2.0/24' });
  await world.fabricApplies();
});

test('a route, a connection, a peering', async () => {
  world.put(tableId(), {
    routes: [{ name: 'dark', properties: { addressPrefix: '0.0.0.0/0', nextHopType: 'None' } }],
  });
  const { subnet } = intent().machines.find(({ kind }) => kind === 'application')!;
  const { addressPrefix } = world.get(subnetId(subnet)).properties;
  world.put(subnetId(subnet), { addressPrefix, routeTable: { id: tableId() } });
  await world.fabricApplies();
  const dark = ask(application(), 'internet', 443);
  assert.deepEqual([dark.wall, dark.owner, dark.nextHop.route], ['route', 'customer', 'dark']);
  assert.match(dark.change[0]!, /^az network route-table route delete .* --route-table-name rt1 -n dark$/);
  world.put(subnetId(subnet), { addressPrefix });
  await world.fabricApplies();

  const subnets = [{ name: 'apps', properties: { addressPrefix: '10.9.3.0/24' } }];
  world.put(networkId('far'), { addressSpace: { addressPrefixes: ['10.9.0.0/16'] }, subnets });
  makeNetwork(world, 'twin');
  await world.fabricApplies();
  const far = ask(application(), 'app-far', 22);
  assert.deepEqual([far.reached, far.wall, far.owner, far.change.length], [false, 'route', 'platform', 2]);
  assert.match(far.change[1]!, /^az network vnet peering create .* --vnet-name far -n to-vnet1 /);
  refused(/has the same address plan/, { from: application(), to: 'app-twin', port: 22 });
  decide(world, connectionId(world, linkService()), 'Rejected');
  await world.fabricApplies();
  const shut = ask(application(), 'pe1', 51820, { protocol: 'udp' });
  assert.deepEqual([shut.wall, shut.owner], ['private link', 'provider']);
  assert.match(shut.change[0]!, /^az network private-endpoint-connection approve --id \S+$/);
  decide(world, connectionId(world, linkService()), 'Approved');
  await world.fabricApplies();
  assert.equal(
    ask(application(), '172.31.1.4', 22).never,
    'never: platform policy',
    "the provider's network",
  );
  assert.match(ask(application(), '10.0.3.200', 22).never ?? '', /nobody has this address/);
});

test('what a customer may not see is not told, and not found by name', () => {
  refused(/no machine 'control'/, { from: 'control', to: 'internet', port: 443 }, customers);
  refused(/nobody 'control'/, { from: node(), to: 'control', port: 443 }, customers);
  assert.equal(ask(node(), platform.controlDoor.address, 8443, {}, customers).owner, 'platform');
});

test('questions that can’t be answered', () => {
  refused(/Send \{/, [] as never);
  refused(/from is missing/, { to: 'internet', port: 443 });
  refused(/to is missing/, { from: node(), port: 443 });
  refused(/port is missing/, { from: node(), to: 'internet' });
  refused(/at most 65535/, { from: node(), to: 'internet', port: 70_000 });
  refused(/one of tcp, udp, icmp/, { from: node(), to: 'internet', port: 1, protocol: 'gre' });
  refused(/no machine 'nobody'.*There are /s, { from: 'nobody', to: 'internet', port: 1 });
  refused(/nothing begins at one/, { from: 'pe1', to: 'internet', port: 1 });
  refused(/itself/, { from: node(), to: node(), port: 1 });
});

test('the model read off the store and the one read off the fabric’s intent are one', async () => {
  makeWalls(world);
  world.put(peeringId('back', 'peer'), peeringBody('vnet1'));
  await world.fabricApplies();
  const [stored, told] = [wallsOf(world.store), wallsOfIntent(intent())].map((walls: Walls) => ({
    ...walls,
    // Ids of groups are in one case there; an endpoint is known by its link.
    places: walls.places.map(({ id, network, address, allow, group, routes }) => ({
      ...{ id, network, address, allow, routes },
      group: group.id?.toLowerCase() ?? null,
      rules: group.rules.map(({ name, priority }) => [name, priority]),
    })),
    endpoints: walls.endpoints.map(({ network, address, port, open, group }) => ({
      ...{ network, address, port, open },
      group: group.id?.toLowerCase() ?? null,
    })),
    tags: {},
  }));
  assert.deepEqual(told, stored);
});

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { createWorld, customer, provider, type World } from '../../test/harness/kinds-world.ts';
import { operatorsGroupId, putOperatorsGroup } from './operators-group.ts';
import { operatorsSubnetId } from './platform-network.ts';
import { platform } from './platform.ts';

let world: World;
beforeEach(() => void (world = createWorld()));
afterEach(() => world.stop());

const group = operatorsGroupId(provider.subscription);
const subnet = operatorsSubnetId(provider.subscription);
const settings = { providerSubscription: provider.subscription, location: 'eastus2' };
const intent = () => world.kinds.fabricIntent().document;
const told = () => intent().securityGroups?.find(({ id }) => id === group.toLowerCase())?.rules ?? [];

test("the operators' subnet has a group: control and the services' tags, and nothing else", () => {
  const network = intent().networks.find(({ id }) => id === platform.network)!;
  assert.deepEqual(
    network.subnets.map(({ name, securityGroup }) => [name, securityGroup]),
    Object.keys(platform.subnets).map((name) => [
      name,
      name === 'operators' ? group.toLowerCase() : undefined,
    ]),
  );
  const allowed = told().filter(({ access }) => access === 'Allow');
  assert.deepEqual(
    allowed.map(({ direction, destination, destinationPorts }) => [
      direction,
      destination.prefixes[0],
      destinationPorts.join(),
    ]),
    [
      ['Inbound', '*', '51820'],
      ['Outbound', '172.31.0.4/32', '8440,8443'],
      ['Outbound', 'Storage', '443'],
      ['Outbound', 'AzureKeyVault', '443'],
      ['Outbound', 'AzureMonitor', '443'],
    ],
  );
  for (const direction of ['Inbound', 'Outbound'])
    assert.ok(
      told().some((rule) => rule.access === 'Deny' && rule.priority === 4096 && rule.direction === direction),
    );
});

test('the provider narrows it as any group, and what it said stays over a restart; a customer sees nothing of it', async () => {
  const rule = `${group}/securityRules/AllowAzureMonitorOutBound`;
  assert.equal(world.refused('GET', group, undefined, customer).code, 'AuthorizationFailed');
  world.ask('DELETE', rule, undefined, provider);
  assert.ok(!told().some(({ name }) => name === 'AllowAzureMonitorOutBound'));
  await world.fabricApplies();
  putOperatorsGroup(world.store, settings);
  assert.equal(world.store.get(rule), undefined);
  assert.equal(world.refused('DELETE', group, undefined, provider).code, 'InUse');
});

test('it stays at the subnet when policies are changed, and nobody takes it off or puts another there', () => {
  const body = { addressPrefix: platform.subnets.operators };
  world.put(subnet, { ...body, serviceEndpointPolicies: [] }, provider);
  const after = world.store.get<{ networkSecurityGroup?: { id: string } }>(subnet)!;
  assert.equal(after.properties.networkSecurityGroup?.id, group);
  const other = `/subscriptions/${provider.subscription}/resourceGroups/sallyport-managed/providers/Microsoft.Network/networkSecurityGroups/open`;
  world.put(other, {}, provider);
  assert.equal(
    world.refused('PUT', subnet, { properties: { ...body, networkSecurityGroup: { id: other } } }, provider)
      .code,
    'MethodNotAllowed',
  );
});

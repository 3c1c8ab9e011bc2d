import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { endOfSignature, signForContainer } from '../lib/shared-access.ts';
import { fabricIntent } from './fabric-intent.ts';
import { settingsOf } from './settings.ts';
import type { ServiceAccount } from './service-accounts.ts';
import {
  clusterId,
  createWorld,
  customer,
  dataCenterBody,
  endpointBody,
  group,
  makeCluster,
  makeNetwork,
  networkId,
  provider,
  subnetId,
  type World,
} from '../../test/harness/kinds-world.ts';

const managed = `/subscriptions/${provider.subscription}/resourceGroups/sallyport-managed`;
const network = `${managed}/providers/Microsoft.Network/virtualNetworks/sallyport-platform`;
const operators = `${network}/subnets/operators`;
const policy = `${managed}/providers/Microsoft.Network/serviceEndpointPolicies/sep1`;
const storage = (subscription: string, name: string, groupName = 'data'): string =>
  `/subscriptions/${subscription}/resourceGroups/${groupName}/providers/Microsoft.Storage/storageAccounts/${name}`;
const account = (id: string, change: Partial<ServiceAccount> = {}): ServiceAccount => ({
  id,
  name: `${id.split('/').at(-1)}.blob.core.windows.net`,
  address: '10.99.0.4',
  port: 443,
  authority: 'PEM',
  ...change,
});
const shared = account(storage(provider.subscription, 'shared'));
const theirs = account(storage(customer.subscription, 'theirs'), { address: '10.99.0.5', port: 10_000 });
const vault = account(
  `/subscriptions/${provider.subscription}/resourceGroups/data/providers/Microsoft.KeyVault/vaults/keys`,
  { name: 'keys.vault.azure.net' },
);
const foreign = account(storage('00000000-0000-4000-8000-000000000000', 'foreign'));
const monitor = account(
  `/subscriptions/${provider.subscription}/resourceGroups/data/providers/Microsoft.Monitor/accounts/monitor`,
  { name: 'monitor.example' },
);

async function world(t: TestContext): Promise<World> {
  const made = createWorld({ accounts: [shared, theirs, vault, foreign, monitor] });
  t.after(() => made.stop());
  await made.fabricApplies();
  await makeCluster(made);
  return made;
}

const define = (to: World, name: string, resources: readonly string[], more: object = {}): void =>
  void to.put(
    `${policy}/serviceEndpointPolicyDefinitions/${name}`,
    { service: 'Microsoft.Storage', serviceResources: [...resources], ...more },
    provider,
  );
const attach = (to: World, ...ids: readonly string[]): void =>
  void to.put(
    operators,
    { addressPrefix: '172.31.1.0/24', serviceEndpointPolicies: ids.map((id) => ({ id })) },
    provider,
  );
const cluster = (of: World) => of.kinds.gateIntent!()!.document.clusters[0]!;
const names = (of: World): readonly string[] => cluster(of).accounts.map(({ name }) => name);
const machine = (of: World, kind: string) =>
  of.kinds.fabricIntent().document.machines.find((one) => one.kind === kind);
const ways = (of: World, kind: string): readonly string[] =>
  machine(of, kind)!.allow!.map(({ direction, remote, port }) => `${direction} ${remote.join(' ')} ${port}`);
const state = (of: World, id: string): unknown => of.get(id, provider).properties['provisioningState'];

test('without a policy there is no gate, and an operator reaches control alone', async (t) => {
  const to = await world(t);
  assert.equal(to.kinds.gateIntent!(), undefined);
  assert.equal(machine(to, 'gate'), undefined);
  assert.deepEqual(ways(to, 'operator'), ['out 172.31.0.4/32 8443', 'out 172.31.0.4/32 8440']);
  assert.equal(to.kinds.operatorIntent(to.identity())!.document.gate, undefined);
});

test('a service’s machine lets in the gate alone, once there is one, and begins nothing', async (t) => {
  const seed = { 'storage-1.json': 'SEED' };
  const own = account(storage(provider.subscription, 'logs'), { address: '172.31.4.4', port: 10_000 });
  const to = createWorld({ accounts: [own], services: [{ kind: 'storage', seed }] });
  t.after(() => to.stop());
  await to.fabricApplies();
  await makeCluster(to);
  const { allow, ...stands } = machine(to, 'storage')!;
  assert.deepEqual(stands, {
    ...{ id: 'storage', kind: 'storage', hostname: 'storage', network: 'provider', subnet: 'services' },
    ...{ address: '172.31.4.4', seed },
  });
  assert.deepEqual(allow, [], 'there is no gate that could come');
  to.put(policy, {}, provider);
  define(to, 'logs', [own.id]);
  attach(to, policy);
  await to.fabricApplies();
  assert.deepEqual(ways(to, 'storage'), ['in 172.31.3.4/32 10000']);
  assert.ok(ways(to, 'gate').includes('out 172.31.4.4/32 10000'));
  assert.ok(!ways(to, 'operator').some((way) => way.includes('172.31.4.')));
  assert.equal(machine(to, 'monitor'), undefined, 'nobody asked for it');
});

test('a policy that is attached makes the gate, and each says what it lets through', async (t) => {
  const to = await world(t);
  to.put(policy, {}, provider);
  define(to, 'logs', [shared.id]);
  await to.fabricApplies();
  assert.equal(to.kinds.gateIntent!(), undefined, 'it is attached to nothing');
  attach(to, policy);
  await to.fabricApplies();
  assert.equal(state(to, operators), 'Updating', 'the gate has not said that it does it');

  const [one] = cluster(to).accounts;
  assert.deepEqual(cluster(to), {
    ...{ identity: to.identity(), source: '172.31.1.4', port: 20_004 },
    accounts: [
      {
        ...{ name: shared.name, enabled: true, rules: [{ methods: [], path: null }] },
        upstream: { address: '10.99.0.4', port: 443, authority: 'PEM' },
      },
    ],
  });
  assert.ok(one);
  assert.deepEqual(ways(to, 'gate'), [
    'in 172.31.1.4/32 443',
    'out 10.99.0.4/32 443',
    'out 172.31.0.4/32 8442',
    'out 172.31.0.4/32 8440',
  ]);
  assert.ok(ways(to, 'operator').includes('out 172.31.3.4/32 443'));
  assert.ok(ways(to, 'control-door').includes('in 172.31.3.4/32 8442'));
  const seed = JSON.parse(machine(to, 'gate')!.seed['gate.json']!) as { cluster: string; token: string };
  assert.equal(seed.cluster, 'gate');
  assert.equal(to.kinds.admitGate!('wrong')?.code, 'WrongToken');
  assert.equal(to.kinds.admitGate!(seed.token), undefined);
  assert.equal(to.kinds.admitGate!(seed.token)?.code, 'TokenSpent');
  assert.deepEqual(machine(to, 'gate')!.seed, {});

  await to.fabricApplies();
  await to.gateSays();
  assert.equal(state(to, operators), 'Succeeded');
  assert.deepEqual(to.kinds.operatorIntent(to.identity())!.document.gate, {
    ...{ address: '172.31.3.4', port: 443, authority: `AUTHORITY ${to.identity()}` },
    accounts: [shared.name],
  });

  // A change is so once the gate does it, and what is taken away leaves the gate standing.
  define(to, 'logs', [vault.id], { service: 'Microsoft.KeyVault' });
  await to.fabricApplies();
  assert.equal(state(to, `${policy}/serviceEndpointPolicyDefinitions/logs`), 'Updating');
  await to.gateSays();
  assert.equal(state(to, `${policy}/serviceEndpointPolicyDefinitions/logs`), 'Succeeded');
  assert.deepEqual(names(to), [vault.name]);
  attach(to);
  await to.fabricApplies();
  assert.deepEqual(names(to), []);
  assert.ok(machine(to, 'gate'));
  assert.deepEqual(ways(to, 'operator'), ['out 172.31.0.4/32 8443', 'out 172.31.0.4/32 8440']);
  assert.deepEqual(ways(to, 'gate'), ['out 172.31.0.4/32 8442', 'out 172.31.0.4/32 8440']);
});

test('what is a customer’s is that customer’s, and a definition may name a group or a subscription', async (t) => {
  const to = await world(t);
  to.put(policy, {}, provider);
  define(to, 'all', [
    `/subscriptions/${provider.subscription}`,
    `/subscriptions/${customer.subscription}/resourceGroups/DATA`,
    foreign.id,
  ]);
  attach(to, policy);
  await to.fabricApplies();
  assert.deepEqual(
    names(to),
    [shared.name, theirs.name],
    'no vault, which is another service; no foreign account',
  );
  await to.gateSays();
  define(to, 'all', [`/subscriptions/${customer.subscription}/resourceGroups/dat`]);
  await to.fabricApplies();
  assert.deepEqual(names(to), []);
});

test('logs go to an account that the cluster may reach, its own before the provider’s, and the right to write is shown nowhere', async (t) => {
  const logs = { container: 'cassandra', sas: 'sv=1&sp=ac&sig=a-secret-signature' };
  const to = createWorld({
    accounts: [
      { ...shared, logs },
      { ...theirs, logs },
      { ...foreign, logs },
    ],
  });
  t.after(() => to.stop());
  await to.fabricApplies();
  await makeCluster(to);
  to.put(policy, {}, provider);
  const stored = async (): Promise<unknown> => {
    await to.fabricApplies();
    if (to.kinds.gateIntent!()) await to.gateSays();
    return to.kinds.operatorIntent(to.identity())!.document.gate?.logs;
  };
  define(to, 'provider', [shared.id, foreign.id]);
  assert.equal(await stored(), undefined, 'no policy is attached');
  attach(to, policy);
  assert.deepEqual(await stored(), { account: shared.name, ...logs });
  define(to, 'customer', [theirs.id]);
  assert.deepEqual(await stored(), { account: theirs.name, ...logs });
  const everything = JSON.stringify([
    ...[to.get(clusterId()), to.store.below('/subscriptions'), to.kinds.gateIntent!()],
    ...[to.kinds.fabricIntent(), to.get(policy, provider)],
  ]);
  assert.equal(everything.includes('a-secret-signature'), false);
});

test('where control has the account’s key, it makes the right to write, anew long before it ends, and shows neither', async (t) => {
  const key = Buffer.from('a key of an account that is secret').toString('base64');
  const logs = { container: 'cassandra', account: 'shared', key };
  const to = createWorld({ accounts: [{ ...shared, logs }] });
  t.after(() => to.stop());
  await to.fabricApplies();
  await makeCluster(to);
  to.put(policy, {}, provider);
  define(to, 'provider', [shared.id]);
  attach(to, policy);
  await to.fabricApplies();
  await to.gateSays();
  const document = () => to.kinds.operatorIntent(to.identity())!;
  const right = (): string => document().document.gate!.logs!.sas;
  const daysLeft = (): number => {
    const ends = endOfSignature(right());
    assert.equal(right(), signForContainer(logs, 'cassandra', ends));
    return (ends - now) / 86_400_000;
  };
  let now = Date.parse('2026-11-24T10:00:00Z');
  const days = async (count: number): Promise<void> => {
    now += count * 86_400_000;
    await to.pass(count * 86_400_000);
  };
  const { account, container } = document().document.gate!.logs!;
  assert.deepEqual([account, container, daysLeft()], [shared.name, 'cassandra', 14]);
  const [first, revision] = [right(), document().revision];
  const woken: string[] = [];
  to.kinds.onIntentChange((peer) => void woken.push(peer));
  await days(6);
  to.restart();
  await to.settle();
  assert.deepEqual([right(), document().revision], [first, revision], 'it is kept, also by another control');
  to.kinds.onIntentChange((peer) => void woken.push(peer));
  await days(2);
  assert.equal(daysLeft(), 14);
  assert.notEqual(document().revision, revision);
  assert.ok(woken.includes(to.identity()), 'its operator is told');
  await days(30);
  assert.equal(daysLeft(), 14, 'also after it had ended');
  await days(-20);
  assert.equal(daysLeft(), 14, 'also when the clock was set back');
  const everything = JSON.stringify([
    ...[to.get(clusterId()), to.store.below('/subscriptions'), to.kinds.gateIntent!()],
    ...[to.kinds.fabricIntent(), to.get(policy, provider), document()],
  ]);
  assert.equal(everything.includes(key), false);
  assert.equal(everything.split(new URLSearchParams(right()).get('sig')!.slice(0, 20)).length, 2, 'once');
  const kept = (): readonly string[] =>
    Object.keys(JSON.parse(to.store.secrets.get('services/log-signatures') ?? '{}') as object);
  to.restart([
    { ...shared, logs },
    { ...theirs, logs },
  ]);
  await to.settle();
  assert.deepEqual(kept(), [shared.id.toLowerCase(), theirs.id.toLowerCase()]);
  const held = right();
  to.restart([{ ...shared, logs }]);
  await to.settle();
  assert.deepEqual([kept(), right()], [[shared.id.toLowerCase()], held], 'what is no account has no right');
  to.restart([]);
  await to.settle();
  assert.equal(to.store.secrets.get('services/log-signatures'), undefined);
});

test('metrics go to a monitor account that the cluster may reach, its own before the provider’s', async (t) => {
  const monitor = (subscription: string, name: string): ServiceAccount => ({
    ...account(
      `/subscriptions/${subscription}/resourceGroups/data/providers/Microsoft.Monitor/accounts/${name}`,
    ),
    name: `${name}.eastus2.prometheus.monitor.azure.com`,
  });
  const [ours, mine] = [monitor(provider.subscription, 'ours'), monitor(customer.subscription, 'mine')];
  const to = createWorld({ accounts: [shared, ours, mine] });
  t.after(() => to.stop());
  await to.fabricApplies();
  await makeCluster(to);
  to.put(policy, {}, provider);
  attach(to, policy);
  const insights = { service: 'Microsoft.Insights' };
  const kept = async (): Promise<unknown> => {
    await to.fabricApplies();
    if (to.kinds.gateIntent!()) await to.gateSays();
    return to.kinds.operatorIntent(to.identity())!.document.gate?.metrics;
  };
  define(to, 'storage', [shared.id]);
  assert.equal(await kept(), undefined);
  define(to, 'ours', [ours.id], insights);
  assert.deepEqual(await kept(), { account: ours.name });
  define(to, 'mine', [mine.id], insights);
  assert.deepEqual(await kept(), { account: mine.name });
});

test('methods and paths narrow, and several definitions are a union', async (t) => {
  const to = await world(t);
  to.put(policy, {}, provider);
  define(to, 'write', [shared.id], { methods: ['put'], paths: ['/logs', '/audit'] });
  define(to, 'read', [shared.id], { methods: ['GET', 'HEAD'] });
  attach(to, policy);
  await to.fabricApplies();
  assert.deepEqual(cluster(to).accounts[0]!.rules, [
    { methods: ['PUT'], path: '/logs' },
    { methods: ['PUT'], path: '/audit' },
    { methods: ['GET', 'HEAD'], path: null },
  ]);
  assert.deepEqual(to.get(`${policy}/serviceEndpointPolicyDefinitions/write`, provider).properties['paths'], [
    '/logs',
    '/audit',
  ]);
  const refused = (more: object) =>
    to.refused(
      'PUT',
      `${policy}/serviceEndpointPolicyDefinitions/x`,
      { properties: { service: 'Microsoft.Storage', serviceResources: [shared.id], ...more } },
      provider,
    );
  assert.match(refused({ methods: ['CONNECT'] }).message, /names 'CONNECT'; a method is one of GET/);
  for (const path of ['/logs/../x', '/a b', "/'", '/logs/'])
    assert.match(refused({ paths: [path] }).message, /can't bound a request/);
});

test('nothing else of the platform’s network is anybody’s to change, or to stand in', async (t) => {
  const to = await world(t);
  makeNetwork(to);
  const put = (id: string, properties: object): string =>
    to.refused('PUT', id, { location: 'eastus2', properties: properties as never }, provider).code;
  const own = { addressPrefix: '172.31.1.0/24' };
  assert.equal(put(network, { addressSpace: { addressPrefixes: ['10.0.0.0/16'] } }), 'MethodNotAllowed');
  assert.equal(put(operators, { addressPrefix: '172.31.9.0/24' }), 'MethodNotAllowed');
  assert.equal(put(operators, { ...own, privateEndpointNetworkPolicies: 'Enabled' }), 'MethodNotAllowed');
  assert.equal(put(`${network}/subnets/mine`, { addressPrefix: '172.31.9.0/24' }), 'MethodNotAllowed');
  to.put(policy, {}, provider);
  assert.equal(
    put(`${network}/subnets/gate`, {
      addressPrefix: '172.31.3.0/24',
      serviceEndpointPolicies: [{ id: policy }],
    }),
    'MethodNotAllowed',
  );
  assert.equal(
    put(`${network}/virtualNetworkPeerings/p`, { remoteVirtualNetwork: { id: network } }),
    'MethodNotAllowed',
  );
  for (const id of [network, operators])
    assert.equal(to.refused('DELETE', id, undefined, provider).code, 'MethodNotAllowed');
  const endpoint = { ...endpointBody('/x'), subnet: { id: operators } };
  assert.equal(
    put(`${managed}/providers/Microsoft.Network/privateEndpoints/pe`, endpoint),
    'MethodNotAllowed',
  );
  const owners = customer.subscription;
  assert.equal(
    to.refused('PUT', `${clusterId()}/dataCenters/d`, {
      properties: { ...dataCenterBody(), delegatedSubnetId: operators },
    }).code,
    'AuthorizationFailed',
    `${owners} may not even ask`,
  );
  assert.ok(to.get(networkId()) && to.get(subnetId('cass')) && group());
});

test('a proof is told by which names a way leads to accounts, and which are others’; without a gate of none', async (t) => {
  const to = await world(t);
  const run = { id: 'v', kind: 'verify', network: null } as const;
  const gates = () => {
    const [work] = fabricIntent(to.store, settingsOf(to.store), [run]).work;
    return work!.kind === 'verify' ? work!.gates! : [];
  };
  assert.deepEqual(gates(), []);
  to.put(policy, {}, provider);
  define(to, 'logs', [shared.id], { methods: ['DELETE', 'PUT'], paths: ['/logs'] });
  attach(to, policy);
  await to.fabricApplies();
  await to.gateSays();
  const [one] = gates();
  assert.deepEqual(one, {
    ...{ operator: machine(to, 'operator')!.id, authority: `AUTHORITY ${to.identity()}` },
    accounts: [
      {
        ...{ name: shared.name, address: shared.address, port: shared.port },
        ask: { method: 'PUT', path: '/logs/sallyport-verify' },
      },
    ],
    others: [theirs, vault, foreign, monitor].map(({ name, address, port }) => ({
      // The vault and the foreign account stand where the shared one does.
      ...{
        name,
        address,
        port,
        shut: address !== shared.address,
        shared: [vault.name, monitor.name].includes(name),
      },
    })),
  });
  const asked = async (rule: Record<string, unknown>, id = shared.id) => {
    const service = id === monitor.id ? 'Microsoft.Insights' : 'Microsoft.Storage';
    define(to, 'logs', [id], { service, ...rule });
    await to.fabricApplies();
    await to.gateSays();
    return gates()[0]!.accounts[0]!.ask;
  };
  assert.equal(await asked({ methods: ['POST', 'PATCH', 'DELETE'] }), null, 'nobody knows what those do');
  assert.equal(await asked({ methods: ['POST'], paths: ['/api/v1/write'] }), null);
  const written = { method: 'POST', path: '/api/v1/write/sallyport-verify' };
  assert.deepEqual(await asked({ methods: ['POST'], paths: ['/api/v1/write'] }, monitor.id), written);
  assert.deepEqual(await asked({ methods: ['POST'] }, monitor.id), written);
  assert.equal(await asked({ methods: ['POST'], paths: ['/api/v1/admin'] }, monitor.id), null);
});

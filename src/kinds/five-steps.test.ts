import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import {
  clusterId,
  connected,
  connectionId,
  consumerStatus,
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
  type World,
} from '../../test/harness/kinds-world.ts';

let world: World;
beforeEach(() => void (world = createWorld()));
afterEach(() => world.stop());

const state = (id: string): unknown => world.get(id).properties['provisioningState'];
const intent = () => world.kinds.fabricIntent().document;
const machine = (hostname: string) => intent().machines.find((item) => item.hostname === hostname);

test('the platform stands with no cluster at all', () => {
  const { networks, machines, links } = intent();
  assert.deepEqual(
    networks.map(({ id }) => id),
    ['provider'],
  );
  assert.equal(networks[0]!.internet, false);
  assert.deepEqual(
    machines.map(({ kind, address, allow }) => ({ kind, address, allow })),
    [{ kind: 'control-door', address: '172.31.0.4', allow: [] }],
  );
  assert.deepEqual(links, []);
});

test('the five steps, each Succeeded only once it was seen', async () => {
  makeNetwork(world);
  assert.equal(state(networkId()), 'Creating');
  await world.fabricApplies();
  assert.equal(state(networkId()), 'Succeeded');
  const app = machine('app-vnet1')!;
  assert.deepEqual([app.subnet, app.address, app.allow], ['apps', '10.0.3.254', null]);

  world.put(clusterId(), { azureConnectionMethod: 'VPN', initialCassandraAdminPassword: 'password' });
  await world.fabricApplies();
  assert.equal(state(clusterId()), 'Creating');
  const operator = machine('operator-c1')!;
  const seed = JSON.parse(operator.seed['operator.json']!) as { cluster: string; token: string };
  assert.equal(operator.address, '172.31.1.4');
  assert.equal(await world.kinds.admitOperator(seed.cluster, seed.token), world.identity());
  assert.deepEqual(machine('operator-c1')!.seed, {}, 'the token is gone with its use');
  assert.deepEqual(await world.kinds.admitOperator(seed.cluster, seed.token), {
    code: 'TokenSpent',
    message: 'The token was used before: it is good for one enrolment.',
  });
  await world.fabricApplies();
  await world.operatorSays();
  assert.equal(state(clusterId()), 'Succeeded');
  const cluster = world.get(clusterId()).properties;
  assert.deepEqual(cluster['gossipCertificates'], [{ pem: 'INTERNODE' }]);
  assert.deepEqual(cluster['clientCertificateAuthorities'], [{ pem: 'CLIENT' }]);
  assert.equal(cluster['initialCassandraAdminPassword'], undefined);

  const service = cluster['privateLinkResourceId'] as string;
  world.put(endpointId(), endpointBody(service, '10.0.1.10'));
  assert.equal(consumerStatus(world), 'Pending');
  await world.fabricApplies();
  assert.equal(state(endpointId()), 'Succeeded');
  assert.deepEqual(
    intent().links.map(({ open, port }) => ({ open, port })),
    [{ open: false, port: 51820 }],
  );
  const nic = world.get((world.get(endpointId()).properties['networkInterfaces'] as { id: string }[])[0]!.id);
  assert.match(JSON.stringify(nic.properties['ipConfigurations']), /"privateIPAddress":"10\.0\.1\.10"/);

  const early = world.refused('PUT', dataCenterId(), { properties: dataCenterBody() });
  assert.equal(early.status, 409);
  assert.match(early.message, /'pe1' \(10\.0\.1\.10\) is Pending.*private-endpoint-connection approve --id/);

  const connection = connectionId(world, service);
  assert.equal(world.refused('PUT', connection, { properties: {} }).status, 403);
  decide(world, connection, 'Approved');
  assert.equal(consumerStatus(world), 'Approved');
  await world.fabricApplies();
  assert.equal(world.get(connection, provider).properties['provisioningState'], 'Succeeded');
  assert.equal(intent().links[0]!.open, true);

  world.put(dataCenterId(), dataCenterBody());
  await world.fabricApplies();
  assert.equal(machine('dc1-1'), undefined, 'no machine before its join file');
  await world.operatorSays();
  const node = machine('dc1-1')!;
  assert.match(node.seed['join.json']!, /one-time key of dc1-1/);
  assert.deepEqual(
    node.allow!.map(({ direction, protocol, remote, port }) => [direction, protocol, remote.join(), port]),
    [
      ['out', 'tcp', '10.0.2.5/32,10.0.2.6/32', 7001],
      ['in', 'tcp', '10.0.2.5/32,10.0.2.6/32', 7001],
      ['out', 'udp', '10.0.1.10/32', 51820],
    ],
  );
  await world.fabricApplies();
  await world.operatorSays();
  assert.match(
    String(world.get(dataCenterId()).properties['waitingFor']),
    /On the way to the door 10\.0\.1\.10: dc1-1 \(10\.0\.2\.4\)/,
  );
  assert.equal(world.get(dataCenterId()).properties['provisionError'], undefined);
  for (let second = 0; second < 25; second += 5) {
    await world.pass(5_000);
    await world.operatorSays();
  }
  assert.equal(
    (world.get(dataCenterId()).properties['provisionError'] as { code: string }).code,
    'NodeNeverSeen',
  );

  await world.operatorSays('c1', connected('securing'));
  assert.deepEqual(machine('dc1-1')!.seed, {}, 'the join file is dropped once it has enrolled');
  await world.fabricApplies();
  assert.equal(state(dataCenterId()), 'Creating');
  assert.equal(
    machine('dc1-1')!.allow!.some(({ port }) => port === 9042),
    false,
  );
  await world.operatorSays('c1', connected('ready'));
  assert.equal(state(dataCenterId()), 'Creating', 'the fabric has not let CQL in yet');
  for (const open of [9042, 9443])
    assert.deepEqual(machine('dc1-1')!.allow!.find(({ port }) => port === open)!.remote, ['10.0.0.0/16']);
  await world.fabricApplies();
  assert.equal(state(dataCenterId()), 'Succeeded');
  const done = world.get(dataCenterId()).properties;
  assert.equal(done['waitingFor'], undefined);
  assert.equal(done['provisionError'], undefined);
  assert.deepEqual(
    done['seedNodes'],
    ['10.0.2.4', '10.0.2.5', '10.0.2.6'].map((ipAddress) => ({ ipAddress })),
  );
  assert.deepEqual(world.get(clusterId()).properties['seedNodes'], done['seedNodes']);

  const status = world.ask('GET', `${clusterId()}/status`).body as {
    dataCenters: { nodes: Record<string, unknown>[] }[];
    connectionErrors: unknown[];
  };
  assert.deepEqual(status.connectionErrors, []);
  assert.deepEqual(
    [status.dataCenters[0]!.nodes[0]!['state'], status.dataCenters[0]!.nodes[0]!['status']],
    ['Normal', 'Up'],
  );
  assert.equal(status.dataCenters[0]!.nodes[0]!['load'], '120.56 KiB');
});

/** Up to a data centre that is Succeeded. */
async function build(): Promise<string> {
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
  assert.equal(state(dataCenterId()), 'Succeeded');
  return service;
}

test('sending back what was read changes nothing', async () => {
  await build();
  const before = world.kinds.fabricIntent().revision;
  for (const id of [networkId(), clusterId(), endpointId(), dataCenterId()]) {
    const { etag, ...body } = world.get(id);
    const reply = world.ask('PUT', id, body);
    assert.equal(reply.status, 200, id);
    assert.equal(reply.headers?.['Azure-AsyncOperation'], undefined, id);
    if (etag !== undefined) assert.equal(reply.body!['etag'], etag, id);
  }
  assert.equal(world.kinds.fabricIntent().revision, before);
});

test('az sends a part of the properties: the rest stays', async () => {
  await build();
  world.put(clusterId(), { repairEnabled: 'false', cassandraVersion: '5.0', hoursBetweenBackups: '0' });
  await world.operatorSays('c1', connected('ready'));
  const { properties } = world.get(clusterId());
  assert.deepEqual(
    [properties['repairEnabled'], properties['azureConnectionMethod'], properties['provisioningState']],
    [false, 'VPN', 'Succeeded'],
  );
});

test('rejecting closes the link, approving opens it again, removing is for good', async () => {
  const service = await build();
  const connection = connectionId(world, service);
  const both = () => [
    consumerStatus(world),
    (world.get(connection, provider).properties['privateLinkServiceConnectionState'] as { status: string })
      .status,
  ];
  decide(world, connection, 'Rejected');
  assert.deepEqual(both(), ['Rejected', 'Rejected']);
  assert.equal(intent().links[0]!.open, false);
  assert.equal(
    machine('operator-c1')!.allow!.some(({ direction }) => direction === 'in'),
    false,
  );
  await world.settle();
  assert.match(String(world.get(dataCenterId()).properties['waitingFor']), /is Rejected, not Approved/);
  decide(world, connection, 'Approved');
  assert.deepEqual(both(), ['Approved', 'Approved']);
  assert.equal(intent().links[0]!.open, true);
  await world.fabricApplies();
  assert.equal(world.get(dataCenterId()).properties['waitingFor'], undefined);
  decide(world, connection, 'Removed');
  assert.deepEqual(both(), ['Disconnected', 'Disconnected']);
  assert.deepEqual(intent().links, []);
  await world.fabricApplies();
  const again = world.refused(
    'PUT',
    connection,
    { properties: { privateLinkServiceConnectionState: { status: 'Approved' } } },
    provider,
  );
  assert.deepEqual([again.code, again.status], ['Conflict', 409]);
  world.ask('DELETE', connection, undefined, provider);
  assert.equal(consumerStatus(world), 'Disconnected');
  await world.fabricApplies();
  assert.deepEqual(world.get(service, provider).properties['privateEndpointConnections'], []);
  assert.equal(consumerStatus(world), 'Disconnected');
});

test('control dies at any moment: what is stored goes on', async () => {
  await build();
  world.restart();
  assert.equal(
    machine('dc1-1')!.allow!.some(({ port }) => port === 9042),
    true,
  );
  await world.settle();
  assert.equal(
    world.get(dataCenterId()).properties['waitingFor'],
    undefined,
    'a control that has just started has heard nobody yet',
  );
  const status = world.ask('GET', `${clusterId()}/status`).body as {
    connectionErrors: unknown[];
    dataCenters: { nodes: unknown[] }[];
  };
  assert.equal(status.connectionErrors.length, 1);
  assert.equal(status.dataCenters[0]!.nodes.length, 3);
  await world.pass(20_000);
  assert.match(String(world.get(dataCenterId()).properties['waitingFor']), /operator doesn't report/);
});

test('control dies between the join file and the enrolment', async () => {
  makeNetwork(world);
  const service = await makeCluster(world);
  world.put(endpointId(), endpointBody(service, '10.0.1.10'));
  decide(world, connectionId(world, service), 'Approved');
  world.put(dataCenterId(), dataCenterBody());
  await world.operatorSays();
  const before = machine('dc1-2')!;
  world.restart();
  assert.deepEqual(machine('dc1-2'), before);
  await world.fabricApplies();
  await world.operatorSays('c1', connected('ready'));
  await world.fabricApplies();
  assert.equal(state(dataCenterId()), 'Succeeded');
});

test('control dies after every step', async () => {
  const steps: (() => unknown)[] = [
    () => makeNetwork(world),
    () => world.put(clusterId(), { azureConnectionMethod: 'VPN', initialCassandraAdminPassword: 'password' }),
    () => world.fabricApplies(),
    () => world.operatorSays(),
    () => world.put(endpointId(), endpointBody(serviceId(), '10.0.1.10')),
    () => decide(world, connectionId(world, serviceId()), 'Approved'),
    () => world.fabricApplies(),
    () => world.put(dataCenterId(), dataCenterBody()),
    () => world.operatorSays(),
    () => world.fabricApplies(),
    () => world.operatorSays('c1', connected('securing')),
    () => world.operatorSays('c1', connected('ready')),
    () => world.fabricApplies(),
    // Both levels speak within seconds of a start.
    () => world.operatorSays('c1', connected('ready')),
  ];
  const serviceId = (): string => world.get(clusterId()).properties['privateLinkResourceId'] as string;
  for (const step of steps) {
    await step();
    world.restart();
  }
  await world.fabricApplies();
  await world.operatorSays('c1', connected('ready'));
  for (const id of [networkId(), clusterId(), endpointId(), dataCenterId()])
    assert.equal(state(id), 'Succeeded', id);
  assert.equal(intent().machines.filter(({ kind }) => kind === 'node').length, 3);
});

test('an operator that gives up fails the data centre, with its reason', async () => {
  makeNetwork(world);
  const service = await makeCluster(world);
  world.put(endpointId(), endpointBody(service, '10.0.1.10'));
  decide(world, connectionId(world, service), 'Approved');
  world.put(dataCenterId(), dataCenterBody());
  await world.fabricApplies();
  const failed = (report: Parameters<ReturnType<typeof connected>>[0]) => ({
    ...report,
    dataCenters: report.dataCenters.map((item) => ({
      ...item,
      phase: 'failed' as const,
      error: { code: 'NoTokens', message: 'No tokens could be made.' },
    })),
  });
  await world.operatorSays('c1', failed);
  assert.equal(state(dataCenterId()), 'Failed');
  assert.deepEqual(
    (world.get(dataCenterId()).properties['provisionError'] as { message: string }).message,
    'No tokens could be made.',
  );
});

test('what is in use is not deleted; in the right order all of it is', async () => {
  const service = await build();
  for (const [id, user] of [
    [networkId(), /private endpoint.*data centre/],
    [`${networkId()}/subnets/cass`, /dataCenters\/dc1/],
    [`${networkId()}/subnets/pe`, /privateEndpoints\/pe1/],
    [endpointId(), /dataCenters\/dc1/],
    [clusterId(), /dataCenters\/dc1.*privateEndpoints\/pe1/],
  ] as const) {
    const { code, message } = world.refused('DELETE', id);
    assert.equal(code, 'InUse');
    assert.match(message, user);
  }
  assert.equal(world.refused('DELETE', service, undefined, provider).status, 409);

  world.ask('DELETE', dataCenterId());
  await world.settle();
  assert.notEqual(machine('dc1-1'), undefined, 'the operator lets go first');
  await world.operatorSays();
  assert.equal(machine('dc1-1'), undefined);
  assert.equal(
    world.store.get(dataCenterId())!.provisioningState,
    'Deleting',
    'its machines are not gone yet',
  );
  await world.fabricApplies();
  assert.equal(world.store.get(dataCenterId()), undefined);
  world.ask('DELETE', endpointId());
  assert.deepEqual(intent().links, []);
  await world.fabricApplies();
  world.ask('DELETE', clusterId());
  await world.fabricApplies();
  world.ask('DELETE', networkId());
  await world.fabricApplies();
  assert.deepEqual(
    world.store.below(group()).map(({ id }) => id),
    [],
  );
  assert.deepEqual(
    world.store
      .below(`/subscriptions/${provider.subscription}/resourceGroups/sallyport-managed`)
      .filter(({ id }) => !id.includes('/networkSecurityGroups/sallyport-operators'))
      .map(({ id }) => id.split('/virtualNetworks/').at(-1)),
    // The platform's own network, which always is, with its group.
    ['', ...['control', 'operators', 'link', 'gate', 'services'].map((name) => `/subnets/${name}`)].map(
      (rest) => `sallyport-platform${rest}`,
    ),
  );
});

test('an operator that is dead does not keep a data centre from being deleted', async () => {
  await build();
  world.ask('DELETE', dataCenterId());
  await world.settle();
  await world.pass(29_000);
  assert.notEqual(machine('dc1-1'), undefined);
  await world.pass(2_000);
  await world.fabricApplies();
  assert.equal(world.store.get(dataCenterId()), undefined);
});

test('a subscription on the list is approved at once; only who may approve can put it there', async () => {
  makeNetwork(world);
  const service = await makeCluster(world);
  world.put(endpointId(), endpointBody(service));
  assert.equal(consumerStatus(world), 'Pending');
  const list = { privateLinkAutoApproveSubscriptions: [customer.subscription] };
  assert.deepEqual(world.refused('PATCH', clusterId(), { properties: list }).code, 'AuthorizationFailed');
  world.ask(
    'PATCH',
    service,
    { properties: { autoApproval: { subscriptions: [customer.subscription.toUpperCase()] } } },
    provider,
  );
  assert.deepEqual(world.get(clusterId()).properties['privateLinkAutoApproveSubscriptions'], [
    customer.subscription,
  ]);
  await world.settle();
  assert.equal(consumerStatus(world), 'Approved', 'who had asked before is approved too');
  world.put(endpointId('pe2'), endpointBody(service));
  assert.equal(consumerStatus(world, endpointId('pe2')), 'Approved');
  world.ask('PATCH', clusterId(), { properties: { privateLinkAutoApproveSubscriptions: [] } });
  assert.deepEqual(world.get(clusterId()).properties['privateLinkAutoApproveSubscriptions'], []);
});

test('two customers with the same plan: their own networks, links and prefixes', async () => {
  makeNetwork(world, 'vnet1');
  makeNetwork(world, 'vnet2');
  const [one, two] = [await makeCluster(world, 'c1'), await makeCluster(world, 'c2')];
  world.put(endpointId('pe1'), endpointBody(one, '10.0.1.10', 'vnet1'));
  world.put(endpointId('pe2'), endpointBody(two, '10.0.1.10', 'vnet2'));
  const { links } = intent();
  assert.deepEqual(
    links.map((link) => link.consumer.address),
    ['10.0.1.10', '10.0.1.10'],
  );
  assert.equal(
    new Set(
      links.flatMap((link) => [
        link.id,
        link.consumer.network,
        link.provider.natAddress,
        link.provider.destination,
      ]),
    ).size,
    8,
  );
  const ula = ['c1', 'c2'].map(
    (name) => world.kinds.operatorIntent(world.identity(name))!.document.cluster.ulaPrefix,
  );
  assert.equal(new Set(ula).size, 2);
  for (const prefix of ula) assert.match(prefix, /^fd[0-9a-f]{2}:[0-9a-f]{1,4}:[0-9a-f]{1,4}::\/48$/);
});

test('who holds an intent is told when it changes, and nobody else', async () => {
  makeNetwork(world);
  const service = await makeCluster(world);
  world.put(endpointId(), endpointBody(service, '10.0.1.10'));
  decide(world, connectionId(world, service), 'Approved');
  await world.fabricApplies();
  const told: string[] = [];
  const held = new Map<string, string | undefined>();
  // Who is told asks, and finds news or goes on waiting.
  const ask = (peer: string): boolean => {
    const { revision } = (peer === 'fabric' ? world.kinds.fabricIntent() : world.kinds.operatorIntent(peer))!;
    const isNews = held.get(peer) !== revision;
    held.set(peer, revision);
    return isNews;
  };
  for (const peer of ['fabric', world.identity()]) ask(peer);
  world.kinds.onIntentChange((peer) => void (ask(peer) && told.push(peer)));
  await world.settle();
  assert.deepEqual(told, []);
  decide(world, connectionId(world, service), 'Rejected');
  await world.settle();
  assert.deepEqual(told, ['fabric']);
  decide(world, connectionId(world, service), 'Approved');
  await world.settle();
  assert.deepEqual(told, ['fabric', 'fabric']);
  world.put(dataCenterId(), dataCenterBody());
  await world.settle();
  assert.deepEqual(told.slice(2), [world.identity()]);
});

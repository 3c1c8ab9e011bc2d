import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
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
} from '../../test/harness/kinds-world.ts';
import type { OperatorReport } from '../exchange/intents/operator.ts';
import { createAuthority } from '../lib/x509.ts';
import type { JsonObject } from '../store/resource.ts';

let world: World;
beforeEach(() => void (world = createWorld()));
afterEach(() => world.stop());

const certificate = (await createAuthority('test', { days: 1, now: Date.now() })).certificate;
const state = (id: string): unknown => world.get(id).properties['provisioningState'];
const intent = () => world.kinds.operatorIntent(world.identity())!.document;
const nodes = () => intent().dataCenters[0]!.nodes;
const machines = (): readonly string[] =>
  world.kinds
    .fabricIntent()
    .document.machines.filter(({ kind }) => kind === 'node')
    .map(({ hostname }) => hostname);

/** Up to a data centre that is Succeeded. */
async function build(): Promise<void> {
  makeNetwork(world);
  const service = await makeCluster(world);
  world.put(endpointId(), endpointBody(service, '10.0.1.10'));
  decide(world, connectionId(world, service), 'Approved');
  await world.fabricApplies();
  world.put(dataCenterId(), dataCenterBody());
  await world.operatorSays();
  await world.fabricApplies();
  await says('ready');
  await world.fabricApplies();
  assert.equal(state(dataCenterId()), 'Succeeded');
}

type Phase = OperatorReport['dataCenters'][number]['phase'];
type Membership = OperatorReport['nodes'][number]['membership'];

/** The ring is at `phase`; nodes are members, but for those named. */
const says = (
  phase: Phase,
  membership: Readonly<Record<string, Membership>> = {},
  more: (report: OperatorReport) => OperatorReport = (report) => report,
): Promise<void> =>
  world.operatorSays('c1', (report) => {
    const said = connected(phase)(report);
    return more({
      ...said,
      dataCenters: said.dataCenters.map((item) => ({
        ...item,
        waitingFor: phase === 'ready' || phase === 'deallocated' ? null : `rung ${phase}`,
      })),
      nodes: said.nodes.map((node) => ({ ...node, membership: membership[node.name] ?? 'member' })),
    });
  });

const poll = (reply: { readonly headers?: Readonly<Record<string, string>> }, header = 'Location') =>
  world.ask('GET', reply.headers![header]!);

test('everything that can be said is kept, and sending it back changes nothing', async () => {
  makeNetwork(world);
  await makeCluster(world);
  const said: JsonObject = {
    AUTOREPLICATE: 'allkeyspaces',
    externalDataCenters: ['old-dc'],
    externalSeedNodes: [{ ipAddress: '10.9.0.1' }],
    externalGossipCertificates: [{ pem: certificate }],
    hoursBetweenBackups: '24',
    backupSchedules: [{ scheduleName: 'night', cronExpression: '0 3 * * MON-FRI', retentionInHours: '0' }],
    extensions: ['cassandra-lucene-index'],
    scheduledEventStrategy: 'StopByRack',
    clusterType: 'NonProduction',
    repairEnabled: 'false',
  };
  const patched = world.ask('PATCH', clusterId(), { properties: said, identity: { type: 'SystemAssigned' } });
  assert.equal(patched.status, 202);
  assert.equal(poll(patched).status, 202);
  await world.operatorSays();
  assert.equal(poll(patched).status, 200);
  const { properties, identity } = world.get(clusterId());
  const shown = properties as Record<string, unknown>;
  assert.deepEqual(shown['backupSchedules'], [
    { scheduleName: 'night', cronExpression: '0 3 * * MON-FRI', retentionInHours: 0 },
  ]);
  assert.deepEqual(
    [shown['autoReplicate'], shown['hoursBetweenBackups'], shown['repairEnabled']],
    ['AllKeyspaces', 24, false],
  );
  assert.deepEqual(shown['notInForce'], [
    'autoReplicate',
    'externalGossipCertificates',
    'externalSeedNodes',
    'externalDataCenters',
    'hoursBetweenBackups',
    'backupSchedules',
    'extensions',
  ]);
  const again = world.ask('PUT', clusterId(), world.get(clusterId()));
  assert.deepEqual([again.status, again.headers?.['Azure-AsyncOperation']], [200, undefined]);
  const { principalId } = identity as { principalId: string };
  assert.match(principalId, /^[0-9a-f-]{36}$/);
  for (const type of ['None', 'SystemAssigned']) {
    assert.equal(world.ask('PATCH', clusterId(), { identity: { type } }).status, 202, type);
    await world.operatorSays();
  }
  assert.equal((world.get(clusterId())['identity'] as JsonObject)['principalId'], principalId);
  const tagged = world.ask('PATCH', clusterId(), { tags: { a: 'b' } });
  assert.deepEqual([tagged.status, tagged.headers?.['Azure-AsyncOperation']], [200, undefined]);
  world.put(clusterId(), { externalSeedNodes: [], clusterType: null });
  assert.deepEqual(world.get(clusterId()).properties['externalSeedNodes'], []);
  assert.equal(world.get(clusterId()).properties['clusterType'], 'NonProduction');
});

test('a cluster that was stored by an older version has the defaults, and its own GET is no change', async () => {
  makeNetwork(world);
  await makeCluster(world);
  const { id, type, location, state: kept, properties } = world.store.get(clusterId())!;
  const { backupSchedules: _, extensions: __, ...old } = properties;
  world.store.putOwned({ id, type, location, properties: old, state: kept });
  assert.deepEqual(world.get(clusterId()).properties['extensions'], []);
  const again = world.ask('PUT', clusterId(), world.get(clusterId()));
  assert.deepEqual([again.status, again.headers?.['Azure-AsyncOperation']], [200, undefined]);
});

test('LDAP settings are kept without showing the password', async () => {
  await build();
  const ldap = {
    serverHostname: 'ldap.example',
    serviceUserDistinguishedName: 'cn=service',
    serviceUserPassword: 'hush-hush',
    searchBaseDistinguishedName: 'dc=example',
    serverCertificates: [{ pem: certificate }],
  };
  const put = (properties: JsonObject) => world.ask('PUT', dataCenterId(), { properties });
  put({ authenticationMethodLdapProperties: ldap, backupStorageCustomerKeyUri: 'https://v.example/keys/k' });
  await says('ready');
  const shown = world.get(dataCenterId()).properties;
  assert.deepEqual(shown['authenticationMethodLdapProperties'], {
    ...ldap,
    serverPort: 636,
    searchFilterTemplate: '(cn=%s)',
    connectionTimeoutInMs: 5_000,
    serviceUserPassword: null,
  });
  assert.deepEqual(shown['notInForce'], [
    'backupStorageCustomerKeyUri',
    'authenticationMethodLdapProperties',
  ]);
  assert.equal(JSON.stringify(world.store.below('/subscriptions')).includes('hush-hush'), false);
  const same: readonly JsonObject[] = [
    shown,
    { authenticationMethodLdapProperties: {} },
    { authenticationMethodLdapProperties: { serviceUserPassword: 'hush-hush' } },
  ];
  for (const properties of same)
    assert.equal(put(properties).headers?.['Azure-AsyncOperation'], undefined, JSON.stringify(properties));
  const other = put({ authenticationMethodLdapProperties: { serviceUserPassword: 'another' } });
  assert.notEqual(other.headers?.['Azure-AsyncOperation'], undefined);
});

test('a second data centre in another network takes a peering, both ways', async () => {
  await build();
  makeNetwork(world, 'vnet2');
  const service = world.get(clusterId()).properties['privateLinkResourceId'] as string;
  world.put(endpointId('pe2'), endpointBody(service, '10.0.1.20', 'vnet2'));
  decide(world, connectionId(world, service, 1), 'Approved');
  await world.fabricApplies();
  const second = dataCenterBody('10.0.1.20', { delegatedSubnetId: subnetId('cass', 'vnet2') });
  const ask = () => world.refused('PUT', dataCenterId('dc2'), { properties: second });
  assert.deepEqual([ask().code, /Peer the two networks both ways/.test(ask().message)], ['Conflict', true]);
  const peer = (from: string, to: string): void =>
    world.store.putOwned({
      id: `${networkId(from)}/virtualNetworkPeerings/p`,
      type: 'Microsoft.Network/virtualNetworks/virtualNetworkPeerings',
      location: null,
      properties: { remoteVirtualNetwork: { id: networkId(to) }, allowVirtualNetworkAccess: true },
      state: { peeringState: 'Connected' },
    });
  peer('vnet1', 'vnet2');
  assert.equal(ask().code, 'Conflict');
  peer('vnet2', 'vnet1');
  assert.equal(world.ask('PUT', dataCenterId('dc2'), { properties: second }).status, 201);
  assert.deepEqual(
    intent().dataCenters.map(({ name, endpoint }) => [name, endpoint.address]),
    [
      ['dc1', '10.0.1.10'],
      ['dc2', '10.0.1.20'],
    ],
  );
});

test('nodeCount up: new nodes in the emptiest racks; it ends when the ring and the fabric say so', async () => {
  await build();
  const reply = world.ask('PUT', dataCenterId(), { properties: { nodeCount: '5' } });
  assert.equal(reply.status, 200);
  assert.deepEqual(
    nodes().map(({ name, address, rack }) => [name, address, rack]),
    [1, 2, 3, 4, 5].map((number) => [
      `dc1-${number}`,
      `10.0.2.${number + 3}`,
      `rack${((number - 1) % 3) + 1}`,
    ]),
  );
  for (const [id, properties] of [
    [dataCenterId(), { nodeCount: 6 }],
    [clusterId(), { clusterType: 'NonProduction' }],
  ] as const) {
    assert.equal(world.refused('PATCH', id, { properties }).code, 'AnotherOperationInProgress', id);
  }
  const force = { 'x-ms-force-deallocate': 'true' };
  assert.throws(
    () => world.ask('POST', `${clusterId()}/deallocate`, undefined, undefined, force),
    /Another operation/,
  );
  assert.deepEqual(machines(), ['dc1-1', 'dc1-2', 'dc1-3'], 'no machine before its join file');
  await says('scaling', { 'dc1-4': 'waiting', 'dc1-5': 'waiting' }, (report) => ({
    ...report,
    nodes: report.nodes.map((node) =>
      node.membership === 'waiting'
        ? { ...node, phase: 'expected', report: null, join: joinFile(node.name) }
        : node,
    ),
  }));
  assert.deepEqual(machines(), ['dc1-1', 'dc1-2', 'dc1-3', 'dc1-4', 'dc1-5']);
  await world.fabricApplies();
  await says('scaling', { 'dc1-4': 'joining', 'dc1-5': 'waiting' });
  await world.fabricApplies();
  assert.equal(state(dataCenterId()), 'Updating');
  assert.match(String(world.get(dataCenterId()).properties['waitingFor']), /rung scaling/);
  await says('ready', { 'dc1-5': 'joining' });
  assert.equal(state(dataCenterId()), 'Updating');
  await says('ready');
  assert.equal(state(dataCenterId()), 'Succeeded');
  assert.equal(
    (world.get(dataCenterId()).properties['seedNodes'] as readonly unknown[]).length,
    3,
    'seeds are the first of each rack',
  );
});

const joinFile = (node: string) => ({
  version: 1 as const,
  cluster: 'c1',
  node,
  endpoint: { address: '10.0.1.10', port: 51820 },
  operator: { publicKey: 'key', address: 'fd00::1', enrolmentPort: 8440, authorityFingerprint: 'ab' },
  oneTime: { privateKey: `one-time key of ${node}`, address: 'fd00:e::1' },
});

test('nodeCount down: the latest leaves first, its machine goes when it has left, its name for good', async () => {
  await build();
  await scaleTo(4);
  world.put(dataCenterId(), { nodeCount: 3 });
  assert.deepEqual(
    nodes().map(({ name, leaving }) => [name, leaving]),
    [
      ['dc1-1', undefined],
      ['dc1-2', undefined],
      ['dc1-3', undefined],
      ['dc1-4', true],
    ],
  );
  await says('scaling', { 'dc1-4': 'leaving' });
  assert.equal(machines().length, 4);
  assert.equal(state(dataCenterId()), 'Updating');
  await says('scaling', { 'dc1-4': 'left' });
  assert.deepEqual(machines(), ['dc1-1', 'dc1-2', 'dc1-3']);
  assert.equal(nodes().length, 3);
  assert.equal(state(dataCenterId()), 'Updating', 'its machine is not gone yet');
  await says('ready');
  await world.fabricApplies();
  assert.equal(state(dataCenterId()), 'Succeeded');
  world.put(dataCenterId(), { nodeCount: 4 });
  assert.deepEqual(
    nodes()
      .map(({ name, address }) => [name, address])
      .at(-1),
    ['dc1-5', '10.0.2.7'],
  );
});

async function scaleTo(count: number): Promise<void> {
  world.put(dataCenterId(), { nodeCount: count });
  await world.operatorSays();
  await world.fabricApplies();
  await says('ready');
  await world.fabricApplies();
  assert.equal(state(dataCenterId()), 'Succeeded');
}

for (const mode of ['NORMAL', 'DECOMMISSION_FAILED'])
  test(`a node that can’t leave, and is ${mode}: the operation fails with the reason, and can be taken back`, async () => {
    await build();
    await scaleTo(4);
    world.put(dataCenterId(), { nodeCount: 3 });
    const refused = (report: OperatorReport): OperatorReport => ({
      ...report,
      nodes: report.nodes.map((node) =>
        node.name === 'dc1-4' && node.report
          ? { ...node, report: { ...node.report, cassandra: { ...node.report.cassandra, mode } } }
          : node,
      ),
      dataCenters: report.dataCenters.map((item) => ({
        ...item,
        error: {
          code: 'DecommissionRefused',
          message: 'Not enough live nodes to maintain replication factor.',
        },
      })),
    });
    await says('scaling', { 'dc1-4': 'leaving' }, refused);
    assert.equal(state(dataCenterId()), 'Updating', 'it may yet work');
    await says('failed', { 'dc1-4': 'leaving' }, refused);
    assert.equal(state(dataCenterId()), 'Failed');
    const { provisionError } = world.get(dataCenterId()).properties;
    assert.match(JSON.stringify(provisionError), /DecommissionRefused.*replication factor/);
    world.put(dataCenterId(), { nodeCount: 4 });
    assert.deepEqual(
      nodes().map(({ leaving }) => leaving),
      [undefined, undefined, undefined, undefined],
    );
    assert.equal(nodes().length, 4);
    await says('ready');
    await world.fabricApplies();
    assert.equal(state(dataCenterId()), 'Succeeded');
  });

test('a node that was gone before it was asked back: said so, and another comes', async () => {
  await build();
  await scaleTo(4);
  world.put(dataCenterId(), { nodeCount: 3 });
  await says('failed', { 'dc1-4': 'leaving' });
  world.put(dataCenterId(), { nodeCount: 4 });
  await says('scaling', { 'dc1-4': 'left' });
  assert.equal(state(dataCenterId()), 'Failed');
  const { provisionError } = world.get(dataCenterId()).properties;
  assert.match(JSON.stringify(provisionError), /NodeMissing.*3 of 4 are there/);
  assert.equal(nodes().length, 3);
  world.put(dataCenterId(), { nodeCount: 4 });
  assert.deepEqual(nodes().at(-1)!.name, 'dc1-5');
});

test('a ring that stays broken while it changes: the operation fails after five minutes', async () => {
  await build();
  world.put(dataCenterId(), { nodeCount: 4 });
  const broken = (report: OperatorReport): OperatorReport => ({
    ...report,
    dataCenters: report.dataCenters.map((item) => ({
      ...item,
      error: { code: 'NodeSilent', message: 'Node dc1-2 does not report.' },
    })),
  });
  for (let minute = 0; minute < 6; minute++) {
    await says('scaling', {}, broken);
    assert.equal(state(dataCenterId()), minute < 5 ? 'Updating' : 'Failed', String(minute));
    await world.pass(60_000);
  }
});

test('deallocate and start: both end when every node is seen to be so', async () => {
  await build();
  const production = world.refused('POST', `${clusterId()}/deallocate`);
  assert.deepEqual([production.code, production.status], ['Conflict', 409]);
  assert.match(production.message, /NonProduction.*x-ms-force-deallocate: true/);
  const force = { 'x-ms-force-deallocate': 'True' };
  const reply = world.ask('POST', `${clusterId()}/deallocate`, undefined, undefined, force);
  assert.equal(reply.status, 202);
  assert.equal((reply.body!['properties'] as JsonObject)['provisioningState'], 'Updating');
  assert.match(reply.headers!['Azure-AsyncOperation']!, /operationsStatus/);
  assert.equal(intent().dataCenters[0]!.deallocated, true);
  await says('deallocating');
  assert.equal(poll(reply).status, 202);
  assert.equal(world.get(clusterId()).properties['deallocated'], false);
  await says('deallocated');
  assert.equal(poll(reply, 'Azure-AsyncOperation').body!['status'], 'Succeeded');
  assert.equal(poll(reply).status, 200);
  for (const id of [clusterId(), dataCenterId()]) {
    assert.equal(world.get(id).properties['deallocated'], true);
    assert.equal(state(id), 'Succeeded');
    assert.equal(world.ask('PUT', id, world.get(id)).headers?.['Azure-AsyncOperation'], undefined);
  }
  assert.equal(world.refused('PUT', dataCenterId(), { properties: { nodeCount: 4 } }).code, 'Conflict');
  const command = { command: 'nodetool', host: '10.0.2.4', arguments: { status: '' } };
  assert.match(world.refused('POST', `${clusterId()}/invokeCommand`, command).message, /is deallocated/);

  const twice = world.ask('POST', `${clusterId()}/deallocate`, undefined, undefined, force);
  assert.equal(twice.status, 202);
  await says('deallocated');
  assert.equal(poll(twice).status, 200);

  const start = world.ask('POST', `${clusterId()}/start`);
  assert.equal(intent().dataCenters[0]!.deallocated, undefined);
  await says('starting');
  assert.equal(poll(start).status, 202);
  await says('ready');
  assert.equal(poll(start).status, 200);
  assert.equal(world.get(clusterId()).properties['deallocated'], false);
  assert.equal(world.ask('POST', `${clusterId()}/start`).status, 202, 'once more is no mistake');
});

const body = (more: JsonObject = {}): JsonObject => ({
  command: 'nodetool',
  host: '10.0.2.5',
  arguments: { status: '', '-r': '' },
  ...more,
});

type Said = NonNullable<OperatorReport['commands']>[string];
const answered = (change: Partial<Said> = {}): Promise<void> => {
  const ids = (intent().commands ?? []).map(({ id }) => id);
  return says('ready', {}, (report) => ({
    ...report,
    commands: Object.fromEntries(
      ids.map((id) => [
        id,
        { state: 'done', output: 'UN 10.0.2.5', errorOutput: '', exitCode: 0, error: null, ...change },
      ]),
    ),
  }));
};

test('the audit log: nodes are told, and the change ends when each that serves is seen to do so', async () => {
  await build();
  const writes = (...which: readonly (boolean | null | undefined)[]) =>
    says('ready', {}, (report) => ({
      ...report,
      nodes: report.nodes.map((node, index) => ({
        ...node,
        report: { ...node.report!, cassandra: { ...node.report!.cassandra, auditLog: which[index] } },
      })),
    }));
  assert.equal(intent().cluster.auditLog, undefined, 'not asked for, not said');
  await writes(false, false, false);
  const ask = (enabled: boolean): unknown =>
    world.ask('PATCH', clusterId(), { properties: { cassandraAuditLoggingEnabled: enabled } });
  ask(true);
  assert.equal(intent().cluster.auditLog, true);
  await writes(false, true, true);
  assert.equal(state(clusterId()), 'Updating');
  assert.equal(
    world.get(clusterId()).properties['waitingFor'],
    `The audit log is being turned on: ${nodes()[0]!.name}.`,
  );
  // Of one that doesn't answer now, or is older, nobody knows: it doesn't keep the change from its end.
  await writes(true, null, undefined);
  assert.equal(state(clusterId()), 'Succeeded');
  assert.equal(world.get(clusterId()).properties['cassandraAuditLoggingEnabled'], true);
  await writes(true, false, true);
  assert.equal(state(clusterId()), 'Succeeded', 'a node that starts again is no change');
  ask(false);
  assert.equal(intent().cluster.auditLog, undefined);
  await writes(true, false, false);
  assert.equal(state(clusterId()), 'Updating');
  await writes(false, false, false);
  assert.equal(state(clusterId()), 'Succeeded');
});

test('invokeCommand: a Location that answers with the output in the end', async () => {
  await build();
  const reply = world.ask('POST', `${clusterId()}/invokeCommand`, body());
  assert.equal(reply.status, 202);
  assert.deepEqual(Object.keys(reply.headers!).toSorted(), ['Location', 'Retry-After']);
  assert.equal(reply.body, undefined);
  assert.deepEqual(
    intent().commands!.map((command) => ({ ...command, id: '' })),
    [{ id: '', dataCenter: 'dc1', host: '10.0.2.5', command: 'nodetool', arguments: ['status', '-r'] }],
  );
  assert.equal(poll(reply).status, 202);
  // A command keeps nothing waiting.
  const patch = world.ask('PATCH', clusterId(), { properties: { scheduledEventStrategy: 'StopAny' } });
  assert.equal(patch.status, 202);
  await answered();
  assert.deepEqual(poll(reply), {
    status: 200,
    headers: { 'Retry-After': '1' },
    body: { commandOutput: 'UN 10.0.2.5', commandErrorOutput: '', exitCode: 0 },
  });
  assert.equal(intent().commands, undefined, 'what has ended is no longer asked for');
  assert.equal(JSON.stringify(world.store.below(clusterId())).includes('UN 10.0.2.5'), false);
});

test('invokeCommandAsync, and the list of commands', async () => {
  await build();
  const reply = world.ask('POST', `${clusterId()}/invokeCommandAsync`, body({ ReadWrite: false }));
  assert.equal(reply.status, 202);
  assert.match(reply.headers!['Azure-AsyncOperation']!, /operationsStatus/);
  const { commandId, ...shown } = reply.body!;
  assert.deepEqual(shown, {
    command: 'nodetool',
    arguments: { status: '', '-r': '' },
    host: '10.0.2.5',
    isAdmin: false,
    cassandraStopStart: false,
    readWrite: false,
    result: null,
    status: 'Enqueue',
    outputFile: null,
  });
  const command = `${clusterId()}/commands/${String(commandId)}`;
  await answered({ state: 'running', exitCode: null });
  assert.equal(world.ask('GET', command).body!['status'], 'Running');
  world.restart();
  await answered({ exitCode: 1, errorOutput: 'no such option' });
  const ended = {
    ...reply.body,
    status: 'Finished',
    result: 'UN 10.0.2.5\nno such option\nnodetool ended with exit code 1.',
  };
  assert.deepEqual(world.ask('GET', command).body, ended);
  assert.deepEqual(world.ask('GET', `${clusterId()}/commands`).body, { value: [ended] });
  assert.deepEqual(poll(reply).body, ended);
  assert.equal(world.refused('GET', `${clusterId()}/commands/none`).code, 'ResourceNotFound');
  assert.equal(world.refused('DELETE', command).code, 'MethodNotAllowed');
});

test('a command that could not be run fails its operation; one whose node is silent, too', async () => {
  await build();
  const first = world.ask('POST', `${clusterId()}/invokeCommand`, body());
  await answered({ state: 'failed', exitCode: null, error: { code: 'NodeSilent', message: 'It is away.' } });
  assert.deepEqual(
    [poll(first).status, poll(first).body],
    [409, { error: { code: 'NodeSilent', message: 'It is away.' } }],
  );
  const second = world.ask('POST', `${clusterId()}/invokeCommand`, body());
  await world.pass(170_000);
  assert.equal(poll(second).status, 202);
  await world.pass(20_000);
  assert.match(JSON.stringify(poll(second).body), /CommandTimedOut/);
  assert.equal(intent().commands, undefined);
});

test('what may not be run, and why', async () => {
  await build();
  for (const [change, code, message] of [
    [{ arguments: { decommission: '' } }, 'CommandNotAllowed', /decommission.*lower nodeCount/],
    [{ arguments: { REPAIR: '' } }, 'CommandNotAllowed', /repair/],
    [{ arguments: { compact: '', '-st': '65678794' } }, 'NotYetSupported', /compact changes/],
    [{ command: 'sstableutil', arguments: { system: 'peers' } }, 'NotYetSupported', /sstableutil/],
    [{ command: 'get-cassandra-yaml' }, 'NotYetSupported', /get-cassandra-yaml/],
    [{ command: 'rm' }, 'InvalidParameter', /'rm'.*no command/],
    [{ command: null }, 'InvalidParameter', /command is missing/],
    [{ arguments: { fly: '' } }, 'InvalidParameter', /'nodetool fly' is not offered/],
    [{ arguments: { toString: '' } }, 'InvalidParameter', /'nodetool tostring' is not offered/],
    [{ arguments: {} }, 'InvalidParameter', /no subcommand of nodetool/],
    [{ arguments: { status: '', '-h': '10.9.9.9' } }, 'InvalidParameter', /takes no option -h here/],
    [{ arguments: { '-pw': 'x', status: '' } }, 'InvalidParameter', /takes no option -pw here/],
    [{ arguments: { tpstats: '', '-F': '' } }, 'InvalidParameter', /-F of 'nodetool tpstats' takes a value/],
    [
      { arguments: { tpstats: '', '-F': '-h' } },
      'InvalidParameter',
      /-F of 'nodetool tpstats' takes a value/,
    ],
    [{ arguments: { status: '', '-r': 'x' } }, 'InvalidParameter', /-r of 'nodetool status' takes no value/],
    [{ arguments: { status: 'a', b: '' } }, 'InvalidParameter', /at most 1 plain argument/],
    [{ arguments: { status: 'a\nb' } }, 'InvalidParameter', /control character/],
    [{ arguments: { info: ['x'] } }, 'InvalidParameter', /no text for 'info'/],
    [
      { host: '10.0.2.9' },
      'InvalidParameter',
      /'10\.0\.2\.9', no node.*10\.0\.2\.4, 10\.0\.2\.5, 10\.0\.2\.6/,
    ],
    [{ host: null }, 'InvalidParameter', /host is missing/],
    [{ 'cassandra-stop-start': true }, 'InvalidParameter', /speaks to a Cassandra that runs/],
    [{ hosts: '10.0.2.4' }, 'InvalidRequestContent', /'hosts'/],
  ] as const) {
    const refusal = world.refused('POST', `${clusterId()}/invokeCommand`, body(change));
    assert.equal(refusal.code, code, JSON.stringify(change));
    assert.match(refusal.message, message);
  }
  assert.equal(world.refused('POST', `${clusterId()}/invokeCommand`).code, 'InvalidRequestContent');
  assert.deepEqual(world.ask('GET', `${clusterId()}/commands`).body, { value: [] });
  for (let count = 0; count < 10; count++) world.ask('POST', `${clusterId()}/invokeCommand`, body());
  assert.equal(world.refused('POST', `${clusterId()}/invokeCommand`, body()).code, 'TooManyRequests');
});

test('the latest fifty commands are kept; with the cluster all of them go', async () => {
  await build();
  for (let count = 0; count < 60; count++) {
    world.ask('POST', `${clusterId()}/invokeCommand`, body());
    if (count % 10 === 9) await answered();
  }
  await world.settle();
  const kept = world.ask('GET', `${clusterId()}/commands`).body!['value'] as readonly unknown[];
  assert.equal(kept.length, 50);
  world.ask('DELETE', dataCenterId());
  await world.operatorSays();
  await world.fabricApplies();
  world.ask('DELETE', endpointId());
  await world.fabricApplies();
  world.ask('DELETE', clusterId());
  await world.fabricApplies();
  assert.deepEqual(world.store.below(clusterId()), []);
});

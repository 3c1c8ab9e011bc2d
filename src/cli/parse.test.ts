import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from './errors.ts';
import { exampleLines, parse, type Parsed } from './parse.ts';
import { commands } from './registry.ts';

function understood(line: string): Parsed {
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2]!);
  const parsed = parse(commands, words, 80);
  assert.ok('command' in parsed, `'${line}' is no command`);
  return parsed;
}

test('--version prints the version of the package', () => {
  const parsed = parse(commands, ['--version'], 80);
  assert.ok('help' in parsed && /^\d+\.\d+\.\d+\n$/.test(parsed.help));
});

// The lines of the reference document and of the contract's end to end, `az` left out.
const pls = '/subscriptions/s/resourceGroups/prov/providers/Microsoft.Network/privateLinkServices/pls1';
const referenceLines: readonly (readonly [string, string, Readonly<Record<string, unknown>>])[] = [
  [
    'managed-cassandra cluster create --cluster-name "vpn-test-cluster" --resource-group "vpn-test-rg" --location "eastus2" --azure-connection-method "VPN" --initial-cassandra-admin-password "password"',
    'managed-cassandra cluster create',
    {
      cluster: 'vpn-test-cluster',
      group: 'vpn-test-rg',
      location: 'eastus2',
      connectionMethod: 'VPN',
      password: 'password',
    },
  ],
  [
    'managed-cassandra cluster show --resource-group "vpn-test-rg" --cluster-name "vpn-test-cluster"',
    'managed-cassandra cluster show',
    { cluster: 'vpn-test-cluster', group: 'vpn-test-rg' },
  ],
  ['group create -n vpn-test-rg -l eastus2', 'group create', { name: 'vpn-test-rg', location: 'eastus2' }],
  [
    'network vnet create -g vpn-test-rg -n vnet1 --address-prefixes 10.0.0.0/16 10.9.0.0/16 --subnet-name pe --subnet-prefixes 10.0.1.0/24',
    'network vnet create',
    {
      group: 'vpn-test-rg',
      name: 'vnet1',
      addressPrefixes: ['10.0.0.0/16', '10.9.0.0/16'],
      subnetName: 'pe',
      subnetPrefixes: ['10.0.1.0/24'],
    },
  ],
  [
    'network vnet subnet create -g vpn-test-rg --vnet-name vnet1 -n cass --address-prefixes 10.0.2.0/24 --delegations Microsoft.DocumentDB/cassandraClusters --service-endpoints Microsoft.Storage Microsoft.KeyVault',
    'network vnet subnet create',
    {
      group: 'vpn-test-rg',
      vnet: 'vnet1',
      name: 'cass',
      addressPrefixes: ['10.0.2.0/24'],
      delegations: ['Microsoft.DocumentDB/cassandraClusters'],
      serviceEndpoints: ['Microsoft.Storage', 'Microsoft.KeyVault'],
    },
  ],
  [
    `network private-endpoint create -g vpn-test-rg -n pe1 -l eastus2 --vnet-name vnet1 --subnet pe --private-connection-resource-id ${pls} --connection-name conn1 --manual-request true --request-message "cluster vpn-test-cluster" --ip-config name=ip1 private-ip-address=10.0.1.10 --nic-name pe1-nic`,
    'network private-endpoint create',
    {
      group: 'vpn-test-rg',
      name: 'pe1',
      location: 'eastus2',
      vnet: 'vnet1',
      subnet: 'pe',
      service: pls,
      connection: 'conn1',
      manual: true,
      message: 'cluster vpn-test-cluster',
      ipConfig: { name: 'ip1', 'private-ip-address': '10.0.1.10' },
      nic: 'pe1-nic',
    },
  ],
  [
    `network private-endpoint-connection approve --id ${pls}/privateEndpointConnections/c1 --description ok`,
    'network private-endpoint-connection approve',
    { id: `${pls}/privateEndpointConnections/c1`, description: 'ok' },
  ],
  [
    'network private-endpoint-connection reject -g prov --type Microsoft.Network/privateLinkServices --resource-name pls1 -n c1',
    'network private-endpoint-connection reject',
    { group: 'prov', type: 'Microsoft.Network/privateLinkServices', serviceName: 'pls1', name: 'c1' },
  ],
  [
    'network nic show --ids /a/b --query "ipConfigurations[0].privateIPAddress" -o tsv',
    'network nic show',
    { ids: ['/a/b'] },
  ],
  [
    'managed-cassandra datacenter create -c c1 -d dc1 -g rg1 -l eastus2 -s SUBNET -n 3 --private-endpoint-ip-address 10.0.1.10 --disk-capacity 4 --availability-zone false --no-wait',
    'managed-cassandra datacenter create',
    {
      cluster: 'c1',
      dataCenter: 'dc1',
      group: 'rg1',
      location: 'eastus2',
      subnet: 'SUBNET',
      nodeCount: '3',
      endpoint: '10.0.1.10',
      diskCapacity: 4,
      zones: false,
      noWait: true,
    },
  ],
  [
    'managed-cassandra cluster create -c c1 -g rg1 -l eastus2 -s SUBNET -i pw --external-seed-nodes 10.9.0.1 --tags a=b --hours-between-backups 24 --cassandra-version 5.0 --repair-enabled true',
    'managed-cassandra cluster create',
    {
      cluster: 'c1',
      group: 'rg1',
      location: 'eastus2',
      subnet: 'SUBNET',
      password: 'pw',
      seeds: ['10.9.0.1'],
      tags: { a: 'b' },
      backupHours: 24,
      version: '5.0',
      repair: true,
    },
  ],
];

for (const [line, path, options] of referenceLines) {
  test(`understands: ${line.slice(0, 70)}`, () => {
    const parsed = understood(line);
    assert.equal(parsed.command.path, path);
    assert.deepEqual(parsed.options, options);
  });
}

test('--no-wait is off where it is not given', () => {
  assert.equal(understood('managed-cassandra cluster delete -c c -g g --yes').options['noWait'], undefined);
});

test('options of every command are kept apart from its own', () => {
  const { globals, options } = understood('group list -o table --query "[].name" --as provider');
  assert.deepEqual(globals, { output: 'table', query: '[].name', as: 'provider' });
  assert.deepEqual(options, {});
});

test('what is to run inside the network is passed on as it is', () => {
  const { rest, options } = understood('connect --network vnet1 -- ping -c 1 --help');
  assert.deepEqual(rest, ['ping', '-c', '1', '--help']);
  assert.deepEqual(options, { network: 'vnet1' });
});

for (const [line, reason] of [
  ['group create -n a', /required: --location\/-l/],
  ['group create -n a -l', /argument missing/],
  ['group creat', /unknown command/],
  ['group create -n a -l b --color red', /unknown option/],
  ['managed-cassandra cluster create -c c -g g -l l --repair-enabled perhaps', /not true or false/],
  [
    'managed-cassandra cluster create -c c -g g -l l --azure-connection-method DIRECT',
    /Allowed choices are None, VPN/,
  ],
  ['network vnet create -g g -n n --tags novalue', /not key=value/],
  ['group list -o xml', /Allowed choices/],
  ['group list stray', /too many arguments/],
] as const) {
  test(`refuses: ${line}`, () => {
    assert.throws(
      () => understood(line),
      (error) => error instanceof UsageError && reason.test(error.message) && error.next !== '',
    );
  });
}

test('help names every command of a group, in 80 columns', () => {
  for (const { path } of commands) {
    const help = parse(commands, [...path.split(' '), '--help'], 80);
    assert.ok('help' in help && help.help.includes('Examples:'), path);
    for (const line of help.help.split('\n')) assert.ok(line.length <= 80, `${path}: ${line}`);
  }
});

test('an example is broken before its options', () => {
  assert.equal(
    exampleLines('a b --first 1 --second 2', 24),
    '  sallyport a b \\\n    --first 1 \\\n    --second 2',
  );
});

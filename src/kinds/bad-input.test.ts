import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  clusterId,
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
  subnetId,
  type Refusal,
  type World,
} from '../../test/harness/kinds-world.ts';
import { createAuthority } from '../lib/x509.ts';
import type { JsonObject } from '../store/resource.ts';

let world: World;
let service: string;
before(async () => {
  world = createWorld({ availableMegabytes: 3_000 });
  makeNetwork(world);
  service = await makeCluster(world);
  world.put(endpointId('used'), endpointBody(service, '10.0.1.10'));
  decide(world, connectionId(world, service), 'Approved');
  await world.fabricApplies();
});
after(() => world.stop());

const put = (id: string, properties: JsonObject): Refusal => {
  const rows = world.store.below('/subscriptions').length;
  const refusal = world.refused('PUT', id, { location: 'eastus2', properties });
  assert.equal(world.store.below('/subscriptions').length, rows, 'nothing half-made is left');
  return refusal;
};
/** Each row: what is asked, the code, and what the sentence says. */
type Case = readonly [JsonObject, string, RegExp];
const refuseEach = (id: string, cases: readonly Case[]): void => {
  for (const [properties, code, message] of cases) {
    const refusal = put(id, properties);
    assert.equal(refusal.code, code, JSON.stringify(properties));
    assert.match(refusal.message, message);
  }
};

/** Self-signed, EC, for tests. */
const certificate = (await createAuthority('test', { days: 1, now: Date.now() })).certificate;

const space = (...addressPrefixes: string[]): JsonObject => ({ addressPrefixes });
const subnet = (name: string, addressPrefix: string, more: JsonObject = {}): JsonObject => ({
  name,
  properties: { addressPrefix, ...more },
});

test('virtual networks', () => {
  refuseEach(networkId('bad'), [
    [{}, 'InvalidParameter', /addressSpace is missing/],
    [{ addressSpace: space() }, 'InvalidParameter', /is empty/],
    [{ addressSpace: space('10.0.0.1/16') }, 'InvalidParameter', /no IPv4 prefix/],
    [{ addressSpace: space('10.0.0.0/16', '10.0.128.0/17') }, 'InvalidParameter', /overlap/],
    [{ addressSpace: space('172.31.4.0/24') }, 'InvalidParameter', /the platform network uses it/],
    [{ addressSpace: space('203.0.113.0/25') }, 'InvalidParameter', /canaries/],
    [{ addressSpace: space('10.0.0.0/30') }, 'InvalidParameter', /allowed are \/8 to \/29/],
    [{ addressSpace: 'x' }, 'InvalidParameter', /must be an object/],
    [
      { addressSpace: space('10.0.0.0/16'), subnets: [subnet('a', '10.1.0.0/24')] },
      'InvalidParameter',
      /outside the address space/,
    ],
    [
      {
        addressSpace: space('10.0.0.0/16'),
        subnets: [subnet('a', '10.0.0.0/24'), subnet('b', '10.0.0.128/25')],
      },
      'InvalidParameter',
      /overlaps subnet 'a'/,
    ],
    [
      {
        addressSpace: space('10.0.0.0/16'),
        subnets: [subnet('a', '10.0.0.0/24'), subnet('A', '10.0.1.0/24')],
      },
      'InvalidParameter',
      /'A' twice/,
    ],
    [
      { addressSpace: space('10.0.0.0/16'), subnets: [subnet('-a', '10.0.0.0/24')] },
      'InvalidResourceName',
      /begins with a letter/,
    ],
    [
      {
        addressSpace: space('10.0.0.0/16'),
        subnets: [subnet('a', '10.0.0.0/24', { networkSecurityGroup: { id: 'x' } })],
      },
      'InvalidParameter',
      /must be the ARM id of a Microsoft\.Network\/networkSecurityGroups/,
    ],
  ]);
  assert.equal(
    put(networkId('bad name'), { addressSpace: space('10.0.0.0/16') }).code,
    'InvalidResourceName',
  );
});

test('subnets', () => {
  refuseEach(subnetId('new'), [
    [{}, 'InvalidParameter', /addressPrefix is missing/],
    [{ addressPrefix: '10.0.1.128/25' }, 'InvalidParameter', /overlaps subnet 'pe'/],
    [{ addressPrefix: '10.9.1.0/24' }, 'InvalidParameter', /outside the address space/],
    [{ addressPrefix: '10.0.9.0/30' }, 'InvalidParameter', /\/29/],
    [
      {
        addressPrefix: '10.0.9.0/24',
        delegations: [{ name: '0', properties: { serviceName: 'Microsoft.Web/x' } }],
      },
      'InvalidParameter',
      /Microsoft\.Web/,
    ],
  ]);
  assert.equal(put(subnetId('pe'), { addressPrefix: '10.0.9.0/24' }).code, 'InUse');
  assert.equal(
    put(networkId(), { addressSpace: space('10.0.0.0/16'), subnets: [subnet('cass', '10.0.2.0/24')] }).code,
    'InUse',
  );
  assert.equal(
    put(subnetId('new', 'nowhere'), { addressPrefix: '10.0.9.0/24' }).code,
    'ParentResourceNotFound',
  );
});

test('private endpoints', () => {
  refuseEach(endpointId(), [
    [{}, 'InvalidParameter', /subnet is missing/],
    [
      { subnet: { id: subnetId('pe') } },
      'InvalidParameter',
      /manualPrivateLinkServiceConnections is missing/,
    ],
    [
      endpointBody(service, '10.0.2.10'),
      'InvalidParameter',
      /10\.0\.2\.10 lies outside the subnet, 10\.0\.1\.0\/24.*10\.0\.1\.4 to 10\.0\.1\.254/,
    ],
    [endpointBody(service, '10.0.1.3'), 'InvalidParameter', /reserved/],
    [endpointBody(service, '10.0.1.255'), 'InvalidParameter', /reserved/],
    [endpointBody(service, '10.0.1.10'), 'InvalidParameter', /in use by private endpoint 'used'/],
    [endpointBody(service, 'ten'), 'InvalidParameter', /no IPv4 address/],
    [endpointBody(`${service}x`), 'InvalidParameter', /no private link service/],
    [endpointBody('nobody.knows.this'), 'InvalidParameter', /no private link service/],
    [
      endpointBody('c1.x.eastus2.azure.privatelinkservice', undefined, 'vnet1', false),
      'InvalidParameter',
      /alias: that takes a manual connection/,
    ],
    [{ ...endpointBody(service), subnet: { id: subnetId('nowhere') } }, 'InvalidParameter', /no subnet/],
    [{ ...endpointBody(service), subnet: { id: 'pe' } }, 'InvalidParameter', /must be the ARM id/],
    [
      {
        ...endpointBody(service),
        subnet: { id: subnetId('pe').replace(customer.subscription, provider.subscription) },
      },
      'AuthorizationFailed',
      /subnets\/join\/action/,
    ],
  ]);
  const body = endpointBody(service);
  const [connection] = body['manualPrivateLinkServiceConnections'] as [{ properties: JsonObject }];
  const long = { ...connection, properties: { ...connection.properties, requestMessage: 'x'.repeat(141) } };
  assert.match(
    put(endpointId(), { ...body, manualPrivateLinkServiceConnections: [long] }).message,
    /141 characters; at most 140/,
  );
  assert.match(
    put(endpointId(), { ...body, manualPrivateLinkServiceConnections: [connection, connection] }).message,
    /has one/,
  );
  assert.equal(put(endpointId('used'), endpointBody(service, '10.0.1.11')).code, 'PropertyChangeNotAllowed');
});

test('an endpoint by alias, and what it may not become', () => {
  const alias = world.get(service, provider).properties['alias'] as string;
  world.put(endpointId('alias'), endpointBody(alias));
  const shown = JSON.stringify(world.get(endpointId('alias')).properties);
  assert.match(shown, /"Pending"/);
  assert.match(shown, new RegExp(`"privateLinkServiceId":"${service}"`));
});

test('a direct connection of somebody who may not approve waits as well', () => {
  world.put(endpointId('direct'), endpointBody(service, undefined, 'vnet1', false));
  assert.match(
    JSON.stringify(world.get(endpointId('direct')).properties['privateLinkServiceConnections']),
    /"status":"Pending"/,
  );
});

test('connections', () => {
  const connection = connectionId(world, service);
  const status = (value: string): JsonObject => ({
    properties: { privateLinkServiceConnectionState: { status: value } },
  });
  assert.equal(world.refused('PUT', connection, status('Approved')).code, 'AuthorizationFailed');
  assert.equal(world.refused('DELETE', connection).code, 'AuthorizationFailed');
  assert.match(
    world.refused('PUT', connection, status('Open'), provider).message,
    /one of Approved, Rejected/,
  );
  assert.match(world.refused('PUT', connection, status('Pending'), provider).message, /not Pending/);
  assert.equal(world.refused('PUT', `${connection}x`, status('Approved'), provider).code, 'ResourceNotFound');
  assert.equal(consumerStatus(world, endpointId('used')), 'Approved');
});

test('clusters', () => {
  const vpn = { azureConnectionMethod: 'VPN' };
  const good = { ...vpn, initialCassandraAdminPassword: 'password' };
  refuseEach(clusterId('bad'), [
    [
      { initialCassandraAdminPassword: 'password' },
      'NotYetSupported',
      /azureConnectionMethod None.*Send VPN/,
    ],
    [{ ...good, azureConnectionMethod: 'AZUREVNET' }, 'InvalidParameter', /one of None, VPN/],
    [vpn, 'InvalidParameter', /initialCassandraAdminPassword is missing/],
    [{ ...vpn, initialCassandraAdminPassword: '' }, 'InvalidParameter', /is empty/],
    [{ ...vpn, initialCassandraAdminPassword: 'é'.repeat(37) }, 'InvalidParameter', /74 bytes/],
    [{ ...vpn, initialCassandraAdminPassword: 'a\0b' }, 'InvalidParameter', /NUL/],
    [{ ...vpn, initialCassandraAdminPassword: '\ud800' }, 'InvalidParameter', /Unicode/],
    [{ ...good, authenticationMethod: 'None' }, 'InvalidParameter', /authenticationMethod is None/],
    [{ ...good, authenticationMethod: 'Ldap' }, 'NotYetSupported', /Ldap/],
    [{ ...good, cassandraVersion: '4.1' }, 'NotYetSupported', /'4\.1'.*runs 5\.0/],
    [{ ...good, clusterNameOverride: 'a"b' }, 'InvalidParameter', /letters, digits/],
    [{ ...good, cassandraVersion: '6.0' }, 'InvalidParameter', /'6\.0'.*one of 3\.11/],
    [
      { ...good, clientCertificates: [{ pem: 'x' }] },
      'InvalidParameter',
      /clientCertificates\[0\]\.pem is not/,
    ],
    [{ ...good, clientCertificates: [{ pem: certificate }] }, 'NotYetSupported', /clientCertificates/],
    [
      { ...good, externalGossipCertificates: [{ pem: certificate.replaceAll('M', 'N') }] },
      'InvalidParameter',
      /no X\.509/,
    ],
    [
      { ...good, externalGossipCertificates: [{ pem: '-----BEGIN PRIVATE KEY-----' }] },
      'InvalidParameter',
      /private key/,
    ],
    [{ ...good, externalGossipCertificates: certificate }, 'InvalidParameter', /must be a list/],
    [{ ...good, externalSeedNodes: [{ ipAddress: '10.0.0' }] }, 'InvalidParameter', /no IPv4/],
    [{ ...good, externalSeedNodes: [{}] }, 'InvalidParameter', /ipAddress is missing/],
    [{ ...good, externalDataCenters: ['a b'] }, 'InvalidParameter', /no name of a data centre/],
    [{ ...good, extensions: ['lucene'] }, 'InvalidParameter', /'lucene'.*cassandra-lucene-index/],
    [{ ...good, hoursBetweenBackups: 'often' }, 'InvalidParameter', /whole number/],
    [{ ...good, hoursBetweenBackups: -1 }, 'InvalidParameter', /at least 0/],
    [{ ...good, backupSchedules: [{ scheduleName: 'a' }] }, 'InvalidParameter', /cronExpression is missing/],
    [
      { ...good, backupSchedules: [{ scheduleName: 'a', cronExpression: '0 25 * * *' }] },
      'InvalidParameter',
      /backupSchedules\[0\]\.cronExpression says '25' for the hour/,
    ],
    [
      {
        ...good,
        backupSchedules: [{ scheduleName: 'a', cronExpression: '0 2 * * *', retentionInHours: -1 }],
      },
      'InvalidParameter',
      /retentionInHours is -1/,
    ],
    [{ ...good, restoreFromBackupId: '1' }, 'BackupNotFound', /no backup '1'/],
    [{ ...good, cassandraAuditLoggingEnabled: 'often' }, 'InvalidParameter', /true or false/],
    [{ ...good, deallocated: true }, 'InvalidParameter', /set by the service.*deallocate/],
    [{ ...good, autoReplicate: 'Some' }, 'InvalidParameter', /one of None, SystemKeyspaces/],
    [{ ...good, reparEnabled: false }, 'InvalidParameter', /reparEnabled is no property.*repairEnabled/],
    [{ ...good, azureconnectionmethod: 'VPN' }, 'InvalidParameter', /said twice/],
    [{ ...good, repairEnabled: 'maybe' }, 'InvalidParameter', /true or false/],
    [{ ...good, delegatedManagementSubnetId: 'x' }, 'InvalidParameter', /must be the ARM id/],
    [{ ...good, privateLinkAutoApproveSubscriptions: ['x'] }, 'InvalidParameter', /no subscription id/],
    [
      { ...good, privateLinkAutoApproveSubscriptions: [customer.subscription] },
      'AuthorizationFailed',
      /ask the provider/,
    ],
  ]);
  assert.equal(put(clusterId('-bad'), good).code, 'InvalidResourceName');
  assert.equal(
    put(clusterId(), { initialCassandraAdminPassword: 'another' }).code,
    'PropertyChangeNotAllowed',
  );
  assert.equal(put(clusterId(), { azureConnectionMethod: 'None' }).code, 'PropertyChangeNotAllowed');
  assert.equal(put(clusterId(), { clusterNameOverride: 'Another' }).code, 'PropertyChangeNotAllowed');
  assert.equal(put(clusterId(), { restoreFromBackupId: '1' }).code, 'PropertyChangeNotAllowed');
  assert.equal(world.refused('POST', `${clusterId()}/deallocate`).code, 'Conflict');
  assert.deepEqual(world.ask('GET', `${clusterId()}/backups`).body, { value: [] });
  assert.equal(world.refused('GET', `${clusterId()}/backups/1`).code, 'ResourceNotFound');
  assert.equal(
    world.ask('PUT', clusterId(), {
      location: 'East US 2',
      properties: { initialCassandraAdminPassword: 'password' },
    }).status,
    200,
  );
});

const ldap = (change: JsonObject): JsonObject => ({
  authenticationMethodLdapProperties: {
    serverHostname: 'ldap.example',
    serviceUserDistinguishedName: 'cn=s',
    serviceUserPassword: 'hush',
    searchBaseDistinguishedName: 'dc=x',
    ...change,
  },
});

const fragment = (text: string): JsonObject => ({
  base64EncodedCassandraYamlFragment: Buffer.from(text).toString('base64'),
});

test('data centres', async () => {
  world.put(endpointId('pending'), endpointBody(service, '10.0.1.20'));
  const other = await makeCluster(world, 'c2');
  world.put(endpointId('other'), endpointBody(other, '10.0.1.30'));
  makeNetwork(world, 'vnet2');
  await world.fabricApplies();
  const { privateEndpointIpAddress: _, ...without } = dataCenterBody();
  refuseEach(dataCenterId('bad'), [
    [dataCenterBody('10.0.1.10', { nodeCount: '2' }), 'InvalidParameter', /at least 3 nodes/],
    [dataCenterBody('10.0.1.10', { nodeCount: 'three' }), 'InvalidParameter', /whole number/],
    [dataCenterBody('10.0.1.10', { nodeCount: null }), 'InvalidParameter', /nodeCount is missing/],
    [without, 'InvalidParameter', /privateEndpointIpAddress is missing.*--private-endpoint-ip-address/],
    [
      dataCenterBody('10.0.1.99'),
      'InvalidParameter',
      /10\.0\.1\.99 is no address in use in virtual network 'vnet1'/,
    ],
    [dataCenterBody('10.0.3.254'), 'InvalidParameter', /the network's application machine/],
    [dataCenterBody('10.0.1.30'), 'InvalidParameter', /'other', which leads to .*c2-/],
    [dataCenterBody('10.0.1.20'), 'Conflict', /'pending' \(10\.0\.1\.20\) is Pending.*approve --id/],
    [
      dataCenterBody('10.0.1.10', { delegatedSubnetId: subnetId('cass', 'vnet2') }),
      'InvalidParameter',
      /no address in use in virtual network 'vnet2'/,
    ],
    [
      dataCenterBody('10.0.1.10', { delegatedSubnetId: subnetId('nowhere') }),
      'InvalidParameter',
      /no subnet/,
    ],
    [
      dataCenterBody('10.0.1.10', { delegatedSubnetId: '' }),
      'InvalidParameter',
      /delegatedSubnetId is missing/,
    ],
    [dataCenterBody('10.0.1.10', { dataCenterLocation: 'westus' }), 'InvalidParameter', /must agree/],
    [dataCenterBody('10.0.1.10', { nodeCount: 4 }), 'Conflict', /3248 MB of memory, and 3000 MB are free/],
    [
      dataCenterBody('10.0.1.10', { base64EncodedCassandraYamlFragment: '*' }),
      'InvalidParameter',
      /is not base64/,
    ],
    [dataCenterBody('10.0.1.10', fragment('a: [')), 'InvalidParameter', /is not YAML/],
    [dataCenterBody('10.0.1.10', fragment('- a')), 'InvalidParameter', /must be a mapping/],
    [
      dataCenterBody(
        '10.0.1.10',
        fragment('concurrent_reads: 8\nauthenticator: AllowAllAuthenticator\nseed_provider: []'),
      ),
      'InvalidParameter',
      /sets authenticator, seed_provider, which are the service's/,
    ],
    [
      dataCenterBody('10.0.1.10', fragment('x: &a {authenticator: y}\n<<: *a')),
      'InvalidParameter',
      /base64Encoded/,
    ],
    [
      dataCenterBody('10.0.1.10', { managedDiskCustomerKeyUri: 'https://vault' }),
      'InvalidParameter',
      /managedDiskCustomerKeyUri is .*no URI of a key/,
    ],
    [
      dataCenterBody('10.0.1.10', { managedDiskCustomerKeyUri: 'https://v.vault.azure.net/keys/k/12ab' }),
      'NotYetSupported',
      /managedDiskCustomerKeyUri/,
    ],
    [dataCenterBody('10.0.1.10', { sku: 'Standard_A1' }), 'InvalidParameter', /sku must be one of/],
    [dataCenterBody('10.0.1.10', { diskSku: 'P31' }), 'InvalidParameter', /diskSku must be one of/],
    [dataCenterBody('10.0.1.10', { diskCapacity: '0' }), 'InvalidParameter', /at least 1/],
    [dataCenterBody('10.0.1.10', { deallocated: true }), 'InvalidParameter', /set by the service/],
    [dataCenterBody('10.0.1.10', { nodes: 3 }), 'InvalidParameter', /nodes is no property.*nodeCount/],
    [
      dataCenterBody('10.0.1.10', ldap({ serverHostname: '' })),
      'InvalidParameter',
      /serverHostname is missing/,
    ],
    [dataCenterBody('10.0.1.10', ldap({ serverHostname: 'a_b' })), 'InvalidParameter', /no name of a host/],
    [dataCenterBody('10.0.1.10', ldap({ serverPort: '0' })), 'InvalidParameter', /at least 1/],
    [
      dataCenterBody('10.0.1.10', ldap({ serviceUserPassword: null })),
      'InvalidParameter',
      /serviceUserPassword is/,
    ],
    [dataCenterBody('10.0.1.10', ldap({ searchFilterTemplate: '(cn=x)' })), 'InvalidParameter', /no %s/],
    [dataCenterBody('10.0.1.10', ldap({ serverCertificates: [{ pem: 'x' }] })), 'InvalidParameter', /PEM/],
  ]);
  world.ask('PUT', subnetId('tiny'), { properties: { addressPrefix: '10.0.9.0/29' } });
  world.store.putOwned({ ...world.store.get(subnetId('tiny'))!, location: null });
  const small = { delegatedSubnetId: subnetId('tiny'), nodeCount: 3 };
  world.put(endpointId('in-tiny'), { ...endpointBody(service), subnet: { id: subnetId('tiny') } });
  assert.match(
    put(dataCenterId('bad'), dataCenterBody('10.0.1.10', small)).message,
    /2 free addresses, and 3 nodes need 3/,
  );
  assert.equal(
    world.refused('PUT', `${clusterId('none')}/dataCenters/dc1`, { properties: dataCenterBody() }).code,
    'ParentResourceNotFound',
  );
});

test('a data centre can be asked for again as it is; what is settled stays', () => {
  world.put(dataCenterId(), dataCenterBody());
  assert.equal(world.ask('PUT', dataCenterId(), { properties: dataCenterBody() }).status, 200);
  refuseEach(dataCenterId(), [
    [{ nodeCount: 6 }, 'AnotherOperationInProgress', /PUT of/],
    [{ privateEndpointIpAddress: '10.0.1.20' }, 'NotYetSupported', /privateEndpointIpAddress/],
    [{ sku: 'Standard_E8s_v5' }, 'NotYetSupported', /sku is/],
    [{ diskSku: 'P40' }, 'PropertyChangeNotAllowed', /diskSku is "P30".*another data centre/],
    [{ diskCapacity: '5' }, 'PropertyChangeNotAllowed', /diskCapacity is 4/],
    [{ availabilityZone: true }, 'PropertyChangeNotAllowed', /availabilityZone/],
    [{ dataCenterLocation: 'westus' }, 'PropertyChangeNotAllowed', /dataCenterLocation/],
    [{ delegatedSubnetId: subnetId('apps') }, 'PropertyChangeNotAllowed', /delegatedSubnetId/],
    [{ nodeCount: 2 }, 'InvalidParameter', /at least 3/],
    [{ nodeCount: 1_281_213_576 }, 'InvalidParameter', /at most 1000 nodes/],
  ]);
});

test('what the service makes is read-only', () => {
  const nic = (world.get(endpointId('used')).properties['networkInterfaces'] as { id: string }[])[0]!.id;
  for (const method of ['PUT', 'PATCH', 'DELETE']) {
    assert.equal(
      world.refused(method, nic, { location: 'eastus2', properties: {} }).code,
      'MethodNotAllowed',
    );
  }
  const mine = `${group('rg1')}/providers/Microsoft.Network/privateLinkServices/mine`;
  assert.match(put(mine, {}).message, /destinationIPAddress is missing/);
  assert.match(
    world.refused('DELETE', service, undefined, provider).message,
    /belongs to cluster .*Delete the cluster instead/,
  );
});

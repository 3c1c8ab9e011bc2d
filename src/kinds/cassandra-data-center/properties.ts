/** What can be asked of a data centre, property by property (contract §1.5). */
import { ArmError } from '../../arm/errors.ts';
import { sameId } from '../../arm/id.ts';
import type { Fields } from '../fields.ts';
import type { OtherProperty, PropertyTable } from '../property.ts';
import { keepForNow, sameRegion } from '../rules.ts';
import { readLdap } from './ldap.ts';
import type { DataCenterProperties } from './schema.ts';
import { readYamlFragment } from './yaml-fragment.ts';

/** Contract §3.3. */
const skus = [
  ...['v4', 'v5'].flatMap((version) =>
    ['E8s', 'E16s', 'E20s', 'E32s'].map((size) => `Standard_${size}_${version}`),
  ),
  ...['DS13', 'DS14'].map((size) => `Standard_${size}_v2`),
  ...['D8s', 'D16s', 'D32s'].map((size) => `Standard_${size}_v4`),
  ...['L8s', 'L16s', 'L32s', 'L8as', 'L16as', 'L32as'].map((size) => `Standard_${size}_v3`),
];
const diskSkus = ['P10', 'P15', 'P20', 'P30', 'P40', 'P50', 'P60', 'P70', 'P80'];
const otherDisks = 'disks never change in place: create another data centre, and delete this one';
const keyUri =
  /^https:\/\/[a-z0-9-]+(\.[a-z0-9-]+)+(:\d{1,5})?\/keys\/[A-Za-z0-9-]{1,127}(\/[A-Za-z0-9]{1,64})?\/?$/i;

/** What can't be changed yet: equal values pass. */
const forNow = <T>(name: string, now: T | undefined, asked: T | undefined): T | undefined =>
  now === undefined ? asked : keepForNow(name, now, asked);

export const dataCenterProperties: PropertyTable<DataCenterProperties> = {
  location: {
    name: 'dataCenterLocation',
    rule: 'create',
    meaning: "The region of the subnet's network, which is the default.",
    initial: '',
    same: sameRegion,
    read: (body) => body.text('dataCenterLocation', { max: 100 }) || undefined,
  },
  subnetId: {
    name: 'delegatedSubnetId',
    rule: 'create',
    meaning:
      "Takes the right to join it. The networks of a cluster's data centres are one, or peered, each with each.",
    initial: '',
    same: sameId,
    read: (body, now) =>
      body.text('delegatedSubnetId') ||
      (now === undefined
        ? body.fail('delegatedSubnetId', 'is missing: the subnet that the nodes shall stand in.')
        : undefined),
  },
  nodeCount: {
    rule: 'update',
    meaning:
      '3 to 1000. A higher one lets new nodes join, a lower one lets the latest leave, one at a time; the operation ends when the ring agrees.',
    initial: 3,
    read: (body, now) =>
      readNodeCount(body) ??
      (now === undefined ? body.fail('nodeCount', 'is missing; at least 3.') : undefined),
  },
  endpointAddress: {
    name: 'privateEndpointIpAddress',
    rule: 'update',
    meaning:
      "Address of a private endpoint to this cluster's privateLinkResourceId, in the same virtual network, Approved. Changing it is not there yet.",
    initial: '',
    read(body, now) {
      const address = body.text('privateEndpointIpAddress') || undefined;
      if (address !== undefined || now !== undefined) return forNow('privateEndpointIpAddress', now, address);
      return body.fail(
        'privateEndpointIpAddress',
        "is missing. The cluster's connection method is VPN: create a private endpoint to its privateLinkResourceId, have it approved, and " +
          'name its address (--private-endpoint-ip-address).',
      );
    },
  },
  yamlFragment: {
    name: 'base64EncodedCassandraYamlFragment',
    rule: 'update',
    meaning:
      "Keys for cassandra.yaml, base64. Keys that are the service's are refused by name, `audit_logging_options` and `full_query_logging_options` among them. Changing it is not there yet.",
    initial: '',
    read(body, now) {
      const fragment = body.text('base64EncodedCassandraYamlFragment');
      if (fragment !== undefined) readYamlFragment(fragment);
      return forNow('base64EncodedCassandraYamlFragment', now, fragment);
    },
  },
  sku: {
    rule: 'update',
    meaning: `Standard_E16s_v5 by default; one of ${skus.join(', ')}. Stored and shown: on one machine all nodes are alike, with a heap of 512 MB each. Changing it is not there yet.`,
    initial: 'Standard_E16s_v5',
    read: (body, now) => (body.text('sku') === now ? now : forNow('sku', now, body.choice('sku', skus))),
  },
  diskSku: {
    rule: 'create',
    meaning: `P30 by default; one of ${diskSkus.join(', ')}. Stored and shown, as \`sku\` is.`,
    initial: 'P30',
    why: otherDisks,
    read: (body, now) => (body.text('diskSku') === now ? now : body.choice('diskSku', diskSkus)),
  },
  diskCapacity: {
    rule: 'create',
    meaning: 'Disks per node: 4 by default, 1 to 64. Stored and shown, as `sku` is.',
    initial: 4,
    why: otherDisks,
    read: (body) => body.integer('diskCapacity', { min: 1, max: 64 }),
  },
  availabilityZone: {
    rule: 'create',
    meaning:
      'false by default. Nodes are spread over three racks either way; there are no zones on one machine.',
    initial: false,
    read: (body) => body.flag('availabilityZone'),
    recordedOnly: (wanted) => wanted,
  },
  managedDiskCustomerKeyUri: {
    rule: 'update',
    meaning:
      'The URI of a key. Refused unless it is empty: disks that are not encrypted with your key must not look as if they were.',
    initial: null,
    read(body) {
      const uri = readKeyUri(body, 'managedDiskCustomerKeyUri');
      if (!uri) return uri;
      throw new ArmError(
        'NotYetSupported',
        'properties.managedDiskCustomerKeyUri: encrypting disks with a key of yours comes with a later version; leave it out.',
        { target: 'properties.managedDiskCustomerKeyUri' },
      );
    },
  },
  backupStorageCustomerKeyUri: {
    rule: 'update',
    meaning:
      'The URI of a key, `https://VAULT/keys/NAME/VERSION`; empty for none. Stored and shown: no backup is made yet that it could encrypt.',
    initial: null,
    read: (body) => readKeyUri(body, 'backupStorageCustomerKeyUri'),
    recordedOnly: (uri) => uri !== null,
  },
  ldap: {
    name: 'authenticationMethodLdapProperties',
    rule: 'update',
    meaning:
      '`serverHostname`, `serverPort` (636), `serviceUserDistinguishedName`, `serviceUserPassword` (sealed, never shown), `searchBaseDistinguishedName`, ' +
      "`searchFilterTemplate` (`(cn=%s)`), `serverCertificates`, `connectionTimeoutInMs` (5000). Checked, stored and shown; used once the cluster's authenticationMethod can be Ldap. `{}` says nothing.",
    initial: null,
    read: readLdap,
    recordedOnly: (ldap) => ldap !== null,
  },
};

export const otherDataCenterProperties: Readonly<Record<string, OtherProperty>> = {
  provisioningState: {
    by: 'service',
    meaning: 'Succeeded: every node is a member of the ring, refuses the default password, and lets CQL in.',
  },
  provisionError: {
    by: 'service',
    meaning:
      'Why it failed, or what has been waited for for more than 20 s: `NodeNeverSeen` for a node that is expected and was never seen.',
  },
  waitingFor: { by: 'service', meaning: 'What it waits for, in words; absent when nothing.' },
  notInForce: {
    by: 'service',
    meaning: 'Names of the properties whose values are stored and shown, and have no effect in this version.',
  },
  seedNodes: { by: 'service', meaning: 'The first node of each rack.' },
  deallocated: { by: 'service', meaning: "As the cluster's." },
};

/** More than a ring gossips well among, and few enough to be counted out one by one. */
const mostNodes = 1_000;

function readNodeCount(body: Fields): number | undefined {
  const count = body.integer('nodeCount');
  if (count !== undefined && count < 3) {
    return body.fail(
      'nodeCount',
      `is ${count}; a data centre has at least 3 nodes, so that each row is kept three times.`,
    );
  }
  if (count !== undefined && count > mostNodes)
    return body.fail('nodeCount', `is ${count}; a data centre has at most ${mostNodes} nodes.`);
  return count;
}

function readKeyUri(body: Fields, name: string): string | null | undefined {
  const uri = body.text(name, { max: 1_000 });
  if (uri === '') return null;
  if (uri !== undefined && !keyUri.test(uri))
    return body.fail(
      name,
      `is '${uri.slice(0, 200)}', which is no URI of a key: https://VAULT/keys/NAME, and a version after it.`,
    );
  return uri;
}

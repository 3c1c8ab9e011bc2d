import { putResource } from '../arm/operation.ts';
import { cluster, dataCenter, group, noWait } from '../arm/options.ts';
import { target } from '../arm/target.ts';
import { defineCommand } from '../command.ts';
import { backupKey, nodeCount } from './options.ts';

export const create = defineCommand({
  path: 'managed-cassandra datacenter create',
  summary: 'Create a data centre whose nodes speak to one private endpoint.',
  examples: [
    'managed-cassandra datacenter create -g vpn-test-rg -c vpn-test-cluster -d dc1 -l eastus2 --delegated-subnet-id SUBNET-ID --node-count 3 --private-endpoint-ip-address 10.0.1.10',
  ],
  options: {
    cluster: { ...cluster, required: true },
    dataCenter: { ...dataCenter, required: true },
    group,
    location: {
      kind: 'text',
      flags: ['-l', '--data-center-location', '--location'],
      help: 'Region.',
      required: true,
    },
    subnet: {
      kind: 'text',
      flags: ['-s', '--delegated-subnet-id'],
      help: 'Id of the nodes’ subnet.',
      required: true,
    },
    endpoint: {
      kind: 'text',
      flags: ['-i', '--private-endpoint-ip-address'],
      help: 'Address of the private endpoint; its connection must be Approved.',
    },
    yamlFragment: {
      kind: 'text',
      flags: ['-b', '--base64-encoded-cassandra-yaml-fragment'],
      help: 'Settings for cassandra.yaml, base64.',
    },
    sku: { kind: 'text', flags: ['--sku'], help: 'Size of the machines.' },
    diskSku: { kind: 'text', flags: ['--disk-sku'], help: 'Kind of the disks.' },
    diskCapacity: { kind: 'integer', flags: ['--disk-capacity'], help: 'Disks per node.' },
    zones: {
      kind: 'boolean',
      flags: ['-z', '--availability-zone'],
      help: 'Whether nodes are spread over zones.',
    },
    diskKey: {
      kind: 'text',
      flags: ['-k', '--managed-disk-customer-key-uri'],
      help: 'Key that the disks are encrypted with.',
    },
    nodeCount: { ...nodeCount, required: true },
    backupKey,
    noWait,
  },
  async run(cx, options) {
    const client = await cx.arm();
    const properties = {
      dataCenterLocation: options.location,
      delegatedSubnetId: options.subnet,
      nodeCount: options.nodeCount,
      privateEndpointIpAddress: options.endpoint,
      base64EncodedCassandraYamlFragment: options.yamlFragment,
      sku: options.sku,
      diskSku: options.diskSku,
      diskCapacity: options.diskCapacity,
      availabilityZone: options.zones,
      managedDiskCustomerKeyUri: options.diskKey,
      backupStorageCustomerKeyUri: options.backupKey,
    };
    const id = target(
      client,
      options.group,
      'Microsoft.DocumentDB/cassandraClusters/dataCenters',
      options.cluster,
      options.dataCenter,
    );
    const what = `data centre ${options.dataCenter}`;
    return {
      value: await putResource(
        client,
        { properties },
        { what, id, progress: cx.progress, noWait: options.noWait },
      ),
    };
  },
});

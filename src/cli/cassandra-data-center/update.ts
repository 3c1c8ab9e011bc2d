import { patchResource } from '../arm/operation.ts';
import { cluster, dataCenter, group, noWait } from '../arm/options.ts';
import { target } from '../arm/target.ts';
import { defineCommand } from '../command.ts';
import { backupKey, nodeCount } from './options.ts';

export const update = defineCommand({
  path: 'managed-cassandra datacenter update',
  summary: 'Give a data centre more nodes, or fewer; they join and leave one at a time.',
  examples: ['managed-cassandra datacenter update -g vpn-test-rg -c vpn-test-cluster -d dc1 --node-count 4'],
  options: {
    cluster: { ...cluster, required: true },
    dataCenter: { ...dataCenter, required: true },
    group,
    nodeCount,
    backupKey,
    noWait,
  },
  async run(cx, options) {
    const client = await cx.arm();
    const properties = {
      nodeCount: options.nodeCount,
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
      value: await patchResource(
        client,
        { properties },
        { what, id, progress: cx.progress, noWait: options.noWait },
      ),
    };
  },
});

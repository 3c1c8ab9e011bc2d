import { cluster, ids, noWait, optionalGroup, yes } from '../arm/options.ts';
import { targets } from '../arm/target.ts';
import { remove } from '../arm/verbs.ts';
import { defineCommand } from '../command.ts';

export const deleteCluster = defineCommand({
  path: 'managed-cassandra cluster delete',
  summary: 'Delete a cluster that has no data centre left.',
  examples: ['managed-cassandra cluster delete -g vpn-test-rg -c vpn-test-cluster --yes'],
  options: { cluster, group: optionalGroup, ids, yes, noWait },
  async run(cx, options) {
    const client = await cx.arm();
    const found = targets(client, 'Microsoft.DocumentDB/cassandraClusters', options, [
      '-c/--cluster-name',
      options.cluster,
    ]);
    await remove(cx, client, found, { what: 'cluster', ask: true, yes: options.yes, noWait: options.noWait });
  },
});

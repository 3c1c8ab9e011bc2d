import { cluster, dataCenter, ids, noWait, optionalGroup, yes } from '../arm/options.ts';
import { targets } from '../arm/target.ts';
import { remove } from '../arm/verbs.ts';
import { defineCommand } from '../command.ts';

export const deleteDataCenter = defineCommand({
  path: 'managed-cassandra datacenter delete',
  summary: 'Delete a data centre with its nodes and all they hold.',
  examples: ['managed-cassandra datacenter delete -g vpn-test-rg -c vpn-test-cluster -d dc1 --yes'],
  options: {
    cluster,
    dataCenter,
    group: optionalGroup,
    ids,
    force: {
      kind: 'switch',
      flags: ['--force'],
      help: 'Also where a keyspace named it when it was last heard of, and no node can be asked any more.',
    },
    yes,
    noWait,
  },
  async run(cx, options) {
    const client = await cx.arm();
    const names = [
      ['-c/--cluster-name', options.cluster],
      ['-d/--data-center-name', options.dataCenter],
    ] as const;
    const found = targets(client, 'Microsoft.DocumentDB/cassandraClusters/dataCenters', options, ...names);
    await remove(cx, client, found, {
      what: 'data centre',
      ask: true,
      yes: options.yes,
      noWait: options.noWait,
      headers: options.force ? { 'x-ms-force-delete': 'true' } : {},
    });
  },
});

import { cluster, dataCenter, ids, optionalGroup } from '../arm/options.ts';
import { targets } from '../arm/target.ts';
import { show as showAll } from '../arm/verbs.ts';
import { defineCommand } from '../command.ts';

export const show = defineCommand({
  path: 'managed-cassandra datacenter show',
  summary: 'Show a data centre; while its nodes are waited for, it says for what.',
  examples: ['managed-cassandra datacenter show -g vpn-test-rg -c vpn-test-cluster -d dc1'],
  options: { cluster, dataCenter, group: optionalGroup, ids },
  async run(cx, options) {
    const client = await cx.arm();
    const names = [
      ['-c/--cluster-name', options.cluster],
      ['-d/--data-center-name', options.dataCenter],
    ] as const;
    return showAll(
      client,
      targets(client, 'Microsoft.DocumentDB/cassandraClusters/dataCenters', options, ...names),
    );
  },
});

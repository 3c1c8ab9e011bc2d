import { cluster, ids, optionalGroup } from '../arm/options.ts';
import { targets } from '../arm/target.ts';
import { show as showAll } from '../arm/verbs.ts';
import { defineCommand } from '../command.ts';

export const show = defineCommand({
  path: 'managed-cassandra cluster show',
  summary: 'Show a cluster; while something is waited for, it says for what.',
  examples: [
    'managed-cassandra cluster show --resource-group "vpn-test-rg" --cluster-name "vpn-test-cluster"',
  ],
  options: { cluster, group: optionalGroup, ids },
  async run(cx, options) {
    const client = await cx.arm();
    return showAll(
      client,
      targets(client, 'Microsoft.DocumentDB/cassandraClusters', options, [
        '-c/--cluster-name',
        options.cluster,
      ]),
    );
  },
});

import { confirm } from '../arm/confirm.ts';
import { postAction } from '../arm/operation.ts';
import { cluster, group, noWait, yes } from '../arm/options.ts';
import { target } from '../arm/target.ts';
import { defineCommand } from '../command.ts';

export const deallocate = defineCommand({
  path: 'managed-cassandra cluster deallocate',
  summary: 'Stop Cassandra on every node of a cluster; its data stays.',
  examples: ['managed-cassandra cluster deallocate -g vpn-test-rg -c vpn-test-cluster --yes'],
  options: {
    cluster: { ...cluster, required: true },
    group,
    force: {
      kind: 'switch',
      flags: ['--force'],
      help: 'Also where the cluster is not of type NonProduction.',
    },
    yes,
    noWait,
  },
  async run(cx, options) {
    const client = await cx.arm();
    const id = target(client, options.group, 'Microsoft.DocumentDB/cassandraClusters', options.cluster);
    await confirm(cx, `Stop every node of cluster ${options.cluster}?`, options.yes);
    return {
      value: await postAction(client, 'deallocate', {
        what: `cluster ${options.cluster}`,
        id,
        progress: cx.progress,
        noWait: options.noWait,
        headers: options.force ? { 'x-ms-force-deallocate': 'true' } : {},
      }),
    };
  },
});

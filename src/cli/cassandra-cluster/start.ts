import { postAction } from '../arm/operation.ts';
import { cluster, group, noWait } from '../arm/options.ts';
import { target } from '../arm/target.ts';
import { defineCommand } from '../command.ts';

export const start = defineCommand({
  path: 'managed-cassandra cluster start',
  summary: 'Start a cluster that was deallocated.',
  examples: ['managed-cassandra cluster start -g vpn-test-rg -c vpn-test-cluster'],
  options: { cluster: { ...cluster, required: true }, group, noWait },
  async run(cx, options) {
    const client = await cx.arm();
    const id = target(client, options.group, 'Microsoft.DocumentDB/cassandraClusters', options.cluster);
    const what = `cluster ${options.cluster}`;
    return {
      value: await postAction(client, 'start', { what, id, progress: cx.progress, noWait: options.noWait }),
    };
  },
});

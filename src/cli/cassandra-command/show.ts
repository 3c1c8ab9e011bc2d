import { cluster, group } from '../arm/options.ts';
import { target } from '../arm/target.ts';
import { defineCommand } from '../command.ts';

export const show = defineCommand({
  path: 'managed-cassandra cluster command show',
  summary: 'Show one of the commands that were run on a cluster.',
  examples: ['managed-cassandra cluster command show -g vpn-test-rg -c vpn-test-cluster --command-id ID'],
  options: {
    cluster: { ...cluster, required: true },
    group,
    id: { kind: 'text', flags: ['--command-id'], help: 'Its id, as the list shows it.', required: true },
  },
  async run(cx, options) {
    const client = await cx.arm();
    const id = target(client, options.group, 'Microsoft.DocumentDB/cassandraClusters', options.cluster);
    return { value: await client.get(`${id}/commands/${encodeURIComponent(options.id)}`) };
  },
});

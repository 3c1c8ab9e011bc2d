import { cluster, group } from '../arm/options.ts';
import { target } from '../arm/target.ts';
import { list as listAll } from '../arm/verbs.ts';
import { defineCommand } from '../command.ts';

export const list = defineCommand({
  path: 'managed-cassandra cluster command list',
  summary: 'List the commands that were run on a cluster.',
  examples: ['managed-cassandra cluster command list -g vpn-test-rg -c vpn-test-cluster -o table'],
  options: { cluster: { ...cluster, required: true }, group },
  async run(cx, options) {
    const client = await cx.arm();
    const id = target(client, options.group, 'Microsoft.DocumentDB/cassandraClusters', options.cluster);
    return listAll(client, `${id}/commands`, {
      Id: 'commandId',
      Command: 'command',
      Host: 'host',
      Status: 'status',
    });
  },
});

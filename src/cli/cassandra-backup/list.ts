import { cluster, group } from '../arm/options.ts';
import { target } from '../arm/target.ts';
import { list as listAll } from '../arm/verbs.ts';
import { defineCommand } from '../command.ts';

export const list = defineCommand({
  path: 'managed-cassandra cluster backup list',
  summary: 'List the backups of a cluster.',
  examples: ['managed-cassandra cluster backup list -g vpn-test-rg -c vpn-test-cluster -o table'],
  options: { cluster: { ...cluster, required: true }, group },
  async run(cx, options) {
    const client = await cx.arm();
    const id = target(client, options.group, 'Microsoft.DocumentDB/cassandraClusters', options.cluster);
    return listAll(client, `${id}/backups`, {
      Id: 'backupId',
      State: 'backupState',
      Started: 'backupStartTimestamp',
      Expires: 'backupExpiryTimestamp',
    });
  },
});

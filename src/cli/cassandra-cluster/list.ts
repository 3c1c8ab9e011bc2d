import { optionalGroup } from '../arm/options.ts';
import { groupId } from '../arm/target.ts';
import { list as listAll } from '../arm/verbs.ts';
import { defineCommand } from '../command.ts';

export const list = defineCommand({
  path: 'managed-cassandra cluster list',
  summary: 'List clusters, of a group or of the subscription.',
  examples: ['managed-cassandra cluster list -o table'],
  options: { group: optionalGroup },
  async run(cx, options) {
    const client = await cx.arm();
    const scope =
      options.group === undefined
        ? `/subscriptions/${client.subscriptionId}`
        : groupId(client, options.group);
    const columns = {
      Name: 'name',
      ResourceGroup: "split(id, '/')[4]",
      Location: 'location',
      Connection: 'properties.azureConnectionMethod',
      Cassandra: 'properties.cassandraVersion',
      ProvisioningState: 'properties.provisioningState',
    };
    return listAll(client, `${scope}/providers/Microsoft.DocumentDB/cassandraClusters`, columns);
  },
});

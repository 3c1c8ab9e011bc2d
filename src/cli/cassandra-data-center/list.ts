import { cluster, group } from '../arm/options.ts';
import { target } from '../arm/target.ts';
import { list as listAll } from '../arm/verbs.ts';
import { defineCommand } from '../command.ts';

export const list = defineCommand({
  path: 'managed-cassandra datacenter list',
  summary: 'List the data centres of a cluster.',
  examples: ['managed-cassandra datacenter list -g vpn-test-rg -c vpn-test-cluster -o table'],
  options: { cluster: { ...cluster, required: true }, group },
  async run(cx, options) {
    const client = await cx.arm();
    const parent = target(client, options.group, 'Microsoft.DocumentDB/cassandraClusters', options.cluster);
    const columns = {
      Name: 'name',
      Location: 'properties.dataCenterLocation',
      Nodes: 'properties.nodeCount',
      Endpoint: 'properties.privateEndpointIpAddress',
      ProvisioningState: 'properties.provisioningState',
    };
    return listAll(client, `${parent}/dataCenters`, columns);
  },
});

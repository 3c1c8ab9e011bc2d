import type { JsonObject } from '../../store/resource.ts';
import { cluster, ids, optionalGroup } from '../arm/options.ts';
import { targets } from '../arm/target.ts';
import { defineCommand } from '../command.ts';

export const status = defineCommand({
  path: 'managed-cassandra cluster status',
  summary: 'Show every node of a cluster as its ring sees it.',
  examples: ['managed-cassandra cluster status -g vpn-test-rg -c vpn-test-cluster -o table'],
  options: { cluster, group: optionalGroup, ids },
  async run(cx, options) {
    const client = await cx.arm();
    const [id] = targets(client, 'Microsoft.DocumentDB/cassandraClusters', options, [
      '-c/--cluster-name',
      options.cluster,
    ]);
    const value = await client.get(`${id}/status`);
    return { value, rows: nodeRows(value), columns: nodeColumns };
  },
});

/** One row a node, with its data centre's name in it. */
export function nodeRows(status: JsonObject): readonly JsonObject[] {
  const dataCenters = (status['dataCenters'] ?? []) as readonly JsonObject[];
  return dataCenters.flatMap((each) =>
    ((each['nodes'] ?? []) as readonly JsonObject[]).map((node) => ({ ...node, dataCenter: each['name'] })),
  );
}

export const nodeColumns = {
  DataCenter: 'dataCenter',
  Address: 'address',
  Rack: 'rack',
  Status: 'status',
  State: 'state',
  Process: 'cassandraProcessStatus',
  Load: 'load',
  Tokens: 'length(tokens)',
};

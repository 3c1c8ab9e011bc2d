/** Stopping Cassandra on all of a cluster's nodes, and starting it again: their data, agents and tunnels stay. */
import { ArmError } from '../../arm/errors.ts';
import type { ActionRequest, KindContext, Started } from '../../arm/kind.ts';
import { dataCentersOf } from '../cassandra-data-center/find.ts';
import { complete } from '../property.ts';
import { clusterProperties } from './properties.ts';
import { clusterType, type Cluster } from './schema.ts';

const force = 'x-ms-force-deallocate';

export function deallocate(cluster: Cluster, request: ActionRequest, { store }: KindContext): Started {
  const { clusterType: type } = complete(clusterProperties, cluster.properties);
  if (type !== 'NonProduction' && request.header(force)?.trim().toLowerCase() !== 'true') {
    throw new ArmError(
      'Conflict',
      `Cluster '${cluster.name}' is of clusterType ${type}: only NonProduction clusters are deallocated, because nothing answers until it is ` +
        `started again. Set clusterType to NonProduction, or send the header ${force}: true.`,
      { target: 'properties.clusterType' },
    );
  }
  const unready = dataCentersOf(store, cluster.id).find(
    (item) => !item.state.ready && item.provisioningState !== 'Deleting',
  );
  if (unready) {
    throw new ArmError(
      'Conflict',
      `Data centre '${unready.name}' has never come up, so that there is nothing to stop in order. Send its PUT again, or delete it.`,
      { target: unready.id },
    );
  }
  return want(cluster, true);
}

export const startAgain = (cluster: Cluster): Started => want(cluster, false);

/** Where it is so already, the operation ends at the next look. */
const want = (cluster: Cluster, wanted: boolean): Started => ({
  id: cluster.id,
  type: clusterType,
  properties: cluster.properties,
  state: {
    ...cluster.state,
    deallocated: { wanted, observed: cluster.state.deallocated?.observed ?? false },
  },
  follow: 'both',
  withBody: true,
});

/** Refuses what would have to act on nodes that are stopped. */
export function needAllocated(cluster: Cluster, what: string): void {
  const { wanted, observed } = cluster.state.deallocated ?? { wanted: false, observed: false };
  if (!wanted && !observed) return;
  throw new ArmError(
    'Conflict',
    `Cluster '${cluster.name}' is deallocated: ${what} takes running nodes. Start it first: POST …/start.`,
  );
}

import { ArmError } from '../../arm/errors.ts';
import { sameId } from '../../arm/id.ts';
import type { KindContext } from '../../arm/kind.ts';
import type { Store } from '../../store/resource.ts';
import type { Cluster } from '../cassandra-cluster/schema.ts';
import { networkOf } from '../claims.ts';
import { peersOf } from '../network-intent.ts';
import type { Subnet } from '../subnet/schema.ts';
import { dataCentersOf } from './find.ts';

/** Nodes speak to each other directly: the networks of all data centres must be one, or peered, each with each. */
export function checkReach({ store }: KindContext, cluster: Cluster, subnet: Subnet): void {
  const network = networkOf(subnet.id);
  const apart = dataCentersOf(store, cluster.id).find(
    (item) => !isNear(store, networkOf(item.properties.subnetId), network),
  );
  if (!apart) return;
  const other = networkOf(apart.properties.subnetId);
  throw new ArmError(
    'Conflict',
    `Data centre '${apart.name}' of this cluster stands in ${other}, which the nodes of ${network} can't reach. Peer the two networks both ways, ` +
      'with access to each other, or choose a subnet of the same virtual network.',
    { target: 'properties.delegatedSubnetId' },
  );
}

const isNear = (store: Store, a: string, b: string): boolean =>
  sameId(a, b) || (givesAccess(store, a, b) && givesAccess(store, b, a));

const givesAccess = (store: Store, from: string, to: string): boolean =>
  peersOf(store, from).some(({ network, access }) => access && sameId(network.id, to));

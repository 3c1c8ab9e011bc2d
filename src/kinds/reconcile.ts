import { faultOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { Failure } from '../reconcile/reconciler.ts';
import type { Resource } from '../store/resource.ts';
import type { Cluster } from './cassandra-cluster/kind.ts';
import { reconcileCluster } from './cassandra-cluster/reconcile.ts';
import { clusterType } from './cassandra-cluster/schema.ts';
import type { DataCenter } from './cassandra-data-center/kind.ts';
import { reconcileDataCenter } from './cassandra-data-center/reconcile.ts';
import { dataCenterType } from './cassandra-data-center/schema.ts';
import { networkInterfaceType, type InterfaceProperties } from './network-interface/schema.ts';
import type { Pass } from './pass.ts';
import type { Endpoint } from './private-endpoint/kind.ts';
import { reconcilePrivateEndpoint } from './private-endpoint/reconcile.ts';
import { privateEndpointType } from './private-endpoint/schema.ts';
import type { Connection } from './private-link-connection/kind.ts';
import { reconcileConnection } from './private-link-connection/reconcile.ts';
import { privateLinkConnectionType } from './private-link-connection/schema.ts';
import type { LinkService } from './private-link-service/kind.ts';
import { privateLinkServiceType } from './private-link-service/schema.ts';
import type { Subnet } from './subnet/kind.ts';
import { subnetType } from './subnet/schema.ts';
import type { VirtualNetwork } from './virtual-network/kind.ts';
import { reconcileSubnet, reconcileVirtualNetwork } from './virtual-network/reconcile.ts';
import { virtualNetworkType } from './virtual-network/schema.ts';

type Step = readonly [type: string, reconcile: (resource: Resource, pass: Pass) => void];

const step = <R>(type: string, reconcile: (resource: R, pass: Pass) => void): Step => [
  type,
  (resource, pass) => reconcile(resource as R, pass),
];
const parent = (id: string): string => id.split('/').slice(0, -2).join('/');

/** In the order in which one makes another possible. */
const steps: readonly Step[] = [
  step<VirtualNetwork>(virtualNetworkType, reconcileVirtualNetwork),
  step<Subnet>(subnetType, (subnet, pass) =>
    reconcileSubnet(subnet, pass.store.get(parent(subnet.id)) as VirtualNetwork | undefined, pass),
  ),
  step<Cluster>(clusterType, reconcileCluster),
  step<LinkService>(privateLinkServiceType, (service, { store }) => {
    if (!store.get(service.properties.clusterId)) store.remove(service.id);
  }),
  step<Endpoint>(privateEndpointType, reconcilePrivateEndpoint),
  step<Connection>(privateLinkConnectionType, reconcileConnection),
  step<DataCenter>(dataCenterType, (dataCenter, pass) =>
    reconcileDataCenter(dataCenter, pass.store.get(parent(dataCenter.id)) as Cluster | undefined, pass),
  ),
  step<Resource<InterfaceProperties>>(networkInterfaceType, (nic, { store }) => {
    if (!store.get(nic.properties.ownerId)) store.remove(nic.id);
  }),
];

/** One round over everything. It goes on past a failure, and says which there were. */
export function reconcileAll(pass: Pass, log: Log): readonly Failure[] {
  const failed: Failure[] = [];
  for (const [type, reconcile] of steps) {
    for (const { id } of pass.store.list(type)) {
      const resource = pass.store.get(id);
      if (!resource) continue;
      try {
        pass.store.transaction(() => reconcile(resource, pass));
      } catch (error) {
        log.error('a resource could not be reconciled', { id, error });
        failed.push({ item: id, error: faultOf(error) });
      }
    }
  }
  return failed;
}

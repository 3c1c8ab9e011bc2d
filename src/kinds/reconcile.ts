import { faultOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { Failure } from '../reconcile/reconciler.ts';
import type { Resource } from '../store/resource.ts';
import { applicationGroupType } from './application-security-group/schema.ts';
import { reconcileApplied } from './applied.ts';
import { reconcileCluster } from './cassandra-cluster/reconcile.ts';
import { clusterType, type Cluster } from './cassandra-cluster/schema.ts';
import { reconcileDataCenter } from './cassandra-data-center/reconcile.ts';
import { dataCenterType, type DataCenter } from './cassandra-data-center/schema.ts';
import { networkInterfaceType, type InterfaceProperties } from './network-interface/schema.ts';
import { securityGroupType } from './network-security-group/schema.ts';
import { putWatcher } from './network-watcher/schema.ts';
import type { Pass } from './pass.ts';
import { reconcilePrivateEndpoint } from './private-endpoint/reconcile.ts';
import { privateEndpointType, type Endpoint } from './private-endpoint/schema.ts';
import { reconcileConnection } from './private-link-connection/reconcile.ts';
import { privateLinkConnectionType, type Connection } from './private-link-connection/schema.ts';
import { privateLinkServiceType, type LinkService } from './private-link-service/schema.ts';
import { routeTableType } from './route-table/schema.ts';
import { routeType } from './route/schema.ts';
import { securityRuleType } from './security-rule/schema.ts';
import { policyDefinitionType } from './service-endpoint-policy-definition/schema.ts';
import { endpointPolicyType } from './service-endpoint-policy/schema.ts';
import { subnetType, type Subnet } from './subnet/schema.ts';
import { putNodeMachines, putOperatorMachine, removeGone } from './virtual-machine/reconcile.ts';
import { virtualMachineType, type VirtualMachine } from './virtual-machine/schema.ts';
import { peeringType } from './virtual-network-peering/schema.ts';
import { reconcileSubnet, reconcileVirtualNetwork } from './virtual-network/reconcile.ts';
import { virtualNetworkType, type VirtualNetwork } from './virtual-network/schema.ts';

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
  step<VirtualNetwork>(virtualNetworkType, (network, { store }) => putWatcher(store, network)),
  ...[
    peeringType,
    securityGroupType,
    securityRuleType,
    applicationGroupType,
    endpointPolicyType,
    policyDefinitionType,
    routeTableType,
    routeType,
  ].map((type) => step<Resource>(type, reconcileApplied)),
  step<Cluster>(clusterType, reconcileCluster),
  step<Cluster>(clusterType, (cluster, { store }) => putWatcher(store, cluster)),
  step<LinkService>(privateLinkServiceType, (service, { store }) => {
    const { clusterId } = service.properties;
    const gone = clusterId === null ? service.provisioningState === 'Deleting' : !store.get(clusterId);
    if (gone) store.remove(service.id);
  }),
  step<Endpoint>(privateEndpointType, reconcilePrivateEndpoint),
  step<Connection>(privateLinkConnectionType, reconcileConnection),
  step<DataCenter>(dataCenterType, (dataCenter, pass) =>
    reconcileDataCenter(dataCenter, pass.store.get(parent(dataCenter.id)) as Cluster | undefined, pass),
  ),
  step<Cluster>(clusterType, putOperatorMachine),
  step<DataCenter>(dataCenterType, (dataCenter, pass) =>
    putNodeMachines(dataCenter, pass.store.get(parent(dataCenter.id)) as Cluster | undefined, pass),
  ),
  step<VirtualMachine>(virtualMachineType, removeGone),
  step<Resource<InterfaceProperties>>(networkInterfaceType, (nic, { store }) => {
    if (!store.get(nic.properties.ownerId)) store.remove(nic.id);
  }),
];

/** One round over everything, a step for each resource. It goes on past a failure, and says which there were. */
export function* reconcileAll(pass: Pass, log: Log): Generator<void, readonly Failure[]> {
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
      yield;
    }
  }
  return failed;
}

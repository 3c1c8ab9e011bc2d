import { randomUUID } from 'node:crypto';
import { resourceId } from '../../arm/id.ts';
import { managedGroup } from '../platform.ts';
import type { Cluster, ClusterState } from '../cassandra-cluster/schema.ts';
import type { DataCenter, DataCenterState } from '../cassandra-data-center/schema.ts';
import { putInterface } from '../network-interface/kind.ts';
import { networkInterfaceType } from '../network-interface/schema.ts';
import { putWatcher } from '../network-watcher/schema.ts';
import type { Pass } from '../pass.ts';
import {
  machineIdOf,
  virtualMachineType,
  type MachineProperties,
  type MachineState,
  type VirtualMachine,
} from './schema.ts';

/** The operator stands in the platform's network, and its resources in the provider's group. */
export function putOperatorMachine(cluster: Cluster, { store, settings }: Pass): void {
  if (cluster.provisioningState === 'Deleting') return;
  putWatcher(store, { subscriptionId: settings.providerSubscription, location: cluster.location });
  const { operator } = cluster.state;
  const group = managedGroup(settings.providerSubscription).split('/').at(-1)!;
  const interfaceId = resourceId(
    settings.providerSubscription,
    group,
    networkInterfaceType,
    `${operator.machine}-nic`,
  );
  putInterface(store, {
    id: interfaceId,
    location: cluster.location,
    properties: {
      subnetId: null,
      address: operator.address,
      allocation: 'Dynamic',
      configurationName: 'ipconfig',
      ownerId: cluster.id,
    },
  });
  put(store, cluster.location, {
    role: 'operator',
    machine: operator.machine,
    computerName: `operator-${cluster.name}`.slice(0, 63),
    interfaceId,
    ownerId: cluster.id,
    size: 'Operator',
  });
}

export function putNodeMachines(dataCenter: DataCenter, cluster: Cluster | undefined, { store }: Pass): void {
  if (!cluster || dataCenter.provisioningState === 'Deleting') return;
  for (const node of dataCenter.state.nodes) {
    put(store, cluster.location, {
      role: 'node',
      machine: node.machine,
      computerName: node.name.slice(0, 63),
      interfaceId: node.interfaceId,
      ownerId: dataCenter.id,
      size: dataCenter.properties.sku,
    });
  }
}

function put(store: Pass['store'], location: string | null, properties: MachineProperties): void {
  const id = machineIdOf(properties.interfaceId);
  // Nothing of a machine changes but its size: asked first, as every pass comes by here for every node.
  const now = store.get<MachineProperties, MachineState>(id);
  if (now?.properties.size === properties.size) return;
  const state: MachineState = now?.state ?? { guid: randomUUID() };
  store.putOwned({ id, type: virtualMachineType, location, properties, state });
}

/** A machine goes with its node or operator. */
export function removeGone({ id, properties: machine }: VirtualMachine, { store }: Pass): void {
  const owner = store.get<unknown, Partial<ClusterState & DataCenterState>>(machine.ownerId);
  const there =
    machine.role === 'operator'
      ? owner?.state.operator?.machine === machine.machine
      : owner?.state.nodes?.some((node) => node.machine === machine.machine);
  if (!there) store.remove(id);
}

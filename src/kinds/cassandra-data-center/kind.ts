/** A data centre of a cluster: nodes in a subnet of the customer's, which reach their operator by one private endpoint. */
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { ArmError } from '../../arm/errors.ts';
import { parentOf, resourceId, type ArmId } from '../../arm/id.ts';
import type { Accepted, Kind, KindContext } from '../../arm/kind.ts';
import { lowestFree, storedPrefix } from '../addresses.ts';
import type { ClusterProperties, ClusterState, Cluster } from '../cassandra-cluster/schema.ts';
import { needAllocated } from '../cassandra-cluster/deallocate.ts';
import { claimsIn, networkOf } from '../claims.ts';
import { fields, type Fields } from '../fields.ts';
import { networkInterfaceType } from '../network-interface/schema.ts';
import { complete, knownNames, notInForce, plainJson, readProperties, wireNames } from '../property.ts';
import { accepted, cassandraName, sameRegion } from '../rules.ts';
import { settingsOf } from '../settings.ts';
import { findSubnet } from '../subnet/find.ts';
import { showWaiting } from '../waiting.ts';
import { findDoor } from './door.ts';
import {
  dataCenterType,
  seedsOf,
  type DataCenter,
  type DataCenterNode,
  type DataCenterProperties,
  type DataCenterState,
} from './schema.ts';
import { refuseWhileNamed } from './keyspaces.ts';
import { ldapSecret, readLdapPassword } from './ldap.ts';
import { dataCenterProperties, otherDataCenterProperties } from './properties.ts';
import { scale } from './scale.ts';
import { checkReach } from './reach.ts';
import type { Subnet, SubnetProperties, SubnetState } from '../subnet/schema.ts';

export const dataCenterKind: Kind<DataCenterProperties, DataCenterState> = {
  type: dataCenterType,
  summary: 'A data centre of a cluster: its nodes, in a subnet of a virtual network.',
  name: cassandraName,
  tracked: false,
  operations: 'documentdb',
  verbs: ['GET', 'PUT', 'PATCH', 'DELETE'],

  accept(request, existing, context) {
    const cluster = clusterFor(request.id, context);
    const body = fields(knownNames(request.properties, names));
    checkDeallocated(body, cluster);
    if (existing) return change(body, request.id, existing, cluster, context);
    const asked = readProperties(dataCenterProperties, body, undefined);
    needAllocated(cluster, 'another data centre');
    const subnet = findSubnet(context, 'properties.delegatedSubnetId', asked.subnetId);
    const network = context.store.get(networkOf(subnet.id));
    const location = asked.location || (network?.location ?? cluster.location ?? '');
    if (network?.location && !sameRegion(location, network.location)) {
      return body.fail(
        'dataCenterLocation',
        `is ${location}, but delegatedSubnetId lies in ${network.location}. They must agree.`,
      );
    }
    const properties: DataCenterProperties = { ...asked, location, subnetId: subnet.id };
    checkReach(context, cluster, subnet);
    const endpoint = findDoor(context.store, cluster, networkOf(subnet.id), properties.endpointAddress);
    const heapMegabytes = settingsOf(context.store).heapMegabytes;
    checkMemory(properties.nodeCount, heapMegabytes, settingsOf(context.store).availableMegabytes());
    const { added } = scale([], properties.nodeCount, () => false);
    const nodes = placeNodes(context, cluster, request.id, subnet, added, 0);
    keepLdapPassword(body, cluster, request.id.name, context);
    return {
      properties,
      state: {
        endpointId: endpoint.id,
        heapMegabytes,
        nodes,
        lastNumber: nodes.length,
        ready: false,
        retired: false,
        waiting: null,
      },
    };
  },

  show(dataCenter, { store }) {
    const said = complete(dataCenterProperties, dataCenter.properties);
    const cluster = store.get<ClusterProperties, ClusterState>(
      dataCenter.id.replace(/\/dataCenters\/[^/]+$/i, ''),
    );
    return {
      provisioningState: dataCenter.provisioningState,
      dataCenterLocation: said.location,
      delegatedSubnetId: said.subnetId,
      nodeCount: said.nodeCount,
      seedNodes: seedsOf(dataCenter.state).map((node) => ({ ipAddress: node.address })),
      base64EncodedCassandraYamlFragment: said.yamlFragment,
      managedDiskCustomerKeyUri: said.managedDiskCustomerKeyUri,
      backupStorageCustomerKeyUri: said.backupStorageCustomerKeyUri,
      sku: said.sku,
      diskSku: said.diskSku,
      diskCapacity: said.diskCapacity,
      availabilityZone: said.availabilityZone,
      authenticationMethodLdapProperties: said.ldap && { ...plainJson(said.ldap), serviceUserPassword: null },
      deallocated: cluster?.state.deallocated?.observed ?? false,
      privateEndpointIpAddress: said.endpointAddress,
      notInForce: notInForce(dataCenterProperties, said),
      ...showWaiting(dataCenter.state.waiting, dataCenter.fault, dataCenter.id),
    };
  },

  beforeDelete: refuseWhileNamed,
};

const names = [...wireNames(dataCenterProperties), ...Object.keys(otherDataCenterProperties)];

function clusterFor(id: ArmId, { store }: KindContext): Cluster {
  const clusterId = parentOf(id)!;
  const cluster = store.get<ClusterProperties, ClusterState>(clusterId);
  if (cluster && cluster.provisioningState !== 'Deleting') return cluster;
  throw new ArmError(
    'ParentResourceNotFound',
    `There is no cluster ${clusterId}. Create it first: sallyport managed-cassandra cluster create.`,
  );
}

/** Of an existing data centre, its size changes; what else changes is what is only stored. */
function change(
  body: Fields,
  id: ArmId,
  existing: DataCenter,
  cluster: Cluster,
  context: KindContext,
): Accepted<DataCenterProperties, DataCenterState> {
  const now = complete(dataCenterProperties, existing.properties);
  const properties = readProperties(dataCenterProperties, body, now);
  const touched = keepLdapPassword(body, cluster, existing.name, context);
  const state = resized(id, existing, properties.nodeCount, cluster, context);
  return accepted({ ...existing, properties: now }, properties, state, {
    touched: touched || state !== existing.state,
  });
}

/** The same state where nothing joins or leaves. */
function resized(
  id: ArmId,
  existing: DataCenter,
  count: number,
  cluster: Cluster,
  context: KindContext,
): DataCenterState {
  const { state } = existing;
  const { nodes, added } = scale(state.nodes, count, (node) => hasNotLeft(node, cluster, context));
  if (added.length === 0 && isDeepStrictEqual(nodes, state.nodes)) return state;
  needAllocated(cluster, 'another nodeCount');
  const { availableMegabytes } = settingsOf(context.store);
  if (added.length > 0) checkMemory(added.length, state.heapMegabytes, availableMegabytes());
  const subnet = context.store.get<SubnetProperties, SubnetState>(existing.properties.subnetId);
  if (!subnet) {
    throw new ArmError('Conflict', `The subnet ${existing.properties.subnetId} of this data centre is gone.`);
  }
  const last = state.lastNumber ?? state.nodes.length;
  const made = placeNodes(context, cluster, id, subnet, added, last);
  return { ...state, nodes: [...nodes, ...made], lastNumber: last + made.length };
}

/**
 * Whether the operator last said of a node that was told to leave that it is as it was, or has failed to. One that had begun all
 * the same says so later.
 */
const hasNotLeft = (node: DataCenterNode, cluster: Cluster, { store }: KindContext): boolean =>
  settingsOf(store)
    .levels.operator(cluster.id)
    ?.report.nodes.some(
      ({ address, membership, report }) =>
        address === node.address &&
        (membership === 'member' ||
          (membership === 'leaving' &&
            ['NORMAL', 'DECOMMISSION_FAILED'].includes(report?.cassandra.mode ?? ''))),
    ) ?? false;

/** Keeps a password that was sent; true where it is another than before. */
function keepLdapPassword(body: Fields, cluster: Cluster, name: string, { store }: KindContext): boolean {
  const password = readLdapPassword(body);
  const secret = ldapSecret(cluster.state.identity, name);
  if (password === undefined || store.secrets.get(secret) === password) return false;
  store.secrets.set(secret, password);
  return true;
}

/** Set by the service; clients send back what they read, and that may be said. */
function checkDeallocated(body: Fields, cluster: Cluster): void {
  const said = body.flag('deallocated');
  if (said === undefined || said === (cluster.state.deallocated?.observed ?? false)) return;
  body.fail(
    'deallocated',
    `is ${String(!said)}, and is set by the service, for a cluster as a whole: POST …/${said ? 'deallocate' : 'start'} of the cluster.`,
  );
}

/** What a node takes beside its heap: code, threads, buffers outside the heap, its agent and tunnel. */
const besideHeapMegabytes = 300;

export function checkMemory(nodeCount: number, heapMegabytes: number, available: number | null): void {
  const needed = nodeCount * (heapMegabytes + besideHeapMegabytes);
  if (available === null || available >= needed) return;
  throw new ArmError(
    'Conflict',
    `${nodeCount} nodes take about ${needed} MB of memory, and ${available} MB are free on this host. Free some: ` +
      'end what is not needed, or delete another data centre.',
    { target: 'properties.nodeCount' },
  );
}

function placeNodes(
  { store }: KindContext,
  cluster: Cluster,
  id: ArmId,
  subnet: Subnet,
  racks: readonly string[],
  lastNumber: number,
): readonly DataCenterNode[] {
  const count = racks.length;
  const addresses = lowestFree(
    storedPrefix(subnet.properties.prefix),
    claimsIn(store, networkOf(subnet.id)),
    count,
  );
  if (addresses.length < count) {
    throw new ArmError(
      'Conflict',
      `Subnet '${subnet.name}' (${subnet.properties.prefix}) has ${addresses.length} free addresses, and ${count} nodes need ${count}. ` +
        'Choose a larger subnet.',
      { target: 'properties.delegatedSubnetId' },
    );
  }
  return addresses.map((address, index) => {
    const name = `${id.name}-${lastNumber + index + 1}`;
    const unique = randomBytes(4).toString('hex');
    return {
      name,
      address,
      rack: racks[index]!,
      machine: `node-${unique}`,
      interfaceId: resourceId(
        id.subscriptionId,
        id.resourceGroup!,
        networkInterfaceType,
        `${cluster.name.slice(0, 40)}-${name.slice(0, 20)}-nic-${unique}`,
      ),
      enrolled: false,
    };
  });
}

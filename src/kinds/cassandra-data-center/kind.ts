/** A data centre of a cluster: nodes in a subnet of the customer's, which reach their operator by one private endpoint. */
import { randomBytes } from 'node:crypto';
import { ArmError } from '../../arm/errors.ts';
import { parentOf, resourceId, sameId, type ArmId } from '../../arm/id.ts';
import type { Kind, KindContext } from '../../arm/kind.ts';
import { lowestFree, storedPrefix } from '../addresses.ts';
import type { ClusterProperties, ClusterState, Cluster } from '../cassandra-cluster/schema.ts';
import { claimsIn, networkOf } from '../claims.ts';
import { fields, type Fields } from '../fields.ts';
import { networkInterfaceType } from '../network-interface/schema.ts';
import { accepted, cassandraName, keep, keepForNow, sameRegion } from '../rules.ts';
import { settingsOf } from '../settings.ts';
import { findSubnet } from '../subnet/find.ts';
import { showWaiting } from '../waiting.ts';
import { findDoor } from './door.ts';
import {
  dataCenterType,
  seedsOf,
  type DataCenterNode,
  type DataCenterProperties,
  type DataCenterState,
} from './schema.ts';
import { readYamlFragment } from './yaml-fragment.ts';
import { dataCentersOf } from './find.ts';
import type { Subnet } from '../subnet/schema.ts';

export const dataCenterKind: Kind<DataCenterProperties, DataCenterState> = {
  type: dataCenterType,
  summary: 'A data centre of a cluster: its nodes, in a subnet of a virtual network.',
  name: cassandraName,
  tracked: false,
  operations: 'documentdb',
  verbs: ['GET', 'PUT', 'PATCH', 'DELETE'],

  accept(request, existing, context) {
    const cluster = clusterFor(request.id, context);
    const body = fields(request.properties);
    if (existing) return accepted(existing, change(body, existing.properties), existing.state);
    const subnet = findSubnet(
      context,
      'properties.delegatedSubnetId',
      body.text('delegatedSubnetId') ||
        body.fail('delegatedSubnetId', 'is missing: the subnet that the nodes shall stand in.'),
    );
    const network = context.store.get(networkOf(subnet.id));
    const location = body.text('dataCenterLocation') ?? network?.location ?? cluster.location ?? '';
    if (network?.location && !sameRegion(location, network.location)) {
      return body.fail(
        'dataCenterLocation',
        `is ${location}, but delegatedSubnetId lies in ${network.location}. They must agree.`,
      );
    }
    const properties: DataCenterProperties = {
      location,
      subnetId: subnet.id,
      nodeCount: readNodeCount(body) ?? body.fail('nodeCount', 'is missing; at least 3.'),
      endpointAddress: readEndpointAddress(body),
      yamlFragment: readFragment(body) ?? '',
      sku: body.text('sku', { max: 80 }) ?? 'Standard_E16s_v5',
      diskSku: body.text('diskSku', { max: 80 }) ?? 'P30',
      diskCapacity: body.integer('diskCapacity', { min: 1 }) ?? 4,
      availabilityZone: body.flag('availabilityZone') ?? false,
    };
    checkOneNetwork(context, cluster, subnet);
    const endpoint = findDoor(context.store, cluster, networkOf(subnet.id), properties.endpointAddress);
    const heapMegabytes = settingsOf(context.store).heapMegabytes;
    checkMemory(properties.nodeCount, heapMegabytes, settingsOf(context.store).availableMegabytes());
    const nodes = placeNodes(context, cluster, request.id, subnet, properties.nodeCount);
    return {
      properties,
      state: { endpointId: endpoint.id, heapMegabytes, nodes, ready: false, retired: false, waiting: null },
    };
  },

  show: (dataCenter) => ({
    provisioningState: dataCenter.provisioningState,
    dataCenterLocation: dataCenter.properties.location,
    delegatedSubnetId: dataCenter.properties.subnetId,
    nodeCount: dataCenter.properties.nodeCount,
    seedNodes: seedsOf(dataCenter.state).map((node) => ({ ipAddress: node.address })),
    base64EncodedCassandraYamlFragment: dataCenter.properties.yamlFragment,
    managedDiskCustomerKeyUri: null,
    backupStorageCustomerKeyUri: null,
    sku: dataCenter.properties.sku,
    diskSku: dataCenter.properties.diskSku,
    diskCapacity: dataCenter.properties.diskCapacity,
    availabilityZone: dataCenter.properties.availabilityZone,
    authenticationMethodLdapProperties: null,
    deallocated: false,
    privateEndpointIpAddress: dataCenter.properties.endpointAddress,
    ...showWaiting(dataCenter.state.waiting, dataCenter.fault, dataCenter.id),
  }),
};

function clusterFor(id: ArmId, { store }: KindContext): Cluster {
  const clusterId = parentOf(id)!;
  const cluster = store.get<ClusterProperties, ClusterState>(clusterId);
  if (cluster && cluster.provisioningState !== 'Deleting') return cluster;
  throw new ArmError(
    'ParentResourceNotFound',
    `There is no cluster ${clusterId}. Create it first: sallyport managed-cassandra cluster create.`,
  );
}

/** What an existing data centre lets be asked again. Nothing of it can change in this version. */
function change(body: Fields, now: DataCenterProperties): DataCenterProperties {
  const location = body.text('dataCenterLocation');
  if (location !== undefined && !sameRegion(location, now.location))
    keep('dataCenterLocation', now.location, location);
  const subnetId = body.text('delegatedSubnetId');
  if (subnetId !== undefined && !sameId(subnetId, now.subnetId))
    keep('delegatedSubnetId', now.subnetId, subnetId);
  keepForNow('nodeCount', now.nodeCount, readNodeCount(body));
  keepForNow(
    'privateEndpointIpAddress',
    now.endpointAddress,
    body.text('privateEndpointIpAddress') || undefined,
  );
  keepForNow('base64EncodedCassandraYamlFragment', now.yamlFragment, readFragment(body));
  keepForNow('sku', now.sku, body.text('sku'));
  keepForNow('diskSku', now.diskSku, body.text('diskSku'));
  keepForNow('diskCapacity', now.diskCapacity, body.integer('diskCapacity'));
  keepForNow('availabilityZone', now.availabilityZone, body.flag('availabilityZone'));
  return now;
}

function readNodeCount(body: Fields): number | undefined {
  const count = body.integer('nodeCount');
  if (count !== undefined && count < 3) {
    return body.fail(
      'nodeCount',
      `is ${count}; a data centre has at least 3 nodes, so that each row is kept three times.`,
    );
  }
  return count;
}

function readEndpointAddress(body: Fields): string {
  const address = body.text('privateEndpointIpAddress');
  if (address) return address;
  return body.fail(
    'privateEndpointIpAddress',
    "is missing. The cluster's connection method is VPN: create a private endpoint to its privateLinkResourceId, have it approved, and " +
      'name its address (--private-endpoint-ip-address).',
  );
}

function readFragment(body: Fields): string | undefined {
  for (const name of [
    'managedDiskCustomerKeyUri',
    'backupStorageCustomerKeyUri',
    'authenticationMethodLdapProperties',
  ]) {
    body.notYet(name, 'it comes with a later version; leave it out.');
  }
  const fragment = body.text('base64EncodedCassandraYamlFragment');
  if (fragment !== undefined) readYamlFragment(fragment);
  return fragment;
}

/** Without peerings, nodes in different virtual networks can't reach each other. */
function checkOneNetwork({ store }: KindContext, cluster: Cluster, subnet: Subnet): void {
  const other = dataCentersOf(store, cluster.id).find(
    (item) => !sameId(networkOf(item.properties.subnetId), networkOf(subnet.id)),
  );
  if (!other) return;
  throw new ArmError(
    'NotYetSupported',
    `Data centre '${other.name}' of this cluster stands in ${networkOf(other.properties.subnetId)}. A second one in another virtual network takes ` +
      'peerings, which come with a later version. Choose a subnet of the same virtual network.',
    { target: 'properties.delegatedSubnetId' },
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
  count: number,
): readonly DataCenterNode[] {
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
    const name = `${id.name}-${index + 1}`;
    const unique = randomBytes(4).toString('hex');
    return {
      name,
      address,
      rack: `rack${(index % 3) + 1}`,
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

/**
 * What the fabric shall make, read off the store: a pure function, so that any two controls say the same of one store.
 */
import type {
  AllowRule,
  FabricIntent,
  FabricLink,
  FabricMachine,
  FabricNetwork,
  FabricWork,
} from '../exchange/intents/fabric.ts';
import type { OperatorJoinFile } from '../exchange/intents/operator.ts';
import { ports } from '../network/ports.ts';
import type { Store } from '../store/resource.ts';
import {
  clusterSecrets,
  clusterType,
  type ClusterProperties,
  type ClusterState,
  type Cluster,
} from './cassandra-cluster/schema.ts';
import { joinSecret, type DataCenterNode, type DataCenter } from './cassandra-data-center/schema.ts';
import { networkOf } from './claims.ts';
import {
  clientPrefixes,
  endpointWalls,
  namedGroups,
  namedTags,
  peersOf,
  subnetWalls,
} from './network-intent.ts';
import { platform } from './platform.ts';
import { connectionOf } from './private-endpoint/connection.ts';
import {
  privateEndpointType,
  type EndpointProperties,
  type EndpointState,
  type Endpoint,
} from './private-endpoint/schema.ts';
import type { Settings } from './settings.ts';
import { subnetsOf } from './subnet/kind.ts';
import type { SubnetProperties } from './subnet/schema.ts';
import {
  virtualNetworkType,
  type VirtualNetworkProperties,
  type VirtualNetworkState,
  type VirtualNetwork,
} from './virtual-network/schema.ts';
import { sameId } from '../arm/id.ts';
import { dataCentersOf } from './cassandra-data-center/find.ts';
import type { Connection } from './private-link-connection/schema.ts';

type Reading = Pick<Store, 'get' | 'list' | 'secrets'>;

export function fabricIntent(
  store: Reading,
  settings: Pick<Settings, 'operatorAuthority'>,
  work: readonly FabricWork[],
): FabricIntent {
  const networks = present(store.list<VirtualNetworkProperties, VirtualNetworkState>(virtualNetworkType));
  const clusters = present(store.list<ClusterProperties, ClusterState>(clusterType));
  const connected = connectedEndpoints(store, clusters);
  const customers = networks.map((network) => customerNetwork(store, network));
  // Those that an endpoint's address is bound by are its subnet's, so they are among these.
  const groups = namedGroups(
    store,
    customers.flatMap(({ subnets }) => subnets.flatMap(({ securityGroup }) => securityGroup ?? [])),
  );
  return {
    networks: [platformNetwork, ...customers],
    machines: [
      controlDoor(clusters),
      ...clusters.map((cluster) => operatorMachine(store, settings, cluster, connected)),
      ...networks.flatMap(applicationMachine),
      // The nodes of a cluster that is being deleted are gone before it: it can't be deleted while it has any.
      ...clusters.flatMap((cluster) => nodeMachines(store, cluster)),
    ],
    links: connected.flatMap((item) => link(store, item)),
    work: work.map((item) => ({ ...item, network: fabricNetworkOf(store, item.network) })),
    securityGroups: groups,
    serviceTags: namedTags(groups),
  };
}

const present = <R extends { readonly provisioningState: string }>(resources: readonly R[]): readonly R[] =>
  resources.filter((resource) => resource.provisioningState !== 'Deleting');

const platformNetwork: FabricNetwork = {
  id: platform.network,
  label: platform.label,
  prefixes: [platform.prefix],
  subnets: Object.entries(platform.subnets).map(([name, prefix]) => ({ name, prefix })),
  internet: false,
};

const customerNetwork = (store: Reading, network: VirtualNetwork): FabricNetwork => ({
  id: network.state.network,
  label: network.id,
  prefixes: [...network.properties.prefixes],
  subnets: present(subnetsOf(store, network.id)).map((subnet) => ({
    name: subnet.name,
    prefix: subnet.properties.prefix,
    ...subnetWalls(store, subnet.properties),
  })),
  peerings: peersOf(store, network.id).map((peer) => ({
    network: peer.network.state.network,
    access: peer.access,
  })),
  internet: true,
});

/** Work may name a virtual network by its ARM id; the fabric knows its own name of it. */
const fabricNetworkOf = (store: Reading, network: string | null): string | null =>
  network?.startsWith('/')
    ? (store.get<VirtualNetworkProperties, VirtualNetworkState>(network)?.state.network ?? network)
    : network;

const host = (address: string): string => `${address}/32`;

function controlDoor(clusters: readonly Cluster[]): FabricMachine {
  const remote = clusters.map((cluster) => host(cluster.state.operator.address));
  const from = (port: number, reason: string): readonly AllowRule[] =>
    remote.length === 0 ? [] : [{ direction: 'in', protocol: 'tcp', remote, port, reason }];
  return {
    id: platform.controlDoor.machine,
    kind: 'control-door',
    hostname: 'control',
    network: platform.network,
    subnet: 'control',
    address: platform.controlDoor.address,
    allow: [
      ...from(ports.control, 'operators follow control'),
      ...from(ports.controlEnrolment, 'operators enrol at control'),
    ],
    seed: {},
  };
}

interface Connected {
  readonly endpoint: Endpoint;
  readonly connection: Connection;
  readonly cluster: Cluster;
}

/** Endpoints whose connection is not cut for good, with the cluster that they lead to. */
function connectedEndpoints(store: Reading, clusters: readonly Cluster[]): readonly Connected[] {
  return present(store.list<EndpointProperties, EndpointState>(privateEndpointType)).flatMap((endpoint) => {
    const connection = connectionOf(store, endpoint);
    const cluster = clusters.find((item) => sameId(item.state.linkServiceId, endpoint.state.serviceId));
    return connection && cluster && connection.properties.status !== 'Disconnected'
      ? [{ endpoint, connection, cluster }]
      : [];
  });
}

function link(store: Reading, { endpoint, connection, cluster }: Connected): readonly FabricLink[] {
  const network = store.get<VirtualNetworkProperties, VirtualNetworkState>(
    networkOf(endpoint.properties.subnetId),
  );
  if (!network) return [];
  return [
    {
      id: connection.state.link,
      label: endpoint.id,
      consumer: {
        network: network.state.network,
        address: endpoint.state.address,
        ...endpointWalls(
          store.get<SubnetProperties>(endpoint.properties.subnetId)?.properties,
          endpointGroups(endpoint),
        ),
      },
      provider: {
        network: platform.network,
        natAddress: connection.state.natAddress,
        destination: cluster.state.operator.address,
      },
      port: ports.wireguard,
      open: connection.properties.status === 'Approved',
    },
  ];
}

/** Application security groups that an endpoint's address belongs to. */
const endpointGroups = ({ properties }: Endpoint): readonly { readonly id: string }[] | undefined =>
  (properties as { readonly applicationSecurityGroups?: readonly { readonly id: string }[] })
    .applicationSecurityGroups;

function operatorMachine(
  store: Reading,
  settings: Pick<Settings, 'operatorAuthority'>,
  cluster: Cluster,
  connected: readonly Connected[],
): FabricMachine {
  const { identity, operator } = cluster.state;
  const nat = connected
    .filter((item) => sameId(item.cluster.id, cluster.id) && item.connection.properties.status === 'Approved')
    .map((item) => host(item.connection.state.natAddress));
  const control = [host(platform.controlDoor.address)];
  const token = operator.admitted ? undefined : store.secrets.get(clusterSecrets(identity).operatorToken);
  return {
    id: operator.machine,
    kind: 'operator',
    hostname: `operator-${cluster.name}`.slice(0, 63),
    network: platform.network,
    subnet: 'operators',
    address: operator.address,
    allow: [
      ...(nat.length > 0
        ? [
            {
              direction: 'in' as const,
              protocol: 'udp' as const,
              remote: nat,
              port: ports.wireguard,
              reason: 'WireGuard from approved connections',
            },
          ]
        : []),
      {
        direction: 'out',
        protocol: 'tcp',
        remote: control,
        port: ports.control,
        reason: 'the exchange with control',
      },
      {
        direction: 'out',
        protocol: 'tcp',
        remote: control,
        port: ports.controlEnrolment,
        reason: 'enrolment at control',
      },
    ],
    seed:
      token === undefined
        ? {}
        : { 'operator.json': `${JSON.stringify(operatorJoin(identity, token, settings), null, 2)}\n` },
  };
}

const operatorJoin = (
  identity: string,
  token: string,
  settings: Pick<Settings, 'operatorAuthority'>,
): OperatorJoinFile => ({
  version: 1,
  cluster: identity,
  control: {
    address: platform.controlDoor.address,
    port: ports.control,
    name: platform.controlName,
    authority: settings.operatorAuthority,
  },
  token,
});

function applicationMachine(network: VirtualNetwork): readonly FabricMachine[] {
  const { application } = network.state;
  if (!application) return [];
  return [
    {
      id: application.machine,
      kind: 'application',
      hostname: `app-${network.name}`.slice(0, 63),
      network: network.state.network,
      subnet: application.subnet,
      address: application.address,
      allow: null,
      seed: {},
    },
  ];
}

function nodeMachines(store: Reading, cluster: Cluster): readonly FabricMachine[] {
  return dataCentersOf(store, cluster.id).flatMap((dataCenter) => {
    const network = store.get<VirtualNetworkProperties, VirtualNetworkState>(
      networkOf(dataCenter.properties.subnetId),
    );
    if (!network || dataCenter.state.retired) return [];
    return dataCenter.state.nodes.flatMap((node) => nodeMachine(store, cluster, dataCenter, network, node));
  });
}

/** A node gets a machine once its operator has made a join file for it, and keeps it. */
function nodeMachine(
  store: Reading,
  cluster: Cluster,
  dataCenter: DataCenter,
  network: VirtualNetwork,
  node: DataCenterNode,
): readonly FabricMachine[] {
  const join = node.enrolled ? undefined : store.secrets.get(joinSecret(cluster.state.identity, node.name));
  if (!node.enrolled && join === undefined) return [];
  const near = [network.id, ...peersOf(store, network.id).map((peer) => peer.network.id)];
  const peers = dataCentersOf(store, cluster.id)
    .filter((other) => near.some((id) => sameId(networkOf(other.properties.subnetId), id)))
    .flatMap((other) => other.state.nodes)
    .filter((other) => other.address !== node.address)
    .map((other) => host(other.address));
  const allow: AllowRule[] = [
    {
      direction: 'out',
      protocol: 'udp',
      remote: [host(dataCenter.properties.endpointAddress)],
      port: ports.wireguard,
      reason: 'WireGuard to the door',
    },
    { direction: 'out', protocol: 'tcp', remote: peers, port: ports.ring, reason: 'the ring' },
    { direction: 'in', protocol: 'tcp', remote: peers, port: ports.ring, reason: 'the ring' },
  ];
  if (dataCenter.state.ready) {
    // First, because most packets are these: rules are judged in their order.
    allow.unshift({
      direction: 'in',
      protocol: 'tcp',
      remote: [...clientPrefixes(store, network.id)],
      port: ports.cql,
      reason: 'CQL from the virtual network and its peers',
    });
  }
  return [
    {
      id: node.machine,
      kind: 'node',
      hostname: node.name.slice(0, 63),
      network: network.state.network,
      subnet: dataCenter.properties.subnetId.split('/').at(-1)!,
      address: node.address,
      allow,
      seed: join === undefined ? {} : { 'join.json': join },
    },
  ];
}

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
import type { ControlJoinFile } from '../exchange/intents/join.ts';
import { ports } from '../network/ports.ts';
import { revise, type Revised } from '../exchange/revision.ts';
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
  fabricGroup,
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
import { connectionsOf } from './private-link-connection/find.ts';
import type { Connection } from './private-link-connection/schema.ts';
import type { LinkServiceProperties } from './private-link-service/schema.ts';
import { isPresent } from './children.ts';
import { accountsFor, hasGate } from './gate-intent.ts';
import { gateMachine } from './gate-machine.ts';
import { anew, type Remember } from './remember.ts';
import { isPlatform, operatorsSubnetId } from './platform-network.ts';
import { serviceMachines } from './service-machines.ts';
import { verifyGates } from './verify-gates.ts';

type Reading = Pick<Store, 'get' | 'list' | 'idsOf' | 'secrets'>;
type Knowing = Pick<
  Settings,
  'operatorAuthority' | 'providerSubscription' | 'accounts' | 'services' | 'wallsMinutes'
>;

export function fabricIntent(store: Reading, settings: Knowing, work: readonly FabricWork[]): FabricIntent {
  return reviseFabric(store, settings, work).document;
}

/**
 * The document, part by part, with a revision made of the parts' own: a change makes again the parts that it concerns, and
 * thousands of others stay as they are.
 */
export function reviseFabric(
  store: Reading,
  settings: Knowing,
  work: readonly FabricWork[],
  remember: Remember = anew,
): Revised<FabricIntent> {
  const part = <P>(of: string, type: string, make: (id: string) => P | undefined): readonly Revised<P>[] =>
    store.idsOf(type).flatMap((id) => {
      const made = remember(`${of} of the fabric: ${id}`, () => {
        const document = make(id);
        return document === undefined ? undefined : revise(document);
      });
      return made ?? [];
    });
  const own = remember('platform network of the fabric', () =>
    revise({ network: platformNetwork(store, settings) }),
  );
  const networks = part('network', virtualNetworkType, (id) => networkPart(store, id));
  const clusters = part('cluster', clusterType, (id) => clusterPart(store, settings, id));
  const links = part('link', privateEndpointType, (id) => linkPart(store, id));
  // Those that an endpoint's address is bound by are its subnet's, so they are among these.
  const named = [own, ...networks].flatMap(({ document }) =>
    document.network.subnets.flatMap(({ securityGroup }) => securityGroup ?? []),
  );
  const securityGroups = [...new Set(named)].flatMap((id) =>
    remember(`group of the fabric: ${id}`, () => fabricGroup(store, id) ?? []),
  );
  const gate = remember('gate of the fabric', () => gateMachine(store, settings, remember));
  const services = remember('services of the fabric', () => serviceMachines(store, settings.services ?? []));
  const rest = {
    securityGroups,
    serviceTags: namedTags(securityGroups, gate ? [host(gate.address)] : []),
    ...(settings.wallsMinutes !== undefined && { wallsSeconds: settings.wallsMinutes * 60 }),
    work: work.map((item) =>
      item.kind === 'verify'
        ? {
            ...item,
            network: fabricNetworkOf(store, item.network),
            gates: verifyGates(store, settings, remember),
          }
        : item,
    ),
  };
  const document: FabricIntent = {
    networks: [own.document.network, ...networks.map((item) => item.document.network)],
    machines: [
      controlDoor(
        clusters.map((item) => item.document.operator.address),
        gate,
      ),
      ...(gate ? [gate] : []),
      ...services,
      ...clusters.map((item) => item.document.operator),
      ...networks.flatMap((item) => item.document.application),
      ...clusters.flatMap((item) => item.document.nodes),
    ],
    links: links.map((item) => item.document),
    ...rest,
  };
  const revisions = [networks, clusters, links].map((parts) => parts.map((item) => item.revision));
  return { revision: revise({ platform: own.revision, revisions, rest, gate, services }).revision, document };
}

interface NetworkPart {
  readonly network: FabricNetwork;
  readonly application: readonly FabricMachine[];
}

function networkPart(store: Reading, id: string): NetworkPart | undefined {
  const network = present(store.get<VirtualNetworkProperties, VirtualNetworkState>(id));
  // The platform's own is there also for a store that doesn't show it.
  if (!network || isPlatform(network)) return undefined;
  return { network: customerNetwork(store, network), application: applicationMachine(network) };
}

interface ClusterPart {
  readonly operator: FabricMachine;
  /** The nodes of a cluster that is being deleted are gone before it: it can't be deleted while it has any. */
  readonly nodes: readonly FabricMachine[];
}

function clusterPart(store: Reading, settings: Knowing, id: string): ClusterPart | undefined {
  const cluster = present(store.get<ClusterProperties, ClusterState>(id));
  return (
    cluster && {
      operator: operatorMachine(store, settings, cluster),
      nodes: nodeMachines(store, cluster),
    }
  );
}

/** Where a connection is not cut for good, the link to the operator of the cluster that its service is for. */
function linkPart(store: Reading, id: string): FabricLink | undefined {
  const endpoint = present(store.get<EndpointProperties, EndpointState>(id));
  const connection = endpoint && connectionOf(store, endpoint);
  if (!connection || connection.properties.status === 'Disconnected') return undefined;
  const service = store.get<LinkServiceProperties>(endpoint.state.serviceId);
  const cluster = present(store.get<ClusterProperties, ClusterState>(service?.properties.clusterId ?? ''));
  return cluster && link(store, endpoint, connection, cluster);
}

const present = <R extends { readonly provisioningState: string }>(resource: R | undefined): R | undefined =>
  resource?.provisioningState === 'Deleting' ? undefined : resource;

const platformNetwork = (
  store: Reading,
  { providerSubscription }: Pick<Settings, 'providerSubscription'>,
): FabricNetwork => {
  const operators = store.get<SubnetProperties>(operatorsSubnetId(providerSubscription));
  return {
    id: platform.network,
    label: platform.label,
    prefixes: [platform.prefix],
    subnets: Object.entries(platform.subnets).map(([name, prefix]) => ({
      name,
      prefix,
      ...(name === 'operators' && operators && subnetWalls(store, operators.properties)),
    })),
    internet: false,
  };
};

const customerNetwork = (store: Reading, network: VirtualNetwork): FabricNetwork => ({
  id: network.state.network,
  label: network.id,
  prefixes: [...network.properties.prefixes],
  subnets: subnetsOf(store, network.id)
    .filter(isPresent)
    .map((subnet) => ({
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

function controlDoor(operators: readonly string[], gate: FabricMachine | undefined): FabricMachine {
  const from = (addresses: readonly string[], port: number, reason: string): readonly AllowRule[] => {
    const remote = addresses.map(host);
    return remote.length === 0 ? [] : [{ direction: 'in', protocol: 'tcp', remote, port, reason }];
  };
  const gates = gate ? [gate.address] : [];
  return {
    id: platform.controlDoor.machine,
    kind: 'control-door',
    hostname: 'control',
    network: platform.network,
    subnet: 'control',
    address: platform.controlDoor.address,
    allow: [
      ...from(operators, ports.control, 'operators follow control'),
      ...from(gates, ports.controlGate, 'the gate follows control'),
      ...from([...operators, ...gates], ports.controlEnrolment, enrolReason(gate)),
    ],
    seed: {},
  };
}

const enrolReason = (gate: FabricMachine | undefined): string =>
  gate ? 'operators and the gate enrol at control' : 'operators enrol at control';

function link(
  store: Reading,
  endpoint: Endpoint,
  connection: Connection,
  cluster: Cluster,
): FabricLink | undefined {
  const network = store.get<VirtualNetworkProperties, VirtualNetworkState>(
    networkOf(endpoint.properties.subnetId),
  );
  if (!network) return undefined;
  return {
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
  };
}

/** Application security groups that an endpoint's address belongs to. */
const endpointGroups = ({ properties }: Endpoint): readonly { readonly id: string }[] | undefined =>
  (properties as { readonly applicationSecurityGroups?: readonly { readonly id: string }[] })
    .applicationSecurityGroups;

/** What comes in by approved connections, whose endpoints are there. */
const approvedAddresses = (store: Reading, cluster: Cluster): readonly string[] =>
  connectionsOf(store, cluster.state.linkServiceId)
    .filter(({ id, properties }) => {
      const endpoint = present(store.get<EndpointProperties, EndpointState>(properties.endpointId));
      const connection = endpoint && connectionOf(store, endpoint);
      return connection && sameId(connection.id, id) && properties.status === 'Approved';
    })
    .map(({ state }) => host(state.natAddress));

function operatorMachine(store: Reading, settings: Knowing, cluster: Cluster): FabricMachine {
  const { identity, operator } = cluster.state;
  const nat = approvedAddresses(store, cluster);
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
              remote: [...nat],
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
      ...(hasGate(store) && accountsFor(store, settings, cluster).length > 0
        ? [
            {
              ...({ direction: 'out', protocol: 'tcp' } as const),
              remote: [host(platform.gate.address)],
              port: ports.gate,
              reason: 'accounts of its policies, by the gate',
            },
          ]
        : []),
    ],
    seed:
      token === undefined
        ? {}
        : { 'operator.json': `${JSON.stringify(operatorJoin(identity, token, settings), null, 2)}\n` },
  };
}

const operatorJoin = (identity: string, token: string, settings: Knowing): ControlJoinFile => ({
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
  // Rules are judged in their order: what most packets are comes first.
  const allow: AllowRule[] = [
    { direction: 'out', protocol: 'tcp', remote: peers, port: ports.ring, reason: 'the ring' },
    { direction: 'in', protocol: 'tcp', remote: peers, port: ports.ring, reason: 'the ring' },
    {
      direction: 'out',
      protocol: 'udp',
      remote: [host(dataCenter.properties.endpointAddress)],
      port: ports.wireguard,
      reason: 'WireGuard to the door',
    },
  ];
  if (dataCenter.state.ready) {
    allow.unshift({
      direction: 'in',
      protocol: 'tcp',
      remote: [...clientPrefixes(store, network.id)],
      port: ports.cql,
      reason: 'CQL from the virtual network and its peers',
    });
    allow.push({
      direction: 'in',
      protocol: 'tcp',
      remote: [...clientPrefixes(store, network.id)],
      port: ports.metrics,
      reason: 'metrics to the virtual network and its peers',
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

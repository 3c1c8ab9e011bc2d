/** The network as it shall be, read off the store into the pure model that answers questions about it. */
import { ports } from '../network/ports.ts';
import type {
  EndpointPlace,
  Member,
  NetworkPlace,
  Place,
  StandingGroup,
  Walls,
} from '../network/reachability.ts';
import type { SecurityRule } from '../network/security-rules.ts';
import type { Store } from '../store/resource.ts';
import { networkOf } from './claims.ts';
import { childrenOf, isPresent } from './children.ts';
import { fabricIntent } from './fabric-intent.ts';
import { isPlatform } from './platform-network.ts';
import { platform } from './platform.ts';
import { connectionOf } from './private-endpoint/connection.ts';
import {
  privateEndpointType,
  type Endpoint,
  type EndpointProperties,
  type EndpointState,
} from './private-endpoint/schema.ts';
import { routeType, toRoute, type RouteProperties } from './route/schema.ts';
import { securityRuleType, toSecurityRule, type RuleProperties } from './security-rule/schema.ts';
import { settingsOf } from './settings.ts';
import { subnetsOf } from './subnet/kind.ts';
import type { Subnet, SubnetProperties, SubnetState } from './subnet/schema.ts';
import { peeringsOf } from './virtual-network-peering/find.ts';
import {
  virtualNetworkType,
  type VirtualNetwork,
  type VirtualNetworkProperties,
  type VirtualNetworkState,
} from './virtual-network/schema.ts';

/** A place's id is that of its machine in the fabric. */
export function wallsOf(store: Store): Walls {
  const all = store.list<VirtualNetworkProperties, VirtualNetworkState>(virtualNetworkType).filter(isPresent);
  const networks = all.filter((network) => !isPlatform(network));
  const intent = fabricIntent(store, settingsOf(store), []);
  const endpoints = store.list<EndpointProperties, EndpointState>(privateEndpointType).filter(isPresent);
  const groupOf = reading((subnet: Subnet) => standingGroup(store, subnet));
  const subnets = new Map(all.map((network) => [network.state.network, subnetsOf(store, network.id)]));
  const places = intent.machines.map((machine): Place => {
    const subnet = subnets.get(machine.network)?.find(({ name }) => name === machine.subnet);
    return {
      id: machine.id,
      network: machine.network,
      address: machine.address,
      allow: machine.allow,
      group: subnet ? groupOf(subnet) : noGroup,
      ...routesOf(store, subnet),
    };
  });
  return {
    networks: [
      { id: platform.network, prefixes: [platform.prefix], peers: [], internet: false },
      ...networks.map((network) => networkPlace(store, network)),
    ],
    places,
    endpoints: endpoints.flatMap((endpoint) => endpointPlace(store, endpoint)),
    members: membersOf(store, endpoints),
    tags: intent.serviceTags ?? {},
  };
}

/** Without a group nothing is filtered but by the platform. */
export const noGroup: StandingGroup = { id: null, rules: [] };

export function standingGroup(store: Pick<Store, 'list'>, subnet: Subnet): StandingGroup {
  const group = subnet.properties.networkSecurityGroup;
  return group ? { id: group.id, rules: rulesOf(store, group.id) } : noGroup;
}

const rulesOf = (store: Pick<Store, 'list'>, groupId: string): readonly SecurityRule[] =>
  childrenOf<RuleProperties>(store, securityRuleType, groupId).map(({ name, properties }) =>
    toSecurityRule(name, properties),
  );

export function routesOf(
  store: Pick<Store, 'list'>,
  subnet: Subnet | undefined,
): Pick<Place, 'routes' | 'routeTable'> {
  const table = subnet?.properties.routeTable;
  if (!table) return { routes: [], routeTable: null };
  return {
    routes: childrenOf<RouteProperties>(store, routeType, table.id).map(({ name, properties }) =>
      toRoute(name, properties),
    ),
    routeTable: table.id,
  };
}

/** A peer is one whose peering is connected; each side says by itself whether the other counts as its own. */
function networkPlace(store: Store, network: VirtualNetwork): NetworkPlace {
  const peers = peeringsOf(store, network.id)
    .filter(({ state }) => state.peeringState === 'Connected')
    .flatMap(({ properties }) => {
      const remote = store.get<VirtualNetworkProperties, VirtualNetworkState>(
        properties.remoteVirtualNetwork.id,
      );
      return remote && isPresent(remote)
        ? [{ id: remote.state.network, access: properties.allowVirtualNetworkAccess }]
        : [];
    });
  return {
    id: network.state.network,
    prefixes: network.properties.prefixes,
    peers,
    internet: true,
  };
}

function endpointPlace(store: Store, endpoint: Endpoint): readonly EndpointPlace[] {
  const network = store.get<VirtualNetworkProperties, VirtualNetworkState>(
    networkOf(endpoint.properties.subnetId),
  );
  if (!network) return [];
  return [
    {
      id: endpoint.id,
      network: network.state.network,
      address: endpoint.state.address,
      port: ports.wireguard,
      open: connectionOf(store, endpoint)?.properties.status === 'Approved',
      group: bindingGroup(store, endpoint),
    },
  ];
}

/** A subnet's group binds an endpoint only where the subnet's policies say so. */
function bindingGroup(store: Store, endpoint: Endpoint): StandingGroup {
  const subnet = store.get<SubnetProperties, SubnetState>(endpoint.properties.subnetId);
  const policies = subnet?.properties.privateEndpointNetworkPolicies ?? '';
  const binds = ['Enabled', 'NetworkSecurityGroupEnabled'].includes(policies);
  return subnet && binds ? standingGroup(store, subnet) : noGroup;
}

function membersOf(store: Store, endpoints: readonly Endpoint[]): Walls['members'] {
  const members: Record<string, Member[]> = {};
  for (const { properties, state } of endpoints) {
    const network = store.get<VirtualNetworkProperties, VirtualNetworkState>(networkOf(properties.subnetId));
    if (!network) continue;
    for (const { id } of properties.applicationSecurityGroups ?? [])
      (members[id.toLowerCase()] ??= []).push({ network: network.state.network, address: state.address });
  }
  return members;
}

/** Reads each group once: many machines stand in one subnet. */
function reading<T>(read: (subnet: Subnet) => T): (subnet: Subnet) => T {
  const known = new Map<string, T>();
  return (subnet) => {
    const found = known.get(subnet.id);
    if (found !== undefined) return found;
    const fresh = read(subnet);
    known.set(subnet.id, fresh);
    return fresh;
  };
}

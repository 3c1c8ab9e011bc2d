/**
 * What of a virtual network's walls and ways the fabric is told, read off the store in ARM's own shape: security groups,
 * routes, peerings. Pure. What isn't there says nothing; who names what isn't there is told to the fabric as it is, which
 * lets nothing pass then.
 */
import { sameId } from '../arm/id.ts';
import type { FabricNetwork, FabricSecurityGroup } from '../exchange/intents/fabric.ts';
import { networkTags, serviceTag, type SecurityRule } from '../network/security-rules.ts';
import type { Resource, Store } from '../store/resource.ts';
import { gateTags } from './operators-group.ts';
import { routeType, toRoute, type RouteProperties } from './route/schema.ts';
import { securityRuleType, toSecurityRule, type RuleProperties } from './security-rule/schema.ts';
import { peeringType, type PeeringProperties, type PeeringState } from './virtual-network-peering/schema.ts';
import {
  virtualNetworkType,
  type VirtualNetwork,
  type VirtualNetworkProperties,
  type VirtualNetworkState,
} from './virtual-network/schema.ts';

type Reading = Pick<Store, 'get' | 'list'>;
type FabricSubnet = FabricNetwork['subnets'][number];
type FabricRule = FabricSecurityGroup['rules'][number];

interface Reference {
  readonly id: string;
}

/** What a subnet names, beside its prefix. */
interface Named {
  readonly networkSecurityGroup?: Reference | null;
  readonly routeTable?: Reference | null;
  readonly privateEndpointNetworkPolicies?: string;
}

const childrenOf = <P, S>(store: Reading, type: string, parent: string): readonly Resource<P, S>[] =>
  store.list<P, S>(type, parent).filter(({ provisioningState }) => provisioningState !== 'Deleting');

/** Of a resource's id, so that two ways to write one id are one. */
const idOf = ({ id }: Reference): string => id.toLowerCase();

/** A subnet's group and routes; nothing where it names none. */
export function subnetWalls(store: Reading, named: Named): Pick<FabricSubnet, 'securityGroup' | 'routes'> {
  const { networkSecurityGroup, routeTable } = named;
  const listed = routeTable ? childrenOf<RouteProperties, unknown>(store, routeType, routeTable.id) : [];
  return {
    ...(networkSecurityGroup && { securityGroup: idOf(networkSecurityGroup) }),
    ...(listed.length > 0 && {
      routes: listed.map(({ name, properties }) => toRoute(name, properties)),
    }),
  };
}

/** The group and the application security groups that bind a private endpoint in a subnet. */
export function endpointWalls(
  named: Named | undefined,
  groups: readonly Reference[] | undefined,
): { readonly securityGroup?: string; readonly applicationSecurityGroups?: string[] } {
  const bound = ['Enabled', 'NetworkSecurityGroupEnabled'].includes(
    named?.privateEndpointNetworkPolicies ?? '',
  );
  return {
    ...(bound && named?.networkSecurityGroup && { securityGroup: idOf(named.networkSecurityGroup) }),
    ...(groups && groups.length > 0 && { applicationSecurityGroups: groups.map(idOf) }),
  };
}

/** Rules of a group, by the name that {@link subnetWalls} gives it; undefined: there is none. */
export const fabricGroup = (store: Reading, id: string): FabricSecurityGroup | undefined =>
  store.get(id) && {
    id,
    rules: childrenOf<RuleProperties, unknown>(store, securityRuleType, id).map(({ name, properties }) =>
      fabricRule(toSecurityRule(name, properties)),
    ),
  };

/** The fabric's own words for a rule: ids in one case, arrays of its own. */
function fabricRule({
  source,
  destination,
  sourcePorts,
  destinationPorts,
  ...rule
}: SecurityRule): FabricRule {
  const side = ({ prefixes, groups }: SecurityRule['source']) => ({
    prefixes: [...prefixes],
    groups: groups.map((id) => id.toLowerCase()),
  });
  return {
    ...rule,
    source: side(source),
    sourcePorts: [...sourcePorts],
    destination: side(destination),
    destinationPorts: [...destinationPorts],
  };
}

/**
 * Tags of services that these groups name. Those of what is reached by the gate lead to the gate's addresses, in every region;
 * none of the others has an address in the fabric.
 */
export const namedTags = (
  groups: readonly FabricSecurityGroup[],
  gate: readonly string[],
): Record<string, string[]> =>
  Object.fromEntries(
    groups
      .flatMap(({ rules }) =>
        rules.flatMap(({ source, destination }) => [...source.prefixes, ...destination.prefixes]),
      )
      .filter((text) => {
        const tag = serviceTag(text);
        return tag !== undefined && !networkTags.some((name) => name === tag.name);
      })
      .map((tag) => [tag, gateTags.some((name) => name === serviceTag(tag)!.name) ? [...gate] : []]),
  );

interface Peer {
  readonly network: VirtualNetwork;
  /** Whether this side lets the peer count as its own virtual network. */
  readonly access: boolean;
}

/** The networks that a network is connected with, in order of its peerings. */
export function peersOf(store: Reading, networkId: string): readonly Peer[] {
  return connectedFrom(store, networkId).flatMap(({ properties }) => {
    const { remoteVirtualNetwork, allowVirtualNetworkAccess } = properties;
    const network = store.get<VirtualNetworkProperties, VirtualNetworkState>(remoteVirtualNetwork.id);
    if (network?.type !== virtualNetworkType || network.provisioningState === 'Deleting') return [];
    const isMutual = connectedFrom(store, network.id).some((back) =>
      sameId(back.properties.remoteVirtualNetwork.id, networkId),
    );
    return isMutual ? [{ network, access: allowVirtualNetworkAccess !== false }] : [];
  });
}

const connectedFrom = (store: Reading, networkId: string) =>
  childrenOf<PeeringProperties, PeeringState>(store, peeringType, networkId).filter(
    ({ state }) => state.peeringState === 'Connected',
  );

/** From where CQL is let in: the virtual network itself and the peers that it gives access. */
export const clientPrefixes = (store: Reading, networkId: string): readonly string[] => [
  ...(store.get<VirtualNetworkProperties>(networkId)?.properties.prefixes ?? []),
  ...peersOf(store, networkId).flatMap(({ network, access }) => (access ? network.properties.prefixes : [])),
];

/**
 * What of a virtual network's walls and ways the fabric is told, read off the store in ARM's own shape: security groups,
 * routes, peerings. Pure. What isn't there says nothing; who names what isn't there is told to the fabric as it is, which
 * lets nothing pass then.
 */
import { isIPv4 } from 'node:net';
import { sameId } from '../arm/id.ts';
import type { FabricNetwork, FabricSecurityGroup } from '../exchange/intents/fabric.ts';
import { formatServiceTag, networkTags, serviceTag } from '../network/security-rules.ts';
import type { Resource, Store } from '../store/resource.ts';
import {
  virtualNetworkType,
  type VirtualNetwork,
  type VirtualNetworkProperties,
  type VirtualNetworkState,
} from './virtual-network/schema.ts';

type Reading = Pick<Store, 'get' | 'list'>;
type FabricSubnet = FabricNetwork['subnets'][number];
type FabricRule = FabricSecurityGroup['rules'][number];
type FabricRoute = NonNullable<FabricSubnet['routes']>[number];

interface Reference {
  readonly id: string;
}

/** What a subnet names, beside its prefix. */
interface Named {
  readonly networkSecurityGroup?: Reference | null;
  readonly routeTable?: Reference | null;
  readonly privateEndpointNetworkPolicies?: string;
}

interface StoredRule extends Pick<FabricRule, 'priority' | 'direction' | 'access' | 'protocol'> {
  readonly sourceAddressPrefix?: string;
  readonly sourceAddressPrefixes?: readonly string[];
  readonly sourceApplicationSecurityGroups?: readonly Reference[];
  readonly sourcePortRange?: string;
  readonly sourcePortRanges?: readonly string[];
  readonly destinationAddressPrefix?: string;
  readonly destinationAddressPrefixes?: readonly string[];
  readonly destinationApplicationSecurityGroups?: readonly Reference[];
  readonly destinationPortRange?: string;
  readonly destinationPortRanges?: readonly string[];
}

interface StoredRoute {
  readonly addressPrefix: string;
  readonly nextHopType: FabricRoute['nextHopType'];
  readonly nextHopIpAddress?: string | null;
}

interface StoredPeering {
  readonly remoteVirtualNetwork: Reference;
  readonly allowVirtualNetworkAccess?: boolean;
}

const securityRules = 'Microsoft.Network/networkSecurityGroups/securityRules';
const routes = 'Microsoft.Network/routeTables/routes';
const peerings = 'Microsoft.Network/virtualNetworks/virtualNetworkPeerings';

const childrenOf = <P, S>(store: Reading, type: string, parent: string): readonly Resource<P, S>[] =>
  store.list<P, S>(type, parent).filter(({ provisioningState }) => provisioningState !== 'Deleting');

/** Of a resource's id, so that two ways to write one id are one. */
const idOf = ({ id }: Reference): string => id.toLowerCase();

/** A subnet's group and routes; nothing where it names none. */
export function subnetWalls(store: Reading, named: Named): Pick<FabricSubnet, 'securityGroup' | 'routes'> {
  const { networkSecurityGroup, routeTable } = named;
  const listed = routeTable ? childrenOf<StoredRoute, unknown>(store, routes, routeTable.id) : [];
  return {
    ...(networkSecurityGroup && { securityGroup: idOf(networkSecurityGroup) }),
    ...(listed.length > 0 && {
      routes: listed.map(({ name, properties }) => ({
        name,
        prefix: properties.addressPrefix,
        nextHopType: properties.nextHopType,
        nextHopAddress: properties.nextHopIpAddress ?? null,
      })),
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

/** Rules of the groups that are named, by the names that {@link subnetWalls} gives them. */
export const namedGroups = (store: Reading, ids: readonly string[]): FabricSecurityGroup[] =>
  [...new Set(ids)]
    .filter((id) => store.get(id) !== undefined)
    .map((id) => ({
      id,
      rules: childrenOf<StoredRule, unknown>(store, securityRules, id).map(({ name, properties }) =>
        ruleOf(name, properties),
      ),
    }));

function ruleOf(name: string, rule: StoredRule): FabricRule {
  const side = (
    one: string | undefined,
    several: readonly string[] | undefined,
    groups: readonly Reference[] | undefined,
  ) => ({
    prefixes: (several?.length ? several : one ? [one] : []).map(canonical),
    groups: (groups ?? []).map(idOf),
  });
  const ports = (one: string | undefined, several: readonly string[] | undefined): string[] =>
    several?.length ? [...several] : [one || '*'];
  return {
    name,
    priority: rule.priority,
    direction: rule.direction,
    access: rule.access,
    protocol: rule.protocol,
    source: side(rule.sourceAddressPrefix, rule.sourceAddressPrefixes, rule.sourceApplicationSecurityGroups),
    sourcePorts: ports(rule.sourcePortRange, rule.sourcePortRanges),
    destination: side(
      rule.destinationAddressPrefix,
      rule.destinationAddressPrefixes,
      rule.destinationApplicationSecurityGroups,
    ),
    destinationPorts: ports(rule.destinationPortRange, rule.destinationPortRanges),
  };
}

/** An address or a prefix as a prefix, a tag in its own case. */
function canonical(text: string): string {
  if (isIPv4(text)) return `${text}/32`;
  const tag = serviceTag(text);
  return tag ? formatServiceTag(tag) : text;
}

/** Tags of services that these groups name. None of the services has an address in the fabric yet. */
export const namedTags = (groups: readonly FabricSecurityGroup[]): Record<string, string[]> =>
  Object.fromEntries(
    groups
      .flatMap(({ rules }) =>
        rules.flatMap(({ source, destination }) => [...source.prefixes, ...destination.prefixes]),
      )
      .filter((text) => {
        const tag = serviceTag(text);
        return tag !== undefined && !networkTags.some((name) => name === tag.name);
      })
      .map((tag) => [tag, []]),
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
  childrenOf<StoredPeering, { readonly peeringState?: string }>(store, peerings, networkId).filter(
    ({ state }) => state.peeringState === 'Connected',
  );

/** From where CQL is let in: the virtual network itself and the peers that it gives access. */
export const clientPrefixes = (store: Reading, networkId: string): readonly string[] => [
  ...(store.get<VirtualNetworkProperties>(networkId)?.properties.prefixes ?? []),
  ...peersOf(store, networkId).flatMap(({ network, access }) => (access ? network.properties.prefixes : [])),
];

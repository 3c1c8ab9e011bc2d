/** What stands around an interface, all told: the rules of its subnet's group with the default ones, and its routes. */
import type { JsonObject, Resource, Store } from '../../store/resource.ts';
import { effectiveRoutes, judgedRules, type Place, type StandingGroup } from '../../network/reachability.ts';
import type { SecurityRule } from '../../network/security-rules.ts';
import { defaultSecurityRules } from '../../network/security-rules.ts';
import { networkOf } from '../claims.ts';
import { platform } from '../platform.ts';
import type { Subnet } from '../subnet/schema.ts';
import type { VirtualNetworkProperties, VirtualNetworkState } from '../virtual-network/schema.ts';
import { noGroup, routesOf, standingGroup, wallsOf } from '../walls.ts';
import type { InterfaceProperties, InterfaceState } from './schema.ts';

type Row = Resource<InterfaceProperties, InterfaceState>;

const subnetOf = (store: Store, { properties }: Row): Subnet | undefined =>
  properties.subnetId === null
    ? undefined
    : (store.get(properties.subnetId) as unknown as Subnet | undefined);

export function effectiveGroups(store: Store, row: Row): JsonObject {
  const subnet = subnetOf(store, row);
  const group = subnet ? standingGroup(store, subnet) : noGroup;
  if (group.id === null) return { value: [] };
  return {
    value: [
      {
        networkSecurityGroup: { id: group.id },
        association: { ...(subnet && { subnet: { id: subnet.id } }) },
        effectiveSecurityRules: effectiveRules(group),
      },
    ],
  };
}

export const effectiveRules = (group: StandingGroup): readonly JsonObject[] =>
  (['Inbound', 'Outbound'] as const).flatMap((direction) =>
    judgedRules(group, direction).map((rule) => ({
      name: ruleName(rule),
      protocol: rule.protocol === '*' ? 'All' : rule.protocol,
      ...portsOf('source', rule.sourcePorts),
      ...portsOf('destination', rule.destinationPorts),
      ...side('source', rule.source),
      ...side('destination', rule.destination),
      access: rule.access,
      priority: rule.priority,
      direction: rule.direction,
    })),
  );

/** As Network Watcher names rules. */
export const ruleName = (rule: SecurityRule): string =>
  `${defaultSecurityRules.includes(rule) ? 'defaultSecurityRules' : 'securityRules'}/${rule.name}`;

const portsOf = (name: 'source' | 'destination', ports: readonly string[]): JsonObject => {
  const ranges = ports.map((port) =>
    port === '*' ? '0-65535' : port.includes('-') ? port : `${port}-${port}`,
  );
  return { [`${name}PortRange`]: ranges[0] ?? '0-65535', [`${name}PortRanges`]: ranges };
};

function side(name: 'source' | 'destination', { prefixes, groups }: SecurityRule['source']): JsonObject {
  const texts = prefixes.map((prefix) => (prefix === '*' ? '0.0.0.0/0' : prefix));
  return {
    [`${name}AddressPrefix`]: texts[0] ?? '',
    [`${name}AddressPrefixes`]: texts,
    ...(groups.length > 0 && { [`${name}ApplicationSecurityGroups`]: groups.map((id) => ({ id })) }),
  };
}

export function effectiveRouteTable(store: Store, row: Row): JsonObject {
  const subnet = subnetOf(store, row);
  const network =
    row.properties.subnetId === null
      ? undefined
      : store.get<VirtualNetworkProperties, VirtualNetworkState>(networkOf(row.properties.subnetId));
  const place: Place = {
    id: row.id,
    network: network?.state.network ?? platform.network,
    address: row.properties.address,
    allow: null,
    group: noGroup,
    ...routesOf(store, subnet),
  };
  return {
    value: effectiveRoutes(wallsOf(store), place).map((route) => ({
      ...(route.name !== null && { name: route.name }),
      disableBgpRoutePropagation: false,
      source: route.name === null ? 'Default' : 'User',
      state: route.active ? 'Active' : 'Invalid',
      addressPrefix: [route.prefix],
      nextHopType: route.hop,
      nextHopIpAddress: route.address === null ? [] : [route.address],
    })),
  };
}

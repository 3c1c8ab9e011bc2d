/**
 * What the walls outside a machine let through, and where packets go, as a pure model: security groups, the platform policy,
 * routes, peerings and private endpoints. Questions about the network are answered from here. It must ask no kernel: what
 * the kernel holds is made from the same data, and `verify` holds it against real packets.
 */
import type { AllowRule } from '../exchange/intents/fabric.ts';
import { containsAddress, containsPrefix, inAnyPrefix, parsePrefix } from '../lib/ip.ts';
import { loadBalancer } from './ranges.ts';
import {
  defaultSecurityRules,
  type Route,
  type RuleDirection,
  type RuleSide,
  type SecurityRule,
} from './security-rules.ts';

/** A group where it stands. `id` null: none is named there, and nothing is filtered. */
export interface StandingGroup {
  readonly id: string | null;
  readonly rules: readonly SecurityRule[];
}

/** One interface: an address in a network, behind its walls. */
export interface Place {
  readonly id: string;
  readonly network: string;
  readonly address: string;
  /** The platform policy; null: no bound but the groups. */
  readonly allow: readonly AllowRule[] | null;
  /** Of its subnet. */
  readonly group: StandingGroup;
  /** Of the interface itself; left out: none. */
  readonly ownGroup?: StandingGroup;
  /** The user's routes, and the id of their table. */
  readonly routes: readonly Route[];
  readonly routeTable: string | null;
}

export interface NetworkPlace {
  readonly id: string;
  readonly prefixes: readonly string[];
  /** Networks that it is connected with. `access`: it counts them as its own virtual network. */
  readonly peers: readonly { readonly id: string; readonly access: boolean }[];
  readonly internet: boolean;
}

/** A private endpoint's address. */
export interface EndpointPlace {
  readonly id: string;
  readonly network: string;
  readonly address: string;
  /** UDP, the one port that leads on. */
  readonly port: number;
  readonly open: boolean;
  /** Its subnet's group, where the subnet's policies bind endpoints. */
  readonly group: StandingGroup;
  /** The machine that it leads to; left out: unknown. */
  readonly operator?: string | undefined;
}

export interface Walls {
  readonly networks: readonly NetworkPlace[];
  readonly places: readonly Place[];
  readonly endpoints: readonly EndpointPlace[];
  /** Members of application security groups, by the group's id in lower case. */
  readonly members: Readonly<Record<string, readonly Member[]>>;
  /** Prefixes of service tags, by their name with or without region; a tag that isn't here has none. */
  readonly tags: Readonly<Record<string, readonly string[]>>;
}

export interface Member {
  readonly network: string;
  readonly address: string;
}

export type FlowProtocol = 'Tcp' | 'Udp' | 'Icmp';

export interface End {
  readonly address: string;
  /** Null: any, or none. */
  readonly port: number | null;
}

export interface Flow {
  readonly protocol: FlowProtocol;
  readonly source: End;
  readonly destination: End;
}

export type Verdict =
  | {
      readonly access: 'Allow' | 'Deny';
      readonly by: 'group';
      readonly group: string | null;
      readonly rule: SecurityRule;
      readonly isDefault: boolean;
    }
  | { readonly access: 'Deny'; readonly by: 'platform' }
  | { readonly access: 'Allow' | 'Deny'; readonly by: 'no group' };

/** Private, shared and local ranges: what isn't in the network leads nowhere, and is no internet. */
export const nowhere: readonly string[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '224.0.0.0/3',
];

/** Multicast and broadcast: a virtual network carries neither, whatever a route says. */
const toMany: readonly string[] = ['224.0.0.0/4', '255.255.255.255/32'];

/** The networks that a network is connected with, with access or without. */
function peersOf(walls: Walls, network: string, access: readonly boolean[]): readonly NetworkPlace[] {
  const peers = walls.networks
    .find(({ id }) => id === network)
    ?.peers.filter((peer) => access.includes(peer.access));
  return walls.networks.filter((other) => peers?.some(({ id }) => id === other.id));
}

/** A network and all that it is connected with, by id. */
const nearTo = (walls: Walls, network: string): readonly string[] => [
  network,
  ...peersOf(walls, network, [true, false]).map(({ id }) => id),
];

/** What stands for VirtualNetwork at a place: the address spaces of its network and of the peers that have access. */
function ownPrefixes(walls: Walls, network: string): readonly string[] {
  const own = walls.networks.find(({ id }) => id === network);
  return [...(own?.prefixes ?? []), ...peersOf(walls, network, [true]).flatMap(({ prefixes }) => prefixes)];
}

/**
 * Whether a flow may pass a place's walls: its group first, as its owner sets it, then the platform policy, which a group
 * can only narrow.
 */
export function judge(walls: Walls, place: Place, direction: RuleDirection, flow: Flow): Verdict {
  const passes = passesPlatform(place, direction, flow);
  const groups = groupsAt(place, direction);
  if (groups.length === 0) {
    // A peer without access is let in by a rule alone that names it.
    const far = direction === 'Inbound' ? flow.source.address : flow.destination.address;
    const strangers = peersOf(walls, place.network, [false]).flatMap(({ prefixes }) => prefixes);
    if (inAnyPrefix(far, strangers)) return { access: 'Deny', by: 'no group' };
    return passes ? { access: 'Allow', by: 'no group' } : { access: 'Deny', by: 'platform' };
  }
  const said = groups.map((group) => {
    const rule = matching(walls, place, group, direction, flow);
    const isDefault = defaultSecurityRules.includes(rule);
    return { access: rule.access, by: 'group', group: group.id, rule, isDefault } as const;
  });
  // All must agree: the first that denies decides, and of those that allow the last.
  const decides = said.find(({ access }) => access === 'Deny') ?? said.at(-1)!;
  if (decides.access === 'Deny' || passes) return decides;
  return { access: 'Deny', by: 'platform' };
}

/** The groups that judge at a place, in the order in which packets meet them. */
function groupsAt({ group, ownGroup }: Place, direction: RuleDirection): readonly StandingGroup[] {
  const standing = [group, ...(ownGroup ? [ownGroup] : [])].filter(({ id }) => id !== null);
  return direction === 'Inbound' ? standing : standing.toReversed();
}

/** All rules that are judged at a place, in the order in which they are. */
export const judgedRules = (group: StandingGroup, direction: RuleDirection): readonly SecurityRule[] =>
  [...group.rules, ...defaultSecurityRules]
    .filter((rule) => rule.direction === direction)
    .sort((a, b) => a.priority - b.priority);

function matching(
  walls: Walls,
  place: Place,
  group: StandingGroup,
  direction: RuleDirection,
  flow: Flow,
): SecurityRule {
  const found = judgedRules(group, direction).find(
    (rule) =>
      (rule.protocol === '*' || rule.protocol === flow.protocol) &&
      holdsSide(walls, place, rule.source, flow.source.address) &&
      holdsSide(walls, place, rule.destination, flow.destination.address) &&
      (flow.protocol === 'Icmp' ||
        (holdsPort(rule.sourcePorts, flow.source.port) &&
          holdsPort(rule.destinationPorts, flow.destination.port))),
  );
  // The default rules end with one that matches everything.
  return (
    found ?? defaultSecurityRules.find((rule) => rule.direction === direction && rule.priority === 65500)!
  );
}

const holdsSide = (walls: Walls, place: Place, side: RuleSide, address: string): boolean =>
  side.prefixes.some((text) => holds(walls, place, text, address)) ||
  side.groups.some((group) =>
    (walls.members[group.toLowerCase()] ?? []).some(
      (member) => member.address === address && nearTo(walls, place.network).includes(member.network),
    ),
  );

function holds(walls: Walls, place: Place, text: string, address: string): boolean {
  if (text === '*') return true;
  const prefix = parsePrefix(text);
  if (prefix) return containsAddress(prefix, address);
  if (text === 'VirtualNetwork') return inAnyPrefix(address, ownPrefixes(walls, place.network));
  if (text === 'AzureLoadBalancer') return address === loadBalancer.split('/')[0];
  if (text === 'Internet') return isInternet(walls, place.network, address);
  return inAnyPrefix(address, walls.tags[text] ?? []);
}

const isInternet = (walls: Walls, network: string, address: string): boolean =>
  !inAnyPrefix(address, [...ownPrefixes(walls, network), ...nowhere]);

function holdsPort(ranges: readonly string[], port: number | null): boolean {
  if (ranges.includes('*')) return true;
  return ranges.some((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return port === null ? first === 0 && last === 65535 : port >= first! && port <= last!;
  });
}

function passesPlatform({ allow }: Place, direction: RuleDirection, flow: Flow): boolean {
  if (allow === null) return true;
  const way = direction === 'Inbound' ? 'in' : 'out';
  const far = direction === 'Inbound' ? flow.source.address : flow.destination.address;
  return allow.some(
    (rule) =>
      rule.direction === way &&
      rule.protocol === flow.protocol.toLowerCase() &&
      rule.port === flow.destination.port &&
      inAnyPrefix(far, rule.remote),
  );
}

/** The last is a private endpoint's address, which no route of the user's overrides. */
export type HopType = Route['nextHopType'] | 'VNetPeering' | 'InterfaceEndpoint';

export interface EffectiveRoute {
  /** Null: one of the system's. */
  readonly name: string | null;
  readonly prefix: string;
  readonly hop: HopType;
  readonly address: string | null;
  /** False: a route of the user's for the same prefix stands in its place. */
  readonly active: boolean;
}

/** The routes of a place: the system's, and the user's over them. */
export function effectiveRoutes(walls: Walls, place: Place): readonly EffectiveRoute[] {
  const network = walls.networks.find(({ id }) => id === place.network);
  const near = nearTo(walls, place.network);
  const peers = peersOf(walls, place.network, [true, false]);
  const doors = walls.endpoints.filter((endpoint) => near.includes(endpoint.network));
  const isDoor = (prefix: string): boolean => doors.some(({ address }) => prefix === `${address}/32`);
  const system: readonly (readonly [string, HopType])[] = [
    ...(network?.prefixes ?? []).map((prefix) => [prefix, 'VnetLocal'] as const),
    ...peers.flatMap(({ prefixes }) => prefixes.map((prefix) => [prefix, 'VNetPeering'] as const)),
    ...doors.map(({ address }) => [`${address}/32`, 'InterfaceEndpoint'] as const),
    ['0.0.0.0/0', network?.internet ? 'Internet' : 'None'],
    ...nowhere.map((prefix) => [prefix, 'None'] as const),
  ];
  const known = new Set<string>();
  const own = system.filter(([prefix]) => !known.has(prefix) && known.add(prefix));
  return [
    ...own.map(([prefix, hop]) => ({
      name: null,
      prefix,
      hop,
      address: null,
      active: isDoor(prefix) || !place.routes.some((route) => route.prefix === prefix),
    })),
    ...place.routes.map((route) => ({
      name: route.name,
      prefix: route.prefix,
      hop: route.nextHopType,
      address: route.nextHopAddress,
      active: !isDoor(route.prefix),
    })),
  ];
}

/** The route that a packet from a place to an address takes: the longest prefix that holds it. */
export function routeTo(walls: Walls, place: Place, address: string): EffectiveRoute {
  const [best] = effectiveRoutes(walls, place)
    .filter(({ active, prefix }) => active && inAnyPrefix(address, [prefix]))
    .sort((a, b) => lengthOf(b.prefix) - lengthOf(a.prefix));
  return best!;
}

const lengthOf = (prefix: string): number => Number(prefix.split('/')[1]);

export type Reached =
  | {
      readonly reached: true;
      readonly at: string;
      readonly route: EffectiveRoute;
      /** The far side's route to the source, where it doesn't lead back: what is answered gets lost. Null: it does. */
      readonly astray: EffectiveRoute | null;
    }
  | {
      readonly reached: false;
      readonly why: 'group out' | 'group in' | 'platform out' | 'platform in' | 'route' | 'nobody' | 'link';
      readonly verdict: Verdict | null;
      readonly route: EffectiveRoute;
      /** The far side's place, where the flow got there; with `route`, the appliance that it was led to and into. */
      readonly at: string | null;
    };

/** Whether a flow from a place comes to its destination, and what stops it if not: out, along the route, and in. */
export function reach(walls: Walls, from: Place, flow: Flow): Reached {
  const route = routeTo(walls, from, flow.destination.address);
  const out = judge(walls, from, 'Outbound', flow);
  const stop = (
    why: Extract<Reached, { reached: false }>['why'],
    verdict: Verdict | null = null,
    at: string | null = null,
  ): Reached => ({ reached: false, why, verdict, route, at });
  if (out.access === 'Deny') return stop(out.by === 'platform' ? 'platform out' : 'group out', out);
  const { address, port } = flow.destination;
  if (inAnyPrefix(address, toMany)) return stop('route');
  if (!delivers(walls, from, route, address)) return stop('route', null, appliance(walls, from, route, flow));
  if (route.hop === 'Internet') return { reached: true, at: 'Internet', route, astray: null };
  const networks = nearTo(walls, from.network);
  const endpoint = walls.endpoints.find((one) => one.address === address && networks.includes(one.network));
  if (endpoint) {
    const door: Place = { ...endpoint, allow: null, routes: [], routeTable: null };
    const into = judge(walls, door, 'Inbound', flow);
    if (into.access === 'Deny') return stop('group in', into, endpoint.id);
    const passes = endpoint.open && flow.protocol === 'Udp' && endpoint.port === port;
    return passes ? { reached: true, at: endpoint.id, route, astray: null } : stop('link', null, endpoint.id);
  }
  const to = walls.places.find((one) => one.address === address && networks.includes(one.network));
  if (!to) return stop('nobody');
  const into = judge(walls, to, 'Inbound', flow);
  if (into.access === 'Deny') return stop(into.by === 'platform' ? 'platform in' : 'group in', into, to.id);
  const back = routeTo(walls, to, flow.source.address);
  const astray = delivers(walls, to, back, flow.source.address) ? null : back;
  return { reached: true, at: to.id, route, astray };
}

/** Whether a route leads from a place to the owner of an address, or out to the internet where it is one of its. */
function delivers(walls: Walls, from: Place, route: EffectiveRoute, address: string): boolean {
  switch (route.hop) {
    case 'None':
    case 'VirtualNetworkGateway':
      return false;
    case 'VirtualAppliance':
      // Led to whom it is for anyway.
      return route.address === address && applianceOf(walls, from, route) !== undefined;
    case 'Internet': {
      const near = [from.network, ...peersOf(walls, from.network, [true, false]).map(({ id }) => id)];
      const networks = walls.networks.filter(({ id }) => near.includes(id));
      const hasWayOut = networks.some(({ id, internet }) => id === from.network && internet);
      return (
        hasWayOut && !inAnyPrefix(address, [...nowhere, ...networks.flatMap(({ prefixes }) => prefixes)])
      );
    }
    case 'VnetLocal': {
      const own = walls.networks.find(({ id }) => id === from.network)?.prefixes ?? [];
      return own.some((prefix) => containsPrefix(parsePrefix(prefix)!, parsePrefix(route.prefix)!));
    }
    case 'VNetPeering':
    case 'InterfaceEndpoint':
      return true;
  }
}

/** The machine that a route names: one of the same network, and none with a written policy, which takes only its own. */
const applianceOf = (walls: Walls, from: Place, route: EffectiveRoute): Place | undefined =>
  walls.places.find(
    ({ network, address, allow }) => network === from.network && address === route.address && allow === null,
  );

/** The appliance that a packet is led to and that its walls take in. What is bound by a policy is led to nobody. */
function appliance(walls: Walls, from: Place, route: EffectiveRoute, flow: Flow): string | null {
  if (route.hop !== 'VirtualAppliance' || from.allow !== null) return null;
  const to = applianceOf(walls, from, route);
  return to && judge(walls, to, 'Inbound', flow).access === 'Allow' ? to.id : null;
}

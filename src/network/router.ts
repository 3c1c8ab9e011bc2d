/**
 * A virtual network's router, as a plan. Everything is routed, nothing bridged: each interface has a cable and a /32 of
 * its own, and the router answers for all neighbours. What no rule names is dropped.
 */
import { ipv4ToNumber, numberToIpv4, parsePrefix } from '../lib/ip.ts';
import { interfaceTable, markOf, type Interface } from './interface.ts';
import { mergePrefixes } from './intervals.ts';
import { judgeChains, type Judged, type SecurityGroups } from './judges.ts';
import type { DeviceShall, NamespaceShall } from './namespace.ts';
import { nftSet } from './nft.ts';
import type { NftTable } from './nft-table.ts';
import { notInternet } from './ranges.ts';
import { deliveryRecorder, deviceRecorder } from './recorder.ts';
import { routeTableLines } from './route-table.ts';
import type { SecurityNames } from './security-group.ts';
import type { Route } from './security-rules.ts';
import { shortcuts } from './shortcuts.ts';

/** A machine's cable: `cable` is null while the machine does not run. */
export interface RouterNic extends Interface, Judged {
  readonly cable: DeviceShall | null;
  /** The number of its subnet's route table; null: the network's own routes alone. */
  readonly routeTable: number | null;
}

/** Where a private endpoint's address lies: a cable to the link, which takes one UDP port. */
export interface ConsumerEnd {
  readonly cable: DeviceShall;
  readonly address: string;
  readonly port: number;
  /** Groups of its subnet, where that one's policies bind private endpoints. */
  readonly security: readonly string[];
}

/** Where a private link comes out at the provider: packets from one address to one, on one UDP port. */
export interface ProviderEnd {
  readonly cable: DeviceShall;
  readonly natAddress: string;
  readonly destination: string;
  readonly port: number;
}

export interface InternetEnd {
  readonly cable: DeviceShall;
  /** The router's own address on the cable, which all its machines share outside. */
  readonly address: string;
  readonly gateway: string;
}

/** A peered network's router: only what lies in that network's own address space comes from there or goes there. */
export interface PeerEnd {
  readonly cable: DeviceShall;
  readonly prefixes: readonly string[];
  /** False: nothing but what a rule of the user's names passes to it or from it. */
  readonly access: boolean;
  /** Addresses of its private endpoints. */
  readonly endpoints: readonly string[];
}

export interface RouterPlanInput {
  readonly name: string;
  readonly prefixes: readonly string[];
  readonly subnets: readonly string[];
  readonly nics: readonly RouterNic[];
  readonly consumers: readonly ConsumerEnd[];
  readonly providers: readonly ProviderEnd[];
  readonly internet: InternetEnd | null;
  readonly peers: readonly PeerEnd[];
  /** By the names that interfaces know them by. */
  readonly groups: SecurityGroups;
  /** Of the tables that interfaces name, by number. */
  readonly routeTables: Readonly<Record<number, readonly Route[]>>;
  readonly names: Pick<SecurityNames, 'serviceTags' | 'members'>;
}

/** The address of the next hop on a link's cable. It is nobody's: the neighbour entry is written down. */
export const linkHop = '169.254.1.1';

/** Shared by all namespaces that pass packets on. */
export const forwardingSysctls: Readonly<Record<string, string>> = {
  'ipv6/conf/all/disable_ipv6': '1',
  'ipv6/conf/default/disable_ipv6': '1',
  'ipv4/conf/all/rp_filter': '0',
  'ipv4/conf/default/rp_filter': '0',
  'ipv4/conf/all/accept_redirects': '0',
  'ipv4/conf/all/send_redirects': '0',
  'ipv4/conf/default/send_redirects': '0',
  'ipv4/conf/all/accept_source_route': '0',
  'ipv4/conf/default/accept_source_route': '0',
  'ipv4/ip_forward': '1',
  'netfilter/nf_conntrack_udp_timeout?': '240',
  'netfilter/nf_conntrack_udp_timeout_stream?': '240',
};

/** A router that answers ARP for what it can reach, at once. */
export const proxyArpSysctls = (device: string): Readonly<Record<string, string>> => ({
  [`ipv4/conf/${device}/proxy_arp`]: '1',
  [`ipv4/neigh/${device}/proxy_delay`]: '0',
});

export const gatewayOf = (subnet: string): string => numberToIpv4(ipv4ToNumber(subnet.split('/')[0]!) + 1);

export function planRouter(input: RouterPlanInput): NamespaceShall {
  for (const prefix of [...input.prefixes, ...input.subnets]) {
    if (!parsePrefix(prefix)) throw new Error(`'${prefix}' is not an IPv4 prefix.`);
  }
  const running = input.nics.filter((nic) => nic.cable !== null);
  const ends = [...input.consumers, ...input.providers, ...input.peers];
  const peered = mergePrefixes(input.peers.flatMap(({ prefixes }) => prefixes));
  const devices = [
    ...running.map((nic) => nic.cable!),
    ...ends.map(({ cable }) => cable),
    ...(input.internet ? [input.internet.cable] : []),
  ];
  return {
    name: input.name,
    sysctls: forwardingSysctls,
    setup: { ipv4: [], ipv6: [] },
    devices,
    addresses: [
      ...input.subnets.map((subnet) => `${gatewayOf(subnet)}/32 dev lo`),
      ...(input.internet ? [`${input.internet.address}/30 dev ${input.internet.cable.name}`] : []),
    ],
    routes: [
      ...running.map(({ address, device }) => `${address}/32 dev ${device}`),
      ...input.consumers.map(({ address, cable }) => `${address}/32 via ${linkHop} dev ${cable.name} onlink`),
      ...input.providers.map(
        ({ natAddress, cable }) => `${natAddress}/32 via ${linkHop} dev ${cable.name} onlink`,
      ),
      ...input.peers.flatMap(({ prefixes, cable }) =>
        mergePrefixes(prefixes).map((prefix) => `${prefix} via ${linkHop} dev ${cable.name} onlink`),
      ),
      // Azure's system routes: a private range that isn't the network's own, or a peer's, leads nowhere, as do reserved ones.
      ...[...new Set([...notInternet, ...mergePrefixes(input.prefixes)])]
        .filter((prefix) => !peered.includes(prefix))
        .map((prefix) => `blackhole ${prefix}`),
      ...(input.internet ? [`default via ${input.internet.gateway} dev ${input.internet.cable.name}`] : []),
      ...userRoutes(input, peered),
    ],
    // Machines too: the router would ask in the name of any of its addresses, and a node's door answers its own subnet only.
    neighbours: [
      ...ends.map(({ cable }) => `${linkHop} lladdr ${cable.far.mac} dev ${cable.name}`),
      ...running.map(({ address, cable }) => `${address} lladdr ${cable!.far.mac} dev ${cable!.name}`),
    ],
    rules: running
      .filter(({ routeTable }) => routeTable !== null)
      .map(({ device, routeTable }) => `iif ${device} lookup ${routeTable}`),
    tables: [
      routerTable(input),
      deliveryRecorder,
      ...running.flatMap((nic) => [deviceRecorder(nic.device), interfaceTable(nic)]),
      ...input.providers.map(({ cable }) => deviceRecorder(cable.name)),
    ],
  };
}

function userRoutes(input: RouterPlanInput, peered: readonly string[]): readonly string[] {
  const { internet } = input;
  const world = {
    prefixes: mergePrefixes(input.prefixes),
    peers: peered,
    endpoints: [
      ...input.consumers.map(({ address }) => address),
      ...input.peers.flatMap(({ endpoints }) => endpoints),
    ],
    // What has a written policy takes only what is addressed to itself.
    appliances: new Map(
      input.nics
        .filter(({ allow }) => allow === null)
        .map(({ address, device, cable }) => [address, cable === null ? null : device]),
    ),
    internet: internet && { gateway: internet.gateway, device: internet.cable.name },
  };
  return Object.entries(input.routeTables).flatMap(([number, routes]) =>
    routeTableLines(Number(number), routes, world),
  );
}

const quoted = (devices: readonly string[]): string => nftSet(devices.map((device) => `"${device}"`));

/** One transaction replaces it as a whole. Cheapest first: a known flow's packet meets two look-ups and its own rules. */
function routerTable(input: RouterPlanInput): NftTable {
  const { nics, consumers, providers, internet, peers } = input;
  const private_ = mergePrefixes([
    ...input.prefixes,
    ...peers.flatMap(({ prefixes }) => prefixes),
    ...notInternet,
  ]);
  const judges = judgeChains(
    [
      ...nics,
      ...consumers.map(({ cable, address, security }) => ({
        device: cable.name,
        address,
        allow: null,
        security,
      })),
    ],
    input.groups,
    {
      virtualNetwork: [...input.prefixes, ...peersOf(peers, true)],
      blocked: peersOf(peers, false),
      ...input.names,
    },
  );
  const machines = nics.map(({ device }) => device);
  const bound = nics.filter(({ allow }) => allow !== null);
  const outside = [...providers.map(({ cable }) => cable.name), ...(internet ? [internet.cable.name] : [])];
  const body = [
    '  chain raw { type filter hook prerouting priority raw; policy drop;',
    // Who has passed the wall of an interface; nothing else comes with a mark, for a cable takes it off.
    '    meta mark != 0 accept',
    '    meta nfproto ipv6 drop',
    ...consumers.map(
      ({ cable, address }) => `    iifname "${cable.name}" meta mark set ${markOf(address)} accept`,
    ),
    ...(outside.length > 0 ? [`    iifname ${quoted(outside)} accept`] : []),
    ...peers.map(
      ({ cable, prefixes }) =>
        `    iifname "${cable.name}" ip saddr ${nftSet(mergePrefixes(prefixes))} accept`,
    ),
    '  }',
    '  chain input { type filter hook input priority filter; policy drop;',
    '  }',
    '  chain output { type filter hook output priority filter; policy drop;',
    '  }',
    '  chain forward { type filter hook forward priority filter; policy drop;',
    // A network that keeps a peer out judges every packet by that as well.
    ...(peersOf(peers, false).length > 0 ? [] : shortcuts(nics).map((rule) => `    ${rule}`)),
    '    ct state vmap { invalid : drop, untracked : drop, related : goto errors }',
    ...judges.jumps.map((jump) => `    ${jump}`),
    ...onlyToOwner(input),
    '    ct direction reply ct state established accept',
    ...(nics.length > 0
      ? [`    meta mark ${nftSet(nics.map(({ address }) => markOf(address)))} jump leave`]
      : []),
    // An endpoint's own interface has no policy: only the one port leads on. What comes out of a link is bounded too.
    ...providers.map(
      ({ cable, natAddress, destination, port }) =>
        `    iifname "${cable.name}" ip saddr ${natAddress} ip daddr ${destination} udp dport ${port} jump arrive`,
    ),
    ...peers.map(({ cable }) => `    iifname "${cable.name}" jump arrive`),
    '  }',
    '  chain errors {',
    ...(bound.length > 0
      ? ['iifname', 'oifname'].map(
          (hook) => `    ${hook} ${quoted(bound.map(({ device }) => device))} drop comment "platform policy"`,
        )
      : []),
    '    ct direction reply icmp type { destination-unreachable, time-exceeded, parameter-problem } accept',
    '  }',
    ...judges.chains,
    '  chain leave {',
    '    jump arrive',
    ...peers.map(
      ({ cable, prefixes }) =>
        `    oifname "${cable.name}" ip daddr ${nftSet(mergePrefixes(prefixes))} accept comment "peering"`,
    ),
    ...(internet ? [`    oifname "${internet.cable.name}" ip daddr != ${nftSet(private_)} accept`] : []),
    '  }',
    '  chain arrive {',
    ...(nics.length > 0 ? [`    oifname ${quoted(machines)} accept`] : []),
    ...consumers.map(
      ({ cable, address, port }) =>
        `    oifname "${cable.name}" ip daddr ${address} udp dport ${port} accept comment "private endpoint"`,
    ),
    '  }',
    ...(internet
      ? [
          '  chain translate { type nat hook postrouting priority srcnat; policy accept;',
          `    oifname "${internet.cable.name}" snat ip to ${internet.address}`,
          '  }',
        ]
      : []),
  ].join('\n');
  return { family: 'inet', name: 'router', body };
}

/**
 * A written policy names addresses. Where user routes can lead a packet to a machine that it isn't addressed to, that must
 * not be a way around the policy: what comes from a bound interface goes to the one it names, or nowhere.
 */
function onlyToOwner({ nics, routeTables }: RouterPlanInput): readonly string[] {
  const diverting = Object.values(routeTables).some((routes) =>
    routes.some(({ nextHopType }) => nextHopType === 'VirtualAppliance'),
  );
  const bound = nics.filter(({ allow }) => allow !== null);
  if (!diverting || bound.length === 0) return [];
  const owners = nftSet(nics.map(({ device, address }) => `"${device}" . ${address}`));
  return [
    `    iifname ${quoted(bound.map(({ device }) => device))} oifname ${quoted(nics.map(({ device }) => device))} ` +
      `oifname . ip daddr != ${owners} drop comment "platform policy"`,
  ];
}

const peersOf = (peers: readonly PeerEnd[], access: boolean): readonly string[] =>
  peers.filter((peer) => peer.access === access).flatMap(({ prefixes }) => prefixes);

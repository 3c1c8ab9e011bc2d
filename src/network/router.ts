/**
 * A virtual network's router, as a plan. Everything is routed, nothing bridged: each interface has a cable and a /32 of
 * its own, and the router answers for all neighbours. What no rule names is dropped.
 */
import { ipv4ToNumber, numberToIpv4, parsePrefix } from '../lib/ip.ts';
import { interfaceTable, platformChains, type Interface } from './interface.ts';
import type { DeviceShall, NamespaceShall } from './namespace.ts';
import { nftSet, type NftTable } from './nft.ts';
import { deliveryRecorder, deviceRecorder } from './recorder.ts';
import { defaultSecurityRules, mergePrefixes, securityChain } from './security-group.ts';

/** A machine's cable: `cable` is null while the machine does not run. */
export interface RouterNic extends Interface {
  readonly cable: DeviceShall | null;
}

/** Where a private endpoint's address lies: a cable to the link, which takes one UDP port. */
export interface ConsumerEnd {
  readonly cable: DeviceShall;
  readonly address: string;
  readonly port: number;
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

export interface RouterPlanInput {
  readonly name: string;
  readonly prefixes: readonly string[];
  readonly subnets: readonly string[];
  readonly nics: readonly RouterNic[];
  readonly consumers: readonly ConsumerEnd[];
  readonly providers: readonly ProviderEnd[];
  readonly internet: InternetEnd | null;
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

/** Azure's system routes: private ranges that aren't the network's own lead nowhere. */
const nowhere = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '169.254.0.0/16'];

export const gatewayOf = (subnet: string): string => numberToIpv4(ipv4ToNumber(subnet.split('/')[0]!) + 1);

export function planRouter(input: RouterPlanInput): NamespaceShall {
  for (const prefix of [...input.prefixes, ...input.subnets]) {
    if (!parsePrefix(prefix)) throw new Error(`'${prefix}' is not an IPv4 prefix.`);
  }
  const running = input.nics.filter((nic) => nic.cable !== null);
  const ends = [...input.consumers, ...input.providers];
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
      ...[...new Set([...nowhere, ...mergePrefixes(input.prefixes)])].map((prefix) => `blackhole ${prefix}`),
      ...(input.internet ? [`default via ${input.internet.gateway} dev ${input.internet.cable.name}`] : []),
    ],
    // Machines too: the router would ask in the name of any of its addresses, and a node's door answers its own subnet only.
    neighbours: [
      ...ends.map(({ cable }) => `${linkHop} lladdr ${cable.far.mac} dev ${cable.name}`),
      ...running.map(({ address, cable }) => `${address} lladdr ${cable!.far.mac} dev ${cable!.name}`),
    ],
    rules: [],
    tables: [
      routerTable(input),
      deliveryRecorder,
      ...running.flatMap((nic) => [deviceRecorder(nic.device), interfaceTable(nic)]),
      ...input.providers.map(({ cable }) => deviceRecorder(cable.name)),
    ],
  };
}

function routerTable(input: RouterPlanInput): NftTable {
  const { nics, consumers, providers, internet } = input;
  const platform = platformChains(nics);
  const machines = nftSet(nics.map(({ device }) => `"${device}"`));
  const security = { prefixes: input.prefixes, internetDevice: internet?.cable.name ?? null };
  const outside = [...consumers, ...providers]
    .map(({ cable }) => cable.name)
    .concat(internet ? [internet.cable.name] : []);
  const body = [
    '  chain raw { type filter hook prerouting priority raw; policy drop;',
    '    meta nfproto ipv6 drop',
    ...(nics.length > 0
      ? [
          `    iifname . ip saddr ${nftSet(nics.map(({ device, address }) => `"${device}" . ${address}`))} accept`,
        ]
      : []),
    ...(outside.length > 0 ? [`    iifname ${nftSet(outside.map((name) => `"${name}"`))} accept`] : []),
    '  }',
    '  chain input { type filter hook input priority filter; policy drop;',
    '  }',
    '  chain output { type filter hook output priority filter; policy drop;',
    '  }',
    '  chain forward { type filter hook forward priority filter; policy drop;',
    '    ct state invalid drop',
    ...platform.jumps.map((jump) => `    ${jump} comment "platform policy"`),
    '    ct direction reply ct state established,related accept',
    // An endpoint's own interface has no security group: only the one port leads on. What comes out of a link is bounded too.
    ...providers.map(
      ({ cable, natAddress, destination, port }) =>
        `    iifname "${cable.name}" ip saddr ${natAddress} ip daddr ${destination} udp dport ${port} jump arrive`,
    ),
    ...(nics.length > 0 ? [`    iifname ${machines} jump leave`] : []),
    '  }',
    ...platform.chains,
    '  chain leave {',
    '    jump security_out',
    ...consumers.map(
      ({ cable, address, port }) =>
        `    oifname "${cable.name}" ip daddr ${address} udp dport ${port} accept comment "private endpoint"`,
    ),
    ...(internet ? [`    oifname "${internet.cable.name}" accept`] : []),
    '    jump arrive',
    '  }',
    '  chain arrive {',
    ...(nics.length > 0 ? [`    oifname != ${machines} drop`] : ['    drop']),
    '    jump security_in',
    '    accept',
    '  }',
    '  chain security_out {',
    ...securityChain(defaultSecurityRules, 'Outbound', security).map((line) => `    ${line}`),
    '  }',
    '  chain security_in {',
    ...securityChain(defaultSecurityRules, 'Inbound', security).map((line) => `    ${line}`),
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

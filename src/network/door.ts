import { isIPv4, isIPv6 } from 'node:net';
import {
  containsPrefix,
  formatPrefix,
  ipv4ToNumber,
  numberToIpv4,
  parsePrefix,
  type Prefix,
} from '../lib/ip.ts';
import { ports } from './ports.ts';

/**
 * The door policy of a node's machine as data: which flows each state names. Everything not named is dropped, in and
 * out, IPv4 and IPv6. There is no open state, and no rule without a reason in words.
 */
export type DoorState = 'born' | 'joining' | 'joined' | 'blocked' | 'retired';

/** What each state lets through, for people: docs and `status` show it as it stands here. */
export const doorStates: Readonly<
  Record<DoorState, { readonly when: string; readonly allows: readonly string[] }>
> = {
  born: { when: 'from the first moment until the join file is read', allows: [] },
  joining: {
    when: 'while the node enrols and its ring is being made',
    allows: [
      'WireGuard to the private endpoint (UDP, out)',
      'through the tunnel: enrolment with the one-time key, then the exchange and the MTU probe (out)',
      "through the tunnel: the operator's port for services (TCP 443, out), while policies name an account for the cluster",
      'the ring with its peers (TCP 7001, in and out)',
      'CQL on loopback only',
    ],
  },
  joined: {
    when: 'when every node of the ring refuses the default password',
    allows: [
      'WireGuard to the private endpoint (UDP, out)',
      'through the tunnel: the exchange and the MTU probe (out)',
      "through the tunnel: the operator's port for services (TCP 443, out), while policies name an account for the cluster",
      'the ring with its peers (TCP 7001, in and out)',
      'CQL from the virtual network and its peers (TCP 9042, in)',
      'metrics to the same, and through the tunnel to the operator (TCP 9443, in)',
    ],
  },
  blocked: {
    when: 'when the node must not take part: told so, or its operator is not the one it was to trust',
    allows: [
      'WireGuard to the private endpoint (UDP, out), unless the operator could not prove itself',
      'through the tunnel: the exchange and the MTU probe (out)',
    ],
  },
  retired: { when: 'when the node has left the ring, for good', allows: [] },
};

/** Everything the policy depends on. It is kept on the node's disk, so that an earlier life's policy needs nobody. */
export interface DoorPolicy {
  readonly state: DoorState;
  readonly nic: { readonly device: string; readonly address: string; readonly prefixLength: number } | null;
  readonly endpoint: { readonly address: string; readonly port: number } | null;
  readonly tunnel: {
    readonly device: string;
    /** The node's own address inside. */
    readonly address: string;
    /** The operator's address inside. */
    readonly operator: string;
    /** What of the operator may be dialled now. */
    readonly open: readonly {
      readonly protocol: 'tcp' | 'udp';
      readonly port: number;
      readonly reason: string;
      /** Closed while the node is blocked. */
      readonly notBlocked?: true;
    }[];
  } | null;
  readonly peers: readonly string[];
  readonly clients: readonly string[];
  /** Prefixes that may ask for metrics. Left out, as in a policy of an earlier version: not even the operator may. */
  readonly metrics?: readonly string[];
  /** Cassandra's uid, where the kernel can tell it from the agent's: neither the tunnel nor its port is for it. */
  readonly deniedUid: number | null;
}

/** One named flow, seen from the node. Replies to it pass; nothing else does. */
export interface DoorRule {
  readonly direction: 'in' | 'out';
  readonly device: string;
  readonly protocol: 'tcp' | 'udp';
  /** Ours. */
  readonly local: string;
  /** Addresses or prefixes of the far side. */
  readonly remote: readonly string[];
  readonly port: number;
  readonly reason: string;
}

export const bornPolicy: DoorPolicy = {
  state: 'born',
  nic: null,
  endpoint: null,
  tunnel: null,
  peers: [],
  clients: [],
  deniedUid: null,
};

/** The allow-list of a policy. Throws for an address that isn't one: what is said to nft must be what was meant. */
export function doorRules(policy: DoorPolicy): readonly DoorRule[] {
  checkPolicy(policy);
  const { state, nic, endpoint, tunnel } = policy;
  if (state === 'born' || state === 'retired' || !nic) return [];
  const base = { device: nic.device, local: nic.address };
  const link: DoorRule[] = [];
  if (endpoint && tunnel) {
    link.push({
      ...base,
      direction: 'out',
      protocol: 'udp',
      remote: [endpoint.address],
      port: endpoint.port,
      reason: 'WireGuard to the private endpoint',
    });
    for (const { protocol, port, reason, notBlocked } of tunnel.open) {
      if (state === 'blocked' && notBlocked) continue;
      link.push({
        direction: 'out',
        device: tunnel.device,
        local: tunnel.address,
        remote: [tunnel.operator],
        protocol,
        port,
        reason,
      });
    }
  }
  if (state === 'blocked') return link;
  // Rules are judged in their order, and nearly every packet is one of these.
  const busy: DoorRule[] = [];
  const tcp = { ...base, protocol: 'tcp' } as const;
  if (state === 'joined' && policy.clients.length > 0) {
    const remote = outermost(policy.clients);
    busy.push({ ...tcp, direction: 'in', remote, port: ports.cql, reason: 'CQL from the virtual network' });
  }
  if (policy.peers.length > 0) {
    const ring = { ...tcp, remote: policy.peers, port: ports.ring };
    busy.push({ ...ring, direction: 'out', reason: 'the ring: to its peers' });
    busy.push({ ...ring, direction: 'in', reason: 'the ring: from its peers' });
  }
  return [...busy, ...link, ...metricsRules(policy)];
}

/** Whether anybody may ask for metrics now. */
export const exportsMetrics = ({ state, metrics }: DoorPolicy): boolean =>
  state === 'joined' && metrics !== undefined;

function metricsRules(policy: DoorPolicy): readonly DoorRule[] {
  const { nic, tunnel, metrics = [] } = policy;
  if (!exportsMetrics(policy) || !nic) return [];
  const asked = { direction: 'in', protocol: 'tcp', port: ports.metrics } as const;
  const near = { ...asked, device: nic.device, local: nic.address, remote: outermost(metrics) };
  const rules: DoorRule[] = metrics.length > 0 ? [{ ...near, reason: 'metrics to the virtual network' }] : [];
  if (tunnel)
    rules.push({
      ...asked,
      device: tunnel.device,
      local: tunnel.address,
      remote: [tunnel.operator],
      reason: 'metrics to the operator',
    });
  return rules;
}

export const doorTable = 'sallyport_door';

/** What the machine has: a hook on a device that isn't there can't be made. */
export interface DoorHooks {
  readonly nic: boolean;
  readonly tunnel: boolean;
}

/**
 * The whole policy as one transaction for `nft -f -`. `table` before `delete` makes the first time the same as every
 * other. Without hooks the netdev table goes: its device has gone too.
 */
export function renderDoor(policy: DoorPolicy, hooks: DoorHooks): string {
  const rules = doorRules(policy);
  const lines = [`table inet ${doorTable}`, `delete table inet ${doorTable}`, ...inetTable(policy, rules)];
  lines.push(`table netdev ${doorTable}`, `delete table netdev ${doorTable}`);
  const { nic, tunnel } = policy;
  const chains = [
    ...(hooks.nic && nic
      ? egressChain('nic', nic.device, [...egressRules(rules, nic.device), arpRule(nic)])
      : []),
    ...(hooks.tunnel && tunnel
      ? egressChain('tunnel', tunnel.device, egressRules(rules, tunnel.device))
      : []),
  ];
  if (chains.length > 0) lines.push(`table netdev ${doorTable} {`, ...chains, '}');
  return `${lines.join('\n')}\n`;
}

/** How many rules a policy has in force, to tell a listing that lacks some. */
export const countRules = (script: string): number =>
  script.split('\n').filter((line) => line.startsWith('    ')).length;

function inetTable(policy: DoorPolicy, rules: readonly DoorRule[]): readonly string[] {
  const chain = (hook: 'input' | 'output', own: 'in' | 'out'): string[] => [
    `  chain ${hook} {`,
    `   type filter hook ${hook} priority filter; policy drop;`,
    `    ${hook === 'input' ? 'iifname' : 'oifname'} "lo" accept comment "loopback"`,
    ...(hook === 'output' ? denials(policy) : []).map((rule) => `    ${rule}`),
    ...rules.map((rule) => `    ${rule.direction === own ? original(rule) : reply(rule)}`),
    '  }',
  ];
  return [
    `table inet ${doorTable} {`,
    ` comment "state ${policy.state}"`,
    ...chain('input', 'in'),
    ...chain('output', 'out'),
    '  chain forward {',
    '   type filter hook forward priority filter; policy drop;',
    '  }',
    '}',
  ];
}

/** A refusal, not a condition of the allowed: packets of a tunnel in the kernel belong to no user at all. */
function denials({ deniedUid, nic, endpoint, tunnel }: DoorPolicy): readonly string[] {
  if (deniedUid === null || !nic || !endpoint || !tunnel) return [];
  const deny = `meta skuid ${deniedUid} drop comment "not for Cassandra"`;
  return [`oifname "${tunnel.device}" ${deny}`, `oifname "${nic.device}" udp dport ${endpoint.port} ${deny}`];
}

/**
 * No rule of the door asks conntrack: each packet is judged by itself, so that narrowing cuts what is established, and a machine
 * without such rules keeps no connections at all. The port comes first in every rule: a packet that isn't meant by it is past it
 * after one comparison.
 */
function original(rule: DoorRule): string {
  const out = rule.direction === 'out';
  return [
    `${rule.protocol} dport ${rule.port} ${out ? 'oifname' : 'iifname'} "${rule.device}"`,
    addresses(rule, out),
    `accept comment "${rule.reason}"`,
  ].join(' ');
}

/** Answers to a flow of the list. */
function reply(rule: DoorRule): string {
  const out = rule.direction === 'in';
  return [
    `${rule.protocol} sport ${rule.port} ${out ? 'oifname' : 'iifname'} "${rule.device}"`,
    addresses(rule, out),
    `${beginsNothing(rule)}accept comment "answers: ${rule.reason}"`,
  ].join(' ');
}

/** From the port of a flow, TCP only goes on: what would begin another one towards any port is no answer. */
const beginsNothing = ({ protocol }: DoorRule): string =>
  protocol === 'tcp' ? 'tcp flags & (syn | ack) != syn ' : '';

const set = (items: readonly string[]): string =>
  items.length === 1 ? items[0]! : `{ ${items.join(', ')} }`;

function addresses(rule: DoorRule, out: boolean): string {
  const family = isIPv6(rule.local) ? 'ip6' : 'ip';
  const [local, remote] = [set([rule.local]), set(rule.remote)];
  return out
    ? `${family} saddr ${local} ${family} daddr ${remote}`
    : `${family} saddr ${remote} ${family} daddr ${local}`;
}

/**
 * Below inet, where AF_PACKET and every other ethertype pass as well. Stateless: it can't be wider than the flows named.
 */
function egressChain(name: string, device: string, rules: readonly string[]): readonly string[] {
  return [
    `  chain ${name} {`,
    `   type filter hook egress device "${device}" priority filter; policy drop;`,
    ...rules.map((rule) => `    ${rule}`),
    '  }',
  ];
}

function egressRules(rules: readonly DoorRule[], device: string): readonly string[] {
  return rules
    .filter((rule) => rule.device === device)
    .map((rule) => {
      const out = rule.direction === 'out';
      const port = `${rule.protocol} ${out ? 'dport' : 'sport'} ${rule.port}`;
      return `${port} ${addresses(rule, true)} ${out ? '' : beginsNothing(rule)}accept comment "${rule.reason}"`;
    });
}

function arpRule(nic: NonNullable<DoorPolicy['nic']>): string {
  const size = 2 ** (32 - nic.prefixLength);
  const first = numberToIpv4(Math.floor(ipv4ToNumber(nic.address) / size) * size);
  return `arp saddr ip ${nic.address} arp daddr ip ${first}/${nic.prefixLength} accept comment "ARP in the own subnet"`;
}

/** A set of nft holds no prefix within another. */
function outermost(prefixes: readonly string[]): readonly string[] {
  const parsed = [...new Set(prefixes)]
    .map((text) => parsePrefix(text))
    .filter((prefix): prefix is Prefix => !!prefix);
  return parsed
    .filter((inner) => !parsed.some((outer) => outer !== inner && containsPrefix(outer, inner)))
    .map(formatPrefix);
}

function checkPolicy({ nic, endpoint, tunnel, peers, clients, metrics = [] }: DoorPolicy): void {
  const ipv4 = [...peers, ...(nic ? [nic.address] : []), ...(endpoint ? [endpoint.address] : [])];
  const wrong = [
    ...ipv4.filter((address) => !isIPv4(address)),
    ...[...clients, ...metrics].filter((prefix) => !parsePrefix(prefix)),
    ...(tunnel ? [tunnel.address, tunnel.operator].filter((address) => !isIPv6(address)) : []),
  ];
  const devices = [nic?.device, tunnel?.device].filter(
    (name) => name !== undefined && !/^[A-Za-z0-9._-]{1,15}$/.test(name),
  );
  const numbers = [endpoint?.port, ...(tunnel?.open ?? []).map(({ port }) => port)].filter(
    (port) => port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65536),
  );
  const flaws = [...wrong, ...devices, ...numbers];
  if (flaws.length > 0)
    throw new Error(`A door policy can't name ${flaws.map((flaw) => `'${flaw}'`).join(', ')}.`);
}

/**
 * Network security groups as nftables' chains: the rules in order of priority, then Azure's defaults, each judging a flow
 * as it began. Every packet is judged, replies too, so that a rule taken away cuts what it had let in at once.
 */
import { mergePorts, mergePrefixes } from './intervals.ts';
import { nftSet } from './nft.ts';
import { loadBalancer, notInternet } from './ranges.ts';
import {
  defaultSecurityRules,
  type RuleDirection,
  type RuleSide,
  type SecurityRule,
} from './security-rules.ts';

/** What names in rules stand for, seen from one network. */
export interface SecurityNames {
  /** The network's own address space and that of the peers it may reach. */
  readonly virtualNetwork: readonly string[];
  /** Address spaces of peers without access: neither VirtualNetwork nor Internet. */
  readonly blocked: readonly string[];
  /** Service tags: `Storage`, `Storage.eastus2` → prefixes; an empty list stands for no address. */
  readonly serviceTags: Readonly<Record<string, readonly string[]>>;
  /** Application security groups, by id → addresses of their members. */
  readonly members: Readonly<Record<string, readonly string[]>>;
}

/** Which packets of a flow: those from who began it, or those back to it. */
export type Half = 'original' | 'reply';

/** A group's chain for one direction and half, in nft's words. It returns what is allowed; at its end it has refused. */
export function securityChain(
  rules: readonly SecurityRule[],
  direction: RuleDirection,
  half: Half,
  names: SecurityNames,
): readonly string[] {
  const lines = [...rules, ...defaultSecurityRules]
    .filter((rule) => rule.direction === direction)
    .sort((a, b) => a.priority - b.priority)
    .flatMap((rule) => ruleLines(rule, half, names));
  return [...lines, 'drop'];
}

function ruleLines(rule: SecurityRule, half: Half, names: SecurityNames): readonly string[] {
  const [source, destination, sport, dport] =
    half === 'original'
      ? (['saddr', 'daddr', 'sport', 'dport'] as const)
      : (['daddr', 'saddr', 'dport', 'sport'] as const);
  const ports = [...portMatch(sport, rule.sourcePorts), ...portMatch(dport, rule.destinationPorts)].join(' ');
  const verdict = `${rule.access === 'Allow' ? 'return' : 'drop'} comment "${safe(rule.name)}"`;
  const kinds = protocolMatches(rule, ports);
  return sideMatches(rule, rule.source, source, names).flatMap((from) =>
    sideMatches(rule, rule.destination, destination, names).flatMap((to) =>
      kinds.map((kind) => [...kind, ...from, ...to, verdict].join(' ')),
    ),
  );
}

const numbers = { Tcp: 'tcp', Udp: 'udp', Icmp: 'icmp', Esp: '50', Ah: '51' } as const;

/** Ports bind TCP and UDP alone: a rule for every protocol says of the others what it says without ports. */
function protocolMatches({ protocol }: SecurityRule, ports: string): readonly (readonly string[])[] {
  if (protocol === '*') {
    return ports === '' ? [[]] : [[`meta l4proto { tcp, udp } ${ports}`], ['meta l4proto != { tcp, udp }']];
  }
  const only = `meta l4proto ${numbers[protocol]}`;
  return [[ports !== '' && (protocol === 'Tcp' || protocol === 'Udp') ? `${only} ${ports}` : only]];
}

function portMatch(side: 'sport' | 'dport', ports: readonly string[]): readonly string[] {
  const merged = mergePorts(ports);
  return merged === null ? [] : [`th ${side} { ${merged.join(', ')} }`];
}

/** Alternatives for one side of a rule, each a list of matches; none at all: it can match nothing. */
function sideMatches(
  rule: SecurityRule,
  side: RuleSide,
  field: 'saddr' | 'daddr',
  names: SecurityNames,
): readonly (readonly string[])[] {
  const prefixes: string[] = side.groups.flatMap((id) => names.members[id] ?? []);
  let internet = false;
  for (const text of side.prefixes) {
    if (text === '*' || text === '0.0.0.0/0') return [[]];
    if (text === 'Internet') internet = true;
    else {
      const meant = meaning(text, names);
      // A name that nobody explains may allow nothing, and forbids all that it might mean.
      if (meant === undefined && rule.access === 'Deny') return [[]];
      prefixes.push(...(meant ?? []));
    }
  }
  const inside = [...names.virtualNetwork, ...names.blocked, ...notInternet];
  return [
    ...(prefixes.length > 0 ? [[`ip ${field} ${nftSet(mergePrefixes(prefixes))}`]] : []),
    ...(internet ? [[`ip ${field} != ${nftSet(mergePrefixes(inside))}`]] : []),
  ];
}

function meaning(text: string, names: SecurityNames): readonly string[] | undefined {
  if (/^[\d./]+$/.test(text)) return [text];
  if (text === 'VirtualNetwork') return names.virtualNetwork;
  if (text === 'AzureLoadBalancer') return [loadBalancer];
  return Object.hasOwn(names.serviceTags, text) ? names.serviceTags[text] : undefined;
}

/** Why a list of rules can't be compiled; undefined: it can. */
export function checkRules(rules: readonly SecurityRule[]): string | undefined {
  const literal = (text: string): boolean => /^[\d./]+$/.test(text);
  for (const { name, source, destination, sourcePorts, destinationPorts } of rules) {
    try {
      mergePorts(sourcePorts);
      mergePorts(destinationPorts);
      mergePrefixes([...source.prefixes, ...destination.prefixes].filter(literal));
    } catch (error) {
      return `Rule '${name}': ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  return undefined;
}

/** A name as a comment: nothing in it may end the comment. */
const safe = (name: string): string => name.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 80);

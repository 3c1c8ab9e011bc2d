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

/**
 * A group's chain for one direction, in nft's words. It returns what is allowed; at its end it has refused. What is matched is
 * how the flow began, whichever way the packet goes: so one chain serves both, and answers are judged as what they answer.
 */
export function securityChain(
  rules: readonly SecurityRule[],
  direction: RuleDirection,
  names: SecurityNames,
): readonly string[] {
  const lines = [...rules, ...defaultSecurityRules]
    .filter((rule) => rule.direction === direction)
    .sort((a, b) => a.priority - b.priority)
    .flatMap((rule) => ruleLines(rule, names));
  return [...lines, 'drop'];
}

function ruleLines(rule: SecurityRule, names: SecurityNames): readonly string[] {
  const verdict = `${rule.access === 'Allow' ? 'return' : 'drop'} comment "${safe(rule.name)}"`;
  const kinds = protocolMatches(rule);
  return sideMatches(rule, rule.source, 'saddr', names).flatMap((from) =>
    sideMatches(rule, rule.destination, 'daddr', names).flatMap((to) =>
      kinds.map((kind) => [...kind, ...from, ...to, verdict].join(' ')),
    ),
  );
}

const numbers = { Tcp: 'tcp', Udp: 'udp', Icmp: 'icmp', Esp: '50', Ah: '51' } as const;

/** Ports bind TCP and UDP alone: a rule for every protocol says of the others what it says without ports. */
function protocolMatches(rule: SecurityRule): readonly (readonly string[])[] {
  const ports = portMatches('proto-src', rule.sourcePorts).flatMap((source) =>
    portMatches('proto-dst', rule.destinationPorts).map((destination) => [...source, ...destination]),
  );
  const bound = ports.some((match) => match.length > 0);
  const withPorts = (protocol: 'tcp' | 'udp') => ports.map((match) => [`meta l4proto ${protocol}`, ...match]);
  switch (rule.protocol) {
    case '*':
      if (!bound) return [[]];
      return [...withPorts('tcp'), ...withPorts('udp'), ['meta l4proto != tcp meta l4proto != udp']];
    case 'Tcp':
      return withPorts('tcp');
    case 'Udp':
      return withPorts('udp');
    case 'Icmp':
    case 'Esp':
    case 'Ah':
      return [[`meta l4proto ${numbers[rule.protocol]}`]];
  }
}

/** One alternative for each range: nft 1.0 can't hold a flow's first ports in a set. */
function portMatches(
  side: 'proto-src' | 'proto-dst',
  ports: readonly string[],
): readonly (readonly string[])[] {
  const merged = mergePorts(ports);
  return merged === null ? [[]] : merged.map((range) => [`ct original ${side} ${range}`]);
}

/** The kernel names a set by looking at all others: up to so many alternatives are cheaper as rules of their own. */
const fewest = 3;
/** Elements of one set: what holds more would be too large for a transaction by itself. */
const mostElements = 400;

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
  const merged = mergePrefixes(prefixes);
  const held =
    merged.length <= fewest
      ? merged
      : Array.from({ length: Math.ceil(merged.length / mostElements) }, (_, lot) =>
          nftSet(merged.slice(lot * mostElements, (lot + 1) * mostElements)),
        );
  return [
    ...held.map((match) => [`ct original ip ${field} ${match}`]),
    ...(internet ? [[`ct original ip ${field} != ${nftSet(mergePrefixes(inside))}`]] : []),
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

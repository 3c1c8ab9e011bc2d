/**
 * Network security groups: Azure's rules as data, and how a list of them is judged by nftables. Each flow is judged in its
 * original direction, for every packet, so that a rule taken away cuts what it had let in.
 */
import type { AllowRule } from '../exchange/intents/fabric.ts';
import { containsPrefix, formatPrefix, parsePrefix, type Prefix } from '../lib/ip.ts';
import { nftSet } from './nft.ts';

export interface SecurityRule {
  readonly name: string;
  readonly priority: number;
  readonly direction: 'Inbound' | 'Outbound';
  readonly access: 'Allow' | 'Deny';
  /** The far side: of an inbound flow its source, of an outbound one its destination. */
  readonly remote: 'VirtualNetwork' | 'Internet' | '*';
}

/** What Azure puts at the end of every group. The load balancer's rule is left out: there is none here. */
export const defaultSecurityRules: readonly SecurityRule[] = [
  {
    name: 'AllowVnetInBound',
    priority: 65000,
    direction: 'Inbound',
    access: 'Allow',
    remote: 'VirtualNetwork',
  },
  { name: 'DenyAllInBound', priority: 65500, direction: 'Inbound', access: 'Deny', remote: '*' },
  {
    name: 'AllowVnetOutBound',
    priority: 65000,
    direction: 'Outbound',
    access: 'Allow',
    remote: 'VirtualNetwork',
  },
  {
    name: 'AllowInternetOutBound',
    priority: 65001,
    direction: 'Outbound',
    access: 'Allow',
    remote: 'Internet',
  },
  { name: 'DenyAllOutBound', priority: 65500, direction: 'Outbound', access: 'Deny', remote: '*' },
];

/** A chain's rules in nft's words. A chain that comes to its end has refused. */
export function securityChain(
  rules: readonly SecurityRule[],
  direction: SecurityRule['direction'],
  world: { readonly prefixes: readonly string[]; readonly internetDevice: string | null },
): readonly string[] {
  const side = direction === 'Inbound' ? 'saddr' : 'daddr';
  const device = direction === 'Inbound' ? 'iifname' : 'oifname';
  const lines = rules
    .filter((rule) => rule.direction === direction)
    .sort((a, b) => a.priority - b.priority)
    .flatMap((rule) => {
      const verdict = `${rule.access === 'Allow' ? 'return' : 'drop'} comment "${rule.name}"`;
      if (rule.remote === '*') return [verdict];
      if (rule.remote === 'VirtualNetwork')
        return [`ip ${side} ${nftSet(mergePrefixes(world.prefixes))} ${verdict}`];
      return world.internetDevice === null ? [] : [`${device} "${world.internetDevice}" ${verdict}`];
    });
  return [...lines, 'drop'];
}

/**
 * An interface's written allow-list as matches of a packet, without looking at connections. `out`: packets that come out
 * of the machine, `in`: packets delivered to it. `forward` marks those of the flow's own direction, the rest are replies.
 */
export function allowMatches(
  allow: readonly AllowRule[],
  packet: 'out' | 'in',
): readonly { readonly match: string; readonly forward: boolean }[] {
  return allow
    .filter((rule) => rule.remote.length > 0)
    .map((rule) => {
      const forward = rule.direction === packet;
      const far = packet === 'out' ? 'daddr' : 'saddr';
      return {
        match: `ip ${far} ${nftSet(mergePrefixes(rule.remote))} ${rule.protocol} ${forward ? 'dport' : 'sport'} ${rule.port}`,
        forward,
      };
    });
}

/** Prefixes in canonical form, none inside another: nft refuses a set whose intervals overlap. */
export function mergePrefixes(texts: readonly string[]): readonly string[] {
  const prefixes = texts.map(toPrefix);
  return prefixes
    .filter((inner, index) =>
      prefixes.every((outer, other) => {
        if (other === index || !containsPrefix(outer, inner)) return true;
        return containsPrefix(inner, outer) && index < other;
      }),
    )
    .map(formatPrefix)
    .sort();
}

function toPrefix(text: string): Prefix {
  const prefix = parsePrefix(text.includes('/') ? text : `${text}/32`);
  if (!prefix) throw new Error(`'${text}' is not an IPv4 prefix.`);
  return prefix;
}

/**
 * The outer wall of one network interface, on the router's side of its cable: what may come out of a machine, judged
 * frame by frame and without memory, so that root of the machine can't talk around it with raw sockets.
 */
import type { AllowRule } from '../exchange/intents/fabric.ts';
import { ipv4ToNumber, overlaps } from '../lib/ip.ts';
import { mergePrefixes, toPrefix } from './intervals.ts';
import { nftSet } from './nft.ts';
import type { NftTable } from './nft-table.ts';

export interface Interface {
  /** The router's end of the cable. */
  readonly device: string;
  readonly address: string;
  /** The written allow-list (platform policy); null: no bound but the security group. */
  readonly allow: readonly AllowRule[] | null;
}

/**
 * The mark of packets that have passed an interface's wall: its address as a number, which nobody else of the network has. The
 * router knows by it where a packet came in, at a glance; and what bears no mark has met no wall, and goes nowhere.
 */
export const markOf = (address: string): string => `0x${ipv4ToNumber(address).toString(16).padStart(8, '0')}`;

/** Only IPv4 and ARP, only with the interface's own address, never link-local; and only what the allow-list names. */
export const interfaceTable = ({ device, address, allow }: Interface): NftTable => ({
  family: 'netdev',
  name: `nic_${device}`,
  body: [
    '  chain own {',
    ...(reachesLinkLocal(allow) ? [`    ip daddr ${linkLocal} drop comment "link-local"`] : []),
    ...(allow === null
      ? ['    accept']
      : allowMatches(allow, 'out').map(({ match }) => `    ${match} accept`)),
    '  }',
    `  chain ingress { type filter hook ingress device "${device}" priority filter; policy drop;`,
    `    ether type ip ip saddr ${address} meta mark set ${markOf(address)} goto own`,
    `    ether type arp arp saddr ip { 0.0.0.0, ${address} } accept`,
    '  }',
  ].join('\n'),
});

const linkLocal = '169.254.0.0/16';

const reachesLinkLocal = (allow: readonly AllowRule[] | null): boolean =>
  allow === null ||
  allow.some(({ remote }) => remote.some((prefix) => overlaps(toPrefix(prefix), toPrefix(linkLocal))));

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
        // The port first: whatever isn't meant is past a rule after one comparison.
        match: `${rule.protocol} ${forward ? 'dport' : 'sport'} ${rule.port} ip ${far} ${nftSet(mergePrefixes(rule.remote))}`,
        forward,
      };
    });
}

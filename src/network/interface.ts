/**
 * The outer wall of one network interface, on the router's side of its cable: what may come out of a machine, judged
 * frame by frame and without memory, so that root of the machine can't talk around it with raw sockets.
 */
import type { AllowRule } from '../exchange/intents/fabric.ts';
import { mergePrefixes } from './intervals.ts';
import { nftSet } from './nft.ts';
import type { NftTable } from './nft-table.ts';

export interface Interface {
  /** The router's end of the cable. */
  readonly device: string;
  readonly address: string;
  /** The written allow-list (platform policy); null: no bound but the security group. */
  readonly allow: readonly AllowRule[] | null;
}

/** Only IPv4 and ARP, only with the interface's own address, never link-local; and only what the allow-list names. */
export const interfaceTable = ({ device, address, allow }: Interface): NftTable => ({
  family: 'netdev',
  name: `nic_${device}`,
  body: [
    `  chain ingress { type filter hook ingress device "${device}" priority filter; policy drop;`,
    `    ether type arp arp saddr ip { 0.0.0.0, ${address} } accept`,
    '    ether type != ip drop comment "only IPv4"',
    `    ip saddr != ${address} drop comment "spoofed source"`,
    '    ip daddr 169.254.0.0/16 drop comment "link-local"',
    ...(allow === null
      ? ['    accept']
      : allowMatches(allow, 'out').map(({ match }) => `    ${match} accept`)),
    '  }',
  ].join('\n'),
});

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

/**
 * The outer wall of one network interface, on the router's side of its cable: what may come out of a machine, judged
 * frame by frame and without memory, so that root of the machine can't talk around it with raw sockets.
 */
import type { AllowRule } from '../exchange/intents/fabric.ts';
import type { NftTable } from './nft.ts';
import { allowMatches } from './security-group.ts';

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

/** The same list where connections are known: the chains `out_…` and `in_…` of the router, which return or drop. */
export function platformChains(nics: readonly Interface[]): {
  readonly chains: readonly string[];
  readonly jumps: readonly string[];
} {
  const bound = nics.filter((nic) => nic.allow !== null);
  if (bound.length === 0) return { chains: [], jumps: [] };
  const chains = bound.flatMap(({ device, allow }) =>
    (['out', 'in'] as const).flatMap((packet) => [
      `  chain ${packet}_${device} {`,
      ...allowMatches(allow ?? [], packet).map(
        ({ match, forward }) => `    ct direction ${forward ? 'original' : 'reply'} ${match} return`,
      ),
      '    drop',
      '  }',
    ]),
  );
  const map = (packet: 'out' | 'in'): string =>
    bound.map(({ device }) => `"${device}" : jump ${packet}_${device}`).join(', ');
  return { chains, jumps: [`iifname vmap { ${map('out')} }`, `oifname vmap { ${map('in')} }`] };
}

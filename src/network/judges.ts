/**
 * Who judges a packet at each interface of a router: the platform policy of the interface first, then the security groups
 * of its subnet and of itself. All of them must agree, so that a group can only narrow what the policy lets through.
 */
import { allowMatches, markOf, type Interface } from './interface.ts';
import { mergePrefixes } from './intervals.ts';
import { nftSet } from './nft.ts';
import { securityChain, type SecurityNames } from './security-group.ts';
import type { RuleDirection, SecurityRule } from './security-rules.ts';

/** Names of its groups, each a word that nft takes: the subnet's first. No group at all is no filter, as in Azure. */
export interface Judged extends Pick<Interface, 'device' | 'address' | 'allow'> {
  readonly security: readonly string[];
}

/** Rules by the name of their group. A group that isn't there refuses everything. */
export type SecurityGroups = Readonly<Record<string, readonly SecurityRule[]>>;

/** Which packets of a flow: those from who began it, or those back to it. */
type Half = 'original' | 'reply';

interface Way {
  /** By the mark of where it came in, or the name of where it goes. */
  readonly hook: 'meta mark' | 'oifname';
  readonly half: Half;
  readonly packet: 'out' | 'in';
  /** As the flow began: what is judged of a reply is the flow that it answers. */
  readonly direction: RuleDirection;
}

const ways: readonly Way[] = [
  { hook: 'meta mark', half: 'original', packet: 'out', direction: 'Outbound' },
  { hook: 'meta mark', half: 'reply', packet: 'out', direction: 'Inbound' },
  { hook: 'oifname', half: 'original', packet: 'in', direction: 'Inbound' },
  { hook: 'oifname', half: 'reply', packet: 'in', direction: 'Outbound' },
];

const place = ({ hook }: Way, { device, address }: Judged): string =>
  hook === 'oifname' ? `"${device}"` : markOf(address);

/** `jumps`: one look-up for where a packet came in and one for where it goes. The chains drop or return. */
export function judgeChains(
  interfaces: readonly Judged[],
  groups: SecurityGroups,
  names: SecurityNames,
): { readonly jumps: readonly string[]; readonly chains: readonly string[] } {
  const chains = new Map<string, readonly string[]>();
  const group = (name: string, { direction }: Way): string => {
    const chain = `sg_${name}_${direction.toLowerCase()}`;
    const rules = groups[name];
    if (!chains.has(chain))
      chains.set(
        chain,
        rules ? securityChain(rules, direction, names) : ['drop comment "unknown security group"'],
      );
    return chain;
  };
  /** The chain that all groups of an interface are behind; undefined: there is nothing to judge. */
  const security = (item: Judged, way: Way): string | undefined => {
    const own = [...new Set(item.security)];
    if (own.length === 0) return names.blocked.length > 0 ? withoutGroup(way) : undefined;
    const inOrder = way.direction === 'Inbound' ? own : own.toReversed();
    if (inOrder.length === 1) return group(inOrder[0]!, way);
    const chain = `sg_${inOrder.join('_')}_${way.direction.toLowerCase()}`;
    chains.set(
      chain,
      inOrder.map((name) => `jump ${group(name, way)}`),
    );
    return chain;
  };
  const withoutGroup = (way: Way): string => {
    const chain = `blocked_${way.direction.toLowerCase()}_${way.half}`;
    // A peer that shall have no access is kept out also where there is no group to keep it out.
    const far = (way.direction === 'Outbound') === (way.half === 'original') ? 'daddr' : 'saddr';
    chains.set(chain, [
      `ip ${far} ${nftSet(mergePrefixes(names.blocked))} drop comment "peering without access"`,
    ]);
    return chain;
  };
  const judge = (item: Judged, way: Way): string | undefined => {
    const after = security(item, way);
    if (item.allow === null) return after;
    const chain = `${way.packet}_${way.half}_${item.device}`;
    const passed = after === undefined ? 'return' : `goto ${after}`;
    chains.set(chain, [
      ...allowMatches(item.allow, way.packet)
        .filter(({ forward }) => forward === (way.half === 'original'))
        .map(({ match }) => `${match} ${passed}`),
      'drop comment "platform policy"',
    ]);
    return chain;
  };
  const jumps = (['meta mark', 'oifname'] as const).flatMap((hook) => {
    const entries = ways
      .filter((way) => way.hook === hook)
      .flatMap((way) =>
        interfaces.flatMap((item) => {
          const chain = judge(item, way);
          return chain === undefined ? [] : [`${place(way, item)} . ${way.half} : jump ${chain}`];
        }),
      );
    return entries.length > 0 ? [`${hook} . ct direction vmap { ${entries.join(', ')} }`] : [];
  });
  return {
    jumps,
    chains: [...chains].flatMap(([name, lines]) => [
      `  chain ${name} {`,
      ...lines.map((line) => `    ${line}`),
      '  }',
    ]),
  };
}

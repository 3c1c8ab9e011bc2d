import type { RuleProtocol, SecurityRule } from '../../network/security-rules.ts';
import { canonicalPrefix } from './address.ts';
import type { Reference } from '../references.ts';
import type { Resource } from '../../store/resource.ts';

export const securityRuleType = 'Microsoft.Network/networkSecurityGroups/securityRules';

/** As ARM has it. Of each side either prefixes or groups are there, each in one of their two forms. */
export interface RuleProperties {
  readonly description?: string;
  readonly protocol: RuleProtocol;
  readonly access: 'Allow' | 'Deny';
  readonly direction: 'Inbound' | 'Outbound';
  readonly priority: number;
  readonly sourceAddressPrefix?: string;
  readonly sourceAddressPrefixes?: readonly string[];
  readonly sourceApplicationSecurityGroups?: readonly Reference[];
  readonly sourcePortRange?: string;
  readonly sourcePortRanges?: readonly string[];
  readonly destinationAddressPrefix?: string;
  readonly destinationAddressPrefixes?: readonly string[];
  readonly destinationApplicationSecurityGroups?: readonly Reference[];
  readonly destinationPortRange?: string;
  readonly destinationPortRanges?: readonly string[];
}

export type Rule = Resource<RuleProperties, Record<string, never>>;

/** A stored rule in the terms of the network. */
export function toSecurityRule(name: string, rule: RuleProperties): SecurityRule {
  const side = (
    prefix: string | undefined,
    prefixes: readonly string[] | undefined,
    groups: readonly Reference[] | undefined,
  ) => ({
    prefixes: (prefixes ?? (prefix === undefined ? [] : [prefix])).map(canonicalPrefix),
    groups: (groups ?? []).map(({ id }) => id),
  });
  return {
    name,
    priority: rule.priority,
    direction: rule.direction,
    access: rule.access,
    protocol: rule.protocol,
    source: side(rule.sourceAddressPrefix, rule.sourceAddressPrefixes, rule.sourceApplicationSecurityGroups),
    sourcePorts: rule.sourcePortRanges ?? [rule.sourcePortRange ?? '*'],
    destination: side(
      rule.destinationAddressPrefix,
      rule.destinationAddressPrefixes,
      rule.destinationApplicationSecurityGroups,
    ),
    destinationPorts: rule.destinationPortRanges ?? [rule.destinationPortRange ?? '*'],
  };
}

/** One rule of a network security group. It may be made by itself, or within a PUT of its group. */
import { parentOf, sameId } from '../../arm/id.ts';
import type { Kind } from '../../arm/kind.ts';
import type { JsonObject } from '../../store/resource.ts';
import { childrenOf } from '../children.ts';
import { fields } from '../fields.ts';
import { accepted, networkName } from '../rules.ts';
import { checkGroups, checkRules, readRule } from './read.ts';
import { securityRuleType, type Rule, type RuleProperties } from './schema.ts';

export const securityRuleKind: Kind<RuleProperties, Record<string, never>> = {
  type: securityRuleType,
  summary: 'A rule of a network security group.',
  name: networkName,
  tracked: false,
  operations: 'network',
  verbs: ['GET', 'PUT', 'DELETE'],

  accept(request, existing, context) {
    const groupId = parentOf(request.id)!;
    const location = context.store.get(groupId)?.location ?? null;
    const rule = {
      name: existing?.name ?? request.id.name,
      properties: readRule(fields(request.properties), existing?.properties, location),
    };
    const others = childrenOf<RuleProperties>(context.store, securityRuleType, groupId).filter(
      (other) => !sameId(other.name, rule.name),
    );
    checkRules([...others, rule]);
    checkGroups(context, rule, { subscriptionId: request.id.subscriptionId, location });
    return accepted(existing, rule.properties, {});
  },

  show: showRule,
  envelope: (rule) => ({ etag: rule.etag }),
};

/** Both forms of every list are there, as ARM shows them; the one that isn't used is empty or left out. */
export function showRule({
  properties: rule,
  provisioningState,
}: Pick<Rule, 'properties' | 'provisioningState'>): JsonObject {
  const {
    sourceApplicationSecurityGroups: sources,
    destinationApplicationSecurityGroups: destinations,
    ...said
  } = rule;
  return {
    provisioningState,
    ...said,
    sourceAddressPrefixes: rule.sourceAddressPrefixes ?? [],
    sourcePortRanges: rule.sourcePortRanges ?? [],
    destinationAddressPrefixes: rule.destinationAddressPrefixes ?? [],
    destinationPortRanges: rule.destinationPortRanges ?? [],
    ...showGroups('source', sources),
    ...showGroups('destination', destinations),
  };
}

const showGroups = (side: string, groups: RuleProperties['sourceApplicationSecurityGroups']): JsonObject =>
  groups ? { [`${side}ApplicationSecurityGroups`]: groups.map(({ id }) => ({ id })) } : {};

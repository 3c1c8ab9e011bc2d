/**
 * A network security group: an ordered list of rules, which subnets take on. It can only narrow what the platform lets
 * through. The default rules stand at its end and can't be changed.
 */
import { randomUUID } from 'node:crypto';
import type { Kind } from '../../arm/kind.ts';
import { defaultSecurityRules } from '../../network/security-rules.ts';
import type { JsonObject } from '../../store/resource.ts';
import { childrenOf, readChildren, writeChildren } from '../children.ts';
import { fields } from '../fields.ts';
import { accepted, networkName } from '../rules.ts';
import { checkGroups, checkRules, readRule } from '../security-rule/read.ts';
import { securityRuleType, type Rule, type RuleProperties } from '../security-rule/schema.ts';
import { showRule } from '../security-rule/kind.ts';
import { refuseInUse } from '../subnet/schema.ts';
import { showSubnets, usersAmongSubnets } from '../users.ts';
import { securityGroupType, type SecurityGroupProperties, type SecurityGroupState } from './schema.ts';

export const networkSecurityGroupKind: Kind<SecurityGroupProperties, SecurityGroupState> = {
  type: securityGroupType,
  summary: 'A network security group: rules that subnets take on.',
  name: networkName,
  tracked: true,
  operations: 'network',
  verbs: ['GET', 'PUT', 'PATCH', 'DELETE'],

  accept(request, existing, context) {
    const body = fields(request.properties);
    const present = existing ? childrenOf<RuleProperties>(context.store, securityRuleType, existing.id) : [];
    const wanted = readChildren(body, 'securityRules', 'security rule', present, (said, now) =>
      readRule(said, now, request.location),
    );
    const properties = {
      flushConnection: body.flag('flushConnection') ?? existing?.properties.flushConnection ?? false,
    };
    let touched = false;
    if (wanted) {
      checkRules(wanted);
      const from = { subscriptionId: request.id.subscriptionId, location: request.location };
      for (const rule of wanted) checkGroups(context, rule, from);
      const id = existing?.id ?? request.id.text;
      touched = writeChildren(context.store, id, securityRuleType, present, wanted);
    }
    return accepted(existing, properties, existing?.state ?? { guid: randomUUID() }, { touched });
  },

  show: (group, { store }) => ({
    provisioningState: group.provisioningState,
    resourceGuid: group.state.guid,
    flushConnection: group.properties.flushConnection,
    securityRules: store
      .list<RuleProperties, Record<string, never>>(securityRuleType, group.id)
      .map(showWhole),
    defaultSecurityRules: showDefaults(group.id),
    subnets: showSubnets(store, group).map(({ id }) => ({ id })),
  }),
  envelope: (group) => ({ etag: group.etag }),

  beforeDelete(group, { store }) {
    const users = usersAmongSubnets(store, group);
    if (users.length > 0) refuseInUse(`Network security group '${group.name}'`, users);
  },
};

const showWhole = (rule: Rule): JsonObject => ({
  id: rule.id,
  name: rule.name,
  etag: rule.etag,
  type: securityRuleType,
  properties: showRule(rule),
});

const words: Readonly<Record<string, string>> = {
  AllowVnetInBound: 'Allow inbound traffic from all VMs in VNET',
  AllowAzureLoadBalancerInBound: 'Allow inbound traffic from azure load balancer',
  DenyAllInBound: 'Deny all inbound traffic',
  AllowVnetOutBound: 'Allow outbound traffic from all VMs to all VMs in VNET',
  AllowInternetOutBound: 'Allow outbound traffic from all VMs to Internet',
  DenyAllOutBound: 'Deny all outbound traffic',
};

export const showDefaults = (groupId: string): readonly JsonObject[] =>
  defaultSecurityRules.map((rule) => ({
    id: `${groupId}/defaultSecurityRules/${rule.name}`,
    name: rule.name,
    type: `${securityGroupType}/defaultSecurityRules`,
    properties: {
      ...showRule({
        provisioningState: 'Succeeded',
        properties: {
          description: words[rule.name] ?? '',
          protocol: rule.protocol,
          access: rule.access,
          direction: rule.direction,
          priority: rule.priority,
          sourceAddressPrefix: rule.source.prefixes[0] ?? '*',
          sourcePortRange: '*',
          destinationAddressPrefix: rule.destination.prefixes[0] ?? '*',
          destinationPortRange: '*',
        },
      }),
    },
  }));

/**
 * Network Watcher's questions that are answered from the model of what shall be alone (src/network/reachability.ts): of one
 * interface's walls, rules or routes no packet can tell, for it passes others as well. connectivity.ts has one sent.
 */
import type { KindContext } from '../../arm/kind.ts';
import { judge, routeTo, type Flow, type Verdict } from '../../network/reachability.ts';
import type { Json, JsonObject } from '../../store/resource.ts';
import { effectiveRules, ruleName } from '../network-interface/effective.ts';
import { showDefaults } from '../network-security-group/kind.ts';
import { childrenOf } from '../children.ts';
import { showRule } from '../security-rule/kind.ts';
import { securityRuleType, type RuleProperties } from '../security-rule/schema.ts';
import type { InterfaceProperties } from '../network-interface/schema.ts';
import { checkOwn, readAddress, readBody, readPort, readTarget } from './target.ts';

/** Of a flow that the groups allow, and that no line of the machine's written allow-list names. */
const platformRule = 'platformPolicy/DenyAll';
/** Where no group is, nothing is filtered; a peer without access stays out. */
const noGroupRule = { Allow: 'noSecurityGroup', Deny: 'peeringAccess/DenyAll' } as const;

export function ruleOf(verdict: Verdict): string {
  if (verdict.by === 'platform') return platformRule;
  return verdict.by === 'no group' ? noGroupRule[verdict.access] : ruleName(verdict.rule);
}

export function ipFlowVerify(json: Json | undefined, context: KindContext): JsonObject {
  const body = readBody(json);
  const target = readTarget(context, body);
  const direction =
    body.choice('direction', ['Inbound', 'Outbound']) ??
    body.fail('direction', 'is missing: Inbound or Outbound.');
  const protocol =
    body.choice('protocol', ['TCP', 'UDP']) ?? body.fail('protocol', 'is missing: TCP or UDP.');
  const outbound = direction === 'Outbound';
  const address = readAddress(body, 'localIPAddress');
  const local = {
    address: checkOwn(body, 'localIPAddress', target, address),
    port: readPort(body, 'localPort', outbound),
  };
  const remote = {
    address: readAddress(body, 'remoteIPAddress'),
    port: readPort(body, 'remotePort', !outbound),
  };
  const flow: Flow = {
    protocol: protocol === 'TCP' ? 'Tcp' : 'Udp',
    source: outbound ? local : remote,
    destination: outbound ? remote : local,
  };
  const verdict = judge(target.walls, target.place, direction, flow);
  return { access: verdict.access, ruleName: ruleOf(verdict) };
}

export function nextHop(json: Json | undefined, context: KindContext): JsonObject {
  const body = readBody(json);
  const target = readTarget(context, body);
  checkOwn(body, 'sourceIPAddress', target, readAddress(body, 'sourceIPAddress'));
  const route = routeTo(target.walls, target.place, readAddress(body, 'destinationIPAddress'));
  return {
    nextHopType: route.hop === 'VNetPeering' || route.hop === 'InterfaceEndpoint' ? 'VnetLocal' : route.hop,
    ...(route.address !== null && { nextHopIpAddress: route.address }),
    routeTableId: route.name === null ? 'System Route' : target.place.routeTable,
  };
}

export function securityGroupView(json: Json | undefined, context: KindContext): JsonObject {
  const { machine, place } = readTarget(context, readBody(json));
  const { interfaceId } = machine.properties;
  const subnetId = context.store.get<InterfaceProperties>(interfaceId)?.properties.subnetId ?? null;
  const groupId = place.group.id;
  const rules = groupId === null ? [] : childrenOf<RuleProperties>(context.store, securityRuleType, groupId);
  return {
    networkInterfaces: [
      {
        id: interfaceId,
        securityRuleAssociations: {
          networkInterfaceAssociation: { id: interfaceId, securityRules: [] },
          ...(subnetId !== null && {
            subnetAssociation: {
              id: subnetId,
              securityRules: rules.map((rule) => ({
                id: rule.id,
                name: rule.name,
                etag: rule.etag,
                type: securityRuleType,
                properties: showRule(rule),
              })),
            },
          }),
          defaultSecurityRules: groupId === null ? [] : showDefaults(groupId),
          effectiveSecurityRules: groupId === null ? [] : effectiveRules(place.group),
        },
      },
    ],
  };
}

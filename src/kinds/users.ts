/** Who uses what others name: in words for a refusal, and as ids for what is shown. */
import { sameId } from '../arm/id.ts';
import type { Resource, Store } from '../store/resource.ts';
import { isPresent } from './children.ts';
import {
  privateEndpointType,
  type EndpointProperties,
  type EndpointState,
} from './private-endpoint/schema.ts';
import { securityRuleType, type RuleProperties } from './security-rule/schema.ts';
import { subnetType, type Subnet, type SubnetProperties, type SubnetState } from './subnet/schema.ts';
import type { Reference } from './references.ts';

type Reading = Pick<Store, 'list'>;
type Place = Pick<Resource, 'id' | 'subscriptionId'>;

const names = (reference: Reference | undefined, id: string): boolean =>
  reference !== undefined && sameId(reference.id, id);

/** Subnets that name a group, a table or a policy. Only those of the same subscription may. */
export function subnetsNaming(store: Reading, { id, subscriptionId }: Place): readonly Subnet[] {
  return store
    .list<SubnetProperties, SubnetState>(subnetType, `/subscriptions/${subscriptionId}`)
    .filter(
      ({ properties }) =>
        names(properties.networkSecurityGroup, id) ||
        names(properties.routeTable, id) ||
        (properties.serviceEndpointPolicies ?? []).some((policy) => names(policy, id)),
    );
}

export const showSubnets = (store: Reading, place: Place): readonly Reference[] =>
  subnetsNaming(store, place).map(({ id }) => ({ id }));

export const usersAmongSubnets = (store: Reading, place: Place): readonly string[] =>
  subnetsNaming(store, place).map(({ id }) => `subnet ${id}`);

/** Rules and private endpoints that name an application security group. */
export function usersOfApplicationGroup(store: Reading, { id, subscriptionId }: Place): readonly string[] {
  const scope = `/subscriptions/${subscriptionId}`;
  const inList = (list: readonly Reference[] | undefined): boolean =>
    (list ?? []).some((item) => names(item, id));
  return [
    ...store
      .list<RuleProperties>(securityRuleType, scope)
      .filter(isPresent)
      .filter(
        ({ properties: rule }) =>
          inList(rule.sourceApplicationSecurityGroups) || inList(rule.destinationApplicationSecurityGroups),
      )
      .map((rule) => `security rule ${rule.id}`),
    ...store
      .list<EndpointProperties, EndpointState>(privateEndpointType, scope)
      .filter(({ properties }) => inList(properties.applicationSecurityGroups))
      .map((endpoint) => `private endpoint ${endpoint.id}`),
  ];
}

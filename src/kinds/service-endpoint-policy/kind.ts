/**
 * A service endpoint policy: of the services it speaks of, a subnet that takes it on reaches only what it names. Several are
 * a union.
 */
import { randomUUID } from 'node:crypto';
import type { Kind } from '../../arm/kind.ts';
import { childrenOf, readChildren, writeChildren } from '../children.ts';
import { fields } from '../fields.ts';
import { accepted, networkName } from '../rules.ts';
import { showDefinition } from '../service-endpoint-policy-definition/kind.ts';
import {
  checkDefinitions,
  policyDefinitionType,
  readDefinition,
  type DefinitionProperties,
} from '../service-endpoint-policy-definition/schema.ts';
import { refuseInUse } from '../subnet/schema.ts';
import { showSubnets, usersAmongSubnets } from '../users.ts';
import { endpointPolicyType, type EndpointPolicyProperties, type EndpointPolicyState } from './schema.ts';

export const serviceEndpointPolicyKind: Kind<EndpointPolicyProperties, EndpointPolicyState> = {
  type: endpointPolicyType,
  summary: 'A service endpoint policy: which accounts of a service a subnet reaches.',
  name: networkName,
  tracked: true,
  operations: 'network',
  verbs: ['GET', 'PUT', 'PATCH', 'DELETE'],

  accept(request, existing, { store }) {
    const body = fields(request.properties);
    body.notYet('contextualServiceEndpointPolicies', 'contextual policies are not there; leave them out.');
    body.notYet('serviceAlias', 'aliases of services are not there; name the resources in a definition.');
    const present = existing
      ? childrenOf<DefinitionProperties>(store, policyDefinitionType, existing.id)
      : [];
    const wanted = readChildren(
      body,
      'serviceEndpointPolicyDefinitions',
      'definition',
      present,
      readDefinition,
    );
    let touched = false;
    if (wanted) {
      checkDefinitions(wanted.length);
      touched = writeChildren(store, existing?.id ?? request.id.text, policyDefinitionType, present, wanted);
    }
    return accepted(existing, {}, existing?.state ?? { guid: randomUUID() }, { touched });
  },

  show: (policy, { store }) => ({
    provisioningState: policy.provisioningState,
    resourceGuid: policy.state.guid,
    serviceEndpointPolicyDefinitions: store
      .list<DefinitionProperties, Record<string, never>>(policyDefinitionType, policy.id)
      .map((definition) => ({
        id: definition.id,
        name: definition.name,
        etag: definition.etag,
        type: policyDefinitionType,
        properties: showDefinition(definition),
      })),
    subnets: showSubnets(store, policy).map(({ id }) => ({ id })),
  }),
  envelope: (policy) => ({ etag: policy.etag }),

  beforeDelete(policy, { store }) {
    const users = usersAmongSubnets(store, policy);
    if (users.length > 0) refuseInUse(`Service endpoint policy '${policy.name}'`, users);
  },
};

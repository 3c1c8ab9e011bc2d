/** What a service endpoint policy lets through of one service. Several are a union. */
import { parentOf, sameId } from '../../arm/id.ts';
import type { Kind } from '../../arm/kind.ts';
import type { JsonObject } from '../../store/resource.ts';
import { childrenOf } from '../children.ts';
import { fields } from '../fields.ts';
import { accepted, networkName } from '../rules.ts';
import {
  checkDefinitions,
  policyDefinitionType,
  readDefinition,
  type Definition,
  type DefinitionProperties,
} from './schema.ts';

export const serviceEndpointPolicyDefinitionKind: Kind<DefinitionProperties, Record<string, never>> = {
  type: policyDefinitionType,
  summary: 'What a service endpoint policy lets through of one service.',
  name: networkName,
  tracked: false,
  operations: 'network',
  verbs: ['GET', 'PUT', 'DELETE'],

  accept(request, existing, { store }) {
    const properties = readDefinition(fields(request.properties), existing?.properties);
    const others = childrenOf(store, policyDefinitionType, parentOf(request.id)!).filter(
      ({ name }) => !sameId(name, request.id.name),
    );
    checkDefinitions(others.length + 1);
    return accepted(existing, properties, {});
  },

  show: showDefinition,
  envelope: (definition) => ({ etag: definition.etag }),
};

export function showDefinition({ properties, provisioningState }: Definition): JsonObject {
  return {
    provisioningState,
    ...(properties.description && { description: properties.description }),
    service: properties.service,
    serviceResources: properties.serviceResources,
    ...(properties.methods && { methods: properties.methods }),
    ...(properties.paths && { paths: properties.paths }),
  };
}

import type { Store } from '../../store/resource.ts';
import { childrenOf } from '../children.ts';
import type { Reference } from '../references.ts';
import {
  policyDefinitionType,
  type DefinitionProperties,
} from '../service-endpoint-policy-definition/schema.ts';

/** The services that policies speak of. */
export const servicesOf = (
  store: Pick<Store, 'list'>,
  policies: readonly Reference[],
): readonly DefinitionProperties['service'][] => [
  ...new Set(
    policies.flatMap(({ id }) =>
      childrenOf<DefinitionProperties>(store, policyDefinitionType, id).map(
        ({ properties }) => properties.service,
      ),
    ),
  ),
];

import { ArmError } from '../../arm/errors.ts';
import type { GateMethod } from '../../exchange/intents/gate.ts';
import { boundingPath } from '../../network/gate-names.ts';
import { parseArmId } from '../../arm/id.ts';
import type { Resource } from '../../store/resource.ts';
import type { Fields } from '../fields.ts';
import { endpointServices, resourceTypes, type EndpointService } from './services.ts';

export const policyDefinitionType =
  'Microsoft.Network/serviceEndpointPolicies/serviceEndpointPolicyDefinitions';

export interface DefinitionProperties {
  readonly description?: string;
  readonly service: EndpointService;
  /** ARM ids of accounts, of a resource group, or of a subscription: all accounts in it. */
  readonly serviceResources: readonly string[];
  /** Beyond Azure: only these methods; left out: all. */
  readonly methods?: readonly GateMethod[];
  /** Beyond Azure: only these paths and what is below them; left out: all. */
  readonly paths?: readonly string[];
}

export type Definition = Resource<DefinitionProperties, Record<string, never>>;

const mostResources = 200;
const mostPaths = 20;
const gateMethods: readonly GateMethod[] = ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS'];

export function readDefinition(body: Fields, now: DefinitionProperties | undefined): DefinitionProperties {
  const description = body.text('description', { max: 140 }) ?? now?.description;
  const service =
    body.choice('service', endpointServices) ??
    now?.service ??
    body.fail('service', `is missing: one of ${endpointServices.join(', ')}.`);
  const serviceResources =
    body.texts('serviceResources') ??
    now?.serviceResources ??
    body.fail('serviceResources', 'is missing: the ARM ids of what may be reached.');
  if (serviceResources.length === 0)
    return body.fail(
      'serviceResources',
      'is empty: name at least one account, resource group or subscription.',
    );
  if (serviceResources.length > mostResources)
    return body.fail('serviceResources', `has ${serviceResources.length} entries; at most ${mostResources}.`);
  for (const text of serviceResources) checkResource(body, service, text);
  return {
    ...(description && { description }),
    service,
    serviceResources,
    ...narrowedBy(body, now),
  };
}

/** An empty list bounds nothing, and takes a bound away. */
function narrowedBy(
  body: Fields,
  now: DefinitionProperties | undefined,
): Pick<DefinitionProperties, 'methods' | 'paths'> {
  const methods =
    body.texts('methods')?.map((text) => {
      const method = gateMethods.find((one) => one === text.toUpperCase());
      return method ?? body.fail('methods', `names '${text}'; a method is one of ${gateMethods.join(', ')}.`);
    }) ?? now?.methods;
  const paths = body.texts('paths') ?? now?.paths;
  if (paths && paths.length > mostPaths)
    return body.fail('paths', `has ${paths.length} entries; at most ${mostPaths}.`);
  for (const path of paths ?? []) {
    if (!boundingPath(path))
      body.fail(
        'paths',
        `names '${path.slice(0, 80)}', which can't bound a request. Write it like /logs/2026: letters, digits and ._~$- between slashes, none at the end.`,
      );
  }
  return {
    ...(methods && methods.length > 0 && { methods }),
    ...(paths && paths.length > 0 && { paths }),
  };
}

function checkResource(body: Fields, service: EndpointService, text: string): void {
  const id = parseArmId(text);
  const types = resourceTypes[service];
  if (!id) {
    body.fail(
      'serviceResources',
      `names '${text}', which is no ARM id. Name a ${types[0]}, a resource group or a subscription.`,
    );
  } else if (id.type !== undefined && !types.some((type) => type.toLowerCase() === id.type?.toLowerCase())) {
    body.fail(
      'serviceResources',
      `names a ${id.type}, and ${service} has ${types.join(', ')}. Name one of these, a resource group or a subscription.`,
    );
  }
}

export const mostDefinitions = 500;

/** Azure's bound. */
export function checkDefinitions(count: number): void {
  if (count <= mostDefinitions) return;
  throw new ArmError(
    'InvalidParameter',
    `A policy has at most ${mostDefinitions} definitions; this would make ${count}.`,
    {
      target: 'properties.serviceEndpointPolicyDefinitions',
    },
  );
}

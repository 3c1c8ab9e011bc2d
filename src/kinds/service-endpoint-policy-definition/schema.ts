import { ArmError } from '../../arm/errors.ts';
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
}

export type Definition = Resource<DefinitionProperties, Record<string, never>>;

const mostResources = 200;

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
  return { ...(description && { description }), service, serviceResources };
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

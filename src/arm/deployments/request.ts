import { createHash } from 'node:crypto';
import type { Json, JsonObject } from '../../store/resource.ts';
import { ArmError } from '../errors.ts';
import { isObject, readTags } from '../request-body.ts';
import { isSecure } from './parameters.ts';

export interface DeploymentRequest {
  readonly template: JsonObject;
  readonly parameters: JsonObject;
  readonly tags: Readonly<Record<string, string>>;
}

/** The body of a deployment's PUT or validate. */
export function readDeployment(body: Json | undefined): DeploymentRequest {
  const properties = isObject(body) ? body['properties'] : undefined;
  if (!isObject(body) || !isObject(properties))
    throw new ArmError(
      'InvalidRequestContent',
      'Send {"properties": {"mode": "Incremental", "template": {…}, "parameters": {…}}}.',
    );
  for (const key of ['templateLink', 'parametersLink', 'onErrorDeployment']) {
    if (properties[key] === undefined || properties[key] === null) continue;
    throw new ArmError(
      'NotYetSupported',
      `properties.${key} is not there: nothing outside is fetched. Send the template itself.`,
      {
        target: `properties.${key}`,
      },
    );
  }
  const mode = properties['mode'] ?? 'Incremental';
  if (typeof mode !== 'string' || mode.toLowerCase() !== 'incremental') {
    throw new ArmError(
      'NotYetSupported',
      'Only the mode Incremental is there: nothing is deleted because a template does not name it.',
      {
        target: 'properties.mode',
      },
    );
  }
  const { template } = properties;
  if (!isObject(template))
    throw new ArmError('InvalidRequestContent', 'properties.template is missing, or no JSON object.', {
      target: 'properties.template',
    });
  const given = properties['parameters'] ?? {};
  if (!isObject(given))
    throw new ArmError('InvalidRequestContent', 'properties.parameters must be {"name": {"value": …}}.', {
      target: 'properties.parameters',
    });
  return { template, parameters: given, tags: readTags(body['tags']) ?? {} };
}

export const hashOf = (template: JsonObject): string =>
  BigInt(`0x${createHash('sha256').update(JSON.stringify(template)).digest('hex').slice(0, 15)}`).toString();

const secretName = /password|secret|privatekey/i;

/** A template as it is kept and given back: secure defaults, and secrets written out in it, are left out. */
export function withoutSecrets(template: JsonObject): JsonObject {
  const declared = template['parameters'];
  const parameters = isObject(declared)
    ? Object.fromEntries(
        Object.entries(declared).map(([name, one]) => {
          if (!isObject(one) || !isSecure(one['type'])) return [name, one];
          const { defaultValue: _, allowedValues: _also, ...rest } = one;
          return [name, rest];
        }),
      )
    : declared;
  const rest = Object.fromEntries(
    Object.entries(template)
      .filter(([key]) => key !== 'parameters')
      .map(([key, value]) => [key, redact(value ?? null)]),
  );
  return { ...rest, ...(parameters !== undefined && { parameters }) };
}

function redact(json: Json): Json {
  if (Array.isArray(json)) return json.map((one) => redact(one as Json));
  if (!isObject(json)) return json;
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => {
      const literal = typeof value === 'string' && !value.startsWith('[');
      return [key, literal && secretName.test(key) ? '(not kept)' : redact(value ?? null)];
    }),
  );
}

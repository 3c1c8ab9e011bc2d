import type { Json, JsonObject } from '../../store/resource.ts';

/** az shows network resources with `properties` lifted into the object around it, at every level. */
export function flatten(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(flatten);
  if (value === null || typeof value !== 'object') return value;
  const { properties, ...rest } = value as JsonObject;
  const lifted = isObject(properties)
    ? { ...properties, ...rest }
    : properties === undefined
      ? rest
      : { ...rest, properties };
  return Object.fromEntries(
    Object.entries(lifted).map(([key, item]) => [key, item === undefined ? null : flatten(item)]),
  );
}

const isObject = (value: unknown): value is JsonObject =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

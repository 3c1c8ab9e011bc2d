import type { Json, JsonObject } from '../store/resource.ts';
import { ArmError } from './errors.ts';

/** The envelope of a PUT or PATCH, without what the service sets and clients send back. */
export interface RequestBody {
  readonly location: string | undefined;
  readonly tags: Readonly<Record<string, string>> | undefined;
  readonly identity: JsonObject | undefined;
  readonly properties: JsonObject;
}

const taken = ['location', 'tags', 'identity', 'properties'];
/** In every GET, so in many a PUT: read, and left alone. */
const echoed = [
  'id',
  'name',
  'type',
  'etag',
  'systemData',
  'kind',
  'sku',
  'zones',
  'plan',
  'managedBy',
  'extendedLocation',
];

export function readRequestBody(body: Json | undefined): RequestBody {
  if (!isObject(body)) {
    throw new ArmError(
      'InvalidRequestContent',
      'The request content is not one JSON object. Send an object with "location" and "properties".',
    );
  }
  for (const key of Object.keys(body)) {
    if (taken.includes(key) || echoed.includes(key)) continue;
    throw new ArmError(
      'InvalidRequestContent',
      `Could not find member '${key.slice(0, 100)}' on a resource. Its members are ${taken.join(', ')}; a kind's own settings go into "properties".`,
      { target: key.slice(0, 100) },
    );
  }
  const properties = body['properties'] ?? {};
  const identity = body['identity'] ?? undefined;
  if (!isObject(properties))
    throw new ArmError('InvalidRequestContent', '"properties" must be a JSON object.', {
      target: 'properties',
    });
  if (identity !== undefined && !isObject(identity)) {
    throw new ArmError('InvalidRequestContent', '"identity" must be a JSON object.', { target: 'identity' });
  }
  return { location: readLocation(body['location']), tags: readTags(body['tags']), identity, properties };
}

/** `East US 2` and `eastus2` are one place. */
function readLocation(value: Json | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  const name = typeof value === 'string' ? value.replaceAll(' ', '').toLowerCase() : '';
  if (!/^[a-z][a-z0-9-]{0,49}$/.test(name)) {
    throw new ArmError(
      'InvalidParameter',
      `The location ${JSON.stringify(value).slice(0, 100)} is not a name of a region, like "eastus2".`,
      { target: 'location' },
    );
  }
  return name;
}

export function readTags(value: Json | undefined): Readonly<Record<string, string>> | undefined {
  if (value === undefined || value === null) return undefined;
  const flaw = tagFlaw(value);
  if (flaw) throw new ArmError('InvalidParameter', `The tags are invalid: ${flaw}`, { target: 'tags' });
  return value as Record<string, string>;
}

function tagFlaw(value: Json): string | undefined {
  if (!isObject(value)) return 'they must be one JSON object of strings.';
  const entries = Object.entries(value);
  if (entries.length > 50) return `a resource can have 50 of them, these are ${entries.length}.`;
  for (const [name, text] of entries) {
    if (name === '' || name.length > 512) return 'a name has 1 to 512 characters.';
    if (/[<>%&\\?/]/.test(name)) return `the name '${name.slice(0, 60)}' contains one of < > % & \\ ? /.`;
    if (typeof text !== 'string' || text.length > 256)
      return `the value of '${name.slice(0, 60)}' must be a string of at most 256 characters.`;
  }
  return undefined;
}

export const sameTags = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean =>
  Object.keys(a).length === Object.keys(b).length &&
  Object.entries(a).every(([name, value]) => b[name] === value);

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Deeper than any kind goes, and shallow enough for every recursion over what was sent. */
const deepest = 64;

/** The body's JSON; undefined where there is none. */
export function parseJson(text: string): Json | undefined {
  if (text.trim() === '') return undefined;
  if (nesting(text) > deepest) {
    throw new ArmError(
      'InvalidRequestContent',
      `The request content is nested deeper than ${deepest} levels.`,
    );
  }
  try {
    return JSON.parse(text, (key, value: unknown) => (key === '__proto__' ? undefined : value)) as Json;
  } catch (cause) {
    throw new ArmError('InvalidRequestContent', 'The request content is not valid JSON.', { cause });
  }
}

function nesting(text: string): number {
  let depth = 0;
  let most = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (quoted) {
      if (char === '\\') at++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '{' || char === '[') most = Math.max(most, ++depth);
    else if (char === '}' || char === ']') depth--;
  }
  return most;
}

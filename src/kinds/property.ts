import { isDeepStrictEqual } from 'node:util';
import { ArmError } from '../arm/errors.ts';
import type { JsonObject } from '../store/resource.ts';
import type { Fields } from './fields.ts';
import { keep } from './rules.ts';

/**
 * A kind's properties as data: from one table come the reading of a request, the rules of an update, what is known, and the
 * reference page.
 */
export interface Property<T> {
  /** Its name on the wire, where the stored one is another. */
  readonly name?: string;
  /** `create`: settled at creation, and only an equal value may be sent again. `update`: may change. */
  readonly rule: 'create' | 'update';
  /** For docs/reference: what it means, what it may be, and its default. */
  readonly meaning: string;
  /** What a resource has that never said it. */
  readonly initial: T;
  /** Undefined where the request doesn't say it. Throws an ArmError on a wrong value, or one that can't be had. */
  read(body: Fields, now: T | undefined): T | undefined;
  same?(a: T, b: T): boolean;
  /** Why a change of a `create` property is refused, where it isn't just that it is settled. */
  readonly why?: string;
  /** True for a value that is stored and shown, and has no effect in this version. */
  recordedOnly?(value: T): boolean;
}

export type PropertyTable<P> = { readonly [K in keyof P]-?: Property<P[K]> };

/** A property that isn't asked for as it is stored: set by the service, or a secret. For docs, and to be known. */
export interface OtherProperty {
  readonly by: 'service' | 'you, once, never shown' | 'provider' | 'you, never shown';
  readonly meaning: string;
}

/** The properties that a body asks for, over what is stored, over the defaults. */
export function readProperties<P extends object>(
  table: PropertyTable<P>,
  body: Fields,
  now: P | undefined,
): P {
  const read = <K extends keyof P & string>(key: K): P[K] => {
    const property = table[key];
    const asked = property.read(body, now?.[key]);
    if (!now) return asked === undefined ? property.initial : asked;
    const current = now[key];
    if (asked === undefined) return current;
    const equal = property.same ? property.same(asked, current) : isDeepStrictEqual(asked, current);
    if (equal) return current;
    return property.rule === 'update' ? asked : keep(property.name ?? key, current, asked, property.why);
  };
  return Object.fromEntries(
    Object.keys(table).map((key) => [key, read(key as keyof P & string)]),
  ) as unknown as P;
}

/** What an older version stored, with what it didn't know yet at its defaults. */
export const complete = <P extends object>(table: PropertyTable<P>, stored: P): P => ({
  ...(Object.fromEntries(
    Object.entries<Property<unknown>>(table).map(([key, { initial }]) => [key, initial]),
  ) as P),
  ...stored,
});

/** Names of properties whose value asks for what this version doesn't do. */
export const notInForce = <P extends object>(table: PropertyTable<P>, properties: P): readonly string[] =>
  Object.entries<Property<unknown>>(table)
    .filter(([key, property]) => property.recordedOnly?.(properties[key as keyof P]) === true)
    .map(([key, { name }]) => name ?? key);

export const wireNames = <P extends object>(table: PropertyTable<P>): readonly string[] =>
  Object.entries<Property<unknown>>(table).map(([key, { name }]) => name ?? key);

/**
 * `properties` of a body in the names' own case. A name that isn't known is refused: what was misspelt would be taken for
 * done.
 */
export function knownNames(properties: JsonObject, names: readonly string[]): JsonObject {
  const known = new Map(names.map((name) => [name.toLowerCase(), name]));
  const found = new Map<string, JsonObject[string]>();
  for (const [given, value] of Object.entries(properties)) {
    const name = known.get(given.toLowerCase());
    if (name !== undefined && !found.has(name)) {
      found.set(name, value);
      continue;
    }
    const target = `properties.${given.slice(0, 100)}`;
    const message = name
      ? `${target} is said twice, in different case.`
      : `${target} is no property of this resource. Its properties are ${names.toSorted().join(', ')}.`;
    throw new ArmError('InvalidParameter', message, { target });
  }
  return Object.fromEntries(found);
}

/** Properties as they are shown: JSON already, but for the types. */
export const plainJson = (properties: object): JsonObject => ({ ...properties }) as JsonObject;

/** The rows of the reference page, by name. */
export function referenceRows<P extends object>(
  table: PropertyTable<P>,
  others: Readonly<Record<string, OtherProperty>>,
): string {
  const rows = [
    ...Object.entries<Property<unknown>>(table).map(([key, property]) => ({
      name: property.name ?? key,
      by: property.rule === 'create' ? 'you, at creation' : 'you',
      meaning: property.meaning,
    })),
    ...Object.entries(others).map(([name, other]) => ({ name, ...other })),
  ].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return [
    '| property | set by | meaning |',
    '|---|---|---|',
    ...rows.map(({ name, by, meaning }) => `| \`${name}\` | ${by} | ${meaning} |`),
  ].join('\n');
}

import { isDeepStrictEqual } from 'node:util';
import { ArmError } from '../arm/errors.ts';
import { parseArmId, type ArmId } from '../arm/id.ts';
import type { Accepted } from '../arm/kind.ts';
import type { Resource } from '../store/resource.ts';
import { told } from './fields.ts';

/** How names of the network kinds look. */
export const networkName = {
  pattern: /^[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,78}[a-zA-Z0-9_])?$/,
  rule: '1 to 80 letters, digits, dots, underscores and hyphens; it begins with a letter or digit and ends with a letter, digit or underscore',
};

/** How names of clusters and data centres look (contract §1.2). */
export const cassandraName = {
  pattern: /^(?=.{1,100}$)[a-zA-Z0-9]+(?:-[a-zA-Z0-9]+)*$/,
  rule: '1 to 100 letters and digits, in groups joined by single hyphens',
};

/** Whether there is anything to reconcile in what was asked, held against what is stored. Tags are not a kind's affair. */
export function accepted<P, S>(
  existing: Resource<P, S> | undefined,
  properties: P,
  state: S,
  more: { readonly touched?: boolean } = {},
): Accepted<P, S> {
  const same = existing && !more.touched && isDeepStrictEqual(plain(properties), plain(existing.properties));
  if (!same || existing.provisioningState === 'Failed') return { properties, state };
  return { properties: existing.properties, state: existing.state, unchanged: true };
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** "East US 2" and "eastus2" are the same region. */
export const sameRegion = (a: string, b: string): boolean => region(a) === region(b);
export const region = (text: string): string => text.toLowerCase().replaceAll(' ', '');

/** Refuses another value for what is decided at creation; what was omitted, or is equal, passes. */
export function keep<T>(
  name: string,
  current: T,
  asked: T | undefined,
  why = 'it is decided when the resource is made',
): T {
  if (asked === undefined || isDeepStrictEqual(asked, current)) return current;
  throw new ArmError(
    'PropertyChangeNotAllowed',
    `properties.${name} is ${told(current)} and can't become ${told(asked)}: ${why}.`,
    { target: `properties.${name}` },
  );
}

/** Like {@link keep}, for what a later version will be able to change. */
export function keepForNow<T>(name: string, current: T, asked: T | undefined): T {
  if (asked === undefined || isDeepStrictEqual(asked, current)) return current;
  throw new ArmError(
    'NotYetSupported',
    `properties.${name} is ${told(current)}; changing it to ${told(asked)} comes with version 0.2.`,
    { target: `properties.${name}` },
  );
}

/** The ARM id in a property, refused unless it is of `type`. */
export function idOf(target: string, text: string, type: string): ArmId {
  const id = parseArmId(text);
  if (id?.type?.toLowerCase() === type.toLowerCase()) return id;
  throw new ArmError('InvalidParameter', `${target} must be the ARM id of a ${type}; it is '${text}'.`, {
    target,
  });
}

/** Joins names for a sentence, so that a long list stays readable. */
export const listed = (names: readonly string[]): string =>
  names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;

import { remembered } from '../lib/remembered.ts';
import { ArmError } from './errors.ts';

const form = /^\d{4}-\d{2}-\d{2}(-preview)?$/;

/** The first of our compatibility, and for everything beside it the first of ARM itself. */
const oldest = { documentdb: '2021-10-15', network: '2014-04-01' } as const;

/** Checks `api-version` and gives it back. Every version is answered with the newest property set: old clients ignore what they don't know. */
export function checkApiVersion(
  query: URLSearchParams,
  family: 'documentdb' | 'network' = 'network',
): string {
  const given = givenIn(query);
  const [version, ...more] = given;
  if (version === undefined || version === '') {
    throw new ArmError(
      'MissingApiVersionParameter',
      "The api-version query parameter (?api-version=) is required for all requests. Add '?api-version=2026-03-15'.",
    );
  }
  if (
    more.length > 0 ||
    !form.test(version) ||
    version.slice(0, 10) < oldest[family] ||
    !isDate(version.slice(0, 10))
  ) {
    throw new ArmError(
      'InvalidApiVersionParameter',
      `The api-version '${given.join(', ').slice(0, 100)}' is invalid: one date of the form YYYY-MM-DD, with '-preview' after it or not, not before ${oldest[family]}. Use 'api-version=2026-03-15'.`,
    );
  }
  return version;
}

const versions = new WeakMap<URLSearchParams, readonly string[]>();

/** Queries that come again are the same object: see plugin.ts. */
function givenIn(query: URLSearchParams): readonly string[] {
  const known = versions.get(query);
  if (known) return known;
  const values = [...query]
    .filter(([name]) => name.toLowerCase() === 'api-version')
    .map(([, value]) => value);
  versions.set(query, values);
  return values;
}

const isDate = remembered((text): boolean => {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
});

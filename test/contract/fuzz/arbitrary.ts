import fc from 'fast-check';
import type { Json, JsonObject } from '../../../src/store/resource.ts';
import { preview, propertiesOf } from '../model.ts';
import { pathsIn, withAt, type Path } from './paths.ts';

/** One change of a body. `place` and `pick` choose among what is there when it is made. */
interface Mutation {
  readonly place: number;
  readonly make:
    | { readonly at: 'value'; readonly value: Json }
    | { readonly at: 'known'; readonly pick: number }
    | { readonly at: 'gone' | 'doubled' | 'as text' | 'wrapped' };
}

const nasty: readonly Json[] = [
  '',
  ' ',
  '\u0000',
  '../..',
  'a'.repeat(3000),
  'constructor',
  '٣',
  '0',
  '-1',
  '1e3',
  '10.0.0.0/33',
  '10.0.1.0/24',
  '999.1.1.1',
  '0.0.0.0',
  '*',
  '/subscriptions/x',
  '/',
  '😀',
  'true',
  'YQ==',
  0,
  -1,
  3,
  65_536,
  2 ** 31,
  2 ** 53,
  1e308,
  0.5,
  true,
  false,
  null,
  [],
  {},
  [null],
  [{}],
  [[]],
];

const value = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...nasty) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json> },
);

export const mutations: fc.Arbitrary<readonly Mutation[]> = fc.array(
  fc.record({
    place: fc.nat(10_000),
    make: fc.oneof(
      { weight: 4, arbitrary: value.map((one) => ({ at: 'value' as const, value: one })) },
      { weight: 3, arbitrary: fc.nat(10_000).map((pick) => ({ at: 'known' as const, pick })) },
      {
        weight: 2,
        arbitrary: fc.constantFrom(
          { at: 'gone' as const },
          { at: 'doubled' as const },
          { at: 'as text' as const },
          { at: 'wrapped' as const },
        ),
      },
    ),
  }),
  { maxLength: 4 },
);

/** `learned`: places in `properties` that a kind looks at. `pool`: values that mean something here. */
export function mutate(
  body: JsonObject,
  list: readonly Mutation[],
  learned: readonly Path[],
  pool: readonly Json[],
): Json {
  let result: Json = body;
  for (const { place, make } of list) {
    const places = [...pathsIn(result), ...learned.map((path) => ['properties', ...path])];
    const path = places[place % Math.max(1, places.length)] ?? ['properties'];
    const here = path.reduce<Json | undefined>(
      (inner, key) => (inner as Record<string | number, Json | undefined> | null | undefined)?.[key],
      result,
    );
    result = withAt(result, path, changed(here, make, pool));
  }
  return result;
}

function changed(here: Json | undefined, make: Mutation['make'], pool: readonly Json[]): Json | undefined {
  switch (make.at) {
    case 'value':
      return make.value;
    case 'known':
      return pool[make.pick % pool.length];
    case 'gone':
      return undefined;
    case 'doubled':
      return Array.isArray(here) ? ([...here, ...here] as Json) : ([here ?? null, here ?? null] as Json);
    case 'as text':
      return typeof here === 'string' ? here.toUpperCase() : JSON.stringify(here ?? null);
    case 'wrapped':
      return { properties: here ?? null };
  }
}

/** Bodies of the public specification: sound in type, random in value. */
export function ofModel(type: string, depth = 0): fc.Arbitrary<Json> {
  if (type.endsWith('[]')) return fc.array(ofModel(type.slice(0, -2), depth + 1), { maxLength: 2 }) as never;
  if (type.endsWith('{}'))
    return fc.dictionary(fc.string({ maxLength: 8 }), ofModel(type.slice(0, -2), depth + 1), {
      maxKeys: 2,
    }) as never;
  const options = preview.enums[type];
  if (options) return fc.constantFrom(...options);
  const properties = propertiesOf(preview, type);
  if (properties && depth < 4) {
    // Few at a time: of many, one is always refused.
    return fc
      .subarray(Object.keys(properties), { maxLength: Math.min(4, Object.keys(properties).length) })
      .chain((chosen) =>
        fc.record(
          Object.fromEntries(chosen.map((name) => [name, ofModel(properties[name]!.type, depth + 1)])),
        ),
      ) as never;
  }
  switch (type) {
    case 'integer':
      return fc.oneof(fc.integer(), fc.nat(10), fc.nat(10).map(String));
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case 'boolean':
      return fc.boolean();
    case 'datetime':
      return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
    default:
      return fc.string({ maxLength: 20 });
  }
}

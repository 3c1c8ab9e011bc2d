import { ArmError } from '../arm/errors.ts';
import type { Json, JsonObject } from '../store/resource.ts';

/**
 * Reads what a request says, property by property. A property that is absent or null was not said: `undefined`. az sends
 * numbers as strings (contract §0.6), so those are taken too. A value of the wrong shape is refused by its full name.
 */
export interface Fields {
  readonly path: string;
  has(name: string): boolean;
  /** Whether it is exactly this text. */
  is(name: string, text: string): boolean;
  text(name: string, limits?: { readonly max?: number }): string | undefined;
  integer(name: string, limits?: { readonly min?: number; readonly max?: number }): number | undefined;
  flag(name: string): boolean | undefined;
  /** One of `options`, whatever its case; in the options' own case. */
  choice<T extends string>(name: string, options: readonly T[]): T | undefined;
  texts(name: string): readonly string[] | undefined;
  object(name: string): Fields | undefined;
  objects(name: string): readonly Fields[] | undefined;
  /** Refuses a property whose effect this version doesn't have; an empty value asks for nothing. */
  notYet(name: string, sentence: string): void;
  /** Everything that is said, as it was sent. */
  entries(): readonly (readonly [string, Json | undefined])[];
  fail(name: string, why: string): never;
}

export function fields(object: JsonObject, path = 'properties'): Fields {
  const at = (name: string): string => `${path}.${name}`;
  const value = (name: string): Json | undefined => object[name] ?? undefined;
  const fail = (name: string, why: string): never => {
    throw new ArmError('InvalidParameter', `${at(name)} ${why}`, { target: at(name) });
  };
  const list = (name: string): readonly Json[] | undefined => {
    const given = value(name);
    if (given === undefined) return undefined;
    return Array.isArray(given) ? (given as readonly Json[]) : fail(name, 'must be a list.');
  };

  return {
    path,
    fail,
    entries: () => Object.entries(object),
    has: (name) => value(name) !== undefined,
    is: (name, text) => value(name) === text,
    text(name, limits) {
      const given = value(name);
      if (given === undefined) return undefined;
      if (typeof given !== 'string') return fail(name, 'must be a text.');
      if (limits?.max !== undefined && given.length > limits.max) {
        return fail(name, `has ${given.length} characters; at most ${limits.max} are allowed.`);
      }
      return given;
    },
    integer(name, limits) {
      const given = value(name);
      if (given === undefined) return undefined;
      const number = typeof given === 'string' && /^-?\d{1,10}$/.test(given) ? Number(given) : given;
      if (typeof number !== 'number' || !Number.isInteger(number)) {
        return fail(name, `must be a whole number; it is ${told(given)}.`);
      }
      const { min = -Infinity, max = Infinity } = limits ?? {};
      if (number < min) return fail(name, `is ${number}; it must be at least ${min}.`);
      if (number > max) return fail(name, `is ${number}; it must be at most ${max}.`);
      return number;
    },
    flag(name) {
      const given = value(name);
      if (given === undefined || typeof given === 'boolean') return given;
      if (typeof given === 'string' && /^(true|false)$/i.test(given)) return given.toLowerCase() === 'true';
      return fail(name, `must be true or false; it is ${told(given)}.`);
    },
    choice(name, options) {
      const given = value(name);
      if (given === undefined) return undefined;
      const found =
        typeof given === 'string' && options.find((option) => option.toLowerCase() === given.toLowerCase());
      return found || fail(name, `must be one of ${options.join(', ')}; it is ${told(given)}.`);
    },
    texts: (name) =>
      list(name)?.map((item) => (typeof item === 'string' ? item : fail(name, 'must be a list of texts.'))),
    object(name) {
      const given = value(name);
      if (given === undefined) return undefined;
      return isObject(given) ? fields(given, at(name)) : fail(name, 'must be an object.');
    },
    objects: (name) =>
      list(name)?.map((item, index) =>
        isObject(item) ? fields(item, `${at(name)}[${index}]`) : fail(name, 'must be a list of objects.'),
      ),
    notYet(name, sentence) {
      if (isEmpty(value(name))) return;
      throw new ArmError('NotYetSupported', `${at(name)}: ${sentence}`, { target: at(name) });
    },
  };
}

/** What was given, as a refusal repeats it: short, whatever was sent. */
export function told(given: unknown): string {
  const text = String(JSON.stringify(given));
  return text.length <= toldMost ? text : `${text.slice(0, toldMost)}… (${text.length} characters)`;
}

const toldMost = 200;

const isObject = (value: Json): value is JsonObject =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

const isEmpty = (value: Json | undefined): boolean =>
  value === undefined ||
  value === '' ||
  value === false ||
  value === 0 ||
  value === '0' ||
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === 'object' && value !== null && Object.keys(value).length === 0);

import { isDeepStrictEqual } from 'node:util';
import type { Json, JsonObject } from '../../store/resource.ts';
import { isObject } from '../request-body.ts';
import { ArmError } from '../errors.ts';
import { evaluate, templateFlaw } from './expression.ts';
import { templateFunctions, type Surroundings } from './functions.ts';

export interface Parameters {
  readonly values: JsonObject;
  /** As they may be shown: a secure one has a type and no value. */
  readonly shown: JsonObject;
}

const types: Readonly<Record<string, ((value: Json) => boolean) | undefined>> = {
  string: (value) => typeof value === 'string',
  securestring: (value) => typeof value === 'string',
  int: (value) => Number.isInteger(value),
  bool: (value) => typeof value === 'boolean',
  object: (value) => isObject(value),
  secureobject: (value) => isObject(value),
  array: (value) => Array.isArray(value),
};

export const isSecure = (type: Json | undefined): boolean => /^secure(string|object)$/i.test(String(type));

/** Holds what was given against what the template declares; every flaw is the caller's and names the parameter, never its value. */
export function readParameters(
  declared: JsonObject,
  given: JsonObject,
  surroundings: Surroundings,
): Parameters {
  const stray = Object.keys(given).find((name) => keyIn(declared, name) === undefined);
  if (stray !== undefined) {
    throw templateFlaw(
      `parameters.${stray.slice(0, 60)}`,
      `the template declares no such parameter. It declares ${Object.keys(declared).join(', ') || 'none'}.`,
    );
  }
  const values: Record<string, Json> = {};
  const shown: Record<string, Json> = {};
  for (const [name, declaration] of Object.entries(declared)) {
    const where = `parameters.${name}`;
    if (!isObject(declaration)) throw templateFlaw(where, 'it is declared as an object: {"type": "string"}.');
    const type = String(declaration['type'] ?? '').toLowerCase();
    const fits = types[type];
    if (!fits) throw templateFlaw(where, `its type must be one of ${Object.keys(types).join(', ')}.`);
    const value = valueOf(declaration, given[keyIn(given, name) ?? ''], where, values, surroundings);
    if (!fits(value)) throw templateFlaw(where, `its value must be of type ${type}.`);
    checkBounds(declaration, value, where);
    values[name] = value;
    shown[name] = isSecure(type) ? { type: shownType[type] } : { type: shownType[type] ?? type, value };
  }
  return { values, shown };
}

const shownType: Readonly<Record<string, string>> = {
  string: 'String',
  securestring: 'SecureString',
  int: 'Int',
  bool: 'Bool',
  object: 'Object',
  secureobject: 'SecureObject',
  array: 'Array',
};

const keyIn = (of: JsonObject, name: string): string | undefined =>
  Object.keys(of).find((key) => key.toLowerCase() === name.toLowerCase());

function valueOf(
  declaration: JsonObject,
  given: Json | undefined,
  where: string,
  before: JsonObject,
  surroundings: Surroundings,
): Json {
  if (given !== undefined) {
    if (isObject(given) && 'reference' in given)
      throw new ArmError(
        'NotYetSupported',
        `${where} refers to a vault, which is not there. Give its value.`,
        { target: where },
      );
    if (!isObject(given) || given['value'] === undefined)
      throw templateFlaw(where, 'a value is given as {"value": …}.');
    return given['value'];
  }
  const fallback = declaration['defaultValue'];
  if (fallback === undefined)
    throw templateFlaw(where, 'a value is missing, and the template has no defaultValue for it.');
  return evaluate(fallback, templateFunctions(surroundings, before, {}), `${where}.defaultValue`);
}

function checkBounds(declaration: JsonObject, value: Json, where: string): void {
  const { allowedValues } = declaration;
  if (Array.isArray(allowedValues) && !allowedValues.some((one) => isDeepStrictEqual(one, value)))
    throw templateFlaw(
      where,
      `its value is none of allowedValues: ${allowedValues
        .map((one) => JSON.stringify(one))
        .join(', ')
        .slice(0, 300)}.`,
    );
  const length = typeof value === 'string' || Array.isArray(value) ? value.length : undefined;
  const bound = (key: string, what: number | undefined, broken: (a: number, b: number) => boolean): void => {
    const limit = declaration[key];
    if (typeof limit === 'number' && what !== undefined && broken(what, limit))
      throw templateFlaw(where, `its value breaks ${key} ${limit}.`);
  };
  bound('minLength', length, (a, b) => a < b);
  bound('maxLength', length, (a, b) => a > b);
  bound('minValue', typeof value === 'number' ? value : undefined, (a, b) => a < b);
  bound('maxValue', typeof value === 'number' ? value : undefined, (a, b) => a > b);
}

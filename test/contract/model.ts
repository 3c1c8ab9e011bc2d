import { readFileSync } from 'node:fs';

/**
 * A type is `string`, `integer`, `number`, `boolean`, `datetime`, `any`, or the name of a model or an enum; `[]` makes a list
 * of it, `{}` a map.
 */
export interface Property {
  readonly type: string;
  readonly required?: boolean;
  readonly readOnly?: boolean;
  /** Taken, and never shown again: a secret. */
  readonly neverShown?: boolean;
  readonly createOnly?: boolean;
}

export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly ok: readonly number[];
  readonly longRunning?: boolean;
  readonly request?: string;
  readonly response?: string;
}

/** One api-version of a public specification, in a form of our own: test data in models/. */
export interface Model {
  readonly version: string;
  readonly operations: readonly Operation[];
  readonly models: Readonly<
    Record<string, { readonly extends?: string; readonly properties: Readonly<Record<string, Property>> }>
  >;
  readonly enums: Readonly<Record<string, readonly string[]>>;
}

const read = (version: string): Model =>
  JSON.parse(readFileSync(new URL(`./models/${version}.json`, import.meta.url), 'utf8')) as Model;

export const stable = read('2026-03-15');
/** Has all that the stable one has. Answers bear its properties, whatever version is asked for. */
export const preview = read('2026-04-01-preview');

/** What the how-to needs beside them: operations, and no models. */
export const around = read('around');

export const modelOf = (version: string | null): Model => (version === stable.version ? stable : preview);

/** The operation that a request is; undefined: none of this model's. */
export function operationOf(model: Model, method: string, path: string): Operation | undefined {
  const asked = partsOf(path);
  return model.operations.find(
    (operation) => operation.method === method && fits(partsOf(operation.path), asked),
  );
}

/** A scope is whatever stands before the rest. */
function fits(parts: readonly string[], asked: readonly string[]): boolean {
  if (parts[0] === '{scope}') return fits(parts.slice(1), asked.slice(asked.length - parts.length + 1));
  return (
    parts.length === asked.length && parts.every((part, at) => part.startsWith('{') || part === asked[at])
  );
}

/** How far an operation is, and its result: what every client asks for between its operations. */
export const isPoll = (path: string): boolean =>
  /\/(operationsStatus|operations|operationResults)\/[^/]+$/i.test(path);

const partsOf = (path: string): readonly string[] =>
  path
    .split('/')
    .filter((part) => part !== '')
    .map((part) => (part.startsWith('{') ? part : part.toLowerCase()));

/** The properties of a model, its ancestors' included. */
export function propertiesOf(model: Model, name: string): Readonly<Record<string, Property>> | undefined {
  const found = model.models[name];
  return found && { ...(found.extends ? propertiesOf(model, found.extends) : {}), ...found.properties };
}

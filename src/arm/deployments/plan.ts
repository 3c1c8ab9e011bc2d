import { ArmError } from '../errors.ts';
import { sameId } from '../id.ts';
import { isObject } from '../request-body.ts';
import type { Json, JsonObject } from '../../store/resource.ts';
import { evaluate, templateFlaw } from './expression.ts';
import { templateFunctions, type Surroundings } from './functions.ts';
import { isSecure, readParameters } from './parameters.ts';

/** One PUT of a deployment, complete. */
export interface Step {
  readonly id: string;
  readonly type: string;
  readonly apiVersion: string;
  readonly body: JsonObject;
  /** Ids of steps that must have succeeded before. */
  readonly dependsOn: readonly string[];
}

export interface Plan {
  readonly steps: readonly Step[];
  readonly parameters: JsonObject;
  /** Without the values of secure ones. */
  readonly outputs: JsonObject;
}

/** What is said about a resource for the deployment alone, and not sent. */
const directions = [
  'type',
  'apiVersion',
  'name',
  'dependsOn',
  'condition',
  'comments',
  'metadata',
  'scope',
  'resources',
];
const refused = ['copy', 'resourceGroup', 'subscriptionId', 'existing', 'import'];
const mostResources = 800;

/** A template with its parameters, as the PUTs that it stands for. Pure; every flaw is an ArmError that says where. */
export function planDeployment(template: JsonObject, given: JsonObject, surroundings: Surroundings): Plan {
  const part = (name: string): JsonObject => {
    const found = template[name] ?? {};
    if (isObject(found)) return found;
    throw templateFlaw(name, 'it must be an object.');
  };
  const listed = template['resources'];
  if (!Array.isArray(listed))
    throw templateFlaw(
      'resources',
      'it must be a list; a template with symbolic names (languageVersion 2.0) is not read here.',
    );
  const parameters = readParameters(part('parameters'), given, surroundings);
  const raw = flatten(listed as readonly Json[], 'resources', undefined);
  if (raw.length > mostResources)
    throw templateFlaw('resources', `there are ${raw.length}, and at most ${mostResources} may be.`);
  const drafts = raw
    .map((one) => draft(one, parameters.values, part('variables'), surroundings))
    .filter((one) => one !== undefined);
  const twice = drafts.find((one, at) => drafts.slice(0, at).some((other) => sameId(one.id, other.id)));
  if (twice) throw templateFlaw(twice.where, `'${twice.id}' is defined more than once.`);
  const left = raw.length > drafts.length;
  const steps = inOrder(drafts.map((one) => ({ ...one, dependsOn: dependencies(one, drafts, left) })));
  const functions = templateFunctions(surroundings, parameters.values, part('variables'));
  const outputs = Object.entries(part('outputs')).map(([name, output]) => {
    const where = `outputs.${name}`;
    if (!isObject(output) || typeof output['type'] !== 'string')
      throw templateFlaw(where, 'it is {"type": "string", "value": …}.');
    const value = evaluate(output['value'] ?? null, functions, `${where}.value`);
    return [
      name,
      isSecure(output['type']) ? { type: output['type'] } : { type: output['type'], value },
    ] as const;
  });
  return { steps, parameters: parameters.shown, outputs: Object.fromEntries(outputs) };
}

interface Raw {
  readonly resource: JsonObject;
  readonly where: string;
  readonly parent: Raw | undefined;
}

/** Children that are written inside their parent stand beside it from now on. */
function flatten(list: readonly Json[], where: string, parent: Raw | undefined): readonly Raw[] {
  return list.flatMap((resource, at) => {
    const here = `${where}[${at}]`;
    if (!isObject(resource)) throw templateFlaw(here, 'a resource is an object.');
    const found = refused.find((key) => key in resource);
    if (found !== undefined)
      throw templateFlaw(`${here}.${found}`, `'${found}' is not known here. Write the resources out.`);
    const self: Raw = { resource, where: here, parent };
    const children = resource['resources'] ?? [];
    if (!Array.isArray(children)) throw templateFlaw(`${here}.resources`, 'it must be a list.');
    return [self, ...flatten(children as readonly Json[], `${here}.resources`, self)];
  });
}

interface Draft extends Omit<Step, 'dependsOn'> {
  readonly where: string;
  readonly name: string;
  /** As the template says it. */
  readonly asked: readonly string[];
  /** Ids made by resourceId() anywhere in it, and its parent's. */
  readonly mentioned: readonly string[];
}

/** Undefined where its condition is false. */
function draft(
  raw: Raw,
  parameters: JsonObject,
  variables: JsonObject,
  surroundings: Surroundings,
): Draft | undefined {
  const { resource, where } = raw;
  const mentioned: string[] = [];
  const functions = templateFunctions(surroundings, parameters, variables, (id) => void mentioned.push(id));
  const read = (key: string): Json => evaluate(resource[key] ?? null, functions, `${where}.${key}`);
  const condition = resource['condition'] === undefined ? true : read('condition');
  if (typeof condition !== 'boolean') throw templateFlaw(`${where}.condition`, 'it must be true or false.');
  if (!condition) return undefined;

  const { type, name } = namesOf(raw, parameters, variables, surroundings);
  if (type.toLowerCase() === 'microsoft.resources/deployments')
    throw new ArmError(
      'NotYetSupported',
      `${where} is a deployment within a deployment, which is not there. Deploy it by itself.`,
      { target: where },
    );
  const apiVersion = read('apiVersion');
  if (typeof apiVersion !== 'string') throw templateFlaw(`${where}.apiVersion`, 'it is missing.');
  const scope = read('scope');
  if (scope !== null && typeof scope !== 'string')
    throw templateFlaw(`${where}.scope`, 'it must be the id of a resource.');
  const id = idOf(type, name, scope ?? surroundings.group.id, where);
  const asked = read('dependsOn') ?? [];
  if (!Array.isArray(asked) || !asked.every((one) => typeof one === 'string'))
    throw templateFlaw(`${where}.dependsOn`, 'it must be a list of ids or names.');
  const body = Object.fromEntries(
    Object.keys(resource)
      .filter((key) => !directions.includes(key))
      .map((key) => [key, read(key)]),
  );
  const parentId = raw.parent && id.split('/').slice(0, -2).join('/');
  return {
    id,
    type,
    name,
    apiVersion,
    body,
    where,
    asked,
    mentioned: [...mentioned, ...(parentId ? [parentId] : [])],
  };
}

function namesOf(
  raw: Raw,
  parameters: JsonObject,
  variables: JsonObject,
  surroundings: Surroundings,
): { readonly type: string; readonly name: string } {
  const functions = templateFunctions(surroundings, parameters, variables);
  const text = (key: string): string => {
    const value = evaluate(raw.resource[key] ?? null, functions, `${raw.where}.${key}`);
    if (typeof value === 'string' && value !== '') return value;
    throw templateFlaw(`${raw.where}.${key}`, 'it is missing, or no string.');
  };
  if (!raw.parent) return { type: text('type'), name: text('name') };
  const above = namesOf(raw.parent, parameters, variables, surroundings);
  return { type: `${above.type}/${text('type')}`, name: `${above.name}/${text('name')}` };
}

function idOf(type: string, name: string, scope: string, where: string): string {
  const [namespace, ...types] = type.split('/');
  const names = name.split('/');
  if (types.length === 0 || types.length !== names.length || names.includes(''))
    throw templateFlaw(
      `${where}.name`,
      `'${name.slice(0, 100)}' must have ${types.length} part(s) for type '${type.slice(0, 100)}', joined by slashes.`,
    );
  return `${scope.replace(/\/+$/, '')}/providers/${namespace}/${types.map((one, at) => `${one}/${names[at]}`).join('/')}`;
}

/** `left`: resources were left out by their condition, so that a name that isn't found may be one of theirs. */
function dependencies(of: Draft, all: readonly Draft[], left: boolean): readonly string[] {
  const asked = of.asked.flatMap((text) => {
    const found = all.filter(
      (one) =>
        sameId(one.id, text) ||
        [one.name, `${one.type}/${one.name}`, one.name.split('/').at(-1)!].some(
          (name) => name.toLowerCase() === text.toLowerCase(),
        ),
    );
    if (found.length > 0 || left) return found.map(({ id }) => id);
    throw templateFlaw(`${of.where}.dependsOn`, `'${text.slice(0, 200)}' is not defined in the template.`);
  });
  // What is mentioned, or lies below another of the template's resources, comes after it.
  const implied = all
    .filter((one) => !sameId(one.id, of.id) && !one.id.toLowerCase().startsWith(`${of.id.toLowerCase()}/`))
    .filter((one) =>
      [...of.mentioned, of.id].some(
        (id) => sameId(id, one.id) || id.toLowerCase().startsWith(`${one.id.toLowerCase()}/`),
      ),
    )
    .map(({ id }) => id);
  return [...new Set([...asked, ...implied])].filter((id) => !sameId(id, of.id));
}

function inOrder(drafts: readonly (Draft & { readonly dependsOn: readonly string[] })[]): readonly Step[] {
  const done: Step[] = [];
  let left = drafts;
  while (left.length > 0) {
    const ready = left.filter((one) => one.dependsOn.every((id) => done.some((step) => sameId(step.id, id))));
    if (ready.length === 0) {
      const names = left.map((one) => one.name).join(', ');
      throw templateFlaw('resources', `${names.slice(0, 300)} depend on one another in a circle.`);
    }
    for (const { id, type, apiVersion, body, dependsOn } of ready)
      done.push({ id, type, apiVersion, body, dependsOn });
    left = left.filter((one) => !ready.includes(one));
  }
  return done;
}

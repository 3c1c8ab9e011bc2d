import type { Json, JsonObject } from '../../store/resource.ts';
import { parseArmId, resourceId } from '../id.ts';
import { evaluate, largest, templateFlaw, type Functions } from './expression.ts';

/** Where a template is deployed to: what `resourceGroup()` and `subscription()` say. */
export interface Surroundings {
  readonly group: {
    readonly id: string;
    readonly name: string;
    readonly location: string;
    readonly tags: JsonObject;
  };
  readonly subscription: {
    readonly subscriptionId: string;
    readonly tenantId: string;
    readonly displayName: string;
  };
}

/**
 * The functions of a template. `parameters` have their values already; variables are evaluated when they are asked for, once.
 * `onResourceId` hears of each id that is made.
 */
export function templateFunctions(
  surroundings: Surroundings,
  parameters: JsonObject,
  variables: JsonObject,
  onResourceId: (id: string) => void = () => undefined,
): Functions {
  const values = new Map<string, Json>();
  const underWay = new Set<string>();

  const named = (of: JsonObject, what: string, given: readonly Json[], where: string): string => {
    const [name, ...more] = given;
    const found =
      typeof name === 'string' && more.length === 0
        ? Object.keys(of).find((key) => key.toLowerCase() === name.toLowerCase())
        : undefined;
    if (found !== undefined) return found;
    throw templateFlaw(where, `there is no ${what} '${String(name).slice(0, 60)}' in the template.`);
  };

  const all: Functions = {
    parameters: (given, where) => parameters[named(parameters, 'parameter', given, where)] ?? null,
    variables(given, where) {
      const name = named(variables, 'variable', given, where);
      const had = values.get(name);
      if (had !== undefined) return had;
      if (underWay.has(name)) throw templateFlaw(where, `the variable '${name}' needs itself.`);
      underWay.add(name);
      const value = evaluate(variables[name] ?? null, all, `variables.${name}`);
      if (JSON.stringify(value).length > largest)
        throw templateFlaw(where, `the variable '${name}' is larger than 1 MiB.`);
      underWay.delete(name);
      values.set(name, value);
      return value;
    },
    concat: (given, where) => {
      if (given.length > 0 && given.every((one) => Array.isArray(one))) return given.flat() as Json[];
      return given.map((one) => textOf(one, 'concat', where)).join('');
    },
    format: ([pattern, ...rest], where) => format(pattern, rest, where),
    resourceId: (given, where) => {
      const id = makeId(given, surroundings, where);
      onResourceId(id);
      return id;
    },
    resourceGroup: () => ({
      ...surroundings.group,
      type: 'Microsoft.Resources/resourceGroups',
      properties: { provisioningState: 'Succeeded' },
    }),
    subscription: () => ({
      id: `/subscriptions/${surroundings.subscription.subscriptionId}`,
      ...surroundings.subscription,
    }),
  };
  return all;
}

function textOf(value: Json, name: string, where: string): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  throw templateFlaw(where, `${name} joins strings, numbers and booleans only.`);
}

/** .NET's `{0}`; `{{` and `}}` are braces. */
function format(pattern: Json | undefined, values: readonly Json[], where: string): string {
  if (typeof pattern !== 'string') throw templateFlaw(where, 'the first argument of format is a string.');
  return pattern.replaceAll(/\{\{|\}\}|\{(\d+)\}|[{}]/g, (found, index: string | undefined) => {
    if (found === '{{') return '{';
    if (found === '}}') return '}';
    const value = index === undefined ? undefined : values[Number(index)];
    if (value === undefined) throw templateFlaw(where, `format has '${found}' with no argument for it.`);
    return textOf(value, 'format', where);
  });
}

/** `resourceId([subscription], [group], type, name…)`. */
function makeId(given: readonly Json[], { group, subscription }: Surroundings, where: string): string {
  const texts = given.filter((one) => typeof one === 'string');
  const at = texts.findIndex((text) => text.includes('/'));
  const type = texts[at];
  if (type === undefined || texts.length !== given.length || at > 2)
    throw templateFlaw(
      where,
      "resourceId takes ([subscriptionId], [resourceGroup], 'Namespace/type', 'name'…), all strings.",
    );
  const names = texts.slice(at + 1);
  if (names.length !== type.split('/').length - 1 || names.some((name) => name === '' || name.includes('/')))
    throw templateFlaw(
      where,
      `resourceId of '${type}' takes ${type.split('/').length - 1} names, without slashes.`,
    );
  const [first, second] = texts;
  const inSubscription = at === 2 ? first! : subscription.subscriptionId;
  const inGroup = at === 2 ? second! : at === 1 ? first! : group.name;
  const id = resourceId(inSubscription, inGroup, type, ...names);
  if (!parseArmId(id)) throw templateFlaw(where, `'${id.slice(0, 200)}' is no resource id.`);
  return id;
}

import { remembered } from '../lib/remembered.ts';
import { extensionRouteOf, type ExtensionRoute, type NoRoute } from './extension-route.ts';
import { parseArmId, type ArmId } from './id.ts';
import type { AnyKind } from './kind.ts';

/** What a path speaks of. Paths are matched without regard to case, doubled slashes count as one (contract §0.8). */
export type Route =
  | { readonly at: 'tenants' | 'subscriptions' }
  | {
      readonly at: 'subscription' | 'locations' | 'groups' | 'tag-names';
      readonly subscriptionId: string;
    }
  | ExtensionRoute
  | { readonly at: 'providers'; readonly subscriptionId: string; readonly namespace: string | undefined }
  | { readonly at: 'registration'; readonly subscriptionId: string; readonly namespace: string }
  | { readonly at: 'group'; readonly id: ArmId }
  /** Every resource below a subscription or a group. */
  | { readonly at: 'resources'; readonly subscriptionId: string; readonly scope: string }
  | {
      readonly at: 'operation';
      readonly subscriptionId: string;
      readonly operationId: string;
      readonly as: 'status' | 'result';
    }
  | {
      readonly at: 'collection';
      readonly kind: AnyKind;
      readonly scope: string;
      readonly subscriptionId: string;
    }
  | { readonly at: 'resource'; readonly kind: AnyKind; readonly id: ArmId }
  | { readonly at: 'action'; readonly kind: AnyKind; readonly id: ArmId; readonly action: string }
  | {
      readonly at: 'location list';
      readonly kind: AnyKind;
      readonly scope: string;
      readonly subscriptionId: string;
      readonly location: string;
      readonly list: string;
    }
  | NoRoute;

const routes = new WeakMap<readonly AnyKind[], (path: string) => Route>();

export function routeOf(path: string, kinds: readonly AnyKind[]): Route {
  const known = routes.get(kinds) ?? remembered((one) => readRoute(one, kinds));
  routes.set(kinds, known);
  return known(path);
}

function readRoute(path: string, kinds: readonly AnyKind[]): Route {
  const parts = decode(path);
  if (!parts)
    return nothing('The path is not well-formed: a percent sign must be followed by two hexadecimal digits.');
  // An id is read again from its text: a part that brings a slash of its own would be another resource's id, of another kind.
  if (parts.some((part) => /[/\\\p{Cc}]/u.test(part) || part === '.' || part === '..'))
    return nothing(
      'The path is not well-formed: no part of it can be . or .., or hold a slash, a backslash or a control character.',
    );
  const [first, subscriptionId, third, ...rest] = parts;
  const head = first?.toLowerCase();
  if (head === 'tenants' && parts.length === 1) return { at: 'tenants' };
  const extension = extensionRouteOf(parts);
  if (extension) return extension;
  if (head !== 'subscriptions') return nothing(`There is nothing at '/${parts.join('/')}'.`);
  if (subscriptionId === undefined) return { at: 'subscriptions' };
  switch (third?.toLowerCase()) {
    case undefined:
      return { at: 'subscription', subscriptionId };
    case 'locations':
      return rest.length === 0 ? { at: 'locations', subscriptionId } : nothing('Locations are only listed.');
    case 'tagnames':
      return rest.length === 0 ? { at: 'tag-names', subscriptionId } : nothing('Tag names are only listed.');
    case 'operationresults':
      return rest.length === 1
        ? { at: 'operation', subscriptionId, operationId: rest[0]!, as: 'result' }
        : nothing('The result of an operation is asked for by its id.');
    case 'resources':
      return rest.length === 0
        ? { at: 'resources', subscriptionId, scope: `/subscriptions/${subscriptionId}` }
        : nothing('Resources are only listed here.');
    case 'resourcegroups':
      return inGroups(parts, subscriptionId, rest, kinds);
    case 'providers':
      return inProviders(parts, subscriptionId, rest, kinds);
    default:
      return nothing(`There is nothing at '/${parts.join('/')}'.`);
  }
}

function inGroups(
  parts: readonly string[],
  subscriptionId: string,
  rest: readonly string[],
  kinds: readonly AnyKind[],
): Route {
  const [name, word, ...below] = rest;
  if (name === undefined) return { at: 'groups', subscriptionId };
  const scope = `/${parts.slice(0, 4).join('/')}`;
  if (word === undefined) return { at: 'group', id: parseArmId(scope)! };
  if (word.toLowerCase() === 'resources' && below.length === 0)
    return { at: 'resources', subscriptionId, scope };
  // The operations of a deployment are asked for at its older address, without the provider.
  if (word.toLowerCase() === 'deployments')
    return { at: 'deployments', scope, on: parseArmId(scope), rest: below };
  if (word.toLowerCase() !== 'providers') return nothing(`There is nothing at '/${parts.join('/')}'.`);
  return inKinds(parts, 6, subscriptionId, kinds);
}

function inProviders(
  parts: readonly string[],
  subscriptionId: string,
  rest: readonly string[],
  kinds: readonly AnyKind[],
): Route {
  const [namespace, word, region, what, operationId, ...more] = rest;
  if (namespace === undefined || word === undefined) return { at: 'providers', subscriptionId, namespace };
  const action = word.toLowerCase();
  if (rest.length === 2 && (action === 'register' || action === 'unregister')) {
    return { at: 'registration', subscriptionId, namespace };
  }
  if (action === 'locations' && region !== undefined && operationId !== undefined && more.length === 0) {
    const as = operationWords[what?.toLowerCase() ?? ''];
    if (as) return { at: 'operation', subscriptionId, operationId, as };
  }
  return inKinds(parts, 4, subscriptionId, kinds);
}

const operationWords: Readonly<Record<string, 'status' | 'result' | undefined>> = {
  operationsstatus: 'status',
  operations: 'status',
  operationresults: 'result',
};

/** `start`: where the types and names begin, after the namespace. */
function inKinds(
  parts: readonly string[],
  start: number,
  subscriptionId: string,
  kinds: readonly AnyKind[],
): Route {
  const path = parts.slice(start);
  const namespace = parts[start - 1]!;
  const typeOf = (length: number): string =>
    [namespace, ...path.slice(0, length).filter((_, at) => at % 2 === 0)].join('/');
  const kindOf = (type: string): AnyKind | undefined =>
    kinds.find((kind) => kind.type.toLowerCase() === type.toLowerCase());
  const unknown = (type: string): Route => nothing(`The resource type '${type}' is not known here.`);

  if (path.length % 2 === 0) {
    const kind = kindOf(typeOf(path.length));
    if (!kind) return unknown(typeOf(path.length));
    const id = start === 6 ? parseArmId(`/${parts.join('/')}`) : undefined;
    return id
      ? { at: 'resource', kind, id }
      : nothing(`A resource of type '${kind.type}' lies in a resource group.`);
  }
  const [word, location, list, ...more] = path;
  if (
    word?.toLowerCase() === 'locations' &&
    location !== undefined &&
    list !== undefined &&
    more.length === 0
  ) {
    const kind = kinds.find((one) => isIn(one, namespace) && one.locationLists?.[listName(one, list)]);
    if (!kind) return nothing(`There is no list '${list}' of a region of '${namespace}'.`);
    const scope = `/${parts.slice(0, start - 2).join('/')}`;
    return { at: 'location list', kind, scope, subscriptionId, location, list: listName(kind, list) };
  }
  const collection = kindOf(typeOf(path.length));
  if (collection) {
    // The collection's parent: the group or subscription for a top-level type, else the parent resource.
    const scope = path.length === 1 ? parts.slice(0, start - 2) : parts.slice(0, -1);
    if (path.length > 1 && start !== 6)
      return nothing(`'${collection.type}' is listed below its parent, in a resource group.`);
    return { at: 'collection', kind: collection, scope: `/${scope.join('/')}`, subscriptionId };
  }
  const owner = path.length > 1 && start === 6 ? kindOf(typeOf(path.length - 1)) : undefined;
  if (!owner) return unknown(typeOf(path.length));
  return {
    at: 'action',
    kind: owner,
    id: parseArmId(`/${parts.slice(0, -1).join('/')}`)!,
    action: path.at(-1)!,
  };
}

const isIn = (kind: AnyKind, namespace: string): boolean =>
  kind.type.toLowerCase().startsWith(`${namespace.toLowerCase()}/`);

/** The list's name as the kind cases it. */
const listName = (kind: AnyKind, asked: string): string =>
  Object.keys(kind.locationLists ?? {}).find((name) => name.toLowerCase() === asked.toLowerCase()) ?? asked;

function decode(path: string): readonly string[] | undefined {
  try {
    return path
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

const nothing = (why: string): Route => ({ at: 'nothing', why });

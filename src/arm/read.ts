import type { JsonObject, Resource } from '../store/resource.ts';
import { answerLater } from './answer-later.ts';
import { checkApiVersion } from './api-version.ts';
import { show } from './envelope.ts';
import { ArmError } from './errors.ts';
import { parseArmId, type ArmId } from './id.ts';
import type { AnyKind } from './kind.ts';
import { groupType, needGroup, needResource } from './lookup.ts';
import { startAction } from './start-action.ts';
import { actionOf, authorize, kindContext, type ArmContext, type ArmReply, type ArmRequest } from './wire.ts';

export function getResource(cx: ArmContext, request: ArmRequest, kind: AnyKind, id: ArmId): ArmReply {
  authorize(cx, request.caller, actionOf(kind, 'GET'), id.text);
  checkApiVersion(request.query, kind.operations);
  const resource = needResource(cx, kind, id);
  const found = { status: 200, headers: { ETag: resource.etag } };
  if (cx.shown) return { ...found, text: cx.shown(kind, resource) };
  return { ...found, body: show(kind, resource, cx.store) };
}

/** A list is answered in pages of so many: a long one must not keep everybody else waiting. */
const pageSize = 100;

/** Lists a kind below a subscription, a group or a parent resource; `nextLink` leads to what is more than a page. */
export function listResources(cx: ArmContext, request: ArmRequest, kind: AnyKind, scope: string): ArmReply {
  authorize(cx, request.caller, actionOf(kind, 'GET'), scope);
  checkApiVersion(request.query, kind.operations);
  const id = parseArmId(scope)!;
  if (id.type !== undefined) {
    needResource(cx, cx.kinds.find((one) => one.type.toLowerCase() === id.type!.toLowerCase()) ?? kind, id);
  } else if (id.resourceGroup !== undefined) {
    needGroup(cx, id);
  }
  const { resources, next } = cx.store.page(kind.type, scope, placeOf(request.query), pageSize);
  const more = next === null ? {} : { nextLink: linkTo(request, next) };
  const { shown } = cx;
  if (shown) {
    const value = resources.map((resource) => shown(kind, resource)).join(',');
    return { status: 200, text: JSON.stringify({ value: [], ...more }).replace('[]', () => `[${value}]`) };
  }
  return {
    status: 200,
    body: { value: resources.map((resource) => show(kind, resource, cx.store)), ...more },
  };
}

/** Where a page begins: what `nextLink` said. */
function placeOf(query: URLSearchParams): number {
  const said = [...query].find(([name]) => name.toLowerCase() === '$skiptoken')?.[1];
  if (said === undefined) return 0;
  if (/^\d{1,15}$/.test(said)) return Number(said);
  throw new ArmError(
    'BadRequest',
    `The $skipToken '${said.slice(0, 100)}' is none of this service. Ask for the list again, and follow its nextLink.`,
    { target: '$skipToken' },
  );
}

function linkTo({ endpoint, path, query }: ArmRequest, place: number): string {
  const more = new URLSearchParams([...query].filter(([name]) => name.toLowerCase() !== '$skiptoken'));
  more.set('$skipToken', String(place));
  return `${endpoint}${path}?${more.toString()}`;
}

export function runAction(
  cx: ArmContext,
  request: ArmRequest,
  kind: AnyKind,
  id: ArmId,
  name: string,
): ArmReply {
  const found = Object.entries(kind.actions ?? {}).find(([key]) => key.toLowerCase() === name.toLowerCase());
  if (!found)
    throw new ArmError('NotFound', `A resource of type '${kind.type}' has no '${name.slice(0, 100)}'.`);
  const [, action] = found;
  if (action.method !== request.method) {
    throw new ArmError(
      'MethodNotAllowed',
      `'${found[0]}' is asked for with ${action.method}, not with ${request.method.slice(0, 20)}.`,
    );
  }
  authorize(cx, request.caller, action.actionName, id.text);
  const version = checkApiVersion(request.query, kind.operations);
  const resource = needResource(cx, kind, id);
  if (action.start) return startAction(cx, request, resource, action.start, version);
  const context = kindContext(cx, request.caller);
  const run = (): JsonObject => action.run!(resource, request.body, context);
  if (action.ask || action.later) {
    return answerLater(cx, request, kind, resource, version, () =>
      action.ask ? action.ask(resource, request.body, context) : { answer: run() },
    );
  }
  const result = cx.store.transaction(run);
  if (action.method === 'POST') cx.wake(`${found[0]} ${resource.id}`);
  return { status: 200, body: result };
}

/** A region's list. What a kind says of it is shown as it is. */
export function listLocation(
  cx: ArmContext,
  request: ArmRequest,
  route: {
    readonly kind: AnyKind;
    readonly scope: string;
    readonly subscriptionId: string;
    readonly location: string;
    readonly list: string;
  },
): ArmReply {
  const found = route.kind.locationLists![route.list]!;
  authorize(cx, request.caller, found.actionName, route.scope);
  checkApiVersion(request.query, route.kind.operations);
  const location = route.location.replaceAll(' ', '').toLowerCase();
  const place = { subscriptionId: route.subscriptionId, location };
  return { status: 200, body: { value: found.list(place, kindContext(cx, request.caller)) } };
}

/** All tracked resources of a scope, as `az resource list` shows them: envelopes without properties. */
export function listAll(cx: ArmContext, request: ArmRequest, scope: string): ArmReply {
  authorize(cx, request.caller, 'Microsoft.Resources/subscriptions/resources/read', scope);
  checkApiVersion(request.query);
  if (parseArmId(scope)?.resourceGroup !== undefined) needGroup(cx, parseArmId(scope)!);
  const wanted = filterOf(request.query.get('$filter'));
  const value = cx.store.below(scope).flatMap((resource) => {
    const kind = cx.kinds.find((one) => one.type.toLowerCase() === resource.type.toLowerCase());
    if (!kind?.tracked || resource.type === groupType) return [];
    if (!passes(resource, wanted)) return [];
    const { id, name, location, tags } = resource;
    return [{ id, name, type: kind.type, location, tags, provisioningState: resource.provisioningState }];
  });
  return { status: 200, body: { value } };
}

interface Filter {
  readonly group?: string;
  readonly type?: string;
  readonly name?: string;
  readonly location?: string;
  readonly tag?: string;
  readonly value?: string;
}

const filters: Readonly<Record<string, keyof Filter>> = {
  resourcegroup: 'group',
  resourcetype: 'type',
  name: 'name',
  location: 'location',
  tagname: 'tag',
  tagvalue: 'value',
};

/** `resourceGroup eq 'x' and resourceType eq 'y'`: that much of OData is understood, and anything else is refused. */
function filterOf(text: string | null): Filter {
  const found: { -readonly [K in keyof Filter]: Filter[K] } = {};
  for (const term of (text ?? '').split(/ and /i).filter((one) => one.trim() !== '')) {
    const match = /^\s*(\w+)\s+eq\s+'([^']*)'\s*$/i.exec(term);
    const key = match && filters[match[1]!.toLowerCase()];
    if (!match || !key) {
      throw new ArmError(
        'BadRequest',
        `The filter '${term.trim().slice(0, 100)}' is not understood: eq on ${Object.keys(filters).join(', ')}, joined by and.`,
        { target: '$filter' },
      );
    }
    found[key] = key === 'tag' || key === 'value' ? match[2]! : match[2]!.toLowerCase();
  }
  return found;
}

const passes = (resource: Resource, wanted: Filter): boolean =>
  (wanted.group === undefined || resource.resourceGroup.toLowerCase() === wanted.group) &&
  (wanted.type === undefined || resource.type.toLowerCase() === wanted.type) &&
  (wanted.name === undefined || resource.name.toLowerCase() === wanted.name) &&
  (wanted.location === undefined || resource.location === wanted.location.replaceAll(' ', '')) &&
  (wanted.tag === undefined || tagValue(resource, wanted.tag) !== undefined) &&
  (wanted.value === undefined || wanted.tag === undefined || tagValue(resource, wanted.tag) === wanted.value);

/** The names of tags are compared without regard to case, their values are not. */
const tagValue = (resource: Resource, name: string): string | undefined =>
  Object.entries(resource.tags).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];

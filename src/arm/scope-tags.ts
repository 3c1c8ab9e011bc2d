import type { JsonObject } from '../store/resource.ts';
import { checkApiVersion } from './api-version.ts';
import { ArmError } from './errors.ts';
import type { ExtensionRoute } from './extension-route.ts';
import { groupType, needScope } from './lookup.ts';
import { isObject, readTags } from './request-body.ts';
import { authorize, type ArmContext, type ArmReply, type ArmRequest } from './wire.ts';

type Tags = Readonly<Record<string, string>>;

const type = 'Microsoft.Resources/tags';

/** `{scope}/providers/Microsoft.Resources/tags/default`: the tags of a subscription, a group or a resource by themselves. */
export function answerScopeTags(
  cx: ArmContext,
  request: ArmRequest,
  { scope, on, rest }: ExtensionRoute,
): ArmReply {
  if (!on || rest.length !== 1 || rest[0]!.toLowerCase() !== 'default')
    throw new ArmError('NotFound', `The tags of a scope are at '{scope}/providers/${type}/default'.`);
  const reading = request.method === 'GET';
  if (!reading && !['PUT', 'PATCH', 'DELETE'].includes(request.method))
    throw new ArmError('MethodNotAllowed', 'The tags of a scope are read, PUT, PATCHed and DELETEd.');
  const word = reading ? 'read' : request.method === 'DELETE' ? 'delete' : 'write';
  authorize(cx, request.caller, `${type}/${word}`, scope);
  checkApiVersion(request.query);
  return cx.store.transaction(() => {
    const had = tagsOf(cx, scope);
    const tags = reading ? had : next(request, had);
    const changed = reading ? false : write(cx, request, scope, tags);
    if (changed) cx.wake(`tags of ${scope}`);
    return { status: 200, body: show(scope, tags) };
  });
}

/** All names and values in use below a subscription, and on it. */
export function listTagNames(cx: ArmContext, request: ArmRequest, subscriptionId: string): ArmReply {
  const scope = `/subscriptions/${subscriptionId}`;
  authorize(cx, request.caller, 'Microsoft.Resources/subscriptions/tagNames/read', scope);
  checkApiVersion(request.query);
  const counts = new Map<string, Map<string, number>>();
  for (const tags of [tagsOf(cx, scope), ...cx.store.below(scope).map((one) => one.tags)]) {
    for (const [name, value] of Object.entries(tags)) {
      const values = counts.get(name) ?? new Map<string, number>();
      counts.set(name, values.set(value, (values.get(value) ?? 0) + 1));
    }
  }
  const value = [...counts].map(([tagName, values]) => ({
    id: `${scope}/tagNames/${tagName}`,
    tagName,
    count: { type: 'Total', value: [...values.values()].reduce((sum, one) => sum + one, 0) },
    values: [...values].map(([tagValue, count]) => ({
      id: `${scope}/tagNames/${tagName}/tagValues/${tagValue}`,
      tagValue,
      count: { type: 'Total', value: count },
    })),
  }));
  return { status: 200, body: { value } };
}

function tagsOf(cx: ArmContext, scope: string): Tags {
  const resource = needScope(cx, scope);
  if (resource) return resource.tags;
  return (cx.store.extensions.get(idOf(scope))?.body['tags'] ?? {}) as Tags;
}

function next(request: ArmRequest, had: Tags): Tags {
  if (request.method === 'DELETE') return {};
  const body = request.body;
  const properties = isObject(body) ? body['properties'] : undefined;
  const given = isObject(properties) ? readTags(properties['tags']) : undefined;
  if (given === undefined)
    throw new ArmError('InvalidRequestContent', 'Send {"properties": {"tags": {"name": "value"}}}.', {
      target: 'properties.tags',
    });
  if (request.method === 'PUT') return given;
  const operation = isObject(body) ? body['operation'] : undefined;
  switch (typeof operation === 'string' ? operation.toLowerCase() : '') {
    case 'merge':
      return readTags({ ...had, ...given })!;
    case 'replace':
      return given;
    case 'delete':
      return Object.fromEntries(Object.entries(had).filter(([name, value]) => given[name] !== value));
    default:
      throw new ArmError('InvalidRequestContent', '"operation" must be Merge, Replace or Delete.', {
        target: 'operation',
      });
  }
}

function write(cx: ArmContext, request: ArmRequest, scope: string, tags: Tags): boolean {
  const by = request.caller.principalId;
  const resource = needScope(cx, scope);
  if (!resource) {
    cx.store.extensions.put({ id: idOf(scope), type, body: { tags } }, scope, by);
    return false;
  }
  const kind = cx.kinds.find((one) => one.type.toLowerCase() === resource.type.toLowerCase());
  if (resource.type !== groupType && kind?.tracked !== true)
    throw new ArmError(
      'BadRequest',
      `A resource of type '${resource.type}' has no tags. Put them on what it belongs to.`,
    );
  if (resource.provisioningState === 'Deleting')
    throw new ArmError('AnotherOperationInProgress', `'${resource.id}' is being deleted.`, {
      target: resource.id,
    });
  cx.store.retag(resource.id, tags, by);
  return true;
}

const idOf = (scope: string): string => `${scope}/providers/${type}/default`;

const show = (scope: string, tags: Tags): JsonObject => ({
  id: idOf(scope),
  name: 'default',
  type,
  properties: { tags },
});

import type { JsonObject, Resource } from '../store/resource.ts';
import { checkApiVersion } from './api-version.ts';
import { ArmError } from './errors.ts';
import type { ArmId } from './id.ts';
import { groupType, needGroup } from './lookup.ts';
import { operationHeaders } from './operations.ts';
import { checkPreconditions } from './preconditions.ts';
import { readRequestBody, sameTags } from './request-body.ts';
import { authorize, type ArmContext, type ArmReply, type ArmRequest } from './wire.ts';

export const scopeType = 'Microsoft.Resources/subscriptions/resourceGroups';
const namePattern = /^[\p{L}\p{N}_.()-]{1,90}(?<!\.)$/u;

export function listGroups(cx: ArmContext, request: ArmRequest, subscriptionId: string): ArmReply {
  const scope = `/subscriptions/${subscriptionId}`;
  authorize(cx, request.caller, `${scopeType}/read`, scope);
  checkApiVersion(request.query);
  return { status: 200, body: { value: cx.store.list(groupType, scope).map(show) } };
}

export function answerGroup(cx: ArmContext, request: ArmRequest, id: ArmId): ArmReply {
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      return read(cx, request, id);
    case 'PUT':
    case 'PATCH':
      return put(cx, request, id);
    case 'DELETE':
      return remove(cx, request, id);
    default:
      throw new ArmError(
        'MethodNotAllowed',
        `A resource group can't be asked with ${request.method.slice(0, 20)}.`,
      );
  }
}

function read(cx: ArmContext, request: ArmRequest, id: ArmId): ArmReply {
  authorize(cx, request.caller, `${scopeType}/read`, id.text);
  checkApiVersion(request.query);
  if (request.method === 'HEAD') return { status: cx.store.get(id.text) ? 204 : 404 };
  return { status: 200, body: show(needGroup(cx, id)) };
}

function put(cx: ArmContext, request: ArmRequest, id: ArmId): ArmReply {
  authorize(cx, request.caller, `${scopeType}/write`, id.text);
  checkApiVersion(request.query);
  const body = readRequestBody(request.body);
  if (!namePattern.test(id.name)) {
    throw new ArmError(
      'InvalidResourceName',
      `Resource group name '${id.name.slice(0, 120)}' is invalid: 1 to 90 letters, digits and _ . ( ) -, not ending in a period.`,
      { target: 'name' },
    );
  }
  return cx.store.transaction(() => {
    const existing = request.method === 'PATCH' ? needGroup(cx, id) : cx.store.get(id.text);
    checkPreconditions(request, existing);
    const location = body.location ?? existing?.location;
    if (!location)
      throw new ArmError(
        'InvalidParameter',
        'The location is missing; a resource group needs one, like "location": "eastus2".',
        { target: 'location' },
      );
    if (existing?.location && existing.location !== location) {
      throw new ArmError(
        'Conflict',
        `The resource group '${existing.name}' exists already in '${existing.location}', and can't be in '${location}'. Use that location, or another name.`,
        { target: 'location' },
      );
    }
    if (existing?.provisioningState === 'Deleting') {
      throw new ArmError(
        'ResourceGroupBeingDeleted',
        `The resource group '${existing.name}' is being deleted. Wait until it is gone, then create it again.`,
      );
    }
    const tags = body.tags ?? existing?.tags ?? {};
    if (existing && existing.provisioningState !== 'Failed' && sameTags(tags, existing.tags))
      return { status: 200, body: show(existing) };
    if (existing && existing.provisioningState !== 'Failed')
      return { status: 200, body: show(cx.store.retag(existing.id, tags, request.caller.principalId)) };
    const fresh = {
      id: existing?.id ?? id.text,
      type: groupType,
      location,
      tags,
      identity: null,
      properties: {},
      state: {},
    };
    const { resource } = cx.store.write({
      ...fresh,
      by: request.caller.principalId,
      verb: 'PUT',
      operationIn: null,
    });
    return { status: existing ? 200 : 201, body: show(resource) };
  });
}

/** Empty: gone at once. Else a long operation, which deletes what is inside first. */
function remove(cx: ArmContext, request: ArmRequest, id: ArmId): ArmReply {
  authorize(cx, request.caller, `${scopeType}/delete`, id.text);
  const version = checkApiVersion(request.query);
  const operation = cx.store.transaction(() => {
    const group = needGroup(cx, id);
    checkPreconditions(request, group);
    const running = cx.store.operations.running(group.id);
    if (group.provisioningState === 'Deleting' && running) return running;
    if (cx.store.below(group.id).length > 0) {
      return cx.store.startDelete(group.id, group.location ?? cx.location, request.caller.principalId);
    }
    cx.store.remove(group.id);
    return undefined;
  });
  if (!operation) return { status: 200 };
  cx.wake(`DELETE ${id.text}`);
  const wire = { type: groupType, operations: 'network' } as const;
  return { status: 202, headers: operationHeaders(wire, operation, request, version) };
}

const show = (group: Resource): JsonObject => ({
  id: group.id,
  name: group.name,
  type: groupType,
  location: group.location,
  tags: group.tags,
  properties: { provisioningState: group.provisioningState },
});

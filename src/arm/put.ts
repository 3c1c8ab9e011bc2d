import type { Operation } from '../store/operations.ts';
import type { Resource } from '../store/resource.ts';
import { checkApiVersion } from './api-version.ts';
import { show } from './envelope.ts';
import { ArmError } from './errors.ts';
import type { ArmId } from './id.ts';
import type { AnyKind } from './kind.ts';
import { needParent, needResource } from './lookup.ts';
import { checkIdle, operationHeaders, regionOf } from './operations.ts';
import { checkPreconditions } from './preconditions.ts';
import { readRequestBody, sameTags, type RequestBody } from './request-body.ts';
import { actionOf, authorize, kindContext, type ArmContext, type ArmReply, type ArmRequest } from './wire.ts';

interface Outcome {
  readonly resource: Resource;
  readonly operation: Operation | undefined;
  readonly created: boolean;
  readonly changed: boolean;
}

/** PUT and PATCH of any kind. The row, its operation and all that the kind wrote are one transaction. */
export function putResource(cx: ArmContext, request: ArmRequest, kind: AnyKind, id: ArmId): ArmReply {
  const verb = request.method === 'PATCH' ? 'PATCH' : 'PUT';
  authorize(cx, request.caller, actionOf(kind, verb), id.text);
  const version = checkApiVersion(request.query, kind.operations);
  const body = readRequestBody(request.body);
  const outcome = cx.store.transaction(() => write(cx, request, kind, id, verb, body));
  if (outcome.changed) cx.wake(`${verb} ${outcome.resource.id}`);
  const { resource, operation } = outcome;
  return {
    status: statusOf(kind, verb, outcome),
    headers: { ETag: resource.etag, ...(operation && operationHeaders(kind, operation, request, version)) },
    body: show(kind, resource, cx.store),
  };
}

function statusOf(kind: AnyKind, verb: 'PUT' | 'PATCH', { created, operation }: Outcome): number {
  if (created) return 201;
  return verb === 'PATCH' && operation && kind.operations === 'documentdb' ? 202 : 200;
}

function write(
  cx: ArmContext,
  request: ArmRequest,
  kind: AnyKind,
  id: ArmId,
  verb: 'PUT' | 'PATCH',
  body: RequestBody,
): Outcome {
  const existing = verb === 'PATCH' ? needResource(cx, kind, id) : cx.store.get(id.text);
  if (!existing) checkName(kind, id);
  needParent(cx, id);
  checkPreconditions(request, existing);
  if (existing?.provisioningState === 'Deleting') checkIdle(cx, kind, id.text, verb);
  const location = locationFor(kind, body, existing);
  const accepted = kind.accept(
    { id, location, tags: body.tags, identity: body.identity, properties: body.properties, method: verb },
    existing,
    kindContext(cx, request.caller),
  );
  const tags = body.tags ?? existing?.tags ?? {};

  // A failed resource is tried again by asking for the same.
  if (existing && accepted.unchanged === true && existing.provisioningState !== 'Failed') {
    const operation = cx.store.operations.running(existing.id);
    if (sameTags(tags, existing.tags))
      return { resource: existing, operation, created: false, changed: false };
    const resource = cx.store.retag(existing.id, tags, request.caller.principalId);
    return { resource, operation, created: false, changed: true };
  }
  checkIdle(cx, kind, id.text, verb);
  const written = cx.store.write({
    id: existing?.id ?? id.text,
    type: kind.type,
    location,
    tags,
    identity: accepted.identity ?? existing?.identity ?? null,
    properties: accepted.properties,
    state: accepted.state,
    by: request.caller.principalId,
    verb,
    operationIn: accepted.settled === true ? null : regionOf(cx, id.text, location),
  });
  return { ...written, created: existing === undefined, changed: true };
}

function checkName(kind: AnyKind, id: ArmId): void {
  if (kind.name.pattern.test(id.name)) return;
  throw new ArmError(
    'InvalidResourceName',
    `Resource name '${id.name.slice(0, 120)}' is invalid: ${kind.name.rule}`,
    { target: 'name' },
  );
}

function locationFor(kind: AnyKind, body: RequestBody, existing: Resource | undefined): string | null {
  if (!kind.tracked) return null;
  const location = body.location ?? existing?.location ?? undefined;
  if (location === undefined) {
    throw new ArmError(
      'InvalidParameter',
      `The location is missing; a resource of type '${kind.type}' needs one, like "location": "eastus2".`,
      { target: 'location' },
    );
  }
  if (existing?.location && existing.location !== location) {
    throw new ArmError(
      'PropertyChangeNotAllowed',
      `The resource '${existing.id}' lies in '${existing.location}' and can't move to '${location}'. Leave the location as it is, or create a new resource.`,
      { target: 'location' },
    );
  }
  return location;
}

import type { Operation } from '../store/operations.ts';
import type { JsonObject } from '../store/resource.ts';
import { deploymentType } from './deployments/schema.ts';
import { show } from './envelope.ts';
import { ArmError } from './errors.ts';
import { parseArmId, parentOf } from './id.ts';
import type { AnyKind } from './kind.ts';
import { groupType } from './lookup.ts';
import { actionOf, authorize, type ArmContext, type ArmReply, type ArmRequest } from './wire.ts';

/** Without it az asks every 30 s (contract §0.7). */
export const retryAfter = { 'Retry-After': '1' } as const;

/** How an operation looks: a kind's, or that of a group or a deployment, which are ARM's own. */
type Wire = Pick<AnyKind, 'type' | 'operations'>;

/** The headers by which a client follows an operation; a DELETE has a Location as well. */
export function operationHeaders(
  kind: Wire,
  operation: Operation,
  request: ArmRequest,
  version: string,
): Readonly<Record<string, string>> {
  const [namespace] = kind.type.split('/');
  const base = `${request.endpoint}/subscriptions/${operation.subscriptionId}/providers/${namespace}/locations/${operation.location}`;
  const status = kind.operations === 'network' ? 'operations' : 'operationsStatus';
  const location = operation.verb !== 'PUT';
  return {
    ...retryAfter,
    'Azure-AsyncOperation': `${base}/${status}/${operation.id}?api-version=${version}`,
    ...(kind.operations === 'network' && { 'Azure-AsyncNotification': 'Enabled' }),
    ...(location && { Location: `${base}/operationResults/${operation.id}?api-version=${version}` }),
  };
}

/** The region in an operation's address: the resource's own, else its nearest ancestor's. */
export function regionOf(cx: ArmContext, id: string, own: string | null): string {
  if (own !== null) return own;
  const parsed = parseArmId(id);
  const parent = parsed && parentOf(parsed);
  return parent === undefined ? cx.location : regionOf(cx, parent, cx.store.get(parent)?.location ?? null);
}

/**
 * Whatever runs and must end before another write of `id` may begin. A cluster and its data centres change one at a time
 * (contract §6.15); on the network each resource stands for itself.
 */
export function checkIdle(cx: ArmContext, kind: AnyKind, id: string, verb: Operation['verb']): void {
  const own = cx.store.operations.running(id);
  // What is being made may be given up, and on the network whatever is being changed: the later request takes its place.
  const yields = verb === 'DELETE' && own !== undefined && (own.creates || kind.operations === 'network');
  const others =
    kind.operations === 'documentdb'
      ? cx.store.operations
          .runningWithin(topOf(id))
          .filter((other) => other.id !== own?.id && !isIndependent(cx, other))
      : [];
  const busy = own && !yields ? own : others[0];
  if (!busy) return;
  throw new ArmError(
    'AnotherOperationInProgress',
    `Another operation (${busy.verb} of '${busy.resourceId}') is in progress. Wait until it ends, then send the request again.`,
    { target: busy.resourceId },
  );
}

const isIndependent = (cx: ArmContext, operation: Operation): boolean =>
  cx.kinds.some(
    (kind) => kind.independent === true && kind.type.toLowerCase() === operation.type.toLowerCase(),
  );

function topOf(id: string): string {
  const parsed = parseArmId(id);
  const parent = parsed && parentOf(parsed);
  return parent === undefined ? id : topOf(parent);
}

export function answerOperation(
  cx: ArmContext,
  request: ArmRequest,
  route: { readonly subscriptionId: string; readonly operationId: string; readonly as: 'status' | 'result' },
): ArmReply {
  const operation = cx.store.operations.get(route.operationId);
  const kind = operation && wireOf(cx, operation);
  if (
    !operation ||
    !kind ||
    operation.subscriptionId.toLowerCase() !== route.subscriptionId.toLowerCase() ||
    // The right to read a resource is not the right to ask about it.
    (operation.answer !== null && operation.startedBy !== request.caller.principalId)
  ) {
    authorize(
      cx,
      request.caller,
      'Microsoft.Resources/subscriptions/read',
      `/subscriptions/${route.subscriptionId}`,
    );
    throw new ArmError(
      'NotFound',
      `There is no operation '${route.operationId.slice(0, 100)}' (they are kept for seven days, answers to questions for ten minutes and for who asked).`,
    );
  }
  if (operation.startedBy !== request.caller.principalId) {
    authorize(cx, request.caller, kind.readAction, operation.resourceId);
  }
  if (route.as === 'status')
    return { status: 200, headers: retryAfter, body: statusBody(cx, kind, operation) };
  return result(cx, kind, kind.kind, operation);
}

/** The wire of an operation, and what its resource is shown by; a group's and a deployment's are read by themselves. */
function wireOf(
  cx: ArmContext,
  { type }: Operation,
): (Wire & { readonly readAction: string; readonly kind: AnyKind | undefined }) | undefined {
  if (type === groupType)
    return {
      type,
      operations: 'network',
      readAction: 'Microsoft.Resources/subscriptions/resourceGroups/read',
      kind: undefined,
    };
  if (type === deploymentType)
    return { type, operations: 'network', readAction: `${type}/read`, kind: undefined };
  const kind = cx.kinds.find((one) => one.type.toLowerCase() === type.toLowerCase());
  return kind && { type: kind.type, operations: kind.operations, readAction: actionOf(kind, 'GET'), kind };
}

function statusBody(cx: ArmContext, kind: Wire, operation: Operation): JsonObject {
  if (operation.state === 'Running') {
    const young = cx.clock.now() - Date.parse(operation.startedAt) < 500;
    return { status: kind.operations === 'network' ? 'InProgress' : young ? 'Enqueued' : 'Dequeued' };
  }
  return { status: operation.state, ...(operation.fault && { error: { ...operation.fault } }) };
}

function result(cx: ArmContext, wire: Wire, kind: AnyKind | undefined, operation: Operation): ArmReply {
  if (operation.state === 'Running')
    return { status: 202, headers: retryAfter, body: statusBody(cx, wire, operation) };
  if (operation.state !== 'Succeeded') {
    const fault = operation.fault ?? {
      code: operation.state,
      message: `The operation ended as ${operation.state}.`,
    };
    return { status: 409, headers: retryAfter, body: { error: { ...fault } } };
  }
  if (operation.answer !== null) return { status: 200, headers: retryAfter, body: operation.answer };
  const resource = operation.verb === 'DELETE' ? undefined : cx.store.get(operation.resourceId);
  if (!resource || !kind) return { status: 204, headers: retryAfter };
  const own = operation.verb === 'POST' ? kind.result?.(resource, { store: cx.store }) : undefined;
  return { status: 200, headers: retryAfter, body: own ?? show(kind, resource, cx.store) };
}

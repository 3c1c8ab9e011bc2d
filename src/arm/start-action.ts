import type { Resource } from '../store/resource.ts';
import { show } from './envelope.ts';
import type { KindAction } from './kind.ts';
import { checkIdle, operationHeaders, regionOf } from './operations.ts';
import { checkPreconditions } from './preconditions.ts';
import { kindContext, type ArmContext, type ArmReply, type ArmRequest } from './wire.ts';

type Start = NonNullable<KindAction<Resource['properties'], Resource['state']>['start']>;

/** A POST that begins a long operation: 202, and headers by which to follow it. The row and its operation are one transaction. */
export function startAction(
  cx: ArmContext,
  request: ArmRequest,
  resource: Resource,
  start: Start,
  version: string,
): ArmReply {
  const { kind, started, written } = cx.store.transaction(() => {
    checkPreconditions(request, resource);
    const begun = start(resource, request, kindContext(cx, request.caller));
    const of = cx.kinds.find((one) => one.type.toLowerCase() === begun.type.toLowerCase())!;
    // Whatever runs on a resource of its own may run beside anything; what changes this one may not.
    if (of.independent !== true || resource.provisioningState === 'Deleting') {
      checkIdle(cx, of, resource.id, 'POST');
    }
    const was = cx.store.get(begun.id);
    const row = cx.store.write({
      id: begun.id,
      type: of.type,
      location: was?.location ?? null,
      tags: was?.tags ?? {},
      identity: was?.identity ?? null,
      properties: begun.properties,
      state: begun.state,
      by: request.caller.principalId,
      verb: 'POST',
      operationIn: regionOf(cx, begun.id, was?.location ?? null),
    });
    return { kind: of, started: begun, written: row };
  });
  cx.wake(`POST ${written.resource.id}`);
  const { 'Azure-AsyncOperation': asynchronous, ...headers } = operationHeaders(
    kind,
    written.operation!,
    request,
    version,
  );
  return {
    status: 202,
    headers: {
      ...headers,
      ...(started.follow === 'both' && asynchronous && { 'Azure-AsyncOperation': asynchronous }),
    },
    ...(started.withBody && { body: show(kind, written.resource, cx.store) }),
  };
}

import { checkApiVersion } from './api-version.ts';
import type { ArmId } from './id.ts';
import type { AnyKind } from './kind.ts';
import { checkIdle, operationHeaders, regionOf } from './operations.ts';
import { checkPreconditions } from './preconditions.ts';
import { actionOf, authorize, kindContext, type ArmContext, type ArmReply, type ArmRequest } from './wire.ts';

/** DELETE of any kind. Of what isn't there: 204. Of what is being deleted already: the same operation once more. */
export function deleteResource(cx: ArmContext, request: ArmRequest, kind: AnyKind, id: ArmId): ArmReply {
  authorize(cx, request.caller, actionOf(kind, 'DELETE'), id.text);
  const version = checkApiVersion(request.query, kind.operations);
  const deleting = cx.store.transaction(() => {
    const existing = cx.store.get(id.text);
    if (!existing) return 'gone';
    checkPreconditions(request, existing);
    const running = cx.store.operations.running(existing.id);
    if (existing.provisioningState === 'Deleting' && running) return running;
    kind.beforeDelete?.(existing, kindContext(cx, request.caller), request);
    checkIdle(cx, kind, existing.id, 'DELETE');
    if (kind.deletesAtOnce !== true) {
      return cx.store.startDelete(
        existing.id,
        regionOf(cx, existing.id, existing.location),
        request.caller.principalId,
      );
    }
    cx.store.remove(existing.id);
    return 'removed';
  });
  if (deleting === 'gone') return { status: 204 };
  cx.wake(`DELETE ${id.text}`);
  // The Python SDK takes no 200 for a cluster, and either for what is on the network.
  if (deleting === 'removed') return { status: kind.operations === 'network' ? 200 : 204 };
  const headers = operationHeaders(kind, deleting, request, version);
  return kind.operations === 'network'
    ? { status: 202, headers }
    : { status: 202, headers, body: { status: 'Enqueued' } };
}

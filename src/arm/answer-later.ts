import type { JsonObject, Resource } from '../store/resource.ts';
import type { AnyKind, Asked } from './kind.ts';
import { operationHeaders, regionOf } from './operations.ts';
import type { ArmContext, ArmReply, ArmRequest } from './wire.ts';

/** 202, and a Location at which the answer lies: so ARM answers what may take long, and clients expect it. */
export function answerLater(
  cx: ArmContext,
  request: ArmRequest,
  kind: AnyKind,
  resource: Resource,
  version: string,
  /** Called in the transaction that keeps its answer. */
  ask: () => Asked,
): ArmReply {
  const region = regionOf(cx, resource.id, resource.location);
  const { principalId } = request.caller;
  const { operation, confirm } = cx.store.transaction(() => {
    const asked = ask();
    const keep = asked.confirm ? cx.store.operations.asked : cx.store.operations.answered;
    return { operation: keep(resource, region, principalId, asked.answer), confirm: asked.confirm };
  });
  confirm?.((better: JsonObject) => cx.store.operations.answer(operation.id, better));
  const { 'Azure-AsyncOperation': _, ...headers } = operationHeaders(kind, operation, request, version);
  return { status: 202, headers, ...(!confirm && { ended: true }) };
}

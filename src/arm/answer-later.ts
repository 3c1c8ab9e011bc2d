import type { JsonObject, Resource } from '../store/resource.ts';
import type { AnyKind } from './kind.ts';
import { operationHeaders, regionOf } from './operations.ts';
import type { ArmContext, ArmReply, ArmRequest } from './wire.ts';

/** 202, and a Location at which the answer lies: so ARM answers what may take long, and clients expect it. */
export function answerLater(
  cx: ArmContext,
  request: ArmRequest,
  kind: AnyKind,
  resource: Resource,
  answer: JsonObject,
  version: string,
): ArmReply {
  const region = regionOf(cx, resource.id, resource.location);
  const operation = cx.store.operations.answered(resource, region, request.caller.principalId, answer);
  const { 'Azure-AsyncOperation': _, ...headers } = operationHeaders(kind, operation, request, version);
  return { status: 202, headers, ended: true };
}

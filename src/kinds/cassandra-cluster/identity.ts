import { randomUUID } from 'node:crypto';
import type { KindContext, PutRequest } from '../../arm/kind.ts';
import type { JsonObject } from '../../store/resource.ts';
import { fields } from '../fields.ts';
import type { Cluster } from './schema.ts';

export interface ReadIdentity {
  /** `identity` of the envelope. */
  readonly identity: JsonObject;
  readonly principalId: string | undefined;
  readonly changed: boolean;
}

/** `SystemAssigned` gives the cluster a principal, which stays the same however often it is turned off and on. */
export function readIdentity(
  request: PutRequest,
  existing: Cluster | undefined,
  { tenantId }: KindContext,
): ReadIdentity {
  const now = existing?.identity?.['type'] === 'SystemAssigned' ? 'SystemAssigned' : 'None';
  const body = request.identity && fields(request.identity, 'identity');
  const asked = body?.choice('type', ['None', 'SystemAssigned']) ?? now;
  const known = existing?.state.principalId;
  if (asked === 'None') return { identity: { type: 'None' }, principalId: known, changed: now !== 'None' };
  const principalId = known ?? randomUUID();
  return {
    identity: { type: 'SystemAssigned', principalId, tenantId },
    principalId,
    changed: now !== 'SystemAssigned',
  };
}

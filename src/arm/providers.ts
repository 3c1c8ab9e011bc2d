import type { JsonObject } from '../store/resource.ts';
import { checkApiVersion } from './api-version.ts';
import { ArmError } from './errors.ts';
import { groupType } from './lookup.ts';
import { authorize, type ArmContext, type ArmReply, type ArmRequest } from './wire.ts';

/** What clients pick from when they name no version. */
const versions = {
  documentdb: ['2026-04-01-preview', '2026-03-15', '2025-10-15', '2024-05-15'],
  network: ['2026-01-01', '2025-07-01', '2024-07-01', '2024-03-01', '2023-11-01', '2022-01-01', '2021-05-01'],
} as const;

/** Lists the namespaces, shows one, and "registers" one, which is always so already. */
export function answerProviders(
  cx: ArmContext,
  request: ArmRequest,
  subscriptionId: string,
  namespace: string | undefined,
): ArmReply {
  const scope = `/subscriptions/${subscriptionId}`;
  authorize(cx, request.caller, 'Microsoft.Resources/subscriptions/providers/read', scope);
  checkApiVersion(request.query);
  const all = namespacesOf(cx);
  if (namespace === undefined)
    return { status: 200, body: { value: all.map((one) => show(cx, scope, one)) } };
  const found = all.find((one) => one.toLowerCase() === namespace.toLowerCase());
  if (!found)
    throw new ArmError(
      'NotFound',
      `The resource namespace '${namespace.slice(0, 100)}' is not known here. Known are ${all.join(', ')}.`,
    );
  return { status: 200, body: show(cx, scope, found) };
}

const namespacesOf = (cx: ArmContext): readonly string[] =>
  [...new Set([...cx.kinds.map((kind) => kind.type), groupType].map((type) => type.split('/')[0]!))].sort();

function show(cx: ArmContext, scope: string, namespace: string): JsonObject {
  const kinds = cx.kinds.filter((kind) => kind.type.startsWith(`${namespace}/`));
  const own = kinds.map((kind) => ({
    resourceType: kind.type.slice(namespace.length + 1),
    locations: [cx.location],
    apiVersions: [...versions[kind.operations]],
    capabilities: kind.tracked ? 'SupportsTags, SupportsLocation' : 'None',
  }));
  const groups = {
    resourceType: 'resourceGroups',
    locations: [],
    apiVersions: ['2024-11-01', '2021-04-01'],
    capabilities: 'SupportsTags',
  };
  return {
    id: `${scope}/providers/${namespace}`,
    namespace,
    registrationPolicy: 'RegistrationFree',
    registrationState: 'Registered',
    resourceTypes: groupType.startsWith(`${namespace}/`) ? [...own, groups] : own,
  };
}

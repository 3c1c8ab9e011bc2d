import { checkApiVersion } from '../arm/api-version.ts';
import { ArmError } from '../arm/errors.ts';
import type { ExtensionRoute } from '../arm/extension-route.ts';
import { authorize, type ArmContext, type ArmReply, type ArmRequest } from '../arm/wire.ts';
import { answerRoleAssignments } from './role-assignments.ts';
import { answerRoleDefinitions } from './role-definitions.ts';
import { covers, roles } from './roles.ts';

/** `Microsoft.Authorization` at any scope: arm/ routes to it, and knows no role. */
export function answerAuthorization(cx: ArmContext, request: ArmRequest, route: ExtensionRoute): ArmReply {
  if (route.at === 'role-assignments') return answerRoleAssignments(cx, request, route);
  if (route.at === 'role-definitions') return answerRoleDefinitions(cx, request, route);
  return ownPermissions(cx, request, route);
}

/** What the caller may do at a scope: the actions of all its roles that hold there. */
function ownPermissions(cx: ArmContext, request: ArmRequest, route: ExtensionRoute): ArmReply {
  if (request.method !== 'GET' || route.rest.length > 0)
    throw new ArmError('MethodNotAllowed', 'Permissions can only be read, at a scope.');
  authorize(cx, request.caller, 'Microsoft.Authorization/permissions/read', route.scope);
  checkApiVersion(request.query);
  const value = cx.store.principals
    .assignments(request.caller.principalId)
    .filter((one) => covers(one.scope, route.scope))
    .map(({ role }) => ({
      actions: [...(roles[role]?.actions ?? [])],
      notActions: [...(roles[role]?.notActions ?? [])],
      dataActions: [],
      notDataActions: [],
    }));
  return { status: 200, body: { value } };
}

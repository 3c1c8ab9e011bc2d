import { DiskFullError } from '../store/sqlite.ts';
import { ArmError } from './errors.ts';
import { handleArm } from './handle.ts';
import { parseArmId } from './id.ts';
import { scopeType } from './groups.ts';
import { routeOf, type Route } from './route.ts';
import { actionOf, type ArmContext, type ArmReply, type ArmRequest, type Verb } from './wire.ts';

/** Like {@link handleArm}, and keeps in the activity log what was asked to change, and whatever was refused for want of a right. */
export function askArm(cx: ArmContext, request: ArmRequest, correlationId: string): ArmReply {
  const work = (): ArmReply => {
    const reply = handleArm(cx, request);
    if (!isRead(request)) record(cx, request, correlationId, reply);
    return reply;
  };
  try {
    // A change and its line in the log are one transaction: neither is there without the other.
    return isRead(request) ? work() : cx.store.transaction(work);
  } catch (error) {
    if (error instanceof ArmError) recordRefusal(cx, request, correlationId, error);
    throw error;
  }
}

const isRead = ({ method }: ArmRequest): boolean => method === 'GET' || method === 'HEAD';

/** A full disk keeps no line, and the refusal stands all the same. */
function recordRefusal(cx: ArmContext, request: ArmRequest, correlationId: string, refusal: ArmError): void {
  if (isRead(request) && refusal.code !== 'AuthorizationFailed') return;
  try {
    record(cx, request, correlationId, refusal);
  } catch (error) {
    if (!(error instanceof DiskFullError)) throw error;
  }
}

function record(cx: ArmContext, request: ArmRequest, correlationId: string, came: ArmReply | ArmError): void {
  const refused = came instanceof ArmError && came.code === 'AuthorizationFailed';
  const route = routeOf(request.path, cx.kinds);
  const what = subjectOf(request, route);
  // What is not a scope of anybody's belongs into nobody's log.
  const scope = what && parseArmId(what.scope);
  if (!what || !scope) return;
  if (!cx.store.principals.subscriptions().some(({ id }) => id === scope.subscriptionId.toLowerCase()))
    return;
  const long =
    !(came instanceof ArmError) &&
    came.ended !== true &&
    (came.status === 202 || came.headers?.['Azure-AsyncOperation'] !== undefined);
  cx.store.activity.add({
    subscriptionId: scope.subscriptionId,
    resourceGroup: scope.resourceGroup ?? null,
    resourceId: what.scope,
    caller: request.caller.principalId,
    callerName: request.caller.displayName,
    operation: what.operation,
    status: came instanceof ArmError ? 'Failed' : long ? 'Accepted' : 'Succeeded',
    refused,
    httpStatus: came.status,
    code: came instanceof ArmError ? came.code : null,
    message: came instanceof ArmError ? came.message : null,
    correlationId,
  });
}

const words: Readonly<Record<string, string>> = {
  GET: 'read',
  HEAD: 'read',
  PUT: 'write',
  PATCH: 'write',
  DELETE: 'delete',
};

/** What a request is about, in the words of a role: the action, and the scope it is done at. */
function subjectOf(
  request: ArmRequest,
  route: Route,
): { readonly operation: string; readonly scope: string } | undefined {
  const word = words[request.method] ?? 'action';
  switch (route.at) {
    case 'resource': {
      const verb = request.method as Verb;
      return { operation: actionOf(route.kind, verb), scope: route.id.text };
    }
    case 'action': {
      const action = Object.entries(route.kind.actions ?? {}).find(
        ([name]) => name.toLowerCase() === route.action.toLowerCase(),
      )?.[1];
      return action && { operation: action.actionName, scope: route.id.text };
    }
    case 'collection':
    case 'location list':
      return { operation: `${route.kind.type}/read`, scope: route.scope };
    case 'group':
      return { operation: `${scopeType}/${word}`, scope: route.id.text };
    case 'role-assignments':
    case 'role-definitions':
    case 'permissions':
      return { operation: `Microsoft.Authorization/${types[route.at]}/${word}`, scope: route.scope };
    case 'scope-tags':
      return { operation: `Microsoft.Resources/tags/${word}`, scope: route.scope };
    case 'deployments':
      return {
        operation: `Microsoft.Resources/deployments/${word}`,
        scope: `${route.scope}/providers/Microsoft.Resources/deployments${route.rest[0] === undefined ? '' : `/${route.rest[0]}`}`,
      };
    case 'diagnostic-settings':
    case 'activity-log':
      return { operation: `Microsoft.Insights/${types[route.at]}/${word}`, scope: route.scope };
    case 'subscription':
    case 'locations':
    case 'groups':
    case 'tag-names':
    case 'providers':
    case 'registration':
    case 'resources':
      return {
        operation: `Microsoft.Resources/subscriptions/${route.at === 'subscription' ? '' : `${route.at}/`}${word}`,
        scope: `/subscriptions/${route.subscriptionId}`,
      };
    case 'operation':
    case 'tenants':
    case 'subscriptions':
    case 'nothing':
      return undefined;
  }
}

const types = {
  'role-assignments': 'roleAssignments',
  'role-definitions': 'roleDefinitions',
  permissions: 'permissions',
  'diagnostic-settings': 'diagnosticSettings',
  'activity-log': 'eventtypes/values',
} as const;

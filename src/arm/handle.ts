import { answerActivityLog } from './activity-log.ts';
import { answerDeployments } from './deployments/deployments.ts';
import { answerDiagnosticSettings } from './diagnostic-settings.ts';
import { answerGroup, listGroups } from './groups.ts';
import { deleteResource } from './delete.ts';
import { ArmError } from './errors.ts';
import type { ArmId } from './id.ts';
import type { AnyKind } from './kind.ts';
import { answerOperation } from './operations.ts';
import { answerProviders } from './providers.ts';
import { putResource } from './put.ts';
import { answerScopeTags, listTagNames } from './scope-tags.ts';
import { getResource, listAll, listLocation, listResources, runAction } from './read.ts';
import { routeOf, type Route } from './route.ts';
import {
  getSubscription,
  listLocations,
  listSubscriptions,
  listTenants,
  needSubscription,
} from './subscriptions.ts';
import type { ArmContext, ArmReply, ArmRequest, Verb } from './wire.ts';

/** Answers one authenticated request. Every no is an {@link ArmError}, thrown. */
export function handleArm(cx: ArmContext, request: ArmRequest): ArmReply {
  const route = routeOf(request.path, cx.kinds);
  if (route.at === 'nothing') throw new ArmError('NotFound', route.why);
  const subscriptionId = subscriptionOf(route);
  if (subscriptionId !== undefined) needSubscription(cx, subscriptionId);
  allow(request, methodsOf(route));
  switch (route.at) {
    case 'tenants':
      return listTenants(cx, request);
    case 'subscriptions':
      return listSubscriptions(cx, request);
    case 'subscription':
      return getSubscription(cx, request, route.subscriptionId);
    case 'locations':
      return listLocations(cx, request, route.subscriptionId);
    case 'groups':
      return listGroups(cx, request, route.subscriptionId);
    case 'group':
      return answerGroup(cx, request, route.id);
    case 'providers':
    case 'registration':
      return answerProviders(cx, request, route.subscriptionId, route.namespace);
    case 'resources':
      return listAll(cx, request, route.scope);
    case 'operation':
      return answerOperation(cx, request, route);
    case 'tag-names':
      return listTagNames(cx, request, route.subscriptionId);
    case 'scope-tags':
      return answerScopeTags(cx, request, route);
    case 'diagnostic-settings':
      return answerDiagnosticSettings(cx, request, route);
    case 'activity-log':
      return answerActivityLog(cx, request, route);
    case 'deployments':
      return answerDeployments(cx, request, route);
    case 'role-assignments':
    case 'role-definitions':
    case 'permissions':
      if (!cx.authorization) throw new ArmError('NotFound', 'Roles are not known here.');
      return cx.authorization(cx, request, route);
    case 'collection':
      return listResources(cx, request, route.kind, route.scope);
    case 'location list':
      return listLocation(cx, request, route);
    case 'action':
      return runAction(cx, request, route.kind, route.id, route.action);
    case 'resource':
      return answerResource(cx, request, route.kind, route.id);
  }
}

function answerResource(cx: ArmContext, request: ArmRequest, kind: AnyKind, id: ArmId): ArmReply {
  const verb = request.method as Verb;
  if (!kind.verbs.includes(verb)) {
    throw new ArmError(
      'MethodNotAllowed',
      `A resource of type '${kind.type}' can't be asked with ${request.method.slice(0, 20)}: it allows ${kind.verbs.join(', ')}; the service itself does the rest.`,
    );
  }
  if (verb === 'GET') return getResource(cx, request, kind, id);
  return verb === 'DELETE' ? deleteResource(cx, request, kind, id) : putResource(cx, request, kind, id);
}

function subscriptionOf(route: Route): string | undefined {
  if ('subscriptionId' in route) return route.subscriptionId;
  if ('rest' in route) return route.on?.subscriptionId;
  return 'id' in route ? route.id.subscriptionId : undefined;
}

/** Undefined: the route decides by itself. */
function methodsOf(route: Route): readonly string[] | undefined {
  if (route.at === 'group' || route.at === 'resource' || route.at === 'action' || 'rest' in route)
    return undefined;
  return route.at === 'registration' ? ['POST'] : ['GET'];
}

function allow(request: ArmRequest, methods: readonly string[] | undefined): void {
  if (!methods || methods.includes(request.method)) return;
  throw new ArmError(
    'MethodNotAllowed',
    `This path can be asked with ${methods.join(', ')}, not with ${request.method.slice(0, 20)}.`,
  );
}

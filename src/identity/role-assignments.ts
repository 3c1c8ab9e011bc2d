import { checkApiVersion } from '../arm/api-version.ts';
import { ArmError } from '../arm/errors.ts';
import type { ExtensionRoute } from '../arm/extension-route.ts';
import { sameId } from '../arm/id.ts';
import { needScope } from '../arm/lookup.ts';
import { isObject } from '../arm/request-body.ts';
import { authorize, type ArmContext, type ArmReply, type ArmRequest } from '../arm/wire.ts';
import type { Principal, StoredAssignment } from '../store/principals.ts';
import type { Json, JsonObject } from '../store/resource.ts';
import { roleDefinitionId } from './role-definitions.ts';
import { covers, roles } from './roles.ts';

const type = 'Microsoft.Authorization/roleAssignments';
const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Who has which role where: at any scope of a subscription. */
export function answerRoleAssignments(cx: ArmContext, request: ArmRequest, route: ExtensionRoute): ArmReply {
  const { scope, rest } = route;
  if (!route.on)
    throw new ArmError('NotFound', 'Role assignments are asked for at a scope: begin the path with it.');
  const [name, ...more] = rest;
  if (more.length > 0) throw new ArmError('NotFound', 'A role assignment has nothing below it.');
  switch (`${name === undefined ? 'list' : 'one'} ${request.method}`) {
    case 'list GET':
      return list(cx, request, scope);
    case 'one GET':
      authorize(cx, request.caller, `${type}/read`, scope);
      checkApiVersion(request.query);
      return { status: 200, body: show(cx, need(cx, name!, scope)) };
    case 'one PUT':
      return put(cx, request, scope, name!);
    case 'one DELETE':
      return remove(cx, request, scope, name!);
    default:
      throw new ArmError(
        'MethodNotAllowed',
        'Role assignments are listed, read, PUT and DELETEd by their name.',
      );
  }
}

function list(cx: ArmContext, request: ArmRequest, scope: string): ArmReply {
  authorize(cx, request.caller, `${type}/read`, scope);
  checkApiVersion(request.query);
  const wanted = filterOf(cx, request.query.get('$filter'));
  const value = cx.store.principals
    .allAssignments()
    .filter((one) => covers(one.scope, scope) || (!wanted.atScope && covers(scope, one.scope)))
    .filter((one) => wanted.principal === undefined || one.principal === wanted.principal)
    .map((one) => show(cx, one));
  return { status: 200, body: { value } };
}

function put(cx: ArmContext, request: ArmRequest, scope: string, name: string): ArmReply {
  authorize(cx, request.caller, `${type}/write`, scope);
  checkApiVersion(request.query);
  const { role, principal } = readBody(cx, request.body);
  if (!guid.test(name))
    throw new ArmError(
      'InvalidResourceName',
      `The name of a role assignment is a GUID, and not '${name.slice(0, 100)}'.`,
    );
  return cx.store.transaction(() => {
    needScope(cx, scope);
    const { principals } = cx.store;
    const had = principals.assignment(name);
    const same = (one: StoredAssignment): boolean =>
      one.principal === principal.clientId && one.role === role && sameId(one.scope, scope);
    if (had && same(had)) return { status: 200, body: show(cx, had) };
    if (had) {
      throw new ArmError(
        'Conflict',
        `The role assignment '${name}' exists already for another principal, role or scope, and can't be changed. Delete it, or take a new GUID.`,
      );
    }
    const twin = principals.allAssignments().find(same);
    if (twin)
      throw new ArmError(
        'RoleAssignmentExists',
        `The role assignment already exists: its name is '${twin.id}'.`,
      );
    principals.assign({ id: name, principal: principal.clientId, role, scope });
    return { status: 201, body: show(cx, principals.assignment(name)!) };
  });
}

function remove(cx: ArmContext, request: ArmRequest, scope: string, name: string): ArmReply {
  authorize(cx, request.caller, `${type}/delete`, scope);
  checkApiVersion(request.query);
  return cx.store.transaction(() => {
    const { principals } = cx.store;
    const had = principals.assignment(name);
    if (!had || !sameId(had.scope, scope)) return { status: 204 };
    const owners = principals
      .allAssignments()
      .filter((one) => one.role === 'Owner' && sameId(one.scope, scope) && one.id !== had.id);
    if (had.role === 'Owner' && /^\/subscriptions\/[^/]+$/i.test(scope) && owners.length === 0) {
      throw new ArmError(
        'Conflict',
        'It is the last owner of the subscription: nobody could give a role any more. Give Owner to somebody else first.',
      );
    }
    const body = show(cx, had);
    principals.unassign(name);
    return { status: 200, body };
  });
}

function need(cx: ArmContext, name: string, scope: string): StoredAssignment {
  const found = cx.store.principals.assignment(name);
  if (found && sameId(found.scope, scope)) return found;
  throw new ArmError('NotFound', `The role assignment '${name.slice(0, 100)}' is not found.`);
}

function readBody(
  cx: ArmContext,
  body: Json | undefined,
): { readonly role: string; readonly principal: Principal } {
  const properties = isObject(body) && isObject(body['properties']) ? body['properties'] : {};
  const { roleDefinitionId: definition, principalId, condition } = properties;
  if (typeof definition !== 'string' || typeof principalId !== 'string') {
    throw new ArmError(
      'InvalidRequestContent',
      'Send {"properties": {"roleDefinitionId": "…", "principalId": "…"}}: the id of a role definition, and a principal.',
    );
  }
  if (condition !== undefined && condition !== null)
    throw new ArmError('NotYetSupported', 'A condition on a role assignment is not there. Leave it out.', {
      target: 'properties.condition',
    });
  const id = definition.split('/').at(-1)!.toLowerCase();
  const role = Object.entries(roles).find(([, one]) => one.id === id && one.onlyAtRoot !== true)?.[0];
  if (role === undefined) {
    throw new ArmError(
      'RoleDefinitionDoesNotExist',
      `There is no role definition '${id.slice(0, 100)}' to be given.`,
      {
        target: 'properties.roleDefinitionId',
      },
    );
  }
  const principal = cx.store.principals.find(principalId);
  if (!principal) {
    throw new ArmError(
      'PrincipalNotFound',
      `Principal '${principalId.slice(0, 100)}' does not exist in the directory. Take an application id or object id that is known here.`,
      { target: 'properties.principalId' },
    );
  }
  return { role, principal };
}

function show(cx: ArmContext, one: StoredAssignment): JsonObject {
  const subscription = /^\/subscriptions\/([^/]+)/i.exec(one.scope)?.[1];
  const base = one.scope === '/' ? '' : one.scope;
  return {
    id: `${base}/providers/${type}/${one.id}`,
    name: one.id,
    type,
    properties: {
      roleDefinitionId: roleDefinitionId(one.role, subscription),
      principalId: cx.store.principals.get(one.principal)?.objectId ?? one.principal,
      principalType: 'ServicePrincipal',
      scope: one.scope,
      condition: null,
      createdOn: one.createdAt,
      updatedOn: one.createdAt,
    },
  };
}

/** `atScope()`, `principalId eq '…'`, `assignedTo('…')`, joined by `and`. */
function filterOf(
  cx: ArmContext,
  text: string | null,
): { readonly atScope: boolean; readonly principal: string | undefined } {
  let atScope = false;
  let principal: string | undefined;
  for (const term of (text ?? '').split(/ and /i).filter((one) => one.trim() !== '')) {
    const id = /^\s*(?:principalId\s+eq\s+'([^']*)'|assignedTo\('([^']*)'\))\s*$/i.exec(term);
    if (/^\s*atScope\(\)\s*$/i.test(term)) atScope = true;
    else if (id) {
      const asked = id[1] ?? id[2] ?? '';
      principal = cx.store.principals.find(asked)?.clientId ?? asked.toLowerCase();
    } else {
      throw new ArmError(
        'BadRequest',
        `The filter '${term.trim().slice(0, 100)}' is not understood: atScope(), principalId eq '…' and assignedTo('…') are.`,
        { target: '$filter' },
      );
    }
  }
  return { atScope, principal };
}

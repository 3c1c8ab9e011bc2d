import { checkApiVersion } from '../arm/api-version.ts';
import { ArmError } from '../arm/errors.ts';
import type { ExtensionRoute } from '../arm/extension-route.ts';
import { authorize, type ArmContext, type ArmReply, type ArmRequest } from '../arm/wire.ts';
import type { JsonObject } from '../store/resource.ts';
import { roles, type Role } from './roles.ts';

const type = 'Microsoft.Authorization/roleDefinitions';

/** Which roles there are: they are built in, so they are only read. */
export function answerRoleDefinitions(cx: ArmContext, request: ArmRequest, route: ExtensionRoute): ArmReply {
  if (request.method !== 'GET')
    throw new ArmError('MethodNotAllowed', 'The roles are built in: they can be read, and not changed.');
  // At the root they are no secret: names and ids are the same everywhere.
  if (route.on) authorize(cx, request.caller, `${type}/read`, route.scope);
  checkApiVersion(request.query);
  const [id, ...more] = route.rest;
  if (more.length > 0) throw new ArmError('NotFound', 'A role definition has nothing below it.');
  if (id !== undefined) {
    const found = Object.entries(roles).find(([, role]) => role.id === id.toLowerCase());
    if (!found)
      throw new ArmError('NotFound', `There is no role definition '${id.slice(0, 100)}'. List them instead.`);
    return { status: 200, body: showRole(...found, route) };
  }
  const wanted = filterOf(request.query.get('$filter'));
  const value = Object.entries(roles)
    .filter(([name, role]) => wanted(name, role))
    .map(([name, role]) => showRole(name, role, route));
  return { status: 200, body: { value } };
}

export const roleDefinitionId = (role: string, subscriptionId: string | undefined): string =>
  `${subscriptionId === undefined ? '' : `/subscriptions/${subscriptionId}`}/providers/${type}/${roles[role]!.id}`;

function showRole(name: string, role: Role, { on }: ExtensionRoute): JsonObject {
  return {
    id: roleDefinitionId(name, on?.subscriptionId),
    name: role.id,
    type,
    properties: {
      roleName: name,
      type: 'BuiltInRole',
      description: role.summary,
      assignableScopes: ['/'],
      permissions: [
        { actions: [...role.actions], notActions: [...role.notActions], dataActions: [], notDataActions: [] },
      ],
    },
  };
}

/** `roleName eq 'x'`, `type eq 'BuiltInRole'` and `atScopeAndBelow()`, in any number, joined by `and`. */
function filterOf(text: string | null): (name: string, role: Role) => boolean {
  const tests = (text ?? '')
    .split(/ and /i)
    .filter((term) => term.trim() !== '')
    .map((term): ((name: string) => boolean) => {
      if (/^\s*atScopeAndBelow\(\)\s*$/i.test(term)) return () => true;
      const match = /^\s*(roleName|type)\s+eq\s+'([^']*)'\s*$/i.exec(term);
      if (!match) {
        throw new ArmError(
          'BadRequest',
          `The filter '${term.trim().slice(0, 100)}' is not understood: roleName eq '…' and type eq 'BuiltInRole' are.`,
          { target: '$filter' },
        );
      }
      const value = match[2]!.toLowerCase();
      return match[1]!.toLowerCase() === 'type'
        ? () => value === 'builtinrole'
        : (name) => name.toLowerCase() === value;
    });
  return (name) => tests.every((one) => one(name));
}

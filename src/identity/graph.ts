import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ArmError } from '../arm/errors.ts';
import type { Caller } from '../arm/kind.ts';
import { isObject } from '../arm/request-body.ts';
import type { Principal, Principals } from '../store/principals.ts';
import type { Json } from '../store/resource.ts';

/** How many ids one look-up may name, as Graph has it. */
const mostIds = 1_000;

/**
 * The look-ups of Microsoft Graph v1.0 that `az role assignment` makes: a principal by its ids or its whole name. Nothing is listed
 * without one, so that a customer can't read who else there is.
 */
export function addGraph(
  app: FastifyInstance,
  options: {
    readonly principals: Pick<Principals, 'find' | 'all'>;
    readonly tenantId: string;
    readonly authenticated: (request: FastifyRequest) => Caller | Promise<Caller>;
  },
): void {
  const { principals, tenantId, authenticated } = options;
  const show = (one: Principal) => ({
    '@odata.type': '#microsoft.graph.servicePrincipal',
    id: one.objectId,
    appId: one.clientId,
    appDisplayName: one.displayName,
    displayName: one.displayName,
    appOwnerOrganizationId: tenantId,
    accountEnabled: true,
    servicePrincipalNames: [one.clientId],
    servicePrincipalType: 'Application',
  });

  app.get<{ Querystring: Readonly<Record<string, string>> }>(
    '/graph/v1.0/servicePrincipals',
    async (request) => {
      await authenticated(request);
      return { value: find(principals, request.query['$filter'] ?? '').map(show) };
    },
  );

  app.get<{ Params: { id: string } }>('/graph/v1.0/servicePrincipals/:id', async (request) => {
    await authenticated(request);
    const found = principals.find(request.params.id);
    if (!found || found.objectId !== request.params.id.toLowerCase())
      throw new ArmError('NotFound', `There is no service principal '${request.params.id.slice(0, 100)}'.`);
    return show(found);
  });

  app.post('/graph/v1.0/directoryObjects/getByIds', async (request) => {
    await authenticated(request);
    const body = request.body as Json | undefined;
    const ids = isObject(body) ? body['ids'] : undefined;
    if (!Array.isArray(ids) || ids.length > mostIds || !ids.every((id) => typeof id === 'string'))
      throw new ArmError('InvalidRequestContent', `Send {"ids": ["…"]}: at most ${mostIds} object ids.`, {
        target: 'ids',
      });
    const objects = ids.map((id) => principals.find(id)).filter((one) => one !== undefined);
    return { value: objects.filter((one) => ids.includes(one.objectId)).map(show) };
  });

  // az asks for people and groups before it settles on a service principal: there are none here.
  for (const kind of ['users', 'groups', 'applications']) {
    app.get(`/graph/v1.0/${kind}`, async (request) => {
      await authenticated(request);
      return { value: [] };
    });
  }
}

function find(principals: Pick<Principals, 'find' | 'all'>, filter: string): readonly Principal[] {
  const term =
    /^\s*(?:servicePrincipalNames\/any\((\w+):\1\s+eq\s+'([^']*)'\)|(appId|id|displayName)\s+eq\s+'([^']*)')\s*$/i.exec(
      filter,
    );
  if (!term) {
    throw new ArmError(
      'BadRequest',
      "The filter is not understood: servicePrincipalNames/any(c:c eq '…'), or eq on appId, id or displayName.",
      { target: '$filter' },
    );
  }
  const value = (term[2] ?? term[4] ?? '').toLowerCase();
  if (term[3]?.toLowerCase() === 'displayname')
    return principals.all().filter((one) => one.displayName.toLowerCase() === value);
  const found = principals.find(value);
  const key = term[3]?.toLowerCase() === 'id' ? found?.objectId : found?.clientId;
  return found && key === value ? [found] : [];
}

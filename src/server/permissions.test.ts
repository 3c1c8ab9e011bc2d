import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { routeOf, type Route } from '../arm/route.ts';
import { toyControl } from '../../test/harness/toy-control.ts';
import { toyKinds } from '../../test/harness/toy-plane.ts';

const name = randomUUID();
const atScope = [
  ['GET', 'Microsoft.Authorization/roleAssignments'],
  ['GET', `Microsoft.Authorization/roleAssignments/${name}`],
  ['PUT', `Microsoft.Authorization/roleAssignments/${name}`],
  ['DELETE', `Microsoft.Authorization/roleAssignments/${name}`],
  ['GET', 'Microsoft.Authorization/roleDefinitions'],
  ['GET', `Microsoft.Authorization/roleDefinitions/${name}`],
  ['GET', 'Microsoft.Authorization/permissions'],
  ['GET', 'Microsoft.Resources/tags/default'],
  ['PUT', 'Microsoft.Resources/tags/default'],
  ['PATCH', 'Microsoft.Resources/tags/default'],
  ['DELETE', 'Microsoft.Resources/tags/default'],
] as const;
const deployment = [
  ['GET', ''],
  ['GET', '/d'],
  ['HEAD', '/d'],
  ['PUT', '/d'],
  ['DELETE', '/d'],
  ['GET', '/d/operations'],
  ['POST', '/d/validate'],
  ['POST', '/d/cancel'],
  ['POST', '/d/exportTemplate'],
] as const;

/** Named one by one, so that a new one does not compile until it is here, and does not pass until it is walked. */
const everyAt: Readonly<Record<Route['at'], 'walked' | 'own subscriptions only' | 'nothing there'>> = {
  action: 'walked',
  'activity-log': 'walked',
  collection: 'walked',
  deployments: 'walked',
  'diagnostic-settings': 'walked',
  group: 'walked',
  groups: 'walked',
  'location list': 'walked',
  locations: 'walked',
  nothing: 'nothing there',
  operation: 'walked',
  permissions: 'walked',
  providers: 'walked',
  registration: 'walked',
  resource: 'walked',
  resources: 'walked',
  'role-assignments': 'walked',
  'role-definitions': 'walked',
  'scope-tags': 'walked',
  subscription: 'walked',
  subscriptions: 'own subscriptions only',
  'tag-names': 'walked',
  tenants: 'own subscriptions only',
};

/** Where nobody has signed in yet: discovery, keys, the token itself, the extension that az takes before. Whatever else answers without a token is a hole. */
const isPublic = (path: string): boolean =>
  path === '/metadata/endpoints' ||
  /^\/sallyport\/az(\/|$)/.test(path) ||
  /openid-configuration$|\/oauth2\/(v2\.0\/)?token$|\/keys$/.test(path);

test('every route of ours, and every kind of path of ARM, is among those that are walked', async (t) => {
  const toy = await toyControl(t);
  for (const [method, path] of toy.control.routes) {
    if (isPublic(path) || path === '/*') continue;
    const at = path.replaceAll(/:\w+/g, randomUUID());
    const answer = await toy.call(method, at, { as: 'nobody', ...(method !== 'GET' && { body: {} }) });
    assert.equal(answer.status, 401, `${method} ${path}`);
  }
  const walked = new Set(everyRoute('/subscriptions/s').map(([, path]) => routeOf(path, toyKinds).at));
  for (const [at, how] of Object.entries(everyAt)) {
    if (how === 'walked') assert.ok(walked.has(at as Route['at']), `${at} is not walked`);
  }
});

/** Every path there is, with what it can be asked with: made from the registry, so that no kind is forgotten. */
function everyRoute(sub: string): readonly (readonly [string, string])[] {
  const group = `${sub}/resourceGroups/g`;
  const fixed = [
    ['GET', sub],
    ['GET', `${sub}/locations`],
    ['GET', `${sub}/providers`],
    ['GET', `${sub}/providers/Toy.Box`],
    ['POST', `${sub}/providers/Toy.Box/register`],
    ['GET', `${sub}/resources`],
    ['GET', `${group}/resources`],
    ['GET', `${sub}/resourcegroups`],
    ...['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'].map((verb) => [verb, group] as const),
    ['GET', `${sub}/providers/Toy.Box/locations/eastus2/operationsStatus/${randomUUID()}`],
    ['GET', `${sub}/providers/Toy.Box/locations/eastus2/operationResults/${randomUUID()}`],
    ['GET', `${sub}/tagNames`],
    ['GET', `${sub}/operationresults/${randomUUID()}`],
    ['GET', `${sub}/providers/Microsoft.Insights/eventtypes/management/values`],
    ...[sub, group, `${group}/providers/Toy.Net/wires/x`].flatMap((scope) =>
      atScope.map(([verb, path]) => [verb, `${scope}/providers/${path}`] as const),
    ),
    ...deployment.map(
      ([verb, path]) => [verb, `${group}/providers/Microsoft.Resources/deployments${path}`] as const,
    ),
    ['GET', `${group}/deployments/d/operations`],
    ...['GET', 'PUT', 'DELETE'].map(
      (verb) =>
        [
          verb,
          `${group}/providers/Toy.Net/wires/x/providers/Microsoft.Insights/diagnosticSettings/s`,
        ] as const,
    ),
  ] as const;
  const kinds = toyKinds.flatMap((kind) => {
    const [namespace, ...types] = kind.type.split('/');
    const path = `${group}/providers/${namespace}/${types.map((type) => `${type}/x`).join('/')}`;
    return [
      ['GET', path.slice(0, path.lastIndexOf('/'))] as const,
      ...(types.length === 1 ? [['GET', `${sub}/providers/${kind.type}`] as const] : []),
      ...kind.verbs.map((verb) => [verb, path] as const),
      ...Object.entries(kind.actions ?? {}).map(
        ([name, action]) => [action.method, `${path}/${name}`] as const,
      ),
      ...Object.keys(kind.locationLists ?? {}).map(
        (name) => ['GET', `${sub}/providers/${namespace}/locations/eastus2/${name}`] as const,
      ),
    ];
  });
  return [...fixed, ...kinds];
}

test('every route: without a token 401, by the principal of another subscription 403', async (t) => {
  const toy = await toyControl(t);
  const body = { location: 'eastus2' };
  for (const [owner, other] of [
    ['customer', 'provider'],
    ['provider', 'customer'],
  ] as const) {
    const routes = everyRoute(`/subscriptions/${toy.parties[owner].subscriptionId}`);
    assert.ok(routes.length > 35);
    for (const [method, path] of routes) {
      const options = method === 'GET' || method === 'HEAD' ? {} : { body };
      assert.equal(
        (await toy.call(method, path, { ...options, as: 'nobody' })).status,
        401,
        `${method} ${path}`,
      );
      assert.equal(
        (await toy.call(method, path, { ...options, as: other })).status,
        403,
        `${method} ${path}`,
      );
    }
  }
  for (const path of [
    '/subscriptions',
    '/tenants',
    '/sallyport/status',
    `/sallyport/verify/${randomUUID()}`,
  ]) {
    assert.equal((await toy.call('GET', path, { as: 'nobody' })).status, 401, path);
  }
});

test('an operation is shown to whoever started it, and not to others', async (t) => {
  const toy = await toyControl(t);
  const sub = `/subscriptions/${toy.parties.customer.subscriptionId}`;
  await toy.call('PUT', `${sub}/resourcegroups/g`, { body: { location: 'eastus2' } });
  const { headers } = await toy.call('PUT', `${sub}/resourceGroups/g/providers/Toy.Net/wires/w`, {
    body: { location: 'eastus2' },
  });
  const poll = new URL(headers['azure-asyncoperation'] ?? '');
  assert.equal((await toy.call('GET', `${poll.pathname}${poll.search}`, { version: null })).status, 200);
  assert.equal(
    (await toy.call('GET', `${poll.pathname}${poll.search}`, { version: null, as: 'provider' })).status,
    403,
  );
});

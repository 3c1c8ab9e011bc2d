import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { toyControl } from '../../test/harness/toy-control.ts';
import { toyKinds } from '../../test/harness/toy-plane.ts';

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

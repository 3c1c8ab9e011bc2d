import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { execStatus } from '../lib/exec.ts';
import { toyControl, type Answer } from '../../test/harness/toy-control.ts';
import { surveys } from '../../test/harness/toy-plane.ts';

const code = (answer: Answer): readonly [number, string] => [answer.status, answer.body.error.code];

test('groups, and a resource from PUT to Succeeded to DELETE, in the form of DocumentDB', async (t) => {
  const toy = await toyControl(t);
  const sub = `/subscriptions/${toy.parties.customer.subscriptionId}`;
  const box = `${sub}/resourceGroups/g/providers/Toy.Box/boxes/Box1`;
  assert.deepEqual(code(await toy.call('PUT', box, { body: { location: 'eastus2' } })), [
    404,
    'ResourceGroupNotFound',
  ]);
  assert.equal((await toy.call('HEAD', `${sub}/resourcegroups/g`)).status, 404);
  assert.equal(
    (await toy.call('PUT', `${sub}/resourcegroups/g`, { body: { location: 'East US 2' } })).status,
    201,
  );
  assert.equal(
    (await toy.call('PUT', `${sub}/resourcegroups/G`, { body: { location: 'eastus2', tags: { a: 'b' } } }))
      .status,
    200,
  );
  assert.equal((await toy.call('HEAD', `${sub}/resourcegroups/g`)).status, 204);

  toy.world.ready = false;
  const created = await toy.call('PUT', box, {
    body: { location: 'eastus2', tags: { a: 'b' }, properties: { size: '3', secret: 'hush-hush' } },
  });
  assert.equal(created.status, 201);
  assert.equal(created.body.properties.provisioningState, 'Creating');
  assert.equal(created.body.systemData.createdByType, 'Application');
  assert.equal(created.headers['retry-after'], '1');
  assert.equal(created.headers['location'], undefined);
  const poll = new URL(created.headers['azure-asyncoperation'] ?? '');
  assert.match(poll.pathname, /\/providers\/Toy\.Box\/locations\/eastus2\/operationsStatus\/[0-9a-f-]{36}$/);
  const running = await toy.call('GET', `${poll.pathname}${poll.search}`, { version: null });
  assert.match(running.body.status, /^(Enqueued|Dequeued)$/);
  assert.equal(running.headers['retry-after'], '1');

  // The same again joins what runs; something else must wait, and so must a neighbour of the same box.
  const again = await toy.call('PUT', box, { body: { location: 'eastus2', properties: { size: 3 } } });
  assert.deepEqual(
    [again.status, again.headers['azure-asyncoperation']],
    [200, created.headers['azure-asyncoperation']],
  );
  assert.deepEqual(code(await toy.call('PUT', box, { body: { properties: { size: 4 } } })), [
    409,
    'AnotherOperationInProgress',
  ]);
  assert.deepEqual(code(await toy.call('PUT', `${box}/lids/l1`, { body: {} })), [
    409,
    'AnotherOperationInProgress',
  ]);

  toy.world.finish();
  assert.equal(
    (await toy.call('GET', `${poll.pathname}${poll.search}`, { version: null })).body.status,
    'Succeeded',
  );
  const shown = await toy.call('GET', box);
  assert.deepEqual(shown.body.properties, { provisioningState: 'Succeeded', size: 3 });
  assert.equal(shown.body.name, 'Box1');

  // Its own GET sent back is nothing new, however the path is cased and slashed.
  const echo = await toy.call(
    'PUT',
    box.replace('resourceGroups', 'RESOURCEGROUPS').replace('Toy.Box/', 'toy.box//'),
    { body: shown.body },
  );
  assert.deepEqual(
    [echo.status, echo.headers['azure-asyncoperation'], echo.body],
    [200, undefined, shown.body],
  );

  toy.world.ready = true;
  assert.equal((await toy.call('PUT', `${box}/lids/l1`, { body: { properties: { size: 1 } } })).status, 201);
  assert.deepEqual(
    (await toy.call('GET', `${box}/lids`)).body.value.map((lid: { name: string }) => lid.name),
    ['l1'],
  );
  assert.deepEqual(code(await toy.call('DELETE', box)), [409, 'InUse']);

  const deleted = await toy.call('DELETE', `${box}/lids/l1`);
  assert.deepEqual([deleted.status, deleted.body], [202, { status: 'Enqueued' }]);
  const result = new URL(deleted.headers['location'] ?? '');
  assert.match(result.pathname, /operationResults/);
  assert.equal((await toy.call('GET', `${result.pathname}${result.search}`, { version: null })).status, 204);
  assert.equal((await toy.call('DELETE', `${box}/lids/l1`)).status, 204);
  assert.equal((await toy.call('DELETE', box)).status, 202);
  assert.equal((await toy.call('DELETE', `${sub}/resourcegroups/g`)).status, 200);
  assert.ok(!toy.log.join('').includes('hush-hush'));
});

test('the form of the network, PATCH, failure and what is settled at once', async (t) => {
  const toy = await toyControl(t);
  const sub = `/subscriptions/${toy.parties.customer.subscriptionId}`;
  const wire = `${sub}/resourceGroups/g/providers/Toy.Net/wires/w`;
  await toy.call('PUT', `${sub}/resourcegroups/g`, { body: { location: 'westeurope' } });
  toy.world.ready = false;
  const created = await toy.call('PUT', wire, { body: { location: 'westeurope' }, version: '2018-11-01' });
  const poll = new URL(created.headers['azure-asyncoperation'] ?? '');
  assert.match(poll.pathname, /\/locations\/westeurope\/operations\//);
  assert.equal(created.body.etag, created.headers['etag']);
  assert.equal(
    (await toy.call('GET', `${poll.pathname}${poll.search}`, { version: null })).body.status,
    'InProgress',
  );
  toy.world.finish({ at: 'Failed', fault: { code: 'Broken', message: 'It broke.' } });
  assert.deepEqual((await toy.call('GET', `${poll.pathname}${poll.search}`, { version: null })).body, {
    status: 'Failed',
    error: { code: 'Broken', message: 'It broke.' },
  });
  assert.equal((await toy.call('GET', wire)).body.properties.provisioningState, 'Failed');

  // Asking for the same again is trying again; and what is being made can be given up.
  const retry = await toy.call('PUT', wire, { body: { location: 'westeurope' } });
  assert.equal(retry.body.properties.provisioningState, 'Updating');
  const dropped = await toy.call('DELETE', wire);
  assert.equal(dropped.status, 202);
  const canceled = new URL(retry.headers['azure-asyncoperation'] ?? '');
  assert.equal(
    (await toy.call('GET', `${canceled.pathname}${canceled.search}`, { version: null })).body.status,
    'Canceled',
  );
  assert.equal(
    (await toy.call('DELETE', wire)).headers['azure-asyncoperation'],
    dropped.headers['azure-asyncoperation'],
  );
  assert.deepEqual(code(await toy.call('PUT', wire, { body: { location: 'westeurope' } })), [
    409,
    'AnotherOperationInProgress',
  ]);
  toy.world.finish();

  const label = wire.replace('wires', 'labels');
  const settled = await toy.call('PUT', label, { body: { location: 'westeurope' } });
  assert.deepEqual(
    [settled.status, settled.headers['azure-asyncoperation'], settled.body.properties.provisioningState],
    [201, undefined, 'Succeeded'],
  );
  const tagged = await toy.call('PATCH', label, { body: { tags: { a: 'b' } } });
  assert.deepEqual([tagged.status, tagged.body.tags], [200, { a: 'b' }]);
  assert.deepEqual(code(await toy.call('PATCH', `${label}x`, { body: {} })), [404, 'ResourceNotFound']);
  assert.deepEqual(code(await toy.call('PUT', label, { body: {}, headers: { 'if-match': '"old"' } })), [
    412,
    'PreconditionFailed',
  ]);
  assert.deepEqual(code(await toy.call('PUT', label, { body: {}, headers: { 'if-none-match': '*' } })), [
    412,
    'PreconditionFailed',
  ]);
  assert.equal(
    (await toy.call('PUT', label, { body: {}, headers: { 'if-match': tagged.headers['etag'] ?? '' } }))
      .status,
    200,
  );
  assert.deepEqual(code(await toy.call('PUT', label, { body: { location: 'eastus' } })), [
    400,
    'PropertyChangeNotAllowed',
  ]);
  assert.equal((await toy.call('DELETE', label)).status, 200);
});

test('every wrong request has its own clear answer', async (t) => {
  const toy = await toyControl(t);
  const sub = `/subscriptions/${toy.parties.customer.subscriptionId}`;
  await toy.call('PUT', `${sub}/resourcegroups/g`, { body: { location: 'eastus2' } });
  const box = `${sub}/resourceGroups/g/providers/Toy.Box/boxes/b`;
  const body = { location: 'eastus2' };
  const cases: readonly (readonly [Promise<Answer>, number, string])[] = [
    [toy.call('GET', box, { version: null }), 400, 'MissingApiVersionParameter'],
    [toy.call('GET', box, { version: 'latest' }), 400, 'InvalidApiVersionParameter'],
    [toy.call('GET', box, { version: '2026-13-45' }), 400, 'InvalidApiVersionParameter'],
    [toy.call('GET', box, { version: '2015-01-01' }), 400, 'InvalidApiVersionParameter'],
    [toy.call('GET', box), 404, 'ResourceNotFound'],
    [toy.call('PUT', `${box}_!`, { body }), 400, 'InvalidResourceName'],
    [toy.call('PUT', `${box}%2fx`, { body }), 404, 'NotFound'],
    [toy.call('PUT', box, { raw: '{"location": ' }), 400, 'InvalidRequestContent'],
    [toy.call('PUT', box, { raw: '[1]' }), 400, 'InvalidRequestContent'],
    [toy.call('PUT', box, { raw: '['.repeat(100_000) }), 400, 'InvalidRequestContent'],
    [toy.call('PUT', box), 400, 'InvalidRequestContent'],
    [toy.call('PUT', box, { body: { ...body, proprties: {} } }), 400, 'InvalidRequestContent'],
    [toy.call('PUT', box, { body: { ...body, properties: [] } }), 400, 'InvalidRequestContent'],
    [toy.call('PUT', box, { body: { ...body, tags: { a: 1 } } }), 400, 'InvalidParameter'],
    [toy.call('PUT', box, { body: {} }), 400, 'InvalidParameter'],
    [toy.call('PUT', box, { body: { location: 7 } }), 400, 'InvalidParameter'],
    [toy.call('PUT', box, { body: { ...body, properties: { size: 'many' } } }), 400, 'InvalidParameter'],
    [
      toy.call('PUT', box, { raw: JSON.stringify({ ...body, tags: { a: 'x'.repeat(5 << 20) } }) }),
      413,
      'RequestTooLarge',
    ],
    [
      toy.call('PUT', box, { raw: 'a=b', headers: { 'content-type': 'text/plain' } }),
      400,
      'InvalidRequestContent',
    ],
    [toy.call('PUT', `${box}/lids/l`, { body: {} }), 404, 'ParentResourceNotFound'],
    [toy.call('PUT', `${sub}/resourcegroups/bad.`, { body }), 400, 'InvalidResourceName'],
    [toy.call('PUT', `${sub}/resourcegroups/g`, { body: { location: 'westus2' } }), 409, 'Conflict'],
    [toy.call('GET', `${sub}/resourceGroups/g/providers/Toy.Box/bags`), 404, 'NotFound'],
    [toy.call('GET', '/nowhere'), 404, 'NotFound'],
    [toy.call('GET', '/%zz'), 404, 'NotFound'],
    [toy.call('GET', `${sub}/nowhere`), 404, 'NotFound'],
    [toy.call('GET', '/subscriptions/not-one/resourcegroups'), 404, 'SubscriptionNotFound'],
    [toy.call('PUT', `${sub}/resourceGroups/g/providers/Toy.Net/fixed/f`, { body }), 405, 'MethodNotAllowed'],
    [toy.call('POST', `${sub}/resourcegroups`, { body }), 405, 'MethodNotAllowed'],
    [toy.call('GET', `${sub}/providers/Toy.Box/locations/x/operationsStatus/none`), 404, 'NotFound'],
    [toy.call('GET', `${sub}/resources?$filter=colour%20eq%20'x'`), 400, 'BadRequest'],
  ];
  for (const [answer, status, name] of cases) {
    const { status: got, body: said, headers } = await answer;
    assert.deepEqual([got, said?.error?.code], [status, name]);
    assert.ok(said.error.message.length > 10);
    assert.ok(!JSON.stringify(said).includes('.ts:'), 'no stack');
    assert.match(headers['x-ms-request-id'] ?? '', /^[0-9a-f-]{36}$/);
  }
});

test('a question is answered at a Location, to who asked, and stands in the activity log once', async (t) => {
  const toy = await toyControl(t);
  const sub = `/subscriptions/${toy.parties.customer.subscriptionId}`;
  const wire = `${sub}/resourceGroups/g/providers/Toy.Net/wires/w`;
  await toy.call('PUT', `${sub}/resourcegroups/g`, { body: { location: 'westeurope' } });
  await toy.call('PUT', wire, { body: { location: 'westeurope', properties: { size: 4 } } });
  const asked = await toy.call('POST', `${wire}/measure`);
  assert.deepEqual(
    [asked.status, asked.body, asked.headers['retry-after'], asked.headers['azure-asyncoperation']],
    [202, undefined, '1', undefined],
  );
  const { pathname, search } = new URL(asked.headers['location'] ?? '');
  assert.match(pathname, /\/Toy\.Net\/locations\/westeurope\/operationResults\//);
  const answer = await toy.call('GET', `${pathname}${search}`, { version: null });
  assert.deepEqual([answer.status, answer.body], [200, { length: 4 }]);
  const status = pathname.replace('operationResults', 'operations');
  assert.deepEqual((await toy.call('GET', status)).body, { status: 'Succeeded' });
  assert.equal((await toy.call('GET', pathname, { as: 'provider' })).status, 403);
  const log = await toy.call(
    'GET',
    `${sub}/providers/Microsoft.Insights/eventtypes/management/values?$filter=${encodeURIComponent(`resourceId eq '${wire}'`)}`,
    { version: '2015-04-01' },
  );
  assert.deepEqual(
    log.body.value
      .filter(({ operationName }: { operationName: { value: string } }) =>
        operationName.value.endsWith('/action'),
      )
      .map(({ status: { value } }: { status: { value: string } }) => value),
    ['Succeeded'],
  );
});

test('an answer that is looked for: in progress, then the better one, or after a restart the one that stands', async (t) => {
  const toy = await toyControl(t);
  const sub = `/subscriptions/${toy.parties.customer.subscriptionId}`;
  const wire = `${sub}/resourceGroups/g/providers/Toy.Net/wires/w`;
  await toy.call('PUT', `${sub}/resourcegroups/g`, { body: { location: 'westeurope' } });
  await toy.call('PUT', wire, { body: { location: 'westeurope', properties: { size: 4 } } });
  const ask = async (): Promise<string> => {
    const asked = await toy.call('POST', `${wire}/survey`);
    assert.deepEqual([asked.status, asked.body], [202, undefined]);
    return new URL(asked.headers['location'] ?? '').pathname;
  };
  const read = async (path: string): Promise<readonly unknown[]> => {
    const { status, body } = await toy.call('GET', path);
    return [status, body];
  };
  const first = await ask();
  assert.deepEqual(await read(first), [202, { status: 'InProgress' }]);
  assert.equal((await toy.call('GET', first, { as: 'provider' })).status, 403);
  const changed = await toy.call('PUT', wire, { body: { location: 'westeurope', properties: { size: 5 } } });
  assert.equal(changed.status, 200, 'a question keeps nobody waiting');
  surveys.shift()!(7);
  assert.deepEqual(await read(first), [200, { length: 7, surveyed: true }]);
  const second = await ask();
  await toy.restart();
  assert.deepEqual(await read(second), [200, { length: 5, surveyed: false }]);
  const log = await toy.call(
    'GET',
    `${sub}/providers/Microsoft.Insights/eventtypes/management/values?$filter=${encodeURIComponent(`resourceId eq '${wire}'`)}`,
    { version: '2015-04-01' },
  );
  assert.deepEqual(
    log.body.value
      .filter(({ operationName }: { operationName: { value: string } }) =>
        operationName.value.endsWith('/action'),
      )
      .map(({ status: { value } }: { status: { value: string } }) => value)
      .toSorted(),
    ['Accepted', 'Accepted', 'Succeeded', 'Succeeded'],
  );
});

test('actions, lists and providers', async (t) => {
  const toy = await toyControl(t);
  const sub = `/subscriptions/${toy.parties.customer.subscriptionId}`;
  await toy.call('PUT', `${sub}/resourcegroups/g`, { body: { location: 'eastus2' } });
  const box = `${sub}/resourceGroups/g/providers/Toy.Box/boxes/b`;
  await toy.call('PUT', box, { body: { location: 'eastus2' } });
  assert.deepEqual((await toy.call('GET', `${box}/WEIGH`)).body, { weight: 1 });
  assert.deepEqual((await toy.call('POST', `${box}/shake`, { body: { hard: true } })).body, {
    shaken: { hard: true },
  });
  assert.deepEqual(code(await toy.call('POST', `${box}/weigh`)), [405, 'MethodNotAllowed']);
  for (const path of [
    `${sub}/providers/toy.box/BOXES`,
    `${sub}/resourceGroups/g/providers/Toy.Box/boxes`,
    `${sub}/resources`,
    `${sub}/resourcegroups/g/resources`,
  ]) {
    assert.equal((await toy.call('GET', path)).body.value.length, 1, path);
  }
  assert.equal(
    (await toy.call('GET', `${sub}/resources?$filter=resourceGroup%20eq%20'other'`)).body.value.length,
    0,
  );
  assert.equal(
    (await toy.call('POST', `${sub}/providers/Toy.Box/register`)).body.registrationState,
    'Registered',
  );
  assert.equal((await toy.call('GET', `${sub}/providers`)).body.value.length, 3);
  assert.ok((await toy.call('GET', `${sub}/locations`)).body.value.length > 3);
  assert.equal((await toy.call('GET', '/tenants')).body.value[0].tenantId, toy.parties.tenantId);
  assert.deepEqual(
    (await toy.call('GET', '/subscriptions')).body.value.map(
      (one: { subscriptionId: string }) => one.subscriptionId,
    ),
    [toy.parties.customer.subscriptionId],
  );
  const echoed = await toy.call('GET', '/subscriptions', {
    headers: { 'x-ms-client-request-id': 'abc', 'x-ms-return-client-request-id': 'true' },
  });
  assert.equal(echoed.headers['x-ms-client-request-id'], 'abc');
});

test('an operation outlives the process that took it', async (t) => {
  const toy = await toyControl(t);
  const sub = `/subscriptions/${toy.parties.customer.subscriptionId}`;
  await toy.call('PUT', `${sub}/resourcegroups/g`, { body: { location: 'eastus2' } });
  toy.world.ready = false;
  const { headers } = await toy.call('PUT', `${sub}/resourceGroups/g/providers/Toy.Net/wires/w`, {
    body: { location: 'eastus2' },
  });
  const poll = new URL(headers['azure-asyncoperation'] ?? '');
  await toy.restart();
  assert.equal(
    (await toy.call('GET', `${poll.pathname}${poll.search}`, { version: null })).body.status,
    'InProgress',
  );
  toy.world.finish();
  assert.equal(
    (await toy.call('GET', `${poll.pathname}${poll.search}`, { version: null })).body.status,
    'Succeeded',
  );
});

test('a full disk is said so, leaves nothing half-made, and is over when there is room', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-full-'));
  const mounted = await execStatus('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]).catch(
    () => undefined,
  );
  if (mounted?.exitCode !== 0) {
    rmSync(folder, { recursive: true });
    return t.skip('only root can mount a small file system');
  }
  // Hooks run in order: control is closed by its own, which was put first.
  const toy = await toyControl(t, undefined, folder);
  t.after(async () => {
    await execStatus('umount', [folder]);
    rmSync(folder, { recursive: true });
  });
  const groups = `/subscriptions/${toy.parties.customer.subscriptionId}/resourcegroups`;
  writeFileSync(join(folder, 'ballast'), Buffer.alloc(128 << 10));
  const tags = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`t${n}`, 'x'.repeat(250)]));
  let last = await toy.call('PUT', `${groups}/g0`, { body: { location: 'eastus2', tags } });
  let made = 0;
  while (last.status === 201 && made < 200)
    last = await toy.call('PUT', `${groups}/g${++made}`, { body: { location: 'eastus2', tags } });
  assert.deepEqual(code(last), [507, 'InsufficientStorage']);
  assert.equal((await toy.call('GET', `${groups}/g${made}`)).status, 404);
  assert.equal((await toy.call('GET', groups)).body.value.length, made);
  rmSync(join(folder, 'ballast'));
  assert.equal((await toy.call('PUT', `${groups}/g${made}`, { body: { location: 'eastus2' } })).status, 201);
});

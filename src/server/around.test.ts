import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { until } from '../lib/clock.ts';
import { toyControl, type Answer, type ToyControl } from '../../test/harness/toy-control.ts';

const code = (answer: Answer): readonly [number, string] => [answer.status, answer.body?.error?.code];
const patience = { timeoutMs: 20_000, everyMs: 50 };
const eastus2 = { location: 'eastus2' };

async function withGroup(
  toy: ToyControl,
  name = 'g',
): Promise<{ readonly sub: string; readonly group: string }> {
  const sub = `/subscriptions/${toy.parties.customer.subscriptionId}`;
  const group = `${sub}/resourceGroups/${name}`;
  assert.equal((await toy.call('PUT', group, { body: eastus2 })).status, 201);
  return { sub, group };
}

/** Follows an operation by its status address. */
async function followed(toy: ToyControl, first: Answer): Promise<Answer> {
  const monitor = new URL(first.headers['azure-asyncoperation'] ?? '');
  return until(
    'the operation',
    async () => {
      const answer = await toy.call('GET', `${monitor.pathname}${monitor.search}`, { version: null });
      return ['InProgress', 'Enqueued', 'Dequeued'].includes(answer.body.status) ? undefined : answer;
    },
    patience,
  );
}

test('a group is deleted with all that is in it, children before parents, in the name of whoever asked', async (t) => {
  const toy = await toyControl(t);
  const { sub, group } = await withGroup(toy);
  const box = `${group}/providers/Toy.Box/boxes/b`;
  for (const path of [
    box,
    `${box}/lids/l`,
    `${group}/providers/Toy.Net/wires/w`,
    `${group}/providers/Toy.Net/labels/l`,
  ])
    assert.equal(
      (await toy.call('PUT', path, { body: path.includes('lids') ? {} : eastus2 })).status,
      201,
      path,
    );
  toy.world.ready = false;
  const first = await toy.call('DELETE', group);
  assert.equal(first.status, 202);
  assert.equal(first.headers['retry-after'], '1');
  assert.equal((await toy.call('GET', group)).body.properties.provisioningState, 'Deleting');
  assert.deepEqual(code(await toy.call('PUT', `${group}/providers/Toy.Net/labels/late`, { body: eastus2 })), [
    409,
    'ResourceGroupBeingDeleted',
  ]);
  assert.deepEqual(code(await toy.call('PUT', group, { body: eastus2 })), [409, 'ResourceGroupBeingDeleted']);
  const again = await toy.call('DELETE', group);
  assert.equal(again.headers['azure-asyncoperation'], first.headers['azure-asyncoperation']);
  toy.world.ready = true;
  toy.world.finish();
  assert.deepEqual((await followed(toy, first)).body, { status: 'Succeeded' });
  const result = new URL(first.headers['location'] ?? '');
  assert.equal((await toy.call('GET', `${result.pathname}${result.search}`, { version: null })).status, 204);
  assert.equal((await toy.call('GET', group)).status, 404);
  assert.equal((await toy.call('GET', `${sub}/resources`)).body.value.length, 0);
});

test('what can not go stops the deletion of its group, by name, and the group can be used again', async (t) => {
  const toy = await toyControl(t);
  const { group } = await withGroup(toy);
  const fixed = `${group}/providers/Toy.Net/fixed/stays`;
  toy.world.store!.putOwned({
    id: fixed,
    type: 'Toy.Net/fixed',
    location: null,
    properties: { size: 1 },
    state: {},
  });
  assert.equal((await toy.call('PUT', `${group}/providers/Toy.Net/wires/w`, { body: eastus2 })).status, 201);
  const end = await followed(toy, await toy.call('DELETE', group));
  assert.equal(end.body.status, 'Failed');
  assert.match(end.body.error.message, /'g' could not be deleted.*fixed\/stays/);
  assert.equal((await toy.call('GET', group)).body.properties.provisioningState, 'Failed');
  assert.equal(
    (await toy.call('PUT', group, { body: eastus2 })).body.properties.provisioningState,
    'Succeeded',
  );
});

const template = {
  $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
  contentVersion: '1.0.0.0',
  parameters: {
    name: { type: 'string' },
    hidden: { type: 'securestring' },
  },
  resources: [
    {
      type: 'Toy.Box/boxes/lids',
      apiVersion: '2026-03-15',
      name: "[format('{0}/lid', parameters('name'))]",
      dependsOn: ["[resourceId('Toy.Box/boxes', parameters('name'))]"],
      properties: { size: 2 },
    },
    {
      type: 'Toy.Box/boxes',
      apiVersion: '2026-03-15',
      name: "[parameters('name')]",
      location: '[resourceGroup().location]',
      properties: { size: '3', secret: "[parameters('hidden')]" },
    },
  ],
  outputs: { id: { type: 'string', value: "[resourceId('Toy.Box/boxes', parameters('name'))]" } },
};

/** As az sends it: the template's text spliced in behind a key without quotes. */
const sent = (parameters: unknown, text = JSON.stringify(template)): string =>
  `{"properties": {"parameters": ${JSON.stringify(parameters)}, "mode": "incremental", template:/* az */${text}}}`;
const values = { name: { value: 'b1' }, hidden: { value: 'hush-hush' } };

test('a template as az sends it: validated, deployed in order, its operations listed, no secret shown', async (t) => {
  const toy = await toyControl(t);
  const { sub, group } = await withGroup(toy);
  const lower = `${sub}/resourcegroups/g/providers/Microsoft.Resources/deployments/d1`;
  const valid = await toy.call('POST', `${lower}/validate`, { raw: sent(values), version: '2025-04-01' });
  assert.deepEqual([valid.status, valid.body.properties.provisioningState], [200, 'Succeeded']);
  assert.equal((await toy.call('GET', lower)).status, 404);
  toy.world.ready = false;
  const first = await toy.call('PUT', lower, { raw: sent(values) });
  assert.equal(first.status, 201);
  assert.equal(first.body.properties.provisioningState, 'Running');
  assert.deepEqual(code(await toy.call('PUT', lower, { raw: sent(values) })), [409, 'DeploymentActive']);
  assert.deepEqual(code(await toy.call('DELETE', lower)), [409, 'DeploymentActive']);
  const box = `${group}/providers/Toy.Box/boxes/b1`;
  await until(
    'the box',
    async () => ((await toy.call('GET', box)).status === 200 ? true : undefined),
    patience,
  );
  assert.equal((await toy.call('GET', `${box}/lids/lid`)).status, 404, 'the lid waits for its box');
  await toy.restart();
  toy.world.finish();
  toy.world.ready = true;
  assert.deepEqual((await followed(toy, first)).body, { status: 'Succeeded' });
  const shown = (await toy.call('GET', lower)).body;
  assert.deepEqual(shown.properties.outputs.id, { type: 'string', value: box });
  assert.deepEqual(shown.properties.parameters.hidden, { type: 'SecureString' });
  assert.equal(shown.properties.outputResources.length, 2);
  const operations = await toy.call('GET', `${sub}/resourcegroups/g/deployments/d1/operations`);
  assert.deepEqual(
    operations.body.value.map((one: Answer['body']) => [
      one.properties.provisioningState,
      one.properties.targetResource.resourceName,
    ]),
    [
      ['Succeeded', 'b1'],
      ['Succeeded', 'b1/lid'],
    ],
  );
  const exported = await toy.call('POST', `${lower}/exportTemplate`);
  assert.equal(exported.body.template.resources.length, 2);
  assert.equal((await toy.call('GET', lower.replace('/d1', ''))).body.value.length, 1);
  const everything = JSON.stringify([shown, operations.body, exported.body, valid.body, first.body, toy.log]);
  assert.ok(!everything.includes('hush-hush'));
  assert.ok(!JSON.stringify(toy.world.store!.below('/subscriptions')).includes('hush-hush'));
  assert.equal((await toy.call('DELETE', lower)).status, 204);
});

test('a deployment may do what its caller may, and says what failed', async (t) => {
  const toy = await toyControl(t);
  const { group } = await withGroup(toy);
  const at = `${group}/providers/Microsoft.Resources/deployments/d`;
  const one = (resource: object): string =>
    sent(
      {},
      JSON.stringify({
        resources: [{ type: 'Toy.Net/wires', apiVersion: '2024-01-01', name: 'w', ...resource }],
      }),
    );
  for (const [raw, expected, words] of [
    ['{"properties": {template: {', 'InvalidRequestContent', /line 1/],
    ['{}', 'InvalidRequestContent', /properties/],
    [one({ type: 'Toy.Net/nope' }), 'InvalidTemplate', /'Toy.Net\/nope' is not known/],
    [one({ apiVersion: 'latest' }), 'InvalidApiVersionParameter', /latest/],
    [one({ location: "[toLower('A')]" }), 'InvalidTemplate', /'toLower' is not known/],
    ['{"properties": {"mode": "Complete", "template": {"resources": []}}}', 'NotYetSupported', /Incremental/],
    ['{"properties": {"templateLink": {"uri": "https://x"}}}', 'NotYetSupported', /templateLink/],
  ] as const) {
    for (const answer of [
      await toy.call('PUT', at, { raw }),
      await toy.call('POST', `${at}/validate`, { raw }),
    ]) {
      assert.equal(answer.body.error.code, expected, raw);
      assert.match(answer.body.error.message, words);
    }
  }
  assert.equal((await toy.call('GET', at)).status, 404, 'nothing half-written is left behind');

  const first = await toy.call('PUT', at, {
    raw: one({ location: 'eastus2', properties: { size: 'many' } }),
  });
  const end = await followed(toy, first);
  assert.deepEqual([end.body.status, end.body.error.code], ['Failed', 'DeploymentFailed']);
  const shown = (await toy.call('GET', at)).body;
  assert.equal(shown.properties.provisioningState, 'Failed');
  assert.equal(shown.properties.error.details[0].code, 'InvalidParameter');

  // The provider may deploy into the group, and not make what the template asks for.
  const { clientId } = toy.parties.provider;
  const role = `${group}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`;
  const body = {
    properties: { roleDefinitionId: '4d97b98b-1d4f-4787-a291-c67834d212e7', principalId: clientId },
  };
  assert.equal((await toy.call('PUT', role, { body })).status, 201);
  assert.deepEqual(code(await toy.call('PUT', at, { raw: one({ location: 'eastus2' }), as: 'provider' })), [
    403,
    'AuthorizationFailed',
  ]);
});

test('a running deployment can be canceled: what it had begun goes on, and nothing more is begun', async (t) => {
  const toy = await toyControl(t);
  const { group } = await withGroup(toy);
  const at = `${group}/providers/Microsoft.Resources/deployments/d`;
  toy.world.ready = false;
  const first = await toy.call('PUT', at, { raw: sent(values) });
  await until(
    'the box',
    async () =>
      (await toy.call('GET', `${group}/providers/Toy.Box/boxes/b1`)).status === 200 ? true : undefined,
    patience,
  );
  assert.equal((await toy.call('POST', `${at}/cancel`)).status, 204);
  assert.equal((await followed(toy, first)).body.error.code, 'DeploymentCanceled');
  assert.equal((await toy.call('GET', at)).body.properties.provisioningState, 'Canceled');
  assert.deepEqual(code(await toy.call('POST', `${at}/cancel`)), [409, 'Conflict']);
});

test('roles: given, listed, found by name, taken away; and they count at once', async (t) => {
  const toy = await toyControl(t);
  const { sub, group } = await withGroup(toy);
  const { clientId } = toy.parties.provider;
  const definitions = `${sub}/providers/Microsoft.Authorization/roleDefinitions`;
  const reader = (await toy.call('GET', `${definitions}?$filter=roleName%20eq%20'Reader'`)).body.value;
  assert.deepEqual([reader.length, reader[0].name], [1, 'acdd72a7-3385-48ef-bd42-f606fba81ae7']);
  assert.equal(
    (await toy.call('GET', `${definitions}/4d97b98b-1d4f-4787-a291-c67834d212e7`)).body.properties.roleName,
    'Network Contributor',
  );
  const at = `${group}/providers/Microsoft.Authorization/roleAssignments`;
  const name = randomUUID();
  const body = { properties: { roleDefinitionId: reader[0].id, principalId: clientId } };
  assert.deepEqual(code(await toy.call('GET', group, { as: 'provider' })), [403, 'AuthorizationFailed']);
  const made = await toy.call('PUT', `${at}/${name}`, { body });
  assert.equal(made.status, 201);
  assert.equal(made.body.properties.scope, group);
  assert.equal((await toy.call('PUT', `${at}/${name}`, { body })).status, 200);
  assert.deepEqual(code(await toy.call('PUT', `${at}/${randomUUID()}`, { body })), [
    409,
    'RoleAssignmentExists',
  ]);
  assert.equal((await toy.call('GET', group, { as: 'provider' })).status, 200);
  assert.deepEqual(code(await toy.call('PUT', group, { as: 'provider', body: eastus2 })), [
    403,
    'AuthorizationFailed',
  ]);
  assert.equal(
    (await toy.call('GET', `${at}?$filter=atScope()%20and%20assignedTo('${clientId}')`)).body.value.length,
    2,
    'with what it has on the platform',
  );
  assert.equal(
    (
      await toy.call(
        'GET',
        `${sub}/providers/Microsoft.Authorization/roleAssignments?$filter=principalId%20eq%20'${made.body.properties.principalId}'`,
      )
    ).body.value.length,
    2,
  );
  assert.equal(
    (await toy.call('GET', `${sub}/providers/Microsoft.Authorization/roleAssignments?$filter=atScope()`)).body
      .value.length,
    2,
    'its owner, and the platform that stands above all',
  );
  for (const [properties, expected] of [
    [{ ...body.properties, principalId: randomUUID() }, 'PrincipalNotFound'],
    [{ ...body.properties, roleDefinitionId: randomUUID() }, 'RoleDefinitionDoesNotExist'],
    [
      { ...body.properties, roleDefinitionId: '0b7c3f0d-58b4-4c1c-8a41-7d1f0a3f8e21' },
      'RoleDefinitionDoesNotExist',
    ],
    [{ ...body.properties, condition: 'x' }, 'NotYetSupported'],
    [{}, 'InvalidRequestContent'],
  ] as const)
    assert.equal(
      (await toy.call('PUT', `${at}/${randomUUID()}`, { body: { properties } })).body.error.code,
      expected,
    );
  assert.equal((await toy.call('DELETE', `${at}/${name}`)).status, 200);
  assert.equal((await toy.call('DELETE', `${at}/${name}`)).status, 204);
  assert.equal((await toy.call('GET', group, { as: 'provider' })).status, 403);
  const own = await toy.call('GET', `${sub}/providers/Microsoft.Authorization/roleAssignments`);
  assert.deepEqual(
    code(
      await toy.call('DELETE', own.body.value.find((one: Answer['body']) => one.properties.scope === sub).id),
    ),
    [409, 'Conflict'],
  );

  // A role goes with what it was given on.
  await toy.call('PUT', `${at}/${name}`, { body });
  await toy.call('DELETE', group);
  await withGroup(toy);
  assert.equal((await toy.call('GET', group, { as: 'provider' })).status, 403);
});

test('tags by themselves, and resources found by them', async (t) => {
  const toy = await toyControl(t);
  const { sub, group } = await withGroup(toy);
  const wire = `${group}/providers/Toy.Net/wires/w`;
  await toy.call('PUT', wire, { body: { ...eastus2, tags: { a: '1' } } });
  const tags = (scope: string): string => `${scope}/providers/Microsoft.Resources/tags/default`;
  const set = (tag: object) => ({ properties: { tags: tag } });
  assert.deepEqual((await toy.call('GET', tags(wire))).body.properties.tags, { a: '1' });
  assert.deepEqual(
    (await toy.call('PATCH', tags(wire), { body: { operation: 'Merge', ...set({ b: '2' }) } })).body
      .properties.tags,
    { a: '1', b: '2' },
  );
  assert.deepEqual(
    (await toy.call('PATCH', tags(wire), { body: { operation: 'Delete', ...set({ a: '1', b: 'x' }) } })).body
      .properties.tags,
    { b: '2' },
  );
  assert.deepEqual((await toy.call('GET', wire)).body.tags, { b: '2' });
  const found = async (filter: string): Promise<number> =>
    (await toy.call('GET', `${sub}/resources?$filter=${encodeURIComponent(filter)}`)).body.value.length;
  assert.deepEqual(
    [
      await found("tagName eq 'b' and tagValue eq '2'"),
      await found("tagName eq 'b'"),
      await found("tagName eq 'a'"),
    ],
    [1, 1, 0],
  );
  assert.deepEqual(
    [await found("resourceType eq 'toy.net/WIRES' and resourceGroup eq 'G'"), await found("name eq 'w'")],
    [1, 1],
  );
  for (const scope of [sub, group]) {
    assert.deepEqual((await toy.call('PUT', tags(scope), { body: set({ c: '3' }) })).body.properties.tags, {
      c: '3',
    });
    assert.deepEqual((await toy.call('GET', tags(scope))).body.properties.tags, { c: '3' });
  }
  assert.deepEqual(
    (await toy.call('GET', `${sub}/tagNames`)).body.value
      .map((one: { tagName: string }) => one.tagName)
      .sort(),
    ['b', 'c'],
  );
  assert.deepEqual((await toy.call('DELETE', tags(sub))).body.properties.tags, {});
  for (const body of [{}, set({ a: 1 }), { operation: 'Mix', ...set({}) }])
    assert.equal((await toy.call('PATCH', tags(wire), { body })).status, 400);
  assert.deepEqual(code(await toy.call('GET', tags(`${wire}x`))), [404, 'ResourceNotFound']);
});

test('diagnostic settings are kept: 200, and never 201', async (t) => {
  const toy = await toyControl(t);
  const { group } = await withGroup(toy);
  const wire = `${group}/providers/Toy.Net/wires/w`;
  await toy.call('PUT', wire, { body: eastus2 });
  const at = `${wire}/providers/Microsoft.Insights/diagnosticSettings`;
  const properties = {
    logs: [{ category: 'CassandraAudit', enabled: true }],
    workspaceId: '/subscriptions/s/w',
  };
  const made = await toy.call('PUT', `${at}/x`, { body: { properties }, version: '2021-05-01-preview' });
  assert.deepEqual(
    [made.status, made.body.name, made.body.properties.workspaceId],
    [200, 'x', '/subscriptions/s/w'],
  );
  assert.equal((await toy.call('GET', at)).body.value.length, 1);
  for (const bad of [{}, { ...properties, logs: 'all' }, { ...properties, nope: 1 }, { logs: [] }])
    assert.equal(
      (await toy.call('PUT', `${at}/y`, { body: bad.logs ? { properties: bad } : {} })).status,
      400,
    );
  assert.equal((await toy.call('DELETE', `${at}/x`)).status, 200);
  assert.equal((await toy.call('DELETE', `${at}/x`)).status, 204);
  assert.equal((await toy.call('GET', `${at}/x`)).status, 404);
});

test('the activity log says who did what, when, and with what result; refusals too', async (t) => {
  const toy = await toyControl(t);
  const { sub, group } = await withGroup(toy);
  const wire = `${group}/providers/Toy.Net/wires/w`;
  await toy.call('PUT', wire, { body: eastus2, headers: { 'x-ms-correlation-request-id': 'corr-1' } });
  await toy.call('PUT', wire, { body: { properties: { size: 'many' } } });
  await toy.call('DELETE', wire, { as: 'provider' });
  await toy.call('GET', wire, { as: 'provider' });
  const log = (filter: string) =>
    toy.call(
      'GET',
      `${sub}/providers/Microsoft.Insights/eventtypes/management/values?$filter=${encodeURIComponent(filter)}`,
      { version: '2015-04-01' },
    );
  const since = new Date(Date.now() - 60_000).toISOString();
  const all = await log(
    `eventTimestamp ge '${since}' and eventChannels eq 'Admin, Operation' and resourceId eq '${wire}'`,
  );
  const rows = all.body.value.map((one: Answer['body']) => [
    one.operationName.value,
    one.status.value,
    one.caller,
    one.properties.statusCode,
  ]);
  const { customer, provider } = toy.parties;
  assert.deepEqual(rows, [
    ['Toy.Net/wires/read', 'Failed', provider.clientId, '403'],
    ['Toy.Net/wires/delete', 'Failed', provider.clientId, '403'],
    ['Toy.Net/wires/write', 'Failed', customer.clientId, '400'],
    // It was settled while the request was answered: the toy world is quick.
    ['Toy.Net/wires/write', 'Accepted', customer.clientId, '201'],
    ['Toy.Net/wires/write', 'Succeeded', customer.clientId, undefined],
  ]);
  assert.equal((await log("correlationId eq 'corr-1'")).body.value.length, 1);
  assert.equal((await log("resourceGroupName eq 'other'")).body.value.length, 0);
  assert.equal((await log(`eventTimestamp le '${since}'`)).body.value.length, 0);
  assert.ok(
    (await log(`eventTimestamp ge ${since.replace('Z', '333')}`)).body.value.length > 4,
    'as az writes it',
  );
  assert.equal((await log('level eq 1')).status, 400);
  assert.equal((await log('eventTimestamp ge yesterday')).status, 400);
  assert.ok(toy.log.some((line) => line.includes('"refused"') && line.includes(provider.clientId)));
});

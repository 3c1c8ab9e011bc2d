import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../store/resource.ts';
import { ArmError } from '../errors.ts';
import { parseLooseJson } from './loose-json.ts';
import { planDeployment } from './plan.ts';
import { withoutSecrets } from './request.ts';
import { advance } from './run.ts';
import type { StepState } from './schema.ts';

const group = '/subscriptions/s1/resourceGroups/g1';
const surroundings = {
  group: { id: group, name: 'g1', location: 'eastus2', tags: { team: 'db' } },
  subscription: { subscriptionId: 's1', tenantId: 't1', displayName: 'Customer' },
};
const resource = (name: string, more: JsonObject = {}): JsonObject => ({
  type: 'Toy.Net/wires',
  apiVersion: '2024-01-01',
  name,
  ...more,
});
const plan = (template: JsonObject, parameters: JsonObject = {}) =>
  planDeployment({ resources: [], ...template }, parameters, surroundings);
const flaw = (template: JsonObject, parameters: JsonObject = {}): string => {
  try {
    plan(template, parameters);
  } catch (error) {
    assert.ok(error instanceof ArmError, String(error));
    return `${error.code} ${error.target}: ${error.message}`;
  }
  return assert.fail('it was not refused');
};
const valueOf = (expression: string, template: JsonObject = {}, parameters: JsonObject = {}) =>
  plan({ ...template, outputs: { o: { type: 'string', value: expression } } }, parameters).outputs['o'];

test('what az sends is read: a key without quotes, comments, trailing commas; and what is broken says where', () => {
  const sent =
    '{"properties": {"parameters": {}, "mode": "incremental", template:{ // first\n "a": "x // y", /* b */ \'c\': [1, 2.5, -3e2, true, null,],\n}}}';
  assert.deepEqual(parseLooseJson(sent), {
    properties: {
      parameters: {},
      mode: 'incremental',
      template: { a: 'x // y', c: [1, 2.5, -300, true, null] },
    },
  });
  assert.equal(parseLooseJson(' \n'), undefined);
  assert.deepEqual(parseLooseJson('{"__proto__": {"a": 1}, "b": "\\u0041\\n"}'), { b: 'A\n' });
  for (const [text, what] of [
    ['{"a": 1', /'}' is expected|line 1, column 8/],
    ['{"a": nope}', /'nope' is no value \(line 1/],
    ['{\n"a" 1}', /':' is expected \(line 2, column 5\)/],
    ['{"a": "x}', /no end/],
    ['{} {}', /more text/],
    ['/* ', /comment has no end/],
    ['['.repeat(100_000), /deeper than 64/],
    ['', undefined],
  ] as const) {
    if (what)
      assert.throws(
        () => parseLooseJson(text),
        (error: ArmError) => error.code === 'InvalidRequestContent' && what.test(error.message),
      );
  }
});

test('the functions of a template', () => {
  const template = {
    parameters: { name: { type: 'string' }, size: { type: 'int', defaultValue: 3 } },
    variables: {
      full: "[concat(parameters('name'), '-', variables('tail'))]",
      tail: 'x',
      deep: { list: [{ a: 'found' }] },
    },
  };
  const given = { NAME: { value: 'web' } };
  for (const [expression, value] of [
    ["[parameters('name')]", 'web'],
    ["[ concat( 'it''s ', parameters('SIZE') ) ]", "it's 3"],
    ["[variables('full')]", 'web-x'],
    ["[variables('deep').list[0]['a']]", 'found'],
    ["[format('{0}/{1} {{x}}', 'a', 1)]", 'a/1 {x}'],
    ["[resourceId('Toy.Net/wires/ends', 'w', 'e')]", `${group}/providers/Toy.Net/wires/w/ends/e`],
    [
      "[resourceId('g2', 'Toy.Net/wires', 'w')]",
      '/subscriptions/s1/resourceGroups/g2/providers/Toy.Net/wires/w',
    ],
    [
      "[resourceId('s2', 'g2', 'Toy.Net/wires', 'w')]",
      '/subscriptions/s2/resourceGroups/g2/providers/Toy.Net/wires/w',
    ],
    ['[resourceGroup().location]', 'eastus2'],
    ['[resourceGroup().tags.team]', 'db'],
    ['[subscription().subscriptionId]', 's1'],
    ['[[not an expression]', '[not an expression]'],
    ['[not closed', '[not closed'],
  ] as const) {
    assert.deepEqual(valueOf(expression, template, given), { type: 'string', value }, expression);
  }
  assert.match(
    flaw({ resources: [resource("[uniqueString('a')]")] }),
    /InvalidTemplate resources\[0\]\.name: .*'uniqueString' is not known here\. Known are parameters/,
  );
  for (const expression of [
    "[concat('a']",
    "[concat('a') b]",
    "[concat('a)]",
    '[.]',
    "[resourceId('x', 'a')]",
    "[format('{1}', 'a')]",
    "[parameters('nope')]",
    '[resourceGroup().nope]',
    `[${'concat('.repeat(40)}'a'${')'.repeat(40)}]`,
  ])
    assert.throws(() => valueOf(expression), ArmError, expression);
});

test('no template grows beyond all bounds, and no variable needs itself', () => {
  const doubling: Record<string, string> = { v0: 'xxxxxxxxxx' };
  for (let n = 1; n < 40; n++) doubling[`v${n}`] = `[concat(variables('v${n - 1}'), variables('v${n - 1}'))]`;
  assert.throws(() => valueOf("[variables('v39')]", { variables: doubling }), /larger than 1 MiB/);
  const lists: Record<string, JsonObject | string> = { v0: 'xxxxxxxxxx' };
  for (let n = 1; n < 40; n++)
    lists[`v${n}`] = { a: `[variables('v${n - 1}')]`, b: `[variables('v${n - 1}')]` };
  assert.throws(() => valueOf("[variables('v39')]", { variables: lists }), /larger than 1 MiB/);
  assert.throws(
    () => valueOf("[variables('a')]", { variables: { a: "[variables('b')]", b: "[variables('a')]" } }),
    /needs itself/,
  );
});

test('parameters: types, defaults, bounds; a secure value is in no error and in no answer', () => {
  const declared = (one: JsonObject) => ({ parameters: { p: one } });
  assert.match(flaw(declared({ type: 'string' })), /parameters\.p: .*value is missing/);
  assert.match(flaw(declared({ type: 'string' }), { q: { value: 1 } }), /declares no such parameter/);
  assert.match(flaw(declared({ type: 'int' }), { p: { value: '3' } }), /must be of type int/);
  assert.match(flaw(declared({ type: 'text' })), /its type must be one of/);
  assert.match(
    flaw(declared({ type: 'string', allowedValues: ['a', 'b'] }), { p: { value: 'c' } }),
    /"a", "b"/,
  );
  assert.match(flaw(declared({ type: 'string', minLength: 3 }), { p: { value: 'c' } }), /minLength 3/);
  assert.match(flaw(declared({ type: 'string' }), { p: { reference: {} } }), /NotYetSupported/);
  assert.deepEqual(plan(declared({ type: 'string', defaultValue: '[resourceGroup().name]' })).parameters, {
    p: { type: 'String', value: 'g1' },
  });
  const secure = {
    ...declared({ type: 'securestring' }),
    outputs: { o: { type: 'securestring', value: "[parameters('p')]" } },
  };
  const planned = plan(
    { ...secure, resources: [resource('w', { properties: { secret: "[parameters('p')]" } })] },
    { p: { value: 'hush' } },
  );
  assert.equal(
    planned.steps[0]!.body['properties'] && JSON.stringify(planned.steps[0]!.body).includes('hush'),
    true,
  );
  assert.ok(!JSON.stringify([planned.parameters, planned.outputs]).includes('hush'));
  assert.ok(
    !flaw(declared({ type: 'securestring', maxLength: 2 }), { p: { value: 'hush' } }).includes('hush'),
  );
  const kept = withoutSecrets({
    parameters: { p: { type: 'SecureString', defaultValue: 'hush' } },
    resources: [{ properties: { initialCassandraAdminPassword: 'hush', other: "[parameters('p')]" } }],
  });
  assert.ok(!JSON.stringify(kept).includes('hush'));
});

test('order: what is named in dependsOn, mentioned by resourceId, or lies above, comes first', () => {
  const { steps } = plan({
    resources: [
      resource('third', { dependsOn: ["[resourceId('Toy.Net/wires', 'second')]"] }),
      resource('second', { properties: { like: "[resourceId('Toy.Net/wires', 'first')]" } }),
      { ...resource('first/e'), type: 'Toy.Net/wires/ends' },
      resource('first', {
        tags: { a: 'b' },
        resources: [{ type: 'ends', apiVersion: '2024-01-01', name: 'inner' }],
      }),
      resource('none', { condition: false }),
      resource('fourth', { dependsOn: ['third', 'none'] }),
    ],
  });
  assert.deepEqual(
    steps.map(({ id }) => id.slice(`${group}/providers/Toy.Net/wires/`.length)),
    ['first', 'second', 'first/ends/e', 'first/ends/inner', 'third', 'fourth'],
  );
  assert.deepEqual(steps[0]!.body, { tags: { a: 'b' } });
  for (const [template, what] of [
    [{ resources: [resource('a', { dependsOn: ['b'] }), resource('b', { dependsOn: ['a'] })] }, /circle/],
    [{ resources: [resource('a', { dependsOn: ['nope'] })] }, /'nope' is not defined/],
    [{ resources: [resource('a'), resource('A')] }, /more than once/],
    [{ resources: [resource('a/b')] }, /must have 1 part/],
    [{ resources: [resource('a', { copy: { name: 'c', count: 2 } })] }, /'copy' is not known/],
    [{ resources: [{ ...resource('a'), type: 'Microsoft.Resources/deployments' }] }, /NotYetSupported/],
    [{ resources: { a: resource('a') } }, /symbolic names/],
    [{ resources: ['a'] }, /a resource is an object/],
  ] as const) {
    assert.match(flaw(template as unknown as JsonObject), what);
  }
});

test('what stands on a failure is skipped all the way; what does not goes on', () => {
  const step = (id: string, at: StepState['at'], ...dependsOn: string[]): StepState => ({
    id,
    type: 't',
    dependsOn,
    at,
    operation: null,
    fault: null,
    changedAt: '',
  });
  const begun: string[] = [];
  const after = advance(
    [
      step('a', 'failed'),
      step('b', 'waiting', 'a'),
      step('c', 'waiting', 'b'),
      step('d', 'waiting'),
      step('e', 'waiting', 'd'),
      step('f', 'running'),
      step('g', 'waiting', 'f'),
    ],
    (one) => {
      begun.push(one.id);
      return { ...one, at: 'succeeded' };
    },
  );
  assert.deepEqual(
    after.map(({ at }) => at),
    ['failed', 'skipped', 'skipped', 'succeeded', 'succeeded', 'running', 'waiting'],
  );
  assert.deepEqual(begun, ['d', 'e']);
});

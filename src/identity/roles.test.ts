import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allows } from './roles.ts';

const with_ = (role: string, scope: string) => [{ principal: 'p', role, scope }];

test('a role holds for its scope and all below, in any case, and not beside it', () => {
  const owner = with_('Owner', '/subscriptions/abc');
  assert.ok(allows(owner, 'Toy.Box/boxes/write', '/subscriptions/ABC/resourceGroups/g'));
  assert.ok(allows(owner, 'Toy.Box/boxes/write', '//subscriptions//abc'));
  assert.ok(!allows(owner, 'Toy.Box/boxes/write', '/subscriptions/abcd'));
  assert.ok(!allows(owner, 'Sallyport/status/read', '/'));
  assert.ok(allows(with_('Platform Operator', '/'), 'Sallyport/status/read', '/'));
  assert.ok(!allows(with_('Platform Operator', '/'), 'Toy.Box/boxes/read', '/subscriptions/abc'));
  assert.ok(!allows(with_('Nobody', '/'), 'Toy.Box/boxes/read', '/subscriptions/abc'));
});

test('what each role may do', () => {
  const may = (role: string, action: string): boolean => allows(with_(role, '/s'), action, '/s/x');
  const connection = 'Microsoft.Network/privateLinkServices/privateEndpointConnections/write';
  assert.deepEqual(
    ['Owner', 'Contributor', 'Reader', 'Private Link Approver'].map((role) => [
      may(role, connection),
      may(role, 'Microsoft.Network/privateLinkServices/read'),
      may(role, 'Microsoft.Network/privateLinkServices/delete'),
      may(role, 'Microsoft.Authorization/roleAssignments/write'),
    ]),
    [
      [true, true, true, true],
      [true, true, true, false],
      [false, true, false, false],
      [true, true, false, false],
    ],
  );
  assert.ok(!may('Reader', 'Toy.Box/boxes/reader'));
});

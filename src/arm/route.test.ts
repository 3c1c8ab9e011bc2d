import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnyKind } from './kind.ts';
import { routeOf } from './route.ts';

const kinds = ['Toy.Box/boxes', 'Toy.Box/boxes/lids'].map((type) => ({ type }) as AnyKind);
const at = (path: string) => {
  const route = routeOf(path, kinds);
  const kind = 'kind' in route ? route.kind.type : undefined;
  const where = 'id' in route ? route.id.text : 'scope' in route ? route.scope : undefined;
  return [route.at, kind, where].filter((part) => part !== undefined);
};

test('a path is what it says, whatever its case and slashes, and ids keep theirs', () => {
  assert.deepEqual(at('/subscriptions'), ['subscriptions']);
  assert.deepEqual(at('//Subscriptions/S/'), ['subscription']);
  assert.deepEqual(at('/subscriptions/S/resourceGroups'), ['groups']);
  assert.deepEqual(at('/subscriptions/S/resourcegroups/G'), ['group', '/subscriptions/S/resourcegroups/G']);
  assert.deepEqual(at('/subscriptions/S/resourcegroups/g/providers/toy.box//BOXES/b'), [
    'resource',
    'Toy.Box/boxes',
    '/subscriptions/S/resourcegroups/g/providers/toy.box/BOXES/b',
  ]);
  assert.deepEqual(at('/subscriptions/S/providers/Toy.Box/boxes'), [
    'collection',
    'Toy.Box/boxes',
    '/subscriptions/S',
  ]);
  assert.deepEqual(at('/subscriptions/S/resourceGroups/g/providers/Toy.Box/boxes'), [
    'collection',
    'Toy.Box/boxes',
    '/subscriptions/S/resourceGroups/g',
  ]);
  assert.deepEqual(at('/subscriptions/S/resourceGroups/g/providers/Toy.Box/boxes/b/lids'), [
    'collection',
    'Toy.Box/boxes/lids',
    '/subscriptions/S/resourceGroups/g/providers/Toy.Box/boxes/b',
  ]);
  assert.deepEqual(
    at('/subscriptions/S/resourceGroups/g/providers/Toy.Box/boxes/b/lids/l/polish').slice(0, 2),
    ['action', 'Toy.Box/boxes/lids'],
  );
  assert.deepEqual(at('/subscriptions/S/providers/Toy.Box/locations/x/operations/1'), ['operation']);
  assert.deepEqual(at('/subscriptions/S/providers/Toy.Box/register'), ['registration']);
});

test('what is nothing says why', () => {
  for (const path of [
    '/',
    '/elsewhere',
    '/subscriptions/S/resourceGroups/g/elsewhere',
    '/subscriptions/S/resourceGroups/g/providers/Toy.Box/bags/b',
    '/subscriptions/S/providers/Toy.Box/boxes/b',
    '/subscriptions/S/resourceGroups/%zz',
    // Read again from their text, these would be ids of other resources, of other kinds.
    '/subscriptions/S/resourceGroups/g/providers/Toy.Box/boxes/b%2Flids%2Fl',
    '/subscriptions/S/resourceGroups/g%2Fproviders%2FToy.Box%2Fboxes%2Fb',
    '/subscriptions/S%2FresourceGroups/resourceGroups/g',
    '/subscriptions/S/resourceGroups/%2e%2E/providers/Toy.Box/boxes',
    '/subscriptions/S/resourceGroups/g/providers/Toy.Box/boxes/b%00',
    '/subscriptions/S/resourceGroups/g/providers/Toy.Box/boxes/b%5Cc',
  ]) {
    const route = routeOf(path, kinds);
    assert.equal(route.at, 'nothing', path);
    assert.ok(route.at === 'nothing' && route.why.length > 20);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../lib/clock.ts';
import type { Intent } from './resources.ts';
import { openStore } from './store.ts';

const group = '/subscriptions/s1/resourceGroups/g1';
const toy = (name: string, more: Partial<Intent> = {}): Intent => ({
  id: `${group}/providers/Toy.Box/toys/${name}`,
  type: 'Toy.Box/toys',
  location: 'eastus2',
  tags: {},
  identity: null,
  properties: { size: 1 },
  state: {},
  by: 'someone',
  verb: 'PUT',
  operationIn: 'eastus2',
  ...more,
});
const open = () => openStore({ path: ':memory:', masterKey: Buffer.alloc(32, 7), clock: systemClock });

test('a write is a row in Creating and a running operation, found in any case', () => {
  const store = open();
  const { resource, operation } = store.write(toy('A'));
  assert.equal(resource.provisioningState, 'Creating');
  assert.equal(resource.name, 'A');
  assert.equal(resource.resourceGroup, 'g1');
  assert.equal(store.get(resource.id.toUpperCase())?.id, resource.id);
  assert.deepEqual(store.operations.running(resource.id.toLowerCase()), operation);
  assert.equal(operation?.creates, true);
});

test('settle ends the operation of its own generation and no other', () => {
  const store = open();
  const { resource, operation } = store.write(toy('a'));
  store.write(toy('a', { properties: { size: 2 } }));
  assert.equal(store.operations.get(operation!.id)?.state, 'Canceled');
  store.settle(resource.id, resource.generation, { at: 'Succeeded' });
  assert.equal(store.get(resource.id)?.provisioningState, 'Updating');
  store.settle(resource.id, 2, { at: 'Failed', fault: { code: 'Broken', message: 'It broke.' } });
  const failed = store.get(resource.id);
  assert.equal(failed?.provisioningState, 'Failed');
  assert.deepEqual(failed?.fault, { code: 'Broken', message: 'It broke.' });
  assert.equal(store.operations.running(resource.id), undefined);
  store.settle(resource.id, 2, { at: 'Succeeded' });
  assert.equal(store.get(resource.id)?.fault, null);
});

test('deleting keeps the row until it is removed, and its operation then succeeded', () => {
  const store = open();
  const { resource } = store.write(toy('a', { operationIn: null }));
  const operation = store.startDelete(resource.id, 'eastus2', 'someone');
  assert.equal(store.get(resource.id)?.provisioningState, 'Deleting');
  store.remove(resource.id);
  assert.equal(store.get(resource.id), undefined);
  assert.equal(store.operations.get(operation.id)?.state, 'Succeeded');
});

test('a question runs beside whatever changes its resource, and ends once', () => {
  const store = open();
  const { resource } = store.write(toy('a', { operationIn: null }));
  const ask = () => store.operations.asked(resource, 'eastus2', 'someone', { length: 1 }).id;
  const found = (id: string) => {
    const { state, answer } = store.operations.get(id)!;
    return [state, answer];
  };
  const [better, stands] = [ask(), ask()];
  assert.equal(store.operations.running(resource.id), undefined);
  assert.deepEqual(store.operations.runningWithin(group), []);
  store.write(toy('a', { properties: { size: 2 } }));
  store.settle(resource.id, 2, { at: 'Succeeded' });
  assert.deepEqual(found(better), ['Running', { length: 1 }]);
  store.operations.answer(better, { length: 2 });
  store.operations.endAsked(new Date(0));
  assert.deepEqual(found(stands), ['Running', { length: 1 }]);
  store.operations.endAsked(new Date(Date.now() + 1_000));
  for (const id of [better, stands]) store.operations.answer(id, { length: 3 });
  assert.deepEqual(
    [found(better), found(stands)],
    [
      ['Succeeded', { length: 2 }],
      ['Succeeded', { length: 1 }],
    ],
  );
});

test('state changes without a new generation; the etag moves only when what is shown does', () => {
  const shown = (resource: { state: unknown }): unknown => (resource.state as { seen?: number }).seen;
  const store = openStore({ path: ':memory:', masterKey: Buffer.alloc(32, 7), clock: systemClock, shown });
  const { resource } = store.write(toy('a'));
  store.setState(resource.id, { hidden: 1 });
  assert.equal(store.get(resource.id)?.etag, resource.etag);
  store.setState(resource.id, { hidden: 1, seen: 1 });
  const after = store.get(resource.id);
  assert.notEqual(after?.etag, resource.etag);
  assert.equal(after?.generation, resource.generation);
});

test('lists are in order of creation and know where a scope ends', () => {
  const store = open();
  for (const name of ['b', 'a', 'c']) store.write(toy(name));
  store.write(toy('x', { id: '/subscriptions/s1/resourceGroups/g10/providers/Toy.Box/toys/x' }));
  store.write(toy('p', { id: `${toy('a').id}/parts/p`, type: 'Toy.Box/toys/parts' }));
  assert.deepEqual(
    store.list('toy.box/TOYS', group.toUpperCase()).map((one) => one.name),
    ['b', 'a', 'c'],
  );
  assert.deepEqual(
    store.list('Toy.Box/toys').map((one) => one.name),
    ['b', 'a', 'c', 'x'],
  );
  assert.deepEqual(
    store.below(toy('a').id).map((one) => one.name),
    ['p'],
  );
  assert.equal(store.operations.runningWithin(toy('a').id).length, 2);
});

test('what the service owns is terminal at once, and the same again changes nothing', () => {
  const store = open();
  const nic = {
    id: `${group}/providers/Toy.Box/nics/n`,
    type: 'Toy.Box/nics',
    location: null,
    properties: { a: 1 },
    state: {},
  };
  store.putOwned(nic);
  const first = store.get(nic.id);
  assert.equal(first?.provisioningState, 'Succeeded');
  store.putOwned(nic);
  assert.deepEqual(store.get(nic.id), first);
  store.putOwned({ ...nic, properties: { a: 2 } });
  assert.equal(store.get(nic.id)?.generation, 2);
  store.remove(nic.id);
  assert.equal(store.get(nic.id), undefined);
});

test('a transaction is all or nothing; a nested one fails alone', () => {
  const store = open();
  assert.throws(() =>
    store.transaction(() => {
      store.write(toy('a'));
      throw new Error('no');
    }),
  );
  assert.equal(store.get(toy('a').id), undefined);
  store.transaction(() => {
    store.write(toy('a'));
    assert.throws(() =>
      store.transaction(() => {
        store.write(toy('b'));
        throw new Error('no');
      }),
    );
  });
  assert.deepEqual(
    store.list('Toy.Box/toys').map((one) => one.name),
    ['a'],
  );
  assert.throws(() => store.transaction(async () => undefined), /must not wait/);
});

test('secrets open only under their own name', () => {
  const store = open();
  store.secrets.set('one', 'hush');
  store.secrets.set('one', 'hush!');
  assert.equal(store.secrets.get('one'), 'hush!');
  assert.equal(store.secrets.get('two'), undefined);
  store.secrets.delete('one');
  assert.equal(store.secrets.get('one'), undefined);
});

test('repeats of the latest event are counted', () => {
  const store = open();
  for (let i = 0; i < 3; i++) store.event(group, 'Waiting', 'Waiting for a node.');
  store.event(group, 'Ready', 'All is there.');
  assert.deepEqual(
    store.events.latest('/subscriptions/s1', 10).map(({ reason, count }) => [reason, count]),
    [
      ['Ready', 1],
      ['Waiting', 3],
    ],
  );
});

test('a right that is taken away counts at once, and is back where that is not kept', () => {
  const [store, other] = [open(), open()];
  const roles = (): readonly string[] => store.principals.assignments('P').map(({ role }) => role);
  for (const one of [store, other]) {
    one.principals.put({ clientId: 'p', objectId: 'o', displayName: 'P' });
    one.principals.assign({ id: 'r', principal: 'p', role: 'Owner', scope: group });
  }
  assert.deepEqual(roles(), ['Owner']);
  assert.throws(() =>
    store.transaction(() => {
      store.principals.unassign('r');
      assert.deepEqual(roles(), []);
      throw new Error('no');
    }),
  );
  assert.deepEqual(roles(), ['Owner']);
  store.transaction(() => {
    assert.throws(() =>
      store.transaction(() => {
        store.principals.assign({ principal: 'p', role: 'Reader', scope: '/' });
        assert.deepEqual(roles(), ['Owner', 'Reader']);
        throw new Error('no');
      }),
    );
    assert.deepEqual(roles(), ['Owner']);
    store.remove(group);
    store.principals.unassignWithin(group);
    assert.deepEqual(roles(), []);
  });
  assert.deepEqual(roles(), []);
  assert.equal(other.principals.assignments('p').length, 1);
});

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { systemClock } from '../lib/clock.ts';
import { createRowCache } from './row-cache.ts';
import { openDatabase } from './sqlite.ts';
import { openStore, type ControlStore } from './store.ts';

const id = (name: string): string => `/subscriptions/s/resourceGroups/g/providers/Toy.Box/boxes/${name}`;
const open = (): ControlStore =>
  openStore({ path: ':memory:', masterKey: randomBytes(32), clock: systemClock });
const put = (store: ControlStore, name: string, size: number): void =>
  store.putOwned({ id: id(name), type: 'Toy.Box/boxes', location: null, properties: { size }, state: {} });
const sizes = (store: ControlStore): unknown =>
  store.list<{ size: number }>('Toy.Box/boxes').map(({ name, properties }) => [name, properties.size]);

test('what a transaction wrote is seen inside it, and gone with it', () => {
  const store = open();
  for (const name of ['a', 'b', 'c']) put(store, name, 1);
  assert.deepEqual(sizes(store), [
    ['a', 1],
    ['b', 1],
    ['c', 1],
  ]);
  assert.throws(
    () =>
      store.transaction(() => {
        put(store, 'a', 2);
        put(store, 'd', 2);
        store.remove(id('b'));
        assert.deepEqual(sizes(store), [
          ['a', 2],
          ['c', 1],
          ['d', 2],
        ]);
        throw new Error('no');
      }),
    /no/,
  );
  assert.deepEqual(sizes(store), [
    ['a', 1],
    ['b', 1],
    ['c', 1],
  ]);
  store.close();
});

test('a nested transaction that fails takes back its own alone', () => {
  const store = open();
  put(store, 'a', 1);
  store.transaction(() => {
    put(store, 'a', 2);
    assert.throws(() =>
      store.transaction(() => {
        put(store, 'a', 3);
        assert.deepEqual(sizes(store), [['a', 3]]);
        throw new Error('no');
      }),
    );
    assert.deepEqual(sizes(store), [['a', 2]]);
  });
  assert.deepEqual(sizes(store), [['a', 2]]);
  store.close();
});

test('whoever listens hears of what is written, and once more of what was taken back', () => {
  const store = open();
  const heard: string[] = [];
  const stop = store.onChange((change) => heard.push(change.of === 'secret' ? change.name : change.key));
  const taken = (): string[] => heard.splice(0);
  const a = id('a').toLowerCase();
  put(store, 'a', 1);
  assert.deepEqual(taken(), [a]);
  put(store, 'a', 1);
  store.secrets.delete('x');
  assert.deepEqual(taken(), [], 'nothing is written where nothing changes');
  store.secrets.set('x', 'y');
  store.secrets.delete('x');
  assert.deepEqual(taken(), ['x', 'x']);
  assert.throws(() => store.transaction(() => (put(store, 'a', 2), assert.fail('no'))));
  assert.deepEqual(taken(), [a, a]);
  stop();
  put(store, 'a', 3);
  assert.deepEqual(taken(), []);
  store.close();
});

test('rows are the same however many there are and in whatever order they are asked for', () => {
  const db = openDatabase(':memory:');
  const cache = createRowCache(db, 2);
  const empty = { tags: '{}', properties: '{}', state: '{}', system_data: '{}', identity: null, fault: null };
  const place = { subscription_id: 's', resource_group: 'g', location: null };
  const type = { type: 'Toy.Box/boxes', type_key: 'toy.box/boxes' };
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    const row = { key: id(name).toLowerCase(), id: id(name), name, ...type, ...place, ...empty };
    const values = { ...row, provisioning_state: 'Succeeded', generation: 1, etag: name };
    db.run(db.query.insertInto('resources').values(values));
  }
  for (const name of ['a', 'b', 'c', 'a', 'd', 'e', 'a', 'b', 'z'])
    assert.equal(cache.get(id(name).toLowerCase())?.name, name === 'z' ? undefined : name);
  db.close();
});

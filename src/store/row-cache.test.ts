import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { systemClock } from '../lib/clock.ts';
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

test('the version is another after each change, and after one that was taken back', () => {
  const store = open();
  const at = (): number => store.version();
  const versions = [at()];
  put(store, 'a', 1);
  versions.push(at());
  store.secrets.set('x', 'y');
  versions.push(at());
  assert.throws(() => store.transaction(() => (put(store, 'a', 2), assert.fail('no'))));
  versions.push(at());
  put(store, 'a', 1);
  assert.equal(at(), versions.at(-1), 'nothing is written where nothing changes');
  assert.equal(new Set(versions).size, versions.length);
  store.close();
});

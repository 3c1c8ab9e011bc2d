import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scale } from './scale.ts';
import type { DataCenterNode } from './schema.ts';

const node = (number: number, rack: number, leaving?: boolean): DataCenterNode => ({
  name: `dc1-${number}`,
  address: `10.0.2.${number + 3}`,
  rack: `rack${rack}`,
  machine: `node-${number}`,
  interfaceId: `nic-${number}`,
  enrolled: true,
  ...(leaving === true && { leaving }),
});
const three = [node(1, 1), node(2, 2), node(3, 3)];
const leavers = (nodes: readonly DataCenterNode[]): readonly string[] =>
  nodes.filter(({ leaving }) => leaving).map(({ name }) => name);

test('new nodes are spread over the racks', () => {
  assert.deepEqual(scale([], 3, () => false).added, ['rack1', 'rack2', 'rack3']);
  assert.deepEqual(scale(three, 7, () => false).added, ['rack1', 'rack2', 'rack3', 'rack1']);
  assert.deepEqual(scale([...three, node(5, 2)], 6, () => false).added, ['rack1', 'rack3']);
});

test('the latest of the fullest rack leaves, and no rack is emptied', () => {
  const six = [...three, node(4, 1), node(5, 2), node(6, 3)];
  assert.deepEqual(leavers(scale(six, 4, () => false).nodes), ['dc1-5', 'dc1-6']);
  assert.deepEqual(leavers(scale(six, 3, () => false).nodes), ['dc1-4', 'dc1-5', 'dc1-6']);
  assert.deepEqual(
    scale(six, 6, () => false),
    { nodes: six, added: [] },
  );
});

test('who has not begun to leave is asked back first', () => {
  const four = [...three, node(4, 1, true)];
  assert.deepEqual(leavers(scale(four, 3, () => true).nodes), ['dc1-4']);
  const back = scale(four, 4, () => true);
  assert.deepEqual([leavers(back.nodes), back.added], [[], []]);
  const anew = scale(four, 4, () => false);
  assert.deepEqual([leavers(anew.nodes), anew.added], [['dc1-4'], ['rack1']]);
});

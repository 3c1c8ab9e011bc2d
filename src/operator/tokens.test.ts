import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operatorIntent } from '../../test/harness/operator/shapes.ts';
import { assignTokens, racksOf, tokensKey } from './tokens.ts';

const line = (node: number, rack: number): string =>
  `Node ${node} rack ${rack}: [${Array.from({ length: 16 }, (_, index) => (node % 2 ? -1 : 1) * (node * 100 + index + 1)).join(', ')}]`;
const output = (...racks: number[]): string =>
  ['Generating tokens for nodes', ...racks.map((rack, node) => line(node, rack))].join('\n');

test('each node gets the tokens of a node of its rack, in order', () => {
  const [dataCenter] = operatorIntent({ nodes: 4 }).dataCenters as [never];
  assert.deepEqual(
    racksOf(dataCenter).map(({ nodes }) => nodes),
    [['dc1-0', 'dc1-3'], ['dc1-1'], ['dc1-2']],
  );
  const tokens = assignTokens(dataCenter, output(0, 1, 2, 0));
  assert.deepEqual(Object.keys(tokens).sort(), ['dc1-0', 'dc1-1', 'dc1-2', 'dc1-3']);
  assert.equal(tokens['dc1-3']![0], '-301');
  assert.ok(Object.values(tokens).every((some) => some.length === 16));
});

test('output that is not whole is refused', () => {
  const [dataCenter] = operatorIntent({ nodes: 3 }).dataCenters as [never];
  assert.throws(() => assignTokens(dataCenter, output(0, 1)), /gave 32 tokens for 3 nodes/);
  assert.throws(() => assignTokens(dataCenter, output(0, 0, 1)), /rack 0 doesn't have/);
  assert.throws(() => assignTokens(dataCenter, 'Exception in thread main'), /gave 0 tokens/);
});

test('other nodes or racks want other tokens', () => {
  const key = (nodes: number): string => tokensKey(operatorIntent({ nodes }).dataCenters[0]!);
  assert.notEqual(key(3), key(4));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeReport } from '../exchange/intents/node.ts';
import { keyspacesIn } from './report.ts';
import type { Heard } from './ring-view.ts';

const now = 100_000;
const heard = (
  nodes: Readonly<Record<string, readonly [age: number, keyspaces: NodeReport['keyspaces']]>>,
): Map<string, Heard> =>
  new Map(
    Object.entries(nodes).map(([name, [age, keyspaces]]) => [
      name,
      { at: now - age, applied: null, report: { ...(keyspaces && { keyspaces }) } as NodeReport },
    ]),
  );

test('keyspaces of a data centre are what the nodes that report now say, of whatever data centre they are', () => {
  const said = heard({
    'dc1-1': [1_000, { dc1: ['app'], dc2: ['app', 'far'] }],
    'dc1-2': [2_000, { dc1: ['app'], '*': ['any'] }],
    'dc1-3': [1_000, undefined],
    'dc2-1': [60_000, { dc2: ['old'] }],
  });
  assert.deepEqual(keyspacesIn({ heard: said, now }, 'dc1', true), ['any', 'app']);
  assert.deepEqual(keyspacesIn({ heard: said, now }, 'dc2', true), ['any', 'app', 'far']);
  assert.deepEqual(keyspacesIn({ heard: said, now }, 'dc3', true), ['any']);
  assert.deepEqual(keyspacesIn({ heard: said, now }, 'dc3', false), [], 'no node of it has ever run');
});

test('where no node that reports knows, nothing is said', () => {
  assert.equal(keyspacesIn({ heard: heard({ 'dc1-1': [1_000, undefined] }), now }, 'dc1', true), undefined);
  assert.equal(
    keyspacesIn({ heard: heard({ 'dc1-1': [60_000, { dc1: ['app'] }] }), now }, 'dc1', true),
    undefined,
  );
  assert.deepEqual(keyspacesIn({ heard: heard({ 'dc1-1': [1_000, {}] }), now }, 'dc1', true), []);
});

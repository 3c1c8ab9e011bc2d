/** A validator that finds nothing proves nothing: each flaw it knows, planted in an answer that is sound without it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from '../harness/recorder.ts';
import { flawsOf } from './validate.ts';

const group = '/subscriptions/s/resourceGroups/g';
const base = `${group}/providers/Microsoft.DocumentDB/cassandraClusters`;
const endpoint = `${group}/providers/Microsoft.Network/privateEndpoints/pe1`;
const requestId = '01234567-89ab-cdef-0123-456789abcdef';
const sound: Exchange = {
  method: 'GET',
  path: `${base}/c1`,
  apiVersion: '2026-03-15',
  request: undefined,
  status: 200,
  headers: { 'x-ms-request-id': requestId, 'content-type': 'application/json; charset=utf-8' },
  response: {
    id: `${base}/c1`,
    name: 'c1',
    type: 'Microsoft.DocumentDB/cassandraClusters',
    tags: { a: 'b' },
    properties: {
      provisioningState: 'Succeeded',
      repairEnabled: true,
      seedNodes: [{ ipAddress: '10.0.0.4' }],
    },
  },
};
const withProperties = (properties: object): Exchange => ({
  ...sound,
  response: { ...(sound.response as object), properties },
});
const running = { properties: { provisioningState: 'Creating' } };
const followed = { ...sound.headers, 'azure-asyncoperation': 'https://x', 'retry-after': '1' };

test('what is sound has no flaw', () => {
  assert.deepEqual(flawsOf(sound), []);
  const made: Exchange = { ...sound, method: 'PUT', status: 201, request: {}, headers: followed };
  assert.deepEqual(flawsOf({ ...made, response: { ...(sound.response as object), ...running } }), []);
  const list: Exchange = { ...sound, path: base, response: { value: [sound.response] } };
  assert.deepEqual(flawsOf(list), []);
  const head: Exchange = { ...sound, method: 'HEAD', path: group, status: 404, response: undefined };
  assert.deepEqual(flawsOf(head), []);
});

const planted: readonly (readonly [string, Exchange, RegExp])[] = [
  ['a status of its own', { ...sound, status: 206 }, /may answer 200/],
  ['no request id', { ...sound, headers: { 'content-type': 'application/json' } }, /no x-ms-request-id/],
  ['another content type', { ...sound, headers: { 'x-ms-request-id': requestId } }, /body of type undefined/],
  [
    'an unknown property',
    withProperties({ surprise: 1 }),
    /surprise is no property of ClusterResourceProperties/,
  ],
  ['a wrong type', withProperties({ repairEnabled: 'yes' }), /repairEnabled is no boolean/],
  ['an unknown value', withProperties({ azureConnectionMethod: 'Pigeon' }), /none of None, VPN/],
  ['a wrong type deep inside', withProperties({ seedNodes: [{ ipAddress: 4 }] }), /seedNodes\[0\].ipAddress/],
  ['a list that is none', withProperties({ extensions: 'x' }), /extensions is no list/],
  ['a secret', withProperties({ initialCassandraAdminPassword: '(cut out)' }), /Password is shown/],
  ['no id', { ...sound, response: { name: 'c1', type: 't', properties: {} } }, /response.id is missing/],
  [
    'a PUT that runs on in silence',
    {
      ...sound,
      method: 'PUT',
      status: 201,
      request: {},
      response: { ...(sound.response as object), ...running },
    },
    /does not say where/,
  ],
  ['a 202 without Retry-After', { ...sound, method: 'DELETE', status: 202, response: {} }, /no Retry-After/],
  ['a DELETE with 200', { ...sound, method: 'DELETE', status: 200 }, /may answer 202, 204/],
  [
    'a status of its own around',
    { ...sound, path: endpoint, status: 202 },
    /PrivateEndpoints_Get may answer/,
  ],
  [
    'a status of its own below a scope',
    {
      ...sound,
      method: 'PUT',
      path: `${endpoint}/providers/Microsoft.Authorization/roleAssignments/1`,
      status: 200,
    },
    /RoleAssignments_Create may answer 201/,
  ],
  ['a flat error', { ...sound, status: 404, response: { code: 'x', message: 'y' } }, /no error with code/],
  [
    'a request beyond the model',
    { ...sound, method: 'PATCH', request: { properties: { nodes: 1 } } },
    /request.properties.nodes is no property/,
  ],
  [
    'a poll that never says when',
    {
      ...sound,
      path: '/subscriptions/s/providers/Microsoft.DocumentDB/locations/x/operationsStatus/1',
      response: { status: 'Dequeued' },
    },
    /runs and has no Retry-After/,
  ],
];
for (const [name, exchange, flaw] of planted) {
  test(`found: ${name}`, () => assert.match(flawsOf(exchange).join('\n'), flaw));
}

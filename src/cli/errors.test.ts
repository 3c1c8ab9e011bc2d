import assert from 'node:assert/strict';
import { test } from 'node:test';
import { armErrors } from '../arm/errors.ts';
import { ArmRefused, describeError, splitNext } from './errors.ts';

const shown = (code: string, message: string): readonly string[] =>
  describeError(new ArmRefused(409, code, message), 1_000).split('\n');

test('what the message says to do is the next step, and is said once', () => {
  assert.deepEqual(
    shown('Conflict', "The resource group 'g' is not empty, and goes not with it. Delete first: a, b."),
    [
      "ERROR: (Conflict) The resource group 'g' is not empty, and goes not with it.",
      'Next: Delete first: a, b.',
    ],
  );
  assert.deepEqual(shown('InvalidParameter', 'properties.nodeCount must be at least 3.'), [
    'ERROR: (InvalidParameter) properties.nodeCount must be at least 3.',
    `Next: ${armErrors.InvalidParameter.next}`,
  ]);
});

test('only the provider approves: that, and not to ask the owner, is the next step', () => {
  const action = 'Microsoft.Network/privateLinkServices/privateEndpointConnections/write';
  const message = `The client 'c' does not have authorization to perform action '${action}' over scope '/s'. Ask the owner of the scope for a role that has this action.`;
  const lines = shown('AuthorizationFailed', message);
  assert.equal(lines.length, 2);
  assert.doesNotMatch(lines[0]!, /Ask the owner/);
  assert.equal(lines[1], 'Next: Only the provider approves: run the same command with --as provider.');
});

test('the words of the catalogue, where a message bears them too, are found as the next step', () => {
  for (const { next } of Object.values(armErrors)) {
    const message = `Something is so. ${next}`;
    assert.deepEqual(splitNext(message), { what: 'Something is so.', next }, next);
  }
});

test('a message without a next step stays whole', () => {
  for (const message of [
    'Names use letters, digits and hyphens.',
    "'Use this' is no name of a subnet: letters only.",
    'The node has not been seen; it is waited for.',
    '',
  ])
    assert.deepEqual(splitNext(message), { what: message, next: undefined });
});

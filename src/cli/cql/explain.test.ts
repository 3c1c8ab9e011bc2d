import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errors } from 'cassandra-driver';
import { explain, nextFor } from './explain.ts';

const node = '10.0.2.4:9042';

test('a wrong password is told as such, without the stack of the driver', () => {
  const refused = new errors.AuthenticationError('Provided username x and/or password are incorrect');
  const { code, message } = explain(new errors.NoHostAvailableError({ [node]: refused }));
  assert.equal(code, 'AuthenticationError');
  assert.equal(message, `${node}: Provided username x and/or password are incorrect.`);
  assert.match(nextFor(message), /--user NAME --password @FILE/);
});

test('where no node answers, each is named once with its reason', () => {
  const { code, message } = explain(new errors.NoHostAvailableError({ [node]: new Error('timed out') }));
  assert.equal(code, 'NoHostAvailableError');
  assert.equal(message, `All host(s) tried for query failed; ${node}: timed out`);
  assert.match(nextFor(message), /cluster status/);
});

test('a consistency level that is none is answered with those that are', () => {
  assert.match(nextFor("There is no consistency level 'FOO'."), /QUORUM/);
});

test('a login that too few nodes could look up is no wrong password', () => {
  for (const message of [
    `${node}: Unable to perform authentication: Operation timed out - received only 1 responses.`,
    `${node}: Unable to perform authentication: Cannot achieve consistency level QUORUM.`,
  ])
    assert.match(nextFor(message), /cluster status/);
});

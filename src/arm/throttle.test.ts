import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ArmError } from './errors.ts';
import { createThrottle } from './throttle.ts';

test('a bucket empties, says how long to wait, fills again, and is of one principal and one kind of request', () => {
  let now = 0;
  const rate = { burst: 2, perSecond: 0.5 };
  const take = createThrottle({ reads: rate, writes: rate, deletes: rate }, { now: () => now });
  const left = 'x-ms-ratelimit-remaining-subscription-reads';
  assert.deepEqual(take('a', 'GET'), { [left]: '1' });
  assert.deepEqual(take('a', 'HEAD'), { [left]: '0' });
  assert.throws(
    () => take('a', 'GET'),
    (error: ArmError) =>
      error.code === 'TooManyRequests' && error.headers['Retry-After'] === '2' && error.headers[left] === '0',
  );
  assert.deepEqual(take('b', 'GET'), { [left]: '1' });
  assert.deepEqual(take('a', 'PATCH'), { 'x-ms-ratelimit-remaining-subscription-writes': '1' });
  assert.deepEqual(take('a', 'DELETE'), { 'x-ms-ratelimit-remaining-subscription-deletes': '1' });
  now += 2_000;
  assert.deepEqual(take('a', 'GET'), { [left]: '0' });
  now += 3_600_000;
  assert.deepEqual(take('a', 'GET'), { [left]: '1' });
});

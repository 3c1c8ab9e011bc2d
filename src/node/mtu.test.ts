import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMtu } from './mtu.ts';

test('the largest size that comes back is taken', async () => {
  assert.equal(await findMtu(async () => true), 1420);
  assert.equal(await findMtu(async (size) => size <= 1390), 1380);
  assert.equal(await findMtu(async (size) => size <= 1280), 1280);
  assert.equal(await findMtu(async () => false), undefined);
});

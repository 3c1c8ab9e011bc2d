import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyHopeless } from './verify.ts';

const asked = Date.parse('2026-11-24T10:00:00Z');
const run = { state: 'running', createdAt: new Date(asked).toISOString() } as const;

test('a run is given up once the fabric has said nothing for a minute, and only then', () => {
  assert.equal(whyHopeless(run, undefined, asked + 59_000), undefined);
  assert.match(whyHopeless(run, undefined, asked + 61_000)!.message, /has not reported for 61 s/);
  assert.equal(whyHopeless(run, asked + 30_000, asked + 89_000), undefined);
  assert.equal(whyHopeless(run, asked + 30_000, asked + 91_000)?.code, 'FabricSilent');
  assert.equal(whyHopeless({ ...run, state: 'done' }, undefined, asked + 600_000), undefined);
});

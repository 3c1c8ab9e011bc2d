import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastify from 'fastify';
import type { VerifyRun } from '../store/verify-runs.ts';
import { addVerifyRoutes, whyHopeless, type VerifyRoutes } from './verify.ts';

const asked = Date.parse('2026-11-24T10:00:00Z');
const run = { state: 'running', createdAt: new Date(asked).toISOString() } as const;

test('a run is given up once the fabric has said nothing for a minute, and only then', () => {
  assert.equal(whyHopeless(run, asked - 9_000, asked + 59_000), undefined);
  assert.match(whyHopeless(run, asked - 9_000, asked + 61_000)!.message, /has not reported for 61 s/);
  assert.equal(whyHopeless(run, asked + 30_000, asked + 89_000), undefined);
  assert.equal(whyHopeless(run, asked + 30_000, asked + 91_000)?.code, 'FabricSilent');
  assert.equal(whyHopeless({ ...run, state: 'done' }, asked, asked + 600_000), undefined);
});

test('a control that has just started waits for the fabric before it gives a run up', async (t) => {
  const one: VerifyRun = {
    ...run,
    id: 'a',
    network: null,
    askedBy: 'me',
    fault: null,
    endedAt: null,
  };
  let now = asked + 600_000;
  const moved: string[] = [];
  const app = fastify();
  t.after(() => app.close());
  addVerifyRoutes(app, {
    cx: { clock: { now: () => now }, may: () => true },
    runs: { get: () => one, move: (_: string, state: string) => void moved.push(state) },
    evidence: { read: () => Promise.resolve(undefined) },
    authenticated: () => Promise.resolve({ principalId: 'me', displayName: 'me' }),
    heardAt: () => undefined,
  } as unknown as VerifyRoutes);
  const ask = () => app.inject({ url: '/sallyport/verify/a' });
  await ask();
  now += 59_000;
  await ask();
  assert.deepEqual(moved, []);
  now += 2_000;
  await ask();
  assert.deepEqual(moved, ['failed']);
});

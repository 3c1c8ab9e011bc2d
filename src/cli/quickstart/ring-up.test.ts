import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../lib/clock.ts';
import type { JsonObject } from '../../store/resource.ts';
import type { ArmClient } from '../arm/client.ts';
import { ringUp } from './ring-up.ts';

const node = (status: string, state = 'Normal'): JsonObject => ({ address: '10.0.2.4', status, state });
const ring = (errors: readonly JsonObject[], ...nodes: readonly JsonObject[]): JsonObject => ({
  connectionErrors: errors,
  dataCenters: [{ name: 'dc1', nodes }],
});
const silent = { message: 'The operator does not report.' };

/** Answers one status after the other, the last one for good. */
function asking(...answers: readonly JsonObject[]): {
  client: ArmClient;
  shown: string[];
  asked: () => number;
} {
  let now = 0;
  let asked = 0;
  const clock: Clock = { now: () => now, sleep: async (ms) => void (now += ms) };
  const client = {
    clock,
    signal: new AbortController().signal,
    get: async () => answers[Math.min(asked++, answers.length - 1)]!,
  } as unknown as ArmClient;
  return { client, shown: [], asked: () => asked };
}

const wait = ({ client, shown }: ReturnType<typeof asking>): Promise<void> =>
  ringUp(client, '/clusters/c1', { show: (text) => shown.push(text), clear: () => undefined });

test('a ring that is up is not waited for', async () => {
  const asked = asking(ring([], node('Up'), node('Up')));
  await wait(asked);
  assert.deepEqual([asked.asked(), asked.shown], [1, []]);
});

test('after a start, quickstart goes on only when each node is up and the operator speaks', async () => {
  const asked = asking(
    ring([silent], node('Down', 'Normal'), node('Down')),
    ring([], node('Up'), node('Up', 'Joining')),
    ring([], node('Up'), node('Up')),
  );
  await wait(asked);
  assert.deepEqual(asked.shown, ['0 of 2 nodes of cluster c1 are up', '1 of 2 nodes of cluster c1 are up']);
});

test('a ring that does not come up is an error with a next step, not a wait for good', async () => {
  const asked = asking(ring([], node('Down')));
  await assert.rejects(wait(asked), { code: 'RingNotUp', message: /0 of 1 nodes of cluster c1/ });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../lib/clock.ts';
import type { JsonObject } from '../../store/resource.ts';
import type { ArmClient } from '../arm/client.ts';
import { servingOf, waitUntilServing, type Picture } from './serving.ts';

type Operator = Picture['operators'][number];
const time = '2026-01-01T00:00:30.000Z';
const node = (
  mode: string | null,
  nativeTransport = true,
  phase = 'connected',
): Operator['nodes'][number] => ({
  dataCenter: 'dc1',
  phase,
  report: { cassandra: { mode, nativeTransport } },
});
const operator = (nodes: Operator['nodes'], more: Partial<Operator> = {}): Operator => ({
  cluster: '/subscriptions/s/cassandraClusters/c1',
  heardAt: '2026-01-01T00:00:29.000Z',
  dataCenters: [{ name: 'dc1', phase: 'ready', waitingFor: null }],
  nodes,
  ...more,
});
const machine = (kind: string, state = 'running', error: string | null = null) => ({
  ...{ kind, state, hostname: `${kind}-c1` },
  error: error === null ? null : { message: error },
});
const picture = (...operators: readonly Operator[]): Picture => ({
  time,
  fabric: { upToDate: true },
  machines: [machine('operator'), machine('node')],
  operators,
});
const up = node('NORMAL');

test('what serves is what each node of it says now', () => {
  assert.deepEqual(servingOf(picture(operator([up, up]))), {
    waitingFor: null,
    ready: ['c1/dc1'],
    making: [],
  });
  for (const late of [node(null), node('JOINING'), node('NORMAL', false), node('NORMAL', true, 'silent')])
    assert.equal(
      servingOf(picture(operator([up, late]))).waitingFor,
      '1 of 2 nodes of data centre c1/dc1 serve',
    );
});

test('a word from before the start is none: the fabric, machines and operators have to speak first', () => {
  const all = picture(operator([up]));
  const waits = (more: Partial<Picture>) => servingOf({ ...all, ...more }).waitingFor;
  assert.equal(waits({ fabric: { upToDate: false } }), 'the fabric takes up what shall be');
  const failed = machine('node', 'failed', 'no memory');
  assert.equal(waits({ machines: [failed] }), 'machine node-c1 is failed: no memory');
  assert.equal(waits({ operators: [] }), '0 of 1 operators report');
  const old = operator([up], { heardAt: '2026-01-01T00:00:01.000Z' });
  assert.equal(waits({ operators: [old] }), '0 of 1 operators report');
});

test('a data centre that is still being made is not waited for, and named', () => {
  const dataCenters = [{ name: 'dc1', phase: 'enrolling', waitingFor: 'dc1-1 has not enrolled' }];
  assert.deepEqual(servingOf(picture(operator([], { dataCenters }))), {
    waitingFor: null,
    ready: [],
    making: ['c1/dc1: dc1-1 has not enrolled'],
  });
  assert.equal(servingOf({ ...picture(), machines: [] }).waitingFor, null, 'nothing there, nothing awaited');
});

test('the wait says for what, each thing once, and does not last for good', async () => {
  let now = 0;
  const clock: Clock = { now: () => now, sleep: async (ms) => void (now += ms) };
  const asking = (...answers: readonly Picture[]) => {
    let asked = 0;
    const get = async () => answers[Math.min(asked++, answers.length - 1)] as unknown as JsonObject;
    return { clock, signal: new AbortController().signal, get } as unknown as ArmClient;
  };
  const shown: string[] = [];
  const progress = { show: (text: string) => void shown.push(text), clear: () => undefined };
  const late = picture(operator([node(null)]));
  assert.deepEqual((await waitUntilServing(asking(late, picture(operator([up]))), progress)).ready, [
    'c1/dc1',
  ]);
  assert.deepEqual(shown, ['0 of 1 nodes of data centre c1/dc1 serve']);
  await assert.rejects(waitUntilServing(asking(late), progress), {
    code: 'NotServing',
    message: /after 300 s this is still so: 0 of 1 nodes of data centre c1\/dc1 serve\.$/,
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeLogLines } from './node-logs.ts';

const now = Date.parse('2026-11-24T12:00:00Z');
const node = (name: string, logs: object | undefined, phase = 'connected') => ({
  ...{ name, phase },
  report: { ...(logs && { services: { logs } }) },
});

test('only a node whose logs don’t arrive has a line, with why and since when', () => {
  const nodes = [
    node('dc1-0', undefined),
    node('dc1-1', { sentThrough: '2026-11-24T11:59:50Z', waitingFor: null }),
    node('dc1-2', { sentThrough: '2026-11-24T11:50:00Z', waitingFor: 'It has no room.' }),
    node('dc1-3', { sentThrough: null, waitingFor: 'It has no room.' }),
    node('dc1-4', { sentThrough: '2026-11-24T10:00:00Z', waitingFor: null }),
    node('dc1-5', { sentThrough: null, waitingFor: 'It has no room.' }, 'silent'),
  ];
  assert.deepEqual(nodeLogLines({ operators: [{ cluster: '/subscriptions/s/c1', nodes }] } as never, now), [
    'logs: dc1-2 of c1: It has no room. Sent up to 10 min ago.',
    'logs: dc1-3 of c1: It has no room. None were sent.',
    'logs: dc1-4 of c1: they are sent more slowly than they are written. Sent up to 2 h ago.',
  ]);
  assert.deepEqual(nodeLogLines(undefined, now), []);
});

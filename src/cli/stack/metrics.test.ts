import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricsLines } from './metrics.ts';

const now = Date.parse('2026-11-24T12:00:00Z');
const lines = (metrics: object | null) =>
  metricsLines({ operators: [{ cluster: '/subscriptions/s/c1', metrics }] } as never, now);
const flowing = {
  ...{ account: 'monitor.example', sentThrough: '2026-11-24T11:59:40Z', waitingFor: null, waiting: 0 },
  ...{ lost: null, silent: [] },
};

test('each cluster whose metrics go somewhere has a line, and what is wrong one more', () => {
  assert.deepEqual(metricsLines(undefined, now), []);
  assert.deepEqual(lines(null), []);
  assert.deepEqual(lines(flowing), [
    'metrics: c1: they go to monitor.example. What was collected up to 20 s ago has arrived.',
  ]);
  assert.deepEqual(
    lines({
      ...flowing,
      ...{ sentThrough: '2026-11-24T11:50:00Z', waitingFor: 'It has no room.', waiting: 120_400 },
      silent: [{ node: 'dc1-2', error: 'There is no way to it.' }],
      lost: { at: '2026-11-24T11:58:00Z', why: 'They were more.' },
    }),
    [
      'metrics: c1: It has no room. What was collected up to 10 min ago has arrived, 121 kB wait.',
      "metrics: c1: dc1-2 can't be asked. There is no way to it.",
      'metrics: c1: some were given up 2 min ago. They were more.',
    ],
  );
  assert.deepEqual(lines({ ...flowing, sentThrough: null }), [
    'metrics: c1: nothing new for monitor.example. None have arrived.',
  ]);
  // At rest that is as it should be, and no fault to look for.
  for (const sentThrough of [flowing.sentThrough, '2026-11-24T11:00:00Z'])
    assert.match(
      lines({ ...flowing, sentThrough, asked: 0 })[0]!,
      /^metrics: c1: no node serves, so there is nothing for monitor\.example\. What was collected up to /,
    );
  assert.deepEqual(
    lines({ ...flowing, lost: { at: '2026-11-20T11:58:00Z', why: 'They were more.' } }).length,
    1,
  );
});

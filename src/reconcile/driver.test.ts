import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock, until, type Clock } from '../lib/clock.ts';
import { createLog } from '../lib/log.ts';
import { drive } from './driver.ts';

const log = createLog({}, { write: () => undefined });
/** A clock on which no period ever passes. */
const still: Clock = {
  now: () => 0,
  sleep: (_ms, signal) =>
    new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true })),
};
const soon = (what: string, check: () => boolean) =>
  until(what, () => (check() ? true : undefined), { timeoutMs: 2_000, everyMs: 1 });

test('a wake during a pass leads to exactly one more pass, with the reasons joined', async () => {
  const stop = new AbortController();
  let release = (): void => undefined;
  let passes = 0;
  const driven = drive(
    {
      name: 'toy',
      periodMs: 1,
      reconcile: async () => {
        passes++;
        if (passes === 1) await new Promise<void>((resolve) => (release = resolve));
        return passes;
      },
    },
    { clock: still, log, signal: stop.signal },
  );
  await soon('the first pass', () => passes === 1);
  driven.wake('a write');
  driven.wake('a report');
  driven.wake('a write');
  release();
  await soon('the second pass', () => driven.last()?.pass === 2);
  assert.equal(driven.last()?.reason, 'a write, a report');
  stop.abort();
  await driven.stopped;
  assert.equal(passes, 2);
});

test('a pass that throws is named, and the next one runs', async () => {
  const stop = new AbortController();
  let passes = 0;
  const driven = drive(
    {
      name: 'toy',
      periodMs: 1,
      reconcile: async () => {
        if (++passes === 1) throw new Error('our fault');
        return 'well' as const;
      },
    },
    { clock: systemClock, log, signal: stop.signal },
  );
  await soon('a good pass after the broken one', () => driven.last()?.status === 'well');
  stop.abort();
  await driven.stopped;
});

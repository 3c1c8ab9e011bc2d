import assert from 'node:assert/strict';
import { test } from 'node:test';
import { probeRuns } from './probes.ts';

test('a packet that nobody sends is given up by itself: with a fabric that is gone nobody looks', async () => {
  const said: unknown[] = [];
  let time = 0;
  let later!: () => void;
  const probes = probeRuns({
    clock: { now: () => time, sleep: () => new Promise((resolve) => (later = resolve)) },
    signal: new AbortController().signal,
    walls: () => ({ places: [] }) as never,
    machines: () => ({}),
    onAsked: () => undefined,
  });
  const probe = { from: 'a', to: '192.0.2.10', protocol: 'tcp', port: 443 } as const;
  probes.begin({ askedBy: 'me', probe, nameOf: (id) => id }, (probed) =>
    said.push('unsent' in probed && probed.unsent.code),
  );
  assert.deepEqual([probes.work().length, said], [1, []]);
  time = 30_001;
  later();
  await Promise.resolve();
  // Before anything else is asked of it, which would look as well.
  assert.deepEqual(said, ['NotSent']);
  assert.deepEqual(probes.work(), []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPatience } from './patience.ts';

test('what fails is tried less and less often, elsewhere at once, and each reason is said once', () => {
  let now = 0;
  const said: (string | null)[] = [];
  const patience = createPatience({
    clock: { now: () => now, sleep: () => Promise.resolve() },
    ...{ periodMs: 10, longestPauseMs: 30, onChange: (reason) => void said.push(reason) },
  });
  const waits = (towards = 'here'): number => {
    const from = now;
    while (!patience.isDue(towards)) now++;
    return now - from;
  };
  assert.equal(waits(), 0);
  const pauses = [1, 2, 3, 4].map(() => {
    patience.failed('it is away');
    return waits();
  });
  assert.deepEqual(pauses, [10, 20, 30, 30]);
  patience.failed('it is away');
  assert.ok(patience.isDue('there'), 'another place is not waited for');
  patience.succeeded();
  patience.failed('it is full');
  assert.equal(waits('there'), 10, 'the first again');
  patience.failed('it is full');
  patience.answered();
  patience.failed('it is full');
  assert.equal(waits('there'), 10, 'who answers is tried as soon as at first');
  assert.equal(patience.waitingFor(), 'it is full');
  patience.clear();
  patience.clear();
  assert.deepEqual(said, ['it is away', null, 'it is full', null]);
});

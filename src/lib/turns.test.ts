import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTurns } from './turns.ts';

test('one after the other, in order; what fails keeps nobody waiting', async () => {
  const inTurn = createTurns();
  const said: string[] = [];
  let open!: () => void;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const first = inTurn(async () => {
    said.push('first begins');
    await gate;
    said.push('first ends');
  });
  const second = inTurn(() => Promise.reject(new Error('of its own')));
  const third = inTurn(() => Promise.resolve(said.push('third')));
  const refused = assert.rejects(second, /of its own/);
  open();
  await Promise.all([first, refused, third]);
  assert.deepEqual(said, ['first begins', 'first ends', 'third']);
});

import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Home } from '../home.ts';
import { alone } from './lock.ts';

test('one at a time: the second is told who is at work; a dead holder is no hindrance', async (t) => {
  const run = await mkdtemp(join(tmpdir(), 'sallyport-lock-'));
  t.after(() => rm(run, { recursive: true }));
  const home = { run } as Home;
  await alone(home, 'up', async () => {
    await assert.rejects(
      alone(home, 'quickstart', async () => undefined),
      (error: Error & { code?: string }) =>
        error.code === 'AtWork' &&
        error.message.includes(`process ${process.pid}`) &&
        error.message.includes('sallyport up'),
    );
  });
  await writeFile(join(run, 'cli.lock'), JSON.stringify({ pid: process.pid, start: '1', command: 'up' }));
  assert.equal(await alone(home, 'up', async () => 7), 7);
  await assert.rejects(
    alone(home, 'up', async () => {
      throw new Error('work failed');
    }),
    /work failed/,
  );
  assert.deepEqual(await readdir(run), []);
});

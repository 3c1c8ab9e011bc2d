import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
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

test('two at the same moment: one does its work, the other is told', async (t) => {
  const run = await mkdtemp(join(tmpdir(), 'sallyport-lock-'));
  t.after(() => rm(run, { recursive: true }));
  // As processes of their own, which is what two quickstarts are.
  const script = `
    import { alone } from ${JSON.stringify(new URL('./lock.ts', import.meta.url).href)};
    import { once } from 'node:events';
    await once(process.stdin, 'data');
    await alone({ run: ${JSON.stringify(run)} }, 'quickstart', async () => {
      process.stdout.write('working');
      await once(process.stdin, 'data');
    }).catch((error) => process.stdout.write(error.code));
    process.exit(0);`;
  const start = () =>
    spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const both = [start(), start()];
  const said = both.map(({ stdout }) => once(stdout, 'data').then(([text]) => String(text)));
  for (const { stdin } of both) stdin.write('go');
  assert.deepEqual((await Promise.all(said)).sort(), ['AtWork', 'working']);
  for (const { stdin } of both) stdin.end('done');
  for (const child of both) if (child.exitCode === null) await once(child, 'exit');
  assert.deepEqual(await readdir(run), []);
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../lib/clock.ts';
import { readFileIfThere } from '../lib/files.ts';
import { controlCommand, controlUser } from './launch.ts';

const options = { program: '/program', node: '/node', folder: '/home/control', run: '/run', log: '/log' };

test('root: control gets a user of its own and keeps no capability; its view of the disk is its folder', () => {
  const { args, env } = controlCommand({ ...options, root: true });
  const inside = args.slice(args.indexOf('--') + 1);
  assert.deepEqual(inside.slice(0, 6), [
    'setpriv',
    `--reuid=${controlUser}`,
    `--regid=${controlUser}`,
    '--clear-groups',
    '--inh-caps=-all',
    '--bounding-set=-all',
  ]);
  const binds = args.flatMap((arg, index) => (arg === '--bind' ? [args[index + 1]] : []));
  assert.deepEqual(binds, ['/home/control']);
  assert.deepEqual(Object.keys(env).sort(), ['LANG', 'MALLOC_ARENA_MAX', 'PATH', 'SALLYPORT_CONTROL']);
});

test('an ordinary user: a user namespace, no capability, no change of user', () => {
  const { args } = controlCommand({ ...options, root: false });
  assert.ok(args.includes('--unshare-user'));
  assert.ok(!args.includes('--cap-add') && !args.includes('setpriv'));
});

const keep = fileURLToPath(new URL('keep.sh', import.meta.url));

async function kept(t: TestContext, script: string) {
  const run = await mkdtemp(join(tmpdir(), 'sallyport-keep-'));
  const loop = spawn('sh', [keep, 'role', run, join(run, 'log'), 'sh', '-c', script], {
    stdio: 'ignore',
    env: { ...process.env, RUN: run },
  });
  t.after(async () => {
    if (loop.exitCode === null && loop.signalCode === null) {
      loop.kill('SIGTERM');
      await once(loop, 'exit');
    }
    await rm(run, { recursive: true });
  });
  return { run, loop, log: join(run, 'log') };
}

test('keep.sh starts what died again, is one of its kind, and ends what it keeps', async (t) => {
  const { run, loop, log } = await kept(t, 'echo $$; exec sleep 1000');
  const pids = async (count: number) => {
    const lines = ((await readFileIfThere(log)) ?? '').trim().split('\n').filter(Boolean).map(Number);
    return lines.length >= count ? lines : undefined;
  };
  const [first] = await until('the role to start', () => pids(1), { timeoutMs: 5_000 });
  process.kill(first!, 'SIGKILL');
  const [, second] = await until('the role to start again', () => pids(2), { timeoutMs: 10_000 });
  assert.match(await readFile(join(run, 'role.pid'), 'utf8'), new RegExp(`^${loop.pid} \\d+\n$`));

  const rival = spawn('sh', [keep, 'role', run, log, 'sh', '-c', 'echo 0'], { stdio: 'ignore' });
  assert.deepEqual(await once(rival, 'exit'), [0, null]);
  assert.equal((await pids(2))!.length, 2);

  loop.kill('SIGTERM');
  assert.deepEqual(await once(loop, 'exit'), [0, null]);
  assert.throws(() => process.kill(second!, 0), { code: 'ESRCH' });
  assert.equal(await readFileIfThere(join(run, 'role.pid')), undefined);
});

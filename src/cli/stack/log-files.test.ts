import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findHome } from '../home.ts';
import { lastError, logFiles, readLog } from './log-files.ts';

test('the last error of a log: ours, or what a program below had to say', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-log-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'a.log');
  assert.equal(await lastError(path), undefined);
  await writeFile(
    path,
    '{"level":"error","message":"the role ended","error":"Port 1 is taken."}\n{"level":"info","message":"x"}\n',
  );
  assert.equal(await lastError(path), 'the role ended: Port 1 is taken.');
  await writeFile(path, 'bwrap: No permissions to create a new namespace\n');
  assert.equal(await lastError(path), 'bwrap: No permissions to create a new namespace');
});

test('what root of a machine puts in the place of its logs leads to no file of the host, and steers no terminal', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sp-'));
  try {
    const home = findHome({ SALLYPORT_HOME: folder });
    const disk = (id: string): string => join(home.fabric, 'machines', id);
    const machines = ['one', 'two'].map((id) => ({ id, hostname: id, pid: null }));
    await mkdir(join(disk('one'), 'log'), { recursive: true });
    await mkdir(disk('two'), { recursive: true });
    await writeFile(join(home.fabric, 'state.json'), JSON.stringify({ machines }));
    await writeFile(join(folder, 'secret.log'), 'secret');
    await writeFile(join(disk('one'), 'log/node.log'), 'a\u001b[2Jb\n\tc');
    await symlink(join(folder, 'secret.log'), join(disk('one'), 'log/trap.log'));
    await symlink(folder, join(disk('two'), 'log'));
    const found = (await logFiles(home)).filter(({ name }) => name.includes('/'));
    assert.deepEqual(
      found.map(({ name }) => name),
      ['one/node'],
    );
    assert.equal(await readLog(found[0]!.path, 0, 100), 'a\uFFFD[2Jb\n\tc');
    await assert.rejects(readLog(join(disk('one'), 'log/trap.log'), 0, 100), { code: 'ELOOP' });
  } finally {
    await rm(folder, { recursive: true });
  }
});

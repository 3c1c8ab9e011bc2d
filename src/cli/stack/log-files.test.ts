import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { lastError } from './log-files.ts';

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

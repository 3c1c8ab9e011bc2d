import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readJson, writeJson } from './files.ts';

test('a file is replaced whole, is closed to others, and leaves no draft behind', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'files-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'deep', 'state.json');
  assert.equal(await readJson(path), undefined);
  await Promise.all([1, 2, 3, 4].map((n) => writeJson(path, { n })));
  assert.ok([1, 2, 3, 4].includes((await readJson<{ n: number }>(path))!.n));
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(join(folder, 'deep')), ['state.json']);
});

import assert from 'node:assert/strict';
import { mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { execStatus } from '../../lib/exec.ts';
import { readServiceHealth } from './service-health.ts';

test('a service is believed as far as its file is one, is small, is fresh and is well-formed', async (t) => {
  const disk = await mkdtemp(join(tmpdir(), 'sallyport-health-'));
  t.after(() => rm(disk, { recursive: true }));
  const file = join(disk, 'service.json');
  const now = Date.now();
  const said = () => readServiceHealth(disk, now);
  const unheard = { answers: false, error: 'It has not said yet whether it answers.' };
  assert.deepEqual(said(), unheard);
  await writeFile(file, JSON.stringify({ answers: true, error: null, more: 'x' }));
  assert.deepEqual(said(), { answers: true, error: null });
  await utimes(file, now / 1000 - 31, now / 1000 - 31);
  assert.deepEqual(said(), { answers: false, error: 'It has not said for 30 s whether it answers.' });
  await writeFile(file, JSON.stringify({ answers: false, error: '\u001b[2J'.padEnd(1000, 'x') }));
  assert.equal(said().error?.length, 300);
  assert.equal(said().error?.includes('\u001b'), false);
  for (const content of ['', 'no json', '{"answers":1,"error":null}', `${' '.repeat(5_000)}{}`]) {
    await writeFile(file, content);
    assert.deepEqual(said(), unheard, content.slice(0, 20));
  }
  await rm(file);
  await writeFile(join(disk, 'other'), JSON.stringify({ answers: true, error: null }));
  await symlink(join(disk, 'other'), file);
  assert.deepEqual(said(), unheard, 'a link is not followed');
  await rm(file);
  await execStatus('mkfifo', [file]);
  assert.deepEqual(said(), unheard, 'a pipe is not waited for');
});

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { purgedText, removeEmpty } from './down.ts';

async function purgedHome(t: TestContext): Promise<{ readonly root: string; readonly run: string }> {
  const root = await mkdtemp(join(tmpdir(), 'sallyport-down-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  await mkdir(join(root, 'run'));
  return { root, run: join(root, 'run') };
}

test('after a purge the folder is gone, and only then it is said to be', async (t) => {
  const home = await purgedHome(t);
  assert.deepEqual(await removeEmpty(home), []);
  assert.equal(existsSync(home.root), false);
  assert.equal(purgedText(home.root, []), `${home.root} is gone.`);
  assert.deepEqual(await removeEmpty(home), [], 'and again: nothing is there, nothing is left');
});

test('what somebody else keeps in the folder stays, and is named', async (t) => {
  const home = await purgedHome(t);
  await writeFile(join(home.root, 'notes.txt'), 'mine');
  await writeFile(join(home.run, 'other.pid'), '1');
  const left = await removeEmpty(home);
  assert.deepEqual(left, [join(home.run, 'other.pid'), join(home.root, 'notes.txt')]);
  const said = purgedText(home.root, left);
  assert.match(said, /What it did not make is left/);
  assert.match(said, /notes\.txt/);
  assert.doesNotMatch(said, /is gone/);
});

test('a folder that is a mount point stays, empty, and that is said', () => {
  assert.match(purgedText('/mnt/state', ['/mnt/state']), /The folder itself can't be removed/);
});

import assert from 'node:assert/strict';
import { mkdtemp, open, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { dropUnwrittenSegments } from './commit-log.ts';

test('a segment that the disk had no room for goes; one with a byte in it, or that is none, stays', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-commitlog-'));
  t.after(() => rm(folder, { recursive: true }));
  const at = (name: string): string => join(folder, name);
  const made = async (name: string, lastByte?: number): Promise<void> => {
    await writeFile(at(name), '');
    await truncate(at(name), 3 << 20);
    if (lastByte === undefined) return;
    const file = await open(at(name), 'r+');
    await file.write(Buffer.from([lastByte]), 0, 1, (3 << 20) - 1);
    await file.close();
  };
  await made('CommitLog-7-1.log');
  await made('CommitLog-7-2.log', 1);
  await writeFile(at('CommitLog-7-3.log'), '');
  await made('other.log');
  await symlink(at('other.log'), at('CommitLog-7-4.log'));
  assert.deepEqual(await dropUnwrittenSegments(folder), ['CommitLog-7-1.log', 'CommitLog-7-3.log']);
  assert.deepEqual((await readdir(folder)).toSorted(), [
    'CommitLog-7-2.log',
    'CommitLog-7-4.log',
    'other.log',
  ]);
});

test('no folder, no segments; a link in its place is not followed', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-commitlog-'));
  t.after(() => rm(folder, { recursive: true }));
  assert.deepEqual(await dropUnwrittenSegments(join(folder, 'none')), []);
  await writeFile(join(folder, 'CommitLog-7-1.log'), '\0');
  await symlink(folder, join(folder, 'link'));
  assert.deepEqual(await dropUnwrittenSegments(join(folder, 'link')), []);
});

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { exec } from './exec.ts';
import { zip } from './zip.ts';

const entries = [
  { path: 'folder/a.txt', content: Buffer.from('first\n') },
  { path: 'folder/é.txt', content: Buffer.from('') },
];

test('the same entries give the same bytes, and another program reads them', async (t) => {
  assert.deepEqual(zip(entries), zip(entries));
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-zip-'));
  t.after(() => rm(folder, { recursive: true }));
  const archive = join(folder, 'a.zip');
  await writeFile(archive, zip(entries));
  const program =
    'import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; ' +
    'print([(i.filename, z.read(i).decode(), oct(i.external_attr >> 16)) for i in z.infolist()])';
  const python = await exec('python3', ['-c', program, archive]).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return t.skip('no python3 to read it with');
  });
  if (python) {
    assert.equal(
      python.stdout.trim(),
      "[('folder/a.txt', 'first\\n', '0o100644'), ('folder/é.txt', '', '0o100644')]",
    );
  }
});

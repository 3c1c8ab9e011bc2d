import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../lib/clock.ts';
import { toyControl } from '../../test/harness/toy-control.ts';

test('a port that another program took is named, with what names that program, and is not exchanged for another', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-port-'));
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(async () => {
    other.close();
    await rm(folder, { recursive: true, force: true });
  });
  const { port } = other.address() as AddressInfo;
  await writeFile(join(folder, 'config.json'), JSON.stringify({ port }));
  await assert.rejects(
    toyControl(t, systemClock, folder),
    (error: Error & { code: string; next: string }) => {
      assert.equal(error.code, 'PortInUse');
      assert.match(error.message, new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is taken by another program`));
      assert.match(error.next, new RegExp(`sport = :${port}`));
      assert.ok(error.next.includes(join(folder, 'config.json')));
      return true;
    },
  );
});

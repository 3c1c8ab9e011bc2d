import assert from 'node:assert/strict';
import { it } from 'node:test';
import { exec, execStatus } from './exec.ts';

it('ends with its program, though what that has started keeps the output open', async () => {
  const started = Date.now();
  const said = await execStatus('sh', ['-c', 'echo before; sleep 8 & sleep 8'], { timeoutMs: 1000 });
  assert.deepEqual(said, { exitCode: null, stdout: 'before\n', stderr: '' });
  assert.ok(Date.now() - started < 3000, `${Date.now() - started} ms`);
});

it('has all output of a program that ends by itself', async () => {
  const { stdout } = await exec('head', ['-c', '3000000', '/dev/zero']);
  assert.equal(stdout.length, 3_000_000);
});

it('keeps no output without end', async () => {
  await assert.rejects(
    execStatus('cat', ['/dev/zero']),
    /^Error: cat said more than 64 MB, and was ended\.$/,
  );
});

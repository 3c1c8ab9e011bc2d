/** Runs inside.ts where it can be root of a network of its own, as root or as an ordinary user. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execStatus } from '../../../src/lib/exec.ts';

test('nodes’ metrics on their way to the monitoring', { timeout: 180_000 }, async (t) => {
  const namespaces = [
    '--user',
    '--map-root-user',
    '--net',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
  ];
  const inside = fileURLToPath(new URL('inside.ts', import.meta.url));
  const said = await execStatus(
    'unshare',
    [...namespaces, process.execPath, '--test-reporter=spec', '--test-force-exit', inside],
    { timeoutMs: 170_000, env: { ...process.env, NODE_TEST_CONTEXT: undefined } },
  );
  t.diagnostic(said.stdout.trim());
  assert.equal(said.exitCode, 0, `${said.stdout}\n${said.stderr.slice(-4000)}`);
});

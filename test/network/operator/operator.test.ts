/** Runs inside.ts where it can be root of a network of its own, as root or as an ordinary user. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execStatus } from '../../../src/lib/exec.ts';
import { findTools } from '../../harness/tools.ts';

test('an operator on the wire', { timeout: 180_000 }, async (t) => {
  const found = findTools();
  assert.ok(found, 'set-up has not run: ./sallyport test runs it first');
  // As a machine has them at /opt/tools.
  const tools = await mkdtemp(join(tmpdir(), 'operator-tools-'));
  t.after(() => rm(tools, { recursive: true }));
  await mkdir(join(tools, 'cassandra'));
  await symlink(found.cassandra, join(tools, 'cassandra', 'lib'));
  if (found.wireguard) await symlink(found.wireguard, join(tools, 'wireguard-go'));
  const namespaces = ['--user', '--map-root-user', '--net', '--mount', '--pid', '--fork', '--kill-child'];
  const inside = fileURLToPath(new URL('./inside.ts', import.meta.url));
  const said = await execStatus(
    'unshare',
    [...namespaces, process.execPath, '--test-reporter=spec', '--test-force-exit', inside],
    {
      timeoutMs: 170_000,
      env: {
        ...process.env,
        NODE_TEST_CONTEXT: undefined,
        OPERATOR_TEST_TOOLS: tools,
        OPERATOR_TEST_JAVA_HOME: found.javaHome,
      },
    },
  );
  t.diagnostic(said.stdout.trim());
  assert.equal(said.exitCode, 0, `${said.stdout}\n${said.stderr.slice(-4000)}`);
});

/** Runs inside.ts where it can be root of a network of its own, as root or as an ordinary user. */
import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execStatus } from '../../../src/lib/exec.ts';
import { readJson } from '../../../src/lib/files.ts';
import { realHome } from '../../harness/stack.ts';

test('an operator on the wire', { timeout: 180_000 }, async (t) => {
  const tools = join(realHome(), 'tools');
  const found = await readJson<{ javaHome: string }>(join(tools, 'tools.json'));
  await access(join(tools, 'cassandra', 'lib')).catch(() =>
    assert.fail('set-up has not run: ./sallyport test runs it first'),
  );
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
        OPERATOR_TEST_JAVA_HOME: found?.javaHome ?? process.env['JAVA_HOME'],
      },
    },
  );
  t.diagnostic(said.stdout.trim());
  assert.equal(said.exitCode, 0, `${said.stdout}\n${said.stderr.slice(-4000)}`);
});

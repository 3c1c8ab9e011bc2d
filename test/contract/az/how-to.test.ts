/** The how-to of the reference document, from create to delete, by the real az: real packets, a real ring. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execStatus } from '../../../src/lib/exec.ts';
import { needAz } from '../../harness/az.ts';
import { createStack } from '../../harness/stack.ts';

const script = fileURLToPath(new URL('./how-to.sh', import.meta.url));

test("the reference document's lines, literally, with the real az", { timeout: 2_400_000 }, async (t) => {
  if ((await needAz(t)) === undefined) return;
  await using stack = await createStack();
  const up = await stack.run(['up'], { timeoutMs: 300_000 });
  assert.equal(up.exitCode, 0, up.stderr);
  const customer = await stack.json<Record<string, string>>(['az', 'setup', '-o', 'json']);
  const provider = await stack.json<Record<string, string>>([
    'az',
    'setup',
    '--as',
    'provider',
    '-o',
    'json',
  ]);
  assert.notEqual(customer['AZURE_CONFIG_DIR'], provider['AZURE_CONFIG_DIR']);
  const ran = await execStatus('bash', [script], {
    env: { ...process.env, ...customer, PROVIDER_CONFIG_DIR: provider['AZURE_CONFIG_DIR'] },
    timeoutMs: 1_800_000,
  });
  t.diagnostic(ran.stderr.match(/^-- .*$/gm)?.join('\n') ?? '');
  assert.equal(ran.exitCode, 0, `${ran.stdout.slice(-2_000)}\n${ran.stderr}`);
  assert.match(ran.stdout, /^done$/m);
  assert.ok(!`${ran.stdout}${ran.stderr}`.includes('"password"'), 'the password is not in any answer');
});

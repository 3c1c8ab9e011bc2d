/** The real az, with our extension, against control: every command that the API was made from answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execStatus } from '../../../src/lib/exec.ts';
import { needAz } from '../../harness/az.ts';
import { commands } from './commands.ts';
import type { Answered } from './inside.ts';

const inside = fileURLToPath(new URL('./inside.ts', import.meta.url));

test('az against control, with nothing but loopback', { timeout: 3_600_000 }, async (t) => {
  const az = await needAz(t);
  if (az === undefined) return;
  const alone = ['--user', '--map-root-user', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];
  const said = await execStatus('unshare', [...alone, process.execPath, inside], {
    timeoutMs: 1_500_000,
    env: { ...process.env, AZ: az, NODE_TEST_CONTEXT: undefined },
  });
  assert.equal(said.exitCode, 0, said.stderr.slice(-4000));
  const answers = said.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Answered);
  assert.equal(answers.length, commands.length);
  for (const [index, command] of commands.entries()) {
    const { line, wrong, seconds } = answers[index]!;
    const name = `az ${command.stock ? '(without the extension) ' : ''}${line}`.slice(0, 160);
    await t.test(name, (one) => {
      one.diagnostic(`${seconds} s`);
      assert.equal(wrong, null, wrong ?? '');
    });
  }
});

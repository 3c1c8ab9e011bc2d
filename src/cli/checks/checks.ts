/**
 * The checks of the sources as tests of node's runner, so that they are counted with all others: format, lint with the
 * imports' direction, types, dead code.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { execStatus } from '../../lib/exec.ts';
import { programRoot } from '../home.ts';

const checks = {
  'format: node_modules/.bin/oxfmt mends it': ['oxfmt', '--check'],
  'lint, and the direction of imports': ['oxlint', '--type-aware', '--deny-warnings'],
  types: ['tsc', '--noEmit'],
  'dead code': ['knip', '--no-progress'],
} as const;

for (const [name, [program, ...args]] of Object.entries(checks)) {
  void test(name, async () => {
    const script = join(programRoot, 'node_modules/.bin', program);
    const ran = await execStatus(process.execPath, [script, ...args], {
      cwd: programRoot,
      timeoutMs: 300_000,
    });
    assert.equal(ran.exitCode, 0, `${ran.stdout}${ran.stderr}`);
  });
}

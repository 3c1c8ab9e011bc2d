import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execStatus } from '../../lib/exec.ts';
import { programRoot } from '../home.ts';
import type { Plan } from './runner.ts';
import { patient, stagesOf } from './stages.ts';

test('each file runs once, and what is patient is there', () => {
  for (const file of patient) assert.ok(existsSync(join(programRoot, file)), file);
  const whole = ['test/cluster/a.test.ts', ...patient];
  const { stages, beside } = stagesOf(['checks.js'], ['src/a.test.ts'], whole);
  const files = [...stages, ...beside].flatMap((stage) => stage.files);
  assert.deepEqual(files.toSorted(), ['checks.js', 'src/a.test.ts', ...whole].toSorted());
  assert.deepEqual(
    stages.map(({ name }) => name),
    ['src', 'test'],
  );
  assert.deepEqual(stagesOf([], ['src/a.test.ts'], []).beside, []);
});

test('what ran beside is counted, shown after the rest, named where it failed, and yields', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-runner-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const write = async (name: string, body: string): Promise<string> => {
    const file = join(folder, `${name}.test.mjs`);
    const head =
      "import { test } from 'node:test'; import os from 'node:os'; import assert from 'node:assert';";
    await writeFile(file, `${head} test('${name}', () => { ${body} });`);
    return file;
  };
  const plan = (files: Readonly<Record<'first' | 'second', string>>): Plan => ({
    before: { 'set-up': 1_500 },
    stages: [{ name: 'first', files: [files.first], concurrency: 1 }],
    beside: [{ name: 'second', files: [files.second], concurrency: 1 }],
  });
  const run = (what: Plan) =>
    execStatus(
      process.execPath,
      [fileURLToPath(new URL('runner.ts', import.meta.url)), JSON.stringify(what)],
      {
        cwd: folder,
        timeoutMs: 60_000,
        env: { ...process.env, NODE_TEST_CONTEXT: undefined, FORCE_COLOR: '0' },
      },
    );
  const first = await write('as-it-is', `assert.equal(os.getPriority(), ${getPriority()});`);
  const good = await run(
    plan({
      first,
      second: await write('yielding', `assert.equal(os.getPriority(), ${Math.max(10, getPriority())});`),
    }),
  );
  assert.equal(good.exitCode, 0, good.stdout + good.stderr);
  assert.match(
    good.stdout,
    /as-it-is[^]*yielding[^]*All stages together\n +1\.5 s {2}set-up\n[^]*s {2}second \(beside\)[^]*tests 2\n[^]*pass 2\n/,
  );
  const bad = await run(plan({ first, second: await write('broken', "throw new Error('x');") }));
  assert.equal(bad.exitCode, 1, bad.stdout);
  assert.match(bad.stdout, /All stages together\nFailed:\n {2}broken \(.*\n[^]*tests 2\n[^]*fail 1\n/);
});

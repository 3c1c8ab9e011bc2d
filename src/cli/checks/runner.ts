/**
 * `runner.js STAGES`: runs stages of test files one after the other and ends with one summary, in the form of node's own
 * runner: the counts of all stages together are its last lines.
 */
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { finished } from 'node:stream/promises';

interface Stage {
  readonly files: readonly string[];
  readonly concurrency: number;
}

const stages = JSON.parse(process.argv[2]!) as readonly Stage[];
const totals = { tests: 0, suites: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0 };
const began = performance.now();
const failed: string[] = [];

for (const stage of stages) {
  const stream = run({ files: [...stage.files], concurrency: stage.concurrency, cwd: process.cwd() });
  stream.on('test:fail', ({ name, file }) => failed.push(`${name}${file ? ` (${file})` : ''}`));
  stream.on('test:summary', ({ file, counts }) => {
    if (file !== undefined) return; // each file has one of its own; the stage's has none
    const counted: Readonly<Record<string, number | undefined>> = { ...counts }; // `failed` is in it, though not in its type
    for (const key of Object.keys(totals) as (keyof typeof totals)[]) totals[key] += counted[key] ?? 0;
  });
  const shown = stream.compose(new spec());
  shown.pipe(process.stdout, { end: false });
  await finished(shown);
}

const lines = [
  ...(failed.length > 0 ? ['Failed:', ...new Set(failed.map((each) => `  ${each}`)), ''] : []),
  `ℹ tests ${totals.tests}`,
  `ℹ suites ${totals.suites}`,
  `ℹ pass ${totals.passed}`,
  `ℹ fail ${totals.failed}`,
  `ℹ cancelled ${totals.cancelled}`,
  `ℹ skipped ${totals.skipped}`,
  `ℹ todo ${totals.todo}`,
  `ℹ duration_ms ${(performance.now() - began).toFixed(3)}`,
];
process.stdout.write(`\nAll stages together\n${lines.join('\n')}\n`, () =>
  process.exit(totals.failed + totals.cancelled > 0 || totals.tests === 0 ? 1 : 0),
);

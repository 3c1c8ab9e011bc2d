/**
 * `runner.js PLAN`: runs lanes of test files and ends with one summary, in the form of node's own runner: the counts of all
 * stages together are its last lines.
 */
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

export interface Stage {
  readonly name: string;
  readonly files: readonly string[];
  readonly concurrency: number;
}

export interface Plan {
  /** One after the other, as they are. */
  readonly stages: readonly Stage[];
  /** Meanwhile and one after the other, with what the stages leave of the processors; shown at the end. */
  readonly beside: readonly Stage[];
  /** What was done before, and its milliseconds. */
  readonly before: Readonly<Record<string, number>>;
}

const plan = JSON.parse(process.argv[2]!) as Plan;
const totals = { tests: 0, suites: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0 };
const began = performance.now();
const failed: string[] = [];
/** Of whole stages: one that ends without has not counted what it ran. */
let summaries = 0;
const took: string[] = Object.entries(plan.before).map(([name, ms]) => line(name, ms));

/** Ten percent of a processor that others want too, and all of one that nobody does: what measures time isn't disturbed. */
const yields = `data:text/javascript,${encodeURIComponent('import os from "node:os"; os.setPriority(Math.max(10, os.getPriority()));')}`;

async function runStage(stage: Stage, to: NodeJS.WritableStream, beside: boolean): Promise<void> {
  const start = performance.now();
  const files: (readonly [string, number])[] = [];
  const stream = run({
    files: [...stage.files],
    concurrency: stage.concurrency,
    cwd: process.cwd(),
    ...(beside && { execArgv: ['--import', yields] }),
  });
  stream.on('test:fail', ({ name, file, todo }) => {
    if (todo === undefined) failed.push(`${name}${file ? ` (${file})` : ''}`);
  });
  stream.on('test:summary', ({ file, counts, duration_ms: ms }) => {
    if (file !== undefined) return void files.push([file, ms]); // each file has one of its own; the stage's has none
    summaries++;
    const counted: Readonly<Record<string, number | undefined>> = { ...counts }; // `failed` is in it, though not in its type
    for (const key of Object.keys(totals) as (keyof typeof totals)[]) totals[key] += counted[key] ?? 0;
  });
  const shown = stream.compose(new spec());
  shown.pipe(to, { end: false });
  await finished(shown);
  took.push(line(`${stage.name}${beside ? ' (beside)' : ''}`, performance.now() - start));
  const long = files.filter(([, ms]) => ms >= 5_000).toSorted(([, one], [, other]) => other - one);
  for (const [file, ms] of long) took.push(line(`  ${file.replace(`${process.cwd()}/`, '')}`, ms));
}

async function inTurn(stages: readonly Stage[], to: NodeJS.WritableStream, beside: boolean): Promise<void> {
  for (const stage of stages) await runStage(stage, to, beside);
}

function line(name: string, ms: number): string {
  return `${(ms / 1000).toFixed(1).padStart(7)} s  ${name}`;
}

const meanwhile: Buffer[] = [];
const kept = new Writable({ write: (chunk: Buffer, _, done) => done(void meanwhile.push(chunk)) });
await Promise.all([inTurn(plan.stages, process.stdout, false), inTurn(plan.beside, kept, true)]);
const whole = summaries === plan.stages.length + plan.beside.length;

const lines = [
  ...(whole ? [] : ['A stage ended without its counts: what it ran is not known.', '']),
  ...(failed.length > 0 ? ['Failed:', ...new Set(failed.map((each) => `  ${each}`)), ''] : []),
  ...took,
  '',
  `ℹ tests ${totals.tests}`,
  `ℹ suites ${totals.suites}`,
  `ℹ pass ${totals.passed}`,
  `ℹ fail ${totals.failed}`,
  `ℹ cancelled ${totals.cancelled}`,
  `ℹ skipped ${totals.skipped}`,
  `ℹ todo ${totals.todo}`,
  `ℹ duration_ms ${(performance.now() - began).toFixed(3)}`,
];
const good = whole && totals.tests > 0 && totals.failed + totals.cancelled + failed.length === 0;
process.stdout.write(
  `${Buffer.concat(meanwhile).toString()}\nAll stages together\n${lines.join('\n')}\n`,
  () => process.exit(good ? 0 : 1),
);

/** Wall time of `./sallyport quickstart` from an empty state, with everything installed that it needs. */
import { systemClock } from '../src/lib/clock.ts';
import { createStack } from '../test/harness/stack.ts';
import { benchTools } from './ground.ts';
import { median, reportAbsolute } from './rounds.ts';

const rounds = Number(process.env['ROUNDS'] ?? 3);

interface StepLine {
  readonly event: string;
  readonly name?: string;
  readonly seconds?: number;
  readonly value?: { readonly verdict?: string };
}

await benchTools();
const totals: number[] = [];
const steps = new Map<string, number[]>();
for (let round = 0; round < rounds; round++) {
  await using stack = await createStack();
  const began = systemClock.now();
  const ran = await stack.run(['quickstart', '--json'], { timeoutMs: 300_000 });
  totals.push((systemClock.now() - began) / 1000);
  const lines = ran.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as StepLine);
  const proof = lines.find(({ event }) => event === 'proof')?.value?.verdict;
  if (ran.exitCode !== 0 || proof !== 'proved')
    throw new Error(`quickstart ended with ${ran.exitCode}, its proof: ${proof}\n${ran.stderr}`);
  for (const { event, name, seconds } of lines) {
    if (event !== 'done' || name === undefined || seconds === undefined) continue;
    steps.set(name, [...(steps.get(name) ?? []), seconds]);
  }
  process.stderr.write(`round ${round + 1}/${rounds}: ${totals.at(-1)!.toFixed(1)} s\n`);
}
reportAbsolute({
  name: 'quickstart, everything installed, empty state',
  unit: 's',
  goal: '≤ 45',
  values: totals,
  parts: Object.fromEntries([...steps].map(([name, values]) => [name, median(values)])),
});

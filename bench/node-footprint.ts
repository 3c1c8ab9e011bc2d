/**
 * What Sallyport adds to a data node that has nothing to do: memory and CPU of all processes of a node's machine other than
 * the JVM. Programs that the agent runs and that have ended count as well: the kernel adds their time to the parent's.
 */
import { readFileSync } from 'node:fs';
import { systemClock } from '../src/lib/clock.ts';
import { processesOf, roles, type Process } from '../test/harness/processes.ts';
import { benchTools } from './ground.ts';
import { openManagedRing } from './managed-ring.ts';
import { reportAbsolute } from './rounds.ts';

const settleSeconds = 30;
const seconds = Number(process.env['SECONDS'] ?? 60);
const ticksPerSecond = 100;

interface Footprint {
  readonly rss: number;
  readonly pss: number;
  readonly ticks: number;
}

await benchTools();
const managed = await openManagedRing();
try {
  await managed.createDataCenter();
  await systemClock.sleep(settleSeconds * 1000);
  const before = await machines();
  await systemClock.sleep(seconds * 1000);
  const after = await machines();
  const nodes = [...after].map(([hostname, processes]) => {
    const now = sum(processes);
    const parts = processes.map((one) => ({ what: nameOf(one), ...measure(one.pid) }));
    const cpu = ((now.ticks - sum(before.get(hostname) ?? []).ticks) / ticksPerSecond / seconds) * 100;
    return { hostname, rss: now.rss, pss: now.pss, cpu, parts };
  });
  const parts = Object.fromEntries(
    nodes.map(({ hostname, parts: each }) => [
      hostname,
      each.map(({ what, rss, pss }) => `${what} ${rss.toFixed(1)} (PSS ${pss.toFixed(1)})`),
    ]),
  );
  reportAbsolute({
    name: 'what a data node carries besides its JVM, idle',
    unit: 'MB RSS',
    goal: '≤ 90',
    values: nodes.map(({ rss }) => rss),
    parts,
  });
  reportAbsolute({
    name: 'what a data node carries besides its JVM, idle, shared pages shared out',
    unit: 'MB PSS',
    goal: '≤ 90',
    values: nodes.map(({ pss }) => pss),
  });
  reportAbsolute({
    name: `what a data node carries besides its JVM, idle, over ${seconds} s`,
    unit: '% of a core',
    goal: '≤ 1',
    values: nodes.map(({ cpu }) => cpu),
  });
} finally {
  await managed.close();
}

/** The processes of each node's machine, without its JVM and what only measures. */
async function machines(): Promise<ReadonlyMap<string, readonly MeasuredProcess[]>> {
  const all = await processesOf(managed.stack.home);
  const hosts = new Set(all.filter(roles.agent).map(({ hostname }) => hostname));
  return new Map(
    [...hosts].sort().map((hostname) => [
      hostname,
      all
        .filter((one) => one.hostname === hostname && !roles.cassandra(one))
        .flatMap((one) => {
          try {
            return [{ ...one, ...measure(one.pid) }];
          } catch {
            return []; // it has ended
          }
        }),
    ]),
  );
}

type MeasuredProcess = Process & Footprint;

function sum(processes: readonly Footprint[]): Footprint {
  return {
    rss: processes.reduce((total, { rss }) => total + rss, 0),
    pss: processes.reduce((total, { pss }) => total + pss, 0),
    ticks: processes.reduce((total, { ticks }) => total + ticks, 0),
  };
}

function measure(pid: number): Footprint {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const megabytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0) / 1024;
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
    .map(Number);
  // utime, stime, and those of children that were waited for.
  const ticks = fields.slice(11, 15).reduce((total, value) => total + value, 0);
  return { rss: megabytes('Rss'), pss: megabytes('Pss'), ticks };
}

function nameOf({ command }: Process): string {
  return /main\.js \w+/.exec(command)?.[0] ?? command.split(' ')[0]!.split('/').at(-1)!;
}

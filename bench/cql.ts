/**
 * Reads and writes per second and their 99th percentile, with a fixed number of requests under way, RF 3, LOCAL_QUORUM,
 * prepared: through a managed ring from its network's application machine, against a bare ring from the host's loopback. One
 * client program for both; both rings are up all the time, and one of them has nothing to do while the other is asked. Two rings
 * of the very same kind differ by up to 7 %, for as long as they live, and the machine from one second to the next: so what counts is
 * the median of many short rounds, in turn, on many pairs of rings.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { accessTo } from '../src/cli/cql/cluster.ts';
import { readLogin } from '../src/cli/cql/credentials.ts';
import { ids } from '../src/cli/quickstart/steps.ts';
import { enterApplication } from '../src/cli/stack/fabric.ts';
import { startBareRing } from './bare-ring.ts';
import type { LoadOrder, LoadResult, LoadTarget } from './cql-load.ts';
import { benchTools } from './ground.ts';
import { openManagedRing } from './managed-ring.ts';
import { interleaveOf, report } from './rounds.ts';

/** Pairs of rings, each started anew. */
const pairsOfRings = Number(process.env['RINGS'] ?? 5);
const rounds = Number(process.env['ROUNDS'] ?? 8);
const inFlight = Number(process.env['IN_FLIGHT'] ?? 32);
const seconds = 2;
/** In turns, so that the two have compiled as much when they are compared. */
const warmUpLaps = 2;
const warmUpSeconds = 6;
const heapMegabytes = 512;
/** What the bare ring's JVMs share: see bare-ring.ts. Both are worth a run, and the figure says which it was. */
const sessions = process.env['BARE_SESSIONS'] === 'one' ? 'one' : 'each';
const against = `against ${sessions === 'each' ? 'JVMs in sessions of their own' : 'JVMs in one session'}`;
const kinds = ['write', 'read'] as const;
type Kind = (typeof kinds)[number];

interface Load {
  order(order: LoadOrder): Promise<LoadResult>;
  close(): void;
}

interface Round {
  readonly ours: LoadResult;
  readonly bare: LoadResult;
}

const tools = await benchTools();
const managed = await openManagedRing();
try {
  const all: Readonly<Record<Kind, Round[]>> = { write: [], read: [] };
  for (let pair = 0; pair < pairsOfRings; pair++) {
    const measured = await measurePair(pair);
    for (const kind of kinds) all[kind].push(...measured[kind]);
  }
  for (const kind of kinds) {
    const of = (figure: (result: LoadResult) => number) =>
      all[kind].map(({ ours, bare }) => ({ ours: figure(ours), bare: figure(bare) }));
    const name = `CQL ${kind}s, ${inFlight} under way, ${against}, ${pairsOfRings} pairs of rings`;
    report({ name, unit: '1/s', goal: 'ratio ≥ 0.95', pairs: of(({ perSecond }) => perSecond) });
    report({ name: `${name}, p99`, unit: 'ms', goal: 'ratio ≤ 1.25', pairs: of(({ p99 }) => p99) });
  }
} finally {
  await managed.close();
}

/** Two new rings, the older of which is now ours and now the bare one. */
async function measurePair(pair: number): Promise<Readonly<Record<Kind, readonly Round[]>>> {
  const closing: (() => unknown)[] = [];
  const program = [process.execPath, fileURLToPath(new URL('cql-load.ts', import.meta.url))];
  const startOurs = async (): Promise<Load> => {
    await managed.createDataCenter();
    closing.push(() => managed.deleteDataCenter());
    const { customer, home } = managed;
    const cluster = ids(customer).cluster;
    const access = await accessTo(customer, await customer.get(cluster));
    const { username, password } = (await readLogin(home, cluster))!;
    const { nodes: contactPoints, dataCenter, authority } = access;
    const entered = await enterApplication(home, access.network, program);
    return startLoad(entered.command, entered.args, {
      contactPoints,
      dataCenter,
      authority,
      username,
      password,
    });
  };
  const startBare = async (): Promise<Load> => {
    const folders = { javaHome: tools.javaHome, jars: tools.cassandra, tools: tools.folder };
    const ring = await startBareRing(folders, heapMegabytes, sessions);
    closing.push(() => ring.stop());
    const login = { username: 'cassandra', password: 'cassandra' };
    const { addresses: contactPoints, authority } = ring;
    return startLoad(program[0]!, program.slice(1), {
      contactPoints,
      dataCenter: 'dc1',
      authority,
      ...login,
    });
  };
  try {
    let ours: Load, bare: Load;
    if (pair % 2 === 0) [ours, bare] = [await startOurs(), await startBare()];
    else [bare, ours] = [await startBare(), await startOurs()];
    closing.unshift(() => ours.order({ kind: 'drop', seconds: 0, inFlight }), ours.close, bare.close);
    for (const load of [ours, bare]) await load.order({ kind: 'prepare', seconds: 0, inFlight });
    for (let lap = 0; lap < warmUpLaps; lap++) {
      for (const load of [ours, bare])
        for (const kind of kinds) await load.order({ kind, seconds: warmUpSeconds, inFlight });
    }
    const measure = (kind: Kind): Promise<readonly Round[]> =>
      interleaveOf(
        rounds,
        () => ours.order({ kind, seconds, inFlight }),
        () => bare.order({ kind, seconds, inFlight }),
        ({ perSecond, p99 }) => `${perSecond.toFixed(0)}/s p99 ${p99.toFixed(1)} ms`,
      );
    return { write: await measure('write'), read: await measure('read') };
  } finally {
    for (const close of closing) await close();
  }
}

function startLoad(command: string, args: readonly string[], target: LoadTarget): Load {
  const child: ChildProcess = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  child.stdin!.write(`${JSON.stringify(target)}\n`);
  return {
    async order(order) {
      child.stdin!.write(`${JSON.stringify(order)}\n`);
      const { value, done } = await answers.next();
      if (done) throw new Error('The client ended; its own words are above.');
      return JSON.parse(value) as LoadResult;
    },
    close: () => child.stdin!.end(),
  };
}

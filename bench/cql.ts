/**
 * Reads and writes per second and their 99th percentile, with a fixed number of requests under way, RF 3, LOCAL_QUORUM,
 * prepared: through a managed ring from its network's application machine, against a bare ring from the host's loopback. One
 * client program for both; both rings are up all the time, and one of them has nothing to do while the other is asked.
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

const rounds = Number(process.env['ROUNDS'] ?? 7);
const inFlight = Number(process.env['IN_FLIGHT'] ?? 32);
const seconds = 5;
const warmUpSeconds = 15;
const heapMegabytes = 512;
/** What the bare ring's JVMs share: see bare-ring.ts. Both are worth a run, and the figure says which it was. */
const sessions = process.env['BARE_SESSIONS'] === 'one' ? 'one' : 'each';
const against = `against ${sessions === 'each' ? 'JVMs in sessions of their own' : 'JVMs in one session'}`;

interface Load {
  order(order: LoadOrder): Promise<LoadResult>;
  close(): void;
}

const tools = await benchTools();
const managed = await openManagedRing();
const bareRing = await startBareRing(
  { javaHome: tools.javaHome, jars: tools.cassandra, tools: tools.folder },
  heapMegabytes,
  sessions,
);
const loads: Load[] = [];
try {
  await managed.createDataCenter();
  const { customer, home } = managed;
  const cluster = ids(customer).cluster;
  const access = await accessTo(customer, await customer.get(cluster));
  const login = (await readLogin(home, cluster))!;
  const program = [process.execPath, fileURLToPath(new URL('cql-load.ts', import.meta.url))];
  const entered = await enterApplication(home, access.network, program);
  const ours = startLoad(entered.command, entered.args, {
    contactPoints: access.nodes,
    dataCenter: access.dataCenter,
    authority: access.authority,
    username: login.username,
    password: login.password,
  });
  const bare = startLoad(program[0]!, program.slice(1), {
    contactPoints: bareRing.addresses,
    dataCenter: 'dc1',
    authority: bareRing.authority,
    username: 'cassandra',
    password: 'cassandra',
  });
  loads.push(ours, bare);
  for (const load of loads) {
    await load.order({ kind: 'prepare', seconds: 0, inFlight });
    for (const kind of ['write', 'read'] as const)
      await load.order({ kind, seconds: warmUpSeconds, inFlight });
  }
  for (const kind of ['write', 'read'] as const) {
    const pairs = await interleaveOf(
      rounds,
      () => ours.order({ kind, seconds, inFlight }),
      () => bare.order({ kind, seconds, inFlight }),
      ({ perSecond, p99 }) => `${perSecond.toFixed(0)}/s p99 ${p99.toFixed(1)} ms`,
    );
    const of = (figure: (result: LoadResult) => number) =>
      pairs.map((pair) => ({ ours: figure(pair.ours), bare: figure(pair.bare) }));
    report({
      name: `CQL ${kind}s, ${inFlight} under way, ${against}`,
      unit: '1/s',
      goal: 'ratio ≥ 0.95',
      pairs: of(({ perSecond }) => perSecond),
    });
    report({
      name: `CQL ${kind}s, ${inFlight} under way, ${against}, p99`,
      unit: 'ms',
      goal: 'ratio ≤ 1.25',
      pairs: of(({ p99 }) => p99),
    });
  }
} finally {
  for (const load of loads) load.close();
  await bareRing.stop();
  await managed.close();
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

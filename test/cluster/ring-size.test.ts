/**
 * A ring for real that grows from three nodes to four and shrinks to three again, answers nodetool, rests and comes back;
 * rows are written and read at QUORUM all the while it has nodes, and whoever works on it dies once in the middle. What its nodes
 * count and log goes to services behind the gate, and who goes or rests is missed by nobody. All of it belongs to somebody who
 * isn't root: nothing of it needs a privilege of the host.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { createArmClient, type ArmAnswer, type ArmClient } from '../../src/cli/arm/client.ts';
import { findSession } from '../../src/cli/arm/session.ts';
import { findHome } from '../../src/cli/home.ts';
import { managedGroup } from '../../src/kinds/platform.ts';
import { systemClock, until } from '../../src/lib/clock.ts';
import { processesOf, roles } from '../harness/processes.ts';
import { openServices, type StackServices } from '../harness/services.ts';
import { configure, createStack, type Settled, type Stack } from '../harness/stack.ts';
import { demandAzurite, demandPrometheus } from '../harness/tools.ts';

const uid = 61_000;
const names = ['-g', 'vpn-test-rg', '-c', 'vpn-test-cluster'];
const below = 'resourceGroups/vpn-test-rg/providers/Microsoft.DocumentDB/cassandraClusters/vpn-test-cluster';

interface Ring {
  readonly dataCenters: readonly {
    readonly nodes: readonly { readonly address: string; readonly status: string; readonly state: string }[];
  }[];
}

async function cql(stack: Stack, statement: string): Promise<string> {
  const ran = await stack.run(['cql', ...names, '-e', statement], { timeoutMs: 60_000 });
  assert.equal(ran.exitCode, 0, `${statement}\n${ran.stdout}\n${ran.stderr}`);
  return ran.stdout;
}

const nodes = async (stack: Stack): Promise<Ring['dataCenters'][number]['nodes']> => {
  const ran = await stack.run(['managed-cassandra', 'cluster', 'status', ...names, '-o', 'json']);
  return ran.exitCode === 0 ? (JSON.parse(ran.stdout) as Ring).dataCenters.flatMap((one) => one.nodes) : [];
};

/** Writes a row and reads every one that was ever written, over and over, at QUORUM, as long as its test runs. */
function workload(t: TestContext, stack: Stack, from: number) {
  let going = true;
  t.after(() => {
    going = false;
  });
  let rows = from;
  const faults: string[] = [];
  /**
   * A read of a whole range that is under way when a replica dies times out: Cassandra asks another in its place for a single
   * partition alone. Who asks again, as an application would, is answered.
   */
  let mayTimeOut = 0;
  const count = (): Promise<string> => cql(stack, 'SELECT count(*) AS rows FROM app.t');
  const again = (error: Error): Promise<string> => {
    if (mayTimeOut-- <= 0 || !/Server timeout during read query/.test(error.message)) throw error;
    return count();
  };
  const run = (async () => {
    while (going) {
      try {
        await cql(stack, `INSERT INTO app.t (k, v) VALUES (${rows + 1}, 'kept')`);
        rows++;
        const said = await count().catch(again);
        if (!new RegExp(`\\b${rows}\\b`).test(said)) faults.push(`${rows} rows were written: ${said}`);
      } catch (error) {
        faults.push(String(error));
      }
    }
  })();
  return {
    /** Before each Cassandra that is killed: one read may have been asking it. */
    loses: () => void mayTimeOut++,
    /** Fails the test if a row was missing or a request refused; how many rows there are. */
    async stop(): Promise<number> {
      going = false;
      await run;
      assert.deepEqual(faults, []);
      assert.ok(rows > from);
      return rows;
    },
  };
}

/** Waits for a long operation, and fails the test unless it succeeds; its result's body where it has one. */
async function followed(client: ArmClient, first: ArmAnswer, timeoutMs: number): Promise<unknown> {
  const monitor = first.headers['azure-asyncoperation'] ?? first.headers.location;
  if (typeof monitor !== 'string') return first.body;
  return until(
    'the operation to end',
    async () => {
      const answer = await client.send('GET', monitor);
      const { status } = answer.body;
      assert.ok(status !== 'Failed' && status !== 'Canceled', JSON.stringify(answer.body));
      if (answer.status === 202 || (status !== undefined && status !== 'Succeeded')) return undefined;
      return answer.body;
    },
    { timeoutMs, everyMs: 1_000 },
  );
}

async function scale(client: ArmClient, nodeCount: number): Promise<ArmAnswer> {
  const id = `/subscriptions/${client.subscriptionId}/${below}/dataCenters/dc1`;
  return client.send('PATCH', id, { properties: { nodeCount } });
}

/** Ends one at once, once it is there. */
async function kill(stack: Stack, role: keyof typeof roles, hostname?: string): Promise<void> {
  const found = await until(
    `a ${role}`,
    async () =>
      (await processesOf(stack.home)).find(
        (one) => roles[role](one) && (hostname === undefined || one.hostname === hostname),
      ),
    { timeoutMs: 60_000, everyMs: 200 },
  );
  process.kill(found.pid, 'SIGKILL');
}

interface Cleanup {
  readonly due: readonly string[];
  readonly done: readonly string[];
  readonly failed: readonly unknown[];
}

/** How far the old nodes are with dropping what is the newcomer's now. */
async function cleanupOf(provider: ArmClient): Promise<Cleanup | undefined> {
  const picture = (await provider.get('/sallyport/status')) as unknown as {
    readonly operators: readonly { readonly dataCenters: readonly { readonly cleanup?: Cleanup }[] }[];
  };
  return picture.operators[0]?.dataCenters[0]?.cleanup;
}

const inState = (stack: Stack, address: string, state: string): Promise<true> =>
  until(
    `${address} to be ${state}`,
    async () =>
      (await nodes(stack)).some((node) => node.address === address && node.state === state) || undefined,
    { timeoutMs: 180_000, everyMs: 300 },
  );

const [account, container] = ['logs', 'cassandra'];

/** Storage and monitoring of the installation's own, which control reads when it starts. What a policy names of them. */
async function haveServices(stack: Stack) {
  const storageOf = ({ providerSubscription }: Settled): string =>
    `/subscriptions/${providerSubscription}/resourceGroups/data/providers/Microsoft.Storage/storageAccounts/${account}`;
  const settled = await configure(stack, (of) => ({
    services: { storage: { accounts: [{ id: storageOf(of), logs: { container } }] }, monitor: {} },
  }));
  const storage = storageOf(settled);
  return {
    logs: {
      ...{ service: 'Microsoft.Storage', serviceResources: [storage] },
      ...{ methods: ['PUT'], paths: [`/${container}`] },
    },
    metrics: {
      service: 'Microsoft.Insights',
      serviceResources: [
        `${managedGroup(settled.providerSubscription)}/providers/Microsoft.Monitor/accounts/monitor`,
      ],
      ...{ methods: ['POST'], paths: ['/api/v1/write'] },
    },
  };
}

/** Waits until monitoring has heard of these nodes since then, milliseconds, and of no other: who goes isn't signed off. */
const counted = async (
  services: StackServices,
  since: number,
  ...names: readonly string[]
): Promise<void> => {
  const load = 'cassandra_storage_load_bytes';
  let said: unknown;
  await until(
    `metrics of ${names.join(', ')} alone`,
    async () => {
      const series = await services.monitor(`timestamp(${load}) > ${since / 1000}`);
      said = typeof series === 'string' ? series : series.map(({ node }) => node).toSorted();
      return isDeepStrictEqual(said, names) || undefined;
    },
    { timeoutMs: 150_000, everyMs: 1_000 },
  ).catch((error: unknown) => assert.fail(`${String(error)} The last answer: ${JSON.stringify(said)}`));
};

/** Waits until a log in the container, of one of these nodes, has these words. */
const logged = (services: StackServices, of: readonly string[], log: string, words: RegExp): Promise<true> =>
  until(
    `the ${log} of ${of.join(' or ')} to have ${words}`,
    async () => {
      const list = `/${container}?restype=container&comp=list`;
      const [listed = ''] = await services.storage(account, { method: 'GET', path: list });
      const ask = [...listed.matchAll(/<Name>([^<]+)<\/Name>/g)]
        .map(([, name]) => name!)
        .filter((name) => of.includes(name.split('/')[2]!) && name.includes(`/${log}`))
        .map((name) => ({ method: 'GET', path: `/${container}/${name}` }));
      return (await services.storage(account, ...ask)).some((said) => words.test(said)) || undefined;
    },
    { timeoutMs: 90_000, everyMs: 1_000 },
  );

const ofUser = (): readonly string[] =>
  readdirSync('/proc').flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) && statSync(`/proc/${pid}`).uid === uid
        ? [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`]
        : [];
    } catch {
      return []; // it ended between being listed and being read
    }
  });

test(
  'an ordinary user: three, four, three nodes; nodetool; at rest and back; and nothing is left',
  { timeout: 20 * 60_000, skip: process.getuid?.() !== 0 && 'becomes another user, which takes root' },
  async (t) => {
    demandAzurite();
    demandPrometheus();
    const stack = await createStack({ uid });
    t.after(() => stack[Symbol.asyncDispose]());
    const definitions = await haveServices(stack);
    const started = await stack.run(['quickstart'], { timeoutMs: 300_000 });
    assert.equal(started.exitCode, 0, started.stdout + started.stderr);
    assert.match(
      started.stdout,
      /Proved: \d+ tries to get out from 3 nodes and their operator, none did but by\s+the door/,
    );
    const inside = await stack.run(['connect', '--', 'sh', '-c', 'ip -4 -o address show dev eth0']);
    assert.match(inside.stdout, /10\.0\.3\./, inside.stderr);
    const home = findHome({ SALLYPORT_HOME: stack.home });
    const session = await findSession(home, {}, { as: 'customer', subscription: undefined });
    const client = createArmClient(session, { clock: systemClock, signal: t.signal });
    const provider = createArmClient(
      await findSession(home, {}, { as: 'provider', subscription: undefined }),
      { clock: systemClock, signal: t.signal },
    );
    const cluster = `/subscriptions/${client.subscriptionId}/${below}`;
    const before = (await nodes(stack)).map((node) => node.address);
    assert.equal(before.length, 3);
    let rows = 0;
    const keys = Array.from({ length: 24 }, (_, at) => `key-${at}`);
    const services = openServices(stack, provider);
    t.after(() => services.close());
    /** Waits until `status` says so of the metrics, and misses no node. */
    const told = (words: RegExp): Promise<true> =>
      until(
        `status to say ${words}`,
        async () => {
          const { stdout } = await stack.run(['status']);
          return (words.test(stdout) && !/can't be asked|^logs: /m.test(stdout)) || undefined;
        },
        { timeoutMs: 60_000, everyMs: 1_000 },
      );
    const flowing = /metrics: vpn-test-cluster: they go to\s+monitor\./;

    await t.test('what the nodes count and log is where the policy lets it', async () => {
      await services.letOperators(definitions);
      const asked = ['managed-cassandra', 'cluster', 'update', ...names, '-o', 'json'];
      await stack.json([...asked, '--cassandra-audit-logging-enabled', 'true'], { timeoutMs: 120_000 });
      await cql(
        stack,
        "CREATE KEYSPACE app WITH replication = {'class':'NetworkTopologyStrategy','dc1':3}; CREATE TABLE app.t (k int PRIMARY KEY, v text); CREATE TABLE app.moved (k text PRIMARY KEY)",
      );
      await cql(stack, keys.map((key) => `INSERT INTO app.moved (k) VALUES ('${key}')`).join('; '));
      const three = ['dc1-1', 'dc1-2', 'dc1-3'];
      await counted(services, 0, ...three);
      for (const node of three) await logged(services, [node], 'system.log', /NORMAL/);
      // A statement is in the log of the node that coordinated it.
      await logged(services, three, 'audit.log', /operation:CREATE KEYSPACE app /);
      await told(flowing);
    });

    const nodetool = async (host: string, ...args: readonly string[]): Promise<string> => {
      const given = Object.fromEntries(args.map((one) => [one, '']));
      const first = await client.send('POST', `${cluster}/invokeCommand`, {
        ...{ command: 'nodetool', host, arguments: given },
      });
      const body = (await followed(client, first, 90_000)) as { readonly commandOutput: string };
      return body.commandOutput;
    };

    await t.test(
      'four: the new node bootstraps, whoever dies meanwhile, and no row is missing',
      async (t) => {
        const load = workload(t, stack, 0);
        const first = await scale(client, 4);
        const newcomer = await until(
          'the fourth node',
          async () => (await nodes(stack)).find((node) => !before.includes(node.address))?.address,
          { timeoutMs: 120_000, everyMs: 500 },
        );
        await inState(stack, newcomer, 'Joining');
        await kill(stack, 'operator');
        load.loses();
        await kill(stack, 'cassandra', 'dc1-4');
        await followed(client, first, 300_000);
        rows = await load.stop();
        const now = await nodes(stack);
        assert.deepEqual(
          now.map(({ status, state }) => [status, state]),
          Array(4).fill(['Up', 'Normal']),
        );
        const said = await nodetool(newcomer, 'status');
        assert.match(said, /^Datacenter: dc1\n/);
        assert.equal(said.match(/^UN /gm)?.length, 4, said);
      },
    );

    await t.test('the old nodes then drop what is the new one’s, one after the other', async () => {
      const began = systemClock.now();
      const holds = async (node: string, key: string): Promise<boolean> =>
        /-Data\.db/.test(await nodetool(node, 'getsstables', 'app', 'moved', key));
      let moved: { readonly from: string; readonly key: string; readonly held: boolean } | undefined;
      for (const key of keys) {
        const ends = await nodetool(before[0]!, 'getendpoints', 'app', 'moved', key);
        const from = before.findLast((address) => !new RegExp(`^${address}$`, 'm').test(ends));
        if (from === undefined) continue;
        moved = { from, key, held: await holds(from, key) };
        break;
      }
      assert.ok(moved, 'no key has moved to the new node');
      const { due, done } = (await cleanupOf(provider))!;
      const [number] = [before.indexOf(moved.from) + 1];
      t.diagnostic(
        `cleanup: ${moved.key} was ${moved.held ? '' : 'not '}held by dc1-${number}, due ${due.join()}`,
      );
      // The positive control; too late only where the machine is very slow.
      if (!done.includes(`dc1-${number}`)) assert.ok(moved.held, `${moved.key} was never on dc1-${number}`);
      const all = await until(
        'every old node to have cleaned up',
        async () => {
          const now = await cleanupOf(provider);
          return now?.due.length === 0 ? now : undefined;
        },
        { timeoutMs: 180_000, everyMs: 500 },
      );
      t.diagnostic(`cleanup: over ${systemClock.now() - began} ms after the nodes were four`);
      assert.deepEqual([all.done.toSorted(), all.failed], [['dc1-1', 'dc1-2', 'dc1-3'], []]);
      assert.equal(await holds(moved.from, moved.key), false, 'it holds what is not its own any more');
      const there = await cql(stack, 'SELECT count(*) AS keys FROM app.moved');
      assert.match(there, new RegExp(`\\b${keys.length}\\b`));
      await counted(services, 0, 'dc1-1', 'dc1-2', 'dc1-3', 'dc1-4');
      await logged(services, ['dc1-4'], 'system.log', /JOINING/);
    });

    await t.test('three, while a keyspace needs four: refused with the reason, and taken back', async (t) => {
      await cql(
        stack,
        "CREATE KEYSPACE four WITH replication = {'class':'NetworkTopologyStrategy','dc1':4}; CREATE TABLE four.t (k int PRIMARY KEY); INSERT INTO four.t (k) VALUES (4)",
      );
      const ran = async (): Promise<readonly number[]> =>
        (await processesOf(stack.home)).filter(roles.cassandra).map(({ pid }) => pid);
      const running = await ran();
      const load = workload(t, stack, rows);
      const monitor = String((await scale(client, 3)).headers['azure-asyncoperation']);
      const began = systemClock.now();
      const error = await until(
        'the operation to fail',
        async () => {
          const { status, error: fault } = (await client.send('GET', monitor)).body;
          assert.notEqual(status, 'Succeeded');
          return status === 'Failed'
            ? (fault as { readonly code: string; readonly message: string })
            : undefined;
        },
        { timeoutMs: 300_000, everyMs: 1_000 },
      );
      t.diagnostic(`refused after ${systemClock.now() - began} ms: ${error.code}: ${error.message}`);
      assert.equal(error.code, 'DecommissionRefused');
      assert.match(error.message, /dc1-4 .*keyspace four \(RF = 4, N = 4\)\. Lower .* ALTER KEYSPACE/);
      const up = Array(4).fill(['Up', 'Normal']);
      const states = async () => (await nodes(stack)).map(({ status, state }) => [status, state]);
      assert.deepEqual(await states(), up);
      const asked = systemClock.now();
      await followed(client, await scale(client, 4), 120_000);
      t.diagnostic(`taken back after ${systemClock.now() - asked} ms`);
      assert.deepEqual(await states(), up);
      rows = await load.stop();
      assert.deepEqual(await ran(), running, 'no Cassandra was restarted for it');
      assert.match(await cql(stack, 'SELECT k FROM four.t'), /\b4\b/);
      await cql(stack, 'DROP KEYSPACE four');
    });

    await t.test('three: the fourth hands its data over and goes, and no row is missing', async (t) => {
      const gone = (await nodes(stack)).find((node) => !before.includes(node.address))!.address;
      const load = workload(t, stack, rows);
      const first = await scale(client, 3);
      await inState(stack, gone, 'Leaving');
      load.loses();
      await kill(stack, 'cassandra', 'dc1-4');
      await inState(stack, gone, 'Leaving');
      await kill(stack, 'agent', 'dc1-4');
      await kill(stack, 'operator');
      await followed(client, first, 300_000);
      rows = await load.stop();
      assert.deepEqual(
        (await nodes(stack)).map((node) => node.address),
        before,
      );
      const said = await nodetool(before[0]!, 'status', 'app');
      assert.equal(said.match(/^UN .* 100\.0% /gm)?.length, 3, said);
      assert.ok(!said.includes(gone));
      await until(
        'its machine to go',
        async () => (await processesOf(stack.home)).every((one) => one.hostname !== 'dc1-4') || undefined,
        { timeoutMs: 60_000, everyMs: 500 },
      );
      await counted(services, systemClock.now(), 'dc1-1', 'dc1-2', 'dc1-3');
      await logged(services, ['dc1-4'], 'system.log', /LEAVING/);
      await told(flowing);
    });

    await t.test(
      'at rest no Cassandra runs, agents and tunnels do; back again every row is there',
      async () => {
        const agents = async (): Promise<number> =>
          (await processesOf(stack.home)).filter(roles.agent).length;
        const there = await agents();
        const count = await cql(stack, 'SELECT count(*) AS rows FROM app.t');
        await followed(
          client,
          await client.send('PATCH', cluster, { properties: { clusterType: 'NonProduction' } }),
          60_000,
        );
        await followed(client, await client.send('POST', `${cluster}/deallocate`), 180_000);
        const left = await processesOf(stack.home);
        assert.deepEqual(left.filter(roles.cassandra), []);
        assert.equal(await agents(), there);
        await told(/metrics: vpn-test-cluster: no node serves/);
        await followed(client, await client.send('POST', `${cluster}/start`), 240_000);
        assert.equal((await nodes(stack)).filter((node) => node.state === 'Normal').length, 3);
        assert.equal(await cql(stack, 'SELECT count(*) AS rows FROM app.t'), count);
        await counted(services, systemClock.now(), 'dc1-1', 'dc1-2', 'dc1-3');
        await told(flowing);
      },
    );

    await t.test('`down --purge` leaves no process of that user', async () => {
      const purged = await stack.run(['down', '--purge', '--yes'], { timeoutMs: 120_000 });
      assert.equal(purged.exitCode, 0, purged.stderr);
      // A killed process is listed until its parent has taken notice of its end.
      await until('the last process to end', () => ofUser().length === 0 || undefined, {
        timeoutMs: 5_000,
      }).catch(() => assert.deepEqual(ofUser(), [], 'no process is left'));
    });
  },
);

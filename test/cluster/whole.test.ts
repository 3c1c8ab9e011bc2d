/**
 * One whole real run, as a person would do it: the five steps, CQL, the door's proof; then everything that may die dies once,
 * the link is cut and restored, a second customer comes with the same addresses, and all is stopped and started again.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { createArmClient, type ArmClient } from '../../src/cli/arm/client.ts';
import { findSession } from '../../src/cli/arm/session.ts';
import { findHome } from '../../src/cli/home.ts';
import type { VerifyResult } from '../../src/fabric/verify/result.ts';
import { systemClock, until } from '../../src/lib/clock.ts';
import { exec } from '../../src/lib/exec.ts';
import { enter, processesOf, roles, type Process } from '../harness/processes.ts';
import { createStack, type Stack } from '../harness/stack.ts';

const group = ['-g', 'vpn-test-rg'];
const cluster = [...group, '-c', 'vpn-test-cluster'];

interface RingStatus {
  readonly connectionErrors: readonly unknown[];
  readonly dataCenters: readonly {
    readonly nodes: readonly { readonly address: string; readonly status: string; readonly state: string }[];
  }[];
}

interface Operators {
  readonly operators: readonly {
    readonly cluster: string | null;
    readonly dataCenters: readonly { readonly keyspaces?: readonly string[] }[];
  }[];
}

const armOf = async (stack: Stack, as: 'customer' | 'provider'): Promise<ArmClient> => {
  const session = await findSession(
    findHome({ SALLYPORT_HOME: stack.home }),
    {},
    { as, subscription: undefined },
  );
  return createArmClient(session, { clock: systemClock, signal: AbortSignal.timeout(240_000) });
};

const ok = async (stack: Stack, ...args: readonly string[]): Promise<string> => {
  const ran = await stack.run(args, { timeoutMs: 240_000 });
  assert.equal(ran.exitCode, 0, `sallyport ${args.join(' ')}\n${ran.stdout}\n${ran.stderr}`);
  return ran.stdout;
};

/** Asks for the proof. What got out, or wasn't tried, is named and nothing else: of a thousand tries one is the fault. */
async function proved(stack: Stack, ...args: readonly string[]): Promise<void> {
  const ran = await stack.run(['verify', '--json', ...args], { timeoutMs: 240_000 });
  const said = `verify ${args.join(' ')} ended with ${ran.exitCode}`;
  if (!ran.stdout.startsWith('{')) assert.fail(`${said}\n${ran.stdout}\n${ran.stderr}`);
  const { verdict, tries, controls } = JSON.parse(ran.stdout) as VerifyResult;
  const open = {
    tries: tries.filter(({ outcome }) => outcome !== 'stopped'),
    controls: controls.filter(({ seen }) => !seen),
  };
  assert.deepEqual({ verdict, ...open }, { verdict: 'proved', tries: [], controls: [] }, said);
}

const refused = async (stack: Stack, args: readonly string[], words: RegExp, exitCode = 1): Promise<void> => {
  const ran = await stack.run(args);
  assert.equal(ran.exitCode, exitCode, `${args.join(' ')}\n${ran.stdout}\n${ran.stderr}`);
  assert.match(ran.stderr, words);
  assert.match(ran.stderr, /Next: /, 'an error ends with what to do next');
};

const healthy = (stack: Stack, of: readonly string[] = cluster, timeoutMs = 90_000): Promise<true> =>
  until(
    'three nodes that are up, normal and connected',
    async () => {
      const ran = await stack.run(['managed-cassandra', 'cluster', 'status', ...of, '-o', 'json']);
      if (ran.exitCode !== 0) return undefined;
      const status = JSON.parse(ran.stdout) as RingStatus;
      const nodes = status.dataCenters.flatMap((one) => one.nodes);
      const good = nodes.filter((node) => node.status === 'Up' && node.state === 'Normal');
      return status.connectionErrors.length === 0 && nodes.length === 3 && good.length === 3
        ? true
        : undefined;
    },
    { timeoutMs, everyMs: 500 },
  );

const one = async (stack: Stack, role: keyof typeof roles, hostname?: string): Promise<Process> => {
  const found = (await processesOf(stack.home)).filter(
    (process) => roles[role](process) && (hostname === undefined || process.hostname === hostname),
  );
  assert.equal(found.length, 1, `one ${role} on ${hostname ?? 'this machine'}, not ${found.length}`);
  return found[0]!;
};

const cassandras = async (stack: Stack): Promise<readonly number[]> =>
  (await processesOf(stack.home))
    .filter(roles.cassandra)
    .map((process) => process.pid)
    .toSorted((a, b) => a - b);

/** The rules in force on a node, without what counts by itself. */
const rules = async (inside: Process): Promise<string> => {
  const [command, ...args] = enter(inside, 'nft', '-s', 'list', 'ruleset');
  return (await exec(command!, args)).stdout;
};

/** Ends it at once, and waits until another has taken its place. */
async function replaced(stack: Stack, role: keyof typeof roles, hostname?: string): Promise<void> {
  const before = await one(stack, role, hostname);
  process.kill(before.pid, 'SIGKILL');
  await until(
    `another ${role}`,
    async () =>
      (await processesOf(stack.home)).some(
        (now) => roles[role](now) && now.hostname === before.hostname && now.pid !== before.pid,
      ) || undefined,
    { timeoutMs: 60_000, everyMs: 200 },
  );
}

/** Sends a datagram through a node's tunnel ten times a second and notes when each answer came. */
function probeTunnel(inside: Process, operator: string) {
  const program = `
    const socket = require('node:dgram').createSocket('udp6');
    socket.on('message', () => console.log(Date.now()));
    socket.on('error', () => undefined);
    setInterval(() => socket.send('probe', 8441, '${operator}', () => undefined), 100);`;
  const [command, ...args] = enter(inside, '/opt/tools/node', '-e', program);
  const child = spawn(command!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const answers: number[] = [];
  child.stdout.on('data', (chunk: Buffer) =>
    answers.push(...chunk.toString().trim().split('\n').map(Number)),
  );
  return {
    answers,
    after: (at: number) => answers.filter((answer) => answer > at),
    stop: () => child.kill('SIGKILL'),
  };
}

test(
  'the five steps with real parts',
  { timeout: 20 * 60_000, skip: process.getuid?.() !== 0 && 'looks into machines, which takes root' },
  async (t) => {
    const stack = await createStack();
    t.after(() => stack[Symbol.asyncDispose]());

    await t.test('quickstart does the five steps, writes and reads, and proves the door', async () => {
      const said = await ok(stack, 'quickstart');
      assert.match(said, /10\.0\.2\.4 .*Up .*Normal/);
      assert.match(
        said,
        /Proved: \d+ tries to get out from 3 nodes and their operator, none did but by\s+the door/,
      );
      assert.match(said, /sallyport down/);
    });

    await t.test('a second quickstart changes nothing, and says so', async () => {
      const before = await cassandras(stack);
      assert.match(await ok(stack, 'quickstart'), /Nothing to do/);
      assert.deepEqual(await cassandras(stack), before);
    });

    await ok(
      stack,
      'cql',
      '-e',
      "CREATE KEYSPACE app WITH replication = {'class':'NetworkTopologyStrategy','dc1':3}; CREATE TABLE app.t (k int PRIMARY KEY, v text); INSERT INTO app.t (k, v) VALUES (1, 'kept')",
    );
    const kept = async (): Promise<void> =>
      assert.match(await ok(stack, 'cql', ...cluster, '-e', 'SELECT v FROM app.t WHERE k = 1'), /kept/);
    const running = await cassandras(stack);

    for (const role of ['control', 'fabric', 'controlDoor', 'operator'] as const) {
      await t.test(`kill -9 of ${role}: it comes back, and no Cassandra was restarted`, async () => {
        await replaced(stack, role);
        await healthy(stack);
        await kept();
        assert.deepEqual(await cassandras(stack), running);
      });
    }

    await t.test('kill -9 of an agent: the policy stays as it is, Cassandra is adopted', async () => {
      const inside = await one(stack, 'tunnel', 'dc1-1');
      const before = await rules(inside);
      assert.match(before, /policy drop/);
      const agent = await one(stack, 'agent', 'dc1-1');
      process.kill(agent.pid, 'SIGKILL');
      assert.equal(await rules(inside), before);
      await until(
        'another agent',
        async () =>
          (await processesOf(stack.home)).some(
            (now) => roles.agent(now) && now.hostname === 'dc1-1' && now.pid !== agent.pid,
          ) || undefined,
        { timeoutMs: 30_000 },
      );
      await healthy(stack);
      assert.deepEqual(await cassandras(stack), running);
      assert.equal(await rules(inside), before);
    });

    await t.test('kill -9 of a tunnel: the node comes back through it', async () => {
      await replaced(stack, 'tunnel', 'dc1-2');
      await healthy(stack);
      assert.deepEqual(await cassandras(stack), running);
    });

    await t.test(
      'kill -9 of a Cassandra: the others answer meanwhile, and it comes back by itself',
      async () => {
        await replaced(stack, 'cassandra', 'dc1-3');
        await kept();
        await healthy(stack, cluster, 180_000);
      },
    );

    const connection = (
      await ok(
        stack,
        'network',
        'private-endpoint-connection',
        'list',
        '--as',
        'provider',
        '--id',
        (
          await ok(
            stack,
            'managed-cassandra',
            'cluster',
            'show',
            ...cluster,
            '--query',
            'properties.privateLinkResourceId',
            '-o',
            'tsv',
          )
        ).trim(),
        '--query',
        '[0].id',
        '-o',
        'tsv',
      )
    ).trim();

    await t.test('the customer can’t approve or reject', () =>
      refused(
        stack,
        ['network', 'private-endpoint-connection', 'reject', '--id', connection, '--as', 'customer'],
        /AuthorizationFailed/,
      ),
    );

    await t.test(
      'rejecting cuts an established flow within 3 s; approving again restores within 10 s, without a restart',
      async () => {
        const before = await cassandras(stack);
        const operator = await one(stack, 'operator');
        const [command, ...args] = enter(operator, 'ip', '-j', 'address', 'show', 'wg0');
        const shown = JSON.parse((await exec(command!, args)).stdout) as {
          addr_info: { family: string; local: string; scope: string }[];
        }[];
        const probe = probeTunnel(
          await one(stack, 'tunnel', 'dc1-1'),
          shown[0]!.addr_info.find((address) => address.scope === 'global')!.local,
        );
        t.after(probe.stop);
        await until('answers', () => probe.answers.length > 5 || undefined, { timeoutMs: 10_000 });

        const cutAt = Date.now();
        await ok(
          stack,
          'network',
          'private-endpoint-connection',
          'reject',
          '--id',
          connection,
          '--as',
          'provider',
        );
        const views = await Promise.all([
          ok(
            stack,
            'network',
            'private-endpoint',
            'show',
            ...group,
            '-n',
            'pe1',
            '--query',
            'manualPrivateLinkServiceConnections[0].privateLinkServiceConnectionState.status',
            '-o',
            'tsv',
          ),
          ok(
            stack,
            'network',
            'private-endpoint-connection',
            'list',
            '--as',
            'provider',
            '--id',
            connection.replace(/\/privateEndpointConnections.*/i, ''),
            '--query',
            '[0].properties.privateLinkServiceConnectionState.status',
            '-o',
            'tsv',
          ),
        ]);
        assert.deepEqual(
          views.map((view) => view.trim()),
          ['Rejected', 'Rejected'],
          'both sides’ views agree',
        );
        await until('silence', () => (Date.now() - (probe.answers.at(-1) ?? 0) > 2_000 ? true : undefined), {
          timeoutMs: 20_000,
        });
        assert.ok(
          (probe.answers.at(-1) ?? 0) - cutAt <= 3_000,
          `cut after ${(probe.answers.at(-1) ?? 0) - cutAt} ms`,
        );
        await kept();

        const openedAt = Date.now();
        await ok(
          stack,
          'network',
          'private-endpoint-connection',
          'approve',
          '--id',
          connection,
          '--as',
          'provider',
        );
        await until('an answer', () => probe.after(openedAt).length > 0 || undefined, { timeoutMs: 30_000 });
        const restored = probe.after(openedAt)[0]! - openedAt;
        probe.stop();
        assert.ok(restored <= 10_000, `restored after ${restored} ms`);
        t.diagnostic(
          `cut ${(probe.answers.filter((answer) => answer < openedAt).at(-1) ?? 0) - cutAt} ms after the request, restored ${restored} ms after it`,
        );
        await healthy(stack);
        assert.deepEqual(await cassandras(stack), before);
      },
    );

    await t.test('wrong requests get what, why and what to do next, and leave nothing behind', async () => {
      const create = ['managed-cassandra', 'cluster', 'create', ...group, '-l', 'eastus2'];
      const subnet = (
        await ok(
          stack,
          'network',
          'vnet',
          'subnet',
          'show',
          ...group,
          '--vnet-name',
          'vnet1',
          '-n',
          'cass',
          '--query',
          'id',
          '-o',
          'tsv',
        )
      ).trim();
      const data = [
        'managed-cassandra',
        'datacenter',
        'create',
        ...cluster,
        '-d',
        'dc9',
        '-l',
        'eastus2',
        '-s',
        subnet,
      ];
      const endpoint = [
        'network',
        'private-endpoint',
        'create',
        ...group,
        '-n',
        'pe9',
        '--vnet-name',
        'vnet1',
        '--subnet',
        'pe',
        '--connection-name',
        'c9',
        '--private-connection-resource-id',
        connection.replace(/\/privateEndpointConnections.*/i, ''),
        '--manual-request',
        'true',
      ];
      await refused(
        stack,
        [...create, '-c', 'bad_name', '--azure-connection-method', 'VPN', '-i', 'secret'],
        /InvalidResourceName/,
      );
      await refused(
        stack,
        [...create, '-c', 'c9', '--azure-connection-method', 'None', '-i', 'secret'],
        /NotYetSupported/,
      );
      await refused(
        stack,
        [...create, '-c', 'c9', '--azure-connection-method', 'VPN', '-i', 'x'.repeat(73)],
        /72 bytes/,
      );
      await refused(
        stack,
        [...endpoint, '--ip-config', 'name=ip1', 'private-ip-address=10.9.9.9'],
        /10\.9\.9\.9/,
      );
      await refused(
        stack,
        [...endpoint, '--ip-config', 'name=ip1', 'private-ip-address=10.0.1.1'],
        /reserve/i,
      );
      await refused(
        stack,
        [...endpoint, '--ip-config', 'name=ip1', 'private-ip-address=10.0.1.10'],
        /in use|taken|used/i,
      );
      await refused(
        stack,
        [
          'network',
          'vnet',
          'subnet',
          'create',
          ...group,
          '--vnet-name',
          'vnet1',
          '-n',
          'twice',
          '--address-prefixes',
          '10.0.2.0/25',
        ],
        /overlap/i,
      );
      await refused(stack, [...data, '-n', '2', '-i', '10.0.1.10'], /at least\s+3 nodes/);
      await refused(stack, [...data, '-n', '3'], /private-endpoint-ip-address|privateEndpointIpAddress/);
      await refused(stack, [...data, '-n', '3', '-i', '10.0.1.99'], /10\.0\.1\.99/);
      await refused(stack, ['network', 'vnet', 'delete', ...group, '-n', 'vnet1'], /InUse|in use/i);
      await refused(
        stack,
        ['managed-cassandra', 'cluster', 'show', ...group, '-c', 'nobody'],
        /ResourceNotFound/,
        3,
      );
      const shown = JSON.parse(
        await ok(stack, 'managed-cassandra', 'cluster', 'list', ...group, '-o', 'json'),
      ) as unknown[];
      assert.equal(shown.length, 1, 'nothing half-made is left');
    });

    await t.test(
      'a second customer network with the same addresses: a ring of its own, and neither can meet the other',
      async () => {
        const group2 = ['-g', 'second-rg'];
        const password = join(stack.home, 'second-password');
        await writeFile(password, 'another-password', { mode: 0o600 });
        await ok(stack, 'group', 'create', '-n', 'second-rg', '-l', 'eastus2');
        await ok(
          stack,
          'network',
          'vnet',
          'create',
          ...group2,
          '-n',
          'vnet1',
          '--address-prefixes',
          '10.0.0.0/16',
          '--subnet-name',
          'pe',
          '--subnet-prefixes',
          '10.0.1.0/24',
        );
        await ok(
          stack,
          'network',
          'vnet',
          'subnet',
          'create',
          ...group2,
          '--vnet-name',
          'vnet1',
          '-n',
          'cass',
          '--address-prefixes',
          '10.0.2.0/24',
        );
        const subnet = (
          await ok(
            stack,
            'network',
            'vnet',
            'subnet',
            'show',
            ...group2,
            '--vnet-name',
            'vnet1',
            '-n',
            'cass',
            '--query',
            'id',
            '-o',
            'tsv',
          )
        ).trim();
        await ok(
          stack,
          'managed-cassandra',
          'cluster',
          'create',
          '--cluster-name',
          'second',
          '--resource-group',
          'second-rg',
          '--location',
          'eastus2',
          '--azure-connection-method',
          'VPN',
          '--initial-cassandra-admin-password',
          `@${password}`,
        );
        const link = (
          await ok(
            stack,
            'managed-cassandra',
            'cluster',
            'show',
            ...group2,
            '-c',
            'second',
            '--query',
            'properties.privateLinkResourceId',
            '-o',
            'tsv',
          )
        ).trim();
        await ok(
          stack,
          'network',
          'private-endpoint',
          'create',
          ...group2,
          '-n',
          'pe1',
          '-l',
          'eastus2',
          '--vnet-name',
          'vnet1',
          '--subnet',
          'pe',
          '--connection-name',
          'conn1',
          '--private-connection-resource-id',
          link,
          '--manual-request',
          'true',
          '--ip-config',
          'name=ip1',
          'private-ip-address=10.0.1.10',
        );
        const data = [
          'managed-cassandra',
          'datacenter',
          'create',
          ...group2,
          '-c',
          'second',
          '-d',
          'dc1',
          '-l',
          'eastus2',
          '-s',
          subnet,
          '-n',
          '3',
          '-i',
          '10.0.1.10',
        ];
        await refused(stack, data, /Pending/);
        const pending = (
          await ok(
            stack,
            'network',
            'private-endpoint-connection',
            'list',
            '--as',
            'provider',
            '--id',
            link,
            '--query',
            '[0].id',
            '-o',
            'tsv',
          )
        ).trim();
        // The provider lists the customer's subscription: what waits is approved at once, and by nobody's further word.
        const provider = await armOf(stack, 'provider');
        const subscriptions = [(await armOf(stack, 'customer')).subscriptionId];
        await provider.send('PATCH', link, { properties: { autoApproval: { subscriptions } } });
        const endpoint = ['network', 'private-endpoint', 'show', ...group2, '-n', 'pe1', '-o', 'tsv'];
        const connection = 'manualPrivateLinkServiceConnections[0].privateLinkServiceConnectionState';
        const approved = await until(
          'the endpoint to be approved',
          async () => {
            const said = (
              await ok(stack, ...endpoint, '--query', `${connection}.[status,description]`)
            ).trim();
            return said.startsWith('Approved') ? said : undefined;
          },
          { timeoutMs: 15_000, everyMs: 300 },
        );
        assert.match(approved, /^Approved\s+Approved automatically$/);
        await ok(stack, ...data);
        await healthy(stack, [...group2, '-c', 'second']);
        await healthy(stack);
        const secondCql = ['cql', ...group2, '-c', 'second', '-u', 'cassandra', '-p', `@${password}`, '-e'];
        const keyspaces = await ok(stack, ...secondCql, 'SELECT keyspace_name FROM system_schema.keyspaces');
        assert.doesNotMatch(keyspaces, /\bapp\b/);
        await refused(
          stack,
          [
            'cql',
            ...group2,
            '-c',
            'second',
            '-u',
            'cassandra',
            '-p',
            'cassandra',
            '-e',
            'SELECT key FROM system.local',
          ],
          /password|credentials|Authentication/i,
        );
        await proved(stack, '--as', 'provider');
        const away = [
          ...['managed-cassandra', 'datacenter', 'delete', ...group2, '-c', 'second', '-d', 'dc1'],
          '--yes',
        ];
        await ok(
          stack,
          ...secondCql,
          "CREATE KEYSPACE named WITH replication = {'class':'NetworkTopologyStrategy','dc1':3}; CREATE KEYSPACE anywhere WITH replication = {'class':'SimpleStrategy','replication_factor':1}",
        );
        const named = (...keyspaces: readonly string[]) =>
          until(
            `control to know keyspaces ${keyspaces.join(', ')}`,
            async () => {
              const { operators } = (await provider.get('/sallyport/status')) as unknown as Operators;
              const its = operators.find(({ cluster: id }) => id?.endsWith('/second') ?? false);
              const known = its?.dataCenters[0]?.keyspaces;
              return isDeepStrictEqual(known, keyspaces) || undefined;
            },
            { timeoutMs: 30_000, everyMs: 200 },
          );
        await named('anywhere', 'named');
        await refused(stack, away, /replication of keyspaces anywhere,\s+named/);
        // While the ring can be asked, nobody passes it over.
        await refused(stack, [...away, '--force'], /replication of keyspaces anywhere,\s+named/);
        const dropped = systemClock.now();
        await ok(stack, ...secondCql, 'DROP KEYSPACE named; DROP KEYSPACE anywhere');
        await named();
        t.diagnostic(`dropped keyspaces were known to be gone after ${systemClock.now() - dropped} ms`);
        await ok(stack, ...away);
        await ok(
          stack,
          'network',
          'private-endpoint-connection',
          'delete',
          '--id',
          pending,
          '--as',
          'provider',
          '--yes',
        );
        const gone = await ok(
          stack,
          'network',
          'private-endpoint',
          'show',
          ...group2,
          '-n',
          'pe1',
          '--query',
          'manualPrivateLinkServiceConnections[0].privateLinkServiceConnectionState.status',
          '-o',
          'tsv',
        );
        assert.equal(gone.trim(), 'Disconnected', 'removed is for good');
        await refused(
          stack,
          ['network', 'private-endpoint-connection', 'approve', '--id', pending, '--as', 'provider'],
          /NotFound/,
          3,
        );
        await ok(stack, 'network', 'private-endpoint', 'delete', ...group2, '-n', 'pe1');
        await ok(stack, 'managed-cassandra', 'cluster', 'delete', ...group2, '-c', 'second', '--yes');
        await ok(stack, 'network', 'vnet', 'delete', ...group2, '-n', 'vnet1');
        await ok(stack, 'group', 'delete', '-n', 'second-rg', '--yes');
        assert.equal((await cassandras(stack)).length, 3, 'only the first ring is left');
        await kept();
      },
    );

    await t.test('down and up: all is there again, data included, without enrolling anew', async () => {
      await ok(stack, 'down');
      assert.deepEqual(await processesOf(stack.home), []);
      assert.match(await ok(stack, 'up', '--wait'), /Serving: .*vpn-test-cluster\/dc1/);
      await healthy(stack, cluster, 5_000);
      await kept();
      await proved(stack);
    });
  },
);

/**
 * What a customer asks of a running cluster, by the API: a command, a fourth node and its leaving, rest and awakening. Every
 * row stays readable, and every operation ends only when the ring is as it was asked to be.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStack, type Stack } from '../harness/stack.ts';

const cluster = ['-g', 'vpn-test-rg', '-c', 'vpn-test-cluster'];
const slow = { timeoutMs: 600_000 };

const ok = async (stack: Stack, ...args: readonly string[]): Promise<string> => {
  const ran = await stack.run(args, slow);
  assert.equal(ran.exitCode, 0, `sallyport ${args.join(' ')}\n${ran.stdout}\n${ran.stderr}`);
  return ran.stdout;
};

interface Status {
  readonly dataCenters: readonly {
    readonly nodes: readonly { readonly address: string; readonly status: string; readonly state: string }[];
  }[];
}

test(
  'a running cluster: commands, nodeCount up and down, deallocate and start',
  { timeout: 25 * 60_000 },
  async (t) => {
    const stack = await createStack();
    t.after(() => stack[Symbol.asyncDispose]());
    await ok(stack, 'quickstart');
    await ok(
      stack,
      'cql',
      '-e',
      "CREATE KEYSPACE app WITH replication = {'class':'NetworkTopologyStrategy','dc1':3}; CREATE TABLE app.t (k int PRIMARY KEY, v text); INSERT INTO app.t (k, v) VALUES (1, 'kept')",
    );
    const kept = async (): Promise<void> =>
      assert.match(await ok(stack, 'cql', ...cluster, '-e', 'SELECT v FROM app.t WHERE k = 1'), /kept/);
    const nodes = async (): Promise<readonly string[]> => {
      const status = JSON.parse(
        await ok(stack, 'managed-cassandra', 'cluster', 'status', ...cluster, '-o', 'json'),
      ) as Status;
      return status.dataCenters.flatMap((one) =>
        one.nodes.map(({ address, status: up, state }) => `${address} ${up} ${state}`),
      );
    };
    const invoke = (...words: readonly string[]): Promise<string> =>
      ok(
        stack,
        'managed-cassandra',
        'cluster',
        'invoke-command',
        ...cluster,
        '--host',
        '10.0.2.5',
        '--',
        ...words,
      );
    const resize = (count: string): Promise<string> =>
      ok(stack, 'managed-cassandra', 'datacenter', 'update', ...cluster, '-d', 'dc1', '-n', count);
    const three = ['10.0.2.4 Up Normal', '10.0.2.5 Up Normal', '10.0.2.6 Up Normal'];

    await t.test('nodetool status, by invokeCommand', async () => {
      assert.match(await invoke('status'), /UN +10\.0\.2\.4 [^]*UN +10\.0\.2\.6 /);
      assert.match(
        await ok(stack, 'managed-cassandra', 'cluster', 'command', 'list', ...cluster),
        /Finished/,
      );
    });

    await t.test('a fourth node joins', async () => {
      await resize('4');
      assert.deepEqual(await nodes(), [...three, '10.0.2.7 Up Normal']);
      assert.match(await invoke('status'), /UN +10\.0\.2\.7 /);
      await kept();
    });

    await t.test('and leaves again', async () => {
      await resize('3');
      assert.deepEqual(await nodes(), three);
      assert.doesNotMatch(await invoke('status'), /10\.0\.2\.7/);
      await kept();
    });

    await t.test('deallocated, no node runs; started, all do, with their data', async () => {
      await ok(
        stack,
        'managed-cassandra',
        'cluster',
        'update',
        ...cluster,
        '--cluster-type',
        'NonProduction',
      );
      const asleep = await ok(stack, 'managed-cassandra', 'cluster', 'deallocate', ...cluster, '--yes');
      assert.match(asleep, /"deallocated": true/);
      assert.deepEqual(
        await nodes(),
        three.map((line) => line.replace('Up Normal', 'Down Stopped')),
      );
      const awake = await ok(stack, 'managed-cassandra', 'cluster', 'start', ...cluster);
      assert.match(awake, /"deallocated": false/);
      assert.deepEqual(await nodes(), three);
      await kept();
    });
  },
);

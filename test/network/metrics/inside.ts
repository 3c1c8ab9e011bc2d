/** What the operator does with its nodes' metrics, with the real programs. Run by metrics.test.ts in namespaces of its own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../../../src/lib/clock.ts';
import { sandboxed } from '../../../src/operator/metrics/sandbox.ts';
import { startAccount } from '../../harness/gate.ts';
import { account, createWorld, rules } from './world.ts';

test('metrics flow, wait and catch up', { timeout: 160_000 }, async (t) => {
  const world = await createWorld(t);
  const { nodes, monitor } = world;
  // One that shows another's certificate is among them.
  const impostor = { ...nodes[2]!, name: 'dc1-9', labels: { ...nodes[2]!.labels, node: 'dc1-9' } };
  world.shall({ way: world.way, nodes: [...nodes, impostor] });
  await world.start();
  await world.says(
    'metrics to flow',
    ({ sentThrough, waitingFor }) => sentThrough !== null && waitingFor === null,
  );
  const pid = await processOf(world.folder);

  await t.test('each node’s series are there, under the names that people know', async () => {
    await world.collects(2);
    await world.arrives([1, 1, 1]);
    const series = await monitor.series('asked_total');
    assert.deepEqual(
      series.map(withoutName).sort((a, b) => (a['node']! < b['node']! ? -1 : 1)),
      nodes.map(({ labels }) => labels),
    );
    assert.equal((await monitor.series('up{node!="dc1-9"}')).length, 3);
  });

  await t.test('who shows another’s certificate is believed nothing, and named', async () => {
    const { silent } = await world.says('the impostor', (said) => said.silent.length > 0);
    assert.deepEqual([silent.length, silent[0]!.node], [1, 'dc1-9']);
    assert.match(silent[0]!.error, /^It can't prove to be the node: x509/);
    world.shall({ way: world.way, nodes });
  });

  await t.test(
    'it has no capability, sees no file of the operator’s, and what it may take is bounded',
    () => {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      assert.match(status, /CapEff:\t0+\n/);
      assert.match(status, /CapPrm:\t0+\n/);
      assert.match(status, /NoNewPrivs:\t1/);
      const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8');
      const bound = mounts.split('\n').filter((line) => line.includes(world.folder));
      assert.deepEqual(
        bound.map((line) => line.split(' ')[4]).sort(),
        ['configuration', 'data'].map((name) => join(world.folder, 'operator', name)),
      );
      assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /Max data size +570425344 /);
      assert.doesNotMatch(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), /BEGIN|KEY/);
      const listens = readFileSync('/proc/net/tcp', 'utf8')
        .split('\n')
        .filter((line) => / 0A /.test(line));
      const ours = listens
        .map((line) => line.trim().split(/\s+/)[1]!)
        .filter((at) => /:(2383|2384)$/.test(at));
      assert.deepEqual(ours.sort(), ['0100007F:2383', '0100007F:2384'], 'on loopback alone');
    },
  );

  await t.test('a node can’t speak in another’s name, and is not followed elsewhere', async () => {
    const [first] = nodes;
    const honest = first!.more;
    first!.more = 'liar{node="dc1-1",cluster="other",cluster_id="other"} 1\nlate 1 1000\n';
    const [said] = await until(
      'what it says',
      async () => {
        const found = await monitor.series('liar');
        return found.length > 0 ? found : undefined;
      },
      { timeoutMs: 15_000 },
    );
    assert.deepEqual(
      [said!['node'], said!['cluster'], said!['cluster_id'], said!['exported_node']],
      ['dc1-0', 'c1', 'c1-0a1b2c', 'dc1-1'],
    );
    assert.equal((await monitor.values('late[10m]')).length > 0, true, 'at the time at which it was asked');
    first!.more = honest;
  });

  await t.test(
    'a node that says more than is taken is named, and takes nothing from the others',
    async () => {
      const [first] = nodes;
      const [, ...from] = world.asked();
      // In words that can't be pressed together.
      const word = (): string => randomBytes(290).toString('base64url');
      const series = (): string =>
        `much{${Array.from({ length: 20 }, (_, index) => `l${index}="${word()}"`).join(',')}} 1\n`;
      const much = Array.from({ length: 1_500 }, series);
      first!.more = much.join('');
      const { silent } = await world.says('who says too much', (said) => said.silent.length > 0);
      assert.deepEqual([silent.length, silent[0]!.node], [1, 'dc1-0']);
      assert.match(silent[0]!.error, /^It says more than is taken: body size limit exceeded/);
      first!.more = much.slice(0, 450).join('');
      await world.collects(3);
      first!.more = '';
      await world.says('it to be heard again', (said) => said.silent.length === 0);
      await world.arrives([world.asked()[0]! + 1, ...from]);
      assert.equal(world.report().lost, null);
    },
  );

  const outage = async (
    what: string,
    begin: () => Promise<unknown>,
    why: RegExp,
    end: () => Promise<unknown>,
  ) =>
    t.test(what, async () => {
      const from = world.asked();
      await begin();
      await world.waits(why);
      await world.collects(3);
      const { waiting } = await world.says('it to be kept', ({ waiting }) => waiting > 0);
      assert.ok(waiting > 0);
      await end();
      await world.arrives(from);
    });

  await outage(
    'the gate is gone',
    world.close,
    /^The gate can't be reached by the operator \(ECONNREFUSED\)/,
    () => world.open(),
  );
  await outage('the monitoring is down', monitor.stop, /doesn't answer the gate \(503\)/, monitor.start);
  const to = (other: Awaited<ReturnType<typeof startAccount>>) => () => world.intend([other.said(rules)]);
  const back = () => world.intend([monitor.said()]);
  const full = await startAccount(t, account, {
    answer: (asked, response) => void asked.resume().on('end', () => response.writeHead(507).end()),
  });
  await outage('the monitoring has no room', to(full), /has no room \(507\)/, back);
  const slow = await startAccount(t, account, { answer: (asked) => void asked.resume() });
  await outage('the monitoring is slow', to(slow), /is too slow: no whole answer within 1 s/, back);
  const other = await startAccount(t, account, { bearing: 'evil.example' });
  await outage(
    'the monitoring shows a wrong certificate',
    to(other),
    /doesn't answer the gate \(503\)/,
    back,
  );
  assert.equal(other.seen.length, 0);
  await outage(
    'the policy lets something else through',
    () => world.intend([{ ...monitor.said(), rules: [{ methods: ['GET'], path: null }] }]),
    /^The gate refuses it \(grant\): a policy has to let POST through to monitor\S+ at \/api\/v1\/write/,
    back,
  );
  await outage(
    'the policy names another account',
    () => world.intend([{ ...monitor.said(), name: 'other.example' }]),
    /^The gate refuses it \(handshake\): no policy names monitor/,
    back,
  );
  await outage(
    'whoever answers is not the cluster’s gate',
    () => world.open({ address: '127.0.0.1', port: other.port }),
    /can't prove to be the cluster's gate/,
    () => world.open(),
  );
  assert.equal(other.seen.length, 0, 'nothing was said to it');

  await t.test(
    'what was collected before the operator’s end is sent after its start, though the gate was gone',
    async () => {
      const from = world.asked();
      await world.close();
      await world.waits(/can't be reached/);
      await world.collects(4);
      await world.stop();
      const all = world.asked().map((count, index) => count - from[index]!);
      assert.ok(all.every((count) => count >= 4));
      await world.open();
      await world.start();
      await world.arrives(from);
    },
  );

  await t.test('killed, its Prometheus is started again', async () => {
    const first = await processOf(world.folder);
    process.kill(first, 'SIGKILL');
    await until(
      'another',
      async () => {
        const now = await findProcess(world.folder);
        return now !== undefined && now !== first ? true : undefined;
      },
      { timeoutMs: 15_000 },
    );
    await world.collects(1);
    const from = world.asked();
    await world.collects(3);
    await world.arrives(from);
  });

  await t.test('a node that is silent is named, and one that has left is asked no more', async () => {
    const [first, , third] = nodes;
    third!.stop();
    const { silent } = await world.says('the silence', (said) => said.silent.length > 0);
    assert.deepEqual(silent, [{ node: 'dc1-2', error: 'Nothing listens there: does Cassandra run on it?' }]);
    world.shall({ way: world.way, nodes: nodes.slice(0, 2) });
    await world.says('it to be asked no more', (said) => said.silent.length === 0);
    await third!.start();
    const before = third!.asked;
    const at = first!.asked;
    await until('the others to be asked', () => first!.asked > at + 2 || undefined, { timeoutMs: 10_000 });
    assert.equal(third!.asked, before);
  });

  await t.test('what runs in its room ends with who started it, however that ends', async () => {
    const here = join(world.folder, 'room');
    mkdirSync(here);
    const room = { configuration: here, data: here, memory: 64 << 20, env: {} };
    const starter = `const { spawn } = require('node:child_process'); const [command, ...args] = JSON.parse(process.argv[1]);
      spawn(command, args, { stdio: 'ignore' }); setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, [
      '-e',
      starter,
      JSON.stringify(sandboxed(['sleep', '9876'], room)),
    ]);
    const sleeps = (): boolean =>
      commandLines().some(([, args]) => args[0] === 'sleep' && args[1] === '9876');
    await until('it to run', () => sleeps() || undefined, { timeoutMs: 5_000, everyMs: 20 });
    child.kill('SIGKILL');
    await until('it to end', () => !sleeps() || undefined, { timeoutMs: 5_000, everyMs: 20 });
  });

  await t.test(
    'where control names no account any more nothing is collected, and nothing listens',
    async () => {
      world.shall(undefined);
      await until(
        'it to end',
        async () => ((await findProcess(world.folder)) === undefined ? true : undefined),
        {
          timeoutMs: 10_000,
        },
      );
      // The port is free.
      const server = createServer().listen(9092, '127.0.0.1');
      await until('the port', () => server.listening || undefined, { timeoutMs: 5_000 });
      server.close();
    },
  );

  await t.test(
    'without Prometheus the report says what to install; of one that ends, that it ended',
    async () => {
      await world.stop();
      world.shall({ way: world.way, nodes });
      await world.start({ program: '/nowhere/prometheus' });
      await world.waits(
        /^Prometheus is not installed on the host.*apt-get install -y --no-install-recommends prometheus/,
      );
      await world.stop();
      await world.start({ program: '/bin/false' });
      await world.waits(/^Prometheus ended by itself, and is started again/);
    },
  );

  // No text of a node's or of an account's, and no key, is in the log.
  assert.doesNotMatch(world.lines.join(''), /BEGIN|PRIVATE/);
});

async function processOf(folder: string): Promise<number> {
  return until('its Prometheus', () => findProcess(folder), { timeoutMs: 10_000, everyMs: 20 });
}

/** By the configuration that it was started with. */
async function findProcess(folder: string): Promise<number | undefined> {
  return commandLines().find(
    ([, args]) =>
      args[0] === '/usr/bin/prometheus' && args.some((arg) => arg.includes(`${folder}/operator/`)),
  )?.[0];
}

const commandLines = (): readonly (readonly [pid: number, args: readonly string[]])[] =>
  readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return [[Number(name), readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0')] as const];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });

const withoutName = (labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(labels).filter(([name]) => name !== '__name__'));

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { NodeIntent } from '../../exchange/intents/node.ts';
import type { OperatorIntent } from '../../exchange/intents/operator.ts';
import { systemClock } from '../../lib/clock.ts';
import { createLog } from '../../lib/log.ts';
import { operatorIntent, testKeys } from '../../../test/harness/operator/shapes.ts';
import { readDashboard } from '../../../test/harness/dashboard.ts';
import { settleMembers } from '../members.ts';
import { newState } from '../state.ts';
import { collectorConfiguration, memoryFor, mostOfBatch } from './files.ts';
import { createMetrics } from './metrics.ts';
import { judge } from './sender.ts';
import { metricsShall } from './shall.ts';
import { silentNodes, withTargets } from './silence.ts';
import { wordsOf } from './words.ts';

const account = 'monitor.example';
const gate = {
  address: '172.31.3.4',
  port: 443,
  authority: 'PEM',
  accounts: [account],
  metrics: { account },
};
const intent: OperatorIntent = { ...operatorIntent({ nodes: 3 }), gate };
const keys = testKeys();
const state = settleMembers(newState(keys()), intent, keys);
type Told = Readonly<Record<string, readonly [door: string, process: string]>>;
const shall = (of: OperatorIntent, told: Told) =>
  metricsShall(
    of,
    new Map(
      Object.entries(told).map(([name, [door, process]]) => [
        name,
        { revision: '1', document: { door: { state: door }, cassandra: { process } } as NodeIntent },
      ]),
    ),
    state,
    9443,
  );
const open = ['joined', 'running'] as const;

test('nodes are asked from when CQL is opened, while Cassandra shall run, and not before there is an account', () => {
  assert.equal(shall(operatorIntent({ nodes: 3 }), { 'dc1-0': open }), undefined);
  const { metrics: _, ...without } = gate;
  assert.equal(shall({ ...intent, gate: without }, { 'dc1-0': open }), undefined);
  assert.deepEqual(shall(intent, {})?.nodes, []);
  const found = shall(intent, {
    ...{ 'dc1-0': open, 'dc1-1': ['joining', 'running'], 'dc1-2': ['joined', 'stopped'] },
    // One that has left: what it was told last is still known.
    'dc1-7': open,
  });
  assert.deepEqual(found, {
    way: { address: '172.31.3.4', port: 443, authority: 'PEM', account },
    nodes: [
      {
        name: 'dc1-0',
        address: 'fd12:3456:789a:1::1',
        labels: {
          ...{ job: 'c1', instance: '10.0.2.4:9443', cluster: 'c1', cluster_id: 'c1-0a1b2c' },
          ...{ data_center: 'dc1', rack: 'rack1', node: 'dc1-0' },
        },
      },
    ],
  });
});

test('the configuration names addresses alone, verifies each node by its name, and writes to the role and nobody else', () => {
  const { nodes } = shall(intent, { 'dc1-0': open, 'dc1-1': open })!;
  const text = collectorConfiguration(nodes, { folder: '/c', port: 9443, handOver: 9092, everyMs: 30_000 });
  const { scrape_configs: asked, remote_write: written } = JSON.parse(text) as {
    readonly scrape_configs: readonly Readonly<Record<string, unknown>>[];
    readonly remote_write: readonly { readonly url: string }[];
  };
  assert.deepEqual(
    asked.map((one) => [one['job_name'], one['static_configs'], one['tls_config']]),
    nodes.map(({ name, address, labels }) => [
      ...[name, [{ targets: [`[${address}]:9443`], labels }]],
      { ca_file: '/c/client-authority.pem', server_name: name, min_version: 'TLS12' },
    ]),
  );
  for (const one of asked)
    assert.deepEqual(
      [one['scheme'], one['honor_labels'], one['honor_timestamps'], one['follow_redirects']],
      ['https', false, false, false],
    );
  assert.deepEqual(
    written.map(({ url }) => url),
    ['http://127.0.0.1:9092/'],
  );
  assert.doesNotMatch(text, /insecure_skip_verify/);
});

test('the dashboard asks by labels that both ways have', () => {
  const labels = new Set([
    'request_type',
    'area',
    ...Object.keys(shall(intent, { 'dc1-0': open })!.nodes[0]!.labels),
  ]);
  const asked = readDashboard().panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  const used = asked.flatMap((expr) => [...expr.matchAll(/[{,](\w+)=~?"/g)].map(([, name]) => name!));
  assert.ok(used.includes('job') && used.includes('instance'));
  assert.deepEqual(
    [...new Set(used)].filter((name) => !labels.has(name)),
    [],
  );
});

test('no batch is more than the inlet takes, whatever nodes say: one that is refused would be lost for all of them', () => {
  const { nodes } = shall(intent, { 'dc1-0': open })!;
  const text = collectorConfiguration(nodes, { folder: '/c', port: 9443, handOver: 9092, everyMs: 30_000 });
  const { scrape_configs: asked, remote_write: written } = JSON.parse(text) as {
    readonly scrape_configs: readonly Readonly<Record<string, number>>[];
    readonly remote_write: readonly { readonly queue_config: Readonly<Record<string, number>> }[];
  };
  const of = asked[0]!;
  const sample =
    of['label_limit']! * (of['label_name_length_limit']! + of['label_value_length_limit']! + 10) + 30;
  assert.ok(written[0]!.queue_config['max_samples_per_send']! * sample < mostOfBatch);
  assert.ok(mostOfBatch < 40 << 20);
  // A table's series, by the longest names, and as many as are taken.
  const longest = `cassandra_table_live_disk_space_used_bytes{keyspace="${'k'.repeat(48)}",table="${'t'.repeat(48)}"} 1.234567890123E15\n`;
  assert.ok(of['sample_limit']! * longest.length < 4 << 20);
  assert.equal(of['body_size_limit'], '4MB');
});

test("Prometheus's last words hold nothing that a terminal would obey", () => {
  const odd = `fatal error\u001b[2J\u0007${'x'.repeat(999)}`;
  const said = /^fatal error\?\[2J\?x{280,285}$/;
  assert.match(wordsOf(odd), said);
  assert.match(wordsOf(JSON.stringify({ ts: 'now', err: odd })), said);
  assert.equal(wordsOf(JSON.stringify({ msg: 'a', err: 'b' })), 'a: b');
});

test("what waits from before and can't be read is a fault that is told, and keeps nothing else from going on", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'metrics-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'waiting', 'in-the-way'), { recursive: true });
  let changes = 0;
  const metrics = createMetrics({
    ...{
      folder,
      program: '/none',
      authority: '',
      clock: systemClock,
      log: createLog({}, { write: () => undefined }),
    },
    ...{ shall: () => shall(intent, {}), onChange: () => void changes++ },
  });
  const { signal } = new AbortController();
  for (const { reconcile } of metrics.reconcilers) await reconcile(signal);
  assert.match(
    metrics.report()!.waitingFor!,
    /^The operator's disk doesn't give what was collected before \(/,
  );
  assert.equal(changes, 1);
  await metrics.end();
});

test('memory is bounded, by how many nodes there are', () => {
  assert.deepEqual(memoryFor(3), { aim: 268 << 20, most: 536 << 20 });
});

test('an answer is good, waits, or is for good: only what could never be taken is let go of', () => {
  const of = (status: number, refusal: string | null = null) =>
    judge({ account }, { status, refusal, headers: {} });
  for (const status of [200, 204]) assert.deepEqual(of(status), {});
  for (const status of [400, 413, 422]) assert.match(of(status).lost!, /refused a part for good/);
  for (const [status, words] of [
    [401, /refuses it \(401\)/],
    [404, /does it take Prometheus's remote write at \/api\/v1\/write\?/],
    [429, /doesn't take it now/],
    [500, /doesn't take it now/],
    [502, /doesn't answer the gate in time/],
    [503, /doesn't answer the gate \(503\)/],
    [507, /has no room/],
  ] as const)
    assert.match(of(status).wait!, words);
  assert.match(of(403, 'grant').wait!, /^The gate refuses it \(grant\): a policy has to let POST/);
});

test('a node is called silent once it has been for a while, in words that stay the same', () => {
  const refused =
    'Get "https://[fd12::1]:9443/metrics": dial tcp [fd12::1]:9443: connect: connection refused';
  let silence = withTargets(
    new Map(),
    new Map([
      ['dc1-0', refused],
      ['dc1-1', ''],
    ]),
    1_000,
  );
  assert.deepEqual(silentNodes(silence, 2_000, 5_000), []);
  silence = withTargets(silence, new Map([['dc1-0', 'Get "x": context deadline exceeded']]), 4_000);
  assert.deepEqual(silentNodes(silence, 6_500, 5_000), [
    { node: 'dc1-0', error: 'It does not answer in time.' },
  ]);
  const odd = withTargets(
    new Map(),
    new Map([['dc1-0', `sample limit exceeded\u001b[31m${'x'.repeat(999)}`]]),
    0,
  );
  assert.match(
    silentNodes(odd, 9_000, 5_000)[0]!.error,
    /^It says more than is taken: sample limit exceeded\?\[31mx{1,200}$/,
  );
  assert.deepEqual(withTargets(silence, new Map([['dc1-0', '']]), 9_000).size, 0);
});

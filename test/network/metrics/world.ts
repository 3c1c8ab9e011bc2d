/**
 * An operator's way of metrics in a network of a test's own: nodes that are played and fail when they are told to, a real
 * Prometheus that collects, a real gate, a real Prometheus that is written to.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { MetricsReport } from '../../../src/exchange/intents/operator.ts';
import type { GateAccount, GateRule } from '../../../src/exchange/intents/gate.ts';
import { systemClock, until } from '../../../src/lib/clock.ts';
import { exec } from '../../../src/lib/exec.ts';
import { createLog } from '../../../src/lib/log.ts';
import { createAuthority, issue, type Authority } from '../../../src/lib/x509.ts';
import { ports } from '../../../src/network/ports.ts';
import {
  metricsTimes,
  createMetrics,
  type Metrics,
  type MetricsTimes,
} from '../../../src/operator/metrics/metrics.ts';
import type { AskedNode, MetricsShall } from '../../../src/operator/metrics/shall.ts';
import { createRelay } from '../../../src/operator/relay.ts';
import { drive } from '../../../src/reconcile/driver.ts';
import { prepareMonitor } from '../../../src/services/monitor.ts';
import { freePort, startGate } from '../../harness/gate.ts';

export const account = 'monitor.eastus2.prometheus.monitor.azure.com';
export const rules: readonly GateRule[] = [{ methods: ['POST'], path: '/api/v1/write' }];
const gateAddress = '172.31.3.4';
const tunnel = (number: number): string => `fd12:3456:789a:1::${number}`;
const everyMs = 200;

/** What a node exports each time: how often it was asked, and what a test adds. */
export interface PlayedNode extends AskedNode {
  asked: number;
  more: string;
  start(): Promise<void>;
  stop(): void;
}

export async function createWorld(t: TestContext) {
  const script = [
    'ip link set lo up',
    `ip address add ${gateAddress}/32 dev lo`,
    ...[1, 2, 3].map((number) => `ip -6 address add ${tunnel(number)}/128 dev lo`),
  ];
  await exec('sh', ['-ec', script.join('\n')]);
  const folder = mkdtempSync(join(tmpdir(), 'metrics-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const now = Date.now();
  const nodesAuthority = await createAuthority('client', { days: 1, now });
  const nodes = await Promise.all([1, 2, 3].map((number) => playNode(t, nodesAuthority, number)));
  const monitor = await startMonitor(t, join(folder, 'monitor'));

  const gate = await startGate(t);
  const place = { address: '127.0.0.1', port: await freePort() };
  const intend = (said: readonly GateAccount[]) =>
    gate.intend({
      clusters: [{ identity: 'c1', source: place.address, port: place.port, accounts: [...said] }],
    });
  const { authority } = (await intend([monitor.said()])).report.clusters['c1']!;
  // As the gate's machine leads an operator to its cluster's port.
  const silent = createLog({}, { level: 'error' });
  const leads = createRelay({ nodeAt: () => 'operator', clock: systemClock, log: silent });
  const listen = { address: gateAddress, port: 443 };
  const open = (to = place): Promise<void> => leads.ensure({ listen, gate: to });
  await open();
  t.after(() => leads.ensure(undefined));

  const way = { ...listen, authority, account };
  let shall: MetricsShall | undefined = { way, nodes };
  let metrics: Metrics | undefined;
  let stop = new AbortController();
  let driven: ReturnType<typeof drive<void>>[] = [];
  const lines: string[] = [];
  const world = {
    ...{ folder, nodes, monitor, intend, way, lines, place, open },
    close: (): Promise<void> => leads.ensure(undefined),
    shall: (next: MetricsShall | undefined): void => void (shall = next),
    async start(more: Partial<MetricsTimes> & { readonly program?: string } = {}): Promise<void> {
      stop = new AbortController();
      const log = createLog({}, { write: (text) => void lines.push(text) });
      const { program = '/usr/bin/prometheus', ...times } = more;
      metrics = createMetrics({
        ...{ folder: join(folder, 'operator'), program, authority: nodesAuthority.certificate },
        ...{ shall: () => shall, onChange: () => undefined, clock: systemClock, log },
        times: {
          ...{ ...metricsTimes, everyMs, periodMs: 50, silentAfterMs: 1_000 },
          sender: { periodMs: 20, requestMs: 900, longestPauseMs: 100 },
          ...times,
        },
      });
      driven = metrics.reconcilers.map((each) =>
        drive(each, { clock: systemClock, log, signal: stop.signal }),
      );
    },
    /** In good order. */
    async stop(): Promise<void> {
      stop.abort();
      await Promise.all(driven.map(({ stopped }) => stopped));
      await metrics?.end();
    },
    report: (): MetricsReport => metrics!.report()!,
    says: (what: string, check: (report: MetricsReport) => boolean): Promise<MetricsReport> =>
      until(what, () => (check(world.report()) ? world.report() : undefined), {
        timeoutMs: 15_000,
        everyMs: 20,
      }).catch((error: unknown) => {
        throw new Error(
          `${(error as Error).message} ${JSON.stringify(world.report())}\n${lines.slice(-8).join('')}`,
        );
      }),
    waits: (reason: RegExp): Promise<MetricsReport> =>
      world.says(`the report to say ${reason}`, ({ waitingFor }) => reason.test(waitingFor ?? '')),
    /** So many more questions to each node. */
    async collects(count: number): Promise<void> {
      const from = nodes.map(({ asked }) => asked);
      await until(
        'the nodes to be asked',
        () => nodes.every(({ asked }, index) => asked >= from[index]! + count) || undefined,
        { timeoutMs: 20_000, everyMs: 20 },
      );
    },
    /** All that was collected from `first` on is in the monitoring, each time of it. */
    async arrives(first: readonly number[]): Promise<void> {
      const last = nodes.map(({ asked }) => asked);
      for (const [index, { name }] of nodes.entries()) {
        const expected = Array.from(
          { length: last[index]! - first[index]! },
          (_, more) => first[index]! + more,
        );
        const missing = async (): Promise<readonly number[]> => {
          const seen = new Set((await monitor.values(`asked_total{node="${name}"}[10m]`)).map(Number));
          return expected.filter((value) => !seen.has(value));
        };
        await until(
          `what ${name} said to arrive`,
          async () => ((await missing()).length === 0 ? true : undefined),
          {
            timeoutMs: 15_000,
            everyMs: 100,
          },
        ).catch(async (error: unknown) => {
          throw new Error(
            `${(error as Error).message} Missing of ${last[index]}: ${(await missing()).join(' ')}`,
          );
        });
      }
      await world.says('the report to say so', ({ waitingFor }) => waitingFor === null);
    },
    asked: (): readonly number[] => nodes.map(({ asked }) => asked),
  };
  t.after(() => world.stop());
  return world;
}

async function playNode(t: TestContext, authority: Authority, number: number): Promise<PlayedNode> {
  const name = `dc1-${number - 1}`;
  const profile = { commonName: name, dns: [name], use: ['server' as const], days: 1, now: Date.now() };
  const leaf = await issue(authority, profile);
  let server: Server | undefined;
  const node: PlayedNode = {
    ...{ name, address: tunnel(number), asked: 0, more: '' },
    labels: {
      ...{ job: 'c1', instance: `10.0.2.${number + 3}:9443`, cluster: 'c1', cluster_id: 'c1-0a1b2c' },
      ...{ data_center: 'dc1', node: name },
    },
    async start() {
      server = createServer({ key: leaf.privateKey, cert: leaf.certificate }, (_, response) => {
        node.asked++;
        response.setHeader('content-type', 'text/plain; version=0.0.4');
        response.end(`asked_total ${node.asked}\n${node.more}`);
      });
      server.listen(ports.metrics, tunnel(number));
      await once(server, 'listening');
    },
    stop() {
      server?.closeAllConnections();
      server?.close();
    },
  };
  await node.start();
  t.after(() => node.stop());
  return node;
}

/** The monitoring of an installation, without the walls of its machine. */
async function startMonitor(t: TestContext, disk: string) {
  const authority = await createAuthority('services', { days: 1, now: Date.now() });
  const profile = {
    commonName: 'monitor',
    dns: [account],
    use: ['server' as const],
    days: 1,
    now: Date.now(),
  };
  const seed = {
    ...{ version: 1 as const, number: 1, names: [account], accounts: [], gate: '127.0.0.1' },
    ...{ authority: authority.certificate, ...(await issue(authority, profile)) },
  };
  let child: ChildProcess | undefined;
  const get = (path: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const asked = request(
        {
          host: '127.0.0.1',
          port: ports.monitor,
          path,
          servername: account,
          ca: authority.certificate,
          agent: false,
        },
        (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('end', () => resolve(text));
        },
      );
      asked.on('error', reject);
      asked.end();
    });
  const monitor = {
    said: (): GateAccount => ({
      ...{ name: account, enabled: true, rules: [...rules] },
      upstream: { address: '127.0.0.1', port: ports.monitor, authority: authority.certificate },
    }),
    async start(): Promise<void> {
      const { command, env } = await prepareMonitor(disk, seed, '127.0.0.1');
      const [program, ...args] = command;
      child = spawn(program, args, { env: { PATH: process.env['PATH'], ...env }, stdio: 'ignore' });
      const ready = async (): Promise<true | undefined> =>
        (await get('/-/ready').catch(() => '')).includes('Ready') || undefined;
      await until('the monitoring to be ready', ready, { timeoutMs: 15_000, everyMs: 50 });
    },
    async stop(): Promise<void> {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
    /** Of a range of one series. */
    async values(query: string): Promise<readonly string[]> {
      const { data } = JSON.parse(await get(`/api/v1/query?query=${encodeURIComponent(query)}`)) as {
        readonly data: {
          readonly result: readonly { readonly values: readonly (readonly [number, string])[] }[];
        };
      };
      return data.result.flatMap(({ values }) => values.map(([, value]) => value));
    },
    async series(query: string): Promise<readonly Readonly<Record<string, string>>[]> {
      const { data } = JSON.parse(await get(`/api/v1/series?match[]=${encodeURIComponent(query)}`)) as {
        readonly data: readonly Readonly<Record<string, string>>[];
      };
      return data;
    },
  };
  await monitor.start();
  t.after(() => monitor.stop());
  return monitor;
}

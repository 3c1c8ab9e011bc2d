/**
 * The nodes' metrics on their way to the account that the cluster may reach: a Prometheus collects them inside the tunnel and hands
 * them over here, they are kept on disk, and go on through the gate. No part of the ladder waits for any of it.
 */
import { join } from 'node:path';
import type { MetricsReport } from '../../exchange/intents/operator.ts';
import type { Clock } from '../../lib/clock.ts';
import { faultOf, UserError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { ports } from '../../network/ports.ts';
import type { Reconciler } from '../../reconcile/reconciler.ts';
import { collectorConfiguration, mostOfBatch } from './files.ts';
import { createInlet } from './inlet.ts';
import { askCollector, parseTargets } from './loopback.ts';
import { createPrometheus } from './prometheus.ts';
import { createSender, senderTimes, type SenderTimes } from './sender.ts';
import type { MetricsShall } from './shall.ts';
import { silentAfterMs, silentNodes, withTargets, type Silence } from './silence.ts';
import { createSpool, spoolBounds, type SpoolBounds } from './spool.ts';

export interface MetricsTimes {
  readonly everyMs: number;
  readonly periodMs: number;
  readonly silentAfterMs: number;
  readonly sender: SenderTimes;
  readonly bounds: SpoolBounds;
}

export const metricsTimes: MetricsTimes = {
  ...{ everyMs: 30_000, periodMs: 5_000, silentAfterMs, sender: senderTimes, bounds: spoolBounds },
};

export interface Metrics {
  readonly reconcilers: readonly [Reconciler<void>, Reconciler<void>];
  /** Undefined: the cluster may reach no account for them. */
  report(): MetricsReport | undefined;
  end(): Promise<void>;
}

export function createMetrics(options: {
  /** Of its files. */
  readonly folder: string;
  readonly program: string;
  /** PEM: who signs what nodes show. */
  readonly authority: string;
  /** As of now. */
  readonly shall: () => MetricsShall | undefined;
  /** Something that people are told is another thing. */
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly times?: MetricsTimes;
}): Metrics {
  const { folder, shall, clock, log, times = metricsTimes } = options;
  let fault: string | null = null;
  let unkept: string | null = null;
  let keptAt = clock.now();
  let lost: MetricsReport['lost'] = null;
  let silence: Silence = new Map();

  const waitingFolder = join(folder, 'waiting');

  function lose(why: string): void {
    if (lost?.why !== why) log.warn('metrics were given up', { why });
    lost = { at: new Date(clock.now()).toISOString(), why };
  }

  const spool = createSpool({
    ...{ folder: waitingFolder, clock, bounds: times.bounds },
    onLost: () => lose('They waited longer, or were more, than the operator keeps.'),
  });
  const sender = createSender({
    ...{ spool, clock, log, times: times.sender, onChange: options.onChange, onLost: lose },
    way: () => shall()?.way,
  });
  const inlet = createInlet({
    ...{ port: ports.collected, mostBytes: mostOfBatch, log },
    async keep(body) {
      await spool.put(body);
      keptAt = clock.now();
      unkept = null;
    },
    onFault(error) {
      if (unkept === null) log.error('what was collected can’t be kept', { error });
      const { code, message } = faultOf(error);
      unkept =
        error instanceof UserError
          ? message
          : `The operator's disk doesn't take what was collected (${code}).`;
    },
    onTooMuch: () => lose('Prometheus handed over more at once than is taken.'),
  });
  const prometheus = createPrometheus({
    ...{ program: options.program, folder, authority: options.authority, port: ports.collector, clock, log },
    onExit: options.onChange,
  });
  const ground = {
    folder: join(folder, 'configuration'),
    ...{ port: ports.metrics, handOver: ports.collected, everyMs: times.everyMs },
  };

  /** No start waits for it, and no other part: it is tried again each time. */
  async function openSpool(): Promise<void> {
    await spool.open().catch((error: unknown) => {
      const why = `The operator's disk doesn't give what was collected before (${faultOf(error).code}): nothing is collected until it does.`;
      throw new UserError('SpoolUnreadable', why, `Look at ${waitingFolder}.`, error);
    });
  }

  async function collect(): Promise<void> {
    const now = shall();
    if (!now) {
      await prometheus.end();
      inlet.close();
      silence = new Map();
      // For what is too old to go.
      return openSpool();
    }
    await openSpool();
    await inlet.open();
    // Before there is a node to ask there is nothing to run; afterwards there may be some to hand over.
    if (now.nodes.length === 0 && prometheus.since() === undefined) return;
    await prometheus.ensure(collectorConfiguration(now.nodes, ground), now.nodes.length);
    const asked = await askCollector(ports.collector, 'GET', '/api/v1/targets?state=active').catch(
      () => undefined,
    );
    if (asked?.status === 200) silence = withTargets(silence, parseTargets(asked.text), clock.now());
    // Who rests hands nothing over, and is no fault; nor is the first round after it.
    if (now.nodes.length === 0) keptAt = clock.now();
    const quiet = clock.now() - Math.max(keptAt, prometheus.since() ?? 0);
    if (now.nodes.length > 0 && quiet > 3 * times.everyMs + 30_000)
      throw new Error("Prometheus hands nothing over: the operator's log may say why.");
  }

  async function pass(): Promise<void> {
    const said = await collect().then(
      () => null,
      (error: unknown) => {
        const { message } = faultOf(error);
        if (message !== fault) log.error('metrics can’t be collected', { error });
        return message;
      },
    );
    if (said === fault) return;
    fault = said;
    options.onChange();
  }

  return {
    reconcilers: [{ name: 'metrics', periodMs: times.periodMs, reconcile: pass }, sender.reconciler],
    report() {
      const now = shall();
      if (!now) return undefined;
      const sentThrough = sender.sentThrough();
      return {
        account: now.way.account,
        sentThrough: sentThrough === null ? null : new Date(sentThrough).toISOString(),
        waitingFor: fault ?? unkept ?? sender.waitingFor(),
        waiting: spool.waiting(),
        lost,
        silent: silentNodes(silence, clock.now(), times.silentAfterMs),
        asked: now.nodes.length,
      };
    },
    async end() {
      await prometheus.end();
      inlet.close();
    },
  };
}

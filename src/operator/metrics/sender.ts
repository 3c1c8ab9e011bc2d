/** Sends what was collected to the account, piece by piece in order, and says what is in the way. */
import type { Clock } from '../../lib/clock.ts';
import { faultOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { createPatience } from '../../lib/patience.ts';
import { askByGate, failureWords, type GateWay, type Reply } from '../../network/by-gate.ts';
import type { Reconciler } from '../../reconcile/reconciler.ts';
import type { Spool } from './spool.ts';

export interface SenderTimes {
  readonly periodMs: number;
  /** Of one request, to its answer's last byte. */
  readonly requestMs: number;
  readonly longestPauseMs: number;
}

export const senderTimes: SenderTimes = { periodMs: 5_000, requestMs: 30_000, longestPauseMs: 60_000 };

export interface Sender {
  readonly reconciler: Reconciler<void>;
  /** Milliseconds; null: since the start nothing has arrived. */
  sentThrough(): number | null;
  /** Null: nothing is in the way. */
  waitingFor(): string | null;
}

/** The one thing that is asked of an account; docs/operate/metrics.md narrows a policy to it. */
export const writePath = '/api/v1/write';

const headers = {
  ...{ 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
  ...{ 'x-prometheus-remote-write-version': '0.1.0', 'user-agent': 'sallyport' },
} as const;

export function createSender(options: {
  readonly spool: Spool;
  /** As of now; undefined: nothing is to be sent anywhere. */
  readonly way: () => GateWay | undefined;
  /** What is waited for is another thing. */
  readonly onChange: () => void;
  readonly onLost: (why: string) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly times?: SenderTimes;
}): Sender {
  const { spool, clock, log, times = senderTimes } = options;
  let sentThrough: number | null = null;
  const patience = createPatience({
    ...{ clock, periodMs: times.periodMs, longestPauseMs: times.longestPauseMs },
    onChange(reason) {
      if (reason === null) log.info('metrics are sent again');
      else log.warn('metrics wait', { reason });
      options.onChange();
    },
  });

  /** Returns what is in the way; undefined: all has arrived. */
  async function send(way: GateWay, signal: AbortSignal): Promise<string | undefined> {
    const asking = askByGate(way, times.requestMs, signal);
    try {
      for (let piece = spool.oldest(); piece && !signal.aborted; piece = spool.oldest()) {
        const body = await spool.read(piece);
        const request = { method: 'POST', path: writePath, headers, body } as const;
        const reply = await asking.ask(request).catch((error: Error) => failureWords(way, error));
        if (typeof reply === 'string') return reply;
        const verdict = judge(way, reply);
        if (verdict.wait !== undefined) return verdict.wait;
        patience.answered();
        if (verdict.lost !== undefined) options.onLost(verdict.lost);
        else {
          sentThrough = piece.at;
          patience.clear();
        }
        await spool.drop(piece);
      }
      return undefined;
    } finally {
      asking.close();
    }
  }

  async function pass(signal: AbortSignal): Promise<void> {
    await spool.expire();
    const way = options.way();
    if (!way) return;
    if (!spool.oldest()) return patience.clear();
    if (!patience.isDue(way)) return;
    const inTheWay = await send(way, signal).catch((error: unknown) => {
      log.error('what was collected can’t be read', { error });
      return `What was collected can't be read (${faultOf(error).code}): see the operator's log.`;
    });
    if (signal.aborted) return;
    if (inTheWay === undefined) return patience.succeeded();
    patience.failed(inTheWay);
  }

  return {
    reconciler: { name: 'metrics-sender', periodMs: times.periodMs, reconcile: pass },
    sentThrough: () => sentThrough,
    waitingFor: () => patience.waitingFor(),
  };
}

interface Verdict {
  /** It is asked again, with the same. */
  readonly wait?: string;
  /** It would be refused for good: what comes after it must not wait for it. */
  readonly lost?: string;
}

/** What an answer means for a piece. */
export function judge({ account }: Pick<GateWay, 'account'>, { status, refusal }: Reply): Verdict {
  if (status >= 200 && status < 300) return {};
  if (refusal !== null)
    return {
      wait: `The gate refuses it (${refusal}): a policy has to let POST through to ${account} at ${writePath}.`,
    };
  if (status === 400 || status === 413 || status === 422)
    return { lost: `${account} refused a part for good (${status}): ./sallyport logs monitor may say why.` };
  if (status === 503) return { wait: `${account} doesn't answer the gate (503).` };
  if (status === 502 || status === 504)
    return { wait: `${account} doesn't answer the gate in time (${status}).` };
  if (status === 507) return { wait: `${account} has no room (507).` };
  return {
    wait:
      status === 429 || status >= 500
        ? `${account} doesn't take it now (${status}).`
        : `${account} refuses it (${status}): does it take Prometheus's remote write at ${writePath}?`,
  };
}

/**
 * Bytes per account and direction, and refusals. Each stream's end is a line in the proxy's traffic log, with the exact sum; it
 * is read once, from a place that is kept together with the sums. What runs is added as the workers count it; of a worker
 * that died with streams in it, what was last seen of them is kept.
 */
import type { GateRefusal } from '../exchange/intents/gate.ts';
import type { GatePlan } from '../network/gate.ts';

export interface Bytes {
  readonly sent: number;
  readonly received: number;
}

/** Pure: what has been read so far. */
export interface Counts {
  /** How far the traffic log has been read. */
  readonly offset: number;
  /** By cluster and account. */
  readonly ended: Readonly<Record<string, Bytes>>;
  /** By worker, then backend: what of `ended` was this worker's, and what it said it had carried. */
  readonly workers: Readonly<
    Record<string, Readonly<Record<string, { readonly ended: Bytes; readonly carried: Bytes }>>>
  >;
  /** Backend → the key of its account; frontend → cluster. Kept while lines of theirs may come. */
  readonly accounts: Readonly<Record<string, string>>;
  readonly frontends: Readonly<Record<string, string>>;
  readonly refused: number;
  readonly refusals: readonly GateRefusal[];
}

export const noCounts: Counts = {
  ...{ offset: 0, ended: {}, workers: {}, accounts: {}, frontends: {}, refused: 0, refusals: [] },
};

const none: Bytes = { sent: 0, received: 0 };
const add = (a: Bytes, b: Bytes): Bytes => ({ sent: a.sent + b.sent, received: a.received + b.received });
/** What is more in `a`; never less than nothing: the log may be ahead of what a worker said. */
const over = (a: Bytes, b: Bytes): Bytes => ({
  sent: Math.max(0, a.sent - b.sent),
  received: Math.max(0, a.received - b.received),
});
/** No name of an account has a space. */
export const accountKey = (identity: string, account: string): string => `${identity} ${account}`;

export const withPlan = (counts: Counts, plan: Pick<GatePlan, 'grants' | 'frontends'>): Counts => ({
  ...counts,
  accounts: {
    ...counts.accounts,
    ...Object.fromEntries(
      plan.grants.map(({ backend, identity, account }) => [backend, accountKey(identity, account)]),
    ),
  },
  frontends: { ...counts.frontends, ...plan.frontends },
});

/** What the workers that are there say they have carried, by pid and backend; of those that are gone, what they left. */
export function withWorkers(
  counts: Counts,
  said: Readonly<Record<string, Readonly<Record<string, Bytes>>>>,
): Counts {
  const ended = { ...counts.ended };
  const workers: Record<string, Counts['workers'][string]> = {};
  for (const [pid, backends] of Object.entries(counts.workers)) {
    if (said[pid]) continue;
    for (const [backend, now] of Object.entries(backends)) {
      const key = counts.accounts[backend];
      if (key !== undefined) ended[key] = add(ended[key] ?? none, over(now.carried, now.ended));
    }
  }
  for (const [pid, backends] of Object.entries(said)) {
    const had = counts.workers[pid] ?? {};
    workers[pid] = {
      ...had,
      ...Object.fromEntries(
        Object.entries(backends)
          .filter(([backend]) => counts.accounts[backend] !== undefined)
          .map(([backend, carried]) => [backend, { ended: had[backend]?.ended ?? none, carried }]),
      ),
    };
  }
  return { ...counts, ended, workers };
}

const streamLine = /^S (\d+) (\S+) (\d+) (\d+) (-?\d+) (\S+) (\S+) "?([^"]*)"?$/;
/** Before there is a stream: what is said of the connection is 0 where TLS was well and HTTP was not. */
const errorLine = /^H \d+ (\S+) (\d+) "?([^"]*)"?$/;
const mostRefusals = 20;

/** One line of the traffic log; `at` is when it was read. */
export function withLine(counts: Counts, line: string, at: string): Counts {
  const stream = streamLine.exec(line);
  if (stream) {
    const [, pid = '', backend = '', sent, received, status, ending = '', no = '', name = ''] = stream;
    const key = counts.accounts[backend];
    if (key !== undefined) {
      const bytes = { sent: Number(sent), received: Number(received) };
      const worker = counts.workers[pid] ?? {};
      const had = worker[backend] ?? { ended: none, carried: none };
      return {
        ...counts,
        ended: { ...counts.ended, [key]: add(counts.ended[key] ?? none, bytes) },
        workers: {
          ...counts.workers,
          [pid]: { ...worker, [backend]: { ...had, ended: add(had.ended, bytes) } },
        },
      };
    }
    const cluster = counts.frontends[backend];
    if (cluster === undefined) return counts;
    if (no !== '-') return withRefusal(counts, { at, cluster, code: no, name: known(name) });
    return ending.startsWith('PR') && status === '400'
      ? withRefusal(counts, { at, cluster, code: 'malformed', name: known(name) })
      : counts;
  }
  const [, frontend = '', failure, name = ''] = errorLine.exec(line) ?? [];
  const cluster = counts.frontends[frontend];
  if (cluster === undefined) return counts;
  const code = failure === '0' ? 'malformed' : 'handshake';
  return withRefusal(counts, { at, cluster, code, name: known(name) });
}

const known = (name: string): string | null => (name === '' || name === '-' ? null : name.slice(0, 253));
const withRefusal = (counts: Counts, refusal: GateRefusal): Counts => ({
  ...counts,
  refused: counts.refused + 1,
  refusals: [...counts.refusals, refusal].slice(-mostRefusals),
});

/** An account's sum: what has ended, and what runs. */
export function bytesOf(counts: Counts, key: string): Bytes {
  let sum = counts.ended[key] ?? none;
  for (const backends of Object.values(counts.workers))
    for (const [backend, { ended, carried }] of Object.entries(backends))
      if (counts.accounts[backend] === key) sum = add(sum, over(carried, ended));
  return sum;
}

/** Forgets clusters that are gone, and backends that no worker can speak of any more. */
export function withoutOthers(
  counts: Counts,
  identities: readonly string[],
  plan: Pick<GatePlan, 'grants' | 'frontends'>,
): Counts {
  const backends = new Set([
    ...plan.grants.map(({ backend }) => backend),
    ...Object.values(counts.workers).flatMap((worker) => Object.keys(worker)),
  ]);
  const only = <T>(record: Readonly<Record<string, T>>, keep: (key: string, value: T) => boolean) =>
    Object.fromEntries(Object.entries(record).filter(([key, value]) => keep(key, value)));
  return {
    ...counts,
    ended: only(counts.ended, (key) => identities.includes(key.split(' ')[0]!)),
    accounts: only(counts.accounts, (backend) => backends.has(backend)),
    frontends: only(counts.frontends, (name) => plan.frontends[name] !== undefined),
  };
}

/**
 * The one-shot work of a new data centre. Ids are derived from the ring's epoch and the number of the try, so that they
 * are the same after a restart and never given twice.
 */
import type { CassandraReport, NodeReport, NodeWork } from '../exchange/intents/node.ts';
import type { OperatorDataCenter } from '../exchange/intents/operator.ts';
import type { Fault } from '../lib/errors.ts';
import { fresh, isStarted, reached, replicationOf, startedNodes, type RingView } from './ring-view.ts';
import type { Attempt, Ring } from './state.ts';

type Kind = NodeWork['kind'];

export interface Task {
  readonly kind: Kind;
  readonly node: string;
  /** Key of its attempts. */
  readonly key: string;
  readonly id: string;
}

/** After so many failed tries the data centre is called failed; the tries go on, more slowly. */
export const triesBeforeFailed = 5;

/** Attempts under it are forgotten with the change they were of. */
const changePrefix = 'change-';

const taskOf = (dataCenter: OperatorDataCenter, ring: Ring, kind: Kind, node: string, prefix = ''): Task => {
  const key = `${prefix}${kind}/${node}`;
  const number = ring.attempts[key]?.number ?? 1;
  return { kind, node, key, id: `${dataCenter.name}.${ring.epoch}/${key}/${number}` };
};

/**
 * Who puts the roles in force: a node that has the roles already, where an earlier data centre is ready; else the first
 * of the new ones.
 */
export function securerOf(view: RingView, dataCenter: OperatorDataCenter): string | undefined {
  const older = view.intent.dataCenters.find(
    (other) => other !== dataCenter && view.state.rings[other.name]?.rung === 'ready',
  );
  const ring = view.state.rings[(older ?? dataCenter).name];
  return ring && startedNodes(view, ring, older ?? dataCenter)[0]?.name;
}

/** The work that a ring asks for on its rung. Lower rungs' work stays until the doors are open. */
export function tasksOf(view: RingView, dataCenter: OperatorDataCenter, ring: Ring): readonly Task[] {
  if (reached(ring, 'ready')) return changeTasks(view, dataCenter, ring);
  if (!reached(ring, 'transport')) return [];
  const nodes = startedNodes(view, ring, dataCenter).map((node) => node.name);
  const tasks = nodes.map((node) => taskOf(dataCenter, ring, 'start-native-transport', node));
  if (view.intent.cluster.authentication === 'None' || reached(ring, 'opening')) return tasks;
  const securer = securerOf(view, dataCenter);
  if (reached(ring, 'roles') && securer) tasks.push(taskOf(dataCenter, ring, 'secure-roles', securer));
  if (reached(ring, 'checking')) {
    tasks.push(...nodes.map((node) => taskOf(dataCenter, ring, 'check-default-password-refused', node)));
  }
  return tasks;
}

/** The work of a node that joins or leaves. */
function changeTasks(view: RingView, dataCenter: OperatorDataCenter, ring: Ring): readonly Task[] {
  const { change } = ring;
  if (!change || !isStarted(view, ring, change.node)) return [];
  const prefix = `${changePrefix}${ring.changes ?? 0}/`;
  if (change.kind === 'leave') return [taskOf(dataCenter, ring, 'decommission', change.node, prefix)];
  if (change.stage !== 'checking') return [];
  return [taskOf(dataCenter, ring, 'check-default-password-refused', change.node, prefix)];
}

/** What a node gets to do, over all rings. */
export function workFor(view: RingView, name: string): NodeWork[] {
  return view.intent.dataCenters.flatMap((dataCenter) => {
    const ring = view.state.rings[dataCenter.name];
    if (!ring) return [];
    return tasksOf(view, dataCenter, ring)
      .filter((task) => task.node === name)
      .map((task) => documentOf(view, task));
  });
}

function documentOf(view: RingView, { kind, id }: Task): NodeWork {
  const { cluster, dataCenters } = view.intent;
  if (kind !== 'secure-roles') return { id, kind };
  const running = dataCenters.filter((one) => {
    const ring = view.state.rings[one.name];
    return ring !== undefined && reached(ring, 'starting');
  });
  return {
    id,
    kind,
    adminPasswordHash: cluster.adminPasswordHash,
    serviceRole: cluster.serviceRole,
    servicePassword: cluster.servicePassword,
    authReplication: Object.fromEntries(running.map((one) => [one.name, replicationOf(one)])),
  };
}

/** `done`, a fault, or undefined while neither is known. */
export function outcome(view: RingView, task: Task): 'done' | Fault | undefined {
  const report = fresh(view, task.node)?.report;
  if (!report) return undefined;
  if (task.kind === 'start-native-transport') return transportOutcome(report.cassandra, report.work[task.id]);
  const said = report.work[task.id];
  if (said?.state === 'done') return 'done';
  return said?.state === 'failed' ? faultOfWork(task, said) : undefined;
}

/** What counts is whether CQL is served: a Cassandra that died after its work was done has to be asked anew. */
function transportOutcome(
  cassandra: CassandraReport,
  said: NodeReport['work'][string] | undefined,
): 'done' | Fault | undefined {
  if (cassandra.nativeTransport) return 'done';
  if (said?.state === 'failed')
    return said.error ?? { code: 'WorkFailed', message: 'CQL could not be started.' };
  const lost = said?.state === 'done' && cassandra.mode === 'NORMAL';
  return lost ? { code: 'TransportLost', message: 'CQL was started and is not served any more.' } : undefined;
}

const faultOfWork = (task: Task, said: NodeReport['work'][string]): Fault =>
  said.error ?? { code: 'WorkFailed', message: `${task.kind} failed without a reason.` };

/** A try that failed is given another id after a pause that doubles, up to 30 s. */
export function retried(view: RingView, dataCenter: OperatorDataCenter, ring: Ring): Ring {
  let attempts = ring.attempts;
  for (const task of tasksOf(view, dataCenter, ring)) {
    const had = attempts[task.key] ?? firstTry;
    const next = afterOutcome(had, outcome(view, task), view.now);
    if (next !== had) attempts = { ...attempts, [task.key]: next };
  }
  return attempts === ring.attempts ? ring : { ...ring, attempts };
}

const firstTry: Attempt = { number: 1, failedAt: null, fault: null };

function afterOutcome(had: Attempt, said: 'done' | Fault | undefined, now: number): Attempt {
  if (said === undefined) return had;
  if (said === 'done') return had.fault === null ? had : { ...had, failedAt: null, fault: null };
  if (had.failedAt === null) return { ...had, failedAt: now, fault: said };
  const pauseMs = Math.min(2 ** had.number, 30) * 1000;
  return now - had.failedAt >= pauseMs ? { number: had.number + 1, failedAt: null, fault: had.fault } : had;
}

/** Whether who was leaving shall stay: why it could not leave is nobody's concern any more. */
export const isAskedBack = (dataCenter: OperatorDataCenter, { change }: Ring): boolean =>
  change?.kind === 'leave' &&
  dataCenter.nodes.some((node) => node.name === change.node && node.leaving !== true);

/** Why the ring's present work failed last, and on which node. */
export function failedTask(
  view: RingView,
  dataCenter: OperatorDataCenter,
  ring: Ring,
): (Task & { readonly fault: Fault }) | undefined {
  if (isAskedBack(dataCenter, ring)) return undefined;
  for (const task of tasksOf(view, dataCenter, ring)) {
    const fault = ring.attempts[task.key]?.fault;
    if (fault) return { ...task, fault };
  }
  return undefined;
}

export const triedTooOften = (ring: Ring): boolean =>
  Object.values(ring.attempts).some(
    (attempt) => attempt.number > triesBeforeFailed && attempt.fault !== null,
  );

export const without = <T>(from: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> =>
  Object.fromEntries(Object.entries(from).filter(([name]) => !names.includes(name)));

/** The change is over, or another; its tries with it. */
export const withoutChange = (ring: Ring, change: Ring['change']): Ring =>
  change && ring.change === change
    ? ring
    : {
        ...ring,
        ...(ring.change !== undefined && { change }),
        attempts: Object.fromEntries(
          Object.entries(ring.attempts).filter(([key]) => !key.startsWith(changePrefix)),
        ),
      };

/** A node has left, for good. Its tokens go too: whoever comes under its name bootstraps. */
export const departed = (ring: Ring, name: string, machine: string, at: number): Ring => ({
  ...withoutChange(ring, ring.change?.node === name ? null : ring.change),
  started: without(ring.started, [name]),
  tokens: reached(ring, 'starting') ? without(ring.tokens, [name]) : ring.tokens,
  left: { ...ring.left, [name]: { machine, at } },
});

/** Drops what is remembered of nodes that left: whoever returns under the name isn't the one that was started. */
export function withoutLeavers(view: RingView, dataCenter: OperatorDataCenter, ring: Ring): Ring {
  const left = Object.keys(ring.started).filter(
    (name) => !dataCenter.nodes.some((node) => node.name === name) || !isStarted(view, ring, name),
  );
  const change = ring.change && left.includes(ring.change.node) ? null : ring.change;
  if (left.length === 0) return ring;
  return {
    ...withoutChange(ring, change ?? null),
    started: without(ring.started, left),
    tokens: without(ring.tokens, left),
    abandoned: { ...ring.abandoned, ...Object.fromEntries(left.map((name) => [name, ring.started[name]!])) },
  };
}

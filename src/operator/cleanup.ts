/**
 * After nodes have joined, the older ones still hold what has become theirs. Each drops it, one node at a time, whenever the
 * cluster has nothing else to do. It is nobody's operation: what fails is told, and tried again, less and less often.
 */
import type { OperatorDataCenter, OperatorReport } from '../exchange/intents/operator.ts';
import { fresh, settledMembers, silentAfterMs, startedNodes, type RingView } from './ring-view.ts';
import { outcome, without, type Task } from './ring-work.ts';
import type { Cleanup, Ring } from './state.ts';

/** The ring has settled, and whoever waits for its operation has heard of its end. */
const firstPauseMs = 10_000;
const longestPauseMs = 600_000;

/** Everybody who was there before has something to drop, whatever was still to be done of an earlier time. */
export function dueAfterJoin(
  view: RingView,
  dataCenter: OperatorDataCenter,
  ring: Ring,
  newcomer: string,
): Ring {
  const due = startedNodes(view, ring, dataCenter)
    .map((node) => node.name)
    .filter((name) => name !== newcomer);
  const asked = ring.cleanup?.asked ?? 0;
  const notBefore = view.now + firstPauseMs;
  return { ...ring, cleanup: { due, done: [], at: null, asked, failures: 0, notBefore, failed: {} } };
}

/** The work of the node whose turn it is. */
export function cleanupTask(dataCenter: OperatorDataCenter, ring: Ring): Task | undefined {
  const { at, asked } = ring.cleanup ?? { at: null, asked: 0 };
  if (at === null) return undefined;
  const key = `cleanup/${at}`;
  return { kind: 'cleanup', node: at, key, id: `${dataCenter.name}.${ring.epoch}/${key}/${asked}` };
}

/** The next memory: what its node said is noted, and another is asked once `quiet`, when no ring changes or shall. */
export function cleaned(view: RingView, dataCenter: OperatorDataCenter, ring: Ring, quiet: boolean): Ring {
  if (!ring.cleanup || ring.cleanup.due.length === 0) return ring;
  const names = settledMembers(view, ring, dataCenter).map((node) => node.name);
  const heard = noted(view, dataCenter, ring, among(ring.cleanup, names));
  const next = quiet ? asking(view, heard) : heard;
  return next === ring.cleanup ? ring : { ...ring, cleanup: next };
}

/** Whoever leaves, or is another machine now, has nothing to drop. */
function among(cleanup: Cleanup, names: readonly string[]): Cleanup {
  const due = cleanup.due.filter((name) => names.includes(name));
  if (due.length === cleanup.due.length) return cleanup;
  return { ...cleanup, due, at: cleanup.at !== null && due.includes(cleanup.at) ? cleanup.at : null };
}

function noted(view: RingView, dataCenter: OperatorDataCenter, ring: Ring, cleanup: Cleanup): Cleanup {
  const { at } = cleanup;
  const task = cleanupTask(dataCenter, { ...ring, cleanup });
  if (at === null || !task) return cleanup;
  const said = outcome(view, task);
  const others = cleanup.due.filter((name) => name !== at);
  if (said === 'done') {
    const { done, failed } = cleanup;
    return {
      ...cleanup,
      due: others,
      done: [...done, at],
      at: null,
      failures: 0,
      failed: without(failed, [at]),
    };
  }
  if (said) {
    const failures = cleanup.failures + 1;
    const notBefore = view.now + Math.min(firstPauseMs * 2 ** (failures - 1), longestPauseMs);
    return {
      ...{ ...cleanup, due: [...others, at], at: null, failures, notBefore },
      failed: { ...cleanup.failed, [at]: said },
    };
  }
  // It may be at it all the same; the others don't wait for it.
  const silent = !fresh(view, at) && view.now - view.since > silentAfterMs;
  return silent ? { ...cleanup, due: [...others, at], at: null } : cleanup;
}

function asking(view: RingView, cleanup: Cleanup): Cleanup {
  if (cleanup.at !== null || view.now < cleanup.notBefore) return cleanup;
  const at = cleanup.due.find((name) => fresh(view, name)?.report.cassandra.mode === 'NORMAL');
  return at === undefined ? cleanup : { ...cleanup, at, asked: cleanup.asked + 1 };
}

type Report = Pick<OperatorReport['dataCenters'][number], 'cleanup'>;

/** Of the latest time; nothing where there was none. */
export const cleanupReport = ({ cleanup }: Ring): Report =>
  cleanup
    ? {
        cleanup: {
          due: [...cleanup.due],
          done: [...cleanup.done],
          failed: Object.entries(cleanup.failed).map(([node, error]) => ({ node, error })),
        },
      }
    : {};

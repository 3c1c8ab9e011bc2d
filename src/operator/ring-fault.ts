/** What is wrong in a data centre, if anything: the first fault that a node bears, with the node's name. */
import type { OperatorDataCenter } from '../exchange/intents/operator.ts';
import type { Fault } from '../lib/errors.ts';
import { fresh, isStarted, named, silentAfterMs, takesAbandonedPlace, type RingView } from './ring-view.ts';
import { failedTask } from './ring-work.ts';
import type { Ring } from './state.ts';

/** While the data centre is being made: faults that nodes and their work report. */
export function faultIn(view: RingView, dataCenter: OperatorDataCenter, ring: Ring): Fault | null {
  const failed = failedTask(view, dataCenter, ring);
  const worker = view.intent.dataCenters.flatMap((one) => one.nodes).find((one) => one.name === failed?.node);
  if (failed && worker) return about(worker, failed.fault);
  for (const node of dataCenter.nodes) {
    const report = fresh(view, node.name)?.report;
    const fault = report?.door.error ?? report?.cassandra.error;
    if (fault) return about(node, fault);
  }
  return null;
}

/** Later: a node that is silent, or doesn't serve CQL, too. */
export function readyFault(view: RingView, dataCenter: OperatorDataCenter, ring: Ring): Fault | null {
  const known = faultIn(view, dataCenter, ring);
  if (known) return known;
  for (const node of dataCenter.nodes) {
    if (takesAbandonedPlace(view, ring, node)) {
      return about(node, {
        code: 'NotYetSupported',
        message: 'it takes the place of a machine that never left the ring, which is not supported yet.',
      });
    }
    // Whoever joins or leaves is not down.
    if (!isStarted(view, ring, node.name) || ring.change?.node === node.name) continue;
    const heard = fresh(view, node.name);
    if (!heard && view.now - view.since > silentAfterMs) {
      return about(node, {
        code: 'NodeSilent',
        message: 'it does not report; is its machine running, and the private endpoint approved?',
      });
    }
    const cassandra = heard?.report.cassandra;
    if (cassandra && (cassandra.mode !== 'NORMAL' || !cassandra.nativeTransport)) {
      const mode = cassandra.mode ?? cassandra.process;
      return about(node, {
        code: 'CassandraDown',
        message:
          cassandra.mode === 'NORMAL' ? 'its Cassandra does not serve CQL.' : `its Cassandra is ${mode}.`,
      });
    }
  }
  return null;
}

const about = (node: OperatorDataCenter['nodes'][number], fault: Fault): Fault => ({
  code: fault.code,
  message: `${named(node)}: ${fault.message}`,
});

import type { OperatorReport } from '../../exchange/intents/operator.ts';
import type { Pass } from '../pass.ts';
import { connectionStatus } from '../private-endpoint/connection.ts';
import type { EndpointProperties, EndpointState } from '../private-endpoint/schema.ts';
import { isRunning } from '../settle.ts';
import type { Reason } from '../waiting.ts';
import { isFresh, operatorSilent, silence } from '../cassandra-cluster/silence.ts';
import { notApproved } from './door.ts';
import type { DataCenterNode, DataCenter } from './schema.ts';
import type { Cluster } from '../cassandra-cluster/schema.ts';

/** How long a node usually takes from its machine's start to the door, and more. */
const usualMs = 5_000;

/** The first thing that keeps a data centre from being as it shall be, in words a person can act on; undefined: nothing. */
export function whatIsMissing(dataCenter: DataCenter, cluster: Cluster, pass: Pass): Reason | undefined {
  for (const rung of [door, count, levels, machines, nodes, ring]) {
    const reason = rung(dataCenter, cluster, pass);
    if (reason) return reason;
  }
  return undefined;
}

function door(dataCenter: DataCenter, _: Cluster, { store }: Pass): Reason | undefined {
  const endpoint = store.get<EndpointProperties, EndpointState>(dataCenter.state.endpointId);
  if (!endpoint)
    return { code: 'DoorMissing', message: `Private endpoint ${dataCenter.state.endpointId} is gone.` };
  const { status } = connectionStatus(store, endpoint);
  return status === 'Approved'
    ? undefined
    : { code: 'DoorNotApproved', message: notApproved(endpoint, status) };
}

export const nodeMissing = 'NodeMissing';

/** A node can be out although nobody asked it now: it had begun to leave before it was asked back. */
function count(dataCenter: DataCenter): Reason | undefined {
  const { nodeCount } = dataCenter.properties;
  const staying = dataCenter.state.nodes.filter((node) => node.leaving !== true).length;
  if (staying >= nodeCount) return undefined;
  return {
    code: nodeMissing,
    message: `A node has left the ring that nobody asks to leave any more: ${staying} of ${nodeCount} are there. Send nodeCount ${nodeCount} again, and another takes its place.`,
  };
}

function levels(dataCenter: DataCenter, cluster: Cluster, pass: Pass): Reason | undefined {
  if (!isRunning(dataCenter)) return operatorSilent(cluster, pass);
  if (!pass.fabricHeard()) {
    return {
      code: 'FabricSilent',
      message: 'The fabric has not reported: is it running? sallyport status tells, sallyport up starts it.',
    };
  }
  const reason = isFresh(cluster, pass) ? undefined : silence;
  if (reason || pass.operator(cluster.id)) return reason;
  return { code: 'OperatorBehind', message: "The cluster's operator takes up what was asked for." };
}

const report = (cluster: Cluster, pass: Pass): OperatorReport | undefined =>
  pass.operatorHeard(cluster.id)?.report;

/** An operator that is older than the word says nothing of it: then its phase alone counts. */
const isMember = (node: DataCenterNode, cluster: Cluster, pass: Pass): boolean =>
  (report(cluster, pass)?.nodes.find((item) => item.name === node.name)?.membership ?? 'member') === 'member';

function machines(dataCenter: DataCenter, _: Cluster, pass: Pass): Reason | undefined {
  const failed = dataCenter.state.nodes.find((node) => pass.machine(node.machine)?.state === 'failed');
  if (!failed) return undefined;
  return {
    code: 'MachineFailed',
    message: `The machine of node ${failed.name} can't be started: ${pass.machine(failed.machine)?.error?.message ?? 'no reason is known'}`,
  };
}

function nodes(dataCenter: DataCenter, cluster: Cluster, pass: Pass): Reason | undefined {
  const operator = report(cluster, pass);
  const phaseOf = (node: DataCenterNode) => operator?.nodes.find((item) => item.name === node.name)?.phase;
  const named = (list: readonly DataCenterNode[]): string =>
    list.map((node) => `${node.name} (${node.address})`).join(', ');
  const expected = dataCenter.state.nodes.filter((node) => !node.enrolled && phaseOf(node) === 'expected');
  if (expected.length > 0) {
    const address = dataCenter.properties.endpointAddress;
    // Every node begins like this, for a second: only what lasts is worth a warning.
    return pass.lasts('never seen', usualMs)
      ? {
          code: 'NodeNeverSeen',
          message: `Expected, never seen at the door: ${named(expected)}. Is the private endpoint ${address} approved, and does the machine run? See: sallyport status`,
        }
      : { code: 'NodesUnderWay', message: `On the way to the door ${address}: ${named(expected)}.` };
  }
  const silent = dataCenter.state.nodes.filter((node) => phaseOf(node) === 'silent');
  return silent.length > 0
    ? {
        code: 'NodeSilent',
        message: `Seen before, silent now: ${named(silent)}. Is its machine running? See: sallyport status`,
      }
    : undefined;
}

function ring(dataCenter: DataCenter, cluster: Cluster, pass: Pass): Reason | undefined {
  const said = report(cluster, pass)?.dataCenters.find((item) => item.name === dataCenter.name);
  if (said?.error) return { code: said.error.code, message: said.error.message };
  if (said?.waitingFor) return { code: 'RingNotReady', message: said.waitingFor };
  if (!isRunning(dataCenter)) return undefined;
  if (cluster.state.deallocated?.wanted === true && said?.phase === 'deallocated') return undefined;
  if (said?.phase !== 'ready') {
    return {
      code: 'RingNotReady',
      message: `The operator is at '${said?.phase ?? 'the beginning'}' with this data centre.`,
    };
  }
  const moving = dataCenter.state.nodes.find(
    (node) => node.leaving === true || !isMember(node, cluster, pass),
  );
  if (moving) {
    return {
      code: moving.leaving === true ? 'NodeLeaving' : 'NodeJoining',
      message: `Node ${moving.name} (${moving.address}) is ${moving.leaving === true ? 'leaving' : 'joining'} the ring.`,
    };
  }
  if (dataCenter.state.ready && pass.fabric()) return undefined;
  return { code: 'FabricBehind', message: 'The fabric lets CQL in to the nodes.' };
}

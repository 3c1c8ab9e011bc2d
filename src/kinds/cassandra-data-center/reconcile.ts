import { isDeepStrictEqual } from 'node:util';
import type { OperatorReport } from '../../exchange/intents/operator.ts';
import { putInterface } from '../network-interface/kind.ts';
import type { Fault } from '../../lib/errors.ts';
import type { Pass } from '../pass.ts';
import { isRunning } from '../settle.ts';
import { waitFor } from '../waiting.ts';
import { keyspacesNaming } from './keyspaces.ts';
import { ldapSecret } from './ldap.ts';
import { joinSecret, type DataCenterNode, type DataCenterState, type DataCenter } from './schema.ts';
import { nodeMissing, whatIsMissing } from './waiting.ts';
import type { Cluster } from '../cassandra-cluster/schema.ts';

/** How long a data centre that is being deleted waits for an operator that doesn't answer. */
const retireMs = 30_000;
/** How long a ring that serves may say that something is wrong with it before a change of it has failed. */
const stuckMs = 300_000;

export function reconcileDataCenter(dataCenter: DataCenter, cluster: Cluster | undefined, pass: Pass): void {
  if (!cluster) return pass.store.remove(dataCenter.id);
  if (dataCenter.provisioningState === 'Deleting') return retire(dataCenter, cluster, pass);
  for (const node of dataCenter.state.nodes) putNodeInterface(dataCenter, cluster, node, pass);

  const operator = pass.operator(cluster.id);
  const said = operator?.dataCenters.find((item) => item.name === dataCenter.name);
  const nodes = dataCenter.state.nodes
    .map((node) => takeJoin(cluster, node, operator, pass))
    .filter((node) => !letGo(cluster, node, operator, pass));
  const reason = whatIsMissing(dataCenter, cluster, pass);
  const keyspaces = keyspacesNaming(dataCenter, pass.operatorHeard(cluster.id)?.report);
  const state: DataCenterState = {
    ...dataCenter.state,
    nodes,
    ready: dataCenter.state.ready || said?.phase === 'ready',
    waiting: reason ? waitFor(dataCenter.state.waiting, reason, pass) : null,
    ...(keyspaces && { keyspaces }),
  };
  const moved = !isDeepStrictEqual(nodes, dataCenter.state.nodes) || state.ready !== dataCenter.state.ready;
  pass.store.setState(dataCenter.id, state);
  // What was just written asks for more: the fabric has to apply it before anything can be said.
  if (moved || !isRunning(dataCenter)) return;
  const fault = whyFailed(dataCenter, said, pass) ?? (reason?.code === nodeMissing ? reason : undefined);
  if (fault) return pass.store.settle(dataCenter.id, dataCenter.generation, { at: 'Failed', fault });
  if (!reason) pass.store.settle(dataCenter.id, dataCenter.generation, { at: 'Succeeded' });
}

/** A step of a change that keeps failing ends the operation; the operator goes on trying, and the next request says what then. */
function whyFailed(
  dataCenter: DataCenter,
  said: OperatorReport['dataCenters'][number] | undefined,
  pass: Pass,
): Fault | undefined {
  if (said?.phase === 'failed') {
    return said.error ?? { code: 'DataCenterFailed', message: 'The operator gave up, and did not say why.' };
  }
  if (!said?.error || !dataCenter.state.ready) return undefined;
  return pass.lasts(`stuck ${dataCenter.generation}`, stuckMs) ? said.error : undefined;
}

function putNodeInterface(
  dataCenter: DataCenter,
  cluster: Cluster,
  node: DataCenterNode,
  { store }: Pass,
): void {
  putInterface(store, {
    id: node.interfaceId,
    location: cluster.location,
    properties: {
      subnetId: dataCenter.properties.subnetId,
      address: node.address,
      allocation: 'Dynamic',
      configurationName: 'ipconfig',
      ownerId: dataCenter.id,
    },
  });
}

/** Keeps a node's join file as long as, and only as long as, it has not enrolled. */
function takeJoin(
  cluster: Cluster,
  node: DataCenterNode,
  operator: OperatorReport | undefined,
  { store }: Pass,
): DataCenterNode {
  const said = operator?.nodes.find((item) => item.name === node.name && item.address === node.address);
  if (!said || node.enrolled) return node;
  const name = joinSecret(cluster.state.identity, node.name);
  if (said.phase === 'expected') {
    const join = said.join && `${JSON.stringify(said.join, null, 2)}\n`;
    if (join && store.secrets.get(name) !== join) store.secrets.set(name, join);
    return node;
  }
  store.secrets.delete(name);
  return { ...node, enrolled: true };
}

/** A node that has left the ring goes, whoever asked it to, and with it its interface and machine. */
function letGo(
  cluster: Cluster,
  node: DataCenterNode,
  operator: OperatorReport | undefined,
  { store }: Pass,
): boolean {
  const said = operator?.nodes.find((item) => item.name === node.name && item.address === node.address);
  if (said?.membership !== 'left') return false;
  store.remove(node.interfaceId);
  store.secrets.delete(joinSecret(cluster.state.identity, node.name));
  return true;
}

/** First the operator lets go of the nodes, then their machines and disks go, then the rest. */
function retire(dataCenter: DataCenter, cluster: Cluster, pass: Pass): void {
  const { store } = pass;
  if (!dataCenter.state.retired) {
    const operator = pass.operator(cluster.id);
    const released = operator && !operator.nodes.some((node) => node.dataCenter === dataCenter.name);
    if (!released && !pass.lasts('retire', retireMs)) return;
    return store.setState(dataCenter.id, { ...dataCenter.state, retired: true });
  }
  if (!pass.fabric()) return;
  store.transaction(() => {
    for (const node of dataCenter.state.nodes) {
      store.remove(node.interfaceId);
      store.secrets.delete(joinSecret(cluster.state.identity, node.name));
    }
    store.secrets.delete(ldapSecret(cluster.state.identity, dataCenter.name));
    store.remove(dataCenter.id);
  });
}

import { groupType } from '../../arm/lookup.ts';
import { managedGroup } from '../platform.ts';
import type { Pass } from '../pass.ts';
import { privateLinkConnectionType } from '../private-link-connection/schema.ts';
import type { LinkServiceProperties } from '../private-link-service/schema.ts';
import { isRunning } from '../settle.ts';
import { waitFor, type Reason } from '../waiting.ts';
import { forget, reconcileCommands } from '../cassandra-command/reconcile.ts';
import { commandsOf } from '../cassandra-command/schema.ts';
import { dataCentersOf } from '../cassandra-data-center/find.ts';
import { clusterSecrets, type ClusterState, type Cluster } from './schema.ts';
import { auditLogOnItsWay } from './audit-log.ts';
import { operatorSilent } from './silence.ts';
import { connectionsOf } from '../private-link-connection/find.ts';

export function reconcileCluster(cluster: Cluster, pass: Pass): void {
  if (cluster.provisioningState === 'Deleting') return removeCluster(cluster, pass);
  ensureGroup(cluster, pass);
  approveListed(cluster, pass);
  reconcileCommands(cluster, pass);
  const deallocated = observeDeallocated(cluster, pass);
  const reason =
    whatIsMissing(cluster, pass) ??
    whatIsOnItsWay(cluster, deallocated, pass) ??
    auditLogOnItsWay(cluster, pass);
  const authorities = pass.operator(cluster.id)?.authorities;
  const state: ClusterState = {
    ...cluster.state,
    authorities: authorities
      ? { internode: authorities.internode, client: authorities.client }
      : cluster.state.authorities,
    waiting: reason ? waitFor(cluster.state.waiting, reason, pass) : null,
    ...(deallocated && { deallocated }),
  };
  pass.store.setState(cluster.id, state);
  if (!reason && isRunning(cluster)) pass.store.settle(cluster.id, cluster.generation, { at: 'Succeeded' });
}

function ensureGroup(cluster: Cluster, { store, settings }: Pass): void {
  const group = managedGroup(settings.providerSubscription);
  if (!store.get(group)) {
    store.putOwned({ id: group, type: groupType, location: cluster.location, properties: {}, state: {} });
  }
}

/** A subscription that came onto the list is approved at once, also where it has asked before. */
function approveListed(cluster: Cluster, { store }: Pass): void {
  const listed = store.get<LinkServiceProperties>(cluster.state.linkServiceId)?.properties.autoApproval ?? [];
  for (const connection of connectionsOf(store, cluster.state.linkServiceId)) {
    const subscription = connection.properties.endpointId.split('/')[2]?.toLowerCase();
    if (connection.properties.status !== 'Pending' || connection.provisioningState !== 'Succeeded') continue;
    if (subscription === undefined || !listed.includes(subscription)) continue;
    store.putOwned({
      id: connection.id,
      type: privateLinkConnectionType,
      location: null,
      properties: { ...connection.properties, status: 'Approved', description: 'Approved automatically' },
      state: connection.state,
    });
  }
}

/** The first thing that keeps the cluster from being as it shall be; undefined: nothing does. */
function whatIsMissing(cluster: Cluster, pass: Pass): Reason | undefined {
  if (!isRunning(cluster)) return operatorSilent(cluster, pass);
  const { operator } = cluster.state;
  const machine = pass.machine(operator.machine);
  if (pass.operatorHeard(cluster.id)) {
    const report = pass.operator(cluster.id);
    if (!report)
      return { code: 'OperatorBehind', message: "The cluster's operator takes up what was asked for." };
    if (report.wireguard.listening) return undefined;
    return { code: 'DoorNotListening', message: "The cluster's operator does not listen for its nodes yet." };
  }
  if (!pass.fabricHeard()) {
    return {
      code: 'FabricSilent',
      message: 'The fabric has not reported: is it running? sallyport status tells, sallyport up starts it.',
    };
  }
  if (machine?.state === 'failed') {
    return {
      code: 'MachineFailed',
      message: `The operator's machine can't be started: ${machine.error?.message ?? 'no reason is known'}`,
    };
  }
  if (machine?.state !== 'running')
    return { code: 'MachineStarting', message: "The operator's machine is being started." };
  if (!operator.admitted) {
    return {
      code: 'OperatorNotEnrolled',
      message:
        "The operator's machine runs; it has not enrolled at control yet. See: sallyport logs operator",
    };
  }
  return {
    code: 'OperatorSilent',
    message: 'The operator has enrolled; it has not reported yet. See: sallyport logs operator',
  };
}

/** What its nodes were last seen to be, all of them: in between it is what it was. */
function observeDeallocated(cluster: Cluster, pass: Pass): ClusterState['deallocated'] {
  const { deallocated } = cluster.state;
  if (!deallocated || deallocated.wanted === deallocated.observed) return deallocated;
  const phase = deallocated.wanted ? 'deallocated' : 'ready';
  const report = pass.operator(cluster.id);
  const names = presentDataCenters(cluster, pass);
  const all =
    report && names.every((name) => report.dataCenters.find((item) => item.name === name)?.phase === phase);
  return all ? { ...deallocated, observed: deallocated.wanted } : deallocated;
}

const presentDataCenters = (cluster: Cluster, { store }: Pass): readonly string[] =>
  dataCentersOf(store, cluster.id)
    .filter((item) => item.provisioningState !== 'Deleting')
    .map((item) => item.name);

function whatIsOnItsWay(
  cluster: Cluster,
  deallocated: ClusterState['deallocated'],
  pass: Pass,
): Reason | undefined {
  if (!deallocated || deallocated.wanted === deallocated.observed) return undefined;
  const said = pass.operatorHeard(cluster.id)?.report.dataCenters ?? [];
  const present = presentDataCenters(cluster, pass);
  const waits = said
    .filter((item) => present.includes(item.name))
    .find((item) => item.error ?? item.waitingFor);
  const detail = waits?.error?.message ?? waits?.waitingFor;
  return {
    code: deallocated.wanted ? 'Deallocating' : 'Starting',
    message: `Cassandra is being ${deallocated.wanted ? 'stopped' : 'started'} on every node.${detail ? ` ${detail}` : ''}`,
  };
}

function removeCluster(cluster: Cluster, pass: Pass): void {
  const { store } = pass;
  for (const connection of connectionsOf(store, cluster.state.linkServiceId)) store.remove(connection.id);
  if (!pass.fabric()) return;
  store.transaction(() => {
    store.remove(cluster.state.linkServiceId);
    for (const command of commandsOf(store, cluster.id)) forget(command, pass);
    for (const name of Object.values(clusterSecrets(cluster.state.identity))) store.secrets.delete(name);
    store.remove(cluster.id);
  });
}

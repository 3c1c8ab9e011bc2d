import type { OperatorNodeReport, OperatorReport } from '../../exchange/intents/operator.ts';
import { ports } from '../../network/ports.ts';
import type { JsonObject, Resource, Store } from '../../store/resource.ts';
import {
  dataCenterType,
  seedsOf,
  type DataCenterNode,
  type DataCenterProperties,
  type DataCenterState,
} from '../cassandra-data-center/schema.ts';
import { settingsOf } from '../settings.ts';
import type { ClusterProperties, ClusterState } from './schema.ts';

type Cluster = Resource<ClusterProperties, ClusterState>;
type DataCenter = Resource<DataCenterProperties, DataCenterState>;

/** A report older than this is no longer how things are. */
const freshMs = 15_000;

/**
 * CassandraClusterPublicStatus. Every key of every node is always there: az's table reads each of them (contract §1.6).
 */
export function clusterStatus(cluster: Cluster, store: Store, now: Date): JsonObject {
  const heard = settingsOf(store).levels.operator(cluster.id);
  const fresh = heard && now.getTime() - heard.at < freshMs ? heard.report : undefined;
  const dataCenters = store.list<DataCenterProperties, DataCenterState>(dataCenterType, cluster.id);
  return {
    eTag: cluster.etag,
    // Nothing schedules repairs in this version, and the status says so.
    reaperStatus: { healthy: false, repairRunIds: {}, repairSchedules: {} },
    connectionErrors: [
      ...(fresh ? [] : [operatorSilent(cluster)]),
      ...dataCenters.flatMap((dataCenter) => connectionErrors(dataCenter, fresh)),
    ],
    errors: [...dataCenters.flatMap(dataCenterErrors), ...refusals(cluster, fresh)],
    dataCenters: dataCenters.map((dataCenter) => ({
      name: dataCenter.name,
      seedNodes: seedsOf(dataCenter.state).map((node) => node.address),
      nodes: dataCenter.state.nodes.map((node) => showNode(node, reportOf(fresh, node), fresh)),
    })),
  };
}

const reportOf = (report: OperatorReport | undefined, node: DataCenterNode): OperatorNodeReport | undefined =>
  report?.nodes.find((item) => item.name === node.name);

function showNode(
  node: DataCenterNode,
  said: OperatorNodeReport | undefined,
  operator: OperatorReport | undefined,
): JsonObject {
  const connected = said?.phase === 'connected';
  const cassandra = connected ? said.report?.cassandra : undefined;
  // A node that can't be asked may still be alive: its neighbours know.
  const seenByOthers = operator?.nodes.some(
    (other) =>
      other.name !== node.name &&
      other.phase === 'connected' &&
      other.report?.cassandra.live.includes(node.address),
  );
  return {
    address: node.address,
    state: ringState(cassandra?.mode ?? null, seenByOthers ?? false),
    status:
      cassandra?.process === 'running' && cassandra.mode !== null
        ? 'Up'
        : !connected && seenByOthers
          ? 'Up'
          : 'Down',
    cassandraProcessStatus: cassandra?.process ?? 'unknown',
    load: size(cassandra?.load ?? 0),
    tokens: cassandra?.tokens ?? [],
    size: cassandra?.tokens.length ?? 0,
    hostID: cassandra?.hostId ?? '',
    rack: cassandra?.rack ?? node.rack,
    timestamp: said?.lastSeen ?? '',
    diskUsedKB: whole(cassandra?.diskUsedKB),
    diskFreeKB: whole(cassandra?.diskFreeKB),
    memoryUsedKB: whole(cassandra?.memoryUsedKB),
    memoryBuffersAndCachedKB: whole(cassandra?.memoryBuffersAndCachedKB),
    memoryFreeKB: whole(cassandra?.memoryFreeKB),
    memoryTotalKB: whole(cassandra?.memoryTotalKB),
    cpuUsage: cassandra?.cpuUsage ?? 0,
    isLatestModel: true,
  };
}

/** Cassandra's operation modes in the contract's words; whatever else it is in, it is not a part of the ring. */
const ringStates: Readonly<Record<string, string>> = {
  NORMAL: 'Normal',
  STARTING: 'Joining',
  JOINING: 'Joining',
  LEAVING: 'Leaving',
  DECOMMISSION_FAILED: 'Leaving',
  MOVING: 'Moving',
};

function ringState(mode: string | null, seenByOthers: boolean): string {
  if (mode === null) return seenByOthers ? 'Normal' : 'Stopped';
  return ringStates[mode] ?? 'Stopped';
}

const whole = (value: number | null | undefined): number => Math.round(value ?? 0);

function size(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = bytes < 1024 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  return step === 0 ? `${bytes} bytes` : `${(bytes / 1024 ** step).toFixed(2)} ${units[step]}`;
}

const operatorSilent = (cluster: Cluster): JsonObject => ({
  connectionState: 'InternalError',
  iPFrom: cluster.state.operator.address,
  iPTo: '',
  port: ports.control,
  exception:
    "The cluster's operator isn't reporting: what its nodes do is not known now. sallyport status shows its machine.",
});

function connectionErrors(dataCenter: DataCenter, report: OperatorReport | undefined): readonly JsonObject[] {
  if (!report) return [];
  return dataCenter.state.nodes.flatMap((node): readonly JsonObject[] => {
    const said = reportOf(report, node);
    if (said?.phase !== 'connected') {
      const exception =
        said?.phase === 'silent'
          ? `Node ${node.name} doesn't report any more, last at ${said.lastSeen ?? 'an unknown time'}.`
          : `Node ${node.name} is expected; its key was never seen at the door.`;
      return [
        {
          connectionState: 'OperatorToDataCenterNetworkError',
          iPFrom: node.address,
          iPTo: dataCenter.properties.endpointAddress,
          port: ports.wireguard,
          exception,
        },
      ];
    }
    return (said.report?.cassandra.unreachable ?? []).map((address) => ({
      connectionState: 'DatacenterToDatacenterNetworkError',
      iPFrom: node.address,
      iPTo: address,
      port: ports.ring,
      exception: `Node ${node.name} can't reach ${address}.`,
    }));
  });
}

const dataCenterErrors = (dataCenter: DataCenter): readonly JsonObject[] =>
  [dataCenter.fault, dataCenter.state.waiting]
    .filter((reason) => reason !== null)
    .map((reason) => ({
      code: reason.code,
      message: reason.message,
      target: dataCenter.id,
      additionalErrorInfo: '',
    }));

const refusals = (cluster: Cluster, report: OperatorReport | undefined): readonly JsonObject[] =>
  (report?.refusals ?? []).map((refusal) => ({
    code: refusal.code,
    message: refusal.message,
    target: cluster.id,
    additionalErrorInfo: `Refused at the enrolment port at ${refusal.at}.`,
  }));

/** What a cluster's operator shall do, read off the store: a pure function. */
import type { OperatorCommand, OperatorDataCenter, OperatorIntent } from '../exchange/intents/operator.ts';
import { ports } from '../network/ports.ts';
import { accountsFor, hasGate } from './gate-intent.ts';
import { logRight } from './log-signatures.ts';
import { platform } from './platform.ts';
import { logStore, metricsStore } from './service-accounts.ts';
import type { Settings } from './settings.ts';
import type { Store } from '../store/resource.ts';
import {
  clusterSecrets,
  clusterType,
  serviceRole,
  type ClusterProperties,
  type ClusterState,
} from './cassandra-cluster/schema.ts';
import { commandsOf, isOpen } from './cassandra-command/schema.ts';
import { readYamlFragment } from './cassandra-data-center/yaml-fragment.ts';
import { networkOf } from './claims.ts';
import type { Cluster } from './cassandra-cluster/schema.ts';
import { clientPrefixes } from './network-intent.ts';
import { dataCentersOf } from './cassandra-data-center/find.ts';
import type { DataCenter } from './cassandra-data-center/schema.ts';

type Reading = Pick<Store, 'get' | 'list' | 'secrets'>;

/** Undefined: there is no such cluster, or it is being deleted. */
export function operatorIntent(
  store: Reading,
  clusterId: string,
  /** Left out: no accounts are known. */
  settings: Pick<Settings, 'providerSubscription' | 'accounts'> = { providerSubscription: '', accounts: [] },
): OperatorIntent | undefined {
  const cluster = store.get<ClusterProperties, ClusterState>(clusterId);
  if (!cluster || cluster.type !== clusterType || cluster.provisioningState === 'Deleting') return undefined;
  const { identity } = cluster.state;
  const names = clusterSecrets(identity);
  const servicePassword = store.secrets.get(names.servicePassword);
  if (servicePassword === undefined)
    throw new Error(`The service password of cluster ${clusterId} is missing.`);
  return {
    cluster: {
      id: cluster.id,
      identity,
      cassandraName: cluster.properties.clusterNameOverride ?? cluster.name,
      ulaPrefix: cluster.state.ulaPrefix,
      authentication: cluster.properties.authenticationMethod,
      adminPasswordHash: store.secrets.get(names.adminHash) ?? null,
      serviceRole,
      servicePassword,
      ...(cluster.properties.cassandraAuditLoggingEnabled && { auditLog: true }),
    },
    dataCenters: dataCentersOf(store, cluster.id)
      .filter((dataCenter) => dataCenter.provisioningState !== 'Deleting')
      .map((dataCenter) => operatorDataCenter(store, cluster, dataCenter)),
    ...openCommands(store, cluster),
    ...gateOf(store, cluster, settings),
  };
}

/** Names and the one address: the operator has no resolver. Absent until the gate has shown who it is. */
function gateOf(
  store: Reading,
  cluster: Cluster,
  settings: Pick<Settings, 'providerSubscription' | 'accounts'>,
): Pick<OperatorIntent, 'gate'> {
  const accounts = accountsFor(store, settings, cluster).map(({ name }) => name);
  const authority = cluster.state.gateAuthority;
  if (authority === undefined || accounts.length === 0 || !hasGate(store)) return {};
  const logs = logStore(settings.accounts, accounts, cluster, (account) => logRight(store, account));
  const metrics = metricsStore(settings.accounts, accounts, cluster);
  const { address } = platform.gate;
  return {
    gate: {
      ...{ address, port: ports.gate, authority, accounts },
      ...(logs && { logs }),
      ...(metrics && { metrics }),
    },
  };
}

/** Absent while there are none: what an operator has taken up before stays word for word. */
function openCommands(store: Reading, cluster: Cluster): { readonly commands?: OperatorCommand[] } {
  const commands = commandsOf(store, cluster.id)
    .filter(isOpen)
    .map(({ name, properties: { dataCenter, host, command, line } }) => ({
      id: name,
      dataCenter,
      host,
      command,
      arguments: [...line],
    }));
  return commands.length > 0 ? { commands } : {};
}

const operatorDataCenter = (
  store: Reading,
  cluster: Cluster,
  dataCenter: DataCenter,
): OperatorDataCenter => ({
  name: dataCenter.name,
  endpoint: { address: dataCenter.properties.endpointAddress, port: ports.wireguard },
  clients: [...clientPrefixes(store, networkOf(dataCenter.properties.subnetId))],
  nodes: dataCenter.state.nodes.map(({ name, address, rack, machine, leaving }) => ({
    name,
    address,
    rack,
    machine,
    ...(leaving === true && { leaving }),
  })),
  ...(cluster.state.deallocated?.wanted === true && { deallocated: true }),
  heapMegabytes: dataCenter.state.heapMegabytes,
  yamlFragment: readYamlFragment(dataCenter.properties.yamlFragment),
});

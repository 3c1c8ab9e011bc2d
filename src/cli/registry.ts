import { setup as setUpAz } from './az/setup.ts';
import { list as listBackups } from './cassandra-backup/list.ts';
import { show as showBackup } from './cassandra-backup/show.ts';
import { create as createCluster } from './cassandra-cluster/create.ts';
import { deallocate } from './cassandra-cluster/deallocate.ts';
import { deleteCluster } from './cassandra-cluster/delete.ts';
import { invokeCommand } from './cassandra-cluster/invoke-command.ts';
import { list as listClusters } from './cassandra-cluster/list.ts';
import { show as showCluster } from './cassandra-cluster/show.ts';
import { start as startCluster } from './cassandra-cluster/start.ts';
import { status as clusterStatus } from './cassandra-cluster/status.ts';
import { update as updateCluster } from './cassandra-cluster/update.ts';
import { list as listCommands } from './cassandra-command/list.ts';
import { show as showCommand } from './cassandra-command/show.ts';
import { create as createDataCenter } from './cassandra-data-center/create.ts';
import { deleteDataCenter } from './cassandra-data-center/delete.ts';
import { list as listDataCenters } from './cassandra-data-center/list.ts';
import { show as showDataCenter } from './cassandra-data-center/show.ts';
import { update as updateDataCenter } from './cassandra-data-center/update.ts';
import type { Command } from './command.ts';
import { connect } from './connect/connect.ts';
import { cql } from './cql/cql.ts';
import { why } from './network/why.ts';
import { show as showInterface } from './network-interface/show.ts';
import { create as createEndpoint } from './private-endpoint/create.ts';
import { deletePrivateEndpoint } from './private-endpoint/delete.ts';
import { list as listEndpoints } from './private-endpoint/list.ts';
import { show as showEndpoint } from './private-endpoint/show.ts';
import { approve } from './private-link-connection/approve.ts';
import { deleteConnection } from './private-link-connection/delete.ts';
import { list as listConnections } from './private-link-connection/list.ts';
import { reject } from './private-link-connection/reject.ts';
import { show as showConnection } from './private-link-connection/show.ts';
import { quickstart } from './quickstart/quickstart.ts';
import { create as createGroup } from './resource-group/create.ts';
import { deleteGroup } from './resource-group/delete.ts';
import { list as listGroups } from './resource-group/list.ts';
import { show as showGroup } from './resource-group/show.ts';
import { install as installServices } from './services/install.ts';
import { down } from './stack/down.ts';
import { env } from './stack/env.ts';
import { logs } from './stack/logs.ts';
import { status } from './stack/status.ts';
import { up } from './stack/up.ts';
import { create as createSubnet } from './subnet/create.ts';
import { deleteSubnet } from './subnet/delete.ts';
import { list as listSubnets } from './subnet/list.ts';
import { show as showSubnet } from './subnet/show.ts';
import { test } from './checks/test.ts';
import { verify } from './verify/verify.ts';
import { create as createNetwork } from './virtual-network/create.ts';
import { deleteVirtualNetwork } from './virtual-network/delete.ts';
import { list as listNetworks } from './virtual-network/list.ts';
import { show as showNetwork } from './virtual-network/show.ts';

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [
  quickstart,
  up,
  status,
  verify,
  cql,
  connect,
  logs,
  env,
  setUpAz,
  installServices,
  down,
  test,
  createGroup,
  showGroup,
  listGroups,
  deleteGroup,
  createNetwork,
  showNetwork,
  listNetworks,
  deleteVirtualNetwork,
  createSubnet,
  showSubnet,
  listSubnets,
  deleteSubnet,
  createEndpoint,
  showEndpoint,
  listEndpoints,
  deletePrivateEndpoint,
  listConnections,
  showConnection,
  approve,
  reject,
  deleteConnection,
  showInterface,
  why,
  createCluster,
  showCluster,
  listClusters,
  clusterStatus,
  updateCluster,
  deallocate,
  startCluster,
  invokeCommand,
  listCommands,
  showCommand,
  listBackups,
  showBackup,
  deleteCluster,
  createDataCenter,
  showDataCenter,
  listDataCenters,
  updateDataCenter,
  deleteDataCenter,
];

import type { AnyKind } from '../arm/kind.ts';
import { backupKind } from './cassandra-backup/kind.ts';
import { applicationSecurityGroupKind } from './application-security-group/kind.ts';
import { clusterKind } from './cassandra-cluster/kind.ts';
import { commandKind } from './cassandra-command/kind.ts';
import { dataCenterKind } from './cassandra-data-center/kind.ts';
import { networkInterfaceKind } from './network-interface/kind.ts';
import { networkSecurityGroupKind } from './network-security-group/kind.ts';
import { networkWatcherKind } from './network-watcher/kind.ts';
import { privateEndpointKind } from './private-endpoint/kind.ts';
import { privateLinkConnectionKind } from './private-link-connection/kind.ts';
import { privateLinkServiceKind } from './private-link-service/kind.ts';
import { routeTableKind } from './route-table/kind.ts';
import { routeKind } from './route/kind.ts';
import { securityRuleKind } from './security-rule/kind.ts';
import { serviceEndpointPolicyDefinitionKind } from './service-endpoint-policy-definition/kind.ts';
import { serviceEndpointPolicyKind } from './service-endpoint-policy/kind.ts';
import { subnetKind } from './subnet/kind.ts';
import { virtualMachineKind } from './virtual-machine/kind.ts';
import { virtualNetworkPeeringKind } from './virtual-network-peering/kind.ts';
import { virtualNetworkKind } from './virtual-network/kind.ts';

/** Every kind there is. Routes, docs and tests are made by walking it. */
export const kinds: readonly AnyKind[] = [
  virtualNetworkKind,
  subnetKind,
  virtualNetworkPeeringKind,
  networkSecurityGroupKind,
  securityRuleKind,
  applicationSecurityGroupKind,
  serviceEndpointPolicyKind,
  serviceEndpointPolicyDefinitionKind,
  routeTableKind,
  routeKind,
  networkWatcherKind,
  virtualMachineKind,
  networkInterfaceKind,
  privateEndpointKind,
  privateLinkServiceKind,
  privateLinkConnectionKind,
  clusterKind,
  dataCenterKind,
  commandKind,
  backupKind,
];

import type { AnyKind } from '../arm/kind.ts';
import { backupKind } from './cassandra-backup/kind.ts';
import { clusterKind } from './cassandra-cluster/kind.ts';
import { commandKind } from './cassandra-command/kind.ts';
import { dataCenterKind } from './cassandra-data-center/kind.ts';
import { networkInterfaceKind } from './network-interface/kind.ts';
import { privateEndpointKind } from './private-endpoint/kind.ts';
import { privateLinkConnectionKind } from './private-link-connection/kind.ts';
import { privateLinkServiceKind } from './private-link-service/kind.ts';
import { subnetKind } from './subnet/kind.ts';
import { virtualNetworkKind } from './virtual-network/kind.ts';

/** Every kind there is. Routes, docs and tests are made by walking it. */
export const kinds: readonly AnyKind[] = [
  virtualNetworkKind,
  subnetKind,
  networkInterfaceKind,
  privateEndpointKind,
  privateLinkServiceKind,
  privateLinkConnectionKind,
  clusterKind,
  dataCenterKind,
  commandKind,
  backupKind,
];

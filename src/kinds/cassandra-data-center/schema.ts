import type { LdapProperties } from './ldap.ts';
import type { Waiting } from '../waiting.ts';
import type { Resource } from '../../store/resource.ts';

export const dataCenterType = 'Microsoft.DocumentDB/cassandraClusters/dataCenters';

export interface DataCenterProperties {
  readonly location: string;
  readonly subnetId: string;
  readonly nodeCount: number;
  readonly endpointAddress: string;
  /** The fragment in base64, as sent. */
  readonly yamlFragment: string;
  readonly sku: string;
  readonly diskSku: string;
  readonly diskCapacity: number;
  readonly availabilityZone: boolean;
  /** Always null: refused otherwise. */
  readonly managedDiskCustomerKeyUri: string | null;
  readonly backupStorageCustomerKeyUri: string | null;
  readonly ldap: LdapProperties | null;
}

export interface DataCenterNode {
  /** `dc1-1`: unique in the cluster, and the name in its certificates. */
  readonly name: string;
  readonly address: string;
  readonly rack: string;
  /** Unique for good: what the fabric calls the machine, and with it its disk. */
  readonly machine: string;
  readonly interfaceId: string;
  /** It has its certificates: its join file is no longer anywhere. */
  readonly enrolled: boolean;
  /** It shall leave the ring; it stays here until its operator says that it has. */
  readonly leaving?: boolean;
}

export interface DataCenterState {
  /** ARM id of the private endpoint its nodes dial. */
  readonly endpointId: string;
  readonly heapMegabytes: number;
  readonly nodes: readonly DataCenterNode[];
  /** The highest number a node was ever named with; left out: as many as there are. */
  readonly lastNumber?: number;
  /** True from the first time on that its operator said ready: CQL is let in. */
  readonly ready: boolean;
  /** Being deleted, and its operator has let go of its nodes. */
  readonly retired: boolean;
  readonly waiting: Waiting | null;
  /** People's keyspaces whose replication named it when its operator last knew; left out: it never did. */
  readonly keyspaces?: readonly string[];
}

/** The first node of each rack that stays, at most three. */
export const seedsOf = (state: DataCenterState): readonly DataCenterNode[] => {
  const racks = new Set<string>();
  return state.nodes
    .filter((node) => node.leaving !== true && !racks.has(node.rack) && racks.add(node.rack))
    .slice(0, 3);
};

export const joinSecret = (clusterIdentity: string, node: string): string =>
  `cluster/${clusterIdentity}/join/${node}`;

export type DataCenter = Resource<DataCenterProperties, DataCenterState>;

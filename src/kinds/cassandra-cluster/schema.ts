import type { Waiting } from '../waiting.ts';
import type { Resource } from '../../store/resource.ts';

export const clusterType = 'Microsoft.DocumentDB/cassandraClusters';

export interface ClusterProperties {
  readonly azureConnectionMethod: 'VPN';
  readonly cassandraVersion: '5.0';
  readonly clusterNameOverride: string | null;
  readonly authenticationMethod: 'Cassandra' | 'None';
  readonly delegatedManagementSubnetId: string | null;
  readonly repairEnabled: boolean;
  readonly clusterType: 'Production' | 'NonProduction';
  readonly scheduledEventStrategy: 'Ignore' | 'StopAny' | 'StopByRack';
}

export interface ClusterState {
  /** Unique for good: names the cluster in certificates, and its operator to control. */
  readonly identity: string;
  /** Its own random /48: `fd12:3456:789a::/48`. */
  readonly ulaPrefix: string;
  readonly linkServiceId: string;
  readonly alias: string;
  readonly operator: { readonly machine: string; readonly address: string; readonly admitted: boolean };
  /** PEM certificates as its operator reported them; null before. */
  readonly authorities: { readonly internode: string; readonly client: string } | null;
  readonly waiting: Waiting | null;
}

/** The role by which the service itself logs in; the customer may change theirs at will. */
export const serviceRole = 'sallyport';

export const clusterSecrets = (identity: string) => ({
  adminHash: `cluster/${identity}/admin-hash`,
  servicePassword: `cluster/${identity}/service-password`,
  operatorToken: `cluster/${identity}/operator-token`,
});

export type Cluster = Resource<ClusterProperties, ClusterState>;

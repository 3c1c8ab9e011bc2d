import type { Waiting } from '../waiting.ts';
import type { PemCertificate } from '../certificates.ts';
import type { BackupSchedule } from './backup-schedules.ts';
import type { Resource } from '../../store/resource.ts';

export const clusterType = 'Microsoft.DocumentDB/cassandraClusters';

export interface ClusterProperties {
  readonly azureConnectionMethod: 'VPN';
  readonly cassandraVersion: '5.0';
  readonly clusterNameOverride: string | null;
  readonly authenticationMethod: 'Cassandra' | 'None';
  readonly delegatedManagementSubnetId: string | null;
  readonly repairEnabled: boolean;
  readonly autoReplicate: 'None' | 'SystemKeyspaces' | 'AllKeyspaces';
  readonly clusterType: 'Production' | 'NonProduction';
  readonly scheduledEventStrategy: 'Ignore' | 'StopAny' | 'StopByRack';
  readonly clientCertificates: readonly PemCertificate[];
  readonly externalGossipCertificates: readonly PemCertificate[];
  readonly externalSeedNodes: readonly { readonly ipAddress: string }[];
  readonly externalDataCenters: readonly string[];
  readonly hoursBetweenBackups: number;
  readonly backupSchedules: readonly BackupSchedule[];
  readonly backupRetentionPeriodInHours: number;
  readonly cassandraAuditLoggingEnabled: boolean;
  readonly extensions: readonly string[];
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
  /** PEM: signs what the gate shows this cluster's operator. Left out: the gate has not said it. */
  readonly gateAuthority?: string;
  /** Whether its nodes shall be stopped, and whether they are. Left out: neither. */
  readonly deallocated?: { readonly wanted: boolean; readonly observed: boolean };
  /** The object id of its identity, once it had one: kept for good, so that it means one and the same cluster. */
  readonly principalId?: string;
}

/** The role by which the service itself logs in; the customer may change theirs at will. */
export const serviceRole = 'sallyport';

export const clusterSecrets = (identity: string) => ({
  adminHash: `cluster/${identity}/admin-hash`,
  servicePassword: `cluster/${identity}/service-password`,
  operatorToken: `cluster/${identity}/operator-token`,
});

export type Cluster = Resource<ClusterProperties, ClusterState>;

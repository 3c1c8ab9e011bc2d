import { ArmError } from '../../arm/errors.ts';
import type { Fields } from '../fields.ts';
import { idOf, keep, keepForNow } from '../rules.ts';
import { subnetType } from '../subnet/schema.ts';
import type { ClusterProperties } from './schema.ts';

/** The properties that a body asks for, over what is stored; without the password. */
export function readCluster(body: Fields, now: ClusterProperties | undefined): ClusterProperties {
  refuseNotYet(body);
  const method =
    body.choice('azureConnectionMethod', ['None', 'VPN']) ?? now?.azureConnectionMethod ?? 'None';
  if (method === 'None') {
    throw new ArmError(
      now ? 'PropertyChangeNotAllowed' : 'NotYetSupported',
      now
        ? "properties.azureConnectionMethod is VPN and can't become None: the nodes have no other way to their operator."
        : "properties.azureConnectionMethod None (the operator inside the customer's network) is not there yet. Send VPN " +
            '(--azure-connection-method VPN): nodes then reach their operator by a private endpoint only.',
      { target: 'properties.azureConnectionMethod' },
    );
  }
  const override = body.text('clusterNameOverride', { max: 100 });
  if (override !== undefined && !/^[\p{L}\p{N} ._-]*$/u.test(override)) {
    return body.fail(
      'clusterNameOverride',
      'may hold letters, digits, spaces, dots, underscores and hyphens only.',
    );
  }
  const managementSubnet = body.text('delegatedManagementSubnetId');
  const asked = {
    clusterNameOverride: override || undefined,
    authenticationMethod: readAuthentication(body),
    delegatedManagementSubnetId:
      managementSubnet && idOf('properties.delegatedManagementSubnetId', managementSubnet, subnetType).text,
  };
  return {
    azureConnectionMethod: 'VPN',
    cassandraVersion: readVersion(body),
    clusterNameOverride: now
      ? keep('clusterNameOverride', now.clusterNameOverride, asked.clusterNameOverride)
      : (asked.clusterNameOverride ?? null),
    authenticationMethod: now
      ? keepForNow('authenticationMethod', now.authenticationMethod, asked.authenticationMethod)
      : (asked.authenticationMethod ?? 'Cassandra'),
    delegatedManagementSubnetId: now
      ? keep(
          'delegatedManagementSubnetId',
          now.delegatedManagementSubnetId,
          asked.delegatedManagementSubnetId || undefined,
        )
      : (asked.delegatedManagementSubnetId ?? null),
    repairEnabled: body.flag('repairEnabled') ?? now?.repairEnabled ?? true,
    clusterType:
      body.choice('clusterType', ['Production', 'NonProduction']) ?? now?.clusterType ?? 'Production',
    scheduledEventStrategy:
      body.choice('scheduledEventStrategy', ['Ignore', 'StopAny', 'StopByRack']) ??
      now?.scheduledEventStrategy ??
      'Ignore',
  };
}

/** Refused rather than recorded: what says Succeeded here is in force. */
function refuseNotYet(body: Fields): void {
  const later = 'comes with a later version; leave it out.';
  body.notYet('restoreFromBackupId', `restoring a backup ${later}`);
  body.notYet('clientCertificates', `requiring certificates of clients ${later}`);
  body.notYet('externalGossipCertificates', `a ring with nodes that are not managed here ${later}`);
  body.notYet('externalSeedNodes', `a ring with nodes that are not managed here ${later}`);
  body.notYet('externalDataCenters', `a ring with data centres that are not managed here ${later}`);
  body.notYet('hoursBetweenBackups', `backups come with a later version; leave it out, or send 0.`);
  body.notYet('backupSchedules', `backups come with a later version; leave it out.`);
  body.notYet('cassandraAuditLoggingEnabled', `audit logging ${later}`);
  body.notYet('extensions', `extensions of Cassandra come with a later version; leave it out.`);
  body.notYet('deallocated', 'it is set by the service; deallocating comes with a later version.');
  const replicate = body.choice('autoReplicate', ['None', 'SystemKeyspaces', 'AllKeyspaces']) ?? 'None';
  if (replicate !== 'None') body.notYet('autoReplicate', `replicating keyspaces automatically ${later}`);
}

function readVersion(body: Fields): '5.0' {
  const version = body.text('cassandraVersion') ?? '5.0';
  if (version === '5.0') return version;
  throw new ArmError(
    'NotYetSupported',
    `properties.cassandraVersion '${version}' is not there yet: this version runs 5.0. Send 5.0, or leave it out.`,
    {
      target: 'properties.cassandraVersion',
    },
  );
}

function readAuthentication(body: Fields): 'Cassandra' | 'None' | undefined {
  const method = body.choice('authenticationMethod', ['Cassandra', 'None', 'Ldap']);
  if (method !== 'Ldap') return method;
  throw new ArmError(
    'NotYetSupported',
    'properties.authenticationMethod Ldap is not there yet. Send Cassandra, or leave it out.',
    {
      target: 'properties.authenticationMethod',
    },
  );
}

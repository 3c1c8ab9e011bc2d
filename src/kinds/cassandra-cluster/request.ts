import { ArmError } from '../../arm/errors.ts';
import type { JsonObject } from '../../store/resource.ts';
import { fields, type Fields } from '../fields.ts';
import { complete, knownNames, readProperties, wireNames } from '../property.ts';
import { clusterProperties, otherClusterProperties } from './properties.ts';
import type { Cluster, ClusterProperties } from './schema.ts';

const names = [...wireNames(clusterProperties), ...Object.keys(otherClusterProperties)];

export interface ReadCluster {
  readonly body: Fields;
  /** What is asked for over what is stored; without the password. */
  readonly properties: ClusterProperties;
}

export function readCluster(sent: JsonObject, existing: Cluster | undefined): ReadCluster {
  const body = fields(knownNames(sent, names));
  checkBackup(body, existing);
  checkDeallocated(body, existing);
  const now = existing && complete(clusterProperties, existing.properties);
  return { body, properties: readProperties(clusterProperties, body, now) };
}

function checkBackup(body: Fields, existing: Cluster | undefined): void {
  const backup = body.text('restoreFromBackupId', { max: 2_000 });
  if (!backup) return;
  const target = 'properties.restoreFromBackupId';
  if (existing) {
    throw new ArmError(
      'PropertyChangeNotAllowed',
      `${target} is for creation: a backup is restored into a new cluster.`,
      { target },
    );
  }
  throw new ArmError(
    'BackupNotFound',
    `${target}: there is no backup '${backup.slice(0, 200)}'. No backups are made in this version; leave it out to create an empty cluster.`,
    { target },
  );
}

/** Set by the service; clients send back what they read, and that may be said. */
function checkDeallocated(body: Fields, existing: Cluster | undefined): void {
  const said = body.flag('deallocated');
  if (said === undefined || said === (existing?.state.deallocated?.observed ?? false)) return;
  body.fail(
    'deallocated',
    `is ${String(!said)}, and is set by the service. Use POST …/${said ? 'deallocate' : 'start'} instead, or leave it out.`,
  );
}

/** What can be asked of a cluster, property by property (contract §1.4). */
import { isIPv4 } from 'node:net';
import { ArmError } from '../../arm/errors.ts';
import { sameId } from '../../arm/id.ts';
import { readCertificates } from '../certificates.ts';
import type { Fields } from '../fields.ts';
import type { OtherProperty, PropertyTable } from '../property.ts';
import { idOf } from '../rules.ts';
import { subnetType } from '../subnet/schema.ts';
import { readSchedules, usualSchedules } from './backup-schedules.ts';
import type { ClusterProperties } from './schema.ts';

const recorded = 'Stored and shown; not in force in this version';
const notYet = (name: string, sentence: string): never => {
  throw new ArmError('NotYetSupported', `properties.${name}${sentence}`, { target: `properties.${name}` });
};
const some = (list: readonly unknown[]): boolean => list.length > 0;
const laterVersions = ['3.11', '4.0', '4.1'];

export const clusterProperties: PropertyTable<ClusterProperties> = {
  azureConnectionMethod: {
    rule: 'create',
    meaning: 'VPN. None (the default elsewhere: an operator inside your network) is not there yet.',
    initial: 'VPN',
    read(body, now) {
      if ((body.choice('azureConnectionMethod', ['None', 'VPN']) ?? now ?? 'None') === 'VPN') return 'VPN';
      if (!now) {
        notYet(
          'azureConnectionMethod',
          " None (the operator inside the customer's network) is not there yet. Send VPN " +
            '(--azure-connection-method VPN): nodes then reach their operator by a private endpoint only.',
        );
      }
      throw new ArmError(
        'PropertyChangeNotAllowed',
        "properties.azureConnectionMethod is VPN and can't become None: the nodes have no other way to their operator.",
        { target: 'properties.azureConnectionMethod' },
      );
    },
  },
  cassandraVersion: {
    rule: 'update',
    meaning: '5.0, which is the default. 3.11, 4.0 and 4.1 are not there yet.',
    initial: '5.0',
    read(body) {
      const version = body.text('cassandraVersion');
      if (version === undefined || version === '5.0') return version;
      if (!laterVersions.includes(version)) {
        return body.fail(
          'cassandraVersion',
          `is '${version}'; it must be one of ${laterVersions.join(', ')}, 5.0.`,
        );
      }
      return notYet(
        'cassandraVersion',
        ` '${version}' is not there yet: this version runs 5.0. Send 5.0, or leave it out.`,
      );
    },
  },
  clusterNameOverride: {
    rule: 'create',
    meaning:
      "Cassandra's own cluster_name, where it isn't the resource's name: letters, digits, spaces, dots, underscores, hyphens.",
    initial: null,
    read(body) {
      const name = body.text('clusterNameOverride', { max: 100 });
      if (name === undefined || /^[\p{L}\p{N} ._-]*$/u.test(name)) return name || undefined;
      return body.fail(
        'clusterNameOverride',
        'may hold letters, digits, spaces, dots, underscores and hyphens only.',
      );
    },
  },
  authenticationMethod: {
    rule: 'update',
    meaning: 'Cassandra (default) or None; changing it later, and Ldap, are not there yet.',
    initial: 'Cassandra',
    read(body, now) {
      const method = body.choice('authenticationMethod', ['Cassandra', 'None', 'Ldap']);
      if (method === 'Ldap')
        return notYet('authenticationMethod', ' Ldap is not there yet. Send Cassandra, or leave it out.');
      if (method === undefined || now === undefined || method === now) return method;
      return notYet(
        'authenticationMethod',
        ` is ${now}; changing it to ${method} comes with a later version.`,
      );
    },
  },
  delegatedManagementSubnetId: {
    rule: 'create',
    meaning: 'Kept as sent; not used with VPN.',
    initial: null,
    same: (a, b) => (a === null || b === null ? a === b : sameId(a, b)),
    read(body) {
      const id = body.text('delegatedManagementSubnetId');
      return id ? idOf('properties.delegatedManagementSubnetId', id, subnetType).text : undefined;
    },
  },
  repairEnabled: {
    rule: 'update',
    meaning: `true by default. ${recorded}: nothing schedules repairs yet, and \`status\` says so (\`reaperStatus.healthy\` false).`,
    initial: true,
    read: (body) => body.flag('repairEnabled'),
    recordedOnly: (enabled) => enabled,
  },
  autoReplicate: {
    rule: 'update',
    meaning: `None (default), SystemKeyspaces or AllKeyspaces. ${recorded}: replication is yours to set, by ALTER KEYSPACE.`,
    initial: 'None',
    read: (body) => body.choice('autoReplicate', ['None', 'SystemKeyspaces', 'AllKeyspaces']),
    recordedOnly: (form) => form !== 'None',
  },
  clusterType: {
    rule: 'update',
    meaning: 'Production (default) or NonProduction, which can be deallocated.',
    initial: 'Production',
    read: (body) => body.choice('clusterType', ['Production', 'NonProduction']),
  },
  scheduledEventStrategy: {
    rule: 'update',
    meaning: 'Ignore (default), StopAny or StopByRack. Stored and shown; there are no scheduled events here.',
    initial: 'Ignore',
    read: (body) => body.choice('scheduledEventStrategy', ['Ignore', 'StopAny', 'StopByRack']),
  },
  clientCertificates: {
    rule: 'update',
    meaning:
      'Certificates (PEM) that clients must have. Refused unless it is empty: a cluster that shows them and lets in anybody else would be worse than none.',
    initial: [],
    read(body) {
      const certificates = readCertificates(body, 'clientCertificates');
      if (!certificates?.length) return certificates;
      return notYet(
        'clientCertificates',
        ': requiring certificates of clients comes with a later version; leave it out.',
      );
    },
  },
  externalGossipCertificates: {
    rule: 'update',
    meaning: `Certificates (PEM) of a ring's nodes that are not managed here. ${recorded}: nobody is trusted by them.`,
    initial: [],
    read: (body) => readCertificates(body, 'externalGossipCertificates'),
    recordedOnly: some,
  },
  externalSeedNodes: {
    rule: 'update',
    meaning: `Seeds that are not managed here, as \`{"ipAddress"}\`, IPv4. ${recorded}.`,
    initial: [],
    read: (body) =>
      body.objects('externalSeedNodes')?.map((item) => {
        const ipAddress = item.text('ipAddress') ?? item.fail('ipAddress', 'is missing.');
        return isIPv4(ipAddress)
          ? { ipAddress }
          : item.fail('ipAddress', `is '${ipAddress}', which is no IPv4 address.`);
      }),
    recordedOnly: some,
  },
  externalDataCenters: {
    rule: 'update',
    meaning: `Names of data centres that are not managed here, for automatic replication. ${recorded}.`,
    initial: [],
    read: readNames,
    recordedOnly: some,
  },
  hoursBetweenBackups: {
    rule: 'update',
    meaning: `0 (default) to 720; deprecated for \`backupSchedules\`. ${recorded}.`,
    initial: 0,
    read: (body) => body.integer('hoursBetweenBackups', { min: 0, max: 720 }),
    recordedOnly: (hours) => hours > 0,
  },
  backupSchedules: {
    rule: 'update',
    meaning:
      'A list of `{"scheduleName", "cronExpression", "retentionInHours"}`: five cron fields in UTC, retention 0 for ever; by default one at 02:00, kept 48 h. ' +
      `${recorded}: **no backup is made yet**, and the list of backups is empty.`,
    initial: usualSchedules,
    read: readSchedules,
    recordedOnly: some,
  },
  backupRetentionPeriodInHours: {
    rule: 'update',
    meaning: `24 by default. ${recorded}.`,
    initial: 24,
    read: (body) => body.integer('backupRetentionPeriodInHours', { min: 0, max: 876_000 }),
    recordedOnly: (hours) => hours !== 24,
  },
  cassandraAuditLoggingEnabled: {
    rule: 'update',
    meaning:
      'false by default. true: each node records logins, refusals, and changes of roles, rights and tables, and sends them where its logs go (category CassandraAudit; docs/operate/logs.md). It needs no restart.',
    initial: false,
    read: (body) => body.flag('cassandraAuditLoggingEnabled'),
  },
  extensions: {
    rule: 'update',
    meaning: `A list; the one extension there is is cassandra-lucene-index. ${recorded}: an index of it is refused by Cassandra itself.`,
    initial: [],
    read(body) {
      const names = body.texts('extensions');
      const unknown = names?.find((name) => name !== 'cassandra-lucene-index');
      if (unknown !== undefined)
        return body.fail(
          'extensions',
          `names '${unknown.slice(0, 100)}'; the one extension there is is cassandra-lucene-index.`,
        );
      return names && [...new Set(names)];
    },
    recordedOnly: some,
  },
};

export const otherClusterProperties: Readonly<Record<string, OtherProperty>> = {
  provisioningState: {
    by: 'service',
    meaning: 'Succeeded: its operator has enrolled, listens, and has taken up what was asked for.',
  },
  provisionError: {
    by: 'service',
    meaning: 'Why it failed, or what has been waited for for more than 20 s.',
  },
  waitingFor: { by: 'service', meaning: 'What it waits for, in words; absent when nothing.' },
  notInForce: {
    by: 'service',
    meaning: 'Names of the properties whose values are stored and shown, and have no effect in this version.',
  },
  initialCassandraAdminPassword: {
    by: 'you, once, never shown',
    meaning:
      'Password of the role `cassandra`: 1 to 72 bytes of UTF-8 without NUL; only its bcrypt hash is kept. Sent again, it must be the same. Required unless `authenticationMethod` is None.',
  },
  restoreFromBackupId: {
    by: 'you, once, never shown',
    meaning:
      'The id of a backup to restore. There are no backups yet: any value is refused with `BackupNotFound`.',
  },
  privateLinkResourceId: { by: 'service', meaning: 'What a private endpoint connects to.' },
  privateLinkAutoApproveSubscriptions: {
    by: 'provider',
    meaning:
      "Subscriptions whose connections are approved at once. Adding one takes the right to approve; taking one out doesn't.",
  },
  gossipCertificates: { by: 'service', meaning: "The authority of the ring's certificates, PEM." },
  clientCertificateAuthorities: {
    by: 'service',
    meaning:
      "The authority of the nodes' CQL certificates, PEM: what a driver trusts, and who asks for metrics.",
  },
  seedNodes: { by: 'service', meaning: 'The first node of each rack of each data centre.' },
  prometheusEndpoint: {
    by: 'service',
    meaning:
      'Empty: with the VPN connection method nothing of the service stands in the network. Each node exports its metrics at TCP 9443.',
  },
  deallocated: {
    by: 'service',
    meaning:
      "true once Cassandra is stopped on every node by `…/deallocate`; `…/start` brings it back. It can't be written.",
  },
  diagnosticSettingsId: {
    by: 'service',
    meaning: "The cluster's id in capitals, as the service elsewhere has it.",
  },
};

const mostNames = 50;

function readNames(body: Fields): readonly string[] | undefined {
  const names = body.texts('externalDataCenters');
  const wrong = names?.find((name) => !/^[A-Za-z0-9_.-]{1,100}$/.test(name));
  if (wrong !== undefined)
    return body.fail(
      'externalDataCenters',
      `names '${wrong.slice(0, 100)}', which is no name of a data centre.`,
    );
  if (names && names.length > mostNames)
    return body.fail('externalDataCenters', `has ${names.length} names; at most ${mostNames} are allowed.`);
  return names && [...new Set(names)];
}

import { putResource } from '../arm/operation.ts';
import { cluster, group, noWait, tags } from '../arm/options.ts';
import { target } from '../arm/target.ts';
import { defineCommand } from '../command.ts';
import { readCertificates } from './certificates.ts';
import { changeable } from './options.ts';

export const create = defineCommand({
  path: 'managed-cassandra cluster create',
  summary: 'Create a cluster: its operator, its authorities and its private link service.',
  examples: [
    'managed-cassandra cluster create --cluster-name "vpn-test-cluster" --resource-group "vpn-test-rg" --location "eastus2" --azure-connection-method "VPN" --initial-cassandra-admin-password @password-file',
  ],
  options: {
    cluster: { ...cluster, required: true },
    group,
    location: { kind: 'text', flags: ['-l', '--location'], help: 'Region.', required: true },
    connectionMethod: {
      kind: 'text',
      flags: ['--azure-connection-method'],
      choices: ['None', 'VPN'],
      help: 'How the service reaches the nodes. VPN: through one private endpoint.',
    },
    password: {
      kind: 'secret',
      flags: ['-i', '--initial-cassandra-admin-password'],
      help: 'Password of the role cassandra: @FILE or - keep it out of the argument list.',
    },
    subnet: {
      kind: 'text',
      flags: ['-s', '--delegated-management-subnet-id'],
      help: 'Subnet of the operator; not with VPN.',
    },
    version: { kind: 'text', flags: ['--cassandra-version'], help: 'Version of Cassandra.' },
    authentication: { kind: 'text', flags: ['--authentication-method'], help: 'None or Cassandra.' },
    clientCertificates: {
      kind: 'list',
      flags: ['--client-certificates'],
      help: 'PEM, or files of it, that clients must bear.',
    },
    nameOverride: {
      kind: 'text',
      flags: ['--cluster-name-override'],
      help: 'cluster_name where it is no legal resource name.',
    },
    restore: { kind: 'text', flags: ['--restore-from-backup-id'], help: 'Id of a backup to begin with.' },
    ...changeable,
    tags,
    noWait,
  },
  async run(cx, options) {
    const client = await cx.arm();
    const properties = {
      azureConnectionMethod: options.connectionMethod,
      initialCassandraAdminPassword: options.password,
      delegatedManagementSubnetId: options.subnet,
      cassandraVersion: options.version,
      authenticationMethod: options.authentication,
      privateLinkAutoApproveSubscriptions: options.autoApprove,
      externalGossipCertificates:
        options.gossipCertificates && (await readCertificates(options.gossipCertificates)),
      externalSeedNodes: options.seeds?.map((ipAddress) => ({ ipAddress })),
      clientCertificates: options.clientCertificates && (await readCertificates(options.clientCertificates)),
      clusterNameOverride: options.nameOverride,
      hoursBetweenBackups: options.backupHours,
      repairEnabled: options.repair,
      cassandraAuditLoggingEnabled: options.audit,
      restoreFromBackupId: options.restore,
      clusterType: options.clusterType,
    };
    const body = {
      location: options.location,
      tags: options.tags,
      identity: { type: options.identity ?? 'None' },
      properties,
    };
    const id = target(client, options.group, 'Microsoft.DocumentDB/cassandraClusters', options.cluster);
    return {
      value: await putResource(client, body, {
        what: `cluster ${options.cluster}`,
        id,
        progress: cx.progress,
        noWait: options.noWait,
      }),
    };
  },
});

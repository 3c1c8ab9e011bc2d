import { patchResource } from '../arm/operation.ts';
import { cluster, group, noWait, tags } from '../arm/options.ts';
import { target } from '../arm/target.ts';
import { defineCommand } from '../command.ts';
import { readCertificates } from './certificates.ts';
import { changeable } from './options.ts';

export const update = defineCommand({
  path: 'managed-cassandra cluster update',
  summary: 'Change a cluster; what is left out stays as it is.',
  examples: [
    'managed-cassandra cluster update -g vpn-test-rg -c vpn-test-cluster --cluster-type NonProduction',
  ],
  options: {
    cluster: { ...cluster, required: true },
    group,
    events: {
      kind: 'text',
      flags: ['--scheduled-event-strategy'],
      choices: ['Ignore', 'StopAny', 'StopByRack'],
      help: 'What to do before scheduled events.',
    },
    replicate: {
      kind: 'text',
      flags: ['--auto-replicate'],
      choices: ['None', 'SystemKeyspaces', 'AllKeyspaces'],
      help: 'Which keyspaces reach unmanaged data centres by themselves.',
    },
    externalDataCenters: {
      kind: 'list',
      flags: ['--external-data-centers'],
      help: 'Names of unmanaged data centres.',
    },
    ...changeable,
    tags,
    noWait,
  },
  async run(cx, options) {
    const client = await cx.arm();
    const properties = {
      clusterType: options.clusterType,
      privateLinkAutoApproveSubscriptions: options.autoApprove,
      repairEnabled: options.repair,
      scheduledEventStrategy: options.events,
      autoReplicate: options.replicate,
      externalDataCenters: options.externalDataCenters,
      externalSeedNodes: options.seeds?.map((ipAddress) => ({ ipAddress })),
      externalGossipCertificates:
        options.gossipCertificates && (await readCertificates(options.gossipCertificates)),
      hoursBetweenBackups: options.backupHours,
      cassandraAuditLoggingEnabled: options.audit,
    };
    const body = {
      tags: options.tags,
      identity: options.identity && { type: options.identity },
      properties,
    };
    const id = target(client, options.group, 'Microsoft.DocumentDB/cassandraClusters', options.cluster);
    const what = `cluster ${options.cluster}`;
    return {
      value: await patchResource(client, body, { what, id, progress: cx.progress, noWait: options.noWait }),
    };
  },
});

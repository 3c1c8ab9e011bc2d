import type { OptionSpec } from '../command.ts';

/** What a cluster is made with and may be given later: options of `create` and of `update`, spelled as az spells them. */
export const changeable = {
  clusterType: {
    kind: 'text',
    flags: ['--cluster-type'],
    choices: ['Production', 'NonProduction'],
    help: 'NonProduction clusters can be deallocated.',
  },
  autoApprove: {
    kind: 'list',
    flags: ['--auto-approve-subscriptions'],
    help: 'Subscriptions whose private endpoints are approved at once.',
  },
  repair: { kind: 'boolean', flags: ['--repair-enabled'], help: 'Whether repairs run by themselves.' },
  audit: {
    kind: 'boolean',
    flags: ['--cassandra-audit-logging-enabled'],
    help: 'Whether nodes keep an audit log.',
  },
  seeds: {
    kind: 'list',
    flags: ['--external-seed-nodes'],
    help: 'Addresses of seed nodes in unmanaged data centres.',
  },
  gossipCertificates: {
    kind: 'list',
    flags: ['-e', '--external-gossip-certificates'],
    help: 'PEM, or files of it, that nodes trust for unmanaged data centres.',
  },
  backupHours: { kind: 'integer', flags: ['--hours-between-backups'], help: 'Hours between backups.' },
  identity: {
    kind: 'text',
    flags: ['--identity-type'],
    choices: ['None', 'SystemAssigned'],
    help: 'The cluster’s own identity.',
  },
} as const satisfies Readonly<Record<string, OptionSpec>>;

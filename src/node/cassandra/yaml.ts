import { parseDocument, stringify } from 'yaml';
import { UserError } from '../../lib/errors.ts';
import { ports } from '../../network/ports.ts';
import { auditOptions } from './audit.ts';

/** What cassandra.yaml is made from. Nothing in it is secret: keys lie in files of their own. */
export interface CassandraSettings {
  readonly clusterName: string;
  readonly identity: string;
  readonly address: string;
  readonly seeds: readonly string[];
  readonly tokens: readonly string[];
  readonly authentication: 'PasswordAuthenticator' | 'AllowAllAuthenticator';
  readonly startNativeTransport: boolean;
  /** Left out: none is written. */
  readonly auditLog?: boolean | undefined;
  readonly dataFolder: string;
  readonly certificatesFolder: string;
  readonly yamlFragment: string | null;
}

/**
 * Cassandra's class defaults are not those of the file it is shipped with (an unnamed `disk_failure_policy` is `ignore`),
 * so every key that safety rests on is named. `cassandra.test.ts` asks a running node what is in force.
 */
export const safetyKeys = {
  disk_failure_policy: 'stop',
  commit_failure_policy: 'stop',
  internode_encryption: 'all',
  client_encryption_optional: false,
  hinted_handoff_enabled: true,
  auto_snapshot: true,
  incremental_backups: false,
  user_defined_functions_enabled: false,
} as const;

export function cassandraYaml(settings: CassandraSettings): string {
  const made = baseSettings(settings);
  return stringify(settings.yamlFragment === null ? made : merge(made, parseFragment(settings.yamlFragment)));
}

function baseSettings(settings: CassandraSettings): Readonly<Record<string, unknown>> {
  const { address, dataFolder } = settings;
  const password = settings.authentication === 'PasswordAuthenticator';
  const preset = settings.tokens.length > 0;
  return {
    cluster_name: settings.clusterName,
    partitioner: 'org.apache.cassandra.dht.Murmur3Partitioner',
    num_tokens: preset ? settings.tokens.length : 16,
    ...(preset
      ? { initial_token: settings.tokens.join(',') }
      : { allocate_tokens_for_local_replication_factor: 3 }),
    auto_bootstrap: !preset,
    endpoint_snitch: 'GossipingPropertyFileSnitch',
    seed_provider: [
      {
        class_name: 'org.apache.cassandra.locator.SimpleSeedProvider',
        parameters: [{ seeds: settings.seeds.join(',') }],
      },
    ],
    listen_address: address,
    storage_port: ports.ring,
    rpc_address: address,
    native_transport_port: ports.cql,
    start_native_transport: settings.startNativeTransport,
    rpc_keepalive: true,

    authenticator: { class_name: settings.authentication },
    authorizer: { class_name: password ? 'CassandraAuthorizer' : 'AllowAllAuthorizer' },
    role_manager: { class_name: 'CassandraRoleManager' },
    roles_validity: '2000ms',
    permissions_validity: '2000ms',
    credentials_validity: '2000ms',
    audit_logging_options: auditOptions(settings.auditLog === true),
    ...encryption(settings),

    data_file_directories: [`${dataFolder}/data`],
    commitlog_directory: `${dataFolder}/commitlog`,
    hints_directory: `${dataFolder}/hints`,
    saved_caches_directory: `${dataFolder}/saved_caches`,
    cdc_raw_directory: `${dataFolder}/cdc_raw`,
    cdc_enabled: false,
    disk_failure_policy: safetyKeys.disk_failure_policy,
    commit_failure_policy: safetyKeys.commit_failure_policy,
    commitlog_sync: 'periodic',
    commitlog_sync_period: '10000ms',
    commitlog_segment_size: '32MiB',
    hinted_handoff_enabled: safetyKeys.hinted_handoff_enabled,
    max_hint_window: '3h',
    batchlog_replay_throttle: '1024KiB',
    auto_snapshot: safetyKeys.auto_snapshot,
    snapshot_before_compaction: false,
    incremental_backups: safetyKeys.incremental_backups,
    trickle_fsync: false,

    read_request_timeout: '5000ms',
    range_request_timeout: '10000ms',
    write_request_timeout: '2000ms',
    counter_write_request_timeout: '5000ms',
    cas_contention_timeout: '1800ms',
    truncate_request_timeout: '60000ms',
    request_timeout: '10000ms',
    slow_query_log_timeout: '500ms',
    tombstone_warn_threshold: 1000,
    tombstone_failure_threshold: 100_000,
    batch_size_warn_threshold: '5KiB',
    batch_size_fail_threshold: '50KiB',

    memtable_allocation_type: 'heap_buffers',
    row_cache_size: '0MiB',
    column_index_size: '4KiB',
    sstable_preemptive_open_interval: '50MiB',
    compaction_throughput: '64MiB/s',
    internode_compression: 'dc',
    dynamic_snitch_update_interval: '100ms',
    dynamic_snitch_reset_interval: '600000ms',
    dynamic_snitch_badness_threshold: 1.0,

    user_defined_functions_enabled: safetyKeys.user_defined_functions_enabled,
    materialized_views_enabled: false,
    sasi_indexes_enabled: false,
    transient_replication_enabled: false,
    drop_compact_storage_enabled: false,
    // As the shipped file has it: a ring of mixed versions stays possible.
    storage_compatibility_mode: 'CASSANDRA_4',
  };
}

/**
 * Both sides speak TLS only. `require_endpoint_verification` breaks a ring in 5.0.9, so membership is checked by the SPIFFE
 * identity in the certificate: one of the same authority without it can't join.
 */
function encryption({ identity, certificatesFolder }: CassandraSettings): Readonly<Record<string, unknown>> {
  const pem = { class_name: 'org.apache.cassandra.security.PEMBasedSslContextFactory' };
  const internode = {
    keystore: `${certificatesFolder}/internode.pem`,
    truststore: `${certificatesFolder}/internode-authority.pem`,
  };
  return {
    server_encryption_options: {
      internode_encryption: safetyKeys.internode_encryption,
      legacy_ssl_storage_port_enabled: false,
      optional: false,
      require_client_auth: true,
      require_endpoint_verification: false,
      accepted_protocols: ['TLSv1.3'],
      ssl_context_factory: pem,
      ...internode,
    },
    internode_authenticator: {
      class_name: 'org.apache.cassandra.auth.MutualTlsInternodeAuthenticator',
      parameters: {
        validator_class_name: 'org.apache.cassandra.auth.SpiffeCertificateValidator',
        trusted_peer_identities: identity,
        node_identity: identity,
      },
    },
    client_encryption_options: {
      enabled: true,
      optional: safetyKeys.client_encryption_optional,
      require_client_auth: false,
      accepted_protocols: ['TLSv1.2', 'TLSv1.3'],
      ssl_context_factory: pem,
      keystore: `${certificatesFolder}/client.pem`,
      truststore: `${certificatesFolder}/client-authority.pem`,
    },
  };
}

function parseFragment(text: string): Readonly<Record<string, unknown>> {
  const document = parseDocument(text);
  const value: unknown = document.errors.length > 0 ? undefined : document.toJS();
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    const why = document.errors[0]?.message ?? 'it is no mapping of keys';
    throw new UserError(
      'BadYamlFragment',
      `The cassandra.yaml fragment can't be read: ${why}`,
      'mend the fragment',
    );
  }
  return value as Record<string, unknown>;
}

/** The fragment's keys win; mappings are merged key by key. What may not be in one, control has refused. */
function merge(
  base: Readonly<Record<string, unknown>>,
  over: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const isMap = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = merged[key];
    merged[key] = isMap(before) && isMap(value) ? merge(before, value) : value;
  }
  return merged;
}

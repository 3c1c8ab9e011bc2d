import { parse } from 'yaml';
import { ArmError } from '../../arm/errors.ts';

const target = 'properties.base64EncodedCassandraYamlFragment';
const longest = 64 * 1024;

/** Managed Instance's own list (contract §3.6). */
const deniedByContract = [
  'audit_logging_options', 'authenticator', 'authorizer', 'autobootstrap', 'broadcast_address', 'cdc_raw_directory',
  'client_encryption_options', 'cluster_name', 'commitlog_directory', 'data_file_directories', 'endpoint_snitch',
  'hints_directory', 'initial_token', 'listen_address', 'listen_interface', 'native_transport_port',
  'native_transport_port_ssl', 'partitioner', 'role_manager', 'rpc_address', 'rpc_interface', 'saved_caches_directory',
  'seed_provider', 'server_encryption_options', 'ssl_storage_port', 'storage_port', 'transparent_data_encryption_options',
]; // prettier-ignore

/** What in Cassandra 5.0 would take the service's hand off a node, or let it run programs or write where it shouldn't. */
const deniedByUs = [
  'allocate_tokens_for_keyspace', 'allocate_tokens_for_local_replication_factor', 'allow_extra_insecure_udfs',
  'allow_insecure_udfs', 'auto_bootstrap', 'broadcast_rpc_address', 'cidr_authorizer', 'commit_failure_policy',
  'crypto_provider', 'disk_failure_policy', 'full_query_logging_options', 'heap_dump_path', 'internode_authenticator',
  'jmx_encryption_options', 'jmx_server_options', 'listen_interface_prefer_ipv6', 'listen_on_broadcast_address',
  'local_system_data_file_directory', 'metadata_directory', 'network_authorizer', 'num_tokens', 'rpc_interface_prefer_ipv6',
  'start_native_transport', 'startup_checks', 'user_defined_functions_threads_enabled',
]; // prettier-ignore

export const deniedKeys: ReadonlySet<string> = new Set([...deniedByContract, ...deniedByUs]);

/** The fragment as text, checked; null for an empty one. */
export function readYamlFragment(base64: string): string | null {
  if (base64.trim() === '') return null;
  if (base64.length > longest) fail(`has ${base64.length} characters; at most ${longest} are allowed.`);
  const compact = base64.replace(/\s/g, '');
  const bytes = Buffer.from(compact, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') !== compact.replace(/=+$/, '')) {
    fail('is not base64. Encode the fragment with: base64 -w0 FILE');
  }
  const text = bytes.toString('utf8');
  if (!Buffer.from(text).equals(bytes)) fail('is not UTF-8 once decoded.');
  const value = parseYaml(text);
  if (value === null || value === undefined) return null;
  if (typeof value !== 'object' || Array.isArray(value))
    fail('must be a mapping of keys to values once decoded.');
  // Cassandra reads `a.b: x` as b within a, and merges what stands under `<<` into the top.
  const denied = Object.keys(value as object).filter(
    (key) => key === '<<' || deniedKeys.has(key.split('.')[0]!.trim()),
  );
  if (denied.length > 0) {
    fail(
      `sets ${denied.join(', ')}, which ${denied.length > 1 ? 'are' : 'is'} the service's to set. Take ${denied.length > 1 ? 'them' : 'it'} out.`,
    );
  }
  return text;
}

function parseYaml(text: string): unknown {
  try {
    // No merge keys: a denied key must not come in through `<<`. No custom tags: the node reads plain values.
    return parse(text, { merge: false, schema: 'core', maxAliasCount: 0 });
  } catch (error) {
    return fail(
      `is not YAML once decoded: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`,
    );
  }
}

function fail(why: string): never {
  throw new ArmError('InvalidParameter', `${target} ${why}`, { target });
}

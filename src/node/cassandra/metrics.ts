/**
 * What of Cassandra is exported, as data: the exporter's configuration, the reference and the tests are made of this list. A
 * few that tell how a node does, not the thousands there are: each table of a customer's multiplies what is asked by table.
 *
 * Names are those that Azure Monitor has for a managed instance, where it has one; latencies are in microseconds, as there.
 */
export interface ExportedMetric {
  readonly name: string;
  readonly type: 'GAUGE' | 'COUNTER';
  readonly help: string;
  /** The MBean's properties after the domain, in the order in which Cassandra names them; `*` in a value matches any, and a
   *  property that has a label is any of those listed, or any at all. */
  readonly bean: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly attribute: string;
  /** True: Cassandra has it only once there was something to count. */
  readonly late?: boolean;
}

const domain = 'org.apache.cassandra.metrics';

const gauge = (
  name: string,
  help: string,
  bean: ExportedMetric['bean'],
  more: More = {},
): ExportedMetric => ({
  type: 'GAUGE',
  attribute: 'Value',
  ...{ name, help, bean },
  ...more,
});
const counter = (
  name: string,
  help: string,
  bean: ExportedMetric['bean'],
  more: More = {},
): ExportedMetric => ({
  type: 'COUNTER',
  attribute: 'Count',
  ...{ name, help, bean },
  ...more,
});
type More = Partial<Pick<ExportedMetric, 'attribute' | 'labels' | 'late'>>;

const percentiles = { p50: '50thPercentile', p95: '95thPercentile', p99: '99thPercentile' } as const;

/** Requests by kind. Cassandra counts each kind once more by consistency level: those are left out. */
const requests = (name: string): ExportedMetric['bean'] => ({
  type: 'ClientRequest',
  scope: 'Read|Write|RangeSlice|CASRead|CASWrite|ViewWrite',
  name,
});
const byRequest = { labels: { request_type: 'scope' } } as const;
const table = (name: string): ExportedMetric['bean'] => ({ type: 'Table', keyspace: '*', scope: '*', name });
const byTable = { labels: { keyspace: 'keyspace', table: 'scope' } } as const;
const pool = (name: string): ExportedMetric['bean'] => ({ type: 'ThreadPools', path: '*', scope: '*', name });
const byPool = { labels: { pool_type: 'path', pool_name: 'scope' } } as const;
const cache = (name: string): ExportedMetric['bean'] => ({ type: 'Cache', scope: '*', name });
const byCache = { labels: { cache_name: 'scope' } } as const;

export const exportedMetrics: readonly ExportedMetric[] = [
  ...Object.entries(percentiles).map(([short, attribute]) =>
    gauge(
      `cassandra_client_request_latency_${short}`,
      `Microseconds within which ${attribute.slice(0, 2)} of 100 requests were answered by this coordinator`,
      requests('Latency'),
      { ...byRequest, attribute },
    ),
  ),
  counter(
    'cassandra_client_request_total',
    'Requests that this node coordinated',
    requests('Latency'),
    byRequest,
  ),
  counter(
    'cassandra_client_request_timeouts_total',
    'Requests that timed out',
    requests('Timeouts'),
    byRequest,
  ),
  counter('cassandra_client_request_failures_total', 'Requests that failed', requests('Failures'), byRequest),
  counter(
    'cassandra_client_request_unavailables_total',
    'Requests refused because too few replicas were up',
    requests('Unavailables'),
    byRequest,
  ),
  gauge('cassandra_client_connected_native_clients', 'Connections of CQL clients', {
    type: 'Client',
    name: 'connectedNativeClients',
  }),
  counter('cassandra_client_auth_failure_total', 'Logins that were refused', {
    type: 'Client',
    name: 'AuthFailure',
  }),
  counter('cassandra_client_auth_success_total', 'Logins that succeeded', {
    type: 'Client',
    name: 'AuthSuccess',
  }),
  counter('cassandra_cql_prepared_statements_executed_total', 'Prepared statements that were executed', {
    type: 'CQL',
    name: 'PreparedStatementsExecuted',
  }),
  counter(
    'cassandra_cql_regular_statements_executed_total',
    'Statements that were executed without being prepared',
    {
      type: 'CQL',
      name: 'RegularStatementsExecuted',
    },
  ),

  gauge('cassandra_compaction_pending_tasks', 'Compactions that wait', {
    type: 'Compaction',
    name: 'PendingTasks',
  }),
  counter('cassandra_compaction_bytes_compacted_total', 'Bytes that were compacted', {
    type: 'Compaction',
    name: 'BytesCompacted',
  }),
  counter(
    'cassandra_dropped_message_total',
    'Messages that were dropped because they came too late to matter',
    { type: 'DroppedMessage', scope: '*', name: 'Dropped' },
    { labels: { message_type: 'scope' } },
  ),
  counter('cassandra_storage_total_hints_total', 'Hints written for replicas that were down', {
    type: 'Storage',
    name: 'TotalHints',
  }),
  gauge(
    'cassandra_storage_total_hints_in_progress',
    'Hints that are being written now',
    { type: 'Storage', name: 'TotalHintsInProgress' },
    { attribute: 'Count' },
  ),
  counter(
    'cassandra_hints_succeeded_total',
    'Hints that were handed over',
    {
      type: 'HintsService',
      name: 'HintsSucceeded',
    },
    { late: true },
  ),
  counter(
    'cassandra_hints_failed_total',
    'Hints that could not be handed over',
    {
      type: 'HintsService',
      name: 'HintsFailed',
    },
    { late: true },
  ),
  counter(
    'cassandra_hints_timed_out_total',
    'Hints whose handing over timed out',
    {
      type: 'HintsService',
      name: 'HintsTimedOut',
    },
    { late: true },
  ),
  gauge(
    'cassandra_storage_load_bytes',
    'Bytes of live data on disk',
    { type: 'Storage', name: 'Load' },
    { attribute: 'Count' },
  ),
  counter('cassandra_storage_exceptions_total', 'Errors that nothing in Cassandra caught', {
    type: 'Storage',
    name: 'Exceptions',
  }),
  gauge('cassandra_commit_log_size_bytes', 'Bytes of the commit log', {
    type: 'CommitLog',
    name: 'TotalCommitLogSize',
  }),
  gauge('cassandra_commit_log_pending_tasks', 'Writes that wait for the commit log', {
    type: 'CommitLog',
    name: 'PendingTasks',
  }),

  gauge('cassandra_thread_pools_active_tasks', 'Tasks that are worked on', pool('ActiveTasks'), byPool),
  gauge('cassandra_thread_pools_pending_tasks', 'Tasks that wait for a thread', pool('PendingTasks'), byPool),
  counter(
    'cassandra_thread_pools_total_blocked_tasks_total',
    'Tasks that were held back by a full queue',
    pool('TotalBlockedTasks'),
    byPool,
  ),

  gauge(
    'cassandra_cache_hit_rate',
    'Share of requests that the cache answered, 0 to 1',
    cache('HitRate'),
    byCache,
  ),
  gauge('cassandra_cache_size_bytes', 'Bytes that the cache holds', cache('Size'), byCache),

  gauge(
    'cassandra_table_live_disk_space_used_bytes',
    'Bytes of the SSTables in use',
    table('LiveDiskSpaceUsed'),
    { ...byTable, attribute: 'Count' },
  ),
  gauge('cassandra_table_live_ss_table_count', 'SSTables in use', table('LiveSSTableCount'), byTable),
  gauge(
    'cassandra_table_pending_compactions',
    'Compactions that the table waits for',
    table('PendingCompactions'),
    byTable,
  ),
  gauge(
    'cassandra_table_read_latency_p99',
    'Microseconds within which 99 of 100 local reads were done',
    table('ReadLatency'),
    {
      ...byTable,
      attribute: percentiles.p99,
    },
  ),
  gauge(
    'cassandra_table_write_latency_p99',
    'Microseconds within which 99 of 100 local writes were done',
    table('WriteLatency'),
    {
      ...byTable,
      attribute: percentiles.p99,
    },
  ),
  counter('cassandra_table_read_total', 'Local reads', table('ReadLatency'), byTable),
  counter('cassandra_table_write_total', 'Local writes', table('WriteLatency'), byTable),
];

/** Tables of these are Cassandra's own, the same few on each node, and tell nothing of how it does. */
const unseenKeyspaces = ['system', 'system_schema', 'system_virtual_schema', 'system_views'];

/** What the exporter is told: `metrics.yaml`. It holds a password, and so is as secret as the key beside it. */
export interface ExporterSettings {
  readonly keyStore: string;
  readonly password: string;
  readonly alias: string;
}

export function exporterConfiguration({
  keyStore,
  password,
  alias,
}: ExporterSettings): Readonly<Record<string, unknown>> {
  return {
    httpServer: {
      // Those who ask are few; whoever else asks meanwhile waits.
      threads: { minimum: 1, maximum: 4, keepAliveTime: 60 },
      ssl: { keyStore: { filename: keyStore, password }, certificate: { alias } },
    },
    includeObjectNames: [...new Set(exportedMetrics.flatMap(objectNames))],
    excludeObjectNames: unseenKeyspaces.map((keyspace) => `${domain}:type=Table,keyspace=${keyspace},*`),
    rules: exportedMetrics.map((metric) => ({
      pattern: patternOf(metric),
      ...{ name: metric.name, type: metric.type, help: metric.help },
      ...(metric.labels && { labels: labelsOf(metric) }),
      cache: true,
    })),
  };
}

/** ObjectNames know no alternatives: one for each. */
function objectNames({ bean }: ExportedMetric): readonly string[] {
  const alternatives = Object.entries(bean).map(([key, value]) =>
    value.split('|').map((one) => `${key}=${one}`),
  );
  const all = alternatives.reduce<readonly string[]>(
    (before, next) => before.flatMap((head) => next.map((tail) => (head === '' ? tail : `${head},${tail}`))),
    [''],
  );
  return all.map((properties) => `${domain}:${properties}`);
}

/** As the exporter spells a bean and its attribute, with a group for each property. */
function patternOf({ bean, attribute }: ExportedMetric): string {
  const properties = Object.entries(bean).map(
    ([key, value]) => `${key}=${value === '*' ? '(.+)' : `(${value})`}`,
  );
  return `${domain.replaceAll('.', String.raw`\.`)}<${properties.join(', ')}><>${attribute}`;
}

function labelsOf({ bean, labels = {} }: ExportedMetric): Readonly<Record<string, string>> {
  const group = (property: string): string => `$${Object.keys(bean).indexOf(property) + 1}`;
  return Object.fromEntries(Object.entries(labels).map(([label, property]) => [label, group(property)]));
}

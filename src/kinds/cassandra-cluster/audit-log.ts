import type { Pass } from '../pass.ts';
import { isRunning } from '../settle.ts';
import type { Reason } from '../waiting.ts';
import type { Cluster } from './schema.ts';

/**
 * While a change is under way: nodes that serve, and don't do as asked for yet. One that is silent takes it up when it is back, and
 * keeps nobody waiting until then.
 */
export function auditLogOnItsWay(cluster: Cluster, pass: Pass): Reason | undefined {
  if (!isRunning(cluster)) return undefined;
  const shall = cluster.properties.cassandraAuditLoggingEnabled;
  const behind = (pass.operator(cluster.id)?.nodes ?? []).filter(({ phase, report }) => {
    const { mode, auditLog } = report?.cassandra ?? {};
    return phase === 'connected' && mode === 'NORMAL' && typeof auditLog === 'boolean' && auditLog !== shall;
  });
  if (behind.length === 0) return undefined;
  const names = behind.map(({ name }) => name).join(', ');
  return {
    code: 'AuditLog',
    message: `The audit log is being turned ${shall ? 'on' : 'off'}: ${names}.`,
  };
}

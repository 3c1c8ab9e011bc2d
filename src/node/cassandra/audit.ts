/** The audit log: what of it is recorded, and that it is written while it shall be, also by a Cassandra that runs. */
import { faultOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { Jolokia } from './jolokia.ts';
import { storageService } from './truth.ts';

export const auditLogFile = 'audit.log';

/** By this name logback tells its lines from all others. */
export const auditLogger = 'org.apache.cassandra.audit.FileAuditLogger';

/** What anybody's driver reads to find the ring: it would be most of the log. */
const excludedKeyspaces = 'system,system_schema,system_virtual_schema';
/** Who came, what was refused, who may what, and what the tables are; not what was read or written. As Azure has it. */
const includedCategories = 'AUTH,ERROR,DCL,DDL';

/** Whole: Cassandra's own defaults are another logger, and every statement. */
export const auditOptions = (enabled: boolean): Readonly<Record<string, unknown>> => ({
  enabled,
  logger: [{ class_name: 'FileAuditLogger' }],
  included_keyspaces: '',
  excluded_keyspaces: excludedKeyspaces,
  included_categories: includedCategories,
  excluded_categories: '',
  included_users: '',
  excluded_users: '',
});

const text = 'java.lang.String';
const enable = `enableAuditLog(${Array<string>(7).fill(text).join(',')})`;

/**
 * Has a Cassandra that runs write it from now on, or no more; its next start does as its configuration says. Returns whether it is
 * written now: null where nobody knows.
 */
export type KeepAuditLog = (shall: boolean, is: boolean | null) => Promise<boolean | null>;

export function createAuditLog(jolokia: Pick<Jolokia, 'exec'>, log: Log): KeepAuditLog {
  let complaint = '';
  return async (shall, is) => {
    if (is === null || is === shall) return is;
    try {
      await (shall
        ? jolokia.exec(storageService, enable, [
            ...['FileAuditLogger', '', excludedKeyspaces, includedCategories, '', '', ''],
          ])
        : jolokia.exec(storageService, 'disableAuditLog()'));
    } catch (error) {
      const { message } = faultOf(error);
      // Tried at each pass, said once.
      if (message !== complaint) log.error('the audit log is not as it shall be', { shall, error });
      complaint = message;
      return is;
    }
    complaint = '';
    log.info(shall ? 'the audit log is written' : 'the audit log is written no more');
    return shall;
  };
}

import type { Fields } from '../fields.ts';
import { cronFlaw } from './cron.ts';

export interface BackupSchedule {
  readonly scheduleName: string;
  /** Five fields, UTC. */
  readonly cronExpression: string;
  /** 0: for ever. */
  readonly retentionInHours: number;
}

/** What a cluster has that says nothing. */
export const usualSchedules: readonly BackupSchedule[] = [
  { scheduleName: 'DailyBackup-02:00UTC', cronExpression: '0 2 * * *', retentionInHours: 48 },
];

const most = 20;
const name = 'backupSchedules';

export function readSchedules(body: Fields): readonly BackupSchedule[] | undefined {
  const schedules = body.objects(name)?.map(readSchedule);
  if (!schedules) return undefined;
  if (schedules.length > most)
    return body.fail(name, `has ${schedules.length} entries; at most ${most} are allowed.`);
  const names = schedules.map(({ scheduleName }) => scheduleName.toLowerCase());
  const twice = schedules.find((_, index) => names.indexOf(names[index]!) !== index);
  return twice ? body.fail(name, `names '${twice.scheduleName}' twice.`) : schedules;
}

function readSchedule(item: Fields): BackupSchedule {
  const scheduleName = item.text('scheduleName', { max: 100 }) || item.fail('scheduleName', 'is missing.');
  const cronExpression =
    item.text('cronExpression', { max: 200 }) ?? item.fail('cronExpression', 'is missing.');
  const flaw = cronFlaw(cronExpression);
  if (flaw !== undefined) return item.fail('cronExpression', flaw);
  const retentionInHours = item.integer('retentionInHours', { min: 0, max: 876_000 }) ?? 48;
  return { scheduleName, cronExpression, retentionInHours };
}

import { randomUUID } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { Clock } from '../lib/clock.ts';
import { keyOf } from './rows.ts';
import type { Schema } from './schema.ts';
import type { Database } from './sqlite.ts';

/** One line of the activity log: who asked for what, where, when, and what came of it. */
export interface Activity {
  readonly id: string;
  readonly at: string;
  readonly subscriptionId: string;
  readonly resourceGroup: string | null;
  readonly resourceId: string;
  /** Application id and name of who asked. */
  readonly caller: string;
  readonly callerName: string;
  /** The role action: `Microsoft.Network/privateEndpoints/write`. */
  readonly operation: string;
  /** `Accepted`: a long operation began. */
  readonly status: 'Accepted' | 'Succeeded' | 'Failed';
  /** Refused for want of a right. */
  readonly refused: boolean;
  readonly httpStatus: number | null;
  readonly code: string | null;
  readonly message: string | null;
  readonly correlationId: string;
}

export interface Activities {
  add(activity: Omit<Activity, 'id' | 'at'>): void;
  /** Newest first; times are ISO 8601, both ends included. */
  find(asked: ActivityFilter): readonly Activity[];
}

export interface ActivityFilter {
  readonly subscriptionId: string;
  readonly from: string;
  readonly to: string;
  readonly resourceGroup?: string | undefined;
  readonly resourceId?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly skip?: number;
  readonly limit: number;
}

/** Each subscription has its own share, and refusals theirs: who is refused all day pushes out nothing but refusals. */
const kept = { done: 5_000, refused: 1_000 } as const;

export function activitiesIn(db: Database, clock: Clock): Activities {
  return {
    add: (activity) =>
      db.transaction(() => {
        const subscription = keyOf(activity.subscriptionId);
        const refused = activity.refused ? 1 : 0;
        db.run(
          db.query.insertInto('activity').values({
            id: randomUUID(),
            at: new Date(clock.now()).toISOString(),
            subscription_id: subscription,
            resource_group: activity.resourceGroup === null ? null : keyOf(activity.resourceGroup),
            resource_key: keyOf(activity.resourceId),
            resource_id: activity.resourceId.slice(0, 2_000),
            caller: activity.caller,
            caller_name: activity.callerName,
            operation: activity.operation,
            status: activity.status,
            refused,
            http_status: activity.httpStatus,
            code: activity.code,
            message: activity.message?.slice(0, 1_000) ?? null,
            correlation_id: activity.correlationId,
          }),
        );
        const share = db.query
          .selectFrom('activity')
          .select('seq')
          .where('subscription_id', '=', subscription)
          .where('refused', '=', refused);
        const limit = activity.refused ? kept.refused : kept.done;
        const old = db.first(share.orderBy('seq', 'desc').limit(1).offset(limit));
        if (!old) return;
        const gone = db.query.deleteFrom('activity').where('subscription_id', '=', subscription);
        db.run(gone.where('refused', '=', refused).where('seq', '<=', old.seq));
      }),
    find({ subscriptionId, from, to, resourceGroup, resourceId, correlationId, skip = 0, limit }) {
      let query = db.query
        .selectFrom('activity')
        .selectAll()
        .where('subscription_id', '=', keyOf(subscriptionId))
        .where('at', '>=', from)
        .where('at', '<=', to);
      if (resourceGroup !== undefined) query = query.where('resource_group', '=', keyOf(resourceGroup));
      if (resourceId !== undefined) query = query.where('resource_key', '=', keyOf(resourceId));
      if (correlationId !== undefined) query = query.where('correlation_id', '=', correlationId);
      return db.all(query.orderBy('seq', 'desc').limit(limit).offset(skip)).map(toActivity);
    },
  };
}

const toActivity = (row: Selectable<Schema['activity']>): Activity => ({
  id: row.id,
  at: row.at,
  subscriptionId: row.subscription_id,
  resourceGroup: row.resource_group,
  resourceId: row.resource_id,
  caller: row.caller,
  callerName: row.caller_name,
  operation: row.operation,
  status: row.status as Activity['status'],
  refused: row.refused === 1,
  httpStatus: row.http_status,
  code: row.code,
  message: row.message,
  correlationId: row.correlation_id,
});

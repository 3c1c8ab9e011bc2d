import type { Clock } from '../lib/clock.ts';
import { keyOf, rangeBelow } from './rows.ts';
import type { Database } from './sqlite.ts';

export interface StoredEvent {
  readonly resourceId: string;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly firstAt: string;
  readonly lastAt: string;
}

export interface Events {
  add(id: string, reason: string, message: string, type: 'Normal' | 'Warning'): void;
  /** The latest of a resource and of all below it, newest first. */
  latest(scope: string, limit: number): readonly StoredEvent[];
}

const keptPerResource = 100;

export function eventsIn(db: Database, clock: Clock): Events {
  const of = (key: string) =>
    db.query.selectFrom('events').selectAll().where('resource_key', '=', key).orderBy('seq', 'desc');

  return {
    add(id, reason, message, type) {
      const key = keyOf(id);
      const now = new Date(clock.now()).toISOString();
      db.transaction(() => {
        const latest = db.first(of(key).limit(1));
        if (latest && latest.reason === reason && latest.message === message && latest.type === type) {
          const set = { count: latest.count + 1, last_at: now };
          db.run(db.query.updateTable('events').set(set).where('seq', '=', latest.seq));
          return;
        }
        const at = { first_at: now, last_at: now };
        db.run(
          db.query
            .insertInto('events')
            .values({ resource_key: key, resource_id: id, type, reason, message, count: 1, ...at }),
        );
        const tooOld = db.first(of(key).limit(1).offset(keptPerResource));
        if (tooOld)
          db.run(
            db.query.deleteFrom('events').where('resource_key', '=', key).where('seq', '<=', tooOld.seq),
          );
      });
    },
    latest(scope, limit) {
      const [from, to] = rangeBelow(scope);
      const rows = db.all(
        db.query
          .selectFrom('events')
          .selectAll()
          .where((is) =>
            is.or([
              is('resource_key', '=', keyOf(scope)),
              is.and([is('resource_key', '>=', from), is('resource_key', '<', to)]),
            ]),
          )
          .orderBy('seq', 'desc')
          .limit(limit),
      );
      return rows.map((row) => ({
        resourceId: row.resource_id,
        type: row.type as 'Normal' | 'Warning',
        reason: row.reason,
        message: row.message,
        count: row.count,
        firstAt: row.first_at,
        lastAt: row.last_at,
      }));
    },
  };
}

import type { Selectable } from 'kysely';
import type { Clock } from '../lib/clock.ts';
import type { JsonObject } from './resource.ts';
import { keyOf, rangeBelow } from './rows.ts';
import type { Schema } from './schema.ts';
import type { Database } from './sqlite.ts';

/** What hangs on a scope without being a resource of its own: diagnostic settings, a subscription's tags. */
export interface Extension {
  readonly id: string;
  readonly type: string;
  readonly body: JsonObject;
  readonly changedBy: string;
  readonly changedAt: string;
}

export interface Extensions {
  get(id: string): Extension | undefined;
  /** Of one type, directly on a scope, by id. */
  list(scope: string, type: string): readonly Extension[];
  put(extension: Pick<Extension, 'id' | 'type' | 'body'>, scope: string, by: string): Extension;
  remove(id: string): boolean;
  /** All that hangs on a scope, or on what lies below it. */
  removeWithin(scope: string): void;
}

export function extensionsIn(db: Database, clock: Clock): Extensions {
  const table = () => db.query.selectFrom('extensions').selectAll();
  return {
    get(id) {
      const row = db.first(table().where('key', '=', keyOf(id)));
      return row && toExtension(row);
    },
    list: (scope, type) =>
      db
        .all(table().where('scope_key', '=', keyOf(scope)).where('type', '=', type).orderBy('key'))
        .map(toExtension),
    put({ id, type, body }, scope, by) {
      const set = {
        body: JSON.stringify(body),
        changed_by: by,
        changed_at: new Date(clock.now()).toISOString(),
      };
      const row = { key: keyOf(id), id, type, scope_key: keyOf(scope), ...set };
      db.run(
        db.query
          .insertInto('extensions')
          .values(row)
          .onConflict((conflict) => conflict.column('key').doUpdateSet(set)),
      );
      return toExtension(row);
    },
    remove: (id) => db.run(db.query.deleteFrom('extensions').where('key', '=', keyOf(id))) > 0,
    removeWithin(scope) {
      const [from, to] = rangeBelow(scope);
      db.run(db.query.deleteFrom('extensions').where('scope_key', '=', keyOf(scope)));
      db.run(db.query.deleteFrom('extensions').where('scope_key', '>=', from).where('scope_key', '<', to));
    },
  };
}

const toExtension = (row: Selectable<Schema['extensions']>): Extension => ({
  id: row.id,
  type: row.type,
  body: JSON.parse(row.body) as JsonObject,
  changedBy: row.changed_by,
  changedAt: row.changed_at,
});

import type { CompiledQuery, Selectable } from 'kysely';
import type { Resource } from './resource.ts';
import { toResource } from './rows.ts';
import type { Schema } from './schema.ts';
import type { Database, Query } from './sqlite.ts';

type Row = Selectable<Schema['resources']>;
type Key = Pick<Row, 'key'>;

/** The questions that reconcilers ask thousands of times a pass: built once, asked with other values. */
export function preparedIn(db: Database) {
  const { query } = db;
  const oneOf = query.selectFrom('resources').selectAll().where('key', '=', '?').compile();
  const keys = query.selectFrom('resources').select('key').where('key', '>=', '?').where('key', '<', '?');
  const belowOf = keys.orderBy('seq').compile();
  const typeOf = keys.where('type_key', '=', '?').orderBy('seq').compile();
  const pageOf = keys
    .select('seq')
    .where('type_key', '=', '?')
    .where('seq', '>', 0)
    .orderBy('seq')
    .limit(1)
    .compile();
  const withValues = <R>(
    compiled: CompiledQuery<R>,
    ...parameters: readonly (string | number)[]
  ): Query<R> => {
    const asked: CompiledQuery<R> = { ...compiled, parameters };
    return { compile: () => asked };
  };
  return {
    row: (key: string): Query<Row> => withValues<Row>(oneOf, key),
    below: (from: string, to: string): Query<Key> => withValues<Key>(belowOf, from, to),
    page: (
      type: string,
      from: string,
      to: string,
      after: number,
      most: number,
    ): Query<Key & Pick<Row, 'seq'>> =>
      withValues<Key & Pick<Row, 'seq'>>(pageOf, from, to, type, after, most),
    ofType: (type: string, from: string, to: string): Query<Key> => withValues<Key>(typeOf, from, to, type),
  };
}

export interface RowCache {
  /** By the lower-case id. */
  get(key: string): Resource | undefined;
  /** The row is about to be written: until the transaction ends, the database itself is asked. */
  written(key: string): void;
}

/**
 * Rows as objects, read and parsed once. It holds committed rows only, and it is sound only while one process holds the
 * database alone, as openDatabase sees to; a store that several controls share must do without.
 */
export function createRowCache(db: Database): RowCache {
  const prepared = preparedIn(db);
  const rows = new Map<string, Resource>();
  const dirty = new Set<string>();
  db.onEnd(() => dirty.clear());
  return {
    get(key) {
      const had = rows.get(key);
      if (had) return had;
      const row = db.first(prepared.row(key));
      const resource = row && toResource(row);
      if (resource && !dirty.has(key)) rows.set(key, resource as Resource);
      return resource as Resource | undefined;
    },
    written(key) {
      rows.delete(key);
      dirty.add(key);
    },
  };
}

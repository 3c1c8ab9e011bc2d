import type { Resource } from './resource.ts';
import { toResource } from './rows.ts';
import { prepared, type Database } from './sqlite.ts';

/** What is asked of the table all the time. Ranges are of keys, as rangeBelow says them. */
export function preparedIn({ query }: Database) {
  const all = query.selectFrom('resources');
  const ofType = all.where('type_key', '=', '');
  const within = ofType.where('key', '>=', '').where('key', '<', '').orderBy('seq');
  return {
    row: prepared(all.selectAll().where('key', '=', '')),
    below: prepared(all.select('key').where('key', '>=', '').where('key', '<', '').orderBy('seq')),
    /** Of a type, within a range. */
    ofType: prepared(within.select('key')),
    /** Of a type, within a range, after a place, at most so many. */
    page: prepared(within.select(['key', 'seq']).where('seq', '>', 0).limit(1)),
    idsOf: prepared(ofType.select('id').orderBy('seq')),
  };
}

export interface RowCache {
  /** By the lower-case id. */
  get(key: string): Resource | undefined;
  /** The row is about to be written: until the transaction ends, the database itself is asked. */
  written(key: string): void;
}

/**
 * Rows as objects, parsed once as long as they are asked for now and then. It holds committed rows only, and it is sound only
 * while one process holds the database alone, as openDatabase sees to; a store that several controls share must do without.
 */
export function createRowCache(db: Database, rowsOfAGeneration = 4_000): RowCache {
  const asks = preparedIn(db);
  // Whoever isn't asked for while a whole generation grows up goes with the one before it.
  let young = new Map<string, Resource>();
  let old = new Map<string, Resource>();
  const dirty = new Set<string>();
  db.onEnd(() => dirty.clear());

  function keep(key: string, resource: Resource): void {
    if (young.size >= rowsOfAGeneration) {
      old = young;
      young = new Map();
    }
    young.set(key, resource);
  }

  return {
    get(key) {
      const had = young.get(key);
      if (had) return had;
      const known = old.get(key);
      if (known) {
        keep(key, known);
        return known;
      }
      const row = db.first(asks.row(key));
      const resource = row && toResource(row);
      if (resource && !dirty.has(key)) keep(key, resource as Resource);
      return resource as Resource | undefined;
    },
    written(key) {
      young.delete(key);
      old.delete(key);
      dirty.add(key);
    },
  };
}

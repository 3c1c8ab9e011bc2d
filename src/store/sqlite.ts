import {
  Kysely,
  DummyDriver,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type CompiledQuery,
} from 'kysely';
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { UserError } from '../lib/errors.ts';
import { migrations } from './migrations.ts';
import type { Schema } from './schema.ts';

/** A query as Kysely's builders make it. */
export interface Query<R> {
  compile(): CompiledQuery<R>;
}

/** A query that is asked all the time: built once, with any value in the place of each that it is asked with. */
export function prepared<R>(built: Query<R>): (...values: readonly (string | number)[]) => Query<R> {
  const compiled = built.compile();
  return (...parameters) => {
    const asked: CompiledQuery<R> = { ...compiled, parameters };
    return { compile: () => asked };
  };
}

/**
 * Kysely builds the queries, node:sqlite runs them, at once and synchronously: a transaction is then a plain function,
 * nothing else can run inside it, and a reconciler reads without waiting. It must never be handed a slow query.
 */
export interface Database {
  readonly query: Kysely<Schema>;
  all<R>(query: Query<R>): R[];
  first<R>(query: Query<R>): R | undefined;
  /** How many rows changed. */
  run(query: Query<unknown>): number;
  /** All or nothing. A nested call joins: it fails alone, and is only durable when the outermost one ends. */
  transaction<T>(work: () => T): T;
  /** Calls back whenever an outermost transaction has ended, by commit or rollback. */
  onEnd(callback: () => void): void;
  /** Calls back when a transaction, an inner one too, has been rolled back. */
  onRollback(callback: () => void): void;
  close(): void;
}

/** The disk had no room for a write. Nothing of it was kept. */
export class DiskFullError extends Error {
  override readonly name = 'DiskFullError';
  readonly code = 'DiskFull';
  constructor(cause: unknown) {
    super('The disk that holds the state of control is full; nothing of this change was kept.', { cause });
  }
}

export function openDatabase(path: string): Database {
  const sqlite = openExclusively(path);
  const query = new Kysely<Schema>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
  const statements = new Map<string, StatementSync>();
  const ended: (() => void)[] = [];
  const undone: (() => void)[] = [];
  let depth = 0;

  const prepare = <R>(built: Query<R>): readonly [StatementSync, SQLInputValue[]] => {
    const { sql, parameters } = built.compile();
    let statement = statements.get(sql);
    if (!statement) {
      statement = sqlite.prepare(sql);
      statements.set(sql, statement);
    }
    return [statement, parameters as SQLInputValue[]];
  };

  const transaction = <T>(work: () => T): T => {
    const nested = depth > 0;
    const mark = `nested${depth}`;
    sqlite.exec(nested ? `savepoint ${mark}` : 'begin immediate');
    depth++;
    try {
      const result = work();
      if (result instanceof Promise) throw new Error('A transaction must not wait for anything.');
      named(() => sqlite.exec(nested ? `release ${mark}` : 'commit'));
      return result;
    } catch (error) {
      // A failed write may have rolled back by itself already.
      if (sqlite.isTransaction) sqlite.exec(nested ? `rollback to ${mark}; release ${mark}` : 'rollback');
      for (const callback of undone) callback();
      throw error;
    } finally {
      depth--;
      if (depth === 0) for (const callback of ended) callback();
    }
  };

  migrate(sqlite, transaction);
  return {
    query,
    all: <R>(built: Query<R>) => {
      const [statement, parameters] = prepare(built);
      return named(() => statement.all(...parameters)) as R[];
    },
    first: <R>(built: Query<R>) => {
      const [statement, parameters] = prepare(built);
      return named(() => statement.get(...parameters)) as R | undefined;
    },
    run: (built) => {
      const [statement, parameters] = prepare(built);
      return Number(named(() => statement.run(...parameters)).changes);
    },
    transaction,
    onEnd: (callback) => void ended.push(callback),
    onRollback: (callback) => void undone.push(callback),
    close: () => sqlite.close(),
  };
}

/**
 * One process holds the database alone: a second control would undo the first one's work. The lock dies with its process,
 * and with it there is no shared-memory file.
 */
function openExclusively(path: string): DatabaseSync {
  // Readable by its owner alone from the first byte on; the log beside it inherits that.
  if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600));
  const sqlite = new DatabaseSync(path, { timeout: 2_000 });
  try {
    sqlite.exec(
      'pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on',
    );
    sqlite.exec('begin immediate; commit');
  } catch (error) {
    sqlite.close();
    if (primaryCode(error) === 5) {
      throw new UserError(
        'AlreadyRunning',
        `The database ${path} is held by another process: control runs already.`,
        'sallyport status shows it; sallyport down ends it.',
        error,
      );
    }
    throw primaryCode(error) === 13 ? new DiskFullError(error) : error;
  }
  return sqlite;
}

function migrate(sqlite: DatabaseSync, transaction: (work: () => void) => void): void {
  const { user_version: version } = sqlite.prepare('pragma user_version').get() as { user_version: number };
  if (version > migrations.length) {
    throw new UserError(
      'NewerState',
      `The state was written by a newer version of Sallyport (schema ${version}, this one knows ${migrations.length}).`,
      'Run the newer version, or set SALLYPORT_HOME to another folder.',
    );
  }
  for (const [index, migration] of migrations.entries()) {
    if (index < version) continue;
    transaction(() => named(() => sqlite.exec(`${migration}; pragma user_version = ${index + 1}`)));
  }
}

/** Gives the one failure that people can mend a name of its own. 13: SQLITE_FULL; 778: a write to the log failed. */
function named<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (primaryCode(error) === 13 || extendedCode(error) === 778) throw new DiskFullError(error);
    throw error;
  }
}

const extendedCode = (error: unknown): number =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : 0;
const primaryCode = (error: unknown): number => extendedCode(error) & 0xff;

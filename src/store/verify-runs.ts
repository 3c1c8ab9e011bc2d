import type { Selectable } from 'kysely';
import type { Clock } from '../lib/clock.ts';
import type { Fault } from '../lib/errors.ts';
import { toFault } from './rows.ts';
import type { Schema } from './schema.ts';
import type { Database } from './sqlite.ts';

/** One asked-for proof of the door. */
export interface VerifyRun {
  readonly id: string;
  /** The fabric's id of the network; null: all. */
  readonly network: string | null;
  readonly askedBy: string;
  readonly state: 'queued' | 'running' | 'done' | 'failed';
  readonly fault: Fault | null;
  readonly createdAt: string;
  readonly endedAt: string | null;
}

export interface VerifyRuns {
  add(run: Pick<VerifyRun, 'id' | 'network' | 'askedBy'>): VerifyRun;
  get(id: string): VerifyRun | undefined;
  /** Those that one principal asked for, newest first. */
  of(askedBy: string): readonly VerifyRun[];
  /** Those that aren't done, oldest first. */
  open(): readonly VerifyRun[];
  move(id: string, state: VerifyRun['state'], fault?: Fault | null): void;
  /** Forgets all but the newest; returns the forgotten ids. */
  prune(keep: number): readonly string[];
}

export function verifyRunsIn(db: Database, clock: Clock): VerifyRuns {
  const now = (): string => new Date(clock.now()).toISOString();
  const table = () => db.query.selectFrom('verify_runs').selectAll();
  const get = (id: string): VerifyRun | undefined => {
    const row = db.first(table().where('id', '=', id.toLowerCase()));
    return row && toRun(row);
  };
  return {
    get,
    add({ id, network, askedBy }) {
      const row = {
        id,
        network,
        asked_by: askedBy,
        state: 'queued',
        fault: null,
        created_at: now(),
        ended_at: null,
      };
      db.run(db.query.insertInto('verify_runs').values(row));
      return toRun(row);
    },
    of: (askedBy) => db.all(table().where('asked_by', '=', askedBy).orderBy('created_at', 'desc')).map(toRun),
    open: () => db.all(table().where('state', 'in', ['queued', 'running']).orderBy('created_at')).map(toRun),
    move(id, state, fault = null) {
      const ended = state === 'done' || state === 'failed';
      const set = { state, fault: fault && JSON.stringify(fault), ended_at: ended ? now() : null };
      db.run(db.query.updateTable('verify_runs').set(set).where('id', '=', id).where('state', '!=', state));
    },
    prune(keep) {
      const query = table()
        .where('ended_at', 'is not', null)
        .orderBy('created_at', 'desc')
        .limit(1000)
        .offset(keep);
      const old = db.all(query).map((row) => row.id);
      for (const id of old) db.run(db.query.deleteFrom('verify_runs').where('id', '=', id));
      return old;
    },
  };
}

const toRun = (row: Selectable<Schema['verify_runs']>): VerifyRun => ({
  id: row.id,
  network: row.network,
  askedBy: row.asked_by,
  state: row.state as VerifyRun['state'],
  fault: toFault(row.fault),
  createdAt: row.created_at,
  endedAt: row.ended_at,
});

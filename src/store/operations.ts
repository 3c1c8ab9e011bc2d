import { randomUUID } from 'node:crypto';
import { sql, type Selectable } from 'kysely';
import type { Clock } from '../lib/clock.ts';
import type { Fault } from '../lib/errors.ts';
import type { JsonObject, Resource } from './resource.ts';
import { keyOf, rangeBelow, toFault } from './rows.ts';
import type { Schema } from './schema.ts';
import type { Database } from './sqlite.ts';

/** A long operation: from the request that was accepted to the verdict of a reconciler. */
export interface Operation {
  readonly id: string;
  readonly resourceId: string;
  readonly type: string;
  readonly subscriptionId: string;
  readonly location: string;
  readonly verb: 'PUT' | 'PATCH' | 'DELETE' | 'POST';
  /** Whether it makes what wasn't there before. */
  readonly creates: boolean;
  readonly generation: number;
  readonly state: 'Running' | 'Succeeded' | 'Failed' | 'Canceled';
  readonly fault: Fault | null;
  readonly startedBy: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** What a question is answered, at least while it runs; null for what changes something. */
  readonly answer: JsonObject | null;
}

export interface Operations {
  get(id: string): Operation | undefined;
  /** The running operation of a resource. */
  running(resourceId: string): Operation | undefined;
  /** Running operations of a resource and of all below it; of some types alone where they are named. */
  runningWithin(scope: string, types?: readonly string[]): readonly Operation[];
  start(
    resource: Resource,
    verb: Operation['verb'],
    creates: boolean,
    location: string,
    by: string,
  ): Operation;
  /** Keeps the answer to a question for whoever asked it, as an operation that has ended. */
  answered(resource: Resource, location: string, by: string, answer: JsonObject): Operation;
  /** The same while the answer may still become another: what is given here stands if nothing better comes. It changes nothing and keeps nobody waiting. */
  asked(resource: Resource, location: string, by: string, answer: JsonObject): Operation;
  /** Ends what was asked with a better answer; without effect where it has ended. */
  answer(id: string, answer: JsonObject): void;
  /** Ends what was asked before that time, with the answer that stands. */
  endAsked(before: Date): void;
  /** The last change that was begun, whatever became of it. */
  latest(resourceId: string): Operation | undefined;
  end(resourceId: string, state: 'Succeeded' | 'Failed' | 'Canceled', fault?: Fault): void;
}

/** Ended operations are kept so long for whoever still asks. */
const keptMs = 7 * 86_400_000;
/** Answers are fetched at once or never, and anybody may ask often. */
const answerKeptMs = 600_000;

/** `onEnd` hears of each operation that ends, in the transaction that ends it. */
export function operationsIn(db: Database, clock: Clock, onEnd?: (ended: Operation) => void): Operations {
  // A literal, not a parameter: the index of what runs is taken only for a condition that is known beforehand.
  const isRunning = sql.lit('Running');
  const allRunning = () => db.query.selectFrom('operations').selectAll().where('state', '=', isRunning);
  const running = () => allRunning().where('answer', 'is', null);
  const now = (): string => new Date(clock.now()).toISOString();
  const begun = (
    resource: Resource,
    verb: Operation['verb'],
    location: string,
    by: string,
  ): Schema['operations'] => ({
    id: randomUUID(),
    resource_key: keyOf(resource.id),
    resource_id: resource.id,
    type: resource.type,
    subscription_id: resource.subscriptionId,
    location,
    verb,
    creates: 0,
    generation: resource.generation,
    state: 'Running',
    fault: null,
    started_by: by,
    started_at: now(),
    ended_at: null,
    answer: null,
  });
  const keepQuestion = (row: Schema['operations']): Operation => {
    const old = new Date(clock.now() - answerKeptMs).toISOString();
    db.run(db.query.deleteFrom('operations').where('answer', 'is not', null).where('ended_at', '<', old));
    db.run(db.query.insertInto('operations').values(row));
    return toOperation(row);
  };
  const endQuestion = (was: Operation, answer: JsonObject): void => {
    const ended = { state: 'Succeeded' as const, ended_at: now() };
    const set = { ...ended, answer: JSON.stringify(answer) };
    db.run(db.query.updateTable('operations').set(set).where('id', '=', was.id));
    onEnd?.({ ...was, answer, state: ended.state, endedAt: ended.ended_at });
  };

  return {
    get(id) {
      const row = db.first(db.query.selectFrom('operations').selectAll().where('id', '=', id.toLowerCase()));
      return row && toOperation(row);
    },
    running(resourceId) {
      const row = db.first(running().where('resource_key', '=', keyOf(resourceId)));
      return row && toOperation(row);
    },
    runningWithin(scope, types) {
      const [from, to] = rangeBelow(scope);
      const within = running().where((is) =>
        is.or([
          is('resource_key', '=', keyOf(scope)),
          is.and([is('resource_key', '>=', from), is('resource_key', '<', to)]),
        ]),
      );
      return db.all(types ? within.where('type', 'in', types) : within).map(toOperation);
    },
    start(resource, verb, creates, location, by) {
      const row = { ...begun(resource, verb, location, by), creates: creates ? 1 : 0 };
      db.run(
        db.query
          .deleteFrom('operations')
          .where('ended_at', '<', new Date(clock.now() - keptMs).toISOString()),
      );
      db.run(db.query.insertInto('operations').values(row));
      return toOperation(row);
    },
    answered: (resource, location, by, answer) =>
      keepQuestion({
        ...begun(resource, 'POST', location, by),
        state: 'Succeeded',
        ended_at: now(),
        answer: JSON.stringify(answer),
      }),
    asked: (resource, location, by, answer) =>
      keepQuestion({ ...begun(resource, 'POST', location, by), answer: JSON.stringify(answer) }),
    answer(id, answer) {
      db.transaction(() => {
        const row = db.first(allRunning().where('id', '=', id).where('answer', 'is not', null));
        if (row) endQuestion(toOperation(row), answer);
      });
    },
    endAsked(before) {
      const open = db.all(
        allRunning().where('answer', 'is not', null).where('started_at', '<', before.toISOString()),
      );
      if (open.length === 0) return;
      db.transaction(() => open.map(toOperation).forEach((was) => endQuestion(was, was.answer!)));
    },
    end(resourceId, state, fault) {
      const ending = db.all(running().where('resource_key', '=', keyOf(resourceId))).map(toOperation);
      db.run(
        db.query
          .updateTable('operations')
          .set({ state, fault: fault ? JSON.stringify(fault) : null, ended_at: now() })
          .where('resource_key', '=', keyOf(resourceId))
          .where('answer', 'is', null)
          .where('state', '=', isRunning),
      );
      for (const was of ending) onEnd?.({ ...was, state, fault: fault ?? null, endedAt: now() });
    },
    latest(resourceId) {
      const all = db.query
        .selectFrom('operations')
        .selectAll()
        .where('resource_key', '=', keyOf(resourceId))
        .where('answer', 'is', null);
      const row = db.first(all.orderBy('started_at', 'desc').limit(1));
      return row && toOperation(row);
    },
  };
}

const toOperation = (row: Selectable<Schema['operations']>): Operation => ({
  id: row.id,
  resourceId: row.resource_id,
  type: row.type,
  subscriptionId: row.subscription_id,
  location: row.location,
  verb: row.verb as Operation['verb'],
  creates: row.creates === 1,
  generation: row.generation,
  state: row.state as Operation['state'],
  fault: toFault(row.fault),
  startedBy: row.started_by,
  startedAt: row.started_at,
  endedAt: row.ended_at,
  answer: row.answer === null ? null : (JSON.parse(row.answer) as JsonObject),
});

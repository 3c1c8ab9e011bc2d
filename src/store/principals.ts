import { randomUUID } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { Clock } from '../lib/clock.ts';
import type { Credentials } from './credentials.ts';
import { keyOf } from './rows.ts';
import type { Schema } from './schema.ts';
import { prepared, type Database } from './sqlite.ts';

export interface Principal {
  readonly clientId: string;
  readonly objectId: string;
  readonly displayName: string;
}

/** What a role is given to, and where. */
export interface Assignment {
  readonly principal: string;
  readonly role: string;
  /** `/`, or an ARM id: the role holds for it and for all below. */
  readonly scope: string;
}

export interface StoredAssignment extends Assignment {
  readonly id: string;
  readonly createdAt: string;
}

export interface Subscription {
  readonly id: string;
  readonly displayName: string;
}

export interface Principals {
  get(clientId: string): Principal | undefined;
  /** By its application id or its object id. */
  find(id: string): Principal | undefined;
  all(): readonly Principal[];
  /** With `secretHash`: that is its first secret from now on. */
  put(principal: Principal & { readonly secretHash?: string }): void;
  /** With `id`: under that id; the same role at the same scope is kept as it is. */
  assign(assignment: Assignment & { readonly id?: string }): void;
  assignments(clientId: string): readonly Assignment[];
  assignment(id: string): StoredAssignment | undefined;
  allAssignments(): readonly StoredAssignment[];
  unassign(id: string): void;
  /** Whatever was given at a scope, or below it, that is gone. */
  unassignWithin(scope: string): void;
  subscriptions(): readonly Subscription[];
  putSubscription(subscription: Subscription): void;
}

const mostKnown = 2_000;
const longestKnown = 200;

export function principalsIn(db: Database, clock: Clock, credentials: Credentials): Principals {
  const now = (): string => new Date(clock.now()).toISOString();
  const table = () => db.query.selectFrom('principals').selectAll();
  // Each request asks these three: who sends it, what they may do, and whether there is such a subscription.
  const asks = {
    principal: prepared(table().where('client_id', '=', '')),
    assignments: prepared(
      db.query
        .selectFrom('role_assignments')
        .select(['principal', 'role', 'scope'])
        .where('principal', '=', ''),
    ),
    subscriptions: prepared(db.query.selectFrom('subscriptions').selectAll().orderBy('created_at')),
  };
  const known = new Map<string, unknown>();
  db.onRollback(() => known.clear());
  /** As long as nothing here is written. Strangers may ask for as many names as they like, of any length. */
  function kept<T>(name: string, read: () => T): T {
    if (name.length > longestKnown) return read();
    if (known.size >= mostKnown) known.clear();
    if (!known.has(name)) known.set(name, read());
    return known.get(name) as T;
  }
  const write: Database['run'] = (query) => {
    known.clear();
    return db.run(query);
  };
  const assignments = (clientId: string): readonly Assignment[] =>
    kept(`assignments ${clientId}`, () => db.all(asks.assignments(clientId.toLowerCase())));
  return {
    get: (clientId) =>
      kept(`principal ${clientId}`, () => {
        const row = db.first(asks.principal(clientId.toLowerCase()));
        return row && toPrincipal(row);
      }),
    find(id) {
      const key = id.toLowerCase();
      const row = db.first(
        table().where((is) => is.or([is('client_id', '=', key), is('object_id', '=', key)])),
      );
      return row && toPrincipal(row);
    },
    all: () => db.all(table().orderBy('created_at').orderBy('client_id')).map(toPrincipal),
    put: ({ clientId, objectId, displayName, secretHash }) =>
      db.transaction(() => {
        const principal = clientId.toLowerCase();
        const set = { object_id: objectId.toLowerCase(), display_name: displayName };
        write(
          db.query
            .insertInto('principals')
            .values({ client_id: principal, ...set, created_at: now() })
            .onConflict((conflict) => conflict.column('client_id').doUpdateSet(set)),
        );
        if (secretHash === undefined) return;
        const rest = { thumbprint: null, thumbprintSha1: null, expiresAt: null };
        credentials.put({ principal, name: 'first', kind: 'secret', value: secretHash, ...rest });
      }),
    assign(assignment) {
      if (assignments(assignment.principal).some((had) => sameAssignment(had, assignment))) return;
      const { role, scope } = assignment;
      const principal = assignment.principal.toLowerCase();
      const id = assignment.id?.toLowerCase() ?? randomUUID();
      write(
        db.query.insertInto('role_assignments').values({ id, principal, role, scope, created_at: now() }),
      );
    },
    assignments,
    assignment(id) {
      const query = db.query.selectFrom('role_assignments').selectAll().where('id', '=', id.toLowerCase());
      const row = db.first(query);
      return row && toAssignment(row);
    },
    allAssignments: () =>
      db
        .all(db.query.selectFrom('role_assignments').selectAll().orderBy('created_at').orderBy('id'))
        .map(toAssignment),
    unassign: (id) => void write(db.query.deleteFrom('role_assignments').where('id', '=', id.toLowerCase())),
    unassignWithin(scope) {
      const key = keyOf(scope);
      const all = db.all(db.query.selectFrom('role_assignments').select(['id', 'scope']));
      for (const one of all) {
        const at = keyOf(one.scope);
        if (at === key || at.startsWith(`${key}/`))
          write(db.query.deleteFrom('role_assignments').where('id', '=', one.id));
      }
    },
    subscriptions: () =>
      kept('subscriptions', () =>
        db.all(asks.subscriptions()).map((row) => ({ id: row.id, displayName: row.display_name })),
      ),
    putSubscription({ id, displayName }) {
      write(
        db.query
          .insertInto('subscriptions')
          .values({ id: id.toLowerCase(), display_name: displayName, created_at: now() })
          .onConflict((conflict) => conflict.column('id').doUpdateSet({ display_name: displayName })),
      );
    },
  };
}

const toPrincipal = (row: Selectable<Schema['principals']>): Principal => ({
  clientId: row.client_id,
  objectId: row.object_id,
  displayName: row.display_name,
});

const toAssignment = (row: Selectable<Schema['role_assignments']>): StoredAssignment => ({
  id: row.id,
  principal: row.principal,
  role: row.role,
  scope: row.scope,
  createdAt: row.created_at,
});

const sameAssignment = (a: Assignment, b: Assignment): boolean =>
  a.role === b.role && a.scope.toLowerCase() === b.scope.toLowerCase();

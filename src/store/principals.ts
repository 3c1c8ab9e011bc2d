import { randomUUID } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import type { Database } from './sqlite.ts';

export interface Principal {
  readonly clientId: string;
  readonly objectId: string;
  readonly displayName: string;
  readonly secretHash: string;
}

export interface Assignment {
  readonly principal: string;
  readonly role: string;
  /** `/`, or an ARM id: the role holds for it and for all below. */
  readonly scope: string;
}

export interface Subscription {
  readonly id: string;
  readonly displayName: string;
}

export interface Principals {
  get(clientId: string): Principal | undefined;
  put(principal: Principal): void;
  assign(assignment: Assignment): void;
  assignments(clientId: string): readonly Assignment[];
  subscriptions(): readonly Subscription[];
  putSubscription(subscription: Subscription): void;
}

export function principalsIn(db: Database, clock: Clock): Principals {
  const now = (): string => new Date(clock.now()).toISOString();
  const assignments = (clientId: string): readonly Assignment[] => {
    const query = db.query.selectFrom('role_assignments').select(['principal', 'role', 'scope']);
    return db.all(query.where('principal', '=', clientId.toLowerCase()));
  };
  return {
    get(clientId) {
      const query = db.query
        .selectFrom('principals')
        .selectAll()
        .where('client_id', '=', clientId.toLowerCase());
      const row = db.first(query);
      return (
        row && {
          clientId: row.client_id,
          objectId: row.object_id,
          displayName: row.display_name,
          secretHash: row.secret_hash,
        }
      );
    },
    put({ clientId, objectId, displayName, secretHash }) {
      const set = { object_id: objectId, display_name: displayName, secret_hash: secretHash };
      db.run(
        db.query
          .insertInto('principals')
          .values({ client_id: clientId.toLowerCase(), ...set, created_at: now() })
          .onConflict((conflict) => conflict.column('client_id').doUpdateSet(set)),
      );
    },
    assign(assignment) {
      if (assignments(assignment.principal).some((had) => sameAssignment(had, assignment))) return;
      const { role, scope } = assignment;
      const principal = assignment.principal.toLowerCase();
      db.run(
        db.query
          .insertInto('role_assignments')
          .values({ id: randomUUID(), principal, role, scope, created_at: now() }),
      );
    },
    assignments,
    subscriptions() {
      const rows = db.all(db.query.selectFrom('subscriptions').selectAll().orderBy('created_at'));
      return rows.map((row) => ({ id: row.id, displayName: row.display_name }));
    },
    putSubscription({ id, displayName }) {
      db.run(
        db.query
          .insertInto('subscriptions')
          .values({ id: id.toLowerCase(), display_name: displayName, created_at: now() })
          .onConflict((conflict) => conflict.column('id').doUpdateSet({ display_name: displayName })),
      );
    },
  };
}

const sameAssignment = (a: Assignment, b: Assignment): boolean =>
  a.role === b.role && a.scope.toLowerCase() === b.scope.toLowerCase();

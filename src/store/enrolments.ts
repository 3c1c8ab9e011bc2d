import { createHash } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import type { Database } from './sqlite.ts';

/**
 * Who was admitted by a one-time token, with which certificate request: whoever lost the answer asks the same again and gets
 * it. The same token with another request finds nothing here: the token is spent.
 */
export interface Enrolments {
  admitted(token: string, request: string): string | undefined;
  keep(token: string, request: string, identity: string): void;
}

export function enrolmentsIn(db: Database, clock: Clock): Enrolments {
  return {
    admitted(token, request) {
      const query = db.query
        .selectFrom('enrolments')
        .select('identity')
        .where('token_hash', '=', hash(token));
      return db.first(query.where('request_hash', '=', hash(request)))?.identity;
    },
    keep(token, request, identity) {
      const created_at = new Date(clock.now()).toISOString();
      const row = { token_hash: hash(token), request_hash: hash(request), identity, created_at };
      db.run(
        db.query
          .insertInto('enrolments')
          .values(row)
          .onConflict((conflict) => conflict.doNothing()),
      );
    },
  };
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

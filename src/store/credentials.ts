import { randomUUID } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { Clock } from '../lib/clock.ts';
import type { Schema } from './schema.ts';
import type { Database } from './sqlite.ts';

/** By what a principal proves itself: the hash of a secret, or a certificate. */
export interface Credential {
  readonly id: string;
  readonly principal: string;
  /** Unique within its principal. */
  readonly name: string;
  readonly kind: 'secret' | 'certificate';
  /** The secret's hash, or the certificate as PEM. */
  readonly value: string;
  /** Of a certificate, base64url: SHA-256 and SHA-1, as `x5t#S256` and `x5t` name it. */
  readonly thumbprint: string | null;
  readonly thumbprintSha1: string | null;
  readonly createdAt: string;
  /** Null: it does not expire by itself. */
  readonly expiresAt: string | null;
}

export interface Credentials {
  /** Those that haven't expired, oldest first. */
  live(principal: string): readonly Credential[];
  /** A name that is taken is replaced. */
  put(credential: Omit<Credential, 'id' | 'createdAt'>): Credential;
  /** False: there was none. */
  remove(principal: string, id: string): boolean;
  /** Spends an assertion's id; false: it was spent before. `expiresAt` in seconds since the epoch. */
  spend(principal: string, jti: string, expiresAt: number): boolean;
}

export function credentialsIn(db: Database, clock: Clock): Credentials {
  const of = (principal: string) =>
    db.query.selectFrom('credentials').selectAll().where('principal', '=', principal.toLowerCase());
  return {
    live(principal) {
      const now = new Date(clock.now()).toISOString();
      return db
        .all(of(principal).orderBy('created_at').orderBy('id'))
        .map(toCredential)
        .filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
    },
    put: (credential) =>
      db.transaction(() => {
        const principal = credential.principal.toLowerCase();
        db.run(
          db.query
            .deleteFrom('credentials')
            .where('principal', '=', principal)
            .where('name', '=', credential.name),
        );
        const row: Selectable<Schema['credentials']> = {
          id: randomUUID(),
          principal,
          name: credential.name,
          kind: credential.kind,
          value: credential.value,
          thumbprint: credential.thumbprint,
          thumbprint_sha1: credential.thumbprintSha1,
          created_at: new Date(clock.now()).toISOString(),
          expires_at: credential.expiresAt,
        };
        db.run(db.query.insertInto('credentials').values(row));
        return toCredential(row);
      }),
    remove: (principal, id) =>
      db.run(
        db.query
          .deleteFrom('credentials')
          .where('principal', '=', principal.toLowerCase())
          .where('id', '=', id.toLowerCase()),
      ) > 0,
    spend: (principal, jti, expiresAt) =>
      db.transaction(() => {
        const now = Math.floor(clock.now() / 1000);
        db.run(db.query.deleteFrom('spent_assertions').where('expires_at', '<', now - 60));
        const row = { principal: principal.toLowerCase(), jti, expires_at: expiresAt };
        const insert = db.query.insertInto('spent_assertions').values(row);
        return db.run(insert.onConflict((conflict) => conflict.doNothing())) > 0;
      }),
  };
}

const toCredential = (row: Selectable<Schema['credentials']>): Credential => ({
  id: row.id,
  principal: row.principal,
  name: row.name,
  kind: row.kind as Credential['kind'],
  value: row.value,
  thumbprint: row.thumbprint,
  thumbprintSha1: row.thumbprint_sha1,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
});

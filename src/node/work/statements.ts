import type { NodeWork } from '../../exchange/intents/node.ts';

type SecureRoles = Extract<NodeWork, { kind: 'secure-roles' }>;

/** A CQL string literal. */
const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;
/** A role or a data centre, quoted, so that its letters' case stays. */
const name = (value: string): string => `"${value.replaceAll('"', '""')}"`;

/** Cassandra's own bcrypt reads `$2a$` only. */
export const isCassandraHash = (hash: string): boolean => /^\$2a\$\d\d\$[./A-Za-z0-9]{53}$/.test(hash);

/**
 * What secures a new ring, in order. Passwords go as hashes, so that no statement ever holds one. Each may be sent again:
 * whoever was interrupted starts from the first. The admin comes last: until then the way in is the one that led here.
 */
export function securingStatements(
  work: Pick<SecureRoles, 'serviceRole' | 'authReplication'>,
  hashes: { readonly admin: string; readonly service: string },
): readonly string[] {
  for (const hash of [hashes.admin, hashes.service]) {
    if (!isCassandraHash(hash))
      throw new Error('A password hash is not of the form $2a$, which Cassandra reads.');
  }
  const replication = Object.entries(work.authReplication).map(([dc, factor]) => `${text(dc)}: ${factor}`);
  const service = name(work.serviceRole);
  return [
    `CREATE ROLE IF NOT EXISTS ${service} WITH HASHED PASSWORD = ${text(hashes.service)} AND SUPERUSER = true AND LOGIN = true`,
    `ALTER ROLE ${service} WITH HASHED PASSWORD = ${text(hashes.service)}`,
    `ALTER KEYSPACE system_auth WITH replication = {'class': 'NetworkTopologyStrategy', ${replication.join(', ')}}`,
    `ALTER ROLE cassandra WITH HASHED PASSWORD = ${text(hashes.admin)}`,
  ];
}

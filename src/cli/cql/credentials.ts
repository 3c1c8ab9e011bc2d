import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readJson, writeJson } from '../../lib/files.ts';
import type { Home } from '../home.ts';

/** A CQL login that this CLI made or was given: person/cql-….json, 0600. */
export interface CqlLogin {
  /** ARM id of the cluster, for whoever looks. */
  readonly cluster: string;
  readonly username: string;
  readonly password: string;
}

export const loginFile = (home: Home, clusterId: string): string => {
  const name = clusterId
    .split('/')
    .at(-1)!
    .replace(/[^A-Za-z0-9-]/g, '');
  return join(
    home.person,
    `cql-${name}-${createHash('sha256').update(clusterId.toLowerCase()).digest('hex').slice(0, 8)}.json`,
  );
};

export const readLogin = (home: Home, clusterId: string): Promise<CqlLogin | undefined> =>
  readJson<CqlLogin>(loginFile(home, clusterId));
export const keepLogin = (home: Home, login: CqlLogin): Promise<void> =>
  writeJson(loginFile(home, login.cluster), login);

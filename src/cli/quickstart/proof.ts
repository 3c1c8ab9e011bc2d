import { join } from 'node:path';
import type { VerifyResult } from '../../fabric/verify/result.ts';
import { readJson, writeJson } from '../../lib/files.ts';
import type { Home } from '../home.ts';
import type { CliContext } from '../context.ts';
import type { ArmClient } from '../arm/client.ts';
import { nodeColumns, nodeRows } from '../cassandra-cluster/status.ts';
import { accessTo } from '../cql/cluster.ts';
import { readLogin } from '../cql/credentials.ts';
import { runCql } from '../cql/run.ts';
import { UserError } from '../../lib/errors.ts';
import { format } from '../output/format.ts';
import type { Progress } from '../output/progress.ts';
import { runVerify } from '../verify/run.ts';
import { names } from './names.ts';
import { ids } from './steps.ts';

/** When the door was proved last by quickstart: a run that was interrupted before has that still to do. */
interface Proved {
  readonly dataCenter: string;
  readonly at: string;
}
const provedFile = (home: Home): string => join(home.person, 'quickstart.json');

/** Tries the door; where nothing changed since it was proved, it doesn't. */
export async function proveDoor(
  cx: CliContext,
  customer: ArmClient,
  changed: boolean,
  progress: Progress,
): Promise<{ readonly result: VerifyResult | undefined; readonly before: string | undefined }> {
  const { network, dataCenter } = ids(customer);
  const before = await readJson<Proved>(provedFile(cx.home));
  if (!changed && before?.dataCenter === dataCenter) return { result: undefined, before: before.at };
  const result = await runVerify(customer, network, progress);
  if (result.verdict === 'proved') await writeJson(provedFile(cx.home), { dataCenter, at: result.startedAt });
  return { result, before: undefined };
}

export async function ringTable(
  customer: ArmClient,
): Promise<{ readonly value: unknown; readonly text: string }> {
  const status = await customer.get(`${ids(customer).cluster}/status`);
  const rows = nodeRows(status);
  return { value: rows, text: await format(rows, 'table', nodeColumns) };
}

/** Reads a row at QUORUM, after writing it where it isn't there yet. */
export async function writeAndRead(
  cx: CliContext,
  customer: ArmClient,
): Promise<{ readonly wrote: boolean; readonly row: string; readonly node: string }> {
  const cluster = await customer.get(ids(customer).cluster);
  const access = await accessTo(customer, cluster);
  const login = await readLogin(cx.home, access.id);
  if (!login) {
    throw new UserError(
      'NoPassword',
      `The password of cluster ${names.cluster} was not made here, so CQL can't be tried.`,
      'sallyport cql --user NAME --password @FILE -e "SELECT release_version FROM system.local"',
    );
  }
  const table = `${names.keyspace}.greetings`;
  const read = `SELECT text FROM ${table} WHERE id = 1`;
  const [there] = await runCql(cx, access, login, [read], 'QUORUM').catch((error: unknown) => {
    if (error instanceof UserError && /does not exist|unconfigured table/i.test(error.message)) return []; // not made yet
    throw error;
  });
  if (there?.rows.length === 1) return { wrote: false, row: String(there.rows[0]![0]), node: there.node };
  const results = await runCql(
    cx,
    access,
    login,
    [
      `CREATE KEYSPACE IF NOT EXISTS ${names.keyspace} WITH replication = {'class': 'NetworkTopologyStrategy', '${access.dataCenter}': 3}`,
      `CREATE TABLE IF NOT EXISTS ${table} (id int PRIMARY KEY, text text)`,
      `INSERT INTO ${table} (id, text) VALUES (1, 'written and read at QUORUM through one door')`,
      read,
    ],
    'QUORUM',
  );
  const last = results.at(-1)!;
  if (last.rows.length !== 1)
    throw new UserError(
      'RowNotRead',
      'The row that was written at QUORUM was not read back.',
      'sallyport status',
    );
  return { wrote: true, row: String(last.rows[0]![0]), node: last.node };
}

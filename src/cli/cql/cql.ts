import { defineCommand } from '../command.ts';
import { UserError } from '../../lib/errors.ts';
import { UsageError } from '../errors.ts';
import { cluster, optionalGroup } from '../arm/options.ts';
import { renderTable } from '../output/table.ts';
import { accessTo, findCluster } from './cluster.ts';
import { loginFile, readLogin } from './credentials.ts';
import type { StatementResult } from './protocol.ts';
import { runCql } from './run.ts';
import { splitStatements } from './statements.ts';

export const cql = defineCommand({
  path: 'cql',
  summary: 'Run CQL over verified TLS, from inside the customer’s network.',
  examples: [
    'cql -e "SELECT release_version FROM system.local"',
    'cql -e "SELECT * FROM app.users" --user app --password @app-password',
  ],
  options: {
    execute: {
      kind: 'text',
      flags: ['-e', '--execute'],
      help: 'One or more statements; standard input when left out.',
    },
    cluster,
    group: optionalGroup,
    user: { kind: 'text', flags: ['-u', '--user'], help: 'The role; that of quickstart when left out.' },
    password: { kind: 'secret', flags: ['-p', '--password'], help: 'Its password.' },
    consistency: { kind: 'text', flags: ['--consistency'], help: 'Consistency level; QUORUM when left out.' },
  },
  async run(cx, options) {
    const statements = splitStatements(options.execute ?? (await readInput()));
    if (statements.length === 0)
      throw new UsageError(
        'There is no statement.',
        'sallyport cql -e "SELECT release_version FROM system.local"',
      );
    const client = await cx.arm();
    const found = await findCluster(client, options);
    const access = await accessTo(client, found);
    const results = await runCql(
      cx,
      access,
      await login(access.id),
      statements,
      (options.consistency ?? 'QUORUM').toUpperCase(),
    );
    const objects = results.map(({ columns, rows }) =>
      rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index]]))),
    );
    const last = results.filter(({ columns }) => columns.length > 0);
    return {
      value: objects.length === 1 ? objects[0] : objects,
      rows: objects.flat(),
      human: last.map((result) => render(result)).join('\n\n') || 'Done: nothing to show.',
    };

    async function login(id: string): Promise<{ readonly username: string; readonly password: string }> {
      if (options.password !== undefined)
        return { username: options.user ?? 'cassandra', password: options.password };
      const kept = await readLogin(cx.home, id);
      if (kept && (options.user === undefined || options.user === kept.username)) return kept;
      throw new UserError(
        'NoPassword',
        `No password is known for ${options.user ?? 'the cluster'}: ${loginFile(cx.home, id)} has none.`,
        'Add --user NAME --password @FILE (or - for standard input).',
      );
    }
  },
});

async function readInput(): Promise<string> {
  if (process.stdin.isTTY)
    throw new UsageError(
      'Neither -e nor statements on standard input were given.',
      'sallyport cql -e "SELECT release_version FROM system.local"',
    );
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const show = (value: unknown): string =>
  value === null ? 'null' : typeof value === 'object' ? JSON.stringify(value) : String(value);
const render = ({ columns, rows }: StatementResult): string =>
  `${renderTable(
    columns,
    rows.map((row) => row.map(show)),
  )}\n(${rows.length} row${rows.length === 1 ? '' : 's'})`;

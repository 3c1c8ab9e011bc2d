/**
 * Runs inside an application machine's network: `node dist/cli/cql/session.js`, a request on standard input, an answer
 * on standard output. TLS is verified against the cluster's own authority and the node's own address.
 */
import { auth, Client, policies, types } from 'cassandra-driver';
import { explain } from './explain.ts';
import { isIdempotent } from './idempotent.ts';
import type { SessionAnswer, SessionRequest, StatementResult } from './protocol.ts';

const chunks: Buffer[] = [];
for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
const answer = await run(JSON.parse(Buffer.concat(chunks).toString()) as SessionRequest);
process.stdout.write(JSON.stringify(answer), () => process.exit(0));

async function run(request: SessionRequest): Promise<SessionAnswer> {
  // The driver spells LOCAL_QUORUM as localQuorum.
  const wanted = request.consistency.replaceAll('_', '').toLowerCase();
  const [, consistency] =
    Object.entries(types.consistencies as unknown as Record<string, number>).find(
      ([name]) => name.toLowerCase() === wanted,
    ) ?? [];
  if (consistency === undefined)
    return {
      error: {
        code: 'UnknownConsistency',
        message: `There is no consistency level '${request.consistency}'.`,
      },
    };
  const client = new Client({
    contactPoints: [...request.contactPoints],
    localDataCenter: request.dataCenter,
    authProvider: new auth.PlainTextAuthProvider(request.username, request.password),
    // The driver's own default would believe any certificate.
    sslOptions: { ca: [request.authority], rejectUnauthorized: true, minVersion: 'TLSv1.2' },
    queryOptions: { consistency, prepare: false },
    policies: {
      loadBalancing: new policies.loadBalancing.TokenAwarePolicy(
        new policies.loadBalancing.DCAwareRoundRobinPolicy(request.dataCenter),
      ),
    },
    socketOptions: { connectTimeout: 5_000, readTimeout: 20_000 },
  });
  try {
    await client.connect();
    const results: StatementResult[] = [];
    for (const statement of request.statements) results.push(await execute(client, statement));
    return { results };
  } catch (error) {
    return { error: explain(error as Error) };
  } finally {
    await client.shutdown().catch(() => undefined);
  }
}

async function execute(client: Client, statement: string): Promise<StatementResult> {
  // A node that dies takes its unanswered requests with it: another one is asked where that can do no harm.
  const result = await client.execute(statement, [], { isIdempotent: isIdempotent(statement) });
  const columns = (result.columns ?? []).map((column) => column.name);
  const rows = (result.rows ?? []).map((row) => columns.map((column) => show(row[column])));
  return { columns, rows, node: result.info.queriedHost };
}

/** What JSON has no form for is shown as CQL writes it. */
function show(value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return value;
  if (value instanceof Date) return value.toISOString();
  if (Buffer.isBuffer(value)) return `0x${value.toString('hex')}`;
  if (Array.isArray(value)) return value.map(show);
  if (value instanceof Set) return [...value].map(show);
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, item]) => [String(key), show(item)]));
  const plain = Object.getPrototypeOf(value) === Object.prototype;
  return plain
    ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, show(item)]))
    : String(value);
}

/**
 * A client of a ring, in a process of its own: `node bench/cql-load.ts`. The first line on standard input says where the ring
 * is, each further one what to do; each is answered with a line. The password travels here, never as an argument.
 */
import { auth, Client, policies, types } from 'cassandra-driver';
import { createInterface } from 'node:readline';
import { percentile } from './rounds.ts';

export interface LoadTarget {
  readonly contactPoints: readonly string[];
  readonly dataCenter: string;
  /** PEM. */
  readonly authority: string;
  readonly username: string;
  readonly password: string;
}

export interface LoadOrder {
  /** drop: the keyspace goes, without which its data centre can't. */
  readonly kind: 'prepare' | 'write' | 'read' | 'drop';
  readonly seconds: number;
  readonly inFlight: number;
}

export interface LoadResult {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p99: number;
}

const keys = 10_000;
const value = Buffer.alloc(256, 'x').toString();
const consistency = types.consistencies.localQuorum;

if (import.meta.main) {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const next = async <T>(): Promise<T | undefined> => {
    const { value: line, done } = await lines.next();
    return done ? undefined : (JSON.parse(line) as T);
  };
  const client = await connect((await next<LoadTarget>())!);
  for (let order = await next<LoadOrder>(); order; order = await next<LoadOrder>()) {
    process.stdout.write(`${JSON.stringify(await follow(client, order))}\n`);
  }
  await client.shutdown();
}

async function connect(target: LoadTarget): Promise<Client> {
  const client = new Client({
    contactPoints: [...target.contactPoints],
    localDataCenter: target.dataCenter,
    authProvider: new auth.PlainTextAuthProvider(target.username, target.password),
    sslOptions: { ca: [target.authority], rejectUnauthorized: true },
    queryOptions: { consistency, prepare: true },
    policies: {
      loadBalancing: new policies.loadBalancing.TokenAwarePolicy(
        new policies.loadBalancing.DCAwareRoundRobinPolicy(target.dataCenter),
      ),
    },
  });
  await client.connect();
  return client;
}

async function follow(client: Client, order: LoadOrder): Promise<LoadResult> {
  if (order.kind === 'prepare') return prepare(client, order);
  if (order.kind !== 'drop') return load(client, order);
  await client.execute('DROP KEYSPACE bench', [], { prepare: false });
  return { perSecond: 0, p99: 0 };
}

async function prepare(client: Client, { inFlight }: LoadOrder): Promise<LoadResult> {
  await client.execute(
    "CREATE KEYSPACE IF NOT EXISTS bench WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 3}",
    [],
    { prepare: false },
  );
  await client.execute('CREATE TABLE IF NOT EXISTS bench.t (k int PRIMARY KEY, v text)', [], {
    prepare: false,
  });
  let key = 0;
  return run(inFlight, () => (key < keys ? write(client, key++) : undefined));
}

function load(client: Client, { kind, seconds, inFlight }: LoadOrder): Promise<LoadResult> {
  const deadline = performance.now() + seconds * 1000;
  const one = kind === 'write' ? write : read;
  return run(inFlight, () =>
    performance.now() < deadline ? one(client, Math.floor(Math.random() * keys)) : undefined,
  );
}

function write(client: Client, key: number): Promise<unknown> {
  return client.execute('INSERT INTO bench.t (k, v) VALUES (?, ?)', [key, value]);
}

function read(client: Client, key: number): Promise<unknown> {
  return client.execute('SELECT v FROM bench.t WHERE k = ?', [key]);
}

/** Keeps `inFlight` requests under way until there is no next one. */
async function run(inFlight: number, request: () => Promise<unknown> | undefined): Promise<LoadResult> {
  const took: number[] = [];
  const began = performance.now();
  const worker = async (): Promise<void> => {
    for (;;) {
      const since = performance.now();
      const asked = request();
      if (!asked) return;
      await asked;
      took.push(performance.now() - since);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const seconds = (performance.now() - began) / 1000;
  return { perSecond: took.length / seconds, p99: percentile(took, 0.99) };
}

/** Runs inside a test's machine, beside the node: tries a TCP port, or asks CQL or for metrics over verified TLS. Answers with JSON. */
import cassandra from 'cassandra-driver';
import { get } from 'node:https';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { readInput } from '../../src/node/child.ts';

type Ask =
  | { readonly tcp: { readonly from: string; readonly to: string; readonly port: number } }
  | {
      readonly scrape: {
        readonly host: string;
        readonly from: string;
        readonly name: string;
        readonly authority: string;
      };
    }
  | {
      /** Or several, each whatever came of the one before; only what went wrong is said of those. */
      readonly cql: string | readonly string[];
      /** Prepared first. */
      readonly prepare?: boolean;
      readonly address: string;
      readonly authority: string;
      readonly username: string;
      readonly password: string;
    };

function reaches({ from, to, port }: { from: string; to: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: to, port, localAddress: from, timeout: 1_000 });
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', () => finish(true));
    socket.on('timeout', () => finish(false));
    socket.on('error', () => finish(false));
  });
}

/** What Prometheus does; null where nobody answers. */
function scrape({
  host,
  from,
  name,
  authority,
}: Extract<Ask, { scrape: unknown }>['scrape']): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const options = {
      host,
      port: 9443,
      path: '/metrics',
      localAddress: from,
      servername: name,
      ca: authority,
    };
    const asked = get({ ...options, agent: false, timeout: 10_000 }, (response) => {
      text(response).then(resolve, reject);
    });
    asked.on('timeout', () => asked.destroy());
    // A certificate that can't be believed is no silence.
    asked.on('error', (error: NodeJS.ErrnoException) =>
      /CERT|ALTNAME|SIGNATURE/.test(error.code ?? '') ? reject(error) : resolve(null),
    );
  });
}

async function query(ask: Extract<Ask, { cql: unknown }>): Promise<unknown> {
  const { address, authority, username, password } = ask;
  const client = new cassandra.Client({
    contactPoints: [`${address}:9042`],
    localDataCenter: 'dc1',
    credentials: { username, password },
    sslOptions: { ca: [authority], host: address },
  });
  try {
    const { cql } = ask;
    if (typeof cql === 'string') return (await client.execute(cql)).rows;
    const failed: { readonly cql: string; readonly error: string }[] = [];
    for (const one of cql)
      await client
        .execute(one, [], { prepare: ask.prepare === true })
        .catch((error: Error) => failed.push({ cql: one, error: error.message }));
    return failed;
  } finally {
    await client.shutdown();
  }
}

const ask = JSON.parse(await readInput()) as Ask;
const said =
  'tcp' in ask
    ? { reached: await reaches(ask.tcp) }
    : 'scrape' in ask
      ? { metrics: await scrape(ask.scrape) }
      : { rows: await query(ask) };
process.stdout.write(JSON.stringify(said), () => process.exit(0));
